"""What an inference pipeline does: fetch the model approved for its environment, score with it, measure, tell.

    BatchInference(aws, aws.end_transform).run("churn", "dev")

The scores are real: the parameters come out of the approved version's `model.tar.gz`, the customers are invented.
While `make run` is up, `python -m infra.local.inference churn dev` does so there, from another terminal, and tells it
with an event of its own, as pipelines do that use no batch transform.
"""

import argparse
import io
import json
import os
import sys
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from infra.local.models import BUCKET, Clients, Endpoint
from infra.local.samples import train

SCORER = "LOCALSCORER"
"""The access key of the inference pipelines."""
ROOT = "/model-approvals"
SCORED, BATCH = 400, 100
"""Customers of one run, and of one batch whose time is measured."""
Json = Mapping[str, Any]


class NothingApproved(Exception):
    """There is nothing to run; the text says where."""


class Ending(Protocol):
    """What ends a transform job."""

    def __call__(self, name: str, status: str, *, reason: str = "") -> None:
        """End it."""


class BatchInference:
    """What is approved scores a night's customers: in a batch transform job, or outside of SageMaker."""

    def __init__(self, aws: Clients, end: Ending | None = None) -> None:
        """Take a caller's clients; `end` lets a job end, which only a machine of SageMaker's can."""
        self._aws, self._end = aws, end
        self._store, self._s3, self._sagemaker = (
            aws.client(service, access_key=SCORER) for service in ("ssm", "s3", "sagemaker")
        )

    def run(self, group: str, environment: str, *, failure: str = "", drifted: bool = False) -> str:
        """Run a batch transform job with what is approved for an environment, and give its name.

        `failure` is why it fails; `drifted` lets columns of its input arrive empty, as where a source broke upstream.
        """
        approved, name = self._approved(group, environment), named(group, environment)
        if self._end is None:
            raise RuntimeError("nothing here ends a transform job")
        self._start(name, str(approved["model_package_arn"]), environment)
        if failure:
            self._end(name, "Failed", reason=failure)
        else:
            self._score(approved, environment, name, drifted=drifted)
            self._end(name, "Completed")
        return name

    def tell(self, group: str, environment: str) -> str:
        """Score without SageMaker, and put an event on the bus that says so; give the run's name."""
        approved, name = self._approved(group, environment), named(group, environment)
        uri = self._score(approved, environment, name)
        detail = {"environment": environment, "run": name, "metrics_uri": uri}
        detail["model_package_arn"] = approved["model_package_arn"]
        entry = {"Source": "model-approvals", "DetailType": "Model Inference Measured", "Detail": json.dumps(detail)}
        self._aws.client("events", access_key=SCORER).put_events(Entries=[entry])
        return name

    def _score(self, approved: Json, environment: str, name: str, *, drifted: bool = False) -> str:
        """Write the scores and what can be measured of them; give the address of the report."""
        model = self._model(str(approved["model_data_url"]))
        tonight = train.customers(SCORED, seed=sum(map(ord, environment)))
        seen = [emptied(each.features) if drifted else each.features for each in tonight]
        scored = [train.Scored(each.left, train.score(model, known)) for each, known in zip(tonight, seen, strict=True)]
        self._put(f"runs/{name}/customers.csv.out", "\n".join(f"{each.score:.6f}" for each in scored).encode())
        return self._put(f"runs/{name}/evaluation.json", json.dumps(measured(model, scored, tonight)).encode())

    def _approved(self, group: str, environment: str) -> Json:
        """The one call that an inference pipeline makes."""
        found = self._store.get_parameters(Names=[f"{ROOT}/{group}/approved/{environment}"])["Parameters"]
        value: Json = json.loads(found[0]["Value"]) if found else {}
        if value.get("status") != "Approved":
            raise NothingApproved(f"Nothing of {group} is approved for {environment}, so nothing can run there.")
        return value

    def _start(self, name: str, arn: str, environment: str) -> None:
        role = f"arn:aws:iam::{arn.split(':')[4]}:role/batch"
        self._sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": arn})
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/customers"}}
        self._sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=name,
            TransformInput={"DataSource": source, "ContentType": "text/csv"},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/runs/{name}"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            Tags=[{"Key": "model-approvals:environment", "Value": environment}],
        )

    def _model(self, url: str) -> Json:
        """The parameters that the version was registered with."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        packed = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as archive:
            member = archive.extractfile("model.json")
            return json.loads(member.read()) if member else {}

    def _put(self, key: str, body: bytes) -> str:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"


def named(group: str, environment: str) -> str:
    """A name for a run."""
    return f"{group}-{environment}-{uuid.uuid4().hex[:8]}"


def emptied(features: Sequence[float]) -> tuple[float, ...]:
    """What arrives of a customer where nobody delivers calls and payments any more."""
    lost = {train.FEATURES.index("support_calls"), train.FEATURES.index("late_payments")}
    return tuple(0.0 if place in lost else value for place, value in enumerate(features))


def measured(model: Json, scored: list[train.Scored], tonight: list[train.Customer]) -> Json:
    """A report of the run, as SageMaker's model monitor writes it."""
    kinds = {"auc": train.auc, "accuracy": train.accuracy, "recall": train.recall, "log_loss": train.log_loss}
    quality = {name: {"value": round(measure(scored), 4)} for name, measure in kinds.items()}
    return {"binary_classification_metrics": quality, "latency": latency(model, tonight[:BATCH])}


def latency(model: Json, customers: list[train.Customer]) -> Json:
    """How long a batch of a thousand takes, the best of some: this machine has others to serve."""
    best = min(train.timed(model, customers) for _ in range(5)) * 1000 / len(customers)
    return {"p95_ms": {"value": round(best, 4), "unit": "ms"}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the model that is approved for an environment, and say how the run is called."""
    url = os.environ.get("AWS_ENDPOINT_URL")
    parser = argparse.ArgumentParser(prog="python -m infra.local.inference", description="Run batch inference.")
    parser.add_argument("group", metavar="GROUP", help="model package group, such as churn")
    parser.add_argument("environment", metavar="ENVIRONMENT", help="where it runs, such as dev")
    parser.add_argument("--endpoint", metavar="URL", default=url, required=not url, help="what `make run` has printed")
    asked = parser.parse_args(arguments)
    try:
        name = BatchInference(Endpoint(asked.endpoint)).tell(asked.group, asked.environment)
    except NothingApproved as missing:
        print(missing, file=sys.stderr)
        return 1
    print(f"{name} has run in {asked.environment}, and was measured.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
