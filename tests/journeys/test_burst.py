"""Many versions are registered at once: each is asked about once, none is lost, and a click does not wait for them."""

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import card, registered, state
from tests.journeys.policies import by_approval
from tests.proofs.conftest import LONG

pytestmark = pytest.mark.usefixtures("uncounted")

GROUPS = [f"churn-burst-{letter}" for letter in "abcd"]
EACH = 250 if LONG else 25
TIMES = 3
PATIENCE = 900.0 if LONG else 180.0
"""Seconds until everything has to be at rest."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """Every event is told three times, in no order; Slack takes as many posts as it does, so that the burst lasts."""
    settings = by_approval(tmp_path_factory.mktemp("policy"))
    with Stack(settings=settings) as running:
        running.slack.limits.posts_per_second, running.slack.limits.post_burst = 20.0, 20
        running.bus.faults.duplicates = TIMES - 1
        yield running


def asked(stack: Stack) -> Counter[str]:
    """The cards of the burst, by title."""
    titles = (str(each.blocks[0]["text"]["text"]) for each in stack.slack.workspace.messages("C0MODELSDEV"))
    return Counter(title for title in titles if title.endswith("for dev?"))


def register(stack: Stack, models: list[Registered]) -> None:
    """All of them, while people go on working."""
    for _ in range(EACH):
        models += [stack.pipeline.register(group) for group in GROUPS]


def test_each_of_a_burst_is_asked_about_once_and_a_click_in_it_is_decided_at_once(stack, figure):
    waiting, until = registered(stack, GROUPS[0]), time.monotonic() + PATIENCE
    models: list[Registered] = []
    burst = threading.Thread(target=register, args=(stack, models), daemon=True)
    burst.start()
    while sum(asked(stack).values()) < EACH * len(GROUPS) // 5 and time.monotonic() < until:
        time.sleep(0.05)
    message, before = card(stack, waiting), sum(asked(stack).values())
    stack.slack.press("U0MAYA", message.channel, message.ts, "approval.approve")
    while not state(stack, waiting).standing("dev") and time.monotonic() < until:
        time.sleep(0.02)
    meanwhile = sum(asked(stack).values()) - before
    assert state(stack, waiting).standing("dev")
    assert meanwhile < EACH * len(GROUPS) // 3, f"{meanwhile} cards were posted while the click waited"
    burst.join(PATIENCE)
    assert len(models) == EACH * len(GROUPS)
    stack.settle(PATIENCE)
    assert asked(stack) == {f"Approve {each.group} v{each.version} for dev?": 1 for each in models}
    for each in models:
        assert len(state(stack, each).rounds["dev"]) == 1
    figure("registrations in a burst, each told three times, each asked about once", len(models))
    figure("cards that were posted between the click in it and its decision", meanwhile)
