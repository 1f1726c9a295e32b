"""Somebody who types what a page says, in a second terminal beside `make run`, and looks whether it prints just that.

In a `console` block, what follows `$ ` is typed, and the rest is what it prints. In a `python` block the comment behind
a `print` is what it prints. `…` stands for anything, on a line of its own for any lines, and a time for any time.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local import run
from infra.local.stack import REPOSITORY, Stack
from tests.documentation import Block

AWS = f"http://127.0.0.1:{run.PORT + 1}"
END = "-- end --"
TIME = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?Z?)?"


class Reader:
    """Nobody's settings but those that `exports` says to export."""

    def __init__(self, stack: Stack, folder: Path, exports: Block) -> None:
        self.aws = stack.aws.endpoint_url
        script = folder / "model-approvals"  # as `make` installs it
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -m bot "$@"\n')
        script.chmod(0o755)
        exported = [command for command, _ in typed(exports) if command.startswith("export ")]
        path = f"export PATH={Path(sys.executable).parent}:{folder}:$PATH"
        self.begin = "\n".join([*exported, path])

    def tries(self, block: Block) -> None:
        """Fail unless it prints what it is said to."""
        if block.kind == "python":
            self._runs(block)
        else:
            self._types(block)

    def _runs(self, block: Block) -> None:
        shown = [line.partition("  # ")[2] for line in block.text.splitlines() if line.startswith("print(")]
        printed = self.out(f"{self.begin}\npython -", block.text)
        assert printed.splitlines() == shown, f"{block}\n{printed}"

    def _types(self, block: Block) -> None:
        said = typed(block)
        for (command, shown), lines in zip(said, self.printed(*(each for each, _ in said)), strict=True):
            found = "".join(f"{line}\n" for line in lines)
            assert re.fullmatch("".join(map(looks_like, shown)), found), f"{block}\n$ {command}\n{found}"

    def printed(self, *commands: str) -> list[list[str]]:
        """What each command prints, in lines."""
        lines = [f"{each}\nlast=$?; echo; echo {END}; (exit $last)" for each in commands]
        text = self.out("\n".join([self.begin, *lines]))
        return [each.strip("\n").splitlines() for each in text.split(END)[:-1]]

    def out(self, script: str, given: str = "") -> str:
        """What a script prints, with its errors; `given` is typed into it."""
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


def typed(block: Block) -> list[tuple[str, list[str]]]:
    """Commands, each with the lines that it is said to print."""
    said: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            said.append((line[2:], []))
        else:
            said[-1][1].append(line)
    return said


def looks_like(shown: str) -> str:
    """A line of a page as a pattern of what is printed."""
    if shown == "…":
        return r"(?:.*\n)*"
    pieces = re.split(rf"(…|{TIME})", shown)
    known = {"…": ".*"}
    return (
        "".join(known.get(each) or (TIME if re.fullmatch(TIME, each) else re.escape(each)) for each in pieces) + r"\n"
    )


def lacks_a_command(block: Block) -> bool:
    """Whether it needs the AWS CLI where there is none: it is no package of ours."""
    return "aws " in block.text and block.kind == "console" and not shutil.which("aws")
