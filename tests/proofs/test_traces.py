"""Named traces: stories in which something goes wrong at the worst moment."""

from datetime import timedelta

import pytest

from bot.approved import read_approved
from bot.domain import ModelVersion, State
from bot.errors import Refused, Unavailable
from bot.hints import CheckJob, OpenJob, SupersedeJob, TidyJob
from bot.jobs import Receipt
from bot.promotion import RECORDED, TRYING, UNSURE
from tests.proofs.scenarios import approved_in_dev
from tests.proofs.test_interleavings import Stage
from tests.proofs.world import MAX_RECEIVES, Died, World, policy_of


def test_a_redelivered_answer_that_is_in_the_log_is_told_recorded_and_projected():
    world = World()
    world.register(1)
    world.drain()
    job = world.click("maya", "churn/1/dev/1")

    def dies_after_the_entry(name, effect):
        result = effect()
        if "history/1/0002" in name:
            raise Died
        return result

    with world.stepping(dies_after_the_entry), pytest.raises(Died):
        world.worker().handle(job, Receipt())
    assert world.request_state("churn/1/dev/1") is State.APPROVED
    assert world.pointer("dev") is None

    world.worker().handle(job, Receipt(2))

    assert world.channel.told("maya") == [RECORDED]
    assert world.pointer("dev") == 1
    world.drain()
    world.check_rest()


def test_a_redelivered_revoke_after_a_new_round_was_approved_kills_nothing():
    world = World()
    approved_in_dev(world)
    revoke = world.revoke("maya", "churn/1/dev/1")
    world.drain()
    world.ask("omar", ModelVersion("churn", 1), "dev")
    world.drain()
    world.answer("omar", "churn/1/dev/2")
    world.drain()

    world.worker().handle(revoke, Receipt(2))
    world.drain()

    assert world.request_state("churn/1/dev/2") is State.APPROVED
    assert world.pointer("dev") == 1
    world.check_rest()


def test_a_revoke_that_comes_late_for_an_older_round_is_refused():
    world = World()
    approved_in_dev(world)
    late = world.revoke("priya", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    world.ask("omar", ModelVersion("churn", 1), "dev")
    world.drain()
    world.answer("omar", "churn/1/dev/2")
    world.drain()

    world.worker().handle(late, Receipt())

    assert world.request_state("churn/1/dev/2") is State.APPROVED
    assert "Revoked by Maya: bad in use" in world.channel.told("priya")[0]


def test_the_pointer_falls_back_to_the_version_before_and_then_to_none():
    world = World()
    approved_in_dev(world, 1)
    approved_in_dev(world, 2)
    assert world.pointer("dev") == 2

    world.revoke("maya", "churn/2/dev/1")
    world.drain()
    assert world.pointer("dev") == 1

    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    assert world.pointer("dev") is None
    assert '"status":"None"' in str(world.parameters.value(world.names.approved("churn", "dev")))
    world.check_rest()


@pytest.mark.parametrize("stop", range(1, 14))
def test_a_projection_that_stalls_does_not_leave_the_older_state_in_the_registry(stop):
    world = World()
    approved_in_dev(world)
    revoke = world.revoke("maya", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    answer = world.click("omar", "churn/1/test/1")
    world.clicks.append(answer)

    Stage(world, answer, revoke).play(stop, 99)

    package = world.registry.packages[ModelVersion("churn", 1)]
    assert package.metadata["dev"] == "Rejected"
    assert package.metadata["approval-history"] == str(world.state(package.model).head)


def test_a_job_that_was_lost_after_opened_is_found_by_the_sweep():
    world = World()

    def dies_after_opened(name, effect):
        result = effect()
        if "history/1/0001" in name:
            raise Died
        return result

    world.register(1)
    with world.stepping(dies_after_opened), pytest.raises(Died):
        world.worker().handle(world.jobs.queues["openings"].pop().job, Receipt())
    assert not world.channel.messages

    world.sweep()

    assert len(world.channel.messages) == 1
    world.check_rest()


def test_a_registration_whose_event_was_lost_is_found_by_the_sweep():
    world = World()
    world.register(1)
    world.jobs.queues["openings"].clear()

    world.sweep()

    assert world.request_state("churn/1/dev/1") is State.PENDING
    world.check_rest()


def test_revoking_dev_while_test_is_pending_leaves_no_live_buttons_on_the_test_card():
    world = World()
    approved_in_dev(world)
    cards = {message.card.request.environment: message for message in world.channel.messages.values()}
    assert cards["test"].card.open

    world.revoke("maya", "churn/1/dev/1")
    world.drain()

    assert not cards["test"].card.open
    assert any("revoked churn v1 for dev" in line for line in cards["test"].replies)
    world.check_rest()


@pytest.mark.parametrize("stop", range(1, 14))
def test_a_stalled_openings_job_never_writes_a_pointer(stop):
    world = World()
    world.register(1)
    world.drain()
    before = len(world.calls)
    answer = world.click("maya", "churn/1/dev/1")
    world.clicks.append(answer)
    opening = OpenJob(ModelVersion("churn", 1), "again", fresh=True)
    written = []

    def watch(name, effect):
        written.append(name)
        return effect()

    with world.stepping(watch):
        world.worker().handle(opening, Receipt())
    assert not any("/approved/" in name for name in written)
    Stage(world, opening, answer).play(stop, 99)
    pointers = [name for name in world.calls[before:] if name.startswith("put") and "/approved/" in name]
    assert len(pointers) == 1
    assert world.pointer("dev") == 1


def test_a_refused_timer_sent_again_within_five_minutes_is_not_swallowed_by_the_queue():
    world = World()
    world.register(1)
    world.drain()
    timer = SupersedeJob(next(iter(world.state(ModelVersion("churn", 1)).pending)).id, 2, "first sweep")
    world.jobs.put(timer)
    world.drain()
    assert world.request_state("churn/1/dev/1") is State.PENDING

    world.jobs.put(timer)
    assert not world.jobs.queues["decisions"], "the same message is swallowed, as SQS does"
    world.jobs.put(SupersedeJob(timer.request, 2, "second sweep"))

    assert len(world.jobs.queues["decisions"]) == 1


def test_a_late_entry_of_a_dead_worker_after_not_recorded_is_corrected_by_one_sweep_and_told():
    world = World()
    world.register(1)
    world.drain()
    job = world.answer("maya", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()

    def dies_while_the_entry_is_under_way(name, effect):
        if "history/1/0002" in name:
            world.late.append(effect)
            raise Died
        return effect()

    with world.stepping(dies_while_the_entry_is_under_way), pytest.raises(Died):
        world.worker().handle(job, Receipt())
    world.clock.advance(minutes=15)
    world.worker().handle(job, Receipt(MAX_RECEIVES, last=True))
    assert "not recorded" in world.channel.told("maya")[-1]
    assert world.request_state("churn/1/dev/1") is State.PENDING

    world.land()
    world.sweep()

    assert world.request_state("churn/1/dev/1") is State.APPROVED
    assert world.pointer("dev") == 1
    assert "recorded after all" in world.channel.told("maya")[-1]
    world.clock.advance(minutes=20)
    world.sweep()
    world.check_rest()


def test_while_the_directory_is_down_the_person_is_told_and_nothing_is_recorded_late():
    world = World()
    world.register(1)
    world.drain()
    world.directory.down = True

    world.answer("maya", "churn/1/dev/1")
    world.drain()

    assert world.channel.told("maya")[0] == TRYING
    assert "not recorded" in world.channel.told("maya")[-1]
    world.directory.down = False
    world.sweep()
    assert world.request_state("churn/1/dev/1") is State.PENDING
    world.check_rest()


def test_a_click_that_is_delivered_after_fifteen_minutes_is_not_recorded():
    world = World()
    world.register(1)
    world.drain()
    job = world.answer("maya", "churn/1/dev/1")
    world.clock.advance(minutes=15)
    world.drain()
    assert "not recorded" in world.channel.told("maya")[-1]
    assert world.request_state(str(job.request)) is State.PENDING


def test_when_the_log_cannot_be_read_the_last_word_is_that_it_could_not_be_confirmed():
    world = World()
    world.register(1)
    world.drain()
    job = world.answer("maya", "churn/1/dev/1")

    def dark(name, effect):
        if name.startswith("get"):
            raise Unavailable("no answer from Parameter Store")
        return effect()

    with world.stepping(dark), pytest.raises(Unavailable):
        world.worker().handle(job, Receipt(MAX_RECEIVES, last=True))
    assert world.channel.told("maya") == [UNSURE]


def test_the_dead_letters_consumer_never_records_but_projects_and_tells():
    world = World()
    world.register(1)
    world.drain()
    job = world.answer("maya", "churn/1/dev/1")
    world.worker().handle(job, Receipt(1, dead=True))
    assert world.request_state("churn/1/dev/1") is State.PENDING
    assert "not recorded" in world.channel.told("maya")[-1]

    world.drain()
    world.worker().handle(job, Receipt(1, dead=True))
    assert world.channel.told("maya")[-1] == RECORDED


def test_a_chat_that_is_down_never_blocks_a_decision_and_the_sweep_repaints():
    world = World()
    world.register(1)
    world.drain()
    world.channel.broken = Unavailable("429")
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    assert world.pointer("dev") == 1

    world.channel.broken = None
    world.sweep()
    world.check_rest()


def test_by_hand_approvals_are_put_back_twice_and_then_left_with_an_alarm(caplog):
    world = World()
    model = world.register(1)
    world.drain()
    for _ in range(2):
        world.registry.edit(model, "arn:aws:iam::1:user/mallory", status="Approved")
        world.drain()
        assert world.registry.packages[model].status == "PendingManualApproval"
    world.registry.edit(model, "arn:aws:iam::1:user/mallory", status="Approved")
    world.drain()
    world.sweep()
    assert world.registry.packages[model].status == "Approved"
    assert "left as it is" in caplog.text
    replies = next(iter(world.channel.messages.values())).replies
    assert sum("mallory approved churn v1 in the registry by hand" in line for line in replies) == 3


def test_a_by_hand_rejection_of_an_approved_version_is_never_put_back():
    world = World()
    approved_in_dev(world)
    model = ModelVersion("churn", 1)
    world.answer("omar", "churn/1/test/1")
    world.drain()
    world.registry.edit(model, "somebody", status="Rejected")
    world.drain()
    world.sweep()
    assert world.registry.packages[model].status == "Rejected"
    assert world.pointer("dev") == 1
    world.check_rest()


def test_a_pointer_changed_by_hand_is_counted_anew():
    world = World()
    approved_in_dev(world)
    world.parameters.stored[world.names.approved("churn", "dev")].append('{"status":"Approved","nonsense":1}')
    world.sweep()
    assert world.pointer("dev") == 1
    world.check_rest()


@pytest.mark.parametrize("value", ['{"status":"Approved","nonsense":1}', None])
def test_a_pointer_changed_by_hand_is_put_right_within_the_hour(value):
    """Nothing waits any more, and no event tells of it."""
    world = World(policy_of(("dev",)))
    approved_in_dev(world)
    for _ in range(30):
        world.sweep()
        world.clock.advance(minutes=5)
    assert not [name for name in world.parameters.stored if "/_open/" in name]
    name = world.names.approved("churn", "dev")
    world.parameters.stored[name].append(value) if value else world.parameters.stored.pop(name)
    looked = 0
    while world.pointer("dev") != 1:
        world.sweep()
        world.clock.advance(minutes=5)
        looked += 1
        assert looked <= 12
    world.check_rest()


def test_each_group_has_its_turn_once_an_hour():
    world = World(policy_of(("dev",)))
    groups = [f"churn-{number}" for number in range(40)]
    for group in groups:
        world.register(1, group)
        world.drain()
        world.answer("maya", f"{group}/1/dev/1")
    world.drain()
    for _ in range(30):
        world.sweep()
        world.clock.advance(minutes=5)
    seen = []
    for number in range(12):
        world.sweeper().run(f"turn-{number}")
        seen += [queued.job.model.group for queue in world.jobs.queues.values() for queued in queue]
        for queue in world.jobs.queues.values():
            queue.clear()
        world.clock.advance(minutes=5)
    assert sorted(seen) == sorted(groups)


def test_a_version_registered_before_since_is_left_alone():
    world = World()
    model = world.register(1)
    package = world.registry.packages[model]
    world.registry.packages[model] = type(package)(
        **{
            **{name: getattr(package, name) for name in package.__slots__},
            "created_at": world.policy.since - timedelta(days=1),
        }
    )
    before = len(world.calls)
    world.drain()
    world.sweep(everything=True)
    assert not [call for call in world.writes(before) if "_open" not in call]


def test_a_stray_marker_of_a_version_without_a_log_is_tidied():
    world = World()
    world.parameters.create(world.names.marker(ModelVersion("churn", 9), "dev"), "{}")
    world.jobs.accept(TidyJob(ModelVersion("churn", 9), "dev", "x"))
    world.drain()
    assert not [name for name in world.parameters.stored if "_open" in name]


def test_jobs_of_groups_that_are_not_governed_do_nothing():
    world = World()
    model = ModelVersion("other", 1)
    world.worker().handle(OpenJob(model, "x"), Receipt())
    world.worker().handle(CheckJob(model, "x"), Receipt())
    world.worker().handle(world.click("maya", "other/1/dev/1"), Receipt())
    assert "There is no request other/1/dev/1" in world.channel.told("maya")[0]
    assert not world.parameters.stored


def test_a_person_who_left_the_group_meanwhile_is_refused_when_somebody_else_was_faster():
    world = World(policy_of(dev="required = 2"))
    world.register(1)
    world.drain()
    late, fast = world.click("maya", "churn/1/dev/1"), world.click("omar", "churn/1/dev/1")

    def somebody_is_faster(name, effect):
        if "create" in name and "history/1/0002" in name:
            world.step = None
            world.worker().handle(fast, Receipt())
            world.directory.add("maya")
        return effect()

    with world.stepping(somebody_is_faster):
        world.worker().handle(late, Receipt())

    assert "Maya is not an approver for dev" in world.channel.told("maya")[-1]
    assert len(world.state(ModelVersion("churn", 1)).entries) == 2


def test_a_late_repaint_of_a_dead_worker_is_painted_over_by_one_sweep():
    world = World()
    world.register(1)
    world.drain()
    pending = next(iter(world.channel.messages.values())).card
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    world.channel.messages["1.000"].card = pending

    world.clock.advance(minutes=20)
    world.sweep()

    assert not world.channel.messages["1.000"].card.open
    world.check_rest()


def test_a_pointer_that_looks_right_but_was_written_by_hand_is_counted_anew():
    world = World()
    approved_in_dev(world)
    name = world.names.approved("churn", "dev")
    forged = str(world.parameters.value(name)).replace("image:1", "evil:1").replace("2026-11-24", "2027-11-24")
    world.parameters.stored[name].append(forged)
    world.sweep()
    assert "evil" not in str(world.parameters.value(name))
    world.check_rest()


def test_a_channel_that_refused_a_card_gets_it_once_it_is_mended():
    world = World()
    world.channel.broken = Refused("not_in_channel")
    world.register(1)
    world.drain()
    assert not world.channel.messages
    world.channel.broken = None
    world.sweep()
    assert len(world.channel.messages) == 1
    world.check_rest()


def test_a_by_hand_rejection_while_the_next_environment_is_asked_stops_that_and_is_never_put_back():
    world = World()
    approved_in_dev(world)
    model = ModelVersion("churn", 1)
    world.registry.edit(model, "somebody", status="Rejected")
    world.drain()
    world.sweep()
    assert world.request_state("churn/1/test/1") is State.REJECTED
    assert world.registry.packages[model].status == "Rejected"
    assert world.pointer("dev") == 1

    world.registry.edit(model, "somebody", status="Approved")
    world.drain()
    assert world.registry.packages[model].status == "Approved"
    world.check_rest()


def test_what_was_revoked_is_named_as_the_version_before_by_the_next_approval():
    world = World()
    approved_in_dev(world, 1)
    world.revoke("maya", "churn/1/dev/1")
    world.drain()
    gone = read_approved(world.parameters.value(world.names.approved("churn", "dev")))
    assert gone is not None
    assert (gone.status, gone.previous, gone.approved_by) == ("None", 1, ())
    approved_in_dev(world, 2)
    found = read_approved(world.parameters.value(world.names.approved("churn", "dev")))
    assert found is not None
    assert found.previous == 1


def test_a_word_that_cannot_be_said_at_the_last_receive_is_said_from_the_dead_letters():
    world = World()
    world.register(1)
    world.drain()
    job = world.answer("eli", "churn/1/dev/1")
    world.jobs.queues["decisions"].clear()
    world.channel.broken = Unavailable("Slack does not answer")
    with pytest.raises(Unavailable):
        world.worker().handle(job, Receipt(MAX_RECEIVES, last=True))
    world.channel.broken = None
    world.worker().handle(job, Receipt(1, dead=True))
    assert "not recorded" in world.channel.told("eli")[-1]
