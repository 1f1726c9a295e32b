"""The two FIFO queues."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, unavailable
from bot.errors import Malformed, Unavailable
from bot.jobs import OPENINGS, Job, Receipt, deduplication_id, described, encode_job
from bot.trace import current, traced

log = logging.getLogger(__name__)

TRACE = "trace"
"""The attribute of a message that says which event or click it follows from."""
DEAD = "-dead.fifo"
"""How the name of a dead-letter queue ends."""


class SqsJobs:
    """`ports.Jobs`: the kind chooses the queue, the model package group orders it."""

    def __init__(self, clients: Clients, *, decisions_url: str, openings_url: str) -> None:
        self._clients = clients
        self._decisions_url = decisions_url
        self._openings_url = openings_url

    def put(self, job: Job) -> None:
        """Hand a job over; raise `Unavailable` when it could not be, whatever the reason."""
        with traced(current() or getattr(job, "sender", "") or job.op):
            try:
                with unavailable("sqs:SendMessage"):
                    self._send(job)
            except (ClientError, BotoCoreError) as error:
                raise Unavailable(f"sqs:SendMessage failed: {error}") from error
            log.info("%s put on its queue", described(job))

    def _send(self, job: Job) -> None:
        self._clients("sqs").send_message(
            QueueUrl=self._openings_url if isinstance(job, OPENINGS) else self._decisions_url,
            MessageBody=encode_job(job),
            MessageGroupId=job.model.group,
            MessageDeduplicationId=deduplication_id(job),
            MessageAttributes={TRACE: {"DataType": "String", "StringValue": current()}},
        )


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
