"""Which model a pointer has to name: the newest standing approval, whatever somebody wrote there by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.approved import nothing_approved, read_approved
from bot.domain import Answer, ChatUser, ModelVersion
from bot.encoding import sha256
from bot.entries import Opened, Requester, Revoked, Vote
from bot.history import VersionState, apply, next_entry
from bot.members import Person
from bot.names import Names
from bot.package import Container
from bot.pointers import Doubt, Pointer, better, own_approval, recounted, settle
from bot.status import Slot
from tests.memory import START

NAMES = Names("/model-approvals")
MAYA, SLACK = Person("oid-maya", "Maya"), ChatUser("slack", "T1", "maya", "C0MODELS00")
MODEL = ModelVersion("churn", 7)


def opened(number):
    return Opened(
        environment="dev",
        round=number,
        arn="arn:1",
        fingerprint="f",
        containers=(Container("image"),),
        path=("dev", "test"),
        approvers="group",
        required=1,
        four_eyes=False,
        distinct=False,
        unknown_requester="allow",
        expires_at=START + timedelta(days=14),
        policy="p",
        requester=Requester("pipeline"),
    )


def asked(version=7):
    return after(VersionState(ModelVersion("churn", version)), opened(1))


def after(state, event, minutes=0):
    return apply(state, next_entry(state, event, f"op-{state.head}", START + timedelta(minutes=minutes)))


def approved(version=7, minutes=1):
    return after(asked(version), Vote("dev", 1, Answer.APPROVE, MAYA, SLACK, "group", START, 1), minutes)


def revoked(version=7):
    return after(approved(version), Revoked("dev", 1, MAYA, SLACK, "group", START, "drifts"), 5)


def approval(version=7, minutes=1, previous=None):
    found = own_approval(approved(version, minutes), "dev", NAMES)
    assert found
    return replace(found, previous=previous)


def left(value):
    """A pointer as we wrote it last."""
    raw = value.encoded()
    return Pointer("dev", raw, Slot(START, sha256(raw), value.model_package_version))


def by_hand(raw, value=None):
    """A pointer that somebody else has written after us."""
    return Pointer("dev", raw, left(value or approval(6, 0)).slot)


EMPTY = Pointer("dev", None, None)


def test_a_pointer_is_trusted_as_long_as_it_holds_what_we_wrote():
    ours = left(approval())
    assert ours.trusted
    assert EMPTY.trusted
    assert not replace(ours, raw=f"{ours.raw} ").trusted
    assert not replace(ours, raw=None).trusted
    assert not replace(ours, slot=None).trusted


def test_a_pointer_is_read_whatever_it_holds():
    assert left(approval()).value == approval()
    assert by_hand("?").value is None
    assert EMPTY.value is None


def test_only_a_standing_approval_is_our_own():
    assert own_approval(asked(), "dev", NAMES) is None
    assert own_approval(revoked(), "dev", NAMES) is None
    assert own_approval(approved(), "test", NAMES) is None
    found = own_approval(approved(), "dev", NAMES)
    assert found
    assert (found.model_package_version, found.previous) == (7, None)


def test_the_newest_of_two_approvals_that_stand_is_our_own():
    state = after(approved(), opened(2), 2)
    state = after(state, Vote("dev", 2, Answer.APPROVE, MAYA, SLACK, "group", START, 1), 9)
    found = own_approval(state, "dev", NAMES)
    assert found
    assert (found.approved_at, found.history) == (state.entries[3].at, NAMES.entry(MODEL, 4))


def test_a_first_approval_is_written():
    assert settle(EMPTY, approved(), NAMES) == approval()


def test_a_later_approval_replaces_an_earlier_one_and_names_it():
    assert settle(left(approval(6, 0)), approved(7, 1), NAMES) == approval(7, 1, previous=6)


def test_a_later_approval_of_an_older_version_replaces_a_newer_one():
    assert settle(left(approval(9, 0)), approved(7, 1), NAMES) == approval(7, 1, previous=9)


def test_an_earlier_approval_leaves_a_later_one_even_of_an_older_version():
    assert settle(left(approval(6, 2)), approved(7, 1), NAMES) is None


def test_at_the_same_time_the_higher_version_stays():
    assert settle(left(approval(8, 1)), approved(7, 1), NAMES) is None
    assert settle(left(approval(6, 1)), approved(7, 1), NAMES) == approval(7, 1, previous=6)


def test_a_pointer_that_is_right_is_not_written_again():
    assert settle(left(approval(7, 1, previous=6)), approved(), NAMES) is None


def test_a_version_without_approval_leaves_the_pointer_of_another():
    assert settle(left(approval(6)), asked(), NAMES) is None
    assert settle(EMPTY, asked(), NAMES) is None
    assert settle(left(nothing_approved(MODEL, "dev", 7)), asked(), NAMES) is None


def test_a_pointer_to_a_version_that_was_revoked_is_counted_anew():
    assert settle(left(approval()), revoked(), NAMES) is Doubt.RECOUNT


@pytest.mark.parametrize("state", [asked(), approved(), revoked()])
@pytest.mark.parametrize("raw", [None, "?", approval(9, 99).encoded(), approval(7, 1, previous=3).encoded()])
def test_a_pointer_written_by_hand_is_counted_anew_whatever_this_log_says(state, raw):
    assert settle(by_hand(raw), state, NAMES) is Doubt.RECOUNT


def test_better_is_nothing_where_the_current_one_stays():
    assert better(approval(7, 1), approval(6, 2)) is None
    assert better(approval(7, 1), None) == approval(7, 1)


def test_a_recount_names_the_newest_approval_that_stands():
    found = recounted(left(approval(9, 9)), [approval(5, 3), approval(6, 4), approval(8, 1)], MODEL)
    assert found == approval(6, 4, previous=9)


def test_a_recount_without_any_approval_says_so_and_remembers_the_version():
    assert recounted(left(approval()), [], MODEL) == nothing_approved(MODEL, "dev", 7)
    assert recounted(by_hand("?"), [], MODEL) == nothing_approved(MODEL, "dev", None)
    assert recounted(by_hand(None), [], MODEL) == nothing_approved(MODEL, "dev", None)


def test_a_recount_that_comes_to_the_same_writes_nothing():
    assert recounted(left(approval(7, 1, previous=6)), [approval(7, 1)], MODEL) is None


def test_after_a_hand_the_runner_up_is_the_version_before():
    found = recounted(by_hand("?"), [approval(5, 3), approval(7, 4), approval(7, 1)], MODEL)
    assert found == approval(7, 4, previous=5)
    assert recounted(by_hand("?"), [approval(7, 4)], MODEL) == approval(7, 4)


def test_a_hand_that_restored_our_value_is_left_alone():
    ours = approval(7, 1, previous=6)
    assert recounted(by_hand(ours.encoded()), [approval(7, 1)], MODEL) is None


def test_a_right_value_in_another_spelling_is_written_as_we_write_it():
    ours = approval(7, 1, previous=6)
    assert recounted(by_hand(f" {ours.encoded()}"), [approval(7, 1)], MODEL) == ours


@pytest.mark.parametrize(
    "forged",
    [
        replace(approval(7, 1), image_uri="evil"),
        replace(approval(7, 1), model_package_arn="arn:evil"),
        replace(approval(7, 1), approved_at=START + timedelta(days=365)),
        replace(approval(7, 1), approved_by=()),
        replace(approval(7, 1), status="None"),
        approval(9, 99),
    ],
)
def test_a_forged_pointer_gives_way_to_what_the_logs_say(forged):
    assert recounted(by_hand(forged.encoded()), [approval(7, 1)], MODEL) == approval(7, 1)


APPROVALS = [approval(version, minutes) for version in (1, 2, 3) for minutes in (0, 1)]
RAWS = [None, "?", "{}", nothing_approved(MODEL, "dev", 2).encoded(), *(each.encoded() for each in APPROVALS)]


@given(st.lists(st.sampled_from(APPROVALS), max_size=4), st.sampled_from(RAWS), st.booleans())
def test_a_recount_ends_with_the_newest_approval_and_a_second_one_leaves_it(standing, raw, trusted):
    slot = Slot(START, sha256(raw) if trusted else "other") if raw else None
    found = recounted(Pointer("dev", raw, slot), standing, MODEL)
    result = found or read_approved(raw)
    newest = max(standing, key=lambda each: each.order, default=None)
    assert result
    assert replace(result, previous=None) == (newest or nothing_approved(MODEL, "dev", None))
    assert not standing or recounted(left(result), standing, MODEL) is None
