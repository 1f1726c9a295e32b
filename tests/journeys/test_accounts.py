"""Environments in accounts of their own: approved models lie there, the history in the hub; nobody else is heard."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot import approved_model
from bot.cli import main
from infra.local.aws import REGION
from infra.local.inference import BatchInference
from infra.local.models import Registered
from infra.local.moto_corrections.request import envelope
from infra.local.stack import Stack
from tests.journeys.accounts import HUB, Account, account_of, be_as_in_the_hub, deploy
from tests.journeys.people import approve, card, link, registered, state, told
from tests.journeys.policies import SHIPPED, policy

TEST, PROD, STRANGE, PROD_REGION = "210987654321", "321098765432", "432109876543", "eu-central-1"
PLACES = {
    "test": f'role_arn = "arn:aws:iam::{TEST}:role/model-approvals-test"\nexternal_id = "5f1c-test"\n',
    "prod": f'role_arn = "arn:aws:iam::{PROD}:role/model-approvals-prod"\nexternal_id = "77aa-prod"\n'
    f'region = "{PROD_REGION}"\n',
}


def elsewhere(text: str) -> str:
    """The policy, with test and prod in accounts of their own, and prod in another region, too."""
    for name, place in PLACES.items():
        text = text.replace(f'name = "{name}"\n', f'name = "{name}"\n{place}')
    return text


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """The bot in the hub."""
    with Stack(settings=policy(tmp_path_factory.mktemp("policy"), elsewhere(SHIPPED))) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        link(running, "U0MAYA", "U0PRIYA")
        be_as_in_the_hub(running)
        yield running


@pytest.fixture(scope="module")
def test_account(stack) -> Account:
    """Where test is."""
    account = account_of(stack, TEST)
    deploy(account, "test", "5f1c-test")
    return account


@pytest.fixture(scope="module")
def prod_account(stack) -> Account:
    """Where prod is."""
    account = account_of(stack, PROD, PROD_REGION)
    deploy(account, "prod", "77aa-prod")
    return account


def run_in(account: Account, model: Registered, environment: str) -> None:
    """Run batch inference in an account, and wait until nothing is under way."""

    def ended(name: str, status: str, *, reason: str = "") -> None:
        account.stack.aws.end_transform(name, status, reason=reason, account=account.number, region=account.region)

    BatchInference(account, ended).run(model.group, environment)
    account.stack.settle(60)


@pytest.fixture(scope="module")
def promoted(stack, test_account, prod_account) -> Registered:
    """A version on its way from the hub's dev to the prod of another account."""
    model = registered(stack, "churn")
    approve(stack, model)
    stack.inference.run("churn", "dev")
    stack.settle(60)
    approve(stack, model, "test")
    run_in(test_account, model, "test")
    approve(stack, model, "uat")
    stack.inference.run("churn", "uat")
    stack.settle(60)
    stack.aws.calls.clear()
    approve(stack, model, "prod", user="U0PRIYA")
    return model


def test_each_environment_has_its_model_where_it_runs(stack, promoted, test_account, prod_account):
    name = "/model-approvals/churn/approved/{}".format
    assert set(test_account.parameters()) == {name("test")}
    assert set(prod_account.parameters()) == {name("prod")}
    at_home = {each for each in stack.parameters() if "/approved/" in each}
    assert at_home == {name("dev"), name("uat")}
    found = prod_account.approved("churn", "prod")
    assert (found["model_package_version"], found["model_package_arn"]) == (1, promoted.arn)
    assert found["history"] in stack.parameters(), "the history is in the hub"


def test_the_parameter_is_written_by_the_role_that_the_account_has_made(promoted, prod_account):
    [written] = prod_account.client("ssm").get_parameter_history(Name="/model-approvals/churn/approved/prod")[
        "Parameters"
    ]
    assert written["LastModifiedUser"] == f"arn:aws:sts::{PROD}:assumed-role/model-approvals-prod/model-approvals"


def test_a_pipeline_there_reads_it_with_one_call(promoted, prod_account, monkeypatch, stack):
    calls = len(stack.aws.calls)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", prod_account.key)
    monkeypatch.setenv("AWS_REGION", PROD_REGION)
    assert approved_model("churn", "prod").model_package_version == 1
    [call] = stack.aws.calls[calls:]
    assert call.access_key == prod_account.key


def test_what_the_bot_does_there_its_role_may(stack, promoted, test_account, prod_account):
    """The role is assumed once an account and function; what it does stands in the template of an environment."""
    ours = {"LOCALBOT", "LOCALREADER", "LOCALPIPELINE", "LOCALSCORER", test_account.key, prod_account.key}
    there = {(call.service, call.action) for call in stack.aws.calls if call.access_key not in ours}
    assert ("ssm", "PutParameter") in there
    assert there <= {("ssm", "GetParameters"), ("ssm", "PutParameter"), ("ssm", "GetParameterHistory")}


def package_event(model: Registered, **changes: Any) -> dict[str, Any]:
    account, region = changes.get("account", HUB), changes.get("region", REGION)
    detail = {
        "ModelPackageGroupName": "churn",
        "ModelPackageVersion": 2,
        "ModelPackageArn": f"arn:aws:sagemaker:{region}:{account}:model-package/churn/2",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
    }
    return envelope(
        source="aws.sagemaker",
        detail_type="SageMaker Model Package State Change",
        resources=[model.arn],
        detail=detail,
        account=account,
        region=region,
    )


def measurement(model: Registered, environment: str, account: str, region: str = REGION) -> dict[str, Any]:
    detail = {"model_package_arn": model.arn, "environment": environment, "run": "night-1", "metrics": {"auc": 0.9}}
    return envelope(
        source="model-approvals",
        detail_type="Model Inference Measured",
        resources=[],
        detail=detail,
        account=account,
        region=region,
    )


FORGED = {
    "a package of another account": lambda model: package_event(model, account=STRANGE),
    "a package of another region": lambda model: package_event(model, region=PROD_REGION),
    "a package of an environment's account": lambda model: package_event(model, account=TEST),
    "our package, told by another account": lambda model: {**package_event(model), "account": STRANGE},
    "a run of a strange account": lambda model: measurement(model, "test", STRANGE),
    "test, told by prod": lambda model: measurement(model, "test", PROD, PROD_REGION),
    "test, told by its account from another region": lambda model: measurement(model, "test", TEST, "us-west-2"),
    "test, told by the hub": lambda model: measurement(model, "test", HUB),
    "dev, told by the account of test": lambda model: measurement(model, "dev", TEST),
    "no account": lambda model: {**measurement(model, "test", TEST), "account": None},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_event_opens_nothing(stack, promoted, test_account, prod_account, what):
    before = stack.parameters(), test_account.parameters(), prod_account.parameters()
    dead = len(stack.bus.dead_letters)
    stack.aws.emit(FORGED[what](promoted))
    stack.settle(60)
    assert (stack.parameters(), test_account.parameters(), prod_account.parameters()) == before
    assert len(stack.bus.dead_letters) == dead + (what == "no account")


def test_a_transform_job_of_another_account_speaks_for_no_environment_but_its_own(
    stack, promoted, prod_account, caplog
):
    """Somebody in prod's account runs what is approved there, and calls it a run in test."""
    name, sagemaker = "pretends-to-be-test", prod_account.client("sagemaker")
    role = f"arn:aws:iam::{PROD}:role/batch"
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"ModelPackageName": promoted.arn})
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/in"}}},
        TransformOutput={"S3OutputPath": "s3://models/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        Tags=[{"Key": "model-approvals:environment", "Value": "test"}],
    )
    before = len(state(stack, promoted).entries)
    stack.aws.end_transform(name, account=PROD, region=PROD_REGION)
    stack.settle(60)
    assert len(state(stack, promoted).entries) == before
    assert "that environment is in" in caplog.text


def test_a_change_by_hand_in_the_other_account_is_told_and_put_back(stack, promoted, prod_account):
    name = "/model-approvals/churn/approved/prod"
    right = prod_account.approved("churn", "prod")
    wrong = json.dumps({**right, "model_package_version": 99})
    prod_account.client("ssm").put_parameter(Name=name, Value=wrong, Type="String", Overwrite=True)
    stack.functions["sweep"]({"all": True})
    stack.settle(60)
    assert prod_account.approved("churn", "prod") == right
    message = card(stack, promoted, "prod")
    lines = [each.text for each in stack.slack.workspace.replies(message.channel, message.ts)]
    assert any("admin" in line and "v99" in line for line in lines), lines


def test_an_auditor_sees_the_models_of_every_account(stack, promoted, prod_account, capsys):
    assert main(["verify"], stack.environment) == 0
    assert "4 approved models: All of it holds." in capsys.readouterr().out
    name = "/model-approvals/churn/approved/prod"
    kept = prod_account.parameters()[name]
    prod_account.client("ssm").put_parameter(
        Name=name,
        Value=kept.replace('"model_package_version":1', '"model_package_version":9'),
        Type="String",
        Overwrite=True,
    )
    assert main(["verify"], stack.environment) == 4
    assert "prod" in capsys.readouterr().out
    prod_account.client("ssm").put_parameter(Name=name, Value=kept, Type="String", Overwrite=True)


def test_a_role_that_lets_nobody_in_any_more_holds_an_answer_up_and_loses_none(
    stack, test_account, prod_account, caplog
):
    model = registered(stack, "churn-held-up")
    approve(stack, model)
    stack.inference.run(model.group, "dev")
    stack.settle(60)
    iam = test_account.client("iam")
    [role] = [each for each in iam.list_roles()["Roles"] if each["RoleName"] == "model-approvals-test"]
    nobody = json.loads(json.dumps(role["AssumeRolePolicyDocument"]).replace("5f1c-test", "another"))
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(nobody))
    stack.functions["decisions"].restart()
    message = card(stack, model, "test")
    stack.slack.press("U0MAYA", message.channel, message.ts, "approval.approve")
    stack.slack.workspace.until(lambda: [each for each in told(stack, "U0MAYA") if "trying" in each], 30)
    assert "have the trust policy name that role" in caplog.text
    assert test_account.parameters().keys() == {"/model-approvals/churn/approved/test"}
    trust = json.dumps(role["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=trust)
    stack.settle(120)
    assert test_account.approved(model.group, "test")["model_package_version"] == 1
