"""What the tests here are asked of: a set of `LIVE_…` variables, of the local stack or found for the real services.

All that differs between the two is addresses and credentials, so that what holds of the stand-in is what is looked for
in the real service. `make test` asks the stand-ins; the real ones are asked by `make test-live` alone.

A test's first line says what is believed, with the correction of moto that believes it, and in brackets the part and
section of the notes that the stand-ins were built from.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property, partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from botocore.config import Config
from moto.events.models import EventPattern

from bot.aws.clients import Clients
from bot.aws.secrets import secret
from bot.config import PREFIX
from bot.entra.directory import EntraDirectory
from bot.entra.graph import Graph
from bot.entra.http import open_session
from bot.entra.token import AppToken
from bot.slack.api import SlackApi
from bot.teams.connector import Connector
from bot.teams.http import open_pool
from bot.teams.service import Services
from bot.waves import ThreadCrew
from bot.wiring import now
from infra.local.aws import Aws
from infra.local.aws_faults import AWS_ITSELF
from infra.local.entra_people import PROD
from infra.local.stack import CHANNELS, TEAMS_CHANNELS, Stack
from infra.local.teams import AUDIENCE

LOCAL, MARKER = "local", "live"
REAL = [pytest.param("real", marks=pytest.mark.live)]
"""Of a test that the stand-in cannot be asked: why stands beside it."""
BOTH = [LOCAL, *REAL]
APP = ("LIVE_ENTRA_TENANT", "LIVE_ENTRA_CLIENT_ID", "LIVE_ENTRA_CLIENT_SECRET")
NEEDED: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "AWS": ("LIVE_AWS_REGION",),
        "Slack": ("LIVE_SLACK_BOT_TOKEN", "LIVE_SLACK_CHANNEL"),
        "Entra": (*APP, "LIVE_ENTRA_GROUP", "LIVE_ENTRA_PERSON"),
        "Teams": (*APP, "LIVE_TEAMS_CHANNEL"),
    }
)
PATIENT = Config(retries={"mode": "adaptive", "total_max_attempts": 10}, max_pool_connections=20)
SECONDS = 120
"""How long an event or a message is waited for; EventBridge takes up to a minute to know a new rule."""

Event = dict[str, Any]


class Told(dict[str, str]):
    """The variables of a target; a test that wants one which is absent is skipped, and says which."""

    local = False

    def __repr__(self) -> str:
        return f"Told({', '.join(self)})"  # a failure must not print secrets

    def __missing__(self, name: str) -> str:
        pytest.skip(f"absent: {name}")


class Invented(Told):
    """Those of the local stack."""

    local = True


@contextmanager
def told(service: str, target: str, markers: str) -> Iterator[Told]:
    """Give a target's variables, or skip: the real one is asked with `-m live` and all that it needs, never else."""
    if target == LOCAL:
        with local() as variables:
            yield variables
        return
    if markers != MARKER:
        pytest.skip(f"the real {service} is asked by `make test-live` alone (-m {MARKER})")
    found = Told({name: value for name, value in os.environ.items() if value})
    if absent := [name for name in NEEDED[service] if name not in found]:
        pytest.skip(f"the real {service} is not asked; absent: {', '.join(absent)}")
    if service == "AWS" and not boto3.Session().get_credentials():
        pytest.skip("the real AWS is not asked; absent: credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID or another way)")
    yield found


class AwsTarget:
    """AWS as the default chain finds it; `patient` clients wait for rate limits, `clients` are the product's."""

    def __init__(self, variables: Told) -> None:
        self.told, self.region = variables, variables["LIVE_AWS_REGION"]
        self.clients = Clients(self.region)
        self.patient = cache(partial(boto3.Session(region_name=self.region).client, config=PATIENT))

    def session(self, name: str, **policy: str) -> Any:
        """What makes clients under the role that LIVE_AWS_ROLE names, perhaps with less rights."""
        asked = {"RoleArn": self.told["LIVE_AWS_ROLE"], "RoleSessionName": name, **policy}
        held = self.patient("sts").assume_role(**asked)["Credentials"]
        keys = held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"]
        return partial(boto3.Session(*keys, self.region).client, config=PATIENT)

    @cached_property
    def account(self) -> str:
        return str(self.patient("sts").get_caller_identity()["Account"])

    def queue(self, name: str, after: ExitStack, **attributes: str) -> tuple[str, str]:
        """Make a queue for one test; its URL and ARN."""
        sqs = self.patient("sqs")
        url = str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])
        after.callback(sqs.delete_queue, QueueUrl=url)
        asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, str(asked["Attributes"]["QueueArn"])

    def listen(self, group: str, after: ExitStack) -> "Callable[[Callable[[Event], bool]], Event]":
        """Hear of a model package group through a rule and a queue; gives what waits for an event."""
        url, arn = self.queue(f"{group}-heard", after)
        events, sqs = self.patient("events"), self.patient("sqs")
        pattern = {"source": ["aws.sagemaker"], "detail": {"ModelPackageGroupName": [group]}}
        rule = events.put_rule(Name=group, EventPattern=json.dumps(pattern))["RuleArn"]
        after.callback(events.delete_rule, Name=group)
        allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
        limited = {"Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
        policy = {"Version": "2012-10-17", "Statement": [allowed | limited]}
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        events.put_targets(Rule=group, Targets=[{"Id": "queue", "Arn": arn}])
        after.callback(events.remove_targets, Rule=group, Ids=["queue"])
        if not self.told.local:
            time.sleep(45)  # a rule is not in force at once, and what it misses never comes
        return partial(_heard, sqs, url)


def _heard(sqs: Any, url: str, wanted: Callable[[Event], bool]) -> Event:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for each in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            if wanted(event := json.loads(each["Body"])):
                return dict(event)
    pytest.fail(f"no such event came within {SECONDS} s")


class SlackTarget:
    """A channel of Slack that the bot is in; what is posted is deleted afterwards."""

    def __init__(self, variables: Told) -> None:
        self.told, self.channel = variables, variables["LIVE_SLACK_CHANNEL"]
        token, url = variables["LIVE_SLACK_BOT_TOKEN"], variables.get("LIVE_SLACK_API_URL", "https://slack.com/api/")
        self.api = SlackApi(secret(Clients(), token), timeout=10, patience=60, base_url=url)

    def forget(self, ts: str) -> None:
        """Delete a message; the stand-in has no `chat.delete`, which the bot never calls."""
        if not self.told.local:
            self.api.call("chat.delete", {"channel": self.channel, "ts": ts})


class EntraTarget:
    """A tenant of Entra, and the bot's app registration in it."""

    def __init__(self, variables: Told) -> None:
        self.told = variables
        self.graph_url = variables.get("LIVE_GRAPH_URL", "https://graph.microsoft.com")
        self._session = open_session(ca_bundle=variables.get("LIVE_CA_BUNDLE", ""))
        self.token = self.token_for(f"{self.graph_url}/.default")
        self.graph = Graph(self._session, self.token, url=self.graph_url)

    @property
    def directory(self) -> EntraDirectory:
        """The product's; its domain is that of the person who is looked for."""
        domain = self.told["LIVE_ENTRA_PERSON"].rpartition("@")[2]
        return EntraDirectory(
            self._session, self.token, graph_url=self.graph_url, identify=lambda _: "", domains=[domain],
            crew=ThreadCrew(), clock=now,
        )  # fmt: skip

    def token_for(self, scope: str) -> AppToken:
        return AppToken(
            self._session,
            authority=self.told.get("LIVE_ENTRA_AUTHORITY", "https://login.microsoftonline.com"),
            tenant=self.told["LIVE_ENTRA_TENANT"],
            client_id=self.told["LIVE_ENTRA_CLIENT_ID"],
            credential=secret(Clients(), self.told["LIVE_ENTRA_CLIENT_SECRET"]),
            scope=scope,
        )


class TeamsTarget:
    """A channel of a team that has the app; what is posted is deleted afterwards."""

    def __init__(self, variables: Told) -> None:
        self.told, self.channel = variables, variables["LIVE_TEAMS_CHANNEL"]
        self.service = variables.get("LIVE_TEAMS_SERVICE_URL", "https://smba.trafficmanager.net/teams/")
        self._pool = open_pool(ca_bundle=variables.get("LIVE_CA_BUNDLE", ""))
        self._token = EntraTarget(variables).token_for(f"{AUDIENCE}/.default")
        self.connector = Connector(
            self._pool, self._token, app_id=variables["LIVE_ENTRA_CLIENT_ID"], tenant=variables["LIVE_ENTRA_TENANT"],
            service=lambda: self.service, services=Services([self.service.split("/")[2]]), timeout=10, patience=30,
        )  # fmt: skip

    def forget(self, conversation: str, activity: str) -> None:
        """Delete a message; the stand-in does not know how, nor does the bot."""
        if not self.told.local:
            url = f"{self.service.rstrip('/')}/v3/conversations/{quote(conversation, safe='')}/activities/{activity}"
            answer = self._pool.request("DELETE", url, headers={"Authorization": f"Bearer {self._token.current()}"})
            assert answer.status < 300, answer.data


@contextmanager
def local() -> Iterator[Invented]:
    """The local stack; events reach the queues of rules as EventBridge sends them, and nothing is limited."""
    with Stack() as stack:
        stack.aws.on_event.append(partial(_route, stack.aws))
        stack.slack.limits.posts_per_second = stack.slack.limits.post_burst = 1_000
        stack.teams.limits.on = False
        settings = {f"LIVE_{name.removeprefix(PREFIX)}": value for name, value in stack.environment.items()}
        yield Invented(
            settings,
            LIVE_SLACK_CHANNEL=CHANNELS[0].id,
            LIVE_SLACK_PERSON="U0MAYA",
            LIVE_TEAMS_CHANNEL=TEAMS_CHANNELS[0].id,
            LIVE_ENTRA_GROUP=PROD,
            LIVE_ENTRA_PERSON="priya.nair@example.com",
        )


def _route(aws: Aws, event: Any) -> None:
    events, sqs = aws.client("events", access_key=AWS_ITSELF), aws.client("sqs", access_key=AWS_ITSELF)
    for rule in events.list_rules()["Rules"]:
        if EventPattern.load(rule["EventPattern"]).matches_event(event):
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                url = sqs.get_queue_url(QueueName=target["Arn"].rsplit(":", 1)[-1])["QueueUrl"]
                sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
