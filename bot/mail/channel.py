"""Mails as a channel: a request is one mail, its end another in the same thread."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from bot.card import Card, Offer
from bot.domain import ChatUser, MessageRef
from bot.line import Line
from bot.links import Links, page_of
from bot.mail.message import Envelope, outcome_mail, reminder_mail, request_mail, written
from bot.members import Contact
from bot.policy import EMAIL
from bot.ports import Clock

MOST = 50
"""Recipients of one mail (SES)."""

log = logging.getLogger(__name__)


class Outbox(Protocol):
    """Whoever carries mails away."""

    def send(self, message: bytes, to: Sequence[str]) -> str:
        """Hand over a whole MIME message; give the Message-ID it will arrive with, without angle brackets.

        Raise `Refused` when it will never be carried, `Unavailable` when it may be later.
        """
        ...


def _now() -> datetime:
    return datetime.now(UTC)


class MailChannel:
    """The port `Channel`. A channel's name is its addresses with commas between, as the policy gives them."""

    repaints = False

    def __init__(self, outbox: Outbox, sender: str, links: Links, *, clock: Clock = _now) -> None:
        self._outbox = outbox
        self._sender = sender
        self._links = links
        self._clock = clock

    def post(self, channel: str, card: Card, first: MessageRef | None = None) -> MessageRef:
        """Send the mail that asks, in the thread of the version's first one."""
        envelope = self._envelope(channel, first)
        mail = request_mail(card, self._links.review(card.request), envelope)
        return MessageRef(channel, self._outbox.send(written(mail), envelope.to))

    def update(self, ref: MessageRef, card: Card) -> None:
        """Do nothing: what lies in a mailbox cannot be shown anew, so nobody calls this; `reply` tells the end."""

    def reply(self, ref: MessageRef, line: Line, card: Card, _offers: Sequence[Offer] = ()) -> None:
        """Send the mail that tells how the request ended, to those who were asked; what can be done is on its page."""
        envelope = self._envelope(ref.channel, ref)
        mail = outcome_mail(card, line, page_of(self._links.pages, card.request), envelope)
        self._outbox.send(written(mail), envelope.to)

    def remind(self, ref: MessageRef, line: Line, card: Card, people: Sequence[Contact]) -> None:
        """Send the mail that asks once more, to the people themselves; without any, to those who were asked."""
        own = [each.address for each in people if EMAIL.fullmatch(each.address)]
        envelope = self._envelope(", ".join(own[:MOST]) or ref.channel, ref)
        mail = reminder_mail(card, line, self._links.review(card.request), envelope)
        self._outbox.send(written(mail), envelope.to)

    def tell(self, user: ChatUser, text: str) -> None:  # noqa: ARG002 - the text is for nobody's ears
        """Only note it: nobody writes to us by mail, so there is nobody to whom a private word would go."""
        log.warning("nothing told to %s of %s: mail has no private words", user.user, user.surface)

    def _envelope(self, channel: str, after: MessageRef | None) -> Envelope:
        to = tuple(each.strip() for each in channel.split(","))
        return Envelope(self._sender, to, self._clock(), (after.ts,) if after else ())
