"""The shapes of Adaptive Cards as Teams knows them, up to version 1.5: https://adaptivecards.io/explorer.

What is not here (media, charts, `Action.Submit`, which sends a message in the person's name) is refused as unknown.
"""

from collections.abc import Iterator, Mapping

from infra.local.slack_shapes import Check, array, flag, number, problem, shape, string, typed

MOST_ACTIONS = 6
MOST_REFRESHED = 60
MOST_TEXT = 100_000


def word(*allowed: str) -> Check:
    """Take one of a few words, in whatever case, as renderers do."""

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, str) or value.lower() not in allowed:
            yield problem(f"must be one of {', '.join(allowed)}", where)

    return check


def either(*checks: Check) -> Check:
    """Take what any of the checks takes; the last one says what is wrong."""

    def check(value: object, where: str) -> Iterator[str]:
        if not any(not list(each(value, where)) for each in checks):
            yield from checks[-1](value, where)

    return check


def bag(value: object, where: str) -> Iterator[str]:
    """Take any object."""
    if not isinstance(value, dict):
        yield problem("must be an object", where)


TEXT = string(MOST_TEXT, least=0)
NAME = string(255)
_PIXELS = string(10, pattern=r"\d+px$")
_IMAGE_URL = string(MOST_TEXT, pattern=r"https://|data:image/")
_LINK = string(4_000, pattern=r"(https?|mailto|msteams):")
_ALIGN = word("left", "center", "right")
_STAND = word("top", "center", "bottom")
_STYLE = word("default", "emphasis", "good", "attention", "warning", "accent")
_COLOUR = word("default", "dark", "light", "accent", "good", "warning", "attention")
_LETTERS = {
    "color": _COLOUR,
    "fontType": word("default", "monospace"),
    "isSubtle": flag,
    "size": word("default", "small", "medium", "large", "extralarge"),
    "weight": word("default", "lighter", "bolder"),
}


def _element(value: object, where: str) -> Iterator[str]:
    yield from _known(_ELEMENTS, value, where)


def _action(value: object, where: str) -> Iterator[str]:
    yield from _known(_ACTIONS, value, where)


def _known(shapes: Mapping[str, Check], value: object, where: str) -> Iterator[str]:
    """Take a known type, or an unknown one that says what to show in its place."""
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(value, dict) and kind not in shapes and "fallback" in value:
        instead = _instead_of_element if shapes is _ELEMENTS else _instead_of_action
        yield from instead(value["fallback"], f"{where}/fallback")
    else:
        yield from typed(shapes)(value, where)


def _instead_of_element(value: object, where: str) -> Iterator[str]:
    yield from either(word("drop"), _element)(value, where)


def _instead_of_action(value: object, where: str) -> Iterator[str]:
    yield from either(word("drop"), _action)(value, where)


def _titled(value: object, where: str) -> Iterator[str]:
    yield from _action(value, where)
    if isinstance(value, dict) and not value.get("title"):
        yield problem("missing required field: title", where)


def _placed(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Shape an element: what all of them may say about themselves comes on top."""
    common: dict[str, Check] = {
        "id": NAME,
        "isVisible": flag,
        "separator": flag,
        "spacing": word("default", "none", "small", "medium", "large", "extralarge", "padding"),
        "height": either(word("auto", "stretch"), _PIXELS),
        "fallback": _instead_of_element,
        "requires": bag,
    }
    return shape(required, {**common, **(optional or {})})


def _input(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    words: dict[str, Check] = {"label": TEXT, "errorMessage": TEXT, "isRequired": flag, "value": TEXT}
    return _placed({"id": NAME, **required}, {**words, **optional})


def _button(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    common: dict[str, Check] = {
        "id": NAME,
        "title": string(255),
        "iconUrl": _IMAGE_URL,
        "style": word("default", "positive", "destructive"),
        "mode": word("primary", "secondary"),
        "tooltip": TEXT,
        "isEnabled": flag,
        "fallback": _instead_of_action,
        "requires": bag,
    }
    return shape(required, {**common, **(optional or {})})


_BOX = {
    "selectAction": _action,
    "style": _STYLE,
    "verticalContentAlignment": _STAND,
    "bleed": flag,
    "minHeight": _PIXELS,
    "rtl": flag,
}
_ITEMS = {"items": array(_element, 200, least=0)}
_CELLS = {"horizontalCellContentAlignment": _ALIGN, "verticalCellContentAlignment": _STAND}
_COLUMN = _placed(_ITEMS, {**_BOX, "width": either(word("auto", "stretch"), number(0), _PIXELS)})
_CELL = typed({"TableCell": shape(_ITEMS, _BOX)})
_ROW = typed({"TableRow": shape({"cells": array(_CELL, 20)}, {"style": _STYLE, **_CELLS})})
_RUN = shape(
    {"text": TEXT},
    {
        **_LETTERS,
        "highlight": flag,
        "italic": flag,
        "selectAction": _action,
        "strikethrough": flag,
        "underline": flag,
    },
)
_CHOICE = shape({"title": TEXT, "value": string(1_000)})
_ELEMENTS: dict[str, Check] = {
    "TextBlock": _placed(
        {"text": TEXT},
        {
            **_LETTERS,
            "horizontalAlignment": _ALIGN,
            "maxLines": number(1),
            "wrap": flag,
            "style": word("default", "heading", "columnheader"),
        },
    ),
    "RichTextBlock": _placed(
        {"inlines": array(either(TEXT, typed({"TextRun": _RUN})), 200)}, {"horizontalAlignment": _ALIGN}
    ),
    "Image": _placed(
        {"url": _IMAGE_URL, "altText": string(1_000)},
        {
            "horizontalAlignment": _ALIGN,
            "selectAction": _action,
            "size": word("auto", "stretch", "small", "medium", "large"),
            "style": word("default", "person"),
            "width": _PIXELS,
        },
    ),
    "Container": _placed(_ITEMS, _BOX),
    "ColumnSet": _placed(
        {"columns": array(_COLUMN, 20)},
        {
            "selectAction": _action,
            "style": _STYLE,
            "bleed": flag,
            "minHeight": _PIXELS,
            "horizontalAlignment": _ALIGN,
        },
    ),
    "FactSet": _placed({"facts": array(shape({"title": TEXT, "value": TEXT}), 100)}),
    "ActionSet": _placed({"actions": array(_titled, MOST_ACTIONS)}),
    "Table": _placed(
        {
            "columns": array(shape({"width": either(number(1), _PIXELS)}, _CELLS), 20),
            "rows": array(_ROW, 200),
        },
        {"firstRowAsHeader": flag, "firstRowAsHeaders": flag, "showGridLines": flag, "gridStyle": _STYLE, **_CELLS},
    ),
    "Input.Text": _input(
        {},
        {
            "isMultiline": flag,
            "maxLength": number(1),
            "placeholder": TEXT,
            "regex": TEXT,
            "style": word("text", "tel", "url", "email", "password"),
            "inlineAction": _action,
        },
    ),
    "Input.Number": _input({}, {"min": number(), "max": number(), "value": number(), "placeholder": TEXT}),
    "Input.Date": _input({}, {"min": TEXT, "max": TEXT, "placeholder": TEXT}),
    "Input.Time": _input({}, {"min": TEXT, "max": TEXT, "placeholder": TEXT}),
    "Input.Toggle": _input({"title": TEXT}, {"valueOn": TEXT, "valueOff": TEXT, "wrap": flag}),
    "Input.ChoiceSet": _input(
        {"choices": array(_CHOICE, 200)},
        {
            "isMultiSelect": flag,
            "style": word("compact", "expanded", "filtered"),
            "placeholder": TEXT,
            "wrap": flag,
        },
    ),
}
_TARGET = either(NAME, shape({"elementId": NAME}, {"isVisible": flag}))
_CARD = {
    "$schema": TEXT,
    "version": string(8),
    "body": array(_element, 500, least=0),
    "actions": array(_titled, MOST_ACTIONS, least=0),
    "fallbackText": TEXT,
    "speak": TEXT,
    "lang": TEXT,
    "minHeight": _PIXELS,
    "rtl": flag,
    "verticalContentAlignment": _STAND,
    "selectAction": _action,
}
_SHOWN = typed({"AdaptiveCard": shape({}, _CARD)})
_EXECUTE = _button(
    {}, {"verb": string(1_000), "data": bag, "associatedInputs": word("auto", "none"), "title": string(255)}
)
_ACTIONS: dict[str, Check] = {
    "Action.Execute": _EXECUTE,
    "Action.OpenUrl": _button({"url": _LINK}),
    "Action.ToggleVisibility": _button({"targetElements": array(_TARGET, 50)}),
    "Action.ShowCard": _button({"card": _SHOWN}),
}
_REFRESH = shape(
    {"action": typed({"Action.Execute": _EXECUTE})},
    {"userIds": array(string(255, pattern=r"29:"), MOST_REFRESHED, least=0), "expires": TEXT},
)
_MENTION = shape(
    {
        "type": word("mention"),
        "text": string(300, pattern=r"<at>.*</at>$"),
        "mentioned": shape({"id": NAME, "name": NAME}),
    }
)
CARD = typed(
    {
        "AdaptiveCard": shape(
            {"version": string(8)},
            {
                **_CARD,
                "refresh": _REFRESH,
                "msteams": shape({}, {"width": word("full"), "entities": array(_MENTION, 100)}),
            },
        )
    }
)
