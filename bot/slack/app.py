"""The Bolt app, and the thin way from API Gateway into it.

Bolt's own Lambda adapter imports boto3; its signature check knows one secret, and comes after the body was
parsed. So a request is measured, decoded and verified here, and only then given to Bolt.
"""

import hmac
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.admission import Admission
from bot.errors import Unavailable
from bot.inbound import Unacceptable, answer, body_of, headers_of, method_of, path_of
from bot.ports import Clock, Crew, Jobs, Secret
from bot.slack.api import SlackApi
from bot.slack.identity import standing
from bot.slack.listeners import Answers, Threshold, register

if TYPE_CHECKING:
    from bot.overview import Statuses

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
    """The app and what a request must pass before it.

    `signing_secrets` are several during a rotation, with commas between.
    """

    bolt: App
    signing_secrets: Secret
    clock: Clock
    path: str = PATH


def build(
    *,
    signing_secrets: Secret,
    team: str,
    api: SlackApi,
    jobs: Jobs,
    statuses: "Callable[[], Statuses]",
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
    people = admission.people if admission else None

    def status(ack: Ack, command: Json) -> None:
        from bot.slack.status import Status  # noqa: PLC0415 - half the core, and no click needs it

        Status(team, statuses(), standing(api, team), crew, jobs, clock, people).answer(ack, command)

    register(app, answers=answers, status=status)
    return Door(app, signing_secrets, clock, path)


def dispatch(door: Door, event: Mapping[str, Any]) -> Json:
    """Answer an API Gateway HTTP API event (payload format 2.0)."""
    try:
        _addressed(door, event)
        body = body_of(event, LARGEST)
        if "ssl_check=1" in body.split("&"):
            return answer(200)  # Slack looks at the certificate now and then; there is nothing to do
        _verified(door, event, body)
        request = _request(event, body)
    except Unacceptable as problem:
        log.warning("a request was refused with %d: %s", problem.status, problem)
        return answer(problem.status)
    except Unavailable as trouble:
        log.error("a request could not be verified: %s", trouble)
        return answer(503)
    found = door.bolt.dispatch(request)
    return answer(found.status, found.body, found.first_headers())


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
    if (path := path_of(event)) != door.path:
        raise Unacceptable(404, f"nothing is at {path[:100]!r}")
    if method_of(event) != "POST":
        raise Unacceptable(405, "Slack posts")


def _verified(door: Door, event: Mapping[str, Any], body: str) -> None:
    headers = headers_of(event)
    timestamp, signature = (headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
    if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
        raise Unacceptable(401, "it is not signed")
    if abs(door.clock().timestamp() - int(timestamp)) > OLDEST:
        raise Unacceptable(401, "its signature is too old")
    secrets = door.signing_secrets()
    if not _signed_with(secrets, timestamp, body, signature):
        renewed = door.signing_secrets.fresh()
        if renewed == secrets or not _signed_with(renewed, timestamp, body, signature):
            raise Unacceptable(401, "its signature is wrong")


def _signed_with(secrets: str, timestamp: str, body: str, signature: str) -> bool:
    words = filter(None, (word.strip() for word in secrets.split(",")))
    expected = (SignatureVerifier(word).generate_signature(timestamp=timestamp, body=body) or "" for word in words)
    return any(hmac.compare_digest(each, signature) for each in expected)


def _request(event: Mapping[str, Any], body: str) -> BoltRequest:
    """Give Bolt the body and its type, and no header that could make it do anything else."""
    try:
        return BoltRequest(body=body, headers={"content-type": headers_of(event).get("content-type", "")})
    except (AttributeError, TypeError, ValueError) as problem:
        raise Unacceptable(400, "the body is nothing that Slack sends") from problem
