# ruff: noqa: ANN401, SLF001 - what a correction does not change it passes on; moto hides what is wrong
"""SQS: what keeps moto 5.2.5 from delivering a FIFO queue's messages once, in order, and to one receiver."""

import itertools
import time
from collections.abc import Callable
from typing import Any

from moto.core.utils import unix_time_millis
from moto.sqs.exceptions import InvalidParameterValue
from moto.sqs.models import DEDUPLICATION_TIME_IN_SECONDS, Message, Queue, SQSBackend, sqs_backends

from infra.local.moto_corrections.correction import Correction

Original = Callable[..., Any]

_numbers = itertools.count(18_850_000_000_000_000_000)


def hand_out_once(
    original: Original,
    backend: SQSBackend,
    queue_name: str,
    count: int,
    wait_seconds_timeout: int,
    *rest: Any,
) -> list[Message]:
    """AWS hands a message to one receiver within its visibility timeout; moto selects, then marks, unlocked.

    moto also spins, a whole processor, while it waits on a queue whose message groups are all in flight.
    """
    queue = backend.get_queue(queue_name)
    deadline = time.monotonic() + wait_seconds_timeout
    with queue._messages_lock:
        while True:
            received = original(backend, queue_name, count, 0, *rest)
            left = deadline - time.monotonic()
            if received or left <= 0:
                return list(received)
            queue._messages_lock.wait(min(left, _until_something_shows(queue)))


def _until_something_shows(queue: Queue) -> float:
    """Seconds until the next message shows; one that is sent or deleted meanwhile ends the wait by itself."""
    now = unix_time_millis()
    shows = (max(message.visible_at, message.delayed_until) for message in queue._messages)
    return min((at - now for at in shows if at >= now), default=3_600_000.0) / 1000 + 0.001


def refuse_expired_receipts(
    original: Original,
    backend: SQSBackend,
    queue_name: str,
    receipt_handle: str,
    *rest: Any,
    **more: Any,
) -> None:
    """AWS refuses, on a FIFO queue, the receipt of a message whose visibility timeout is over; moto obeys it.

    So a receiver that was too slow cannot delete what another has been given since.
    """
    queue = backend.get_queue(queue_name)
    with queue._messages_lock:
        held = next((message for message in queue._messages if message.had_receipt_handle(receipt_handle)), None)
        if queue.fifo_queue and held and (held.visible or held.receipt_handle != receipt_handle):
            raise InvalidParameterValue(
                f"Value {receipt_handle} for parameter ReceiptHandle is invalid. "
                "Reason: The receipt handle has expired."
            )
        original(backend, queue_name, receipt_handle, *rest, **more)


def change_under_lock(
    original: Original,
    backend: SQSBackend,
    queue_name: str,
    *rest: Any,
    **more: Any,
) -> None:
    """AWS loses no message that is sent while another is deleted; moto replaces the whole list, unlocked.

    Those who wait are woken: what was in flight may have blocked a message group.
    """
    queue = backend.get_queue(queue_name)
    with queue._messages_lock:
        original(backend, queue_name, *rest, **more)
        queue._messages_lock.notify_all()


def remember_deduplication_ids(original: Original, queue: Queue, message: Message) -> None:
    """AWS drops a repeated deduplication id for five minutes, the first deleted or not; moto forgets it."""
    with queue._messages_lock:
        if not queue.fifo_queue or not _repeats(queue, message):
            original(queue, message)


def _repeats(queue: Queue, message: Message) -> bool:
    now = unix_time_millis()
    seen: dict[str, float] = vars(queue).setdefault("deduplication_ids", {})
    for known in [known for known, at in seen.items() if now - at >= DEDUPLICATION_TIME_IN_SECONDS * 1000]:
        del seen[known]
    if message.deduplication_id is None or message.deduplication_id in seen:
        return message.deduplication_id is not None
    seen[message.deduplication_id] = now
    return False


def keep_dead_letters(original: Original, queue: Queue, message: Message) -> None:
    """AWS moves every message received too often; moto loses one whose deduplication id lies there already.

    Two queues may share a dead-letter queue, and the same job may fail on both.
    """
    if not message.approximate_receive_count:
        original(queue, message)
        return
    with queue._messages_lock:
        queue._messages.append(message)
        queue._messages_lock.notify_all()


def number_in_order(original: Original, queue: Queue, message: Message) -> None:
    """AWS numbers the messages of a group upwards; moto draws the number at random."""
    with queue._messages_lock:
        if queue.fifo_queue and not message.approximate_receive_count:
            message.sequence_number = str(next(_numbers))
        original(queue, message)


def holds_nothing(arn: str) -> bool:
    """Say whether a queue is empty: nothing visible, in flight or delayed.

    No correction, but a look of our own: GetQueueAttributes counts these one after the other, and a message whose
    time-out ends in between is in no count.
    """
    _, _, _, region, account, name = arn.split(":")
    queue = sqs_backends[account][region].get_queue(name)
    with queue._messages_lock:
        return not queue._messages


CORRECTIONS = (
    Correction(SQSBackend, "receive_message", hand_out_once),
    Correction(SQSBackend, "delete_message", refuse_expired_receipts),
    Correction(SQSBackend, "change_message_visibility", refuse_expired_receipts),
    Correction(SQSBackend, "delete_message", change_under_lock),
    Correction(SQSBackend, "change_message_visibility", change_under_lock),
    Correction(SQSBackend, "purge_queue", change_under_lock),
    Correction(Queue, "add_message", remember_deduplication_ids),
    Correction(Queue, "add_message", keep_dead_letters),
    Correction(Queue, "add_message", number_in_order),
)
"""In the order in which they are laid over moto: of two over one method, the later lies outside."""
