"""Slack on the page: what a person sees there, and what they press, submit and type."""

from collections.abc import Hashable, Mapping

from infra.local.page.pane import Act, Json, Pane
from infra.local.slack import AppAnswer, Message, Slack, User, View
from infra.local.slack_workspace import Workspace


class SlackPane(Pane):
    """Slack's channels, threads, modals and slash command."""

    name = "slack"

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self.acts: Mapping[str, Act] = {
            "press": self._press,
            "submit": self._submit,
            "dismiss": self._dismiss,
            "command": self._command,
        }

    def version(self) -> Hashable:
        """The workspace counts its changes."""
        return self._slack.workspace.seq

    def seen_by(self, user: str) -> Json:
        """Channels with their messages, what only this person sees, and the modals in front of them."""
        workspace = self._slack.workspace
        with workspace.lock:
            people = [person for person in workspace.users.values() if not person.is_bot]
            return {
                "bot": workspace.bot_user_id,
                "users": [_person(person) for person in people],
                "names": {person.id: person.real_name or person.name for person in workspace.users.values()},
                "channels": [
                    {
                        "id": channel.id,
                        "name": channel.name,
                        "archived": channel.archived,
                        "messages": _channel_messages(workspace, channel.id, user),
                    }
                    for channel in workspace.channels.values()
                    if not channel.private or channel.has(user)
                ],
                "modals": [_modal(view) for view in workspace.modals(user)],
            }

    def _press(self, user: str, given: Json) -> Json:
        return _answered(self._slack.press(user, given["channel"], given["ts"], given["action_id"]))

    def _submit(self, user: str, given: Json) -> Json:
        return _answered(self._slack.submit(user, given["view_id"], given["values"]))

    def _dismiss(self, user: str, given: Json) -> Json:
        return _answered(self._slack.dismiss(user, given["view_id"]))

    def _command(self, user: str, given: Json) -> Json:
        command, _, text = given["text"].strip().partition(" ")
        return _answered(self._slack.command(user, given["channel"], command, text.strip()))


def _answered(answer: AppAnswer) -> Json:
    return {"status": answer.status, "error": answer.error, "errors": dict(answer.errors)}


def _person(person: User) -> Json:
    guest = person.is_restricted or person.is_ultra_restricted
    kinds = {"left": person.deleted, "guest": guest, "stranger": person.is_stranger}
    return {"id": person.id, "name": person.real_name or person.name, "kind": _first(kinds)}


def _first(kinds: Mapping[str, bool]) -> str:
    return next((kind for kind, applies in kinds.items() if applies), "")


def _channel_messages(workspace: Workspace, channel: str, user: str) -> list[Json]:
    """Give messages in order, each with its thread and the ephemeral messages in it."""
    whispers = workspace.ephemerals(user, channel)
    top = [*workspace.messages(channel), *(each for each in whispers if not each.thread_ts)]
    drawn = []
    for message in sorted(top, key=lambda message: message.ts):
        thread = [
            *workspace.replies(channel, message.ts),
            *(w for w in whispers if w.thread_ts == message.ts),
        ]
        below = sorted(thread, key=lambda reply: reply.ts)
        drawn.append(_message(message) | {"replies": [_message(reply) for reply in below]})
    return drawn


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "edited": bool(message.edited) and not message.blocks,
        "ephemeral": bool(message.only_for),
    }


def _modal(view: View) -> Json:
    return {"id": view.id, "hash": view.hash, **view.body}
