"""What operators watch, as numbers; what follows from the history is derived from each entry that is appended. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.domain import State
from bot.entries import Opened, Vote
from bot.history import VersionState


class Meter(Protocol):
    """Takes a number; `of` says what of: an environment, a reason, a surface."""

    def __call__(self, what: str, value: float = 1, /, **of: str) -> None:
        """Note it; this never fails."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number."""

    what: str
    value: float = 1
    of: Mapping[str, str] = field(default_factory=dict)


def quiet(_what: str, _value: float = 1, /, **_of: str) -> None:
    """Where nobody watches."""


def of_entry(before: VersionState, after: VersionState) -> Iterator[Reading]:
    """What the newest entry says: a request, ends of requests, and how long an answer took."""
    entry = after.entries[-1]
    if isinstance(entry.event, Opened):
        yield Reading("Requests", of={"environment": entry.event.environment})
    for one in after.all_rounds:
        was = before.round(one.id)
        if was is None or was.state is one.state:
            continue
        yield Reading("Decisions", of={"environment": one.id.environment, "outcome": str(one.state)})
        if was.state is State.PENDING and isinstance(entry.event, Vote):
            took = (entry.at - one.opened_entry.at).total_seconds()
            yield Reading("TimeToDecision", took, {"environment": one.id.environment})
