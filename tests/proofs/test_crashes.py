"""A worker dies before and after every remote call, a call lands late, a call is sent twice: nothing is lost."""

import random
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest

from tests.proofs import scenarios
from tests.proofs.conftest import LONG
from tests.proofs.world import Died, World

MODES = ("before", "after", "late", "double")
PAIRS = 320 if LONG else 16
ORDERS = 3 if LONG else 1


class Accident:
    """Lets the calls at some places go wrong, and all others through."""

    def __init__(self, world: World, places: dict[int, str]) -> None:
        self.world, self.places, self.count = world, places, 0

    def __call__(self, name: str, effect: Callable[[], Any]) -> Any:
        self.count += 1
        match self.places.get(self.count):
            case "before":
                raise Died
            case "after":
                effect()
                raise Died
            case "late":
                self.world.late.append(effect)
                raise Died
            case "double":
                effect()
        return effect()


@cache
def prepared(scenario: Any) -> tuple[World, scenarios.Act]:
    """The world before anybody acts, made once: each run has a copy of its own."""
    found: tuple[World, scenarios.Act] = scenario()
    return found


def run(scenario: Any, places: dict[int, str], order: int = 0) -> int:
    """Play a scenario with accidents, and ask every invariant; return how many calls it made.

    `order` shuffles the calls within each wave: which of them were under way when the worker died is chance.
    """
    at_rest, act = prepared(scenario)
    world = deepcopy(at_rest)
    world.shuffle = random.Random(order) if order else None
    accident = Accident(world, places)
    with world.stepping(accident):
        act(world)
        world.drain()
    if "late" in places.values():
        world.land()
        world.clock.advance(minutes=20)
        world.sweep()
    world.check_rest()
    world.sweep()
    world.check_rest()
    before = len(world.calls)
    world.sweep()
    assert not world.writes(before), f"I7: a second sweep wrote {world.writes(before)}"
    return accident.count


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda each: each.__name__)
def test_one_accident_at_every_call_loses_and_doubles_nothing(scenario, figure):
    calls, runs = run(scenario, {}), 0
    for place in range(1, calls + 1):
        for mode in MODES if LONG else MODES[place % 2 :: 2]:
            for order in range(ORDERS):
                run(scenario, {place: mode}, order)
                runs += 1
    figure("crash runs with one accident", runs)


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda each: each.__name__)
def test_two_accidents_in_one_story_lose_and_double_nothing(scenario, figure):
    calls = run(scenario, {})
    chance = random.Random(scenario.__name__)
    for _ in range(PAIRS):
        first, second = sorted(chance.sample(range(1, calls + 8), 2))
        run(scenario, {first: chance.choice(MODES), second: chance.choice(MODES)}, chance.randrange(9))
    figure("crash runs with two accidents", PAIRS)
