"""What the demo does and reads back: people's clicks, boto3's answers, Slack's messages, and what differs."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.entries import Entry
from bot.history import decode_entry
from infra.local.slack import Message
from infra.local.slack_workspace import Json
from infra.local.stack import REPOSITORY, Stack

READER = "LOCALREADER"
"""The access key of whoever reads back: neither the bot's nor the pipeline's."""
ROOT = "/model-approvals"
PATH = ("dev", "test", "uat", "prod")

Findings = Iterator[str]
"""What a step has read back, line by line."""


class Unexpected(Exception):
    """Something is not as it should be."""

    def __init__(self, what: str, *, expected: object, found: object) -> None:
        """Keep the three apart: they are printed below each other."""
        super().__init__(what)
        self.what, self.expected, self.found = what, expected, found


def expect(what: str, found: object, expected: object) -> str:
    """Give the line that says what was read back; raise `Unexpected` when it is something else."""
    if found != expected:
        raise Unexpected(what, expected=expected, found=found)
    return f"{what}: {shown(found)}"


def expect_same(what: str, found: object, expected: object) -> str:
    """Do the same with two values that are too long to be printed unless they differ."""
    if found != expected:
        raise Unexpected(what, expected=expected, found=found)
    return f"{what}: the same"


def expect_words(what: str, found: str, *expected: str) -> str:
    """Give the line that says what was read back; raise `Unexpected` when it lacks some of the words."""
    if missing := [words for words in expected if words not in found]:
        raise Unexpected(what, expected=" … ".join(missing), found=found)
    return f"{what}: {shown(found)}"


def expect_lines(what: str, found: str, *expected: str) -> str:
    """Do as `expect_words` does with a longer text, and give only the lines that have the words."""
    expect_words(what, found, *expected)
    lines = [line for line in found.splitlines() if any(words in line for words in expected)]
    return f"{what}: {shown(lines)}"


def shown(value: object) -> str:
    """Write a value as a person reads it."""
    match value:
        case str():
            return f"“{value}”" if " " in value else value
        case Mapping():
            return ", ".join(f"{name} {shown(each)}" for name, each in value.items()) or "none"
        case list() | tuple():
            return ", ".join(f"({shown(each)})" if isinstance(each, list) else shown(each) for each in value) or "none"
    return str(value)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the journey: does something, and yields what it reads back."""

    title: str
    run: Callable[["Journey"], Findings]


class Journey:
    """One model package group on a started stack: what people do about it, and every way to look at it."""

    def __init__(self, stack: Stack, group: str) -> None:
        """Take a stack's clients, and keys of one's own."""
        self.stack = stack
        self.group = group
        self.workspace = stack.slack.workspace
        self.registry = stack.aws.client("sagemaker", access_key=READER)
        self.store = stack.aws.client("ssm", access_key=READER)

    # what people do

    def press(self, user: str, card: Message, action: str, *, stale: bool = False) -> str:
        """Let a person press a button, wait until nothing moves any more, and give what they alone were told."""
        before = len(self.workspace.ephemerals(user))
        answer = self.stack.slack.press(user, card.channel, card.ts, action, stale=stale)
        expect("HTTP status of the click", answer.status, 200)
        self.stack.settle()
        return "\n".join(each.text for each in self.workspace.ephemerals(user)[before:])

    def whispered_link(self, user: str) -> str:
        """The way to our pages in the last thing that a person alone was told."""
        shown = json.dumps(self.workspace.ephemerals(user)[-1].blocks)
        found = re.search(rf"{re.escape(self.stack.gateway.pages_url)}/[^\"<>|\s]+", shown)
        if found is None:
            raise Unexpected(f"what {user} was told", expected="a link to our pages", found=shown)
        return found[0].replace("&amp;", "&")

    def type_command(self, user: str, channel: str, text: str = "") -> Message:
        """Let a person type the slash command, and give the answer."""
        answer = self.stack.slack.command(user, channel, "/model-status", text)
        expect("HTTP status of the command", answer.status, 200)
        return self.workspace.ephemerals(user, channel)[-1]

    def run_command(self, *arguments: str) -> str:
        """Run the product's command line in a process of its own, and give what it prints."""
        command = [sys.executable, "-m", "bot", *arguments]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=30)
        if done.returncode:
            raise Unexpected(f"exit code of {' '.join(arguments)}", expected=0, found=done.stderr or done.returncode)
        return done.stdout.strip()

    # what AWS says, asked with boto3

    def package(self, version: int) -> Any:  # noqa: ANN401 - what SageMaker describes
        """Describe a version."""
        arn = f"arn:aws:sagemaker:{self.stack.aws.region}:{self.stack.aws.account}:model-package"
        return self.registry.describe_model_package(ModelPackageName=f"{arn}/{self.group}/{version}")

    def status(self, version: int) -> str:
        """Read a version's ModelApprovalStatus."""
        return str(self.package(version)["ModelApprovalStatus"])

    def fields(self, version: int) -> dict[str, str]:
        """Read what a version's metadata says of each environment."""
        metadata = self.package(version).get("CustomerMetadataProperties", {})
        return {environment: metadata.get(environment, "missing") for environment in PATH}

    def approved(self, environment: str) -> dict[str, Any]:
        """Read the model approved for an environment, as its inference pipeline does; empty if none ever was."""
        found = self.store.get_parameters(Names=[f"{ROOT}/{self.group}/approved/{environment}"])["Parameters"]
        value: dict[str, Any] = json.loads(found[0]["Value"]) if found else {}
        return value

    def parameters(self, below: str = "") -> dict[str, str]:
        """Read every parameter of the bot, or those below a path."""
        pages = self.store.get_paginator("get_parameters_by_path").paginate(Path=f"{ROOT}{below}", Recursive=True)
        return {each["Name"]: each["Value"] for page in pages for each in page["Parameters"]}

    def entries(self, version: int) -> list[Entry]:
        """Read a version's history."""
        found = sorted(self.parameters(f"/{self.group}/history/{version}").items())
        return [decode_entry(text, seq=int(name.rpartition("/")[2])) for name, text in found]

    def truth(self, version: int) -> tuple[object, ...]:
        """Take down all that a refused answer must not change: history, approved models, registry."""
        kept = {name: value for name, value in self.parameters().items() if "/history/" in name or "/approved/" in name}
        return kept, self.status(version), self.fields(version)

    # what Slack shows, as the workspace has stored it

    def cards(self, version: int, environment: str) -> list[Message]:
        """Every card that asks for an environment: there should be one."""
        asks = {"request": f"{self.group}/{version}/{environment}/1"}
        everywhere = [each for channel in self.workspace.channels for each in self.workspace.messages(channel)]
        return [each for each in everywhere if each.metadata and each.metadata["event_payload"] == asks]

    def card(self, version: int, environment: str) -> Message:
        """The card that asks for an environment, as it is now."""
        found = self.cards(version, environment)
        if len(found) != 1:
            raise Unexpected(f"cards that ask for v{version} in {environment}", expected=1, found=len(found))
        return found[0]

    def thread(self, version: int, environment: str) -> list[str]:
        """The lines of the thread below a card."""
        card = self.card(version, environment)
        return [reply.text for reply in self.workspace.replies(card.channel, card.ts)]


def title(card: Message) -> str:
    """The headline of a card."""
    return str(card.blocks[0]["text"]["text"])


def buttons(card: Message) -> list[str]:
    """What can be pressed on a card to answer; a link answers nothing."""
    pressed = [each for block in card.blocks if block["type"] == "actions" for each in block["elements"]]
    return [each["text"]["text"] for each in pressed if "value" in each]


def metrics(card: Message) -> list[list[str]]:
    """The table of a card, row by row, its head first."""
    rows = [row for block in card.blocks if block["type"] == "table" for row in block["rows"]]
    return [[_cell(cell) for cell in row] for row in rows]


def matrix(answer: Message) -> list[str]:
    """The table in the answer to the slash command, line by line, without the spaces that align it."""
    blocks = [block for block in answer.blocks if block["type"] == "rich_text"]
    return [" ".join(line.split()) for line in _cell(blocks[0]).splitlines()] if blocks else []


def _cell(cell: Json) -> str:
    return str(cell["text"] if "text" in cell else cell["elements"][0]["elements"][0]["text"])
