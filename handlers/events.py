"""EventBridge, directly or in SQS records -> hints on the queues. What it says is never believed, only looked into."""

import logging
import os
from typing import Any

from bot import wiring
from bot.errors import Malformed, Unavailable

log = logging.getLogger(__name__)
_events = wiring.events(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Enqueue what an event asks for; a record that cannot be read goes to the dead letters, the others count."""
    failed = []
    for record in _events.records(event):
        try:
            for job in _events.jobs_of(record):
                _events.queue.put(job)
        except (Malformed, Unavailable) as problem:
            log.error("an event was not taken: %s", problem)
            if not record.message_id:
                raise
            failed.append({"itemIdentifier": record.message_id})
    return {"batchItemFailures": failed}
