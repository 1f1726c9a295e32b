"""Neutral text in Slack's mrkdwn, so that nothing an untrusted string holds has any effect.

https://docs.slack.dev/messaging/formatting-message-text: `&`, `<` and `>` are written as entities. For the
rest there is no escape, so `*`, `~`, backticks and outer `_` become signs that only look like them, and a
word joiner breaks what would start a mention, a link, an emoji or a quotation.
"""

import re
from datetime import datetime
from typing import Any

from bot.card import Code, Line, Link, Mention, Moment, Part, Strong
from bot.domain import ChatUser
from bot.text import JOINER, NOTHING, clean, cut, one_line, units

Json = dict[str, Any]

NAME = 200
"""Characters of a name, a commit or anything else that stands out in a line."""

_LOOKALIKES = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BREAKABLE = re.compile(
    r"(?m)(?<!\w)@(?=\w)"  # @here
    r"|https?:(?=//)"  # a link, where the reader's Slack makes one of it
    r"|:(?=[\w+'-]+:)"  # :emoji:
    r"|^[^\S\n]*(?=>)",  # a quotation
    re.IGNORECASE,
)
_BEGUN = re.compile(r"(?:[@:][\w+'-]*|h(?:tt?|ttps?:?/?)?)\Z", re.IGNORECASE)
"""What a text may not end with where something follows: both together could act."""
_WEB = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%/+-]*)?")
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")


def escaped(text: str) -> str:
    """Write the three characters that control mrkdwn as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def inert(text: str) -> str:
    """Break whatever Slack would take for markup, except the three characters that `escaped` writes."""
    text = _OUTER_UNDERSCORE.sub("\u02cd", clean(text).translate(_LOOKALIKES))
    return _BREAKABLE.sub(lambda found: found[0] + JOINER, text)


def safe(text: str, limit: int) -> str:
    """An untrusted text as mrkdwn that shows it and does nothing."""
    return escaped(cut(inert(text), limit, _escaped_units))


def plain_text(text: str, limit: int) -> Json:
    """A text object that knows no markup at all; Slack wants at least one character."""
    return {"type": "plain_text", "text": cut(clean(text).strip(), limit) or NOTHING, "emoji": False}


def mrkdwn(text: str) -> Json:
    """A text object whose plain words stay plain: `verbatim` keeps Slack from making links of them."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def drawn(line: Line, *, team: str, limit: int) -> str:
    """A neutral line as mrkdwn of at most `limit` characters; people of our `team` are addressed."""
    text = ""
    for part in line:
        begun = text + JOINER if _BEGUN.search(text) else text
        piece, room = _piece(part, team), limit - units(begun) - 1
        if units(piece) > room:
            return begun + safe(part, room) if isinstance(part, str) and room > 0 else f"{text}…"
        text = begun + piece
    return text


def _piece(part: Part, team: str) -> str:
    match part:
        case str():
            return escaped(inert(part))
        case Strong(text):
            return _between("*", text)
        case Code(text):
            return _between("`", text)
        case Mention(name, via):
            return f"<@{via.user}>" if via and _ours(via, team) else safe(one_line(name), NAME)
        case Moment(at):
            return _date(at)
        case Link(text, url):
            return _link(text, url)


def _link(text: str, url: str) -> str:
    """A link to a plain web address; anything stranger is shown as words alone."""
    words = safe(one_line(text), NAME)
    return f"<{url}|{words}>" if _WEB.fullmatch(url) else words


def _between(mark: str, text: str) -> str:
    inner = safe(one_line(text), NAME)
    return f"{mark}{inner}{mark}" if inner else ""


def _ours(user: ChatUser, team: str) -> bool:
    return user.surface == "slack" and user.team == team and bool(_USER.fullmatch(user.user))


def _date(at: datetime) -> str:
    """The reader's own zone; the words after the bar are for readers that cannot."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%Y-%m-%d %H:%M} UTC>"


def _escaped_units(text: str) -> int:
    return units(escaped(text))
