"""The Bolt app, and the thin way from API Gateway into it.

Bolt's own Lambda adapter imports boto3; its signature check knows one secret, and comes after the body was
parsed. So a request is measured, decoded and verified here, and only then given to Bolt.
"""

import binascii
import hmac
import logging
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.admission import Admission
from bot.overview import Statuses
from bot.ports import Clock, Crew, Jobs
from bot.slack.api import SlackApi
from bot.slack.identity import standing
from bot.slack.listeners import Answers, Status, Threshold, register

Json = dict[str, Any]

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a body; Slack's own stay far below."""
OLDEST = 300
"""Seconds that a signature holds (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
PATH = "/slack/events"
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Door:
    """The app and what a request must pass before it: during a rotation two signing secrets are valid."""

    bolt: App
    verifiers: tuple[SignatureVerifier, ...]
    clock: Clock
    path: str = PATH


class _Unacceptable(Exception):
    """A request that Bolt never sees, and the HTTP status it gets."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status


def build(
    *,
    signing_secrets: Sequence[str],
    team: str,
    api: SlackApi,
    jobs: Jobs,
    statuses: Statuses,
    crew: Crew,
    clock: Clock,
    admission: Admission | None = None,
    pages: str = "",
    path: str = PATH,
) -> Door:
    """Make the door once per cold start; nothing here calls Slack.

    Without `admission` every account answers by its e-mail address. Addresses below `pages` can be clicked.
    """
    app = _bolt(team, Threshold(team, api))
    answers = Answers(team, api, jobs, clock, admission, pages)
    status = Status(team, statuses, standing(api, team), crew, admission.people if admission else None)
    register(app, answers=answers, status=status)
    return Door(app, tuple(map(SignatureVerifier, signing_secrets)), clock, path)


def dispatch(door: Door, event: Mapping[str, Any]) -> Json:
    """Answer an API Gateway HTTP API event (payload format 2.0)."""
    try:
        _addressed(door, event)
        body = _body(event)
        if "ssl_check=1" in body.split("&"):
            return _response(200)  # Slack looks at the certificate now and then; there is nothing to do
        _verified(door, event, body)
        request = _request(event, body)
    except _Unacceptable as problem:
        log.warning("a request was refused with %d: %s", problem.status, problem)
        return _response(problem.status)
    answer = door.bolt.dispatch(request)
    return _response(answer.status, answer.body, answer.first_headers())


def _bolt(team: str, threshold: Threshold) -> App:
    """Bolt that never calls auth.test and never logs a body, as it would one that it cannot match."""
    quiet = logging.getLogger("slack_bolt.quiet")
    quiet.setLevel(logging.ERROR)
    fixed = AuthorizeResult(enterprise_id=None, team_id=team)
    return App(
        name="model-approvals",
        logger=quiet,
        authorize=lambda: fixed,
        before_authorize=threshold.cross,
        process_before_response=True,
        request_verification_enabled=False,  # `dispatch` has done it
        ssl_check_enabled=False,  # likewise
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
    )


def _addressed(door: Door, event: Mapping[str, Any]) -> None:
    context = event.get("requestContext") or {}
    path = str(event.get("rawPath", "")).removeprefix(f"/{context.get('stage')}")
    if path != door.path:
        raise _Unacceptable(404, f"nothing is at {path[:100]!r}")
    if (context.get("http") or {}).get("method") != "POST":
        raise _Unacceptable(405, "Slack posts")


def _body(event: Mapping[str, Any]) -> str:
    """The body as text; measured before it costs anything to decode it."""
    body, encoded = str(event.get("body") or ""), event.get("isBase64Encoded") is True
    if len(body) > (LARGEST * 4 // 3 + 4 if encoded else LARGEST):
        raise _Unacceptable(413, f"the body has {len(body)} characters")
    try:
        raw = b64decode(body, validate=True) if encoded else body.encode()
        text = raw.decode()
    except (binascii.Error, ValueError) as problem:
        raise _Unacceptable(400, "the body cannot be decoded") from problem
    if len(raw) > LARGEST:
        raise _Unacceptable(413, f"the body has {len(raw)} bytes")
    return text


def _verified(door: Door, event: Mapping[str, Any], body: str) -> None:
    timestamp = _header(event, "x-slack-request-timestamp")
    signature = _header(event, "x-slack-signature")
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise _Unacceptable(401, "it is not signed")
    if abs(door.clock().timestamp() - int(timestamp)) > OLDEST:
        raise _Unacceptable(401, "its signature is too old")
    expected = [each.generate_signature(timestamp=timestamp, body=body) or "" for each in door.verifiers]
    if not any(hmac.compare_digest(each, signature) for each in expected):
        raise _Unacceptable(401, "its signature is wrong")


def _request(event: Mapping[str, Any], body: str) -> BoltRequest:
    """Give Bolt the body and its type, and no header that could make it do anything else."""
    try:
        return BoltRequest(body=body, headers={"content-type": _header(event, "content-type")})
    except (AttributeError, TypeError, ValueError) as problem:
        raise _Unacceptable(400, "the body is nothing that Slack sends") from problem


def _header(event: Mapping[str, Any], name: str) -> str:
    headers = event.get("headers") or {}
    return next((str(value) for key, value in headers.items() if key.lower() == name), "")


def _response(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> Json:
    return {
        "statusCode": status,
        "headers": {"content-type": "text/plain;charset=utf-8", **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }
