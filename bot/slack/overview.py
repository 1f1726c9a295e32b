"""The answers to `/model-status` in Block Kit."""

from collections.abc import Iterator, Sequence
from typing import Any

from bot.card import Mark
from bot.line import plain
from bot.overview import Overview, Said, Waiting, counted
from bot.people import Binding
from bot.slack.blocks import EMOJI, aligned, code_block
from bot.slack.lines import drawn
from bot.slack.mrkdwn import mrkdwn, plain_text
from bot.slack.whispers import COMMAND, SECTION, private
from bot.text import cut

Json = dict[str, Any]

UNLINK = "unlink"
MATRICES = 3
"""Blocks of a table at most: with all else they stay below the 13,000 characters that a message may hold."""


def answer(shown: Overview | Said) -> Json:
    """What only the asking person sees."""
    return _drawn(shown) if isinstance(shown, Overview) else _said(shown)


def unlinked(binding: Binding | None) -> Json:
    """For somebody who asked that their account be nobody's any more."""
    if binding is None:
        return private("This account was not linked, so nothing has changed.")
    return private(
        f"This account is no longer linked to {binding.name}. Where a link is wanted, the button of the next card that "
        "you press shows the way to a new one."
    )


def _drawn(shown: Overview) -> Json:
    matrices, left = _matrices([[*shown.head], *([*row] for row in shown.rows)])
    blocks: list[Json] = [{"type": "header", "text": plain_text(shown.title, 150)}]
    blocks += [_section("\n".join(_listed(shown.waiting)))] if shown.waiting else []
    blocks += [code_block(matrix) for matrix in matrices]
    notes = [drawn(shown.beyond(left, COMMAND), team="", limit=SECTION)] if left else []
    notes += [shown.legend]
    blocks += [{"type": "context", "elements": [mrkdwn(note) for note in notes]}]
    return {**private(shown.says), "blocks": blocks}


def _said(lines: Said) -> Json:
    text = "\n".join(drawn(line, team="", limit=SECTION // len(lines)) for line in lines)
    return {**private("\n".join(map(plain, lines))), "blocks": [_section(text)]}


def _section(text: str) -> Json:
    return {"type": "section", "text": mrkdwn(text)}


def _listed(waiting: Sequence[Waiting]) -> Iterator[str]:
    """As many lines as a section holds, the longest waiting first."""
    room = SECTION - 60
    for place, each in enumerate(waiting):
        line = f"{EMOJI[Mark.ASKED]} {drawn(each.line, team='', limit=400)}"
        room -= len(line) + 1
        if room < 0:
            yield f"and {counted(len(waiting) - place, 'more request', 'more requests')}"
            return
        yield line


def _matrices(table: list[list[str]]) -> tuple[list[str], int]:
    """The aligned table in as many blocks as fit, each with the head; and how many rows are left out."""
    head, *lines = [cut(line, SECTION // 2) for line in aligned(table, right=False)]
    blocks = [head]
    for place, line in enumerate(lines):
        if len(blocks[-1]) + 1 + len(line) > SECTION:
            if len(blocks) == MATRICES:
                return blocks, len(lines) - place
            blocks.append(head)
        blocks[-1] += f"\n{line}"
    return blocks, 0
