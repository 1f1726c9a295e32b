"""Cards in Teams channels: post, update, reply in the thread, and a private word."""

from collections.abc import Sequence

from bot.card import Card, Offer
from bot.domain import ChatUser, MessageRef
from bot.line import Line
from bot.members import Contact
from bot.teams import cards
from bot.teams.connector import Connector
from bot.teams.text import message, said


class TeamsChannel:
    """The port `Channel`; `pages` is where our web pages are: cards lead there."""

    repaints = True

    def __init__(self, connector: Connector, *, pages: str = "") -> None:
        self._connector = connector
        self._pages = pages

    def post(self, channel: str, card: Card, _first: MessageRef | None = None) -> MessageRef:
        """Post a card, each in a thread of its own; raise `Permanent`, a `Refused`, when it will never be taken."""
        return self._connector.post_root(channel, self._shown(card))

    def update(self, ref: MessageRef, card: Card) -> None:
        """Show the card as it is now, for everybody."""
        self._connector.update(ref.channel, ref.ts, {**self._shown(card), "id": ref.ts})

    def reply(self, ref: MessageRef, line: Line, _card: Card, offers: Sequence[Offer] = ()) -> None:
        """Add a line to the card's thread, which is a conversation of its own."""
        self._connector.reply(ref.channel, cards.message(cards.offering(line, offers)) if offers else message(line))

    def remind(self, ref: MessageRef, line: Line, _card: Card, people: Sequence[Contact]) -> None:
        """Add a line to the card's thread that mentions people, who are notified of it."""
        self._connector.reply(ref.channel, cards.message(cards.reminder(line, people)) if people else message(line))

    def tell(self, user: ChatUser, text: str) -> None:
        """Say something to one person in their own chat with the bot."""
        self._connector.private(user.channel or user.user, said(text, pages=self._pages))

    def _shown(self, card: Card) -> dict[str, object]:
        return cards.message(cards.drawn(card, pages=self._pages))
