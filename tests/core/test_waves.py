"""Calls side by side: all of them run, each keeps its own result or error."""

from contextvars import ContextVar
from threading import Barrier, Event, Timer, get_ident

import pytest

from bot.waves import ThreadCrew

TRACE: ContextVar[str] = ContextVar("trace")


def results(futures):
    return [future.result() for future in futures]


def fail():
    raise LookupError("nothing there")


def test_results_stand_where_their_calls_stood():
    assert results(ThreadCrew().together(lambda: 1, lambda: 2, lambda: 3)) == [1, 2, 3]


def test_calls_run_at_the_same_time():
    meeting = Barrier(3, timeout=10)
    assert len(set(results(ThreadCrew().together(*[meeting.wait] * 3)))) == 3


def test_the_last_call_runs_in_the_thread_of_the_caller():
    other, mine = results(ThreadCrew().together(get_ident, get_ident))
    assert mine == get_ident() != other


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_error_waits_in_its_own_future(place):
    calls = [lambda: "fine"] * 3
    calls[place] = fail
    futures = ThreadCrew().together(*calls)
    assert all(future.done() for future in futures)
    with pytest.raises(LookupError, match="nothing there"):
        futures[place].result()
    assert [future.exception() is None for future in futures].count(False) == 1


def test_a_wave_is_over_when_its_slowest_call_is():
    bell = Event()
    Timer(0.05, bell.set).start()
    slow, fast = ThreadCrew().together(lambda: bell.wait(10), lambda: "fast")
    assert slow.done()
    assert (slow.result(), fast.result()) == (True, "fast")


def test_waves_may_be_nested():
    crew = ThreadCrew()
    inner = lambda: results(crew.together(lambda: 1, lambda: 2))  # noqa: E731
    assert results(crew.together(inner, inner)) == [[1, 2], [1, 2]]


def test_every_call_knows_what_its_caller_knew():
    token = TRACE.set("request-1")
    try:
        assert results(ThreadCrew().together(TRACE.get, TRACE.get)) == ["request-1", "request-1"]
    finally:
        TRACE.reset(token)
