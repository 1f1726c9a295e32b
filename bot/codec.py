"""Frozen dataclasses to JSON objects and back: one rule for entries, jobs, card records and the status.

An object has the dataclass's field names as keys; fields that hold their default are left out, unknown keys are
ignored, so that an older bot reads what a newer one wrote.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from bot.domain import moment, rfc3339
from bot.errors import Malformed

T = TypeVar("T")


def to_json(value: Any) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Turn a value of the domain into what `encoding.encode` accepts."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: to_json(getattr(value, each.name))
            for each in fields(value)
            if getattr(value, each.name) != _default(each)
        }
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, tuple | frozenset):
        return [to_json(inner) for inner in value]
    if isinstance(value, Mapping):
        return {str(key): to_json(inner) for key, inner in value.items()}
    return value


def from_json(kind: type[T], value: object) -> T:
    """Build a `kind` from a JSON object; raise `Malformed` when a field is missing or of another type."""
    try:
        return _read(kind, value)  # type: ignore[no-any-return]
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as problem:
        raise Malformed(f"not a {kind.__name__}: {problem}") from problem


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 - one line for each shape of type
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        return None if value is None else _read(options[0], value)
    if origin is tuple:
        return _read_tuple(get_args(kind), value)
    if origin is not None and issubclass(origin, Mapping):
        key, inner = get_args(kind)
        return {_read(key, name): _read(inner, each) for name, each in _instance(dict, value).items()}
    if is_dataclass(kind):
        return _read_object(kind, value)
    if kind is datetime:
        return moment(_instance(str, value))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    if kind is float:
        number = float(_instance((int, float), value))
        return number if math.isfinite(number) else _instance(type(None), number)
    return _instance(kind, value)


def _read_tuple(kinds: tuple[Any, ...], value: object) -> tuple[Any, ...]:
    items = _instance(list, value)
    if kinds[-1] is Ellipsis:
        return tuple(_read(kinds[0], item) for item in items)
    return tuple(_read(kind, item) for kind, item in zip(kinds, items, strict=True))


def _read_object(kind: Any, value: object) -> Any:  # noqa: ANN401
    given = _instance(dict, value)
    hints = _hints(kind)
    found = {each.name: _read(hints[each.name], given[each.name]) for each in fields(kind) if each.name in given}
    return kind(**found)


def _instance(kind: Any, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool):
        return value
    raise TypeError(f"{value!r:.60} where {getattr(kind, '__name__', kind)} is wanted")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _default(each: Any) -> Any:  # noqa: ANN401
    if each.default_factory is not MISSING:
        return each.default_factory()
    return each.default
