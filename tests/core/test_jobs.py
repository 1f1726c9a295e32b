"""Jobs: how they travel, which queue they take, what the queue swallows, and when a click is too old."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.clicks import PATIENCE, ActJob, AnswerJob, Click, QuestionJob, RequestJob
from bot.domain import Act, Answer, ChatUser, MessageRef, ModelVersion, RequestId
from bot.encoding import encode
from bot.envelope import OPENINGS, deduplication_id, described, encode_job
from bot.errors import Malformed
from bot.evidence import Metric, Run
from bot.hints import BeatJob, CheckJob, MeasureJob, OpenJob, SupersedeJob, TidyJob
from bot.jobs import KINDS, Job, decode_job, overdue
from tests.memory import START, ManualClock, MemoryJobs

MODEL = ModelVersion("churn", 7)
REQUEST = RequestId("churn", 7, "dev", 1)
MAYA = ChatUser("slack", "T1", "maya", "C0MODELS00")
CARD = MessageRef("C0MODELS00", "1.000")
OP = "slack|T1|maya|1.5|churn/7/dev/1"
ANSWER = AnswerJob(REQUEST, Answer.REJECT, MAYA, OP, START, "drifts", CARD)
REVOKE = ActJob(Act.REVOKE, REQUEST, MAYA, OP, START, "drifts", CARD)
ASK = RequestJob(MODEL, "dev", MAYA, OP, START)
QUESTION = QuestionJob(MAYA, OP, START, REQUEST, "omar@example.com")
OPEN = OpenJob(MODEL, "event-1", fresh=True, metrics_uri="s3://reports/7")
MEASURE = MeasureJob(MODEL, Run("dev", "night-1"), "event-1", (Metric("auc", 0.9),))
CHECK = CheckJob(MODEL, "event-1", ("dev", "test"))
SUPERSEDE = SupersedeJob(REQUEST, 9, "sweep-1")
TIDY = TidyJob(MODEL, "dev", "sweep-1")
CLICKS: list[Click] = [ANSWER, REVOKE, ASK]

BEAT = BeatJob("sweep-1", START, 812, 10_000)
HINTS: list[OpenJob | MeasureJob | CheckJob | SupersedeJob | TidyJob] = [OPEN, MEASURE, CHECK, SUPERSEDE, TIDY]
EVERY: list[Job] = [*CLICKS, QUESTION, *HINTS, BEAT]
WORDS = ["answer", "act", "request", "question", "open", "measure", "check", "supersede", "tidy", "beat"]


def body(job, **changes):
    return encode({**json.loads(encode_job(job)), **changes})


@pytest.mark.parametrize("job", EVERY)
def test_a_job_arrives_as_it_was_sent(job):
    assert decode_job(encode_job(job)) == job


def test_every_kind_of_job_is_tried_here():
    assert [type(job) for job in EVERY] == [*KINDS.values()]


@pytest.mark.parametrize(("job", "kind"), [*zip(EVERY, WORDS, strict=True)])
def test_a_message_names_the_kind_of_its_job(job, kind):
    assert json.loads(encode_job(job))["kind"] == kind


@pytest.mark.parametrize("job", EVERY)
def test_a_job_from_a_newer_door_is_read_without_what_is_not_known(job):
    assert decode_job(body(job, colour="red")) == job


@pytest.mark.parametrize("job", [*CLICKS, *HINTS])
def test_every_job_names_the_version_that_it_concerns(job):
    assert job.model == MODEL


NO_JOBS = ["", "?", "[]", "7", "null", "{}", '{"kind":"party"}', '{"kind":["answer"]}']


@pytest.mark.parametrize("text", NO_JOBS)
def test_what_is_no_job_is_malformed(text):
    with pytest.raises(Malformed):
        decode_job(text)


@pytest.mark.parametrize("job", EVERY)
def test_a_job_that_lacks_what_it_needs_is_malformed(job):
    with pytest.raises(Malformed, match=f"not a {type(job).__name__}"):
        decode_job(encode({"kind": json.loads(encode_job(job))["kind"]}))


@pytest.mark.parametrize("job", EVERY)
def test_only_what_opens_posts_or_tidies_takes_the_queue_of_openings(job):
    jobs = MemoryJobs(ManualClock())
    jobs.put(job)
    taken = "openings" if job in (ASK, OPEN, MEASURE, TIDY) else "decisions"
    assert [queued.job for queued in jobs.queues[taken]] == [job]
    assert (job.kind in OPENINGS) == (taken == "openings")


@pytest.mark.parametrize("job", EVERY)
def test_a_deduplication_id_is_one_that_the_queue_takes(job):
    found = deduplication_id(job)
    assert len(found) <= 128
    assert found.isascii()
    assert found.isalnum()


@pytest.mark.parametrize("job", EVERY)
def test_what_is_sent_twice_is_swallowed(job):
    jobs = MemoryJobs(ManualClock())
    jobs.put(job)
    jobs.put(decode_job(encode_job(job)))
    assert sum(map(len, jobs.queues.values())) == 1


@pytest.mark.parametrize("job", CLICKS)
def test_another_click_is_another_job(job):
    assert deduplication_id(replace(job, op=f"{OP}|again")) != deduplication_id(job)


@pytest.mark.parametrize("job", HINTS)
def test_a_hint_may_come_again_from_another_sender(job):
    assert deduplication_id(replace(job, sender="sweep-2")) != deduplication_id(job)


def test_ops_are_told_apart_by_all_that_makes_them():
    others: list[Job] = [
        replace(OPEN, model=ModelVersion("churn", 8)),
        replace(OPEN, model=ModelVersion("fraud", 7)),
        replace(CHECK, model=ModelVersion("churn", 8)),
        replace(SUPERSEDE, by=10),
        replace(SUPERSEDE, request=replace(REQUEST, round=2)),
        replace(TIDY, environment="test"),
        replace(TIDY, model=ModelVersion("churn", 8)),
    ]
    assert len({job.op for job in [*HINTS, *others]}) == len([*HINTS, *others])


@pytest.mark.parametrize(
    ("job", "op"),
    [
        (OPEN, "open|churn|7|event-1"),
        (CHECK, "check|churn|7|event-1"),
        (SUPERSEDE, "superseded|churn/7/dev/1|9"),
        (TIDY, "tidy|churn|7|dev|sweep-1"),
    ],
)
def test_the_op_of_a_hint_says_what_about_what_and_from_whom(job, op):
    assert job.op == op


def test_a_hint_claims_nothing_that_it_does_not_say():
    plain = decode_job(encode_job(OpenJob(MODEL, "event-1")))
    assert plain == OpenJob(MODEL, "event-1", fresh=False, metrics_uri="")
    assert CheckJob(MODEL, "event-1").environments == ()


def test_a_long_text_that_is_no_job_is_shortened():
    with pytest.raises(Malformed) as caught:
        decode_job(encode(["x" * 5000]))
    assert len(str(caught.value)) < 200


def test_a_superseding_is_recorded_once_whoever_sends_it():
    assert replace(SUPERSEDE, sender="sweep-2").op == SUPERSEDE.op


@pytest.mark.parametrize("job", CLICKS)
def test_a_click_is_too_old_at_fifteen_minutes(job):
    assert timedelta(minutes=15) == PATIENCE
    assert not overdue(job, START + PATIENCE - timedelta(milliseconds=1))
    assert overdue(job, START + PATIENCE)


@pytest.mark.parametrize("job", HINTS)
def test_a_hint_is_never_too_old(job):
    assert not overdue(job, START + timedelta(days=14))


def test_a_job_is_described_for_the_log_with_the_time_of_a_click():
    assert described(ANSWER) == f"AnswerJob {OP} at 2026-11-24T09:00:00.000Z"
    assert described(TIDY) == "TidyJob tidy|churn|7|dev|sweep-1"
    assert "drifts" not in described(ANSWER)
