"""The links that lead from cards, mails and the command line to our own pages."""

from datetime import timedelta
from urllib.parse import quote

from bot.domain import Act, ChatUser, ModelVersion, RequestId
from bot.ports import Clock
from bot.seals import ConfirmLink, LinkingLink, ReviewLink, Seals

REVIEW = timedelta(days=30)
"""Longer than a request waits; the link only names it."""
LINKING = timedelta(minutes=15)
CONFIRMING = timedelta(days=3)
"""An administrator may be away for a weekend."""


def page_of(pages: str, request: RequestId) -> str:
    """The page of a request; whoever opens it has to sign in."""
    return f"{pages}/requests/{request}"


def asking_page(pages: str, model: ModelVersion, environment: str) -> str:
    """The page on which a promotion is requested."""
    return f"{pages}/ask/{quote(model.group)}/{model.version}/{quote(environment)}"


def acting_page(pages: str, act: Act, request: RequestId) -> str:
    """The page on which an approval is taken back, or restored after a rejection by hand."""
    return f"{pages}/{act}/{request}"


class Links:
    """Makes the sealed ones; `pages` is where our pages are, such as `https://approvals.example.com`."""

    def __init__(self, pages: str, seals: Seals, clock: Clock) -> None:
        self.pages = pages.rstrip("/")
        self._seals = seals
        self._clock = clock

    def review(self, request: RequestId) -> str:
        """Where a request can be looked at and answered; raise `Unavailable`."""
        return f"{self.pages}/r?t={self._seals.close(ReviewLink(request, self._clock() + REVIEW))}"

    def linking(self, user: ChatUser, called: str, email: str, request: RequestId | None) -> str:
        """Where a chat account can be tied to a person, once."""
        now = self._clock()
        link = LinkingLink(user, called, email, now, now + LINKING, request)
        return f"{self.pages}/link?t={self._seals.close(link)}"

    def confirming(self, link: LinkingLink, oid: str, name: str) -> str:
        """Where an administrator confirms a link between different addresses."""
        return f"{self.pages}/confirm?t={self._seals.close(ConfirmLink(link, oid, name, self._clock() + CONFIRMING))}"
