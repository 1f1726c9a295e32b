"""A thin client of Slack's Web API that keeps its connections; slack_sdk opens one for each call."""

import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError

from bot.errors import Refused, Unavailable
from bot.ports import Secret

Json = dict[str, Any]

log = logging.getLogger(__name__)

TRIES = 3
"""How often one call is made at most when Slack asks to wait."""
ONCE = frozenset({"chat.postMessage"})
"""Methods that show twice what is sent twice: repeated only when nothing can have been sent."""
FORMS = frozenset({"conversations.info", "users.info", "users.lookupByEmail"})
"""Methods that take no JSON (https://docs.slack.dev/apis/web-api/#posting_json)."""
TOO_MANY = 429
PERMANENT = frozenset(
    {
        "as_user_not_supported", "block_mismatch", "cannot_reply_to_message", "cant_post_message",
        "cant_update_message", "channel_not_found", "channel_type_not_supported", "edit_window_closed",
        "exchanged_trigger_id", "expired_trigger_id", "external_channel_migrating", "invalid_arguments",
        "invalid_attachments", "invalid_blocks", "invalid_blocks_format", "invalid_metadata_format",
        "invalid_metadata_schema", "invalid_thread_ts", "invalid_trigger", "invalid_trigger_id",
        "is_archived", "is_inactive", "message_not_found", "messages_tab_disabled", "metadata_too_large",
        "msg_blocks_too_long", "msg_too_long", "no_text", "not_in_channel", "restricted_action",
        "restricted_action_non_threadable_channel", "restricted_action_read_only_channel",
        "restricted_action_thread_locked", "restricted_action_thread_only_channel", "thread_not_found",
        "too_many_attachments", "too_many_blocks", "trigger_exchanged", "trigger_expired",
        "user_not_found", "user_not_in_channel", "user_not_visible", "users_not_found", "view_too_large",
    }
)  # fmt: skip
"""Errors that the same call will meet again, whenever it is made; every other one may pass or be mended."""
STALE = frozenset({"invalid_auth", "token_expired", "token_revoked", "not_authed"})


class Permanent(Refused):
    """Slack will never carry this call out; `error` is its own name for the reason."""

    def __init__(self, method: str, error: str, details: str = "") -> None:
        super().__init__(f"Slack refused {method}: {error}{details and f' ({details})'}.")
        self.error = error


class SlackApi:
    """One token's Web API.

    `timeout` bounds an attempt in seconds; `patience` is how many seconds in all a call may sleep because
    Slack asked it to: 0 where somebody waits for an answer within three seconds.
    """

    def __init__(
        self,
        token: Secret,
        *,
        timeout: float,
        patience: float = 0.0,
        base_url: str = "https://slack.com/api/",
        pool: PoolManager | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._token = token
        self._timeout = timeout
        self._patience = patience
        self._base_url = base_url.rstrip("/") + "/"
        self._pool = pool or PoolManager(num_pools=4, maxsize=10)
        self._sleep = sleep

    def call(self, method: str, arguments: Mapping[str, Any]) -> Json:
        """Call a method; return Slack's answer; raise `Permanent` or `Unavailable`."""
        slept, wait, token = 0.0, 0.0, self._token()
        for _ in range(TRIES):
            response = self._sent(method, arguments, token)
            if response.status != TOO_MANY:
                if _refuses_token(response) and (other := self._token.fresh()) != token:
                    token = other
                    continue
                return _understood(method, response)
            wait = _seconds(response)
            if slept + wait > self._patience:
                break
            self._sleep(wait)
            slept += wait
        raise Unavailable(f"Slack asks to wait {wait:g} s before {method}.")

    def granted(self) -> tuple[str, str]:
        """The workspace of the token, and the scopes that it was granted; raise as `call` does."""
        response = self._sent("auth.test", {}, self._token())
        found = _understood("auth.test", response)
        return str(found.get("team_id", "")), response.headers.get("x-oauth-scopes", "")

    def respond(self, url: str, answer: Mapping[str, Any]) -> None:
        """Answer through a click's response URL, which carries its own right and needs no token."""
        response = self._tried("response_url", url, *_encoded("response_url", answer))
        if 400 <= response.status < 500 and response.status != TOO_MANY:  # noqa: PLR2004 - it will never be taken
            raise Permanent("response_url", f"HTTP {response.status}")
        if not response.status < 300:  # noqa: PLR2004 - anything but success
            raise Unavailable(f"Slack did not take the answer to a click: HTTP {response.status}.")

    def _sent(self, method: str, arguments: Mapping[str, Any], token: str) -> BaseHTTPResponse:
        body, headers = _encoded(method, arguments)
        authorized = {**headers, "Authorization": f"Bearer {token}"}
        return self._tried(method, self._base_url + method, body, authorized)

    def _tried(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, again: bool = True
    ) -> BaseHTTPResponse:
        try:
            return self._pool.request(
                "POST", url, body=body, headers=headers, retries=False, redirect=False,
                timeout=Timeout(total=self._timeout),
            )  # fmt: skip
        except HTTPError as problem:
            if again and _may_be_repeated(method, problem):
                return self._tried(method, url, body, headers, again=False)
            raise Unavailable(f"Slack did not answer {method}: {type(problem).__name__}.") from problem


def _encoded(method: str, arguments: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    if method in FORMS:
        return urlencode(arguments).encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return json.dumps(arguments).encode(), {"Content-Type": "application/json; charset=utf-8"}


def _may_be_repeated(method: str, problem: HTTPError) -> bool:
    """Whether nothing was sent, or a kept connection broke under a call that does no harm twice."""
    return isinstance(problem, NewConnectionError) or (isinstance(problem, ProtocolError) and method not in ONCE)


def _seconds(response: BaseHTTPResponse) -> float:
    try:
        return max(1.0, float(response.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


def _refuses_token(response: BaseHTTPResponse) -> bool:
    """Whether another token may be taken: this one was rotated away."""
    return any(f'"{error}"'.encode() in response.data[:1000] for error in STALE)


def _understood(method: str, response: BaseHTTPResponse) -> Json:
    try:
        answer = json.loads(response.data)
    except ValueError as problem:
        raise Unavailable(f"Slack answered {method} with HTTP {response.status} and no JSON.") from problem
    if not isinstance(answer, dict) or response.status != 200:  # noqa: PLR2004 - Slack's only success
        raise Unavailable(f"Slack answered {method} with HTTP {response.status}.")
    if answer.get("ok") is True:
        return answer
    raise _failure(method, answer)


def _failure(method: str, answer: Json) -> Permanent | Unavailable:
    error = str(answer.get("error"))[:100]
    metadata = answer.get("response_metadata")
    details = str(metadata.get("messages", ""))[:500] if isinstance(metadata, dict) else ""
    if error in PERMANENT:
        return Permanent(method, error, details)
    if needed := str(answer.get("needed") or "")[:100]:
        log.error("the app lacks a scope for %s (%s): add what its manifest has, and install it again", method, needed)
    return Unavailable(f"Slack could not carry out {method}: {error}{details and f' ({details})'}.")
