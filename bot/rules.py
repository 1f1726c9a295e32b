"""The guards: who may answer what, now. Pure; each refusal says who, what, and what to do next."""

from datetime import datetime, timedelta

from bot.card import who_ended
from bot.clicks import ActJob, AnswerJob
from bot.domain import Act, Answer, ChatUser, RequestId, State
from bot.entries import Champion, Opened, Requester, Restored, Revoked, Superseded, Vote
from bot.errors import (
    AlreadyAnswered,
    AlreadyDecided,
    Expired,
    ModelChanged,
    NotAnApprover,
    NotLinked,
    NotRequestable,
    NotRevocable,
    OutOfOrder,
    ReasonMissing,
    SelfApproval,
    SignInNeeded,
    UnknownRequest,
)
from bot.evidence import Evidence, Run
from bot.history import Round, VersionState
from bot.line import plain
from bot.members import Member, Person
from bot.package import Package
from bot.policy import EnvironmentPolicy, Policy

CLOCKS_APART = timedelta(minutes=1)
"""How far the clock of a run, or of another writer, may be from ours."""


def known(policy: Policy, request: RequestId) -> EnvironmentPolicy:
    """The rules of the environment that a request names."""
    environment = policy.environment(request.environment, request.group)
    if environment is None or not policy.governs_group(request.group):
        raise UnknownRequest(f"There is no request {request}. Ask a platform engineer whether the policy has changed.")
    return environment


def answerable(state: VersionState, request: RequestId, now: datetime) -> Round:
    """The round, if it still waits for an answer."""
    one = state.round(request)
    if one is None:
        message = f"There is no request {request}. Look for the current card in the channel, or try /model-status."
        raise UnknownRequest(message)
    latest = state.current(request.environment)
    if latest is not one and latest is not None and latest.state is State.PENDING:
        message = f"This card is of round {request.round}; please answer on the card of round {latest.id.round}."
        raise UnknownRequest(message)
    if one.state is not State.PENDING:
        when = f"{one.ending.at:%Y-%m-%d %H:%M} UTC" if one.ending else ""
        message = f"{request.model} for {request.environment}: already decided. {plain(who_ended(one))}, {when}."
        raise AlreadyDecided(message)
    if one.late(now):
        raise Expired(f"The request of {request.model} for {request.environment} has expired. Ask for a new one.")
    if not state.in_order(request.environment, one.opened.path):
        raise OutOfOrder(
            f"{request.model} is not approved for every environment before {request.environment}. Approve those first."
        )
    return one


def identified(by: ChatUser, environment: EnvironmentPolicy) -> None:
    """Refuse an account that is not as well known as the environment wants it."""
    if environment.identity == "sign-in" and by.surface != "web":
        raise SignInNeeded(
            f"Answers for {environment.name} are given after signing in. Press the button again for the way there."
        )
    if environment.identity == "linked" and not by.oid:
        raise NotLinked(
            f"For {environment.name} your account has to be linked to your company account first. "
            "Press the button again for the way there."
        )


def may_answer(
    state: VersionState, request: RequestId, environment: EnvironmentPolicy, member: Member, now: datetime
) -> Round:
    """The round this person may answer, whatever the answer, or the refusal that tells them why not."""
    one = answerable(state, request, now)
    is_approver(member, environment)
    _four_eyes(one, member.person, environment)
    if environment.distinct_from_previous or one.opened.distinct:
        _distinct(state, one, member.person)
    if any(isinstance(entry.event, Vote) and entry.event.by.oid == member.person.oid for entry in one.votes):
        raise AlreadyAnswered(f"You have answered {request} already; another member has to answer too.")
    return one


def has_reason(answer: Answer, reason: str) -> None:
    """Refuse a reject without a reason."""
    if answer is Answer.REJECT and not reason.strip():
        raise ReasonMissing("A reject needs a reason. Please say why.")


def vote(
    state: VersionState,
    job: AnswerJob,
    environment: EnvironmentPolicy,
    *,
    member: Member,
    package: Package | None,
    now: datetime,
) -> Vote:
    """The vote this person may cast, or the refusal that tells them why not."""
    one = may_answer(state, job.request, environment, member, now)
    has_reason(job.answer, job.reason)
    unchanged(one, package)
    return Vote(
        environment=job.request.environment,
        round=job.request.round,
        answer=job.answer,
        by=member.person,
        via=job.by,
        group=environment.approvers,
        checked_at=member.checked_at,
        required=max(environment.required, one.opened.required),
        reason=job.reason.strip(),
    )


def revocable(state: VersionState, request: RequestId) -> Round:
    """The approval that would be taken back, if it stands and no later one does."""
    one = state.round(request)
    latest = state.standing(request.environment)
    if one and one.state is State.REVOKED and one.ending:
        when = f"{one.ending.at:%Y-%m-%d %H:%M} UTC"
        raise AlreadyDecided(f"{request.model} for {request.environment}: {plain(who_ended(one))}, {when}.")
    if one is None or one.state is not State.APPROVED or latest is None or latest.id != one.id:
        raise NotRevocable(
            f"{request} is not an approval that stands; nothing was revoked. See /model-status {request.group}."
        )
    return one


def restorable(state: VersionState, request: RequestId) -> Round:
    """The approval that stands furthest, of a version that somebody has rejected by hand."""
    one = state.furthest
    if not state.braked:
        raise NotRevocable(
            f"No rejection by hand stands of {request.model}; nothing was restored. See /model-status {request.group}."
        )
    if one is None or one.id != request:
        where = f"Restore it for {one.id.environment}" if one else "Nothing is approved that could stand again"
        raise NotRevocable(f"{request} is not the approval that counts here; nothing was restored. {where}.")
    return one


def actable(act: Act, state: VersionState, request: RequestId) -> Round:
    """The approval that may be revoked or restored."""
    return revocable(state, request) if act is Act.REVOKE else restorable(state, request)


def acted(state: VersionState, job: ActJob, environment: EnvironmentPolicy, *, member: Member) -> Revoked | Restored:
    """The revoke or the restore that this person may make."""
    actable(job.act, state, job.request)
    is_approver(member, environment)
    says_why(job.reason)
    kind = Revoked if job.act is Act.REVOKE else Restored
    return kind(
        environment=job.request.environment,
        round=job.request.round,
        by=member.person,
        via=job.by,
        group=environment.approvers,
        checked_at=member.checked_at,
        reason=job.reason.strip(),
    )


def says_why(reason: str) -> None:
    """Refuse a revoke or a restore without a reason."""
    if not reason.strip():
        raise ReasonMissing("This needs a reason. Please say why.")


def is_approver(member: Member, environment: EnvironmentPolicy) -> None:
    """Refuse whoever is not, now, an enabled member of the tenant and in the approver group."""
    belongs(member, ask=environment.who_may_answer)
    name = member.person.name
    if environment.approvers not in member.groups:
        message = (
            f"{name} is not an approver for {environment.name}. Only {environment.who_may_answer} may answer; "
            "ask one of them, or ask your administrator to be added."
        )
        raise NotAnApprover(message)


def belongs(member: Member, *, ask: str = "a member of the company") -> None:
    """Refuse whoever is no enabled member of the tenant; `ask` is who may answer instead."""
    name = member.person.name
    if not member.enabled:
        raise NotAnApprover(f"The account of {name} is disabled in the directory. Ask your administrator.")
    if not member.member:
        raise NotAnApprover(f"{name} is a guest in the directory, and guests cannot answer. Ask {ask}.")


def may_request(member: Member) -> None:
    """Whoever belongs to the tenant may ask; only approvers decide."""
    if not member.enabled or not member.member:
        message = f"{member.person.name} is not an enabled member of the directory, and cannot ask for a promotion."
        raise NotRequestable(message)


def unchanged(one: Round, package: Package | None) -> None:
    """Refuse when the registry no longer holds what the card showed."""
    if package is None:
        message = f"{one.id.model} is no longer in the registry, so it cannot be answered. Ask who registered it."
        raise ModelChanged(message)
    if package.fingerprint != one.opened.fingerprint:
        raise ModelChanged(
            f"{one.id.model} has changed since this card was posted. Please answer on the new card that is coming."
        )


def due(state: VersionState, package: Package, policy: Policy) -> str:
    """The environment for which a round has to be opened by itself now, or nothing."""
    if not state.head:
        return policy.path[0] if package.status != "Rejected" else ""
    for environment in policy.path:
        one = state.current(environment)
        if one and one.state is State.PENDING:
            return environment if one.opened.fingerprint != package.fingerprint else ""
        if not state.standing(environment):
            return environment if _follows(state, environment, policy) else ""
    return ""


def as_registered(evidence: Evidence, package: Package) -> Evidence:
    """The evaluation, if its bytes are those that were registered; AWS may be told their digest (`ContentDigest`)."""
    if not evidence.sha256 or package.metrics_digest in ("", evidence.sha256):
        return evidence
    return Evidence(uri=evidence.uri, problem="Metrics are not shown: the report is not the one that was registered.")


def opening(
    state: VersionState,
    package: Package,
    environment: EnvironmentPolicy,
    *,
    policy: Policy,
    requester: Requester,
    evidence: Evidence,
    champion: Champion | None,
    now: datetime,
) -> Opened:
    """Everything a round is bound to, frozen."""
    return Opened(
        environment=environment.name,
        round=len(state.rounds.get(environment.name, ())) + 1,
        arn=package.arn,
        fingerprint=package.fingerprint,
        containers=package.containers,
        path=policy.path,
        approvers=environment.approvers,
        required=environment.required,
        four_eyes=environment.four_eyes,
        distinct=environment.distinct_from_previous,
        unknown_requester=environment.unknown_requester,
        expires_at=now + environment.expires_after,
        policy=policy.sha256,
        requester=requester,
        evidence=policy.metrics.kept(evidence),
        champion=champion,
        commit=package.commit,
        commit_url=package.commit_url,
        approvers_name=environment.approvers_name,
        measures=policy.metrics.of(evidence.metrics),
    )


def requestable(
    state: VersionState, environment: str, package: Package | None, policy: Policy, now: datetime
) -> Package:
    """The package a new round would be about; refuse one that nobody could use. What has no history is taken in."""
    if package is None:
        raise NotRequestable(f"{state.model} is not in the registry. Check group and version.")
    if why := policy.why_not(package, taken_in=True):
        raise NotRequestable(f"{state.model} cannot be asked about: {why}. Ask a platform engineer if it should be.")
    askable(state, environment, policy, now, fingerprint=package.fingerprint)
    return package


def askable(state: VersionState, environment: str, policy: Policy, now: datetime, *, fingerprint: str = "") -> None:
    """Refuse a new round while one waits for an answer (about this package, if it is known), or out of order."""
    one = state.current(environment)
    waits = one is not None and one.state is State.PENDING and not one.late(now)
    if one and waits and fingerprint in ("", one.opened.fingerprint):
        message = f"{state.model} is being asked about for {environment} already: {one.id}. Answer on its card."
        raise NotRequestable(message)
    if not state.in_order(environment, policy.path):
        message = f"{state.model} is not approved for every environment before {environment}. Ask for those first."
        raise NotRequestable(message)


def late(state: VersionState, now: datetime) -> Round | None:
    """A request whose time for an answer is over, if there is one."""
    return next((one for one in state.pending if one.late(now)), None)


def superseded(state: VersionState, request: RequestId, newer: tuple[int, datetime] | None) -> Superseded | None:
    """The entry that ends an older request, if it still waits and the pointer's approval came after it was opened."""
    one = state.round(request)
    if one is None or one.state is not State.PENDING or newer is None:
        return None
    version, approved_at = newer
    if version <= request.version or approved_at <= one.opened_entry.at:
        return None
    return Superseded(request.environment, request.round, version)


def _follows(state: VersionState, environment: str, policy: Policy) -> bool:
    """Whether the next environment is to be asked: never asked, or ended by a revoke that a new approval healed."""
    rules = policy.environment(environment, state.model.group)
    return rules is not None and rules.request_after == "approval" and _may_follow(state, environment, policy)


def measured(state: VersionState, run: Run, policy: Policy) -> EnvironmentPolicy | None:
    """The environment that the measurement of a batch inference asks for: the next one, if it waits for just that.

    What ran before it was approved says nothing of what was approved.
    """
    place = policy.path.index(run.environment) + 1 if run.environment in policy.path else 0
    environment = policy.environment(policy.path[place], state.model.group) if 0 < place < len(policy.path) else None
    if environment is None or environment.request_after != "inference":
        return None
    before = state.standing(run.environment)
    if before is None or before.approval is None or (run.at and run.at + CLOCKS_APART < before.approval.at):
        return None
    return environment if _may_follow(state, environment.name, policy) else None


def wanting(evidence: Evidence, environment: EnvironmentPolicy) -> str:
    """What the policy of an environment misses in a measurement, or nothing."""
    if environment.evidence == "stored" and evidence.metrics and not evidence.uri:
        return f"its metrics were told and not stored, and {environment.name} wants them stored"
    if environment.metrics_required and not evidence.metrics:
        why = evidence.problem.rstrip(".") or "no metrics reported"
        return f"{why[0].lower()}{why[1:]}, and {environment.name} wants metrics"
    return ""


def _may_follow(state: VersionState, environment: str, policy: Policy) -> bool:
    place = policy.path.index(environment)
    before = state.standing(policy.path[place - 1]) if place else None
    one = state.current(environment)
    if before is None or before.approval is None or not state.in_order(environment, policy.path):
        return False
    earlier = (state.standing(each) for each in policy.path[:place])
    healed = max(each.approval.at for each in earlier if each and each.approval)
    return one is None or (one.state is State.ENDED and healed > one.opened_entry.at)


def _four_eyes(one: Round, person: Person, environment: EnvironmentPolicy) -> None:
    if not (one.opened.four_eyes or environment.four_eyes):
        return
    requester = one.opened.requester
    if requester.oid == person.oid:
        message = f"You asked for this promotion, so somebody else has to answer: {environment.who_may_answer}."
        raise SelfApproval(message)
    if not requester.known and "refuse" in (one.opened.unknown_requester, environment.unknown_requester):
        message = (
            f"{environment.name} wants four eyes, and nobody knows who asked for {one.id.model}. "
            "Ask for the promotion by name, so that somebody else can approve it."
        )
        raise SelfApproval(message)


def _distinct(state: VersionState, one: Round, person: Person) -> None:
    path = one.opened.path
    place = path.index(one.id.environment) if one.id.environment in path else 0
    before = state.standing(path[place - 1]) if place else None
    if before and person.oid in {vote.by.oid for vote in before.approvals}:
        message = f"You approved {before.id.environment}; for {one.id.environment} somebody else has to answer."
        raise SelfApproval(message)
