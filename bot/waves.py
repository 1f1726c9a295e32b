"""Remote calls side by side: a wave takes as long as its slowest call."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Any


class ThreadCrew:
    """One thread a call, so that waves may be nested without waiting for a place in a pool."""

    def together(self, *calls: Callable[[], Any]) -> tuple[Future[Any], ...]:
        """Run all, the last one in the caller's own thread; return when every future is done."""
        futures = tuple(Future[Any]() for _ in calls)
        *others, mine = zip(futures, calls, strict=True)
        threads = [Thread(target=copy_context().run, args=(_fulfil, *each), daemon=True) for each in others]
        for thread in threads:
            thread.start()
        _fulfil(*mine)
        for thread in threads:
            thread.join()
        return futures


def _fulfil(future: Future[Any], call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except Exception as error:  # noqa: BLE001 - handed to whoever asks the future
        future.set_exception(error)
