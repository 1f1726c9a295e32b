"""What a signed-in person may look at and hand in: the guards of the one writer, asked ahead of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clicks import PATIENCE, AnswerJob, RequestJob
from bot.desk import Asking, Desk, Stage, op_of
from bot.domain import Act, Answer, ChatUser, ModelVersion, RequestId, State
from bot.entries import Hand
from bot.errors import (
    AlreadyAnswered,
    AlreadyDecided,
    Expired,
    NotAnApprover,
    NotIdentified,
    NotLinked,
    NotRequestable,
    OutOfOrder,
    ReasonMissing,
    SelfApproval,
    SignInNeeded,
    Unavailable,
    UnknownRequest,
)
from bot.members import Person
from tests.proofs.world import GROUPS, World, policy_of

MODEL = ModelVersion("churn", 1)
DEV, TEST = RequestId("churn", 1, "dev", 1), RequestId("churn", 1, "test", 1)


def web(user):
    return ChatUser("web", "tenant", f"oid-{user}", oid=f"oid-{user}")


MAYA, OMAR, PRIYA, ELI = map(web, ("maya", "omar", "priya", "eli"))


class Office(World):
    """A world with a desk; `puts` are the jobs that the desk has handed over."""

    def __init__(self, policy=None):
        super().__init__(policy)
        near = self.near()
        self.desk = Desk(near.policy, near.records, near.directory, near.jobs, near.crew, near.clock)

    def waiting_jobs(self):
        return [queued.job for queue in self.jobs.queues.values() for queued in queue]

    def hand_in(self, request=DEV, answer=Answer.APPROVE, by=MAYA, *, nonce="n1", reason=""):
        self.desk.answer(request, answer, by, nonce=nonce, reason=reason)
        self.drain()


@pytest.fixture
def office():
    return opened()


def opened(policy=None, version=1):
    found = Office(policy)
    found.register(version)
    found.drain()
    return found


def approved(**extra):
    """Approved for dev by Maya, and asked about for test."""
    found = opened(policy_of(("dev", "test"), **extra))
    found.hand_in()
    return found


# ------------------------------------------------------------------------------------------------------------ review


def test_an_approver_sees_the_card_and_may_answer(office):
    review = office.desk.review(DEV, MAYA)
    assert (review.refusal, review.person.name, review.one.id) == (None, "Maya", DEV)
    assert review.card.title == office.channel.messages["1.000"].card.title
    assert review.card.open


def test_looking_changes_nothing(office):
    calls = len(office.calls)
    office.desk.review(DEV, MAYA)
    assert office.writes(calls) == []
    assert not office.waiting_jobs()


def refusal(office, request=DEV, by=MAYA):
    found = office.desk.review(request, by).refusal
    assert found is not None
    return type(found), str(found)


def test_somebody_outside_of_the_group_sees_the_card_and_who_may_answer(office):
    assert office.desk.review(DEV, ELI).card.open
    kind, text = refusal(office, by=ELI)
    assert kind is NotAnApprover
    assert "Only members of approvers-dev may answer; ask one of them" in text


def test_a_decided_request_says_who_decided_and_when(office):
    office.hand_in(by=OMAR)
    kind, text = refusal(office)
    assert kind is AlreadyDecided
    assert "Approved by Omar, 2026-11-24 09:00 UTC" in text
    assert office.desk.review(DEV, MAYA).one.state is State.APPROVED


def test_a_rejected_request_says_why(office):
    office.hand_in(answer=Answer.REJECT, by=OMAR, reason="Recall is too low.")
    assert refusal(office)[0] is AlreadyDecided
    assert "Rejected by Omar: Recall is too low." in refusal(office)[1]


def test_a_request_that_was_stopped_by_hand_is_decided(office):
    office.registry.edit(MODEL, "kim", status="Rejected")
    office.drain()
    assert refusal(office)[0] is AlreadyDecided
    assert "kim" in refusal(office)[1]
    assert office.state(MODEL).entries[-1].event.action is Hand.STOP


def test_a_superseded_request_names_the_newer_version(office):
    office.register(2)
    office.drain()
    office.hand_in(RequestId("churn", 2, "dev", 1))
    assert refusal(office)[0] is AlreadyDecided
    assert "Superseded by v2" in refusal(office)[1]


def test_an_expired_request_says_so_before_anybody_has_noted_it(office):
    office.clock.advance(days=15)
    assert refusal(office)[0] is Expired
    assert "has expired" in refusal(office)[1]


def test_an_old_round_names_the_round_to_answer(office):
    office.hand_in(answer=Answer.REJECT, reason="no")
    office.ask("omar", MODEL, "dev")
    office.drain()
    assert refusal(office)[0] is UnknownRequest
    assert "round 2" in refusal(office)[1]
    assert office.desk.review(replace(DEV, round=2), MAYA).refusal is None


def test_a_request_whose_earlier_environment_was_revoked_is_over():
    office = approved()
    office.revoke("omar", str(DEV))
    office.drain()
    assert refusal(office, TEST)[0] is AlreadyDecided


def test_the_requester_sees_that_four_eyes_are_wanted():
    office = opened(policy_of(("dev",), dev="four_eyes = true"))
    office.hand_in(answer=Answer.REJECT, reason="no")
    office.ask("omar", MODEL, "dev")
    office.drain()
    again = replace(DEV, round=2)
    assert refusal(office, again, OMAR)[0] is SelfApproval
    assert office.desk.review(again, MAYA).refusal is None


def test_whoever_approved_before_sees_that_somebody_else_is_wanted():
    office = approved(test="distinct_from_previous = true")
    assert refusal(office, TEST, MAYA)[0] is SelfApproval
    assert office.desk.review(TEST, OMAR).refusal is None


def test_whoever_has_answered_sees_that_another_is_wanted():
    office = opened(policy_of(("dev",), dev="required = 2"))
    office.hand_in()
    assert refusal(office)[0] is AlreadyAnswered
    assert office.desk.review(DEV, OMAR).refusal is None


@pytest.mark.parametrize(
    ("identity", "by", "kind"),
    [
        ("sign-in", ChatUser("slack", "T1", "maya"), SignInNeeded),
        ("sign-in", ChatUser("slack", "T1", "maya", oid="oid-maya"), SignInNeeded),
        ("linked", ChatUser("slack", "T1", "maya"), NotLinked),
    ],
)
def test_an_account_that_is_not_known_well_enough_may_not_answer(identity, by, kind):
    office = opened(policy_of(("dev",), dev=f'identity = "{identity}"'))
    assert refusal(office, by=by)[0] is kind
    assert office.desk.review(DEV, MAYA).refusal is None


@pytest.mark.parametrize(
    "request_id", ["churn/1/prod/1", "fraud/1/dev/1", "churn/1/dev/2", "churn/1/test/1", "churn/9/dev/1"]
)
def test_what_was_never_asked_is_unknown(office, request_id):
    with pytest.raises(UnknownRequest, match=request_id):
        office.desk.review(RequestId.parse(request_id), MAYA)


@pytest.mark.parametrize(("changes", "words"), [({"enabled": False}, "disabled"), ({"member": False}, "guest")])
def test_guests_and_disabled_accounts_may_not_even_look(office, changes, words):
    office.directory.add("maya", *GROUPS.values(), **changes)
    for call in (
        lambda: office.desk.review(DEV, MAYA),
        lambda: office.desk.overview(MAYA),
        lambda: office.desk.member(MAYA),
        office.hand_in,
    ):
        with pytest.raises(NotAnApprover, match=words):
            call()
    assert office.request_state(str(DEV)) is State.PENDING


def test_whoever_is_in_no_directory_may_not_look(office):
    with pytest.raises(NotIdentified):
        office.desk.review(DEV, web("eve"))


def test_while_the_directory_does_not_answer_nothing_is_shown_and_nothing_handed_in(office):
    office.directory.down = True
    for call in (lambda: office.desk.review(DEV, MAYA), lambda: office.desk.overview(MAYA), office.hand_in):
        with pytest.raises(Unavailable):
            call()
    assert not office.waiting_jobs()


# ------------------------------------------------------------------------------------------------------------ answer


def test_an_answer_is_handed_to_the_one_writer(office):
    office.desk.answer(DEV, Answer.REJECT, MAYA, nonce="n1", reason="slow")
    (job,) = office.waiting_jobs()
    assert job == AnswerJob(DEV, Answer.REJECT, MAYA, "web|oid-maya|n1|churn/1/dev/1", job.at, "slow")
    assert office.request_state(str(DEV)) is State.PENDING
    office.drain()
    assert office.request_state(str(DEV)) is State.REJECTED
    office.check_rest()


def test_an_answer_by_page_is_shown_on_the_card_as_any_other(office):
    office.hand_in()
    assert not office.channel.messages["1.000"].card.open
    assert any("Maya approved churn v1 for dev" in line for line in office.channel.messages["1.000"].replies)


def test_whatever_would_refuse_an_answer_hands_nothing_in(office):
    with pytest.raises(NotAnApprover):
        office.desk.answer(DEV, Answer.APPROVE, ELI, nonce="n1")
    for reason in ("", " \n"):
        with pytest.raises(ReasonMissing):
            office.desk.answer(DEV, Answer.REJECT, MAYA, nonce="n1", reason=reason)
    with pytest.raises(UnknownRequest):
        office.desk.answer(TEST, Answer.APPROVE, MAYA, nonce="n1")
    office.clock.advance(days=15)
    with pytest.raises(Expired):
        office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    assert not office.waiting_jobs()


def test_whoever_left_the_group_since_they_looked_hands_nothing_in(office):
    assert office.desk.review(DEV, MAYA).refusal is None
    office.directory.add("maya", GROUPS["test"])
    with pytest.raises(NotAnApprover):
        office.hand_in()
    assert not office.waiting_jobs()


def test_whoever_leaves_the_group_after_handing_in_is_refused_by_the_writer(office):
    office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    office.directory.add("maya", GROUPS["test"])
    office.drain()
    assert office.request_state(str(DEV)) is State.PENDING


def test_one_form_makes_one_entry_however_often_it_is_sent():
    office = opened(policy_of(("dev",), dev="required = 2"))
    for _ in range(2):
        office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    assert len(office.waiting_jobs()) == 1
    office.drain()
    with pytest.raises(AlreadyAnswered):
        office.hand_in(nonce="n1")
    assert len(office.entries(MODEL)) == 2


def test_two_forms_of_one_person_make_one_vote():
    office = opened(policy_of(("dev",), dev="required = 2"))
    for nonce in ("n1", "n2"):
        office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce=nonce)
    assert len(office.waiting_jobs()) == 2
    office.drain()
    assert len(office.entries(MODEL)) == 2


def test_a_form_has_a_name_of_its_own_for_each_person_and_request():
    names = {op_of(by, nonce, about) for by in (MAYA, OMAR) for nonce in "ab" for about in (DEV, TEST, MODEL)}
    assert len(names) == 12


# ----------------------------------------------------------------------------------------------------------- outcome


def outcome(office, *, nonce="n1", by=MAYA, since=None):
    return office.desk.outcome(DEV, by, nonce=nonce, since=since or office.clock())


def test_an_answer_waits_until_it_is_recorded(office):
    since = office.clock()
    office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    assert outcome(office, since=since).stage is Stage.WAITING
    office.drain()
    found = outcome(office, since=since)
    assert (found.stage, found.text, found.request) == (Stage.RECORDED, "Your answer is recorded.", DEV)


def test_a_recorded_answer_stays_recorded_whatever_follows(office):
    since = office.clock()
    office.hand_in()
    office.revoke("omar", str(DEV))
    office.drain()
    office.clock.advance(days=20)
    office.directory.add("maya")
    assert outcome(office, since=since).stage is Stage.RECORDED


def test_whoever_was_slower_is_told_who_decided(office):
    office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    office.hand_in(answer=Answer.REJECT, by=OMAR, reason="drifts", nonce="n2")
    office.drain()
    assert outcome(office).stage is Stage.RECORDED
    found = outcome(office, by=OMAR, nonce="n2")
    assert found.stage is Stage.REFUSED
    assert "Approved by Maya" in found.text


def test_whoever_left_the_group_is_told_so(office):
    office.desk.answer(DEV, Answer.APPROVE, MAYA, nonce="n1")
    office.directory.add("maya")
    office.drain()
    found = outcome(office)
    assert found.stage is Stage.REFUSED
    assert "is not an approver for dev" in found.text


def test_an_answer_that_never_arrived_is_lost_after_a_quarter_of_an_hour(office):
    since = office.clock()
    office.clock.now = since + PATIENCE - timedelta(seconds=1)
    assert outcome(office, since=since).stage is Stage.WAITING
    office.clock.now = since + PATIENCE
    found = outcome(office, since=since)
    assert found.stage is Stage.LOST
    assert "was not recorded; nothing has changed" in found.text


def test_somebody_elses_form_is_not_ones_own(office):
    office.hand_in(nonce="n1")
    assert outcome(office, by=OMAR).stage is Stage.REFUSED


# ------------------------------------------------------------------------------------------------- ask, and its outcome


def asked(office, environment="dev", *, by=OMAR, nonce="n1", since=None):
    return office.desk.asked(MODEL, environment, by, nonce=nonce, since=since or office.clock())


def rejected():
    found = opened()
    found.hand_in(answer=Answer.REJECT, reason="no")
    return found


def test_whoever_belongs_to_the_company_may_ask_again():
    office = rejected()
    assert office.desk.asking(MODEL, "dev", ELI) == Asking(Person("oid-eli", "Eli"), takes_in=False)
    office.desk.ask(MODEL, "dev", ELI, nonce="n1")
    (job,) = office.waiting_jobs()
    assert job == RequestJob(MODEL, "dev", ELI, "web|oid-eli|n1|churn v1", job.at)
    since = office.clock()
    assert asked(office, by=ELI, since=since).stage is Stage.WAITING
    office.drain()
    found = asked(office, by=ELI, since=since)
    assert (found.stage, found.request) == (Stage.RECORDED, replace(DEV, round=2))
    assert found.text == "churn v1 is asked about for dev."
    assert office.desk.review(replace(DEV, round=2), MAYA).one.opened.requester.name == "Eli"


@pytest.mark.parametrize(
    ("model", "environment"), [(MODEL, "prod"), (MODEL, "staging"), (ModelVersion("fraud", 1), "dev")]
)
def test_what_the_policy_does_not_know_cannot_be_asked_for(office, model, environment):
    for call in (office.desk.asking, lambda *about: office.desk.ask(*about, nonce="n1")):
        with pytest.raises(UnknownRequest, match=environment):
            call(model, environment, MAYA)


def test_what_is_being_asked_already_cannot_be_asked_for(office):
    with pytest.raises(NotRequestable, match="churn/1/dev/1"):
        office.desk.ask(MODEL, "dev", MAYA, nonce="n1")
    assert not office.waiting_jobs()


def test_what_is_out_of_order_cannot_be_asked_for(office):
    with pytest.raises(NotRequestable, match="before test"):
        office.desk.ask(MODEL, "test", MAYA, nonce="n1")


@pytest.mark.parametrize("changes", [{"enabled": False}, {"member": False}])
def test_guests_and_disabled_accounts_cannot_ask(changes):
    office = rejected()
    office.directory.add("eli", **changes)
    with pytest.raises(NotRequestable, match="not an enabled member"):
        office.desk.ask(MODEL, "dev", ELI, nonce="n1")
    assert not office.waiting_jobs()


def test_whoever_asked_later_is_told_that_it_is_asked_already():
    office = rejected()
    office.desk.ask(MODEL, "dev", ELI, nonce="n1")
    office.desk.ask(MODEL, "dev", OMAR, nonce="n2")
    office.drain()
    assert asked(office, by=ELI).stage is Stage.RECORDED
    found = asked(office, by=OMAR, nonce="n2")
    assert found.stage is Stage.REFUSED
    assert "churn/1/dev/2" in found.text


def test_a_request_that_never_arrived_is_lost_after_a_quarter_of_an_hour():
    office = rejected()
    since = office.clock()
    assert asked(office, since=since).stage is Stage.WAITING
    office.clock.now = since + PATIENCE
    assert asked(office, since=since).stage is Stage.LOST


# ----------------------------------------------------------------------------------------------------------- waiting


def test_everything_that_waits_is_listed_ones_own_first_then_by_age():
    office = Office(policy_of(("dev", "test"), test="four_eyes = false"))
    for version, group in ((1, "churn"), (1, "churn-eu"), (2, "churn-eu")):
        office.register(version, group)
        office.drain()
        office.clock.advance(minutes=1)
    office.hand_in(RequestId("churn-eu", 1, "dev", 1))
    office.directory.add("eli", GROUPS["test"])
    seen = office.desk.overview(ELI)
    member, found = seen.member, seen.waiting
    assert member.groups == frozenset({GROUPS["test"]})
    assert [(str(each.request), each.mine) for each in found] == [
        ("churn-eu/1/test/1", True),
        ("churn/1/dev/1", False),
        ("churn-eu/2/dev/1", False),
    ]
    assert found[1].since < found[2].since


def test_nothing_that_was_decided_is_listed(office):
    assert [str(each.request) for each in office.desk.overview(MAYA).waiting] == ["churn/1/dev/1"]
    office.hand_in()
    assert [str(each.request) for each in office.desk.overview(MAYA).waiting] == ["churn/1/test/1"]
    office.hand_in(TEST, Answer.REJECT, reason="no")
    assert office.desk.overview(MAYA).waiting == ()


def test_a_member_is_shown_with_the_approver_groups_they_are_in(office):
    assert office.desk.member(MAYA).groups == frozenset({GROUPS["dev"], GROUPS["test"]})
    assert office.desk.member(ELI).groups == frozenset()


def test_an_environment_that_the_policy_has_lost_is_nobodys_to_answer():
    office = approved()
    later = replace(office.desk, policy=policy_of(("dev",)))
    assert [(each.request, each.mine) for each in later.overview(MAYA).waiting] == [(TEST, False)]


def test_what_an_answer_takes_is_taken_by_a_revoke_too():
    office = opened(policy_of(("dev",), dev='identity = "sign-in"'))
    office.hand_in()
    assert office.desk.taking(Act.REVOKE, DEV, MAYA).person.name == "Maya"
    with pytest.raises(SignInNeeded):
        office.desk.taking(Act.REVOKE, DEV, ChatUser("slack", "T1", "maya", oid="oid-maya"))


def test_groups_and_versions_are_read_as_they_stand(office):
    assert list(office.desk.overview(MAYA).statuses) == ["churn"]
    assert office.desk.group("churn").versions["1"].environments["dev"].state is State.PENDING
    assert office.desk.version(MODEL).state.head == 1
    assert office.desk.version(ModelVersion("churn", 9)).state.head == 0
    assert dict(office.desk.group("fraud").versions) == {}


def test_out_of_order_is_told_as_such():
    """A policy that puts an environment before one that is being asked about."""
    office = opened(policy_of(("dev",)))
    state = office.state(MODEL)
    one = replace(state.rounds["dev"][0], opened=replace(state.rounds["dev"][0].opened, path=("test", "dev")))

    class Shelf:
        def look(self, model, *, status):
            return replace(
                office.near().records.look(model, status=status), state=replace(state, rounds={"dev": (one,)})
            )

    desk = replace(office.desk, records=Shelf())
    assert type(desk.review(DEV, MAYA).refusal) is OutOfOrder
