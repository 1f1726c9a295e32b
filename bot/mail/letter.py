"""What a mail says, once, for its text and its HTML alike: a `Letter`, drawn from the card. Pure.

The limits are bytes; together they keep a whole message, encoded twice, below the 100 KB that Gmail shows uncut.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.card import Card, Row, Step, Table
from bot.line import Code, Line
from bot.mail.lines import drawn, fitted, short

TITLE, LEAD, LINE, FACTS, HISTORY = 150, 600, 800, 1200, 1200
STEPS, STEP = 12, 32
ROWS, CELL, VALUE, CHANGE = 20, 60, 30, 48
SOURCE = 300
"""Bytes of an ARN or of the address of a report."""
REPLIES = "Replies to this mail are not read."
_CHANGE = re.compile(r"(?P<arrow>[▲▼]) (?P<size>.*?)(?: (?P<verdict>better|worse|no clear change))?")


@dataclass(frozen=True, slots=True)
class Section:
    """Some lines below a heading."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """One environment of the path, and how it stands, in words."""

    environment: str
    standing: str
    here: bool


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's content, clean and bounded. `above` stands before the one link, `below` after it."""

    title: str
    lead: Line
    path: tuple[Stop, ...]
    caption: str
    table: Table | None
    above: tuple[Section, ...]
    action: str
    url: str
    below: tuple[Section, ...]
    notes: tuple[str, ...]


def request_letter(card: Card, url: str) -> Letter:
    """Ask for an answer, with everything that it takes to decide; `url` leads to where it is given."""
    return Letter(
        title=short(card.title, TITLE),
        lead=fitted((card.summary,), LEAD),
        path=_path(card.path),
        caption=_caption(card),
        table=_table(card.table) if card.table else None,
        above=_sections(("What approving does", _lines([(card.consequence,)], LINE))),
        action="Review and answer",
        url=url,
        below=_sections(
            ("Who may answer", _lines([card.verdict], LINE)),
            ("About this version", (*_lines(card.notes, FACTS), *_sources(card))),
            ("History", _lines([card.history], HISTORY)),
        ),
        notes=(
            "The link gives no right to anybody: whoever opens it signs in, and only approvers can answer.",
            REPLIES,
            _request(card),
        ),
    )


def reminder_letter(card: Card, line: Line, url: str) -> Letter:
    """Ask once more, with everything that it takes to decide; `line` says how long that has waited."""
    letter = request_letter(card, url)
    return replace(letter, title=short(f"Reminder: {card.title}", TITLE), lead=fitted(line, LEAD))


def outcome_letter(card: Card, line: Line, url: str) -> Letter:
    """Tell how a request ended, by whom and when; `line` is the step of the history that ended it."""
    return Letter(
        title=short(card.title, TITLE),
        lead=fitted(card.verdict, LINE),
        path=_path(card.path),
        caption="",
        table=None,
        above=(),
        action="See the request and its history",
        url=url,
        below=_sections(
            ("History", _lines([card.history, line], HISTORY)),
            ("About this version", _lines(card.notes, FACTS)),
        ),
        notes=(REPLIES, _request(card)),
    )


def _request(card: Card) -> str:
    return short(f"Request {card.request}", TITLE)


def _sections(*sections: tuple[str, tuple[Line, ...]]) -> tuple[Section, ...]:
    return tuple(Section(heading, lines) for heading, lines in sections if lines)


def _lines(lines: Iterable[Line], limit: int) -> tuple[Line, ...]:
    """Those that say something, sharing the room."""
    said = [line for line in lines if drawn(line).strip()]
    return tuple(fitted(line, limit // len(said)) for line in said)


def _sources(card: Card) -> Iterable[Line]:
    """Where to look the version and its evaluation up."""
    for name, source in (("Model package", card.package_arn), ("Evaluation report", card.report_uri)):
        if address := short(source, SOURCE):
            yield (f"{name}: ", Code(address))


def _path(steps: Iterable[Step]) -> tuple[Stop, ...]:
    return tuple(Stop(short(step.environment, STEP), str(step.mark), step.here) for step in tuple(steps)[:STEPS])


def _caption(card: Card) -> str:
    if not card.table:
        return "No metrics to show."
    challenger, champion = short(card.table.challenger, CELL), short(card.table.champion, CELL)
    if champion:
        return f"Metrics of {challenger}, compared with {champion}"
    return f"Metrics of {challenger}; {short(card.request.environment, STEP)} runs no version to compare with"


def _table(table: Table) -> Table:
    rows = tuple(_row(row, compared=bool(table.champion)) for row in table.rows[:ROWS])
    return Table(short(table.challenger, CELL), short(table.champion, CELL), rows)


def _row(row: Row, *, compared: bool) -> Row:
    name, challenger = short(row.name, CELL), short(row.challenger, VALUE)
    if not compared:
        return Row(name, challenger, "", "")
    return Row(name, challenger, short(row.champion, VALUE), short(in_words(row.change), CHANGE))


def in_words(change: str) -> str:
    """A change without its arrow: `▲ 0.011 better` is `up 0.011, better`."""
    found = _CHANGE.fullmatch(change)
    if not found:
        return change
    size = f"{'up' if found['arrow'] == '▲' else 'down'} {found['size']}"
    return f"{size}, {found['verdict']}" if found["verdict"] else size
