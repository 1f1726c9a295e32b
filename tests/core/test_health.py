"""`model-status health`: what a sweep has left, what waits, and what is wrong first."""

from datetime import timedelta

import pytest

from bot.hints import BeatJob
from bot.jobs import Receipt
from bot.line import plain
from bot.metering import quiet
from bot.overview import Statuses, Waiting, health
from bot.status import Health, read_health
from bot.sweep import Pulse
from tests.memory import START
from tests.proofs.world import World, policy_of

WELL = Health(START, START + timedelta(seconds=1), 812, 10_000)
WAITING = (Waiting(START - timedelta(days=3), "churn", 7, "dev"), Waiting(START, "churn", 8, "dev"))


def said(found, waiting=(), after=timedelta(minutes=4)):
    return [plain(line) for line in health(found, waiting, START + after)]


def test_a_bot_that_is_well_says_so_and_what_waits():
    first, second, third = said(WELL, WAITING)
    assert first.startswith("All is well: schedule, queue and worker did their part ")
    assert second == "812 of 10,000 parameters of the account are used."
    assert third.startswith("2 requests wait for an answer, the oldest since ")


def test_nothing_that_waits_and_nothing_counted_is_said_in_few_words():
    assert said(Health(START, START))[1:] == ["No request waits for an answer."]


@pytest.mark.parametrize(
    ("found", "after", "says"),
    [
        (None, timedelta(0), "No sweep has been carried out yet"),
        (WELL, timedelta(minutes=16), "No sweep has been carried out since"),
        (Health(START, START + timedelta(minutes=3)), timedelta(minutes=4), "The queue is slow"),
        (
            Health(START, START, 8_000, 10_000),
            timedelta(minutes=4),
            "8,000 of 10,000 parameters of the account are used.",
        ),
    ],
)
def test_what_is_wrong_is_said_with_whom_to_tell(found, after, says):
    [line] = [line for line in said(found, after=after) if line.startswith(says)]
    assert "lease tell a platform engineer." in line


def test_a_quarter_of_an_hour_and_a_minute_are_still_well():
    assert said(WELL, after=timedelta(minutes=15))[0].startswith("All is well")
    assert said(Health(START, START + timedelta(minutes=1)))[0].startswith("All is well")
    assert "run out" not in str(said(Health(START, START, 7_999, 10_000)))


def pulse(world, metered=None):
    near = world.near()
    meter = (lambda *number, **_: metered.append(number)) if metered is not None else quiet
    return Pulse(near.records, near.jobs, world.clock, quota=10, meter=meter)


def test_word_of_a_sweep_goes_through_the_queue_that_answers_go_through():
    world, metered = World(policy_of(("dev",))), list[object]()
    world.parameters.put("/elsewhere/a", "1")
    pulse(world, metered).beat("sweep-1", count=True)
    [queued] = world.jobs.queues["decisions"]
    assert queued.job.model.group.startswith("_"), "no group of models waits behind it"
    world.drain()
    found = read_health(world.parameters.value("/model-approvals/_status/_health"))
    assert found
    assert (found.parameters, found.quota, found.used) == (1, 10, 10.0)
    assert found.done_at > found.swept_at
    assert metered == [("ParametersUsed", 10.0)]


def test_a_sweep_that_counts_nothing_repeats_what_was_counted():
    world = World(policy_of(("dev",)))
    world.worker().handle(BeatJob("sweep-1", START, 7, 10), Receipt())
    metered = list[object]()
    pulse(world, metered).beat("sweep-2", count=False)
    world.drain()
    found = read_health(world.parameters.value("/model-approvals/_status/_health"))
    assert found
    assert found.parameters == 7
    assert metered == []


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"swept_at":"soon"}'])
def test_what_cannot_be_read_counts_as_no_sweep(text):
    assert read_health(text) is None


def test_health_is_asked_for_by_its_word_and_stands_in_the_usage():
    statuses = Statuses(list, lambda _: None, (), lambda: WELL, lambda: START)

    def answered(text):
        found = statuses.answer(text, command="/model-status")
        assert isinstance(found, tuple)
        return "\n".join(map(plain, found))

    assert answered("health").startswith("All is well")
    assert "/model-status health" in answered("help")
