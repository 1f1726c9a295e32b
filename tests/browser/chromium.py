"""The Chromium of these tests: Debian's, or else Playwright's own. `python -m tests.browser.chromium` installs it.

`make test` begins with that. Where no browser is to be had it says why, and the tests of this folder are skipped.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

DEBIAN = Path("/usr/bin/chromium")
"""Where Debian's package puts it; Playwright knows itself where its own is."""
PACKAGES = ("chromium", "fonts-noto-color-emoji")
"""Without the second, pictures show a box for each symbol on a card."""

Way = Sequence[Sequence[str]]
"""Commands, of which the last one has to succeed."""


class Missing(Exception):
    """There is no browser to test with."""


def launch(playwright: Playwright) -> Browser:
    """Start the browser; raise `Missing` where there is none. Debian's has to start where it is installed."""
    if DEBIAN.exists():
        return playwright.chromium.launch(executable_path=DEBIAN)
    try:
        return playwright.chromium.launch()
    except Error as trouble:
        reason = trouble.message.splitlines()[0]
        raise Missing(f"No Chromium ({reason}); `make test` installs one, or says why it cannot.") from trouble


def installed() -> bool:
    """See whether there is a browser; Playwright's own is there if it starts."""
    if DEBIAN.exists():
        return True
    try:
        with sync_playwright() as playwright:
            launch(playwright).close()
    except Missing:
        return False
    return True


def install() -> list[str]:
    """Go each way to a browser until one has led there; give the troubles, if none has."""
    troubles: list[str] = []
    for way in ways():
        trouble = tried(way)
        if not trouble:
            return []
        troubles.append(trouble)
    return troubles


def ways() -> Iterator[Way]:
    """Say what may lead to a browser here, best first: only root can have packages installed."""
    own = [sys.executable, "-m", "playwright", "install", "--only-shell", "--no-progress", "chromium"]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        apt = ["apt-get", "install", "--yes", "-qq", "--no-install-recommends", *PACKAGES]
        yield [apt]
        yield [["apt-get", "update", "-qq"], apt]
        yield [[*own, "--with-deps"]]
    yield [own]


def tried(way: Way) -> str:
    """Run the commands, which may ask and say nothing; give what the last one complained of."""
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in way:
        done = subprocess.run(command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    said = (done.stderr + done.stdout).splitlines()
    complaint = next((line for line in said if line.startswith(("E: ", "Error: "))), " ".join(said[-1:]))
    return f"{' '.join(way[-1])}: {complaint} (exit code {done.returncode})"


def main() -> int:
    """Install a browser, unless there is one."""
    if installed():
        return 0
    print("Installing Chromium for the tests of the pages; this takes a minute or two, once.", flush=True)
    if troubles := install():
        print("None could be installed, so these tests will be skipped:", *troubles, sep="\n  ", file=sys.stderr)
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
