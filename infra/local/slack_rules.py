"""Slack's rules for messages and modals, so that what Slack would refuse is refused here, in its words.

The figures are those of https://docs.slack.dev/reference/block-kit (blocks, block elements, composition
objects) and https://docs.slack.dev/reference/views; block types that are not here are refused as unknown.
Problems read like Slack's own: what is wrong, and a JSON pointer to where.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.local.slack_shapes import Check, array, flag, number, one_of, problem, shape, string, typed

MESSAGE_TEXT = 4_000  # https://docs.slack.dev/reference/methods/chat.update: longer is msg_too_long
BLOCKS_TEXT = 13_000  # undocumented; measured in https://github.com/slackapi/bolt-js/issues/2509
TABLE_TEXT = 10_000
METADATA_BYTES = 16_000
VIEW_BYTES = 250_000


def _text(most: int, *kinds: str) -> Check:
    words = {"text": string(most)}
    shapes = {
        "plain_text": shape(words, {"emoji": flag}),
        "mrkdwn": shape(words, {"verbatim": flag}),
    }
    return typed({kind: shapes[kind] for kind in kinds or shapes})


def _plain(most: int) -> Check:
    return _text(most, "plain_text")


_URL = string(3_000, pattern=r"(https?|slack|mailto):")
_STYLE = one_of("primary", "danger")
_CONFIRM = shape(
    {"title": _plain(100), "text": _text(300), "confirm": _plain(30), "deny": _plain(30)}, {"style": _STYLE}
)
_ACTION = {"action_id": string(255), "confirm": _CONFIRM, "focus_on_load": flag}
_BUTTON = shape(
    {"text": _plain(75)},
    {**_ACTION, "value": string(2_000), "url": _URL, "style": _STYLE, "accessibility_label": string(75)},
)
_IMAGE = {"image_url": _URL, "alt_text": string(2_000)}
_OPTION = shape({"text": _text(75), "value": string(150)}, {"description": _text(75), "url": _URL})
_SELECT = shape({"options": array(_OPTION, 100)}, {**_ACTION, "placeholder": _plain(150), "initial_option": _OPTION})
_RADIO = shape({"options": array(_OPTION, 10)}, {**_ACTION, "initial_option": _OPTION})
_CHECKBOXES = shape({"options": array(_OPTION, 10)}, {**_ACTION, "initial_options": array(_OPTION, 10)})
_CHOICES = {"static_select": _SELECT, "radio_buttons": _RADIO, "checkboxes": _CHECKBOXES}
_TEXT_INPUT = shape(
    {},
    {
        "action_id": string(255),
        "focus_on_load": flag,
        "placeholder": _plain(150),
        "initial_value": string(3_000, least=0),
        "multiline": flag,
        "min_length": number(0, 3_000),
        "max_length": number(1, 3_000),
    },
)

_BOLD = {"style": shape({}, {"bold": flag, "italic": flag, "strike": flag, "code": flag})}
_RICH_LEAF = typed(
    {
        "text": shape({"text": string(10_000)}, _BOLD),
        "link": shape({"url": _URL}, {"text": string(10_000), **_BOLD}),
        "emoji": shape({"name": string(255)}, {"unicode": string(255)}),
        "user": shape({"user_id": string(255)}, _BOLD),
        "channel": shape({"channel_id": string(255)}, _BOLD),
        "date": shape({"timestamp": number(), "format": string(255)}, {"fallback": string(255), "url": _URL}),
    }
)
_RICH_ROW = {"elements": array(_RICH_LEAF, 1_000, least=0)}
_RICH_SECTION = shape(_RICH_ROW)
_RICH_LIST = shape(
    {
        "style": one_of("bullet", "ordered"),
        "elements": array(typed({"rich_text_section": _RICH_SECTION}), 1_000),
    },
    {"indent": number(0, 8), "offset": number(0), "border": number(0, 1)},
)
_RICH_ELEMENTS = {
    "elements": array(
        typed(
            {
                "rich_text_section": _RICH_SECTION,
                "rich_text_list": _RICH_LIST,
                "rich_text_quote": shape(_RICH_ROW, {"border": number(0, 1)}),
                "rich_text_preformatted": shape(_RICH_ROW, {"border": number(0, 1), "language": string(255)}),
            }
        ),
        1_000,
    )
}
_CELL = typed(
    {
        "raw_text": shape({"text": string(TABLE_TEXT)}),
        "raw_number": shape({"value": number()}, {"text": string(TABLE_TEXT)}),
        "rich_text": shape(_RICH_ELEMENTS),
    }
)
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})


def _column(value: object, where: str) -> Iterator[str]:
    if value is not None:
        yield from _COLUMN(value, where)


def _block(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return shape(required, {"block_id": string(255), **(optional or {})})


def _section(value: object, where: str) -> Iterator[str]:
    yield from _SECTION(value, where)
    if isinstance(value, dict) and not {"text", "fields"} & value.keys():
        yield problem("missing required field: text", where)


_SECTION = _block(
    {},
    {
        "text": _text(3_000),
        "fields": array(_text(2_000), 10),
        "accessory": typed({"button": _BUTTON, "image": shape(_IMAGE), **_CHOICES}),
        "expand": flag,
    },
)
_CONTEXT_ITEM = typed({"plain_text": _plain(2_000), "mrkdwn": _text(2_000, "mrkdwn"), "image": shape(_IMAGE)})
_EVERYWHERE: dict[str, Check] = {
    "header": _block({"text": _plain(150)}),
    "section": _section,
    "context": _block({"elements": array(_CONTEXT_ITEM, 10)}),
    "actions": _block({"elements": array(typed({"button": _BUTTON, **_CHOICES}), 25)}),
    "divider": _block({}),
    "image": _block(_IMAGE, {"title": _plain(2_000)}),
    "rich_text": _block(_RICH_ELEMENTS),
}
_MESSAGE_BLOCK = typed(
    {
        **_EVERYWHERE,
        "markdown": _block({"text": string(12_000)}),
        "table": _block({"rows": array(array(_CELL, 20), 100)}, {"column_settings": array(_column, 20, least=0)}),
    }
)
_MODAL_BLOCK = typed(
    {
        **_EVERYWHERE,
        "alert": _block({"text": _text(200)}, {"level": one_of("default", "info", "warning", "error", "success")}),
        "input": _block(
            {"label": _plain(2_000), "element": typed({"plain_text_input": _TEXT_INPUT, **_CHOICES})},
            {"hint": _plain(2_000), "optional": flag, "dispatch_action": flag},
        ),
    }
)
_MODAL = shape(
    {"title": _plain(24), "blocks": array(_MODAL_BLOCK, 100)},
    {
        "submit": _plain(24),
        "close": _plain(24),
        "private_metadata": string(3_000, least=0),
        "callback_id": string(255, least=0),
        "external_id": string(255, least=0),
        "clear_on_close": flag,
        "notify_on_close": flag,
        "submit_disabled": flag,
    },
)
_METADATA = shape({"event_type": string(255, pattern=r"[A-Za-z0-9_-]+$"), "event_payload": shape({})})


def message_problems(blocks: object) -> list[str]:
    """Say everything Slack would hold against the blocks of a message; empty when they would be taken."""
    problems = list(array(_MESSAGE_BLOCK, 50, least=0)(blocks, "/blocks"))
    if problems or not isinstance(blocks, list):
        return problems
    return [*_repeated_ids(blocks), *_table_problems(blocks)]


def modal_problems(view: object) -> list[str]:
    """Say everything Slack would hold against a modal view; empty when it would be opened."""
    problems = list(typed({"modal": _MODAL})(view, "/view"))
    if problems or not isinstance(view, dict):
        return problems
    if "submit" not in view and any(block["type"] == "input" for block in view["blocks"]):
        problems.append(problem("missing required field: submit", "/view"))
    return [*problems, *_repeated_ids(view["blocks"])]


def metadata_problems(metadata: object) -> list[str]:
    """Check message metadata: Slack drops an event type with a dot in it; here it is refused."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_payload"), dict):
        return [problem("must be an object with event_type and event_payload", "/metadata")]
    return list(_METADATA({**metadata, "event_payload": {}}, "/metadata"))


def letters(value: object) -> int:
    """Count the characters of all texts inside blocks, which is what Slack's total limits are about."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(letters(inner) for inner in value.values())
    return sum(letters(inner) for inner in value) if isinstance(value, list) else 0


def _repeated_ids(blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        if block.get("block_id") in seen:
            yield problem(f"block_id already exists: {block['block_id']}", f"/blocks/{index}/block_id")
        seen |= {block["block_id"]} if "block_id" in block else set()
        actions = [element["action_id"] for element in block.get("elements", ()) if "action_id" in element]
        for action in {action for action in actions if actions.count(action) > 1}:
            yield problem(f"action_id already exists: {action}", f"/blocks/{index}/elements")


def _table_problems(blocks: Sequence[dict[str, Any]]) -> Iterator[str]:
    tables = [index for index, block in enumerate(blocks) if block["type"] == "table"]
    for index in tables[1:]:
        yield problem("only_one_table_allowed", f"/blocks/{index}")
    for index in tables:
        if letters(blocks[index]) > TABLE_TEXT:
            yield problem(f"table must be less than {TABLE_TEXT + 1} characters", f"/blocks/{index}/rows")
