"""The network that loopback does not have: a delay before each call, and one more for each new connection.

A call begins with the first bytes that a client sends after the server has spoken, whatever the protocol above: so one
proxy serves HTTP and, behind CONNECT, TLS, whose handshake is such a call of its own.
"""

import contextlib
import select
import socket
import threading
import time
from typing import Self

CHUNK = 65536


class Proxy:
    """Forwards to one address, or, without one, to where CONNECT asks it to; `connections` counts those it took."""

    def __init__(self, delay: float, target: tuple[str, int] | None = None) -> None:
        self.connections = 0
        self._delay = delay
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []

    def start(self) -> Self:
        """Take connections until `stop`."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self) -> None:
        """Close every connection."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed by `stop`
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server = socket.create_connection(self._target or _asked_for(client))
            self._open += (client, server)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._target:
                time.sleep(self._delay)  # behind CONNECT, the handshake of TLS takes it
            _Conversation(client, server, self._delay).carry()


class _Conversation:
    """One connection: what the client says is delayed once, until the server has answered."""

    def __init__(self, client: socket.socket, server: socket.socket, delay: float) -> None:
        self._client, self._server, self._delay = client, server, delay
        self._answered = threading.Event()
        self._answered.set()

    def carry(self) -> None:
        threading.Thread(target=self._back, daemon=True).start()
        while said := self._client.recv(CHUNK):
            if self._answered.is_set():
                self._answered.clear()
                time.sleep(self._delay)
                said += _waiting(self._client)
            self._server.sendall(said)
        self._server.shutdown(socket.SHUT_WR)

    def _back(self) -> None:
        with contextlib.suppress(OSError):
            while said := self._server.recv(CHUNK):
                self._answered.set()
                self._client.sendall(said)
            self._client.shutdown(socket.SHUT_WR)


def _waiting(client: socket.socket) -> bytes:
    """What has come meanwhile: the rest of a request, or the request behind the end of a handshake."""
    found = b""
    while select.select([client], [], [], 0)[0] and (more := client.recv(CHUNK)):
        found += more
    return found


def _asked_for(client: socket.socket) -> tuple[str, int]:
    """The address in `CONNECT 127.0.0.1:8443 HTTP/1.1`, which is answered at once."""
    head = b""
    while b"\r\n\r\n" not in head and (more := client.recv(CHUNK)):
        head += more
    host, _, port = head.split()[1].decode().partition(":")
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return host, int(port)
