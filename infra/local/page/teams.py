"""Teams on the page: what a person sees there, and what they press and write."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from infra.local.npm import RENDERER
from infra.local.page.pane import Act, Json, Mistaken, Pane
from infra.local.teams import AppAnswer, Message, Teams, User


class TeamsPane(Pane):
    """The channels of the team, and a person's chat with the bot; Microsoft's own renderer draws the cards."""

    name = "teams"

    def __init__(self, teams: Teams, oid: Callable[[str], str]) -> None:
        """`oid` gives the object id of a person of Slack."""
        self._teams, self._workspace, self._oid = teams, teams.workspace, oid
        self.acts: Mapping[str, Act] = {"press": self._press, "write": self._write}

    def version(self) -> Hashable:
        """The workspace counts its changes; the renderer may be installed while the page is up."""
        return self._workspace.seq, RENDERER.exists()

    def seen_by(self, user: str) -> Json:
        """Channels and the chat with the bot, each with its messages, and what was said in passing."""
        workspace, oid = self._workspace, self._oid(user)
        person = workspace.users.get(oid)
        seen = {"renderer": RENDERER.exists(), "names": self._names(), "channels": [], "passing": []}
        if person is None:
            return seen
        with workspace.lock:
            there = [each for each in workspace.channels.values() if person in workspace.members(each.id)]
            named = [(each.id, each.name, False) for each in there if not each.deleted and each.id != each.team]
            chats = [(each.id, workspace.bot_name, True) for each in workspace.chats.values() if each.user == oid]
            messages = workspace.seen_by(oid)
            seen["channels"] = [
                {"id": place, "name": name, "chat": chat, "messages": _threads(messages, place)}
                for place, name, chat in [*named, *chats]
            ]
            seen["passing"] = [{"text": each.text, "trouble": each.trouble} for each in workspace.toasts(oid)]
        return seen

    def _names(self) -> Json:
        people = {person.mri: person.name for person in self._workspace.users.values()}
        return people | {self._workspace.bot_id: self._workspace.bot_name}

    def _press(self, user: str, given: Json) -> Json:
        who = self._person(user).key
        inputs = {name: str(value) for name, value in given.get("inputs", {}).items()}
        return _answered(self._teams.press(who, given["conversation"], given["activity"], given["button"], inputs))

    def _write(self, user: str, given: Json) -> Json:
        """Write to the bot; in a channel the client names it first."""
        return _answered(self._teams.command(self._person(user).key, given["channel"], given["text"].strip()))

    def _person(self, user: str) -> User:
        person = self._workspace.users.get(self._oid(user))
        if person is None:
            raise Mistaken("You are not in Teams. Choose another person at the top of the page.")
        return person


def _answered(answer: AppAnswer) -> Json:
    return {"status": answer.status, "error": answer.error, "errors": dict(answer.errors)}


def _threads(messages: Sequence[Message], place: str) -> list[Json]:
    """The messages of a place in order, each with its thread."""
    there = [each for each in messages if each.place == place]
    replies = {each.id: [_message(reply) for reply in there if reply.root == each.id] for each in there}
    return [_message(each) | {"replies": replies[each.id]} for each in there if not each.root]


def _message(message: Message) -> Json:
    return {
        "id": message.id,
        "conversation": message.conversation,
        "sender": message.sender,
        "text": message.text,
        "card": message.card,
        "edited": message.edited,
    }
