"""The page of `make run`: Slack as a person sees it, plain, with buttons that send what Slack's would; and a mailbox.

`page_routes` is a WSGI application, `Page` serves it on a port of its own. The page asks for the state every
second; the answer is a 304 as long as nothing has changed.
"""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Self
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import BadRequest, HTTPException, NotFound, UnsupportedMediaType
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from infra.local.mailbox import Mail
from infra.local.slack import AppAnswer, Message, NotThere, Slack, User, View
from infra.local.slack_workspace import Json, Workspace

STATIC = Path(__file__).parent / "static"
FILES = {"/page.css": "text/css", "/page.js": "text/javascript"}
SAFETY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
MAIL_SAFETY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
"""Of a mail, which has its style within it, and may load nothing."""
Mails = Callable[[], Sequence[Mail]]


def page_routes(slack: Slack, mails: Mails = list) -> WSGIApplication:
    """Make the WSGI application of the page."""

    @Request.application
    def application(request: Request) -> Response:
        try:
            response = _routed(slack, mails, request)
        except HTTPException as mistake:
            response = Response(mistake.description, mistake.code, mimetype="text/plain")
        for name, value in SAFETY.items():
            response.headers.setdefault(name, value)
        return response

    return application


class Page:
    """The page on a port of its own; it is the one who tells Slack where permalinks lead."""

    def __init__(self, slack: Slack, port: int = 0, *, mails: Mails = list) -> None:
        """Bind the port (0: a free one); nothing is served before `start`."""
        routes = page_routes(slack, mails)
        self._server = make_server("127.0.0.1", port, routes, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        slack.page_url = self.url

    def start(self) -> Self:
        """Serve until `stop`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object, **__: object) -> None:
        """Keep quiet: a page that asks every second would fill the terminal."""


def _routed(slack: Slack, mails: Mails, request: Request) -> Response:
    if request.method == "POST":
        return _acted(slack, request)
    if request.path == "/state":
        return _state(slack.workspace, request)
    if request.path == "/mailbox":
        return Response(_mailbox(mails()), mimetype="text/html")
    if request.path.startswith("/mailbox/"):
        return _mail(mails(), request.path.removeprefix("/mailbox/"))
    if request.path == "/" or request.path.startswith("/archives/"):
        return Response((STATIC / "page.html").read_bytes(), mimetype="text/html")
    if request.path in FILES:
        return Response((STATIC / request.path[1:]).read_bytes(), mimetype=FILES[request.path])
    raise NotFound


# what is in everybody's mailbox


def _mailbox(mails: Sequence[Mail]) -> str:
    """List the mails, the newest first."""
    rows = [
        f'<li><a href="/mailbox/{number}">{escape(mail.subject)}</a> <small>to {escape(mail.to)}</small></li>'
        for number, mail in reversed(list(enumerate(mails, start=1)))
    ]
    listed = f"<ul>{''.join(rows)}</ul>" if rows else "<p>No mail yet.</p>"
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    head += '<meta name="color-scheme" content="light dark"><title>Mailbox</title><link rel="icon" href="data:,">'
    head += '<link rel="stylesheet" href="/page.css">'
    top = '<header><h1>Mailbox <small>local stand-in</small></h1> <a href="/">Slack</a></header>'
    body = f'<body class="mails">{top}<main>{listed}</main></body>'
    return f'<!doctype html><html lang="en"><head>{head}</head>{body}</html>'


def _mail(mails: Sequence[Mail], number: str) -> Response:
    """Show a mail as its reader's program does: nothing runs in it, and nothing is loaded."""
    if not number.isdecimal() or not 0 < int(number) <= len(mails):
        raise NotFound
    return Response(mails[int(number) - 1].html, mimetype="text/html", headers=MAIL_SAFETY)


# what a person does


def _acted(slack: Slack, request: Request) -> Response:
    """Do what the page's person did; only JSON, which no other site can send here unasked."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    act, given = ACTS.get(request.path), request.get_json()
    if act is None:
        raise NotFound
    try:
        answer = act(slack, given)
    except (KeyError, NotThere) as mistake:
        raise BadRequest(str(mistake)) from mistake
    return _json({"status": answer.status, "error": answer.error, "errors": dict(answer.errors)})


def _press(slack: Slack, given: Json) -> AppAnswer:
    return slack.press(given["user"], given["channel"], given["ts"], given["action_id"])


def _submit(slack: Slack, given: Json) -> AppAnswer:
    return slack.submit(given["user"], given["view_id"], given["values"])


def _dismiss(slack: Slack, given: Json) -> AppAnswer:
    return slack.dismiss(given["user"], given["view_id"])


def _command(slack: Slack, given: Json) -> AppAnswer:
    command, _, text = given["text"].strip().partition(" ")
    return slack.command(given["user"], given["channel"], command, text.strip())


ACTS: Mapping[str, Callable[[Slack, Json], AppAnswer]] = {
    "/press": _press,
    "/submit": _submit,
    "/dismiss": _dismiss,
    "/command": _command,
}


# what a person sees


def _state(workspace: Workspace, request: Request) -> Response:
    """Draw everything one person sees, unless the page has it already."""
    with workspace.lock:
        user, tag = request.args.get("user", ""), str(workspace.seq)
        if request.if_none_match.contains(f"{tag} {user}"):
            return Response(status=304)
        response = _json(_seen_by(workspace, user))
    response.set_etag(f"{tag} {user}")
    return response


def _seen_by(workspace: Workspace, user: str) -> Json:
    people = [person for person in workspace.users.values() if not person.is_bot]
    return {
        "me": user,
        "bot": workspace.bot_user_id,
        "users": [_person(person) for person in people],
        "names": {person.id: person.real_name or person.name for person in workspace.users.values()},
        "channels": [
            {
                "id": channel.id,
                "name": channel.name,
                "archived": channel.archived,
                "messages": _channel_messages(workspace, channel.id, user),
            }
            for channel in workspace.channels.values()
            if not channel.private or channel.has(user)
        ],
        "modals": [_modal(view) for view in workspace.modals(user)],
    }


def _person(person: User) -> Json:
    guest = person.is_restricted or person.is_ultra_restricted
    kinds = {"left": person.deleted, "guest": guest, "stranger": person.is_stranger}
    return {"id": person.id, "name": person.real_name or person.name, "kind": _first(kinds)}


def _first(kinds: Mapping[str, bool]) -> str:
    return next((kind for kind, applies in kinds.items() if applies), "")


def _channel_messages(workspace: Workspace, channel: str, user: str) -> list[Json]:
    """Give messages in order, each with its thread and the ephemeral messages in it."""
    whispers = workspace.ephemerals(user, channel)
    top = [*workspace.messages(channel), *(each for each in whispers if not each.thread_ts)]
    drawn = []
    for message in sorted(top, key=lambda message: message.ts):
        thread = [
            *workspace.replies(channel, message.ts),
            *(w for w in whispers if w.thread_ts == message.ts),
        ]
        below = sorted(thread, key=lambda reply: reply.ts)
        drawn.append(_message(message) | {"replies": [_message(reply) for reply in below]})
    return drawn


def _message(message: Message) -> Json:
    return {
        "ts": message.ts,
        "user": message.user,
        "text": message.text,
        "blocks": list(message.blocks),
        "edited": bool(message.edited) and not message.blocks,
        "ephemeral": bool(message.only_for),
        "broadcast": message.broadcast,
    }


def _modal(view: View) -> Json:
    return {"id": view.id, "hash": view.hash, **view.body}


def _json(body: Json) -> Response:
    return Response(json.dumps(body), mimetype="application/json")
