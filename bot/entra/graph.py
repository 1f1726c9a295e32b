"""Calls to Microsoft Graph v1.0; what is no clear answer is `Unavailable`, so that a doubt never approves."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from requests import RequestException, Response, Session

from bot.entra.token import AppToken
from bot.errors import Unavailable

Json = Mapping[str, Any]

WHAT_TO_DO = {
    401: "Graph refuses a fresh token of the bot: authority and Graph must be of the same cloud.",
    403: "Graph denies the bot what it asks: grant its app registration User.Read.All and "
    "GroupMember.Read.All (application permissions, admin consent).",
}

log = logging.getLogger(__name__)


class Graph:
    """Graph under the bot's own token; log lines name the call (`users`), never address, token or body."""

    def __init__(self, session: Session, token: AppToken, *, url: str) -> None:
        self._session = session
        self._token = token
        self._root = f"{url.rstrip('/')}/v1.0"

    def ask(self, call: str, path: str, *, body: Json | None = None) -> Json | None:
        """Get a path, or post to it when there is a body; nothing when Graph knows no such object."""
        token = self._token.current()
        response = self._send(call, path, body, token)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response = self._send(call, path, body, self._token.renewed(token))
        return _read(call, response)

    def _send(self, call: str, path: str, body: Json | None, token: str) -> Response:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        method = "GET" if body is None else "POST"
        try:
            return self._session.request(method, f"{self._root}{path}", json=body, headers=headers)
        except RequestException as trouble:
            # Its text has the address in it, and the address has an e-mail in it: neither logged nor chained.
            raise unclear(call, type(trouble).__name__) from None


def unclear(call: str, why: str) -> Unavailable:
    """Make the error for an answer that cannot be relied on, and note it down."""
    log.warning("Microsoft Graph did not answer %s: %s", call, why)
    return Unavailable(
        f"Microsoft Graph could not tell who belongs to which group ({call}: {why}); nothing is recorded until it can."
    )


def _read(call: str, response: Response) -> Json | None:
    content = _content(response)
    if response.status_code == HTTPStatus.OK and content is not None:
        return content
    code = _code(content)
    if response.status_code == HTTPStatus.NOT_FOUND and code == "Request_ResourceNotFound":
        return None
    if advice := WHAT_TO_DO.get(response.status_code):
        log.error("%s", advice)
    request = response.headers.get("request-id", "unknown")
    raise unclear(call, f"HTTP {response.status_code}, {code or 'no readable answer'}, request-id {request}")


def _content(response: Response) -> Json | None:
    try:
        content = response.json()
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _code(content: Json | None) -> str:
    error = (content or {}).get("error")
    return str(error.get("code", "")) if isinstance(error, dict) else ""
