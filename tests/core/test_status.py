"""The status of a group: what is known joins, what is written fits, what waits is never forgotten first."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import ModelVersion, RequestId, State
from bot.encoding import LIMIT
from bot.evidence import Metric
from bot.history import VersionState
from bot.status import GroupStatus, Row, Slot, Stand, read_status, row_of
from tests.memory import START
from tests.proofs.world import World

STANDS = st.builds(Stand, st.sampled_from(State), st.integers(1, 3), st.just(START))
NUMBERS = st.integers(1, 5).map(str)


def row(seq=1, state=State.APPROVED, *environments):
    return Row(seq, {name: Stand(state, 1, START) for name in environments or ("dev", "test")})


def rows(count, state=State.APPROVED):
    return {str(number): row(9, state) for number in range(1, count + 1)}


def slot(version=1, *, minutes=0, metrics=0):
    measured = tuple(Metric(f"a_metric_with_a_long_name_{number}", 0.123456) for number in range(metrics))
    return Slot(START + timedelta(minutes=minutes), "a" * 64, version, measured)


def written(status):
    text = status.encoded()
    assert len(text) <= LIMIT
    return read_status(text)


def approved_version():
    world = World()
    model = world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    return world.state(model)


def test_a_row_says_where_the_latest_round_of_each_environment_stands():
    state = approved_version()
    found = row_of(state)
    assert found.seq == state.head == 3
    assert {name: stand.state for name, stand in found.environments.items()} == {
        "dev": State.APPROVED,
        "test": State.PENDING,
    }
    assert found.environments["dev"].at == state.entries[1].at
    assert found.pending


def test_a_status_knows_a_version_once_it_holds_its_row():
    state = approved_version()
    assert not GroupStatus().knows(state)
    assert GroupStatus().with_version(state).knows(state)
    assert GroupStatus().knows(VersionState(ModelVersion("churn", 2)))


def test_a_row_that_knows_more_is_kept():
    state = approved_version()
    ahead = GroupStatus({"1": row(state.head + 1)})
    assert ahead.with_version(state) == ahead
    behind = GroupStatus({"1": row(state.head - 1)})
    assert behind.with_version(state) == GroupStatus({"1": row_of(state)})


def test_of_two_slots_the_later_is_right():
    early, late = GroupStatus({}, {"dev": slot(1)}), GroupStatus({}, {"dev": slot(2, minutes=1)})
    assert early.joined(late).approved == late.joined(early).approved == {"dev": slot(2, minutes=1)}


@settings(max_examples=40)
@given(*[st.dictionaries(NUMBERS, st.integers(1, 9), max_size=5)] * 3)
def test_joining_loses_nothing_whatever_the_order(one, two, three):
    first, second, third = (
        GroupStatus({number: row(seq) for number, seq in each.items()}) for each in (one, two, three)
    )
    assert first.joined(second) == second.joined(first)
    assert first.joined(second).joined(third) == first.joined(second.joined(third))
    assert first.joined(first) == first


@settings(max_examples=40)
@given(st.dictionaries(NUMBERS, st.builds(Row, st.integers(1, 9), st.dictionaries(st.just("dev"), STANDS)), max_size=5))
def test_a_small_status_is_read_back_as_it_was(versions):
    status = GroupStatus(versions, {"dev": slot(metrics=2)})
    assert written(status) == status


def test_of_many_versions_the_oldest_leave():
    found = written(GroupStatus(rows(150), {"dev": slot(150)}))
    numbers = sorted(map(int, found.versions))
    assert numbers == list(range(151 - len(numbers), 151))
    assert len(numbers) > 10


def test_what_waits_or_runs_is_kept_when_old_versions_leave():
    waiting = {"3": row(1, State.PENDING, "dev")}
    found = written(GroupStatus({**rows(80), **waiting}, {"dev": slot(5, metrics=2)}))
    assert {"3", "5", "80"} <= set(found.versions)
    assert "4" not in found.versions
    assert found.approved["dev"] == slot(5, metrics=2)


def test_metrics_leave_before_what_waits():
    status = GroupStatus(
        rows(12, State.PENDING), {name: slot(1, metrics=12) for name in ("dev", "test", "uat", "prod")}
    )
    found = written(status)
    assert len(found.versions) == 12
    assert found.approved == {name: slot(1) for name in ("dev", "test", "uat", "prod")}


def test_of_too_many_that_wait_the_oldest_leave_last_of_all():
    found = written(GroupStatus(rows(80, State.PENDING), {"dev": slot(1, metrics=3)}))
    assert "80" in found.versions
    assert "1" not in found.versions
    assert found.approved == {"dev": slot(1)}


@pytest.mark.parametrize("text", [None, "", "?", "[]", '{"versions":{"1":{"seq":"many"}}}', '{"approved":7}'])
def test_what_cannot_be_read_counts_as_empty(text):
    assert read_status(text) == GroupStatus()


def test_older_requests_that_waited_before_an_approval_are_found():
    later = START + timedelta(hours=1)
    status = GroupStatus({"1": row(1, State.PENDING, "dev"), "2": row(1), "8": row(1, State.PENDING, "dev")})
    model = ModelVersion("churn", 7)
    assert list(status.older_pending(model, "dev", later)) == [RequestId("churn", 1, "dev", 1)]
    assert list(status.older_pending(model, "dev", START)) == []
    assert list(status.older_pending(model, "uat", later)) == []
