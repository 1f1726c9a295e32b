"""A chat account is tied to whoever has signed in: looked at, tied, and confirmed by an administrator where needed."""

from collections.abc import Callable

from bot.errors import LinkExpired
from bot.people import Binding
from bot.seals import ConfirmLink, LinkingLink
from bot.web.forms import Submitted
from bot.web.ground import Site
from bot.web.overview import request_page
from bot.web.pages import draw, tell
from bot.web.reply import Reply, redirect
from bot.web.session import Caller


def show(site: Site, caller: Caller) -> Reply:
    """Name the account and the person before anything is tied."""
    link = _link(site, caller)
    person = site.linking.look(link, caller.user).person
    values = {"link": link, "person": person.name, "bind": caller.form("link")}
    return draw(site, "link.html", caller, values, title="Link this chat account to you?")


def bind(site: Site, caller: Caller, _form: Submitted) -> Reply:
    """Tie the account, and lead on to the request that it was about to answer."""
    link = _link(site, caller)
    _once(site, link, caller.user.oid, lambda: site.linking.bind(link, caller.user))
    return redirect(site.root + (f"{request_page(link.request)}?linked=1" if link.request else "/linked"))


def linked(site: Site, caller: Caller) -> Reply:
    """Say that it is done."""
    says = "Your chat account is linked. Press the button in the chat once more: from now on one click is enough."
    return tell(site, caller, says, title="Your account is linked")


def show_confirming(site: Site, caller: Caller) -> Reply:
    """Tell an administrator whom they would vouch for."""
    asked = _asked(site, caller)
    administrator = site.linking.look_over(asked, caller.user).person
    values = {"asked": asked, "link": asked.link, "person": administrator.name, "confirm": caller.form("confirm")}
    return draw(site, "confirm.html", caller, values, title="Confirm this link?")


def confirm(site: Site, caller: Caller, _form: Submitted) -> Reply:
    """Tie the account to the person who asked, on an administrator's word."""
    asked = _asked(site, caller)
    _once(site, asked.link, asked.oid, lambda: site.linking.confirm(asked, caller.user))
    return redirect(f"{site.root}/confirmed")


def confirmed(site: Site, caller: Caller) -> Reply:
    """Say that it is done."""
    says = "The account is linked. Tell the person that they can answer now."
    return tell(site, caller, says, title="The link is confirmed")


def _once(site: Site, link: LinkingLink, oid: str, tie: Callable[[], Binding]) -> None:
    """Tie an account; the same form sent twice finds its own work done."""
    try:
        tie()
    except LinkExpired:
        known = site.linking.people.binding(link.user)
        if known is None or known.oid != oid:
            raise


def _link(site: Site, caller: Caller) -> LinkingLink:
    return site.seals.open(LinkingLink, caller.visit.query.get("t", ""))


def _asked(site: Site, caller: Caller) -> ConfirmLink:
    return site.seals.open(ConfirmLink, caller.visit.query.get("t", ""))
