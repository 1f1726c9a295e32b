"""What a pipeline says of its batch inference asks for the next environment, as docs/inference.md says how to."""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from bot.entries import Measured
from infra.local.models import BUCKET
from infra.local.stack import REPOSITORY, Stack
from tests.journeys.people import approve, buttons, card, registered, state

GUIDE = (REPOSITORY / "docs" / "inference.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
RUN = "runs/churn-2026-11-24/evaluation.json"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The shipped policy: each environment after dev is asked for by what was measured in the one before."""
    with Stack() as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


def put(stack: Stack, entry: dict[str, Any]) -> None:
    """Put an entry on the bus, and wait until nothing is under way."""
    answer = stack.aws.client("events", access_key="LOCALSCORER").put_events(Entries=[entry])
    assert not answer["FailedEntryCount"], answer
    stack.settle(60)


def said(snippet: str) -> dict[str, Any]:
    """Run a block of the guide against the local AWS; give what it has defined."""
    found: dict[str, Any] = {}
    exec(snippet, found)  # noqa: S102 - a block of our own documentation
    return found


@pytest.fixture
def guided(stack, monkeypatch):
    """What the blocks of the guide take for granted."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, stack.environment[name])


def test_the_guide_takes_a_version_from_its_model_to_the_next_request(stack, guided):
    which, _, measured = BLOCKS
    model = registered(stack, "churn")
    approve(stack, model)
    assert "churn/cards/1/test/1" not in "".join(stack.parameters()), "an approval alone asks for nothing"
    assert said(which)["model"].model_package_version == 1
    stack.aws.client("s3").put_object(Bucket=BUCKET, Key=RUN, Body=b'{"auc": 0.951, "latency": 38}')
    put(stack, said(measured)["entry"])
    shown = card(stack, model, "test")
    assert "approval.approve" in buttons(shown)
    assert "0.951" in str(shown.blocks)
    assert "Measured in dev by" in str(shown.blocks)
    before = card(stack, model)
    told = [line.text for line in stack.slack.workspace.replies(before.channel, before.ts)]
    assert told[-1] == "churn v1 was measured in dev by churn-2026-11-24 and asks for test."
    head = state(stack, model).head
    put(stack, said(measured)["entry"])
    assert state(stack, model).head == head, "the same run again"


def test_the_pipeline_of_the_guide_runs_what_is_approved_and_says_where(stack, guided):
    """SageMaker's pipelines are not there to be run, so the steps are taken as it would take them."""
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    said(BLOCKS[1].replace('"churn"', f'"{model.group}"'))
    sagemaker = stack.aws.client("sagemaker")
    [execution] = sagemaker.list_pipeline_executions(PipelineName="churn-dev")["PipelineExecutionSummaries"]
    arn = {"PipelineExecutionArn": execution["PipelineExecutionArn"]}
    given = {
        each["Name"]: each["Value"]
        for each in sagemaker.list_pipeline_parameters_for_execution(**arn)["PipelineParameters"]
    }
    assert given == {"ModelPackageArn": model.arn}
    text = sagemaker.describe_pipeline_definition_for_execution(**arn)["PipelineDefinition"]
    for reference, value in {"Parameters.ModelPackageArn": model.arn, "Steps.Model.ModelName": "scorer"}.items():
        text = text.replace(json.dumps({"Get": reference}), json.dumps(value))
    create, score = (step["Arguments"] for step in json.loads(text)["Steps"])
    sagemaker.create_model(ModelName="scorer", **create)
    sagemaker.create_transform_job(TransformJobName="night", **score)
    stack.aws.end_transform("night")
    stack.settle(60)
    assert "Measured in dev by" in str(card(stack, model, "test").blocks)


def test_a_run_that_failed_is_told_in_the_thread_and_the_next_good_one_asks(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    said = {"model_package_arn": model.arn, "environment": "dev", "run": "night-1"}
    entry = {"Source": "model-approvals", "DetailType": "Model Inference Measured"}
    put(stack, {**entry, "Detail": json.dumps({**said, "status": "Failed", "reason": "out of memory"})})
    assert isinstance(state(stack, model).entries[-1].event, Measured)
    shown = card(stack, model)
    [*_, told] = stack.slack.workspace.replies(shown.channel, shown.ts)
    named = f"{model.group} v1 was run in dev by night-1"
    assert told.text == f"{named}, and nothing is asked for: it failed (out of memory). The next good run asks."
    put(stack, {**entry, "Detail": json.dumps({**said, "run": "night-2", "metrics": {"auc": 0.9}})})
    assert "as reported, not read from storage" in str(card(stack, model, "test").blocks)


def test_a_transform_job_asks_by_itself(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    failed = stack.inference.run(model.group, "dev", failure="AlgorithmError: out of memory")
    stack.settle(60)
    shown = card(stack, model)
    told = stack.slack.workspace.replies(shown.channel, shown.ts)[-1].text
    assert told == (
        f"{model.group} v1 was run in dev by {failed}, and nothing is asked for: "
        "it failed (AlgorithmError: out of memory). The next good run asks."
    )
    done = stack.inference.run(model.group, "dev")
    stack.settle(60)
    one = state(stack, model).current("test")
    assert one
    asked = one.opened.evidence
    assert asked.run
    assert (asked.run.environment, asked.run.name) == ("dev", done)
    assert asked.uri == f"s3://{BUCKET}/runs/{done}/evaluation.json"
    assert [each.name for each in asked.metrics] == ["auc", "accuracy", "recall", "log_loss", "p95_ms"]
    body = stack.aws.client("s3").get_object(Bucket=BUCKET, Key=f"runs/{done}/evaluation.json")["Body"].read()
    assert asked.sha256 == hashlib.sha256(body).hexdigest()


def test_what_monitoring_found_is_on_the_card(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    found = {"violations": [{"feature_name": "tenure", "constraint_check_type": "baseline_drift_check"}]}
    key = f"{model.group}/constraint_violations.json"
    stack.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=json.dumps(found).encode())
    said = {"model_package_arn": model.arn, "environment": "dev", "run": "night-1", "metrics": {"auc": 0.9}}
    detail = json.dumps({**said, "violations_uri": f"s3://{BUCKET}/{key}"})
    put(stack, {"Source": "model-approvals", "DetailType": "Model Inference Measured", "Detail": detail})
    assert "1 constraint is violated:" in str(card(stack, model, "test").blocks)
    assert "tenure: baseline_drift_check" in str(card(stack, model, "test").blocks)


def test_a_mistake_is_named_in_the_dead_letters_and_stops_nobody(stack, caplog):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    head = state(stack, model).head
    entry = {"Source": "model-approvals", "DetailType": "Model Inference Measured"}
    put(stack, {**entry, "Detail": json.dumps({"model_package_arn": model.arn, "environment": "dev"})})
    assert state(stack, model).head == head
    assert "whose run is" in caplog.text
    assert stack.bus.dead_letters.pop()["detail"]["environment"] == "dev"
