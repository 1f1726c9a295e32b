"""A bot as one writes it after reading how SageMaker's models are approved from a chat: one Lambda, call after call.

It has what such a bot needs and no more: clients made at import, the token kept by MSAL while the function is warm, the
signature verified by Bolt, the approver's group asked in Graph, a history and a pointer in Parameter Store, the card
updated, a line in its thread, and a mail. It keeps none of our promises: whoever clicks twice, or dies in between,
finds out why.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import msal
import requests
from slack_bolt import Ack, App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

sagemaker = boto3.client("sagemaker")
ssm = boto3.client("ssm")
ses = boto3.client("sesv2")
client = WebClient(os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"])
app = App(client=client, signing_secret=os.environ["SLACK_SIGNING_SECRET"], process_before_response=True)
GRAPH = os.environ["GRAPH_URL"]


def sign_in() -> msal.ConfidentialClientApplication:
    """The application's own credentials."""
    return msal.ConfidentialClientApplication(
        os.environ["ENTRA_CLIENT_ID"],
        client_credential=os.environ["ENTRA_CLIENT_SECRET"],
        authority=os.environ["ENTRA_AUTHORITY"],
        instance_discovery=False,
    )


kept = sign_in() if os.environ.get("KEEP_TOKEN") else None


def handler(event: dict[str, Any], context: Any) -> Any:
    """EventBridge tells of a new version: ask. API Gateway brings a click: answer."""
    if "detail-type" in event:
        return ask(event["detail"])
    return SlackRequestHandler(app).handle(event, context)


def ask(package: dict[str, Any]) -> None:
    """Post the card."""
    name = f"{package['ModelPackageGroupName']} v{package['ModelPackageVersion']}"
    button = {
        "type": "button",
        "action_id": "approve_model",
        "text": {"type": "plain_text", "text": "Approve"},
        "value": package["ModelPackageArn"],
    }
    blocks = [section(f"*{name}* waits for approval."), {"type": "actions", "elements": [button]}]
    client.chat_postMessage(channel=os.environ["SLACK_CHANNEL"], text=f"{name} waits for approval.", blocks=blocks)


@app.action("approve_model")
def approve(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
    """Approve a version, if the person may."""
    ack()
    arn, where = body["actions"][0]["value"], {"channel": body["channel"]["id"]}
    message = body["message"]["ts"]
    email = client.users_info(user=body["user"]["id"])["user"]["profile"]["email"]
    person = approver(email)
    if person is None:
        client.chat_postEphemeral(user=body["user"]["id"], text="You may not approve this.", **where)
        return
    package = sagemaker.describe_model_package(ModelPackageName=arn)
    if package["ModelApprovalStatus"] != "PendingManualApproval":
        client.chat_postEphemeral(user=body["user"]["id"], text="It is decided already.", **where)
        return
    said = f"{package['ModelPackageGroupName']} v{package['ModelPackageVersion']} is approved by {person}."
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription=said)
    record(package, person)
    client.chat_update(ts=message, text=said, blocks=[section(said)], **where)
    client.chat_postMessage(thread_ts=message, text=said, **where)
    mail(said)


def approver(email: str) -> str | None:
    """The name of the person, if they are in the group of approvers."""
    token = (kept or sign_in()).acquire_token_for_client([f"{GRAPH}/.default"])["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    person = requests.get(f"{GRAPH}/v1.0/users/{email}", headers=headers, timeout=10).json()
    asked = {"groupIds": [os.environ["APPROVERS_GROUP"]]}
    url = f"{GRAPH}/v1.0/users/{person['id']}/checkMemberGroups"
    groups = requests.post(url, json=asked, headers=headers, timeout=10).json()["value"]
    return str(person["displayName"]) if groups else None


def record(package: Mapping[str, Any], person: str) -> None:
    """Write the history, and which version the environment has to load."""
    root = f"/blog/{package['ModelPackageGroupName']}"
    try:
        history = json.loads(ssm.get_parameter(Name=f"{root}/history")["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        history = []
    entry = {"version": package["ModelPackageVersion"], "by": person, "at": datetime.now(UTC).isoformat()}
    put(f"{root}/history", [*history, entry][-20:])
    put(f"{root}/approved", {"model_package_arn": package["ModelPackageArn"], **entry})


def put(name: str, value: object) -> None:
    """Write a parameter."""
    ssm.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)


def mail(said: str) -> None:
    """Tell the approvers."""
    content = {"Simple": {"Subject": {"Data": said}, "Body": {"Text": {"Data": said}}}}
    to = {"ToAddresses": [os.environ["MAIL_TO"]]}
    ses.send_email(FromEmailAddress=os.environ["MAIL_FROM"], Destination=to, Content=content)


def section(text: str) -> dict[str, Any]:
    """A paragraph of a card."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
