"""The ports in memory: what the contract tests, the core tests and the proofs run the real use-cases on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bot.card import Card, Offer
from bot.domain import ChatUser, MessageRef, ModelVersion
from bot.envelope import OPENINGS, deduplication_id, encode_job
from bot.errors import BrokenLink, NotIdentified, Refused, Unavailable
from bot.evidence import Evidence
from bot.jobs import Job, decode_job
from bot.line import Line, plain
from bot.members import Contact, Member, Person
from bot.package import Listed, Package
from bot.ports import Parameter, Stored, Written

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
Gate = Callable[[str, Callable[[], Any]], Any]


def _straight(_name: str, effect: Callable[[], Any]) -> Any:
    return effect()


class ManualClock:
    """A clock that moves a little whenever it is read, and as far as a test says."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=2)
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


class InTurn:
    """A crew of one: the calls of a wave one after the other, in any order."""

    def __init__(self, shuffle: Random | None = None) -> None:
        self._shuffle = shuffle

    def together(self, *calls: Callable[[], Any]) -> tuple[Future[Any], ...]:
        futures = tuple(Future[Any]() for _ in calls)
        pairs = list(zip(futures, calls, strict=True))
        if self._shuffle:
            self._shuffle.shuffle(pairs)
        for future, call in pairs:
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 - handed to whoever asks the future
                future.set_exception(error)
        return futures


class MemoryParameters:
    """Parameter Store: every version of every name is kept."""

    def __init__(self, gate: Gate = _straight) -> None:
        self.stored: dict[str, list[str]] = {}
        self.ours: set[tuple[str, int]] = set()
        self._gate = gate

    def get(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        assert 0 < len(names) <= 10, "GetParameters takes at most ten names"
        return self._gate("get", lambda: self._get(names))

    def _get(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        found = {}
        for asked in names:
            name, _, version = asked.partition(":")
            values = self.stored.get(name, [])
            number = int(version) if version else len(values)
            if 0 < number <= len(values):
                found[asked] = Parameter(values[number - 1], number)
        return found

    def create(self, name: str, value: str) -> bool:
        def effect() -> bool:
            if name in self.stored:
                return False
            self.stored[name] = [value]
            self.ours.add((name, 0))
            return True

        return self._gate(f"create {name}", effect)

    def put(self, name: str, value: str) -> int:
        def effect() -> int:
            self.stored.setdefault(name, []).append(value)
            self.ours.add((name, len(self.stored[name]) - 1))
            return len(self.stored[name])

        return self._gate(f"put {name}", effect)

    def delete(self, name: str) -> None:
        self._gate(f"delete {name}", lambda: self.stored.pop(name, None))

    def written(self, name: str) -> list[Written]:
        """Whatever was put here otherwise was put by hand."""

        def effect() -> list[Written]:
            values = self.stored.get(name, [])
            places = enumerate(values)
            return [Written(each, "bot" if (name, place) in self.ours else "kim", place + 1) for place, each in places]

        return self._gate("get written", effect)

    def below(self, path: str) -> Iterable[Stored]:
        found = [
            Stored(name, values[-1], len(values))
            for name, values in sorted(self.stored.items())
            if name.startswith(path + "/")
        ]
        return self._gate("below", lambda: found)

    def counted(self) -> int:
        return self._gate("get counted", lambda: len(self.stored))

    def value(self, name: str) -> str | None:
        values = self.stored.get(name)
        return values[-1] if values else None


class MemoryRegistry:
    """The model registry; `on_change` hears of every write, as EventBridge would."""

    def __init__(self, clock: Callable[[], datetime], gate: Gate = _straight) -> None:
        self.packages: dict[ModelVersion, Package] = {}
        self.on_change: Callable[[Package, bool], None] = lambda _package, _created: None
        self._clock = clock
        self._gate = gate

    def register(self, package: Package) -> Package:
        """What a training pipeline does."""
        now = self._clock()
        self.packages[package.model] = replace(package, created_at=package.created_at or now, modified_at=now)
        self.on_change(self.packages[package.model], True)
        return self.packages[package.model]

    def edit(self, model: ModelVersion, by: str, **changes: Any) -> None:
        """What a hand in the console does."""
        self.packages[model] = replace(self.packages[model], modified_at=self._clock(), modified_by=by, **changes)
        self.on_change(self.packages[model], False)

    def describe(self, model: ModelVersion) -> Package | None:
        return self._gate("describe", lambda: self.packages.get(model))

    def update(
        self,
        package: Package,
        *,
        status: str,
        description: str,
        metadata: Mapping[str, str],
        life_cycle: tuple[str, str],
    ) -> None:
        def effect() -> None:
            kept = {**self.packages[package.model].metadata, **metadata}
            self.edit(
                package.model,
                "bot",
                status=status,
                description=description,
                metadata=kept,
                life_cycle=life_cycle,
            )

        self._gate("update", effect)

    def versions(
        self, group: str | None = None, *, status: str | None = None, created_after: datetime | None = None
    ) -> Iterable[Listed]:
        found = [
            Listed(each.model, each.created_at, each.status)
            for each in self.packages.values()
            if (group in (None, each.model.group))
            and (status in (None, each.status))
            and each.created_at
            and (created_after is None or each.created_at > created_after)
        ]
        return self._gate("versions", lambda: sorted(found, key=lambda each: each.created_at, reverse=True))


class MemoryDirectory:
    """People and their groups; remembers what it was asked and what it said."""

    def __init__(self, clock: Callable[[], datetime], gate: Gate = _straight) -> None:
        self.people: dict[str, Member] = {}
        self.emails: dict[str, str] = {}
        self.said: list[Member] = []
        self.down = False
        self._clock = clock
        self._gate = gate

    def add(self, user: str, *groups: str, enabled: bool = True, member: bool = True) -> None:
        person = Person(f"oid-{user}", user.capitalize())
        self.people[user] = Member(person, enabled, member, frozenset(groups), START)

    def member(self, user: ChatUser, groups: Sequence[str]) -> Member:
        def effect() -> Member:
            if self.down:
                raise Unavailable("the directory does not answer")
            known = user.oid.removeprefix("oid-") or user.user
            if known not in self.people:
                raise NotIdentified("This chat account could not be tied to one person.")
            found = self.people[known]
            said = replace(found, groups=found.groups & frozenset(groups), checked_at=self._clock())
            self.said.append(said)
            return said

        return self._gate("member", effect)

    def find(self, email: str) -> str:
        return self._gate("find", lambda: self.emails.get(email, ""))

    def within(self, group: str) -> list[Contact]:
        def effect() -> list[Contact]:
            if self.down:
                raise Unavailable("the directory does not answer")
            within = [each for each in self._members(group) if each.enabled and each.member]
            return [Contact(each.person, f"{each.person.oid}@example.com") for each in within]

        return self._gate("members", effect)

    def _members(self, group: str) -> list[Member]:
        return [each for each in self.people.values() if group in each.groups]


@dataclass
class Message:
    """A card in a channel with its thread."""

    channel: str
    card: Card
    first: MessageRef | None = None
    replies: list[str] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    reminders: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


class MemoryChannel:
    """A chat that forgets nothing."""

    def __init__(self, gate: Gate = _straight, *, repaints: bool = True) -> None:
        self.repaints = repaints
        self.messages: dict[str, Message] = {}
        self.updated: list[str] = []
        self.private: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self._gate = gate

    def post(self, channel: str, card: Card, first: MessageRef | None = None) -> MessageRef:
        def effect() -> MessageRef:
            self._check()
            ts = f"{len(self.messages) + 1}.000"
            self.messages[ts] = Message(channel, card, first)
            return MessageRef(channel, ts)

        return self._gate("post", effect)

    def update(self, ref: MessageRef, card: Card) -> None:
        def effect() -> None:
            self._check()
            self.updated.append(ref.ts)
            if ref.ts not in self.messages:
                raise Refused("message_not_found")
            self.messages[ref.ts].card = card

        self._gate("update card", effect)

    def reply(self, ref: MessageRef, line: Line, card: Card, offers: Sequence[Offer] = ()) -> None:
        def effect() -> None:
            self._check()
            if ref.ts not in self.messages:
                raise Refused("message_not_found")
            self.messages[ref.ts].replies.append(plain(line))
            self.messages[ref.ts].offers += offers

        self._gate("reply", effect)

    def remind(self, ref: MessageRef, line: Line, card: Card, people: Sequence[Contact]) -> None:
        def effect() -> None:
            self._check()
            if ref.ts not in self.messages:
                raise Refused("message_not_found")
            self.messages[ref.ts].reminders.append((plain(line), tuple(each.person.name for each in people)))

        self._gate("remind", effect)

    def tell(self, user: ChatUser, text: str) -> None:
        def effect() -> None:
            self._check()
            self.private.append((user.user, text))

        self._gate("tell", effect)

    def told(self, user: str) -> list[str]:
        return [text for name, text in self.private if name == user]

    def _check(self) -> None:
        if self.broken:
            raise self.broken


class MemorySealer:
    """A locked drawer for each purpose: what is not in it was not sealed for it."""

    def __init__(self) -> None:
        self.drawers: dict[tuple[str, str], str] = {}

    def seal(self, purpose: str, text: str) -> str:
        sealed = f"sealed-{len(self.drawers)}"
        self.drawers[purpose, sealed] = text
        return sealed

    def unseal(self, purpose: str, sealed: str) -> str:
        if (purpose, sealed) not in self.drawers:
            raise BrokenLink("not sealed here for this")
        return self.drawers[purpose, sealed]


class MemoryEvaluations:
    """Evaluation reports by address."""

    def __init__(self, gate: Gate = _straight) -> None:
        self.reports: dict[str, Evidence] = {}
        self._gate = gate

    def read(
        self, uri: str, *, optional: bool = False, since: datetime | None = None, patient: bool = False
    ) -> Evidence:
        missing = Evidence(uri=uri, problem="metrics could not be read: no such object")
        if optional:
            missing = Evidence(problem="No metrics reported.")
        return self._gate("evaluate", lambda: self.reports.get(uri, missing))

    def violations(self, uri: str, *, since: datetime | None = None, patient: bool = False) -> Evidence:
        return self._gate("violations", lambda: self.reports.get(uri, Evidence()))


@dataclass
class Queued:
    """A message in a queue."""

    job: Job
    receives: int = 0


class MemoryJobs:
    """Two FIFO queues with five minutes of deduplication; what is put travels as text, as on the wire."""

    def __init__(self, clock: Callable[[], datetime], gate: Gate = _straight) -> None:
        self.queues: dict[str, list[Queued]] = {"decisions": [], "openings": []}
        self._seen: dict[tuple[str, str], datetime] = {}
        self._clock = clock
        self._gate = gate

    def put(self, job: Job) -> None:
        self._gate("enqueue", lambda: self.accept(job))

    def accept(self, job: Job) -> None:
        """Take a message; the same one within five minutes is swallowed."""
        queue = "openings" if job.kind in OPENINGS else "decisions"
        key, now = (queue, deduplication_id(job)), self._clock()
        if key in self._seen and now - self._seen[key] < timedelta(minutes=5):
            return
        self._seen[key] = now
        self.queues[queue].append(Queued(decode_job(encode_job(job))))
