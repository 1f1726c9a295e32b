"""The part of the demo that happens in Microsoft Teams: the same request there, answered there or followed there."""

import json
from collections.abc import Iterator
from typing import Any

from infra.local.demo_pages import request_mail
from infra.local.entra_people import ELI, OMAR
from infra.local.journey import Findings, Journey, expect, expect_lines, expect_same, expect_words, metrics
from infra.local.teams import Message

NAMES = {OMAR: "Omar Haddad", ELI: "Eli Outside"}


def teams_card(version: int, environment: str, journey: Journey) -> Message:
    """The card of a request as Teams shows it now, where the bot has noted that it is."""
    record = journey.stack.parameter(f"{journey.group}/cards/{version}/{environment}/1")["surfaces"]["teams"]
    return journey.stack.teams.workspace.message(record["channel"], record["ts"])


def words(value: Any) -> Iterator[str]:  # noqa: ANN401 - any part of a card
    """Every text of a card, in its order."""
    if isinstance(value, dict) and value.get("type") == "RichTextBlock":
        yield "".join(each if isinstance(each, str) else each["text"] for each in value["inlines"])
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for each in value.values():
            yield from words(each)
    elif isinstance(value, list):
        for each in value:
            yield from words(each)


def shown(message: Message) -> str:
    """What a card says, a line for each text."""
    return "\n".join(words((message.card or {}).get("body", [])))


def answers(message: Message) -> list[str]:
    """What can be pressed on a card to answer it."""
    actions = (message.card or {}).get("actions", [])
    return [each["title"] for each in actions if each["type"] != "Action.OpenUrl"]


def card_is_there(version: int, environment: str, journey: Journey) -> Findings:
    """In the environment's channel, with the same words and figures."""
    card, [_, auc, *_] = teams_card(version, environment, journey), metrics(journey.card(version, environment))
    yield expect_lines("card", shown(card), f"Approve {journey.group} v{version} for {environment}?", auc[1])
    yield expect("buttons", answers(card), [f"Approve for {environment}", "Reject…"])


def outsider_is_refused(version: int, environment: str, journey: Journey) -> Findings:
    """Teams vouches for who somebody is; what they may do is asked in Entra as ever."""
    before, card = journey.truth(version), teams_card(version, environment, journey)
    answer = journey.stack.teams.press(ELI, card.conversation, card.id, f"Approve for {environment}")
    journey.stack.settle()
    private = journey.stack.teams.workspace.private(ELI)
    yield expect("HTTP status of the press", answer.status, 200)
    yield expect_words("told privately", shown(private[-1]) or private[-1].text, "Eli Outside is not an approver")
    yield expect_same("history, approved models and registry, before and after", journey.truth(version), before)


def approved_in_teams(version: int, environment: str, journey: Journey) -> Findings:
    """The one who pressed sees at once that it is being checked; then it is recorded."""
    card = teams_card(version, environment, journey)
    answer = journey.stack.teams.press(OMAR, card.conversation, card.id, f"Approve for {environment}")
    yield expect("HTTP status of the press", answer.status, 200)
    yield expect_lines("shown at once", "\n".join(words(json.loads(answer.body)["value"]["body"])), "is being checked")
    journey.stack.settle()
    yield expect("field", journey.fields(version)[environment], "Approved")
    yield expect("ModelApprovalStatus", journey.status(version), "Approved")


def card_follows(who: str, version: int, environment: str, journey: Journey) -> Findings:
    """Wherever it was answered, everybody sees it in Teams, and the thread tells it."""
    card = teams_card(version, environment, journey)
    yield expect_lines("card", shown(card), f"is approved for {environment}", f"Approved by {who}")
    yield expect("buttons", answers(card), ["Revoke…"])
    said = "\n".join(shown(each) or each.text for each in journey.stack.teams.workspace.replies(card.conversation))
    yield expect_lines("thread", said, f"{who} approved {journey.group} v{version} for {environment}")


def mail_follows(who: str, version: int, environment: str, journey: Journey) -> Findings:
    """Whoever was asked by mail learns it there."""
    asked = request_mail(journey, version, environment)
    [outcome] = [each for each in journey.stack.mailbox.mails() if each.in_reply_to == asked.message_id][:1]
    yield expect_lines("its text", outcome.text, f"Approved by {who}")


def status_in_teams(journey: Journey) -> Findings:
    """The same answer as the slash command gives."""
    teams = journey.stack.teams
    answer = teams.command(OMAR, "", "model-status")
    yield expect("HTTP status", answer.status, 200)
    yield expect_words(
        "answer", shown(teams.workspace.private(OMAR)[-1]), "1 request waits for an answer.", journey.group
    )
