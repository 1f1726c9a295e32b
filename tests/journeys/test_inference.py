"""What a pipeline says of its batch inference asks for the next environment, as docs/inference.md says how to."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.domain import Measured
from infra.local.models import BUCKET
from infra.local.stack import REPOSITORY, Stack
from tests.journeys.people import approve, buttons, card, registered, state

GUIDE = (REPOSITORY / "docs" / "inference.md").read_text()
RUN = "runs/churn-2026-11-24/evaluation.json"


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """Test is asked for by what was measured in dev."""
    shipped = (REPOSITORY / "infra" / "policy.toml").read_text()
    policy = tmp_path_factory.mktemp("policy") / "policy.toml"
    policy.write_text(shipped.replace('name = "test"\n', 'name = "test"\nrequest_after = "inference"\n'))
    with Stack(settings={"MODEL_APPROVALS_POLICY": str(policy)}) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


def put(stack: Stack, entry: dict[str, Any]) -> None:
    """Deliver an entry as EventBridge does: moto takes entries, and hands them to no function."""
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "account": stack.aws.account,
        "region": stack.aws.region,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "resources": [],
        "source": entry["Source"],
        "detail-type": entry["DetailType"],
        "detail": json.loads(entry["Detail"]),
    }
    stack.bus.put(event)
    stack.settle(60)


def said(snippet: str) -> dict[str, Any]:
    """Run a block of the guide against the local AWS; give what it has defined."""
    found: dict[str, Any] = {}
    exec(snippet, found)  # noqa: S102 - a block of our own documentation
    return found


def test_the_guide_takes_a_version_from_its_model_to_the_next_request(stack, monkeypatch):
    which, measured = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    model = registered(stack, "churn")
    approve(stack, model)
    assert "churn/cards/1/test/1" not in "".join(stack.parameters()), "an approval alone asks for nothing"
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, stack.environment[name])
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
    assert told.text == f"{named}, and nothing is asked for: it failed (out of memory)."
    put(stack, {**entry, "Detail": json.dumps({**said, "run": "night-2", "metrics": {"auc": 0.9}})})
    assert "as reported, not read from storage" in str(card(stack, model, "test").blocks)


def test_a_transform_job_asks_by_itself(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    sagemaker, name = stack.aws.client("sagemaker"), f"{model.group}-night"
    role = f"arn:aws:iam::{stack.aws.account}:role/batch"
    container = {"ModelPackageName": model.arn}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in"}}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{name}"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        Tags=[{"Key": "model-approvals:environment", "Value": "dev"}],
    )
    stack.aws.client("s3").put_object(Bucket=BUCKET, Key=f"{name}/evaluation.json", Body=b'{"auc": 0.917}')
    detail = {"TransformJobName": name, "TransformJobStatus": "Completed"}
    entry = {"Source": "aws.sagemaker", "DetailType": "SageMaker Transform Job State Change"}
    put(stack, {**entry, "Detail": json.dumps(detail)})
    assert "0.917" in str(card(stack, model, "test").blocks)


def test_a_mistake_is_named_in_the_dead_letters_and_stops_nobody(stack, caplog):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    head = state(stack, model).head
    entry = {"Source": "model-approvals", "DetailType": "Model Inference Measured"}
    put(stack, {**entry, "Detail": json.dumps({"model_package_arn": model.arn, "environment": "dev"})})
    assert state(stack, model).head == head
    assert "whose run is" in caplog.text
    assert stack.bus.dead_letters.pop()["detail"]["environment"] == "dev"
