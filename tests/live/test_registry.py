"""The SageMaker Model Registry and EventBridge, as `infra/local/moto_corrections/registry.py` believes them to be."""

import json
from contextlib import ExitStack

import pytest
from botocore.exceptions import ClientError

from bot.aws.clients import code_of
from bot.aws.registry import SageMakerRegistry
from bot.domain import ModelVersion


class Group:
    """A model package group of one test; moto deletes neither groups nor versions, so there nothing is."""

    def __init__(self, aws, name, after):
        self.name, self.after = name, ExitStack() if aws.told.local else after
        self.sagemaker = aws.patient("sagemaker")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name)
        self.after.callback(self.sagemaker.delete_model_package_group, ModelPackageGroupName=name)
        image = aws.told.get("LIVE_AWS_IMAGE", f"{aws.account}.dkr.ecr.{aws.region}.amazonaws.com/ma-live:1")
        self.specification = {
            "Containers": [{"Image": image}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
        self.registry = SageMakerRegistry(aws.clients, partition="aws", region=aws.region, account=aws.account)

    def register(self, **more):
        arn = self.sagemaker.create_model_package(
            ModelPackageGroupName=self.name, InferenceSpecification=self.specification, SkipModelValidation="All",
            ModelApprovalStatus="PendingManualApproval", **more,
        )["ModelPackageArn"]  # fmt: skip
        self.after.callback(self.sagemaker.delete_model_package, ModelPackageName=arn)
        return arn

    def update(self, arn, **changes):
        self.sagemaker.update_model_package(ModelPackageArn=arn, **changes)
        return self.sagemaker.describe_model_package(ModelPackageName=arn)


@pytest.fixture
def group(aws, unique, after):
    return Group(aws, unique, after)


def test_an_update_merges_metadata_and_keeps_what_it_leaves_out(group):
    """`merge_metadata`, `keep_omitted_fields`: no page says so outright (aws 2.1, 2.2 UNVERIFIED, 11)."""
    arn = group.register(CustomerMetadataProperties={"dev": "Approved", "team": "risk"})
    group.update(arn, ModelApprovalStatus="Approved", ApprovalDescription="by a test")
    found = group.update(arn, CustomerMetadataProperties={"test": "Approved"})
    assert found["CustomerMetadataProperties"] == {"dev": "Approved", "team": "risk", "test": "Approved"}
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "by a test")
    found = group.update(arn, CustomerMetadataPropertiesToRemove=["team"])
    assert found["CustomerMetadataProperties"] == {"dev": "Approved", "test": "Approved"}


def test_status_metadata_and_life_cycle_are_written_in_one_call(group):
    """`store_dropped_fields`, `describe_dropped_fields`: ModelLifeCycle comes back (aws 2.4, reliability 10)."""
    group.register()
    model = ModelVersion(group.name, 1)
    package = group.registry.describe(model)
    told = {"status": "Approved", "description": "Approved for dev.", "life_cycle": ("dev", "Approved")}
    group.registry.update(package, metadata={"dev": "Approved"}, **told)
    found = group.registry.describe(model)
    assert (found.status, found.description, found.life_cycle) == ("Approved", "Approved for dev.", ("dev", "Approved"))
    assert found.metadata["dev"] == "Approved"


def test_who_created_and_changed_a_version_is_told(group):
    """`name_who_created`, `name_who_modified`: four eyes and "by hand" rest on IamIdentity (aws 2, reliability 10)."""
    found = group.update(group.register(), ModelApprovalStatus="Approved")
    for who in (found["CreatedBy"], found["LastModifiedBy"]):
        assert who["IamIdentity"]["Arn"].startswith("arn:aws"), who
    assert group.registry.describe(ModelVersion(group.name, 1)).created_by


def test_an_unknown_version_does_not_exist(group):
    """`name_the_unknown_package`: SageMaker has no code for it, only these words (aws 2.7)."""
    assert group.registry.describe(ModelVersion(group.name, 99)) is None
    assert list(group.registry.versions(f"{group.name}-none")) == []


def test_versions_are_listed_newest_first_over_pages(group):
    """The sweep relies on order, NextToken and the filters of ListModelPackages (aws 2)."""
    for _ in range(3):
        group.register()
    asked = {"ModelPackageGroupName": group.name, "SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": 2}
    first = group.sagemaker.list_model_packages(**asked)
    rest = group.sagemaker.list_model_packages(**asked, NextToken=first["NextToken"])
    pages = [[each["ModelPackageVersion"] for each in page["ModelPackageSummaryList"]] for page in (first, rest)]
    assert pages == [[3, 2], [1]]
    assert not rest.get("NextToken")
    assert [each.model.version for each in group.registry.versions(group.name)] == [3, 2, 1]
    assert list(group.registry.versions(group.name, status="Approved")) == []


@pytest.mark.parametrize(
    "field",
    [
        {"CustomerMetadataProperties": {"who": '{"a": 1}'}},
        {"CustomerMetadataProperties": {"who": "x" * 257}},
        {"ApprovalDescription": "x" * 1025},
        {"ModelLifeCycle": {"Stage": "not a stage", "StageStatus": "Approved"}},
    ],
    ids=["letters", "value", "description", "stage"],
)
def test_a_field_beyond_its_pattern_or_length_is_refused(group, field):
    """`refuse_bad_fields`: what our own checks stand for (aws 2, reliability 3)."""
    arn = group.register()
    with pytest.raises(ClientError) as refused:
        group.update(arn, **field)
    assert code_of(refused.value) == "ValidationException"


def test_tags_are_refused_for_a_version(group):
    """`refuse_tags_on_a_version`: it has those of its group (aws 2)."""
    with pytest.raises(ClientError, match=r"[Tt]ag"):
        group.register(Tags=[{"Key": "team", "Value": "risk"}])


def test_events_of_a_registration_and_of_metadata_alone_arrive_with_their_account(aws, unique, after):
    """`announce_created`, `announce_updated`: with account and region, for metadata too (aws 2, reliability 10)."""
    wait_for = aws.listen(unique, after)
    group = Group(aws, unique, after)
    arn = group.register()
    event = wait_for(lambda event: event["detail"]["ModelPackageArn"] == arn)
    assert (event["source"], event["detail-type"]) == ("aws.sagemaker", "SageMaker Model Package State Change")
    assert (event["account"], event["region"], event["resources"]) == (aws.account, aws.region, [arn])
    assert event["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    group.update(arn, CustomerMetadataProperties={"dev": "Approved"})
    wait_for(lambda event: "CustomerMetadataProperties" in event["detail"].get("UpdatedModelPackageFields", ()))


def test_nobody_may_speak_as_aws_on_the_bus(aws):
    """`deliver_entries`: PutEvents refuses the source aws.sagemaker (aws 4 UNVERIFIED, 11, reliability 7 [U])."""
    entry = {"Source": "aws.sagemaker", "DetailType": "SageMaker Model Package State Change", "Detail": json.dumps({})}
    answer = aws.patient("events").put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSource"
