"""A running stack for each file of journeys, and what people do on it."""

from collections.abc import Iterator

import pytest

from infra.local.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The local stack, quick to redeliver; the second receive of a message is the last."""
    with Stack(retry_after=1, settings={"MODEL_APPROVALS_MAX_RECEIVES": "2"}) as running:
        running.slack.limits.posts_per_second = 1000
        running.slack.limits.post_burst = 1000
        running.slack.limits.per_minute = dict.fromkeys(running.slack.limits.per_minute, 100_000)
        yield running


@pytest.fixture
def well(stack: Stack) -> Iterator[None]:
    """Whatever a test made go wrong ends with it."""
    yield
    for faults in (stack.aws.faults, stack.slack.faults, stack.entra.faults):
        faults.clear()
    stack.bus.faults.duplicates = stack.bus.faults.reorder = 0
    stack.bus.faults.drop = 0.0
    stack.settle(60)
