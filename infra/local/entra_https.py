"""HTTPS on 127.0.0.1 for the local Entra: a CA of its own, kept-alive connections, one write an answer."""

import ipaddress
import os
import re
import socket
import ssl
import struct
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.local.slack_http import MOST_CALLS, Answer, Call, Fault, Faults


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names in lower case, `parts` are what the route found in the path, decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table of what a site can do; `name` is what its calls and faults go by."""

    name: str
    method: str
    path: str
    carry_out: Callable[[Request], Answer]

    def match(self, path: str) -> Mapping[str, str] | None:
        """Find the parts of a path that the pattern writes as `{name}`; None if it is another path."""
        found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path)), path)
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None


@dataclass(frozen=True, slots=True)
class Section:
    """The routes of one service, and how it draws an error: `refuse(status, headers)`."""

    service: str
    routes: Sequence[Route]
    refuse: Callable[[int, Mapping[str, str]], Answer]


class Site:
    """Finds the route of each request, carries it out, faults included, and counts it."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """Start without faults; a path that no section knows is the last section's to refuse."""
        self._sections = sections
        self.faults = Faults()
        self.calls: list[Call] = []

    def serve(self, request: Request) -> Answer | None:
        """Carry out one call; None: cut the connection. Counted before anybody hears of it."""
        started = time.monotonic()
        section, name, carry_out = self._find(request)
        answer = self._carry_out(section, carry_out, self.faults.take(name))
        status = answer.status if answer else 0
        self.calls.append(Call(section.service, name, started, time.monotonic(), status))
        del self.calls[: len(self.calls) - MOST_CALLS]
        return answer

    def _find(self, request: Request) -> tuple[Section, str, Callable[[], Answer]]:
        section, name, status = self._sections[-1], "unknown", 404
        for each in self._sections:
            for route in each.routes:
                parts = route.match(request.path)
                if parts is not None and route.method == request.method:
                    return each, route.name, partial(route.carry_out, replace(request, parts=parts))
                if parts is not None:
                    section, name, status = each, route.name, 405
        return section, name, lambda: section.refuse(status, {})

    def _carry_out(self, section: Section, carry_out: Callable[[], Answer], fault: Fault) -> Answer | None:
        done = carry_out() if fault.after else None
        if fault.stall:
            self.faults.stall(fault.stall)
        if fault.error:
            return Answer(200, fault.error.encode(), {"Content-Type": "application/json"})
        if isinstance(fault.status, int):
            wait = {"Retry-After": str(fault.retry_after)} if fault.status == 429 else {}
            return section.refuse(fault.status, wait)
        return None if fault.status == "reset" else done or carry_out()


class Server:
    """Serves a site over TLS on 127.0.0.1, one thread for each connection."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """Bind the port (0: a free one) and write the CA's certificate into the folder."""
        self.ca_bundle = folder / "entra-ca.pem"
        self._https = _Https(port, _make_certificates(folder, self.ca_bundle))
        self.port: int = self._https.server_address[1]
        self._thread = threading.Thread(target=self._https.serve_forever, args=(0.02,), name="entra", daemon=True)

    @property
    def connections(self) -> int:
        """How many connections were ever opened."""
        return self._https.accepted

    def start(self, site: Site) -> None:
        """Serve from now on."""
        self._https.site = site
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and break what is still open, also kept-alive connections."""
        if self._thread.is_alive():
            self._https.shutdown()
            self._thread.join()
        self._https.server_close()
        self._https.break_connections()


class _Https(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    site: Site

    def __init__(self, port: int, certificates: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._certificates = certificates
        self.accepted = 0
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Leave the handshake to the connection's own thread: it comes with the first read."""
        connection, address = super().get_request()
        secured = self._certificates.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self.accepted += 1
        self._open.add(secured)
        return secured, address

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - typeshed's
        self._open.discard(request)
        super().shutdown_request(request)

    def break_connections(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that trusts another CA goes away, and a bug was printed where it happened."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Https

    def do_POST(self) -> None:
        """Answer one request, with everything in one write."""
        answer = self._answered()
        if answer is None:
            self._break()
            return
        lines = {"Content-Length": str(len(answer.body)), **answer.headers}
        head = f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.wfile.write(head.encode() + b"\r\n" + answer.body)

    do_GET = do_POST  # noqa: N815 - the name http.server looks for

    def _answered(self) -> Answer | None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        asked = dict(parse_qsl(query, keep_blank_values=True))
        try:
            return self.server.site.serve(Request(self.command, path, asked, headers, body))
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


def _make_certificates(folder: Path, ca_bundle: Path) -> ssl.SSLContext:
    """Make a CA and a server's certificate; a key is on disk only for the moment of loading it."""
    ca_key, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    ca = _certificate("Entra of the local stack: CA", ca_key, issuer="", signer=ca_key)
    certificate = _certificate("127.0.0.1", key, issuer="Entra of the local stack: CA", signer=ca_key)
    ca_bundle.write_bytes(ca.public_bytes(Encoding.PEM))
    pair = folder / "entra-server.pem"
    pair.touch(mode=0o600)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pair.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    pair.unlink()
    return context


def _certificate(
    name: str, key: EllipticCurvePrivateKey, *, issuer: str, signer: EllipticCurvePrivateKey
) -> x509.Certificate:
    """Sign one certificate; without an issuer it is a CA, with all that strict verification wants to see."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=30))
    )
    for extension, critical in _extensions(key, signer, is_ca=not issuer):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer, SHA256())


def _extensions(
    key: EllipticCurvePrivateKey, signer: EllipticCurvePrivateKey, *, is_ca: bool
) -> list[tuple[x509.ExtensionType, bool]]:
    usage = x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    return [
        (x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        *([] if is_ca else [(x509.SubjectAlternativeName(names), False)]),
    ]


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
