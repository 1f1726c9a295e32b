"""A running stack for each file of journeys, and what people do on it."""

import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from infra.local.aws_faults import AWS_ITSELF
from infra.local.models import Registered
from infra.local.stack import QUEUES, Stack
from tests.journeys.examples import Pool
from tests.journeys.policies import by_approval

CALLS = 80
"""That a failure is told with."""
RECEIVES = 2
"""Of a message; after the last it goes to the dead letters."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure what the services were asked last."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, Stack):
        report.sections.append(("calls, the last ones", "\n".join(map(str, last_calls(running)))))
    return report


def last_calls(stack: Stack) -> list[object]:
    """Oldest first."""
    asked: list[Any] = [*stack.aws.calls, *stack.slack.calls, *stack.teams.calls, *stack.entra.calls]
    return sorted(asked, key=lambda call: call.started)[-CALLS:]


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """The local stack, quick to redeliver; the second receive of a message is the last."""
    settings = {"MODEL_APPROVALS_MAX_RECEIVES": str(RECEIVES), **by_approval(tmp_path_factory.mktemp("policy"))}
    with Stack(retry_after=1, settings=settings) as running:
        give_up_early(running)
        running.slack.limits.posts_per_second = 1000
        running.slack.limits.post_burst = 1000
        running.slack.limits.per_minute = dict.fromkeys(running.slack.limits.per_minute, 100_000)
        yield running


def give_up_early(stack: Stack) -> None:
    """Let the queues count as the workers do."""
    sqs = stack.aws.client("sqs", access_key=AWS_ITSELF)
    for name in QUEUES:
        asked = {"QueueUrl": stack.queues[f"{name}-dead"], "AttributeNames": ["QueueArn"]}
        arn = sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(RECEIVES)})
        sqs.set_queue_attributes(QueueUrl=stack.queues[name], Attributes={"RedrivePolicy": redrive})


@pytest.fixture(scope="module")
def _pool(stack: Stack) -> Pool:
    return Pool(stack)


@pytest.fixture
def fresh(_pool: Pool) -> Callable[[], Registered]:
    """Give versions that wait for dev, each of a group of its own, which nobody has answered: `fresh()`."""
    _pool.settle_accounts()
    return _pool.take


@pytest.fixture
def well(stack: Stack) -> Iterator[None]:
    """Whatever a test made go wrong ends with it."""
    yield
    for faults in (stack.aws.faults, stack.slack.faults, stack.entra.faults):
        faults.clear()
    stack.bus.faults.duplicates = stack.bus.faults.reorder = 0
    stack.bus.faults.drop = 0.0
    stack.settle(60)
