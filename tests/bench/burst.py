"""Many registrations at once, at Slack's own pace: cards a minute, the memory of the worker, and a click in between."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from infra.local.models import Registered
from infra.local.slack import Channel
from infra.local.stack import Stack
from tests.bench.deployed import Deployed
from tests.bench.table import Ratio, Section
from tests.bench.world import TEAMS_AND_MAIL, world
from tests.journeys.people import registered, state
from tests.journeys.policies import SHIPPED

GROUPS = {f"churn-burst-{letter}": f"C0BURST{letter.upper()}" for letter in "abcd"}
"""Each has a channel of its own, and a channel takes a message a second."""
OVERRIDE = '\n[[overrides]]\ngroups = ["{}"]\nnotify = {{ slack = "{}" }}\n'
PATIENCE = 1.5
"""How often the time that Slack's pace takes is waited at most, and a minute."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of one; memory is that of the largest environment, at a quarter and at the end, in bytes."""

    cards: int
    seconds: float
    quarter: int
    end: int
    click: float
    meanwhile: int


def measured(folder: Path, built: Path, count: int, say: Callable[[str], None]) -> Section:
    """Register so many, click in between, and wait for all cards."""
    text = SHIPPED.replace(TEAMS_AND_MAIL, "") + "".join(OVERRIDE.format(*each) for each in GROUPS.items())
    with world(folder, built, text=text) as stack:
        stack.slack.limits.posts_per_second, stack.slack.limits.post_burst = 1.0, 3
        for channel in GROUPS.values():
            stack.slack.workspace.add_channel(Channel(channel, channel.lower()))
        return section(_carried_out(stack, count, say))


def _carried_out(stack: Stack, count: int, say: Callable[[str], None]) -> Burst:
    waiting, began = registered(stack, next(iter(GROUPS))), time.monotonic()
    threading.Thread(target=_register, args=(stack, count), daemon=True).start()
    until = began + 60 + PATIENCE * count / len(GROUPS)
    _wait(stack, count // 4, until, say)
    quarter = _resident(stack)
    click, meanwhile = _clicked(stack, waiting)
    _wait(stack, count, until, say)
    return Burst(count, time.monotonic() - began, quarter, _resident(stack), click, meanwhile)


def _register(stack: Stack, count: int) -> None:
    for number in range(count):
        stack.pipeline.register(list(GROUPS)[number % len(GROUPS)])


def _wait(stack: Stack, cards: int, until: float, say: Callable[[str], None]) -> None:
    while (there := _cards(stack)) < cards:
        say(f"a burst of registrations: {there} cards")
        if time.monotonic() > until:
            raise TimeoutError(f"{there} of {cards} cards")
        time.sleep(0.1)


def _cards(stack: Stack) -> int:
    """The cards of the burst; one was there before."""
    return sum(len(stack.slack.workspace.messages(channel)) for channel in GROUPS.values()) - 1


def _clicked(stack: Stack, waiting: Registered) -> tuple[float, int]:
    """Seconds from a click to its decision, and the cards that were posted meanwhile."""
    message, before = _newest_card(stack, waiting), _cards(stack)
    began = time.monotonic()
    stack.slack.press("U0MAYA", message.channel, message.ts, "approval.approve")
    while not state(stack, waiting).standing("dev"):
        if time.monotonic() > began + 60:
            raise TimeoutError("the click was not decided")
        time.sleep(0.02)
    return time.monotonic() - began, _cards(stack) - before


def _newest_card(stack: Stack, waiting: Registered):
    record = stack.parameter(f"{waiting.group}/cards/{waiting.version}/dev/1")
    return stack.slack.workspace.message(GROUPS[waiting.group], record["surfaces"]["slack"]["ts"])


def _resident(stack: Stack) -> int:
    jobs = cast("Deployed", stack.functions["openings"])
    return max(each.resident[-1] for each in jobs.started if each.resident)


def section(burst: Burst) -> Section:
    """Slack's pace is the bound."""
    minute, bound = burst.cards / burst.seconds * 60, len(GROUPS) * 60
    rows = (
        ("cards a minute", f"{minute:.0f}"),
        (f"cards a minute that Slack takes in {len(GROUPS)} channels", f"{bound}"),
        (f"MB of the worker after {burst.cards // 4:,} cards", f"{burst.quarter / 1e6:.1f}"),
        (f"MB of the worker after {burst.cards:,} cards", f"{burst.end / 1e6:.1f}"),
        ("ms from a click in the burst to its decision", f"{burst.click * 1000:.0f}"),
        ("cards posted meanwhile", f"{burst.meanwhile}"),
    )
    ratios = (
        Ratio("a burst: memory of the worker, at the end to a quarter", burst.end / burst.quarter, 1.1),
        Ratio("a burst: cards a minute, to what Slack takes", minute / bound, 0.8, at_least=True),
    )
    return Section(f"A burst of {burst.cards:,} registrations", ("", "found"), rows, (), ratios)
