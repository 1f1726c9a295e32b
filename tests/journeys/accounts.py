"""Accounts beside the registry's own, as their administrators make them: from the template of an environment."""

import json
import warnings
from dataclasses import dataclass, field
from typing import Any

from moto.iam.models import iam_backends

from infra.local.aws import BOT_KEY, REGION
from infra.local.stack import REPOSITORY, Stack

TEMPLATE = (REPOSITORY / "infra" / "environment.yaml").read_text(encoding="utf-8")
HUB, STACK = "123456789012", "model-approvals"
WORKER = f"arn:aws:sts::{HUB}:assumed-role/{STACK}-DecisionsRole-1A2B3C/decisions"
"""Who the bot is in the hub: the session of a role that the template has made."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, and what somebody in it is by the access key of its administrator."""

    stack: Stack
    number: str
    region: str
    key: str = field(default="", compare=False)

    def client(self, service: str, *, access_key: str = "") -> Any:
        """A client of the account: whoever asks (`access_key`) is its administrator here."""
        del access_key
        return self.stack.aws.client(service, access_key=self.key, region=self.region)

    def parameters(self) -> dict[str, str]:
        """Every parameter of the bot there."""
        found = (
            self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path="/model-approvals", Recursive=True)
        )
        return {each["Name"]: each["Value"] for page in found for each in page["Parameters"]}

    def approved(self, group: str, environment: str) -> dict[str, Any]:
        """What an inference pipeline there reads."""
        name = f"/model-approvals/{group}/approved/{environment}"
        value: dict[str, Any] = json.loads(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        return value


def account_of(stack: Stack, number: str, region: str = REGION) -> Account:
    """An account with an administrator."""
    iam = iam_backends[number]["aws"]
    if "admin" not in iam.users:
        iam.create_user("us-east-1", "admin")
    key = iam.create_access_key("admin").access_key_id
    stack.aws.identities[key] = f"arn:aws:iam::{number}:user/admin"
    return Account(stack, number, region, key)


def deploy(account: Account, environment: str, external_id: str) -> str:
    """Deploy the template of an environment; the ARN of the role that it has made."""
    given = {
        "Environment": environment,
        "HubAccount": HUB,
        "HubRegion": REGION,
        "HubStack": STACK,
        "ExternalId": external_id,
    }
    client = account.client("cloudformation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # moto makes no policies of queues, and says so
        client.create_stack(
            StackName=f"{STACK}-{environment}",
            TemplateBody=TEMPLATE,
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    [made] = client.describe_stacks(StackName=f"{STACK}-{environment}")["Stacks"]
    assert made["StackStatus"] == "CREATE_COMPLETE"
    return f"arn:aws:iam::{account.number}:role/{STACK}-{environment}"


def be_as_in_the_hub(stack: Stack) -> None:
    """Let the bot be whom the templates trust."""
    stack.aws.identities[BOT_KEY] = WORKER
