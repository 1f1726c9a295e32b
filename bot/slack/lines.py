"""Neutral lines in Slack's mrkdwn: names and times stand out, and whatever else they hold has no effect."""

import re
from datetime import datetime

from bot.domain import ChatUser
from bot.line import Code, Line, Link, Mention, Moment, Part, Strong
from bot.slack.mrkdwn import escaped, inert, safe
from bot.text import JOINER, one_line, units

NAME = 200
"""Characters of a name, a commit or anything else that stands out in a line."""

_BEGUN = re.compile(r"(?:[@:][\w+'-]*|h(?:tt?|ttps?:?/?)?)\Z", re.IGNORECASE)
"""What a text may not end with where something follows: both together could act."""
_WEB = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~%/+-]*)?")
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")


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
