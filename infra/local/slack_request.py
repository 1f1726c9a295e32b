"""The requests Slack sends to an app: signed, on a fresh connection, with three seconds to answer."""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from infra.local.slack_workspace import Json

ANSWER_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Forged:
    """What a test may make wrong about a request; None keeps what Slack would send."""

    team_id: str | None = None
    signing_secret: str | None = None
    timestamp: int | None = None
    value: str | None = None


HONEST = Forged()


@dataclass(frozen=True, slots=True)
class AppAnswer:
    """How the app answered.

    `error`: what Slack shows instead of success. `errors`: what a modal shows below its inputs.
    """

    status: int = 0
    body: str = ""
    error: str = ""
    seconds: float = 0.0
    errors: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Json:
        """Read the body as a JSON object; an empty one when it is something else."""
        try:
            value = json.loads(self.body or "{}")
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


def sent(url: str, body: str, headers: Mapping[str, str]) -> AppAnswer:
    """Post a form to the app and wait as long as Slack does; its names for what goes wrong."""
    started = time.monotonic()
    try:
        status, text = _posted(url, body, headers)
    except TimeoutError:
        return AppAnswer(error="operation_timeout", seconds=time.monotonic() - started)
    except (OSError, http.client.HTTPException):
        return AppAnswer(error="dispatch_failed", seconds=time.monotonic() - started)
    error = "" if status == http.HTTPStatus.OK else "http_service_error"
    return AppAnswer(status, text, error, time.monotonic() - started)


def signed(secret: str, timestamp: int, body: str) -> dict[str, str]:
    """Sign a body: https://docs.slack.dev/authentication/verifying-requests-from-slack."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": f"v0={digest}",
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    }


def _posted(url: str, body: str, headers: Mapping[str, str]) -> tuple[int, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=ANSWER_SECONDS)
    try:
        connection.request("POST", parts.path or "/", body.encode(), dict(headers))
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()
