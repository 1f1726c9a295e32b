"""What these tests need from npm: renderers of cards, Microsoft's client and schemas.

`make test` begins with `python -m tests.browser.node`, which installs it. Where there is no Node it says so, and the
tests that need it are skipped.
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
OLDEST = 18
"""Of Node, that the client and the bundler run on."""


def module(name: str) -> Path:
    """Give the folder of a package. Where it is not, the test is skipped, but not in CI: there it can be had."""
    if not installed():
        missing = f"The npm packages are not installed; `make test` does that with npm and Node {OLDEST}."
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    return MODULES / name


def installed() -> bool:
    """See whether all is there, is what the lock names, and can be run."""
    return _node() >= OLDEST and DONE.exists() and DONE.stat().st_mtime >= LOCK.stat().st_mtime


def _node() -> int:
    """The major version of Node; 0 without one."""
    node = shutil.which("node")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    return int(said.strip().lstrip("v").partition(".")[0] or 0)


def main() -> int:
    """Install, unless all is there; nothing that a package would run at its installation is run."""
    if installed():
        return 0
    skipped = "so the tests with other renderers and with Microsoft's client and schemas will be skipped."
    npm = shutil.which("npm")
    if not npm or _node() < OLDEST:
        print(f"There is no npm with Node {OLDEST} or newer, {skipped}", file=sys.stderr)
        return 1
    print("Installing renderers of cards, Microsoft's client and schemas from npm for the tests; once.", flush=True)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(HERE)]
    failed = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
    if failed:
        print(f"They could not be installed, {skipped}", file=sys.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
