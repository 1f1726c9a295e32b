"""How things look on the wire: the arguments of a call; messages, modals and people in JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from infra.local.slack_http import Request
from infra.local.slack_workspace import Channel, Json, Message, SlackError, User, View, Workspace


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a call; JSON and form bodies look the same from here on."""

    values: Mapping[str, Any]

    @classmethod
    def of(cls, request: Request) -> "Args":
        """Read body and query as Slack does, or raise its name for what is wrong with them."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        query = dict(parse_qsl(request.query))
        if not request.body:
            return cls(query)
        if kind == "application/json":
            return cls({**query, **_object(request.body)})
        if kind == "application/x-www-form-urlencoded":
            return cls({**query, **dict(parse_qsl(request.body.decode(), keep_blank_values=True))})
        raise SlackError("invalid_post_type" if kind else "missing_post_type")

    def text(self, name: str) -> str:
        """Give a text argument, empty when it is missing."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise SlackError("invalid_arguments", f"must be a string [json-pointer:/{name}]")
        return value or ""

    def needed(self, name: str) -> str:
        """Give a text argument that must be there."""
        if value := self.text(name):
            return value
        raise SlackError("invalid_arguments", f"missing required field: {name}")

    def flag(self, name: str) -> bool:
        """Give a boolean: `true` in JSON, `1` or `true` in a form."""
        return self.values.get(name) in {True, "1", "true"}

    def json(self, name: str, error: str) -> Any:  # noqa: ANN401 - any JSON
        """Give a structured argument: itself in JSON, a JSON text in a form; None when it is missing."""
        value = self.values.get(name)
        try:
            return json.loads(value) if isinstance(value, str) and value else value
        except ValueError as mistake:
            raise SlackError(error, str(mistake)) from mistake


def _object(body: bytes) -> Json:
    try:
        values = json.loads(body)
    except ValueError as mistake:
        raise SlackError("invalid_json") from mistake
    if not isinstance(values, dict):
        raise SlackError("json_not_object")
    return values


def message_json(workspace: Workspace, message: Message) -> Json:
    """Draw a message as the Web API and payloads do: without its metadata, which only history shows."""
    by_bot = message.user == workspace.bot_user_id
    app = {"bot_id": workspace.bot_id, "app_id": workspace.app_id} if by_bot else {}
    edited = {"edited": {"user": workspace.bot_id, "ts": message.edited}} if message.edited else {}
    return {
        "type": "message",
        "user": message.user,
        "text": message.text,
        "ts": message.ts,
        "team": workspace.team_id,
        **({"blocks": list(message.blocks)} if message.blocks else {}),
        **app,
        **_thread_json(workspace, message),
        **edited,
    }


def _thread_json(workspace: Workspace, message: Message) -> Json:
    if message.thread_ts:
        return {"thread_ts": message.thread_ts}
    replies = workspace.replies(message.channel, message.ts)
    if not replies:
        return {}
    return {"thread_ts": message.ts, "reply_count": len(replies), "latest_reply": replies[-1].ts}


def view_json(workspace: Workspace, view: View, values: Json | None = None) -> Json:
    """Draw a modal as `views.open` and `view_submission` do; `values` is what the person filled in."""
    defaults: Json = {
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "submit": None,
        "close": None,
    }
    return {
        **defaults,
        "clear_on_close": False,
        "notify_on_close": False,
        **view.body,
        "id": view.id,
        "team_id": workspace.team_id,
        "state": {"values": values or {}},
        "hash": view.hash,
        "root_view_id": view.id if not view.previous else view.previous,
        "previous_view_id": view.previous or None,
        "app_id": workspace.app_id,
        "app_installed_team_id": workspace.team_id,
        "bot_id": workspace.bot_id,
    }


def channel_json(channel: Channel) -> Json:
    """Draw a channel as `conversations.info` does: https://docs.slack.dev/reference/objects/conversation-object."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.bot_in_channel,
    }


def user_json(workspace: Workspace, user: User) -> Json:
    """Draw a person as `users.info` does; the e-mail only for an app that may read it."""
    names = {"real_name": user.real_name, "display_name": user.name}
    flags = {"is_restricted": user.is_restricted, "is_ultra_restricted": user.is_ultra_restricted}
    stranger = {"is_stranger": True} if user.is_stranger else {}
    email = {"email": user.email} if "users:read.email" in workspace.scopes else {}
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": user.is_email_confirmed,
        "profile": {**names, **email, "team": user.team_id},
        **flags,
        **stranger,
    }
