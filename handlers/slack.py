"""API Gateway -> Slack's interactivity, slash command and events: verify, put a job on the queue, acknowledge."""

import os
from typing import Any

from bot import wiring

_door = wiring.slack_door(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer an HTTP API event (payload format 2.0) within Slack's three seconds."""
    return _door(event)
