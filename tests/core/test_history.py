"""The log of a version: what is written fits, what is read is understood or kept, and the chain shows a change."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Answer, ChatUser, ModelVersion, State
from bot.encoding import LIMIT, sha256
from bot.entries import Champion, Expiry, Hand, Observed, Opened, Requester, Revoked, Superseded, Unknown, Vote
from bot.errors import Malformed
from bot.evidence import Evidence, Metric
from bot.history import (
    KINDS,
    REASON_LIMIT,
    VersionState,
    apply,
    broken,
    decode_entry,
    encode_entry,
    fold,
    kind_of,
    next_entry,
)
from bot.measure import Measure
from bot.members import Person
from bot.package import Container
from tests.memory import START

MODEL = ModelVersion("churn", 7)
SLACK = ChatUser("slack", "T1", "maya", "C0MODELS00")
MAYA, OMAR = Person("oid-maya", "Maya"), Person("oid-omar", "Omar")
GROUP = "00000000-0000-4000-8000-000000000000"


def opened(environment="dev", number=1, **changes):
    found = Opened(
        environment=environment,
        round=number,
        arn="arn:1",
        fingerprint=sha256("package"),
        containers=(Container("image"),),
        path=("dev", "test", "uat"),
        approvers=GROUP,
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy=sha256("policy"),
        requester=Requester("pipeline"),
    )
    return replace(found, **changes)


def vote(environment="dev", number=1, by=MAYA, answer=Answer.APPROVE, reason="", required=1):
    return Vote(environment, number, answer, by, SLACK, GROUP, START, required, reason)


def revoked(environment="dev", number=1, reason="drifts"):
    return Revoked(environment, number, OMAR, SLACK, GROUP, START, reason)


def log(*events, state=None):
    state = state or VersionState(MODEL)
    for event in events:
        state = apply(state, next_entry(state, event, f"op-{state.head + 1}", START))
    return state


def states(state, environment):
    return [each.state for each in state.rounds[environment]]


EVENTS = [
    opened(),
    opened(number=2),
    opened("test"),
    opened("elsewhere", path=("elsewhere",)),
    vote(),
    vote(by=OMAR, answer=Answer.REJECT, reason="no"),
    vote(number=2),
    vote("test"),
    Superseded("dev", 1, 9),
    Expiry("test", 1),
    revoked(),
    revoked("elsewhere"),
    *(Observed("changed", "kim", hand, "dev", 1) for hand in Hand),
    Unknown("from the future"),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "kind",
        "environment",
        "round",
        "answer",
        "by",
        "via",
        "path",
        "required",
        "reason",
        "op",
        "prev",
        "what",
        "action",
    ]
)
HEADS = st.fixed_dictionaries({"kind": st.sampled_from([*KINDS, "?"]), "at": st.just("2026-11-24T09:00:00Z")})
ALMOST = st.builds(
    lambda head, rest: json.dumps({"op": "", "prev": "", **head, **rest}), HEADS, st.dictionaries(KEYS, JSON)
)


@given(st.lists(st.text() | JSON.map(json.dumps) | ALMOST, max_size=5))
def test_any_text_at_all_is_read_and_kept(texts):
    entries = [decode_entry(text, seq=seq) for seq, text in enumerate(texts, start=1)]
    state = fold(MODEL, entries)
    assert [entry.raw for entry in state.entries] == texts
    assert broken(entries) in range(len(texts) + 1)


@given(st.lists(st.sampled_from(EVENTS), max_size=12))
def test_events_in_any_order_are_folded_and_every_prefix_is_the_state_of_its_time(events):
    state, seen = VersionState(MODEL), []
    for event in events:
        state = log(event, state=state)
        seen.append(state)
    assert [state.until(each.head) for each in seen] == seen
    assert broken(state.entries) == 0
    for one in state.all_rounds:
        assert state.round(one.id) == one
        assert (one.state in {State.APPROVED, State.REVOKED}) <= (len(one.approvals) >= one.required)
        assert (one.ending is None) == (one.state is State.PENDING)


@given(st.lists(st.sampled_from(EVENTS[:-1]), min_size=1, max_size=6))
def test_what_is_written_is_read_back(events):
    state = log(*events)
    assert [entry.event for entry in state.entries] == events
    assert [kind_of(entry.event) for entry in state.entries] == [json.loads(each.raw)["kind"] for each in state.entries]


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=40))
def test_the_longest_reason_fits_an_entry(text):
    long = text * 500
    for event in (vote(reason=long, answer=Answer.REJECT), revoked(reason=long)):
        entry = log(event).entries[0]
        assert len(entry.raw) <= LIMIT
        assert isinstance(entry.event, Vote | Revoked)
        assert (
            entry.event.reason.endswith(f"(cut; sha256 of the full text {sha256(long)})") or entry.event.reason == long
        )
        assert len(json.dumps(entry.event.reason)) <= REASON_LIMIT + 2


def measured(count, name="metric"):
    return tuple(Metric(f"{name}_{number:02d}", 0.123456789, 0.01, "percent") for number in range(count))


def test_metrics_beyond_what_fits_are_left_out_of_challenger_and_champion_alike():
    metrics = measured(50)
    event = opened(evidence=Evidence(metrics, "s3://reports/7"), champion=Champion(6, metrics[:12]))
    entry = log(event).entries[0]
    assert isinstance(entry.event, Opened)
    kept = entry.event.evidence.metrics
    assert len(entry.raw) <= LIMIT
    assert 0 < len(kept) < 50
    assert kept == metrics[: len(kept)]
    assert entry.event.champion == Champion(6, metrics[: min(12, len(kept))])


def test_metrics_of_a_champion_leave_even_when_the_challenger_has_none():
    event = opened(champion=Champion(6, measured(80)))
    assert log(event).entries[0].event == replace(event, champion=Champion(6))


def test_what_the_policy_says_leaves_with_the_metrics_it_says_it_of_and_last_of_all():
    metrics = measured(50)
    bounds = tuple(Measure(f"metric_{number:02d}", "higher", 0.5, 0.9) for number in range(50))
    entry = log(opened(evidence=Evidence(metrics), measures=(*bounds, Measure("recall", at_least=0.5)))).entries[0]
    kept = entry.event.evidence.metrics
    assert 0 < len(kept) < 50
    assert [each.name for each in entry.event.measures] == [*(metric.name for metric in kept), "recall"]
    unmeasured = tuple(Measure("m" * 60 + str(number), "higher", 0.5, 0.9) for number in range(60))
    entry = log(opened(evidence=Evidence(measured(3)), measures=unmeasured)).entries[0]
    assert not entry.event.evidence.metrics
    assert entry.event.measures == unmeasured[: len(entry.event.measures)]


def test_an_entry_that_cannot_be_made_to_fit_is_malformed():
    containers = tuple(Container(f"image-{number}" * 9, sha256("image")) for number in range(30))
    with pytest.raises(Malformed, match="does not fit a parameter of 4096"):
        log(opened(containers=containers, evidence=Evidence(measured(3))))


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_the_chain_is_broken_behind_an_altered_entry(seq):
    entries = list(log(opened(), vote(), revoked()).entries)
    assert broken(entries) == 0
    entries[seq - 1] = decode_entry(entries[seq - 1].raw.replace("op-", "OP-"), seq=seq)
    assert broken(entries) == (seq + 1 if seq < 3 else 0)


@pytest.mark.parametrize(
    "change",
    [{"prev": "other"}, {"at": START - timedelta(days=1)}, {"seq": 9}, {"event": Expiry("dev", 1), "prev": ""}],
)
def test_the_chain_is_broken_at_an_entry_that_does_not_follow(change):
    first, second, third = log(opened(), vote(), revoked()).entries
    assert broken([first, replace(second, **change), third]) == 2


def test_the_last_entry_is_only_vouched_for_by_the_next():
    entries = log(opened(), vote(), revoked()).entries
    assert broken(entries[1:]) == 1
    assert broken([entries[0], entries[2]]) == 2


def test_an_entry_is_later_than_the_one_before_and_than_what_it_follows():
    state = log(opened())
    entry = next_entry(state, vote(), "op", START - timedelta(days=1), after=START + timedelta(hours=1))
    assert entry.at == START + timedelta(hours=1, milliseconds=1)
    assert entry.prev == sha256(state.entries[0].raw)
    assert next_entry(state, vote(), "op", START - timedelta(days=1)).at == START + timedelta(milliseconds=1)


def test_an_entry_of_an_unknown_kind_or_shape_stands_where_it_is():
    strange = json.dumps({"at": "2026-11-24T09:00:00Z", "op": "x", "prev": "", "kind": "party"})
    shapeless = json.dumps({"at": "2026-11-24T09:00:00Z", "op": "x", "prev": "", "kind": "vote"})
    assert decode_entry(strange, seq=4).event == Unknown("party")
    assert decode_entry(shapeless, seq=4).event == Unknown("vote")
    assert decode_entry("?", seq=4).event == Unknown("unreadable")
    assert kind_of(Unknown("party")) == "party"
    state = fold(MODEL, [decode_entry("?", seq=1)])
    assert (state.head, state.all_rounds) == (1, ())


def test_a_job_finds_the_entry_it_recorded():
    state = log(opened(), vote())
    assert state.holds("op-2")
    assert not state.holds("op-3")
    found = state.entry_of("op-2")
    assert found
    assert found.event == vote()


def test_a_new_round_ends_the_one_that_waited():
    state = log(opened(), opened(number=2))
    assert states(state, "dev") == [State.SUPERSEDED, State.PENDING]
    assert state.rounds["dev"][0].ending == state.entries[1]


def test_a_round_out_of_turn_is_ignored():
    assert log(opened(number=2)).rounds == {}


def test_a_second_vote_of_one_person_and_a_vote_on_another_round_are_ignored():
    state = log(opened(required=2), vote(), vote(), vote(number=2, by=OMAR), vote("test", by=OMAR))
    assert [len(one.votes) for one in state.all_rounds] == [1]
    assert states(state, "dev") == [State.PENDING]
    assert states(log(vote(by=OMAR), state=state), "dev") == [State.APPROVED]


def test_a_voter_under_a_tighter_policy_raises_the_quorum():
    state = log(opened(), vote(required=2))
    assert states(state, "dev") == [State.PENDING]
    assert state.rounds["dev"][0].required == 2


def test_only_the_round_that_waits_expires():
    assert states(log(opened(), vote(), Expiry("dev", 1)), "dev") == [State.APPROVED]
    assert states(log(opened(), Expiry("dev", 2)), "dev") == [State.PENDING]
    assert states(log(opened(), Expiry("dev", 1)), "dev") == [State.EXPIRED]


def test_a_revoke_takes_back_what_stood_and_ends_what_waits_later():
    state = log(opened(), vote(), opened("test"), revoked())
    assert (states(state, "dev"), states(state, "test")) == ([State.REVOKED], [State.ENDED])
    assert state.standing("dev") is None


def test_a_revoke_of_an_old_round_leaves_a_newer_approval():
    state = log(opened(), vote(), opened(number=2), vote(number=2), opened("test"), revoked(number=1))
    assert (states(state, "dev"), states(state, "test")) == ([State.REVOKED, State.APPROVED], [State.PENDING])


def test_a_revoke_of_nothing_changes_nothing():
    assert states(log(opened(), revoked()), "dev") == [State.PENDING]


def test_a_revoke_of_an_environment_off_the_path_ends_nothing_later():
    state = log(opened("old", path=("old",)), vote("old"), opened(), revoked("old"))
    assert (states(state, "old"), states(state, "dev")) == ([State.REVOKED], [State.PENDING])


def test_hands_are_remembered():
    state = log(opened(), *(Observed("changed", "kim", Hand.PUT_BACK) for _ in range(2)))
    assert (state.put_back, state.braked) == (2, False)
    state = log(Observed("changed", "kim", Hand.BRAKE), Observed("changed", "kim", Hand.LEFT), state=state)
    assert state.braked
    assert not log(vote(), state=state).braked
    assert states(log(Observed("rejected", "kim", Hand.STOP, "dev", 1), state=state), "dev") == [State.REJECTED]


def test_only_a_path_whose_earlier_environments_stand_is_in_order():
    state = log(opened(), vote())
    assert state.in_order("test", ("dev", "test"))
    assert not state.in_order("uat", ("dev", "test", "uat"))
    assert not state.in_order("prod", ("dev", "test"))


def test_an_entry_may_be_encoded_again_as_it_was():
    entry = log(opened()).entries[0]
    assert encode_entry(entry) == entry.raw
