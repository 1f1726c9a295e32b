"""What is done with an approval that stands: it is revoked, or restored after a rejection by hand.

Each has a page with what follows from it and a form for the reason, and a page that says what became of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot.desk import Stage, Taking
from bot.domain import Act, RequestId
from bot.errors import ReasonMissing, Refused
from bot.web.answering import LONGEST, TOO_LONG
from bot.web.forms import Submitted, outcome_of, read_outcome
from bot.web.ground import Site
from bot.web.outcomes import TITLES, wait
from bot.web.overview import act_page, page_of, request_page
from bot.web.pages import draw, tell
from bot.web.reply import Reply, redirect
from bot.web.session import Caller


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says of an act, before and after the names."""

    verb: str
    why: str
    named: str
    yours: str


WORDS: Mapping[Act, Words] = MappingProxyType(
    {
        Act.REVOKE: Words("Revoke", "Why it is taken back", "who revoked it", "Your revoke"),
        Act.RESTORE: Words("Restore", "Why it shall stand again", "who restored it", "Your restore"),
    }
)


def show(site: Site, caller: Caller) -> Reply:
    """Say what will happen, and give the form."""
    return _page(site, caller)


def take(site: Site, caller: Caller, form: Submitted) -> Reply:
    """Hand it in; a form that was sent twice is one entry."""
    act, request = _asked(caller)
    typed = form.fields.get("reason", "").replace("\r\n", "\n")
    if len(typed) > LONGEST:
        return _page(site, caller, typed=typed, mistake=TOO_LONG)
    try:
        site.desk.take(act, request, caller.user, nonce=form.nonce, reason=typed)
    except ReasonMissing as missing:
        return _page(site, caller, typed=typed, mistake=str(missing))
    except Refused:
        found = site.desk.taken(act, request, caller.user, nonce=form.nonce, since=site.clock())
        if found.stage is not Stage.RECORDED:
            raise
    return redirect(site.root + outcome_of(caller.visit.path, form.nonce, site.clock()))


def outcome(site: Site, caller: Caller) -> Reply:
    """Say what became of it; look again by itself while nobody knows."""
    (act, request), (nonce, since) = _asked(caller), read_outcome(caller.visit.query)
    found = site.desk.taken(act, request, caller.user, nonce=nonce, since=since)
    page, yours = request_page(request), WORDS[act].yours
    if found.stage is Stage.WAITING:
        return wait(site, caller, found, what=yours, since=since, page=page)
    way = (page, f"The request of {request.model} for {request.environment}")
    return tell(site, caller, found.text, title=f"{yours} {TITLES[found.stage]}", way=way)


def _page(site: Site, caller: Caller, *, typed: str = "", mistake: str = "") -> Reply:
    act, request = _asked(caller)
    taking, words = site.desk.taking(act, request, caller.user), WORDS[act]
    values = {
        "words": words,
        "request": request,
        "model": str(request.model),
        "model_page": page_of(request.model),
        "follows": _revoked(taking) if act is Act.REVOKE else _restored(taking),
        "stands": [(act_page(act, each), each.environment) for each in taking.stands] if act is Act.REVOKE else [],
        "person": taking.person.name,
        "form": caller.form(str(act)),
        "danger": act is Act.REVOKE,
        "typed": typed,
        "mistake": mistake,
        "longest": LONGEST,
    }
    title = f"{words.verb} {request.model} for {request.environment}?"
    return draw(site, "act.html", caller, values, title=title, status=422 if mistake else 200)


def _revoked(taking: Taking) -> list[str]:
    """What will be so afterwards, in sentences."""
    name = taking.request.environment
    if taking.uses:
        loads = f"{name} then loads the newest other approval that stands, or nothing; the thread says which."
    else:
        loads = f"{name} does not load this version now, and goes on with what it loads."
    ends = f"The request for {', '.join(taking.ends)} ends." if taking.ends else ""
    return [each for each in (loads, ends) if each]


def _restored(taking: Taking) -> list[str]:
    """The registry follows; what is loaded goes on."""
    return [
        f"Somebody rejected {taking.request.model} in the registry by hand. That is taken back.",
        "The registry says Approved again, and what was approved here stands as before.",
    ]


def _asked(caller: Caller) -> tuple[Act, RequestId]:
    return Act(caller.words["act"]), RequestId.parse(caller.words["request"])
