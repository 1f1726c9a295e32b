"""The person's side of Teams: what its client and servers do when somebody presses, writes, or installs the app.

Every act sends the bot an activity with a token of the Bot Connector, and treats the answer as Teams would:
https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from infra.local.teams_card import filled_in, find_action, input_ids
from infra.local.teams_keys import Keys
from infra.local.teams_request import ANSWER_SECONDS, HONEST, AppAnswer, Forged, altered, sent
from infra.local.teams_roster import Json, User
from infra.local.teams_rules import ADAPTIVE, card_problems, card_warning
from infra.local.teams_shapes import MOST_REFRESHED
from infra.local.teams_wire import Activities
from infra.local.teams_workspace import Message, NotThere, Toast, Workspace

ACTIVITY_MESSAGE, ACTIVITY_ERROR = "application/vnd.microsoft.activity.message", "application/vnd.microsoft.error"
SORRY = "Unable to reach app. Please try again."


class Person:
    """What people do; `Teams` is the one who inherits it, and knows where it serves."""

    workspace: Workspace
    keys: Keys
    activities: Activities
    request_url: str
    answer_seconds: float = ANSWER_SECONDS

    # the app

    def install(self, team: str, *, by: str = "", forged: Forged = HONEST) -> list[AppAnswer]:
        """Put the app into a team; the bot hears of it twice, as an installation and as a new member."""
        return self._change_team(team, by, "add", forged)

    def uninstall(self, team: str, *, by: str = "", forged: Forged = HONEST) -> list[AppAnswer]:
        """Take the app out of a team: the bot is in none of its channels any more."""
        return self._change_team(team, by, "remove", forged)

    def install_for(self, who: str, *, forged: Forged = HONEST) -> list[AppAnswer]:
        """Let one person add the app for themselves, which opens their chat with the bot."""
        chat = self.workspace.open_chat(who, installed=True)
        return self._tell_of_installation(self._user(who), chat.id, "add", forged)

    def _change_team(self, team: str, by: str, action: str, forged: Forged) -> list[AppAnswer]:
        self.workspace.alter_team(team, installed=action == "add")
        members = self.workspace.members(team)
        if not members:
            raise NotThere(f"nobody is in team {team} who could do it")
        user = self._user(by) if by else members[0]
        return self._tell_of_installation(user, team, action, forged)

    def _tell_of_installation(self, user: User, place: str, action: str, forged: Forged) -> list[AppAnswer]:
        change = "Added" if action == "add" else "Removed"
        told = self.activities.installation(user, place, action), self.activities.membership(user, place, change)
        return [self.deliver(each, forged=forged) for each in told]

    # writing

    def command(self, who: str, place: str, text: str, *, thread: str = "", forged: Forged = HONEST) -> AppAnswer:
        """Write to the bot: in a channel, or one of its threads, by naming it first; without a place in their chat."""
        user = self._user(who)
        where = place or self.workspace.open_chat(who, installed=True).id
        if user not in self.workspace.members(where):
            raise NotThere(f"{user.name} is not in {where}")
        message = self.workspace.say(who, where, text, root=thread)
        answer = self.deliver(self.activities.message(user, message), forged=forged)
        if answer.error:
            self._trouble(user, message, "Sorry, there was a problem encountered with your request.")
        return answer

    # cards

    def press(
        self,
        who: str,
        conversation: str,
        activity: str,
        name: str,
        inputs: Mapping[str, str] | None = None,
        *,
        stale: bool = False,
        forged: Forged = HONEST,
    ) -> AppAnswer:
        """Fill in the inputs of a card, by id, and press the button with this title or verb, also behind another one.

        `stale` presses a button of an earlier version, as a client does that missed an update. What the client would
        not let pass comes back in `errors`, and nothing is sent. `NotThere` when there is no such button or input.
        """
        user = self._user(who)
        message = self.workspace.sees(who, conversation, activity)
        card, action, fields = self._button(user, message, name, stale=stale)
        if foreign := set(inputs or {}) - input_ids(card):
            raise NotThere(f"{user.name} sees no input {', '.join(sorted(foreign))} on message {activity}")
        if action["type"] != "Action.Execute":
            return AppAnswer(url=action.get("url", ""))
        state, errors = filled_in(fields, inputs or {})
        if errors and not forged.unchecked:
            return AppAnswer(errors=errors)
        pressed = {**action, "data": {**action.get("data", {}), **state}}
        return self._invoke(user, message, pressed, "manual", forged)

    def refresh(self, who: str, conversation: str, activity: str, *, forged: Forged = HONEST) -> AppAnswer:
        """Bring a card up to date, as the client does by itself for whom the card names, or somebody by hand."""
        user = self._user(who)
        message = self.workspace.sees(who, conversation, activity)
        refresh = (message.card or {}).get("refresh")
        if not refresh:
            raise NotThere(f"message {activity} shows {user.name} no card that can be refreshed")
        trigger = "automatic" if self.refreshes_itself(who, conversation, activity) else "manual"
        return self._invoke(user, message, refresh["action"], trigger, forged)

    def refreshes_itself(self, who: str, conversation: str, activity: str) -> bool:
        """Tell whether the client refreshes a card for this person as soon as they look at it."""
        message = self.workspace.sees(who, conversation, activity)
        refresh = (message.card or {}).get("refresh")
        if refresh is None:
            return False
        few = len(self.workspace.members(message.place)) <= MOST_REFRESHED
        return self._user(who).mri in refresh["userIds"] if "userIds" in refresh else few

    def _button(self, user: User, message: Message, name: str, *, stale: bool) -> tuple[Json, Json, Sequence[Json]]:
        versions = self.workspace.versions(message.conversation, message.id)
        for card in [each.card for each in reversed(versions)] if stale else [message.card]:
            found = find_action(card, name) if card else None
            if card and found and found[0].get("isEnabled", True):
                return card, *found
        raise NotThere(f"{user.name} sees no button {name} on message {message.id}")

    def _invoke(self, user: User, message: Message, action: Json, trigger: str, forged: Forged) -> AppAnswer:
        answer = self.deliver(self.activities.invoke(user, message, action, trigger), forged=forged)
        trouble = (answer.error and SORRY) or self._take(user, message, answer.json())
        if trouble:
            self._trouble(user, message, trouble)
            return replace(answer, error=answer.error or trouble)
        return answer

    def _take(self, user: User, message: Message, answer: Json) -> str:
        """Do what the answer to an invoke says; give what the person reads if it cannot be done."""
        status, kind, value = answer.get("statusCode"), answer.get("type"), answer.get("value")
        if status == 200 and kind == ADAPTIVE:
            if problems := card_problems(value):
                return f"Something went wrong. Please try again. ({'; '.join(problems)})"
            return self._show(user, message, dict(value or {}))
        if status == 200 and kind == ACTIVITY_MESSAGE and isinstance(value, str):
            self.workspace.toast(Toast(user.key, message.conversation, message.id, value))
            return ""
        if kind == ACTIVITY_ERROR and isinstance(value, dict) and {"code", "message"} <= value.keys():
            return str(value["message"])
        return f"Something went wrong. Please try again. (no answer to an invoke: {status} {kind})"

    def _show(self, user: User, message: Message, card: Json) -> str:
        if warning := card_warning(card):
            self.workspace.warn(warning)
        self.workspace.show(user, message, card)
        return ""

    def _trouble(self, user: User, message: Message, text: str) -> None:
        """Tell the person: a press that was lost must not look like one that worked."""
        self.workspace.toast(Toast(user.key, message.conversation, message.id, text, trouble=True))

    # sending

    def deliver(self, activity: Json, *, forged: Forged = HONEST) -> AppAnswer:
        """Send the bot an activity, such as one it has had before: after a lost answer Teams may try again."""
        said = altered(activity, forged.activity)
        body = json.dumps(said).encode() if forged.body is None else forged.body
        token = self.keys.token(
            self.activities.service_url, key=forged.key, claims=forged.claims, header=forged.header, sign=forged.sign
        )
        authorization = f"Bearer {token}" if forged.authorization is None else forged.authorization
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Microsoft-SkypeBotApi (Microsoft-BotFramework/3.0)",
            "x-ms-conversation-id": activity["conversation"]["id"],
            "x-ms-tenant-id": self.workspace.tenant,
            **({"Authorization": authorization} if authorization else {}),
        }
        return replace(sent(self.request_url, body, headers, self.answer_seconds), activity=said)

    def _user(self, who: str) -> User:
        return self.workspace.person(who)
