"""Transform jobs, asked for over HTTP: which version ran where, and where its metrics lie."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from bot.aws.clients import Clients
from bot.aws.transforms import TransformJobs
from bot.domain import ModelVersion
from bot.errors import Unavailable
from bot.evidence import Run
from bot.hints import MeasureJob
from infra.local.aws import Aws

ACCOUNT, REGION = "123456789012", "us-east-1"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/churn:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/batch"
OUTPUT = "s3://models/runs/night-1"
DEV = {"model-approvals:environment": "dev"}


@pytest.fixture(scope="module")
def aws():
    with Aws() as running:
        sagemaker = running.client("sagemaker")
        for group in ("churn", "Fraud-Cards"):
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
        for group in ["churn"] * 7 + ["Fraud-Cards"]:
            sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval")
        yield running


@pytest.fixture
def jobs(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "LOCALBOT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    return TransformJobs(Clients(REGION), Clients(REGION), region=REGION, account=ACCOUNT)


@pytest.fixture
def ran(aws):
    """Let a transform job have run: `ran(container, …, tags={…})` gives its name."""
    sagemaker = aws.client("sagemaker")

    def run(*containers, tags=None, output=OUTPUT, status="Completed", reason=""):
        name = f"night-{uuid.uuid4().hex[:8]}"
        given = {"PrimaryContainer": containers[0]} if len(containers) == 1 else {"Containers": list(containers)}
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, **given)
        sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=name,
            TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/in"}}},
            TransformOutput={"S3OutputPath": output},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            Tags=[{"Key": key, "Value": value} for key, value in (DEV if tags is None else tags).items()],
        )
        if status != "InProgress":
            aws.end_transform(name, status, reason=reason)
        return name

    return run


def package(version, group="churn", account=ACCOUNT, region=REGION):
    return {"ModelPackageName": f"arn:aws:sagemaker:{region}:{account}:model-package/{group}/{version}"}


def test_a_job_names_its_version_its_environment_and_where_its_metrics_lie(jobs, ran):
    name = ran(package(7))
    uri = f"{OUTPUT}/evaluation.json"
    found, watched = jobs.measured(name, "e-1"), f"{OUTPUT}/constraint_violations.json"
    run = Run("dev", name, found.run.at)
    assert found == MeasureJob(
        ModelVersion("churn", 7), run, "e-1", uri=uri, optional=True, violations_uri=watched, since=found.since
    )
    assert found.since <= found.run.at, "what lies there since the job was created"
    assert timedelta() <= datetime.now(UTC) - found.run.at < timedelta(minutes=1)
    assert jobs.measured(ran(package(7), output=f"{OUTPUT}/"), "e-1").uri == uri


def test_a_tag_says_where_the_metrics_lie_instead(jobs, ran):
    found = jobs.measured(ran(package(7), tags={**DEV, "model-approvals:metrics": "s3://models/m.json"}), "e-1")
    assert (found.uri, found.optional) == ("s3://models/m.json", False)


def test_a_group_is_called_as_it_is_registered_whatever_an_arn_makes_of_it(jobs, ran):
    assert jobs.measured(ran(package(1, group="fraud-cards")), "e-1").model == ModelVersion("Fraud-Cards", 1)


def test_one_of_several_containers_may_be_the_version(jobs, ran):
    assert jobs.measured(ran({"Image": IMAGE}, package(3)), "e-1").model == ModelVersion("churn", 3)


@pytest.mark.parametrize(
    "containers",
    [
        [{"Image": IMAGE}],
        [package(3), package(4)],
        [package(3, account="999999999999")],
        [package(3, region="eu-west-1")],
        [{"ModelPackageName": "churn"}],
        [package(99)],
    ],
    ids=["no package", "two versions", "another account", "another region", "no version", "none that is registered"],
)
def test_a_job_that_ran_no_one_version_of_ours_measured_nothing(jobs, ran, containers):
    assert jobs.measured(ran(*containers), "e-1") is None


@pytest.mark.parametrize("tags", [{}, {"model-approvals:environment": "Prod!"}, {"environment": "dev"}])
def test_a_job_without_its_environment_asks_for_nothing(jobs, ran, tags):
    assert jobs.measured(ran(package(7), tags=tags), "e-1") is None


def test_a_job_that_is_not_there_asks_for_nothing(jobs, caplog):
    assert jobs.measured("nobody-ran-this", "e-1") is None
    assert "nobody-ran-this: there is none" in caplog.text


@pytest.mark.parametrize(
    ("status", "reason", "problem"),
    [
        ("Failed", "", "it failed"),
        ("Failed", "ClientError:\n too  large. ", "it failed (ClientError: too large)"),
        ("Stopped", "x" * 900, f"it was stopped ({'x' * 200})"),
    ],
)
def test_a_job_that_failed_says_why_and_has_no_metrics(jobs, ran, status, reason, problem):
    found = jobs.measured(ran(package(7), status=status, reason=reason), "e-1")
    assert (found.problem, found.uri, found.violations_uri) == (problem, "", "")


def test_a_job_that_goes_on_is_not_asked_further(aws, jobs, ran):
    name = ran(package(7), status="InProgress")
    before = len(aws.calls)
    assert jobs.measured(name, "e-1") is None
    assert [each.action for each in aws.calls[before:]] == ["DescribeTransformJob"]


def test_an_aws_that_does_not_answer_is_waited_for(aws, jobs, ran):
    name = ran(package(7))
    aws.faults.add("ListTags", status=503, times=None)
    try:
        with pytest.raises(Unavailable, match="sagemaker:ListTags failed"):
            jobs.measured(name, "e-1")
    finally:
        aws.faults.clear()
