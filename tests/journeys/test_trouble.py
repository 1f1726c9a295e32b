"""Things go wrong between the parts: what was answered stays, what is missing follows, nothing comes twice."""

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.entries import Observed, Opened, Vote
from infra.local.models import Registered
from infra.local.slack import Forged
from infra.local.stack import Stack
from tests.journeys.examples import unheard, untouched, update_in_registry, writes
from tests.journeys.outcome import cards_of, check_approved_once, kinds, thread
from tests.journeys.people import CHANNELS, approve, buttons, card, everything, registered, told

pytestmark = pytest.mark.usefixtures("well")

RECORDED = "Your answer is recorded."
STILL_TRYING = "Still trying; you need not press again."
BY_HAND = "SOMEHAND"
BEFORE_SINCE = datetime(2025, 6, 1, tzinfo=UTC)


@pytest.fixture
def group() -> str:
    return f"churn-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def dana(stack) -> str:
    """The access key of somebody at the console."""
    stack.aws.identities[BY_HAND] = "arn:aws:sts::123456789012:assumed-role/console/dana.scientist"
    return BY_HAND


# between the worker and AWS


FAILURES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "500 for the pointer": ("PutParameter", "approved/dev", {"status": 500}),
    "no connection for the pointer": ("PutParameter", "approved/dev", {"status": "reset"}),
    "no answer about the pointer": ("PutParameter", "approved/dev", {"status": "reset", "after": True}),
    "500 for the registry": ("UpdateModelPackage", "", {"status": 500}),
    "no connection for the registry": ("UpdateModelPackage", "", {"status": "reset"}),
}
"""For all three tries that botocore makes."""


@pytest.mark.parametrize("failure", FAILURES)
def test_a_worker_that_fails_after_the_entry_is_continued_and_the_person_told(stack, fresh, failure):
    model, heard = fresh(), len(told(stack, "U0MAYA"))
    action, what, fault = FAILURES[failure]
    stack.aws.faults.add(action, containing=f"{model.group}/{what}", times=3, **fault)
    approve(stack, model)
    assert told(stack, "U0MAYA")[heard:] == [RECORDED]
    check_approved_once(stack, model)


def test_a_worker_that_fails_after_the_entry_at_every_receive_is_made_up_for_out_of_the_dead_letters(stack, fresh):
    """At the last receive the person is told what is true by then: the answer is in the log."""
    model, heard = fresh(), len(told(stack, "U0MAYA"))
    stack.aws.faults.add("PutParameter", containing=f"{model.group}/approved/dev", times=None)
    shown = card(stack, model)
    stack.slack.press("U0MAYA", shown.channel, shown.ts, "approval.approve")
    stack.slack.workspace.until(lambda: RECORDED in told(stack, "U0MAYA")[heard:], timeout=20)
    assert stack.parameter(f"{model.group}/approved/dev") is None
    stack.aws.faults.clear()
    stack.settle(60)
    assert all(words.startswith("Your answer is recorded") for words in told(stack, "U0MAYA")[heard:])
    assert kinds(stack, model) == [Opened, Vote, Opened]
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1
    assert "Approved by Maya Chen" in card(stack, model).text


@pytest.mark.parametrize("times", [1, 3], ids=["one answer", "every answer"])
def test_an_entry_whose_answer_was_lost_is_recorded_once(stack, fresh, times):
    model, heard = fresh(), len(told(stack, "U0MAYA"))
    entry = f"{model.group}/history/1/0002"
    stack.aws.faults.add("PutParameter", status="reset", after=True, containing=entry, times=times)
    approve(stack, model)
    words = told(stack, "U0MAYA")[heard:]
    assert words == [] if times == 1 else [words[0].endswith(STILL_TRYING), words[1:]] == [True, [RECORDED]]
    check_approved_once(stack, model)


def test_an_answer_that_could_not_be_checked_at_first_is_recorded_later_and_told(stack, fresh):
    model, heard = fresh(), len(told(stack, "U0MAYA"))
    shown = card(stack, model)
    stack.entra.faults.add("*", status=503, times=None)
    stack.slack.press("U0MAYA", shown.channel, shown.ts, "approval.approve")
    stack.slack.workspace.until(lambda: len(told(stack, "U0MAYA")) > heard, timeout=20)
    assert told(stack, "U0MAYA")[-1].endswith(STILL_TRYING)
    assert kinds(stack, model) == [Opened]
    stack.entra.faults.clear()
    stack.settle(60)
    assert told(stack, "U0MAYA")[heard + 1 :] == [RECORDED]
    check_approved_once(stack, model)


# between the registry and the bot


def test_duplicate_and_reordered_events_make_one_card(stack, group):
    stack.bus.faults.duplicates, stack.bus.faults.reorder = 2, 4
    models = [stack.pipeline.register(group) for _ in range(3)]
    stack.settle(60)
    assert len(cards_of(stack, group)) == 3
    approve(stack, models[0])
    check_thread_and_log(stack, models[0])
    assert [kinds(stack, model) for model in models[1:]] == [[Opened], [Opened]]
    assert len(cards_of(stack, group)) == 4


def check_thread_and_log(stack: Stack, model: Registered) -> None:
    assert kinds(stack, model) == [Opened, Vote, Opened]
    assert len(thread(stack, model)) == len({*thread(stack, model)}) == 2


def test_a_lost_event_is_made_up_for_by_the_sweep(stack, group):
    stack.bus.faults.drop = 1.0
    model = registered(stack, group)
    assert kinds(stack, model) == []
    stack.bus.faults.drop = 0.0
    stack.sweep()
    assert "approval.approve" in buttons(card(stack, model))
    stack.bus.faults.drop = 1.0
    approve(stack, model)
    assert kinds(stack, model) == [Opened, Vote], "the echo that would have asked for test was lost"
    stack.bus.faults.drop = 0.0
    stack.sweep()
    check_approved_once(stack, model)


def test_a_sweep_with_nothing_to_mend_writes_nothing(stack, fresh):
    approve(stack, fresh())
    model = fresh()
    stack.sweep()
    marks = len(stack.aws.calls), len(stack.slack.calls)
    with untouched(stack, model):
        assert stack.sweep()["opened"] == 0
    assert (writes(stack, marks[0]), stack.slack.calls[marks[1] :]) == ([], [])


def test_an_approval_by_hand_is_put_back_and_told(stack, fresh, dana):
    model = fresh()
    update_in_registry(stack, model, dana, ModelApprovalStatus="Approved")
    stack.settle()
    package = everything(stack, model)[1]
    assert package["ModelApprovalStatus"] == package["CustomerMetadataProperties"]["dev"] == "PendingManualApproval"
    assert stack.parameter(f"{model.group}/approved/dev") is None
    assert kinds(stack, model) == [Opened, Observed]
    [line] = thread(stack, model)
    assert line.startswith(f"dana.scientist approved {model.group} v1 in the registry by hand")
    assert "It was put back; please answer on the card." in line
    approve(stack, model)
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1


def test_an_approval_by_hand_of_the_metadata_alone_is_put_back_too(stack, fresh, dana):
    model = fresh()
    update_in_registry(stack, model, dana, CustomerMetadataProperties={"prod": "Approved"})
    stack.settle()
    fields = everything(stack, model)[1]["CustomerMetadataProperties"]
    assert {fields[name] for name in ("dev", "test", "uat", "prod")} == {"PendingManualApproval"}
    assert stack.parameter(f"{model.group}/approved/prod") is None
    assert "dana.scientist changed" in thread(stack, model)[0]


def test_a_rejection_by_hand_ends_the_request(stack, fresh, dana):
    model = fresh()
    update_in_registry(stack, model, dana, ModelApprovalStatus="Rejected")
    stack.settle()
    assert everything(stack, model)[1]["ModelApprovalStatus"] == "Rejected"
    assert "Rejected in the registry by dana.scientist" in card(stack, model).text
    assert not buttons(card(stack, model))
    assert "It counts as a stop" in thread(stack, model)[0]


def test_a_sweep_leaves_versions_from_before_since_alone(stack, group):
    with unheard(stack):
        stack.aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        old = [an_old_version(stack, group, number) for number in range(50)]
        new = stack.pipeline.register(group)
    before = [everything_of(stack, arn) for arn in old]
    stack.sweep()
    stack.functions["sweep"]({"all": True})
    stack.settle(60)
    assert [everything_of(stack, arn) for arn in old] == before
    assert [package["ModelApprovalStatus"] for package in before[:2]] == ["PendingManualApproval", "Approved"]
    histories = {name.split("/")[4] for name in stack.parameters() if f"/{group}/history/" in name}
    assert histories == {str(new.version)}, "the one of today was found beside them"
    assert len(cards_of(stack, group)) == 1
    assert not [name for name in stack.parameters() if f"/{group}/approved/" in name]


def an_old_version(stack: Stack, group: str, number: int) -> str:
    """A version of last year, every second one approved."""
    status = "Approved" if number % 2 else "PendingManualApproval"
    sagemaker = stack.aws.client("sagemaker", access_key="LOCALPIPELINE")
    arn: str = sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus=status)[
        "ModelPackageArn"
    ]
    stack.aws.backdate(arn, BEFORE_SINCE)
    return arn


def everything_of(stack: Stack, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    found.pop("ResponseMetadata")
    return found


# between the bot and Slack


def test_a_rate_limit_is_waited_for(stack, group, caplog):
    calls = len(stack.slack.calls)
    stack.slack.faults.add("chat.postMessage", status=429, retry_after=1)
    model = registered(stack, group)
    stack.slack.faults.add("chat.update", status=429, retry_after=1)
    approve(stack, model)
    check_approved_once(stack, model)
    answers = [(call.method, call.status) for call in stack.slack.calls[calls:] if call.status != 200]
    assert answers == [("chat.postMessage", 429), ("chat.update", 429)]
    assert not re.search("left to the sweep|not posted", caplog.text)


@pytest.mark.parametrize(
    "fault",
    [{"status": 500}, {"status": 429, "retry_after": 60}, {"status": None, "error": "internal_error"}],
    ids=["500", "429", "error"],
)
def test_a_slack_that_is_down_blocks_no_decision_and_is_made_up_for(stack, fresh, fault):
    model = fresh()
    for method in ("chat.update", "chat.postMessage", "chat.postEphemeral"):
        stack.slack.faults.add(method, times=None, **fault)
    approve(stack, model)
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1
    assert everything(stack, model)[1]["ModelApprovalStatus"] == "Approved"
    assert "approval.approve" in buttons(card(stack, model))
    stack.slack.faults.clear()
    stack.sweep()
    check_approved_once(stack, model)


def test_a_card_whose_place_could_not_be_remembered_is_answered_all_the_same(stack, group):
    """A crash right after the post leaves a twin; whichever is pressed, both end without buttons."""
    stack.aws.faults.add("PutParameter", containing=f"{group}/cards/1/dev", times=3)
    model = registered(stack, group)
    twin, remembered = cards_of(stack, group)
    assert remembered == card(stack, model).ts
    stack.slack.press("U0MAYA", CHANNELS["dev"], twin, "approval.approve")
    stack.settle()
    for ts in (twin, remembered):
        message = stack.slack.workspace.message(CHANNELS["dev"], ts)
        assert "Approved by Maya Chen" in message.text
        assert not {"approval.approve", "approval.reject"} & {*buttons(message)}
    assert kinds(stack, model) == [Opened, Vote, Opened]


def test_an_answer_that_the_queue_does_not_take_is_not_lost_silently(stack, fresh):
    model = fresh()
    shown = card(stack, model)
    stack.slack.press("U0MAYA", shown.channel, shown.ts, "approval.reject")
    form = stack.slack.workspace.modals("U0MAYA")[-1].id
    with untouched(stack, model) as heard:
        stack.aws.faults.add("SendMessage", status=500, times=6)
        approve(stack, model)
        [said] = heard()
        assert "It could not be confirmed that your answer has arrived" in said
        assert "press the button again" in said
        answer = stack.slack.submit("U0MAYA", form, {"reason": "drifts"})
        assert "It could not be confirmed that your answer has arrived" in answer.errors["reason"]
        assert heard() == [said]
    assert stack.slack.submit("U0MAYA", form, {"reason": "drifts"}).errors == {}, "the form was kept, with its text"
    stack.settle()
    assert "Rejected by Maya Chen" in card(stack, model).text


# what the slash command says


def asked(stack: Stack, text: str = "", user: str = "U0ELI", **how: Any) -> str:
    answer = stack.slack.command(user, CHANNELS["dev"], "/model-status", text, **how)
    assert (answer.status, answer.error) == (200, "")
    assert answer.json()["response_type"] == "ephemeral", "nobody else sees it"
    return answer.body


def test_the_status_is_for_everybody_of_the_workspace(stack, fresh):
    model = fresh()
    approve(stack, model)
    with untouched(stack, model, "U0ELI"):
        assert re.search(rf"{model.group} +v1 +v1\? ", asked(stack)), "dev loads it, test is asked"
        one = asked(stack, model.group)
        assert f"{model.group}: 1 request waits for an answer." in one
        assert re.search(r"v1 +in use +waiting ", one)


@pytest.mark.parametrize("text", ["help", " help ", "churn; drop", "<!channel>", "../../etc"])
def test_the_status_command_explains_itself(stack, text):
    answer = asked(stack, text)
    assert "`/model-status GROUP` shows the versions of one model package group." in answer
    assert "<!channel>" not in answer


@pytest.mark.parametrize("name", ["churn-nothing", "other", "_status"])
def test_the_status_of_an_unknown_group_is_said_to_be_unknown(stack, name):
    expected = f"No model package group {name} is known here. /model-status shows those that are."
    assert expected in asked(stack, name) or "shows the versions of one" in asked(stack, name)


STRANGERS: dict[str, dict[str, Any]] = {
    "a guest": {"is_restricted": True},
    "a single-channel guest": {"is_ultra_restricted": True},
    "a stranger": {"is_stranger": True},
    "somebody of a connected company": {"team_id": "T0ANOTHER"},
    "a bot": {"is_bot": True},
}


@pytest.mark.parametrize("who", STRANGERS)
def test_the_status_is_not_for_strangers(stack, fresh, who):
    model = fresh()
    eli = stack.slack.workspace.users["U0ELI"]
    stack.slack.workspace.alter_user("U0ELI", **STRANGERS[who])
    try:
        with untouched(stack, model, "U0ELI"):
            answers = [asked(stack, text) for text in ("", model.group, "help")]
    finally:
        stack.slack.workspace.add_user(eli)
    assert len({*answers}) == 1
    assert "could not be identified" in answers[0]


def test_the_status_is_not_for_another_workspace(stack, fresh):
    model = fresh()
    answer = asked(stack, model.group, forged=Forged(team_id="T0ANOTHER"))
    assert "could not be identified" in answer
    assert model.group not in answer


@pytest.mark.parametrize("fault", ["users.info", "GetParameters"])
def test_a_status_that_cannot_be_read_now_is_said_to_be_so(stack, fresh, fault):
    model = fresh()
    (stack.slack if fault == "users.info" else stack.aws).faults.add(fault, status=500, times=None)
    answer = asked(stack, model.group)
    assert "could not be read now. Please try again in a minute." in answer
    assert model.group not in answer
