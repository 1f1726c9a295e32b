"""`_status/<group>`: what `/model-status` reads, and what the bot remembers of its own pointer writes.

Rows and slots join: of two, the one with the longer log (or the later time) is right. So two workers that wrote at
once lose nothing, whoever wrote last.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

from bot.codec import from_json, to_json
from bot.domain import ModelVersion, RequestId, State
from bot.encoding import LIMIT, decode, encode, sha256
from bot.entries import Entry
from bot.errors import Malformed
from bot.evidence import Metric
from bot.history import VersionState

Value = TypeVar("Value")
DIGITS = 16
"""Of the digest of a log's last entry."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the latest round of an environment stands, since when."""

    state: State
    round: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One version of the group; `seq` is the head of its log, and `digest` the beginning of that entry's sha256."""

    seq: int
    environments: Mapping[str, Stand] = field(default_factory=dict)
    digest: str = ""

    @property
    def pending(self) -> bool:
        """Whether somebody is asked about this version."""
        return any(stand.state is State.PENDING for stand in self.environments.values())


@dataclass(frozen=True, slots=True)
class Slot:
    """What we last wrote into an environment's pointer: the version, the value's sha256, the version's metrics.

    `place`: the account and region that it lies in, where they are not the registry's.
    """

    at: datetime
    written: str
    version: int | None = None
    metrics: tuple[Metric, ...] = ()
    place: str = ""


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The compact status of one group."""

    versions: Mapping[str, Row] = field(default_factory=lambda: MappingProxyType({}))
    approved: Mapping[str, Slot] = field(default_factory=lambda: MappingProxyType({}))

    def with_version(self, state: VersionState) -> "GroupStatus":
        """Put a version's row in, unless the one there knows more."""
        if not state.head:
            return self
        return self.joined(GroupStatus({str(state.model.version): row_of(state)}))

    def knows(self, state: VersionState) -> bool:
        """Whether it says of a version what that version's log says."""
        return self.with_version(state).encoded() == self.encoded()

    def older_pending(self, model: ModelVersion, environment: str, before: datetime) -> Iterable[RequestId]:
        """The requests of older versions for this environment that were opened before its approval."""
        for number, row in self.versions.items():
            stand = row.environments.get(environment)
            if stand and stand.state is State.PENDING and int(number) < model.version and stand.at < before:
                yield RequestId(model.group, int(number), environment, stand.round)

    def joined(self, other: "GroupStatus") -> "GroupStatus":
        """The knowledge of both."""
        versions = _join(self.versions, other.versions, lambda row: row.seq)
        return GroupStatus(versions, _join(self.approved, other.approved, lambda slot: slot.at.timestamp()))

    def encoded(self) -> str:
        """Within 4,096 bytes: old versions with nothing in hand leave first, then metrics, then the oldest rows."""
        trimmed = self
        while len(text := encode(to_json(trimmed))) > LIMIT:
            trimmed = trimmed._smaller()
        return text

    def _smaller(self) -> "GroupStatus":
        running = {slot.version for slot in self.approved.values()}
        idle = [number for number, row in self.versions.items() if not row.pending and int(number) not in running]
        victims = idle or ([] if any(slot.metrics for slot in self.approved.values()) else list(self.versions))
        if not victims and not any(slot.metrics for slot in self.approved.values()):
            first = min(self.approved, key=lambda key: self.approved[key].at)
            return replace(self, approved={key: slot for key, slot in self.approved.items() if key != first})
        if not victims:
            return replace(self, approved={key: replace(slot, metrics=()) for key, slot in self.approved.items()})
        oldest = min(victims, key=int)
        return replace(self, versions={key: row for key, row in self.versions.items() if key != oldest})


@dataclass(frozen=True, slots=True)
class Health:
    """When a sweep had ended, when the queue had brought that to the worker, and how many parameters were counted."""

    swept_at: datetime
    done_at: datetime
    parameters: int = 0
    quota: int = 0

    @property
    def used(self) -> float:
        """Percent of the quota of parameters; 0 before they were counted."""
        return 100 * self.parameters / self.quota if self.quota else 0.0


def read_health(text: str | None) -> Health | None:
    """Read what the last sweep has left of how the bot is; nothing of what cannot be read."""
    try:
        return from_json(Health, decode(text)) if text else None
    except Malformed:
        return None


def read_status(text: str | None) -> GroupStatus:
    """Read a status; an unreadable one counts as empty and is written anew."""
    try:
        found = from_json(GroupStatus, decode(text)) if text else GroupStatus()
    except Malformed:
        return GroupStatus()
    return found if all(number.isdecimal() for number in found.versions) else GroupStatus()


def row_of(state: VersionState) -> Row:
    """A version's row: a pure function of its log."""
    stands = {
        environment: Stand(rounds[-1].state, rounds[-1].id.round, (rounds[-1].ending or rounds[-1].opened_entry).at)
        for environment, rounds in state.rounds.items()
    }
    return Row(state.head, stands, digest_of(state.entries[-1]) if state.entries else "")


def digest_of(entry: Entry) -> str:
    """The beginning of an entry's sha256, as its version's row has it."""
    return sha256(entry.raw)[:DIGITS]


def _join(ours: Mapping[str, Value], theirs: Mapping[str, Value], weight: Callable[[Value], float]) -> dict[str, Value]:
    both = dict(ours)
    for key, value in theirs.items():
        if key not in both or weight(value) >= weight(both[key]):
            both[key] = value
    return both
