"""What is said to one person alone, in plain words."""

import re
from typing import Any

from bot.slack.buttons import WAY, button
from bot.slack.mrkdwn import TEXT, escaped, inert, mrkdwn, read_aloud, safe
from bot.text import NOTHING, addresses, parted

Json = dict[str, Any]

COMMAND = "/model-status"
SECTION = 2900
"""Characters of one block; Slack takes 3,000."""


def told(text: str, *, pages: str = "", way: str = "") -> Json:
    """Text and blocks of a private word; only addresses below `pages`, our own, can be clicked.

    With `way`, the address that ends the text becomes a button of that name: a sealed one fills a phone's screen.
    """
    words, url = parted(text, pages) if way else (text, "")
    pieces = re.split(f"({addresses(pages)})", words, flags=re.ASCII)
    linked = [f"<{escaped(piece)}>" if place % 2 else escaped(inert(piece)) for place, piece in enumerate(pieces)]
    whole = "".join(linked)
    shown = whole if len(whole) <= TEXT else safe(words, TEXT)
    pressed = [{"type": "actions", "elements": [button(WAY, way, way) | {"url": url, "style": "primary"}]}]
    return {
        "text": read_aloud(words),
        "blocks": [{"type": "section", "text": mrkdwn(shown or NOTHING)}, *(pressed if url else [])],
    }


def private(text: str) -> Json:
    """An answer in plain words that only the asking person sees."""
    return {"response_type": "ephemeral", "text": safe(text, SECTION)}
