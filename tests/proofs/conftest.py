"""How long the proofs run, and that they run without being measured."""

import os
from pathlib import Path

import pytest

LONG = os.environ.get("PROOFS") == "long"
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Leave them out of the coverage: a line passed on their way is not a line tested, and noting it takes as long."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.no_cover)
