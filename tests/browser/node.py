"""What these tests need from npm: renderers of cards, Microsoft's client and schemas.

`make test` begins with `python -m tests.browser.node`, which installs it. Where that cannot be done it says why, and
the tests that need it are skipped.
"""

import os
import sys
from pathlib import Path

import pytest

from infra.local import npm

HERE = Path(__file__).parent
FOLDERS = (HERE, npm.RENDERER_FOLDER)
"""Those of the tests alone, and what the page of `make run` draws cards with."""


def module(name: str) -> Path:
    """Give the folder of a package. Where it is not, the test is skipped, but not in CI: there it can be had."""
    folders = [folder / "node_modules" / name for folder in FOLDERS if npm.installed(folder)]
    found = next(filter(Path.exists, folders), None)
    if found is None:
        missing = f"{name} of npm is not installed; `make test` does that, or says why it cannot."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return found


def main() -> int:
    """Install, unless all is there; nothing that a package would run at its installation is run."""
    if all(npm.installed(folder) for folder in FOLDERS):
        return 0
    print("Installing renderers of cards, Microsoft's client and schemas from npm for the tests; once.", flush=True)
    troubles = [trouble for folder in FOLDERS if (trouble := npm.install(folder))]
    for trouble in troubles:
        print(f"{trouble}: so tests with them will be skipped.", file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
