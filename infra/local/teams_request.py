"""The requests that Teams sends to a bot: on a fresh connection, with a token, and with little patience."""

import http.client
import json
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from infra.local.entra_login import Tamper
from infra.local.teams_roster import Json

ANSWER_SECONDS = 5.0
"""What we hold the bot to: Microsoft names 5 s for dialogs and 10 to 15 s for cards, depending on the client."""


@dataclass(frozen=True, slots=True)
class Forged:
    """What a test may make wrong about a request; nothing set keeps what Teams would send.

    `claims`, `header`, `key` and `sign` are those of `Keys.token`. `authorization`: the whole header ("": none).
    `activity`: values by dotted path, such as `from.aadObjectId` (None: left out). `body`: bytes in place of the
    activity. `unchecked`: what the client would not let a person submit goes out all the same.
    """

    claims: Mapping[str, Any] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    sign: Tamper | None = None
    authorization: str | None = None
    activity: Mapping[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    unchecked: bool = False


HONEST = Forged()


@dataclass(frozen=True, slots=True)
class AppAnswer:
    """How the bot answered.

    `error`: what kept Teams from taking it. `errors`: what the client shows below inputs instead of asking the bot.
    `url`: what a link opened. `activity`: what was sent, so that it can be sent again.
    """

    status: int = 0
    body: str = ""
    error: str = ""
    seconds: float = 0.0
    errors: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    activity: Json = field(default_factory=dict)

    def json(self) -> Json:
        """Read the body as a JSON object; an empty one when it is something else."""
        try:
            value = json.loads(self.body or "{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def sent(url: str, body: bytes, headers: Mapping[str, str], seconds: float = ANSWER_SECONDS) -> AppAnswer:
    """Post an activity to the bot and wait no longer than Teams does."""
    started = time.monotonic()
    try:
        status, text = _posted(url, body, headers, seconds)
    except TimeoutError:
        return AppAnswer(error="timeout", seconds=time.monotonic() - started)
    except (OSError, http.client.HTTPException):
        return AppAnswer(error="unreachable", seconds=time.monotonic() - started)
    error = "" if 200 <= status < 300 else "http_error"
    return AppAnswer(status, text, error, time.monotonic() - started)


def altered(activity: Json, changes: Mapping[str, Any]) -> Json:
    """Change values of an activity by dotted path; None takes one away."""
    changed = deepcopy(activity)
    for path, value in changes.items():
        *way, last = path.split(".")
        part = changed
        for name in way:
            part = part.setdefault(name, {})
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return changed


def _posted(url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=seconds)
    try:
        connection.request("POST", parts.path or "/", body, dict(headers))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
