"""The way from API Gateway to what is done about an activity: measured, proved to be Microsoft's, read, answered."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.encoding import decode
from bot.errors import Malformed, Unavailable
from bot.inbound import Unacceptable, answer, body_of, headers_of, method_of, path_of
from bot.teams.activities import Activities
from bot.teams.token import Threshold

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
        said = door.activities.answer(activity)
    except Unacceptable as refused:
        log.warning("a request was refused with %d: %s", refused.status, refused)
        return answer(refused.status)
    except Unavailable as trouble:
        log.warning("an activity was not taken: %s", trouble)
        return answer(503)
    text = "" if said is None else json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return answer(200, text, {"content-type": "application/json; charset=utf-8"})


def _addressed(door: Door, event: Mapping[str, Any]) -> None:
    if (path := path_of(event)) != door.path:
        raise Unacceptable(404, f"nothing is at {path[:100]!r}")
    if method_of(event) != "POST":
        raise Unacceptable(405, "the Bot Connector posts")


def _token(event: Mapping[str, Any]) -> str:
    found = _BEARER.fullmatch(headers_of(event).get("authorization", ""))
    if not found:
        raise Unacceptable(401, "it has no token")
    return found[1]


def _activity(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body; measured before it costs anything to decode or to verify it."""
    try:
        activity = decode(body_of(event, LARGEST))
    except Malformed as problem:
        raise Unacceptable(400, "the body is no JSON") from problem
    if not isinstance(activity, dict):
        raise Unacceptable(400, "the body is no activity")
    return activity
