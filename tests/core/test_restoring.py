"""What hands do to what was approved, in the registry or in Parameter Store: told, and taken back or put back."""

import pytest

from bot.card import Offer
from bot.domain import Act, ModelVersion, RequestId, State
from bot.entries import Hand, Observed, Restored
from bot.hints import CheckJob, TidyJob
from bot.pointers import Pointer, repointed
from bot.ports import Written
from bot.status import read_status
from tests.proofs.world import World, policy_of

MODEL = ModelVersion("churn", 1)
DEV, TEST = RequestId("churn", 1, "dev", 1), RequestId("churn", 1, "test", 1)


def braked(environments=("dev", "test"), **rules):
    """A world in which a version is approved everywhere and then rejected by hand."""
    world = World(policy_of(environments, **rules))
    world.register(1)
    world.drain()
    for environment in environments:
        world.answer("maya", f"churn/1/{environment}/1")
        world.drain()
    world.registry.edit(MODEL, "kim", status="Rejected")
    world.drain()
    return world


def registered(world):
    package = world.registry.packages[MODEL]
    return package.status, {name: package.metadata[name] for name in ("dev", "test")}


def offered(world):
    return {each.card.request: tuple(each.offers) for each in world.channel.messages.values() if each.offers}


def test_the_thread_offers_to_restore_or_revoke_what_was_approved_furthest():
    world = braked()
    assert offered(world) == {TEST: (Offer(Act.RESTORE, TEST), Offer(Act.REVOKE, TEST))}
    told = [line for each in world.channel.messages.values() for line in each.replies if "kim rejected" in line]
    [line] = told
    assert line.startswith("kim rejected churn v1 in the registry by hand, without an answer here. It is not put back.")
    assert line.endswith("What the environments load has not changed; approvers may restore or revoke it.")


def test_an_approver_takes_the_rejection_back_and_the_registry_follows():
    world = braked()
    assert registered(world) == ("Rejected", {"dev": "Approved", "test": "Approved"})
    world.restore("omar", str(TEST))
    world.drain()
    assert registered(world) == ("Approved", {"dev": "Approved", "test": "Approved"})
    [thread] = [each.replies for each in world.channel.messages.values() if each.offers]
    assert thread[-1] == (
        "Omar took back that churn v1 was rejected by hand; what was approved stands as before: checked it"
    )
    [entry] = [each for each in world.state(MODEL).entries if isinstance(each.event, Restored)]
    assert (entry.event.by.name, entry.event.reason, entry.event.group) == (
        "Omar",
        "checked it",
        world.policy.environments[1].approvers,
    )
    assert (world.pointer("dev"), world.pointer("test")) == (1, 1)
    world.sweep()
    world.drain()
    assert [type(each.event) for each in world.state(MODEL).entries[-2:]] == [Observed, Restored], "told once"
    world.check_rest()


def test_what_was_not_loaded_while_it_was_rejected_is_loaded_again():
    world = braked(("dev",))
    world.register(2)
    world.drain()
    world.answer("maya", "churn/2/dev/1")
    world.drain()
    world.revoke("maya", "churn/2/dev/1")
    world.drain()
    assert world.pointer("dev") is None, "a rejected version begins to be loaded nowhere"
    world.restore("maya", "churn/1/dev/1")
    world.drain()
    assert world.pointer("dev") == 1
    world.check_rest()


@pytest.mark.parametrize(
    ("user", "request_id", "says"),
    [
        ("eli", TEST, "Eli is not an approver for test"),
        ("maya", DEV, "churn/1/dev/1 is not the approval that counts here; nothing was restored. Restore it for test."),
    ],
)
def test_who_may_not_restores_nothing(user, request_id, says):
    world = braked()
    world.restore(user, str(request_id))
    world.drain()
    assert says in world.channel.told(user)[-1]
    assert registered(world)[0] == "Rejected"


def test_a_restore_needs_a_reason():
    world = braked()
    world.restore("maya", str(TEST), reason=" ")
    world.drain()
    assert world.channel.told("maya")[-1] == "This needs a reason. Please say why."
    assert world.state(MODEL).braked


def test_what_nobody_has_rejected_by_hand_is_not_restored():
    world = braked()
    for _ in range(2):
        world.restore("maya", str(TEST))
        world.drain()
    assert world.channel.told("maya")[-1] == (
        "No rejection by hand stands of churn v1; nothing was restored. See /model-status churn."
    )
    assert sum(isinstance(each.event, Restored) for each in world.state(MODEL).entries) == 1


def test_a_stop_by_hand_offers_it_where_something_was_approved_before():
    world = World(policy_of(("dev", "test", "uat")))
    world.register(1)
    world.drain()
    world.registry.edit(MODEL, "kim", status="Rejected")
    world.drain()
    assert offered(world) == {}, "nothing was approved that could stand again"
    world.register(2)
    world.drain()
    world.answer("maya", "churn/2/dev/1")
    world.drain()
    world.registry.edit(ModelVersion("churn", 2), "kim", status="Rejected")
    world.drain()
    entry = world.state(ModelVersion("churn", 2)).entries[-1]
    assert isinstance(entry.event, Observed)
    assert entry.event.action is Hand.STOP
    approved = RequestId("churn", 2, "dev", 1)
    assert offered(world) == {
        RequestId("churn", 2, "test", 1): (Offer(Act.RESTORE, approved), Offer(Act.REVOKE, approved))
    }
    world.restore("maya", str(approved))
    world.drain()
    assert not world.state(ModelVersion("churn", 2)).braked
    world.check_rest()


def test_a_second_rejection_by_hand_is_another_one():
    world = braked()
    world.restore("maya", str(TEST))
    world.drain()
    world.registry.edit(MODEL, "kim", status="Rejected")
    world.drain()
    assert registered(world)[0] == "Rejected"
    assert [type(each.event) for each in world.state(MODEL).entries[-3:]] == [Observed, Restored, Observed]


NONSENSE = '{"status":"Approved","nonsense":1}'


def repoint(world, value, environment="dev"):
    """What a hand in Parameter Store does; nothing removes it."""
    stored, name = world.parameters.stored, world.names.approved("churn", environment)
    stored[name].append(value) if value else stored.pop(name)


def told_of(world, environment="dev", version=1):
    one = world.state(ModelVersion("churn", version)).current(environment)
    [found] = [each.replies for each in world.channel.messages.values() if each.card.request == one.id]
    return [line for line in found if "Parameter Store" in line]


def approved(*versions):
    world = World(policy_of(("dev",)))
    for version in versions:
        world.register(version)
        world.drain()
        world.answer("maya", f"churn/{version}/dev/1")
        world.drain()
    return world


@pytest.mark.parametrize(("value", "what"), [(NONSENSE, "set to nothing that can be loaded"), (None, "removed")])
def test_an_approved_model_that_was_changed_by_hand_is_put_back_and_told_once(value, what):
    world = approved(1)
    repoint(world, value)
    for _ in range(2):
        world.sweep()
        world.drain()
    assert world.pointer("dev") == 1
    [line] = told_of(world)
    who = "kim" if value else "Somebody"
    assert line.startswith(f"{who} changed the approved model of dev in Parameter Store by hand: it was {what}. ")
    assert line.endswith("It was put back; only answers here change it.")
    [entry] = [each for each in world.state(MODEL).entries if isinstance(each.event, Observed)]
    assert (entry.event.action, entry.event.environment) == (Hand.REPOINTED, "dev")
    world.check_rest()


def test_a_rollback_by_hand_is_told_in_the_thread_of_what_is_loaded_again():
    world = approved(1, 2)
    older = world.parameters.stored[world.names.approved("churn", "dev")][0]
    repoint(world, older)
    world.jobs.accept(CheckJob(MODEL, "by hand", ("dev",)))
    world.drain()
    assert world.pointer("dev") == 2
    assert told_of(world) == []
    [line] = told_of(world, version=2)
    assert line.startswith("kim changed the approved model of dev in Parameter Store by hand: it was set to v1.")
    world.check_rest()


def test_a_write_of_ours_that_was_not_noted_is_nobodys_hand():
    world = approved(1, 2)
    name = world.names.approved("churn", "dev")
    world.parameters.put(name, world.parameters.stored[name][0])
    world.sweep()
    world.drain()
    assert world.pointer("dev") == 2
    assert not [each for each in world.state(MODEL).entries if isinstance(each.event, Observed)]
    assert told_of(world, version=2) == []
    world.check_rest()


def test_where_nobody_says_who_wrote_a_value_that_was_approved_is_taken_for_ours(monkeypatch):
    world = approved(1, 2)
    monkeypatch.setattr(
        world.parameters, "written", lambda name: [Written(each) for each in world.parameters.stored[name]]
    )
    repoint(world, world.parameters.stored[world.names.approved("churn", "dev")][0])
    world.sweep()
    world.drain()
    assert (world.pointer("dev"), told_of(world, version=2)) == (2, [])
    repoint(world, NONSENSE)
    world.sweep()
    world.drain()
    assert world.pointer("dev") == 2
    [line] = told_of(world, version=2)
    assert line.startswith("Somebody changed")


def test_an_answer_that_finds_a_changed_pointer_says_so_too():
    world = approved(1)
    world.register(2)
    world.drain()
    repoint(world, NONSENSE)
    world.answer("maya", "churn/2/dev/1")
    world.drain()
    assert world.pointer("dev") == 2
    assert len(told_of(world, version=2)) == 1
    world.check_rest()


@pytest.mark.parametrize("value", ["older", None])
def test_a_loaded_version_that_is_rejected_by_hand_is_loaded_on_after_a_change_of_its_pointer(value):
    world = approved(1, 2)
    older = world.parameters.stored[world.names.approved("churn", "dev")][0]
    world.registry.edit(ModelVersion("churn", 2), "kim", status="Rejected")
    world.drain()
    repoint(world, older if value else None)
    world.sweep(everything=True)
    assert world.pointer("dev") == 2, "the registry lists it as approved no longer, but the history does"
    assert len(told_of(world, version=2)) == 1
    assert told_of(world) == []
    world.check_rest()


@pytest.mark.parametrize("value", [NONSENSE, None])
def test_every_change_by_hand_is_told_also_the_same_one_again(value):
    world = approved(1)
    for count in range(1, 4):
        repoint(world, value)
        world.sweep()
        assert (world.pointer("dev"), len(told_of(world))) == (1, count)
    world.check_rest()


def test_whoever_writes_our_own_value_first_does_not_become_us():
    world = approved(1)
    name = world.names.approved("churn", "dev")
    repoint(world, str(world.parameters.value(name)))
    world.sweep()
    repoint(world, NONSENSE)
    world.sweep()
    assert (world.pointer("dev"), len(told_of(world))) == (1, 1)


def test_whoever_deletes_a_pointer_and_makes_another_is_told_of():
    world = approved(1, 2)
    name = world.names.approved("churn", "dev")
    older = world.parameters.stored[name][0]
    repoint(world, None)
    world.parameters.ours.clear()
    world.parameters.stored[name] = [older]
    world.sweep()
    assert (world.pointer("dev"), len(told_of(world, version=2))) == (2, 1)


@pytest.mark.parametrize("there", [None, NONSENSE, "a copy"])
def test_an_environment_that_moves_has_its_model_named_there_and_nobody_is_accused(there):
    world = approved(1, 2)
    world.policy = policy_of(("dev",), dev='region = "eu-central-1"')
    if there != "a copy":
        repoint(world, there)
    world.sweep()
    world.drain()
    assert (world.pointer("dev"), told_of(world), told_of(world, version=2)) == (2, [], [])
    [slot] = read_status(world.parameters.value("/model-approvals/_status/churn")).approved.values()
    assert slot.place == "eu-central-1"
    repoint(world, None)
    world.sweep()
    world.drain()
    assert (world.pointer("dev"), len(told_of(world, version=2))) == (2, 1), "from then on it is watched there"


def test_a_read_that_is_behind_accuses_nobody():
    """The value that was read is not what stands there now, or what was gone is there again."""
    [slot] = [read_status(approved(1).parameters.value("/model-approvals/_status/churn")).approved["dev"]]
    ours = Written("ours", "bot", 1)
    assert repointed(Pointer("dev", "old", slot), [ours, Written("new", "kim", 2)], ()) is None
    assert repointed(Pointer("dev", None, slot), [ours], ()) is None
    moved = Pointer("dev", None, slot, "210987654321")
    assert (moved.moved, moved.trusted) == (True, False), "nobody has removed it: the policy has dev elsewhere by now"
    assert repointed(moved, (), ()) is None


def test_a_rejection_by_hand_that_nobody_has_seen_yet_is_seen_by_whoever_asks_for_more():
    world = approved_without_test()
    world.registry.on_change = lambda _package, _created: None
    world.registry.edit(MODEL, "kim", status="Rejected")
    world.ask("omar", MODEL, "test")
    world.drain()
    assert world.state(MODEL).braked
    assert world.registry.packages[MODEL].status == "Rejected"


def approved_without_test():
    """Approved for dev; test was asked for and rejected, so that somebody may ask for it again."""
    world = World(policy_of(("dev", "test")))
    world.register(1)
    world.drain()
    world.answer("maya", str(DEV))
    world.drain()
    world.answer("omar", str(TEST), "reject")
    world.drain()
    return world


def test_a_rejection_by_hand_of_what_waits_is_seen_before_its_marker_is_tidied():
    world = World(policy_of(("dev",)))
    world.register(1)
    world.drain()
    world.registry.on_change = lambda _package, _created: None
    world.registry.edit(MODEL, "kim", status="Rejected")
    world.jobs.accept(TidyJob(MODEL, "dev", "sweep"))
    world.drain()
    assert [one.state for one in world.state(MODEL).rounds["dev"]] == [State.REJECTED]
    assert world.registry.packages[MODEL].status == "Rejected"


def test_the_thread_that_told_of_the_rejection_tells_that_it_was_taken_back():
    world = braked()
    repoint(world, NONSENSE)
    world.sweep()
    world.restore("omar", str(TEST))
    world.drain()
    [thread] = [each.replies for each in world.channel.messages.values() if each.offers]
    assert "took back that churn v1 was rejected by hand" in thread[-1]


def test_a_restore_wants_the_account_as_well_known_as_an_answer():
    world = braked()
    world.policy = policy_of(("dev", "test"), test='identity = "linked"')
    world.restore("maya", str(TEST))
    world.drain()
    assert "your account has to be linked" in world.channel.told("maya")[-1]
    assert world.state(MODEL).braked
