"""What Slack remembers: people, channels, messages with all their earlier versions, and open modals.

Nothing here speaks HTTP. The Web API (`slack_api`) and the person's side (`slack_person`) both work on one
`Workspace`, under its one lock, so that tests, the demo and the page all see the same Slack.
"""

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from infra.local.slack_tickets import Tickets

Json = dict[str, Any]
Blocks = Sequence[Json]
T = TypeVar("T")

TEAM = "T0LOCAL01"
SLACKBOT = "USLACKBOT"
SCOPES = (
    *("channels:history", "channels:read", "chat:write", "commands", "groups:history", "groups:read"),
    *("users:read", "users:read.email"),
)


class SlackError(Exception):
    """Slack's `{"ok": false}`: the error's name, and what `response_metadata.messages` would say."""

    def __init__(self, error: str, *details: str, needed: str = "") -> None:
        """Keep the name and the details apart: callers branch on the first and print the second."""
        super().__init__(": ".join((error, *details)))
        self.error = error
        self.details = details
        self.needed = needed


@dataclass(frozen=True, slots=True)
class User:
    """A person as `users.info` describes them; a guest is restricted, a stranger is of another company."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    is_email_confirmed: bool = True
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    team_id: str = TEAM
    tz: str = "Europe/Berlin"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel; `members` None means that everybody of the workspace is in it."""

    id: str
    name: str
    archived: bool = False
    bot_in_channel: bool = True
    private: bool = False
    members: frozenset[str] | None = None

    def has(self, user_id: str) -> bool:
        """Tell whether a person is in the channel: ephemeral messages reach members only."""
        return self.members is None or user_id in self.members


@dataclass(frozen=True, slots=True)
class Message:
    """One version of a message; `only_for` names the one person who sees an ephemeral one."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: Blocks = ()
    metadata: Json | None = None
    thread_ts: str = ""
    broadcast: bool = False
    edited: str = ""
    only_for: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A modal in front of one person; `body` is what the app sent, with missing ids filled in."""

    id: str
    user: str
    body: Json
    hash: str
    previous: str = ""


class Workspace:
    """One Slack workspace with one app installed; every change raises `seq` and wakes those who wait."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Start with the app's bot as the only user and no channel; `clock` says seconds since 1970."""
        self.clock = clock
        self.team_id, self.team_domain = TEAM, "local"
        self.app_id, self.bot_id, self.bot_name = "A0LOCAL01", "B0LOCAL01", "Model Approvals"
        self.bot_user_id = "U0LOCALBOT"
        self.scopes = set(SCOPES)
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, View] = {}
        self.tickets = Tickets(self.now)
        self.seq = 0
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._versions: dict[tuple[str, str], list[Message]] = {}
        self._whispers: dict[str, Message] = {}
        self._last_ts = 0
        self._counter = itertools.count(1)
        self.add_user(User(self.bot_user_id, "model_approvals", self.bot_name, is_bot=True))

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

        `read` may look at the workspace only: a call to the Web API from inside would wait for itself.
        """
        with self._changed:
            if self._changed.wait_for(read, timeout):
                return read()
        raise TimeoutError(f"nothing in the workspace made it true within {timeout} s")

    # people and channels

    def add_user(self, user: User) -> User:
        """Let a person in, or replace the one with this id."""
        with self._change():
            self.users[user.id] = user
        return user

    def alter_user(self, user_id: str, **changes: Any) -> User:  # noqa: ANN401 - its fields
        """Change fields of a person, such as `deleted=True`, as an administrator would."""
        return self.add_user(replace(self.users[user_id], **changes))

    def add_channel(self, channel: Channel) -> Channel:
        """Create a channel, or replace the one with this id."""
        with self._change():
            self.channels[channel.id] = channel
        return channel

    def alter_channel(self, channel_id: str, **changes: Any) -> Channel:  # noqa: ANN401 - its fields
        """Change fields of a channel, such as `archived=True`."""
        return self.add_channel(replace(self.channels[channel_id], **changes))

    # messages

    def message(self, channel: str, ts: str) -> Message:
        """Give the newest version of a message, ephemeral ones too; `message_not_found` if there is none."""
        return self.versions(channel, ts)[-1]

    def versions(self, channel: str, ts: str) -> list[Message]:
        """Give all versions of a message, oldest first: a client that missed an update shows an old one."""
        with self.lock:
            whisper = self._whispers.get(ts)
            if whisper and whisper.channel == channel:
                return [whisper]
            if (channel, ts) not in self._versions:
                raise SlackError("message_not_found")
            return list(self._versions[channel, ts])

    def messages(self, channel: str) -> list[Message]:
        """Give the messages of a channel, oldest first; replies only where they were broadcast."""
        return [message for message in self._newest(channel) if not message.thread_ts or message.broadcast]

    def replies(self, channel: str, ts: str) -> list[Message]:
        """Give the thread below a message, oldest first, without the message itself."""
        return [message for message in self._newest(channel) if message.thread_ts == ts]

    def ephemerals(self, user: str, channel: str = "") -> list[Message]:
        """Give what only this person sees, oldest first, in one channel or in all."""
        with self.lock:
            whispers = sorted(self._whispers.values(), key=lambda whisper: whisper.ts)
        return [whisper for whisper in whispers if whisper.only_for == user and channel in {"", whisper.channel}]

    def _newest(self, channel: str) -> list[Message]:
        with self.lock:
            newest = [versions[-1] for key, versions in self._versions.items() if key[0] == channel]
        return sorted(newest, key=lambda message: message.ts)

    def post(self, message: Message) -> Message:
        """Show a message, ephemeral if `only_for` is set; it is given the next ts."""
        with self._change():
            posted = replace(message, ts=self._next_ts(), blocks=self._with_ids(message.blocks))
            if posted.only_for:
                self._whispers[posted.ts] = posted
            else:
                self._versions[posted.channel, posted.ts] = [posted]
        return posted

    def say(self, user: str, channel: str, text: str, *, thread_ts: str = "") -> Message:
        """Let a person write a message: the bot may reply to it, never update it."""
        return self.post(Message(channel, "", user, text, thread_ts=thread_ts))

    def change(self, message: Message) -> Message:
        """Replace the content of the message with this channel and ts; versions that were seen are kept."""
        with self._change():
            changed = replace(message, blocks=self._with_ids(message.blocks), edited=self._next_ts())
            if message.only_for:
                self._whispers[message.ts] = changed
            else:
                self._versions[message.channel, message.ts].append(changed)
        return changed

    def remove(self, message: Message) -> None:
        """Delete a message, as its author or an administrator may."""
        with self._change():
            self._whispers.pop(message.ts, None)
            self._versions.pop((message.channel, message.ts), None)

    # modals

    def modals(self, user: str) -> list[View]:
        """Give the modals in front of a person, the topmost last."""
        with self.lock:
            return [view for view in self.views.values() if view.user == user]

    def show_view(self, user: str, body: Mapping[str, Any], *, previous: str = "") -> View:
        """Open a modal in front of a person."""
        with self._change():
            view = self._fresh(View(f"V0LOCAL{next(self._counter):04}", user, {}, "", previous), body)
            self.views[view.id] = view
        return view

    def change_view(self, view: View, body: Mapping[str, Any]) -> View:
        """Replace what an open modal shows; its hash changes with it."""
        with self._change():
            changed = self._fresh(view, body)
            self.views[view.id] = changed
        return changed

    def close_view(self, view: View, *, everything: bool = False) -> None:
        """Close a modal, or all of this person's."""
        with self._change():
            for each in self.modals(view.user) if everything else [view]:
                self.views.pop(each.id, None)

    def _fresh(self, view: View, body: Mapping[str, Any]) -> View:
        filled = {**body, "blocks": self._with_ids(body["blocks"])}
        return replace(view, body=filled, hash=f"{int(self.clock())}.{next(self._counter):08x}")

    # ids

    def _next_ts(self) -> str:
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts / 1_000_000:.6f}"

    def _with_ids(self, blocks: Blocks) -> list[Json]:
        """Fill in `block_id` and `action_id` where the app gave none, as Slack does."""
        copies: list[Json] = json.loads(json.dumps(list(blocks)))
        for block in copies:
            block.setdefault("block_id", f"b{next(self._counter):04x}")
            for element in _interactive(block):
                element.setdefault("action_id", f"a{next(self._counter):04x}")
        return copies


def _interactive(block: Json) -> list[Json]:
    found = [block["accessory"]] if "accessory" in block else []
    if block["type"] == "actions":
        found += block["elements"]
    return found + ([block["element"]] if block["type"] == "input" else [])
