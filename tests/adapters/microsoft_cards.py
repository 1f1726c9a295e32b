"""Adaptive Cards as Microsoft's own types read them (`microsoft-teams-cards`)."""

from collections.abc import Iterator
from typing import Any

from microsoft_teams import cards
from pydantic import BaseModel, ValidationError

KINDS: dict[str, type[BaseModel]] = {
    each.model_fields["type"].default: each
    for each in vars(cards).values()
    if isinstance(each, type) and issubclass(each, BaseModel) and "type" in each.model_fields
}
NO_FIELDS = {"$schema", "type"}


def mistakes(card: dict[str, Any]) -> list[str]:
    """What Microsoft's types do not know or take. They let whatever is nested pass, so each part is read by itself."""
    return [mistake for part in parts(card) if "type" in part for mistake in _mistakes(part)]


def parts(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value, outermost first."""
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from parts(each)


def _mistakes(part: dict[str, Any]) -> Iterator[str]:
    kind = KINDS.get(part["type"])
    if kind is None:
        yield f"there is no {part['type']}"
        return
    try:
        read = kind.model_validate(part)
    except ValidationError as wrong:
        yield f"{part['type']}: {wrong}"
        return
    yield from (f"{part['type']} has no {name}" for name in (read.model_extra or {}).keys() - NO_FIELDS)
