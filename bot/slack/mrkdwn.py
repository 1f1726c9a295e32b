"""Text in Slack's mrkdwn, so that nothing an untrusted string holds has any effect.

https://docs.slack.dev/messaging/formatting-message-text: `&`, `<` and `>` are written as entities. For the
rest there is no escape, so `*`, `~`, backticks and outer `_` become signs that only look like them, and a
word joiner breaks what would start a mention, a link, an emoji or a quotation.
"""

import re
from typing import Any

from bot.text import JOINER, NOTHING, clean, cut, units

Json = dict[str, Any]

TEXT = 3000
"""Characters of a section; also enough for the text that notifications and screen readers get."""
_LOOKALIKES = str.maketrans({"*": "\u2217", "~": "\u223c", "`": "\u02cb"})
_OUTER_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BREAKABLE = re.compile(
    r"(?m)(?<!\w)@(?=\w)"  # @here
    r"|https?:(?=//)"  # a link, where the reader's Slack makes one of it
    r"|:(?=[\w+'-]+:)"  # :emoji:
    r"|^[^\S\n]*(?=>)",  # a quotation
    re.IGNORECASE,
)


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


def read_aloud(text: str) -> str:
    """The text beside the blocks, which notifications and screen readers get; Slack wants one."""
    return safe(text.strip(), TEXT) or NOTHING


def _escaped_units(text: str) -> int:
    return units(escaped(text))
