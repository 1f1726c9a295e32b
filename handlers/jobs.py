"""The queues `decisions` and `openings`, and their dead letters: the one writer."""

import logging
import os
from typing import Any

from bot import wiring
from bot.errors import Malformed, Unavailable

log = logging.getLogger(__name__)
_worker = wiring.worker(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Carry jobs out in order; from the first that has to come again, all come again."""
    deliveries = _worker.deliveries(event)
    for done, delivery in enumerate(deliveries):
        try:
            _worker.carry_out(delivery)
        except (Malformed, Unavailable) as problem:
            log.warning("delivery %s comes again: %s", delivery.message_id, problem)
            return {"batchItemFailures": [{"itemIdentifier": each.message_id} for each in deliveries[done:]]}
    return {"batchItemFailures": []}
