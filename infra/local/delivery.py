"""What AWS does between services: hands events, queued messages and the ticks of a schedule to functions.

Everything runs in daemon threads that end within a second of `stop()`.
"""

import itertools
import json
import logging
import queue
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.moto_corrections.queues import holds_nothing
from infra.local.threads import Event, Invoke, Threads, succeeds

TICK = 0.05
"""Seconds between two looks at something that nobody announces."""
SOON = 0.01
"""Seconds at most between two looks whether everything has come to rest."""
RECENT = 1000
"""Events that are kept to be looked at, or told again."""
SWEEP = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/sweep"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EventFaults:
    """What EventBridge may do to an event, switched while it runs.

    `duplicates`: further deliveries of each event. `reorder`: how many events are held back and shuffled (0:
    none). `drop`: share of the events that are lost, 0.0 to 1.0.
    """

    duplicates: int = 0
    reorder: int = 0
    drop: float = 0.0


class EventBus(Threads):
    """EventBridge with one rule: every event is delivered to `invoke`, at least once and in no order.

    `recent`: the last events that were not lost, newest last. `on_put`: called with each of them. `dead_letters`:
    those that failed `attempts` times.
    AWS retries for 24 hours; here each attempt waits twice as long as the one before, in terms of `backoff`.
    """

    def __init__(
        self, invoke: Invoke, *, threads: int = 2, attempts: int = 4, backoff: float = 0.05, seed: int = 0
    ) -> None:
        """Prepare; `seed` makes order and loss repeatable."""
        super().__init__(self._deliver_next, threads, "events")
        self.faults = EventFaults()
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.dead_letters: list[Event] = []
        self.on_put: list[Callable[[Event], None]] = []
        self.taken = 0
        self._invoke = invoke
        self._attempts, self._backoff = attempts, backoff
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._held: list[str] = []
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._under_way = 0

    def put(self, event: Event) -> None:
        """Take an event; meant for `Aws.on_event`."""
        with self._lock:
            self.taken += 1
            if self._random.random() < self.faults.drop:
                return
            self.recent.append(event)
            for callback in self.on_put:
                callback(event)
            text = json.dumps(event)
            for _ in range(1 + self.faults.duplicates):
                self._under_way += 1
                self._held.append(text)
            self._release(keeping=self.faults.reorder)

    def idle(self) -> bool:
        """Say whether nothing is waiting, held back, under way or to be tried again."""
        with self._lock:
            return not self._under_way

    def _release(self, *, keeping: int) -> None:
        while len(self._held) > keeping:
            chosen = self._random.randrange(len(self._held)) if self.faults.reorder else 0
            self._waiting.put(self._held.pop(chosen))

    def _deliver_next(self) -> None:
        try:
            event = self._waiting.get(timeout=TICK)
        except queue.Empty:
            with self._lock:
                self._release(keeping=0)
            return
        self._deliver(event)
        with self._lock:
            self._under_way -= 1

    def _deliver(self, text: str) -> None:
        for attempt in range(self._attempts):
            if attempt and self.stopped.wait(self._backoff * 2**attempt):
                return
            if succeeds(self._invoke, json.loads(text)):
                return
        self.dead_letters.append(json.loads(text))


class QueuePoller(Threads):
    """Lambda's event source mapping of one queue: batch size 1, `ReportBatchItemFailures` on.

    A message stays in the queue when the function raises or names it in `batchItemFailures`; it shows again
    after the queue's visibility timeout, or after `retry_after` whole seconds. Hand it
    `Aws.client("sqs", access_key=AWS_ITSELF)`, so that its polling is not among the product's calls.
    """

    def __init__(
        self,
        sqs: Any,  # noqa: ANN401 - a boto3 client
        queue_url: str,
        invoke: Invoke,
        *,
        threads: int = 4,
        retry_after: int | None = None,
    ) -> None:
        """Prepare; the queue must exist."""
        super().__init__(self._poll, threads, queue_url.rsplit("/", 1)[-1])
        self.taken = 0
        self._sqs, self._url, self._invoke, self._retry_after = sqs, queue_url, invoke, retry_after
        found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        self._arn: str = found["Attributes"]["QueueArn"]
        self._lock = threading.Lock()
        self._under_way = 0

    def idle(self) -> bool:
        """Say whether no message is in the function's hands; see `empty` for those in the queue."""
        with self._lock:
            return not self._under_way

    def empty(self) -> bool:
        """Say whether the queue holds nothing, neither visible nor in flight nor delayed."""
        return holds_nothing(self._arn)

    def join(self, deadline: float) -> None:
        """Wait for the function alone: a poll under way runs out by itself, giving back what it receives."""
        while not self.idle() and time.monotonic() < deadline:
            time.sleep(0.005)

    def _poll(self) -> None:
        try:
            messages = self._receive()
        except (BotoCoreError, ClientError) as error:
            log.debug("could not receive: %s", error)
            self.stopped.wait(TICK)
            return
        for message in messages:
            self._count(1)
            try:
                self._handle(message)
            except (BotoCoreError, ClientError) as error:
                log.warning("the message stays in the queue: %s", error)
            finally:
                self._count(-1)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=1,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def _count(self, more: int) -> None:
        with self._lock:
            self._under_way += more
            self.taken += max(more, 0)

    def _handle(self, message: dict[str, Any]) -> None:
        receipt = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
        if self.stopped.is_set():
            self._sqs.change_message_visibility(**receipt, VisibilityTimeout=0)
        elif succeeds(self._work_on, {"Records": [record(message, self._arn)]}):
            self._sqs.delete_message(**receipt)
        elif self._retry_after is not None:
            self._sqs.change_message_visibility(**receipt, VisibilityTimeout=self._retry_after)

    def _work_on(self, event: Event) -> None:
        answer = self._invoke(event)
        if isinstance(answer, dict) and answer.get("batchItemFailures"):
            raise RuntimeError(f"the function answered {answer}")


def record(message: dict[str, Any], queue_arn: str) -> dict[str, Any]:
    """Write a message as Lambda hands it on: its names begin in lower case, those of `attributes` do not."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    known = {name[0].lower() + name[1:]: content for name, content in value.items()}
    return known | {"stringListValues": [], "binaryListValues": []}


class Schedule(Threads):
    """EventBridge Scheduler: calls a function every so often, never twice at a time; `fire()` does so now."""

    def __init__(self, invoke: Invoke, every_seconds: float, *, arn: str = SWEEP) -> None:
        """Prepare; the first call comes after one interval."""
        super().__init__(self._take_turn, 1, "schedule")
        self._invoke, self._every, self._arn = invoke, every_seconds, arn
        self._one_at_a_time = threading.Lock()

    def idle(self) -> bool:
        """Say whether the function is not running."""
        return not self._one_at_a_time.locked()

    def fire(self) -> Any:  # noqa: ANN401 - whatever the function answers
        """Call the function now and wait for it; what it raises is raised here."""
        with self._one_at_a_time:
            return self._invoke(scheduled_event(self._arn))

    def _take_turn(self) -> None:
        if not self.stopped.wait(self._every):
            succeeds(lambda _: self.fire(), {})


def scheduled_event(arn: str) -> Event:
    """Write the event of a schedule that has no input of its own; its `detail` is text."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": arn.split(":")[4],
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": arn.split(":")[3],
        "resources": [arn],
        "detail": "{}",
    }


def idle(bus: EventBus, pollers: Sequence[QueuePoller] = (), *, timeout: float = 10.0) -> None:
    """Wait until no event is under way and the queues are empty, all at one moment, else `TimeoutError`."""
    deadline = time.monotonic() + timeout
    for waits in itertools.count():
        before = _taken(bus, pollers)
        if _at_rest(bus, pollers) and before == _taken(bus, pollers):
            return
        if time.monotonic() > deadline:
            busy = [bus.name] * (not bus.idle()) + [poller.name for poller in pollers if not poller.empty()]
            raise TimeoutError(f"still busy after {timeout} s: {', '.join(busy)}")
        time.sleep(min(0.001 * (waits + 1), SOON))


def _taken(bus: EventBus, pollers: Sequence[QueuePoller]) -> list[int]:
    return [bus.taken, *(poller.taken for poller in pollers)]


def _at_rest(bus: EventBus, pollers: Sequence[QueuePoller]) -> bool:
    here = bus.idle() and all(poller.idle() for poller in pollers)
    return here and all(poller.empty() for poller in pollers) and bus.idle()
