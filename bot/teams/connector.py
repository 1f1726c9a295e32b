"""A thin client of the Bot Connector's REST interface that keeps its connections.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-api-reference
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import quote

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError, NewConnectionError, ProtocolError

from bot.domain import MessageRef
from bot.errors import Refused, Unavailable
from bot.teams.service import Services

Json = dict[str, Any]

TRIES = 3
"""How often one call is made at most when the Bot Connector asks to wait."""
TOO_MANY, UNAUTHORIZED = 429, 401
PERMANENT = frozenset({400, 403, 404, 405, 410, 413, 415, 422})
"""Answers that the same call will meet again, whenever it is made; every other one may pass or be mended."""
WHAT_TO_DO: Mapping[str, str] = MappingProxyType(
    {
        "BotDisabledByAdmin": "allow the app in the Teams admin center",
        "BotNotInConversationRoster": "add the app to the team that the channel is in",
        "BotNotRegistered": "create the Azure Bot for this app id, and switch its Teams channel on",
        "ConversationNotFound": "look whether the policy's notify.teams is the id of a channel that exists",
    }
)
"""What an administrator has to do, by the code of the error."""

log = logging.getLogger(__name__)


class Permanent(Refused):
    """Teams will never carry this call out; `error` is its own name for the reason."""

    def __init__(self, call: str, error: str, details: str = "") -> None:
        super().__init__(f"Teams refused {call}: {error}{details and f' ({details})'}.")
        self.error = error


class Token(Protocol):
    """The bot's own token for the Bot Connector."""

    def current(self) -> str:
        """Give a token that is good for some minutes yet; raise `Unavailable` when there is none."""
        ...

    def renewed(self, refused: str) -> str:
        """Give another token than the one that was refused."""
        ...


class Connector:
    """Posts, replies and updates as one bot in one tenant.

    `service` says where the Bot Connector is for this tenant; the token goes there only if `services` allow it.
    `timeout` bounds an attempt in seconds; `patience` is how many seconds in all a call may sleep because it was
    asked to: 0 where somebody waits for an answer.
    """

    def __init__(
        self,
        pool: PoolManager,
        token: Token,
        *,
        app_id: str,
        tenant: str,
        service: Callable[[], str],
        services: Services,
        timeout: float,
        patience: float = 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._pool = pool
        self._token = token
        self._bot = {"id": f"28:{app_id}"}
        self._tenant = tenant
        self._service = service
        self._services = services
        self._timeout = timeout
        self._patience = patience
        self._sleep = sleep

    def post_root(self, channel: str, activity: Json) -> MessageRef:
        """Begin a thread in a channel; raise `Permanent` or `Unavailable`, as all calls do."""
        started = self._call(
            "post",
            "POST",
            "/v3/conversations",
            {
                "isGroup": True,
                "tenantId": self._tenant,
                "bot": self._bot,
                "channelData": {"channel": {"id": channel}, "tenant": {"id": self._tenant}},
                "activity": activity,
            },
        )
        return MessageRef(_id_of(started, "id"), _id_of(started, "activityId"))

    def reply(self, conversation: str, activity: Json, *, service: str = "") -> None:
        """Say something in a thread or a chat; `service` is where its activity came from, if one did."""
        self._call("reply", "POST", _path(conversation), activity, service=service)

    def update(self, conversation: str, activity_id: str, activity: Json) -> None:
        """Show a message anew, for everybody."""
        self._call("update", "PUT", f"{_path(conversation)}/{quote(activity_id, safe='')}", activity)

    def private(self, user: str, activity: Json) -> None:
        """Say something to one person in their own chat with the bot, which is opened if there is none yet."""
        chat = self._call(
            "private chat",
            "POST",
            "/v3/conversations",
            {
                "isGroup": False,
                "tenantId": self._tenant,
                "bot": self._bot,
                "members": [{"id": user}],
                "channelData": {"tenant": {"id": self._tenant}},
            },
        )
        self._call("private word", "POST", _path(_id_of(chat, "id")), activity)

    def visit(self, channel: str) -> None:
        """Read a page of who is in a channel, for nothing but whether the bot is let in."""
        self._call("roster", "GET", f"/v3/conversations/{quote(channel, safe='')}/pagedmembers?pageSize=50", None)

    def _call(self, call: str, method: str, path: str, body: Json | None, *, service: str = "") -> Json:
        url = f"{self._address(service)}{path}"
        slept, wait = 0.0, 0.0
        for _ in range(TRIES):
            response = self._authorized(call, method, url, body)
            if response.status != TOO_MANY:
                return _understood(call, response)
            wait = _seconds(response)
            if slept + wait > self._patience:
                break
            self._sleep(wait)
            slept += wait
        raise Unavailable(f"Teams asks to wait {wait:g} s before {call}.")

    def _address(self, service: str) -> str:
        url = service or self._service()
        if not self._services.allow(url):
            log.error("nothing is sent to %.100r: it is no allowed address of the Bot Connector", url)
            raise Unavailable("The address of the Bot Connector is none of those that the settings allow.")
        return url.rstrip("/")

    def _authorized(self, call: str, method: str, url: str, body: Json | None) -> BaseHTTPResponse:
        token = self._token.current()
        response = self._sent(call, method, url, body, token)
        if response.status == UNAUTHORIZED:
            response = self._sent(call, method, url, body, self._token.renewed(token))
        return response

    def _sent(
        self, call: str, method: str, url: str, body: Json | None, token: str, *, again: bool = True
    ) -> BaseHTTPResponse:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        try:
            return self._pool.request(
                method, url, body=_encoded(body), headers=headers, retries=False, redirect=False,
                timeout=Timeout(total=self._timeout),
            )  # fmt: skip
        except HTTPError as problem:
            if again and _may_be_repeated(method, problem):
                return self._sent(call, method, url, body, token, again=False)
            raise Unavailable(f"Teams did not answer {call}: {type(problem).__name__}.") from None


def _path(conversation: str) -> str:
    return f"/v3/conversations/{quote(conversation, safe='')}/activities"


def _encoded(body: Json | None) -> bytes | None:
    """UTF-8 as it is: a letter beyond ASCII would take six bytes of what a message may hold."""
    if body is None:
        return None
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _may_be_repeated(method: str, problem: HTTPError) -> bool:
    """Whether nothing was sent, or a kept connection broke under a call that does no harm twice."""
    return isinstance(problem, NewConnectionError) or (isinstance(problem, ProtocolError) and method != "POST")


def _seconds(response: BaseHTTPResponse) -> float:
    try:
        return max(1.0, float(response.headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0


def _understood(call: str, response: BaseHTTPResponse) -> Json:
    content = _content(response)
    if 200 <= response.status < 300:  # noqa: PLR2004 - success, with or without an answer
        return content
    error, details = _error_of(content, response.status)
    if advice := WHAT_TO_DO.get(error):
        log.error("Teams refused %s (%s): %s", call, error, advice)
    if response.status in PERMANENT:
        raise Permanent(call, error, details)
    raise Unavailable(f"Teams could not carry out {call}: HTTP {response.status}, {error}.")


def _content(response: BaseHTTPResponse) -> Json:
    try:
        content = json.loads(response.data or b"{}")
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _error_of(content: Json, status: int) -> tuple[str, str]:
    """The code and the words of an error, in any of the shapes that Teams gives it."""
    given = content.get("error")
    error = given if isinstance(given, dict) else {"code": given, **content}
    code = error.get("code") or error.get("errorCode") or f"HTTP {status}"
    return str(code)[:100], " ".join(str(error.get("message", "")).split())[:300]


def _id_of(answer: Json, name: str) -> str:
    found = answer.get(name)
    if not isinstance(found, str) or not found:
        raise Unavailable(f"Teams gave no {name} for a conversation that it has begun.")
    return found
