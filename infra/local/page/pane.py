"""What the page asks of each part of the workspace."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

Json = dict[str, Any]
Act = Callable[[str, Json], Json]
"""Does what a person (a user id of Slack's) asks for, with what they filled in; gives what the page is to say."""


class Mistaken(Exception):
    """A person asked for what cannot be done; the text says what, and what to do."""


class Pane(Protocol):
    """One part of the workspace; `name` is its key in the state, and the first part of the paths of its acts."""

    name: str
    acts: Mapping[str, Act]

    def version(self) -> Hashable:
        """What is another value whenever there is something new to see; costs next to nothing."""

    def seen_by(self, user: str) -> Json:
        """What there is to see for a person, by their id in Slack."""
