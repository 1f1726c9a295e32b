"""How many calls to Parameter Store each reading and writing takes."""

import logging

import pytest

from bot.domain import ModelVersion, RequestId, State
from bot.encoding import LIMIT, encode
from bot.entries import Expiry
from bot.history import VersionState
from bot.names import Names
from bot.records import PAGE, CardRecord, Posted, Records
from bot.status import GroupStatus, Row, Stand
from tests.memory import START, InTurn, MemoryParameters

NAMES = Names("/model-approvals")
MODEL = ModelVersion("churn", 7)


class Counted(MemoryParameters):
    """Parameter Store that notes each call, and how many names it asked for."""

    def __init__(self):
        super().__init__(self._note)
        self.calls = []
        self.asked = []

    def _note(self, name, effect):
        self.calls.append(name)
        return effect()

    def get(self, names):
        self.asked.append(len(names))
        return super().get(names)


def logged(count):
    """A log of so many entries, whatever they say; nothing of writing it is counted."""
    parameters = Counted()
    state = VersionState(MODEL)
    for _ in range(count):
        found = records(parameters).append(state, Expiry("dev", 1), f"op-{state.head}", START)
        assert found
        state = found
    parameters.calls.clear()
    return parameters, state


def records(parameters):
    return Records(parameters, NAMES, InTurn())


def waiting(version, seq=1):
    return GroupStatus({str(version): Row(seq, {"dev": Stand(State.PENDING, 1, START)})})


@pytest.mark.parametrize("count", [0, 1, 5, 7, 8])
def test_a_usual_version_with_its_pointer_and_marker_is_one_call_of_ten_names(count):
    parameters, state = logged(count)
    look = records(parameters).look(MODEL, pointers=["dev"], markers=["dev"], short=True)
    assert parameters.asked == [10]
    assert look.state == state


@pytest.mark.parametrize(("count", "calls"), [(6, 1), (7, 2), (16, 2), (17, 3), (26, 3), (27, 4)])
def test_a_longer_log_takes_one_more_call_for_each_ten_entries(count, calls):
    parameters, state = logged(count)
    look = records(parameters).look(MODEL, pointers=["dev"], markers=["dev"], status=True)
    assert parameters.asked == [PAGE] * calls
    assert look.state == state


def test_a_look_with_more_pointers_than_a_call_has_names_reads_the_log_all_the_same():
    parameters, state = logged(3)
    pointers = [f"e{number}" for number in range(12)]
    look = records(parameters).look(MODEL, pointers=pointers)
    assert look.state == state
    assert look.pointers == dict.fromkeys(pointers)
    assert max(parameters.asked) <= PAGE


def test_an_append_is_one_call():
    parameters, state = logged(2)
    assert records(parameters).append(state, Expiry("dev", 1), "op", START)
    assert parameters.calls == [f"create {NAMES.entry(MODEL, 3)}"]


def test_the_look_behind_the_head_is_one_call_unless_the_log_has_moved():
    parameters, state = logged(2)
    records(parameters).after(state, ["dev", "test"], ["dev"])
    assert parameters.asked == [5]
    records(parameters).after(state.until(1), ["dev", "test"], ["dev"])
    assert parameters.asked == [5, 5, 10]


def test_status_shard_and_cards_of_a_usual_version_are_one_call():
    parameters, state = logged(0)
    requests = [RequestId("churn", 7, "dev", number) for number in range(1, 9)]
    records(parameters).surroundings(state, coming=requests)
    assert parameters.asked == [10]
    records(parameters).surroundings(state, coming=[*requests, RequestId("churn", 7, "test", 1)])
    assert parameters.asked == [10, 10, 1]


def test_the_names_of_all_groups_are_one_call():
    parameters, _ = logged(0)
    assert records(parameters).groups() == ()
    assert parameters.asked == [10]


def test_a_status_that_nobody_else_wrote_is_one_call_and_one_that_is_right_is_none():
    parameters, _ = logged(0)
    store = records(parameters)
    store.write_status("churn", None, lambda found: found.joined(waiting(7)))
    assert parameters.calls == [f"put {NAMES.status('churn')}"]
    seen = parameters.get([NAMES.status("churn")])[NAMES.status("churn")]
    parameters.calls.clear()
    store.write_status("churn", seen, lambda found: found.joined(waiting(7)))
    assert parameters.calls == []


def test_versions_with_a_log_are_looked_for_ten_a_call():
    parameters, _ = logged(1)
    assert records(parameters).logged([ModelVersion("churn", version) for version in range(1, 26)]) == {MODEL}
    assert parameters.asked == [10, 10, 5]


def test_marker_cards_and_pointer_are_a_call_each():
    parameters, _ = logged(0)
    store = records(parameters)
    request = RequestId("churn", 7, "dev", 1)
    store.mark(MODEL, "dev")
    store.write_cards(request, CardRecord().with_surface("slack", Posted("C0MODELS00", "1.000")))
    store.unmark(MODEL, "dev")
    assert parameters.calls == [
        f"create {NAMES.marker(MODEL, 'dev')}",
        f"put {NAMES.cards(request)}",
        f"delete {NAMES.marker(MODEL, 'dev')}",
    ]


def test_a_marker_that_is_there_is_left_as_it_is():
    parameters, _ = logged(0)
    for _ in range(2):
        records(parameters).mark(MODEL, "dev")
    assert parameters.stored[NAMES.marker(MODEL, "dev")] == ['{"version":7}']


def test_a_list_of_groups_that_is_just_full_is_written():
    parameters, _ = logged(0)
    name = NAMES.shard("churn")
    parameters.put(name, encode([*(f"group-{number:055d}" for number in range(63)), "z" * 52]))
    records(parameters).list_group("churn", parameters.get([name])[name])
    assert len(parameters.value(name) or "") == LIMIT
    assert "churn" in records(parameters).groups()


def test_a_list_of_groups_that_is_full_is_left_as_it_is_and_said_aloud(caplog):
    parameters, _ = logged(0)
    full = encode([*(f"group-{number:055d}" for number in range(63)), "z" * 60])
    assert len(full) == LIMIT
    name = NAMES.shard("churn")
    parameters.put(name, full)
    with caplog.at_level(logging.ERROR):
        records(parameters).list_group("churn", parameters.get([name])[name])
    assert parameters.stored[name] == [full]
    assert f"{name} is full: churn is not in the overview" in caplog.text
