"""Neutral text in Adaptive Cards, so that nothing an untrusted string holds has any effect.

A RichTextBlock knows no Markdown. What it knows are macros such as `{{DATE(…)}}`; and clients make links of addresses.
A word joiner breaks both. A heading can only be a TextBlock, which reads Markdown: there is no escape that every client
knows, so signs that only look alike stand for those that would act.
https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.line import Code, Line, Link, Mention, Moment, Part, Strong, plain
from bot.text import JOINER, addresses, clean, cut, letters, one_line, units

Json = dict[str, Any]

NAME = 200
"""Characters of a name, a commit or anything else that stands out in a line."""
TEXT = 3000
"""Characters of a message that is only words."""
BREAK = "\u200b"
"""Has no width; a line may end there."""
_ACTING = re.compile(
    r"[{$](?=\{)"  # {{DATE(…)}}, ${…}
    r"|[A-Za-z]:(?=//)|\bwww(?=\.)"  # a link, where a client makes one of it
    r"|<(?=[A-Za-z/!])",  # <at>, <script>
    re.IGNORECASE,
)
_LOOKALIKES = str.maketrans({"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"})
_MARKING = re.compile(r"[\\&<]|\](?=[(\[:])|^(?=[-+>#=|]|\d+[.)])")
_WEB = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%/+-]*)?")


def inert(text: str) -> str:
    """An untrusted text that shows what it says and does nothing, where Markdown is not read."""
    return _ACTING.sub(lambda found: found[0] + JOINER, clean(text))


def heading(text: str, limit: int) -> str:
    """An untrusted text that does nothing where Markdown is read; one line."""
    words = inert(one_line(text)).translate(_LOOKALIKES)
    return cut(_MARKING.sub(lambda found: found[0] + JOINER, words), limit, weight)


def label(text: str, limit: int) -> str:
    """One line of text for a button, a cell or what is read aloud."""
    return cut(inert(one_line(text)), limit, weight)


def breakable(text: str, every: int = 24) -> str:
    """A text whose long words may go on in the next line, `every` so many letters: else they run out of the card."""
    words: list[str] = []
    run = 0
    for letter in letters(text):
        run = 0 if letter.isspace() or letter == "-" else run + 1
        if run > every:
            words.append(BREAK)
            run = 1
        words.append(letter)
    return "".join(words)


def weight(value: Any) -> int:  # noqa: ANN401 - a JSON value
    """How much of a card's size a value takes, in units of two bytes: the dearer of UTF-8 and UTF-16, as JSON.

    The quotation marks of a string are not counted, so that `cut` may add letters up.
    """
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    dearer = max(len(written.encode("utf-8", "surrogatepass")), 2 * units(written))
    return -(-dearer // 2) - (2 if isinstance(value, str) else 0)


def rich(line: Line, limit: int, **style: Any) -> Json:  # noqa: ANN401 - properties of a TextRun
    """A line as a RichTextBlock whose runs weigh at most `limit`, each in the style that is given."""
    return {"type": "RichTextBlock", "inlines": list(_runs(line, limit, style)) or [_run("\u2013", style)]}


def message(line: Line) -> Json:
    """A line as a message of plain words."""
    return said(plain(line))


def said(text: str, *, pages: str = "") -> Json:
    """A text as a message; only addresses below `pages`, our own, stay whole, so that they can be clicked."""
    pieces = re.split(f"({addresses(pages)})", text, flags=re.ASCII)
    words = "".join(piece if place % 2 else inert(piece) for place, piece in enumerate(pieces))
    return {"type": "message", "textFormat": "plain", "text": cut(words, TEXT) or "\u2013"}


def _runs(line: Line, limit: int, style: Json) -> Iterable[Json]:
    rest = _run("…", style)
    room = limit - weight(rest)
    for part in line:
        run = _piece(part, style)
        if not run["text"]:
            continue
        room -= weight(run) + 1
        if room < 0:
            left = room + weight(run["text"])
            yield _run(cut(run["text"], left, weight), style) if isinstance(part, str) and left > 1 else rest
            return
        yield run


def _piece(part: Part, style: Json) -> Json:
    match part:
        case str():
            return _run(breakable(inert(part).replace("\n", " ")), style)
        case Strong(text):
            return _run(_name(text), {**style, "weight": "Bolder"})
        case Code(text):
            return _run(_name(text), {**style, "fontType": "Monospace"})
        case Mention(name):
            return _run(_name(name), style)
        case Moment(at):
            return _run(_local(at), style)
        case Link(text, url):
            return _run(_name(text), {**style, **_leading(url)})


def _name(text: str) -> str:
    return breakable(label(text, NAME))


def _run(text: str, style: Json) -> Json:
    return {"type": "TextRun", "text": text, **style}


def _leading(url: str) -> Json:
    """A link to a plain web address; anything stranger is shown as words alone."""
    opens = {"type": "Action.OpenUrl", "url": url}
    return {"selectAction": opens} if _WEB.fullmatch(url) and len(url) <= NAME else {}


def _local(at: datetime) -> str:
    """The reader's own zone: clients replace both macros."""
    when = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{{{{DATE({when},SHORT)}}}} {{{{TIME({when})}}}}"
