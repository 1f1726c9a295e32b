"""What people ask of the one writer, by a button, a form, a page or a command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from bot.domain import Act, Answer, ChatUser, MessageRef, ModelVersion, RequestId
from bot.encoding import sha256

PATIENCE = timedelta(minutes=15)
"""A click that could not be recorded by then must be repeated; no later delivery may record it."""


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """A person pressed Approve, or gave the reason of a Reject."""

    kind: ClassVar[str] = "answer"
    request: RequestId
    answer: Answer
    by: ChatUser
    op: str
    at: datetime
    reason: str = ""
    card: MessageRef | None = None

    @property
    def model(self) -> ModelVersion:
        """Whose log it concerns."""
        return self.request.model


@dataclass(frozen=True, slots=True)
class ActJob:
    """A person takes an approval back, or that somebody rejected it by hand."""

    kind: ClassVar[str] = "act"
    act: Act
    request: RequestId
    by: ChatUser
    op: str
    at: datetime
    reason: str = ""
    card: MessageRef | None = None

    @property
    def model(self) -> ModelVersion:
        """Whose log it concerns."""
        return self.request.model


@dataclass(frozen=True, slots=True)
class RequestJob:
    """A person asks for a (new) round of an environment."""

    kind: ClassVar[str] = "request"
    model: ModelVersion
    environment: str
    by: ChatUser
    op: str
    at: datetime


@dataclass(frozen=True, slots=True)
class QuestionJob:
    """Somebody asks in private: who may answer a `request`, or, without one, what waits for their own answer.

    `about` is an address of the company, an object id, or an account of the same chat; nothing for oneself.
    """

    kind: ClassVar[str] = "question"
    by: ChatUser
    op: str
    at: datetime
    request: RequestId | None = None
    about: str = ""

    @property
    def model(self) -> ModelVersion:
        """No group can have that name: one person's questions wait behind nothing else, and nothing behind them."""
        return ModelVersion(f"_questions-{sha256(self.by.user)[:16]}", 1)


Decision = AnswerJob | ActJob


Click = Decision | RequestJob
