"""A worker that fails before or after a call to AWS, over the wire: redelivered and swept, everything holds."""

import random
import uuid
from collections.abc import Iterator
from typing import Literal

import pytest

from infra.local.stack import Stack
from tests.journeys.outcome import check_approved_once, check_audit
from tests.journeys.people import approve, registered
from tests.journeys.policies import unhurried
from tests.proofs.conftest import LONG

pytestmark = pytest.mark.usefixtures("uncounted", "well")

STACKS = 10 if LONG else 1
"""One after the other, so that a sweep does not look at what all the runs have left waiting."""
RUNS = 20
"""On one stack."""
TRIES = 3
"""Of botocore, for one call."""
CALLS = (
    ("PutParameter", "{group}/history/1/0002"),
    ("PutParameter", "{group}/history/1/0003"),
    ("PutParameter", "{group}/approved/dev"),
    ("PutParameter", "_status/{group}"),
    ("PutParameter", "_open/{group}/1/test"),
    ("UpdateModelPackage", "{group}"),
    ("DescribeModelPackage", "{group}"),
    ("GetParameters", "{group}/history/1/"),
)
"""What an approval asks of AWS. Where the record of a card is lost, a card may have a twin, or a thread tell a line
twice as ids are stored right after the post: that is not here."""


@pytest.fixture(scope="module", params=range(STACKS))
def turn(request) -> int:
    """Which stack it is."""
    return int(request.param)


@pytest.fixture(scope="module")
def stack(turn, tmp_path_factory) -> Iterator[Stack]:
    """A message comes as often as it does in AWS: two calls that fail, in two receives, leave some to succeed."""
    with unhurried(tmp_path_factory.mktemp("policy")) as running:
        yield running


def failing(stack: Stack, group: str, chance: random.Random) -> str:
    """Let a call fail as often as botocore tries it, before or after it had its effect; and perhaps a second one."""
    told = []
    for action, about in chance.sample(CALLS, chance.choice([1, 1, 2])):
        after = chance.random() < 0.5
        status: int | Literal["reset"] = 500 if chance.random() < 0.5 else "reset"
        stack.aws.faults.add(action, status=status, after=after, containing=about.format(group=group), times=TRIES)
        told.append(f"{action} of {about} answered {status}{' after its effect' if after else ''}")
    return ", ".join(told)


def test_a_worker_that_fails_at_any_call_loses_and_doubles_nothing(stack, turn, figure):
    chance = random.Random(f"over the wire {turn}")
    for number in range(RUNS):
        group = f"churn-{uuid.uuid4().hex[:12]}"
        model = registered(stack, group)
        what = failing(stack, group, chance)
        approve(stack, model)
        stack.aws.faults.clear()
        stack.sweep()
        stack.settle(60)
        try:
            check_approved_once(stack, model, repeats=True)
            check_audit(stack, group)
        except AssertionError as wrong:
            raise AssertionError(f"run {number} of stack {turn}, {what}: {wrong}") from wrong
    figure("crash runs over the wire", RUNS)
