"""What the registry should say about a version, and what somebody else made it say."""

import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Answer, ChatUser, ModelVersion
from bot.entries import Expiry, Hand, Observed, Opened, Requester, Revoked, Superseded, Vote
from bot.history import VersionState, apply, next_entry
from bot.members import Person
from bot.package import Package
from bot.registration import PUT_BACK_AT_MOST, by_hand, differs, registration_of
from tests.memory import START

MODEL = ModelVersion("churn", 7)
PATH = ("dev", "test", "uat")
PENDING, APPROVED, REJECTED = "PendingManualApproval", "Approved", "Rejected"
SLACK = ChatUser("slack", "T1", "maya")
FOREIGN = {"run": "nightly", "owner": "data science"}


def opened(environment="dev", number=1, **changes):
    found = Opened(
        environment=environment,
        round=number,
        arn="arn:1",
        fingerprint="f",
        containers=(),
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


def vote(environment="dev", number=1, by="Maya", answer=Answer.APPROVE):
    return Vote(environment, number, answer, Person(f"oid-{by}", by), SLACK, "group", START, 1, "so")


def reject(environment="dev", number=1):
    return vote(environment, number, answer=Answer.REJECT)


def revoked(environment="dev", number=1):
    return Revoked(environment, number, Person("oid-omar", "Omar"), SLACK, "group", START, "drifts")


def hand(action, environment="", number=0):
    return Observed("changed", "kim", action, environment, number)


def log(*events):
    state = VersionState(MODEL)
    for event in events:
        now = START + timedelta(minutes=state.head)
        state = apply(state, next_entry(state, event, f"op-{state.head}", now))
    return state


def package(status=PENDING, **changes):
    return replace(Package(MODEL, "arn:1", status, metadata=FOREIGN, modified_by="kim"), **changes)


def wanted(*events, path=PATH):
    return registration_of(log(*events), package(), path)


def written(state, path=PATH):
    """The package as our own last write left it."""
    ours = registration_of(state, package(), path)
    return package(
        ours.status,
        description=ours.description,
        metadata=ours.metadata,
        life_cycle=ours.life_cycle,
    )


def edited(state, **changes):
    """The package after somebody has changed what we wrote last."""
    found = written(state)
    metadata = {**found.metadata, **changes.pop("metadata", {})}
    return replace(found, metadata=metadata, **changes)


APPROVED_IN_DEV = (opened(), vote())
ASKED_FOR_TEST = (*APPROVED_IN_DEV, opened("test"))
APPROVED_IN_BOTH = (*ASKED_FOR_TEST, vote("test"))


@pytest.mark.parametrize(
    ("events", "status", "fields", "life_cycle"),
    [
        ((), PENDING, (PENDING, PENDING, PENDING), ("", "")),
        ([opened()], PENDING, (PENDING, PENDING, PENDING), ("dev", "PendingApproval")),
        (APPROVED_IN_DEV, APPROVED, (APPROVED, PENDING, PENDING), ("dev", APPROVED)),
        (ASKED_FOR_TEST, APPROVED, (APPROVED, PENDING, PENDING), ("test", "PendingApproval")),
        (APPROVED_IN_BOTH, APPROVED, (APPROVED, APPROVED, PENDING), ("test", APPROVED)),
        ([*ASKED_FOR_TEST, reject("test")], APPROVED, (APPROVED, REJECTED, PENDING), ("test", REJECTED)),
        ([opened(), reject()], REJECTED, (REJECTED, PENDING, PENDING), ("dev", REJECTED)),
        ([*APPROVED_IN_DEV, revoked()], REJECTED, (REJECTED, PENDING, PENDING), ("dev", REJECTED)),
        ([opened(), Expiry("dev", 1)], PENDING, (PENDING,) * 3, ("dev", "PendingApproval")),
        ([opened(), Superseded("dev", 1, 9)], PENDING, (PENDING,) * 3, ("dev", "PendingApproval")),
        ([*ASKED_FOR_TEST, revoked()], REJECTED, (REJECTED, PENDING, PENDING), ("test", "PendingApproval")),
        ([opened(), reject(), opened(number=2)], PENDING, (PENDING,) * 3, ("dev", "PendingApproval")),
    ],
)
def test_the_registry_says_what_the_log_says(events, status, fields, life_cycle):
    found = wanted(*events)
    assert (found.status, tuple(found.metadata[name] for name in PATH)) == (status, fields)
    assert found.life_cycle == life_cycle


def test_a_later_round_takes_nothing_away_from_an_earlier_approval():
    found = wanted(*APPROVED_IN_DEV, opened(number=2))
    assert (found.status, found.metadata["dev"]) == (APPROVED, APPROVED)
    found = wanted(*APPROVED_IN_DEV, opened(number=2), reject(number=2))
    assert (found.status, found.metadata["dev"]) == (APPROVED, APPROVED)


def test_one_approval_that_stands_is_enough_to_be_approved():
    found = wanted(*APPROVED_IN_BOTH, revoked())
    assert (found.status, found.metadata["dev"], found.metadata["test"]) == (APPROVED, REJECTED, APPROVED)


def test_a_brake_holds_until_somebody_approves_again():
    braked = (*APPROVED_IN_DEV, hand(Hand.BRAKE))
    assert (wanted(*braked).status, wanted(*braked).metadata["dev"]) == (REJECTED, APPROVED)
    assert wanted(*braked, opened("test"), vote("test")).status == APPROVED


def test_the_keys_of_others_are_kept():
    assert FOREIGN.items() <= wanted(opened()).metadata.items()


def test_the_head_of_the_log_is_written():
    assert wanted().metadata["approval-history"] == "0"
    assert wanted(*ASKED_FOR_TEST).metadata["approval-history"] == "3"


def test_environments_of_the_log_and_of_the_policy_have_a_field_each():
    found = wanted(opened(path=("dev", "old")), path=("dev", "new"))
    ours = found.metadata.keys() - FOREIGN.keys()
    assert ours == {"dev", "old", "new", "approval-history", "approval-digest"}


def test_the_description_tells_each_environment_in_order():
    found = wanted(opened(required=2), vote(), vote(by="Omar"), opened("test"), reject("test"))
    assert found.description == (
        "dev approved by Maya, Omar 2026-11-24T09:02:00.000Z; test rejected 2026-11-24T09:04:00.000Z"
    )
    assert wanted().description == ""
    assert wanted(opened()).description == "dev pending 2026-11-24T09:00:00.000Z"


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=300))
def test_the_description_is_one_line_within_what_the_registry_takes(name):
    voters = [vote(by=f"{name}{number}") for number in range(20)]
    found = wanted(opened(required=20), *voters).description
    assert len(found) <= 1024
    assert len(found.splitlines()) == 1


def test_a_description_that_is_too_long_is_cut():
    voters = [vote(by=f"{number:02d}{'n' * 98}") for number in range(20)]
    assert len(wanted(opened(required=20), *voters).description) == 1024


def takes(text, longest):
    r"""Whether the text is within AWS's `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`."""
    return len(text) <= longest and all(
        letter in "_.:/=+-@" or unicodedata.category(letter)[0] in "LZN" for letter in text
    )


@pytest.mark.parametrize("events", [(), APPROVED_IN_BOTH, [*APPROVED_IN_DEV, revoked(), hand(Hand.PUT_BACK)]])
def test_what_is_written_is_within_the_patterns_of_the_registry(events):
    longest = "e" * 31
    found = wanted(*events, opened(longest, path=(*PATH, longest)), path=(*PATH, "a-b-c-0"))
    ours = {key: value for key, value in found.metadata.items() if key not in FOREIGN}
    assert all(takes(key, 128) and takes(value, 256) for key, value in ours.items())
    assert len(ours) < 50


def test_nothing_differs_after_our_own_write():
    state = log(*ASKED_FOR_TEST)
    assert not differs(registration_of(state, written(state), PATH), written(state))


@pytest.mark.parametrize(
    "changes",
    [
        {"status": REJECTED},
        {"description": "fine"},
        {"metadata": {"dev": PENDING}},
        {"metadata": {"approval-history": "2"}},
        {"metadata": {"approval-digest": "?"}},
        {"life_cycle": ("dev", "Approved")},
    ],
)
def test_each_thing_that_is_not_as_it_should_be_differs(changes):
    state = log(*ASKED_FOR_TEST)
    changed = edited(state, **changes)
    assert differs(registration_of(state, changed, PATH), changed)


def test_a_key_that_somebody_adds_for_themselves_differs_in_nothing():
    state = log(*ASKED_FOR_TEST)
    changed = edited(state, metadata={"colour": "red"})
    assert not differs(registration_of(state, changed, PATH), changed)
    assert by_hand(state, changed, PATH) is None


def seen(state, found, path=PATH):
    return by_hand(state, found, path)


def test_our_own_write_comes_back_as_an_echo():
    state = log(*ASKED_FOR_TEST)
    assert seen(state, written(state)) is None


@pytest.mark.parametrize("head", [1, 2, 3])
def test_a_late_write_of_ours_is_no_hand(head):
    state = log(*APPROVED_IN_BOTH, revoked("test"))
    late = written(state.until(head))
    assert seen(state, late) is None
    assert differs(registration_of(state, late, PATH), late)


def test_a_package_that_nobody_has_written_yet_is_no_hand():
    assert seen(log(*APPROVED_IN_DEV), package()) is None


@pytest.mark.parametrize("status", [PENDING, APPROVED, REJECTED])
def test_what_was_done_before_the_first_entry_is_no_hand(status):
    assert seen(log(), package(status)) is None


def test_a_hand_that_comes_to_the_same_is_none():
    state = log(*APPROVED_IN_DEV)
    assert seen(state, edited(state, metadata={"approval-digest": "?"})) is None
    assert seen(state, package(APPROVED, metadata={"dev": APPROVED, "test": PENDING, "uat": PENDING})) is None


def test_an_approval_by_hand_of_a_request_that_waits_is_put_back():
    state = log(opened())
    expected = Observed("approved", "kim", Hand.PUT_BACK)
    assert seen(state, edited(state, status=APPROVED)) == expected
    assert seen(state, package(APPROVED)) == expected


ENDED = [[opened(), reject()], [*APPROVED_IN_DEV, revoked()], [opened(), Expiry("dev", 1)]]


@pytest.mark.parametrize("events", ENDED)
def test_an_approval_by_hand_of_what_ended_is_put_back(events):
    state = log(*events)
    assert seen(state, edited(state, status=APPROVED)) == Observed("approved", "kim", Hand.PUT_BACK)


def test_what_is_put_back_for_the_third_time_is_left():
    back = [hand(Hand.PUT_BACK)] * PUT_BACK_AT_MOST
    assert len(back) == 2
    state = log(opened(), *back)
    assert seen(state, edited(state, status=APPROVED)) == Observed("approved", "kim", Hand.LEFT)
    state = log(opened(), *back[1:])
    assert seen(state, edited(state, status=APPROVED)) == Observed("approved", "kim", Hand.PUT_BACK)


def test_an_approved_version_set_back_to_pending_by_hand_is_put_back():
    state = log(*APPROVED_IN_DEV)
    assert seen(state, edited(state, status=PENDING)) == Observed("changed", "kim", Hand.PUT_BACK)


@pytest.mark.parametrize("field", ["dev", "test", "uat"])
def test_a_field_changed_by_hand_is_put_back(field):
    state = log(opened())
    assert seen(state, edited(state, metadata={field: APPROVED})) == Observed("changed", "kim", Hand.PUT_BACK)


def test_a_field_removed_by_hand_is_put_back():
    state = log(*APPROVED_IN_DEV)
    found = written(state)
    less = {key: value for key, value in found.metadata.items() if key != "test"}
    assert seen(state, replace(found, metadata=less)) == Observed("approved", "kim", Hand.PUT_BACK)


def test_a_history_changed_by_hand_hides_no_approval():
    state = log(opened())
    changed = edited(state, status=APPROVED, metadata={"approval-history": "99"})
    assert seen(state, changed) == Observed("approved", "kim", Hand.PUT_BACK)


def test_a_digest_copied_from_an_older_status_hides_no_approval():
    state = log(*APPROVED_IN_DEV, revoked())
    old = written(log(*APPROVED_IN_DEV)).metadata["approval-digest"]
    changed = edited(state, status=APPROVED, metadata={"approval-digest": old})
    assert seen(state, changed) == Observed("approved", "kim", Hand.PUT_BACK)


def test_a_rejection_by_hand_stops_the_request_that_waits():
    state = log(opened())
    assert seen(state, edited(state, status=REJECTED)) == Observed("rejected", "kim", Hand.STOP, "dev", 1)
    state = log(opened(), reject(), opened(number=2))
    assert seen(state, edited(state, status=REJECTED)) == Observed("rejected", "kim", Hand.STOP, "dev", 2)


@pytest.mark.parametrize("events", [APPROVED_IN_DEV, APPROVED_IN_BOTH])
def test_a_rejection_by_hand_of_an_approved_version_is_a_brake(events):
    state = log(*events)
    assert seen(state, edited(state, status=REJECTED)) == Observed("rejected", "kim", Hand.BRAKE)


def test_an_approval_by_hand_of_what_stands_takes_the_brake_back():
    state = log(*APPROVED_IN_DEV, hand(Hand.BRAKE))
    assert seen(state, edited(state, status=APPROVED)) == Observed("approved", "kim", Hand.RELEASE)
    released = log(*APPROVED_IN_DEV, hand(Hand.BRAKE), hand(Hand.RELEASE))
    assert registration_of(released, package(), PATH).status == APPROVED


def test_an_approval_by_hand_after_a_stop_of_what_was_never_approved_is_put_back():
    state = log(opened(), hand(Hand.STOP))
    assert registration_of(state, package(), PATH).status == REJECTED
    assert seen(state, edited(state, status=APPROVED)) == Observed("approved", "kim", Hand.PUT_BACK)


def test_a_brake_that_was_recorded_is_no_new_hand():
    state = log(*APPROVED_IN_DEV)
    changed = edited(state, status=REJECTED)
    assert seen(log(*APPROVED_IN_DEV, hand(Hand.BRAKE)), changed) is None


def test_a_rejection_by_hand_of_what_was_rejected_here_comes_to_the_same():
    events = (opened(), reject())
    assert seen(log(*events), package(REJECTED, metadata=wanted(*events).metadata)) is None


def test_whoever_is_not_named_is_somebody():
    state = log(opened())
    found = seen(state, edited(state, status=APPROVED, modified_by=""))
    assert found
    assert found.by == "Somebody"


def test_a_status_that_the_registry_may_have_one_day_is_put_back():
    state = log(opened())
    assert seen(state, edited(state, status="InReview")) == Observed("changed", "kim", Hand.PUT_BACK)
