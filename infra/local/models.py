"""What a training pipeline does, with the two models that `samples/` holds: upload, then register a version."""

import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.aws import Aws

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


class Pipeline:
    """Registers versions of the sample models."""

    def __init__(self, aws: Aws) -> None:
        """Make the bucket; `aws` must be started."""
        self._aws = aws
        self._s3 = aws.client("s3", access_key=PIPELINE)
        self._sagemaker = aws.client("sagemaker", access_key=PIPELINE)
        self._s3.create_bucket(Bucket=BUCKET)
        self._groups: set[str] = set()

    def register(
        self, group: str, sample: str = "churn-1", *, status: str = "PendingManualApproval", **changes: Any
    ) -> Registered:
        """Upload a sample's files and register them as the group's next version; `changes` go to SageMaker as they are."""
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
        if group not in self._groups:
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
