"""Batch inference asks for the next environment: with what it measured, once, and only where that is waited for."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.card import card_of, told
from bot.domain import ModelVersion, RequestId, State
from bot.entries import Measured
from bot.envelope import deduplication_id, encode_job
from bot.errors import Unavailable
from bot.evidence import Evidence, Metric, Run
from bot.hints import MeasureJob, OpenJob
from bot.history import KEPT as CARD
from bot.jobs import Receipt, decode_job
from bot.line import plain
from bot.openings import MOST_TOLD
from bot.package import Container
from bot.policy import KEPT, MetricsPolicy
from tests.memory import START
from tests.proofs.scenarios import approved_in_dev, measurable, measure
from tests.proofs.world import World, policy_of

MODEL = ModelVersion("churn", 1)
TEST = RequestId("churn", 1, "test", 1)
REPORT = Evidence((Metric("auc", 0.9),), "s3://runs/1", "digest", run=Run("dev", "run-1"))


def job(environment="dev", name="run-1", **more):
    return MeasureJob(MODEL, Run(environment, name), "event", **more)


def accepted(world, *jobs):
    for each in jobs:
        world.jobs.accept(each)
    world.drain()
    return world.state(MODEL)


def asked(state):
    """The round of test that waits or has waited."""
    one = state.current("test")
    assert one
    return one


def threads(world, environment):
    """What is told below the card of an environment."""
    state = world.state(MODEL)
    [card] = [each for each in world.channel.messages.values() if each.card.request == state.current(environment).id]
    return [plain(line) for line in card.replies]


def test_without_a_measurement_nothing_is_asked_for():
    assert not measurable().state(MODEL).current("test")


def test_a_measurement_asks_for_the_next_environment_with_what_it_measured():
    world = measurable()
    measure(world)
    world.drain()
    one = asked(world.state(MODEL))
    assert one.state is State.PENDING
    assert one.opened.evidence == REPORT
    card = card_of(world.state(MODEL), one)
    assert card.table
    assert [row.challenger for row in card.table.rows] == ["0.900"]
    assert "Measured in dev by run-1" in [plain(line) for line in card.facts]
    assert threads(world, "dev")[-1] == "churn v1 was measured in dev by run-1 and asks for test."


@pytest.mark.parametrize("times", [2, 3])
def test_one_run_asks_once_however_often_it_is_told(times):
    world = measurable()
    state = accepted(world, *(replace(job(uri="s3://runs/1"), sender=f"event-{number}") for number in range(times)))
    assert len(state.rounds["test"]) == 1
    head = state.head
    assert accepted(world, job(name="run-2", uri="s3://runs/1")).head == head, "test is being asked about already"


def test_metrics_that_were_only_told_are_said_to_be():
    world = measurable()
    one = accepted(world, job(metrics=(Metric("auc", 0.8),))).current("test")
    assert one.opened.evidence == Evidence((Metric("auc", 0.8),), run=Run("dev", "run-1"))
    facts = [plain(line) for line in card_of(world.state(MODEL), one).facts]
    assert "Measured in dev by run-1 · as reported, not read from storage" in facts


def test_without_metrics_the_request_says_so():
    one = accepted(measurable(), job()).current("test")
    assert (one.opened.evidence.metrics, one.opened.evidence.problem) == ((), "No metrics reported.")


def test_a_report_that_nobody_named_and_that_is_not_there_was_not_reported():
    one = asked(accepted(measurable(), job(uri="s3://missing", optional=True)))
    assert one.opened.evidence == Evidence(problem="No metrics reported.", run=Run("dev", "run-1"))


def test_a_report_that_cannot_be_read_says_so_on_the_card_that_is_asked_with():
    one = accepted(measurable(), job(uri="s3://missing")).current("test")
    assert "could not be read" in one.opened.evidence.problem


def held(rule, *jobs):
    world = World(policy_of(test=f'request_after = "inference"\n{rule}'))
    approved_in_dev(world)
    return world, accepted(world, *jobs)


@pytest.mark.parametrize(
    ("rule", "given", "says"),
    [
        ("metrics_required = true", {}, "no metrics reported, and test wants metrics"),
        ("metrics_required = true", {"uri": "s3://missing"}, "no such object, and test wants metrics"),
        ('evidence = "stored"', {"metrics": (Metric("auc", 1.0),)}, "told and not stored, and test wants them stored"),
        ("", {"problem": "it failed (out of memory)"}, "nothing is asked for: it failed (out of memory)"),
    ],
)
def test_what_asks_for_nothing_is_told_in_the_thread(rule, given, says):
    world, state = held(rule, job(**given))
    assert not state.current("test")
    assert isinstance(state.entries[-1].event, Measured)
    assert says in threads(world, "dev")[-1]
    assert says in plain(told(state, state.entries[-1]))


def test_a_run_that_is_good_after_one_that_failed_asks():
    world, state = held("metrics_required = true", job(problem="it failed"), job(name="run-2", metrics=REPORT.metrics))
    assert asked(state).opened.evidence.run == Run("dev", "run-2")
    assert [line.partition(" by ")[2] for line in threads(world, "dev")[1:]] == [
        "run-1, and nothing is asked for: it failed. The next good run asks.",
        "run-2 and asks for test.",
    ]


def test_a_log_is_no_monitoring(caplog):
    failures = [job(name=f"run-{number}", problem="it failed") for number in range(MOST_TOLD + 2)]
    with caplog.at_level(logging.WARNING):
        state = accepted(measurable(), *failures)
    assert sum(isinstance(entry.event, Measured) for entry in state.entries) == MOST_TOLD
    assert "run-6: it failed" in caplog.text
    assert accepted(measurable(), *failures, job(name="good", uri="s3://runs/1")).current("test")


@pytest.mark.parametrize("environment", ["test", "prod", "elsewhere", ""])
def test_a_measurement_where_the_version_does_not_run_changes_nothing(environment):
    world = measurable()
    before = world.state(MODEL)
    for given in ({"uri": "s3://runs/1"}, {"problem": "it failed"}):
        assert accepted(world, job(environment, **given)) == before


@pytest.mark.parametrize("given", [{"uri": "s3://runs/1"}, {"problem": "it failed"}])
def test_a_measurement_that_comes_late_changes_nothing(given):
    world = measurable()
    measure(world)
    world.drain()
    world.answer("omar", str(TEST), "reject")
    world.drain()
    before = world.state(MODEL)
    assert accepted(world, job(name="run-2", **given)) == before, "a rejected version is asked about by people alone"


def test_a_measurement_before_the_approval_or_after_a_revoke_changes_nothing():
    world = World(policy_of(test='request_after = "inference"'))
    world.register(1)
    world.drain()
    before = world.state(MODEL)
    assert accepted(world, job(metrics=REPORT.metrics)) == before
    world.answer("maya", "churn/1/dev/1")
    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    before = world.state(MODEL)
    assert accepted(world, job(name="run-2", metrics=REPORT.metrics)) == before


def test_after_a_revoke_and_a_new_approval_a_measurement_asks_again():
    world = measurable()
    measure(world)
    world.drain()
    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    assert asked(world.state(MODEL)).state is State.ENDED
    world.ask("omar", MODEL, "dev")
    world.drain()
    world.answer("maya", "churn/1/dev/2")
    world.drain()
    assert asked(accepted(world, job(name="run-2", uri="s3://runs/1"))).state is State.PENDING


def test_a_person_may_ask_without_a_measurement():
    world = measurable()
    world.ask("omar", MODEL, "test")
    world.drain()
    assert asked(world.state(MODEL)).opened.evidence.run is None


def test_where_an_approval_asks_a_measurement_does_not():
    world = World(policy_of())
    approved_in_dev(world)
    before = world.state(MODEL)
    assert accepted(world, job(metrics=REPORT.metrics)) == before


def test_a_version_that_is_not_governed_or_gone_is_left_alone():
    world = measurable()
    other = ModelVersion("fraud", 1)
    world.jobs.accept(MeasureJob(other, Run("dev", "run-1"), "event", metrics=REPORT.metrics))
    world.drain()
    assert not world.state(other).head
    before = world.state(MODEL)
    del world.registry.packages[MODEL]
    assert accepted(world, job(metrics=REPORT.metrics)).entries == before.entries


def test_a_log_that_moves_while_a_failure_is_told_is_read_again():
    world = measurable()
    world.ask("omar", MODEL, "test")
    [queued] = world.jobs.queues["openings"]
    world.jobs.queues["openings"].clear()
    waiting = [queued.job]

    def step(_name, effect):
        if _name.startswith("create") and waiting:
            world.worker().handle(waiting.pop(), Receipt())
        return effect()

    with world.stepping(step), pytest.raises(Unavailable, match="moved while run-1 was told"):
        world.worker().handle(job(problem="it failed"), Receipt())
    state = accepted(world, job(problem="it failed"))
    assert asked(state).opened.evidence.run is None
    assert not any(isinstance(entry.event, Measured) for entry in state.entries)


def test_a_job_travels_and_is_told_apart_by_its_run_and_its_sender():
    one = job(metrics=(Metric("auc", 0.9, 0.01, "x"),))
    assert decode_job(encode_job(one)) == one
    assert len({deduplication_id(each) for each in (one, replace(one, sender="e-2"), job(name="run-2"))}) == 3


def test_a_registry_that_is_away_is_waited_for():
    world = measurable()
    calls = []

    def step(name, effect):
        calls.append(name)
        if name.startswith("describe") and len(calls) < 4:
            raise Unavailable("no answer")
        return effect()

    world.step = step
    assert accepted(world, job(uri="s3://runs/1")).current("test")


def test_one_run_that_failed_is_told_once_however_often_it_is_told():
    state = accepted(measurable(), *(replace(job(problem="it failed"), sender=f"event-{n}") for n in range(3)))
    assert sum(isinstance(entry.event, Measured) for entry in state.entries) == 1


def test_a_measurement_does_not_take_the_place_of_an_approval_that_asks():
    world = World(policy_of())
    world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    [queued] = world.jobs.queues["decisions"]
    world.worker().handle(queued.job, Receipt())
    for queue in world.jobs.queues.values():
        queue.clear()
    assert not world.state(MODEL).current("test"), "the echo of the approval is lost"
    assert not accepted(world, job(metrics=REPORT.metrics)).current("test")


def test_constraints_that_were_not_kept_are_on_the_card_beside_the_metrics():
    world = measurable()
    world.evaluations.reports["s3://runs/1"] = REPORT
    world.evaluations.reports["s3://runs/v"] = Evidence(violations=("age: baseline_drift_check",), more_violations=2)
    state = accepted(world, job(uri="s3://runs/1", violations_uri="s3://runs/v"))
    one = asked(state)
    assert one.opened.evidence.metrics == REPORT.metrics
    facts = [plain(line) for line in card_of(state, one).facts]
    assert "3 constraints are violated: age: baseline_drift_check and 2 more." in facts


def test_violations_that_cannot_be_read_are_said_and_stop_nobody():
    world = measurable()
    world.evaluations.reports["s3://runs/v"] = Evidence(problem="Violations could not be read: the report is not JSON.")
    state = accepted(world, job(metrics=REPORT.metrics, violations_uri="s3://runs/v"))
    facts = [plain(line) for line in card_of(state, asked(state)).facts]
    assert "Violations could not be read: the report is not JSON." in facts


def test_the_time_of_a_measurement_is_on_the_card_and_in_the_history():
    world = measurable()
    run = Run("dev", "run-1", START)
    state = accepted(world, MeasureJob(MODEL, run, "event", metrics=REPORT.metrics))
    assert asked(state).opened.evidence.run == run
    told = [plain(line) for line in card_of(state, asked(state)).facts]
    assert any(line.startswith(f"Measured in dev by run-1 · {START:%Y-%m-%d %H:%M} UTC") for line in told)


def test_the_thread_names_the_metrics_that_a_card_has_no_room_for():
    world = measurable()
    metrics = tuple(Metric(f"score_{number}", number / 10) for number in range(8))
    accepted(world, job(metrics=metrics))
    assert threads(world, "dev")[-1].endswith("asks for test. Further metrics: score 6 0.600, score 7 0.700.")


def test_what_ran_before_the_approval_says_nothing_of_what_was_approved():
    world = measurable()
    before = world.state(MODEL)
    early = Run("dev", "run-1", world.clock() - timedelta(days=1))
    assert accepted(world, MeasureJob(MODEL, early, "event", metrics=REPORT.metrics)) == before
    later = replace(early, at=world.clock())
    assert accepted(world, MeasureJob(MODEL, later, "again", metrics=REPORT.metrics)).current("test")


def test_a_run_of_a_version_that_is_not_in_use_any_more_changes_nothing():
    world = measurable()
    world.register(2)
    world.drain()
    world.answer("maya", "churn/2/dev/1")
    world.drain()
    before = world.state(MODEL)
    for given in ({"uri": "s3://runs/1"}, {"problem": "it failed"}):
        assert accepted(world, job(**given)) == before
    newer = MeasureJob(ModelVersion("churn", 2), Run("dev", "run-1"), "event", metrics=REPORT.metrics)
    world.jobs.accept(newer)
    world.drain()
    assert world.state(newer.model).current("test")


@pytest.mark.parametrize("first", [{"problem": "it failed"}, {"uri": "s3://missing"}, {}])
def test_a_run_that_failed_at_first_asks_when_it_is_told_to_be_good(first):
    world, state = held("metrics_required = true", job(**first))
    assert not state.current("test")
    assert asked(accepted(world, replace(job(metrics=REPORT.metrics), sender="again"))).state is State.PENDING


def test_a_report_that_may_be_read_later_is_waited_for_and_at_the_last_receive_not_any_more(monkeypatch):
    world = measurable()
    read, asked_for = world.evaluations.read, []

    def away(uri, *, patient=False, **how):
        asked_for.append(patient)
        if patient and len(asked_for) < 3:
            raise Unavailable("SlowDown")
        return read(uri, **how)

    monkeypatch.setattr(world.evaluations, "read", away)
    assert asked(accepted(world, job(uri="s3://runs/1"))).opened.evidence.metrics == REPORT.metrics
    assert asked_for == [True, True, True]
    asked_for.clear()
    world = measurable()
    monkeypatch.setattr(world.evaluations, "read", away)
    world.worker().handle(job(uri="s3://runs/1"), Receipt(receives=4, last=True))
    assert asked(world.state(MODEL)).opened.evidence.metrics == REPORT.metrics
    assert asked_for == [False]


@pytest.mark.parametrize(("optional", "since"), [(True, START), (False, None)], ids=["beside", "named"])
def test_what_lies_beside_the_output_has_to_be_of_this_run(monkeypatch, optional, since):
    world, given = measurable(), []

    def read(_uri, *, since, **_how):
        given.append(since)
        return REPORT

    monkeypatch.setattr(world.evaluations, "read", read)
    monkeypatch.setattr(world.evaluations, "violations", read)
    accepted(world, job(uri="s3://runs/1", violations_uri="s3://runs/v", optional=optional, since=START))
    assert given == [since, START]


def test_nothing_is_asked_for_out_of_order():
    """Somebody has taken dev back since; test stands, and runs there go on."""
    world = World(policy_of(("dev", "test", "uat"), uat='request_after = "inference"'))
    approved_in_dev(world)
    world.answer("maya", "churn/1/test/1")
    world.drain()
    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    before = world.state(MODEL)
    assert before.standing("test")
    assert accepted(world, job("test", metrics=REPORT.metrics)) == before


def test_a_round_that_is_asked_for_again_keeps_what_was_measured():
    world = measurable()
    measure(world)
    world.drain()
    world.answer("omar", str(TEST), "reject")
    world.drain()
    world.ask("omar", MODEL, "test")
    world.drain()
    assert [one.opened.evidence for one in world.state(MODEL).rounds["test"]] == [REPORT, REPORT]


def test_a_package_that_changed_since_it_was_measured_is_said_to_have_changed():
    world = measurable()
    measure(world)
    world.drain()
    changed = replace(
        world.registry.packages[MODEL], containers=(Container("image:1", "sha256:other", "s3://m", '"e"'),)
    )
    world.registry.packages[MODEL] = changed
    world.jobs.accept(OpenJob(MODEL, "event"))
    world.drain()
    evidence = asked(world.state(MODEL)).opened.evidence
    assert asked(world.state(MODEL)).id.round == 2
    assert evidence.run is None
    assert evidence.problem.endswith("It has changed since it was measured in a run.")


def test_a_bound_is_looked_at_before_metrics_are_left_out():
    policy = policy_of(test='request_after = "inference"')
    world = World(replace(policy, metrics=MetricsPolicy(at_least={"zeta": 0.5})))
    approved_in_dev(world)
    metrics = (*(Metric(f"m{number:02}", 1.0) for number in range(KEPT + 4)), Metric("zeta", 0.4))
    state = accepted(world, job(metrics=metrics))
    evidence = asked(state).opened.evidence
    assert (evidence.metrics[0].name, len(evidence.metrics)) == ("zeta", KEPT)
    facts = [plain(line) for line in card_of(state, asked(state)).facts]
    assert "Outside the policy's bounds: zeta 0.400 (at least 0.5)." in facts
    assert "5 further metrics were left out." in facts


def test_the_heaviest_report_of_a_run_fits_an_entry():
    world = measurable()
    heavy = Evidence(violations=tuple("\U0001f600" * 16 for _ in range(5)), more_violations=7)
    world.evaluations.reports["s3://runs/v"] = heavy
    metrics = tuple(Metric("夜" * 40 + chr(97 + number), 1 / 3, 1 / 7, "夜" * 12) for number in range(KEPT))
    state = accepted(world, job(name="夜" * 38, metrics=metrics, violations_uri="s3://runs/v"))
    evidence = asked(state).opened.evidence
    assert len(evidence.metrics) == CARD
    assert 0 < len(evidence.violations) < 5
    assert len(evidence.violations) + evidence.more_violations == 12
