"""The person's side of Slack: what its client and servers do when somebody presses, submits or types.

Every act sends the app a signed request of the shape and within the three seconds that Slack keeps
(https://docs.slack.dev/interactivity/handling-user-interaction), and treats the app's answer as Slack would.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from infra.local import slack_rules as rules
from infra.local.slack_forms import Filled, filled_in
from infra.local.slack_request import HONEST, AppAnswer, Forged, sent, signed
from infra.local.slack_wire import message_json, view_json
from infra.local.slack_workspace import SLACKBOT, Json, Message, SlackError, User, View, Workspace


class NotThere(Exception):
    """A person cannot do this: what they would press, submit or read is not in front of them."""


class Person:
    """What people do; `Slack` is the one who inherits it, and knows where it serves (`url`)."""

    workspace: Workspace
    url: str
    request_url: str
    signing_secret: str

    def press(
        self,
        user: str,
        channel: str,
        ts: str,
        action_id: str,
        *,
        stale: bool = False,
        forged: Forged = HONEST,
    ) -> AppAnswer:
        """Press a button, and say yes to its confirm dialog; `stale` presses one of an earlier version.

        `NotThere` when the person does not see such a button.
        """
        person = self._person(user)
        message, button, block_id = self._button(person, channel, ts, action_id, stale=stale)
        action = self._action(button, block_id, forged)
        payload = self._block_actions(person, message, action, forged)
        answer = self._send({"payload": json.dumps(payload)}, forged)
        self._show_trouble(user, channel, f"The click was lost: {answer.error}" if answer.error else "")
        return answer

    def submit(self, user: str, view_id: str, values: Mapping[str, Filled], *, forged: Forged = HONEST) -> AppAnswer:
        """Fill in a modal (`values` by block id; a list for checkboxes) and submit it.

        What Slack's client would not let pass comes back in `errors` without asking the app. An empty answer
        closes the modal; `response_action` errors, update, push and clear do what they say.
        """
        person, view = self._person(user), self._view(user, view_id)
        state, missing = filled_in(view.body["blocks"], values)
        if missing:
            return AppAnswer(errors=missing)
        payload = self._view_payload("view_submission", person, view, state, forged)
        answer = self._send({"payload": json.dumps(payload)}, forged)
        return answer if answer.error else self._after_submit(view, answer)

    def dismiss(self, user: str, view_id: str, *, forged: Forged = HONEST) -> AppAnswer:
        """Close a modal without submitting; the app hears of it if it asked to (`notify_on_close`)."""
        person, view = self._person(user), self._view(user, view_id)
        self.workspace.close_view(view)
        if not view.body.get("notify_on_close"):
            return AppAnswer()
        payload = self._view_payload("view_closed", person, view, {}, forged) | {"is_cleared": False}
        return self._send({"payload": json.dumps(payload)}, forged)

    def command(self, user: str, channel: str, command: str, text: str = "", *, forged: Forged = HONEST) -> AppAnswer:
        """Type a slash command; the answer is shown to the person, or to all if it says `in_channel`."""
        person = self._person(user)
        where = self.workspace.channels.get(channel)
        if where is None or (where.private and not where.has(user)):
            raise NotThere(f"{person.name} sees no channel {channel}")
        response_path = self.workspace.tickets.response_path("commands", user, channel)
        form = {
            "token": "deprecated",
            "team_id": forged.team_id or person.team_id,
            "team_domain": self.workspace.team_domain,
            "channel_id": channel,
            "channel_name": where.name,
            "user_id": user,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self.workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self.url + response_path,
            "trigger_id": self.workspace.tickets.trigger(user),
        }
        answer = self._send(form, forged)
        error = answer.error or self._command_answer(user, channel, answer)
        self._show_trouble(user, channel, f"{command} failed with the error {error}" if error else "")
        return replace(answer, error=error)

    # what the person sees

    def _person(self, user: str) -> User:
        if user not in self.workspace.users:
            raise NotThere(f"{user} is nobody in this workspace")
        return self.workspace.users[user]

    def _view(self, user: str, view_id: str) -> View:
        view = self.workspace.views.get(view_id)
        if view is None or view.user != user:
            raise NotThere(f"{user} has no modal {view_id} open")
        return view

    def _button(self, person: User, channel: str, ts: str, action_id: str, *, stale: bool) -> tuple[Message, Json, str]:
        versions = self._seen(person, channel, ts)
        for message in reversed(versions if stale else versions[-1:]):
            for block in message.blocks:
                for element in (*block.get("elements", ()), block.get("accessory", {})):
                    if element.get("action_id") == action_id:
                        return message, element, block["block_id"]
        raise NotThere(f"{person.name} sees no {action_id} on message {ts}")

    def _seen(self, person: User, channel: str, ts: str) -> list[Message]:
        try:
            versions = self.workspace.versions(channel, ts)
        except SlackError as missing:
            raise NotThere(f"{person.name} sees no message {ts}") from missing
        where = self.workspace.channels[channel]
        if versions[-1].only_for not in {"", person.id} or (where.private and not where.has(person.id)):
            raise NotThere(f"{person.name} cannot see message {ts}")
        return versions

    # what is sent

    def _action(self, button: Json, block_id: str, forged: Forged) -> Json:
        names = ("type", "action_id", "text", "value", "style", "confirm", "url")
        action: Json = {name: button[name] for name in names if name in button}
        if forged.value is not None:
            action["value"] = forged.value
        return action | {"block_id": block_id, "action_ts": f"{self.workspace.now():.6f}"}

    def _about(self, person: User, forged: Forged) -> Json:
        team = forged.team_id or self.workspace.team_id
        user_team = forged.team_id or person.team_id
        return {
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": user_team},
            "team": {"id": team, "domain": self.workspace.team_domain},
            "enterprise": None,
            "is_enterprise_install": False,
            "api_app_id": self.workspace.app_id,
            "token": "deprecated",
            "trigger_id": self.workspace.tickets.trigger(person.id),
        }

    def _block_actions(self, person: User, message: Message, action: Json, forged: Forged) -> Json:
        channel = self.workspace.channels[message.channel]
        container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
        thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
        path = self.workspace.tickets.response_path("actions", person.id, channel.id, message.ts)
        shown: Json = {} if message.only_for else {"message": message_json(self.workspace, message)}
        return {
            "type": "block_actions",
            **self._about(person, forged),
            "container": {**container, **thread, "is_ephemeral": bool(message.only_for)},
            "channel": {"id": channel.id, "name": channel.name},
            **shown,
            "state": {"values": {}},
            "response_url": self.url + path,
            "actions": [action],
        }

    def _view_payload(self, kind: str, person: User, view: View, state: Json, forged: Forged) -> Json:
        shown = view_json(self.workspace, view, state)
        about: Json = {"type": kind, **self._about(person, forged)}
        return about | {"view": shown, "response_urls": []}

    def _send(self, form: Mapping[str, str], forged: Forged) -> AppAnswer:
        secret = forged.signing_secret or self.signing_secret
        timestamp = int(self.workspace.now()) if forged.timestamp is None else forged.timestamp
        body = urlencode(form)
        return sent(self.request_url, body, signed(secret, timestamp, body))

    # what the answer does

    def _after_submit(self, view: View, answer: AppAnswer) -> AppAnswer:
        action = answer.json()
        match action.get("response_action"):
            case None:
                self.workspace.close_view(view)
            case "clear":
                self.workspace.close_view(view, everything=True)
            case "errors":
                return _with_errors(view, answer, action.get("errors"))
            case "update" | "push" as kind if not rules.modal_problems(action.get("view")):
                if kind == "update":
                    self.workspace.change_view(view, action["view"])
                else:
                    self.workspace.show_view(view.user, action["view"], previous=view.id)
            case _:
                return replace(answer, error="invalid_response_action")
        return answer

    def _command_answer(self, user: str, channel: str, answer: AppAnswer) -> str:
        """Show the answer to a slash command; give Slack's error if it cannot be shown."""
        content = answer.json() or {"text": answer.body}
        text, blocks = content.get("text", ""), content.get("blocks", [])
        if not text and not blocks:
            return ""
        if rules.message_problems(blocks) or len(text) > rules.MESSAGE_TEXT:
            return "invalid_blocks"
        only_for = "" if content.get("response_type") == "in_channel" else user
        bot = self.workspace.bot_user_id
        self.workspace.post(Message(channel, "", bot, text, blocks=blocks, only_for=only_for))
        return ""

    def _show_trouble(self, user: str, channel: str, trouble: str) -> None:
        """Tell the person, as Slackbot: a click that was lost must not look like one that worked."""
        if trouble:
            self.workspace.post(Message(channel, "", SLACKBOT, trouble, only_for=user))


def _with_errors(view: View, answer: AppAnswer, errors: object) -> AppAnswer:
    """Show errors below their inputs; Slack takes none for a block that is not an input."""
    inputs = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        return replace(answer, error="invalid_response_action")
    return replace(answer, errors=errors)
