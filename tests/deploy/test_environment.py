"""The template of an environment in an account of its own, beside the one of the hub that it has to fit."""

import json
import re
from pathlib import Path

import pytest
from cfnlint.api import lint_file

from tests.deploy.template import Json, loaded, of_type, transformed, words

TEMPLATE = Path(__file__).parents[2] / "infra" / "environment.yaml"
CALLED = {
    "ssm": {"GetParameters", "GetParameterHistory", "PutParameter"},
    "sagemaker": {"DescribeTransformJob", "DescribeModel", "ListTags"},
}
"""What tests/journeys/test_accounts.py sees the bot call there, in Parameter Store and about a transform job."""


@pytest.fixture(scope="module")
def resources() -> Json:
    found: Json = loaded(TEMPLATE.read_text(encoding="utf-8"))["Resources"]
    return found


@pytest.fixture(scope="module")
def hub() -> Json:
    found: Json = transformed()["Resources"]
    return found


def role(resources: Json, name: str) -> Json:
    found: Json = resources[name]["Properties"]
    return found


def test_it_has_no_findings():
    assert [str(each) for each in lint_file(TEMPLATE)] == []


def test_the_role_holds_what_is_called_there_and_nothing_else(resources):
    [policy] = role(resources, "ApprovalsRole")["Policies"]
    held: dict[str, set[str]] = {}
    for each in policy["PolicyDocument"]["Statement"]:
        assert each["Effect"] == "Allow"
        assert each["Resource"] != "*"
        for action in words(each["Action"]):
            service, _, call = action.partition(":")
            held.setdefault(service, set()).add(call)
            if service == "ssm":
                assert each["Resource"]["Fn::Sub"].endswith(":parameter${Root}/*/approved/${Environment}")
    assert held == CALLED


def test_it_lets_in_the_bots_own_roles_with_the_external_id_alone(resources, hub):
    [statement] = role(resources, "ApprovalsRole")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"]["AWS"]["Fn::Sub"] == "arn:${AWS::Partition}:iam::${HubAccount}:root"
    condition = statement["Condition"]
    assert condition["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
    *own, more = condition["ArnLike"]["aws:PrincipalArn"]
    named = [re.findall(r":role/\$\{HubStack\}-(\w+)-\*$", each["Fn::Sub"])[0] for each in own]
    assert [{"Ref": each} for each in sorted(named)] == sorted(
        hub["EnvironmentsPolicy"]["Properties"]["Roles"], key=lambda each: str(each["Ref"])
    )
    assert more["Fn::If"][0] == "HasAlsoTrusted"


def test_its_name_is_one_that_the_hub_may_assume(resources, hub):
    assert role(resources, "ApprovalsRole")["RoleName"] == {"Fn::Sub": "${HubStack}-${Environment}"}
    [allowed] = hub["EnvironmentsPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Resource"]["Fn::Sub"].endswith(":role/${AWS::StackName}-*")


def test_what_it_forwards_is_what_the_hub_listens_to(resources, hub):
    bus = hub["EnvironmentsBus"]["Properties"]["Name"]["Fn::Sub"].replace("${AWS::StackName}", "${HubStack}")
    listened = hub["EnvironmentsRule"]["Properties"]["EventPattern"]
    allowed = hub["EnvironmentsBusPolicy"]["Properties"]["Statement"]["Condition"]["StringEquals"]
    rules = of_type(resources, "AWS::Events::Rule")
    assert len(rules) == 2
    for rule in rules.values():
        [target] = rule["Targets"]
        assert target["Arn"]["Fn::Sub"].endswith(f":event-bus/{bus}")
        assert target["RoleArn"]["Fn::GetAtt"] == ["ForwardingRole", "Arn"]
        assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"] == ["Undelivered", "Arn"]
        for key in ("source", "detail-type"):
            assert set(rule["EventPattern"][key]) <= set(listened[key])
        assert set(rule["EventPattern"]["detail-type"]) <= set(allowed["events:detail-type"])
    [forwarding] = role(resources, "ForwardingRole")["Policies"]
    [statement] = forwarding["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]["Fn::Sub"].rpartition("/")[2]) == ("events:PutEvents", bus)


def test_only_its_own_rules_put_into_its_dead_letters(resources):
    policy = role(resources, "UndeliveredPolicy")["PolicyDocument"]["Statement"]
    [allow] = [each for each in policy if each["Effect"] == "Allow"]
    sources = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {each["Fn::GetAtt"][0] for each in sources} == set(of_type(resources, "AWS::Events::Rule"))
    assert "aws:SecureTransport" in json.dumps(policy)
