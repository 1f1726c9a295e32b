"""Who or what must not get through: registry and parameters stay untouched, and the answer says what to do."""

import json
import time
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.clicks import ActJob, RequestJob
from bot.domain import Act, ModelVersion, RequestId
from bot.entries import Opened
from bot.errors import Malformed, SettingsError
from bot.wiring import now
from infra.local.entra_people import DEV, ELI, MAYA, TWINS
from infra.local.entra_people import User as Employee
from infra.local.gateway import LARGEST as LARGEST_OF_ALL
from infra.local.gateway import api_event
from infra.local.lambdas import Function
from infra.local.models import Registered
from infra.local.slack import Forged, User
from infra.local.slack_http import Request
from infra.local.slack_request import AppAnswer, sent, signed
from infra.local.stack import REPOSITORY, Stack
from tests.journeys.examples import chat_user, click, enqueue, unheard, untouched, update_in_registry
from tests.journeys.people import approve, buttons, card, reject, state, told

pytestmark = pytest.mark.usefixtures("well")

UNIDENTIFIED = "could not be identified as one person"
NOT_RECORDED = "Your answer was not recorded; nothing has changed. Please press the button again."
STILL_TRYING = "Still trying; you need not press again."


def open_form(stack: Stack, model: Registered, user: str, environment: str = "dev", **how: Any) -> str:
    """Press Reject; give the form's id, or nothing where none opened."""
    message = card(stack, model, environment)
    before = {view.id for view in stack.slack.workspace.modals(user)}
    stack.slack.press(user, message.channel, message.ts, "approval.reject", **how)
    stack.settle(60)
    return next((view.id for view in stack.slack.workspace.modals(user) if view.id not in before), "")


def submit(stack: Stack, user: str, form: str, **how: Any) -> AppAnswer:
    answer = stack.slack.submit(user, form, {"reason": "it drifts"}, **how)
    stack.settle(60)
    return answer


def answer_both_ways(stack: Stack, model: Registered, user: str) -> None:
    approve(stack, model, user=user)
    if form := open_form(stack, model, user):
        submit(stack, user, form)


# who asks


@pytest.mark.parametrize(
    ("secret", "seconds"),
    [("another", 0), (None, -360), (None, 360)],
    ids=["forged", "six minutes old", "six minutes ahead"],
)
def test_a_request_that_slack_did_not_sign_now_is_not_listened_to(stack, fresh, secret, seconds):
    model = fresh()
    form = open_form(stack, model, "U0OMAR")
    forged = Forged(signing_secret=secret, timestamp=int(time.time()) + seconds)
    with untouched(stack, model) as heard:
        assert approve(stack, model, forged=forged).status == 401
        assert heard() == ["The click was lost: http_service_error"], "what Slack itself says then"
    with untouched(stack, model, "U0OMAR"):
        assert submit(stack, "U0OMAR", form, forged=forged).status == 401
        asked = stack.slack.command("U0OMAR", "C0MODELSDEV", "/model-status", model.group, forged=forged)
        assert (asked.status, asked.body) == (401, "")


def test_another_workspace_is_turned_away(stack, fresh):
    model, elsewhere = fresh(), Forged(team_id="T0ANOTHER")
    form = open_form(stack, model, "U0MAYA")
    with untouched(stack, model) as heard:
        assert approve(stack, model, forged=elsewhere).status == 200
        assert not open_form(stack, model, "U0MAYA", forged=elsewhere)
        assert len(heard()) == 2
        assert all(UNIDENTIFIED in words for words in heard())
        assert UNIDENTIFIED in submit(stack, "U0MAYA", form, forged=elsewhere).errors["reason"]


def slack_user(name: str, email: str = "maya.chen@example.com", **flags: Any) -> User:
    return User(f"U0{name.upper()}", name, name.title(), email, **flags)


STRANGERS = {
    "a bot": (slack_user("bot", is_bot=True), "is_bot"),
    "a guest": (slack_user("guest", is_restricted=True), "is_restricted"),
    "a single-channel guest": (slack_user("single", is_ultra_restricted=True), "is_ultra_restricted"),
    "a stranger": (slack_user("strange", is_stranger=True), "is_stranger"),
    "somebody of a connected company": (slack_user("connect", team_id="T0ANOTHER", is_stranger=True), "workspace"),
    "somebody who has left": (slack_user("gone", deleted=True), "deleted"),
    "somebody with an unconfirmed e-mail": (slack_user("maybe", is_email_confirmed=False), "is_email_confirmed"),
    "somebody without an e-mail": (slack_user("mute", email=""), "no e-mail"),
    "somebody of a foreign domain": (slack_user("foreign", email="maya.chen@elsewhere.example"), "domain"),
    "somebody nobody knows": (slack_user("nobody", email="nobody@example.com"), "no people"),
    "somebody whose address two people have": (slack_user("twin", email="team.twin@example.com"), "2 people"),
}
"""Each would be an approver but for one thing, which the log names."""


@pytest.fixture(scope="module")
def strangers(stack: Stack) -> dict[str, str]:
    """Ids in Slack, by what is wrong with them."""
    elsewhere = "00000000-0000-4000-8000-00000000d001"
    stack.entra.people.add(
        Employee(elsewhere, "Maya Elsewhere", "maya.chen@elsewhere.example", "maya@elsewhere.example")
    )
    for oid in (elsewhere, *TWINS):
        stack.entra.people.join(oid, DEV)
    return {who: stack.slack.workspace.add_user(person).id for who, (person, _) in STRANGERS.items()}


@pytest.mark.parametrize("who", STRANGERS)
def test_who_cannot_be_identified_is_told_so_in_the_same_words(stack, fresh, strangers, who, caplog):
    model = fresh()
    with untouched(stack, model, strangers[who]) as heard:
        answer_both_ways(stack, model, strangers[who])
        assert len(heard()) == 2
        assert len(set(heard())) == 1
        assert all(word in heard()[0] for word in (UNIDENTIFIED, "nothing was recorded", "ask your administrator"))
    assert STRANGERS[who][1] in caplog.text, "the exact cause is in the log alone"
    assert "approval.approve" in buttons(card(stack, model))


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("U0LENA", ("account of Lena Left is disabled", "Ask your administrator")),
        ("U0GUS", ("Gus Guest is a guest", "Ask members of approvers-dev")),
        ("U0ELI", ("Eli Outside is not an approver for dev", "Only members of approvers-dev may answer", "ask")),
        ("U0PRIYA", ("Priya Nair is not an approver for dev", "Only members of approvers-dev may answer", "ask")),
    ],
    ids=["disabled", "a guest of the directory", "in no group", "in another group"],
)
def test_who_may_not_answer_is_told_why_and_who_may(stack, fresh, user, words):
    model = fresh()
    with untouched(stack, model, user) as heard:
        answer_both_ways(stack, model, user)
        assert len(heard()) == 2
        assert all(word in said for said in heard() for word in words)


def test_who_left_the_group_after_the_card_was_posted_is_refused(stack, fresh):
    approve(stack, fresh())  # so that the bot has met her as a member
    model = fresh()
    stack.entra.people.leave(MAYA, DEV)
    try:
        with untouched(stack, model) as heard:
            answer_both_ways(stack, model, "U0MAYA")
            assert all("Maya Chen is not an approver for dev" in words for words in heard())
    finally:
        stack.entra.people.join(MAYA, DEV)


def test_who_joined_the_group_meanwhile_may_answer(stack, fresh):
    model = fresh()
    stack.entra.people.join(ELI, DEV)
    try:
        approve(stack, model, user="U0ELI")
    finally:
        stack.entra.people.leave(ELI, DEV)
    assert stack.parameter(f"{model.group}/approved/dev")["approved_by"][0]["name"] == "Eli Outside"


def test_a_slack_account_that_took_over_an_approvers_address_is_still_that_person_only(stack, fresh):
    """With identity "email" a confirmed address is the identity: two accounts that have it are one person."""
    model = fresh()
    stack.slack.workspace.add_user(slack_user("second"))
    approve(stack, model)
    message = card(stack, model)
    with untouched(stack, model, "U0SECOND") as heard:
        stack.slack.press("U0SECOND", message.channel, message.ts, "approval.approve", stale=True)
        stack.settle()
        assert len(heard()) == 1
        assert "already decided. Approved by Maya Chen" in heard()[0]


# when nobody can say who may


OUTAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "429": ("checkMemberGroups", {"status": 429, "retry_after": 60}),
    "500": ("*", {"status": 500}),
    "time-out": ("user", {"status": None, "stall": 30.0}),
    "reset": ("*", {"status": "reset"}),
}


def answer_while_nobody_can_be_asked(stack: Stack, model: Registered) -> None:
    """Until the bot gives up; then everything is well again, and still nothing happens."""
    with untouched(stack, model) as heard:
        approve(stack, model)
        first, second = heard()
        assert STILL_TRYING in first
        assert second == NOT_RECORDED
    for faults in (stack.entra.faults, stack.slack.faults):
        faults.clear()
    with untouched(stack, model) as heard:
        stack.settle(60)
        assert heard() == []


@pytest.mark.parametrize("outage", OUTAGES)
def test_while_the_directory_does_not_answer_nothing_is_recorded_then_or_later(stack, fresh, outage):
    model = fresh()
    route, fault = OUTAGES[outage]
    stack.entra.faults.add(route, times=None, **fault)
    answer_while_nobody_can_be_asked(stack, model)


@pytest.mark.parametrize("neighbour", ["directory", "Slack"])
def test_while_a_cold_worker_cannot_ask_who_somebody_is_nothing_is_recorded_then_or_later(stack, fresh, neighbour):
    model = fresh()
    stack.functions["decisions"].restart()  # it has no token, and knows nobody
    if neighbour == "Slack":
        stack.slack.faults.add("users.info", status=500, times=None)
    else:
        stack.entra.faults.add("token", status=503, times=None)
    answer_while_nobody_can_be_asked(stack, model)


def test_once_the_directory_is_back_the_sweep_records_nothing_and_another_answer_counts(stack, fresh):
    model = fresh()
    stack.entra.faults.add("*", status=500, times=None)
    approve(stack, model)
    stack.entra.faults.clear()
    with untouched(stack, model) as heard:
        stack.sweep()
        assert heard() == []
    approve(stack, model)
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1


def test_an_answer_out_of_the_dead_letters_is_not_recorded_although_it_could_be_by_then(stack, fresh):
    """At the last receive not even the log could be read; when the dead letters come, everything is well again."""
    model = fresh()
    message = card(stack, model)
    with untouched(stack, model) as heard:
        stack.aws.faults.add("GetParameters", containing=f"{model.group}/history", times=None)
        stack.slack.press("U0MAYA", message.channel, message.ts, "approval.approve")
        stack.slack.workspace.until(lambda: "could not be confirmed" in "".join(heard()), timeout=20)
        stack.aws.faults.clear()
        stack.settle(60)
        assert len(heard()) == 3
        assert heard()[-1] == NOT_RECORDED


def test_an_answer_of_sixteen_minutes_ago_is_not_recorded(stack, fresh):
    model = fresh()
    late = click(stack, f"{model.group}/1/dev/1")
    with untouched(stack, model) as heard:
        enqueue(stack, replace(late, at=late.at - timedelta(minutes=16)))
        assert heard() == [NOT_RECORDED]


# what is asked about


@pytest.mark.parametrize(
    "value",
    [
        "{group}/7/dev/1",
        "{group}/1/dev/2",
        "{group}/1/test/1",
        "{group}/1/nowhere/1",
        "churn-never/1/dev/1",
        "other-group/1/dev/1",
    ],
)
def test_an_unknown_request_is_refused(stack, fresh, value):
    model = fresh()
    value = value.format(group=model.group)
    with untouched(stack, model) as heard:
        approve(stack, model, forged=Forged(value=value))
        submit(stack, "U0MAYA", open_form(stack, model, "U0MAYA", forged=Forged(value=value)))
        assert len(heard()) == 2
        assert all(words.startswith(f"There is no request {value}. ") for words in heard())
        assert all("Look for the current card" in words or "Ask a platform engineer" in words for words in heard())


@pytest.mark.parametrize(
    "value", ["", "churn", "../../etc", "{group}/0/dev/1", "{group}/1/dev/1/1", "{group}/\uff11/dev/1"]
)
def test_a_button_that_names_no_request_is_called_broken(stack, fresh, value):
    model = fresh()
    forged = Forged(value=value.format(group=model.group))
    with untouched(stack, model) as heard:
        approve(stack, model, forged=forged)
        assert not open_form(stack, model, "U0MAYA", forged=forged)
        assert len(heard()) == 2
        assert all("is broken, so nothing was recorded. Please tell" in words for words in heard())


def test_the_card_of_an_old_round_answers_nothing(stack, fresh):
    model = fresh()
    old, old_form = card(stack, model), open_form(stack, model, "U0OMAR")
    reject(stack, model, "drifts")
    asker = chat_user(stack, "U0OMAR")
    enqueue(stack, RequestJob(ModelVersion(model.group, 1), "dev", asker, f"test|{uuid.uuid4()}", now()), "openings")
    assert "approval.approve" in buttons(card(stack, model, number=2))
    with untouched(stack, model, "U0OMAR") as heard:
        stack.slack.press("U0OMAR", old.channel, old.ts, "approval.approve", stale=True)
        stack.settle()
        submit(stack, "U0OMAR", old_form)
        assert heard() == ["This card is of round 1; please answer on the card of round 2."] * 2
    assert not buttons(card(stack, model))
    new = card(stack, model, number=2)
    stack.slack.press("U0OMAR", new.channel, new.ts, "approval.approve")
    stack.settle()
    assert stack.parameter(f"{model.group}/approved/dev")["approved_by"][0]["name"] == "Omar Haddad"


def test_environments_are_answered_in_order(stack, fresh):
    model = fresh()
    approve(stack, model)
    asked = card(stack, model, "test")
    form = open_form(stack, model, "U0MAYA", "test")
    one = RequestId(model.group, 1, "dev", 1)
    enqueue(stack, ActJob(Act.REVOKE, one, chat_user(stack, "U0OMAR"), f"test|{uuid.uuid4()}", now(), "drift"))
    ended = card(stack, model, "test")
    assert not buttons(ended)
    assert "Ended, because dev was revoked by Omar Haddad" in ended.text
    with untouched(stack, model) as heard:
        stack.slack.press("U0MAYA", asked.channel, asked.ts, "approval.approve", stale=True)
        stack.settle()
        submit(stack, "U0MAYA", form)
        assert len(heard()) == 2
        assert all("already decided. Ended, because dev was revoked by Omar Haddad" in words for words in heard())
    assert stack.parameter(f"{model.group}/approved/dev")["status"] == "None"
    assert stack.parameter(f"{model.group}/approved/test") is None


@pytest.mark.parametrize("environment", ["test", "uat", "prod"])
def test_no_round_of_a_later_environment_can_be_asked_for_before_its_turn(stack, fresh, environment):
    model = fresh()
    job = RequestJob(ModelVersion(model.group, 1), environment, chat_user(stack, "U0MAYA"), str(uuid.uuid4()), now())
    with untouched(stack, model) as heard:
        enqueue(stack, job, "openings")
        assert len(heard()) == 1
        assert f"is not approved for every environment before {environment}" in heard()[0]


def test_a_model_that_changed_since_its_card_is_asked_about_anew(stack, fresh):
    model = fresh()
    container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/other:1", "ModelDataUrl": "s3://models-local/x"}
    kinds = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    with unheard(stack):
        changes = {"InferenceSpecification": {"Containers": [container], **kinds}}
        update_in_registry(stack, model, "LOCALPIPELINE", **changes)
    heard = len(told(stack, "U0MAYA"))
    approve(stack, model)
    [said] = told(stack, "U0MAYA")[heard:]
    assert f"{model.group} v1 has changed since this card was posted. Please answer on the new card" in said
    assert [type(entry.event) for entry in state(stack, model).entries] == [Opened, Opened]
    assert stack.parameter(f"{model.group}/approved/dev") is None
    assert not buttons(card(stack, model))
    assert "Replaced by round 2, because the model package changed" in card(stack, model).text
    assert "approval.approve" in buttons(card(stack, model, number=2))
    new = card(stack, model, number=2)
    stack.slack.press("U0MAYA", new.channel, new.ts, "approval.approve")
    stack.settle()
    assert stack.parameter(f"{model.group}/approved/dev")["image_uri"] == container["Image"]


# what comes through the doors


def package_event(stack: Stack, model: Registered, **detail: Any) -> dict[str, Any]:
    """The event of a registration, or what somebody made of it."""
    about = {"ModelPackageGroupName": model.group, "ModelPackageVersion": model.version, "ModelPackageArn": model.arn}
    known = {"ModelPackageStatus": "Completed", "ModelApprovalStatus": "PendingManualApproval"}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "source": "aws.sagemaker",
        "detail-type": "SageMaker Model Package State Change",
        "account": stack.aws.account,
        "region": stack.aws.region,
        "detail": {**about, **known, **detail},
    }


def queued(event: Any, number: int = 1) -> dict[str, Any]:
    """It in an SQS record."""
    body = event if isinstance(event, str) else json.dumps(event)
    return {
        "messageId": f"m{number}",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:decisions.fifo",
    }


MALFORMED: dict[str, dict[str, Any]] = {
    "nothing of an event": {"source": None, "detail-type": None, "detail": None},
    "no detail": {"detail": None},
    "a detail of another shape": {"detail": []},
    "no version": {"detail": {"ModelPackageGroupName": "churn"}},
    "a version that is none": {"detail": {"ModelPackageGroupName": "churn", "ModelPackageVersion": -1}},
    "a group that is none": {"detail": {"ModelPackageGroupName": "../churn", "ModelPackageVersion": 1}},
    "no id": {"id": ""},
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_event_is_an_error_and_changes_nothing(stack, fresh, what):
    model = fresh()
    event = {**package_event(stack, model), **MALFORMED[what]}
    with untouched(stack, model) as heard:
        with pytest.raises(Malformed):
            stack.functions["events"](event)
        other = {**package_event(stack, model), **UNKNOWN["of an unknown kind"]}
        answer = stack.functions["events"]({"Records": [queued(event, 1), queued(other, 2)]})
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
        assert heard() == []


def test_a_malformed_event_ends_with_the_dead_letters(stack, fresh):
    model = fresh()
    event = {**package_event(stack, model), "detail": "a text"}
    with untouched(stack, model):
        stack.bus.put(event)
        stack.settle()
    assert event in stack.bus.dead_letters


@pytest.mark.parametrize("body", ["{", "[]", "null", '"text"', "[" * 100_000, '{"a":' * 20_000])
def test_a_record_that_holds_no_event_is_kept_aside(stack, fresh, body):
    model = fresh()
    with untouched(stack, model):
        answer = stack.functions["events"]({"Records": [queued(body)]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_an_oversized_event_is_kept_aside(stack, fresh):
    model = fresh()
    large = package_event(stack, model, ModelPackageDescription="x" * 256 * 1024)
    with untouched(stack, model):
        answer = stack.functions["events"]({"Records": [queued(large)]})
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


UNKNOWN: dict[str, dict[str, Any]] = {
    "of an unknown source": {"source": "aws.health", "detail-type": "News"},
    "of an unknown kind": {"detail-type": "SageMaker Endpoint State Change"},
    "of another account": {"account": "999999999999"},
    "of another region": {"region": "eu-north-1"},
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_event_of_an_unknown_kind_is_left_alone(stack, fresh, what, caplog):
    model = fresh()
    with untouched(stack, model):
        assert stack.functions["events"]({**package_event(stack, model), **UNKNOWN[what]}) == {"batchItemFailures": []}
    assert "was ignored" in caplog.text


def test_an_event_about_a_version_that_does_not_exist_leaves_nothing_behind_a_sweep(stack, fresh):
    """Its marker is written on trust, to save a wave; the sweep removes it."""
    model = fresh()
    before, arn = stack.parameters(), model.arn.removesuffix("/1") + "/99"
    stack.functions["events"](package_event(stack, model, ModelPackageVersion=99, ModelPackageArn=arn))
    stack.settle()
    stack.sweep()
    assert stack.parameters() == before


def test_a_queue_that_holds_no_job_keeps_it_for_the_dead_letters(stack, fresh):
    model = fresh()
    with untouched(stack, model):
        for body in ('{"kind":"nonsense"}', "{", '{"kind":"answer"}'):
            answer = stack.functions["decisions"]({"Records": [queued(body)]})
            assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


@pytest.mark.parametrize(
    ("size", "says"),
    [(256 * 1024 + 1, ""), (LARGEST_OF_ALL + 1, '{"message":"Request Entity Too Large"}')],
    ids=["for the door", "for the gateway"],
)
def test_a_body_that_is_too_large_is_refused_before_anything_else(stack, fresh, size, says):
    model = fresh()
    payload = {"type": "block_actions", "text": "é" * 1000}
    body = urlencode({"payload": json.dumps(payload, ensure_ascii=False)})
    body += "&more=" + "x" * (size - len(body) - 6)
    with untouched(stack, model):
        answer = sent(stack.slack.request_url, body, signed(stack.slack.signing_secret, int(time.time()), body))
    assert len(body) == size
    assert (answer.status, answer.body) == (413, says)


def test_a_body_is_measured_in_bytes_and_as_it_is_once_decoded(stack):
    body = ("é" * (128 * 1024 + 1)).encode()
    event = api_event(Request("/slack/events", "", {"content-type": "text/plain"}, body))
    assert len(event["body"]) < 256 * 1024
    assert stack.functions["slack"](event)["statusCode"] == 413


# what the bot itself is told


@pytest.fixture
def cold(stack):
    """Start the door for Slack anew, now and after the test: what its environment says counts from then on."""
    yield stack.functions["slack"].restart
    stack.functions["slack"].restart()


def usable_policy() -> str:
    return (REPOSITORY / "infra" / "policy.toml").read_text(encoding="utf-8")


BROKEN = {
    "no TOML": ("groups = [", "not readable as TOML"),
    "mistakes": (f"sinse = 1\nmore = 2\n{usable_policy()}", "sinse: no such key"),
    "not there": (None, "cannot be read"),
}


@pytest.mark.parametrize("policy", BROKEN)
def test_an_unreadable_policy_takes_no_answer_and_every_mistake_is_in_the_log(
    stack, fresh, cold, policy, monkeypatch, tmp_path: Path, caplog
):
    model, file = fresh(), tmp_path / "policy.toml"
    form = open_form(stack, model, "U0MAYA")
    if text := BROKEN[policy][0]:
        file.write_text(text, encoding="utf-8")
    with monkeypatch.context() as environment:
        environment.setenv("MODEL_APPROVALS_POLICY", str(file))
        cold()
        with untouched(stack, model) as heard:
            approve(stack, model)
            [said] = heard()
            assert all(word in said for word in ("not recorded", "policy has mistakes", "tell a platform engineer"))
            assert submit(stack, "U0MAYA", form).errors["reason"] == said
            assert heard() == [said]
        assert BROKEN[policy][1] in caplog.text
        assert model.group in stack.slack.command("U0MAYA", "C0MODELSDEV", "/model-status", model.group).body
        with pytest.raises(SettingsError):
            Function("handlers.jobs")({"Records": []})
    cold()
    assert submit(stack, "U0MAYA", form).errors == {}, "the form was kept, with its text"
    assert not buttons(card(stack, model))


@pytest.mark.parametrize("door", ["slack", "events", "jobs", "sweep"])
def test_a_door_with_wrong_settings_does_not_open_and_names_every_variable_but_no_value(stack, door, monkeypatch):
    wrong = {
        "events": ("ACCOUNT", "DECISIONS_URL", "OPENINGS_URL"),
        "slack": ("ACCOUNT", "DECISIONS_URL", "OPENINGS_URL", "SLACK_TEAM", "SLACK_BOT_TOKEN"),
        "sweep": ("ACCOUNT", "DECISIONS_URL", "OPENINGS_URL", "MAX_RECEIVES"),
    }.get(door, ("ACCOUNT", "OPENINGS_URL", "MAX_RECEIVES", "SLACK_BOT_TOKEN", "ENTRA_TENANT", "GRAPH_URL"))
    for name in wrong:
        monkeypatch.setenv(f"MODEL_APPROVALS_{name}", "a secret")
    with pytest.raises(SettingsError) as mistakes:
        Function(f"handlers.{door}")({})
    assert {each.partition(":")[0] for each in mistakes.value.mistakes} == {f"MODEL_APPROVALS_{name}" for name in wrong}
    assert "a secret" not in str(mistakes.value)
