"""The event log of the page: what EventBridge delivered, and what the bot has to say to its operators."""

import logging
import threading
from collections import deque
from collections.abc import Hashable
from datetime import UTC, datetime

from infra.local.delivery import EventBus
from infra.local.page.pane import Json, Pane
from infra.local.threads import Event

MOST = 300
"""Lines that are kept; older ones are forgotten."""
BOT = logging.getLogger("bot")


class LogPane(Pane):
    """Events and log lines, in the order in which they came."""

    name = "log"

    def __init__(self, bus: EventBus) -> None:
        self._bus, self._listener = bus, _Listener(self)
        self._lines: deque[Json] = deque(maxlen=MOST)
        self._last = 0
        self._lock = threading.Lock()
        for event in tuple(bus.recent):
            self._heard(event)
        bus.on_put.append(self._heard)
        BOT.addHandler(self._listener)

    def close(self) -> None:
        """Listen no more."""
        self._bus.on_put.remove(self._heard)
        BOT.removeHandler(self._listener)

    def version(self) -> Hashable:
        """Lines are numbered."""
        return self._last

    def seen_by(self, _: str) -> Json:
        """All lines, oldest first."""
        with self._lock:
            return {"lines": list(self._lines)}

    def _heard(self, event: Event) -> None:
        self.add(str(event["detail-type"]), at=event["time"], source=str(event["source"]), detail=event["detail"])

    def add(self, text: str, *, at: str, source: str, detail: object = None) -> None:
        """Write a line; only then it has its number."""
        with self._lock:
            number = self._last + 1
            self._lines.append({"number": number, "at": at, "source": source, "text": text, "detail": detail})
            self._last = number


class _Listener(logging.Handler):
    """Hears what the bot tells its operators: warnings and errors."""

    def __init__(self, pane: LogPane) -> None:
        super().__init__(logging.WARNING)
        self._pane = pane

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._pane.add(record.getMessage(), at=at, source=f"bot {record.levelname.lower()}")
