"""Pages, drawn from the templates: whatever a text holds is shown as text."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.encoding import sha256
from bot.line import Line, Moment
from bot.markup import html
from bot.web.ground import Site
from bot.web.reply import Reply
from bot.web.session import Caller
from bot.web.visit import Visit

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
YEAR = 31536000
"""Seconds."""


def draw(
    site: Site,
    template: str,
    caller: Caller | None,
    values: Mapping[str, object],
    *,
    title: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Draw a page for whoever has signed in, or for a stranger."""
    page = _environment().get_template(template)
    out = caller and caller.form("sign-out", "/sign-out")
    name = caller.ticket.name if caller else ""
    text = page.render(title=title, root=site.root, style=_style()[1], name=name, out=out, **values)
    return Reply(status, text, headers or {})


def tell(
    site: Site,
    caller: Caller | None,
    says: str,
    *,
    title: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    way: tuple[str, str] = ("/", "All requests"),
    quote: str = "",
) -> Reply:
    """A page of a few words, where to go from here, and what somebody had written."""
    values = {"says": says, "way": way, "quote": quote}
    return draw(site, "told.html", caller, values, title=title, status=status, headers=headers)


def style(_site: Site, visit: Visit) -> Reply:
    """The style sheet; under the address that the pages name it by, it stays as it is for good."""
    text, digest = _style()
    keep = f"public, max-age={YEAR}, immutable" if visit.query.get("v") == digest else "no-cache"
    return Reply(200, text, {"content-type": "text/css; charset=utf-8", "cache-control": keep})


@cache
def _style() -> tuple[str, str]:
    text = (TEMPLATES / "style.css").read_text("utf-8")
    return text, sha256(text)[:16]


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - a redirect needs no page
    from markupsafe import Markup  # noqa: PLC0415 - likewise

    def shown(line: Line) -> Markup:
        return Markup(html(line))  # noqa: S704 - `html` has escaped it

    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["line"] = shown
    templates.filters["time"] = lambda moment: shown((Moment(moment),))
    return templates
