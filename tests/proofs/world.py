"""A small world in memory around the real use-cases: queues, a registry that echoes, a directory, a chat.

Every remote call passes `World.gate`, where a proof may kill the worker before or after the effect, let the effect
land late, send it twice, or hand over to another worker. After every effect the invariants of the protocol are asked.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from bot.approved import read_approved
from bot.audit import Audit
from bot.card import Mark, card_of, told
from bot.clicks import ActJob, AnswerJob, Click, RequestJob
from bot.display import threads_of
from bot.domain import Act, Answer, ApprovalStatus, ChatUser, MessageRef, ModelVersion, RequestId, State
from bot.entries import Vote
from bot.errors import Unavailable
from bot.hints import CheckJob, OpenJob
from bot.history import VersionState, broken, decode_entry, fold
from bot.jobs import Receipt
from bot.line import plain
from bot.names import Names
from bot.neighbours import Neighbours
from bot.package import Container, Package
from bot.pointers import own_approval
from bot.policy import Policy, read_policy
from bot.promotion import Promotion
from bot.records import CardRecord, Records, read_card_record
from bot.registration import registration_of
from bot.status import read_status, row_of
from bot.sweep import Sweep
from tests.memory import (
    InTurn,
    ManualClock,
    MemoryChannel,
    MemoryDirectory,
    MemoryEvaluations,
    MemoryJobs,
    MemoryParameters,
    MemoryRegistry,
    Queued,
)

GROUPS = {
    name: f"00000000-0000-4000-8000-0000000000{number:02d}"
    for number, name in enumerate(("dev", "test", "uat", "prod"))
}
MAX_RECEIVES = 8
READING = ("get", "describe", "member", "find", "below", "versions", "evaluate")


def policy_of(environments: tuple[str, ...] = ("dev", "test"), **extra: str) -> Policy:
    """A policy of a few environments; `extra` holds lines such as `required = 2`."""
    lines = ['groups = ["churn*"]', "since = 2026-01-01T00:00:00Z"]
    for name in environments:
        lines += [
            "[[environments]]",
            f'name = "{name}"',
            f'approvers = "{GROUPS[name]}"',
            f'approvers_name = "approvers-{name}"',
            'notify = { slack = "C0MODELS00" }',
            extra.get(name, ""),
        ]
    return read_policy("\n".join(lines))


class Died(BaseException):
    """The worker's process is gone."""


@dataclass
class Violation(AssertionError):
    """An invariant does not hold."""

    text: str

    def __str__(self) -> str:
        return self.text


class World:
    """Everything outside the core, and the driver that delivers jobs."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.clock = ManualClock()
        self.policy = policy or policy_of()
        self.step: Callable[[str, Callable[[], Any]], Any] | None = None
        self.calls: list[str] = []
        self.late: list[Callable[[], Any]] = []
        self.dead: list[tuple[str, Queued]] = []
        self.clicks: list[Click] = []
        self.metered: list[tuple[str, float, dict[str, str]]] = []
        self.strict_markers = True
        self.shuffle: Random | None = None
        self.names = Names("/model-approvals")
        self.parameters = MemoryParameters(self.gate)
        self.registry = MemoryRegistry(self.clock, self.gate)
        self.directory = MemoryDirectory(self.clock, self.gate)
        self.channel = MemoryChannel(self.gate)
        self.channels = {"slack": self.channel}
        self.evaluations = MemoryEvaluations(self.gate)
        self.jobs = MemoryJobs(self.clock, self.gate)
        self.registry.on_change = self._event
        self._events = 0
        self._seen_entries: dict[str, str] = {}
        self._folded: dict[ModelVersion, Any] = {}
        self._checked: dict[ModelVersion, tuple[int, int]] = {}
        for user in ("maya", "omar", "priya"):
            self.directory.add(user, *GROUPS.values())
        self.directory.add("eli")

    # -- the wire

    def gate(self, name: str, effect: Callable[[], Any]) -> Any:
        """Every remote call of every worker."""
        self.calls.append(name)

        def observed() -> Any:
            result = effect()
            if not name.startswith(READING):
                self.check_step(name)
            return result

        return self.step(name, observed) if self.step else observed()

    def _event(self, package: Package, created: bool) -> None:
        """EventBridge and the events door: a hint goes on the queues."""
        self._events += 1
        sender = f"event-{self._events}"
        if created:
            self.jobs.accept(OpenJob(package.model, sender, fresh=True))
        else:
            if package.status != ApprovalStatus.PENDING:
                self.jobs.accept(CheckJob(package.model, sender))
            self.jobs.accept(OpenJob(package.model, sender))

    # -- people and pipelines

    def register(self, version: int, group: str = "churn") -> ModelVersion:
        model = ModelVersion(group, version)
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{group}/{version}"
        containers = (Container(f"image:{version}", "sha256:1", f"s3://models/{version}", '"etag"'),)
        self.registry.register(
            Package(model, arn, "PendingManualApproval", containers=containers, created_by="pipeline")
        )
        return model

    def click(
        self,
        user: str,
        request: str,
        answer: str = "approve",
        *,
        op: str = "",
        card: MessageRef | None = None,
    ) -> AnswerJob:
        reason = "drifts" if answer == "reject" else ""
        by = ChatUser("slack", "T1", user, "C0MODELS00")
        name = op or f"slack|T1|{user}|{len(self.clicks)}|{request}"
        return AnswerJob(RequestId.parse(request), Answer(answer), by, name, self.clock(), reason, card)

    def answer(self, user: str, request: str, answer: str = "approve", **more: Any) -> AnswerJob:
        return self.send(self.click(user, request, answer, **more))

    def revoke(self, user: str, request: str) -> ActJob:
        by = ChatUser("slack", "T1", user, "C0MODELS00")
        op = f"slack|T1|{user}|{len(self.clicks)}|revoke"
        return self.send(ActJob(Act.REVOKE, RequestId.parse(request), by, op, self.clock(), "bad in use"))

    def restore(self, user: str, request: str, *, reason: str = "checked it") -> ActJob:
        by = ChatUser("slack", "T1", user, "C0MODELS00")
        op = f"slack|T1|{user}|{len(self.clicks)}|restore"
        return self.send(ActJob(Act.RESTORE, RequestId.parse(request), by, op, self.clock(), reason))

    def ask(self, user: str, model: ModelVersion, environment: str) -> RequestJob:
        by = ChatUser("slack", "T1", user, "C0MODELS00")
        return self.send(RequestJob(model, environment, by, f"slack|T1|{user}|{len(self.clicks)}|ask", self.clock()))

    def send(self, job: Any) -> Any:
        self.clicks.append(job)
        self.jobs.accept(job)
        return job

    # -- the driver

    def worker(self, crew: Any = None) -> Promotion:
        return Promotion(self.near(crew))

    def near(self, crew: Any = None) -> Neighbours:
        crew = crew or InTurn(self.shuffle)
        return Neighbours(
            policy=self.policy,
            records=Records(self.parameters, self.names, crew, self.meter),
            registry=self.registry,
            directory=self.directory,
            evaluations=self.evaluations,
            channels=self.channels,
            jobs=self.jobs,
            crew=crew,
            clock=self.clock,
            meter=self.meter,
        )

    def meter(self, what: str, value: float = 1, /, **of: str) -> None:
        self.metered.append((what, value, of))

    def sweeper(self) -> Sweep:
        near = self.near()
        return Sweep(near.policy, near.records, near.registry, near.jobs, clock=near.clock)

    def deliver(self, queue: str, queued: Queued, *, dead: bool = False) -> bool:
        """One delivery; `False` when the message comes back."""
        queued.receives += 1
        receipt = Receipt(queued.receives, last=queued.receives >= MAX_RECEIVES, dead=dead)
        try:
            self.worker().handle(queued.job, receipt)
        except (Died, Unavailable):
            return False
        return True

    def drain(self, *, redeliver: bool = True) -> None:
        """Deliver until the queues are empty; a job that keeps failing ends in the dead letters."""
        for _ in range(2000):
            waiting = [(name, queue) for name, queue in self.jobs.queues.items() if queue]
            if not waiting:
                break
            name, queue = waiting[0]
            if self.deliver(name, queue[0]) or not redeliver:
                queue.pop(0)
            elif queue[0].receives >= MAX_RECEIVES:
                self.dead.append((name, queue.pop(0)))
            else:
                self.clock.advance(seconds=90)
        else:
            raise Violation("the queues never came to rest")
        for name, queued in self.dead:
            self.deliver(name, queued, dead=True)
        self.dead.clear()

    def sweep(self, *, everything: bool = False) -> None:
        """One sweep, and all that it asks for."""
        self._events += 1
        self.sweeper().run(f"sweep-{self._events}", everything=everything)
        self.drain()

    def land(self) -> None:
        """The late calls of dead workers arrive."""
        while self.late:
            self.late.pop(0)()

    @contextmanager
    def stepping(self, step: Callable[[str, Callable[[], Any]], Any]) -> Iterator[None]:
        """Let `step` decide what becomes of each call."""
        self.step, before = step, self.step
        try:
            yield
        finally:
            self.step = before

    # -- the invariants

    def state(self, model: ModelVersion) -> VersionState:
        texts = tuple(self._texts(model))
        if model not in self._folded or self._folded[model][0] != texts:
            entries = [decode_entry(text, seq=seq) for seq, text in enumerate(texts, start=1)]
            self._folded[model] = (texts, fold(model, entries))
        return self._folded[model][1]

    def _texts(self, model: ModelVersion) -> Iterator[str]:
        seq = 1
        while (text := self.parameters.value(self.names.entry(model, seq))) is not None:
            yield text
            seq += 1

    def entries(self, model: ModelVersion) -> tuple[Any, ...]:
        return self.state(model).entries

    def models(self) -> set[ModelVersion]:
        return set(self.registry.packages)

    def pointer(self, environment: str, group: str = "churn") -> int | None:
        found = read_approved(self.parameters.value(self.names.approved(group, environment)))
        return found.model_package_version if found and found.stands else None

    def request_state(self, request: str) -> State:
        one = self.state(RequestId.parse(request).model).round(RequestId.parse(request))
        if one is None:
            raise Violation(f"{request} was never opened")
        return one.state

    def check_step(self, name: str) -> None:
        """What holds at every step: I1 I2 I3 I4 I6 I8 I9 L4."""
        for model in self.models():
            state = self.state(model)
            if self._checked.get(model) != (state.head, len(self.parameters.stored)):
                self._check_log(model, state)
                self._check_votes(state)
                self._checked[model] = (state.head, len(self.parameters.stored))
            if self.strict_markers:
                for one in state.pending:
                    self._want(
                        self.names.marker(model, one.id.environment) in self.parameters.stored,
                        f"L4: {one.id} is pending without a marker, after {name}",
                    )
        for environment in self.policy.path:
            self._check_pointer(environment)
        for message in self.channel.messages.values():
            if message.card.mark is Mark.DONE:
                shown = self.state(message.card.request.model).round(message.card.request)
                approved = shown is not None and len(shown.approvals) >= shown.required
                self._want(approved, f"I9: a card says approved, {message.card.request} is not")

    def _check_log(self, model: ModelVersion, state: VersionState) -> None:
        logged = [name for name in self.parameters.stored if f"/{model.group}/history/{model.version}/" in name]
        self._want(len(logged) == state.head, f"I1: the log of {model} has a gap")
        self._want(broken(state.entries) == 0, f"I1: the chain of {model} is broken")
        for entry in state.entries:
            name = self.names.entry(model, entry.seq)
            self._want(self._seen_entries.setdefault(name, entry.raw) == entry.raw, f"I1: {name} has changed")
        for seq in range(state.head):
            state.until(seq)
        for one in state.all_rounds:
            if one.state is State.APPROVED or one.state is State.REVOKED:
                self._want(len(one.approvals) >= one.required, f"I2: {one.id} without its quorum")

    def _check_votes(self, state: VersionState) -> None:
        votes = [(entry, entry.event) for entry in state.entries if isinstance(entry.event, Vote)]
        for entry, vote in votes:
            one = next((one for one in state.all_rounds if entry in one.votes), None)
            if one is None:
                raise Violation(f"I2: entry {entry.seq} of {state.model} votes on a decided round")
            self._want(self._was_member(vote), f"I3: {vote.by.name} was no member when asked")
            if one.opened.four_eyes:
                self._want(vote.by.oid != one.opened.requester.oid, f"I3: the requester voted in {one.id}")
            before = state.until(entry.seq - 1)
            self._want(before.in_order(one.id.environment, one.opened.path), f"I6: {one.id} was answered out of order")
        voters = [(vote.environment, vote.round, vote.by.oid) for _, vote in votes]
        self._want(len(voters) == len(set(voters)), f"I3: somebody voted twice on {state.model}")

    def _was_member(self, vote: Vote) -> bool:
        return any(
            each.person.oid == vote.by.oid
            and each.enabled
            and each.member
            and vote.group in each.groups
            and abs(each.checked_at - vote.checked_at) < timedelta(milliseconds=1)
            for each in self.directory.said
        )

    def _check_pointer(self, environment: str) -> None:
        found = read_approved(self.parameters.value(self.names.approved("churn", environment)))
        if found and found.stands:
            state = self.state(ModelVersion("churn", found.model_package_version or 0))
            ever = any(len(one.approvals) >= one.required for one in state.rounds.get(environment, ()))
            self._want(ever, f"I4: {environment} names v{found.model_package_version}, which nobody approved")

    def check_rest(self) -> None:
        """What holds at rest: I4' I5 L1 L2 L3 L4; and an auditor finds nothing."""
        self._check_audit()
        for model in self.models():
            state = self.state(model)
            if state.head:
                self._check_superseded(state)
                self._check_registry(state)
                self._check_cards(state)
                self._check_status(state)
            elif self.registry.packages[model].status != "Rejected" and self.policy.governs_group(model.group):
                raise Violation(f"L2: {model} was never asked about")
            for one in state.pending:
                marker = self.names.marker(model, one.id.environment)
                self._want(marker in self.parameters.stored, f"L4: {one.id} has no marker")
        for environment in self.policy.path:
            self._check_newest(environment)
        self._check_answers()

    def _check_audit(self) -> None:
        near = self.near()
        for group in near.records.groups():
            for finding in Audit(near.records, near.registry, near.crew, near.clock).verify(group).findings:
                raise Violation(f"audit: {finding}")

    def _check_superseded(self, state: VersionState) -> None:
        for one in state.pending:
            found = read_approved(self.parameters.value(self.names.approved(state.model.group, one.id.environment)))
            newer = found and found.stands and (found.model_package_version or 0) > state.model.version
            late = newer and found and found.approved_at and found.approved_at > one.opened_entry.at
            self._want(not late, f"{one.id} still asks although a newer version was approved")

    def _check_registry(self, state: VersionState) -> None:
        package = self.registry.packages[state.model]
        wanted = registration_of(state, package, self.policy.path)
        same = (wanted.status, dict(wanted.metadata)) == (package.status, dict(package.metadata))
        self._want(
            same,
            f"L1/I5: registry of {state.model}: {package.status} {dict(package.metadata)}, wanted {wanted}",
        )

    def _check_cards(self, state: VersionState) -> None:
        for one in state.all_rounds:
            record = self._record(one.id)
            posted = record.surfaces.get("slack")
            if posted is None:
                self._want(one.state is not State.PENDING, f"L2: {one.id} is pending without a card")
                continue
            message = self.channel.messages[posted.ts]
            self._want(message.card.digest == card_of(state, one).digest, f"L1: the card of {one.id} is stale")
            for entry in state.entries:
                if entry.seq > one.opened_entry.seq and one.id in threads_of(state, entry):
                    line = plain(told(state, entry))
                    told_so = any(str(each).startswith(line) for each in message.replies)
                    self._want(told_so, f"L1: {line!r} is not in the thread of {one.id}")

    def _record(self, request: RequestId) -> CardRecord:
        return read_card_record(self.parameters.value(self.names.cards(request)))

    def _check_status(self, state: VersionState) -> None:
        status = read_status(self.parameters.value(self.names.status(state.model.group)))
        row = status.versions.get(str(state.model.version))
        self._want(row == row_of(state), f"L1: the status of {state.model} is {row}, wanted {row_of(state)}")

    def _check_newest(self, environment: str) -> None:
        named = self.pointer(environment)
        approvals = [
            own_approval(state, environment, self.names)
            for state in map(self.state, self.models())
            if state.standing(environment) and (not state.braked or state.model.version == named)
        ]
        newest = max((each for each in approvals if each), key=lambda each: each.order, default=None)
        wanted = newest.model_package_version if newest else None
        self._want(
            self.pointer(environment) == wanted,
            f"I4': {environment} names {self.pointer(environment)}, wanted {wanted}",
        )

    def _check_answers(self) -> None:
        for job in self.clicks:
            recorded = any(entry.op == job.op for model in self.models() for entry in self.entries(model))
            self._want(recorded or bool(self.channel.told(job.by.user)), f"L3: {job.op} was never answered")

    def _want(self, holds: bool, text: str) -> None:
        if not holds:
            raise Violation(text)

    def writes(self, since: int) -> list[str]:
        """The writing calls after the `since`-th call."""
        return [call for call in self.calls[since:] if not call.startswith((*READING, "enqueue"))]
