"""Who or what must not get through: registry and parameters stay untouched, and the answer says what to do."""

import time
import uuid
from dataclasses import replace
from typing import Any

import pytest

from bot.domain import Answer, ChatUser, ModelVersion, RequestId
from bot.errors import Malformed
from bot.jobs import AnswerJob, RequestJob, encode_job
from bot.wiring import now
from infra.local.entra_people import ELI, MAYA
from infra.local.gateway import api_event
from infra.local.slack import Forged, User
from infra.local.slack_http import Request
from infra.local.stack import Stack
from tests.journeys.people import approve, buttons, card, everything, registered, reject, state, told

pytestmark = pytest.mark.usefixtures("well")

UNIDENTIFIED = "could not be identified as one person"


@pytest.fixture
def group(request: pytest.FixtureRequest) -> str:
    return f"churn-{uuid.uuid4().hex[:12]}"


def enqueue(stack: Stack, job: Any, queue: str = "decisions") -> None:
    """What a door does."""
    stack.aws.client("sqs").send_message(
        QueueUrl=stack.queues[queue],
        MessageBody=encode_job(job),
        MessageGroupId=job.model.group,
        MessageDeduplicationId=uuid.uuid4().hex,
    )
    stack.settle(60)


def click(stack: Stack, request: str, user: str = "U0MAYA") -> AnswerJob:
    by = ChatUser("slack", stack.slack.workspace.team_id, user, "C0MODELSDEV")
    return AnswerJob(RequestId.parse(request), Answer.APPROVE, by, f"test|{uuid.uuid4()}", now())


@pytest.mark.parametrize(
    ("forged", "status"),
    [
        (Forged(signing_secret="another"), 401),
        (Forged(timestamp=int(time.time()) - 360), 401),
    ],
    ids=["forged signature", "old signature"],
)
def test_a_request_that_slack_did_not_sign_now_is_not_listened_to(stack, group, forged, status):
    model = registered(stack, group)
    before = everything(stack, model)
    assert approve(stack, model, forged=forged).status == status
    assert everything(stack, model) == before


def test_another_workspace_is_turned_away(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    answer = approve(stack, model, forged=Forged(team_id="T0ANOTHER"))
    assert answer.status == 200
    assert UNIDENTIFIED in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


STRANGERS = {
    "a bot": User("U0BOT", "bot", "Bot", "maya.chen@example.com", is_bot=True),
    "a guest": User("U0RES", "res", "Res", "maya.chen@example.com", is_restricted=True),
    "a single-channel guest": User("U0ULT", "ult", "Ult", "maya.chen@example.com", is_ultra_restricted=True),
    "a stranger": User("U0STR", "str", "Str", "maya.chen@example.com", is_stranger=True),
    "somebody with an unconfirmed e-mail": User(
        "U0UNC", "unc", "Unc", "maya.chen@example.com", is_email_confirmed=False
    ),
    "somebody of a foreign domain": User("U0FOR", "for", "For", "maya.chen@elsewhere.example"),
    "somebody nobody knows": User("U0NOB", "nob", "Nob", "nobody@example.com"),
    "somebody whose address two people have": User("U0TWO", "two", "Two", "team.twin@example.com"),
}


@pytest.mark.parametrize("who", STRANGERS)
def test_who_cannot_be_identified_is_told_so_in_the_same_words(stack, group, who):
    person = STRANGERS[who]
    stack.slack.workspace.add_user(person)
    model = registered(stack, group)
    before = everything(stack, model)
    approve(stack, model, user=person.id)
    assert UNIDENTIFIED in told(stack, person.id)[-1]
    assert "administrator" in told(stack, person.id)[-1]
    assert everything(stack, model) == before
    assert buttons(card(stack, model))


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("U0LENA", ("disabled", "administrator")),
        ("U0GUS", ("guest", "members of approvers-dev")),
        ("U0ELI", ("Eli Outside is not an approver for dev", "members of approvers-dev", "ask")),
    ],
)
def test_who_may_not_answer_is_told_why_and_who_may(stack, group, user, words):
    model = registered(stack, group)
    before = everything(stack, model)
    approve(stack, model, user=user)
    assert all(word in told(stack, user)[-1] for word in words)
    assert everything(stack, model) == before
    others = [text for other in ("U0MAYA", "U0OMAR") for text in told(stack, other)]
    assert told(stack, user)[-1] not in others


@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 60}, {"status": 500}, {"status": None, "stall": 30.0}, {"status": "reset"}],
    ids=["429", "500", "time-out", "reset"],
)
def test_while_the_directory_does_not_answer_nothing_is_recorded_then_or_later(stack, group, fault):
    model = registered(stack, group)
    approve(stack, registered(stack, f"{group}-warm"))  # so that the person's object id is known
    before = everything(stack, model)
    stack.entra.faults.add("*", times=None, **fault)
    approve(stack, model)
    assert "Still trying" in told(stack, "U0MAYA")[-2]
    assert "was not recorded" in told(stack, "U0MAYA")[-1]
    assert "answer again" in told(stack, "U0MAYA")[-1]
    stack.entra.faults.clear()
    stack.sweep()
    assert everything(stack, model) == before
    approve(stack, model)
    assert stack.parameter(f"{group}/approved/dev")["model_package_version"] == 1


@pytest.mark.parametrize("value", ["churn-never/7/dev/1", "other-group/1/dev/1", "churn/1/nowhere/1"])
def test_an_unknown_request_is_refused(stack, group, value):
    model = registered(stack, group)
    before = everything(stack, model)
    approve(stack, model, forged=Forged(value=value))
    assert f"There is no request {value}" in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


def test_a_button_that_names_no_request_is_called_broken(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    approve(stack, model, forged=Forged(value="../../etc"))
    assert "broken" in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


def test_the_card_of_an_old_round_answers_nothing(stack, group):
    model = registered(stack, group)
    old = card(stack, model)
    reject(stack, model, "drifts")
    by = ChatUser("slack", stack.slack.workspace.team_id, "U0OMAR", "C0MODELSDEV")
    enqueue(stack, RequestJob(ModelVersion(group, 1), "dev", by, f"test|{uuid.uuid4()}", now()), "openings")
    assert buttons(card(stack, model, number=2))
    before = everything(stack, model)
    stack.slack.press("U0OMAR", old.channel, old.ts, "approval.approve", stale=True)
    stack.settle()
    assert "round 1; please answer on the card of round 2" in told(stack, "U0OMAR")[-1]
    assert everything(stack, model) == before


def test_environments_are_answered_in_order(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    enqueue(stack, click(stack, f"{group}/1/test/1"))
    assert f"There is no request {group}/1/test/1" in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


def test_a_model_that_changed_since_its_card_is_asked_about_anew(stack, group):
    model = registered(stack, group)
    heard, stack.aws.on_event[:] = list(stack.aws.on_event), []
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1", "ModelDataUrl": "s3://models-local/x"}
    stack.aws.client("sagemaker", access_key="LOCALPIPELINE").update_model_package(
        ModelPackageArn=model.arn,
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    stack.aws.on_event[:] = heard
    approve(stack, model)
    assert "has changed since this card was posted" in told(stack, "U0MAYA")[-1]
    assert stack.parameter(f"{group}/approved/dev") is None
    assert not buttons(card(stack, model)) or "approval.approve" not in buttons(card(stack, model))
    assert "approval.approve" in buttons(card(stack, model, number=2))
    assert [entry.op for entry in state(stack, model).entries if "test|" in entry.op] == []


@pytest.mark.parametrize(
    "event",
    [
        {"id": "1", "source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change"},
        {"id": "1", "source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change", "detail": []},
        {"hello": "world"},
        {"id": "1", "source": "a" * 300_000, "detail-type": "x", "detail": "y"},
    ],
    ids=["no detail", "detail of another shape", "no event", "oversized"],
)
def test_a_malformed_event_is_an_error_and_changes_nothing(stack, group, event):
    model = registered(stack, group)
    before = everything(stack, model)
    with pytest.raises(Malformed):
        stack.functions["events"](event)
    assert everything(stack, model) == before


def test_an_event_of_an_unknown_kind_is_left_alone(stack, group, caplog):
    model = registered(stack, group)
    before = everything(stack, model)
    unknown = {"id": "1", "source": "aws.health", "detail-type": "News", "detail": {}}
    assert stack.functions["events"](unknown) == {"batchItemFailures": []}
    assert "unknown kind" in caplog.text
    assert everything(stack, model) == before


def test_a_queue_that_holds_no_job_keeps_it_for_the_dead_letters(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    record = {
        "messageId": "m1",
        "body": '{"kind":"nonsense"}',
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:decisions.fifo",
    }
    assert stack.functions["jobs"]({"Records": [record]}) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert everything(stack, model) == before


def test_a_body_that_is_too_large_is_refused_before_anything_else(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    event = api_event(Request("/slack/events", "", {"content-type": "text/plain"}, b"x" * (256 * 1024 + 1)))
    assert stack.functions["slack"](event)["statusCode"] == 413
    assert everything(stack, model) == before


def test_who_left_the_group_after_the_card_was_posted_is_refused(stack, group):
    model = registered(stack, group)
    dev = "00000000-0000-4000-8000-00000000b001"
    before = everything(stack, model)
    stack.entra.people.leave(MAYA, dev)
    try:
        approve(stack, model)
    finally:
        stack.entra.people.join(MAYA, dev)
    assert "not an approver for dev" in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


def test_who_joined_the_group_meanwhile_may_answer(stack, group):
    model = registered(stack, group)
    dev = "00000000-0000-4000-8000-00000000b001"
    stack.entra.people.join(ELI, dev)
    try:
        approve(stack, model, user="U0ELI")
    finally:
        stack.entra.people.leave(ELI, dev)
    assert stack.parameter(f"{group}/approved/dev")["approved_by"][0]["name"] == "Eli Outside"


def test_a_slack_account_that_took_over_an_approvers_address_is_still_that_person_only(stack, group):
    """With identity "email" a confirmed address is the identity: two accounts that have it are one person."""
    model = registered(stack, group)
    stack.slack.workspace.add_user(
        replace(STRANGERS["somebody nobody knows"], id="U0SECOND", email="maya.chen@example.com")
    )
    approve(stack, model)
    stack.slack.press("U0SECOND", card(stack, model).channel, card(stack, model).ts, "approval.approve", stale=True)
    stack.settle()
    assert "already decided. Approved by Maya Chen" in told(stack, "U0SECOND")[-1]
    assert len(state(stack, model).entries) == 3
