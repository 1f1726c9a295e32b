"""How activities look on the wire when Teams sends them to a bot.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations (messages, events, invokes)
"""

from html import escape

from infra.local.teams_roster import Channel, Chat, Json, User
from infra.local.teams_workspace import Message, Workspace, split

CLIENT = {"locale": "en-GB", "country": "GB", "platform": "Web", "timezone": "Europe/Berlin", "type": "clientInfo"}


class Activities:
    """Draws the activities of one workspace."""

    def __init__(self, workspace: Workspace, service_url: str) -> None:
        """`service_url` is where the bot is to answer, and what its token names, too."""
        self._workspace, self.service_url = workspace, service_url

    def message(self, user: User, message: Message) -> Json:
        """Draw what somebody wrote to the bot; in a channel they had to name it first."""
        named = f"<at>{self._workspace.bot_name}</at>"
        in_channel = message.place.startswith("19:")
        mention = {
            "type": "mention",
            "mentioned": {"id": self._workspace.bot_id, "name": self._workspace.bot_name},
            "text": named,
        }
        text = f"{named} {message.text}\n" if in_channel else message.text
        html = f'<div><span itemtype="http://schema.skype.com/Mention">{named}</span> {escape(message.text)}</div>'
        return {
            **self._activity("message", user, message.conversation),
            "id": message.id,
            "text": text,
            "textFormat": "plain",
            "attachments": [{"contentType": "text/html", "content": html if in_channel else escape(message.text)}],
            "entities": [*([mention] if in_channel else []), CLIENT],
        }

    def invoke(self, user: User, message: Message, action: Json, trigger: str) -> Json:
        """Draw a press of a card's button, or its refresh."""
        kept = {name: action[name] for name in ("type", "id", "verb", "data") if name in action}
        return {
            **self._activity("invoke", user, message.conversation),
            "name": "adaptiveCard/action",
            "replyToId": message.id,
            "value": {"action": kept, "trigger": trigger},
        }

    def installation(self, user: User, conversation: str, action: str) -> Json:
        """Draw that the app was installed or removed by somebody: `add` or `remove`."""
        return {**self._activity("installationUpdate", user, conversation), "action": action}

    def membership(self, user: User, conversation: str, change: str) -> Json:
        """Draw that the bot came or went, which Teams sends beside the installation: `Added` or `Removed`."""
        activity = self._activity("conversationUpdate", user, conversation)
        in_team = conversation in self._workspace.teams
        event = {"eventType": f"teamMember{change}"} if in_team else {}
        activity["channelData"] |= event
        return {**activity, f"members{change}": [{"id": self._workspace.bot_id}]}

    def _activity(self, kind: str, user: User, conversation: str) -> Json:
        workspace = self._workspace
        tenant = user.tenant if user.tenant and workspace.tells_home_tenant else workspace.tenant
        place = split(conversation)[0]
        found = workspace.channels.get(place) or workspace.chats[place]
        entra = {"aadObjectId": user.oid} if user.oid else {}
        now = workspace.timestamp()
        return {
            "type": kind,
            "id": workspace.event_id(),
            "timestamp": now,
            "localTimestamp": now,
            "channelId": "msteams",
            "serviceUrl": self.service_url,
            "from": {"id": user.mri, "name": user.name, **entra},
            "conversation": {**_kind(found), "tenantId": tenant, "id": conversation},
            "recipient": {"id": workspace.bot_id, "name": workspace.bot_name},
            "entities": [CLIENT],
            "channelData": {**self._channel_data(found), "tenant": {"id": tenant}, "source": {"name": "message"}},
            "locale": "en-GB",
        }

    def _channel_data(self, place: Channel | Chat) -> Json:
        if isinstance(place, Chat):
            return {}
        team = self._workspace.teams[place.team]
        return {
            "teamsChannelId": place.id,
            "teamsTeamId": team.id,
            "channel": {"id": place.id},
            "team": {"id": team.id, "name": team.name, "aadGroupId": team.group},
        }


def _kind(place: Channel | Chat) -> Json:
    if isinstance(place, Chat):
        return {"conversationType": "personal"}
    return {"isGroup": True, "conversationType": "channel"}
