"""The log, the pointers, the cards, the markers and the status, as the use-cases read and write them.

What one wave can read is read in one call: a usual version's log, the pointer and the markers fit ten names.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from bot.approved import ApprovedModel, read_approved
from bot.codec import from_json, to_json
from bot.domain import MessageRef, ModelVersion, RequestId
from bot.encoding import LIMIT, decode, encode
from bot.entries import Entry, Event
from bot.errors import Malformed, Unavailable
from bot.history import VersionState, apply, decode_entry, fold, next_entry
from bot.metering import Meter, of_entry, quiet
from bot.names import Names
from bot.ports import Crew, Parameter, Parameters, Stored, Written
from bot.status import GroupStatus, Health, read_health, read_status

log = logging.getLogger(__name__)

PAGE = 10
"""Names in one GetParameters (AWS)."""
READ_AGAIN = 5
"""How often a place that is taken, but cannot be read yet, is looked at."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A card on one surface: where, what it shows, how far its thread is told; or why it was given up.

    `settled`: nothing is left to be done, after an end, or once another surface has said that it was given up.
    `reminded` counts the reminders that were due when the last one was sent.
    """

    channel: str
    ts: str = ""
    shown: str = ""
    threaded: int = 0
    settled: bool = False
    given_up: str = ""
    reminded: int = 0
    escalated: bool = False

    @property
    def ref(self) -> MessageRef:
        """Where the card is."""
        return MessageRef(self.channel, self.ts)


@dataclass(frozen=True, slots=True)
class CardRecord:
    """Where the cards of one request are, by surface."""

    surfaces: Mapping[str, Posted] = field(default_factory=dict)

    def with_surface(self, surface: str, posted: Posted) -> "CardRecord":
        """The record with one surface set."""
        return CardRecord({**self.surfaces, surface: posted})


@dataclass(frozen=True, slots=True)
class Look:
    """What one wave saw of a version: its state, the raw pointers and the markers that were asked for."""

    state: VersionState
    pointers: Mapping[str, str | None] = field(default_factory=dict)
    marked: Mapping[str, bool] = field(default_factory=dict)
    status: GroupStatus = field(default_factory=GroupStatus)
    complete: bool = False

    def newer(self, environment: str) -> tuple[int, datetime] | None:
        """Version and time of the approval that the pointer names."""
        current = self.pointer(environment)
        return (current.model_package_version or 0, current.approved_at) if current and current.approved_at else None

    def pointer(self, environment: str) -> ApprovedModel | None:
        """The pointer, parsed totally."""
        return read_approved(self.pointers.get(environment))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else a projection compares with: the group's status, the shard of group names, the cards' records."""

    status: Parameter | None
    shard: Parameter | None
    cards: Mapping[RequestId, CardRecord]

    @property
    def group(self) -> GroupStatus:
        """The status, read."""
        return read_status(self.status.value if self.status else None)


class Records:
    """Typed access to Parameter Store; every write is one call."""

    def __init__(self, parameters: Parameters, names: Names, crew: Crew, meter: Meter = quiet) -> None:
        self.names = names
        self._meter = meter
        self._parameters = parameters
        self._crew = crew

    def look(
        self,
        model: ModelVersion,
        *,
        pointers: Sequence[str] = (),
        markers: Sequence[str] = (),
        status: bool = False,
        short: bool = False,
    ) -> Look:
        """Read the log with the pointers and markers of some environments, in one call for a usual version.

        `short` trusts a log that just fits the call to end there: only for a caller who appends, and so finds out.
        """
        extra = [self.names.approved(model.group, each) for each in pointers]
        extra += [self.names.marker(model, each) for each in markers]
        extra += [self.names.status(model.group)] if status else []
        room = max(PAGE - len(extra), 1)
        found = self._read([*self._entries(model, 1, room), *extra])
        state = fold(model, self._run(model, found, 1, room))
        if state.head == room and not short:
            state = self.read_on(state)
        return Look(
            state,
            {each: _value(found, self.names.approved(model.group, each)) for each in pointers},
            {each: self.names.marker(model, each) in found for each in markers},
            read_status(_value(found, self.names.status(model.group))),
        )

    def read_on(self, state: VersionState) -> VersionState:
        """Read whatever follows the head, ten entries a call."""
        while True:
            first = state.head + 1
            found = self._read(self._entries(state.model, first, PAGE))
            entries = self._run(state.model, found, first, PAGE)
            for entry in entries:
                state = apply(state, entry)
            if len(entries) < PAGE:
                return state

    def read_past(self, state: VersionState) -> VersionState:
        """Read on behind a place that is known to be taken, until what stands there can be seen."""
        for _ in range(READ_AGAIN):
            later = self.read_on(state)
            if later.head > state.head:
                return later
        raise Unavailable(f"entry {state.head + 1} of {state.model} exists but cannot be read yet")

    def append(
        self, state: VersionState, event: Event, op: str, now: datetime, *, after: datetime | None = None
    ) -> VersionState | None:
        """Create the next entry: whoever creates it has decided. `None` when somebody else took the place."""
        entry = next_entry(state, event, op, now, after=after)
        if not self._parameters.create(self.names.entry(state.model, entry.seq), entry.raw):
            return None
        appended = apply(state, entry)
        for each in of_entry(state, appended):
            self._meter(each.what, each.value, **each.of)
        return appended

    def surroundings(self, state: VersionState, *, coming: Iterable[RequestId] = ()) -> Surroundings:
        """Read the status, the shard and the cards of every round, those about to be opened included."""
        group = state.model.group
        requests = list(dict.fromkeys([*(each.id for each in state.all_rounds), *coming]))
        names = [self.names.status(group), self.names.shard(group), *map(self.names.cards, requests)]
        found = self._read(names)
        cards = {request: read_card_record(_value(found, self.names.cards(request))) for request in requests}
        return Surroundings(found.get(names[0]), found.get(names[1]), cards)

    def mark(self, model: ModelVersion, environment: str) -> None:
        """Say that there is work in hand, before there is."""
        self._parameters.create(self.names.marker(model, environment), encode({"version": model.version}))

    def unmark(self, model: ModelVersion, environment: str) -> None:
        """The work is done (openings jobs alone do this)."""
        self._parameters.delete(self.names.marker(model, environment))

    def write_pointer(self, value: ApprovedModel) -> str:
        """Name the approved model of an environment; return what was written."""
        text = value.encoded()
        self._parameters.put(self.names.approved(value.model_package_group_name, value.environment), text)
        return text

    def pointer_written(self, group: str, environment: str) -> Sequence[Written]:
        """Who wrote what into the pointer of an environment, oldest first."""
        return self._parameters.written(self.names.approved(group, environment))

    def write_cards(self, request: RequestId, record: CardRecord) -> None:
        """Remember where the cards are and what they show."""
        self._parameters.put(self.names.cards(request), encode(to_json(record)))

    def write_status(
        self, group: str, known: Parameter | None, change: Callable[[GroupStatus], GroupStatus]
    ) -> GroupStatus:
        """Bring the status up to date; when somebody else wrote in between, join what they knew."""
        base = read_status(known.value if known else None)
        name, seen = self.names.status(group), known
        while True:
            wanted = change(base)
            text = wanted.encoded()
            if seen and text == seen.value:
                return wanted
            lost, seen = self._put_seen(name, text, seen)
            if not lost:
                return wanted
            base = wanted
            for each in lost:
                base = base.joined(read_status(each))

    def list_group(self, group: str, known: Parameter | None) -> None:
        """Add a group to its shard, unless it is there."""
        name, seen, groups = self.names.shard(group), known, _words(known.value if known else None)
        groups |= {group}
        if len(encode(sorted(groups))) > LIMIT:
            log.error("%s is full: %s is not in the overview of /model-status", name, group)
            return
        while seen is None or encode(sorted(groups)) != seen.value:
            lost, seen = self._put_seen(name, encode(sorted(groups)), seen)
            groups = groups.union(*map(_words, lost))

    def groups(self) -> tuple[str, ...]:
        """Every group that the bot has ever opened a request for, in one call."""
        found = self._parameters.get(self.names.shards)
        return tuple(sorted(set().union(*(_words(each.value) for each in found.values()))))

    def every_group(self) -> tuple[str, ...]:
        """The same, and those that have a status and stand in no list, as an auditor wants it: page by page."""
        folder = self.names.status("")
        named = {each.removeprefix(folder).partition("/")[0] for each in self._below(folder.rstrip("/"))}
        return tuple(sorted({*self.groups(), *(each for each in named if not each.startswith("_"))}))

    def statuses(self, groups: Sequence[str]) -> Mapping[str, GroupStatus]:
        """The status of each group, ten a call, side by side."""
        found = self._read([self.names.status(group) for group in groups])
        return {group: read_status(_value(found, self.names.status(group))) for group in groups}

    def after(self, state: VersionState, pointers: Sequence[str], markers: Sequence[str]) -> Look:
        """Look past the head once more, when nobody waits any more."""
        group = state.model.group
        names = [self.names.entry(state.model, state.head + 1), self.names.status(group)]
        names += [self.names.approved(group, each) for each in pointers]
        names += [self.names.marker(state.model, each) for each in markers]
        found = self._read(names)
        return Look(
            self.read_on(state) if names[0] in found else state,
            {each: _value(found, self.names.approved(group, each)) for each in pointers},
            {each: self.names.marker(state.model, each) in found for each in markers},
            read_status(_value(found, names[1])),
        )

    def versions(self, group: str) -> tuple[int, ...]:
        """Every version of a group that has a log."""
        folder = self.names.history(group)
        numbers = {name.removeprefix(folder + "/").split("/")[0] for name in self._below(folder)}
        return tuple(sorted(int(number) for number in numbers if number.isdecimal()))

    def markers(self) -> Iterable[tuple[ModelVersion, str]]:
        """Every marker of work in hand."""
        for name in self._below(self.names.markers):
            parts = name.removeprefix(self.names.markers + "/").split("/")
            if len(parts) == 3 and parts[1].isdecimal():  # noqa: PLR2004 - group, version, environment
                yield ModelVersion(parts[0], int(parts[1])), parts[2]

    def everything(self, group: str) -> Iterable[Stored]:
        """Whatever is stored of a group: logs, approved models, records of cards."""
        return self._parameters.below(f"{self.names.root}/{group}")

    def health(self) -> Health | None:
        """How the bot itself is, as the last sweep has left it."""
        return read_health(_value(self._parameters.get([self.names.health]), self.names.health))

    def write_health(self, found: Health) -> None:
        """Leave it."""
        self._parameters.put(self.names.health, encode(to_json(found)))

    def counted(self) -> int:
        """How many parameters the account has, whoever made them: the quota is the account's."""
        return self._parameters.counted()

    def logged(self, models: Sequence[ModelVersion]) -> frozenset[ModelVersion]:
        """Which of these versions have a log, ten a call."""
        found = self._read([self.names.entry(model, 1) for model in models])
        return frozenset(model for model in models if self.names.entry(model, 1) in found)

    def _below(self, path: str) -> Iterable[str]:
        return (each.name for each in self._parameters.below(path))

    def _entries(self, model: ModelVersion, first: int, count: int) -> list[str]:
        return [self.names.entry(model, seq) for seq in range(first, first + count)]

    def _run(self, model: ModelVersion, found: Mapping[str, Parameter], first: int, count: int) -> list[Entry]:
        """The contiguous run of entries: what lies behind a gap has not been read yet."""
        entries = []
        for seq in range(first, first + count):
            if (name := self.names.entry(model, seq)) not in found:
                break
            entries.append(decode_entry(found[name].value, seq=seq))
        return entries

    def _read(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        pages = [names[start : start + PAGE] for start in range(0, len(names), PAGE)]
        if not pages:
            return {}
        if len(pages) == 1:
            return self._parameters.get(pages[0])
        calls = [partial(self._parameters.get, page) for page in pages]
        return {name: each for future in self._crew.together(*calls) for name, each in future.result().items()}

    def _put_seen(self, name: str, text: str, seen: Parameter | None) -> tuple[list[str], Parameter]:
        """Write, and fetch the versions that were written between what we had seen and our own."""
        version = self._parameters.put(name, text)
        between = [f"{name}:{number}" for number in range((seen.version if seen else 0) + 1, version)][-PAGE:]
        found = self._parameters.get(between) if between else {}
        return [each.value for each in found.values()], Parameter(text, version)


def _value(found: Mapping[str, Parameter], name: str) -> str | None:
    return found[name].value if name in found else None


def read_card_record(text: str | None) -> CardRecord:
    """Read a record; an unreadable one counts as none, and the card is posted anew."""
    try:
        return from_json(CardRecord, decode(text)) if text else CardRecord()
    except Malformed:
        return CardRecord()


def _words(text: str | None) -> set[str]:
    try:
        value = decode(text) if text else []
    except Malformed:
        return set()
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()
