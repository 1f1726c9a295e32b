"""Situations in which somebody acts: each prepares a world at rest, and says what is done next in it or in a copy."""

from collections.abc import Callable

from bot.domain import ModelVersion
from bot.evidence import Evidence, Metric, Run
from bot.hints import CheckJob, MeasureJob, TidyJob
from bot.jobs import Job
from tests.memory import Queued
from tests.proofs.world import World, policy_of

Act = Callable[[World], object]


def approved_in_dev(world: World, version: int = 1) -> None:
    world.register(version)
    world.drain()
    world.answer("maya", f"churn/{version}/dev/1")
    world.drain()


def an_approval() -> tuple[World, Act]:
    world = World()
    world.register(1)
    world.drain()
    return world, lambda world: world.answer("maya", "churn/1/dev/1")


def a_rejection() -> tuple[World, Act]:
    world = World()
    approved_in_dev(world)
    return world, lambda world: world.answer("omar", "churn/1/test/1", "reject")


def the_second_of_two_approvals() -> tuple[World, Act]:
    world = World(policy_of(dev="required = 2"))
    world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    return world, lambda world: world.answer("omar", "churn/1/dev/1")


def an_approval_that_supersedes() -> tuple[World, Act]:
    world = World()
    world.register(1)
    world.register(2)
    world.drain()
    return world, lambda world: world.answer("maya", "churn/2/dev/1")


def an_answer_by_an_outsider() -> tuple[World, Act]:
    world = World()
    world.register(1)
    world.drain()
    return world, lambda world: world.answer("eli", "churn/1/dev/1")


def a_revoke_that_ends_a_request() -> tuple[World, Act]:
    world = World()
    approved_in_dev(world)
    return world, lambda world: world.revoke("maya", "churn/1/dev/1")


def a_revoke_with_a_version_to_fall_back_to() -> tuple[World, Act]:
    world = World()
    approved_in_dev(world, 1)
    approved_in_dev(world, 2)
    return world, lambda world: world.revoke("maya", "churn/2/dev/1")


def an_opening() -> tuple[World, Act]:
    world = World()
    approved_in_dev(world)
    return world, lambda world: world.register(2)


def a_new_round_on_request() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1", "reject")
    world.drain()
    return world, lambda world: world.ask("omar", model, "dev")


def a_model_that_changed() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()

    def act(world: World) -> None:
        world.registry.packages[model] = world.registry.packages[model].__class__(
            **{
                **{
                    name: getattr(world.registry.packages[model], name)
                    for name in world.registry.packages[model].__slots__
                },
                "containers": (),
            }
        )
        world.answer("maya", "churn/1/dev/1")

    return world, act


def an_approval_by_hand() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()
    return world, lambda world: world.registry.edit(model, "somebody", status="Approved")


def a_stop_by_hand() -> tuple[World, Act]:
    world = World()
    approved_in_dev(world)
    model = next(iter(world.models()))
    return world, lambda world: world.registry.edit(model, "somebody", status="Rejected")


def a_restore() -> tuple[World, Act]:
    world, reject = a_stop_by_hand()
    reject(world)
    world.drain()
    return world, lambda world: world.restore("maya", "churn/1/dev/1")


def a_reminder() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()
    world.clock.advance(days=1)
    return world, lambda world: world.jobs.accept(CheckJob(model, "by hand"))


def a_marker_that_has_done_its_work() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1", "reject")
    world.drain()
    world.clock.advance(hours=2)
    world.sweep()
    return world, lambda world: world.jobs.accept(TidyJob(model, "dev", "by hand"))


def measurable() -> World:
    """Version 1 runs in dev, and test is asked for when it has been measured there."""
    world = World(policy_of(test='request_after = "inference"'))
    world.evaluations.reports["s3://runs/1"] = Evidence((Metric("auc", 0.9),), "s3://runs/1", "digest")
    approved_in_dev(world)
    return world


def measure(world: World, name: str = "run-1", *, problem: str = "") -> None:
    uri = "" if problem else "s3://runs/1"
    world.jobs.accept(MeasureJob(ModelVersion("churn", 1), Run("dev", name), "event", uri=uri, problem=problem))


def a_measurement() -> tuple[World, Act]:
    return measurable(), measure


def a_measurement_that_fails() -> tuple[World, Act]:
    return measurable(), lambda world: measure(world, problem="it failed")


def a_time_that_runs_out() -> tuple[World, Act]:
    world = World()
    model = world.register(1)
    world.drain()
    world.clock.advance(days=14)
    return world, lambda world: world.jobs.accept(CheckJob(model, "by hand"))


ALL = (
    a_time_that_runs_out,
    an_approval,
    a_rejection,
    the_second_of_two_approvals,
    an_approval_that_supersedes,
    an_answer_by_an_outsider,
    a_revoke_that_ends_a_request,
    a_revoke_with_a_version_to_fall_back_to,
    an_opening,
    a_new_round_on_request,
    a_model_that_changed,
    an_approval_by_hand,
    a_stop_by_hand,
    a_restore,
    a_reminder,
    a_marker_that_has_done_its_work,
    a_measurement,
    a_measurement_that_fails,
)


def again(job: Job) -> Queued:
    """A message that comes back after its first delivery."""
    return Queued(job, receives=1)
