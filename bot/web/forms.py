"""Forms that only the page on which they stand, and only its reader, can have sent."""

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from bot.errors import BrokenLink
from bot.seals import BROKEN

NONCE = re.compile(r"[A-Za-z0-9_-]{22}")
_MILLISECONDS = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Form:
    """What a form does, the page it is about, and its own number, which also names the entry that it makes."""

    action: str
    about: str
    nonce: str
    token: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that has come back as it was made."""

    action: str
    nonce: str
    fields: Mapping[str, str]


def make(secret: str, action: str, about: str) -> Form:
    """A new form for the person whose sign-in holds the secret."""
    nonce = secrets.token_urlsafe(16)
    return Form(action, about, nonce, _token(secret, action, about, nonce))


def submitted(secret: str, about: str, fields: Mapping[str, str]) -> Submitted | None:
    """The form, if this person got it on this page; else nothing."""
    action, nonce, token = (fields.get(name, "") for name in ("action", "nonce", "token"))
    expected = _token(secret, action, about, nonce)
    if not NONCE.fullmatch(nonce) or not hmac.compare_digest(expected.encode(), token.encode()):
        return None
    return Submitted(action, nonce, fields)


def outcome_of(path: str, nonce: str, at: datetime) -> str:
    """Where somebody learns what became of a form that they have sent."""
    return f"{path}/outcome?{urlencode({'n': nonce, 'at': int(at.timestamp() * 1000)})}"


def read_outcome(query: Mapping[str, str]) -> tuple[str, datetime]:
    """The form's number, and when it was sent."""
    nonce, at = query.get("n", ""), query.get("at", "")
    if not NONCE.fullmatch(nonce) or not _MILLISECONDS.fullmatch(at):
        raise BrokenLink(BROKEN)
    return nonce, datetime.fromtimestamp(int(at) / 1000, UTC)


def _token(secret: str, action: str, about: str, nonce: str) -> str:
    return hmac.new(secret.encode(), f"{action}|{about}|{nonce}".encode(), "sha256").hexdigest()
