"""A strict stand-in of Slack on 127.0.0.1: Web API, response URLs, and the people who press the buttons.

    slack = Slack()
    slack.workspace.add_channel(Channel("C0MODELS", "model-approvals"))
    slack.workspace.add_user(User("U0MAYA", "maya", "Maya Chen", "maya.chen@example.com"))
    slack.request_url = gateway + "/slack/events"
    slack.start()

What Slack would refuse is refused, by its name for it; what it limits is limited. `make test-live` is there
to disprove what is believed of Slack here.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Self

from infra.local.slack_api import METHODS, Method, checked_content
from infra.local.slack_http import Answer, Call, Fault, Faults, Request, Server, Service
from infra.local.slack_limits import RateLimits
from infra.local.slack_person import NotThere, Person
from infra.local.slack_request import AppAnswer, Forged
from infra.local.slack_tickets import Expired, Ticket
from infra.local.slack_wire import Args
from infra.local.slack_workspace import Channel, Json, Message, SlackError, User, View, Workspace

__all__ = ["AppAnswer", "Call", "Channel", "Forged", "Message", "NotThere", "Slack", "User", "View"]


class Slack(Person):
    """One Slack with one workspace; `request_url` is where the app takes its requests."""

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.time) -> None:
        """Bind the port (0: a free one); nothing is served before `start`."""
        self.workspace = Workspace(clock)
        self.limits = RateLimits(self.workspace.now)
        self.bot_token = "xoxb-local-0000-workspace"
        self.signing_secret = "local-signing-secret"
        self.request_url = ""
        self.page_url = ""
        self._service = Service("slack", _name, self._answer, _refusal)
        self._server = Server(self._service, port)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.api_url = f"{self.url}/api/"

    @property
    def calls(self) -> list[Call]:
        """Every call to the Web API and to response URLs so far, in the order in which they ended."""
        return self._service.calls

    @property
    def faults(self) -> Faults:
        """What goes wrong, by method; response URLs are the method `response_url`."""
        return self._service.faults

    @property
    def connections(self) -> int:
        """How many connections the product has opened so far."""
        return self._server.connections

    def start(self) -> Self:
        """Serve until `stop`."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving; kept-alive connections break."""
        self.faults.clear()
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answer(self, request: Request) -> Answer:
        with self.workspace.lock:
            if request.path.startswith("/api/"):
                return self._api(request)
            if request.path.startswith(("/actions/", "/commands/")):
                return self._respond(request)
        return Answer(404)

    # the Web API

    def _api(self, request: Request) -> Answer:
        try:
            args = Args.of(request)
            name, method = self._permitted(request, args)
            if seconds := self.limits.wait(name, method.tier, str(args.values.get("channel"))):
                return _limited(seconds)
            return self._ok(method.run(self.workspace, args))
        except SlackError as mistake:
            return self._not_ok(mistake)

    def _permitted(self, request: Request, args: Args) -> tuple[str, Method]:
        name = _name(request)
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", name)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not given:
            given = "" if "json" in request.headers.get("content-type", "") else args.text("token")
        if given != self.bot_token:
            raise SlackError("invalid_auth" if given else "not_authed")
        if method.scopes and not self.workspace.scopes & set(method.scopes):
            raise SlackError("missing_scope", needed=",".join(method.scopes))
        return name, method

    def _ok(self, body: Json) -> Answer:
        if "permalink" in body:
            body = {**body, "permalink": (self.page_url or self.url).rstrip("/") + body["permalink"]}
        return _json_answer(200, {"ok": True, **body}, {"x-oauth-scopes": ",".join(sorted(self.workspace.scopes))})

    def _not_ok(self, mistake: SlackError) -> Answer:
        body: Json = {"ok": False, "error": mistake.error}
        if mistake.needed:
            body |= {"needed": mistake.needed, "provided": ",".join(sorted(self.workspace.scopes))}
        if mistake.details:
            messages = [f"[ERROR] {detail}" for detail in mistake.details]
            body |= {"errors": list(mistake.details), "response_metadata": {"messages": messages}}
        return _json_answer(200, body, {"x-oauth-scopes": ",".join(sorted(self.workspace.scopes))})

    # response URLs: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses

    def _respond(self, request: Request) -> Answer:
        try:
            self._carry_out_response(self.workspace.tickets.respond(request.path), Args.of(request))
        except Expired as expired:
            return _json_answer(404, {"ok": False, "error": str(expired)})
        except SlackError as mistake:
            return _json_answer(400, {"ok": False, "error": mistake.error})
        return _json_answer(200, {"ok": True})

    def _carry_out_response(self, ticket: Ticket, args: Args) -> None:
        original = self._original(ticket)
        if args.flag("delete_original"):
            if original:
                self.workspace.remove(original)
            return
        text, blocks = checked_content(args)
        if original and args.flag("replace_original"):
            self.workspace.change(replace(original, text=text, blocks=blocks))
            return
        only_for = "" if args.text("response_type") == "in_channel" else ticket.user
        bot, thread_ts = self.workspace.bot_user_id, args.text("thread_ts")
        self.workspace.post(
            Message(ticket.channel, "", bot, text, blocks=blocks, thread_ts=thread_ts, only_for=only_for)
        )

    def _original(self, ticket: Ticket) -> Message | None:
        try:
            return self.workspace.message(ticket.channel, ticket.ts)
        except SlackError:
            return None


def _name(request: Request) -> str:
    return request.path.removeprefix("/api/") if request.path.startswith("/api/") else "response_url"


def _refusal(fault: Fault) -> Answer:
    if fault.error:
        return _json_answer(200, {"ok": False, "error": fault.error})
    if fault.status == 429:
        return _limited(fault.retry_after)
    return Answer(int(fault.status or 500), b"upstream error", {"Content-Type": "text/plain"})


def _limited(seconds: int) -> Answer:
    return _json_answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(seconds)})


def _json_answer(status: int, body: Json, headers: dict[str, str] | None = None) -> Answer:
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(status, json.dumps(body).encode(), kind | (headers or {}))
