"""The jobs of the queue `decisions`: they alone write the pointers.

answer, act      look · person · registry side by side -> guards -> the entry -> projection
check            look · registry -> what somebody did by hand, what nobody answered in time -> projection
supersede        look · registry -> the entry -> projection
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime

from bot import rules
from bot.clicks import ActJob, AnswerJob, Decision
from bot.display import Task
from bot.entries import Event, Expiry
from bot.envelope import described
from bot.errors import (
    AlreadyDecided,
    Expired,
    ModelChanged,
    NotRecorded,
    Refused,
    Unavailable,
    UnknownRequest,
)
from bot.hands import Hands
from bot.hints import CheckJob, OpenJob, SupersedeJob
from bot.history import VersionState
from bot.jobs import Receipt, overdue
from bot.members import Member
from bot.neighbours import Neighbours
from bot.package import Package
from bot.policy import EnvironmentPolicy
from bot.projection import Projection
from bot.records import Look, Surroundings

log = logging.getLogger(__name__)

AGAIN = "Your answer was not recorded; nothing has changed. Please press the button again."

Asked = Callable[[], Member]
Guard = Callable[[VersionState, Asked, Package | None], Event]


class NotProjected(Unavailable):
    """The entry is in the log; what follows from it is not complete yet."""


class Decisions:
    """Answers, revokes, and what keeps registry and pointers equal to the log."""

    def __init__(self, near: Neighbours, projection: Projection, hands: Hands) -> None:
        self._near = near
        self._projection = projection
        self._hands = hands

    def answer(self, job: AnswerJob, receipt: Receipt) -> None:
        """Record one person's answer; raise `Refused` when it may not be recorded."""
        environment = rules.known(self._near.policy, job.request)

        def vote(state: VersionState, member: Asked, package: Package | None) -> Event:
            now = self._near.clock()
            rules.answerable(state, job.request, now)
            rules.identified(job.by, environment)
            return rules.vote(state, job, environment, member=member(), package=package, now=now)

        self._decide(job, environment, vote, receipt)

    def act(self, job: ActJob, receipt: Receipt) -> None:
        """Take an approval back, or a rejection of it by hand; raise `Refused` when that may not be."""
        environment = rules.known(self._near.policy, job.request)

        def acted(state: VersionState, member: Asked, _: Package | None) -> Event:
            rules.actable(job.act, state, job.request)
            rules.identified(job.by, environment)
            return rules.acted(state, job, environment, member=member())

        self._decide(job, environment, acted, receipt)

    def check(self, job: CheckJob) -> None:
        """Compare registry, pointers and cards with the log, and put right what differs."""
        policy = self._near.policy
        if not policy.governs_group(job.model.group):
            return
        environments = job.environments or policy.path
        looked, described_package = self._near.crew.together(
            lambda: self._near.records.look(job.model, pointers=environments),
            lambda: self._near.registry.describe(job.model),
        )
        look: Look = looked.result()
        package: Package | None = described_package.result()
        if look.state.head:
            look = self._expire(self._hands.observe(look, package))
            task = Task(job.op, pointers=environments, registry=not self._hands.left(look, package), sweeping=True)
            look = self._projection.carry_out(look, package, task)
        wanted = package and not policy.why_not(package, taken_in=look.state.head > 0)
        if package and wanted and rules.due(look.state, package, policy):
            self._near.jobs.put(OpenJob(job.model, sender=job.sender))

    def _expire(self, look: Look) -> Look:
        """End the requests that nobody has answered in time."""
        while one := rules.late(look.state, self._near.clock()):
            event, op = Expiry(one.id.environment, one.id.round), f"expired|{one.id}"
            state = self._near.records.append(look.state, event, op, self._near.clock())
            look = replace(look, state=state or self._near.records.read_past(look.state))
        return look

    def supersede(self, job: SupersedeJob) -> None:
        """End an older request because a newer version was approved, if both still hold."""
        name = job.request.environment
        looked, described_package = self._near.crew.together(
            lambda: self._near.records.look(job.model, pointers=(name,)),
            lambda: self._near.registry.describe(job.model),
        )
        look: Look = self._hands.observe(looked.result(), described_package.result())
        while not look.state.holds(job.op):
            event = rules.superseded(look.state, job.request, look.newer(name))
            if event is None:
                break
            state = self._near.records.append(look.state, event, job.op, self._near.clock())
            look = replace(look, state=state or self._near.records.read_past(look.state))
        registry = not self._hands.left(look, described_package.result())
        self._projection.carry_out(look, described_package.result(), Task(job.op, pointers=(name,), registry=registry))

    def _decide(self, job: Decision, environment: EnvironmentPolicy, guard: Guard, receipt: Receipt) -> None:
        name = environment.name
        looked, asked, package = self._near.crew.together(
            lambda: self._near.records.look(job.model, pointers=(name,), markers=(name,), short=True),
            lambda: self._near.directory.member(job.by, (environment.approvers,)),
            lambda: self._near.registry.describe(job.model),
        )
        look: Look = looked.result()
        task = Task(job.op, pointers=(name,), request=job.request, clicked=job.card, surface=job.by.surface)
        around: Surroundings | None = None
        try:
            look, around = self._record(job, look, asked, package, guard, receipt)
        except Unavailable as trouble:
            look = self._confirm(job, look, receipt, trouble)
        except Refused as refused:
            self._after_refusal(job, look, package, task, refused)
            raise
        try:
            self._projection.carry_out(look, package.result(), task, around=around)
        except Unavailable as trouble:
            raise NotProjected(str(trouble)) from trouble

    def _record(
        self,
        job: Decision,
        look: Look,
        asked: Future[Member],
        package: Future[Package | None],
        guard: Guard,
        receipt: Receipt,
    ) -> tuple[Look, Surroundings | None]:
        """Append this person's entry, unless it is there: found anywhere in the log means recorded."""
        environment = job.request.environment
        member: Asked = asked.result
        if not look.state.holds(job.op):
            look = self._hands.observe(look, package.result())
        while not look.state.holds(job.op):
            if receipt.dead or overdue(job, self._near.clock()):
                raise NotRecorded(AGAIN)
            try:
                event = guard(look.state, member, package.result())
            except Refused:
                later = self._near.records.read_on(look.state)
                if later.head == look.state.head:
                    raise
                look = replace(look, state=later)
                continue
            if not look.marked[environment]:
                self._near.records.mark(job.model, environment)
            state, around = self._append(job, look, event)
            if state:
                return replace(look, state=state), around
            look = replace(look, state=self._near.records.read_past(look.state))
            member = self._ask_again(job, event)
        return look, None

    def _append(self, job: Decision, look: Look, event: Event) -> tuple[VersionState | None, Surroundings]:
        """Create the entry, and meanwhile read what the projection will compare with."""
        now, newer = self._near.clock(), look.newer(job.request.environment)
        after: datetime | None = newer[1] if newer and newer[1] <= now + rules.CLOCKS_APART else None
        appended, around = self._near.crew.together(
            lambda: self._near.records.append(look.state, event, job.op, now, after=after),
            lambda: self._near.records.surroundings(look.state),
        )
        return appended.result(), around.result()

    def _ask_again(self, job: Decision, event: Event) -> Asked:
        """Somebody else was faster: what the directory said before does not count any more."""
        group = getattr(event, "group", "")
        return lambda: self._near.directory.member(job.by, (group,))

    def _confirm(self, job: Decision, look: Look, receipt: Receipt, trouble: Unavailable) -> Look:
        """At the last receive the person has to know: read once more, and say so if it was not recorded."""
        if not receipt.last and not receipt.dead and not overdue(job, self._near.clock()):
            raise trouble
        look = replace(look, state=self._near.records.read_on(look.state))
        if not look.state.holds(job.op):
            raise NotRecorded(AGAIN) from trouble
        return look

    def _after_refusal(
        self,
        job: Decision,
        look: Look,
        package: Future[Package | None],
        task: Task,
        refused: Refused,
    ) -> None:
        """A refusal mends what it finds stale, as far as that can be had; a changed model is asked about anew."""
        stale = isinstance(refused, AlreadyDecided | Expired | UnknownRequest)
        try:
            if isinstance(refused, ModelChanged):
                self._near.jobs.put(OpenJob(job.model, sender=job.op))
            look = replace(look, state=self._near.records.read_on(look.state))
            self._projection.carry_out(look, package.result(), replace(task, repaint=stale))
        except Unavailable as trouble:
            log.warning("%s: not projected after a refusal: %s", described(job), trouble)
