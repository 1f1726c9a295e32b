"""Whether the history holds: each entry where it belongs, each decision as it had to be made, and nothing cut off.

The chain shows what was changed between two entries. What stands elsewhere (the status, the registry, the threads, the
approved models, and AWS's own note of when a parameter was written, and how often) shows what was done to the last one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from bot import rules
from bot.approved import ApprovedModel, read_approved
from bot.clicks import PATIENCE
from bot.domain import Answer, ModelVersion
from bot.encoding import sha256
from bot.entries import Entry, Expiry, Observed, Opened, Restored, Revoked, Superseded, Unknown, Vote
from bot.history import VersionState, apply, decode_entry
from bot.names import Names
from bot.package import Package
from bot.pointers import own_approval
from bot.ports import Clock, Crew, ModelRegistry, Stored
from bot.records import Records, read_card_record
from bot.registration import last_written
from bot.status import Row, digest_of

SIDE_BY_SIDE = 10
"""Versions of the registry that are described at once."""
DIGITS = 9
TICK = timedelta(microseconds=1)
_ENTRY = re.compile("([1-9][0-9]{0,8})/([0-9]{4,9})")


@dataclass(frozen=True, slots=True)
class Finding:
    """What does not hold: at an entry of a version, or (`seq` 0) at something beside its history."""

    model: ModelVersion
    seq: int
    says: str

    def __str__(self) -> str:
        """On one line, as the command prints it."""
        return f"{self.model}{f', entry {self.seq}' if self.seq else ''}: {self.says}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at in one group, and what does not hold, the first broken entry of each version first."""

    group: str
    versions: int
    entries: int
    pointers: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Anchors:
    """What else knows of a version's history: how many entries there have to be, and the digest of the last."""

    registered: int = 0
    threaded: int = 0
    row: Row | None = None


class Audit:
    """Reads everything that is stored of a group, and the registry beside it."""

    def __init__(self, records: Records, registry: ModelRegistry, crew: Crew, clock: Clock) -> None:
        self._records = records
        self._registry = registry
        self._crew = crew
        self._clock = clock

    def verify(self, group: str) -> Verified:
        """Look at every version of a group; raise `Unavailable` when AWS does not tell all of it.

        The registry first: what it knows of, the logs must have by then.
        """
        names, packages = self._records.names, self._packages(group)
        status = self._records.statuses([group])[group]
        stored = list(self._records.everything(group))
        logs, odd = _logs(stored, group, names)
        threads = _threads(stored, group, names)
        numbers = sorted({*logs, *packages, *threads, *map(int, status.versions)})
        findings, states = list(odd), []
        for number in numbers:
            model = ModelVersion(group, number)
            package = packages.get(number)
            registered = last_written(package) if package else 0
            anchors = Anchors(registered, threads.get(number, 0), status.versions.get(str(number)))
            state, found = read(model, logs.get(number, {}), anchors, self._clock())
            findings += found
            states.append(state)
        pointers = {
            each.name.rpartition("/")[2]: each.value for each in stored if _parts(each, names.approved_all(group))
        }
        findings += _pointed(group, states, pointers, names, self._moments(logs, states))
        return Verified(group, len(logs), sum(map(len, logs.values())), len(pointers), tuple(findings))

    def _moments(self, logs: Mapping[int, Mapping[int, Stored]], states: Iterable[VersionState]) -> list[datetime]:
        """Now, and before each decision so fresh that what follows from it may not have been done yet."""
        fresh = [
            entry.at - TICK
            for state in states
            for entry in state.entries
            if isinstance(entry.event, Vote | Revoked | Restored | Observed)
            and _fresh(logs[state.model.version][entry.seq], self._clock())
        ]
        return [datetime.max.replace(tzinfo=UTC), *fresh]

    def _packages(self, group: str) -> dict[int, Package]:
        models = [each.model for each in self._registry.versions(group)]
        found: list[Package | None] = []
        for start in range(0, len(models), SIDE_BY_SIDE):
            calls = [partial(self._registry.describe, model) for model in models[start : start + SIDE_BY_SIDE]]
            found += [each.result() for each in self._crew.together(*calls)]
        return {each.model.version: each for each in found if each}


def read(
    model: ModelVersion, log: Mapping[int, Stored], anchors: Anchors, now: datetime
) -> tuple[VersionState, tuple[Finding, ...]]:
    """One version's history, as far as it goes, and what does not hold of it."""
    found: list[Finding] = []
    state = VersionState(model)
    for seq in range(1, max(log, default=0) + 1):
        if seq not in log:
            found.append(Finding(model, seq, f"is missing, though entry {max(log)} is there"))
            return state, tuple(found)
        entry = decode_entry(log[seq].value, seq=seq)
        later = apply(state, entry)
        problems = (*_chained(state, entry), *_written(log[seq], entry), *_decided(state, later, entry))
        found += [Finding(model, seq, each) for each in problems]
        state = later
    found += [Finding(model, *each) for each in _anchored(state, anchors)]
    if anchors.row and anchors.row.seq < state.head and not _fresh(log[state.head], now):
        found.append(Finding(model, state.head, f"is not known to the status, which ends at {anchors.row.seq}"))
    return state, tuple(found)


def _fresh(stored: Stored, now: datetime) -> bool:
    return stored.at is not None and now - stored.at < PATIENCE


def _chained(state: VersionState, entry: Entry) -> Iterator[str]:
    before = state.entries[-1] if state.entries else None
    if isinstance(entry.event, Unknown):
        yield "cannot be read, or is of a kind that this version of the bot does not know"
    elif entry.prev != (sha256(before.raw) if before else ""):
        yield "does not follow from the entry before it: one of the two was changed, or something between them is gone"
    elif before and entry.at <= before.at:
        yield "is not later than the entry before it"


def _written(stored: Stored, entry: Entry) -> Iterator[str]:
    """What AWS itself knows of the parameter."""
    if stored.version != 1:
        yield f"was written {stored.version} times; entries are written once"
    if stored.at and entry.event != Unknown("unreadable") and abs(stored.at - entry.at) > PATIENCE:
        yield f"was written at {stored.at:%Y-%m-%d %H:%M} UTC, though it says {entry.at:%Y-%m-%d %H:%M} UTC"


def _decided(state: VersionState, later: VersionState, entry: Entry) -> Iterator[str]:
    """Whether it may stand where it stands, by the rules that its own request was opened with."""
    unchanged = later.rounds == state.rounds and later.braked == state.braked
    if isinstance(entry.event, Opened | Vote | Superseded | Expiry | Revoked | Restored) and unchanged:
        yield "counts for nothing where it stands"
        return
    if isinstance(entry.event, Vote):
        yield from _voted(state, entry, entry.event)
    if isinstance(entry.event, Vote | Revoked | Restored):
        by = entry.event
        if not by.by.oid or not by.group or abs(entry.at - by.checked_at) > PATIENCE:
            yield f"has no evidence that {by.by.name or 'its author'} was an approver at that time"
        if not by.reason and not (isinstance(by, Vote) and by.answer is Answer.APPROVE):
            yield "gives no reason"


def _voted(state: VersionState, entry: Entry, vote: Vote) -> Iterator[str]:
    one = state.current(vote.environment)
    if one is None or vote.answer is not Answer.APPROVE:
        return
    opened, name = one.opened, vote.by.name
    if not state.in_order(vote.environment, opened.path):
        yield f"approves {vote.environment} before an environment that comes first"
    if opened.four_eyes and not opened.requester.known and opened.unknown_requester == "refuse":
        yield f"is an approval by {name} where nobody knows who asked, though four eyes were wanted"
    if opened.four_eyes and vote.by.oid == opened.requester.oid:
        yield f"is an approval by {name}, who asked for it, though four eyes were wanted"
    place = opened.path.index(vote.environment) if vote.environment in opened.path else 0
    before = state.standing(opened.path[place - 1]) if place else None
    if opened.distinct and before and vote.by.oid in {each.by.oid for each in before.approvals}:
        yield f"is an approval by {name}, who approved {before.id.environment} too"
    if entry.at > opened.expires_at + rules.CLOCKS_APART:
        yield "came after the time for an answer was over"


def _anchored(state: VersionState, anchors: Anchors) -> Iterator[tuple[int, str]]:
    """What else knows of the end, with the number of the entry in question."""
    row = anchors.row
    known = {"the registry": anchors.registered, "the status": row.seq if row else 0, "a thread": anchors.threaded}
    who = max(known, key=lambda each: known[each])
    if known[who] > state.head:
        yield state.head + 1, f"is missing: {who} knows {known[who]} entries, so the end was cut off"
    elif row and row.digest and 0 < row.seq <= state.head and row.digest != digest_of(state.entries[row.seq - 1]):
        yield row.seq, "is not the one that the status knows: it was changed"


def _pointed(
    group: str,
    states: Sequence[VersionState],
    pointers: Mapping[str, str],
    names: Names,
    moments: Sequence[datetime],
) -> Iterator[Finding]:
    """The approved models, each against what all histories say, or have said at one of these moments."""
    for environment in sorted({*pointers, *(each for state in states for each in state.rounds)}):
        raw = read_approved(pointers.get(environment))
        said = _bare(raw) if raw and raw.stands else ""
        readable = raw is not None or environment not in pointers
        if not readable or not any(said in _may_say(states, environment, at, names) for at in moments):
            newest = approved_then(states, environment, moments[0], names)
            named = [each.model_package_version for each in (raw, newest) if each and each.model_package_version]
            wanted = f"v{newest.model_package_version}" if newest else "nothing"
            says = f"approved/{environment} is not what the histories say, which is {wanted}"
            yield Finding(ModelVersion(group, next(iter(named), 1)), 0, says)


def _may_say(states: Iterable[VersionState], environment: str, at: datetime, names: Names) -> set[str]:
    """What an approved model may say: the newest approval, or one that was rejected by hand where it was loaded."""
    then = [each.before(at) for each in states]
    braked = [own_approval(each, environment, names) for each in then if each.braked]
    newest = approved_then([each for each in then if not each.braked], environment, at, names)
    return {_bare(newest) if newest else "", *(_bare(each) for each in braked if each)}


def approved_then(states: Iterable[VersionState], environment: str, at: datetime, names: Names) -> ApprovedModel | None:
    """What was approved for an environment at a time, by the histories of a group's versions."""
    found = (own_approval(each.before(at), environment, names) for each in states)
    return max(filter(None, found), key=lambda each: each.order, default=None)


def _bare(pointer: ApprovedModel) -> str:
    return replace(pointer, previous=None).encoded()


def _logs(
    stored: Iterable[Stored], group: str, names: Names
) -> tuple[dict[int, dict[int, Stored]], tuple[Finding, ...]]:
    """The entries by version and number; a name that no entry has is a finding of its own."""
    logs: dict[int, dict[int, Stored]] = {}
    odd: list[Finding] = []
    for each in stored:
        if (parts := _parts(each, names.history(group))) is None:
            continue
        place = _ENTRY.fullmatch("/".join(parts))
        model, seq = (ModelVersion(group, int(place[1])), int(place[2])) if place else (ModelVersion(group, 1), 0)
        if not seq or names.entry(model, seq) != each.name:
            odd.append(Finding(model, 0, f"{each.name} is no place for an entry"))
        else:
            logs.setdefault(model.version, {})[seq] = each
    return logs, tuple(odd)


def _threads(stored: Iterable[Stored], group: str, names: Names) -> dict[int, int]:
    """How many entries the threads of each version's cards have told."""
    told: dict[int, int] = {}
    for each in stored:
        parts = _parts(each, f"{names.root}/{group}/cards")
        if parts and parts[0].isdecimal() and len(parts[0]) <= DIGITS and int(parts[0]):
            seen = [posted.threaded for posted in read_card_record(each.value).surfaces.values()]
            told[int(parts[0])] = max([told.get(int(parts[0]), 0), *seen])
    return told


def _parts(stored: Stored, folder: str) -> Sequence[str] | None:
    """What a name has below a folder; nothing when it lies elsewhere."""
    below = stored.name.removeprefix(f"{folder}/")
    return below.split("/") if below != stored.name else None
