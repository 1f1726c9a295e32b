"""The door of the pages: where each is, and what every request passes before it.

A page is for whoever has signed in; who has not is sent to the sign-in first, so that nothing is told to strangers,
and links are opened by people alone. A form has to come from our own page, made for this person.
"""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from bot.domain import ENVIRONMENT, GROUP, Act
from bot.errors import Refused, Unavailable
from bot.inbound import method_of
from bot.web import accounts, acting, answering, asking, forms, models, pages, session
from bot.web.forms import Submitted
from bot.web.ground import Site
from bot.web.refusals import refuse
from bot.web.reply import Reply, redirect
from bot.web.session import FLOW, TICKET, Caller
from bot.web.visit import Unacceptable, Visit, read_visit

Json = dict[str, Any]
Open = Callable[[Site, Visit], Reply]
Page = Callable[[Site, Caller], Reply]
Deed = Callable[[Site, Caller, Submitted], Reply]
T = TypeVar("T")
Table = Sequence[tuple[re.Pattern[str], T]]

__all__ = ["Site", "dispatch"]

log = logging.getLogger(__name__)

NOWHERE = "There is no such page. Look at the link once more, or begin with all requests."
FOREIGN = "This form was not sent from our own page, so nothing was recorded."
OVER = "Your sign-in has ended, so nothing was recorded. Open the page again, sign in, and answer there."
OTHERS = "This form was made for another page or another sign-in, so nothing was recorded. Open the page again."


def dispatch(site: Site, event: Mapping[str, Any]) -> Json:
    """Answer an API Gateway HTTP API event (payload format 2.0)."""
    try:
        visit = read_visit(event, root=site.root)
        reply = _answer(site, visit)
    except Unacceptable as trouble:
        log.info("a request was refused with %d: %s", trouble.status, trouble)
        title, status, headers = "This does not work", trouble.status, trouble.headers
        reply = pages.tell(site, None, str(trouble), title=title, status=status, headers=headers)
    return (replace(reply, body="") if method_of(event) == "HEAD" else reply).event()


def _answer(site: Site, visit: Visit) -> Reply:
    """Do what may be done at this path in this way."""
    ways = _ways(site, visit)
    if not ways:
        raise Unacceptable(404, NOWHERE)
    if visit.method not in ways:
        raise Unacceptable(405, NOWHERE, headers={"allow": ", ".join(ways)})
    try:
        return ways[visit.method]()
    except (Refused, Unavailable) as trouble:
        return refuse(site, trouble, visit)


def _ways(site: Site, visit: Visit) -> Mapping[str, Callable[[], Reply]]:
    """What may be done at a path, by method; HEAD, which scanners of links send, does nothing at all."""
    page, act, ways = _find(_PAGES, visit.path), _find(_ACTS, visit.path), {}
    if page:
        ways["GET"] = partial(_get, site, visit, *page)
    elif visit.path in _OPEN:
        ways["GET"] = partial(_OPEN[visit.path], site, visit)
    if ways:
        ways["HEAD"] = partial(Reply, 200)
    if act:
        ways["POST"] = partial(_post, site, visit, *act, back=page is not None)
    return ways


def _get(site: Site, visit: Visit, page: Page, words: Mapping[str, str]) -> Reply:
    """The page, or what this person is told instead; who has not signed in does that first."""
    caller = session.caller(site, visit, words)
    if caller is None:
        return session.begin(site, visit)
    try:
        return page(site, caller)
    except (Refused, Unavailable) as trouble:
        return refuse(site, trouble, visit, caller)


def _post(site: Site, visit: Visit, act: Deed, words: Mapping[str, str], *, back: bool) -> Reply:
    """Let a form pass that this person got on this page; give back what was written on any other."""
    _same_origin(site, visit)
    fields = visit.fields()
    caller, quote = session.caller(site, visit, words), fields.get("reason", "")
    form = forms.submitted(caller.ticket.secret, visit.about, fields) if caller else None
    if caller is None or form is None:
        return _unsent(site, visit, caller, back=back, quote=quote)
    try:
        return act(site, caller, form)
    except (Refused, Unavailable) as trouble:
        return refuse(site, trouble, visit, caller, quote=quote)


def _unsent(site: Site, visit: Visit, caller: Caller | None, *, back: bool, quote: str) -> Reply:
    """Say that a form had no effect, and why."""
    log.warning("a form was refused: %s", "made for another page or sign-in" if caller else "nobody is signed in")
    title, says = ("Nothing was recorded", OTHERS) if caller else ("Your sign-in has ended", OVER)
    way = (visit.about, "Open the page again") if back else ("/", "All requests")
    return pages.tell(site, caller, says, title=title, status=403, way=way, quote=quote)


def _find(table: Table[T], path: str) -> tuple[T, Mapping[str, str]] | None:
    """What is at a path, and what the path names."""
    found = ((pattern.fullmatch(path), each) for pattern, each in table)
    return next(((each, match.groupdict()) for match, each in found if match), None)


def _same_origin(site: Site, visit: Visit) -> None:
    """Only our own pages send forms: every browser says where a form comes from."""
    fetched = visit.headers.get("sec-fetch-site", "same-origin")
    if visit.headers.get("origin", "").lower() != site.origin or fetched != "same-origin":
        raise Unacceptable(403, FOREIGN)


def _signed_in(site: Site, visit: Visit) -> Reply:
    """Finish a sign-in; one that failed is over."""
    try:
        return session.finish(site, visit)
    except Refused as refusal:
        page = refuse(site, refusal, visit)
        return Reply(page.status, page.body, page.headers, (session.forgotten(FLOW),))


def _sign_out(site: Site, _caller: Caller, _form: Submitted) -> Reply:
    return redirect(f"{site.root}/signed-out", cookies=(session.forgotten(TICKET),))


def _signed_out(site: Site, _visit: Visit) -> Reply:
    says = "You have signed out here. Your sign-in at the company goes on: close the browser where others use it too."
    return pages.tell(site, None, says, title="You have signed out", way=("/", "Sign in again"))


_NUMBER = "[1-9][0-9]{0,8}"
_GROUP = f"/models/(?P<group>{GROUP.pattern})"
_ID = f"(?P<request>{GROUP.pattern}/{_NUMBER}/{ENVIRONMENT.pattern}/{_NUMBER})"
_REQUEST, _ACT = f"/requests/{_ID}", f"/(?P<act>{'|'.join(Act)})/{_ID}"
_ASK = f"/ask/(?P<group>{GROUP.pattern})/(?P<version>{_NUMBER})/(?P<environment>{ENVIRONMENT.pattern})"
_OPEN: Mapping[str, Open] = {"/style.css": pages.style, "/signed-in": _signed_in, "/signed-out": _signed_out}
_PAGES: Table[Page] = (
    (re.compile("/"), models.home),
    (re.compile("/r"), answering.open_link),
    (re.compile(_REQUEST), answering.show),
    (re.compile(f"{_REQUEST}/outcome"), answering.outcome),
    (re.compile(_ACT), acting.show),
    (re.compile(f"{_ACT}/outcome"), acting.outcome),
    (re.compile(_GROUP), models.group),
    (re.compile(f"{_GROUP}/(?P<version>{_NUMBER})"), models.version),
    (re.compile(_ASK), asking.show),
    (re.compile(f"{_ASK}/outcome"), asking.outcome),
    (re.compile("/link"), accounts.show),
    (re.compile("/linked"), accounts.linked),
    (re.compile("/confirm"), accounts.show_confirming),
    (re.compile("/confirmed"), accounts.confirmed),
)
_ACTS: Table[Deed] = (
    (re.compile(_REQUEST), answering.answer),
    (re.compile(_ACT), acting.take),
    (re.compile(_ASK), asking.ask),
    (re.compile("/link"), accounts.bind),
    (re.compile("/confirm"), accounts.confirm),
    (re.compile("/sign-out"), _sign_out),
)
