"""What has to be so after a version was approved for dev, whatever went wrong on the way."""

from bot.domain import Opened, Vote
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import CHANNELS, buttons, card, everything, state


def cards_of(stack: Stack, group: str) -> list[str]:
    return [
        message.ts
        for channel in dict.fromkeys(CHANNELS.values())
        for message in stack.slack.workspace.messages(channel)
        if f"{group} v" in str(message.blocks)
    ]


def thread(stack: Stack, model: Registered, environment: str = "dev") -> list[str]:
    shown = card(stack, model, environment)
    return [line.text for line in stack.slack.workspace.replies(shown.channel, shown.ts)]


def kinds(stack: Stack, model: Registered) -> list[type]:
    return [type(entry.event) for entry in state(stack, model).entries]


def check_approved_once(stack: Stack, model: Registered, *, repeats: bool = False) -> None:
    """Maya has approved it for dev: log, registry, pointer, card and thread say so, and test is asked for, once.

    `repeats`: a thread may tell a line twice, in the same words.
    """
    assert kinds(stack, model) == [Opened, Vote, Opened]
    package = everything(stack, model)[1]
    assert package["ModelApprovalStatus"] == package["CustomerMetadataProperties"]["dev"] == "Approved"
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == model.version
    assert "Approved by Maya Chen" in card(stack, model).text
    assert not {"approval.approve", "approval.reject"} & {*buttons(card(stack, model))}
    named = f"{model.group} v{model.version}"
    told = thread(stack, model)
    assert (list(dict.fromkeys(told)) if repeats else told) == [
        f"Maya Chen approved {named} for dev.",
        f"{named} asks for test. Further metrics: p95 ms 1.921.",
    ]
    assert "approval.approve" in buttons(card(stack, model, "test"))
    assert len(cards_of(stack, model.group)) == 2
