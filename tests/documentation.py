"""The pages of this repository, and their fenced blocks: tests/journeys types them, tests/core reads them."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = sorted(str(each.relative_to(REPOSITORY)) for each in (REPOSITORY / "docs").rglob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *DOCS]
_FENCED = re.compile(r"^(?P<indent> *)```(?P<kind>.*)\n(?P<text>(?:.*\n)*?)(?P=indent)```$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences, without the indent of a list; `line` is where it begins."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        """Where an editor finds it."""
        return f"{self.page}:{self.line}"


def read(page: str) -> str:
    """The text of a page."""
    return (REPOSITORY / page).read_text(encoding="utf-8")


def blocks(*kinds: str) -> list[Block]:
    """The blocks of these kinds, or of every kind, in their order."""
    found = [each for page in PAGES for each in _blocks(page)]
    return [each for each in found if not kinds or each.kind in kinds]


def _blocks(page: str) -> list[Block]:
    text = read(page)
    return [
        Block(page, text.count("\n", 0, each.start()) + 1, each["kind"], dedent(each["text"]))
        for each in _FENCED.finditer(text)
    ]
