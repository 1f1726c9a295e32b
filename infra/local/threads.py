"""Loops of the local stack that run in the background, and end when told to."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Self

Event = dict[str, Any]
Invoke = Callable[[Event], Any]
"""A function as the local stack calls it: with its event, and without a Lambda context."""

STOPPING = 1.0
"""Seconds that `stop()` waits at most."""

log = logging.getLogger(__name__)


class Threads:
    """A loop's turns, taken by some daemon threads until told to stop; base of what follows."""

    def __init__(self, turn: Callable[[], None], count: int, name: str) -> None:
        """Prepare `count` threads that take one turn after the other."""
        self.name = name
        self.stopped = threading.Event()
        self._turn = turn
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(count)
        ]

    def _run(self) -> None:
        while not self.stopped.is_set():
            self._turn()

    def start(self) -> Self:
        """Let them run, once."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Take no further turn; one under way is left to itself after a second."""
        self.stopped.set()
        self.join(time.monotonic() + STOPPING)

    def join(self, deadline: float) -> None:
        """Wait for the turns under way, until `time.monotonic()` says `deadline`."""
        for thread in self._threads:
            if thread.is_alive() and thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def stop(*parts: Threads) -> None:
    """Stop several in the time of one: all are told before any is waited for."""
    for part in parts:
        part.stopped.set()
    deadline = time.monotonic() + STOPPING
    for part in parts:
        part.join(deadline)


def succeeds(invoke: Invoke, event: Event) -> bool:
    """Run a function as Lambda does: whatever ends it early, even `SystemExit`, is a failure and no more."""
    try:
        invoke(event)
    except BaseException:
        log.exception("the function failed")
        return False
    return True
