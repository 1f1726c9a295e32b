"""What travels through a browser or a mail and comes back: sealed, for one purpose, for a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol, TypeVar

from bot.codec import from_json, to_json
from bot.domain import ChatUser, RequestId
from bot.encoding import decode, encode
from bot.errors import BrokenLink, LinkExpired, Malformed
from bot.ports import Clock, Sealer

BROKEN = "This link is broken or was made for something else. Open the newest mail or card and use its link again."
EXPIRED = "This link is too old. Open the newest mail or card and use its link."


class Sealable(Protocol):
    """A value that can be sealed: its kind's purpose is part of the lock."""

    purpose: ClassVar[str]

    @property
    def until(self) -> datetime:
        """When it stops to be good."""
        ...


Value = TypeVar("Value", bound=Sealable)


@dataclass(frozen=True, slots=True)
class ReviewLink:
    """Names a request, for whoever opens the link: it gives no right to anything."""

    purpose: ClassVar[str] = "link"
    request: RequestId
    until: datetime


@dataclass(frozen=True, slots=True)
class LinkingLink:
    """A chat account that asks to be tied to a person: who it is there, and the address its chat has confirmed."""

    purpose: ClassVar[str] = "linking"
    user: ChatUser
    called: str
    email: str
    asked_at: datetime
    until: datetime
    request: RequestId | None = None


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """A link that an administrator has to confirm, because the addresses differ: the account, and who claims it."""

    purpose: ClassVar[str] = "confirm"
    link: LinkingLink
    oid: str
    name: str
    until: datetime


class Seals:
    """Typed values through a `Sealer`."""

    def __init__(self, sealer: Sealer, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def close(self, value: Sealable) -> str:
        """Seal a value for its kind's purpose; raise `Unavailable`."""
        return self._sealer.seal(value.purpose, encode(to_json(value)))

    def open(self, kind: type[Value], sealed: str) -> Value:
        """Read a value of this kind; raise `BrokenLink`, `LinkExpired` or `Unavailable`."""
        text = self._sealer.unseal(kind.purpose, sealed)
        try:
            value = from_json(kind, decode(text))
        except Malformed as problem:
            raise BrokenLink(BROKEN) from problem
        if self._clock() >= value.until:
            raise LinkExpired(EXPIRED)
        return value
