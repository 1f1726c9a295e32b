"""API Gateway -> the pages for people who sign in: requests, answers, links of accounts. Answers go on the queues."""

import os
from typing import Any

from bot import wiring

_door = wiring.web_door(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0)."""
    return _door(event)
