"""README.md and the pages beside it, tried: what is typed, snippets, tables, links, and the tests that they name.

In a `console` block of README.md, what follows `$ ` is typed, and the rest is what it prints. In a `python`
block the comment behind a `print` is what it prints. `…` stands for anything, and a time for any time.
"""

import os
import re
import shutil
import subprocess
import sys
from itertools import groupby
from pathlib import Path

import pytest

from bot import policy
from bot.config import PREFIX, Settings
from infra.local import run
from infra.local.stack import Stack
from tests.journeys.people import approve, link, registered

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = (REPOSITORY / "docs").rglob("*.md")
README = (REPOSITORY / "README.md").read_text()
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *sorted(str(each.relative_to(REPOSITORY)) for each in DOCS)]
TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?"
AWS = f"http://127.0.0.1:{run.PORT + 1}"
END = "-- end --"
LARGEST_PICTURE = 200 * 1024


def fenced(kind):
    """The blocks of a kind, in their order."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def typed(block):
    """Commands, each with the lines that it is said to print."""
    said: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            said.append((line[2:], []))
        else:
            said[-1][1].append(line)
    return said


def looks_like(shown):
    """A line of README.md as a pattern."""
    pieces = re.split(rf"(…|{TIME})", shown)
    return "".join({"…": ".*"}.get(each) or (TIME if re.fullmatch(TIME, each) else re.escape(each)) for each in pieces)


RUN, SECOND, *FURTHER = fenced("console")
EXPORTS = "\n".join(command for command, _ in typed(RUN) if command.startswith("export "))


class Terminal:
    """The second terminal of a reader: nobody's settings but those that README.md says to export."""

    def __init__(self, stack, folder):
        self.aws = stack.aws.endpoint_url
        script = folder / "model-approvals"  # as `make` installs it
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot "$@"\n')
        script.chmod(0o755)
        self.begin = f"{EXPORTS}\nexport PATH={Path(sys.executable).parent}:{folder}:$PATH"

    def printed(self, *commands):
        """What each command prints, in lines."""
        lines = [f"{each}\nlast=$?; echo; echo {END}; (exit $last)" for each in commands]
        text = self.out("\n".join([self.begin, *lines]))
        return [each.strip("\n").splitlines() for each in text.split(END)[:-1]]

    def python(self, block):
        return self.out(f"{self.begin}\npython -", block).splitlines()

    def out(self, script, given=""):
        foreign = ("AWS_", "MODEL_APPROVALS_")
        mine = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        done = subprocess.run(
            ["bash", "-c", script.replace(AWS, self.aws)],
            cwd=REPOSITORY,
            env={**mine, "NO_PROXY": "127.0.0.1"},
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout


def check(terminal, block):
    said = typed(block)
    for (command, shown), printed in zip(said, terminal.printed(*(each for each, _ in said)), strict=True):
        assert re.fullmatch("\n".join(map(looks_like, shown)), "\n".join(printed)), f"$ {command}\n" + "\n".join(
            printed
        )


@pytest.fixture(scope="module")
def stack():
    """The shipped policy."""
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def terminal(stack, tmp_path_factory):
    """A reader has taken v1 to prod and v2 to dev, with the runs between, as README.md says."""
    stack.aws.source_identities["LOCALPIPELINE"] = run.REQUESTER
    first = registered(stack, "churn")
    link(stack, "U0MAYA", "U0PRIYA")
    reader = Terminal(stack, tmp_path_factory.mktemp("bin"))
    approve(stack, first)
    check(reader, RUN)
    stack.settle()
    for environment, user in (("test", "U0OMAR"), ("uat", "U0MAYA")):
        approve(stack, first, environment, user)
        reader.printed(f"python -m infra.local.inference churn {environment}")
        stack.settle()
    approve(stack, first, "prod", "U0PRIYA")
    check(reader, SECOND)
    stack.settle()
    second = type(first)("churn", 2, first.arn[:-1] + "2")
    approve(stack, second)
    check(reader, RUN)
    stack.settle()
    return reader


@pytest.mark.parametrize("block", FURTHER, ids=lambda block: " ".join(block.split()[1:4]))
def test_what_is_typed_prints_what_it_is_said_to(block, terminal):
    for command, _ in typed(block):
        if command.startswith("aws ") and not shutil.which("aws"):
            pytest.skip("not on the PATH: aws")
    check(terminal, block)


@pytest.mark.parametrize("block", fenced("python"), ids=lambda block: block.splitlines()[0])
def test_a_snippet_prints_what_its_comments_say(block, terminal):
    said = [line.partition("  # ")[2] for line in block.splitlines() if line.startswith("print(")]
    assert terminal.python(block) == said


def test_every_block_is_of_a_kind_that_is_tried_or_read():
    kinds = set(re.findall(r"^```(\w+)$", README, re.MULTILINE))
    assert kinds == {"bash", "console", "mermaid", "python"}
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    for line in "".join(fenced("bash")).splitlines():
        made = re.match(r"make ([a-z-]+)", line)
        assert made, line
        assert made[1] in targets, line
    assert f"http://127.0.0.1:{run.PORT}\n" in README, "where the page is"


def test_every_key_of_the_policy_is_in_the_table():
    table = README.partition("| key | meaning |\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \|(.*) \|$", table, re.MULTILINE)
    told = {name: meaning for names, meaning in rows for name in re.findall(r"`([a-z_.]+)`", names)}
    assert set(told) == {*policy._TOP, *policy._ENVIRONMENT}
    assert set(re.findall(r"`([a-z_]+)`", told["metrics"])) == set(policy._METRICS)


class Asked(dict):
    """An environment that remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default


def test_every_variable_is_in_the_table():
    asked = Asked()
    settings = Settings(asked)
    for part in (settings.aws, settings.slack, settings.entra, settings.policy, settings.pages, settings.teams):
        part()
    settings.mail_from()
    told = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", README))
    assert told == {name for name in asked.names if name.startswith(PREFIX)}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_every_named_test_is_there(page):
    text = (REPOSITORY / page).read_text()
    links = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)]
    inside = [link.partition("#")[0] for link in links if not link.startswith("https://")]
    missing = [link for link in inside if not ((REPOSITORY / page).parent / link).exists()]
    everything = "\n".join(path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py"))
    tests = re.findall(r"`(test_\w+)`", text)
    missing += [name for name in tests if f"def {name}(" not in everything]
    assert not missing


def test_decisions_are_numbered_without_a_gap_and_short():
    pages = sorted((REPOSITORY / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        lines = page.read_text().splitlines()
        assert len(lines) <= 40, page.name
        assert [line for line, _ in groupby(lines) if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ]


@pytest.mark.parametrize(
    "picture", sorted((REPOSITORY / "docs" / "pictures").glob("*.png")), ids=lambda each: each.name
)
def test_a_picture_is_small(picture):
    assert picture.stat().st_size < LARGEST_PICTURE
