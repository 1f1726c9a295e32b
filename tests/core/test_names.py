"""Where everything lies in Parameter Store: the names that pipelines and checks rely on."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import ENVIRONMENT, GROUP, ModelVersion, RequestId
from bot.names import Names

NAMES = Names("/model-approvals")
MODEL = ModelVersion("churn", 7)
GROUPS = st.from_regex(GROUP, fullmatch=True)
ENVIRONMENTS = st.from_regex(ENVIRONMENT, fullmatch=True)


def test_each_thing_has_the_name_that_was_promised():
    assert NAMES.entry(MODEL, 1) == "/model-approvals/churn/history/7/0001"
    assert NAMES.approved("churn", "prod") == "/model-approvals/churn/approved/prod"
    assert NAMES.cards(RequestId("churn", 7, "uat", 2)) == "/model-approvals/churn/cards/7/uat/2"
    assert NAMES.marker(MODEL, "dev") == "/model-approvals/_open/churn/7/dev"
    assert NAMES.status("churn") == "/model-approvals/_status/churn"
    assert NAMES.shards[0] == "/model-approvals/_status/_groups/0"


def test_a_root_of_several_folders_comes_before_everything():
    assert Names("/a/b").approved("churn", "prod") == "/a/b/churn/approved/prod"


def test_entries_sort_as_they_were_written():
    names = [NAMES.entry(MODEL, seq) for seq in range(1, 200)]
    assert names == sorted(names)


def test_a_name_lies_below_the_folder_that_is_listed_for_it():
    assert NAMES.entry(MODEL, 1).startswith(f"{NAMES.history('churn')}/")
    assert NAMES.marker(MODEL, "dev").startswith(f"{NAMES.markers}/")


@settings(max_examples=20)
@given(GROUPS)
def test_every_group_has_one_of_ten_lists(group):
    assert NAMES.shard(group) in NAMES.shards
    assert len(NAMES.shards) == 10


def test_a_group_is_on_the_same_list_tomorrow():
    assert [NAMES.shard(group)[-1] for group in ("churn", "fraud-1", "fraud-eu")] == ["2", "4", "9"]


@settings(max_examples=20)
@given(GROUPS, ENVIRONMENTS, st.integers(1, 10**9), st.integers(1, 99))
def test_no_two_things_have_the_same_name(group, environment, version, number):
    model, request = ModelVersion(group, version), RequestId(group, version, environment, number)
    names = {
        NAMES.entry(model, number),
        NAMES.approved(group, environment),
        NAMES.cards(request),
        NAMES.marker(model, environment),
        NAMES.status(group),
        NAMES.shard(group),
    }
    assert len(names) == 6
    assert all(re.fullmatch(r"(/[a-zA-Z0-9_.-]+)+", name) for name in names)
    assert all(name.count("/") <= 15 and len(name) < 900 for name in names)
