"""Two workers on one group, each stopped at every step while the other runs: the order of messages cannot save us.

That two messages of a group are carried out at once is what FIFO queues prevent, until a worker outlives its
visibility; the protocol has to be right even then, after one sweep at the latest.
"""

import threading
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from bot.clicks import Click
from bot.domain import State
from bot.errors import Unavailable
from bot.hints import OpenJob, TidyJob
from bot.jobs import Job, Receipt
from tests.proofs import scenarios
from tests.proofs.conftest import LONG
from tests.proofs.world import World, policy_of

STRIDE = 1 if LONG else 3


class Stage:
    """Runs two workers, one at a time, and hands over at chosen steps."""

    def __init__(self, world: World, first: Job, second: Job) -> None:
        self.world = world
        self.turn = threading.Condition()
        self.active = 0
        self.count = [0, 0]
        self.done = [False, False]
        self.stops: list[dict[int, int]] = [{}, {}]
        self.errors: list[BaseException] = []
        self.threads = [
            threading.Thread(target=self._work, args=(n, job), daemon=True) for n, job in enumerate((first, second))
        ]

    def play(self, stop_first: int, stop_second: int) -> tuple[int, int]:
        """First to its step, second to its step, first to the end, second to the end."""
        self.stops = [{stop_first: 1}, {stop_second: 0}]
        with self.world.stepping(self._step):
            for thread in self.threads:
                thread.start()
            for thread in self.threads:
                thread.join(20)
        if self.errors:
            raise self.errors[0]
        return self.count[0], self.count[1]

    def _step(self, name: str, effect: Callable[[], Any]) -> Any:
        me = self.threads.index(threading.current_thread())
        self.count[me] += 1
        if self.stops[me].get(self.count[me]) is not None:
            self._pass_on(me)
        return effect()

    def _pass_on(self, me: int) -> None:
        with self.turn:
            if not self.done[1 - me]:
                self.active = 1 - me
                self.turn.notify_all()
                self.turn.wait_for(lambda: self.active == me, 10)

    def _work(self, me: int, job: Job) -> None:
        with self.turn:
            self.turn.wait_for(lambda: self.active == me, 10)
        try:
            self.world.worker().handle(job, Receipt())
        except Unavailable:
            self.world.jobs.queues["decisions"].append(scenarios.again(job))
        except BaseException as error:  # noqa: BLE001 - shown by play
            self.errors.append(error)
        with self.turn:
            self.done[me] = True
            self.active = 1 - me
            self.turn.notify_all()


def two_approvals_of_one_request(world: World) -> tuple[Job, Job]:
    world.register(1)
    world.drain()
    return world.click("maya", "churn/1/dev/1"), world.click("omar", "churn/1/dev/1")


def an_approval_and_a_rejection(world: World) -> tuple[Job, Job]:
    world.register(1)
    world.drain()
    return world.click("maya", "churn/1/dev/1"), world.click("omar", "churn/1/dev/1", "reject")


def approvals_of_two_versions(world: World) -> tuple[Job, Job]:
    world.register(1)
    world.register(2)
    world.drain()
    return world.click("maya", "churn/1/dev/1"), world.click("omar", "churn/2/dev/1")


def an_answer_beside_a_revoke_of_the_environment_before(world: World) -> tuple[Job, Job]:
    scenarios.approved_in_dev(world)
    revoke = world.revoke("maya", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    world.clicks.clear()
    return world.click("omar", "churn/1/test/1"), revoke


def two_revokes(world: World) -> tuple[Job, Job]:
    scenarios.approved_in_dev(world)
    jobs = world.revoke("maya", "churn/1/dev/1"), world.revoke("omar", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    world.clicks.clear()
    return jobs


def an_answer_beside_an_opening(world: World) -> tuple[Job, Job]:
    model = world.register(1)
    world.drain()
    return world.click("maya", "churn/1/dev/1"), OpenJob(model, "again", fresh=True)


def an_answer_beside_the_opening_of_another_version(world: World) -> tuple[Job, Job]:
    world.register(1)
    world.drain()
    opening = world.register(2)
    world.jobs.queues["openings"].clear()
    return world.click("maya", "churn/1/dev/1"), OpenJob(opening, "first", fresh=True)


def a_check_beside_the_opening_of_the_next_environment(world: World) -> tuple[Job, Job]:
    """What the echo of our own registry update puts on the two queues at once."""
    world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    decisions = world.jobs.queues["decisions"]
    world.deliver("decisions", decisions.pop(0))
    opening = world.jobs.queues["openings"].pop().job
    return decisions.pop().job, opening


def the_same_answer_twice_at_once(world: World) -> tuple[Job, Job]:
    world.register(1)
    world.drain()
    job = world.click("maya", "churn/1/dev/1")
    return job, job


PAIRS = (
    two_approvals_of_one_request,
    an_approval_and_a_rejection,
    approvals_of_two_versions,
    an_answer_beside_a_revoke_of_the_environment_before,
    two_revokes,
    an_answer_beside_an_opening,
    an_answer_beside_the_opening_of_another_version,
    a_check_beside_the_opening_of_the_next_environment,
    the_same_answer_twice_at_once,
)


@cache
def prepared(prepare: Any) -> tuple[World, Job, Job]:
    """The world and the two jobs before anybody begins, made once: each run has a copy of its own."""
    world = World()
    first, second = prepare(world)
    return world, first, second


def interleave(prepare: Any, stop_first: int, stop_second: int) -> tuple[int, int]:
    world, first, second = deepcopy(prepared(prepare))
    world.clicks += [job for job in (first, second) if isinstance(job, Click)]
    counts = Stage(world, first, second).play(stop_first, stop_second)
    world.drain()
    if isinstance(second, OpenJob):  # the two queues do run side by side: no sweep is needed to put this right
        world.check_rest()
        for message in world.channel.messages.values():
            assert len(message.replies) == len(set(message.replies)), message.replies
    world.clock.advance(minutes=20)
    world.sweep()
    world.check_rest()
    before = len(world.calls)
    world.sweep()
    assert not world.writes(before), f"I7: a second sweep wrote {world.writes(before)}"
    return counts


@pytest.mark.parametrize("prepare", PAIRS, ids=lambda each: each.__name__)
def test_two_workers_interleaved_at_every_step_agree(prepare, figure):
    first, second = interleave(prepare, 0, 0)
    runs = 0
    for one in range(1, first + 1):
        for two in range(1 + one % STRIDE, second + 1, STRIDE):
            interleave(prepare, one, two)
            runs += 1
    figure("interleavings", runs)


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_marker_removed_beside_an_opening_does_not_leave_a_request_without_one(stop):
    world = World()
    model = world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1", "reject")
    world.drain()
    world.clock.advance(hours=2)
    world.sweep()
    world.parameters.create(world.names.marker(model, "dev"), "{}")
    world.strict_markers = False
    request = world.ask("omar", model, "dev")
    world.jobs.queues["openings"].clear()
    Stage(world, TidyJob(model, "dev", "late"), request).play(stop, 99)
    world.drain()
    assert world.request_state("churn/1/dev/2") is State.PENDING
    world.strict_markers = True
    world.check_rest()


def test_a_quorum_of_two_is_reached_once_however_the_voters_meet():
    for stop in range(1, 14):
        world = World(policy_of(dev="required = 2"))
        world.register(1)
        world.drain()
        jobs = world.click("maya", "churn/1/dev/1"), world.click("omar", "churn/1/dev/1")
        Stage(world, *jobs).play(stop, 99)
        world.drain()
        assert world.request_state("churn/1/dev/1") is State.APPROVED
        assert world.pointer("dev") == 1
