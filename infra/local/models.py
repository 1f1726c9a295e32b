"""What a training pipeline does, with the two models that `samples/` holds: upload, then register a version.

While `make run` is up, `python -m infra.local.models churn churn-2` does so there, from another terminal.
"""

import argparse
import io
import json
import os
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from infra.local.aws import CLIENTS, REGION

SAMPLES = Path(__file__).parent / "samples"
BUCKET = "models-local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn-serving:1.4"
DIGEST = "sha256:" + "5f" * 32
PIPELINE = "LOCALPIPELINE"
"""The access key of the training pipeline, so that the registry knows who registered a version."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as the registry named it."""

    group: str
    version: int
    arn: str


class Clients(Protocol):
    """What gives boto3's clients: the local AWS in this process, or the endpoint of another one's."""

    def client(self, service: str, *, access_key: str) -> Any:  # noqa: ANN401 - boto3's
        """Give one caller's client of a service."""


class Pipeline:
    """Registers versions of the sample models."""

    def __init__(self, aws: Clients) -> None:
        """Make the bucket; `aws` must be started."""
        self._s3 = aws.client("s3", access_key=PIPELINE)
        self._sagemaker = aws.client("sagemaker", access_key=PIPELINE)
        self._s3.create_bucket(Bucket=BUCKET)
        self._groups: set[str] = set()

    def register(
        self,
        group: str,
        sample: str = "churn-1",
        *,
        status: str = "PendingManualApproval",
        **changes: Any,  # noqa: ANN401 - SageMaker's own arguments
    ) -> Registered:
        """Upload a sample's files, register them as the group's next version; `changes` go to SageMaker as they are."""
        self._make_group(group)
        place = f"{group}/{len(self._objects(group))}"
        data = self._upload(f"{place}/model.tar.gz", packed(SAMPLES / sample / "model.json"))
        report = (SAMPLES / sample / "evaluation.json").read_bytes()
        self._upload(f"{place}/evaluation.json", report)
        statistics = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{place}/evaluation.json"}
        container = {
            "Image": IMAGE,
            "ImageDigest": DIGEST,
            "ModelDataUrl": f"s3://{BUCKET}/{place}/model.tar.gz",
            "ModelDataETag": data,
        }
        asked = {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": status,
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
            "MetadataProperties": {"CommitId": "9f3c2ab41d07", "Repository": "https://git.example.com/churn"},
            **changes,
        }
        arn: str = self._sagemaker.create_model_package(**asked)["ModelPackageArn"]
        return Registered(group, int(arn.rpartition("/")[2]), arn)

    def _make_group(self, group: str) -> None:
        if group in self._groups:
            return
        try:
            self._sagemaker.describe_model_package_group(ModelPackageGroupName=group)
        except ClientError:
            self._sagemaker.create_model_package_group(ModelPackageGroupName=group)
        self._groups.add(group)

    def _objects(self, group: str) -> list[Any]:
        found = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{group}/")
        return list(found.get("Contents", []))

    def _upload(self, key: str, body: bytes) -> str:
        answer = self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        return str(answer["ETag"])


def packed(model: Path) -> bytes:
    """A `model.tar.gz` that holds a model's parameters; the same bytes every time."""
    text = json.dumps(json.loads(model.read_text()), sort_keys=True).encode()
    packing = io.BytesIO()
    with tarfile.open(fileobj=packing, mode="w:gz") as archive:
        member = tarfile.TarInfo("model.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return packing.getvalue()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An AWS in another process."""

    url: str

    def client(self, service: str, *, access_key: str) -> Any:  # noqa: ANN401 - boto3's
        """Give one caller's client of a service."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key="local",
            config=CLIENTS,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Register one version, and say which."""
    url = os.environ.get("AWS_ENDPOINT_URL")
    parser = argparse.ArgumentParser(prog="python -m infra.local.models", description="Register a sample's version.")
    parser.add_argument("group", metavar="GROUP", help="model package group, such as churn")
    parser.add_argument("sample", metavar="SAMPLE", nargs="?", default="churn-1", choices=samples(), help="%(choices)s")
    parser.add_argument("--endpoint", metavar="URL", default=url, required=not url, help="what `make run` has printed")
    asked = parser.parse_args(arguments)
    registered = Pipeline(Endpoint(asked.endpoint)).register(asked.group, asked.sample)
    print(f"{registered.arn} is registered.")
    return 0


def samples() -> list[str]:
    """Name the models that there are."""
    return sorted(each.parent.name for each in SAMPLES.glob("*/model.json"))


if __name__ == "__main__":
    sys.exit(main())
