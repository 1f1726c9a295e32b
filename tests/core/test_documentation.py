"""What the pages say of the code: commands, keys, variables, names, links. Another test types what prints.

A `toml` block is a policy, or what is put behind the shipped one. Every other kind is tried, checked or only looked at.
"""

import argparse
import json
import re
import shlex
import tomllib
from itertools import groupby
from types import MappingProxyType

import pytest
import yaml

from bot import cli, policy
from bot.config import PREFIX, Settings
from bot.history import KINDS
from infra.local import run
from tests.documentation import DOCS, PAGES, REPOSITORY, blocks, read

TRIED, CHECKED, LOOKED_AT = {"console", "python"}, {"bash", "json", "toml", "yaml"}, {"mermaid", "text"}
NOT_HERE = MappingProxyType(
    {
        "aws cloudformation deploy": "makes a role in a real account; its template and parameters are looked at below",
        "aws lambda get-function-configuration": "asks a real account",
        "aws lambda invoke": "sweeps a real account",
        "eval": "takes over what the command before has written",
        "export": "sets what the commands behind it read",
        "python3 -m venv": "makes an environment in the reader's folder",
        ".venv/bin/pip install": "installs into it",
        "cp": "leaves a file in the reader's folder",
    }
)
"""Commands of `bash` blocks that are neither make's nor ours, each with the reason why no test runs it."""
SHIPPED = read("infra/policy.toml")
TARGETS = re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE)
LARGEST_PICTURE = 200 * 1024


def commands(block):
    """The commands of a `bash` block in words, without comments; one may go on behind a backslash."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def without_settings(words):
    """A command without the variables that are set for it."""
    named = [each for each in words if not re.match(r"[A-Z_]+=", each)]
    return named if named[0] == words[-len(named)] else words


def parsed(words):
    """Whether our command line takes these words; it says what it does not take."""
    try:
        return cli._parser().parse_args(words)
    except SystemExit:
        return None


def test_every_block_is_of_a_kind_that_is_tried_checked_or_looked_at():
    assert {str(each): each.kind for each in blocks() if each.kind not in TRIED | CHECKED | LOOKED_AT} == {}


@pytest.mark.parametrize("block", blocks("bash"), ids=str)
def test_every_command_is_there(block):
    for words in commands(block):
        command = without_settings(words)
        named = [each.partition("=")[0] for each in words[: len(words) - len(command)]]
        assert set(named) <= variables(), words
        if command[0] == "make":
            assert command[1] in TARGETS, words
        elif command[0] == "model-approvals":
            assert parsed(command[1:]), words
        else:
            assert any(" ".join(command).startswith(f"{each} ") for each in NOT_HERE), words


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_a_sentence_is_there(page):
    words = re.findall(r"`(make|model-approvals)\s+([a-z-]+)[^`]*`", read(page))
    known = {"make": TARGETS, "model-approvals": subcommands()}
    assert [each for each in words if each[1] not in known[each[0]]] == []


def subcommands():
    actions = cli._parser()._actions
    return [name for each in actions if isinstance(each, argparse._SubParsersAction) for name in each.choices]


def test_every_command_of_ours_is_in_the_readme():
    table = read("README.md").partition("| command | |\n")[2].partition("\n\n")[0]
    named = re.findall(r"`([a-z]+)`", "".join(line.split("|")[1] for line in table.splitlines()))
    assert sorted(named) == sorted(subcommands())


def test_an_environment_is_deployed_with_parameters_that_its_template_has():
    [words] = [each for block in blocks("bash") for each in commands(block) if each[:2] == ["aws", "cloudformation"]]
    given = [each.partition("=")[0] for each in words[words.index("--parameter-overrides") + 1 :]]
    assert set(given) <= parameters(words[words.index("--template-file") + 1])


def test_every_parameter_of_the_stack_in_the_table_is_there():
    table = read("docs/deploying.md").partition("| parameter | give |\n")[2].partition("\n\n")[0]
    named = re.findall(r"`([A-Z]\w+)`", "".join(line.split("|")[1] for line in table.splitlines()))
    assert named
    assert set(named) <= parameters("infra/template.yaml")


def parameters(template):
    """The names of a template's parameters."""
    return set(
        re.findall(r"^  (\w+):$", read(template).partition("\nParameters:\n")[2].partition("\n\n")[0], re.MULTILINE)
    )


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_what_is_json_can_be_read(block):
    assert json.loads(block.text)


def test_what_is_yaml_can_be_read():
    assert all(yaml.safe_load(block.text) for block in blocks("yaml"))


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_a_policy_is_one_or_fits_behind_the_shipped_one(block):
    whole = {"groups", "since"} <= set(tomllib.loads(block.text))
    assert policy.read_policy(block.text if whole else f"{SHIPPED}\n{block.text}").path


def test_the_environment_that_is_added_stands_where_the_page_says():
    [staging] = [each.text for each in blocks("toml") if 'name = "staging"' in each.text]
    prod = '[[environments]]\nname = "prod"'
    assert policy.read_policy(SHIPPED.replace(prod, f"{staging}\n{prod}")).path == (
        "dev",
        "test",
        "uat",
        "staging",
        "prod",
    )


def test_where_the_page_of_make_run_is_stands_in_the_readme():
    assert f"http://127.0.0.1:{run.PORT}\n" in read("README.md")


def test_every_key_of_the_policy_is_in_the_table():
    table = read("docs/configuring.md").partition("| key | meaning |\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`[a-z_.`, ]+`) \|(.*) \|$", table, re.MULTILINE)
    told = {name: meaning for names, meaning in rows for name in re.findall(r"`([a-z_.]+)`", names)}
    assert set(told) == {*policy._TOP, *policy._ENVIRONMENT}
    assert set(re.findall(r"`([a-z_]+)`", told["metrics"])) == set(policy._METRICS)


def test_every_kind_of_entry_is_in_the_auditors_table():
    table = read("docs/auditing.md").partition("| kind | what it says |\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z]+)`", table)) == set(KINDS)


class Asked(dict):
    """An environment that remembers what it was asked for."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default


def variables():
    """The names of all variables that the bot reads."""
    asked = Asked()
    settings = Settings(asked)
    for part in (settings.aws, settings.slack, settings.entra, settings.policy, settings.pages, settings.teams):
        part()
    settings.mail_from()
    return {name for name in asked.names if name.startswith(PREFIX)}


def test_every_variable_is_in_the_table():
    table = read("docs/configuring.md").partition("| variable | meaning | default |\n")[2]
    assert set(re.findall(rf"`({PREFIX}[A-Z_]+)`", table)) == variables()


@pytest.mark.parametrize("page", [*PAGES, "infra/policy.toml"])
def test_no_page_names_a_variable_that_is_not_read(page):
    assert set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", read(page))) <= variables()


QUOTED = [("docs/approving.md", "you are told"), ("docs/operating.md", "you see")]


@pytest.mark.parametrize(("page", "head"), QUOTED)
def test_what_people_are_told_is_quoted_as_it_is_said(page, head):
    table = read(page).partition(f"| {head} |")[2].partition("\n\n")[0]
    quotes = [each for line in table.splitlines()[2:] for each in re.findall(r'"([^"]+)"', line.split("|")[1])]
    pieces = [piece.strip(" .:()") for each in quotes for piece in each.split("…")]
    assert quotes
    assert [each for each in pieces if each not in told_somewhere()] == []


def told_somewhere():
    """Every text of the bot; `…` where a name is put in, or a `%s`."""
    source = "\n".join(each.read_text() for each in sorted((REPOSITORY / "bot").rglob("*.py")))
    whole = re.sub(r'"\s*\n\s*f?"', "", source)
    return re.sub(r"\{[^{}\n]*\}|%s", "…", whole)


def anchors(text):
    """What GitHub calls the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in heads}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_to_a_heading_of_it(page):
    text, folder = read(page), (REPOSITORY / page).parent
    links = [*re.findall(r"\]\(([^)\s]+)\)", text), *re.findall(r'src="([^"]+)"', text)]
    for link in [each for each in links if not each.startswith("https://")]:
        place, _, anchor = link.partition("#")
        target = folder / place if place else REPOSITORY / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


@pytest.mark.parametrize("page", PAGES)
def test_every_named_test_is_there(page):
    everything = "\n".join(path.read_text() for path in (REPOSITORY / "tests").rglob("test_*.py"))
    assert [name for name in re.findall(r"`(test_\w+)`", read(page)) if f"def {name}(" not in everything] == []


def test_every_page_is_found_from_the_readme():
    own = [each for each in DOCS if "/adr/" not in each]
    assert [each for each in own if f"({each}" not in read("README.md")] == []


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


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page):
    names = re.findall(r"`((?:bot|handlers|infra|tests|docs)/[\w./-]*\w)`", read(page))
    assert [each for each in names if not (REPOSITORY / each).exists()] == []
