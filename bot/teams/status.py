"""The answers to `model-status` as messages with a card: as much of it as a message may hold."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.card import Mark
from bot.line import Line, plain
from bot.overview import Overview, Said, Waiting, counted
from bot.teams.cards import SIGNS, cell, framed, message, room_beside, table, title
from bot.teams.text import rich

Json = dict[str, Any]

COMMAND = "model-status"
WAITING = 10
"""Lines of what waits."""
COLUMNS = 12
LINE, NAME = 420, 110
"""What a line and a cell may weigh, in units of two bytes."""


def answer(shown: Overview | Said) -> Json:
    """The message that answers; everybody in the conversation sees it."""
    return message(_drawn(shown) if isinstance(shown, Overview) else _said(shown))


def _said(lines: Said) -> Json:
    return framed([rich(line, LINE) for line in lines], " ".join(map(plain, lines)))


def _drawn(shown: Overview) -> Json:
    above = [title(shown.title), rich((shown.says,), LINE), *(rich(line, LINE) for line in _listed(shown.waiting))]
    rest = rich(shown.beyond(len(shown.rows), COMMAND), LINE)
    below = [rich((shown.legend,), LINE, isSubtle=True), *_hidden(shown)]
    room = room_beside(framed([*above, rest, *below], shown.says))
    rows = [[cell(text, NAME) for text in row[:COLUMNS]] for row in shown.rows]
    matrix = table(shown.head[:COLUMNS], rows, room=room, right=False)
    left = len(rows) + 1 - len(matrix["rows"])
    more = [rich(shown.beyond(left, COMMAND), LINE)] if left else []
    return framed([*above, matrix, *more, *below], shown.says)


def _listed(waiting: Sequence[Waiting]) -> Iterator[Line]:
    """The longest waiting first, as many as are read."""
    for each in waiting[:WAITING]:
        yield (f"{SIGNS[Mark.ASKED]} ", *each.line)
    if len(waiting) > WAITING:
        yield (f"and {counted(len(waiting) - WAITING, 'more request', 'more requests')}",)


def _hidden(shown: Overview) -> list[Json]:
    """More environments than a table of columns can be read with."""
    left = len(shown.head) - COLUMNS
    return [rich((f"and {counted(left, 'more environment', 'more environments')}",), LINE)] if left > 0 else []
