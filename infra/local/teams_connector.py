"""The Bot Connector as a bot in Teams calls it, as far as ours does; what is not here is answered with 404 or 405.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference; errors:
https://learn.microsoft.com/microsoftteams/platform/bots/how-to/conversations/conversation-messages (status codes).
Stricter than Teams on purpose: ids in a path have to be quoted; a message is text or one card, never both, which
Teams refuses for new conversations and updates ("multiple skype activities") and sends in two pieces as a reply.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import jwt

from infra.local.entra_https import Request, Route, Section
from infra.local.entra_login import json_answer
from infra.local.slack_http import Answer
from infra.local.teams_http import CODES, Asked, error_answer, refuse, usual
from infra.local.teams_limits import RateLimits
from infra.local.teams_roster import Channel, Json, User, member_json
from infra.local.teams_rules import card_warning, conversation_problems, message_problems
from infra.local.teams_workspace import Message, NotThere, TeamsError, Workspace, split

AUDIENCE = "https://api.botframework.com"
"""Of the tokens that bots show; a local Entra issues them once `login.audiences` names it."""
Verify = Callable[[str, str], Mapping[str, Any]]
"""Reads the claims of a token for an audience; raises `jwt.InvalidTokenError`."""
PAGE, SMALLEST_PAGE, LARGEST_PAGE = 200, 50, 500


class Connector:
    """Carries out what the bot asks for, on one workspace."""

    def __init__(self, workspace: Workspace, limits: RateLimits, verify: Verify) -> None:
        """`verify` knows the tokens of the tenant's Entra."""
        self._workspace, self._limits, self._verify = workspace, limits, verify

    @property
    def section(self) -> Section:
        """What the site serves of it: under the address that activities name, and under the ones known beforehand."""
        one = "/v3/conversations/{conversation}"
        table = (
            ("createConversation", "POST", "/v3/conversations", self._create),
            ("sendToConversation", "POST", f"{one}/activities", self._send),
            ("replyToActivity", "POST", f"{one}/activities/{{id}}", self._send),
            ("updateActivity", "PUT", f"{one}/activities/{{id}}", self._update),
            ("member", "GET", f"{one}/members/{{id}}", self._member),
            ("pagedMembers", "GET", f"{one}/pagedmembers", self._paged_members),
        )
        prefixes = ("/teams", "/emea", f"/emea/{self._workspace.tenant}")
        routes = [
            Route(name, method, prefix + path, self._guarded(run))
            for prefix in prefixes
            for name, method, path, run in table
        ]
        return Section("teams", routes, refuse)

    # what all calls share

    def _guarded(self, run: Callable[[Asked], Answer]) -> Callable[[Request], Answer]:
        def guarded(request: Request) -> Answer:
            try:
                self._authorize(request)
                asked = Asked.of(request)
                with self._workspace.lock:
                    return run(asked)
            except TeamsError as error:
                return error_answer(error)

        return guarded

    def _authorize(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claims = self._verify(token if kind == "Bearer" else "", AUDIENCE)
        except jwt.InvalidTokenError as wrong:
            raise TeamsError(401, "", "Authorization has been denied for this request.") from wrong
        app = claims.get("azp") or claims.get("appid")
        if (app, claims.get("tid")) != (self._workspace.app_id, self._workspace.tenant):
            raise usual(401)

    def _throttle(self, kind: str, place: str) -> None:
        if seconds := self._limits.wait(kind, place):
            raise TeamsError(429, *CODES[429], retry_after=seconds)

    def _check_place(self, place: str, *, writing: bool = True) -> None:
        """See that the bot may speak in a channel or chat; the code for an archived team is our guess."""
        workspace = self._workspace
        if place in workspace.chats:
            if workspace.chats[place].blocked:
                raise TeamsError(403, "ConversationBlockedByUser", "User blocked the conversation with the bot.")
            return
        channel = workspace.channels.get(place)
        if channel is None or channel.deleted:
            raise usual(404)
        if not self._is_in(channel):
            raise usual(403)
        if writing and workspace.teams[channel.team].archived:
            raise TeamsError(403, "NotEnoughPermissions", "The team is archived.")

    def _is_in(self, channel: Channel) -> bool:
        return channel.has_bot and self._workspace.teams[channel.team].installed

    def _content(self, activity: Json) -> tuple[str, Json | None, str]:
        """Take a message apart: its text, its card, and what notifications say of it."""
        if problems := message_problems(activity):
            raise TeamsError(400, "BadSyntax", "; ".join(problems))
        attachments, text = activity.get("attachments", []), activity.get("text", "")
        if len(attachments) > 1 or (attachments and text):
            raise TeamsError(400, "BadSyntax", "Activity resulted into multiple skype activities")
        card = attachments[0]["content"] if attachments else None
        if card and (warning := card_warning(card)):
            self._workspace.warn(warning)
        return text, card, activity.get("summary", "")

    # conversations

    def _create(self, asked: Asked) -> Answer:
        if problems := conversation_problems(asked.body):
            raise TeamsError(400, "BadSyntax", "; ".join(problems))
        self._check_parties(asked.body)
        if asked.body.get("isGroup"):
            return self._post_root(asked.body)
        return self._begin_chat(asked.body)

    def _check_parties(self, body: Json) -> None:
        bot = body.get("bot", {}).get("id", self._workspace.bot_id)
        if bot != self._workspace.bot_id:
            raise TeamsError(400, "BadArgument", f"{bot} is not the bot whose token this is.")
        named = {body.get("tenantId"), body["channelData"].get("tenant", {}).get("id")} - {None}
        if not named:
            raise TeamsError(400, "BadArgument", "tenantId or channelData.tenant.id is missing.")
        if named != {self._workspace.tenant}:
            raise usual(403)

    def _post_root(self, body: Json) -> Answer:
        """Begin a thread in a channel; a bot cannot begin group chats."""
        place = body["channelData"].get("channel", {}).get("id")
        if not place or body.get("members"):
            raise TeamsError(400, "BadArgument", "A bot begins threads in a channel (channelData.channel.id) only.")
        self._throttle("create", place)
        self._check_place(place)
        posted = self._post(place, "", body.get("activity", {}))
        return json_answer(201, {"id": posted.conversation, "activityId": posted.id})

    def _begin_chat(self, body: Json) -> Answer:
        """Find or begin the chat with one person, who has the app or is in a team that has it."""
        if len(body.get("members", ())) != 1 or "activity" in body:
            raise TeamsError(400, "BadArgument", "A chat is begun with one member, and without an activity.")
        self._throttle("create", body["members"][0]["id"])
        user = self._reachable(body["members"][0]["id"])
        return json_answer(201, {"id": self._workspace.open_chat(user.key).id})

    def _reachable(self, mri: str) -> User:
        workspace = self._workspace
        user = next((each for each in workspace.users.values() if each.mri == mri), None)
        if user is None:
            raise TeamsError(400, "BadSyntax", f"Bad format of conversation member: {mri}")
        has_app = any(chat.user == user.key and chat.installed for chat in workspace.chats.values())
        if not has_app and not any(team.installed and user.key in team.members for team in workspace.teams.values()):
            raise TeamsError(403, "ForbiddenOperationException", "The bot is not installed for this person.")
        return user

    # messages

    def _send(self, asked: Asked) -> Answer:
        """Post to a chat, into a thread, or as a new thread of a channel."""
        place, thread = self._place(asked, "send")
        self._check_place(place)
        if asked.id:
            found = self._workspace.message(asked.conversation, asked.id)
            thread = found.root or found.id
        if place in self._workspace.chats:
            thread = ""
        return json_answer(201, {"id": self._post(place, thread, asked.body).id})

    def _post(self, place: str, thread: str, activity: Json) -> Message:
        text, card, summary = self._content(activity)
        message = Message(place, self._workspace.bot_id, text, card, thread, summary)
        return self._workspace.post(message)

    def _update(self, asked: Asked) -> Answer:
        place, _ = self._place(asked, "send")
        self._check_place(place)
        found = self._workspace.message(asked.conversation, asked.id)
        if found.sender != self._workspace.bot_id:
            raise TeamsError(403, "NotEnoughPermissions", "A bot may change its own messages only.")
        text, card, summary = self._content(asked.body)
        self._workspace.change(replace(found, text=text, card=card, summary=summary))
        return json_answer(200, {"id": found.id})

    def _place(self, asked: Asked, kind: str) -> tuple[str, str]:
        """Take the conversation of a call apart; the thread that it names has to be there."""
        place, thread = split(asked.conversation)
        self._throttle(kind, place)
        if thread not in {"", *(message.id for message in self._workspace.messages(place))}:
            raise usual(404)
        return place, thread

    # members

    def _roster(self, asked: Asked) -> list[Json]:
        place, _ = self._place(asked, "members")
        self._check_place(place, writing=False)
        return [member_json(user, self._workspace.tenant) for user in self._workspace.members(place)]

    def _member(self, asked: Asked) -> Answer:
        """Describe one member, by their id in Teams or their object id."""
        roster = self._roster(asked)
        try:
            user = self._workspace.person(asked.id)
        except NotThere as nobody:
            raise _no_member() from nobody
        found = next((each for each in roster if each["id"] == user.mri), None)
        if found is None:
            raise _no_member()
        return json_answer(200, found)

    def _paged_members(self, asked: Asked) -> Answer:
        roster = self._roster(asked)
        start = asked.number("continuationToken", 0)
        end = start + min(max(asked.number("pageSize", PAGE), SMALLEST_PAGE), LARGEST_PAGE)
        page: Json = {"members": roster[start:end]}
        more = {"continuationToken": str(end)} if end < len(roster) else {}
        return json_answer(200, page | more)


def _no_member() -> TeamsError:
    return TeamsError(404, "MemberNotFoundInConversation", "Member not found in conversation.")
