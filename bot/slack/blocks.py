"""The neutral card in Block Kit, as plain dicts: https://docs.slack.dev/reference/block-kit."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from bot.card import Card, Mark, Offer, Row, Step, Table
from bot.console import package_link, report_link
from bot.line import Line, plain
from bot.links import page_of
from bot.slack.buttons import ACTS, APPROVE, LINK, REJECT, REVOKE, button
from bot.slack.lines import drawn
from bot.slack.mrkdwn import TEXT, mrkdwn, plain_text, read_aloud, safe
from bot.text import NOTHING, cut, one_line, units

Json = dict[str, Any]

CONTEXT = 1500
"""Characters of a context line: all lines and a full table stay below the 13,000 that a message may hold."""
ROWS = 30
"""Metrics at most; the core shows fewer."""
CELL = 60
VALUE = 40
ARROW = "   \u203a   "

EMOJI: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.DONE: ":white_check_mark:",
        Mark.ASKED: ":large_yellow_circle:",
        Mark.LATER: ":white_circle:",
        Mark.NO: ":x:",
        Mark.OVER: ":fast_forward:",
        Mark.THREAD: ":thread:",
    }
)


def message(card: Card, *, team: str, pages: str = "") -> Json:
    """Text and blocks of a card, which leads to its page where there are any; block ids are new if what is shown is."""
    blocks = {
        "title": {"type": "header", "text": plain_text(card.title, 150)},
        "path": _context(_path(card.path)),
        "metrics": _table(card.table) if card.table and card.table.rows else None,
        "facts": _context("\n".join(_line(note, team, CONTEXT // len(card.notes)) for note in card.notes)),
        "decide": _actions(card, pages) if card.open else None,
        "verdict": _marked(card.mark, card.verdict, team),
        "history": _marked(Mark.THREAD, (*card.history, " · history in thread"), team),
        "revoke": _taking_back(card) if card.stands else None,
    }
    stamp = card.digest[:8]
    shown = [{**block, "block_id": f"{name}:{stamp}"} for name, block in blocks.items() if block]
    return {"text": read_aloud(card.summary), "blocks": shown}


def reply(line: Line, *, team: str, offers: Sequence[Offer] = ()) -> Json:
    """Text and blocks of a line in the thread, with buttons for what may be done about it."""
    buttons = [button(ACTS[each.act], each.words, each.words) | {"value": str(each.request)} for each in offers]
    return {
        "text": read_aloud(plain(line)),
        "blocks": [
            {"type": "section", "text": mrkdwn(drawn(line, team=team, limit=TEXT) or NOTHING)},
            *([{"type": "actions", "elements": buttons}] if buttons else []),
        ],
    }


def without_table(shown: Json) -> Json:
    """The same message with its table as aligned text, for a Slack that takes no native one."""
    blocks = [_preformatted(block) if block["type"] == "table" else block for block in shown["blocks"]]
    return {**shown, "blocks": blocks}


def aligned(rows: Iterable[Iterable[str]], *, right: bool = True) -> list[str]:
    """Lines of a table in letters of one width, the first column left, the others right or left."""
    cells = [list(row) for row in rows]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(_padded(row, widths, right=right)).rstrip() for row in cells]


def code_block(text: str) -> Json:
    """A block of letters of one width; its text knows no markup."""
    inner = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [inner]}


def _context(text: str) -> Json | None:
    return {"type": "context", "elements": [mrkdwn(text)]} if text else None


def _line(line: Line, team: str, limit: int) -> str:
    return drawn(line, team=team, limit=limit).replace("\n", " ")


def _marked(mark: Mark, line: Line, team: str) -> Json | None:
    text = _line(line, team, CONTEXT - len(EMOJI[mark]) - 1)
    return _context(f"{EMOJI[mark]} {text}" if text else "")


def _path(steps: Iterable[Step]) -> str:
    """The environments in their order, as many as a line holds."""
    text = ""
    for step in steps:
        longer = text + (ARROW if text else "") + _step(step)
        if units(longer) > CONTEXT:
            return f"{text}{ARROW}…"
        text = longer
    return text


def _step(step: Step) -> str:
    name = safe(step.environment, CELL)
    return f"{EMOJI[step.mark]} *{name}*" if step.here else f"{EMOJI[step.mark]} {name}"


def _actions(card: Card, pages: str) -> Json:
    request = card.request
    what = f"{request.group} version {request.version}"
    buttons = [
        button(APPROVE, f"Approve for {request.environment}", f"Approve {what} for {request.environment}")
        | {"value": str(request), "style": "primary", "confirm": _confirm(card)},
        button(REJECT, "Reject…", f"Reject {what}, asks for a reason") | {"value": str(request), "style": "danger"},
    ]
    links = {
        "page": ("Review page", page_of(pages, request) if pages else ""),
        "model": ("Model card", package_link(card.package_arn)),
        "report": ("Evaluation", report_link(card.report_uri, arn=card.package_arn)),
    }
    for name, (text, url) in links.items():
        buttons += [button(LINK + name, text, f"{text} of {what}") | {"url": url}] if url else []
    return {"type": "actions", "elements": buttons}


def _taking_back(card: Card) -> Json:
    request = card.request
    what = f"Revoke {request.group} version {request.version} for {request.environment}, asks for a reason"
    return {"type": "actions", "elements": [button(REVOKE, "Revoke…", what) | {"value": str(request)}]}


def _confirm(card: Card) -> Json:
    return {
        "title": plain_text(f"Approve v{card.request.version} for {card.request.environment}?", 100),
        "text": plain_text(card.consequence, 300),
        "confirm": plain_text("Approve", 30),
        "deny": plain_text("Cancel", 30),
        "style": "primary",
    }


def _table(table: Table) -> Json:
    """Cells are raw text, which is shown as it is; the header and the change are bold."""
    compared = bool(table.champion)
    head = ["Metric", table.challenger, *([table.champion, "Change"] if compared else [])]
    rows = [[_bold(_cell(text, CELL)) for text in head]]
    rows += [_row(row, compared=compared) for row in table.rows[:ROWS]]
    settings = [{"align": "left"}, *({"align": "right"} for _ in head[1:])]
    return {"type": "table", "column_settings": settings, "rows": rows}


def _row(row: Row, *, compared: bool) -> list[Json]:
    cells = [_raw(_cell(row.name, CELL)), _raw(_cell(row.challenger, VALUE))]
    if compared:
        cells += [_raw(_cell(row.champion, VALUE)), _bold(_cell(row.change, VALUE))]
    return cells


def _cell(text: str, limit: int) -> str:
    return cut(one_line(text), limit) or NOTHING


def _raw(text: str) -> Json:
    return {"type": "raw_text", "text": text}


def _bold(text: str) -> Json:
    words = {"type": "text", "text": text, "style": {"bold": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [words]}]}


def _preformatted(table: Json) -> Json:
    rows = [[_text_of(cell) for cell in row] for row in table["rows"]]
    return {**code_block("\n".join(aligned(rows))), "block_id": table["block_id"]}


def _text_of(cell: Json) -> str:
    return str(cell["text"] if "text" in cell else cell["elements"][0]["elements"][0]["text"])


def _padded(row: list[str], widths: list[int], *, right: bool) -> Iterable[str]:
    for column, (text, width) in enumerate(zip(row, widths, strict=True)):
        space = " " * (width - _width(text))
        yield space + text if right and column else text + space


def _width(text: str) -> int:
    """Columns on the screen: Chinese, Japanese and Korean letters and most emoji take two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.category(letter)[0] == "M" for letter in text)
