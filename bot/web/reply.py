"""What a page answers, with the headers that everything carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "x-frame-options": "DENY",
        # With no-referrer, browsers send `Origin: null` with our own forms
        "referrer-policy": "same-origin",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "x-robots-tag": "noindex, nofollow",
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, page, further headers and cookies."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def event(self) -> dict[str, Any]:
        """As API Gateway wants it (payload format 2.0)."""
        return {
            "statusCode": self.status,
            "headers": {**HEADERS, **self.headers},
            "cookies": list(self.cookies),
            "body": self.body,
            "isBase64Encoded": False,
        }


def redirect(url: str, *, cookies: tuple[str, ...] = ()) -> Reply:
    """Lead on with a GET, whatever this was."""
    return Reply(303, headers={"location": url}, cookies=cookies)
