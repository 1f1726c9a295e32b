"""The SageMaker Model Registry."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.aws.limits import check_description, check_life_cycle, check_metadata
from bot.domain import ModelVersion
from bot.package import Container, Listed, Package

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
        """Read one version by its ARN; nothing when there is none.

        `MetadataOnly` leaves out nothing but the content of the model card, which would take a right to its key
        (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeModelPackage.html).
        """
        try:
            with unavailable("sagemaker:DescribeModelPackage"):
                found = self._clients("sagemaker").describe_model_package(
                    ModelPackageName=f"{self._prefix}/{model.group}/{model.version}", IncludedData="MetadataOnly"
                )
        except ClientError as error:
            if _is_unknown(error):
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
        if any(life_cycle):  # a Stage cannot be taken away
            check_life_cycle(*life_cycle)
            changes["ModelLifeCycle"] = {"Stage": life_cycle[0], "StageStatus": life_cycle[1]}
        with unavailable("sagemaker:UpdateModelPackage"):
            self._clients("sagemaker").update_model_package(**changes)

    def versions(
        self, group: str | None = None, *, status: str | None = None, created_after: datetime | None = None
    ) -> Iterable[Listed]:
        """List versions, newest first, a hundred a page; none of an unknown group."""
        asked: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE}
        asked |= {"ModelPackageGroupName": group} if group else {"ModelPackageType": "Versioned"}
        asked |= {"ModelApprovalStatus": status} if status else {}
        asked |= {"CreationTimeAfter": created_after} if created_after else {}
        for each in self._pages(asked):
            if "ModelPackageGroupName" in each and "ModelPackageVersion" in each:
                model = ModelVersion(each["ModelPackageGroupName"], int(each["ModelPackageVersion"]))
                yield Listed(model, each["CreationTime"].astimezone(UTC), each.get("ModelApprovalStatus", ""))

    def _pages(self, asked: dict[str, Any]) -> Iterator[Json]:
        while True:
            try:
                with unavailable("sagemaker:ListModelPackages"):
                    page = self._clients("sagemaker").list_model_packages(**asked)
            except ClientError as error:
                if _is_unknown(error):
                    return
                raise
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
        created_at=_utc(found.get("CreationTime")),
        modified_at=_utc(found.get("LastModifiedTime")),
        created_by=_name(found.get("CreatedBy")),
        modified_by=_name(found.get("LastModifiedBy")),
        metadata=dict(found.get("CustomerMetadataProperties") or {}),
        life_cycle=(life_cycle.get("Stage", ""), life_cycle.get("StageStatus", "")),
        containers=tuple(map(_container, specification.get("Containers") or ())),
        metrics=_reports(found.get("ModelMetrics") or {}),
        commit=properties.get("CommitId") or "",
        repository=properties.get("Repository") or "",
    )


def _name(who: Json | None) -> str:
    """The person behind a UserContext; nothing when AWS does not tell.

    First the SourceIdentity, which a session cannot change; then the Studio profile, whose session AWS names
    `SageMaker`; last the end of the ARN: a user's name, or a role session's name, which its caller chose.
    """
    identity = (who or {}).get("IamIdentity") or {}
    tail = re.split("[/:]", identity.get("Arn") or "")[-1]
    return identity.get("SourceIdentity") or (who or {}).get("UserProfileName") or tail


def _container(found: Json) -> Container:
    """Model data lies at ModelDataUrl or, uncompressed, at ModelDataSource."""
    source = (found.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return Container(
        image=found.get("Image") or "",
        image_digest=found.get("ImageDigest") or "",
        model_data=found.get("ModelDataUrl") or source.get("S3Uri") or "",
        model_data_etag=found.get("ModelDataETag") or source.get("ETag") or source.get("ManifestEtag") or "",
    )


def _reports(metrics: Json) -> tuple[tuple[str, str], ...]:
    """Address and digest of each report; where there are some but no evaluation, its first place stays empty."""
    sources = [(metrics.get(kind) or {}).get(part) or {} for kind, part in REPORTS]
    evaluation, *others = ((each.get("S3Uri") or "", each.get("ContentDigest") or "") for each in sources)
    told = [each for each in others if each[0]]
    return (evaluation, *told) if told or evaluation[0] else ()


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None


def _is_unknown(error: ClientError) -> bool:
    """SageMaker has no code of its own for what it does not know, but says that it `does not exist`."""
    code = code_of(error)
    return code.startswith("ResourceNotFound") or (code == "ValidationException" and "does not exist" in str(error))
