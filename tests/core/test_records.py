"""What the use-cases read and write: lost writes are joined, taken places are read past, foreign names are skipped."""

import json

import pytest

from bot.domain import ModelVersion, RequestId, State
from bot.entries import Expiry
from bot.errors import Unavailable
from bot.history import VersionState, next_entry
from bot.names import SHARDS, Names
from bot.ports import Parameter
from bot.records import READ_AGAIN, CardRecord, Posted, Records, read_card_record
from bot.status import GroupStatus, Row, Stand, read_status
from tests.memory import START, InTurn, MemoryParameters
from tests.proofs.world import World

NAMES = Names("/model-approvals")
MODEL = ModelVersion("churn", 1)
REQUEST = RequestId("churn", 1, "dev", 1)


def records(parameters=None):
    return Records(parameters or MemoryParameters(), NAMES, InTurn())


def known(parameters, name):
    """What a reader would have seen of a parameter before it writes."""
    return parameters.get([name]).get(name)


def waiting(number, seq=1):
    return GroupStatus({str(number): Row(seq, {"dev": Stand(State.PENDING, 1, START)})})


def adding(status):
    return lambda found: found.joined(status)


def logged(count, parameters=None):
    """A log of so many entries; what they say does not matter."""
    parameters = parameters or MemoryParameters()
    state = VersionState(MODEL)
    for _ in range(count):
        found = records(parameters).append(state, Expiry("dev", 1), f"op-{state.head}", START)
        assert found
        state = found
    return parameters, state


class Overtaken(MemoryParameters):
    """Parameter Store with somebody who writes first, once, whenever this one puts."""

    def __init__(self, *values):
        super().__init__()
        self.values = list(values)

    def put(self, name, value):
        if self.values:
            super().put(name, self.values.pop(0))
        return super().put(name, value)


class Late(MemoryParameters):
    """Parameter Store that shows a name only after it was asked for so many times."""

    def __init__(self, name, times):
        super().__init__()
        self.name, self.times = name, times

    def get(self, names):
        found = dict(super().get(names))
        if self.name in names and self.times:
            self.times -= 1
            found.pop(self.name, None)
        return found


def test_a_first_status_is_written():
    parameters = MemoryParameters()
    records(parameters).write_status("churn", None, adding(waiting(1)))
    assert read_status(parameters.value(NAMES.status("churn"))) == waiting(1)


def test_a_status_that_is_right_already_is_not_written_again():
    parameters = MemoryParameters()
    parameters.put(NAMES.status("churn"), waiting(1).encoded())
    seen = known(parameters, NAMES.status("churn"))
    assert records(parameters).write_status("churn", seen, adding(waiting(1))) == waiting(1)
    assert len(parameters.stored[NAMES.status("churn")]) == 1


@pytest.mark.parametrize("before", [None, waiting(9)])
def test_what_others_wrote_in_between_is_joined(before):
    parameters = Overtaken(*(waiting(number).encoded() for number in (2, 3)))
    if before:
        parameters.stored[NAMES.status("churn")] = [before.encoded()]
    seen = known(parameters, NAMES.status("churn"))
    found = records(parameters).write_status("churn", seen, adding(waiting(1)))
    assert {"1", "2", "3"} <= set(found.versions)
    assert read_status(parameters.value(NAMES.status("churn"))) == found


def test_an_unreadable_status_is_written_anew():
    parameters = Overtaken("?")
    parameters.stored[NAMES.status("churn")] = ["{"]
    seen = known(parameters, NAMES.status("churn"))
    assert records(parameters).write_status("churn", seen, adding(waiting(1))) == waiting(1)
    assert read_status(parameters.value(NAMES.status("churn"))) == waiting(1)


def test_groups_are_listed_over_ten_shards():
    parameters, groups = MemoryParameters(), [f"group-{number}" for number in range(40)]
    for group in groups:
        records(parameters).list_group(group, known(parameters, NAMES.shard(group)))
    assert records(parameters).groups() == tuple(sorted(groups))
    assert set(parameters.stored) == set(NAMES.shards)
    assert len(NAMES.shards) == SHARDS


def test_a_group_that_is_listed_is_not_written_again():
    parameters = MemoryParameters()
    for _ in range(2):
        records(parameters).list_group("churn", known(parameters, NAMES.shard("churn")))
    assert parameters.stored[NAMES.shard("churn")] == ['["churn"]']


def test_groups_that_others_listed_in_between_are_kept():
    parameters = Overtaken('["fraud"]', '["risk"]')
    records(parameters).list_group("churn", None)
    assert json.loads(parameters.value(NAMES.shard("churn")) or "") == ["churn", "fraud", "risk"]


@pytest.mark.parametrize("text", ["?", "{}", "7", '[1, "churn"]'])
def test_a_shard_changed_by_hand_counts_for_what_can_be_read(text):
    parameters = MemoryParameters()
    parameters.put(NAMES.shards[0], text)
    assert records(parameters).groups() == (("churn",) if "churn" in text else ())


def test_statuses_of_many_groups_are_read_ten_a_call():
    parameters = MemoryParameters()
    groups = [f"group-{number}" for number in range(25)]
    parameters.put(NAMES.status("group-17"), waiting(4).encoded())
    found = records(parameters).statuses(groups)
    assert list(found) == groups
    assert found["group-17"] == waiting(4)
    assert found["group-1"] == GroupStatus()
    assert records(parameters).statuses([]) == {}


def test_the_versions_of_a_group_are_those_with_a_log():
    parameters = MemoryParameters()
    for version in (10, 2):
        for seq in (1, 2):
            parameters.put(NAMES.entry(ModelVersion("churn", version), seq), "{}")
    parameters.put(NAMES.entry(ModelVersion("churn-eu", 3), 1), "{}")
    parameters.put(f"{NAMES.history('churn')}/notes/1", "by hand")
    assert records(parameters).versions("churn") == (2, 10)
    assert records(parameters).versions("fraud") == ()


def test_markers_with_foreign_names_are_skipped():
    parameters = MemoryParameters()
    records(parameters).mark(MODEL, "dev")
    for name in ("churn", "churn/one/dev", "churn/1/dev/more"):
        parameters.put(f"{NAMES.markers}/{name}", "by hand")
    assert list(records(parameters).markers()) == [(MODEL, "dev")]
    records(parameters).unmark(MODEL, "dev")
    assert list(records(parameters).markers()) == []


def test_versions_with_a_log_are_told_from_those_without():
    parameters, _ = logged(1)
    models = [MODEL, *(ModelVersion("churn", version) for version in range(2, 30))]
    assert records(parameters).logged(models) == {MODEL}


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 25])
def test_a_log_of_any_length_is_read_to_its_end(count):
    parameters, state = logged(count)
    assert records(parameters).look(MODEL).state == state


def test_a_short_look_trusts_a_log_that_just_fits():
    parameters, _ = logged(12)
    assert records(parameters).look(MODEL, short=True).state.head == 10
    assert records(parameters).look(MODEL, pointers=["dev"], markers=["dev"], status=True, short=True).state.head == 7


def test_what_lies_behind_a_gap_has_not_been_read_yet():
    parameters, _ = logged(4)
    parameters.delete(NAMES.entry(MODEL, 3))
    assert records(parameters).look(MODEL).state.head == 2


def test_a_look_sees_pointer_marker_and_status():
    world = World()
    model = world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    look = records(world.parameters).look(model, pointers=["dev", "test"], markers=["test", "uat"], status=True)
    newer = look.newer("dev")
    assert newer
    assert newer[0] == 1
    assert look.newer("test") is None
    assert look.marked == {"test": True, "uat": False}
    assert look.status.knows(look.state)


def test_whoever_comes_second_does_not_take_the_place():
    parameters, _ = logged(1)
    assert records(parameters).append(VersionState(MODEL), Expiry("dev", 1), "late", START) is None


@pytest.mark.parametrize("times", [0, READ_AGAIN - 1])
def test_a_taken_place_is_read_once_it_can_be_seen(times):
    parameters, _ = logged(2, Late(NAMES.entry(MODEL, 1), 0))
    parameters.times = times
    assert records(parameters).read_past(VersionState(MODEL)).head == 2


def test_a_taken_place_that_cannot_be_read_yet_is_unavailable():
    parameters, _ = logged(1, Late(NAMES.entry(MODEL, 1), 0))
    parameters.times = READ_AGAIN
    with pytest.raises(Unavailable, match="entry 1 of churn v1 exists but cannot be read yet"):
        records(parameters).read_past(VersionState(MODEL))


def test_another_look_past_the_head_sees_what_came():
    parameters, state = logged(2)
    assert records(parameters).after(state, ["dev"], ["dev"]).state == state
    entry = next_entry(state, Expiry("dev", 1), "new", START)
    parameters.create(NAMES.entry(MODEL, 3), entry.raw)
    later = records(parameters).after(state, ["dev"], ["dev"])
    assert (later.state.head, later.pointers, later.marked) == (3, {"dev": None}, {"dev": False})


def test_the_surroundings_hold_the_cards_of_rounds_to_come():
    parameters = MemoryParameters()
    record = CardRecord().with_surface("slack", Posted("C0MODELS00", "1.0", "digest", 2))
    records(parameters).write_cards(REQUEST, record)
    found = records(parameters).surroundings(VersionState(MODEL), coming=[REQUEST, REQUEST])
    assert found.cards == {REQUEST: record}
    assert found.cards[REQUEST].surfaces["slack"].ref.ts == "1.0"
    assert (found.group, found.status, found.shard) == (GroupStatus(), None, None)


def test_the_status_in_the_surroundings_is_read():
    parameters = MemoryParameters()
    parameters.put(NAMES.status("churn"), waiting(1).encoded())
    found = records(parameters).surroundings(VersionState(MODEL))
    assert found.status == Parameter(waiting(1).encoded(), 1)
    assert found.group == waiting(1)


@pytest.mark.parametrize("text", [None, "", "?", '{"surfaces":[]}'])
def test_a_card_record_that_cannot_be_read_counts_as_none(text):
    assert read_card_record(text) == CardRecord()
