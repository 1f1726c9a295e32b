"""One name for everything that follows from an event or a click, in every line of the log; and no secrets there.

The name is what the history has as `op`, or the event's id, or the sweep's name: so a line of the log leads to an
entry, and back. It travels beside the jobs, never in them.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

HIDDEN = "[hidden]"
SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+"  # Slack's tokens
    r"|eyJ[\w-]+\.[\w-]*\.?[\w-]*"  # signed tokens, whole or cut off
    r"|(?i:\bbearer\s+)[\w.~+/=-]{8,}"
    r"|(?:(?:client_secret|client_assertion|refresh_token|access_token|code_verifier)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,]+"
)
"""What looks like one, wherever it stands."""
_trace: ContextVar[str] = ContextVar("trace", default="")


@contextmanager
def traced(name: str) -> Iterator[None]:
    """Let everything inside belong to this name; threads that a `ThreadCrew` starts belong to it too."""
    token = _trace.set(name)
    try:
        yield
    finally:
        _trace.reset(token)


def current() -> str:
    """The name of what is under way; nothing at a door, before there is a job."""
    return _trace.get()


def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    return SECRET.sub(HIDDEN, text)


class Record(logging.LogRecord):
    """A line of the log with the name of what it belongs to, which Lambda's JSON format writes as `trace`."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]
        self.trace = current()

    def getMessage(self) -> str:  # noqa: N802 - its name in logging
        """What is said, without secrets; control characters as they are written, so that no line begins another."""
        return redacted(super().getMessage()).translate(_CONTROLS)


_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), 127)}


def watch() -> None:
    """Have every line of this process written so; a second call changes nothing."""
    logging.setLogRecordFactory(Record)
