"""AWS on the page: the Model Registry and Parameter Store, read with the clients that anybody has."""

from collections.abc import Hashable, Mapping
from typing import Any

from infra.local.aws_faults import AWS_ITSELF
from infra.local.page.pane import Json, Pane
from infra.local.stack import Stack

NEWEST = 20
"""Versions of a group that are shown."""
READING = ("Get", "List", "Describe", "Receive", "Head")
"""How the names of actions begin that change nothing."""


class AwsPane(Pane):
    """What is registered, and what Parameter Store holds."""

    name = "aws"

    def __init__(self, stack: Stack) -> None:
        self._calls = stack.aws.calls
        self._registry = stack.aws.client("sagemaker", access_key=AWS_ITSELF)
        self._store = stack.aws.client("ssm", access_key=AWS_ITSELF)

    def version(self) -> Hashable:
        """Whatever changes there follows from a call, which is no reading one."""
        changes = (call for call in reversed(self._calls) if not call.action.startswith(READING))
        return next((call.ended for call in changes), 0)

    def seen_by(self, _: str) -> Json:
        """Both, for anybody."""
        return {"groups": self._groups(), "parameters": self._parameters()}

    def _groups(self) -> list[Json]:
        pages = self._registry.get_paginator("list_model_package_groups").paginate()
        names = [each["ModelPackageGroupName"] for page in pages for each in page["ModelPackageGroupSummaryList"]]
        return [{"name": name, "versions": self._versions(name)} for name in sorted(names)]

    def _versions(self, group: str) -> list[Json]:
        """The versions of a group, newest first."""
        newest = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": NEWEST}
        listed = self._registry.list_model_packages(ModelPackageGroupName=group, **newest)["ModelPackageSummaryList"]
        arns = [each["ModelPackageArn"] for each in listed]
        return [_version(self._registry.describe_model_package(ModelPackageName=arn)) for arn in arns]

    def _parameters(self) -> list[Json]:
        pages = self._store.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
        return [
            {
                "name": each["Name"],
                "value": each["Value"],
                "version": each["Version"],
                "modified": each["LastModifiedDate"].isoformat(),
            }
            for page in pages
            for each in page["Parameters"]
        ]


def _version(package: Mapping[str, Any]) -> Json:
    return {
        "version": package["ModelPackageVersion"],
        "arn": package["ModelPackageArn"],
        "status": package.get("ModelApprovalStatus", "none"),
        "fields": package.get("CustomerMetadataProperties", {}),
        "registered": package["CreationTime"].isoformat(),
    }
