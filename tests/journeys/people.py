"""What people do on the local stack, and what they are shown: shared by the journeys."""

import json
from typing import Any

from bot.domain import ModelVersion
from bot.history import VersionState, decode_entry, fold
from infra.local.entra_people import MAYA, OMAR, PRIYA
from infra.local.models import Registered
from infra.local.slack import AppAnswer, Forged, Message
from infra.local.stack import Stack
from infra.local.teams import Message as TeamsMessage

CHANNELS = {"dev": "C0MODELSDEV", "test": "C0MODELSDEV", "uat": "C0MODELSPRD", "prod": "C0MODELSPRD"}
HONEST = Forged()
OIDS = {"U0MAYA": MAYA, "U0OMAR": OMAR, "U0PRIYA": PRIYA}
REASON = {"reason": "It drifts since Monday."}


def registered(stack: Stack, group: str) -> Registered:
    """A version whose card for dev is in the channel."""
    found = stack.pipeline.register(group)
    stack.settle()
    return found


def card(stack: Stack, model: Registered, environment: str = "dev", number: int = 1) -> Message:
    """The card of a request, as it is shown now."""
    record = stack.parameter(f"{model.group}/cards/{model.version}/{environment}/{number}")
    return stack.slack.workspace.message(CHANNELS[environment], record["surfaces"]["slack"]["ts"])


def in_teams(stack: Stack, model: Registered, environment: str = "dev", number: int = 1) -> TeamsMessage:
    """The card of a request in Teams, as everybody is shown it now."""
    record = stack.parameter(f"{model.group}/cards/{model.version}/{environment}/{number}")["surfaces"]["teams"]
    return stack.teams.workspace.message(record["channel"], record["ts"])


def link(stack: Stack, *users: str) -> None:
    """Let accounts have been linked to their people long ago; test_identity.py links them as people do."""
    store = stack.aws.client("ssm", access_key="LOCALWRITER")
    for user in users:
        value = {"oid": OIDS[user], "name": user, "at": "2026-11-01T09:00:00.000Z"}
        name = f"/model-approvals/_people/slack/{stack.slack.workspace.team_id}/{user}"
        store.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)


def buttons(message: Message) -> list[str]:
    """The action ids that can be pressed on a card."""
    return [
        element["action_id"]
        for block in message.blocks
        for element in block.get("elements", ())
        if element.get("type") == "button"
    ]


def approve(stack: Stack, model: Registered, environment: str = "dev", user: str = "U0MAYA", **how: Any) -> AppAnswer:
    """Press Approve, and wait until nothing is under way."""
    message = card(stack, model, environment)
    answer = stack.slack.press(user, message.channel, message.ts, "approval.approve", **how)
    stack.settle(60)
    return answer


def reject(stack: Stack, model: Registered, reason: str, environment: str = "dev", user: str = "U0MAYA") -> AppAnswer:
    """Press Reject, say why, and wait until nothing is under way."""
    message = card(stack, model, environment)
    stack.slack.press(user, message.channel, message.ts, "approval.reject")
    view = stack.slack.workspace.modals(user)[-1]
    answer = stack.slack.submit(user, view.id, {"reason": reason})
    stack.settle(60)
    return answer


def revoke(stack: Stack, model: Registered, user: str = "U0MAYA", *, number: int = 1) -> None:
    """Press Revoke on the card for dev, say why, and wait until nothing is under way."""
    message = card(stack, model, number=number)
    stack.slack.press(user, message.channel, message.ts, "approval.revoke")
    stack.slack.submit(user, stack.slack.workspace.modals(user)[-1].id, REASON)
    stack.settle(60)


def told(stack: Stack, user: str) -> list[str]:
    """Everything that only this person has been shown."""
    return [message.text for message in stack.slack.workspace.ephemerals(user)]


def state(stack: Stack, model: Registered) -> VersionState:
    """What the log of a version says, read with a client of the test's own."""
    pages = stack.aws.client("ssm", access_key="LOCALREADER").get_paginator("get_parameters_by_path")
    found = pages.paginate(Path=f"/model-approvals/{model.group}/history/{model.version}")
    texts = {int(each["Name"].rpartition("/")[2]): each["Value"] for page in found for each in page["Parameters"]}
    entries = [decode_entry(texts[seq], seq=seq) for seq in sorted(texts)]
    return fold(ModelVersion(model.group, model.version), entries)


def described(stack: Stack, model: Registered) -> dict[str, Any]:
    """All that the registry says of a version."""
    found: dict[str, Any] = stack.aws.client("sagemaker", access_key="LOCALREADER").describe_model_package(
        ModelPackageName=model.arn
    )
    found.pop("ResponseMetadata")
    return found


def everything(stack: Stack, model: Registered) -> tuple[dict[str, str], dict[str, Any]]:
    """All parameters, and all that the registry says of a version."""
    return stack.parameters(), described(stack, model)
