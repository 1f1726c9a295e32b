"""Text for the person who started a command: plain in a file or a pipe; with colours and a spinner on a terminal.

https://no-color.org: a NO_COLOR that is not empty leaves the colours out.
"""

import itertools
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

BOLD, DIM, RED, GREEN, CYAN = "1", "2", "31", "32", "36"
FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
TURN = 0.08
"""Seconds between two frames of the spinner."""
ERASE = "\r\x1b[2K"


class Terminal:
    """Where a command prints."""

    def __init__(self, environment: Mapping[str, str], out: TextIO = sys.stdout) -> None:
        """Look once at what is there; a letter that it cannot show must not end the command."""
        if hasattr(out, "reconfigure"):
            out.reconfigure(errors="replace")
        self._out = out
        self._moves = out.isatty() and environment.get("TERM") != "dumb"
        self._colours = self._moves and not environment.get("NO_COLOR")

    def say(self, text: str = "", *styles: str) -> None:
        """Print a line at once, also into a pipe that somebody is reading."""
        print(self.styled(text, *styles), file=self._out, flush=True)

    def styled(self, text: str, *styles: str) -> str:
        """Give text its styles, where they can be shown."""
        return f"\x1b[{';'.join(styles)}m{text}\x1b[0m" if text and styles and self._colours else text

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        """Show that something is being done, on a line that vanishes when it is; nothing where lines cannot vanish."""
        if not self._moves:
            yield
            return
        done = threading.Event()
        spinner = threading.Thread(target=self._spin, args=(text, done), daemon=True)
        spinner.start()
        try:
            yield
        finally:
            done.set()
            spinner.join()

    def _spin(self, text: str, done: threading.Event) -> None:
        """Redraw the line; one that wraps could not be erased, so it is cut."""
        started, room = time.monotonic(), shutil.get_terminal_size().columns - len(f"{FRAMES[0]}  999 s")
        text = text if len(text) <= room else f"{text[: room - 1]}…"
        for frame in itertools.cycle(FRAMES):
            waited = f"{time.monotonic() - started:.0f} s"
            self._out.write(f"{ERASE}{self.styled(frame, CYAN)} {text} {self.styled(waited, DIM)}")
            self._out.flush()
            if done.wait(TURN):
                break
        self._out.write(ERASE)
        self._out.flush()
