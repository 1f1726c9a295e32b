"""What grows with groups and versions: calls, waves, and the time they take when each is delayed alike."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bot import wiring
from bot.domain import RequestId
from infra.local.stack import Stack
from infra.local.threads import stop
from tests.bench.table import Ratio, Section
from tests.journeys.counting import answer, counted, opened, overview, unpaced
from tests.journeys.policies import by_approval

GROUPS = (10, 100, 400)
VERSIONS = (1, 100, 1000)
ANSWERED = 12
"""Versions of a large group that were answered before, so that its status is as full as it gets."""
DELAY = 0.5
"""Seconds that each call takes beside its own: a wave of many takes as long as one of few."""
FLAT = 1.5


@dataclass(frozen=True, slots=True)
class Grown:
    """One size: how many calls in how many waves, and the seconds that it took."""

    size: int
    calls: int
    waves: int
    seconds: float


def measured(folder: Path, say: Callable[[str], None]) -> Section:
    """Both, in a stack in which nothing moves by itself."""
    with Stack(settings=by_approval(folder)) as stack:
        stack.aws.on_event.clear()
        stop(*stack.pollers)
        stack.slack.limits.posts_per_second = stack.slack.limits.post_burst = 1000
        worker = wiring.worker(stack.environment)
        unpaced(worker)
        statuses = list(_statuses(stack, say))
        answers = list(_answers(stack, worker, say))
    return section(statuses, answers)


def section(statuses: Sequence[Grown], answers: Sequence[Grown]) -> Section:
    """Flat is: the largest takes at most one and a half times as long as the smallest."""
    rows = [_row(f"/model-status over {each.size:,} groups", each, statuses[0]) for each in statuses]
    rows += [_row(f"an answer in a group of {each.size:,} versions", each, answers[0]) for each in answers]
    ratios = tuple(
        Ratio(f"{name}: the largest to the smallest", grown[-1].seconds / grown[0].seconds, FLAT)
        for name, grown in (("/model-status", statuses), ("an answer", answers))
    )
    head = ("", "calls", "waves", "ms", "to the smallest")
    return Section("Growth", head, tuple(rows), (f"Each call takes {DELAY * 1000:.0f} ms more than its own.",), ratios)


def _statuses(stack: Stack, say: Callable[[str], None]) -> Iterator[Grown]:
    known = 0
    for size in GROUPS:
        say(f"/model-status over {size} groups")
        overview(stack, [f"churn-g{number:03d}" for number in range(known, size)])
        known = size
        _typed(stack)
        yield _grown(stack, size, partial(_typed, stack))


def _typed(stack: Stack) -> None:
    said = stack.slack.command("U0MAYA", "C0MODELSDEV", "/model-status", "")
    if said.status != 200 or said.error:
        raise RuntimeError(f"/model-status: {said}")


def _answers(stack: Stack, worker: wiring.Worker, say: Callable[[str], None]) -> Iterator[Grown]:
    for user in ("U0MAYA", "U0OMAR"):
        warm = opened(stack, worker, "churn-warm")
        answer(stack, worker, RequestId("churn-warm", warm.version, "dev", 1), user)
    for size in VERSIONS:
        say(f"an answer in a group of {size} versions")
        group = f"churn-of-{size}"
        _fill(stack, worker, group, size - 1)
        request = RequestId(group, opened(stack, worker, group).version, "dev", 1)
        yield _grown(stack, size, partial(answer, stack, worker, request))


def _fill(stack: Stack, worker: wiring.Worker, group: str, count: int) -> None:
    answered = min(count, ANSWERED)
    for _ in range(answered):
        answer(stack, worker, RequestId(group, opened(stack, worker, group).version, "dev", 1), "U0OMAR")
    sagemaker = stack.aws.client("sagemaker")
    for _ in range(count - answered):
        sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval")


def _grown(stack: Stack, size: int, act: Callable[[], object]) -> Grown:
    took = 0.0

    def timed() -> None:
        nonlocal took
        began = time.monotonic()
        act()
        took = time.monotonic() - began

    calls, waves = counted(stack, timed, DELAY)
    return Grown(size, len(calls), len(waves), took)


def _row(name: str, grown: Grown, smallest: Grown) -> tuple[str, ...]:
    ratio = grown.seconds / smallest.seconds
    return name, str(grown.calls), str(grown.waves), f"{grown.seconds * 1000:.0f}", f"{ratio:.2f}"
