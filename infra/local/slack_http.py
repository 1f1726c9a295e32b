"""A small HTTP server that tests can trust: keep-alive, one write an answer, calls counted, faults.

Werkzeug's server closes the connection after every answer and waits 10 ms for stray bytes, so neither
connections nor waves of calls could be counted behind it.
"""

import os
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

MOST_CALLS = 50_000
"""So that a server left running does not fill the memory; the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case, `path` without the query."""

    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One call the product made; times are `time.monotonic()`, status 0 means that no answer went out."""

    service: str
    method: str
    started: float
    ended: float
    status: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call; the fields are those of `Faults.add`."""

    status: int | Literal["reset"] | None = None
    error: str = ""
    after: bool = False
    stall: float = 0.0
    retry_after: int = 1


HARMLESS = Fault()


class Faults:
    """What goes wrong, switched on and off while the server runs."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._lock = threading.Lock()
        self._waiting: dict[str, list[tuple[Fault, int | None]]] = {}
        self._cleared = threading.Event()

    def add(
        self,
        method: str,
        *,
        status: int | Literal["reset"] | None = 500,
        error: str = "",
        after: bool = False,
        stall: float = 0.0,
        retry_after: int = 1,
        times: int | None = 1,
    ) -> None:
        """Let the next `times` calls of a method (`chat.update`, `*`) go wrong; None: until cleared.

        `status`: the answer, or "reset" for a connection cut without one, or None to only stall. `error`:
        Slack's `{"ok": false}` with this name, instead of a status. `after`: the call takes effect first,
        although the answer says otherwise. `stall`: seconds to wait, at that moment. `retry_after`: seconds,
        with status 429.
        """
        fault = Fault(status, error, after, stall, retry_after)
        with self._lock:
            self._waiting.setdefault(method, []).append((fault, times))

    def clear(self) -> None:
        """Switch all faults off, and end the stalls under way."""
        with self._lock:
            self._waiting.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    def take(self, method: str) -> Fault:
        """Use up one fault for a call."""
        with self._lock:
            waiting = self._waiting.get(method) or self._waiting.get("*")
            if not waiting:
                return HARMLESS
            fault, times = waiting.pop(0)
            if times is None or times > 1:
                waiting.insert(0, (fault, times and times - 1))
            return fault

    def stall(self, seconds: float) -> None:
        """Wait, unless the faults are cleared meanwhile."""
        self._cleared.wait(seconds)


class Service:
    """Carries out and counts the calls of one stand-in: `answer` does the work, `name` names a request."""

    def __init__(
        self,
        label: str,
        name: Callable[[Request], str],
        answer: Callable[[Request], Answer],
        refusal: Callable[[Fault], Answer],
    ) -> None:
        """`refusal` turns a fault with a status or an error into the service's own kind of answer."""
        self.label, self._name, self._answer, self._refusal = label, name, answer, refusal
        self.faults = Faults()
        self.calls: list[Call] = []

    def serve(self, request: Request) -> Answer | None:
        """Carry out one call, faults included; None: cut the connection. Counted before anybody hears it."""
        started, method = time.monotonic(), self._name(request)
        answer = self._carry_out(request, self.faults.take(method))
        status = answer.status if answer else 0
        self.calls.append(Call(self.label, method, started, time.monotonic(), status))
        del self.calls[: len(self.calls) - MOST_CALLS]
        return answer

    def _carry_out(self, request: Request, fault: Fault) -> Answer | None:
        done = self._answer(request) if fault.after else None
        if fault.stall:
            self.faults.stall(fault.stall)
        if fault.error or isinstance(fault.status, int):
            return self._refusal(fault)
        if fault.status == "reset":
            return None
        return done or self._answer(request)


class Server:
    """Serves a `Service` on 127.0.0.1, one thread for each connection."""

    def __init__(self, service: Service, port: int = 0) -> None:
        """Bind at once, so that the port is known; `port` 0 takes a free one."""
        self._http = _Http(service, port)
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def connections(self) -> int:
        """How many connections were ever opened."""
        return self._http.accepted

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and break what is still open, also kept-alive connections."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        self._http.break_connections()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.service = service
        self.accepted = 0
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - typeshed's
        self.accepted += 1
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - typeshed's
        self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: that a client went away is its own affair, and a bug was printed where it happened."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def do_POST(self) -> None:
        """Answer one request, with everything in one write."""
        answer = self._answered()
        if answer is None:
            self._break()
            return
        lines = {"Content-Length": str(len(answer.body)), **answer.headers}
        head = f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        head += "".join(f"Set-Cookie: {cookie}\r\n" for cookie in answer.cookies)
        self.wfile.write(head.encode() + b"\r\n" + (b"" if self.command == "HEAD" else answer.body))

    do_GET = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = do_POST  # noqa: N815 - http.server's names

    def _answered(self) -> Answer | None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        try:
            return self.server.service.serve(Request(path, query, headers, body, self.command))
        except Exception:  # noqa: BLE001 - the outermost frame: a bug of the stand-in must not look like a reset
            traceback.print_exc()
            return Answer(500, b"the stand-in itself failed")

    def _break(self) -> None:
        """Close so that the client reads a reset, not a polite end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
        """Keep quiet: `calls` is the log."""
