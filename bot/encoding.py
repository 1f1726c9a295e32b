"""How every value is written into Parameter Store: compact, ASCII, never refused for its content."""

import hashlib
import json
import re
from typing import Any

from bot.errors import Malformed

LIMIT = 4096
"""Bytes of a Standard parameter's value (AWS, PutParameter)."""

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


def encode(value: Any) -> str:  # noqa: ANN401 - JSON has no narrower type
    """Write compact JSON with sorted keys, in ASCII.

    Parameter Store refuses values that contain `{{`, so a brace inside a string is written as its escape: otherwise a
    comment could block a decision.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return _STRING.sub(lambda string: string[0].replace("{", "\\u007b"), text)


def decode(text: str) -> Any:  # noqa: ANN401 - as above
    """Read what `encode` wrote; raise `Malformed` for what is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"not JSON: {text[:80]!r}") from problem


def sha256(text: str) -> str:
    """Digest of an encoded value, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def cut(text: str, limit: int) -> str:
    """Shorten `text` so that it takes at most `limit` encoded bytes; name the digest of what was cut."""
    if len(encode(text)) - 2 <= limit:
        return text
    tail = f"… (cut; sha256 of the full text {sha256(text)})"
    room = limit - (len(encode(tail)) - 2)
    kept: list[str] = []
    for letter in text:
        room -= len(encode(letter)) - 2
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept) + tail
