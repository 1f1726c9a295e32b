"""Requests that nobody answers: who is reminded when, and how they end when their time is over."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import ModelVersion, RequestId, State
from bot.entries import Expiry
from bot.errors import Refused, Unavailable
from bot.hints import CheckJob
from bot.line import plain
from bot.records import Posted
from bot.reminders import Reminders
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


CALM = 'remind_after = "1d"'
FIRST = RequestId("churn", 1, "dev", 1)
BOSSES = "00000000-0000-4000-8000-0000000000ff"


def reminders(world, surface="slack"):
    """Who was reminded in which words, of the first card."""
    [shown] = [each for each in world.channels[surface].messages.values() if each.card.request == FIRST]
    return shown.reminders


def lived(world, hours, every=1):
    """Let time pass with a sweep each hour; say after how many hours which reminder came."""
    told, known = [], len(reminders(world))
    for hour in range(every, hours + 1, every):
        world.clock.advance(hours=every)
        swept(world)
        told += [(hour, *each) for each in reminders(world)[known:]]
        known = len(reminders(world))
    return told


def test_whoever_may_answer_is_reminded_ever_more_seldom():
    world = waiting(dev=CALM)
    told = lived(world, 20 * 24)
    assert [hour for hour, *_ in told] == [24, 3 * 24, 7 * 24], "after fourteen days the request has expired"
    _, line, people = told[0]
    assert people == ("Maya", "Omar", "Priya"), "and not Eli, who is no approver"
    assert line == (
        "churn v1 still waits for dev, asked 2026-11-24 09:00 UTC. "
        "Please answer on the card; the time for it ends 2026-12-08 09:00 UTC."
    )


@pytest.mark.parametrize("rule", ['remind_after = "never"', 'remind_after = "20d"'])
def test_nobody_is_reminded_where_the_policy_does_not_want_it(rule):
    assert lived(waiting(dev=rule), 20 * 24, every=6) == []


def test_after_an_outage_one_reminder_goes_out_and_not_all_that_were_missed():
    world = waiting(dev=CALM)
    world.clock.advance(days=8)
    swept(world)
    assert len(reminders(world)) == 1
    assert lived(world, 5 * 24) == [], "the next one would come after fifteen days"


def test_whoever_has_answered_or_asked_is_left_in_peace():
    world = waiting(dev=f"{CALM}\nrequired = 2\nfour_eyes = true")
    world.clock.advance(days=15)
    swept(world)
    world.ask("omar", MODEL, "dev")
    world.drain()
    world.answer("maya", "churn/1/dev/2")
    world.drain()
    world.clock.advance(days=1)
    swept(world)
    [shown] = [each for each in world.channel.messages.values() if each.card.request.round == 2]
    assert [people for _, people in shown.reminders] == [("Priya",)]


def test_nobody_is_reminded_of_what_has_been_answered():
    world = waiting(dev=CALM)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert lived(world, 48) == []


def test_where_nobody_may_answer_the_thread_says_so():
    world = waiting(dev=CALM)
    for user in ("maya", "omar", "priya"):
        world.directory.add(user)
    [(_, line, people)] = lived(world, 25)
    assert people == ()
    assert line.endswith(", and not one of the members of approvers-dev may answer. Please tell a platform engineer.")


def test_others_are_told_once_when_half_of_the_time_is_over():
    world = waiting(dev=f'remind_after = "never"\nescalate_to = "{BOSSES}"')
    world.directory.add("boss", BOSSES)
    [(hour, line, people)] = lived(world, 20 * 24, every=4)
    assert (hour, people) == (7 * 24, ("Boss",))
    assert line == (
        "churn v1 has waited for dev since 2026-11-24 09:00 UTC. Please see to it that members of approvers-dev "
        "answer; the time for it ends 2026-12-08 09:00 UTC."
    )


def test_others_are_told_when_the_policy_says():
    world = waiting(dev=f'remind_after = "never"\nescalate_to = "{BOSSES}"\nescalate_after = "36h"')
    [(hour, line, people)] = lived(world, 15 * 24)
    assert (hour, people) == (36, ())
    assert line.endswith(
        "Nobody is in the group that the policy names for such a case: please tell a platform engineer."
    )


def test_who_is_told_does_not_decide():
    world = waiting(dev=f'escalate_to = "{BOSSES}"\nescalate_after = "1h"')
    world.directory.add("boss", BOSSES)
    lived(world, 2)
    world.answer("boss", "churn/1/dev/1")
    world.drain()
    assert "is not an approver" in world.channel.told("boss")[-1]
    assert world.state(MODEL).current("dev").state is State.PENDING


def test_a_reminder_that_could_not_be_sent_comes_with_the_next_sweep():
    world = waiting(dev=CALM)
    world.directory.down = True
    assert lived(world, 25) == []
    world.directory.down = False
    world.channel.broken = Unavailable("429")
    assert lived(world, 1) == []
    world.channel.broken = None
    assert len(lived(world, 1)) == 1
    assert lived(world, 24) == []


def test_a_reminder_that_is_refused_costs_no_card():
    world = waiting(dev=CALM)
    world.channel.broken = Refused("restricted_action_thread_locked")
    assert lived(world, 25) == []
    world.channel.broken = None
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert not card(world).card.open


def test_a_month_of_two_requests_across_the_end_of_summer_time(monkeypatch):
    """What is due is counted in hours that have passed, whatever the clocks on the walls do meanwhile."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    world = World(policy_of(dev=f'{CALM}\nescalate_to = "{BOSSES}"', test=CALM))
    world.directory.add("boss", BOSSES)
    world.clock.now = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    world.register(1)
    world.drain()
    offsets, told = set(), []
    for hour in range(1, 31 * 24 + 1):
        world.clock.advance(hours=1)
        offsets.add(world.clock().astimezone().utcoffset())
        if hour == 10 * 24:
            world.answer("maya", "churn/1/dev/1")
            world.drain()
        before = {ts: len(each.reminders) for ts, each in world.channel.messages.items()}
        swept(world)
        for ts, each in world.channel.messages.items():
            told += [(hour, each.card.request.environment, people) for _, people in each.reminders[before.get(ts, 0) :]]
    approvers = ("Maya", "Omar", "Priya")
    days = [(hour / 24, environment, people) for hour, environment, people in told]
    assert days == [
        (1, "dev", approvers),
        (3, "dev", approvers),
        (7, "dev", approvers),
        (7, "dev", ("Boss",)),
        (11, "test", approvers),
        (13, "test", approvers),
        (17, "test", approvers),
    ]
    assert len(offsets) == 2, "the clocks went back in between"
    [first] = world.state(MODEL).rounds["dev"]
    [last] = world.state(MODEL).rounds["test"]
    assert (first.state, last.state) == (State.APPROVED, State.EXPIRED)
    assert last.ending
    assert last.late(last.ending.at)
    assert not last.late(last.ending.at - timedelta(hours=1)), "with the first sweep after its time"
    world.check_rest()


def test_of_a_request_whose_time_is_over_nobody_is_reminded_before_it_has_ended():
    world = waiting(dev='remind_after = "1h"\nexpires_after = "2h"')
    world.clock.advance(hours=3)
    one = world.state(MODEL).current("dev")
    assert list(Reminders(world.near(), world.state(MODEL)).of(one, Posted("C0MODELS00", "1.000"))) == []
