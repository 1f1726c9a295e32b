"""One request on several surfaces: chats that repaint their cards, and mails, which nobody can call back."""

from dataclasses import replace

import pytest

from bot.domain import MessageRef, ModelVersion, RequestId
from bot.errors import Refused, Unavailable
from bot.line import plain
from tests.memory import MemoryChannel
from tests.proofs.world import World, policy_of

ADDRESS = "approvers@example.com"
PLACES = {"slack": "C0MODELS00", "teams": "19:models@thread.tacv2", "email": ADDRESS}


def asked(policy=None):
    """A world in which version 1 waits for dev, in two chats and in mailboxes."""
    found = policy or policy_of()
    found = replace(found, environments=tuple(replace(each, notify=PLACES) for each in found.environments))
    world = World(found)
    world.channels["teams"] = MemoryChannel(world.gate)
    world.channels["email"] = MemoryChannel(world.gate, repaints=False)
    world.register(1)
    world.drain()
    return world


def sent(world):
    """Every mail that asks, oldest first, with its replies."""
    return list(world.channels["email"].messages.values())


def posted(world, surface, request="churn/1/dev/1"):
    return world._record(RequestId.parse(request)).surfaces[surface]


def answered(world, user="maya", request="churn/1/dev/1", answer="approve", card=None):
    world.answer(user, request, answer, card=card)
    world.drain()


def test_a_request_is_asked_once_on_every_surface():
    world = asked()
    for surface, place in PLACES.items():
        [message] = world.channels[surface].messages.values()
        assert (message.channel, message.card.open) == (place, True)


def test_an_answer_on_one_surface_is_shown_on_every_other():
    world = asked()
    answered(world, card=posted(world, "slack").ref)
    for surface in ("slack", "teams"):
        message = world.channels[surface].messages[posted(world, surface).ts]
        assert not message.card.open
        assert message.replies[0] == "Maya approved churn v1 for dev."
        assert posted(world, surface).given_up == ""


def test_the_card_that_was_pressed_is_looked_for_on_its_own_surface_alone():
    world = asked()
    answered(world, card=MessageRef("C0MODELS00", "another"))
    assert "another" in world.channels["slack"].updated
    assert "another" not in world.channels["teams"].updated


def test_a_card_is_not_given_up_because_another_that_was_pressed_is_gone():
    world = asked()
    answered(world, card=MessageRef("C0MODELS00", "another"))
    for surface in ("slack", "teams"):
        assert posted(world, surface).given_up == ""
        assert not world.channels[surface].messages[posted(world, surface).ts].card.open


def test_a_mail_is_told_how_it_ended_and_nothing_else():
    world = asked()
    answered(world)
    first, second = sent(world)
    assert first.replies == ["Maya approved churn v1 for dev."], "that test is asked now is a mail of its own"
    assert (first.card.open, second.card.request.environment) == (True, "test")


def test_later_mails_of_a_version_follow_its_first():
    world = asked()
    answered(world)
    first, second = sent(world)
    assert (first.first, second.first) == (None, posted(world, "email").ref)
    world.register(2)
    world.drain()
    assert sent(world)[2].first is None


def test_the_first_of_two_approvals_is_no_end():
    world = asked(policy_of(dev="required = 2"))
    answered(world)
    assert sent(world)[0].replies == []
    answered(world, "omar")
    assert sent(world)[0].replies == ["Omar approved churn v1 for dev."]


def test_what_was_taken_back_is_told_too():
    world = asked()
    answered(world)
    world.revoke("omar", "churn/1/dev/1")
    world.drain()
    first, second = sent(world)
    assert first.replies[-1] == "Omar revoked churn v1 for dev: bad in use. Nothing is approved for dev any more."
    assert len(second.replies) == 1, "and the request that ended with it"


def test_no_sweep_tells_a_mail_twice_and_its_marker_goes():
    world = asked()
    answered(world, answer="reject")
    for _ in range(3):
        world.clock.advance(hours=2)
        world.sweep()
    assert [len(mail.replies) for mail in sent(world)] == [1]
    assert world.parameters.value(world.names.marker(ModelVersion("churn", 1), "dev")) is None


@pytest.mark.parametrize(
    "trouble", [Unavailable("throttled"), Refused("the sender is not verified")], ids=["now", "ever"]
)
def test_mails_that_cannot_be_sent_hold_up_no_card(trouble):
    world = asked()
    world.channels["email"].broken = trouble
    answered(world)
    assert not world.channels["slack"].messages[posted(world, "slack").ts].card.open
    assert plain(world.channels["teams"].messages[posted(world, "teams").ts].card.verdict).startswith(
        "Approved by Maya"
    )
    world.channels["email"].broken = None
    world.sweep()
    texts = [reply for mail in sent(world) for reply in mail.replies]
    assert texts == ([] if isinstance(trouble, Refused) else ["Maya approved churn v1 for dev."])
    assert len(sent(world)) == 2, "the request for test has reached the mailboxes in the end"


LOST = "The card of churn/1/dev/1 cannot be shown in Slack (is_archived). "


def without_slack(*, times=1):
    """A world in which Slack's channel has been archived before anything was asked."""
    found = replace(policy_of(), environments=tuple(replace(each, notify=PLACES) for each in policy_of().environments))
    world = World(found)
    world.channels["teams"] = MemoryChannel(world.gate)
    world.channel.broken = Refused("is_archived")
    world.register(1)
    world.drain()
    for _ in range(times):
        world.sweep()
    return world


@pytest.mark.parametrize("times", [1, 3])
def test_a_card_that_cannot_be_shown_is_told_of_on_another_surface_once(times):
    world = without_slack(times=times)
    [message] = world.channels["teams"].messages.values()
    assert [each for each in message.replies if "cannot be shown" in each] == [
        f"{LOST}Whoever is asked there does not see it; please tell a platform engineer."
    ]
    assert posted(world, "slack").given_up == "is_archived"
    answered(world)
    assert world.pointer("dev") == 1, "a chat never holds up a decision"


def test_a_channel_that_was_mended_is_asked_again():
    world = without_slack()
    world.channel.broken = None
    world.sweep()
    [message] = world.channel.messages.values()
    assert message.card.open
    assert posted(world, "slack").given_up == ""


def test_where_nobody_else_could_read_it_the_loss_stays_in_the_log(caplog):
    world = World(policy_of())
    world.channel.broken = Refused("is_archived")
    world.register(1)
    world.drain()
    world.sweep()
    assert "given up on slack: is_archived" in caplog.text
    answered(world)
    assert world.pointer("dev") == 1


def test_a_card_that_was_deleted_is_told_of_too():
    world = asked()
    del world.channel.messages[posted(world, "slack").ts]
    answered(world)
    world.sweep()
    message = next(iter(world.channels["teams"].messages.values()))
    assert any("cannot be shown in Slack (message_not_found)" in each for each in message.replies)
    head = len(message.replies)
    world.sweep()
    assert len(message.replies) == head
