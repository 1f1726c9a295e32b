"""An Adaptive Card in somebody's hands: what can be pressed on it, what can be filled in, and what goes to the bot.

Which inputs belong to which button: https://learn.microsoft.com/adaptive-cards/authoring-cards/input-validation.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
CLOSED = frozenset({"data", "refresh", "msteams", "fallback", "requires"})
"""Parts of a card in which no element is looked for."""


def parts_of(part: object, *, everything: bool = False) -> Iterator[Json]:
    """Walk through the elements and actions of a card; `everything` goes into the cards behind its buttons, too."""
    if isinstance(part, list):
        for each in part:
            yield from parts_of(each, everything=everything)
    if isinstance(part, dict):
        yield part
        for name, value in part.items():
            if name not in CLOSED and (everything or name != "card"):
                yield from parts_of(value, everything=everything)


def actions_of(card: Mapping[str, Any], outer: Sequence[Json] = ()) -> Iterator[tuple[Json, Sequence[Json]]]:
    """Find every action, also in cards behind buttons, with the inputs that go to the bot with it."""
    parts = list(parts_of(dict(card)))
    inputs = [*outer, *(each for each in parts if _is(each, "Input."))]
    for part in parts:
        if _is(part, "Action."):
            yield part, () if part.get("associatedInputs", "auto").lower() == "none" else inputs
            if part["type"] == "Action.ShowCard":
                yield from actions_of(part["card"], inputs)


def find_action(card: Mapping[str, Any], name: str) -> tuple[Json, Sequence[Json]] | None:
    """Find the action with this title or verb, and its inputs."""
    found = (each for each in actions_of(card) if name in {each[0].get("title"), each[0].get("verb")})
    return next(found, None)


def input_ids(card: Mapping[str, Any]) -> set[str]:
    """Name everything on a card that can be filled in."""
    return {each["id"] for each in parts_of(dict(card), everything=True) if _is(each, "Input.")}


def filled_in(inputs: Sequence[Json], values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give what goes to the bot, by id, and what the client would not let pass, by id."""
    state: dict[str, str] = {}
    errors: dict[str, str] = {}
    for each in inputs:
        value = str(values.get(each["id"], each.get("value", _empty(each))))
        if value or each["type"] in {"Input.Text", "Input.Toggle"}:
            state[each["id"]] = value
        if not _passes(each, value):
            errors[each["id"]] = each.get("errorMessage") or "This is not valid."
    return state, errors


def _empty(field: Json) -> str:
    return str(field.get("valueOff", "false")) if field["type"] == "Input.Toggle" else ""


def _passes(field: Json, value: str) -> bool:
    """Check as the client does: it does not look at blanks, and not at what is not required and empty."""
    if field["type"] == "Input.Toggle":
        return not field.get("isRequired") or value == str(field.get("valueOn", "true"))
    if not value:
        return not field.get("isRequired")
    if field["type"] == "Input.ChoiceSet":
        chosen = value.split(",") if field.get("isMultiSelect") else [value]
        return {*chosen} <= {choice["value"] for choice in field["choices"]}
    if field["type"] == "Input.Number":
        return _is_within(field, value)
    return len(value) <= field.get("maxLength", len(value)) and bool(re.search(field.get("regex", ""), value))


def _is_within(field: Json, value: str) -> bool:
    try:
        return bool(field.get("min", float("-inf")) <= float(value) <= field.get("max", float("inf")))
    except ValueError:
        return False


def _is(part: Json, kind: str) -> bool:
    return str(part.get("type")).startswith(kind)
