"""API Gateway -> Microsoft Teams' activities: verify, put a job on the queue, answer with the card being recorded."""

import os
from typing import Any

from bot import wiring

_door = wiring.teams_door(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0) within the five seconds after which Teams gives up."""
    return _door(event)
