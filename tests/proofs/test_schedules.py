"""Workers whose remote calls take turns by chance, while people act: whatever the order, all agree in the end.

test_interleavings.py stops two workers once each, at every step. Here up to four of them change places at every call,
each takes whatever waits, what follows from a job too. In every second schedule workers die, and calls land late.
"""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import cache, partial
from typing import Any

import pytest

from bot.domain import ModelVersion
from bot.errors import Unavailable
from bot.hints import CheckJob, OpenJob
from bot.jobs import Receipt
from tests.memory import Queued
from tests.proofs.conftest import LONG
from tests.proofs.scenarios import Act, approved_in_dev
from tests.proofs.world import MAX_RECEIVES, Died, World, policy_of

SCHEDULES = 850 if LONG else 25
"""Of each kind; there are six."""
TWICE, DEATH = 0.1, 0.01
"""How often a message is delivered once more, and a worker dies at a call."""
V1, V2 = ModelVersion("churn", 1), ModelVersion("churn", 2)


class Delivery:
    """A job in the hands of a worker that stops before each remote call."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.over = False
        self.error: BaseException | None = None
        self._work = work
        self._turn, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Go up to the first call."""
        self.thread.start()
        self._stopped.acquire()

    def go_on(self) -> None:
        """Make the call, and go up to the next one."""
        self._turn.release()
        self._stopped.acquire()

    def stop(self) -> None:
        """Wait for the next turn."""
        self._stopped.release()
        self._turn.acquire()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by the schedule
            self.error = error
        self.over = True
        self._stopped.release()


class Schedule:
    """Lets people act and workers make their calls, one thing at a time, in an order of chance."""

    def __init__(self, world: World, acts: Sequence[Act], *, workers: int, chance: random.Random, deadly: bool) -> None:
        self.world, self.acts, self.workers, self.chance, self.deadly = world, [*acts], workers, chance, deadly
        self.busy: dict[threading.Thread, Delivery] = {}
        self.calls = self.deaths = 0

    def play(self) -> None:
        with self.world.stepping(self._step):
            while moves := [*self._moves()]:
                self.chance.choice(moves)()

    def _moves(self) -> Iterator[Callable[[], object]]:
        """Everything that can happen next."""
        if self.acts:
            yield lambda: self.acts.pop()(self.world)
        if self.world.late:
            yield self._land
        if len(self.busy) < self.workers:
            yield from (partial(self._begin, queue) for queue in self.world.jobs.queues.values() if queue)
        yield from (partial(self._go_on, each) for each in self.busy.values())

    def _land(self) -> None:
        """A call of a worker that is dead already has its effect."""
        self.world.late.pop(self.chance.randrange(len(self.world.late)))()

    def _begin(self, queue: list[Queued]) -> None:
        queued = queue.pop(self.chance.randrange(len(queue)))
        queued.receives += 1
        if self.chance.random() < TWICE:
            queue.append(Queued(queued.job, queued.receives))
        delivery = Delivery(partial(self._deliver, queue, queued))
        self.busy[delivery.thread] = delivery
        delivery.begin()
        self._look_at(delivery)

    def _go_on(self, delivery: Delivery) -> None:
        self.calls += 1
        delivery.go_on()
        self._look_at(delivery)

    def _look_at(self, delivery: Delivery) -> None:
        if delivery.error:
            raise delivery.error
        if delivery.over:
            del self.busy[delivery.thread]

    def _deliver(self, queue: list[Queued], queued: Queued) -> None:
        receipt = Receipt(queued.receives, last=queued.receives >= MAX_RECEIVES)
        try:
            self.world.worker().handle(queued.job, receipt)
        except (Died, Unavailable):
            queue.append(queued)

    def _step(self, name: str, effect: Callable[[], Any]) -> Any:
        self.busy[threading.current_thread()].stop()
        if self.deadly and self.chance.random() < DEATH:
            self._die(effect)
        return effect()

    def _die(self, effect: Callable[[], Any]) -> None:
        """Before the call, after it, or while it is under way."""
        self.deaths += 1
        match self.chance.choice(("before", "after", "late")):
            case "after":
                effect()
            case "late":
                self.world.late.append(effect)
        raise Died


# what people do meanwhile


def two_versions() -> World:
    """Version 1 is approved for dev and asks for test, version 2 asks for dev."""
    world = World()
    approved_in_dev(world)
    world.register(2)
    world.drain()
    return world


def two_approvals_for_test() -> World:
    """The same, where it takes two approvals for test."""
    world = World(policy_of(test="required = 2"))
    approved_in_dev(world)
    world.register(2)
    world.drain()
    return world


def answer(user: str, request: str, word: str) -> Act:
    return lambda world: world.answer(user, request, word)


def by_hand(model: ModelVersion, status: str) -> Act:
    return lambda world: world.registry.edit(model, "somebody", status=status)


ANSWERS = tuple(
    answer(user, request, word)
    for user in ("maya", "omar", "priya", "eli")
    for request in ("churn/2/dev/1", "churn/1/test/1")
    for word in ("approve", "reject")
)
OTHERS: tuple[Act, ...] = (
    lambda world: world.revoke("maya", "churn/1/dev/1"),
    lambda world: world.revoke("omar", "churn/1/dev/1"),
    lambda world: world.revoke("priya", "churn/2/dev/1"),
    lambda world: world.ask("omar", V1, "dev"),
    lambda world: world.ask("maya", V1, "test"),
    lambda world: world.register(3),
    lambda world: world.jobs.accept(OpenJob(V1, "again")),
    lambda world: world.jobs.accept(OpenJob(V2, "again", fresh=True)),
    lambda world: world.jobs.accept(CheckJob(V1, "again")),
    lambda world: world.jobs.accept(CheckJob(V2, "again")),
    by_hand(V2, "Approved"),
    by_hand(V1, "Rejected"),
)


@cache
def prepared(begin: Callable[[], World]) -> World:
    return begin()


def play(begin: Callable[[], World], workers: int, number: int) -> Schedule:
    """Let one schedule take its course, and ask every invariant."""
    chance = random.Random(f"{begin.__name__} {workers} {number}")
    world = deepcopy(prepared(begin))
    world.shuffle = chance
    acts = [*chance.sample(ANSWERS, chance.randint(2, 4)), *chance.sample(OTHERS, chance.randint(0, 2))]
    chance.shuffle(acts)
    schedule = Schedule(world, acts, workers=workers, chance=chance, deadly=number % 2 == 1)
    schedule.play()
    world.clock.advance(minutes=20)
    world.sweep()
    world.check_rest()
    before = len(world.calls)
    world.sweep()
    assert not world.writes(before), f"I7: a second sweep wrote {world.writes(before)}"
    return schedule


@pytest.mark.parametrize("begin", [two_versions, two_approvals_for_test], ids=lambda each: each.__name__)
@pytest.mark.parametrize("workers", [2, 3, 4])
def test_workers_whose_calls_take_turns_by_chance_agree(begin, workers, figure):
    calls = deaths = 0
    for number in range(SCHEDULES):
        try:
            schedule = play(begin, workers, number)
        except AssertionError as wrong:
            raise AssertionError(f"schedule {number}: {wrong}") from wrong
        calls, deaths = calls + schedule.calls, deaths + schedule.deaths
    figure("random schedules", SCHEDULES)
    figure("random schedules: calls that took turns", calls)
    figure("random schedules: workers that died", deaths)
