"""Events, queued messages and ticks reach their functions as AWS's would, and go wrong as AWS's may."""

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.local.aws import Aws
from infra.local.aws_faults import AWS_ITSELF
from infra.local.delivery import EventBus, QueuePoller, Schedule, idle
from infra.local.moto_corrections import queues
from infra.local.threads import stop

CORRECTIONS = {f"queues.{correction.fix.__name__}": correction.fix for correction in queues.CORRECTIONS}


@pytest.fixture(scope="module")
def running():
    with Aws() as aws:
        yield aws


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.on_event.clear()
    running.reset()
    return running


@pytest.fixture
def sqs(aws):
    return aws.client("sqs")


@pytest.fixture(scope="module")
def plain():
    """What moto does without corrections, which this process cannot show once it has corrected it."""
    script = Path(__file__).with_name("plain_moto.py")
    done = subprocess.run([sys.executable, script, "queues"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def started():
    """Start something, and stop all of it when the test is over."""
    parts = []

    def start(part):
        parts.append(part)
        return part.start()

    yield start
    stop(*parts)


class Handler:
    """A function that fails as often as told, and remembers what it was given."""

    def __init__(self, *, failures=0):
        self.failures = failures
        self.given = []
        self.lock = threading.Lock()

    def __call__(self, event):
        with self.lock:
            self.given.append(event)
            fails = len(self.given) <= self.failures
        if fails:
            raise RuntimeError("told to fail")

    @property
    def bodies(self):
        return [event["Records"][0]["body"] for event in self.given]


def fifo(sqs, name, **attributes):
    return sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true", **attributes})["QueueUrl"]


def with_dead_letters(sqs, name, dead, *, receives, **attributes):
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
    return fifo(sqs, name, RedrivePolicy=policy, **attributes)


def send(sqs, url, text, *, group="churn", deduplication=None):
    sqs.send_message(QueueUrl=url, MessageBody=text, MessageGroupId=group, MessageDeduplicationId=deduplication or text)


def receive(sqs, url, *, count=1, wait=0):
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=count, WaitTimeSeconds=wait, MessageSystemAttributeNames=["All"]
    )
    return answer.get("Messages", [])


def bodies(messages):
    return [message["Body"] for message in messages]


def event(number):
    return {"id": str(number), "source": "aws.sagemaker", "detail": {}}


# ------------------------------------------------------------------------------------------- moto as it is


@pytest.mark.parametrize("name", CORRECTIONS)
def test_moto_without_the_correction_still_differs_from_aws(plain, name):
    assert plain[name], f"moto now does so by itself: drop the correction {name} ({CORRECTIONS[name].__doc__})"


def test_moto_still_spins_while_it_waits(plain):
    assert plain["queues.hand_out_once_without_spinning"], "moto now waits: see hand_out_once"


# ---------------------------------------------------------------------------------------- the queues in moto


def test_a_message_is_handed_to_one_receiver_at_a_time(sqs):
    url = fifo(sqs, "once")
    for number in range(16):
        send(sqs, url, str(number), group=str(number))
    with ThreadPoolExecutor(16) as pool:
        received = [body for found in pool.map(lambda _: receive(sqs, url), range(48)) for body in bodies(found)]
    assert sorted(received, key=int) == [str(number) for number in range(16)]


def test_a_group_waits_while_one_of_its_messages_is_in_flight(sqs):
    url = fifo(sqs, "groups")
    for text, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        send(sqs, url, text, group=group)
    (first,) = receive(sqs, url)
    assert bodies([first]) == ["a1"]
    assert bodies(receive(sqs, url, count=10)) == ["b1"]
    assert receive(sqs, url) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert bodies(receive(sqs, url)) == ["a2"]


def test_a_waiting_receiver_gets_what_becomes_free_at_once_and_does_not_spin(sqs):
    url = fifo(sqs, "waiting")
    send(sqs, url, "first")
    send(sqs, url, "second")
    (first,) = receive(sqs, url)
    receipt = {"QueueUrl": url, "ReceiptHandle": first["ReceiptHandle"]}
    free = threading.Timer(0.3, sqs.delete_message, kwargs=receipt)
    free.start()
    began, processor = time.monotonic(), time.process_time()
    assert bodies(receive(sqs, url, wait=5)) == ["second"]
    assert time.monotonic() - began < 2
    assert time.process_time() - processor < 0.5 * (time.monotonic() - began)
    free.join()


def test_a_message_shows_again_after_its_visibility_timeout_before_the_rest_of_its_group(sqs):
    url = fifo(sqs, "timeout", VisibilityTimeout="1")
    send(sqs, url, "first")
    send(sqs, url, "second")
    assert receive(sqs, url)[0]["Attributes"]["ApproximateReceiveCount"] == "1"
    (again,) = receive(sqs, url, wait=3)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("first", "2")


def test_an_expired_receipt_deletes_nothing(sqs):
    url = fifo(sqs, "expired")
    send(sqs, url, "slow")
    late = {"QueueUrl": url, "ReceiptHandle": receive(sqs, url)[0]["ReceiptHandle"]}
    sqs.change_message_visibility(**late, VisibilityTimeout=0)
    (current,) = receive(sqs, url, wait=1)
    for call in (
        sqs.delete_message,
        lambda **kept: sqs.change_message_visibility(**kept, VisibilityTimeout=9),
    ):
        with pytest.raises(ClientError, match="The receipt handle has expired"):
            call(**late)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=current["ReceiptHandle"])


def test_no_message_is_lost_while_others_are_deleted(sqs):
    url = fifo(sqs, "busy")

    def pass_through(number):
        send(sqs, url, str(number), group=str(number))
        found = receive(sqs, url)
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies(found)

    with ThreadPoolExecutor(16) as pool:
        passed = [body for found in pool.map(pass_through, range(60)) for body in found]
    assert len(passed) + len(receive(sqs, url, count=10)) == 60


def test_a_repeated_deduplication_id_is_dropped_even_after_the_first_was_deleted(sqs):
    url = fifo(sqs, "repeated")
    send(sqs, url, "first", deduplication="op")
    send(sqs, url, "repeated in the queue", deduplication="op")
    (first,) = receive(sqs, url)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    send(sqs, url, "repeated after it", deduplication="op")
    send(sqs, url, "another", deduplication="another op")
    assert bodies(receive(sqs, url, count=10)) == ["another"]


def test_a_repeated_content_is_dropped_where_the_queue_says_so(sqs):
    url = fifo(sqs, "content", ContentBasedDeduplication="true")
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody="same", MessageGroupId="churn")
    assert bodies(receive(sqs, url, count=10)) == ["same"]


def test_what_fails_too_often_moves_to_the_dead_letters_with_its_group(sqs):
    dead = fifo(sqs, "dead")
    sources = [with_dead_letters(sqs, name, dead, receives=1, VisibilityTimeout="0") for name in ("one", "two")]
    for url in sources:
        send(sqs, url, "failed on both")
        receive(sqs, url)
        time.sleep(0.005)
        assert receive(sqs, url) == []
    moved = [message["Attributes"]["MessageGroupId"] for message in receive(sqs, dead, count=10)]
    assert moved == ["churn", "churn"]


def test_messages_are_numbered_upwards(sqs):
    url = fifo(sqs, "numbered")
    for number in range(10):
        send(sqs, url, str(number))
    numbers = [int(message["Attributes"]["SequenceNumber"]) for message in receive(sqs, url, count=10)]
    assert numbers == sorted(set(numbers))


# ---------------------------------------------------------------------------------- from a queue to Lambda


@pytest.fixture
def poller(aws, started):
    def poll(url, handler, **more):
        return started(QueuePoller(aws.client("sqs", access_key=AWS_ITSELF), url, handler, **more))

    return poll


@pytest.fixture
def bus(started):
    return started(EventBus(lambda _: None))


def test_a_message_becomes_the_event_that_lambda_would_be_given(sqs, bus, poller):
    url, handler = fifo(sqs, "jobs"), Handler()
    sqs.send_message(
        QueueUrl=url,
        MessageBody='{"job": 1}',
        MessageGroupId="churn",
        MessageDeduplicationId="op",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "vote"}},
    )
    idle(bus, [poller(url, handler)])
    ((record,),) = [given["Records"] for given in handler.given]
    assert record["body"] == '{"job": 1}'
    assert record["attributes"]["MessageGroupId"] == "churn"
    assert record["attributes"]["MessageDeduplicationId"] == "op"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert {"SentTimestamp", "SequenceNumber", "ApproximateFirstReceiveTimestamp", "SenderId"} <= set(
        record["attributes"]
    )
    assert record["messageAttributes"]["kind"]["stringValue"] == "vote"
    assert record["messageAttributes"]["kind"]["dataType"] == "String"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == "arn:aws:sqs:us-east-1:123456789012:jobs.fifo"
    assert record["awsRegion"] == "us-east-1"
    assert {"messageId", "receiptHandle", "md5OfBody"} <= set(record)


def test_a_group_is_worked_through_in_order_and_groups_side_by_side(sqs, bus, poller):
    url, order, together = fifo(sqs, "order"), defaultdict(list), []
    busy, lock = set(), threading.Lock()

    def handler(given):
        record = given["Records"][0]
        group = record["attributes"]["MessageGroupId"]
        with lock:
            assert group not in busy, "two messages of one group at a time"
            busy.add(group)
            together.append(len(busy))
            order[group].append(record["body"])
        time.sleep(0.01)
        with lock:
            busy.remove(group)

    for number in range(10):
        for group in "abc":
            send(sqs, url, f"{group}{number}", group=group)
    idle(bus, [poller(url, handler)])
    assert dict(order) == {group: [f"{group}{number}" for number in range(10)] for group in "abc"}
    assert max(together) > 1


@pytest.mark.parametrize(
    "failure", [RuntimeError("crash"), SystemExit(1), {"batchItemFailures": [{"itemIdentifier": "1"}]}]
)
def test_a_message_is_given_again_after_a_failure_of_any_kind(sqs, bus, poller, failure):
    url, counts = fifo(sqs, "again"), []

    def handler(given):
        counts.append(given["Records"][0]["attributes"]["ApproximateReceiveCount"])
        if len(counts) > 2:
            return {"batchItemFailures": []}
        if isinstance(failure, dict):
            return failure
        raise failure

    send(sqs, url, "job")
    idle(bus, [poller(url, handler, retry_after=0)])
    assert counts == ["1", "2", "3"]


def test_a_failed_message_waits_as_long_as_told(sqs, bus, poller):
    url, handler = fifo(sqs, "later"), Handler(failures=1)
    send(sqs, url, "job")
    began = time.monotonic()
    idle(bus, [poller(url, handler, retry_after=1)])
    assert len(handler.given) == 2
    assert time.monotonic() - began >= 1


def test_a_message_that_always_fails_reaches_the_consumer_of_the_dead_letters(sqs, bus, poller):
    dead = fifo(sqs, "letters")
    url = with_dead_letters(sqs, "source", dead, receives=3)
    failing, consumer = Handler(failures=99), Handler()
    send(sqs, url, "poison")
    send(sqs, url, "next of its group")
    idle(bus, [poller(url, failing, retry_after=0), poller(dead, consumer)])
    assert failing.bodies == ["poison"] * 3 + ["next of its group"] * 3
    assert consumer.bodies == ["poison", "next of its group"]


def test_a_message_whose_deletion_fails_is_given_again(aws, sqs, bus, poller):
    url, handler = fifo(sqs, "undeleted", VisibilityTimeout="1"), Handler()
    aws.faults.add("DeleteMessage", status=400, code="AccessDenied")
    send(sqs, url, "job")
    idle(bus, [poller(url, handler)])
    assert handler.bodies == ["job", "job"]


def test_polling_is_not_among_the_products_calls(aws, sqs, bus, poller):
    url = fifo(sqs, "silent")
    send(sqs, url, "job")
    idle(bus, [poller(url, Handler())])
    assert [call.action for call in aws.calls] == ["CreateQueue", "SendMessage"]


# ------------------------------------------------------------------------------- from EventBridge to Lambda


def test_a_write_reaches_the_function_as_an_event_and_a_job(aws, sqs, bus, poller, started):
    url, handler = fifo(sqs, "whole"), Handler()
    hints = started(EventBus(lambda given: send(sqs, url, given["detail"]["name"], deduplication=given["id"])))
    aws.on_event.append(hints.put)
    aws.client("ssm").put_parameter(Name="/a", Value="1", Type="String")
    idle(hints, [poller(url, handler)])
    assert handler.bodies == ["/a"]
    assert [given["detail"]["name"] for given in hints.recent] == ["/a"]


def test_an_event_is_delivered_again_until_the_function_succeeds(started):
    handler = Handler(failures=2)
    bus = started(EventBus(handler, backoff=0.01))
    bus.put(event(1))
    idle(bus)
    assert len(handler.given) == 3
    assert bus.dead_letters == []


def test_an_event_that_always_fails_becomes_a_dead_letter(started):
    bus = started(EventBus(Handler(failures=99), attempts=3, backoff=0.01))
    bus.put(event(1))
    idle(bus)
    assert bus.dead_letters == [event(1)]


def test_the_function_cannot_change_what_others_are_given(started):
    given = event(1)
    bus = started(EventBus(dict.clear))
    bus.faults.duplicates = 1
    bus.put(given)
    idle(bus)
    assert given == event(1)


def test_events_are_duplicated_and_lost_as_told(started):
    handler = Handler()
    bus = started(EventBus(handler))
    bus.faults.duplicates = 2
    bus.put(event(1))
    bus.faults.drop = 1.0
    bus.put(event(2))
    idle(bus)
    assert [given["id"] for given in handler.given] == ["1", "1", "1"]
    assert [given["id"] for given in bus.recent] == ["1"]


def test_events_are_reordered_the_same_way_each_time(started):
    orders = []
    for _ in range(2):
        handler = Handler()
        bus = started(EventBus(handler, threads=1, seed=7))
        bus.faults.reorder = 4
        for number in range(12):
            bus.put(event(number))
        idle(bus)
        orders.append([int(given["id"]) for given in handler.given])
    assert orders[0] == orders[1] != list(range(12))
    assert sorted(orders[0]) == list(range(12))


# ----------------------------------------------------------------------------------- rest, stop, and ticks


def test_waiting_for_rest_gives_up_and_says_what_is_busy(sqs, bus, poller):
    url = fifo(sqs, "stuck")
    send(sqs, url, "job")
    failing = poller(url, Handler(failures=99))
    with pytest.raises(TimeoutError, match=r"stuck\.fifo"):
        idle(bus, [failing], timeout=0.2)


def test_everything_stops_within_a_second(sqs, aws):
    queue = aws.client("sqs", access_key=AWS_ITSELF)
    pollers = [QueuePoller(queue, fifo(sqs, f"stop{number}"), Handler()).start() for number in range(3)]
    bus, schedule = EventBus(Handler()).start(), Schedule(Handler(), 60).start()
    time.sleep(0.1)
    began = time.monotonic()
    stop(*pollers, bus, schedule)
    assert time.monotonic() - began < 1


def test_a_poller_that_was_stopped_gives_back_what_it_still_receives(sqs, poller):
    url, handler = fifo(sqs, "stopped"), Handler()
    poller(url, handler, threads=1).stop()
    send(sqs, url, "job")
    (again,) = receive(sqs, url, wait=2)
    assert (again["Body"], handler.given) == ("job", [])


def test_stopping_waits_for_the_function_under_way(sqs, poller):
    url, done, begun = fifo(sqs, "finishing"), [], threading.Event()

    def handler(given):
        begun.set()
        time.sleep(0.2)
        done.append(given)

    send(sqs, url, "job")
    working = poller(url, handler)
    assert begun.wait(2)
    working.stop()
    assert len(done) == 1
    assert working.empty()


def test_a_schedule_ticks_and_can_be_fired_by_hand():
    ticked = threading.Event()
    given = []

    def sweep(event):
        given.append(event)
        ticked.set()
        return "swept"

    with Schedule(sweep, 0.05):
        assert ticked.wait(2)
    by_hand = Schedule(sweep, 3600)
    assert by_hand.fire() == "swept"
    assert by_hand.idle()
    assert given[-1]["source"] == "aws.scheduler"
    assert given[-1]["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/sweep"]


def test_a_failing_sweep_is_tried_again_at_the_next_tick():
    handler = Handler(failures=1)
    with Schedule(handler, 0.02):
        deadline = time.monotonic() + 2
        while len(handler.given) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(handler.given) >= 2
    with pytest.raises(RuntimeError):
        Schedule(Handler(failures=1), 60).fire()
