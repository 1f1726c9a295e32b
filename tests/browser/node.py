"""What these tests need from npm: Microsoft's client, renderer and schemas. `python -m tests.browser.node` installs it.

`make test` begins with that. Where there is no Node it says so, and the tests that need it are skipped.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
LOCK, DONE = HERE / "package-lock.json", MODULES / ".package-lock.json"
"""What npm is to install, and what it writes when it has."""


def installed() -> bool:
    """See whether all is there, and is what the lock names."""
    return DONE.exists() and DONE.stat().st_mtime >= LOCK.stat().st_mtime


def module(name: str) -> Path:
    """Give the folder of a package. Where it is not, the test is skipped, but not in CI: there it can be had."""
    if not installed():
        missing = "Microsoft's npm packages are not installed; `make test` does that where there is Node."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return MODULES / name


def main() -> int:
    """Install, unless all is there; nothing that a package would run at its installation is run."""
    if installed():
        return 0
    npm = shutil.which("npm")
    if not npm:
        print(
            "There is no npm, so the tests with Microsoft's own client and renderer will be skipped.", file=sys.stderr
        )
        return 1
    print("Installing Microsoft's client, renderer and schemas from npm for the tests; once.", flush=True)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(HERE)]
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
