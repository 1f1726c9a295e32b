"""The neutral card as an Adaptive Card, as plain dicts: https://adaptivecards.io/explorer.

Version 1.5, which Action.Execute wants. Colours are those of container styles, which follow the reader's theme, and
never say alone what they say. Columns have one width: Teams on phones leaves tables with others blank
(https://github.com/microsoft/AdaptiveCards/issues/8853, https://github.com/MicrosoftDocs/msteams-docs/issues/13108).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.card import MENTIONED, Card, Mark, Offer, Row, Step, Table
from bot.console import package_link, report_link
from bot.domain import Act, Answer, RequestId
from bot.line import Line, Strong, plain
from bot.links import page_of
from bot.members import Contact
from bot.overview import counted
from bot.teams.text import breakable, heading, label, rich, weight
from bot.text import JOINER, NOTHING

Json = dict[str, Any]

APPROVE, REJECT, REVOKE, RESTORE, VIEW = "mr.approve", "mr.reject", "mr.revoke", "mr.restore", "mr.view"
"""The verbs of the actions, each with the request in its data."""
ACTS: Mapping[str, Act] = MappingProxyType({REVOKE: Act.REVOKE, RESTORE: Act.RESTORE})
THREAD = "thread"
"""In the data of what is pressed in a thread, on no card that could be shown anew."""
REASON = "reason"
LONGEST_REASON = 2000
CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
NO_REASON = "Please say why: everybody in the channel will read it."

LIMIT = 28 * 1024
"""Bytes of a message, in UTF-8 and in UTF-16: every way into Teams takes as many, some take more."""
AROUND = 1000
"""What stands around a card in a message; this and what follows weighs units of two bytes."""
TITLE, PATH, FACTS, NOTE, TOLD, HISTORY, SUMMARY, LINK = 160, 700, 1000, 450, 800, 900, 300, 700
"""What each part may weigh: together they leave room for some rows of a table in any case, and for all as a rule."""
HEAD, CELL, VALUE, CHANGE, REST = 140, 64, 28, 40, 160
NARROW = 10
"""Letters of a metric's name that a phone has room for beside three numbers."""
ARROW = "   \u203a   "

SIGNS: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.DONE: "✅",
        Mark.ASKED: "⏳",
        Mark.LATER: "⚪",
        Mark.NO: "❌",
        Mark.OVER: "⏩",
        Mark.THREAD: "🧵",
    }
)
"""Each has a shape of its own, for whoever cannot tell their colours."""
WORDS: Mapping[Mark, str] = MappingProxyType(
    {
        Mark.DONE: "Approved",
        Mark.ASKED: "Waiting for approval",
        Mark.NO: "Not approved",
        Mark.OVER: "No longer asked",
    }
)
STYLES: Mapping[Mark, str] = MappingProxyType({Mark.DONE: "good", Mark.ASKED: "accent", Mark.NO: "attention"})
QUIET: Mapping[str, Any] = MappingProxyType({"isSubtle": True, "size": "Small"})


@dataclass(frozen=True, slots=True)
class Note:
    """What one person is told on the card that they see; with `url` there is a button that leads on."""

    text: str
    url: str = ""
    button: str = ""


def drawn(card: Card, *, pages: str = "", note: Note | None = None) -> Json:
    """A card as everybody sees it, or with a note as one person does; `pages` is where our pages are."""
    header = _header(card, SIGNS[card.mark], WORDS.get(card.mark, ""), STYLES.get(card.mark, "emphasis"))
    consequence = [rich((card.consequence,), NOTE, isSubtle=True)] if card.open and card.consequence else []
    verdict = (f"{SIGNS[card.mark]} ", *card.verdict) if card.verdict else ()
    way = [{**_opens(note.button, note.url), "style": "positive"}] if note and note.url else []
    answers = [_approve(card), _with_reason("Reject", REJECT, card.request)] if card.open and not way else []
    answers += [_with_reason("Revoke", REVOKE, card.request)] if card.stands and not way else []
    links = _links(card) if card.open else []
    return _whole(
        card,
        above=[header, *([_note(note)] if note else [])],
        below=[*consequence, *_closing(card, verdict)],
        actions=[*way, *answers, *_page(card, pages), *links],
    )


def recording(card: Card, answer: Answer, name: str, *, pages: str = "") -> Json:
    """The same card for whoever has just answered: nothing can be pressed, and nothing is said to be decided.

    No client asks for it anew by itself: it would be shown buttons again until the answer is recorded.
    """
    given = "approval" if answer is Answer.APPROVE else "rejection"
    verdict: Line = (
        f"{SIGNS[Mark.ASKED]} The {given} by ",
        Strong(name),
        " is being checked. If it counts, this card will say so; else your chat with the bot says why.",
    )
    header = _header(card, SIGNS[Mark.ASKED], "Being checked", "emphasis")
    return _whole(card, above=[header], below=_closing(card, verdict), actions=_page(card, pages))


def reminder(line: Line, people: Sequence[Contact]) -> Json:
    """A line for some people, who are mentioned by their object ids; only a TextBlock can do that.

    https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format
    """
    names = [heading(each.person.name, TITLE) for each in people[:MENTIONED]]
    tags = [f"<at>{name}{JOINER * names[:place].count(name)}</at>" for place, name in enumerate(names)]
    more = f" and {len(people) - MENTIONED} more" if people[MENTIONED:] else ""
    who = {"type": "TextBlock", "text": f"{', '.join(tags)}{more}", "wrap": True}
    card = framed([who, rich(line, TOLD)], plain(line))
    entities = [
        {"type": "mention", "text": tag, "mentioned": {"id": each.person.oid, "name": each.person.name[:TITLE]}}
        for tag, each in zip(tags, people, strict=False)
    ]
    return {**card, "msteams": {**card["msteams"], "entities": entities}}


def offering(line: Line, offers: Sequence[Offer]) -> Json:
    """A line with what may be done about it; each button asks why."""
    verbs = {act: verb for verb, act in ACTS.items()}
    forms = [_with_reason(str(each.act).capitalize(), verbs[each.act], each.request, each.words) for each in offers]
    return {**framed([rich(line, TOLD)], plain(line)), "actions": forms}


def message(card: Json) -> Json:
    """A card as a message: `summary` is what notifications show."""
    attachment = {"contentType": CONTENT_TYPE, "content": card}
    return {"type": "message", "summary": card["fallbackText"], "attachments": [attachment]}


def framed(body: Sequence[Json], summary: str) -> Json:
    """A card's frame around its body; `summary` is for notifications, and where no card can be shown."""
    says = label(summary, SUMMARY)
    return {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "msteams": {"width": "full"},
        "fallbackText": says or NOTHING,
        "speak": says.replace("&", "+").replace("<", "\u2039").replace(">", "\u203a"),  # SSML is read in it
        "body": list(body),
    }


def title(text: str) -> Json:
    """The heading of a card, which screen readers find."""
    words = breakable(heading(text, TITLE)) or NOTHING
    return {"type": "TextBlock", "style": "heading", "size": "Large", "weight": "Bolder", "wrap": True, "text": words}


def room_beside(card: Json) -> int:
    """What else a card may weigh."""
    return LIMIT // 2 - AROUND - weight(card)


def table(head: Sequence[str], rows: Iterable[Sequence[Json]], *, room: int, right: bool) -> Json:
    """A table with a header row and as many rows as weigh at most `room`; columns but the first may be right."""
    aligned = {"horizontalCellContentAlignment": "Right"} if right else {}
    first = _row(rich((text,), HEAD, weight="Bolder", isSubtle=True) for text in head)
    found = {
        "type": "Table",
        "spacing": "Medium",
        "firstRowAsHeaders": True,
        "showGridLines": False,
        "columns": [{"width": 1, **(aligned if place else {})} for place in range(len(head))],
    }
    return {**found, "rows": [first, *_fitting(map(_row, rows), room - weight([found, first]))]}


def cell(text: str, limit: int = CELL, *, narrow: bool = False) -> Json:
    """A cell's words, of which nothing acts; in a narrow one long words may go on in the next line."""
    words = label(text, limit)
    return {"type": "RichTextBlock", "inlines": [(breakable(words, NARROW) if narrow else breakable(words)) or NOTHING]}


def _whole(card: Card, *, above: Sequence[Json], below: Sequence[Json], actions: Sequence[Json]) -> Json:
    refresh = {"action": _execute("Refresh", VIEW, card.request), "userIds": []}
    above = [*above, rich(_path(card.path), PATH)]
    below = [*(rich(note, FACTS // len(card.notes)) for note in card.notes), *below]
    below = [{**below[0], "spacing": "Medium"}, *below[1:]]
    whole = {**framed([*above, *below], card.summary), "refresh": refresh, "actions": list(actions)}
    return {**whole, "body": [*above, *_metrics(card.table, room_beside(whole)), *below]}


def _fitting(rows: Iterable[Json], room: int) -> Iterable[Json]:
    for row in rows:
        room -= weight(row) + 1
        if room < 0:
            return
        yield row


def _header(card: Card, sign: str, words: str, style: str) -> Json:
    state = rich((f"{sign} {words}",), NOTE, weight="Bolder")
    return {"type": "Container", "style": style, "bleed": True, "items": [title(card.title), state]}


def _note(note: Note) -> Json:
    style = "accent" if note.url else "attention"
    return {"type": "Container", "style": style, "items": [rich((note.text,), NOTE, weight="Bolder")]}


def _closing(card: Card, verdict: Line) -> list[Json]:
    told = [rich(verdict, TOLD)] if verdict else []
    return [*told, rich((f"{SIGNS[Mark.THREAD]} ", *card.history), HISTORY, **QUIET)]


def _path(steps: Iterable[Step]) -> Line:
    """The environments in their order, each with its sign; the one that is asked for in bold, with its state."""
    line: Line = ()
    for step in steps:
        name = Strong(f"{step.environment} {step.mark}") if step.here else step.environment
        line = (*line, *([ARROW] if line else []), f"{SIGNS[step.mark]} ", name)
    return line


def _metrics(metrics: Table | None, room: int) -> list[Json]:
    """The table; what does not fit is in the report."""
    if metrics is None or not metrics.rows:
        return []
    compared = bool(metrics.champion)
    head = ["Metric", metrics.challenger, *([metrics.champion, "Change"] if compared else [])]
    rows = [_measured(row, compared=compared) for row in metrics.rows]
    shown = table(head, rows, room=room - REST, right=True)
    left = len(rows) + 1 - len(shown["rows"])
    more = f"{counted(left, 'more metric', 'more metrics')} on the page of this request."
    return [shown, rich((more,), REST, isSubtle=True)] if left else [shown]


def _measured(row: Row, *, compared: bool) -> list[Json]:
    cells = [cell(row.name, narrow=True), cell(row.challenger, VALUE, narrow=True)]
    if compared:
        cells += [cell(row.champion, VALUE, narrow=True), _change(row.change)]
    return cells


def _change(text: str) -> Json:
    """The words say it, the colour says it again."""
    known = {"better": "Good", "worse": "Attention"}
    color = next(({"color": color} for word, color in known.items() if text.endswith(word)), {})
    run = {"type": "TextRun", "text": breakable(label(text, CHANGE), NARROW) or NOTHING, "weight": "Bolder", **color}
    return {"type": "RichTextBlock", "inlines": [run]}


def _row(cells: Iterable[Json]) -> Json:
    return {"type": "TableRow", "cells": [{"type": "TableCell", "items": [each]} for each in cells]}


def _approve(card: Card) -> Json:
    what = f"Approve {card.request.group} version {card.request.version} for {card.request.environment}"
    action = _execute(f"Approve for {card.request.environment}", APPROVE, card.request)
    return {**action, "style": "positive", "tooltip": label(what, TITLE)}


def _with_reason(word: str, verb: str, request: RequestId, title: str = "") -> Json:
    """The form opens below the card, and does not go without a reason; the server asks for one too.

    With a `title` the button is in a thread.
    """
    reason = {
        "type": "Input.Text",
        "id": reason_of(verb) if title else REASON,
        "label": "Why? Everybody in the channel will see the reason.",
        "isMultiline": True,
        "maxLength": LONGEST_REASON,
        "isRequired": True,
        "errorMessage": NO_REASON,
    }
    style = {} if verb == RESTORE else {"style": "destructive"}
    send = {**_execute(f"{word} v{request.version}", verb, request), **style, "associatedInputs": "auto"}
    send["data"] |= {THREAD: True} if title else {}
    form = {"type": "AdaptiveCard", "version": "1.5", "body": [reason], "actions": [send]}
    return {"type": "Action.ShowCard", "title": title or f"{word}…", "card": form}


def reason_of(verb: str) -> str:
    """The input of a form that stands beside another one: ids are one of a kind in a card."""
    return f"{REASON}.{verb}"


def _execute(words: str, verb: str, request: RequestId) -> Json:
    data = {"request": str(request)}
    return {"type": "Action.Execute", "title": words, "verb": verb, "data": data, "associatedInputs": "none"}


def _page(card: Card, pages: str) -> list[Json]:
    return [_opens("Review page", page_of(pages, card.request))] if pages else []


def _links(card: Card) -> list[Json]:
    found = {
        "Model card": package_link(card.package_arn),
        "Evaluation": report_link(card.report_uri, arn=card.package_arn),
    }
    return [_opens(words, url) for words, url in found.items() if url and len(url) <= LINK]


def _opens(words: str, url: str) -> Json:
    return {"type": "Action.OpenUrl", "title": words, "url": url}
