"""The page on a port of its own: its files, its state, and what people do on it.

The page asks for the state every second; the answer is a 304 as long as nothing has changed.
"""

import json
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Self
from wsgiref.types import WSGIApplication

from werkzeug.exceptions import BadRequest, HTTPException, NotFound, UnsupportedMediaType
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from infra.local import slack, teams
from infra.local.npm import RENDERER
from infra.local.page.pane import Given, Json, Mistaken, Pane

STATIC = Path(__file__).parent.parent / "static" / "page"
KINDS = {".css": "text/css", ".js": "text/javascript"}
FILES = {f"/{each.name}": each for each in STATIC.iterdir() if each.suffix in KINDS} | {"/adaptivecards.js": RENDERER}
SAFETY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
FRAME_SAFETY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"}
"""Of a document in a frame, such as a mail: it has its style within it, and may load nothing."""
HOSTS = ("127.0.0.1", "localhost")
"""No other site may read the page under a name of its own that it lets stand for this machine."""
log = logging.getLogger(__name__)


def page_routes(panes: Sequence[Pane]) -> WSGIApplication:
    """Make the WSGI application of the page."""
    named, run = {pane.name: pane for pane in panes}, uuid.uuid4().hex

    @Request.application
    def application(request: Request) -> Response:
        try:
            response = _routed(named, run, request)
        except HTTPException as mistake:
            response = Response(mistake.description, mistake.code, mimetype="text/plain")
        except Exception as trouble:
            log.exception("the page could not answer %s", request.path)
            said = f"The page failed ({type(trouble).__name__}: {trouble}). The terminal of make run says where."
            response = Response(said, 500, mimetype="text/plain")
        for name, value in SAFETY.items():
            response.headers.setdefault(name, value)
        return response

    return application


class Page:
    """The page, from `start()` to `stop()`."""

    def __init__(self, panes: Sequence[Pane], port: int = 0) -> None:
        """Bind the port (0: a free one); nothing is served before `start`."""
        self._panes = panes
        routes = page_routes(panes)
        self._server = make_server("127.0.0.1", port, routes, threaded=True, request_handler=_Quiet)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

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
        for pane in self._panes:
            pane.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object, **__: object) -> None:
        """Keep quiet: a page that asks every second would fill the terminal."""


def _routed(panes: Mapping[str, Pane], run: str, request: Request) -> Response:
    if request.host.partition(":")[0] not in HOSTS:
        raise BadRequest("This page has no other name than localhost.")
    pane, _, rest = request.path[1:].partition("/")
    if request.method == "POST":
        return _acted(panes.get(pane), rest, request)
    if request.path == "/state":
        return _state(panes, run, request)
    if pane in panes:
        return _document(panes[pane], rest)
    if request.path == "/" or request.path.startswith("/archives/"):
        return Response((STATIC / "page.html").read_bytes(), mimetype="text/html")
    file = FILES.get(request.path)
    if file is None or not file.exists():
        raise NotFound
    return Response(file.read_bytes(), mimetype=KINDS[file.suffix])


def _document(pane: Pane, name: str) -> Response:
    """Show a document as a mail's reader does: nothing runs in it, and nothing is loaded."""
    html = pane.document(name)
    if not html:
        raise NotFound
    return Response(html, mimetype="text/html", headers=FRAME_SAFETY)


def _acted(pane: Pane | None, act: str, request: Request) -> Response:
    """Do what the page's person did; only JSON, which no other site can send here unasked."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    if pane is None or act not in pane.acts:
        raise NotFound
    try:
        given = Given(request.get_json())
        answer = pane.acts[act](str(given["user"]), given)
    except (Mistaken, slack.NotThere, teams.NotThere) as mistake:
        raise BadRequest(str(mistake)) from mistake
    return _json(answer)


def _state(panes: Mapping[str, Pane], run: str, request: Request) -> Response:
    """Draw everything one person sees, unless the page has it already."""
    user = request.args.get("user", "")
    versions = repr([run, user, *(pane.version() for pane in panes.values())])
    tag = sha256(versions.encode()).hexdigest()[:20]
    if request.if_none_match.contains(tag):
        return Response(status=304)
    response = _json({"me": user, "run": run} | {name: pane.seen_by(user) for name, pane in panes.items()})
    response.set_etag(tag)
    return response


def _json(body: Json) -> Response:
    return Response(json.dumps(body), mimetype="application/json")
