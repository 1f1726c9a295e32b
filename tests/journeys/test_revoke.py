"""An approval is taken back from the chat: the registry, the approved model and the thread follow."""

import uuid

from bot.cli import main
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import approve, buttons, card, registered, revoke, told


def thread(stack: Stack, model: Registered) -> list[str]:
    message = card(stack, model)
    return [line.text for line in stack.slack.workspace.replies(message.channel, message.ts)]


def test_an_approver_revokes_and_everything_follows(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    assert buttons(card(stack, model)) == ["approval.revoke"]
    revoke(stack, model)
    shown = card(stack, model)
    assert buttons(shown) == []
    assert "was revoked for dev" in str(shown.blocks)
    assert thread(stack, model)[-1] == (
        f"Maya Chen revoked {model.group} v1 for dev: It drifts since Monday. Nothing is approved for dev any more."
    )
    pointer = stack.parameter(f"{model.group}/approved/dev")
    assert (pointer["status"], pointer["model_package_version"]) == ("None", None)
    found = stack.aws.client("sagemaker").describe_model_package(ModelPackageName=model.arn)
    assert (found["ModelApprovalStatus"], found["CustomerMetadataProperties"]["dev"]) == ("Rejected", "Rejected")


def test_who_is_no_approver_revokes_nothing(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    revoke(stack, model, "U0ELI")
    assert "Only members of approvers-dev may answer" in told(stack, "U0ELI")[-1]
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1
    assert buttons(card(stack, model)) == ["approval.revoke"]


def test_a_rejection_by_hand_is_told_with_what_can_be_done_and_taken_back(stack):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    registry = stack.aws.client("sagemaker", access_key="SOMEBODY")
    registry.update_model_package(ModelPackageArn=model.arn, ModelApprovalStatus="Rejected")
    stack.settle(60)
    message = card(stack, model, "test")
    line = stack.slack.workspace.replies(message.channel, message.ts)[-1]
    assert buttons(line) == ["approval.restore", "approval.revoke"]
    stack.slack.press("U0MAYA", line.channel, line.ts, "approval.restore")
    stack.slack.submit("U0MAYA", stack.slack.workspace.modals("U0MAYA")[-1].id, {"reason": "A slip of the hand."})
    stack.settle(60)
    told_there = [each.text for each in stack.slack.workspace.replies(message.channel, message.ts)]
    assert "took back that" in told_there[-1]
    assert told_there[-1].endswith("stands as before: A slip of the hand.")
    assert registry.describe_model_package(ModelPackageName=model.arn)["ModelApprovalStatus"] == "Approved"
    offered = stack.slack.workspace.message(line.channel, line.ts)
    assert offered.text == line.text, "the line stays what it is"


def test_the_command_leads_to_the_page_only_where_something_can_be_restored(stack, capsys):
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    asked = ["restore", model.group, "1", "--no-browser"]
    assert main(asked, stack.environment) == 1
    assert "nothing can be restored" in capsys.readouterr().err
    registry = stack.aws.client("sagemaker", access_key="SOMEBODY")
    registry.update_model_package(ModelPackageArn=model.arn, ModelApprovalStatus="Rejected")
    stack.settle(60)
    assert main(asked, stack.environment) == 0
    assert capsys.readouterr().out == f"{stack.gateway.pages_url}/restore/{model.group}/1/dev/1\n"
