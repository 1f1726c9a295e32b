"""The event log of the page: what EventBridge delivered, and what the bot has to say to its operators."""

import itertools
import logging
from collections import deque
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime

from infra.local.delivery import EventBus
from infra.local.page.pane import Act, Json
from infra.local.threads import Event

MOST = 300
"""Lines that are kept; older ones are forgotten."""


class LogPane:
    """Events and log lines, in the order in which they came."""

    name = "log"

    def __init__(self, bus: EventBus) -> None:
        self.acts: Mapping[str, Act] = {}
        self._lines: deque[Json] = deque(maxlen=MOST)
        self._numbers = itertools.count(1)
        self._last = 0
        for event in tuple(bus.recent):
            self._heard(event)
        bus.on_put.append(self._heard)
        logging.getLogger("bot").addHandler(_Listener(self))

    def version(self) -> Hashable:
        """Lines are numbered."""
        return self._last

    def seen_by(self, _: str) -> Json:
        """All lines, oldest first."""
        return {"lines": list(self._lines)}

    def _heard(self, event: Event) -> None:
        self.add(f"{event['detail-type']}", at=event["time"], source=str(event["source"]), detail=event["detail"])

    def add(self, text: str, *, at: str, source: str, detail: object = None) -> None:
        """Write a line."""
        self._last = next(self._numbers)
        self._lines.append({"number": self._last, "at": at, "source": source, "text": text, "detail": detail})


class _Listener(logging.Handler):
    """Hears what the bot tells its operators: warnings and errors."""

    def __init__(self, pane: LogPane) -> None:
        super().__init__(logging.WARNING)
        self._pane = pane

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        self._pane.add(record.getMessage(), at=at, source=f"bot {record.levelname.lower()}")
