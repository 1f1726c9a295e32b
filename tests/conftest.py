"""What every test run prints at its end, and which tests are not counted."""

import sys
import threading
from collections import defaultdict

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture(scope="module")
def uncounted():
    """Run a file without coverage, which makes what runs the same lines thousands of times two or three times slower.

    pytest-cov's own `no_cover` leaves the tracer on in the workers of pytest-xdist.
    """
    counting, in_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    yield
    sys.settrace(counting)
    threading.settrace(in_threads)


@pytest.fixture
def figure(record_property):
    """Keep a figure for the end of the run: `figure("crash runs", 512)`; counts of one name are added up there."""

    def keep(name: str, value: object) -> None:
        record_property("figure", (name, value))

    return keep


def pytest_terminal_summary(terminalreporter):
    """Print the figures that proofs and call counts have kept."""
    kept = defaultdict(list)
    for report in terminalreporter.stats.get("passed", []):
        for key, value in getattr(report, "user_properties", []):
            if key == "figure":
                kept[value[0]].append(value[1])
    if kept:
        terminalreporter.section("figures")
    for name, values in sorted(kept.items()):
        for each in [sum(values)] if isinstance(values[0], int) else values:
            terminalreporter.write_line(f"{name}: {each:,}" if isinstance(each, int) else f"{name}: {each}")
