"""How long the proofs run, and that they run without being counted."""

import os

import pytest

LONG = os.environ.get("PROOFS") == "long"
"""As `make proofs` has it: ten times as many runs and more, here and in the journeys of races, crashes and a burst."""


@pytest.fixture(scope="module", autouse=True)
def _apart_from_the_coverage(uncounted):
    """A line passed on the way of a proof is not a line tested."""
