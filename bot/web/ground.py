"""What the pages are made of: the use-cases, and how people sign in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from bot.desk import Desk
from bot.linking import Linking
from bot.ports import Clock
from bot.seals import Seals


class SignedIn(Protocol):
    """Who has signed in: the object id is the identity, the name is for display."""

    @property
    def oid(self) -> str:
        """The person's object id in the directory."""
        ...

    @property
    def name(self) -> str:
        """What they are called."""
        ...


class SignIn(Protocol):
    """The way to the company's sign-in and back."""

    def start(self) -> tuple[str, str]:
        """Where to send the browser, and what to remember until it comes back; raise `Unavailable`."""
        ...

    def finish(self, flow: str, query: Mapping[str, str]) -> SignedIn:
        """Say who came back; raise `BrokenLink`, `NotIdentified` or `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a page may need; `pages` is where the pages are, such as `https://approvals.example.com`."""

    desk: Desk
    linking: Linking
    seals: Seals
    sign_in: SignIn
    pages: str
    tenant: str
    clock: Clock

    @property
    def root(self) -> str:
        """The path below which the pages are; mostly nothing."""
        return urlsplit(self.pages).path.rstrip("/")

    @property
    def origin(self) -> str:
        """What browsers say of forms that were sent from our own pages."""
        parts = urlsplit(self.pages)
        return f"{parts.scheme}://{parts.netloc}".lower()
