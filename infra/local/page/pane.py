"""What the page asks of each part of the workspace."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]
Act = Callable[[str, Json], Json]
"""Does what a person (a user id of Slack's) asks for, with what they filled in; gives what the page is to say."""


class Mistaken(Exception):
    """A person asked for what cannot be done; the text says what, and what to do."""


class Given(dict[str, Any]):
    """What a person filled in."""

    def __missing__(self, name: str) -> object:
        raise Mistaken(f"“{name}” is needed.")


class Pane(ABC):
    """One part of the workspace; `name` is its key in the state, and the first part of the paths of its acts."""

    name = ""
    acts: Mapping[str, Act] = MappingProxyType({})

    @abstractmethod
    def version(self) -> Hashable:
        """What is another value whenever there is something new to see; costs next to nothing."""

    @abstractmethod
    def seen_by(self, user: str) -> Json:
        """What there is to see for a person, by their id in Slack."""

    def document(self, _name: str, /) -> str:
        """An HTML document of the pane's own, shown in a frame; nothing if there is none of that name."""
        return ""

    def close(self) -> None:  # noqa: B027 - most have nothing to let go of
        """Let go of the stack."""
