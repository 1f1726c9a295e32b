"""What has happened to a version, told as in the chats, with the page of each request."""

from dataclasses import dataclass
from datetime import datetime

from bot.card import told
from bot.entries import Entry
from bot.history import VersionState
from bot.line import Line
from bot.web.overview import page_of, request_page


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step of the history: when, what, and the page of the request that it opened, if any."""

    at: datetime
    line: Line
    environment: str = ""
    page: str = ""


def story_of(state: VersionState) -> dict[str, object]:
    """What a page says of a version beside the request itself."""
    history = [_chapter(state, entry) for entry in state.entries]
    return {"history": history, "model": str(state.model), "model_page": page_of(state.model)}


def _chapter(state: VersionState, entry: Entry) -> Chapter:
    one = next((each for each in state.all_rounds if each.opened_entry is entry), None)
    if one is None:
        return Chapter(entry.at, told(state, entry))
    return Chapter(entry.at, told(state, entry), one.id.environment, request_page(one.id))
