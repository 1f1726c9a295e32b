"""The SageMaker Model Registry."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.aws.limits import check_description, check_life_cycle, check_metadata
from bot.domain import Container, ModelVersion, Package
from bot.ports import Listed

PAGE = 100
REPORTS = (
    ("ModelQuality", "Statistics"),
    ("ModelQuality", "Constraints"),
    ("ModelDataQuality", "Statistics"),
    ("ModelDataQuality", "Constraints"),
    ("Bias", "Report"),
    ("Bias", "PreTrainingReport"),
    ("Bias", "PostTrainingReport"),
    ("Explainability", "Report"),
)
Json = Mapping[str, Any]


class SageMakerRegistry:
    """`ports.ModelRegistry`, in one account and region."""

    def __init__(self, clients: Clients, *, partition: str, region: str, account: str) -> None:
        self._clients = clients
        self._prefix = f"arn:{partition}:sagemaker:{region}:{account}:model-package"

    def describe(self, model: ModelVersion) -> Package | None:
        """Read one version by its ARN; nothing when there is none."""
        try:
            with unavailable("sagemaker:DescribeModelPackage"):
                found = self._clients("sagemaker").describe_model_package(
                    ModelPackageName=f"{self._prefix}/{model.group}/{model.version}"
                )
        except ClientError as error:
            if code_of(error) in ("ValidationException", "ResourceNotFound", "ResourceNotFoundException"):
                return None
            raise
        return package_of(model, found)

    def update(
        self,
        package: Package,
        *,
        status: str,
        description: str,
        metadata: Mapping[str, str],
        life_cycle: tuple[str, str],
    ) -> None:
        """Write everything in one UpdateModelPackage, so that it is right whether AWS merges or replaces."""
        check_metadata(metadata)
        check_description(description)
        changes: dict[str, Any] = {
            "ModelPackageArn": package.arn,
            "ModelApprovalStatus": str(status),
            "ApprovalDescription": description,
            "CustomerMetadataProperties": dict(metadata),
        }
        if all(life_cycle):
            check_life_cycle(*life_cycle)
            changes["ModelLifeCycle"] = {"Stage": life_cycle[0], "StageStatus": life_cycle[1]}
        with unavailable("sagemaker:UpdateModelPackage"):
            self._clients("sagemaker").update_model_package(**changes)

    def versions(
        self, group: str | None = None, *, status: str | None = None, created_after: datetime | None = None
    ) -> Iterable[Listed]:
        """List versions, newest first, a hundred a page."""
        asked: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE}
        asked |= {"ModelPackageGroupName": group} if group else {"ModelPackageType": "Versioned"}
        asked |= {"ModelApprovalStatus": status} if status else {}
        asked |= {"CreationTimeAfter": created_after} if created_after else {}
        for each in self._pages(asked):
            if "ModelPackageGroupName" in each and "ModelPackageVersion" in each:
                model = ModelVersion(each["ModelPackageGroupName"], int(each["ModelPackageVersion"]))
                yield Listed(model, each["CreationTime"], each.get("ModelApprovalStatus", ""))

    def _pages(self, asked: dict[str, Any]) -> Iterator[Json]:
        while True:
            with unavailable("sagemaker:ListModelPackages"):
                page = self._clients("sagemaker").list_model_packages(**asked)
            yield from page["ModelPackageSummaryList"]
            if not page.get("NextToken"):
                return
            asked = {**asked, "NextToken": page["NextToken"]}


def package_of(model: ModelVersion, found: Json) -> Package:
    """Read DescribeModelPackage's answer; what AWS leaves out stays empty."""
    specification = found.get("InferenceSpecification") or {}
    properties = found.get("MetadataProperties") or {}
    life_cycle = found.get("ModelLifeCycle") or {}
    return Package(
        model=model,
        arn=found["ModelPackageArn"],
        status=found.get("ModelApprovalStatus") or "",
        description=found.get("ApprovalDescription") or "",
        package_status=found.get("ModelPackageStatus") or "",
        registration=found.get("ModelPackageRegistrationType") or "Registered",
        created_at=found.get("CreationTime"),
        modified_at=found.get("LastModifiedTime"),
        created_by=_name(found.get("CreatedBy")),
        modified_by=_name(found.get("LastModifiedBy")),
        metadata=dict(found.get("CustomerMetadataProperties") or {}),
        life_cycle=(life_cycle.get("Stage", ""), life_cycle.get("StageStatus", "")),
        containers=tuple(map(_container, specification.get("Containers") or ())),
        metrics=tuple(_reports(found.get("ModelMetrics") or {})),
        commit=properties.get("CommitId") or "",
        repository=properties.get("Repository") or "",
    )


def _name(who: Json | None) -> str:
    """The person behind a session where the company passes SourceIdentity, else the role's session or the profile."""
    identity = (who or {}).get("IamIdentity") or {}
    arn = identity.get("Arn") or ""
    return identity.get("SourceIdentity") or arn.rpartition("/")[2] or (who or {}).get("UserProfileName") or ""


def _container(found: Json) -> Container:
    return Container(
        image=found.get("Image") or "",
        image_digest=found.get("ImageDigest") or "",
        model_data=found.get("ModelDataUrl") or "",
        model_data_etag=found.get("ModelDataETag") or "",
    )


def _reports(metrics: Json) -> Iterator[tuple[str, str]]:
    for kind, part in REPORTS:
        source = (metrics.get(kind) or {}).get(part) or {}
        if source.get("S3Uri"):
            yield source["S3Uri"], source.get("ContentDigest") or ""
