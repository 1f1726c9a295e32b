"""What people are told when something cannot be done, and the status that goes with it."""

import logging

from bot.domain import ModelVersion
from bot.errors import (
    ApprovalError,
    BrokenLink,
    LinkExpired,
    NotAnApprover,
    NotIdentified,
    NotLinked,
    NotRequestable,
    Refused,
    SelfApproval,
    SignInNeeded,
    Unavailable,
    UnknownRequest,
)
from bot.linking import OthersLink
from bot.web.ground import Site
from bot.web.overview import page_of
from bot.web.pages import draw, tell
from bot.web.reply import Reply
from bot.web.session import Caller
from bot.web.visit import Visit

log = logging.getLogger(__name__)

SILENT = (
    "Something that the bot has to ask does not answer now, so nothing was recorded. Please try again in a minute; "
    "what is tried twice counts once."
)
STRANGER = (
    "You could not be identified as one person of the company directory, so nothing was recorded. Sign in with your "
    "own, full company account; if that does not help, ask your administrator, who finds the reason in the bot's log."
)
"""One text for all causes, until a person is identified."""
RETRY = 30
"""Seconds."""
_KINDS: tuple[tuple[type[ApprovalError], int, str], ...] = (
    (LinkExpired, 410, "This link is too old"),
    (BrokenLink, 400, "This link does not work"),
    (NotIdentified, 403, "You could not be identified"),
    (UnknownRequest, 404, "There is no such request"),
    (NotAnApprover, 403, "This is not yours to answer"),
    (SelfApproval, 403, "Somebody else has to answer"),
    (SignInNeeded, 403, "This is not yours to answer"),
    (NotLinked, 403, "This is not yours to answer"),
    (NotRequestable, 409, "This cannot be asked for now"),
    (Refused, 409, "Nothing was recorded"),
)


def status_of(refusal: Refused) -> int:
    """The HTTP status of a refusal; one that is no more than `Refused` is the bot's own trouble."""
    return 503 if type(refusal) is Refused else _kind(refusal)[0]


def refuse(
    site: Site, trouble: Refused | Unavailable, visit: Visit, caller: Caller | None = None, *, quote: str = ""
) -> Reply:
    """The page that says what was refused, why, and what to do next; `quote` is what somebody had written."""
    if isinstance(trouble, Unavailable):
        log.error("a page could not be made: %s", trouble)
        headers, way = {"retry-after": str(RETRY)}, (visit.about if caller else "/", "Try again")
        return tell(site, caller, SILENT, title="Please try again", status=503, headers=headers, way=way, quote=quote)
    log.info("a page was refused: %s", trouble)
    if isinstance(trouble, OthersLink):
        values = {"says": str(trouble), "url": trouble.url}
        return draw(site, "others.html", caller, values, title="An administrator has to confirm this link", status=403)
    says = STRANGER if isinstance(trouble, NotIdentified) else str(trouble)
    title, status = _kind(trouble)[1], status_of(trouble)
    return tell(site, caller, says, title=title, status=status, way=_way(caller), quote=quote)


def _way(caller: Caller | None) -> tuple[str, str]:
    """Where to go from here: to the model that somebody asked about, else to the beginning."""
    words = caller.words if caller else {}
    if "environment" not in words:
        return "/", "All requests"
    model = ModelVersion(words["group"], int(words["version"]))
    return page_of(model), f"{model} and its history"


def _kind(refusal: Refused) -> tuple[int, str]:
    return next((status, title) for kind, status, title in _KINDS if isinstance(refusal, kind))
