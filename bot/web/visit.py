"""One HTTP request, read from an API Gateway event (payload format 2.0), whatever stands in it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

LARGEST = 64 * 1024
"""Bytes of a form; ours stay far below."""
LONGEST = 8 * 1024
"""Characters of a query: a sealed link and a sign-in's code are shorter."""
MOST = 50
"""Fields of a form or a query."""
FORM = "application/x-www-form-urlencoded"


class Unacceptable(Exception):
    """A request that no page answers: the HTTP status, and what a person is told."""

    def __init__(self, status: int, says: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(says)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the pages see it; of names that come twice, the first counts."""

    method: str
    path: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    encoded: bool

    @property
    def target(self) -> str:
        """Where this request leads, below the pages' root."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def about(self) -> str:
        """What a form on this page is about: the page, and the sealed link that it was opened by."""
        return f"{self.path}?{urlencode({'t': self.query['t']})}" if "t" in self.query else self.path

    def fields(self) -> Mapping[str, str]:
        """Read the form in the body, measured before it costs anything to decode it."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Unacceptable(415, "This is not a form of ours, so nothing was recorded.")
        if len(self.body) > (LARGEST * 4 // 3 + 4 if self.encoded else LARGEST):
            raise Unacceptable(413, "This form is too large, so nothing was recorded. Shorten what you wrote.")
        try:
            text = b64decode(self.body, validate=True).decode() if self.encoded else self.body
        except (binascii.Error, ValueError) as problem:
            raise Unacceptable(400, "This form cannot be read, so nothing was recorded.") from problem
        return _pairs(text)


def method_of(event: Mapping[str, Any]) -> str:
    """What is to be done, whatever else stands in the event."""
    return _text(_table(_table(event.get("requestContext")).get("http")).get("method")).upper()


def read_visit(event: Mapping[str, Any], *, root: str) -> Visit:
    """Read an event; `root` is the path at which the pages begin, if any."""
    query = _text(event.get("rawQueryString"))
    if len(query) > LONGEST:
        raise Unacceptable(414, "This link is too long to be one of ours.")
    stage, cookies = _table(event.get("requestContext")).get("stage"), event.get("cookies")
    return Visit(
        method=method_of(event),
        path=_below(_text(event.get("rawPath")), f"/{_text(stage)}", root),
        query=_pairs(query),
        cookies=_jar(cookies if isinstance(cookies, list) else []),
        headers={_text(name).lower(): _text(value) for name, value in _table(event.get("headers")).items()},
        body=_text(event.get("body")),
        encoded=event.get("isBase64Encoded") is True,
    )


def _below(path: str, *prefixes: str) -> str:
    """The path without the stage, or without what a custom domain puts before it."""
    for prefix in prefixes:
        if prefix.strip("/") and f"{path}/".startswith(f"{prefix}/"):
            return path.removeprefix(prefix) or "/"
    return path


def _pairs(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST)
    except ValueError as problem:
        raise Unacceptable(400, "This link or form cannot be read, so nothing was recorded.") from problem
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _jar(cookies: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in cookies:
        name, _, value = _text(each).partition("=")
        found.setdefault(name.strip(), value.strip())
    return found


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """A text without halves of characters, which nothing that follows could encode."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
