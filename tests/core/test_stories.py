"""Stories of the use-cases in which a call fails or somebody is faster, each told to its end."""

import json
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest

from bot.card import card_of as card_shown
from bot.clicks import RequestJob
from bot.display import Display, Task, threads_of
from bot.domain import ChatUser, MessageRef, ModelVersion, RequestId, State, rfc3339
from bot.entries import Measured, Requester
from bot.errors import Refused, Unavailable
from bot.evidence import Evidence, Metric
from bot.hints import CheckJob, OpenJob, TidyJob
from bot.history import next_entry
from bot.jobs import Receipt
from bot.promotion import RECORDED, TRYING, UNSURE
from bot.records import CardRecord
from bot.waves import ThreadCrew
from tests.proofs.scenarios import approved_in_dev
from tests.proofs.world import MAX_RECEIVES, World, policy_of

MODEL = ModelVersion("churn", 1)


def asked(policy=None):
    """A world in which version 1 waits for dev."""
    world = World(policy)
    world.register(1)
    world.drain()
    return world


def failing(*words, times=1):
    """A step that lets so many calls of these names fail."""
    left = [times]

    def step(name, effect):
        if left[0] and all(word in name for word in words):
            left[0] -= 1
            raise Unavailable("no answer")
        return effect()

    return step


def meanwhile(word, act, *, then=None):
    """A step that does something once, just before a call of this name, which may then fail."""
    waiting = [act]

    def step(name, effect):
        if waiting and word in name:
            waiting.pop()()
            if then:
                raise then
        return effect()

    return step


def handled(world, job, receipt=None):
    world.worker().handle(job, receipt or Receipt())


def card_of(world, request="churn/1/dev/1"):
    record = world._record(RequestId.parse(request))
    return record.surfaces["slack"]


def test_an_answer_that_is_recorded_but_not_projected_comes_again_and_nobody_is_told_to_wait():
    world = asked()
    job = world.click("maya", "churn/1/dev/1")
    with world.stepping(failing("update")), pytest.raises(Unavailable):
        handled(world, job)
    assert world.channel.told("maya") == []
    handled(world, job, Receipt(2))
    assert world.channel.told("maya") == [RECORDED]
    assert world.pointer("dev") == 1
    world.drain()
    world.check_rest()


def test_at_the_last_delivery_a_recorded_answer_is_told_to_be_recorded_though_not_projected():
    world = asked()
    job = world.click("maya", "churn/1/dev/1")
    with world.stepping(failing("update")), pytest.raises(Unavailable):
        handled(world, job, Receipt(MAX_RECEIVES, last=True))
    assert world.channel.told("maya") == [RECORDED]
    world.sweep()
    world.check_rest()


def test_a_refusal_from_an_old_state_is_thought_over_when_the_log_has_moved():
    world = asked()
    job, other = world.click("eli", "churn/1/dev/1"), world.click("omar", "churn/1/dev/1")
    with world.stepping(meanwhile("describe", lambda: handled(world, other))):
        handled(world, job)
    assert "already decided. Approved by Omar" in world.channel.told("eli")[-1]


def test_a_marker_that_somebody_removed_is_written_before_the_entry():
    world = asked()
    world.strict_markers = False
    marker = world.names.marker(MODEL, "dev")
    del world.parameters.stored[marker]
    before = len(world.calls)
    handled(world, world.click("maya", "churn/1/dev/1"))
    writes = [call for call in world.calls[before:] if call.startswith("create")]
    assert writes == [f"create {marker}", f"create {world.names.entry(MODEL, 2)}"]


def test_a_marker_that_somebody_removed_of_a_request_that_waits_is_written_again():
    world = asked()
    world.strict_markers = False
    marker = world.names.marker(MODEL, "dev")
    del world.parameters.stored[marker]
    handled(world, CheckJob(MODEL, "by hand"))
    assert marker in world.parameters.stored
    world.check_rest()


def test_an_entry_that_landed_late_is_found_at_the_last_delivery_although_the_directory_is_down():
    world = asked()
    job = world.click("maya", "churn/1/dev/1")
    step = meanwhile("member", lambda: handled(world, job), then=Unavailable("no answer"))
    with world.stepping(step):
        handled(world, job, Receipt(MAX_RECEIVES, last=True))
    assert world.channel.told("maya") == [RECORDED]
    assert world.request_state("churn/1/dev/1") is State.APPROVED
    world.drain()
    world.check_rest()


def test_a_refusal_is_told_although_nothing_can_be_mended_after_it(caplog):
    world = asked()
    reads = [0]

    def only_once(name, effect):
        reads[0] += name == "get"
        if name == "get" and reads[0] > 2:
            raise Unavailable("no answer")
        return effect()

    with world.stepping(only_once):
        handled(world, world.click("eli", "churn/1/dev/1"))
    assert "Eli is not an approver" in world.channel.told("eli")[-1]
    assert "not projected after a refusal" in caplog.text


def test_the_twin_of_a_card_is_repainted_when_somebody_answers_on_it():
    world = asked()
    twin = world.channel.post("C0MODELS00", world.channel.messages["1.000"].card)
    world.answer("maya", "churn/1/dev/1", card=twin)
    world.drain()
    assert not world.channel.messages[twin.ts].card.open
    assert not world.channel.messages["1.000"].card.open


def test_a_twin_that_is_gone_costs_nothing_but_a_line_in_the_log():
    world = asked()
    world.answer("maya", "churn/1/dev/1", card=MessageRef("C0MODELS00", "99.000"))
    world.drain()
    assert world.pointer("dev") == 1
    assert world.request_state("churn/1/dev/1") is State.APPROVED


def test_a_channel_that_will_never_take_a_card_again_is_given_up_and_the_decision_stands():
    world = asked()
    world.channel.broken = Refused("is_archived")
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert (card_of(world).given_up, world.pointer("dev")) == ("is_archived", 1)


@pytest.mark.parametrize("trouble", [Unavailable("429"), Refused("user_not_found")])
def test_a_late_word_that_cannot_be_said_fails_no_sweep(trouble, caplog):
    world = asked()
    with world.stepping(failing("reply", times=9)):
        world.answer("maya", "churn/1/dev/1")
        world.drain()

    def mute(name, effect):
        if name == "tell":
            raise trouble
        return effect()

    with world.stepping(mute):
        world.sweep()
    assert "could not tell oid-maya that the vote is recorded" in caplog.text
    world.check_rest()


def test_a_version_that_is_gone_from_the_registry_cannot_be_answered_and_nothing_fails():
    world = asked()
    package = world.registry.packages.pop(MODEL)
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert "no longer in the registry" in world.channel.told("maya")[-1]
    world.sweep()
    world.registry.packages[MODEL] = package
    assert world.request_state("churn/1/dev/1") is State.PENDING


def test_an_environment_that_the_policy_does_not_have_cannot_be_asked_for():
    world = asked()
    world.ask("maya", MODEL, "prod")
    world.ask("maya", ModelVersion("other", 1), "dev")
    world.drain()
    assert world.channel.told("maya") == [
        "The policy knows no environment prod for churn.",
        "The policy knows no environment dev for other.",
    ]


@pytest.mark.parametrize(("minutes", "receipt"), [(15, Receipt()), (0, Receipt(dead=True))])
def test_a_question_that_comes_too_late_opens_nothing(minutes, receipt):
    world = asked()
    world.answer("omar", "churn/1/dev/1", "reject")
    world.drain()
    job = world.ask("maya", MODEL, "dev")
    world.jobs.queues["openings"].clear()
    world.clock.advance(minutes=minutes)
    handled(world, job, receipt)
    assert "not recorded" in world.channel.told("maya")[-1]
    assert len(world.state(MODEL).rounds["dev"]) == 1


def test_a_question_that_was_recorded_is_not_asked_twice():
    world = asked()
    world.answer("omar", "churn/1/dev/1", "reject")
    world.drain()
    job = world.ask("maya", MODEL, "dev")
    world.drain()
    handled(world, job, Receipt(2))
    assert [one.state for one in world.state(MODEL).rounds["dev"]] == [State.REJECTED, State.PENDING]
    assert world.channel.told("maya") == [RECORDED]


def test_an_opening_whose_place_was_taken_by_something_else_comes_again():
    world = asked()
    handled(world, world.click("maya", "churn/1/dev/1"))
    revoke = world.revoke("omar", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    job = OpenJob(MODEL, "late")
    step = meanwhile(world.names.entry(MODEL, 3), lambda: handled(world, revoke))
    with world.stepping(step), pytest.raises(Unavailable, match="moved while churn/1/test/1 was opened"):
        handled(world, job)
    handled(world, job, Receipt(2))
    assert "test" not in world.state(MODEL).rounds


def measured(world):
    """Version 1 is registered with an evaluation report."""
    uri = "s3://reports/1"
    world.evaluations.reports[uri] = Evidence((Metric("auc", 0.9),), uri, "sha")
    world.register(1)
    world.registry.packages[MODEL] = replace(world.registry.packages[MODEL], metrics=((uri, "etag"),))
    return uri


def test_a_report_that_the_hint_did_not_name_is_read_all_the_same():
    world = World()
    uri = measured(world)
    world.drain()
    assert world.state(MODEL).pending[0].opened.evidence == world.evaluations.reports[uri]


@pytest.mark.parametrize("named", ["s3://reports/1", "s3://elsewhere"])
def test_the_report_that_counts_is_the_one_that_the_registry_names(named):
    world = World()
    uri = measured(world)
    world.evaluations.reports["s3://elsewhere"] = Evidence((Metric("auc", 0.99),), "s3://elsewhere", "sha")
    world.jobs.queues["openings"].clear()
    handled(world, OpenJob(MODEL, "event", fresh=True, metrics_uri=named))
    assert world.state(MODEL).pending[0].opened.evidence == world.evaluations.reports[uri]


@pytest.mark.parametrize("named", ["s3://reports/1", ""])
def test_a_report_that_is_not_the_one_that_was_registered_is_not_shown(named):
    world = World()
    uri = measured(world)
    world.registry.packages[MODEL] = replace(world.registry.packages[MODEL], metrics=((uri, "sha256:OTHER"),))
    world.jobs.queues["openings"].clear()
    handled(world, OpenJob(MODEL, "event", fresh=True, metrics_uri=named))
    found = world.state(MODEL).pending[0].opened.evidence
    assert (found.metrics, found.sha256) == ((), "")
    assert "the report is not the one that was registered" in found.problem


@pytest.mark.parametrize("digest", ["SHA256:Sha", "md5:other", "etag", ""])
def test_a_report_whose_digest_was_registered_or_is_of_another_kind_is_shown(digest):
    world = World()
    uri = measured(world)
    world.registry.packages[MODEL] = replace(world.registry.packages[MODEL], metrics=((uri, digest),))
    world.drain()
    assert world.state(MODEL).pending[0].opened.evidence == world.evaluations.reports[uri]


def test_a_log_that_keeps_moving_is_left_to_a_later_delivery():
    world = asked()

    def moving(name, effect):
        if name.startswith("put") and "_status" in name:
            state = world.state(MODEL)
            entry = next_entry(state, Measured("dev", "run", "it failed"), f"op-{state.head}", world.clock())
            world.parameters.stored[world.names.entry(MODEL, entry.seq)] = [entry.raw]
        return effect()

    job = world.click("maya", "churn/1/dev/1")
    with world.stepping(moving), pytest.raises(Unavailable, match="the log of churn v1 keeps moving"):
        handled(world, job)
    handled(world, job, Receipt(2))
    assert world.pointer("dev") == 1
    world.drain()
    world.check_rest()


@pytest.mark.parametrize("words", [("update",), ("put", "_status/churn")])
def test_a_card_that_was_posted_is_remembered_although_the_job_has_to_come_again(words):
    world = World()
    world.register(1)
    job = world.jobs.queues["openings"].pop(0).job
    with world.stepping(failing(*words)), pytest.raises(Unavailable):
        handled(world, job)
    assert card_of(world).ts == "1.000"
    handled(world, job, Receipt(2))
    assert len(world.channel.messages) == 1
    world.drain()
    world.check_rest()


def test_an_older_request_that_a_newer_approval_left_waiting_is_superseded_by_the_next_check():
    world = World()
    for version in (1, 2):
        world.register(version)
    world.drain()
    with world.stepping(failing("enqueue", times=99)), pytest.raises(Unavailable):
        handled(world, world.click("maya", "churn/2/dev/1"))
    assert world.request_state("churn/1/dev/1") is State.PENDING
    handled(world, CheckJob(MODEL, "by hand"))
    world.drain()
    assert world.request_state("churn/1/dev/1") is State.SUPERSEDED


def test_a_word_that_cannot_be_said_now_makes_the_job_come_again():
    world = asked()
    job = world.click("eli", "churn/1/dev/1")
    with world.stepping(failing("tell")), pytest.raises(Unavailable):
        handled(world, job)
    handled(world, job, Receipt(2))
    assert len(world.channel.told("eli")) == 1


def test_a_word_that_cannot_be_said_out_of_the_dead_letters_ends_in_the_log(caplog):
    world = asked()
    with world.stepping(failing("tell")):
        handled(world, world.click("eli", "churn/1/dev/1"), Receipt(dead=True))
    assert "the person could not be told" in caplog.text


def test_a_person_who_cannot_be_told_at_all_is_an_error_in_the_log_and_no_reason_to_come_again(caplog):
    world = asked()

    def unknown(name, effect):
        if name == "tell":
            raise Refused("user_not_found")
        return effect()

    with world.stepping(unknown), caplog.at_level(logging.ERROR):
        handled(world, world.click("eli", "churn/1/dev/1"))
    assert "the person cannot be told" in caplog.text


def test_a_person_of_a_surface_that_is_not_wired_is_told_nothing():
    world = asked()
    by = ChatUser("fax", "T1", "eli")
    handled(world, replace(world.click("eli", "churn/1/dev/1"), by=by))
    assert world.channel.private == []


def test_only_the_first_trouble_is_told_and_the_last_word_is_never_a_guess():
    world = asked()
    job = world.click("maya", "churn/1/dev/1")
    for receives in range(1, MAX_RECEIVES + 1):
        with world.stepping(failing("get", times=99)), pytest.raises(Unavailable):
            handled(world, job, Receipt(receives, last=receives == MAX_RECEIVES))
    assert world.channel.told("maya") == [TRYING, UNSURE]


def test_trouble_with_a_timer_is_told_to_nobody():
    world = asked()
    for job in (CheckJob(MODEL, "x"), TidyJob(MODEL, "dev", "x"), OpenJob(MODEL, "x")):
        with world.stepping(failing("get", times=99)), pytest.raises(Unavailable):
            handled(world, job, Receipt(MAX_RECEIVES, last=True))
    assert world.channel.private == []


def test_a_sweep_opens_what_was_missed_page_by_page_and_checks_the_rest_when_asked_for_everything():
    world = World()
    approved_in_dev(world)
    for version in range(2, 24):
        world.register(version)
    world.register(1, "other")
    world.jobs.queues["openings"].clear()
    swept = world.sweeper().run("sweep", everything=True)
    openings = [queued.job for queued in world.jobs.queues["openings"]]
    missed = {job.model.version for job in openings if isinstance(job, OpenJob)}
    checked = [queued.job.model for queued in world.jobs.queues["decisions"]]
    assert swept.opened == 22
    assert missed == set(range(2, 24))
    assert set(checked) == {MODEL}
    world.drain()
    world.sweep()
    assert all(world.state(ModelVersion("churn", version)).head for version in range(2, 24))
    assert not world.state(ModelVersion("other", 1)).head


def test_a_usual_sweep_looks_back_a_day_and_a_whole_one_to_the_beginning():
    world = World()
    world.register(1)
    world.jobs.queues["openings"].clear()
    world.clock.advance(hours=23)
    assert world.sweeper().run("soon").opened == 1
    world.clock.advance(days=2)
    assert world.sweeper().run("usual").opened == 0
    assert world.sweeper().run("whole", everything=True).opened == 1


@pytest.mark.parametrize(("minutes", "kept"), [(20, True), (59, True), (61, False)])
def test_a_marker_outlives_its_request_by_an_hour(minutes, kept):
    world = asked()
    world.answer("maya", "churn/1/dev/1", "reject")
    world.drain()
    for passed in (18, minutes - 18):
        world.clock.advance(minutes=passed)
        world.sweep()
    assert (world.names.marker(MODEL, "dev") in world.parameters.stored) == kept


@pytest.mark.parametrize(("ahead", "follows"), [(-30, True), (30, True), (90, False)])
def test_an_approval_is_later_than_the_pointer_unless_that_is_far_ahead_of_the_clock(ahead, follows):
    world = World()
    approved_in_dev(world)
    world.register(2)
    world.drain()
    name = world.names.approved("churn", "dev")
    at = world.clock() + timedelta(seconds=ahead)
    forged = {**json.loads(world.parameters.value(name) or ""), "approved_at": rfc3339(at)}
    world.parameters.stored[name].append(json.dumps(forged))
    world.answer("maya", "churn/2/dev/1")
    world.drain()
    approval = world.state(ModelVersion("churn", 2)).rounds["dev"][0].approval
    assert approval
    assert (approval.at > at) == follows
    assert world.pointer("dev") == 2


def test_a_request_of_a_person_is_opened_for_a_quorum_that_the_policy_asks_for_now():
    world = asked(policy_of(dev="required = 2"))
    world.answer("omar", "churn/1/dev/1", "reject")
    world.drain()
    world.policy = policy_of(dev="required = 3")
    world.send(RequestJob(MODEL, "dev", ChatUser("slack", "T1", "maya", "C0MODELS00"), "ask", world.clock()))
    world.drain()
    one = world.state(MODEL).pending[0]
    assert (one.required, one.opened.requester.oid) == (3, "oid-maya")
    assert one.opened.expires_at - one.opened_entry.at > timedelta(days=13)


class Meeting(dict[RequestId, CardRecord]):
    """Two who read it at once are let go together."""

    def __init__(self, found):
        super().__init__(found)
        self._barrier = Barrier(2, timeout=0.2)

    def __getitem__(self, request):
        found = super().__getitem__(request)
        with suppress(BrokenBarrierError):
            self._barrier.wait()
        return found


def test_what_a_repaint_and_a_reply_note_side_by_side_is_both_remembered():
    world = asked()
    request = RequestId("churn", 1, "dev", 1)
    before = world._record(request)
    world.answer("maya", str(request))
    world.drain()
    state = world.state(MODEL)
    display = Display(world.near(), state, Task(), {request: before})
    display._cards = Meeting(display._cards)
    for future in ThreadCrew().together(*display.updates(), *display.replies()):
        future.result()
    posted = display.changed[request].surfaces["slack"]
    told = [entry.seq for entry in state.entries if request in threads_of(state, entry)]
    assert (posted.shown, posted.threaded) == (card_shown(state, state.round(request)).digest, told[-1])


@pytest.mark.parametrize(
    ("created_by", "metadata", "requester"),
    [
        ("dana@example.com", {"requested-by": "omar@example.com"}, Requester("dana@example.com", "oid-dana")),
        (
            "train-pipeline",
            {"requested-by": "dana@example.com"},
            Requester("dana@example.com", "oid-dana", declared=True),
        ),
        ("train-pipeline", {"requested-by": "who@example.com"}, Requester("who@example.com", "", declared=True)),
        ("train-pipeline", {"requested-by": "dana"}, Requester("train-pipeline")),
        ("", {}, Requester("")),
    ],
)
def test_who_asked_is_whom_aws_names_else_whom_the_pipeline_names(monkeypatch, created_by, metadata, requester):
    world = World()
    monkeypatch.setattr(world.directory, "find", lambda email: {"dana@example.com": "oid-dana"}.get(email, ""))
    world.register(1)
    package = world.registry.packages[MODEL]
    world.registry.packages[MODEL] = replace(package, created_by=created_by, metadata=metadata)
    world.drain()
    assert world.state(MODEL).pending[0].opened.requester == requester
