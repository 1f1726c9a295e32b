"""The audit finds whatever is changed, deleted, put in, moved or cut off; a history that nobody touched holds."""

import json
import random
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from bot.audit import Anchors, Audit, read
from bot.domain import Answer, ModelVersion
from bot.encoding import encode
from bot.entries import Expiry, Hand, Observed, Opened, Requester, Restored, Revoked, Unknown, Vote
from bot.history import VersionState, apply, next_entry
from bot.members import Person
from bot.ports import Stored
from tests.memory import InTurn
from tests.proofs.world import World, policy_of

CASES = 500
NAMES = World().names
MODEL = ModelVersion("churn", 1)


@cache
def lived():
    """A group in which nearly everything has happened."""
    world = World(policy_of(("dev", "test"), test="required = 2"))
    for version in range(1, 6):
        world.register(version)
        world.drain()
        world.clock.advance(minutes=7)
    for version in (1, 2, 3):
        world.answer("maya", f"churn/{version}/dev/1")
        world.drain()
    for user in ("maya", "omar"):
        world.answer(user, "churn/3/test/1")
        world.drain()
    world.answer("maya", "churn/4/dev/1", "reject")
    world.drain()
    world.revoke("omar", "churn/3/test/1")
    world.drain()
    world.ask("priya", ModelVersion("churn", 4), "dev")
    world.drain()
    world.registry.edit(ModelVersion("churn", 5), "somebody", status="Approved")
    world.drain()
    world.clock.advance(days=15)
    for _ in range(3):
        world.sweep()
        world.clock.advance(hours=2)
    return world


def verified(world):
    near = world.near()
    return Audit(near.records, near.registry, InTurn(), world.clock).verify("churn")


def found(world):
    return [str(each) for each in verified(world).findings]


def test_a_history_that_nobody_touched_holds():
    world = lived()
    result = verified(world)
    kinds = {type(entry.event) for model in world.models() for entry in world.entries(model)}
    assert {Opened, Vote, Revoked, Observed, Expiry} <= kinds
    assert (result.findings, result.versions) == ((), 5)
    assert result.entries == sum(len(world.entries(model)) for model in world.models())
    assert result.pointers == 2


def entries_of(world):
    return [name for name in sorted(world.parameters.stored) if "/history/" in name]


def changed(world, chance):
    name = chance.choice(entries_of(world))
    [raw] = world.parameters.stored[name]
    value = json.loads(raw)
    key = chance.choice(sorted(set(value) - {"seq", "kind"}))
    value[key] = "1999-01-01T00:00:00.000Z" if key.endswith("at") else f"{value[key]}x"
    world.parameters.stored[name] = [encode(value)]
    return name


def deleted(world, chance):
    name = chance.choice(entries_of(world))
    del world.parameters.stored[name]
    return name


def moved(world, chance):
    first = chance.choice([each for each in entries_of(world) if not each.endswith("0001")])
    second = f"{first.rpartition('/')[0]}/{int(first[-4:]) - 1:04d}"
    stored = world.parameters.stored
    stored[first], stored[second] = stored[second], stored[first]
    return second


def cut_off(world, chance):
    folder = chance.choice(entries_of(world)).rpartition("/")[0]
    log = [each for each in entries_of(world) if each.startswith(f"{folder}/")]
    gone = log[chance.randrange(len(log)) :]
    for name in gone:
        del world.parameters.stored[name]
    return gone[0]


def put_in(world, chance):
    """An entry of the right form, somewhere; those behind it move on, chained anew or as they were."""
    name = chance.choice(entries_of(world))
    folder = name.rpartition("/")[0]
    model = ModelVersion("churn", int(folder.rpartition("/")[2]))
    place = chance.randrange(1, len(world.entries(model)) + 2)
    state = VersionState(model)
    anew = chance.random() < 0.5
    later = [entry for entry in world.entries(model) if entry.seq >= place]
    for entry in world.entries(model)[: place - 1]:
        state = apply(state, entry)
    world.rewritten = anew
    forged = next_entry(
        state, Observed("changed", "nobody", Hand.LEFT), "op", world.clock() if not later else later[0].at
    )
    raws = [forged.raw]
    state = apply(state, forged)
    for entry in later:
        following = next_entry(state, entry.event, entry.op, entry.at) if anew else entry
        raws.append(following.raw)
        state = apply(state, following)
    for seq, raw in enumerate(raws, start=place):
        world.parameters.stored[world.names.entry(model, seq)] = [raw]
    return world.names.entry(model, place)


@pytest.mark.parametrize("tamper", [changed, deleted, moved, cut_off, put_in], ids=lambda each: each.__name__)
def test_whatever_is_done_to_the_history_is_found(tamper, figure):
    chance, seen = random.Random(tamper.__name__), 0
    for _ in range(CASES // 5):
        world = deepcopy(lived())
        before = dict(world.parameters.stored)
        where = tamper(world, chance)
        assert before != world.parameters.stored
        findings = verified(world).findings
        assert findings, f"{tamper.__name__} at {where}"
        version, seq = int(where.split("/")[-2]), int(where.split("/")[-1])
        first = next(each for each in findings if each.model.version == version)
        rewritten = getattr(world, "rewritten", False)  # then nothing but its end shows it
        assert rewritten or first.seq <= seq + 1, f"{tamper.__name__} at {where}: {first}"
        seen += 1
    figure(f"histories {tamper.__name__} and found", seen)


def test_what_was_overwritten_says_so_though_it_says_the_same():
    world = deepcopy(lived())
    name = world.names.entry(MODEL, 1)
    world.parameters.stored[name] *= 2
    assert found(world) == ["churn v1, entry 1: was written 2 times; entries are written once"]


def test_the_registry_alone_misses_an_end_that_was_cut_off():
    world = deepcopy(lived())
    log = [each for each in entries_of(world) if "/history/4/" in each]
    for name in [
        log[-1],
        *(each for each in world.parameters.stored if "/cards/4/" in each or "/_status/churn" in each),
    ]:
        del world.parameters.stored[name]
    assert f"churn v4, entry {len(log)}: is missing: the registry knows {len(log)} entries" in "".join(found(world))


def test_a_group_that_stands_in_no_list_is_found_by_its_status():
    world = deepcopy(lived())
    del world.parameters.stored[world.names.shard("churn")]
    assert world.near().records.groups() == ()
    assert world.near().records.every_group() == ("churn",)


def test_a_log_that_is_gone_as_a_whole_is_missed():
    world = deepcopy(lived())
    for name in entries_of(world):
        if "/history/2/" in name:
            del world.parameters.stored[name]
    assert any(each.startswith("churn v2, entry 1: is missing") for each in found(world))


@pytest.mark.parametrize("key", ["model_package_arn", "approved_by", "approved_at", "model_data_url"])
def test_an_approved_model_that_says_something_else_is_found(key):
    world = deepcopy(lived())
    name = world.names.approved("churn", "dev")
    value = json.loads(world.parameters.value(name))
    value[key] = [] if key == "approved_by" else "2026-11-24T09:00:00.000Z" if key == "approved_at" else "other"
    world.parameters.stored[name] = [encode(value)]
    version = value["model_package_version"]
    assert found(world) == [f"churn v{version}: approved/dev is not what the histories say, which is v{version}"]


@pytest.mark.parametrize("value", ["garbage", None, "older"])
def test_an_approved_model_that_was_put_back_or_taken_away_is_found(value):
    world = deepcopy(lived())
    name = world.names.approved("churn", "dev")
    older = world.parameters.stored[name][0]
    assert '"model_package_version":1' in older
    world.parameters.stored[name] = [older if value == "older" else value]
    if value is None:
        del world.parameters.stored[name]
    assert "approved/dev is not what the histories say, which is v3" in "".join(found(world))


def test_an_approved_model_may_lag_behind_a_fresh_decision_and_no_further(monkeypatch):
    world = World(policy_of(("dev",)))
    for version in (1, 2, 3):
        world.register(version)
        world.drain()
        world.answer("maya", f"churn/{version}/dev/1")
        world.drain()
        world.clock.advance(minutes=30)
    world.register(4)
    world.drain()
    world.answer("maya", "churn/4/dev/1")
    world.drain()
    values = world.parameters.stored[world.names.approved("churn", "dev")]
    first, _, third, newest = [*dict.fromkeys(values)]
    at = {
        each.name: world.state(ModelVersion("churn", int(each.name.split("/")[-2]))).entries[int(each.name[-4:]) - 1].at
        for each in world.parameters.below(world.names.history("churn"))
    }
    below = world.parameters.below
    monkeypatch.setattr(
        world.parameters, "below", lambda path: [replace(each, at=at.get(each.name)) for each in below(path)]
    )
    for value, lags in ((newest, False), (third, False), (first, True)):
        values.append(value)
        assert bool(found(world)) == lags
    values.append(third)
    world.clock.advance(minutes=16)
    assert found(world) == ["churn v3: approved/dev is not what the histories say, which is v4"]


def test_a_thread_misses_a_history_that_is_gone():
    world = deepcopy(lived())
    for name in [each for each in world.parameters.stored if "/history/1/" in each or "/_status/churn" in each]:
        del world.parameters.stored[name]
    del world.registry.packages[MODEL]
    assert any(each.startswith("churn v1, entry 1: is missing: a thread knows") for each in found(world))


def test_what_others_copied_into_the_registry_is_no_anchor():
    world = deepcopy(lived())
    copied = dict(world.registry.packages[MODEL].metadata)
    other = replace(world.registry.packages[MODEL], model=ModelVersion("churn", 9), metadata=copied, status="Rejected")
    world.registry.packages[other.model] = other
    assert found(world) == []


def test_a_brake_that_somebody_pulled_is_no_fault_and_nothing_begins_to_load_it():
    world = World(policy_of(("dev",)))
    for version in (1, 2):
        world.register(version)
        world.drain()
        world.answer("maya", f"churn/{version}/dev/1")
        world.drain()
    world.registry.edit(MODEL, "somebody", status="Rejected")
    world.drain()
    world.revoke("maya", "churn/2/dev/1")
    world.drain()
    assert world.pointer("dev") is None
    world.sweep(everything=True)
    assert world.pointer("dev") is None
    assert found(world) == []


@pytest.mark.parametrize("name", ["1", "1/1", "1/0001/x", "x/0001", "1/0000", "01/0001", "1/00001"])
def test_a_name_that_no_entry_has_is_found(name):
    world = deepcopy(lived())
    world.parameters.stored[f"{world.names.history('churn')}/{name}"] = ["{}"]
    assert any("is no place for an entry" in each for each in found(world))


# -- entries that could be chained, and yet must not stand where they stand


OPENED = next(entry.event for entry in lived().entries(MODEL) if isinstance(entry.event, Opened))
VOTE = next(entry.event for entry in lived().entries(MODEL) if isinstance(entry.event, Vote))
REVOKED = next(
    entry.event for model in lived().models() for entry in lived().entries(model) if isinstance(entry.event, Revoked)
)
START = lived().entries(MODEL)[0].at
BRAKED = (OPENED, VOTE, Observed("rejected", "kim", Hand.BRAKE))
RESTORED = Restored("dev", 1, VOTE.by, VOTE.via, VOTE.group, VOTE.checked_at, "checked")


def said(*events, written=None):
    """What is found in a log of these events, chained as it has to be."""
    state, log = VersionState(MODEL), {}
    for number, event in enumerate(events, start=1):
        at = START + timedelta(minutes=number)
        asked = isinstance(event, Vote | Revoked | Restored) and event.checked_at == VOTE.checked_at
        entry = next_entry(state, replace(event, checked_at=at) if asked else event, f"op-{number}", at)
        state = apply(state, entry)
        log[number] = Stored(NAMES.entry(MODEL, number), entry.raw, 1, written)
    return [each.says for each in read(MODEL, log, Anchors(), START)[1]]


def test_a_decision_as_it_should_be_is_not_found_fault_with():
    assert said(OPENED, VOTE) == []
    assert said(OPENED, replace(VOTE, answer=Answer.REJECT, reason="drifts")) == []
    assert said(*BRAKED, RESTORED) == []


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ((OPENED, replace(VOTE, group="")), "no evidence that"),
        ((OPENED, replace(VOTE, by=Person("", "Maya"))), "no evidence that Maya"),
        ((OPENED, Unknown("vetoed")), "cannot be read"),
        ((OPENED, replace(VOTE, checked_at=START - timedelta(days=1))), "no evidence that"),
        ((OPENED, replace(VOTE, answer=Answer.REJECT)), "gives no reason"),
        (
            (OPENED, VOTE, replace(REVOKED, environment="dev", round=1, reason="", checked_at=VOTE.checked_at)),
            "gives no reason",
        ),
        ((*BRAKED, replace(RESTORED, group="")), "no evidence that"),
        ((*BRAKED, replace(RESTORED, reason="")), "gives no reason"),
        ((OPENED, VOTE, RESTORED), "counts for nothing"),
        ((OPENED, VOTE, VOTE), "counts for nothing"),
        ((OPENED, replace(VOTE, round=2)), "counts for nothing"),
        ((OPENED, OPENED), "counts for nothing"),
        ((OPENED, VOTE, Expiry("dev", 1)), "counts for nothing"),
        ((replace(OPENED, four_eyes=True, requester=Requester("Maya", VOTE.by.oid)), VOTE), "four eyes were wanted"),
        (
            (replace(OPENED, four_eyes=True, unknown_requester="refuse", requester=Requester("?")), VOTE),
            "nobody knows who asked",
        ),
        ((replace(OPENED, expires_at=START), VOTE), "after the time for an answer"),
        (
            (replace(OPENED, environment="test"), replace(VOTE, environment="test")),
            "before an environment that comes first",
        ),
        (
            (OPENED, VOTE, replace(OPENED, environment="test", distinct=True), replace(VOTE, environment="test")),
            "who approved dev too",
        ),
    ],
)
def test_a_decision_that_should_not_have_counted_is_found(events, says):
    problems = said(*events)
    assert len(problems) == 1
    assert says in problems[0]


def test_the_time_that_aws_knows_has_to_be_that_of_the_entry():
    assert said(OPENED, written=START + timedelta(minutes=10)) == []
    [says] = said(OPENED, written=START + timedelta(hours=1))
    assert says.startswith("was written at 2026-")


def test_an_entry_whose_job_is_still_under_way_is_not_found_fault_with():
    state = VersionState(MODEL)
    entry = next_entry(state, OPENED, "op", START)
    log = {1: Stored(NAMES.entry(MODEL, 1), entry.raw, 1, START)}
    row = lived().near().records.statuses(["churn"])["churn"].versions["1"]
    anchors = Anchors(row=replace(row, seq=0))
    assert read(MODEL, log, anchors, START + timedelta(minutes=1))[1] == ()
    [late] = read(MODEL, log, anchors, START + timedelta(hours=1))[1]
    assert late.says == "is not known to the status, which ends at 0"


def test_an_approved_model_may_lag_behind_a_fresh_restore(monkeypatch):
    """What stands again is loaded by a job that may still be under way."""
    world = World(policy_of(("dev",)))
    for version in (1, 2):
        world.register(version)
        world.drain()
        world.answer("maya", f"churn/{version}/dev/1")
        world.drain()
    two = ModelVersion("churn", 2)
    world.registry.edit(two, "kim", status="Rejected")
    world.drain()
    world.clock.advance(minutes=30)
    world.restore("maya", "churn/2/dev/1")
    world.drain()
    at = {world.names.entry(two, entry.seq): entry.at for entry in world.entries(two)}
    at |= {world.names.entry(MODEL, entry.seq): entry.at for entry in world.entries(MODEL)}
    below = world.parameters.below
    monkeypatch.setattr(
        world.parameters, "below", lambda path: [replace(each, at=at.get(each.name)) for each in below(path)]
    )
    values = world.parameters.stored[world.names.approved("churn", "dev")]
    values.append(values[0])
    assert found(world) == []
    world.clock.advance(minutes=16)
    assert found(world) == ["churn v1: approved/dev is not what the histories say, which is v2"]
