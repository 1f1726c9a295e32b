"""How long the proofs run, and where their figures are printed."""

import os

import pytest

LONG = os.environ.get("PROOFS") == "long"


@pytest.fixture
def figure(record_property):
    """Keep a figure for the end of the run: `figure("crash runs", 512)`."""

    def keep(name: str, value: object) -> None:
        record_property("figure", f"{name}: {value}")

    return keep
