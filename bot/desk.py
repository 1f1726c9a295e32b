"""What somebody who has signed in may look at and hand in. It reads, and puts jobs on the queue; it decides nothing.

The guards are those of the one writer, asked ahead of it, so that people learn at once why they may not answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from bot import rules
from bot.card import Card, card_of
from bot.clicks import PATIENCE, ActJob, AnswerJob, RequestJob
from bot.domain import Act, Answer, ChatUser, ModelVersion, RequestId, State
from bot.errors import NotRequestable, Refused, Unavailable, UnknownRequest
from bot.history import Round, VersionState
from bot.members import Member, Person
from bot.policy import EnvironmentPolicy, Policy
from bot.ports import Clock, Crew, Directory, Jobs
from bot.records import Look, Records
from bot.status import GroupStatus
from bot.trend import Trend, compared, trends


@dataclass(frozen=True, slots=True)
class Review:
    """A request as one person sees it; `refusal` is why they may not answer it now, or nothing."""

    state: VersionState
    one: Round
    person: Person
    refusal: Refused | None
    status: GroupStatus

    @property
    def card(self) -> Card:
        """The same card as everywhere."""
        return card_of(self.state, self.one)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for an answer, and whether it is this person's to give."""

    request: RequestId
    since: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """What somebody finds when they come in: every request that waits, and how every group stands."""

    member: Member
    waiting: tuple[Waiting, ...]
    statuses: Mapping[str, GroupStatus]


class Stage(StrEnum):
    """Where something that was handed in stands."""

    WAITING = "waiting"
    RECORDED = "recorded"
    REFUSED = "refused"
    LOST = "not recorded"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer or a request; `request` is the round that it made or answered."""

    stage: Stage
    text: str
    request: RequestId | None = None


@dataclass(frozen=True, slots=True)
class Taking:
    """What may be done with an approval that stands: by whom, and, if it is taken back, what follows.

    `uses` says whether the environment loads this version. `ends` are the environments whose requests end with it,
    `stands` the requests whose approvals stay.
    """

    request: RequestId
    person: Person
    uses: bool
    ends: tuple[str, ...]
    stands: tuple[RequestId, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """Who may ask for an environment, and whether the version is taken in by that: nothing is known of it yet."""

    person: Person
    takes_in: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """The reading side of the use-cases, for surfaces on which people sign in."""

    policy: Policy
    records: Records
    directory: Directory
    jobs: Jobs
    crew: Crew
    clock: Clock

    def review(self, request: RequestId, by: ChatUser) -> Review:
        """Look at a request; raise `UnknownRequest` for none, `NotAnApprover` for whoever may not even look."""
        environment, look, member = self._looked(request, by)
        state = look.state
        one = state.round(request)
        if one is None:
            raise UnknownRequest(f"There is no request {request}. Look for it in the list of those that wait.")
        try:
            rules.identified(by, environment)
            rules.may_answer(state, request, environment, member, self.clock())
        except Refused as refusal:
            return Review(state, one, member.person, refusal, look.status)
        return Review(state, one, member.person, None, look.status)

    def current(self, model: ModelVersion, environment: str) -> Card:
        """The card of the newest request of a version for an environment; raise `UnknownRequest` for none."""
        rules.known(self.policy, RequestId(model.group, model.version, environment, 1))
        state = self.records.look(model).state
        if (one := state.current(environment)) is None:
            raise UnknownRequest(f"{model} has not been asked about for {environment} yet, so nobody may answer.")
        return card_of(state, one)

    def why_not(self, request: RequestId, email: str) -> str:
        """Why the one person with an address may not answer a request now; nothing when they may."""
        oid = self.directory.find(email)
        if not oid:
            return "Not one person of the directory has this address; ask for the one that the company gave them."
        try:
            refusal = self.review(request, ChatUser("web", "", oid, oid=oid)).refusal
        except Refused as trouble:
            refusal = trouble
        return str(refusal or "")

    def answer(self, request: RequestId, answer: Answer, by: ChatUser, *, nonce: str, reason: str = "") -> None:
        """Hand an answer in; raise what refuses it already now, or `Unavailable`. The one writer asks again."""
        if refusal := self.review(request, by).refusal:
            raise refusal
        rules.has_reason(answer, reason)
        op = op_of(by, nonce, request)
        self.jobs.put(AnswerJob(request, answer, by=by, op=op, at=self.clock(), reason=reason))

    def outcome(self, request: RequestId, by: ChatUser, *, nonce: str, since: datetime) -> Outcome:
        """What became of an answer that was handed in."""
        review = self.review(request, by)
        if review.state.holds(op_of(by, nonce, request)):
            return Outcome(Stage.RECORDED, "Your answer is recorded.", request)
        return self._open(review.refusal, since, request)

    def taking(self, act: Act, request: RequestId, by: ChatUser) -> Taking:
        """Whether somebody may act on an approval, as far as can be told ahead; raise what refuses it."""
        environment, look, member = self._looked(request, by)
        rules.actable(act, look.state, request)
        rules.identified(by, environment)
        rules.is_approver(member, environment)
        return _taking(request, member.person, look)

    def take(self, act: Act, request: RequestId, by: ChatUser, *, nonce: str, reason: str) -> None:
        """Hand in what is to be done with an approval; raise what refuses it already now, or `Unavailable`."""
        self.taking(act, request, by)
        rules.says_why(reason)
        op = op_of(by, nonce, request)
        self.jobs.put(ActJob(act, request, by=by, op=op, at=self.clock(), reason=reason))

    def taken(self, act: Act, request: RequestId, by: ChatUser, *, nonce: str, since: datetime) -> Outcome:
        """What became of it."""
        refusal: Refused | None = None
        try:
            self.taking(act, request, by)
        except Refused as trouble:
            refusal = trouble
        if self.records.look(request.model).state.holds(op_of(by, nonce, request)):
            return Outcome(Stage.RECORDED, _done(act, request), request)
        return self._open(refusal, since, request)

    def asking(self, model: ModelVersion, environment: str, by: ChatUser) -> Asking:
        """Whether somebody may ask for an environment, as far as can be told ahead; raise what refuses it.

        A version without a history is taken in; whether the registry has it, only the one writer sees.
        """
        if self.policy.environment(environment, model.group) is None or not self.policy.governs_group(model.group):
            raise UnknownRequest(f"The policy knows no environment {environment} for {model.group}.")
        looked, asked = self.crew.together(
            lambda: self.records.look(model).state, lambda: self.directory.member(by, ())
        )
        member: Member = asked.result()
        rules.may_request(member)
        state: VersionState = looked.result()
        rules.askable(state, environment, self.policy, self.clock())
        return Asking(member.person, takes_in=not state.head)

    def ask(self, model: ModelVersion, environment: str, by: ChatUser, *, nonce: str) -> None:
        """Hand a request for a promotion in; raise what refuses it already now, or `Unavailable`."""
        self.asking(model, environment, by)
        op = op_of(by, nonce, model)
        self.jobs.put(RequestJob(model, environment, by=by, op=op, at=self.clock()))

    def asked(self, model: ModelVersion, environment: str, by: ChatUser, *, nonce: str, since: datetime) -> Outcome:
        """What became of a request that was handed in."""
        refusal: Refused | None = None
        try:
            self.asking(model, environment, by)
        except NotRequestable as trouble:
            refusal = trouble
        op = op_of(by, nonce, model)
        for one in self.records.look(model).state.all_rounds:
            if one.opened_entry.op == op:
                return Outcome(Stage.RECORDED, f"{model} is asked about for {environment}.", one.id)
        return self._open(refusal, since, None)

    def member(self, by: ChatUser) -> Member:
        """Who has signed in, with the approver groups that they are in; raise for whom nothing is shown to."""
        groups = dict.fromkeys(each.approvers for each in self.policy.all_rules)
        member = self.directory.member(by, tuple(groups))
        rules.belongs(member)
        return member

    def overview(self, by: ChatUser) -> Overview:
        """Every group, and every request that waits: those of this person first, then the longest waiting."""
        asked, read = self.crew.together(lambda: self.member(by), lambda: self.records.statuses(self.records.groups()))
        member: Member = asked.result()
        statuses: Mapping[str, GroupStatus] = read.result()
        found = [self._waits(each, member) for each in pending(statuses)]
        return Overview(member, tuple(sorted(found, key=lambda each: (not each.mine, each.since))), statuses)

    def group(self, group: str) -> GroupStatus:
        """The status of one group."""
        return self.records.statuses([group])[group]

    def version(self, model: ModelVersion) -> Look:
        """A version's whole history, and the status of its group."""
        return self.records.look(model, status=True)

    def trends(
        self, group: str, environment: str, status: GroupStatus, *, state: VersionState | None = None
    ) -> tuple[Trend, ...]:
        """How the metrics went up to now; `state` is the version that has been read already, if there is one.

        One more wave. While AWS does not give an older log there are none: a page is not kept back for its pictures.
        """
        numbers = compared(status, environment, state.model.version if state else None)
        models = [ModelVersion(group, number) for number in numbers if not state or number != state.model.version]
        if len(numbers) < 2 or not models:  # noqa: PLR2004 - one version is no trend
            return ()
        try:
            looks: list[Look] = [
                each.result() for each in self.crew.together(*(partial(self.records.look, model) for model in models))
            ]
        except Unavailable:
            return ()
        return trends([*(each.state for each in looks), *([state] if state else [])], environment)

    def _looked(self, request: RequestId, by: ChatUser) -> tuple[EnvironmentPolicy, Look, Member]:
        """What a request is about, and whoever looks at it, in one wave; raise for whom nothing is shown to."""
        environment = rules.known(self.policy, request)
        read, asked = self.crew.together(
            lambda: self.records.look(request.model, status=True),
            lambda: self.directory.member(by, (environment.approvers,)),
        )
        member: Member = asked.result()
        rules.belongs(member)
        return environment, read.result(), member

    def _waits(self, each: tuple[RequestId, datetime], member: Member) -> Waiting:
        request, since = each
        environment = self.policy.environment(request.environment, request.group)
        return Waiting(request, since, environment is not None and environment.approvers in member.groups)

    def _open(self, refusal: Refused | None, since: datetime, request: RequestId | None) -> Outcome:
        """Not in the log: why, as far as the guards can tell now."""
        if refusal:
            return Outcome(Stage.REFUSED, str(refusal), request)
        if self.clock() >= since + PATIENCE:
            return Outcome(Stage.LOST, "It was not recorded; nothing has changed. Please try again.", request)
        return Outcome(Stage.WAITING, "It is being recorded.", request)


def op_of(by: ChatUser, nonce: str, about: RequestId | ModelVersion) -> str:
    """One form, one entry: the form's own number is part of the name."""
    return f"{by.surface}|{by.oid}|{nonce}|{about}"


def pending(statuses: Mapping[str, GroupStatus]) -> Iterable[tuple[RequestId, datetime]]:
    """The requests that wait, by the statuses of their groups."""
    for group, status in statuses.items():
        for number, row in status.versions.items():
            for environment, stand in row.environments.items():
                if stand.state is State.PENDING:
                    yield RequestId(group, int(number), environment, stand.round), stand.at


def _done(act: Act, request: RequestId) -> str:
    if act is Act.RESTORE:
        return f"{request.model} stands again for {request.environment}, and wherever else it was approved."
    return f"The approval of {request.model} for {request.environment} is taken back."


def _taking(request: RequestId, person: Person, look: Look) -> Taking:
    """What follows from a revoke, as far as history and status tell now."""
    state, name = look.state, request.environment
    older = [each for each in state.rounds[name] if each.state is State.APPROVED and each.id.round > request.round]
    later = state.path[state.path.index(name) + 1 :] if name in state.path and not older else ()
    waiting = tuple(one.id.environment for one in state.pending if one.id.environment in later)
    standing = tuple(one.id for each in later if (one := state.standing(each)))
    slot = look.status.approved.get(name)
    uses = slot is None or slot.version in (None, request.version)
    return Taking(request, person, uses, waiting, standing)
