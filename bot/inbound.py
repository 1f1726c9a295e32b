"""One HTTP request as API Gateway hands it over (payload format 2.0), whatever stands in it: read alike at every door.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

Event = Mapping[str, Any]


class Unacceptable(Exception):
    """A request that goes no further, and the HTTP status that its sender gets."""

    def __init__(self, status: int, cause: str) -> None:
        super().__init__(cause)
        self.status = status


def path_of(event: Event) -> str:
    """Where it leads, without the stage."""
    path, stage = text_of(event.get("rawPath")), f"/{text_of(table_of(event, 'requestContext').get('stage'))}"
    return path.removeprefix(stage) or "/" if f"{path}/".startswith(f"{stage}/") and stage != "/" else path


def method_of(event: Event) -> str:
    """What is to be done."""
    return text_of(table_of(table_of(event, "requestContext"), "http").get("method")).upper()


def headers_of(event: Event) -> dict[str, str]:
    """The headers, their names in lower case."""
    return {text_of(name).lower(): text_of(value) for name, value in table_of(event, "headers").items()}


def body_of(event: Event, largest: int) -> str:
    """The body as text, of at most `largest` bytes; measured before it costs anything to decode it."""
    body, encoded = event.get("body"), event.get("isBase64Encoded") is True
    body = body if isinstance(body, str) else ""
    if len(body) > (largest * 4 // 3 + 4 if encoded else largest):
        raise Unacceptable(413, f"the body has {len(body)} characters")
    try:
        raw = b64decode(body, validate=True) if encoded else body.encode()
        text = raw.decode()
    except (binascii.Error, ValueError) as problem:
        raise Unacceptable(400, "the body cannot be decoded") from problem
    if len(raw) > largest:
        raise Unacceptable(413, f"the body has {len(raw)} bytes")
    return text


def answer(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What API Gateway is to answer."""
    return {
        "statusCode": status,
        "headers": {"content-type": "text/plain;charset=utf-8", **(headers or {})},
        "body": body,
        "isBase64Encoded": False,
    }


def table_of(value: Event, name: str) -> Event:
    """A part that should be an object."""
    found = value.get(name)
    return found if isinstance(found, Mapping) else {}


def text_of(value: object) -> str:
    """A text without halves of characters, which nothing that follows could encode."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
