"""What the two FIFO queues, and those of their dead letters, bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.aws.queues import TRACE
from bot.errors import Malformed
from bot.jobs import Receipt

DEAD = "-dead.fifo"
"""How the name of a dead-letter queue ends."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as Lambda hands it over."""

    message_id: str
    body: str
    receipt: Receipt
    trace: str = ""


def deliveries(event: Mapping[str, Any], *, max_receives: int) -> list[Delivery]:
    """Read the event of an SQS trigger; raise `Malformed` for any other."""
    try:
        return [_delivery(record, max_receives) for record in event["Records"]]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as problem:
        raise Malformed(f"not the event of a queue: {problem!r}") from problem


def _delivery(record: Mapping[str, Any], max_receives: int) -> Delivery:
    if not isinstance(record["messageId"], str) or not isinstance(record["body"], str):
        raise TypeError("messageId and body are no texts")
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    dead = str(record["eventSourceARN"]).endswith(DEAD)
    receipt = Receipt(receives, last=not dead and receives >= max_receives, dead=dead)
    trace = record.get("messageAttributes", {}).get(TRACE, {}).get("stringValue", "")
    return Delivery(record["messageId"], record["body"], receipt, str(trace))
