"""The local AWS answers as AWS does where moto does not, and fails where it is told to."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from moto.iam.models import iam_backends
from moto.sagemaker.responses import SageMakerResponse

from infra.local import moto_corrections
from infra.local.aws import BOT_KEY, Aws
from infra.local.aws_faults import AWS_ITSELF
from infra.local.moto_corrections import inference, parameters, registry, roles

CONSOLE = "CONSOLE"
CORRECTIONS = {
    f"{module.__name__.rsplit('.', 1)[-1]}.{correction.fix.__name__}": correction.fix
    for module in (registry, parameters, inference, roles)
    for correction in module.CORRECTIONS
}
CONTAINER = {
    "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1",
    "ImageDigest": "sha256:" + "1" * 64,
    "ModelDataUrl": "s3://models/churn/model.tar.gz",
    "ModelDataETag": "0123456789abcdef",
}
SPEC = {
    "Containers": [CONTAINER],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
OTHER_SPEC = SPEC | {"Containers": [CONTAINER | {"ImageDigest": "sha256:" + "2" * 64}]}
METRICS = {
    "ModelQuality": {
        "Statistics": {
            "ContentType": "application/json",
            "ContentDigest": "sha256:" + "3" * 64,
            "S3Uri": "s3://models/churn/evaluation.json",
        }
    }
}


@pytest.fixture(scope="module")
def running():
    with Aws() as aws:
        yield aws


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.on_event.clear()
    running.reset()
    return running


@pytest.fixture
def sagemaker(aws):
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    return aws.client("sagemaker")


@pytest.fixture
def ssm(aws):
    return aws.client("ssm")


@pytest.fixture
def events(aws):
    heard: list[dict] = []
    aws.on_event.append(heard.append)
    return heard


@pytest.fixture(scope="module")
def plain():
    """What moto does without corrections, which this process cannot show once it has corrected it."""
    script = Path(__file__).with_name("plain_moto.py")
    done = subprocess.run(
        [sys.executable, script, "registry", "parameters", "inference", "roles"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def register(sagemaker, **more):
    answer = sagemaker.create_model_package(ModelPackageGroupName="churn", InferenceSpecification=SPEC, **more)
    return answer["ModelPackageArn"]


def updated(sagemaker, arn, **change):
    sagemaker.update_model_package(ModelPackageArn=arn, **change)
    return sagemaker.describe_model_package(ModelPackageName=arn)


def refused(call, **arguments):
    """The code and the message of the error that a call must end in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


# ------------------------------------------------------------------------------------------- moto as it is


@pytest.mark.parametrize("name", CORRECTIONS)
def test_moto_without_the_correction_still_differs_from_aws(plain, name):
    assert plain[name], f"moto now does so by itself: drop the correction {name} ({CORRECTIONS[name].__doc__})"


def test_every_correction_has_its_check(plain):
    assert set(plain) == set(CORRECTIONS)


def test_correcting_twice_changes_nothing(aws):
    before = SageMakerResponse.update_model_package
    moto_corrections.apply()
    assert SageMakerResponse.update_model_package is before


# -------------------------------------------------------------------------------------------- the registry


def test_an_update_keeps_the_fields_it_was_not_sent(sagemaker):
    arn = register(sagemaker, ModelApprovalStatus="PendingManualApproval")
    updated(sagemaker, arn, ModelApprovalStatus="Approved", ApprovalDescription="by Ada")
    described = updated(sagemaker, arn, CustomerMetadataProperties={"dev": "Approved"})
    assert described["ModelApprovalStatus"] == "Approved"
    assert described["ApprovalDescription"] == "by Ada"
    assert updated(sagemaker, arn, ModelApprovalStatus="Rejected")["CustomerMetadataProperties"] == {"dev": "Approved"}


def test_metadata_is_merged_and_removed_by_name(sagemaker):
    arn = register(sagemaker, CustomerMetadataProperties={"owner": "risk", "dev": "Pending"})
    merged = updated(sagemaker, arn, CustomerMetadataProperties={"dev": "Approved"})
    assert merged["CustomerMetadataProperties"] == {"owner": "risk", "dev": "Approved"}
    left = updated(sagemaker, arn, CustomerMetadataPropertiesToRemove=["owner", "unknown"])
    assert left["CustomerMetadataProperties"] == {"dev": "Approved"}


def test_metadata_can_be_removed_from_a_package_that_has_none(sagemaker):
    updated(sagemaker, register(sagemaker), CustomerMetadataPropertiesToRemove=["owner"])


def test_an_unknown_package_does_not_exist(sagemaker):
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/99"
    error = ("ValidationException", f"ModelPackage {arn} does not exist.")
    assert refused(sagemaker.describe_model_package, ModelPackageName=arn) == error
    assert refused(sagemaker.update_model_package, ModelPackageArn=arn, SourceUri="s3://x") == error


def test_a_package_is_tagged_by_its_arn(sagemaker):
    arn = register(sagemaker)
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "risk"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_a_version_is_not_registered_with_tags(sagemaker):
    tags = [{"Key": "team", "Value": "risk"}]
    assert refused(register, sagemaker=sagemaker, Tags=tags)[0] == "ValidationException"


def test_what_is_registered_is_described_and_listed(sagemaker):
    life_cycle = {"Stage": "Development", "StageStatus": "PendingApproval"}
    given = {
        "ModelLifeCycle": life_cycle,
        "ModelMetrics": METRICS,
        "ModelPackageRegistrationType": "Registered",
        "SourceUri": "https://git.example/churn",
    }
    described = sagemaker.describe_model_package(ModelPackageName=register(sagemaker, **given))
    assert {name: described[name] for name in given} == given
    assert described["InferenceSpecification"] == SPEC
    listed = sagemaker.list_model_packages(ModelPackageGroupName="churn")["ModelPackageSummaryList"][0]
    assert listed["ModelLifeCycle"] == life_cycle
    assert listed["ModelPackageRegistrationType"] == "Registered"


def test_an_update_can_replace_what_is_served_and_where_it_stands(sagemaker):
    life_cycle = {"Stage": "Production", "StageStatus": "Approved", "StageDescription": "by Ada"}
    described = updated(
        sagemaker,
        register(sagemaker),
        InferenceSpecification=OTHER_SPEC,
        ModelLifeCycle=life_cycle,
        SourceUri="s3://moved",
    )
    assert described["InferenceSpecification"] == OTHER_SPEC
    assert (described["ModelLifeCycle"], described["SourceUri"]) == (life_cycle, "s3://moved")


def test_a_change_by_hand_names_another_identity_than_the_bots(aws, sagemaker):
    aws.identities["SSO"] = "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.org"
    aws.source_identities["SSO"] = "ada"
    arn = register(sagemaker)
    described = updated(aws.client("sagemaker", access_key="SSO"), arn, ModelApprovalStatus="Approved")
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == f"arn:aws:iam::123456789012:user/{BOT_KEY}"
    by_hand = described["LastModifiedBy"]["IamIdentity"]
    assert by_hand["Arn"] == "arn:aws:sts::123456789012:assumed-role/Admin/ada@example.org"
    assert by_hand["PrincipalId"].startswith("AROA")
    assert by_hand["PrincipalId"].endswith(":ada@example.org")
    assert by_hand["SourceIdentity"] == "ada"


def test_every_update_is_later_than_the_one_before(sagemaker):
    arn = register(sagemaker)
    first = updated(sagemaker, arn, ModelApprovalStatus="Rejected")["LastModifiedTime"]
    time.sleep(0.005)
    assert updated(sagemaker, arn, ModelApprovalStatus="Approved")["LastModifiedTime"] > first


@pytest.mark.parametrize(
    "change",
    [
        {"CustomerMetadataProperties": {"a,b": "1"}},
        {"CustomerMetadataProperties": {"a": '{"json": true}'}},
        {"CustomerMetadataProperties": {"a": "x" * 257}},
        {"CustomerMetadataProperties": {"k" * 129: "1"}},
        {"CustomerMetadataProperties": {f"k{number}": "1" for number in range(51)}},
        {"ApprovalDescription": "x" * 1025},
        {"ApprovalDescription": "two\nlines"},
        {"ModelLifeCycle": {"Stage": "not a stage", "StageStatus": "Approved"}},
    ],
    ids=lambda change: json.dumps(change)[:45],
)
def test_a_field_that_breaks_its_documented_pattern_is_refused(sagemaker, change):
    arn = register(sagemaker)
    assert refused(updated, sagemaker=sagemaker, arn=arn, **change)[0] == "ValidationException"


def test_metadata_takes_every_documented_character(sagemaker):
    metadata = {"Schlüssel_1.a:b/c=d+e-f@g": "2026-11-24T12:00:00Z ada@example.org 承認", "max": "x" * 256}
    described = sagemaker.describe_model_package(
        ModelPackageName=register(sagemaker, CustomerMetadataProperties=metadata)
    )
    assert described["CustomerMetadataProperties"] == metadata


def test_versions_registered_at_once_get_different_numbers(sagemaker):
    with ThreadPoolExecutor(16) as pool:
        arns = list(pool.map(lambda _: register(sagemaker), range(32)))
    assert sorted(int(arn.rsplit("/", 1)[-1]) for arn in arns) == list(range(1, 33))


# --------------------------------------------------------------------------------------------- the events


def test_a_registration_is_announced_with_a_whole_envelope(sagemaker, events):
    arn = register(sagemaker, ModelApprovalStatus="PendingManualApproval", ModelMetrics=METRICS)
    (event,) = events
    detail = event["detail"]
    assert event["detail-type"] == "SageMaker Model Package State Change"
    assert (event["source"], event["account"], event["region"], event["version"]) == (
        "aws.sagemaker",
        "123456789012",
        "us-east-1",
        "0",
    )
    assert event["resources"] == [arn]
    assert datetime.fromisoformat(event["time"]).utcoffset() is not None
    assert (detail["ModelPackageGroupName"], detail["ModelPackageVersion"]) == ("churn", 1)
    assert (detail["ModelPackageArn"], detail["ModelApprovalStatus"]) == (arn, "PendingManualApproval")
    assert (detail["InferenceSpecification"], detail["ModelMetrics"]) == (SPEC, METRICS)
    assert "UpdatedModelPackageFields" not in detail
    assert json.loads(json.dumps(event)) == event


def test_an_update_is_announced_with_the_fields_it_was_sent(sagemaker, events):
    arn = register(sagemaker)
    updated(
        sagemaker,
        arn,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"dev": "Approved"},
        CustomerMetadataPropertiesToRemove=["old"],
        SourceUri="s3://x",
    )
    detail = events[-1]["detail"]
    assert detail["UpdatedModelPackageFields"] == [
        "ModelApprovalStatus",
        "sourceUri",
        "CustomerMetadataProperties",
    ]
    assert not {"CustomerMetadataProperties", "LastModifiedBy", "CreatedBy"} & set(detail)
    assert len({event["id"] for event in events}) == 2


def test_a_refused_update_is_not_announced(sagemaker, events):
    arn = register(sagemaker)
    refused(updated, sagemaker=sagemaker, arn=arn, ApprovalDescription="two\nlines")
    assert len(events) == 1


def test_the_write_is_visible_to_whoever_hears_of_it(aws, ssm):
    heard = []
    aws.on_event.append(lambda event: heard.append(ssm.get_parameter(Name=event["detail"]["name"])))
    ssm.put_parameter(Name="/a/b", Value="1", Type="String")
    assert heard[0]["Parameter"]["Value"] == "1"


def test_a_parameter_is_announced_when_it_is_created_updated_and_deleted(ssm, events):
    ssm.put_parameter(Name="/a/b", Value="1", Type="String")
    ssm.put_parameter(Name="/a/b", Value="2", Overwrite=True)
    ssm.delete_parameter(Name="/a/b")
    ssm.put_parameter(Name="/a/c", Value="1", Type="StringList")
    ssm.delete_parameters(Names=["/a/c", "/a/unknown"])
    assert [event["detail"] for event in events] == [
        {"name": "/a/b", "type": "String", "operation": "Create"},
        {"name": "/a/b", "type": "String", "operation": "Update"},
        {"name": "/a/b", "type": "String", "operation": "Delete"},
        {"name": "/a/c", "type": "StringList", "operation": "Create"},
        {"name": "/a/c", "type": "StringList", "operation": "Delete"},
    ]
    assert events[0]["resources"] == ["arn:aws:ssm:us-east-1:123456789012:parameter/a/b"]
    assert events[0]["detail-type"] == "Parameter Store Change"


def trusting(aws, *principals, **condition):
    """A role of another account that trusts somebody; its ARN. It is made by that account's own administrator."""
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": each}, "Action": "sts:AssumeRole", "Condition": condition}
        for each in principals
    ]
    iam_backends["222222222222"]["aws"].create_role(
        "approvals", json.dumps({"Version": "2012-10-17", "Statement": statements}), "/", "", "", [], "3600"
    )
    return "arn:aws:iam::222222222222:role/approvals"


def assumed(aws, role, access_key="LOCALBOT", **more):
    """Become it; the access key."""
    answer = aws.client("sts", access_key=access_key).assume_role(RoleArn=role, RoleSessionName="bot", **more)
    return answer["Credentials"]["AccessKeyId"]


def test_a_role_that_nobody_has_made_is_assumed_by_nobody(aws):
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(aws, "arn:aws:iam::222222222222:role/approvals")


@pytest.mark.parametrize(
    ("principal", "condition"),
    [
        ("arn:aws:iam::333333333333:root", {}),
        ("arn:aws:iam::123456789012:user/OTHER", {}),
        ("arn:aws:iam::123456789012:root", {"StringEquals": {"sts:ExternalId": "another"}}),
        ("arn:aws:iam::123456789012:root", {"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::123456789012:role/x-*"]}}),
        ("arn:aws:iam::123456789012:root", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    ],
)
def test_a_role_is_assumed_only_by_whom_it_trusts(aws, principal, condition):
    role = trusting(aws, principal, **condition)
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(aws, role, ExternalId="one")


def test_a_session_counts_as_its_role(aws, monkeypatch):
    monkeypatch.setitem(aws.identities, "SESSION", "arn:aws:sts::123456789012:assumed-role/x-1/now")
    patterns = ["arn:aws:iam::123456789012:role/x-*"]
    condition = {"StringEquals": {"sts:ExternalId": "one"}, "ArnLike": {"aws:PrincipalArn": patterns}}
    role = trusting(aws, "arn:aws:iam::123456789012:root", **condition)
    assert assumed(aws, role, "SESSION", ExternalId="one")
    with pytest.raises(ClientError, match="AccessDenied"):
        assumed(aws, role, "SESSION")


def test_a_role_of_another_account_writes_there_and_is_announced_from_there(aws, events):
    key = assumed(aws, trusting(aws, "arn:aws:iam::123456789012:root"))
    aws.client("ssm", access_key=key).put_parameter(Name="/a", Value="1", Type="String")
    assert events[0]["account"] == "222222222222"
    there = aws.client("sagemaker", access_key=key)
    there.create_model_package_group(ModelPackageGroupName="churn")
    described = there.describe_model_package(ModelPackageName=register(there))
    arn = "arn:aws:sts::222222222222:assumed-role/approvals/bot"
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == arn


# ----------------------------------------------------------------------------------------- Parameter Store


def test_each_version_of_a_parameter_names_who_wrote_it(aws, ssm):
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    aws.client("ssm", access_key="SOMEBODY").put_parameter(Name="/a", Value="2", Type="String", Overwrite=True)
    found = ssm.get_parameter_history(Name="/a")["Parameters"]
    assert [each["LastModifiedUser"].rpartition("/")[2] for each in found] == [BOT_KEY, "SOMEBODY"]


def test_of_many_who_create_a_parameter_exactly_one_wins(ssm):
    def create(name, writer):
        try:
            ssm.put_parameter(Name=name, Value=str(writer), Type="String", Overwrite=False)
        except ssm.exceptions.ParameterAlreadyExists:
            return None
        return str(writer)

    with ThreadPoolExecutor(32) as pool:
        for number in range(20):
            name = f"/race/{number}"
            won = [each for each in pool.map(create, [name] * 32, range(32)) if each is not None]
            assert won == [ssm.get_parameter(Name=name)["Parameter"]["Value"]]


@pytest.mark.parametrize(
    ("size", "asked", "resolved"),
    [
        (4096, None, "Standard"),
        (4096, "Intelligent-Tiering", "Standard"),
        (4097, "Intelligent-Tiering", "Advanced"),
        (8192, "Advanced", "Advanced"),
    ],
)
def test_the_tier_is_resolved_by_the_size(ssm, size, asked, resolved):
    tier = {"Tier": asked} if asked else {}
    answer = ssm.put_parameter(Name="/a", Value="x" * size, Type="String", **tier)
    assert (answer["Version"], answer["Tier"]) == (1, resolved)


@pytest.mark.parametrize(
    ("value", "tier"),
    [
        ("x" * 4097, "Standard"),
        ("é" * 2049, "Standard"),
        ("x" * 8193, "Advanced"),
        ("x" * 8193, "Intelligent-Tiering"),
        ("{{ssm:other}}", "Standard"),
    ],
    ids=["standard", "bytes not characters", "advanced", "intelligent", "reference"],
)
def test_a_value_that_is_too_large_or_refers_is_refused(ssm, value, tier):
    code, _ = refused(ssm.put_parameter, Name="/a", Value=value, Type="String", Tier=tier)
    assert code == "ValidationException"
    assert refused(ssm.get_parameter, Name="/a")[0] == "ParameterNotFound"


def test_an_advanced_parameter_stays_advanced(ssm):
    ssm.put_parameter(Name="/a", Value="x" * 5000, Type="String", Tier="Advanced")
    small = {"Name": "/a", "Value": "x", "Overwrite": True}
    assert ssm.put_parameter(**small, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert ssm.put_parameter(**small)["Tier"] == "Advanced"
    assert refused(ssm.put_parameter, **small, Tier="Standard")[0] == "ValidationException"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("/a name", "ValidationException"),
        ("/a$b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a/", "ValidationException"),
        ("a/b", "ValidationException"),
        ("/ssm/a", "ValidationException"),
        ("ssm.a", "ValidationException"),
        ("/aws/a", "AccessDeniedException"),
        ("/" + "n" * 1000, "ValidationException"),
        ("/a" * 16, "HierarchyLevelLimitExceededException"),
    ],
)
def test_a_bad_name_is_refused(ssm, name, code):
    assert refused(ssm.put_parameter, Name=name, Value="1", Type="String")[0] == code


def test_a_name_of_fifteen_levels_is_taken(ssm):
    assert ssm.put_parameter(Name="/a_b.c-D" * 15, Value="1", Type="String")["Version"] == 1


def test_ten_parameters_are_read_at_a_time_and_no_more(ssm):
    names = [f"/a/{number}" for number in range(11)]
    assert refused(ssm.get_parameters, Names=names)[0] == "ValidationException"
    assert len(ssm.get_parameters(Names=names[:10])["InvalidParameters"]) == 10


# ------------------------------------------------------------------------------------ faults and the calls


def test_a_fault_before_the_write_leaves_nothing_behind(aws, ssm, events):
    aws.faults.add("PutParameter", status=400, code="TooManyUpdates")
    assert refused(ssm.put_parameter, Name="/a", Value="1", Type="String")[0] == "TooManyUpdates"
    assert refused(ssm.get_parameter, Name="/a")[0] == "ParameterNotFound"
    assert not events


def test_an_answer_lost_after_the_write_makes_the_client_send_it_again(aws, ssm, events):
    aws.faults.add("PutParameter", after=True, status="reset")
    code, _ = refused(ssm.put_parameter, Name="/a", Value="1", Type="String")
    assert code == "ParameterAlreadyExists"
    assert [call.status for call in aws.calls if call.action == "PutParameter"] == [0, 400]
    assert len(events) == 1


def test_a_connection_is_reset_as_often_as_told(aws, ssm):
    aws.faults.add("GetParameter", status="reset", times=None)
    with pytest.raises(ConnectionClosedError):
        ssm.get_parameter(Name="/a")
    aws.faults.clear()
    assert refused(ssm.get_parameter, Name="/a")[0] == "ParameterNotFound"


def test_throttling_and_failures_are_retried_by_the_client(aws, ssm):
    aws.faults.add("*", status=429)
    aws.faults.add("*", status=500)
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    assert [call.status for call in aws.calls] == [429, 500, 200]


def test_a_fault_can_be_aimed_at_one_parameter(aws, ssm):
    aws.faults.add("PutParameter", containing="/approved/prod", status=400)
    ssm.put_parameter(Name="/churn/approved/dev", Value="1", Type="String")
    ssm.put_parameter(Name="/churn/approved/prod", Value="1", Type="String")
    assert [call.status for call in aws.calls] == [200, 400, 200]


def test_a_stall_holds_the_answer_and_ends_with_the_faults(aws, ssm):
    aws.faults.add("PutParameter", status=None, stall=0.1)
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    assert aws.calls[-1].ended - aws.calls[-1].started >= 0.1
    aws.faults.add("PutParameter", status=None, stall=60)
    threading.Timer(0.1, aws.faults.clear).start()
    ssm.put_parameter(Name="/b", Value="1", Type="String")
    assert aws.calls[-1].ended - aws.calls[-1].started < 5


def test_a_fault_for_everything_spares_what_aws_does_by_itself(aws):
    aws.faults.add("*", status=403, times=None)
    aws.client("sqs", access_key=AWS_ITSELF).list_queues()
    assert refused(aws.client("sqs", access_key=CONSOLE).list_queues)[0] == "AccessDeniedException"


def test_calls_are_named_whatever_their_protocol(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="churn/evaluation.json", Body=b"{}")
    assert s3.get_object(Bucket="models", Key="churn/evaluation.json")["Body"].read() == b"{}"
    assert s3.head_object(Bucket="models", Key="churn/evaluation.json")["ContentLength"] == 2
    aws.client("sesv2").create_email_identity(EmailIdentity="bot@example.org")
    aws.client("sts").get_caller_identity()
    assert [(call.service, call.action) for call in aws.calls] == [
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("s3", "GetObject"),
        ("s3", "HeadObject"),
        ("sesv2", "CreateEmailIdentity"),
        ("sts", "GetCallerIdentity"),
    ]


def test_what_aws_does_by_itself_is_not_counted(aws):
    aws.client("sqs", access_key=AWS_ITSELF).list_queues()
    aws.client("sqs", access_key=CONSOLE).list_queues()
    assert Counter(call.access_key for call in aws.calls) == {CONSOLE: 1}


def test_a_connection_is_kept_alive(aws):
    connection = HTTPConnection(aws.endpoint_url.removeprefix("http://"), timeout=5)
    sockets = set()
    for _ in range(3):
        connection.request("GET", "/moto-api/data.json")
        connection.getresponse().read()
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets - {None}) == 1
    assert None not in sockets


def test_a_reset_forgets_everything_stored(aws, ssm):
    ssm.put_parameter(Name="/a", Value="1", Type="String")
    aws.reset()
    assert aws.calls == []
    assert refused(ssm.get_parameter, Name="/a")[0] == "ParameterNotFound"


def test_a_stopped_server_has_no_address():
    aws = Aws()
    aws.start()
    aws.stop()
    with pytest.raises(RuntimeError):
        aws.client("ssm")


# ------------------------------------------------------------------------------- what inference pipelines tell


def entry(**changes):
    return {"Source": "model-approvals", "DetailType": "Model Inference Measured", "Detail": "{}", **changes}


def started(aws, name):
    sagemaker = aws.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/batch"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in"}}},
        TransformOutput={"S3OutputPath": "s3://out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return sagemaker.describe_transform_job(TransformJobName=name)


def test_an_entry_becomes_the_event_that_a_rule_hands_on(aws, events):
    answer = aws.client("events").put_events(Entries=[entry(Detail='{"run": "night"}', Resources=["a"])])
    [told] = events
    assert told["id"] == answer["Entries"][0]["EventId"]
    assert (told["source"], told["detail-type"]) == ("model-approvals", "Model Inference Measured")
    assert (told["detail"], told["resources"], told["account"]) == ({"run": "night"}, ["a"], "123456789012")


def test_entries_that_aws_refuses_become_no_events(aws, events):
    wrong = [entry(Source="aws.sagemaker"), entry(Detail="{"), entry(Detail=json.dumps({"a": "x" * 256 * 1024}))]
    answer = aws.client("events").put_events(Entries=[*wrong, entry()])
    codes = [each.get("ErrorCode") for each in answer["Entries"]]
    assert codes == ["NotAuthorizedForSource", "MalformedDetail", "InvalidArgument", None]
    assert answer["FailedEntryCount"] == 3
    assert len(events) == 1


def test_a_transform_job_runs_until_it_ends_and_each_change_is_an_event(aws, events):
    job = started(aws, "night")
    assert job["TransformJobStatus"] == "InProgress"
    assert "TransformEndTime" not in job
    aws.end_transform("night", "Failed", reason="out of memory")
    job = aws.client("sagemaker").describe_transform_job(TransformJobName="night")
    assert (job["TransformJobStatus"], job["FailureReason"]) == ("Failed", "out of memory")
    assert job["TransformEndTime"] >= job["CreationTime"]
    told = [each["detail"]["TransformJobStatus"] for each in events if "Transform" in each["detail-type"]]
    assert told == ["InProgress", "Failed"]


def test_an_object_is_given_to_who_knows_its_owner(aws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="a", Body=b"a")
    assert s3.get_object(Bucket="models", Key="a", ExpectedBucketOwner="123456789012")["Body"].read() == b"a"
    code, _ = refused(s3.get_object, Bucket="models", Key="a", ExpectedBucketOwner="999999999999")
    assert code == "AccessDenied"
