"""The HTTP side of the local AWS: kept-alive connections, and what stands between them and moto."""

import contextlib
import functools
import io
import logging
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from moto.core.request import Request
from moto.core.routing import get_service_router
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import ThreadedWSGIServer
from werkzeug.test import run_wsgi_app

from infra.local.aws_faults import Answer, ConnectionCut, Fault, Faults, failed
from infra.local.moto_corrections.request import Event, serving

Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """One request served: times are `time.monotonic()`; `status` 0 is a connection that was reset."""

    service: str
    action: str
    started: float
    ended: float
    status: int
    access_key: str
    path: str = ""
    body: bytes = field(default=b"", repr=False)


class Dispatcher(DomainDispatcherApplication):
    """moto's way to a service, but for its listing of a folder each time, half of what a request takes."""

    def __init__(self) -> None:
        """Remember which host belongs to which service."""
        super().__init__(create_backend_app)
        remembered = functools.cache(super().get_backend_for_host)
        self.get_backend_for_host = remembered  # type: ignore[method-assign]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What stands before moto: names a request, lets it fail if so told, sends its events, notes it down."""

    app: Wsgi
    faults: Faults
    identify: Callable[[str], dict[str, str]]
    emit: Callable[[Event], None]
    record: Callable[[Call], None]

    def answer(self, environ: Environ, body: bytes) -> Answer:
        """Serve one request; raise `ConnectionCut` for one that is to have no answer."""
        access_key, service, action = named(environ, body)
        started, status = time.monotonic(), 0
        try:
            answer = self._answer(environ, access_key, self.faults.take(action, body, access_key))
            status = int(answer[0].split()[0])
        finally:
            ended = time.monotonic()
            self.record(Call(service, action, started, ended, status, access_key, environ["PATH_INFO"], body))
        return answer

    def _answer(self, environ: Environ, access_key: str, fault: Fault | None) -> Answer:
        if fault is None:
            return self._carry_out(environ, access_key)
        if fault.after:
            answer = self._carry_out(environ, access_key)
            self.faults.stall(fault)
            return answer if fault.status is None else fault.answer()
        self.faults.stall(fault)
        return self._carry_out(environ, access_key) if fault.status is None else fault.answer()

    def _carry_out(self, environ: Environ, access_key: str) -> Answer:
        with serving(self.identify(access_key)) as request:
            answer = self._ask_moto(environ)
        for event in request.events:
            self.emit(event)
        return answer

    def _ask_moto(self, environ: Environ) -> Answer:
        try:
            body, status, headers = run_wsgi_app(self.app, environ, buffered=True)
        except Exception:
            log.exception("%s failed inside moto", environ.get("HTTP_X_AMZ_TARGET") or environ["PATH_INFO"])
            return failed(500, "InternalFailure", "moto failed; its log says why")
        return status, list(headers), b"".join(body)


def named(environ: Environ, body: bytes) -> tuple[str, str, str]:
    """Say whose request it is, to which service, for which action; botocore knows the REST ones."""
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    access_key, service = (signed[1], signed[2]) if signed else ("", "")
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return access_key, service, target.rsplit(".", 1)[-1]
    if form := re.search(rb"(?:^|&)Action=(\w+)", body):
        return access_key, service, form[1].decode()
    name = "sesv2" if environ["PATH_INFO"].startswith("/v2/email") else service
    return access_key, name, _rest_action(name, environ)


def _rest_action(service: str, environ: Environ) -> str:
    try:
        return str(get_service_router(service).match(Request(environ))[0].name)
    except Exception:  # noqa: BLE001 - botocore and moto have several ways to say that they know none
        return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"


class _Connection(MotoRequestHandler):
    """One kept-alive connection; werkzeug's own handler closes it after every answer."""

    server: "_Listener"
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):  # the client is gone, and so is what was still to be written
            super().finish()

    def handle_expect_100(self) -> bool:
        """Let S3 clients send their body at once: the line would wait in our buffer."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else self.rfile.read(length)
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            self._send(*self.server.endpoint.answer(environ, body))
        except ConnectionCut:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        has_length = False
        for name, value in headers:
            if name.lower() not in {"connection", "date", "server", "transfer-encoding"}:
                has_length = has_length or name.lower() == "content-length"
                self.send_header(name, value)
        if not has_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def log_request(self, *_: object) -> None:
        """Stay quiet: `Aws.calls` has it."""


class _Listener(ThreadedWSGIServer):
    """The listening socket, and the connections to close at the end."""

    def __init__(self, endpoint: Endpoint, port: int) -> None:
        self.endpoint = endpoint
        self.connections: set[socket.socket] = set()
        super().__init__("127.0.0.1", port, endpoint.app, _Connection)


class Server:
    """The server's thread."""

    def __init__(self, endpoint: Endpoint, *, port: int) -> None:
        """Take the port, or a free one for 0."""
        self._listener = _Listener(endpoint, port)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), name="aws", daemon=True)
        self.port = self._listener.port

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._listener.shutdown()
        self._thread.join(1)
        for connection in tuple(self._listener.connections):
            with contextlib.suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RDWR)
