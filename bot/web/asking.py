"""A promotion is asked for: the page, the asking, and what became of it."""

from bot.desk import Stage
from bot.domain import ModelVersion
from bot.errors import Refused
from bot.web.forms import Submitted, outcome_of, read_outcome
from bot.web.ground import Site
from bot.web.outcomes import TITLES, wait
from bot.web.overview import page_of, request_page
from bot.web.pages import draw, tell
from bot.web.reply import Reply, redirect
from bot.web.session import Caller


def show(site: Site, caller: Caller) -> Reply:
    """Say what will happen, and give the form."""
    model, environment = _what(caller)
    asking = site.desk.asking(model, environment, caller.user)
    rules = site.desk.policy.environment(environment, model.group)
    values = {
        "model": str(model),
        "model_page": page_of(model),
        "environment": environment,
        "who": rules.who_may_answer if rules else "its approvers",
        "person": asking.person.name,
        "takes_in": asking.takes_in,
        "ask": caller.form("ask"),
    }
    return draw(site, "ask.html", caller, values, title=f"Ask for {environment}?")


def ask(site: Site, caller: Caller, form: Submitted) -> Reply:
    """Hand the request in; a form that was sent twice is one request."""
    model, environment = _what(caller)
    try:
        site.desk.ask(model, environment, caller.user, nonce=form.nonce)
    except Refused:
        found = site.desk.asked(model, environment, caller.user, nonce=form.nonce, since=site.clock())
        if found.stage is not Stage.RECORDED:
            raise
    return redirect(site.root + outcome_of(caller.visit.path, form.nonce, site.clock()))


def outcome(site: Site, caller: Caller) -> Reply:
    """Say what became of a request; look again by itself while nobody knows."""
    (model, environment), (nonce, since) = _what(caller), read_outcome(caller.visit.query)
    found = site.desk.asked(model, environment, caller.user, nonce=nonce, since=since)
    page = request_page(found.request) if found.request else page_of(model)
    if found.stage is Stage.WAITING:
        return wait(site, caller, found, what="Your request", since=since, page=page)
    says = f"Look at the request of {model}" if found.request else f"{model} and its history"
    return tell(site, caller, found.text, title=f"Your request {TITLES[found.stage]}", way=(page, says))


def _what(caller: Caller) -> tuple[ModelVersion, str]:
    words = caller.words
    return ModelVersion(words["group"], int(words["version"])), words["environment"]
