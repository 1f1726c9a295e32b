"""The codec: every value that is stored or queued comes back as it was, and anything else is malformed."""

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import history, jobs
from bot.approved import ApprovedModel
from bot.clicks import ActJob
from bot.codec import from_json, to_json
from bot.domain import Answer, ModelVersion, RequestId
from bot.encoding import decode, encode
from bot.entries import Champion, Expiry, Observed, Requester
from bot.errors import Malformed
from bot.evidence import Evidence, Metric
from bot.members import Person
from bot.package import Package
from bot.records import CardRecord
from bot.status import GroupStatus
from tests.memory import START

KINDS = [
    *(kind for kind in history.KINDS.values()),
    *(kind for kind in jobs.KINDS.values()),
    ApprovedModel,
    CardRecord,
    GroupStatus,
    Package,
]
EARLY, LATE = datetime(2000, 1, 1), datetime(2999, 1, 1)  # noqa: DTZ001 - hypothesis wants none
DAYS = st.datetimes(EARLY, LATE, timezones=st.just(UTC))
NUMBERS = st.integers(-(2**63), 2**63)
LEAVES = {
    str: st.text(max_size=6),
    int: NUMBERS,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: DAYS.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
}
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def any_of(kind):
    """Any value of a type, read from its hints: a field that is added is tried without a word here."""
    inner = get_args(kind)
    if kind in LEAVES:
        return LEAVES[kind]
    if get_origin(kind) in (Union, types.UnionType):
        return st.none() | any_of(inner[0])
    if get_origin(kind) is tuple and inner[-1] is Ellipsis:
        return st.lists(any_of(inner[0]), max_size=2).map(tuple)
    if get_origin(kind) is tuple:
        return st.tuples(*map(any_of, inner))
    if get_origin(kind) is Mapping:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=2)
    if issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind)
    return st.builds(kind, **{each.name: any_of(hints[each.name]) for each in fields(kind)})


def places(value, path=()):
    """Every place inside a JSON value, the whole included."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def with_other(value, path, other):
    """A JSON value with one place of it replaced."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_other(value[path[0]], path[1:], other)
    return copy


def metric(**changes):
    return {"name": "auc", "value": 0.9, **changes}


def malformed(kind, value):
    with pytest.raises(Malformed) as caught:
        from_json(kind, value)
    assert str(caught.value).startswith(f"not a {kind.__name__}: ")


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(st.data())
def test_every_value_comes_back_as_it_was(kind, data):
    value = data.draw(any_of(kind))
    assert from_json(kind, decode(encode(to_json(value)))) == value


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(st.data())
def test_any_json_in_any_place_is_read_or_malformed(kind, data):
    value = to_json(data.draw(any_of(kind)))
    place = data.draw(st.sampled_from(places(value)))
    try:
        found = from_json(kind, json.loads(json.dumps(with_other(value, place, data.draw(JSON)))))
    except Malformed:
        return
    assert isinstance(found, kind)


@settings(max_examples=50)
@given(st.sampled_from(KINDS), JSON.filter(lambda value: not isinstance(value, dict)))
def test_only_an_object_is_a_value(kind, value):
    malformed(kind, value)


def test_the_keys_are_the_names_of_the_fields():
    expected = {"metrics": [{"name": "auc", "value": 0.9}], "problem": "late"}
    assert to_json(Evidence((Metric("auc", 0.9),), problem="late")) == expected


def test_what_holds_its_default_is_left_out_and_comes_back():
    assert to_json(Evidence()) == {}
    assert from_json(Evidence, {}) == Evidence()
    assert to_json(Champion(6)) == {"version": 6}
    assert to_json(Requester("pipeline", "oid")) == {"name": "pipeline", "oid": "oid"}


def test_a_field_without_a_default_is_written_whatever_it_holds():
    assert to_json(Expiry("", 0)) == {"environment": "", "round": 0}
    assert to_json(Metric("", 0.0)) == {"name": "", "value": 0.0}


def test_keys_that_are_not_known_are_ignored_in_every_depth():
    given = {"metrics": [metric(colour="red")], "author": {"name": "Kim"}}
    assert from_json(Evidence, given) == Evidence((Metric("auc", 0.9),))


def test_times_are_written_in_utc_to_the_millisecond_and_read_from_any_zone():
    @dataclass(frozen=True)
    class Timed:
        at: datetime

    assert to_json(Timed(START + timedelta(microseconds=1999))) == {"at": "2026-11-24T09:00:00.001Z"}
    assert from_json(Timed, {"at": "2026-11-24T10:00:00+01:00"}).at == START


def test_words_of_an_enumeration_are_written_as_words():
    answer = to_json(Answer.APPROVE)
    assert (answer, type(answer)) == ("approve", str)


@pytest.mark.parametrize("missing", ["name", "value"])
def test_a_field_that_is_missing_is_malformed(missing):
    given = metric()
    del given[missing]
    malformed(Metric, given)


@pytest.mark.parametrize("value", ["0.9", None, True, [], {}, float("nan"), float("inf"), -float("inf")])
def test_a_measured_value_is_a_finite_number(value):
    malformed(Metric, metric(value=value))


def test_a_whole_number_is_a_measured_value():
    found = from_json(Metric, metric(value=2))
    assert (found.value, type(found.value)) == (2.0, float)


@pytest.mark.parametrize("version", [True, "7", 7.0, None])
def test_a_version_is_a_whole_number(version):
    malformed(ModelVersion, {"group": "churn", "version": version})


@pytest.mark.parametrize("name", [None, 7, ["Maya"], True])
def test_a_name_is_a_text(name):
    malformed(Person, {"oid": "oid-maya", "name": name})


@pytest.mark.parametrize("action", ["shrug", 7, [], None])
def test_a_word_that_an_enumeration_does_not_have_is_malformed(action):
    malformed(Observed, {"what": "changed", "by": "kim", "action": action})


@pytest.mark.parametrize("at", ["yesterday", "2026-11-24T09:00:00", "", 7, None])
def test_a_time_has_a_zone(at):
    request = {"group": "churn", "version": 7, "environment": "dev", "round": 1}
    by = {"surface": "slack", "team": "T1", "user": "maya"}
    malformed(ActJob, {"act": "revoke", "request": request, "by": by, "op": "op", "at": at})


@pytest.mark.parametrize("life_cycle", [[], ["dev"], ["dev", "Approved", "more"], "dev", {"dev": "Approved"}])
def test_a_pair_has_two_places(life_cycle):
    model = {"group": "churn", "version": 7}
    malformed(Package, {"model": model, "arn": "arn:1", "status": "Approved", "life_cycle": life_cycle})


@pytest.mark.parametrize("surfaces", [[], "slack", {"slack": "C0MODELS00"}, {"slack": {}}])
def test_a_table_has_values_of_its_kind(surfaces):
    malformed(CardRecord, {"surfaces": surfaces})


def test_a_place_that_may_be_empty_is_read_as_empty():
    assert from_json(Metric, metric(deviation=None)).deviation is None


def test_a_value_that_is_nested_too_deep_is_malformed():
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    malformed(RequestId, {"group": deep})
