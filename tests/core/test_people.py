"""Verified links in Parameter Store: who a chat account is, and what links nobody."""

import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import ChatUser
from bot.names import Names
from bot.people import Binding, People
from tests.memory import START, MemoryParameters

NAMES = Names("/model-approvals")
MAYA = ChatUser("slack", "T1", "U0MAYA", "C0MODELS00")
BOUND = Binding("oid-maya", "Maya Chen", START)
OTHERS = (replace(MAYA, user="U0OMAR"), replace(MAYA, team="T2"), replace(MAYA, surface="teams"))


@pytest.fixture
def parameters():
    return MemoryParameters()


@pytest.fixture
def people(parameters):
    return People(parameters, NAMES)


def test_an_account_that_was_never_linked_is_nobody(people):
    assert people.binding(MAYA) is None


@pytest.mark.parametrize("binding", [BOUND, replace(BOUND, confirmed_by="oid-ada")])
def test_a_linked_account_is_its_person_and_the_others_are_nobody(people, binding):
    people.bind(MAYA, binding)
    assert people.binding(MAYA) == binding
    assert [people.binding(other) for other in OTHERS] == [None] * 3


def test_where_the_account_was_used_makes_no_difference(people):
    people.bind(MAYA, BOUND)
    assert people.binding(replace(MAYA, channel="", oid="oid-omar")) == BOUND


def test_a_new_link_takes_the_place_of_the_old_one(people):
    people.bind(MAYA, BOUND)
    people.bind(MAYA, replace(BOUND, oid="oid-omar"))
    assert people.binding(MAYA) == replace(BOUND, oid="oid-omar")


def test_an_unlinked_account_is_nobody_again_and_the_others_keep_theirs(people):
    for user in (MAYA, *OTHERS):
        people.bind(user, BOUND)
    people.unlink(MAYA)
    assert [people.binding(user) for user in (MAYA, *OTHERS)] == [None, BOUND, BOUND, BOUND]
    people.unlink(MAYA)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "{",
        "[]",
        "null",
        "oid-maya",
        "{}",
        '{"oid":"oid-maya","name":"Maya Chen"}',
        '{"oid":7,"name":"Maya Chen","at":"2026-11-24T09:00:00Z"}',
        '{"oid":"oid-maya","name":"Maya Chen","at":"today"}',
        '{"oid":"","name":"Maya Chen","at":"2026-11-24T09:00:00Z"}',
    ],
)
def test_what_cannot_be_read_links_nobody_and_is_logged(people, parameters, value, caplog):
    parameters.put(NAMES.person(MAYA), value)
    assert people.binding(MAYA) is None
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "/model-approvals/_people/slack/T1/U0MAYA links nobody" in record.message


def test_what_cannot_be_read_can_be_linked_and_unlinked(people, parameters):
    parameters.put(NAMES.person(MAYA), "{")
    people.bind(MAYA, BOUND)
    assert people.binding(MAYA) == BOUND
    parameters.put(NAMES.person(MAYA), "{")
    people.unlink(MAYA)
    assert parameters.stored == {}


def test_what_a_newer_bot_adds_is_no_obstacle(people, parameters):
    value = '{"oid":"oid-maya","name":"Maya Chen","at":"2026-11-24T09:00:00.000Z","until":"never"}'
    parameters.put(NAMES.person(MAYA), value)
    assert people.binding(MAYA) == BOUND


@given(name=st.text())
def test_no_name_breaks_the_value(name):
    parameters = MemoryParameters()
    people = People(parameters, NAMES)
    people.bind(MAYA, Binding("oid-maya", name, START))
    assert people.binding(MAYA) == Binding("oid-maya", name, START)
    stored = parameters.value(NAMES.person(MAYA))
    assert stored
    assert "{{" not in stored
    assert stored.isascii()
