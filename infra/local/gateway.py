"""API Gateway's HTTP API: turns HTTP requests into events of payload format 2.0, and answers back into HTTP.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import time
import uuid
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import unquote

from infra.local.slack_http import Answer, Fault, Request, Server, Service
from infra.local.threads import Event, Invoke

LARGEST = 10 * 1024 * 1024
"""Bytes of a request that API Gateway lets through."""


class Gateway:
    """Routes by the beginning of a path, one function each; the longest beginning wins, as `$default` comes last."""

    def __init__(self, routes: Mapping[str, Invoke], *, port: int = 0) -> None:
        """Bind the port (0: a free one); nothing is served before `start`."""
        self._routes = routes
        self._service = Service("gateway", lambda request: request.path, self._answer, _refusal)
        self._server = Server(self._service, port)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self.pages_url = f"http://localhost:{self._server.port}"
        """For browsers: another site than 127.0.0.1, where Entra's page is; they keep Secure cookies for both."""

    def start(self) -> Self:
        """Serve until `stop`."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _answer(self, request: Request) -> Answer:
        found = [path for path in self._routes if request.path.startswith(path)]
        invoke = self._routes[max(found, key=len)] if found else None
        if invoke is None:
            return Answer(404, b'{"message":"Not Found"}', {"Content-Type": "application/json"})
        if len(request.body) > LARGEST:
            return Answer(413, b'{"message":"Request Entity Too Large"}', {"Content-Type": "application/json"})
        return _http(invoke(api_event(request)))


def api_event(request: Request) -> Event:
    """Write a request as API Gateway does: text as it is, anything else in base64."""
    try:
        body, encoded = request.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = b64encode(request.body).decode(), True
    headers = dict(request.headers)
    cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(request.path),
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": headers,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": request.headers.get("host", ""),
            "http": {"method": request.method, "path": request.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": str(uuid.uuid4()),
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": int(time.time() * 1000),
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


def _http(answer: Any) -> Answer:  # noqa: ANN401 - whatever the function answers
    body = str(answer.get("body") or "")
    raw = b64decode(body) if answer.get("isBase64Encoded") else body.encode()
    return Answer(int(answer["statusCode"]), raw, dict(answer.get("headers") or {}), answer.get("cookies") or ())


def _refusal(fault: Fault) -> Answer:
    return Answer(int(fault.status or 500), b'{"message":"Internal Server Error"}')
