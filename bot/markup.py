"""A neutral line as HTML, for mails and pages: everything in it is escaped; a link leads to https alone.

What turns the direction of writing is left out: it would reorder the words around it.
"""

import re
from html import escape

from bot.domain import rfc3339
from bot.line import Code, Line, Link, Mention, Moment, Part, Strong

_WEB = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%/+-]*)?")
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def html(line: Line) -> str:
    """Write a line with `strong`, `code`, `time` and `a` elements."""
    return "".join(_piece(part) for part in line)


def leads(url: str) -> bool:
    """Whether an address may be followed: plain https, and nothing that looks like something else."""
    return _WEB.fullmatch(url) is not None


def _piece(part: Part) -> str:
    match part:
        case str():
            return _shown(part)
        case Strong(text):
            return f"<strong>{_shown(text)}</strong>"
        case Code(text):
            return f"<code>{_shown(text)}</code>"
        case Mention(name):
            return _shown(name)
        case Moment(at):
            return f'<time datetime="{rfc3339(at)}">{at:%Y-%m-%d %H:%M} UTC</time>'
        case Link(text, url):
            return f'<a href="{escape(url)}">{_shown(text)}</a>' if leads(url) else _shown(text)


def _shown(text: str) -> str:
    return escape(_TURNING.sub("", text))
