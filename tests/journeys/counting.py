"""Remote calls and waves of the product on the local stack, counted between two moments.

A wave is a set of calls that overlap; the number of waves is the longest chain of calls of which each began after
the one before had ended. Each answer is delayed, so that calls which were sent together do overlap.
"""

import gc
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from bot import wiring
from bot.clicks import AnswerJob
from bot.domain import Answer, ChatUser, ModelVersion, RequestId, State
from bot.hints import CheckJob, OpenJob
from bot.jobs import Receipt
from bot.slack.channel import Pacer, SlackChannel
from bot.status import GroupStatus, Row, Stand
from infra.local.entra_people import MAYA, OMAR, PRIYA
from infra.local.stack import Stack

SLOW = 0.5
"""Seconds that each service takes to answer while calls are counted: longer than a busy machine holds a thread up."""
PEOPLE = {"U0MAYA": MAYA, "U0OMAR": OMAR, "U0PRIYA": PRIYA}


@dataclass(frozen=True)
class Counted:
    """One remote call of the product."""

    service: str
    what: str
    started: float
    ended: float


class Meter:
    """Sees the calls of the worker between two moments."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._marks = (len(stack.aws.calls), len(stack.slack.calls), len(stack.entra.calls))

    def calls(self) -> list[Counted]:
        aws, slack, entra = self._marks
        stack = self.stack
        found = [
            Counted(f"aws.{each.service}", each.action, each.started, each.ended)
            for each in stack.aws.calls[aws:]
            if each.access_key == "LOCALBOT"
        ]
        found += [Counted("slack", each.method, each.started, each.ended) for each in stack.slack.calls[slack:]]
        found += [Counted(each.service, each.method, each.started, each.ended) for each in stack.entra.calls[entra:]]
        return sorted(found, key=lambda each: each.started)


def waves(calls: list[Counted]) -> list[list[str]]:
    """The calls, one list for each link of the longest chain of calls that did not overlap."""
    found: list[list[str]] = []
    end = float("-inf")
    for call in calls:
        if call.started >= end:
            found.append([])
            end = call.ended
        found[-1].append(f"{call.service} {call.what}")
        end = min(end, call.ended)
    return found


def unpaced(worker: wiring.Worker) -> None:
    """Let a channel take its messages at once: their turns of a second are no calls, and this file posts dozens."""
    slack = worker.promotion._channels["slack"]
    assert isinstance(slack, SlackChannel)
    slack._pacer = Pacer(seconds=0)


def opened(stack: Stack, worker: wiring.Worker, group: str) -> ModelVersion:
    found = stack.pipeline.register(group)
    model = ModelVersion(group, found.version)
    worker.promotion.handle(OpenJob(model, f"test-{uuid.uuid4()}", fresh=True), Receipt())
    return model


def newest(stack: Stack, group: str, environment: str = "dev") -> RequestId:
    versions = [
        name.split("/") for name in stack.parameters() if f"/{group}/cards/" in name and f"/{environment}/" in name
    ]
    version, number = max((int(parts[4]), int(parts[6])) for parts in versions)
    return RequestId(group, version, environment, number)


def answer(stack: Stack, worker: wiring.Worker, request: RequestId, user: str = "U0MAYA") -> None:
    linked = PEOPLE[user] if request.environment in ("uat", "prod") else ""
    by = ChatUser("slack", stack.slack.workspace.team_id, user, "C0MODELSDEV", linked)
    job = AnswerJob(request, Answer.APPROVE, by, f"slack|{uuid.uuid4()}", wiring.now())
    worker.promotion.handle(job, Receipt())


def hint(worker: wiring.Worker, model: ModelVersion) -> None:
    """What follows from the echo of our own registry update."""
    worker.promotion.handle(OpenJob(model, f"test-{uuid.uuid4()}"), Receipt())
    worker.promotion.handle(CheckJob(model, f"test-{uuid.uuid4()}"), Receipt())


def promoted(stack: Stack, worker: wiring.Worker, group: str) -> RequestId:
    """A version that waits for prod with a log of seven entries."""
    model = opened(stack, worker, group)
    for environment in ("dev", "test", "uat"):
        answer(stack, worker, RequestId(group, model.version, environment, 1), "U0OMAR")
        hint(worker, model)
    return RequestId(group, model.version, "prod", 1)


def counted(stack: Stack, act: Callable[[], object], slow: float = SLOW) -> tuple[list[Counted], list[list[str]]]:
    meter = Meter(stack)
    for faults in (stack.aws.faults, stack.slack.faults, stack.entra.faults):
        faults.add("*", status=None, stall=slow, times=None)
    gc.collect()
    gc.disable()  # in a process that has run a thousand tests, it would hold half of a wave up for longer than that
    try:
        act()
    finally:
        gc.enable()
        for faults in (stack.aws.faults, stack.slack.faults, stack.entra.faults):
            faults.clear()
    return meter.calls(), waves(meter.calls())


def shown(found: list[list[str]]) -> str:
    return "\n".join(f"wave {number}: {', '.join(wave)}" for number, wave in enumerate(found, start=1))


def overview(stack: Stack, groups: list[str]) -> None:
    """Enter groups into the overview as they stand there after their first card."""
    records, parameters = wiring.records(stack.environment), wiring.parameters(stack.environment)
    row = Row(1, {"dev": Stand(State.PENDING, 1, wiring.now())})
    for group in groups:
        records.write_status(group, None, lambda found: found.joined(GroupStatus({"1": row})))
        shard = records.names.shard(group)
        records.list_group(group, parameters.get([shard]).get(shard))
