"""The log of one version: how an entry is written, and the pure, total fold that says what it means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.codec import from_json, to_json
from bot.domain import Answer, ModelVersion, RequestId, State, moment, rfc3339
from bot.encoding import LIMIT, cut, decode, encode, sha256
from bot.entries import (
    Entry,
    Event,
    Expiry,
    Hand,
    Measured,
    Observed,
    Opened,
    Restored,
    Revoked,
    Superseded,
    Unknown,
    Vote,
)
from bot.errors import Malformed

KINDS: Mapping[str, type[Event]] = MappingProxyType(
    {
        "opened": Opened,
        "vote": Vote,
        "superseded": Superseded,
        "expired": Expiry,
        "revoked": Revoked,
        "restored": Restored,
        "observed": Observed,
        "measured": Measured,
    }
)
KEPT = 6
"""Metrics of a card: the last that leave an entry which is too large."""
NAME_LIMIT = 400
REASON_LIMIT = 1200
"""Encoded bytes of a reason; the rest of an entry takes less than what remains of 4,096."""


def kind_of(event: Event) -> str:
    """The word that names an event in the log."""
    return next((word for word, kind in KINDS.items() if isinstance(event, kind)), getattr(event, "kind", "?"))


def encode_entry(entry: Entry) -> str:
    """Write an entry within 4,096 bytes: a long reason is cut, metrics beyond what fits are left out."""
    event = entry.event
    if isinstance(event, Vote | Revoked | Restored):
        by = replace(event.by, name=cut(event.by.name, NAME_LIMIT))
        event = replace(event, by=by, reason=cut(event.reason, REASON_LIMIT))
    head = {
        "seq": entry.seq,
        "at": rfc3339(entry.at),
        "op": entry.op,
        "prev": entry.prev,
        "kind": kind_of(event),
    }
    text = encode({**to_json(event), **head})
    while len(text) > LIMIT and isinstance(event, Opened) and _metrics(event):
        event = _with_fewer_metrics(event)
        text = encode({**to_json(event), **head})
    if len(text) > LIMIT:
        raise Malformed(f"A history entry of {len(text)} bytes does not fit a parameter of {LIMIT}.")
    return text


def decode_entry(text: str, *, seq: int) -> Entry:
    """Read an entry, whatever it holds: what cannot be read becomes `Unknown` at the place where it stands."""
    try:
        value = decode(text)
        at, op, prev = moment(value["at"]), str(value["op"]), str(value["prev"])
        word = str(value.get("kind"))
    except (Malformed, ValueError, TypeError, KeyError, AttributeError):
        return Entry(seq, _NEVER, "", "", Unknown("unreadable"), text)
    try:
        event: Event = from_json(KINDS[word], value)
    except (Malformed, KeyError):
        event = Unknown(word)
    return Entry(seq, at, op, prev, event, text)


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a request, as far as its log has told it."""

    id: RequestId
    state: State
    opened: Opened
    opened_entry: Entry
    votes: tuple[Entry, ...] = ()
    ending: Entry | None = None

    @property
    def approvals(self) -> tuple[Vote, ...]:
        """The counted approving votes."""
        votes = (entry.event for entry in self.votes)
        return tuple(vote for vote in votes if isinstance(vote, Vote) and vote.answer is Answer.APPROVE)

    @property
    def required(self) -> int:
        """How many approvals decide: as snapshotted, or more where a voter answered under a tighter policy."""
        return max([self.opened.required, *(vote.required for vote in self.approvals)])

    def late(self, now: datetime) -> bool:
        """Whether the time for an answer is over."""
        return now >= self.opened.expires_at

    @property
    def approval(self) -> Entry | None:
        """The vote that reached the quorum, while the approval stands."""
        return self.votes[-1] if self.state is State.APPROVED else None


@dataclass(frozen=True, slots=True)
class VersionState:
    """What the log of one version says."""

    model: ModelVersion
    entries: tuple[Entry, ...] = ()
    rounds: Mapping[str, tuple[Round, ...]] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    braked: bool = False
    put_back: int = 0

    @property
    def head(self) -> int:
        """Sequence number of the last entry; 0 for an empty log."""
        return len(self.entries)

    def request(self, environment: str, number: int) -> RequestId:
        """The id of a round of this version."""
        return RequestId(self.model.group, self.model.version, environment, number)

    def holds(self, op: str) -> bool:
        """Whether the job named `op` has recorded what it was to record."""
        return self.entry_of(op) is not None

    def entry_of(self, op: str) -> Entry | None:
        """The entry that the job named `op` recorded."""
        return next((entry for entry in self.entries if entry.op == op), None)

    def current(self, environment: str) -> Round | None:
        """The latest round of an environment."""
        rounds = self.rounds.get(environment, ())
        return rounds[-1] if rounds else None

    def round(self, request: RequestId) -> Round | None:
        """The round of that id, current or not."""
        rounds = self.rounds.get(request.environment, ())
        return rounds[request.round - 1] if 1 <= request.round <= len(rounds) else None

    def standing(self, environment: str) -> Round | None:
        """The newest approved round that nobody has revoked."""
        approved = [each for each in self.rounds.get(environment, ()) if each.state is State.APPROVED]
        return max(approved, key=_approved_at, default=None)

    @property
    def furthest(self) -> Round | None:
        """The approval that stands for the last environment on the path that has one."""
        standing = (self.standing(environment) for environment in reversed(self.path))
        return next(filter(None, standing), None)

    @property
    def all_rounds(self) -> tuple[Round, ...]:
        """Every round of every environment."""
        return tuple(each for rounds in self.rounds.values() for each in rounds)

    @property
    def pending(self) -> tuple[Round, ...]:
        """The rounds that wait for an answer."""
        return tuple(each for each in self.all_rounds if each.state is State.PENDING)

    def in_order(self, environment: str, path: tuple[str, ...]) -> bool:
        """Whether every environment before this one on the path has a standing approval."""
        return environment in path and all(self.standing(earlier) for earlier in path[: path.index(environment)])

    def until(self, seq: int) -> "VersionState":
        """The state as it was after entry `seq`."""
        return fold(self.model, self.entries[:seq])

    def before(self, at: datetime) -> "VersionState":
        """The state as it was at a time."""
        kept = [entry for entry in self.entries if entry.at <= at]
        return self if len(kept) == len(self.entries) else fold(self.model, kept)


def fold(model: ModelVersion, entries: Iterable[Entry]) -> VersionState:
    """Say what a log means. Pure and total: what does not fit where it stands is kept and ignored."""
    state = VersionState(model)
    for entry in entries:
        state = apply(state, entry)
    return state


def apply(state: VersionState, entry: Entry) -> VersionState:
    """Take one more entry into account."""
    state = replace(state, entries=(*state.entries, entry))
    match entry.event:
        case Opened() as opened:
            return _open(state, entry, opened)
        case Vote() as vote:
            return _vote(state, entry, vote)
        case Superseded(environment, number):
            return _end(state, entry, state.request(environment, number), State.SUPERSEDED)
        case Expiry(environment, number):
            return _end(state, entry, state.request(environment, number), State.EXPIRED)
        case Revoked() as revoked:
            return _revoke(state, entry, revoked)
        case Restored():
            return replace(state, braked=False)
        case Observed() as observed:
            return _observe(state, entry, observed)
    return state


def next_entry(state: VersionState, event: Event, op: str, now: datetime, *, after: datetime | None = None) -> Entry:
    """The entry that would follow the head: contiguous, chained to it, later than it and than `after`."""
    last = state.entries[-1] if state.entries else None
    floors = [floor + _TICK for floor in (last and last.at, after) if floor]
    draft = Entry(state.head + 1, max([now, *floors]), op, sha256(last.raw) if last else "", event)
    return decode_entry(encode_entry(draft), seq=draft.seq)


def broken(entries: Iterable[Entry]) -> int:
    """The sequence number of the first entry that does not follow from the one before; 0 when the chain holds."""
    last: Entry | None = None
    for number, entry in enumerate(entries, start=1):
        good = entry.seq == number and entry.prev == (sha256(last.raw) if last else "")
        if not good or (last and entry.at <= last.at):
            return number
        last = entry
    return 0


_TICK = timedelta(milliseconds=1)
_NEVER = moment("1970-01-01T00:00:00Z")


def _approved_at(one: Round) -> datetime:
    return one.votes[-1].at


def _open(state: VersionState, entry: Entry, opened: Opened) -> VersionState:
    rounds = state.rounds.get(opened.environment, ())
    if opened.round != len(rounds) + 1:
        return state
    earlier = tuple(
        replace(each, state=State.SUPERSEDED, ending=entry) if each.state is State.PENDING else each for each in rounds
    )
    fresh = Round(state.request(opened.environment, opened.round), State.PENDING, opened, entry)
    return replace(state, rounds={**state.rounds, opened.environment: (*earlier, fresh)}, path=opened.path)


def _vote(state: VersionState, entry: Entry, vote: Vote) -> VersionState:
    one = state.current(vote.environment)
    if one is None or one.id.round != vote.round or one.state is not State.PENDING or _has_voted(one, vote):
        return state
    one = replace(one, votes=(*one.votes, entry))
    if vote.answer is Answer.REJECT:
        return _with(state, replace(one, state=State.REJECTED, ending=entry))
    if len(one.approvals) >= one.required:
        return replace(_with(state, replace(one, state=State.APPROVED, ending=entry)), braked=False)
    return _with(state, one)


def _has_voted(one: Round, vote: Vote) -> bool:
    return any(isinstance(entry.event, Vote) and entry.event.by.oid == vote.by.oid for entry in one.votes)


def _end(state: VersionState, entry: Entry, request: RequestId, how: State) -> VersionState:
    one = state.current(request.environment)
    if one is None or one.id != request or one.state is not State.PENDING:
        return state
    return _with(state, replace(one, state=how, ending=entry))


def _revoke(state: VersionState, entry: Entry, revoked: Revoked) -> VersionState:
    """Take back every approval of the environment up to that round; later pending requests end with it."""

    def taken(each: Round) -> bool:
        return each.state is State.APPROVED and each.id.round <= revoked.round

    rounds = state.rounds.get(revoked.environment, ())
    for each in filter(taken, rounds):
        state = _with(state, replace(each, state=State.REVOKED, ending=entry))
    if any(map(taken, rounds)) and not state.standing(revoked.environment):
        state = _end_later(state, entry, revoked.environment)
    return state


def _end_later(state: VersionState, entry: Entry, environment: str) -> VersionState:
    later = state.path[state.path.index(environment) + 1 :] if environment in state.path else ()
    for each in state.pending:
        if each.id.environment in later:
            state = _with(state, replace(each, state=State.ENDED, ending=entry))
    return state


def _observe(state: VersionState, entry: Entry, observed: Observed) -> VersionState:
    match observed.action:
        case Hand.PUT_BACK:
            return replace(state, put_back=state.put_back + 1)
        case Hand.BRAKE:
            return replace(state, braked=True)
        case Hand.RELEASE:
            return replace(state, braked=False)
        case Hand.STOP:
            for each in state.pending:
                state = _with(state, replace(each, state=State.REJECTED, ending=entry))
            return replace(state, braked=True)
    return state


def _with(state: VersionState, one: Round) -> VersionState:
    rounds = tuple(one if each.id == one.id else each for each in state.rounds[one.id.environment])
    return replace(state, rounds={**state.rounds, one.id.environment: rounds})


def _metrics(opened: Opened) -> bool:
    found = opened.evidence.metrics or opened.evidence.violations or opened.measures
    return bool(found or (opened.champion and opened.champion.metrics))


def _with_fewer_metrics(opened: Opened) -> Opened:
    """Without the last metric behind those of a card, then a violation, then a metric, then what the policy says."""
    if opened.evidence.violations and len(opened.evidence.metrics) <= KEPT:
        fewer = opened.evidence.violations[:-1]
        more = opened.evidence.more_violations + 1
        return replace(opened, evidence=replace(opened.evidence, violations=fewer, more_violations=more))
    if not opened.evidence.metrics and not (opened.champion and opened.champion.metrics):
        return replace(opened, measures=opened.measures[:-1])
    gone = opened.evidence.metrics[-1:]
    evidence = replace(opened.evidence, metrics=opened.evidence.metrics[:-1])
    names = {metric.name for metric in evidence.metrics}
    champion = opened.champion and replace(
        opened.champion, metrics=tuple(metric for metric in opened.champion.metrics if metric.name in names)
    )
    measures = tuple(each for each in opened.measures if not any(map(each.says_of, gone)))
    return replace(opened, evidence=evidence, champion=champion, measures=measures)
