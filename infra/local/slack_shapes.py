"""What checks of JSON are made of: each gives a check, which gives what is wrong with a value."""

import re
from collections.abc import Callable, Iterator, Mapping

Check = Callable[[object, str], Iterator[str]]


def problem(what: str, where: str) -> str:
    """Say what is wrong, and where, in Slack's own manner."""
    return f"{what} [json-pointer:{where}]"


def string(most: int, *, least: int = 1, pattern: str = "") -> Check:
    """Take a text of this many characters that begins like `pattern`."""

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must be a string", where)
        elif len(value) < least:
            yield problem(f"must be more than {least - 1} characters", where)
        elif len(value) > most:
            yield problem(f"must be less than {most + 1} characters", where)
        elif not re.match(pattern, value):
            yield problem(f"must match {pattern}", where)

    return check


def number(least: float = float("-inf"), most: float = float("inf")) -> Check:
    """Take a number within bounds; a boolean is none."""

    def check(value: object, where: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield problem("must be a number", where)
        elif not least <= value <= most:
            yield problem(f"must be between {least} and {most}", where)

    return check


def one_of(*allowed: str) -> Check:
    """Take one of a few words."""

    def check(value: object, where: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of {', '.join(allowed)}", where)

    return check


def flag(value: object, where: str) -> Iterator[str]:
    """Take true or false."""
    if not isinstance(value, bool):
        yield problem("must be a boolean", where)


def array(item: Check, most: int, *, least: int = 1) -> Check:
    """Take a list of so many items, each of them right."""

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must be an array", where)
        elif len(value) < least:
            yield problem(f"no fewer than {least} items allowed", where)
        elif len(value) > most:
            yield problem(f"no more than {most} items allowed", where)
        else:
            for index, each in enumerate(value):
                yield from item(each, f"{where}/{index}")

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Take an object with these fields and no others (`type` may always be there)."""
    fields = {**required, **(optional or {})}

    def check(value: object, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must be an object", where)
            return
        for name in required.keys() - value.keys():
            yield problem(f"missing required field: {name}", where)
        for name, inner in value.items():
            if name in fields:
                yield from fields[name](inner, f"{where}/{name}")
            elif name != "type":
                yield problem(f"invalid additional property: {name}", where)

    return check


def typed(shapes: Mapping[str, Check]) -> Check:
    """Take an object by the shape its `type` stands for."""

    def check(value: object, where: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind in shapes:
            yield from shapes[kind](value, where)
        else:
            yield problem(f"unsupported type: {kind}", f"{where}/type")

    return check
