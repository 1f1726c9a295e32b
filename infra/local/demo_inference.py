"""The demo's steps about batch inference: what ran, what was measured, and what that asks for."""

import hashlib
import json
import random
import uuid
from collections.abc import Mapping
from typing import Any

from infra.local.journey import (
    PATH,
    READER,
    Findings,
    Journey,
    buttons,
    expect,
    expect_same,
    expect_words,
    metrics,
    title,
)

OUT_OF_MEMORY = "AlgorithmError: the container ran out of memory"
TIMES, SEED = 3, 7
"""How often each event is told again, and the order."""
PATIENCE = 180.0
"""Seconds, for all of them."""


def failed_run_is_told(version: int, environment: str, journey: Journey) -> Findings:
    """A night without scores is no reason to go on."""
    name = journey.stack.inference.run(journey.group, environment, failure=OUT_OF_MEMORY)
    journey.stack.settle()
    following = PATH[PATH.index(environment) + 1]
    yield expect_words("thread", journey.thread(version, environment)[-1], name, "nothing is asked for", OUT_OF_MEMORY)
    yield expect(f"cards that ask for {following}", len(journey.cards(version, following)), 0)


def run_asks(version: int, environment: str, journey: Journey) -> Findings:
    """The run takes what is approved in its environment; the next one is asked for with what it has measured."""
    name = journey.stack.inference.run(journey.group, environment)
    journey.stack.settle()
    following = PATH[PATH.index(environment) + 1]
    registry = journey.registry
    job = registry.describe_transform_job(TransformJobName=name)
    [container] = [registry.describe_model(ModelName=name)["PrimaryContainer"]]
    ran = container["ModelPackageName"].rpartition("/")[2]
    yield expect("transform job", [job["TransformJobStatus"], f"v{ran}"], ["Completed", f"v{version}"])
    report = report_of(name, journey)
    evidence = evidence_of(version, following, journey)
    yield expect(
        "evidence in the history", [evidence["run"]["environment"], evidence["run"]["name"]], [environment, name]
    )
    yield expect_same("its digest and that of the report in S3", evidence["sha256"], hashlib.sha256(report).hexdigest())
    yield expect_words("thread", journey.thread(version, environment)[-1], name, f"asks for {following}")


def card_shows_run(version: int, champion: int, environment: str, journey: Journey) -> Findings:
    """The figures of the run, beside those of what the environment loads, if it loads anything."""
    card = journey.card(version, environment)
    head, *rows = metrics(card)
    run = evidence_of(version, environment, journey)["run"]["name"]
    measured = json.loads(report_of(run, journey))["binary_classification_metrics"]["auc"]["value"]
    yield expect("title", title(card), f"Approve {journey.group} v{version} for {environment}?")
    yield expect("head", head[1:3], [f"v{version}", f"v{champion} in {environment}"] if champion else [f"v{version}"])
    yield expect("its first row", rows[0][:2], ["AUC", f"{measured:.3f}"])
    if champion:
        changes = {row[0]: row[3].rpartition(" ")[2] for row in rows}
        yield expect("changes", [changes["AUC"], changes["p95 ms"]], ["better", "worse"])
    yield expect("buttons", buttons(card), [f"Approve for {environment}", "Reject…"])


def events_again(journey: Journey) -> Findings:
    """EventBridge promises at least once and no order; an archive replays them under new names."""
    told = list(journey.stack.bus.recent)
    before = everything(journey)
    again = told + [{**event, "id": str(uuid.uuid4())} for event in told for _ in range(TIMES - 1)]
    random.Random(SEED).shuffle(again)
    for event in again:
        journey.stack.bus.put(event)
    journey.stack.settle(PATIENCE)
    yield f"{len(told)} events, each {TIMES} times"
    for what, found in everything(journey).items():
        yield expect_same(f"{what}, before and after", found, before[what])


def everything(journey: Journey) -> Mapping[str, object]:
    """All that a replay might change."""
    workspace, stack = journey.workspace, journey.stack
    slack = [(each.ts, each.blocks, each.text) for name in workspace.channels for each in workspace.messages(name)]
    threads = [
        reply.text
        for name in workspace.channels
        for each in workspace.messages(name)
        for reply in workspace.replies(name, each.ts)
    ]
    packages = journey.registry.list_model_packages(ModelPackageGroupName=journey.group)["ModelPackageSummaryList"]
    versions = [journey.package(each["ModelPackageVersion"]) for each in packages]
    for each in versions:
        each.pop("ResponseMetadata")
    return {
        "parameters": journey.parameters(),
        "registry": versions,
        "cards in Slack": slack,
        "threads in Slack": threads,
        "mails": len(stack.mailbox.mails()),
        "dead letters": len(stack.bus.dead_letters),
    }


def report_of(run: str, journey: Journey) -> bytes:
    """What a run has measured, as it lies in S3."""
    url = journey.registry.describe_transform_job(TransformJobName=run)["TransformOutput"]["S3OutputPath"]
    bucket, _, path = url.removeprefix("s3://").partition("/")
    found = journey.stack.aws.client("s3", access_key=READER).get_object(Bucket=bucket, Key=f"{path}/evaluation.json")
    body: bytes = found["Body"].read()
    return body


def evidence_of(version: int, environment: str, journey: Journey) -> Any:  # noqa: ANN401 - JSON
    """What the request of an environment rests on, as its entry in the history has it."""
    found = journey.parameters(f"/{journey.group}/history/{version}").values()
    [opened] = [
        entry
        for entry in map(json.loads, found)
        if entry["kind"] == "opened" and entry["environment"] == environment and entry["round"] == 1
    ]
    return opened["evidence"]
