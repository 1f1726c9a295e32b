"""Requests that nobody answers: they end when their time is over, once, and everybody is told."""

from datetime import timedelta

import pytest

from bot.card import plain
from bot.domain import Expiry, ModelVersion, State
from bot.jobs import CheckJob
from tests.proofs.world import World, policy_of

MODEL = ModelVersion("churn", 1)


def waiting(**rules):
    world = World(policy_of(**rules))
    world.register(1)
    world.drain()
    return world


def swept(world):
    world.sweep()
    world.drain()
    return world.state(MODEL)


def card(world, number=1):
    """The card of a round of dev, with its thread."""
    one = world.state(MODEL).rounds["dev"][number - 1]
    [found] = [each for each in world.channel.messages.values() if each.card.request == one.id]
    return found


@pytest.mark.parametrize(("rule", "time"), [("", timedelta(days=14)), ('expires_after = "90m"', timedelta(minutes=90))])
def test_a_request_ends_when_its_time_is_over_and_not_before(rule, time):
    world = waiting(dev=rule)
    opened = world.state(MODEL).rounds["dev"][0].opened_entry.at
    world.clock.advance(seconds=(opened + time - world.clock()).total_seconds() - 1)
    assert swept(world).current("dev").state is State.PENDING
    world.clock.advance(seconds=2)
    state = swept(world)
    assert (state.current("dev").state, state.entries[-1].event) == (State.EXPIRED, Expiry("dev", 1))
    shown = card(world)
    assert not shown.card.open
    assert plain(shown.card.verdict).startswith("Expired: nobody answered in time")
    assert [plain(line) for line in shown.replies] == [
        "Nobody answered in time: the request of churn v1 for dev has expired."
    ]
    assert world.registry.packages[MODEL].metadata["dev"] == "PendingManualApproval"


def test_it_ends_once_however_often_anybody_looks():
    world = waiting()
    world.clock.advance(days=20)
    head = swept(world).head
    for number in range(3):
        world.jobs.accept(CheckJob(MODEL, f"event-{number}"))
        assert swept(world).head == head
    assert len(card(world).replies) == 1


def test_an_answer_that_comes_too_late_is_refused_and_a_new_request_can_be_asked_for():
    world = waiting()
    world.clock.advance(days=15)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert swept(world).current("dev").state is State.EXPIRED
    world.ask("omar", MODEL, "dev")
    world.drain()
    world.answer("maya", "churn/1/dev/2")
    world.drain()
    assert [one.state for one in world.state(MODEL).rounds["dev"]] == [State.EXPIRED, State.APPROVED]


def test_what_waits_for_a_second_approval_ends_too():
    world = waiting(dev="required = 2")
    world.answer("maya", "churn/1/dev/1")
    world.clock.advance(days=15)
    state = swept(world)
    assert state.current("dev").state is State.EXPIRED
    assert not state.standing("dev")


def test_a_marker_of_what_has_expired_goes_after_an_hour():
    world = waiting()
    world.clock.advance(days=15)
    swept(world)
    world.clock.advance(hours=2)
    swept(world)
    swept(world)
    assert not [name for name in world.parameters.stored if "/_open/" in name]
