# ruff: noqa: ANN401 - what a correction does not change it passes on
"""SES: what moto 5.2.5 carries as it is, and AWS rewrites or refuses."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.ses.models import RawMessage
from moto.sesv2.models import SESV2Backend

from infra.local.moto_corrections.correction import Correction

Original = Callable[..., Any]

LARGEST = 40 * 1024 * 1024
"""Bytes of a message in base64: https://docs.aws.amazon.com/ses/latest/dg/quotas.html."""
MOST_RECIPIENTS = 50
LONGEST_LINE = 1000
ONCE = ("From", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Reply-To", "Auto-Submitted")
"""Of the headers that https://docs.aws.amazon.com/ses/latest/dg/header-fields.html allows once, those of a notice."""
_OVERRIDDEN = re.compile(r"(?im)^(?:Message-ID|Date):.*\n(?:[ \t].*\n)*")


class BadRequest(JsonRESTError):
    """SES's word for a message that it will not take as it is."""

    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message)


def override_headers(original: Original, backend: SESV2Backend, *rest: Any, **more: Any) -> RawMessage:
    """AWS puts its own `Message-ID` and `Date` in place of what was sent; moto delivers those.

    The id is of a domain that names the region, but for the oldest one.
    """
    message: RawMessage = original(backend, *rest, **more)
    domain = "email" if backend.region_name == "us-east-1" else backend.region_name
    head, gap, body = _parts(message.raw_data)
    head = _OVERRIDDEN.sub("", head + "\n")
    date = format_datetime(datetime.now(UTC))
    message.raw_data = f"Message-ID: <{message.id}@{domain}.amazonses.com>\r\nDate: {date}\r\n{head[:-1]}{gap}{body}"
    return message


def deliver_as_addressed(
    original: Original, backend: SESV2Backend, source: str, destinations: list[str], raw_data: str
) -> RawMessage:
    """AWS delivers to the given destinations; moto adds those of `To`, `Cc` and `Bcc`, and so counts them twice."""
    addressed = list(destinations)
    message: RawMessage = original(backend, source=source, destinations=[], raw_data=raw_data)
    message.destinations = addressed or message.destinations
    return message


def refuse_too_many(
    original: Original, backend: SESV2Backend, source: str, destinations: list[str], raw_data: str
) -> RawMessage:
    """AWS calls more than 50 recipients a bad request; moto calls it a rejected message."""
    if len(destinations) > MOST_RECIPIENTS:
        raise BadRequest(f"Recipient count exceeds {MOST_RECIPIENTS}.")
    message: RawMessage = original(backend, source=source, destinations=destinations, raw_data=raw_data)
    return message


def refuse_malformed(
    original: Original, backend: SESV2Backend, source: str, destinations: list[str], raw_data: str
) -> RawMessage:
    """AWS refuses more than 40 MB, lines of over 1,000 characters, and a header twice; moto takes all of them."""
    if len(raw_data.encode()) * 4 / 3 > LARGEST:
        raise BadRequest(f"Message length is more than {LARGEST} bytes long.")
    if any(len(line) > LONGEST_LINE for line in raw_data.splitlines(keepends=True)):
        raise BadRequest(f"Line length exceeds {LONGEST_LINE} characters.")
    head = _parts(raw_data)[0]
    for name in ONCE:
        if len(re.findall(rf"(?im)^{name}:", head)) > 1:
            raise BadRequest(f"Duplicate header '{name}'.")
    message: RawMessage = original(backend, source=source, destinations=destinations, raw_data=raw_data)
    return message


def _parts(raw_data: str) -> tuple[str, str, str]:
    """The headers, the blank line, and the body."""
    found = re.search(r"\r?\n\r?\n", raw_data)
    if found is None:
        return raw_data, "", ""
    return raw_data[: found.start()], found[0], raw_data[found.end() :]


CORRECTIONS = (
    Correction(SESV2Backend, "send_raw_email", override_headers),
    Correction(SESV2Backend, "send_raw_email", deliver_as_addressed),
    Correction(SESV2Backend, "send_raw_email", refuse_too_many),
    Correction(SESV2Backend, "send_raw_email", refuse_malformed),
)
"""In the order in which they are laid over moto: of two over one method, the later lies outside."""
