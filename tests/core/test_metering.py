"""Numbers for operators: each entry once, each refusal by its reason, nothing for what only looks."""

from bot.domain import ModelVersion
from tests.proofs.world import World, policy_of

MODEL = ModelVersion("churn", 1)


def named(world, what):
    return [(value, of) for name, value, of in world.metered if name == what]


def approved():
    world = World(policy_of(("dev", "test")))
    world.register(1)
    world.drain()
    world.clock.advance(hours=2)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    return world


def test_a_request_and_its_decision_are_counted_once_with_the_time_between():
    world = approved()
    assert named(world, "Requests") == [(1, {"environment": "dev"}), (1, {"environment": "test"})]
    assert named(world, "Decisions") == [(1, {"environment": "dev", "outcome": "approved"})]
    [(seconds, of)] = named(world, "TimeToDecision")
    assert of == {"environment": "dev"}
    assert 7200 <= seconds < 7201
    for kind in ("Repairs", "Refusals", "CardFailures", "Stuck"):
        assert named(world, kind) == [], kind
    world.sweep()
    world.drain()
    assert len(named(world, "Requests")) == 2


def test_of_several_approvals_only_the_one_that_decides_counts():
    world = World(policy_of(("dev",), dev="required = 2"))
    world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert named(world, "Decisions") == []
    world.answer("omar", "churn/1/dev/1")
    world.drain()
    assert named(world, "Decisions") == [(1, {"environment": "dev", "outcome": "approved"})]


def test_what_ends_without_an_answer_is_a_decision_that_took_nobody_any_time():
    world = World(policy_of(("dev",)))
    world.register(1)
    world.drain()
    world.clock.advance(days=15)
    world.sweep()
    world.drain()
    assert named(world, "Decisions") == [(1, {"environment": "dev", "outcome": "expired"})]
    assert named(world, "TimeToDecision") == []


def test_a_revoke_is_counted_with_what_it_ends():
    world = approved()
    world.revoke("omar", "churn/1/dev/1")
    world.drain()
    assert [of for _, of in named(world, "Decisions")][1:] == [
        {"environment": "dev", "outcome": "revoked"},
        {"environment": "test", "outcome": "ended"},
    ]


def test_a_refusal_is_counted_by_its_reason():
    world = approved()
    world.answer("eli", "churn/1/test/1")
    world.answer("omar", "churn/1/dev/1")
    world.drain()
    assert [of["reason"] for _, of in named(world, "Refusals")] == ["NotAnApprover", "AlreadyDecided"]


def test_what_nobody_has_answered_and_yet_is_put_right_is_a_repair():
    world = approved()
    world.parameters.stored[world.names.approved("churn", "dev")].append("nonsense")
    world.registry.edit(MODEL, "kim", status="PendingManualApproval")
    world.metered.clear()
    world.sweep()
    world.drain()
    assert {of["what"] for _, of in named(world, "Repairs")} == {"registry", "pointer"}


def test_a_job_that_fails_again_and_again_is_stuck():
    world = World(policy_of(("dev",)))
    world.register(1)
    world.drain()
    world.directory.down = True
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert {of["job"] for _, of in named(world, "Stuck")} == {"AnswerJob"}
    assert named(world, "Decisions") == []
