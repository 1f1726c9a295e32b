"""Cards in Slack channels: post, update, reply in the thread, and a private word."""

import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from bot.card import Card, Offer, addressed
from bot.domain import ChatUser, MessageRef
from bot.line import Line, Mention
from bot.members import Contact
from bot.slack import blocks
from bot.slack.api import Permanent, SlackApi
from bot.slack.whispers import told

Json = dict[str, Any]

log = logging.getLogger(__name__)

NO_TABLE = frozenset({"invalid_attachments", "invalid_blocks", "invalid_blocks_format"})
QUIET: Json = {"unfurl_links": False, "unfurl_media": False}
METADATA = "model_approval_card"
"""Letters, digits, `_` and `-` only: Slack drops an event type with a dot in it."""


class Pacer:
    """Spaces the posts of this process: Slack takes one message per second and channel.

    https://docs.slack.dev/apis/web-api/rate-limits; Slack's Retry-After paces what other processes post.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        *,
        seconds: float = 1.0,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._seconds = seconds
        self._free: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, channel: str) -> None:
        """Take the channel's next turn, and sleep until it has come."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._free.get(channel, now))
            self._free[channel] = turn + self._seconds
        if turn > now:
            self._sleep(turn - now)


class SlackChannel:
    """The port `Channel`; `team` is our workspace, `pages` where our web pages are: only their links work."""

    repaints = True

    def __init__(self, api: SlackApi, *, team: str, pages: str = "", pacer: Pacer | None = None) -> None:
        self._api = api
        self._team = team
        self._pages = pages
        self._pacer = pacer or Pacer()

    def post(self, channel: str, card: Card, _first: MessageRef | None = None) -> MessageRef:
        """Post a card, each in a thread of its own; raise `Permanent`, a `Refused`, when it will never be taken."""
        self._pacer.wait(channel)
        payload = {"request": str(card.request)}
        metadata = {"event_type": METADATA, "event_payload": payload}
        posted = self._show("chat.postMessage", card, {"channel": channel, "metadata": metadata, **QUIET})
        return MessageRef(posted["channel"], posted["ts"])

    def update(self, ref: MessageRef, card: Card) -> None:
        """Show the card as it is now; its metadata stays."""
        self._show("chat.update", card, {"channel": ref.channel, "ts": ref.ts})

    def reply(self, ref: MessageRef, line: Line, _card: Card, offers: Sequence[Offer] = ()) -> None:
        """Add a line to the card's thread, unpaced: it answers somebody who has just acted."""
        shown = blocks.reply(line, team=self._team, offers=offers)
        self._api.call("chat.postMessage", {"channel": ref.channel, "thread_ts": ref.ts, **shown, **QUIET})

    def remind(self, ref: MessageRef, line: Line, card: Card, people: Sequence[Contact]) -> None:
        """Add a line to the card's thread that mentions people: who is mentioned is notified, and nobody else."""
        self.reply(ref, addressed(people, line, self._mention), card)

    def tell(self, user: ChatUser, text: str) -> None:
        """Whisper to one person where they acted, or through the address that their command came with.

        Raise `Permanent` when they cannot be reached there.
        """
        if "://" in user.channel:
            self._api.respond(user.channel, {"response_type": "ephemeral", **told(text, pages=self._pages)})
            return
        if not user.channel:
            log.warning("nothing told to %s: no channel is known", user.user)
            return
        whisper = {"channel": user.channel, "user": user.user, **told(text, pages=self._pages)}
        self._api.call("chat.postEphemeral", whisper)

    def _mention(self, contact: Contact) -> Mention:
        """Find the account that has the address; whoever has none is named."""
        try:
            user = self._api.call("users.lookupByEmail", {"email": contact.address})["user"] if contact.address else {}
        except Permanent as refused:
            log.info("%s is not in Slack under the address of the directory: %s", contact.person.oid, refused)
            user = {}
        known = ChatUser("slack", str(user.get("team_id")), str(user.get("id"))) if user else None
        return Mention(contact.person.name, known)

    def _show(self, method: str, card: Card, about: Json) -> Json:
        """Send a card; a table that Slack does not take is sent again as aligned text."""
        shown = blocks.message(card, team=self._team, pages=self._pages)
        try:
            return self._api.call(method, {**about, **shown})
        except Permanent as refused:
            if refused.error not in NO_TABLE or not card.table:
                raise
            log.error("Slack takes no table on the card of %s, sent as text: %s", card.request, refused)
        return self._api.call(method, {**about, **blocks.without_table(shown)})
