"""The way from API Gateway to what is done about an activity: measured, proved to be Microsoft's, read, answered."""

import binascii
import json
import logging
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.encoding import decode
from bot.errors import Malformed, Unavailable
from bot.teams.activities import Activities
from bot.teams.token import Denied, Threshold

Json = dict[str, Any]

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a body; what Teams sends stays far below."""
PATH = "/teams/messages"
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,4000}\.[A-Za-z0-9_-]{1,8000}\.[A-Za-z0-9_-]{1,4000})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Door:
    """What an activity must pass, and what is then done about it."""

    threshold: Threshold
    activities: Activities
    path: str = PATH


def dispatch(door: Door, event: Mapping[str, Any]) -> Json:
    """Answer an API Gateway HTTP API event (payload format 2.0); whoever is refused learns nothing but that."""
    try:
        _addressed(door, event)
        token, activity = _token(event), _activity(event)
        door.threshold.cross(token, activity)
        return _response(200, door.activities.answer(activity))
    except Denied as denied:
        return _response(denied.status)
    except Unavailable as trouble:
        log.warning("an activity was not taken: %s", trouble)
        return _response(503)


def _addressed(door: Door, event: Mapping[str, Any]) -> None:
    context = event.get("requestContext") or {}
    path = str(event.get("rawPath", "")).removeprefix(f"/{context.get('stage')}")
    if path != door.path:
        raise _denied(404, f"nothing is at {path[:100]!r}")
    if (context.get("http") or {}).get("method") != "POST":
        raise _denied(405, "the Bot Connector posts")


def _token(event: Mapping[str, Any]) -> str:
    headers = event.get("headers") or {}
    given = next((str(value) for key, value in headers.items() if key.lower() == "authorization"), "")
    found = _BEARER.fullmatch(given)
    if not found:
        raise _denied(401, "it has no token")
    return found[1]


def _activity(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body; measured before it costs anything to decode or to verify it."""
    try:
        activity = decode(_body(event))
    except Malformed as problem:
        raise _denied(400, "the body is no JSON") from problem
    if not isinstance(activity, dict):
        raise _denied(400, "the body is no activity")
    return activity


def _body(event: Mapping[str, Any]) -> str:
    body, encoded = str(event.get("body") or ""), event.get("isBase64Encoded") is True
    if len(body) > (LARGEST * 4 // 3 + 4 if encoded else LARGEST):
        raise _denied(413, f"the body has {len(body)} characters")
    try:
        raw = b64decode(body, validate=True) if encoded else body.encode()
        text = raw.decode()
    except (binascii.Error, ValueError) as problem:
        raise _denied(400, "the body cannot be decoded") from problem
    if len(raw) > LARGEST:
        raise _denied(413, f"the body has {len(raw)} bytes")
    return text


def _denied(status: int, cause: str) -> Denied:
    log.warning("a request was refused with %d: %s", status, cause)
    return Denied(status, cause)


def _response(status: int, body: Json | None = None) -> Json:
    text = "" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json; charset=utf-8"},
        "body": text,
        "isBase64Encoded": False,
    }
