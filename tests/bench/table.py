"""What was measured, as a terminal and as docs/performance.md show it; and which ratios were missed."""

from collections.abc import Sequence
from dataclasses import dataclass

BEGIN, END = "<!-- make bench writes from here -->", "<!-- to here -->"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio that has to be kept; `at_least` says from which side."""

    name: str
    found: float
    bound: float
    at_least: bool = False

    @property
    def kept(self) -> bool:
        """Whether it is."""
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Its row in the table of all."""
        side = "at least" if self.at_least else "at most"
        return self.name, f"{self.found:.2f}", f"{side} {self.bound:g}", "kept" if self.kept else "MISSED"


@dataclass(frozen=True, slots=True)
class Section:
    """One measurement: a table, what has to be said below it, and the ratios that follow."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    ratios: tuple[Ratio, ...] = ()


def verdict(sections: Sequence[Section]) -> Section:
    """All ratios in one table."""
    found = tuple(ratio.cells for section in sections for ratio in section.ratios)
    return Section("Ratios", ("ratio", "measured", "has to be", ""), found)


def missed(sections: Sequence[Section]) -> list[str]:
    """The names of the ratios that were not kept."""
    return [ratio.name for section in sections for ratio in section.ratios if not ratio.kept]


def aligned(section: Section) -> list[str]:
    """Lines for a terminal: the first column to the left, figures to the right."""
    table = [section.head, *section.rows]
    widths = [max(len(row[at]) for row in table) for at in range(len(section.head))]
    return ["  ".join(_cell(each, width, at) for at, (each, width) in enumerate(zip(row, widths, strict=True))).rstrip()
            for row in table]  # fmt: skip


def markdown(section: Section) -> str:
    """The same for the page."""
    marks = ["---", *["---:"] * (len(section.head) - 1)]
    rows = [f"| {' | '.join(row)} |" for row in (section.head, marks, *section.rows)]
    notes = "".join(f"\n{note}\n" for note in section.notes)
    return f"### {section.title}\n\n" + "\n".join(rows) + "\n" + notes


def rewritten(page: str, about: str, sections: Sequence[Section]) -> str:
    """The page with its measured part replaced; raise `ValueError` when the marks are not there."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    tables = "\n".join(markdown(each) for each in (verdict(sections), *sections))
    return f"{before}{BEGIN}\n\n{about}\n\n{tables}\n{END}{after}"


def _cell(text: str, width: int, at: int) -> str:
    return text.rjust(width) if at else text.ljust(width)
