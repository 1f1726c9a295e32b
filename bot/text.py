"""Untrusted text before any surface draws it: cleaned of what cannot be seen, and cut on whole characters."""

import re
import unicodedata
from collections.abc import Callable

NOTHING = "\u2013"
"""Stands where a surface wants a character and there is none."""
JOINER = "\u2060"
"""Has no width; between two characters it keeps a surface from making something of them."""

LONGEST = 3000
"""Characters of an address; no chat's button takes more."""

ZERO_WIDTH_JOINER = "\u200d"
_INVISIBLE = {"Cc", "Cs"}
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Drop what cannot be seen or turns the writing direction; keep line breaks, at most two in a row."""
    seen = "".join(
        letter
        for letter in _TURNING.sub("", text)
        if letter.isspace() or unicodedata.category(letter) not in _INVISIBLE
    )
    lines = [re.sub(r"[^\S\n]+", " ", line) for line in re.split(r"\r\n|[\r\n\v\f\x85\u2028\u2029]", seen)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def one_line(text: str) -> str:
    """The same without line breaks, for names and cells."""
    return " ".join(clean(text).split())


def units(text: str) -> int:
    """How long a text is in JavaScript, where an emoji takes two places."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int, size: Callable[[str], int] = units) -> str:
    """Shorten a text to `limit`, without splitting a letter from its accents or an emoji from its parts."""
    if size(text) <= limit:
        return text
    kept: list[str] = []
    room = limit - size("…")
    for letter in letters(text):
        room -= size(letter)
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).rstrip() + "…"


def addresses(pages: str) -> str:
    """Make the pattern of addresses below `pages`, our own; without pages nothing matches."""
    return re.escape(pages.rstrip("/") + "/") + r"[\w/.~?=&%#-]*[\w/~=&%#-]" if pages else "(?!)"


def parted(text: str, pages: str) -> tuple[str, str]:
    """Give a text without the address of ours that ends it, and that address; nothing for one that is too long."""
    found = re.fullmatch(rf"(.+?):?\s+({addresses(pages)})", text, flags=re.ASCII | re.DOTALL)
    return (f"{found[1].rstrip('.')}.", found[2]) if found and len(found[2]) <= LONGEST else (text, "")


def letters(text: str) -> list[str]:
    """Each character with the combining marks, modifiers and joined characters that belong to it."""
    found: list[str] = []
    for character in text:
        joins = character == ZERO_WIDTH_JOINER or "\U0001f3fb" <= character <= "\U0001f3ff"
        if found and (joins or unicodedata.category(character)[0] == "M" or found[-1].endswith(ZERO_WIDTH_JOINER)):
            found[-1] += character
        else:
            found.append(character)
    return found
