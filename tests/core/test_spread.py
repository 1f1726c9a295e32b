"""Approved models of other accounts, behind the one port of Parameter Store."""

import pytest

from bot.names import Names
from bot.policy import HOME, Place, read_policy
from bot.spread import Spread
from tests.core.test_policy import ROLE, text
from tests.memory import InTurn, MemoryParameters

NAMES = Names("/model-approvals")
DEV, PROD = (NAMES.approved("churn", each) for each in ("dev", "prod"))
ENTRY = "/model-approvals/churn/history/7/0001"
POLICY = read_policy(text({}, {}, {"name": '"prod"', "role_arn": f'"{ROLE}"', "external_id": '"5f1c"'}))


class Counted(InTurn):
    """Notes down how many calls each wave has."""

    def __init__(self):
        super().__init__()
        self.waves = []

    def together(self, *calls):
        self.waves.append(len(calls))
        return super().together(*calls)


@pytest.fixture
def home():
    return MemoryParameters()


@pytest.fixture
def away():
    return MemoryParameters()


@pytest.fixture
def crew():
    return Counted()


@pytest.fixture
def spread(home, away, crew):
    return Spread({HOME: home, Place(ROLE, "5f1c"): away}, POLICY, NAMES, crew)


def test_each_name_is_where_its_environment_is(spread, home, away):
    for name in (DEV, PROD, ENTRY, NAMES.status("churn")):
        spread.put(name, name)
    assert set(away.stored) == {PROD}
    assert set(home.stored) == {DEV, ENTRY, NAMES.status("churn")}
    assert not spread.create(PROD, "again")
    assert [each.value for each in spread.written(PROD)] == [PROD]
    spread.delete(PROD)
    assert not away.stored


def test_one_wave_reads_all_accounts(spread, crew):
    spread.put(DEV, "1")
    spread.put(PROD, "2")
    spread.put(PROD, "3")
    found = spread.get([ENTRY, DEV, PROD, f"{PROD}:1"])
    assert {name: each.value for name, each in found.items()} == {DEV: "1", PROD: "3", f"{PROD}:1": "2"}
    assert crew.waves == [2]
    spread.get([DEV, ENTRY])
    spread.get([PROD])
    assert crew.waves == [2], "what lies in one account is one call and no wave"


def test_what_is_stored_of_a_group_includes_what_lies_elsewhere(spread, away):
    assert list(spread.below("/model-approvals/churn")) == []
    for name in (DEV, PROD, ENTRY):
        spread.put(name, name)
    assert [(each.name, each.version) for each in spread.below("/model-approvals/churn")] == [
        (DEV, 1),
        (ENTRY, 1),
        (PROD, 1),
    ]
    assert [each.name for each in spread.below("/model-approvals/churn/history")] == [ENTRY]
    away.put("/model-approvals/_open/approved/prod", "no pointer")
    assert list(spread.below("/model-approvals/_open")) == []


@pytest.mark.parametrize(
    "name",
    [
        "/model-approvals/churn/approved",
        "/model-approvals/churn/approved/prod/more",
        "/model-approvals/churn/cards/prod",
        "/elsewhere/churn/approved/prod",
    ],
)
def test_a_name_of_another_shape_is_no_approved_model(name):
    assert NAMES.pointer(name) is None


def test_an_approved_model_is_known_by_its_name_whichever_version_is_asked_for():
    assert NAMES.pointer(PROD) == NAMES.pointer(f"{PROD}:12") == ("prod", "churn")
