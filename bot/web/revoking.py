"""An approval is taken back: the page with what follows from it, the revoke, and what became of it."""

from bot.desk import Stage, Taking
from bot.domain import RequestId
from bot.errors import ReasonMissing, Refused
from bot.web.answering import LONGEST, TOO_LONG
from bot.web.forms import Submitted, outcome_of, read_outcome
from bot.web.ground import Site
from bot.web.outcomes import TITLES, wait
from bot.web.overview import page_of, request_page, revoke_page
from bot.web.pages import draw, tell
from bot.web.reply import Reply, redirect
from bot.web.session import Caller


def show(site: Site, caller: Caller) -> Reply:
    """Say what will happen, and give the form."""
    return _page(site, caller)


def revoke(site: Site, caller: Caller, form: Submitted) -> Reply:
    """Hand the revoke in; a form that was sent twice is one revoke."""
    request, typed = _request(caller), form.fields.get("reason", "").replace("\r\n", "\n")
    if len(typed) > LONGEST:
        return _page(site, caller, typed=typed, mistake=TOO_LONG)
    try:
        site.desk.revoke(request, caller.user, nonce=form.nonce, reason=typed)
    except ReasonMissing as missing:
        return _page(site, caller, typed=typed, mistake=str(missing))
    except Refused:
        found = site.desk.revoked(request, caller.user, nonce=form.nonce, since=site.clock())
        if found.stage is not Stage.RECORDED:
            raise
    return redirect(site.root + outcome_of(caller.visit.path, form.nonce, site.clock()))


def outcome(site: Site, caller: Caller) -> Reply:
    """Say what became of a revoke; look again by itself while nobody knows."""
    request, (nonce, since) = _request(caller), read_outcome(caller.visit.query)
    found = site.desk.revoked(request, caller.user, nonce=nonce, since=since)
    page = request_page(request)
    if found.stage is Stage.WAITING:
        return wait(site, caller, found, what="Your revoke", since=since, page=page)
    way = (page, f"The request of {request.model} for {request.environment}")
    return tell(site, caller, found.text, title=f"Your revoke {TITLES[found.stage]}", way=way)


def _page(site: Site, caller: Caller, *, typed: str = "", mistake: str = "") -> Reply:
    taking = site.desk.taking(_request(caller), caller.user)
    request = taking.request
    values = {
        "request": request,
        "model": str(request.model),
        "model_page": page_of(request.model),
        "follows": _follows(taking),
        "stands": [(revoke_page(each), each.environment) for each in taking.stands],
        "person": taking.person.name,
        "revoke": caller.form("revoke"),
        "typed": typed,
        "mistake": mistake,
        "longest": LONGEST,
    }
    title = f"Revoke {request.model} for {request.environment}?"
    return draw(site, "revoke.html", caller, values, title=title, status=422 if mistake else 200)


def _follows(taking: Taking) -> list[str]:
    """What will be so afterwards, in sentences."""
    name = taking.request.environment
    if taking.uses:
        loads = f"{name} then loads the newest other approval that stands, or nothing; the thread says which."
    else:
        loads = f"{name} does not load this version now, and goes on with what it loads."
    ends = f"The request for {', '.join(taking.ends)} ends." if taking.ends else ""
    return [each for each in (loads, ends) if each]


def _request(caller: Caller) -> RequestId:
    return RequestId.parse(caller.words["request"])
