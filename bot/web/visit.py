"""One HTTP request, read from an API Gateway event (payload format 2.0), whatever stands in it.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bot import inbound
from bot.inbound import text_of

LARGEST = 64 * 1024
"""Bytes of a form; ours stay far below."""
LONGEST = 8 * 1024
"""Characters of a query: a sealed link and a sign-in's code are shorter."""
MOST = 50
"""Fields of a form or a query."""
FORM = "application/x-www-form-urlencoded"
UNREAD = {
    413: "This form is too large, so nothing was recorded. Shorten what you wrote.",
    400: "This form cannot be read, so nothing was recorded.",
}


class Unacceptable(inbound.Unacceptable):
    """A request that no page answers: the HTTP status, and what a person is told."""

    def __init__(self, status: int, says: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, says)
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Visit:
    """A request as the pages see it; of names that come twice, the first counts."""

    method: str
    path: str
    query: Mapping[str, str]
    cookies: Mapping[str, str]
    headers: Mapping[str, str]
    event: Mapping[str, Any]

    @property
    def target(self) -> str:
        """Where this request leads, below the pages' root."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def about(self) -> str:
        """What a form on this page is about: the page, and the sealed link that it was opened by."""
        return f"{self.path}?{urlencode({'t': self.query['t']})}" if "t" in self.query else self.path

    def fields(self) -> Mapping[str, str]:
        """Read the form in the body."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            raise Unacceptable(415, "This is not a form of ours, so nothing was recorded.")
        try:
            text = inbound.body_of(self.event, LARGEST)
        except inbound.Unacceptable as problem:
            raise Unacceptable(problem.status, UNREAD[problem.status]) from problem
        return _pairs(text)


def read_visit(event: Mapping[str, Any], *, root: str) -> Visit:
    """Read an event; `root` is the path at which the pages begin, if any."""
    query = text_of(event.get("rawQueryString"))
    if len(query) > LONGEST:
        raise Unacceptable(414, "This link is too long to be one of ours.")
    cookies, path = event.get("cookies"), inbound.path_of(event)
    staged = path != text_of(event.get("rawPath"))
    return Visit(
        method=inbound.method_of(event),
        path=path if staged else _below(path, root),
        query=_pairs(query),
        cookies=_jar(cookies if isinstance(cookies, list) else []),
        headers=inbound.headers_of(event),
        event=event,
    )


def _below(path: str, root: str) -> str:
    """The path without what a custom domain puts before it."""
    return path.removeprefix(root) or "/" if root and f"{path}/".startswith(f"{root}/") else path


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
        name, _, value = text_of(each).partition("=")
        found.setdefault(name.strip(), value.strip())
    return found
