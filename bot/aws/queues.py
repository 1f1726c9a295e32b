"""The two FIFO queues, to put jobs on."""

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, unavailable
from bot.envelope import OPENINGS, deduplication_id, described, encode_job
from bot.errors import Unavailable
from bot.trace import current, traced

if TYPE_CHECKING:
    from bot.jobs import Job

log = logging.getLogger(__name__)

TRACE = "trace"
"""The attribute of a message that says which event or click it follows from."""


class SqsJobs:
    """`ports.Jobs`: the kind chooses the queue, the model package group orders it."""

    def __init__(self, clients: Clients, *, decisions_url: str, openings_url: str) -> None:
        self._clients = clients
        self._decisions_url = decisions_url
        self._openings_url = openings_url

    def put(self, job: "Job") -> None:
        """Hand a job over; raise `Unavailable` when it could not be, whatever the reason."""
        with traced(current() or getattr(job, "sender", "") or job.op):
            try:
                with unavailable("sqs:SendMessage"):
                    self._send(job)
            except (ClientError, BotoCoreError) as error:
                raise Unavailable(f"sqs:SendMessage failed: {error}") from error
            log.info("%s put on its queue", described(job))

    def _send(self, job: "Job") -> None:
        self._clients("sqs").send_message(
            QueueUrl=self._openings_url if job.kind in OPENINGS else self._decisions_url,
            MessageBody=encode_job(job),
            MessageGroupId=job.model.group,
            MessageDeduplicationId=deduplication_id(job),
            MessageAttributes={TRACE: {"DataType": "String", "StringValue": current()}},
        )
