"""What people ask in private: who may answer, whether they may, and what waits for them. It changes nothing."""

from dataclasses import replace

import pytest

from bot.clicks import QuestionJob
from bot.domain import ChatUser, RequestId
from bot.errors import Refused, Unavailable
from bot.jobs import Receipt
from bot.overview import LOOKING, Question, Statuses
from bot.promotion import Promotion
from bot.status import read_status
from tests.proofs.world import World, policy_of

DEV = RequestId("churn", 1, "dev", 1)
PAGES = "https://approvals.example.com"


def waiting(*environments, **rules):
    world = World(policy_of(environments or ("dev", "test"), **rules))
    world.directory.emails = {"omar@example.com": "oid-omar", "eli@example.com": "oid-eli"}
    world.register(1)
    world.drain()
    return world


def asked(world, request=None, *, user="maya", about="", receipt=None, job=None):
    """What they are told; the history and all else stay as they are."""
    before = {name: list(values) for name, values in world.parameters.stored.items()}
    by = ChatUser("slack", "T1", user, "C0MODELS00")
    question = job or QuestionJob(by, f"question|{len(world.channel.private)}", world.clock(), request, about)
    Promotion(replace(world.near(), pages=PAGES)).handle(question, receipt or Receipt())
    assert world.parameters.stored == before
    return world.channel.told(user)[-1] if world.channel.told(user) else ""


def test_whoever_may_answer_is_told_so():
    assert asked(waiting(), DEV).splitlines() == [
        "churn/1/dev/1: Waits for members of approvers-dev.",
        "You may answer.",
        f"{PAGES}/requests/churn/1/dev/1",
    ]


def test_whoever_may_not_is_told_why():
    assert "You may not answer: Eli is not an approver for dev. Only members of approvers-dev may answer" in asked(
        waiting(), DEV, user="eli"
    )


def test_somebody_else_is_named_by_an_address_or_an_account():
    world = waiting()
    assert "Omar may answer." in asked(world, DEV, about="omar@example.com")
    assert "Eli may not answer: Eli is not an approver" in asked(world, DEV, about="eli@example.com")
    assert "Priya may answer." in asked(world, DEV, about="priya")
    assert asked(world, DEV, about="nobody@example.com").startswith("Not one person of the directory has the address")


def test_the_rules_of_the_round_are_asked_too():
    world = waiting(dev="required = 2")
    world.answer("maya", str(DEV))
    world.drain()
    told = asked(world, DEV)
    assert "churn/1/dev/1: 1 of 2 approvals: Maya." in told
    assert "You may not answer: You have answered churn/1/dev/1 already" in told
    world.answer("omar", str(DEV))
    world.drain()
    assert "already decided. Approved by Maya, Omar" in asked(world, DEV, user="priya")


def test_strangers_and_guests_learn_nothing():
    world = waiting()
    world.directory.add("gus", *policy_of().environments[0].approvers, member=False)
    assert "is a guest in the directory" in asked(world, DEV, user="gus")
    assert "could not be tied to one person" in asked(world, DEV, user="nobody")


def test_a_request_that_is_not_there_is_said():
    assert asked(waiting(), RequestId("churn", 1, "dev", 7)).startswith("There is no request churn/1/dev/7.")


def test_what_waits_for_ones_own_groups_is_listed_the_longest_waiting_first():
    world = waiting()
    world.directory.add("tess", world.policy.environments[1].approvers)
    for version in range(2, 15):
        world.register(version)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    lines = asked(world, user="omar").splitlines()
    assert lines[0] == "14 requests wait for an answer of your groups:"
    assert lines[1].startswith("churn v2 for dev, since 2026-11-24 ")
    assert lines[-2:] == ["and 4 more", f"{PAGES}/"]
    assert [line.split(",")[0] for line in asked(world, user="tess").splitlines()] == [
        "1 request waits for an answer of your groups:",
        "churn v1 for test",
        f"{PAGES}/",
    ]
    assert asked(world, user="eli") == "Nothing waits for an answer of one of your groups."


def test_nobody_waits_for_an_old_question():
    world = waiting()
    job = QuestionJob(ChatUser("slack", "T1", "maya", "C0MODELS00"), "q", world.clock(), DEV)
    assert asked(world, job=job, receipt=Receipt(9, dead=True)) == ""
    world.clock.advance(minutes=16)
    assert asked(world, job=job) == ""


def test_a_question_that_cannot_be_answered_yet_comes_again():
    world = waiting()
    world.directory.down = True
    with pytest.raises(Unavailable):
        asked(world, DEV)


def test_whoever_cannot_be_told_is_left_alone():
    world = waiting()
    world.channel.broken = Refused("user_not_in_channel")
    assert asked(world, DEV) == ""


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("mine", Question()),
        ("who churn v1 dev", Question(DEV)),
        ("who churn 1 dev omar@example.com", Question(DEV, "omar@example.com")),
        ("who churn 1 dev <@U0MAYA|maya>", Question(DEV, "U0MAYA")),
    ],
)
def test_what_is_typed_becomes_a_question(text, question):
    world = waiting()
    status = read_status(world.parameters.value(world.names.status("churn")))
    statuses = Statuses(lambda: [("churn", status)], lambda name: status if name == "churn" else None)
    assert statuses.answer(text, command="model-status") == question
    assert "in a moment" in str(LOOKING)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("who churn 1 dev maya", "by an address of the company, or, in Slack, by @"),
        ("who churn 1 prod", "churn v1 has not been asked about for prod."),
        ("who iris 1 dev", "iris v1 has not been asked about for dev."),
        ("who churn 1", "I do not know “who churn 1”."),
        ("who churn 1 dev a b", "shows"),
        ("churn 1 prod", "I do not know “churn 1 prod”."),
        ("x " * 100, "x…”."),
    ],
)
def test_what_cannot_be_a_question_is_answered_at_once(text, says):
    world = waiting()
    status = read_status(world.parameters.value(world.names.status("churn")))
    statuses = Statuses(lambda: [("churn", status)], lambda name: status if name == "churn" else None)
    answer = statuses.answer(text, command="model-status")
    assert isinstance(answer, tuple)
    assert says in str(answer)


def test_help_begins_with_no_complaint():
    statuses = Statuses(list, lambda _: None)
    assert "I do not know" not in str(statuses.answer("help", command="model-status"))


def test_a_guest_learns_nothing_of_others_and_nothing_of_what_waits():
    world = waiting()
    world.directory.add("gus", *(each.approvers for each in world.policy.environments), member=False)
    for question in ((DEV, "omar@example.com"), (None, "")):
        assert "is a guest in the directory" in asked(world, question[0], user="gus", about=question[1])


@pytest.mark.parametrize(
    ("identity", "oneself", "other"),
    [
        ("linked", "your account has to be linked", "Omar may answer, with a chat account that is linked to them."),
        ("sign-in", "Answers for dev are given after signing in", "Omar may answer, after signing in."),
    ],
)
def test_what_an_account_needs_is_said(identity, oneself, other):
    world = waiting(dev=f'identity = "{identity}"')
    assert "You may not answer: " in asked(world, DEV)
    assert oneself in asked(world, DEV)
    assert other in asked(world, DEV, about="omar@example.com")


def test_a_linked_account_is_its_person():
    world = waiting(dev='identity = "linked"')
    by = ChatUser("slack", "T1", "somebody", "C0MODELS00", "oid-maya")
    job = QuestionJob(by, "q", world.clock(), DEV)
    Promotion(replace(world.near(), pages=PAGES)).handle(job, Receipt())
    assert "You may answer." in world.channel.told("somebody")[-1]


def test_an_account_that_is_nobody_s_is_said_to_be_the_other_s():
    assert asked(waiting(), DEV, about="stranger") == "That account cannot be tied to one person of the directory."


def test_at_the_last_receive_it_is_said_that_it_cannot_be_looked_up():
    world = waiting()
    world.directory.down = True
    assert asked(world, DEV, receipt=Receipt(8, last=True)).startswith("This could not be looked up now.")


def test_where_a_surface_has_no_channel_nothing_breaks():
    world = waiting()
    job = QuestionJob(ChatUser("teams", "tenant", "maya"), "q", world.clock(), DEV)
    assert asked(world, job=job) == ""


def test_nobody_waits_behind_the_questions_of_others():
    first, second = (QuestionJob(ChatUser("slack", "T1", user), "q", waiting().clock()) for user in ("maya", "omar"))
    assert first.model.group != second.model.group
