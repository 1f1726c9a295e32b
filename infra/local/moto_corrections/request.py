"""What a correction knows of the request it runs in: who sent it, and the events that it causes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]


@dataclass(slots=True)
class Request:
    """One request under way: the `IamIdentity` that AWS records of its caller, and events to send on."""

    caller: dict[str, str]
    events: list[Event] = field(default_factory=list)


_current: ContextVar[Request | None] = ContextVar("request", default=None)


@contextmanager
def serving(caller: dict[str, str]) -> Iterator[Request]:
    """Make `caller` the one who acts in this thread, and collect the events."""
    request = Request(caller)
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def caller() -> dict[str, str] | None:
    """Say who sent the request under way; None outside of the server (moto used in process, without HTTP)."""
    request = _current.get()
    return None if request is None else request.caller


def emit(event: Event) -> None:
    """Hand an event to whoever serves the request; outside of the server nobody listens."""
    if request := _current.get():
        request.events.append(event)


def envelope(
    *, source: str, detail_type: str, detail: dict[str, Any], resources: list[str], account: str, region: str
) -> Event:
    """Build the whole event as EventBridge delivers it; moto's own delivery leaves `account` out."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": iso(datetime.now(UTC)),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def iso(moment: datetime) -> str:
    """Write a time as events carry it; moto's times are UTC without saying so."""
    return moment.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
