"""The template, deployed on the local stack: its functions out of their packages, with its variables and its roles."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.aws_faults import AWS_ITSELF
from infra.local.lambdas import Function
from infra.local.models import BUCKET
from infra.local.runtime_api import Deployed, Packaged
from infra.local.stack import MAIL_FROM, Stack
from tests.deploy.template import FUNCTIONS, Json, Values, packages, transformed

CONCURRENCY = 4
"""Where the template reserves none."""


class Deployment:
    """What `Stack(functions=…)` takes, and what the template says of each function on that stack."""

    def __init__(self, build: Path, runtime: Path, logs: Path) -> None:
        """Name the folders of the packages, of Lambda's runtime client, and of what the functions will print."""
        self.build, self.logs, self._runtime = build, logs, runtime
        self._resources: Json = transformed()["Resources"]
        self._values: Values | None = None

    def functions(self, stack: Stack) -> Mapping[str, Function]:
        """Make every function; each asks for its variables with its first event, when the stack runs."""
        return {
            name.lower(): Packaged(
                partial(self.function, stack, name),
                concurrency=self._properties(name).get("ReservedConcurrentExecutions", CONCURRENCY),
            )
            for name in FUNCTIONS
        }

    def function(self, stack: Stack, name: str) -> Deployed:
        """Say how a function is deployed: its variables are the template's, and where the stack's services are."""
        properties = self._properties(name)
        variables = self.values(stack).of(properties["Environment"]["Variables"])
        assert not variables.keys() & stack.elsewhere.keys()
        logging = properties["LoggingConfig"]
        return Deployed(
            name=f"{name}Function",
            handler=properties["Handler"],
            package=self.build / packages()[name],
            runtime=self._runtime,
            log=self.logs / f"{name}.log",
            variables={**variables, **stack.elsewhere},
            role=access_key(name),
            region=stack.aws.region,
            account=stack.aws.account,
            execution_environment=f"AWS_Lambda_{properties['Runtime']}",
            memory=properties["MemorySize"],
            timeout=properties["Timeout"],
            log_format=logging["LogFormat"],
            log_level=logging["ApplicationLogLevel"],
        )

    def statements(self, stack: Stack, name: str) -> list[Json]:
        """Everything that a function's role says, with the names of the stack."""
        role = self._resources[f"{name}Role"]["Properties"]
        shared = [self._resources[each["Ref"]]["Properties"] for each in role["ManagedPolicyArns"]]
        documents = [each["PolicyDocument"] for each in (*shared, *role["Policies"])]
        found: list[Json] = self.values(stack).of([each for document in documents for each in document["Statement"]])
        return found

    def values(self, stack: Stack) -> Values:
        """Make what the template makes and the stack does not have, and say what everything is called there."""
        if self._values is None:
            self._values = Values(transformed(), parameters(stack), named(stack))
        return self._values

    def _properties(self, name: str) -> Json:
        found: Json = self._resources[f"{name}Function"]["Properties"]
        return found


def access_key(name: str) -> str:
    """By which the calls of a function are known."""
    return f"ROLE{name.upper()}"


def parameters(stack: Stack) -> dict[str, str]:
    """What whoever deploys answers."""
    return {
        "SlackTeam": stack.slack.workspace.team_id,
        "EntraTenant": stack.entra.tenant,
        "EntraClientId": stack.entra.client_id,
        "EmailDomains": "example.com",
        "EntraClientSecret": "true",
        "MailFrom": MAIL_FROM,
        "PagesUrl": stack.gateway.pages_url,
        "ReportBucket": BUCKET,
    }


def named(stack: Stack) -> dict[str, str]:
    """What is made by a deployment, as it is called on this stack."""
    region, account = stack.aws.region, stack.aws.account
    arns = {f"{name}Logs.Arn": f"arn:aws:logs:{region}:{account}:log-group:{name}" for name in FUNCTIONS}
    for queue in ("decisions", "openings", "decisions-dead", "openings-dead", "events-dead"):
        name = "".join(map(str.capitalize, queue.split("-"))) + "Queue"
        arns[f"{name}.Arn"] = f"arn:aws:sqs:{region}:{account}:{queue}" + ("" if "events" in queue else ".fifo")
    return {
        "AWS::AccountId": account,
        "AWS::Region": region,
        "DecisionsQueue": stack.queues["decisions"],
        "OpeningsQueue": stack.queues["openings"],
        "SealKey.Arn": f"arn:aws:kms:{region}:{account}:key/{stack.seal_key}",
        "Secrets": filled_in(stack),
        **{
            f"{name}Policy": f"arn:aws:iam::{account}:policy/{name}"
            for name in ("Decide", "Open", "Secrets", "Word", "Writer")
        },
        **arns,
    }


def filled_in(stack: Stack) -> str:
    """Make the secret, with the fields that the template makes it with, as an operator fills them in; give its ARN."""
    fields: dict[str, Any] = json.loads(transformed()["Resources"]["Secrets"]["Properties"]["SecretString"])
    known = {
        "slack_bot_token": stack.slack.bot_token,
        "slack_signing_secrets": stack.slack.signing_secret,
        "entra_client_secret": stack.entra.client_secret,
    }
    text = json.dumps({name: known[name] for name in fields})
    store = stack.aws.client("secretsmanager", access_key=AWS_ITSELF)
    return str(store.create_secret(Name="approvals", SecretString=text)["ARN"])
