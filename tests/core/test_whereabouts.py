"""Where a chat takes our messages: what it said last, kept once, asked for at most once in ten minutes."""

import pytest

from bot.encoding import encode
from bot.whereabouts import REMEMBERED, Whereabouts
from tests.memory import ManualClock, MemoryParameters

NAME, DEFAULT, TOLD = "/model-approvals/_services/teams/t", "https://first.example/teams/", "https://told.example/emea/"


@pytest.fixture
def store():
    return MemoryParameters()


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def address(store, clock):
    return Whereabouts(store, NAME, default=DEFAULT, clock=clock)


def test_until_it_has_said_so_it_is_where_the_settings_say(address):
    assert address.current() == DEFAULT


def test_what_was_said_counts_for_every_function_from_the_next_look(address, store, clock):
    elsewhere = Whereabouts(store, NAME, default=DEFAULT, clock=clock)
    assert elsewhere.current() == DEFAULT
    address.keep(TOLD)
    assert elsewhere.current() == DEFAULT
    clock.advance(seconds=REMEMBERED)
    assert elsewhere.current() == TOLD


def test_it_is_not_read_for_every_message(clock):
    reads = []

    def counted(name, effect):
        reads.append(name)
        return effect()

    store = MemoryParameters(counted)
    address = Whereabouts(store, NAME, default=DEFAULT, clock=clock)
    for _ in range(5):
        address.current()
    assert reads == ["get"]


def test_the_same_again_is_no_write(address, store):
    for _ in range(3):
        address.keep(TOLD)
    assert store.stored == {NAME: [encode({"url": TOLD})]}


@pytest.mark.parametrize("text", ["", "{", "7", '"https://x.example"', "{}", '{"url":7}', '{"url":null}'])
def test_what_cannot_be_read_says_nothing(address, store, text):
    store.put(NAME, text)
    assert address.current() == DEFAULT
    address.keep(TOLD)
    assert store.value(NAME) == encode({"url": TOLD})
