"""What Slack hands out for a short while: trigger ids (one modal) and response URLs (five answers)."""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


class Expired(Exception):
    """The ticket is unknown, too old or used up; the message is Slack's name for it."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who caused it, where and from which message; `uses` counts down."""

    user: str
    issued_at: float
    uses: int
    channel: str = ""
    ts: str = ""


class Tickets:
    """Issues and redeems tickets by the workspace's clock, so that tests need not wait for them to expire."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take the clock, in seconds."""
        self._clock = clock
        self._numbers = itertools.count(1)
        self._triggers: dict[str, Ticket] = {}
        self._responses: dict[str, Ticket] = {}

    def trigger(self, user: str) -> str:
        """Issue a trigger id for something this person just did."""
        name = f"{next(self._numbers)}.{int(self._clock())}.{secrets.token_hex(16)}"
        self._triggers[name] = Ticket(user, self._clock(), uses=1)
        return name

    def exchange(self, trigger: str) -> Ticket:
        """Redeem a trigger id, once and within three seconds; Slack's error names otherwise."""
        ticket = self._triggers.get(trigger)
        if ticket is None:
            raise Expired("invalid_trigger_id")
        if self._clock() - ticket.issued_at > TRIGGER_SECONDS:
            raise Expired("expired_trigger_id")
        if not ticket.uses:
            raise Expired("exchanged_trigger_id")
        self._triggers[trigger] = replace(ticket, uses=0)
        return ticket

    def response_path(self, kind: str, user: str, channel: str, ts: str = "") -> str:
        """Issue the path of a response URL; `kind` is `actions` or `commands`."""
        path = f"/{kind}/{next(self._numbers)}/{secrets.token_urlsafe(18)}"
        self._responses[path] = Ticket(user, self._clock(), RESPONSE_USES, channel, ts)
        return path

    def respond(self, path: str) -> Ticket:
        """Redeem one use of a response URL, five times within thirty minutes."""
        ticket = self._responses.get(path)
        if ticket is None or self._clock() - ticket.issued_at > RESPONSE_SECONDS:
            raise Expired("expired_url")
        if not ticket.uses:
            raise Expired("used_url")
        self._responses[path] = replace(ticket, uses=ticket.uses - 1)
        return ticket
