"""The status of a group with hundreds of versions: within its bytes, with everything that waits or runs."""

from datetime import timedelta

import pytest

from bot.domain import ModelVersion, State
from bot.encoding import LIMIT
from bot.evidence import Metric
from bot.status import GroupStatus, Row, Slot, Stand, read_status
from tests.memory import START

PATH = ("dev", "test", "uat", "prod")
WAITING = (3, 120, 288, 299)


def row(state=State.APPROVED, *environments):
    return Row(9, {name: Stand(state, 1, START) for name in environments or ("dev",)})


def status(versions=300, waiting=WAITING, running=17, metrics=0):
    """So many versions: some wait, one old one runs everywhere."""
    rows = {str(number): row() for number in range(1, versions + 1)}
    rows |= {str(number): row(State.PENDING, "dev") for number in waiting}
    measured = tuple(Metric(f"a_metric_with_a_name_{number}", 0.1) for number in range(metrics))
    return GroupStatus(rows, {name: Slot(START, "a" * 64, running, measured) for name in PATH})


@pytest.fixture(scope="module")
def trimmed():
    """Three hundred versions, written once: it takes a while."""
    text = status().encoded()
    assert LIMIT - 200 < len(text) <= LIMIT
    return read_status(text)


def test_of_three_hundred_versions_those_that_wait_or_run_survive(trimmed):
    assert {str(number) for number in (*WAITING, 17)} <= set(trimmed.versions)
    assert {number for number, each in trimmed.versions.items() if each.pending} == set(map(str, WAITING))
    assert trimmed.approved == status().approved


def test_what_was_trimmed_is_stable(trimmed):
    assert read_status(trimmed.encoded()) == trimmed
    assert trimmed.joined(trimmed).encoded() == trimmed.encoded()


def test_an_old_version_that_left_is_no_reason_to_write_again(trimmed):
    assert trimmed.joined(GroupStatus({"5": row()})).encoded() == trimmed.encoded()


def test_a_version_that_comes_pushes_the_oldest_out(trimmed):
    found = read_status(trimmed.joined(GroupStatus({"301": row(State.PENDING, "dev")})).encoded())
    idle = sorted(int(number) for number in trimmed.versions if int(number) not in (*WAITING, 17))
    assert found.versions["301"].pending
    assert set(trimmed.versions) - set(found.versions) == {str(idle[0])}


def test_older_requests_are_found_among_three_hundred_versions(trimmed):
    later = START + timedelta(hours=1)
    found = {request.version for request in trimmed.older_pending(ModelVersion("churn", 290), "dev", later)}
    assert found == {3, 120, 288}


@pytest.mark.parametrize(
    ("version", "minutes", "found"),
    [(3, 1, []), (4, 1, [3]), (4, 0, [])],
)
def test_only_older_versions_asked_about_before_the_approval_are_superseded(version, minutes, found):
    waiting = GroupStatus({"3": row(State.PENDING, "dev")})
    before = START + timedelta(minutes=minutes)
    older = waiting.older_pending(ModelVersion("churn", version), "dev", before)
    assert [request.version for request in older] == found


@pytest.mark.parametrize(("spare", "kept"), [(0, True), (-1, False)])
def test_a_status_that_just_fits_is_left_as_it_is(spare, kept):
    rows = {str(number): row() for number in range(1, 4)}
    empty = GroupStatus(rows, {"dev": Slot(START, "", 9)}).encoded()
    full = GroupStatus(rows, {"dev": Slot(START, "a" * (LIMIT - len(empty) - spare), 9)})
    assert (len(full.encoded()) == LIMIT) == kept
    assert ("1" in read_status(full.encoded()).versions) == kept
