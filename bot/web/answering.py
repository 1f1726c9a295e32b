"""A request: looked at, answered, and what became of the answer."""

from collections.abc import Iterator

from bot.desk import Review, Stage
from bot.domain import Act, Answer, RequestId, State
from bot.entries import Superseded
from bot.errors import Expired, NotAnApprover, ReasonMissing, Refused
from bot.seals import ReviewLink
from bot.web.charts import charts
from bot.web.forms import Submitted, outcome_of, read_outcome
from bot.web.ground import Site
from bot.web.outcomes import TITLES, wait
from bot.web.overview import act_page, ask_page, request_page
from bot.web.pages import draw
from bot.web.refusals import status_of
from bot.web.reply import Reply, redirect
from bot.web.session import Caller
from bot.web.story import story_of

LONGEST = 2000
"""Characters of a reason."""
TOO_LONG = f"This reason is too long, so nothing was recorded. Please say it in {LONGEST} characters."


def open_link(site: Site, caller: Caller) -> Reply:
    """Lead from the link of a mail or a chat to the request that it names; it gives no right to anything."""
    link = site.seals.open(ReviewLink, caller.visit.query.get("t", ""))
    return redirect(site.root + request_page(link.request))


def show(site: Site, caller: Caller) -> Reply:
    """Show a request, with what this person may do about it."""
    return _page(site, caller)


def answer(site: Site, caller: Caller, form: Submitted) -> Reply:
    """Hand an answer in, and lead on to what becomes of it."""
    given = Answer(form.action)
    typed = form.fields.get("reason", "").replace("\r\n", "\n") if given is Answer.REJECT else ""
    if len(typed) > LONGEST:
        return _page(site, caller, status=422, typed=typed, mistake=TOO_LONG)
    try:
        site.desk.answer(_request(caller), given, caller.user, nonce=form.nonce, reason=typed)
    except ReasonMissing as missing:
        return _page(site, caller, status=422, typed=typed, mistake=str(missing))
    except Refused as refusal:
        return _refused(site, caller, form, refusal)
    return _sent(site, caller, form)


def outcome(site: Site, caller: Caller) -> Reply:
    """Say what became of an answer; look again by itself while nobody knows."""
    request, (nonce, since) = _request(caller), read_outcome(caller.visit.query)
    found = site.desk.outcome(request, caller.user, nonce=nonce, since=since)
    page = request_page(request)
    if found.stage is Stage.WAITING:
        return wait(site, caller, found, what="Your answer", since=since, page=page)
    review = site.desk.review(request, caller.user)
    values = {"good": found.stage is Stage.RECORDED, "says": found.text, "card": review.card, "page": page}
    title = f"Your answer {TITLES[found.stage]}"
    return draw(site, "outcome.html", caller, {**values, **story_of(review.state)}, title=title)


def _page(
    site: Site, caller: Caller, *, status: int = 200, typed: str = "", mistake: str = "", refusal: Refused | None = None
) -> Reply:
    """The request as it is now: the same card as everywhere, and the two forms or why there are none."""
    review = site.desk.review(_request(caller), caller.user)
    why, one = refusal or review.refusal, review.one.id
    trends = site.desk.trends(one.group, one.environment, review.status, state=review.state)
    values = {
        "card": review.card,
        "person": review.person.name,
        "refusal": str(why or ""),
        "elsewhere": dict(_elsewhere(review)),
        "approve": caller.form(Answer.APPROVE),
        "reject": caller.form(Answer.REJECT),
        "typed": typed,
        "mistake": mistake,
        "longest": LONGEST,
        "linked": "linked" in caller.visit.query,
        "here": request_page(one),
        "charts": charts(trends, one.version),
        **story_of(review.state),
    }
    status = 403 if isinstance(why, NotAnApprover) else status
    return draw(site, "request.html", caller, values, title=review.card.title, status=status)


def _refused(site: Site, caller: Caller, form: Submitted, refusal: Refused) -> Reply:
    """A form that was sent twice has its answer; any other refusal is shown with the request as it is now."""
    found = site.desk.outcome(_request(caller), caller.user, nonce=form.nonce, since=site.clock())
    if found.stage is Stage.RECORDED:
        return _sent(site, caller, form)
    typed = form.fields.get("reason", "")
    return _page(site, caller, status=status_of(refusal), typed=typed, refusal=refusal)


def _sent(site: Site, caller: Caller, form: Submitted) -> Reply:
    return redirect(site.root + outcome_of(caller.visit.path, form.nonce, site.clock()))


def _elsewhere(review: Review) -> Iterator[tuple[str, str]]:
    """Where somebody may want to go who has nothing to answer here: address and words."""
    request, state = review.one.id, review.one.state
    latest, standing = review.state.current(request.environment), review.state.standing(request.environment)
    if standing and standing.id == request:
        yield act_page(Act.REVOKE, request), f"Revoke this approval for {request.environment}"
    furthest = review.state.furthest
    if review.state.braked and furthest:
        yield act_page(Act.RESTORE, furthest.id), f"Restore {request.model}, which was rejected by hand"
    if latest and latest.id != request:
        yield request_page(latest.id), f"The newest request of {request.model} for {request.environment}"
    elif state not in (State.PENDING, State.APPROVED) or isinstance(review.refusal, Expired):
        yield ask_page(request.model, request.environment), f"Ask for {request.environment} again"
    if review.one.ending and isinstance(review.one.ending.event, Superseded):
        newer = review.one.ending.event.by
        yield f"/models/{request.group}/{newer}", f"{request.group} v{newer}, which came instead"


def _request(caller: Caller) -> RequestId:
    return RequestId.parse(caller.words["request"])
