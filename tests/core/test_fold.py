"""The fold against a plain model of the protocol, entry by entry; and what is made of any log at all."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bot.approved import ApprovedModel
from bot.card import card_of, told
from bot.codec import to_json
from bot.display import threads_of
from bot.domain import Answer, ChatUser, ModelVersion, State
from bot.encoding import LIMIT, sha256
from bot.entries import (
    Champion,
    Expiry,
    Hand,
    Measured,
    Observed,
    Opened,
    Requester,
    Restored,
    Revoked,
    Superseded,
    Unknown,
    Vote,
)
from bot.evidence import Evidence, Metric
from bot.history import KINDS, VersionState, apply, broken, decode_entry, fold, kind_of, next_entry
from bot.members import Person
from bot.names import Names
from bot.package import Container, Package
from bot.pointers import own_approval
from bot.registration import registration_of
from bot.report import history_rows
from bot.status import row_of
from tests.memory import START

MODEL = ModelVersion("churn", 7)
PATH = ("dev", "test", "uat")
SLACK = ChatUser("slack", "T1", "maya", "C0MODELS00")


def person(name):
    return Person(f"oid-{name}", name)


def opened(environment="dev", number=1, **changes):
    found = Opened(
        environment=environment,
        round=number,
        arn="arn:1",
        fingerprint="f",
        containers=(Container("image"),),
        path=PATH,
        approvers="group",
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("pipeline"),
    )
    return replace(found, **changes)


def vote(environment="dev", number=1, by="maya", answer=Answer.APPROVE, required=1, reason=""):
    return Vote(environment, number, answer, person(by), SLACK, "group", START, required, reason)


def revoked(environment="dev", number=1, reason="drifts"):
    return Revoked(environment, number, person("omar"), SLACK, "group", START, reason)


def stopped(environment="dev", number=1):
    return Observed("rejected", "kim", Hand.STOP, environment, number)


def log(*events):
    state = VersionState(MODEL)
    for event in events:
        state = apply(state, next_entry(state, event, f"op-{state.head}", START))
    return state


REJECT = vote(by="omar", answer=Answer.REJECT, reason="no")
ENDINGS = {
    State.APPROVED: vote(),
    State.REJECTED: REJECT,
    State.EXPIRED: Expiry("dev", 1),
    State.SUPERSEDED: Superseded("dev", 1, 9),
}
"""What ends a round that waits."""


@pytest.mark.parametrize(("state", "event"), [*ENDINGS.items(), (State.REJECTED, stopped())])
def test_a_round_that_waits_ends_with_the_entry_that_ends_it(state, event):
    one = log(opened(), event).rounds["dev"][0]
    assert (one.state, one.ending and one.ending.seq) == (state, 2)


@pytest.mark.parametrize("first", ENDINGS)
@pytest.mark.parametrize("second", [*ENDINGS.values(), stopped()])
def test_what_has_ended_ends_once(first, second):
    before = log(opened(), ENDINGS[first])
    assert log(opened(), ENDINGS[first], second).rounds == before.rounds


def test_a_revoke_ends_what_waits_later_and_leaves_later_approvals():
    events = (opened(), vote(), opened("test"), vote("test"), opened("uat"), revoked())
    state = log(*events)
    states = {name: state.rounds[name][0].state for name in PATH}
    assert states == {"dev": State.REVOKED, "test": State.APPROVED, "uat": State.ENDED}
    assert state.rounds["uat"][0].ending == state.entries[5]


@pytest.mark.parametrize(
    ("number", "left"),
    [(1, [State.REVOKED, State.APPROVED]), (2, [State.REVOKED, State.REVOKED])],
)
def test_a_revoke_takes_back_every_approval_up_to_its_round(number, left):
    state = log(opened(), vote(), opened(number=2), vote(number=2), opened("test"), revoked(number=number))
    assert [each.state for each in state.rounds["dev"]] == left
    assert state.rounds["test"][0].state is (State.PENDING if State.APPROVED in left else State.ENDED)


class Protocol(RuleBasedStateMachine):
    """The rules of the protocol once more, in the plainest words, beside the fold."""

    environments = st.sampled_from(["dev", "dev", "dev", "test"])
    people = st.sampled_from(["maya", "omar"])
    offsets = st.sampled_from([0, 0, 0, 0, 0, -1, 1])

    def __init__(self):
        super().__init__()
        self.state = VersionState(MODEL)
        self.rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in PATH}
        self.braked = False

    def append(self, event):
        clock = START - timedelta(seconds=self.state.head)
        entry = next_entry(self.state, event, f"op-{self.state.head}", clock)
        self.state = apply(self.state, entry)

    def near(self, environment, offset):
        """The number of the current round, or of one beside it."""
        return max(len(self.rounds[environment]) + offset, 1)

    def waiting(self, environment, number):
        rounds = self.rounds[environment]
        return rounds[-1] if rounds and number == len(rounds) and rounds[-1]["state"] == "pending" else None

    @rule(environment=environments, offset=st.sampled_from([1, 1, 0, 2]), required=st.sampled_from([1, 1, 2]))
    def open(self, environment, offset, required):
        number = self.near(environment, offset)
        self.append(opened(environment, number, required=required))
        rounds = self.rounds[environment]
        if number == len(rounds) + 1:
            if rounds and rounds[-1]["state"] == "pending":
                rounds[-1]["state"] = "superseded"
            rounds.append({"state": "pending", "required": required, "voters": []})

    @rule(environment=environments, offset=offsets, by=people, required=st.sampled_from([1, 1, 2]))
    def approve(self, environment, offset, by, required):
        number = self.near(environment, offset)
        self.append(vote(environment, number, by, required=required))
        one = self.waiting(environment, number)
        if one and by not in one["voters"]:
            one["voters"].append(by)
            one["required"] = max(one["required"], required)
            if len(one["voters"]) >= one["required"]:
                one["state"] = "approved"
                self.braked = False

    @rule(environment=environments, offset=offsets, by=people)
    def reject(self, environment, offset, by):
        number = self.near(environment, offset)
        self.append(vote(environment, number, by, answer=Answer.REJECT))
        one = self.waiting(environment, number)
        if one and by not in one["voters"]:
            one["state"] = "rejected"

    @rule(environment=environments, offset=offsets, kind=st.sampled_from([Expiry, Superseded]))
    def end(self, environment, offset, kind):
        number = self.near(environment, offset)
        self.append(Superseded(environment, number, 9) if kind is Superseded else Expiry(environment, number))
        if one := self.waiting(environment, number):
            one["state"] = "expired" if kind is Expiry else "superseded"

    @rule(environment=environments, offset=offsets)
    def stop(self, environment, offset):
        """A rejection by hand ends whatever waits, wherever it was seen, and holds until somebody approves."""
        self.append(stopped(environment, self.near(environment, offset)))
        for one in (each for rounds in self.rounds.values() for each in rounds if each["state"] == "pending"):
            one["state"] = "rejected"
        self.braked = True

    @rule(environment=st.sampled_from(PATH))
    def restore(self, environment):
        self.append(Restored(environment, 1, person("omar"), SLACK, "group", START, "checked"))
        self.braked = False

    @rule(action=st.sampled_from([Hand.BRAKE, Hand.RELEASE]))
    def brake(self, action):
        self.append(Observed("changed", "kim", action))
        self.braked = action is Hand.BRAKE

    @rule(environment=environments, offset=offsets)
    def revoke(self, environment, offset):
        number = self.near(environment, offset)
        self.append(revoked(environment, number))
        rounds = self.rounds[environment]
        taken = [one for one in rounds[:number] if one["state"] == "approved"]
        for one in taken:
            one["state"] = "revoked"
        if taken and not any(one["state"] == "approved" for one in rounds):
            for later in PATH[PATH.index(environment) + 1 :]:
                for one in self.rounds[later]:
                    one["state"] = "ended" if one["state"] == "pending" else one["state"]

    @rule(event=st.sampled_from([Unknown("party"), Observed("changed", "kim", Hand.LEFT)]))
    def note(self, event):
        self.append(event)

    @invariant()
    def every_round_stands_where_the_protocol_says(self):
        found = {name: [str(one.state) for one in self.state.rounds.get(name, ())] for name in PATH}
        assert found == {name: [one["state"] for one in rounds] for name, rounds in self.rounds.items()}
        assert self.state.braked == self.braked

    @invariant()
    def whatever_is_approved_has_its_quorum_of_different_people(self):
        for one in self.state.all_rounds:
            voters = {each.by.oid for each in one.approvals}
            assert len(voters) == len(one.approvals)
            if one.state in (State.APPROVED, State.REVOKED):
                assert len(voters) >= one.required
                assert one.votes[-1].event in one.approvals

    def teardown(self):
        """At the end: the chain holds, time went on, and the fold of the whole log comes to the same."""
        assert broken(self.state.entries) == 0
        times = [entry.at for entry in self.state.entries]
        assert times == sorted(set(times))
        texts = [entry.raw for entry in self.state.entries]
        entries = [decode_entry(text, seq=seq) for seq, text in enumerate(texts, start=1)]
        assert fold(MODEL, entries) == self.state


Protocol.TestCase.settings = settings(max_examples=100, stateful_step_count=30)
TestProtocol = Protocol.TestCase


EVENTS = [
    opened(champion=Champion(6, (Metric("auc", 0.8),)), evidence=Evidence((Metric("auc", 0.9),), "s3://r/7")),
    opened(number=2, required=2),
    opened("test"),
    vote(),
    vote(number=2, by="omar"),
    REJECT,
    vote("test"),
    revoked(),
    Restored("dev", 1, person("omar"), SLACK, "group", START, "checked"),
    Superseded("dev", 1, 9),
    Expiry("test", 1),
    *(Observed("changed", "kim", action, "dev", 1) for action in Hand),
    Observed("changed", "kim", Hand.BRAKE),
    Measured("dev", "night-1", "it failed"),
]
SCALARS = st.none() | st.booleans() | st.integers(1, 3) | st.floats() | st.text(max_size=3)
JSON: st.SearchStrategy[Any] = SCALARS | st.builds(list) | st.builds(dict)


@st.composite
def bent(draw):
    """An entry as we write it, with up to two of its keys replaced: mostly readable, often misplaced."""
    event = draw(st.sampled_from(EVENTS))
    head = {"kind": kind_of(event), "at": "2026-11-24T09:00:00Z", "op": "op", "prev": ""}
    whole = {**to_json(event), **head}
    other = draw(st.dictionaries(st.sampled_from(sorted(whole)), JSON, max_size=2))
    return json.dumps({**whole, **other})


@settings(max_examples=100)
@given(st.lists(bent() | st.text(max_size=3), max_size=8))
def test_whatever_a_log_holds_everything_can_be_made_of_it(texts):
    entries = [decode_entry(text, seq=seq) for seq, text in enumerate(texts, start=1)]
    state = fold(MODEL, entries)
    package = Package(MODEL, "arn:1", "PendingManualApproval")
    assert [state.until(seq).head for seq in range(len(texts) + 1)] == [*range(len(texts) + 1)]
    assert all(card_of(state, one).digest for one in state.all_rounds)
    assert all(told(state, entry) for entry in entries)
    assert all(set(threads_of(state, entry)) <= ids_of(state) | votes_of(entry) for entry in entries)
    assert row_of(state).seq == len(history_rows(state)) == len(texts)
    assert registration_of(state, package, PATH).metadata["approval-history"] == str(len(texts))
    for name in state.rounds:
        found = own_approval(state, name, Names("/model-approvals"))
        assert (found is None) == (state.standing(name) is None)
        assert found is None or isinstance(found, ApprovedModel)


def ids_of(state):
    return {one.id for one in state.all_rounds}


def votes_of(entry):
    """A vote is told under the request that it names, whether there is one or not."""
    event = entry.event
    return {VersionState(MODEL).request(event.environment, event.round)} if isinstance(event, Vote) else set()


GROUP, GUID = ModelVersion("g" * 63, 999_999_999), "0" * 36
LONGEST = "e" * 31
NAME = "漢" * 256
ARN = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:model-package"
IMAGE = Container("i" * 255, f"sha256:{sha256('image')}", "s3://" + "m" * 200, '"' + "e" * 34 + '"')
USER = ChatUser("slack", "T" + "0" * 20, "U" + "0" * 20, "C" + "0" * 20)
OP = "slack|" + "0" * 200


def size(event):
    entry = next_entry(VersionState(GROUP), event, OP, START)
    assert not isinstance(entry.event, Unknown)
    return len(entry.raw)


@pytest.mark.parametrize("letter", ["x", "{", '"', "\n", "\x00", "é", "漢", "😀", "\ud83d"])
def test_the_longest_reason_by_the_longest_name_in_any_script_fits_an_entry(letter):
    for answer in Answer:
        event = Vote(LONGEST, 999, answer, Person(GUID, NAME), USER, GUID, START, 20, letter * 5000)
        assert size(event) <= LIMIT
    assert size(Revoked(LONGEST, 999, Person(GUID, NAME), USER, GUID, START, letter * 5000)) <= LIMIT


def test_a_request_with_the_longest_names_and_fifty_metrics_fits_an_entry():
    environments = tuple(f"{number}{LONGEST[1:]}" for number in range(8))
    names = [f"a_metric_with_a_long_name_{number}" for number in range(50)]
    metrics = tuple(Metric(name, -0.1234567890123, 0.01, "ms") for name in names)
    event = opened(
        environments[0],
        arn=f"{ARN}/{GROUP.group}/{GROUP.version}",
        fingerprint=sha256("package"),
        containers=(IMAGE,),
        path=environments,
        approvers=GUID,
        policy=sha256("policy"),
        requester=Requester("r" * 256, GUID),
        evidence=Evidence(metrics, "s3://" + "r" * 200, sha256("report"), "p" * 200),
        champion=Champion(6, metrics[:12]),
        commit="c" * 40,
        commit_url="https://git.example/" + "c" * 100,
        approvers_name="n" * 120,
    )
    assert size(event) <= LIMIT


@pytest.mark.parametrize(
    "event",
    [
        Superseded(LONGEST, 999, 999_999_999),
        Expiry(LONGEST, 999),
        Observed("approved", NAME, Hand.STOP, LONGEST, 999),
    ],
)
def test_every_other_entry_with_the_longest_names_fits(event):
    assert size(event) <= LIMIT


def test_every_kind_of_entry_is_tried_here():
    assert {type(event) for event in EVENTS} == {*KINDS.values()}


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (opened(), "opened"),
        (vote(), "vote"),
        (Superseded("dev", 1, 9), "superseded"),
        (Expiry("dev", 1), "expired"),
        (revoked(), "revoked"),
        (Restored("dev", 1, person("omar"), SLACK, "group", START, "checked"), "restored"),
        (stopped(), "observed"),
    ],
)
def test_logs_that_are_kept_for_years_call_each_kind_by_the_same_word(event, word):
    found = json.loads(log(opened(), event).entries[1].raw)
    head = {"seq": 2, "at": "2026-11-24T09:00:00.001Z", "op": "op-1", "kind": word}
    assert {key: found[key] for key in head} == head
    assert found["prev"] == sha256(log(opened()).entries[0].raw)


@pytest.mark.parametrize(("events", "seq"), [([], 0), ([vote()], 2), ([REJECT], 0), ([vote(), revoked()], 0)])
def test_a_round_names_the_vote_that_approved_it_as_long_as_that_stands(events, seq):
    approval = log(opened(), *events).rounds["dev"][0].approval
    assert (approval.seq if approval else 0) == seq


@settings(max_examples=60)
@given(
    st.timedeltas(timedelta(days=-30), timedelta(days=30)),
    st.none() | st.timedeltas(timedelta(days=-30), timedelta(days=30)),
    st.timedeltas(timedelta(0), timedelta(milliseconds=3)),
)
def test_an_entry_is_later_than_head_and_pointer_whatever_the_clock_says(clock, pointer, finer):
    state = log(opened())
    after = None if pointer is None else START + pointer + finer
    entry = next_entry(state, vote(), "op", START + clock + finer, after=after)
    assert entry.at > state.entries[0].at
    assert after is None or entry.at > after
    assert entry.at >= START + clock or entry.at > START + clock + finer - timedelta(milliseconds=1)
    assert broken([*state.entries, entry]) == 0
