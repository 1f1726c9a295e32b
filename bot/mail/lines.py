"""Neutral text fit for a mail: on one line, without what cannot be seen, bounded; then drawn as plain text. Pure."""

import re
from dataclasses import replace

from bot.line import Line, Link, Mention, Moment, Part, plain
from bot.markup import leads

LONGEST_URL = 500
"""Characters of a link's address; of a longer one the words alone are shown."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff"  # controls that are no spaces; halves of letters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # what turns the writing direction
)
_LINKABLE = re.compile(r"https?:(?=//)|\bwww\.(?=\w)", re.IGNORECASE)
JOINER = "\u2060"
"""Of no width; keeps a mail reader from making a link of words that only look like an address."""


def clean(text: str) -> str:
    """Drop what cannot be seen or turns the writing direction, make every space one blank, and break addresses."""
    seen = re.sub(r"\s+", " ", _UNSEEN.sub("", text))
    return _LINKABLE.sub(lambda found: found[0] + JOINER, seen)


def cut(text: str, limit: int) -> str:
    """Shorten a clean text to `limit` bytes: mails are counted in bytes."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def short(text: str, limit: int) -> str:
    """An untrusted text as it may stand anywhere in a mail."""
    return cut(clean(text).strip(), limit)


def fitted(line: Line, limit: int) -> Line:
    """The same line, clean, in at most `limit` bytes of plain text, and with links only where HTML has them."""
    kept: list[Part] = []
    room = limit
    for part in map(_cleaned, line):
        size = len(drawn((part,)).encode())
        if size > room:
            return (*kept, cut(plain((part,)), room) if room > len("…".encode()) else "…")
        kept.append(part)
        room -= size
    return tuple(kept)


def drawn(line: Line) -> str:
    """A line as plain text: a link with its address, times in UTC."""
    return "".join(f"{part.text} ({part.url})" if isinstance(part, Link) else plain((part,)) for part in line)


def _cleaned(part: Part) -> Part:
    match part:
        case str():
            return clean(part)
        case Moment():
            return part
        case Mention(name):
            return Mention(clean(name))
        case Link(text, url):
            return Link(clean(text), url) if len(url) <= LONGEST_URL and leads(url) else clean(text)
    return replace(part, text=clean(part.text))
