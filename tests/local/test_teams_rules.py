"""What Teams would not show is named, with a pointer to where; what people fill in goes to the bot as they see it."""

import pytest

from infra.local.teams_card import actions_of, filled_in, find_action, input_ids
from infra.local.teams_rules import card_problems, conversation_problems, message_problems

TEXT = {"type": "TextBlock", "text": "hello"}
REASON = {"type": "Input.Text", "id": "reason", "label": "Why?", "isRequired": True, "errorMessage": "Give a reason"}
CHOICES = [{"title": "A", "value": "a"}, {"title": "B", "value": "b"}]
EXECUTE = {"type": "Action.Execute", "title": "Approve", "verb": "approve", "data": {"id": "churn/7/uat/1"}}
EVERYTHING = [
    {**TEXT, "wrap": True, "size": "Large", "weight": "Bolder", "color": "good", "style": "heading", "spacing": "None"},
    {"type": "RichTextBlock", "inlines": ["plain", {"type": "TextRun", "text": "bold", "weight": "bolder"}]},
    {"type": "Image", "url": "https://pictures.example/a.png", "altText": "A picture", "size": "Small"},
    {"type": "Container", "style": "accent", "bleed": True, "items": [TEXT], "selectAction": EXECUTE},
    {
        "type": "ColumnSet",
        "columns": [{"type": "Column", "width": "stretch", "items": [TEXT]}, {"width": 2, "items": []}],
    },
    {"type": "FactSet", "facts": [{"title": "Commit", "value": "`4f1c2ab`"}], "separator": True},
    {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "https://example.com"}]},
    {
        "type": "Table",
        "firstRowAsHeader": True,
        "columns": [{"width": 3}, {"width": "50px", "horizontalCellContentAlignment": "Right"}],
        "rows": [{"type": "TableRow", "cells": [{"type": "TableCell", "items": [TEXT]}] * 2}],
    },
    {"type": "Input.Number", "id": "number", "label": "How many?", "min": 1, "max": 3},
    {"type": "Input.Date", "id": "date", "label": "When?"},
    {"type": "Input.Time", "id": "time", "label": "At what time?"},
    {"type": "Input.Toggle", "id": "sure", "title": "I am sure"},
    {"type": "Input.ChoiceSet", "id": "one", "label": "Which?", "choices": [{"title": "A", "value": "a"}]},
    {"type": "Chart.Donut", "data": [], "fallback": TEXT},
    {"type": "Chart.Line", "fallback": "drop"},
]


def card(*body, **changes):
    return {"type": "AdaptiveCard", "version": "1.5", "body": list(body) or [TEXT], **changes}


def shown(name, *body, actions=(EXECUTE,)):
    inner = {"type": "AdaptiveCard", "body": list(body), "actions": list(actions)}
    return {"type": "Action.ShowCard", "title": name, "card": inner}


def test_everything_that_teams_knows_is_taken():
    whole = card(
        *EVERYTHING,
        actions=[
            EXECUTE,
            {"type": "Action.ToggleVisibility", "title": "More", "targetElements": ["date"]},
            shown("Reject", REASON),
        ],
        refresh={"action": {"type": "Action.Execute", "verb": "view", "data": {}}, "userIds": ["29:1a"] * 60},
        msteams={"width": "Full"},
        fallbackText="hello",
        **{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json"},
    )
    assert card_problems(whole) == []


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"type": "Carpet"}, "unsupported type: Carpet [json-pointer:/body/0/type]"),
        ({"type": "Media", "sources": []}, "unsupported type: Media [json-pointer:/body/0/type]"),
        ({"type": "Carpet", "fallback": {"type": "Rug"}}, "unsupported type: Rug [json-pointer:/body/0/fallback/type]"),
        ({**TEXT, "fallback": {"type": "Rug"}}, "unsupported type: Rug [json-pointer:/body/0/fallback/type]"),
        ({"type": "TextBlock"}, "missing required field: text [json-pointer:/body/0]"),
        ({**TEXT, "colour": "good"}, "invalid additional property: colour [json-pointer:/body/0]"),
        ({**TEXT, "wrap": "yes"}, "must be a boolean [json-pointer:/body/0/wrap]"),
        (
            {**TEXT, "size": "huge"},
            "must be one of default, small, medium, large, extralarge [json-pointer:/body/0/size]",
        ),
        (
            {"type": "ColumnSet", "columns": [{"width": "50", "items": []}]},
            r"must match \d+px$ [json-pointer:/body/0/columns/0/width]",
        ),
        (
            {"type": "Image", "url": "http://pictures.example/a.png", "altText": "A picture"},
            "must match https://|data:image/ [json-pointer:/body/0/url]",
        ),
        (
            {"type": "Table", "columns": [{"width": 1}], "rows": [{"cells": []}]},
            "unsupported type: None [json-pointer:/body/0/rows/0/type]",
        ),
        ({"type": "Input.Text", "label": "Why?"}, "missing required field: id [json-pointer:/body/0]"),
        ({"type": "Input.Text", "id": "a"}, "an input needs a label: a [json-pointer:]"),
        (
            {**REASON, "errorMessage": ""},
            "a required input needs an errorMessage: reason [json-pointer:]",
        ),
    ],
)
def test_an_element_that_teams_would_not_show_is_named(body, where):
    assert card_problems(card(body)) == [where]


@pytest.mark.parametrize(
    ("action", "where"),
    [
        ({"type": "Action.Submit", "title": "x"}, "unsupported type: Action.Submit [json-pointer:/actions/0/type]"),
        ({"type": "Action.Execute", "verb": "x"}, "missing required field: title [json-pointer:/actions/0]"),
        ({**EXECUTE, "data": "x"}, "must be an object [json-pointer:/actions/0/data]"),
        (
            {"type": "Action.OpenUrl", "title": "x", "url": "javascript:x"},
            "must match (https?|mailto|msteams): [json-pointer:/actions/0/url]",
        ),
        (
            {"type": "Action.ToggleVisibility", "title": "x", "targetElements": [{"elementId": "a"}]},
            "no element has the id a [json-pointer:]",
        ),
        (
            shown("x", {"type": "Carpet"}),
            "unsupported type: Carpet [json-pointer:/actions/0/card/body/0/type]",
        ),
        (
            shown("x", {"type": "Input.Text", "id": "a"}),
            "an input needs a label: a [json-pointer:]",
        ),
    ],
)
def test_an_action_that_teams_would_not_show_is_named(action, where):
    assert card_problems(card(actions=[action])) == [where]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": "1.6"}, "unsupported version: 1.6, Teams knows up to 1.5 [json-pointer:/version]"),
        (
            {"version": "1.4", "actions": [EXECUTE]},
            "Action.Execute and refresh need version 1.5 [json-pointer:/version]",
        ),
        (
            {"version": "1.4", "refresh": {"action": EXECUTE}},
            "Action.Execute and refresh need version 1.5 [json-pointer:/version]",
        ),
        ({"actions": [EXECUTE] * 7}, "no more than 6 items allowed [json-pointer:/actions]"),
        (
            {"refresh": {"action": EXECUTE, "userIds": ["29:1a"] * 61}},
            "no more than 60 items allowed [json-pointer:/refresh/userIds]",
        ),
        (
            {"refresh": {"action": EXECUTE, "userIds": ["00000000-0000-4000-8000-00000000a001"]}},
            "must match 29: [json-pointer:/refresh/userIds/0]",
        ),
        (
            {"refresh": {"action": {"type": "Action.OpenUrl", "url": "https://example.com"}}},
            "unsupported type: Action.OpenUrl [json-pointer:/refresh/action/type]",
        ),
        ({"body": [{**TEXT, "id": "a"}] * 2}, "id already exists: a [json-pointer:]"),
        ({"body": [REASON], "actions": [shown("x", REASON)]}, "id already exists: reason [json-pointer:]"),
        ({"msteams": {"width": "half"}}, "must be one of full [json-pointer:/msteams/width]"),
        ({"type": "HeroCard"}, "unsupported type: HeroCard [json-pointer:/type]"),
    ],
)
def test_a_card_that_teams_would_not_show_is_named(changes, problem):
    assert card_problems(card(**changes)) == [problem]


def test_a_card_says_its_version_and_is_an_object():
    assert card_problems({"type": "AdaptiveCard"}) == ["missing required field: version [json-pointer:]"]
    assert card_problems("card") == ["unsupported type: None [json-pointer:/type]"]


def test_a_plain_card_of_an_earlier_version_is_taken():
    assert card_problems(card(version="1.2")) == []


def test_problems_of_a_card_point_into_the_message():
    message = {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card(version="1.6")}],
    }
    (problem,) = message_problems(message)
    assert problem.endswith("[json-pointer:/attachments/0/content/version]")


def test_another_kind_of_card_is_named():
    hero = {"contentType": "application/vnd.microsoft.card.hero", "content": card()}
    (problem,) = message_problems({"type": "message", "attachments": [hero]})
    assert problem.startswith("unsupported content type: application/vnd.microsoft.card.hero")


def test_a_message_and_a_conversation_have_known_fields_only():
    assert message_problems({"type": "message", "text": "x", "summary": "y", "textFormat": "markdown"}) == []
    assert message_problems({"type": "message", "txet": "x"}) == ["invalid additional property: txet [json-pointer:]"]
    assert message_problems({"type": "message"}) == ["a message has text or a card [json-pointer:]"]
    assert conversation_problems({"channelData": {}, "isGroup": True}) == []
    assert conversation_problems([]) == ["must be an object [json-pointer:]"]


# in somebody's hands


def test_an_action_is_found_by_title_or_verb_wherever_it_is():
    inner = {**EXECUTE, "title": "Reject version", "verb": "reject"}
    inline = {**EXECUTE, "title": "Go", "verb": "go"}
    body = [
        {"type": "Container", "items": [{"type": "ActionSet", "actions": [EXECUTE]}]},
        {**REASON, "inlineAction": inline},
    ]
    whole = card(*body, actions=[shown("Reject…", actions=[inner])], refresh={"action": {**EXECUTE, "verb": "view"}})
    for name in ("Approve", "approve", "Reject…", "Reject version", "reject", "go"):
        assert find_action(whole, name)
    assert find_action(whole, "view") is None
    assert find_action(card(actions=[{**EXECUTE, "data": {"a": {**EXECUTE, "verb": "hidden"}}}]), "hidden") is None


def test_inputs_of_a_card_and_those_around_it_go_with_its_buttons_and_no_others():
    outer, inner = {**REASON, "id": "outer"}, {**REASON, "id": "inner"}
    other = {**REASON, "id": "other"}
    whole = card(
        outer,
        actions=[
            EXECUTE,
            {**EXECUTE, "verb": "alone", "associatedInputs": "none"},
            shown("a", inner, actions=[{**EXECUTE, "verb": "deep"}]),
            shown("b", other),
        ],
    )
    found = {
        action.get("verb"): [each["id"] for each in inputs] for action, inputs in reversed(list(actions_of(whole)))
    }
    assert (found["approve"], found["alone"], found["deep"]) == (["outer"], [], ["outer", "inner"])
    assert input_ids(whole) == {"outer", "inner", "other"}


@pytest.mark.parametrize(
    ("field", "value", "passes"),
    [
        (REASON, "because", True),
        (REASON, "", False),
        (REASON, "  ", True),
        ({**REASON, "isRequired": False}, "", True),
        ({**REASON, "maxLength": 3}, "four", False),
        ({**REASON, "maxLength": 3}, "tre", True),
        ({**REASON, "regex": "^[0-9]+$"}, "12", True),
        ({**REASON, "regex": "^[0-9]+$"}, "twelve", False),
        ({"type": "Input.Number", "id": "n", "min": 1, "max": 3}, "3", True),
        ({"type": "Input.Number", "id": "n", "min": 1, "max": 3}, "4", False),
        ({"type": "Input.Number", "id": "n"}, "three", False),
        ({"type": "Input.Toggle", "id": "t", "isRequired": True}, "false", False),
        ({"type": "Input.Toggle", "id": "t", "isRequired": True, "valueOn": "yes"}, "yes", True),
        ({"type": "Input.Toggle", "id": "t"}, "false", True),
        ({"type": "Input.ChoiceSet", "id": "c", "choices": [{"title": "A", "value": "a"}]}, "a", True),
        ({"type": "Input.ChoiceSet", "id": "c", "choices": [{"title": "A", "value": "a"}]}, "b", False),
        ({"type": "Input.ChoiceSet", "id": "c", "choices": CHOICES}, "a,b", False),
        (
            {
                "type": "Input.ChoiceSet",
                "id": "c",
                "isMultiSelect": True,
                "choices": CHOICES,
            },
            "a,b",
            True,
        ),
    ],
)
def test_the_client_lets_pass_what_it_checks(field, value, passes):
    _, errors = filled_in([field], {field["id"]: value})
    assert errors == ({} if passes else {field["id"]: field.get("errorMessage", "This is not valid.")})


def test_what_is_not_filled_in_is_sent_as_it_was_drawn():
    toggle = {"type": "Input.Toggle", "id": "sure", "valueOff": "no"}
    date, note = {"type": "Input.Date", "id": "date"}, {"type": "Input.Text", "id": "note"}
    number = {"type": "Input.Number", "id": "number", "value": 3}
    state, errors = filled_in([toggle, date, note, number], {})
    assert (state, errors) == ({"sure": "no", "note": "", "number": "3"}, {})


def mention(text, **changes):
    return {"type": "mention", "text": text, "mentioned": {"id": "x", "name": "Maya"}, **changes}


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("Hello <at>Maya</at>, <at>Omar</at>", [mention("<at>Omar</at>")]),
        ("Hello", [mention("<at>Maya</at>")]),
        ("<at>Maya</at>", [mention("<at>Maya</at>")] * 2),
        ("<at>Maya</at> <at>Maya</at>", [mention("<at>Maya</at>")]),
    ],
)
def test_a_mention_is_one_entity_and_stands_once_in_the_text(text, entities):
    problems = card_problems(card({**TEXT, "text": text}, msteams={"entities": entities}))
    assert problems == ["a mention is one entity and stands once in the text: <at>Maya</at> [json-pointer:/msteams]"]


def test_a_mention_names_somebody():
    good = card({**TEXT, "text": "<at>Maya</at>"}, msteams={"entities": [mention("<at>Maya</at>")]})
    assert card_problems(good) == []
    assert card_problems(card(msteams={"entities": [mention("Maya")]}))
    assert card_problems(card(msteams={"entities": [mention("<at>Maya</at>", mentioned={"id": "x"})]}))
