"""Cards, people and requests that the tests of Slack share."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.card import Card, Mark, Row, Step, Table
from bot.domain import ChatUser, RequestId
from bot.envelope import encode_job
from bot.errors import Unavailable
from bot.jobs import decode_job
from bot.line import Code, Mention, Moment, Strong
from bot.status import GroupStatus, Slot
from infra.local.slack import Channel, User
from infra.local.slack_limits import RateLimits
from infra.local.slack_request import signed
from infra.local.slack_workspace import TEAM, Workspace

NOW = datetime(2026, 11, 24, 9, 31, tzinfo=UTC)
CHANNEL, MAYA, OMAR, GUEST, STRANGER = "C0MODELS", "U0MAYA", "U0OMAR", "U0GUEST", "U0STRANGER"
REQUEST = RequestId("churn-xgb", 12, "test", 1)
ARN = "arn:aws:sagemaker:eu-central-1:123456789012:model-package/churn-xgb/12"
BY_MAYA = Mention("Maya Chen", ChatUser("slack", TEAM, MAYA, CHANNEL))
SECRET, OLD_SECRET = "the-new-signing-secret", "the-old-signing-secret"

CHURN = GroupStatus({}, {"dev": Slot(NOW, "", 12)})

ROWS = (
    Row("AUC", "0.914", "0.903", "▲ 0.011 better"),
    Row("Precision", "0.871", "0.868", "▲ 0.003 better"),
    Row("Recall", "0.842", "0.855", "▼ 0.013 worse"),
    Row("p95 latency", "41 ms", "52 ms", "▼ 11 ms better"),
)
CARD = Card(
    request=REQUEST,
    title="Approve churn-xgb v12 for test?",
    summary="churn-xgb version 12 awaits approval for test. AUC 0.914 (▲ 0.011 better). Open to approve or reject.",
    path=(
        Step("dev", Mark.DONE, here=False),
        Step("test", Mark.ASKED, here=True),
        Step("uat", Mark.LATER, here=False),
        Step("prod", Mark.LATER, here=False),
    ),
    table=Table("v12", "v11 in test", ROWS),
    facts=(("Requested by ", Strong("train-pipeline"), " · commit ", Code("9f3c2ab")),),
    verdict=(),
    mark=Mark.ASKED,
    history=("Asked ", Moment(NOW), " · dev approved by ", BY_MAYA, " ", Moment(NOW)),
    open=True,
    consequence="churn-xgb v12 becomes the model that test loads. Version 11 stays available for rollback.",
    package_arn=ARN,
    report_uri="s3://reports/churn/12/evaluation report.json",
)
DECIDED = replace(
    CARD,
    title="churn-xgb v12 is approved for test",
    path=(Step("dev", Mark.DONE, here=False), Step("test", Mark.DONE, here=True), *CARD.path[2:]),
    verdict=("Approved by ", BY_MAYA, " · ", Moment(NOW + timedelta(minutes=20)), " · test loads v12"),
    mark=Mark.DONE,
    open=False,
    stands=True,
)
FIRST = replace(CARD, table=Table("v12", "", tuple(Row(row.name, row.challenger, "–", "") for row in ROWS)))


def longest(metrics=20):
    """A card on which every name is as long as AWS, the policy or a person may make it."""
    group, environment = "g" * 63, "e" * 31
    name = "&" * 300
    person = Mention(name)
    rows = tuple(Row(f"{number} {name}", "9" * 60, "8" * 60, "▼" * 60) for number in range(metrics))
    return replace(
        CARD,
        request=RequestId(group, 999999999, environment, 999999999),
        title=f"Approve {group} v999999999 for {environment}?",
        summary="é" * 9000,
        path=tuple(Step(f"{number:02}{environment[2:]}", Mark.NO, here=not number) for number in range(12)),
        table=Table("v999999999", f"v999999998 in {environment}", rows),
        facts=tuple((name * 9, Strong(name), Code(name)) for _ in range(5)),
        verdict=("Rejected by ", person, ": ", "<&>" * 900),
        history=tuple(part for _ in range(12) for part in (f" · {environment} approved by ", person, Moment(NOW))),
        consequence="x" * 900,
        package_arn=f"arn:aws:sagemaker:ap-northeast-1:123456789012:model-package/{group}/999999999",
        report_uri=f"s3://{'b' * 63}/{'k' * 1024}",
    )


class Queue:
    """The port Jobs; `broken` and `loses` (the answer alone) are what AWS does at times."""

    def __init__(self):
        self.jobs, self.broken, self.loses = [], False, False

    def put(self, job):
        if not self.broken:
            self.jobs.append(decode_job(encode_job(job)))
        if self.broken or self.loses:
            raise Unavailable("SQS did not answer")


class Shelf:
    """What /model-status reads."""

    def __init__(self):
        self.groups, self.read, self.broken = {"churn-xgb": CHURN}, [], False

    def overview(self):
        return self._read("", list(self.groups.items()))

    def group(self, name):
        return self._read(name, self.groups.get(name))

    def _read(self, what, found):
        self.read.append(what)
        if self.broken:
            raise Unavailable("Parameter Store did not answer")
        return found


def renewed(slack):
    """A served Slack as if it had just been opened: starting one for each test would take longer than the tests."""
    slack.workspace = Workspace()
    slack.limits = RateLimits(slack.workspace.now)
    slack.faults.clear()
    slack.calls.clear()
    slack.workspace.add_channel(Channel(CHANNEL, "model-approvals"))
    slack.workspace.add_user(User(MAYA, "maya", "Maya Chen", "maya.chen@example.com"))
    slack.workspace.add_user(User(OMAR, "omar", "Omar Diaz", "omar.diaz@example.com"))
    slack.workspace.add_user(User(GUEST, "guest", email="guest@example.com", is_restricted=True))
    slack.workspace.add_user(User(STRANGER, "eve", email="eve@evil.example", team_id="T0OTHER"))
    return slack


def http(body, *, headers=None, path="/slack/events", method="POST", encoded=False, stage="$default"):
    """An API Gateway HTTP API event, payload format 2.0."""
    text = base64.b64encode(body.encode()).decode() if encoded else body
    return {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {name.lower(): value for name, value in (headers or {}).items()},
        "requestContext": {"http": {"method": method, "path": path}, "stage": stage},
        "body": text,
        "isBase64Encoded": encoded,
    }


def signed_http(body, *, secret=SECRET, at=NOW, **event):
    """The same, signed as Slack does."""
    return http(body, headers=signed(secret, int(at.timestamp()), body), **event)


def form(payload):
    """The body of an interaction."""
    return urlencode({"payload": json.dumps(payload)})


def click(action_id="approval.approve", value=str(REQUEST), *, response_url="", **changes):
    """A whole `block_actions` payload, as https://docs.slack.dev/reference/interaction-payloads has it."""
    action = {
        "type": "button",
        "action_id": action_id,
        "block_id": "decide:1f2e3d4c",
        "text": {"type": "plain_text", "text": "Approve for test", "emoji": False},
        "value": value,
        "style": "primary",
        "action_ts": "1795512660.123456",
    }
    return {
        "type": "block_actions",
        "user": {"id": MAYA, "username": "maya", "name": "maya", "team_id": TEAM},
        "api_app_id": "A0LOCAL01",
        "token": "deprecated",
        "container": {
            "type": "message",
            "message_ts": "1795512000.000100",
            "channel_id": CHANNEL,
            "is_ephemeral": False,
        },
        "trigger_id": "1.1795512660.abc",
        "team": {"id": TEAM, "domain": "local"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL, "name": "model-approvals"},
        "message": {"type": "message", "ts": "1795512000.000100", "text": "…"},
        "state": {"values": {}},
        "response_url": response_url,
        "actions": [action],
        **changes,
    }


def submission(reason="Recall is too low.", *, metadata=None, **changes):
    """A whole `view_submission` payload of the form of a Reject."""
    memory = {"request": str(REQUEST), "channel": CHANNEL, "ts": "1795512000.000100"}
    view: dict[str, Any] = {
        "id": "V0REASON",
        "team_id": TEAM,
        "type": "modal",
        "callback_id": "approval.reject.reason",
        "private_metadata": json.dumps(memory) if metadata is None else metadata,
        "state": {"values": {"reason": {"reason": {"type": "plain_text_input", "value": reason}}}},
        "hash": "1795512000.abc",
        "app_installed_team_id": TEAM,
        "blocks": [],
    }
    return {
        "type": "view_submission",
        "team": {"id": TEAM, "domain": "local"},
        "user": {"id": MAYA, "username": "maya", "name": "maya", "team_id": TEAM},
        "enterprise": None,
        "is_enterprise_install": False,
        "api_app_id": "A0LOCAL01",
        "trigger_id": "1.1795512660.abc",
        "view": view,
        "response_urls": [],
        **changes,
    }


def command(text="", *, user=MAYA, **changes):
    """The body of a whole slash command."""
    return urlencode(
        {
            "token": "deprecated",
            "team_id": TEAM,
            "team_domain": "local",
            "channel_id": CHANNEL,
            "channel_name": "model-approvals",
            "user_id": user,
            "user_name": "maya",
            "command": "/model-status",
            "text": text,
            "api_app_id": "A0LOCAL01",
            "is_enterprise_install": "false",
            "response_url": "",
            "trigger_id": "1.1795512660.abc",
            **changes,
        }
    )
