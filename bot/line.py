"""A line of neutral text, which every surface turns into its own."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain import ChatUser


@dataclass(frozen=True, slots=True)
class Strong:
    """Words in bold."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Something literal: a commit, a path."""

    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A person: named, and addressed where the surface knows them."""

    name: str
    via: ChatUser | None = None


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, shown in the reader's own zone where the surface can."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to a web page."""

    text: str
    url: str


Part = str | Strong | Code | Mention | Moment | Link
Line = tuple[Part, ...]
"""A line of neutral text. Every plain string in it is untrusted and is escaped by the surface."""


def plain(line: Line) -> str:
    """A line as plain text, times in UTC."""
    return "".join(_plain(part) for part in line)


def _plain(part: Part) -> str:
    match part:
        case str():
            return part
        case Strong(text) | Code(text) | Link(text):
            return text
        case Mention(name):
            return name
        case Moment(at):
            return f"{at:%Y-%m-%d %H:%M} UTC"
