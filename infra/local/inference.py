"""What an inference pipeline does: fetch the model approved for its environment, score with it, measure, tell.

    BatchInference(aws).run("churn", "dev")

The scores are real: the parameters come out of the approved version's `model.tar.gz`, the customers are invented.
"""

import io
import json
import tarfile
import uuid
from collections.abc import Mapping
from typing import Any

from infra.local.aws import Aws
from infra.local.models import BUCKET
from infra.local.samples import train

SCORER = "LOCALSCORER"
"""The access key of the inference pipelines."""
ROOT = "/model-approvals"
SCORED, BATCH = 400, 100
"""Customers of one run, and of one batch whose time is measured."""
Json = Mapping[str, Any]


class BatchInference:
    """Batch transform jobs of the local AWS, with what a machine of SageMaker's would do in them."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._store, self._s3, self._sagemaker = (
            aws.client(service, access_key=SCORER) for service in ("ssm", "s3", "sagemaker")
        )

    def run(self, group: str, environment: str, *, failure: str = "") -> str:
        """Score a night's customers with what is approved for an environment, and give the job's name."""
        approved = self._approved(group, environment)
        name = f"{group}-{environment}-{uuid.uuid4().hex[:8]}"
        output = f"runs/{name}"
        self._start(name, str(approved["model_package_arn"]), environment, output)
        if failure:
            self._aws.end_transform(name, "Failed", reason=failure)
            return name
        model, tonight = (
            self._model(str(approved["model_data_url"])),
            train.customers(SCORED, seed=hash_of(environment)),
        )
        scored = [train.Scored(each.left, train.score(model, each.features)) for each in tonight]
        self._put(f"{output}/customers.csv.out", "\n".join(f"{each.score:.6f}" for each in scored).encode())
        self._put(f"{output}/evaluation.json", json.dumps(measured(model, scored, tonight)).encode())
        self._aws.end_transform(name)
        return name

    def _approved(self, group: str, environment: str) -> Json:
        """The one call that an inference pipeline makes."""
        found = self._store.get_parameter(Name=f"{ROOT}/{group}/approved/{environment}")
        value: Json = json.loads(found["Parameter"]["Value"])
        return value

    def _start(self, name: str, arn: str, environment: str, output: str) -> None:
        role = f"arn:aws:iam::{self._aws.account}:role/batch"
        self._sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": arn})
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/customers"}}
        self._sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=name,
            TransformInput={"DataSource": source, "ContentType": "text/csv"},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{output}"},
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

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def hash_of(environment: str) -> int:
    """Each environment has customers of its own, the same ones for each version that it scores."""
    return sum(map(ord, environment))


def measured(model: Json, scored: list[train.Scored], tonight: list[train.Customer]) -> Json:
    """A report of the run, as SageMaker's model monitor writes it."""
    kinds = {"auc": train.auc, "accuracy": train.accuracy, "recall": train.recall, "log_loss": train.log_loss}
    quality = {name: {"value": round(measure(scored), 4)} for name, measure in kinds.items()}
    return {"binary_classification_metrics": quality, "latency": latency(model, tonight[:BATCH])}


def latency(model: Json, customers: list[train.Customer]) -> Json:
    """How long a batch of a thousand takes, the best of some: this machine has others to serve."""
    best = min(train.timed(model, customers) for _ in range(5)) * 1000 / len(customers)
    return {"p95_ms": {"value": round(best, 4), "unit": "ms"}}
