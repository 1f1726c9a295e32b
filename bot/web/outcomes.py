"""What became of something that was handed in, while nobody knows yet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.desk import Outcome, Stage
from bot.web.ground import Site
from bot.web.pages import draw
from bot.web.reply import Reply
from bot.web.session import Caller

SOON, LATER = 2, 15
"""Seconds until an outcome is looked at again: at first, and when it takes longer than usual."""
USUAL = timedelta(seconds=30)
TITLES: Mapping[Stage, str] = MappingProxyType(
    {
        Stage.WAITING: "is being recorded",
        Stage.RECORDED: "is recorded",
        Stage.REFUSED: "was not recorded",
        Stage.LOST: "was not recorded",
    }
)


def wait(site: Site, caller: Caller, found: Outcome, *, what: str, since: datetime, page: str) -> Reply:
    """A page that looks again by itself, which a header asks of the browser: no script, and a link for who waits.

    `what` was handed in, and `page` shows what it was about.
    """
    slow = site.clock() - since > USUAL
    values = {"says": found.text, "slow": slow, "again": caller.visit.target, "page": page}
    headers = {"refresh": str(LATER if slow else SOON)}
    return draw(site, "waiting.html", caller, values, title=f"{what} {TITLES[found.stage]}", headers=headers)
