"""HTTP as the Bot Connector speaks it: its verbs, what it asks of every request, and how it says no."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local import entra_https
from infra.local.entra_https import Request
from infra.local.entra_login import json_answer
from infra.local.slack_http import Answer
from infra.local.teams_roster import Json
from infra.local.teams_rules import MESSAGE_BYTES, size
from infra.local.teams_workspace import TeamsError

QUOTED = re.compile(r"[A-Za-z0-9_.~%/-]*")
CODES = {
    400: ("BadSyntax", "Bad format of request."),
    401: ("BotNotRegistered", "No registration found for this bot."),
    403: ("BotNotInConversationRoster", "The bot is not part of the conversation roster."),
    404: ("ConversationNotFound", "Conversation not found."),
    412: ("PreconditionFailed", "Precondition failed, please try again."),
    413: ("MessageSizeTooBig", "Message size too large."),
    429: ("Throttled", "Too many requests."),
    502: ("ServiceError", "Service error."),
    503: ("ServiceUnavailable", "Service is unavailable."),
    504: ("GatewayTimeout", "Gateway Timeout."),
}


class _Handler(entra_https._Handler):  # noqa: SLF001 - http.server looks for verbs on the class
    do_PUT = do_DELETE = entra_https._Handler.do_POST  # noqa: N815, SLF001 - http.server's names


class Server(entra_https.Server):
    """Serves over TLS as the local Entra does, with the two verbs more that the Connector knows."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """Bind the port (0: a free one) and write the CA's certificate into the folder."""
        super().__init__(folder, port=port)
        self._https.RequestHandlerClass = _Handler


@dataclass(frozen=True, slots=True)
class Asked:
    """One call that has passed the checks all calls share; `id` is that of an activity or a member."""

    conversation: str
    id: str
    body: Json
    query: Mapping[str, str]

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """Read a request, or raise what is wrong with it."""
        if not QUOTED.fullmatch(request.path):
            raise TeamsError(400, "BadArgument", "An id in the path is not quoted.")
        body = {} if request.method == "GET" else _body(request)
        return cls(request.parts.get("conversation", ""), request.parts.get("id", ""), body, request.query)

    def number(self, name: str, usual: int) -> int:
        """Read a number from the query."""
        try:
            return int(self.query.get(name, usual))
        except ValueError as wrong:
            raise TeamsError(400, "BadArgument", f"{name} is no number.") from wrong


def usual(status: int) -> TeamsError:
    """Make the error that a status usually stands for."""
    return TeamsError(status, *CODES[status])


def error_answer(error: TeamsError) -> Answer:
    """Draw an error; one without a code is of the gateway in front of the Connector."""
    wait = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if not error.code:
        return json_answer(error.status, {"message": str(error)}, wait)
    return json_answer(error.status, {"error": {"code": error.code, "message": str(error)}}, wait)


def refuse(status: int, headers: Mapping[str, str]) -> Answer:
    """Draw the error of a fault, or of a path that is not there."""
    code, text = CODES.get(status, ("ServiceError", f"HTTP {status}."))
    return json_answer(status, {"error": {"code": code, "message": text}}, headers)


def _body(request: Request) -> Json:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise TeamsError(415, "UnsupportedMediaType", "Send application/json.")
    try:
        body: Json = json.loads(request.body)
    except ValueError as wrong:
        raise TeamsError(400, "BadSyntax", "The body is no JSON.") from wrong
    if size(body, "utf-16-le") > MESSAGE_BYTES:
        raise usual(413)
    return body
