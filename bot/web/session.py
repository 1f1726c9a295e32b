"""Who has signed in: two sealed cookies, one for the way to the sign-in and back, one for the half hour after it.

`SameSite=Lax`, because the browser comes back from another site: a stricter cookie would be withheld then.
"""

import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import ChatUser
from bot.errors import BrokenLink
from bot.seals import BROKEN, Seals
from bot.web import forms
from bot.web.forms import Form
from bot.web.ground import Site
from bot.web.reply import Reply, redirect
from bot.web.visit import Visit

log = logging.getLogger(__name__)

FLOW, TICKET = "__Host-flow", "__Host-ticket"
FLOW_LASTS, TICKET_LASTS = timedelta(minutes=10), timedelta(minutes=30)
LARGEST = 4096
"""Bytes of a cookie that every browser keeps (https://httpwg.org/specs/rfc6265.html#limits)."""
NAME = 60
"""Characters of a name that travel; the pages of the use-cases say it in full."""
STALE = (
    "This sign-in cannot be finished: it was begun in another browser or another tab, took longer than ten minutes, or "
    "was finished already. Nothing was recorded. Open the link of your mail or card once more."
)
_LOCAL = re.compile(r"/(?![/\\])[!-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in on its way: what has to be remembered for it, and where the person wanted to go."""

    purpose: ClassVar[str] = "flow"
    flow: str
    target: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """Somebody who has signed in; the secret makes their forms theirs."""

    purpose: ClassVar[str] = "ticket"
    oid: str
    name: str
    secret: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """Who has opened a page or sent a form, where, and what the path names."""

    visit: Visit
    ticket: Ticket
    user: ChatUser
    words: Mapping[str, str]

    def form(self, action: str, about: str = "") -> Form:
        """A form that this person alone can send; about the page they see, unless another is named."""
        return forms.make(self.ticket.secret, action, about or self.visit.about)


def begin(site: Site, visit: Visit) -> Reply:
    """Send the browser to the sign-in; it says nothing about where that will lead."""
    url, flow = site.sign_in.start()
    sealed = site.seals.close(Flow(flow, visit.target, site.clock() + FLOW_LASTS))
    return redirect(url, cookies=(cookie(FLOW, sealed, FLOW_LASTS),))


def finish(site: Site, visit: Visit) -> Reply:
    """Make a ticket of a sign-in that came back, and lead on to where the person wanted to go."""
    flow = _read_flow(site.seals, visit)
    try:
        person = site.sign_in.finish(flow.flow, visit.query)
    except BrokenLink as why:
        log.warning("a sign-in was not finished: %s", why)
        raise BrokenLink(STALE) from why
    ticket = Ticket(person.oid, person.name[:NAME], secrets.token_urlsafe(32), site.clock() + TICKET_LASTS)
    cookies = (cookie(TICKET, site.seals.close(ticket), TICKET_LASTS), forgotten(FLOW))
    return redirect(site.root + (flow.target if _LOCAL.fullmatch(flow.target) else "/"), cookies=cookies)


def caller(site: Site, visit: Visit, words: Mapping[str, str]) -> Caller | None:
    """Who this is, by a good ticket; raise `Unavailable`."""
    sealed = visit.cookies.get(TICKET, "")
    if not sealed:
        return None
    try:
        ticket = site.seals.open(Ticket, sealed)
    except BrokenLink:
        return None
    return Caller(visit, ticket, ChatUser("web", site.tenant, ticket.oid, oid=ticket.oid), words)


def cookie(name: str, value: str, lasts: timedelta) -> str:
    """A cookie for our pages alone; raise `BrokenLink` for one that browsers would drop."""
    whole = f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={int(lasts.total_seconds())}"
    if len(whole) >= LARGEST:
        raise BrokenLink(BROKEN)
    return whole


def forgotten(name: str) -> str:
    """What makes a browser drop a cookie."""
    return cookie(name, "", timedelta())


def _read_flow(seals: Seals, visit: Visit) -> Flow:
    sealed = visit.cookies.get(FLOW, "")
    if not sealed:
        raise BrokenLink(STALE)
    try:
        return seals.open(Flow, sealed)
    except BrokenLink as why:
        raise BrokenLink(STALE) from why
