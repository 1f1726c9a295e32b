"""How long the proofs run, and that they run without being counted."""

import os

import pytest

LONG = os.environ.get("PROOFS") == "long"


@pytest.fixture(scope="module", autouse=True)
def _apart_from_the_coverage(uncounted):
    """A line passed on the way of a proof is not a line tested."""
