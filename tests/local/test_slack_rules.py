"""Each limit that Slack sets to messages and modals is kept; a card as the bot draws it passes them all."""

import pytest

from infra.local.slack_rules import message_problems, metadata_problems, modal_problems


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


def bold(text):
    leaf = {"type": "text", "text": text, "style": {"bold": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [leaf]}]}


def raw(text):
    return {"type": "raw_text", "text": text}


def card():
    confirm = {
        "title": plain("Approve v7 for uat?"),
        "text": mrkdwn("*churn v7* becomes the model that uat loads."),
        "confirm": plain("Approve"),
        "deny": plain("Cancel"),
        "style": "primary",
    }
    approve = {
        "type": "button",
        "action_id": "approve",
        "text": plain("Approve for uat"),
        "value": "churn/7/uat/1",
    }
    return [
        {"type": "header", "block_id": "title", "text": plain("Approve churn v7 for uat?")},
        {"type": "context", "elements": [mrkdwn(":white_check_mark: dev, :large_yellow_circle: *uat*")]},
        {
            "type": "table",
            "column_settings": [{"align": "left"}, {"align": "right"}],
            "rows": [
                [bold("Metric"), bold("v7")],
                [raw("AUC"), {"type": "raw_number", "value": 0.914, "text": "0.914"}],
            ],
        },
        {"type": "section", "text": mrkdwn("Requested by *train-pipeline*")},
        {
            "type": "actions",
            "block_id": "decide",
            "elements": [
                {**approve, "style": "primary", "confirm": confirm, "accessibility_label": "Approve churn 7"},
                {
                    "type": "button",
                    "action_id": "report",
                    "text": plain("Report"),
                    "url": "https://example.com",
                },
            ],
        },
        {"type": "divider"},
    ]


def modal(**fields):
    reason = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 500}
    blocks = [{"type": "input", "block_id": "reason", "label": plain("Why?"), "element": reason}]
    return {"type": "modal", "title": plain("Reject"), "submit": plain("Reject"), "blocks": blocks, **fields}


def button(**fields):
    return {"type": "actions", "elements": [{"type": "button", "text": plain("Go"), **fields}]}


def table(rows):
    return {"type": "table", "rows": rows}


def confirm(**fields):
    right = {"title": plain("t"), "text": plain("t"), "confirm": plain("c"), "deny": plain("d")}
    return button(confirm={**right, **fields})


TOO_MUCH = {
    "an unknown type": [{"type": "carpet"}],
    "a block without a type": [{"text": plain("x")}],
    "51 blocks": [{"type": "divider"}] * 51,
    "a header of 151": [{"type": "header", "text": plain("x" * 151)}],
    "a header in mrkdwn": [{"type": "header", "text": mrkdwn("x")}],
    "a header without text": [{"type": "header"}],
    "a section of 3001": [{"type": "section", "text": mrkdwn("x" * 3_001)}],
    "a section without text": [{"type": "section"}],
    "a section with empty text": [{"type": "section", "text": mrkdwn("")}],
    "11 in a context": [{"type": "context", "elements": [mrkdwn("x")] * 11}],
    "26 buttons": [{"type": "actions", "elements": button()["elements"] * 26}],
    "a button text of 76": [button(text=plain("x" * 76))],
    "a button text in mrkdwn": [button(text=mrkdwn("x"))],
    "a value of 2001": [button(value="x" * 2_001)],
    "an action_id of 256": [button(action_id="x" * 256)],
    "an unknown style": [button(style="green")],
    "a url that is none": [button(url="javascript:alert(1)")],
    "a field Slack does not know": [button(colour="green")],
    "a confirm title of 101": [confirm(title=plain("x" * 101))],
    "a confirm text of 301": [confirm(text=plain("x" * 301))],
    "a confirm button of 31": [confirm(confirm=plain("x" * 31))],
    "a confirm without deny": [button(confirm={"title": plain("t"), "text": plain("t"), "confirm": plain("c")})],
    "a block_id of 256": [{"type": "divider", "block_id": "x" * 256}],
    "a block_id twice": [{"type": "divider", "block_id": "x"}] * 2,
    "an action_id twice": [{"type": "actions", "elements": button(action_id="x")["elements"] * 2}],
    "two tables": [table([[raw("x")]])] * 2,
    "101 rows": [table([[raw("x")]] * 101)],
    "21 columns": [table([[raw("x")] * 21])],
    "an unknown cell": [table([[mrkdwn("x")]])],
    "a table of 10001": [table([[raw("x" * 5_000)], [raw("x" * 5_001)]])],
    "emoji in mrkdwn": [{"type": "section", "text": {**mrkdwn("x"), "emoji": True}}],
    "an alert outside of a modal": [{"type": "alert", "text": plain("x")}],
}


def test_a_card_as_the_bot_draws_it_passes_every_limit():
    assert not message_problems(card())


@pytest.mark.parametrize("blocks", TOO_MUCH.values(), ids=TOO_MUCH)
def test_each_violation_is_refused_with_a_pointer_to_it(blocks):
    problems = message_problems(blocks)
    assert problems
    assert all("[json-pointer:/blocks" in problem for problem in problems)


@pytest.mark.parametrize("blocks", [None, {}, "[]", [None], ["divider"]])
def test_what_is_no_list_of_blocks_is_refused_without_a_crash(blocks):
    assert message_problems(blocks)


def test_every_problem_is_said_at_once():
    header = {"type": "header", "text": plain("x" * 151)}
    assert message_problems([header, {"type": "carpet"}]) == [
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
        "unsupported type: carpet [json-pointer:/blocks/1/type]",
    ]


def test_a_modal_that_asks_for_a_reason_passes():
    assert not modal_problems(modal(private_metadata="churn/7/uat/1", close=plain("Cancel")))


@pytest.mark.parametrize(
    "view",
    [
        modal(title=plain("x" * 25)),
        modal(submit=plain("x" * 25)),
        modal(blocks=[]),
        modal(blocks=[{"type": "divider"}] * 101),
        modal(blocks=[{"type": "divider", "block_id": "x"}] * 2),
        modal(blocks=[table([[raw("x")]])]),
        modal(private_metadata="x" * 3_001),
        modal(callback_id="x" * 256),
        {name: value for name, value in modal().items() if name != "submit"},
        {**modal(), "type": "home"},
        None,
    ],
)
def test_a_modal_over_a_limit_is_refused(view):
    assert modal_problems(view)


def test_metadata_has_a_type_without_dots_and_a_payload():
    assert not metadata_problems({"event_type": "model_approval", "event_payload": {"round": 1}})
    assert metadata_problems({"event_type": "model.approval", "event_payload": {}})
    assert metadata_problems({"event_type": "model_approval"})
    assert metadata_problems("model_approval")
