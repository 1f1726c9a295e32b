"""What Teams remembers: people, teams, messages with their earlier versions, and what single persons see instead.

Nothing here speaks HTTP. The Connector (`teams_connector`) and the person's side (`teams_person`) both work on one
`Workspace`, under its one lock, so that tests, the demo and a page all see the same Teams.
"""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from infra.local.entra_people import People
from infra.local.teams_roster import Channel, Chat, Json, Team, User, chat_id

T = TypeVar("T")


class TeamsError(Exception):
    """What the Connector refuses: the status, Microsoft's word for it, and the message."""

    def __init__(self, status: int, code: str, text: str, *, retry_after: int = 0) -> None:
        """Keep what the answer is drawn from."""
        super().__init__(text)
        self.status, self.code, self.retry_after = status, code, retry_after


class NotThere(Exception):
    """A person cannot do this: what they would press, read or write to is not in front of them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One version of a message in a channel or chat (`place`); `root` names the message whose thread it is in."""

    place: str
    sender: str
    text: str = ""
    card: Json | None = None
    root: str = ""
    summary: str = ""
    id: str = ""
    edited: bool = False

    @property
    def conversation(self) -> str:
        """The conversation as activities name it: a thread of a channel is one of its own."""
        return f"{self.place};messageid={self.root or self.id}" if self.place.startswith("19:") else self.place


@dataclass(frozen=True, slots=True)
class Toast:
    """What a person is told above the card, for a moment; `trouble` when it is Teams that says something went wrong."""

    user: str
    conversation: str
    activity: str
    text: str
    trouble: bool = False


class Workspace:
    """One tenant's Teams with one bot; every change raises `seq` and wakes those who wait."""

    def __init__(self, app_id: str, tenant: str, clock: Callable[[], float] = time.time) -> None:
        """Start with nobody and no team; `clock` says seconds since 1970."""
        self.app_id, self.tenant, self.clock = app_id, tenant, clock
        self.bot_id, self.bot_name = f"28:{app_id}", "Model Approvals"
        self.users: dict[str, User] = {}
        self.teams: dict[str, Team] = {}
        self.channels: dict[str, Channel] = {}
        self.chats: dict[str, Chat] = {}
        self.warnings: list[str] = []
        self.tells_home_tenant = True
        """Whether activities of external people name their own tenant or the host's: Microsoft's pages disagree."""
        self.seq = 0
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._versions: dict[tuple[str, str], list[Message]] = {}
        self._views: dict[tuple[str, str, str], Json] = {}
        self._toasts: list[Toast] = []
        self._last_id = 0

    def now(self) -> float:
        """Say what time it is here; `clock` may be replaced at any moment."""
        return self.clock()

    @contextmanager
    def _change(self) -> Iterator[None]:
        with self._changed:
            yield
            self.seq += 1
            self._changed.notify_all()

    def until(self, read: Callable[[], T], timeout: float = 10.0) -> T:
        """Wait until `read` gives something truthy, asked again after each change; `timeout` in seconds.

        `read` may look at the workspace only: a call to the Connector from inside would wait for itself.
        """
        with self._changed:
            if self._changed.wait_for(read, timeout):
                return read()
        raise TimeoutError(f"nothing in Teams made it true within {timeout} s")

    # people, teams and channels

    def add_user(self, user: User) -> User:
        """Let a person in, or replace the one with this key."""
        with self._change():
            self.users[user.key] = user
        return user

    def add_people(self, people: People) -> None:
        """Let everybody of the directory in; who is disabled there may still have Teams open."""
        for account in people.everybody():
            self.add_user(User.of(account))

    def add_team(self, team: Team) -> Team:
        """Found a team with its General channel, or replace the one with this id."""
        with self._change():
            self.teams[team.id] = team
            self.channels.setdefault(team.id, Channel(team.id, "General", team.id))
        return team

    def alter_team(self, team_id: str, **changes: Any) -> Team:  # noqa: ANN401 - its fields
        """Change fields of a team, such as `archived=True`."""
        return self.add_team(replace(self.teams[team_id], **changes))

    def add_channel(self, channel: Channel) -> Channel:
        """Create a channel, or replace the one with this id."""
        with self._change():
            self.channels[channel.id] = channel
        return channel

    def alter_channel(self, channel_id: str, **changes: Any) -> Channel:  # noqa: ANN401 - its fields
        """Change fields of a channel, such as `deleted=True`."""
        return self.add_channel(replace(self.channels[channel_id], **changes))

    def person(self, who: str) -> User:
        """Find a person by object id or by their id in Teams."""
        for user in tuple(self.users.values()):
            if who in {user.key, user.mri}:
                return user
        raise NotThere(f"{who} is nobody in Teams")

    def members(self, place: str) -> list[User]:
        """Everybody who is in a channel, or the one person of a chat."""
        if place in self.chats:
            return [self.users[self.chats[place].user]]
        channel = self.channels[place]
        keys = self.teams[channel.team].members if channel.members is None else channel.members
        return [user for user in tuple(self.users.values()) if user.key in keys]

    def open_chat(self, who: str, **changes: Any) -> Chat:  # noqa: ANN401 - its fields
        """Find the chat of a person with the bot, or begin it; `changes` are fields such as `blocked=True`."""
        user = self.person(who)
        name = chat_id(self.app_id, user)
        with self._change():
            self.chats[name] = replace(self.chats.get(name, Chat(name, user.key)), **changes)
        return self.chats[name]

    # messages

    def message(self, conversation: str, activity: str) -> Message:
        """Give the newest version of a message; `ActivityNotFoundInConversation` if there is none."""
        return self.versions(conversation, activity)[-1]

    def versions(self, conversation: str, activity: str) -> list[Message]:
        """Give all versions of a message, oldest first: a client that missed an update shows an old one."""
        place, thread = split(conversation)
        with self.lock:
            versions = self._versions.get((place, activity), [])
            if not versions or (thread and thread not in {activity, versions[-1].root}):
                raise TeamsError(404, "ActivityNotFoundInConversation", "Conversation not found.")
            return list(versions)

    def messages(self, conversation: str) -> list[Message]:
        """Give what stands in a channel or chat, oldest first, without what stands in threads."""
        return [message for message in self._newest(split(conversation)[0]) if not message.root]

    def replies(self, conversation: str, root: str = "") -> list[Message]:
        """Give the thread below a message, oldest first, without the message itself."""
        place, thread = split(conversation)
        return [message for message in self._newest(place) if message.root == (root or thread)]

    def private(self, who: str) -> list[Message]:
        """Give what stands in the chat of a person with the bot."""
        return self._newest(chat_id(self.app_id, self.person(who)))

    def _newest(self, place: str) -> list[Message]:
        with self.lock:
            newest = [versions[-1] for key, versions in self._versions.items() if key[0] == place]
        return sorted(newest, key=lambda message: message.id)

    def post(self, message: Message) -> Message:
        """Show a message to everybody there; it is given the next id."""
        with self._change():
            posted = replace(message, id=self._next_id())
            self._versions[posted.place, posted.id] = [posted]
        return posted

    def change(self, message: Message) -> Message:
        """Replace a message for everybody, also for who was shown a card of their own until now."""
        with self._change():
            changed = replace(message, edited=True)
            self._versions[message.place, message.id].append(changed)
            for view in [each for each in self._views if each[1:] == (message.place, message.id)]:
                del self._views[view]
        return changed

    def say(self, who: str, place: str, text: str, *, root: str = "") -> Message:
        """Let a person write without naming the bot, which then does not hear of it and may not update it."""
        return self.post(Message(place, self.person(who).mri, text, root=root))

    # what single persons see

    def sees(self, who: str, conversation: str, activity: str) -> Message:
        """Give a message as this person sees it; `NotThere` when they do not see it at all."""
        user = self.person(who)
        try:
            message = self.message(conversation, activity)
        except TeamsError as missing:
            raise NotThere(f"{user.name} sees no message {activity}") from missing
        if user not in self.members(message.place) or self._gone(message.place):
            raise NotThere(f"{user.name} is not in {message.place}")
        own = self._views.get((user.key, message.place, message.id))
        return replace(message, card=own) if own else message

    def seen_by(self, who: str) -> list[Message]:
        """Give everything in front of a person, threads too, oldest first, with the cards that are theirs alone."""
        user = self.person(who)
        with self.lock:
            there = [place for place in (*self.channels, *self.chats) if user in self.members(place)]
            found = [message for place in there if not self._gone(place) for message in self._newest(place)]
            return [self.sees(who, each.conversation, each.id) for each in sorted(found, key=lambda each: each.id)]

    def _gone(self, place: str) -> bool:
        return place in self.channels and self.channels[place].deleted

    def show(self, user: User, message: Message, card: Json) -> None:
        """Show one person another card in place of a message's, until the message changes for everybody."""
        with self._change():
            self._views[user.key, message.place, message.id] = card

    def toast(self, toast: Toast) -> None:
        """Tell one person something in passing."""
        with self._change():
            self._toasts.append(toast)

    def toasts(self, who: str = "") -> list[Toast]:
        """Give what a person was told in passing, or all persons, oldest first."""
        with self.lock:
            return [each for each in self._toasts if not who or each.user == self.person(who).key]

    def warn(self, text: str) -> None:
        """Keep what Teams takes today, though another of its limits says otherwise."""
        with self._change():
            self.warnings.append(text)

    # ids and times

    def event_id(self) -> str:
        """Make an id for an activity that is no message."""
        return f"f:{uuid.uuid4()}"

    def timestamp(self) -> str:
        """Write the time as activities do."""
        return datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _next_id(self) -> str:
        self._last_id = max(self._last_id + 1, int(self.clock() * 1_000))
        return str(self._last_id)


def split(conversation: str) -> tuple[str, str]:
    """Take a conversation apart into the channel or chat and, if it names one, the thread."""
    place, _, thread = conversation.partition(";messageid=")
    return place, thread
