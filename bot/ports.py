"""What the core asks of its neighbours. Each port has one contract test, run against memory and against the adapter.

Whoever implements a port imports what it speaks of; whoever only asks for one, as the doors do, needs the names alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bot.domain import ChatUser, MessageRef, ModelVersion

if TYPE_CHECKING:
    from bot.card import Card, Offer
    from bot.evidence import Evidence
    from bot.jobs import Job
    from bot.line import Line
    from bot.members import Contact, Member
    from bot.package import Listed, Package

T = TypeVar("T")
Clock = Callable[[], datetime]
"""Now, with a time zone."""


class Crew(Protocol):
    """Runs remote calls side by side."""

    def together(self, *calls: Callable[[], Any]) -> tuple[Future[Any], ...]:
        """Run all of them and wait for all of them; each future holds its result or its error."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """A stored value and the number of times it was written."""

    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Stored:
    """A value by its name, how many times it was written, and when last, where that is known."""

    name: str
    value: str
    version: int = 1
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """One version of a parameter, and the ARN of whoever wrote it; empty where that is not known."""

    value: str
    by: str = ""
    version: int = 0


class Parameters(Protocol):
    """Parameter Store: named values, created or overwritten. One port, because one call reads across all of them."""

    def get(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        """Read at most ten names in one call; what does not exist is left out. `name:3` reads an old version."""
        ...

    def create(self, name: str, value: str) -> bool:
        """Create if absent, atomically; `False` when the name is taken."""
        ...

    def put(self, name: str, value: str) -> int:
        """Write, whatever is there; return the number of the version written."""
        ...

    def delete(self, name: str) -> None:
        """Remove; a name that is not there is fine."""
        ...

    def written(self, name: str) -> Sequence[Written]:
        """The versions of a name that are still kept, oldest first; none of one that is not there."""
        ...

    def below(self, path: str) -> Iterable[Stored]:
        """Everything below a path, page by page."""
        ...

    def counted(self) -> int:
        """How many there are in the whole account, ours or not."""
        ...


class ModelRegistry(Protocol):
    """The SageMaker Model Registry."""

    def describe(self, model: ModelVersion) -> "Package | None":
        """Read one version; nothing when there is none."""
        ...

    def update(
        self,
        package: "Package",
        *,
        status: str,
        description: str,
        metadata: Mapping[str, str],
        life_cycle: tuple[str, str],
    ) -> None:
        """Write status, description, the whole metadata map and the life cycle in one call."""
        ...

    def versions(
        self, group: str | None = None, *, status: str | None = None, created_after: datetime | None = None
    ) -> "Iterable[Listed]":
        """List versions, newest first, page by page; of one group or of all."""
        ...


class Evaluations(Protocol):
    """Where evaluation reports lie."""

    def read(
        self, uri: str, *, optional: bool = False, since: datetime | None = None, patient: bool = False
    ) -> "Evidence":
        """Read a report; what cannot be read is said in `problem`.

        An `optional` report that is not there was not reported; one from before `since` is not there. Nothing is raised
        but, to the `patient`, `Unavailable` for what may pass.
        """
        ...

    def violations(self, uri: str, *, since: datetime | None = None, patient: bool = False) -> "Evidence":
        """Read which constraints were not kept; none are where there is no such report. Else as `read`."""
        ...


class Directory(Protocol):
    """Who people are and where they belong, at this moment."""

    def member(self, user: ChatUser, groups: Sequence[str]) -> "Member":
        """Tie a chat account to a person, and ask for account and groups now; raise `NotIdentified`, `Unavailable`."""
        ...

    def find(self, email: str) -> str:
        """The object id of the one person with this address, or nothing."""
        ...

    def within(self, group: str) -> "Sequence[Contact]":
        """The enabled members of the tenant who are in a group, by name; of a group that is not there, nobody."""
        ...


class Channel(Protocol):
    """A chat: post, reply, update, and a private word."""

    repaints: bool
    """Whether a card can be shown anew where it is; else (a mail) only its end is told, as a reply."""

    def post(self, channel: str, card: "Card", first: MessageRef | None = None) -> MessageRef:
        """Post a card, after the `first` one of its version here, if there is one.

        Raise `Refused` when this channel will never take it, `Unavailable` when it may later.
        """
        ...

    def update(self, ref: MessageRef, card: "Card") -> None:
        """Show the card as it is now, for everybody."""
        ...

    def reply(self, ref: MessageRef, line: "Line", card: "Card", offers: "Sequence[Offer]" = ()) -> None:
        """Add a line to the card's thread, with what may be pressed below it; `card` is how it looks by now."""
        ...

    def remind(self, ref: MessageRef, line: "Line", card: "Card", people: "Sequence[Contact]") -> None:
        """Add a line to the card's thread that these people are told of; with none, it is for whoever reads it."""
        ...

    def tell(self, user: ChatUser, text: str) -> None:
        """Say something to one person, in private."""
        ...


class Secret(Protocol):
    """A secret that may be rotated while we run."""

    def __call__(self) -> str:
        """Give it; raise `Unavailable` when it cannot be had."""
        ...

    def fresh(self) -> str:
        """Give it as it is by now: the one that was given before has been refused."""
        ...


class Sealer(Protocol):
    """Closes a text so that nobody can read or alter it; a purpose is part of the lock."""

    def seal(self, purpose: str, text: str) -> str:
        """Give letters that may stand in a URL or a cookie; raise `Unavailable`."""
        ...

    def unseal(self, purpose: str, sealed: str) -> str:
        """Give the text back; raise `BrokenLink` for anything not sealed here for this purpose, `Unavailable`."""
        ...


class Jobs(Protocol):
    """The two FIFO queues; the job's kind chooses the queue, the model package group orders it."""

    def put(self, job: "Job") -> None:
        """Hand a job over; raise `Unavailable` when it could not be."""
        ...
