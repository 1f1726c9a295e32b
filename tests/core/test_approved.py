"""`approved/<environment>`: the contract with pipelines, key by key, and a parse that never fails."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.approved import (
    ApprovedModel,
    PinnedContainer,
    approved_model_of,
    nothing_approved,
    read_approved,
    succeed,
)
from bot.domain import Answer, ChatUser, ModelVersion
from bot.entries import Opened, Requester, Vote
from bot.errors import NotApproved
from bot.history import VersionState, apply, next_entry
from bot.members import Person
from bot.names import Names
from bot.package import Container
from tests.memory import START

ROOT = Path(__file__).parents[2]
NAMES = Names("/model-approvals")
MODEL = ModelVersion("churn", 7)
SLACK = ChatUser("slack", "T1", "maya", "C0MODELS00")
CONTAINERS = (Container("image:7", "sha256:1", "s3://models/7", '"etag"'), Container("sidecar"))


def vote(name):
    return Vote("dev", 1, Answer.APPROVE, Person(f"oid-{name}", name), SLACK, "group", START, 1)


def state_of(*voters, containers=CONTAINERS):
    """Approved for dev by these people, a minute after it was asked about."""
    opened = Opened(
        environment="dev",
        round=1,
        arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7",
        fingerprint="f",
        containers=containers,
        path=("dev", "test"),
        approvers="group",
        required=len(voters),
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("pipeline"),
    )
    state = VersionState(MODEL)
    for minute, event in enumerate((opened, *map(vote, voters))):
        state = apply(state, next_entry(state, event, f"op-{minute}", START + timedelta(minutes=minute)))
    return state


def approved(*voters, previous=None, containers=CONTAINERS):
    state = state_of(*voters or ("Maya",), containers=containers)
    return approved_model_of(state.rounds["dev"][0], state, NAMES, previous)


def written(value):
    return json.loads(value.encoded())


def at(minutes, version=7, **changes):
    when = START + timedelta(minutes=minutes)
    return replace(approved(), approved_at=when, model_package_version=version, **changes)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "Approved"),
        ("model_package_group_name", "churn"),
        ("model_package_version", 7),
        ("model_package_arn", "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/7"),
        ("environment", "dev"),
        ("model_data_url", "s3://models/7"),
        ("image_uri", "image:7"),
        (
            "containers",
            [
                {
                    "image_uri": "image:7",
                    "image_digest": "sha256:1",
                    "model_data_url": "s3://models/7",
                    "model_data_etag": '"etag"',
                },
                {
                    "image_uri": "sidecar",
                    "image_digest": None,
                    "model_data_url": None,
                    "model_data_etag": None,
                },
            ],
        ),
        ("approved_by", [{"oid": "oid-Maya", "name": "Maya"}, {"oid": "oid-Omar", "name": "Omar"}]),
        ("approved_at", "2026-11-24T09:02:00.000Z"),
        ("history", "/model-approvals/churn/history/7/0003"),
        ("previous", 6),
    ],
)
def test_pipelines_find_under_each_key_what_was_promised(key, value):
    assert written(approved("Maya", "Omar", previous=6))[key] == value


KEYS = {
    "status",
    "model_package_group_name",
    "model_package_version",
    "model_package_arn",
    "environment",
    "model_data_url",
    "image_uri",
    "containers",
    "approved_by",
    "approved_at",
    "history",
    "previous",
}


def test_nothing_approved_names_no_model():
    found = written(nothing_approved(MODEL, "dev", 7))
    assert found.keys() == written(approved()).keys() == KEYS
    named = {"status", "model_package_group_name", "environment", "previous"}
    assert {key: found[key] for key in named} == {
        "status": "None",
        "model_package_group_name": "churn",
        "environment": "dev",
        "previous": 7,
    }
    assert not any(found[key] for key in KEYS - named)
    assert not nothing_approved(MODEL, "dev", 7).stands


def test_a_package_without_containers_has_nulls_in_their_place():
    found = written(approved(containers=()))
    assert (found["containers"], found["image_uri"], found["model_data_url"]) == ([], None, None)


def test_an_image_without_model_data_has_null_for_it():
    found = written(approved(containers=(Container("image:7", "sha256:1"),)))
    assert (found["image_uri"], found["model_data_url"]) == ("image:7", None)
    assert found["containers"][0]["image_digest"] == "sha256:1"


def test_a_rejecting_vote_is_not_among_the_approvers():
    state = state_of("Maya", "Omar")
    one = state.rounds["dev"][0]
    no = replace(one.votes[0], event=replace(one.approvals[0], answer=Answer.REJECT))
    found = approved_model_of(replace(one, votes=(no, one.votes[1])), state, NAMES, None)
    assert found.approved_by == (Person("oid-Omar", "Omar"),)


@pytest.mark.parametrize("value", [approved(), approved("Maya", "Omar", previous=6), at(0, containers=())])
def test_a_pointer_is_read_back_as_it_was_written(value):
    assert read_approved(value.encoded()) == value
    assert value.stands


def test_nulls_are_read_as_nothing():
    value = replace(approved(), containers=(PinnedContainer("sidecar"),))
    assert read_approved(value.encoded()) == value


@pytest.mark.parametrize("missing", ["status", "model_package_group_name", "environment"])
def test_a_pointer_without_a_name_that_it_needs_counts_as_nothing(missing):
    found = written(approved())
    del found[missing]
    assert read_approved(json.dumps(found)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "approved"},
        {"status": "Rejected"},
        {"status": None},
        {"model_package_version": None},
        {"model_package_version": "7"},
        {"model_package_version": True},
        {"approved_at": None},
        {"approved_at": "yesterday"},
        {"approved_at": "2026-11-24T09:00:00"},
        {"containers": {}},
        {"containers": [{}]},
        {"containers": None},
        {"approved_by": [{"name": "Maya"}]},
        {"previous": "6"},
    ],
)
def test_a_pointer_that_a_hand_has_bent_counts_as_nothing(change):
    assert read_approved(json.dumps({**written(approved()), **change})) is None


@pytest.mark.parametrize("text", [None, "", "?", "null", "7", "[]", '"Approved"', "{}", "[" * 100_000])
def test_what_is_no_pointer_counts_as_nothing(text):
    assert read_approved(text) is None


def test_keys_that_a_newer_bot_has_added_do_not_hide_a_pointer():
    assert read_approved(json.dumps({**written(approved()), "colour": "red"})) == approved()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2),
    max_leaves=4,
)


@given(st.text())
def test_any_text_is_read(text):
    found = read_approved(text)
    assert found is None or isinstance(found, ApprovedModel)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), JSON, min_size=1, max_size=3))
def test_any_value_under_any_key_is_read_and_never_half_believed(change):
    found = read_approved(json.dumps({**written(approved()), **change}))
    assert found is None or found.stands or found.status == "None"


def test_of_two_approvals_the_later_comes_second_and_at_the_same_time_the_higher_version():
    ordered = [nothing_approved(MODEL, "dev", 9), at(0, 9), at(1, 2), at(1, 10), at(2, 1)]
    assert [each.order for each in ordered] == sorted(each.order for each in reversed(ordered))
    assert len({each.order for each in ordered}) == len(ordered)


def test_whoever_comes_first_has_nothing_before():
    assert succeed(at(1), None) == at(1)


def test_the_version_before_is_remembered():
    assert succeed(at(2, 7), at(1, 6, previous=5)).previous == 6


def test_a_version_that_is_written_again_keeps_what_was_before_it():
    assert succeed(at(2, 7), at(1, 7, previous=5)).previous == 5


def test_after_nothing_was_approved_the_version_before_that_is_remembered():
    assert succeed(at(2, 7), nothing_approved(MODEL, "dev", 6)).previous == 6


def test_the_library_is_loaded_for_who_asks_for_it_and_for_nobody_else():
    code = "import bot, sys; before = 'bot.library' in sys.modules; bot.approved_model; sys.exit(before)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    assert (bot.ApprovedModel, bot.NotApproved) == (ApprovedModel, NotApproved)
    assert not hasattr(bot, "rejected_model")
