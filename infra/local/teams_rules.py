"""The rules of Teams for messages and Adaptive Cards, so that what Teams could not show is refused here.

https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards. Stricter than Teams on purpose: its
client leaves out what it does not know and says nothing; inputs have a label, and an error message if they have to
be filled in, as Microsoft's own renderer asks in its warnings.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.local.slack_shapes import array, flag, problem, shape, string, typed
from infra.local.teams_card import actions_of, parts_of
from infra.local.teams_shapes import CARD, NAME, TEXT, bag, word

ADAPTIVE = "application/vnd.microsoft.card.adaptive"
VERSIONS = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5")
MESSAGE_BYTES = 100 * 1_024
"""https://learn.microsoft.com/microsoftteams/platform/bots/how-to/format-your-bot-messages; counted as UTF-16."""
CARD_BYTES = 28 * 1_024
"""Of incoming webhooks and older pages; a card below it is safe everywhere."""

_ATTACHMENT = shape({"contentType": string(255), "content": bag}, {"name": TEXT})
_ACCOUNT = shape({"id": NAME}, {"name": TEXT, "aadObjectId": TEXT, "role": TEXT})
_MESSAGE = typed(
    {
        "message": shape(
            {},
            {
                "id": NAME,
                "text": TEXT,
                "textFormat": word("plain", "markdown", "xml"),
                "summary": TEXT,
                "attachments": array(_ATTACHMENT, 10, least=0),
                "attachmentLayout": word("list", "carousel"),
                "entities": array(bag, 100, least=0),
                "from": _ACCOUNT,
                "recipient": _ACCOUNT,
                "conversation": bag,
                "channelData": bag,
                "channelId": NAME,
                "serviceUrl": TEXT,
                "replyToId": NAME,
                "locale": TEXT,
                "importance": word("low", "normal", "high", "urgent"),
                "inputHint": TEXT,
                "timestamp": TEXT,
            },
        )
    }
)
_NAMED = shape({"id": NAME}, {"name": TEXT})
_CONVERSATION = shape(
    {"channelData": shape({}, {"tenant": _NAMED, "channel": _NAMED, "team": _NAMED})},
    {
        "isGroup": flag,
        "bot": _ACCOUNT,
        "tenantId": NAME,
        "members": array(_ACCOUNT, 1, least=0),
        "topicName": TEXT,
        "activity": bag,
    },
)


def conversation_problems(body: object) -> list[str]:
    """Say what is wrong with a request for a conversation, apart from the message in it."""
    return list(_CONVERSATION(body, ""))


def message_problems(activity: object) -> list[str]:
    """Say everything Teams would hold against a message and its card; empty when they would be taken."""
    problems = list(_MESSAGE(activity, ""))
    if problems or not isinstance(activity, dict):
        return problems
    for index, attachment in enumerate(activity.get("attachments", ())):
        where = f"/attachments/{index}"
        if attachment["contentType"] != ADAPTIVE:
            problems.append(problem(f"unsupported content type: {attachment['contentType']}", where))
        else:
            problems += card_problems(attachment["content"], f"{where}/content")
    if not activity.get("text") and not activity.get("attachments"):
        problems.append(problem("a message has text or a card", ""))
    return problems


def card_problems(card: object, where: str = "") -> list[str]:
    """Say everything Teams would hold against an Adaptive Card."""
    problems = list(CARD(card, where))
    if problems or not isinstance(card, dict):
        return problems
    return [
        *_version_problems(card, where),
        *_id_problems(card, where),
        *_input_problems(card, where),
        *_mention_problems(card, where),
    ]


def card_warning(card: Mapping[str, Any]) -> str:
    """Say if a card is taken, but over the limit that is safe everywhere."""
    bytes_ = size(card)
    return f"a card of {bytes_} bytes: over {CARD_BYTES}, which is safe everywhere" if bytes_ > CARD_BYTES else ""


def size(value: object, encoding: str = "utf-8") -> int:
    """Count the bytes of JSON as Teams keeps it, however the bot has written it."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(encoding, "surrogatepass"))


def _version_problems(card: Mapping[str, Any], where: str) -> Iterator[str]:
    if card["version"] not in VERSIONS:
        yield problem(f"unsupported version: {card['version']}, Teams knows up to 1.5", f"{where}/version")
    executes = any(action["type"] == "Action.Execute" for action, _ in actions_of(card))
    if card["version"] != "1.5" and (executes or "refresh" in card):
        yield problem("Action.Execute and refresh need version 1.5", f"{where}/version")


def _id_problems(card: Mapping[str, Any], where: str) -> Iterator[str]:
    parts = list(parts_of(card, everything=True))
    ids = Counter(each["id"] for each in parts if "id" in each)
    for name in [name for name, count in ids.items() if count > 1]:
        yield problem(f"id already exists: {name}", where)
    for target in _targets(parts):
        if target not in ids:
            yield problem(f"no element has the id {target}", where)


def _targets(parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        for target in part.get("targetElements", ()):
            yield target if isinstance(target, str) else target["elementId"]


def _mention_problems(card: Mapping[str, Any], where: str) -> Iterator[str]:
    """Each mention stands in a TextBlock or a FactSet once, and each tag is a mention."""
    told = [entity["text"] for entity in card.get("msteams", {}).get("entities", ())]
    parts = list(parts_of(card, everything=True))
    facts = [fact["value"] for part in parts if part.get("type") == "FactSet" for fact in part["facts"]]
    words = " ".join([*(part["text"] for part in parts if part.get("type") == "TextBlock"), *facts])
    for text in dict.fromkeys((*told, *re.findall(r"<at>.*?</at>", words))):
        if told.count(text) != 1 or words.count(text) != 1:
            yield problem(f"a mention is one entity and stands once in the text: {text}", f"{where}/msteams")


def _input_problems(card: Mapping[str, Any], where: str) -> Iterator[str]:
    for part in parts_of(card, everything=True):
        if str(part.get("type")).startswith("Input."):
            if not part.get("label") and part["type"] != "Input.Toggle":
                yield problem(f"an input needs a label: {part['id']}", where)
            if part.get("isRequired") and not part.get("errorMessage"):
                yield problem(f"a required input needs an errorMessage: {part['id']}", where)
