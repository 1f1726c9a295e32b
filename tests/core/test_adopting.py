"""Versions from before the policy's `since`: left alone, until somebody asks for one by name."""

from datetime import UTC, datetime

import pytest

from bot.domain import ApprovalStatus, ModelVersion, State
from bot.entries import Hand, Observed
from bot.evidence import Metric, Run
from bot.hints import CheckJob, MeasureJob
from bot.package import Container, Package
from bot.policy import read_policy
from tests.proofs.world import World, policy_of

MODEL = ModelVersion("churn", 1)
LONG_AGO = datetime(2025, 3, 1, tzinfo=UTC)


def old(status=ApprovalStatus.PENDING, **more):
    """A world with a version that was registered before the bot looked after its group, whatever events tell of it."""
    world = World(policy_of(("dev", "test")))
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/1"
    found = Package(MODEL, arn, status, containers=(Container("image:1"),), created_at=LONG_AGO, **more)
    world.registry.register(found)
    world.sweep(everything=True)
    world.drain()
    return world


def asked(world, environment="dev"):
    world.ask("eli", MODEL, environment)
    world.drain()
    return world.state(MODEL)


def test_it_is_left_alone():
    world = old()
    world.registry.edit(MODEL, "kim", status="Approved")
    world.drain()
    assert (world.state(MODEL).head, world.channel.messages) == (0, {})


def test_its_approvers_are_asked_when_somebody_asks_for_it():
    world = old()
    assert [one.state for one in asked(world).rounds["dev"]] == [State.PENDING]
    [card] = [each.card for each in world.channel.messages.values()]
    assert card.title == "Approve churn v1 for dev?"
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert world.pointer("dev") == 1
    assert world.state(MODEL).current("test").state is State.PENDING, "and it goes its way like any other"
    world.check_rest()


def test_from_then_on_it_is_looked_after_like_any_other():
    world = old()
    asked(world)
    world.registry.edit(MODEL, "kim", status="Approved")
    world.drain()
    assert world.registry.packages[MODEL].status == "PendingManualApproval"
    assert [entry.event.action for entry in world.state(MODEL).entries if isinstance(entry.event, Observed)] == [
        Hand.PUT_BACK
    ]


def test_what_was_approved_in_the_registry_waits_for_its_approvers_and_that_is_nobodys_fault():
    world = old(ApprovalStatus.APPROVED)
    state = asked(world)
    assert world.registry.packages[MODEL].status == "PendingManualApproval"
    assert not [entry for entry in state.entries if isinstance(entry.event, Observed)]
    world.check_rest()


def test_the_daily_sweep_knows_it():
    world = old()
    asked(world)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    world.answer("maya", "churn/1/test/1")
    world.drain()
    for _ in range(6):
        world.clock.advance(hours=2)
        world.sweep()
    assert not [name for name in world.parameters.stored if "/_open/" in name], "no marker leads there any more"
    before = len(world.calls)
    world.parameters.stored[world.names.approved("churn", "dev")].append("{}")
    world.sweep(everything=True)
    world.drain()
    assert len(world.calls) > before
    assert world.pointer("dev") == 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"package_status": "Failed"}, "its status is Failed, not Completed"),
        ({"registration": "Logged"}, "it is only logged, not registered"),
    ],
)
def test_what_nobody_could_use_is_not_taken_in(change, why):
    world = old(**change)
    assert asked(world).head == 0
    assert why in world.channel.told("eli")[-1]


def test_only_the_first_environment_takes_a_version_in():
    world = old()
    assert asked(world, "test").head == 0
    assert "is not approved for every environment before test" in world.channel.told("eli")[-1]


def test_a_version_with_a_history_stays_when_since_moves_on():
    world = old()
    asked(world)
    lines = '[[environments]]\nname = "dev"\napprovers = "00000000-0000-4000-8000-000000000000"\n'
    later = f'groups = ["churn*"]\nsince = 2026-12-31T00:00:00Z\n{lines}notify = {{ slack = "C0MODELS00" }}'
    package = world.registry.packages[MODEL]
    assert read_policy(later).why_not(package) == "it was registered before the policy's since"
    assert read_policy(later).why_not(package, taken_in=True) == ""


def test_a_run_of_a_version_that_was_taken_in_asks_for_the_next_environment():
    world = old()
    world.policy = policy_of(("dev", "test"), test='request_after = "inference"')
    asked(world)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    measured = MeasureJob(MODEL, Run("dev", "night-1"), "event", (Metric("auc", 0.9),))
    world.jobs.accept(measured)
    world.drain()
    assert world.state(MODEL).current("test").state is State.PENDING


def test_what_a_check_finds_due_of_a_version_that_was_taken_in_is_opened():
    world = old()
    asked(world)
    world.registry.on_change = lambda _package, _created: None
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert world.state(MODEL).current("test") is None, "no event has told of it"
    world.jobs.accept(CheckJob(MODEL, "sweep"))
    world.drain()
    assert world.state(MODEL).current("test").state is State.PENDING
