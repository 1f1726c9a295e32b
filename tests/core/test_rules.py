"""The guards: each refusal says who, what and what to do next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import rules
from bot.clicks import ActJob, AnswerJob
from bot.domain import Act, Answer, ChatUser, ModelVersion, RequestId
from bot.entries import Expiry, Hand, Observed, Requester, Revoked, Superseded, Vote
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
from bot.evidence import Evidence
from bot.history import VersionState, apply, next_entry
from bot.members import Member, Person
from bot.package import Container, Package
from tests.memory import START
from tests.proofs.world import GROUPS, policy_of

MODEL = ModelVersion("churn", 7)
LATER = START + timedelta(hours=1)
POLICY = policy_of(("dev", "test", "uat"))
SLACK = ChatUser("slack", "T1", "maya", "C0MODELS00")


def package(**changes):
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7"
    found = Package(MODEL, arn, "PendingManualApproval", containers=(Container("image", "sha256:1"),), created_at=START)
    return replace(found, **changes)


def member(name="Maya", *groups, enabled=True, tenant=True):
    person = Person(f"oid-{name.lower()}", name)
    return Member(person, enabled, tenant, frozenset(groups or GROUPS.values()), LATER)


def rule(environment="dev", **changes):
    found = POLICY.environment(environment, "churn")
    assert found
    return replace(found, **changes)


def opened(state, environment="dev", *, requester="", name="pipeline", of=None, **changes):
    return rules.opening(
        state,
        of or package(),
        rule(environment, **changes),
        policy=POLICY,
        requester=Requester(name, requester),
        evidence=Evidence(),
        champion=None,
        now=START,
    )


def vote_of(name="Maya", environment="dev", number=1, answer=Answer.APPROVE, reason="", required=1):
    person = Person(f"oid-{name.lower()}", name)
    return Vote(environment, number, answer, person, SLACK, GROUPS[environment], START, required, reason)


def revoked(environment="dev", number=1):
    return Revoked(environment, number, Person("oid-omar", "Omar"), SLACK, GROUPS[environment], START, "drifts")


def after(state, *events):
    for event in events:
        place = f"op-{state.head + 1}"
        state = apply(state, next_entry(state, event, place, START + timedelta(minutes=state.head)))
    return state


def asked(environment="dev", **changes):
    """A version that is asked about for one environment, with nothing before it."""
    empty = VersionState(MODEL)
    return after(empty, opened(empty, environment, **changes))


def approved_in_dev(*voters, **changes):
    """Approved for dev, and asked about for test."""
    state = after(asked(required=len(voters) or 1), *(vote_of(name) for name in voters or ("Maya",)))
    return after(state, opened(state, "test", **changes))


def job(request="churn/7/dev/1", answer=Answer.APPROVE, reason=""):
    return AnswerJob(RequestId.parse(request), answer, SLACK, "op", LATER, reason)


def vote(state, answer=None, *, who=None, environment=None, of=None, gone=False, now=LATER):
    answer = answer or job()
    environment = environment or rule(answer.request.environment)
    of = None if gone else of or package()
    return rules.vote(state, answer, environment, member=who or member(), package=of, now=now)


def refusal(kind, call, *words):
    """The text of the refusal, which has to hold all these words and be whole sentences."""
    with pytest.raises(kind) as caught:
        call()
    text = str(caught.value)
    assert type(caught.value) is kind
    assert text.endswith(".")
    for word in words:
        assert word in text
    return text


def test_a_member_of_the_approver_group_may_answer():
    found = vote(asked(), job(reason=" looks fine "))
    assert (found.answer, found.by.name, found.group, found.reason) == (
        Answer.APPROVE,
        "Maya",
        GROUPS["dev"],
        "looks fine",
    )
    assert found.checked_at == LATER


def test_the_tighter_of_two_quorums_is_recorded_with_the_vote():
    assert vote(asked(required=3)).required == 3
    assert vote(asked(), environment=rule(required=2)).required == 2


@pytest.mark.parametrize("request_id", ["churn/7/prod/1", "fraud/7/dev/1"])
def test_a_request_outside_the_policy_is_unknown(request_id):
    request = RequestId.parse(request_id)
    refusal(UnknownRequest, lambda: rules.known(POLICY, request), request_id, "Ask a platform engineer")


def test_a_request_within_the_policy_has_its_rules():
    assert rules.known(POLICY, RequestId.parse("churn/7/test/1")).name == "test"


@pytest.mark.parametrize("request_id", ["churn/7/dev/2", "churn/7/test/1"])
def test_a_request_that_was_never_opened_is_unknown(request_id):
    refusal(UnknownRequest, lambda: vote(asked(), job(request_id)), request_id, "/model-status")


def test_a_card_of_an_old_round_names_the_round_to_answer():
    state = asked()
    state = after(state, opened(state))
    refusal(UnknownRequest, lambda: vote(state), "round 1", "answer on the card of round 2")


def test_an_old_round_is_decided_when_no_later_one_waits():
    state = after(asked(), Expiry("dev", 1))
    state = after(state, opened(state), vote_of(number=2))
    refusal(AlreadyDecided, lambda: vote(state), "churn v7 for dev", "already decided", "Expired")


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (vote_of("Omar"), "Approved by Omar"),
        (vote_of("Omar", answer=Answer.REJECT, reason="drifts"), "Rejected by Omar: drifts"),
        (Superseded("dev", 1, 9), "Superseded by v9"),
        (Expiry("dev", 1), "nobody answered in time"),
        (Observed("rejected", "kim", Hand.STOP, "dev", 1), "Rejected in the registry by kim"),
    ],
)
def test_a_decided_round_names_how_and_when_it_ended(ending, words):
    state = after(asked(), ending)
    refusal(AlreadyDecided, lambda: vote(state), "churn v7 for dev", words, "2026-11-24 09:01 UTC")


def test_a_request_has_expired_at_its_very_time():
    state = asked()
    due = state.pending[0].opened.expires_at
    assert vote(state, now=due - timedelta(milliseconds=1))
    refusal(Expired, lambda: vote(state, now=due), "churn v7 for dev", "Ask for a new one")


def test_an_environment_waits_for_those_before_it():
    answer = job("churn/7/test/1")
    refusal(OutOfOrder, lambda: vote(asked("test"), answer), "churn v7", "before test", "Approve those first")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_reject_needs_a_reason(reason):
    answer = job(answer=Answer.REJECT, reason=reason)
    refusal(ReasonMissing, lambda: vote(asked(), answer), "reject needs a reason", "say why")


def test_a_reject_with_a_reason_is_a_vote():
    assert vote(asked(), job(answer=Answer.REJECT, reason=" drifts ")).reason == "drifts"


@pytest.mark.parametrize("snapshot", [True, False])
def test_four_eyes_refuse_the_requester_under_the_card_or_the_present_policy(snapshot):
    state = asked(requester="oid-maya", four_eyes=snapshot)
    call = rule(four_eyes=not snapshot)
    refusal(SelfApproval, lambda: vote(state, environment=call), "You asked", "members of approvers-dev")
    assert vote(state, who=member("Omar"), environment=call)


@pytest.mark.parametrize("unknown", ["allow", "refuse"])
def test_whom_a_pipeline_names_is_excluded_but_does_not_count_as_known(unknown):
    state = asked(requester="oid-maya", four_eyes=True, unknown_requester=unknown)
    [one] = state.rounds["dev"]
    declared = replace(one.opened, requester=replace(one.opened.requester, declared=True))
    state = replace(state, rounds={"dev": (replace(one, opened=declared),)})
    call = rule(four_eyes=True, unknown_requester=unknown)
    refusal(SelfApproval, lambda: vote(state, environment=call), "You asked")
    if unknown == "refuse":
        refusal(SelfApproval, lambda: vote(state, who=member("Omar"), environment=call), "nobody knows who asked")
    else:
        assert vote(state, who=member("Omar"), environment=call)


def test_four_eyes_refuse_everybody_when_the_requester_is_unknown_and_that_is_refused():
    state = asked(four_eyes=True, unknown_requester="refuse")
    refusal(SelfApproval, lambda: vote(state), "dev wants four eyes", "churn v7", "Ask for the promotion by name")
    tightened = rule(four_eyes=True, unknown_requester="refuse")
    refusal(SelfApproval, lambda: vote(asked(), environment=tightened), "nobody knows who asked")


def test_four_eyes_exclude_nobody_when_the_requester_is_unknown_and_that_is_allowed():
    assert vote(asked(four_eyes=True, unknown_requester="allow"))


def test_without_four_eyes_the_requester_may_answer():
    assert vote(asked(requester="oid-maya", unknown_requester="refuse"))


@pytest.mark.parametrize("snapshot", [True, False])
def test_whoever_approved_the_previous_environment_may_not_answer_the_next(snapshot):
    state = approved_in_dev("Omar", "Maya", distinct_from_previous=snapshot)
    answer, call = job("churn/7/test/1"), rule("test", distinct_from_previous=not snapshot)
    refusal(SelfApproval, lambda: vote(state, answer, environment=call), "You approved dev", "for test somebody else")
    assert vote(state, answer, who=member("Priya"), environment=call)


def test_the_first_environment_has_nobody_to_be_distinct_from():
    assert vote(asked(distinct_from_previous=True))


def test_one_person_has_one_vote():
    state = after(asked(required=2), vote_of(required=2))
    refusal(AlreadyAnswered, lambda: vote(state), "churn/7/dev/1", "another member")
    assert vote(state, who=member("Omar"))


def test_a_disabled_account_may_not_answer():
    who = member(enabled=False)
    refusal(NotAnApprover, lambda: vote(asked(), who=who), "Maya", "disabled", "Ask your administrator")


def test_a_guest_may_not_answer():
    who = member(tenant=False)
    refusal(NotAnApprover, lambda: vote(asked(), who=who), "Maya", "guest", "Ask members of approvers-dev")


def test_somebody_outside_the_group_may_not_answer():
    who = member("Eli", GROUPS["test"])
    refusal(NotAnApprover, lambda: vote(asked(), who=who), "Eli", "for dev", "members of approvers-dev", "ask one of")


def test_a_group_without_a_name_is_called_by_its_id():
    who, call = member("Eli", GROUPS["test"]), rule(approvers_name="")
    refusal(NotAnApprover, lambda: vote(asked(), who=who, environment=call), f"the group {GROUPS['dev']}")


WEB = ChatUser("web", "tenant", "oid-maya", oid="oid-maya")


@pytest.mark.parametrize("by", [SLACK, replace(SLACK, oid="oid-maya"), WEB])
def test_any_account_will_do_where_an_address_will(by):
    rules.identified(by, rule(identity="email"))


@pytest.mark.parametrize("by", [replace(SLACK, oid="oid-maya"), replace(SLACK, surface="teams", oid="oid-maya"), WEB])
def test_an_account_of_a_known_person_will_do_where_a_link_is_wanted(by):
    rules.identified(by, rule(identity="linked"))


@pytest.mark.parametrize("by", [SLACK, replace(WEB, oid="")])
def test_an_account_of_nobody_is_refused_where_a_link_is_wanted(by):
    call = lambda: rules.identified(by, rule(identity="linked"))  # noqa: E731
    refusal(NotLinked, call, "For dev", "linked to your company account", "Press the button again")


def test_only_a_page_will_do_where_a_sign_in_is_wanted():
    rules.identified(WEB, rule(identity="sign-in"))


@pytest.mark.parametrize("by", [SLACK, replace(SLACK, oid="oid-maya"), replace(WEB, surface="email")])
def test_a_chat_is_refused_where_a_sign_in_is_wanted(by):
    call = lambda: rules.identified(by, rule(identity="sign-in"))  # noqa: E731
    refusal(SignInNeeded, call, "Answers for dev", "after signing in", "Press the button again")


def may_answer(state, *, who=None, environment=None, request="churn/7/dev/1", now=LATER):
    about = RequestId.parse(request)
    environment = environment or rule(about.environment)
    return rules.may_answer(state, about, environment, who or member(), now)


def test_whoever_may_answer_is_given_the_round_before_they_say_what():
    state = asked()
    assert may_answer(state) is state.pending[0]


def test_whether_somebody_may_answer_needs_no_package():
    """A page that is looked at asks no registry; the vote does."""
    assert may_answer(asked())
    refusal(ModelChanged, lambda: vote(asked(), gone=True))


@pytest.mark.parametrize(
    ("kind", "state", "more"),
    [
        (AlreadyDecided, after(asked(), vote_of("Omar")), {}),
        (UnknownRequest, asked(), {"request": "churn/7/dev/2"}),
        (Expired, asked(), {"now": START + timedelta(days=14)}),
        (OutOfOrder, asked("test"), {"request": "churn/7/test/1"}),
        (NotAnApprover, asked(), {"who": member("Eli", GROUPS["test"])}),
        (NotAnApprover, asked(), {"who": member(enabled=False)}),
        (NotAnApprover, asked(), {"who": member(tenant=False)}),
        (SelfApproval, asked(requester="oid-maya", four_eyes=True), {}),
        (SelfApproval, approved_in_dev(distinct_from_previous=True), {"request": "churn/7/test/1"}),
        (AlreadyAnswered, after(asked(required=2), vote_of(required=2)), {}),
    ],
)
def test_whatever_refuses_a_vote_refuses_it_before_it_is_given(kind, state, more):
    refusal(kind, lambda: may_answer(state, **more))


@pytest.mark.parametrize("answer", [Answer.APPROVE, Answer.REJECT])
def test_only_a_reject_needs_a_reason(answer):
    rules.has_reason(answer, "drifts")
    if answer is Answer.APPROVE:
        rules.has_reason(answer, "")
    else:
        refusal(ReasonMissing, lambda: rules.has_reason(answer, " \n"), "reject needs a reason")


def test_a_member_of_the_company_belongs_whatever_their_groups():
    rules.belongs(member("Eli", "none"))


@pytest.mark.parametrize(
    ("who", "words"),
    [
        (member("Eli", enabled=False), "is disabled in the directory. Ask your administrator."),
        (member("Eli", tenant=False), "is a guest in the directory, and guests cannot answer. Ask a member of"),
        (member("Eli", enabled=False, tenant=False), "is disabled"),
    ],
)
def test_guests_and_disabled_accounts_do_not_belong(who, words):
    refusal(NotAnApprover, lambda: rules.belongs(who), "Eli", words)


def test_a_package_that_is_gone_cannot_be_answered():
    refusal(ModelChanged, lambda: vote(asked(), gone=True), "churn v7", "no longer in the registry", "Ask who")


@pytest.mark.parametrize(
    "changed",
    [
        package(arn="arn:other"),
        package(containers=(Container("image", "sha256:2"),)),
        package(metrics=(("s3://reports/1", "etag"),)),
    ],
)
def test_a_package_that_is_not_the_one_on_the_card_cannot_be_answered(changed):
    refusal(ModelChanged, lambda: vote(asked(), of=changed), "churn v7", "has changed", "answer on the new card")


def revoke(state, request="churn/7/dev/1", *, reason="drifts", who=None):
    asked_for = ActJob(Act.REVOKE, RequestId.parse(request), SLACK, "op", LATER, reason)
    return rules.acted(state, asked_for, rule(asked_for.request.environment), member=who or member())


def test_an_approval_that_stands_may_be_revoked_with_a_reason():
    found = revoke(approved_in_dev(), reason=" drifts ")
    assert (found.environment, found.round, found.by.name, found.reason) == ("dev", 1, "Maya", "drifts")


@pytest.mark.parametrize(
    ("state", "request_id"),
    [
        (asked(), "churn/7/dev/1"),
        (approved_in_dev(), "churn/7/dev/2"),
        (approved_in_dev(), "churn/7/test/1"),
    ],
)
def test_what_does_not_stand_cannot_be_revoked(state, request_id):
    refusal(NotRevocable, lambda: revoke(state, request_id), request_id, "nothing was revoked", "/model-status churn")


def test_what_was_revoked_already_says_by_whom():
    state = after(approved_in_dev(), revoked())
    refusal(AlreadyDecided, lambda: revoke(state, "churn/7/dev/1"), "Revoked by Omar", "UTC")


def test_a_revoke_needs_a_reason_and_an_approver():
    refusal(ReasonMissing, lambda: revoke(approved_in_dev(), reason=" "), "needs a reason", "say why")
    outsider = member("Eli", GROUPS["test"])
    refusal(NotAnApprover, lambda: revoke(approved_in_dev(), who=outsider), "Eli")


@pytest.mark.parametrize("who", [member("Eli", enabled=False), member("Eli", tenant=False)])
def test_only_enabled_members_of_the_tenant_may_ask(who):
    refusal(NotRequestable, lambda: rules.may_request(who), "Eli", "cannot ask")


def test_a_member_of_no_group_may_ask():
    rules.may_request(member("Eli", "none"))


def requestable(state, environment="dev", of=None):
    return rules.requestable(state, environment, of, POLICY, LATER)


def test_a_version_that_is_not_registered_cannot_be_asked_about():
    empty = VersionState(MODEL)
    refusal(NotRequestable, lambda: requestable(empty), "churn v7", "not in the registry", "Check group and version")


def test_a_version_that_is_being_asked_about_is_not_asked_about_twice():
    call = lambda: requestable(asked(), of=package())  # noqa: E731
    refusal(NotRequestable, call, "churn/7/dev/1", "already", "Answer on its card")


def test_a_version_cannot_be_asked_about_out_of_order():
    call = lambda: requestable(asked(), "test", package())  # noqa: E731
    refusal(NotRequestable, call, "churn v7", "before test", "Ask for those first")


def test_a_version_that_is_not_governed_is_not_asked_about():
    failed = package(package_status="Failed")
    call = lambda: requestable(VersionState(MODEL), of=failed)  # noqa: E731
    refusal(NotRequestable, call, "churn v7", "not Completed", "platform engineer")


def test_a_version_from_before_the_policy_s_since_is_taken_in_by_asking():
    old = package(created_at=START - timedelta(days=1000))
    assert requestable(VersionState(MODEL), of=old) is old


def test_an_expired_request_can_be_asked_for_again():
    late = START + timedelta(days=15)
    found = package()
    assert rules.requestable(asked(), "dev", found, POLICY, late) is found


def test_a_changed_or_decided_version_can_be_asked_about_again():
    changed = package(containers=())
    assert requestable(asked(), of=changed) is changed
    assert requestable(after(asked(), Expiry("dev", 1)), of=package())
    assert requestable(after(approved_in_dev(), Expiry("test", 1)), "test", package())


def askable(state, environment="dev", now=LATER, **known):
    rules.askable(state, environment, POLICY, now, **known)


def test_what_can_be_told_of_a_request_without_the_package_is_told():
    askable(VersionState(MODEL))
    askable(after(asked(), Expiry("dev", 1)))
    askable(approved_in_dev(), "dev")
    askable(after(approved_in_dev(), Expiry("test", 1)), "test")
    refusal(NotRequestable, lambda: askable(asked()), "churn/7/dev/1", "already", "Answer on its card")
    refusal(NotRequestable, lambda: askable(approved_in_dev(), "test"), "churn/7/test/1", "already")
    refusal(NotRequestable, lambda: askable(asked(), "test"), "before test", "Ask for those first")
    refusal(NotRequestable, lambda: askable(asked(), "staging"), "before staging")


def test_a_request_that_waits_about_another_package_can_be_asked_for():
    askable(asked(), fingerprint="another")
    refusal(NotRequestable, lambda: askable(asked(), fingerprint=package().fingerprint), "already")


def test_a_request_that_nobody_answered_in_time_can_be_asked_for_ahead_of_its_end():
    due_at = START + timedelta(days=14)
    refusal(NotRequestable, lambda: askable(asked(), now=due_at - timedelta(milliseconds=1)), "already")
    askable(asked(), now=due_at)


def due(state, of=None, policy=POLICY):
    return rules.due(state, of or package(), policy)


def test_a_new_version_is_asked_about_for_the_first_environment_unless_it_was_rejected():
    empty = VersionState(MODEL)
    assert due(empty) == "dev"
    assert due(empty, package(status="Rejected")) == ""


def test_a_waiting_round_is_opened_anew_only_for_another_package():
    assert due(asked()) == ""
    assert due(asked(), package(containers=())) == "dev"


def test_the_next_environment_follows_an_approval():
    assert due(after(asked(), vote_of())) == "test"
    assert due(after(approved_in_dev(), vote_of(environment="test"))) == "uat"


def test_nothing_is_due_when_every_environment_has_approved():
    state = after(approved_in_dev(), vote_of(environment="test"))
    state = after(state, opened(state, "uat"), vote_of(environment="uat"))
    assert due(state) == ""


def test_nothing_follows_a_no_in_the_same_environment():
    assert due(after(asked(), Expiry("dev", 1))) == ""
    assert due(after(approved_in_dev(), vote_of(environment="test", answer=Answer.REJECT, reason="no"))) == ""


def test_nothing_follows_by_itself_where_inference_has_to_come_first():
    environments = tuple(replace(each, request_after="inference") for each in POLICY.environments)
    assert due(after(asked(), vote_of()), policy=replace(POLICY, environments=environments)) == ""


def test_a_round_that_ended_with_a_revoke_is_asked_again_after_the_next_approval():
    state = after(approved_in_dev(), revoked())
    assert due(state) == ""
    state = after(state, opened(state), vote_of(number=2))
    assert due(state) == "test"


def superseding(state, newer, request="churn/7/dev/1"):
    return rules.superseded(state, RequestId.parse(request), newer)


def test_a_newer_approval_ends_an_older_request_that_waits():
    assert superseding(asked(), (9, LATER)) == Superseded("dev", 1, 9)


@pytest.mark.parametrize("newer", [None, (7, LATER), (6, LATER), (9, START - timedelta(days=1)), (9, START)])
def test_what_is_not_newer_supersedes_nothing(newer):
    assert superseding(asked(), newer) is None


def test_only_a_round_that_waits_is_superseded():
    assert superseding(after(asked(), vote_of()), (9, LATER)) is None
    assert superseding(asked(), (9, LATER), "churn/7/dev/2") is None
