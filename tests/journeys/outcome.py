"""What has to be so after a version was answered for dev, whatever went wrong on the way and whoever came too late."""

from bot.cli import main
from bot.entries import Opened, Vote
from infra.local.demo_teams import answers, shown
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import CHANNELS, buttons, card, described, in_teams, state


def cards_of(stack: Stack, group: str) -> list[str]:
    return [
        message.ts
        for channel in dict.fromkeys(CHANNELS.values())
        for message in stack.slack.workspace.messages(channel)
        if f"{group} v" in str(message.blocks)
    ]


def thread(stack: Stack, model: Registered, environment: str = "dev") -> list[str]:
    asked = card(stack, model, environment)
    return [line.text for line in stack.slack.workspace.replies(asked.channel, asked.ts)]


def thread_in_teams(stack: Stack, model: Registered) -> list[str]:
    replies = stack.teams.workspace.replies(in_teams(stack, model).conversation)
    return [each.text or shown(each) for each in replies]


def kinds(stack: Stack, model: Registered) -> list[type]:
    return [type(entry.event) for entry in state(stack, model).entries]


def approved_thread(model: Registered, by: str) -> list[str]:
    """What the thread of dev tells once it is approved."""
    named = f"{model.group} v{model.version}"
    return [f"{by} approved {named} for dev.", f"{named} asks for test. Further metrics: p95 ms 1.921."]


def rejected_thread(model: Registered, by: str, reason: str) -> list[str]:
    """What the thread of dev tells once it is rejected."""
    return [f"{by} rejected {model.group} v{model.version} for dev: {reason}"]


def check_approved_once(stack: Stack, model: Registered, *, by: str = "Maya Chen", repeats: bool = False) -> None:
    """It was approved for dev: log, registry, pointer, card and thread say so, and test is asked for, once.

    `repeats`: a thread may tell a line twice, in the same words.
    """
    assert kinds(stack, model) == [Opened, Vote, Opened]
    check_registry(stack, model, "Approved")
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == model.version
    check_card(stack, model, f"Approved by {by}")
    told = thread(stack, model)
    assert (list(dict.fromkeys(told)) if repeats else told) == approved_thread(model, by)
    assert "approval.approve" in buttons(card(stack, model, "test"))
    assert len(cards_of(stack, model.group)) == 2


def check_rejected_once(stack: Stack, model: Registered, *, by: str, reason: str, repeats: bool = False) -> None:
    """It was rejected for dev: log, registry, card and thread say so, and nothing is loaded or asked for."""
    assert kinds(stack, model) == [Opened, Vote]
    check_registry(stack, model, "Rejected")
    assert stack.parameter(f"{model.group}/approved/dev") is None
    check_card(stack, model, f"Rejected by {by}: {reason}")
    told = thread(stack, model)
    assert (list(dict.fromkeys(told)) if repeats else told) == rejected_thread(model, by, reason)
    assert len(cards_of(stack, model.group)) == 1


def check_registry(stack: Stack, model: Registered, status: str) -> None:
    package = described(stack, model)
    assert package["ModelApprovalStatus"] == package["CustomerMetadataProperties"]["dev"] == status


def check_card(stack: Stack, model: Registered, verdict: str) -> None:
    """Everybody in Slack sees how it ended, and nobody can answer any more."""
    assert verdict in card(stack, model).text
    assert not {"approval.approve", "approval.reject"} & {*buttons(card(stack, model))}


def check_card_in_teams(stack: Stack, model: Registered, verdict: str) -> None:
    """Everybody in Teams sees the same, and the one thing left to press is for taking an approval back."""
    decided = in_teams(stack, model)
    assert verdict in shown(decided)
    assert answers(decided) == (["Revoke…"] if verdict.startswith("Approved") else [])


def check_mails(stack: Stack, model: Registered, verdict: str, *, repeats: bool = False) -> None:
    """Whoever was asked by mail was told how it ended, below the mail that asked, and once unless it `repeats`."""
    named = f"{model.group} v{model.version}"
    ended = "is approved for dev" if verdict.startswith("Approved") else "was rejected for dev"
    mails = [mail for mail in stack.mailbox.mails() if f"{named} " in mail.subject]
    [asked] = [mail for mail in mails if mail.subject == f"Approve {named} for dev?"]
    outcomes = [mail for mail in mails if mail.in_reply_to == asked.message_id and mail.recipients == asked.recipients]
    assert {mail.subject for mail in outcomes} == {f"{named} {ended}"}
    assert all(verdict in mail.text for mail in outcomes)
    assert repeats or len(outcomes) == 1


def check_audit(stack: Stack, group: str) -> None:
    """An auditor finds the chain whole, and that all there is follows from it."""
    assert main(["verify", group], stack.environment) == 0
