"""Things go wrong between the parts: what was answered stays, what is missing follows, nothing comes twice."""

import uuid
from datetime import UTC, datetime

import pytest

from infra.local.stack import Stack
from tests.journeys.people import CHANNELS, approve, buttons, card, everything, registered, state, told

pytestmark = pytest.mark.usefixtures("well")


@pytest.fixture
def group() -> str:
    return f"churn-{uuid.uuid4().hex[:12]}"


def cards_of(stack: Stack, group: str) -> list[str]:
    return [
        message.ts
        for channel in set(CHANNELS.values())
        for message in stack.slack.workspace.messages(channel)
        if f"{group} v" in str(message.blocks)
    ]


@pytest.mark.parametrize("status", [500, "reset"])
def test_a_worker_that_fails_after_the_entry_is_continued_and_the_person_told(stack, group, status):
    model = registered(stack, group)
    stack.aws.faults.add("PutParameter", status=status, after=False, containing=f"{group}/approved/dev", times=3)
    approve(stack, model)
    assert stack.parameter(f"{group}/approved/dev")["model_package_version"] == 1
    assert "Your answer is recorded." in told(stack, "U0MAYA")
    assert sum("vote" in entry.raw for entry in state(stack, model).entries) == 1


def test_an_entry_whose_answer_was_lost_is_recorded_once(stack, group):
    model = registered(stack, group)
    stack.aws.faults.add("PutParameter", status="reset", after=True, containing=f"{group}/history/1/0002")
    approve(stack, model)
    assert [entry.seq for entry in state(stack, model).entries] == [1, 2, 3]
    assert stack.parameter(f"{group}/approved/dev")["model_package_version"] == 1


def test_duplicate_and_reordered_events_make_one_card(stack, group):
    stack.bus.faults.duplicates, stack.bus.faults.reorder = 2, 4
    model = registered(stack, group)
    assert len(cards_of(stack, group)) == 1
    approve(stack, model)
    assert len(cards_of(stack, group)) == 2
    lines = [line.text for line in stack.slack.workspace.replies(CHANNELS["dev"], card(stack, model).ts)]
    assert len(lines) == len(set(lines))


def test_a_rate_limit_is_waited_for(stack, group):
    stack.slack.faults.add("chat.postMessage", status=429, retry_after=1)
    model = registered(stack, group)
    stack.slack.faults.add("chat.update", status=429, retry_after=1)
    approve(stack, model)
    assert "approval.approve" not in buttons(card(stack, model))


def test_a_slack_that_is_down_blocks_no_decision_and_is_made_up_for(stack, group):
    model = registered(stack, group)
    stack.slack.faults.add("chat.update", status=500, times=None)
    stack.slack.faults.add("chat.postMessage", status=500, times=None)
    approve(stack, model)
    assert stack.parameter(f"{group}/approved/dev")["model_package_version"] == 1
    assert "approval.approve" in buttons(card(stack, model))
    stack.slack.faults.clear()
    stack.sweep()
    assert "approval.approve" not in buttons(card(stack, model))
    assert len(stack.slack.workspace.replies(CHANNELS["dev"], card(stack, model).ts)) == 2


def test_a_lost_event_is_made_up_for_by_the_sweep(stack, group):
    stack.bus.faults.drop = 1.0
    model = registered(stack, group)
    assert not state(stack, model).entries
    stack.bus.faults.drop = 0.0
    stack.sweep()
    assert "approval.approve" in buttons(card(stack, model))


def test_an_approval_by_hand_is_put_back_and_told(stack, group):
    model = registered(stack, group)
    stack.aws.identities["SOMEHAND"] = "arn:aws:sts::123456789012:assumed-role/console/dana.scientist"
    stack.aws.client("sagemaker", access_key="SOMEHAND").update_model_package(
        ModelPackageArn=model.arn, ModelApprovalStatus="Approved"
    )
    stack.settle()
    assert everything(stack, model)[1]["ModelApprovalStatus"] == "PendingManualApproval"
    assert stack.parameter(f"{group}/approved/dev") is None
    lines = [line.text for line in stack.slack.workspace.replies(CHANNELS["dev"], card(stack, model).ts)]
    assert any("dana.scientist approved" in line and "put back" in line for line in lines), lines


def test_a_sweep_leaves_versions_from_before_since_alone(stack, group):
    heard, stack.aws.on_event[:] = list(stack.aws.on_event), []
    sagemaker = stack.aws.client("sagemaker", access_key="LOCALPIPELINE")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    for number in range(50):
        status = "Approved" if number % 2 else "PendingManualApproval"
        made = sagemaker.create_model_package(ModelPackageGroupName=group, ModelApprovalStatus=status)
        stack.aws.backdate(made["ModelPackageArn"], datetime(2025, 6, 1, tzinfo=UTC))
    stack.aws.on_event[:] = heard
    before = stack.parameters()
    stack.functions["sweep"]({"all": True})
    stack.settle()
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group, MaxResults=100)["ModelPackageSummaryList"]
    assert {name for name in stack.parameters() if group in name} == {name for name in before if group in name} == set()
    assert sorted(each["ModelApprovalStatus"] for each in listed) == ["Approved"] * 25 + ["PendingManualApproval"] * 25


def test_an_answer_that_the_queue_does_not_take_is_not_lost_silently(stack, group):
    model = registered(stack, group)
    before = everything(stack, model)
    stack.aws.faults.add("SendMessage", status=500, times=3)
    approve(stack, model)
    assert "was not recorded" in told(stack, "U0MAYA")[-1]
    assert everything(stack, model) == before


def test_the_status_is_for_everybody_of_the_workspace(stack, group):
    model = registered(stack, group)
    approve(stack, model)
    assert f"{group}" in stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "").body
    one = stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", group).body
    assert "test" in one
    assert "GROUP" in stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "help").body
    assert "churn-nothing" in stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "churn-nothing").body


def test_the_status_is_not_for_guests(stack, group):
    registered(stack, group)
    stack.slack.workspace.alter_user("U0ELI", is_restricted=True)
    try:
        answer = stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "")
    finally:
        stack.slack.workspace.alter_user("U0ELI", is_restricted=False)
    assert "could not be identified" in answer.body
    assert group not in answer.body
