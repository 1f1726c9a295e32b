import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUNTIME = "infra/runtime.txt"
LOCAL = "infra/local/requirements.txt"
DEVELOPMENT = "requirements.txt"
PIN = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)(?:; sys_platform == \"\w+\")?")


def requirements(file):
    """The requirement lines of a file, without comments and options."""
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-"))]


def pins(file):
    """{normalised name: version} of a file."""
    matches = filter(None, map(PIN.fullmatch, requirements(file)))
    return {re.sub(r"[-_.]+", "-", match[1]).lower(): match[2] for match in matches}


def documented():
    """{normalised name: whether it ships} as docs/dependencies.md has it."""
    page = (ROOT / "docs/dependencies.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)[^`]*` \| (yes|no) \| \S.*\|$", page, re.MULTILINE)
    return {name.lower(): ships == "yes" for name, ships in rows}


@pytest.mark.parametrize("file", [RUNTIME, LOCAL, DEVELOPMENT, "infra/constraints.txt"])
def test_every_requirement_is_pinned(file):
    assert [line for line in requirements(file) if not PIN.fullmatch(line)] == []


def test_every_dependency_is_justified_and_nothing_else_is():
    ships = dict.fromkeys(pins(RUNTIME), True)
    assert documented() == {**dict.fromkeys(pins(DEVELOPMENT) | pins(LOCAL), False), **ships}


def test_every_npm_package_is_pinned_and_justified_and_nothing_else_is():
    folders = (ROOT / "tests/browser", ROOT / "infra/local/renderer")
    read = [json.loads((each / "package.json").read_text())["dependencies"] for each in folders]
    wanted = read[0] | read[1]
    page = (ROOT / "docs/dependencies.md").read_text().partition("| npm package |")[2]
    assert sorted(re.findall(r"^\| `([^`]+)` \| \S.*\|$", page, re.MULTILINE)) == sorted(wanted)
    assert [version for version in wanted.values() if not re.fullmatch(r"[\d.]+", version)] == []


def test_the_constraints_hold_every_pin():
    assert pins("infra/constraints.txt").items() >= (pins(RUNTIME) | pins(LOCAL) | pins(DEVELOPMENT)).items()


def test_development_installs_what_the_local_stack_needs_and_that_what_ships():
    assert f"-r {LOCAL}" in (ROOT / DEVELOPMENT).read_text().splitlines()
    assert "-r ../runtime.txt" in (ROOT / LOCAL).read_text().splitlines()


def test_every_module_of_the_bot_has_its_place_in_the_import_rules():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    core = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    placed = set(re.findall(r"\(bot\.(\w+)\)", " ".join(core)))
    sources = [*(ROOT / "bot").glob("*.py"), *(ROOT / "bot").glob("*/__init__.py")]
    modules = {path.stem if path.parent.name == "bot" else path.parent.name for path in sources}
    assert modules - {"__init__"} <= placed
