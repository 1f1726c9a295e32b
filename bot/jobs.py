"""What doors, timers and hints ask the one writer to do, and how it travels through the queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.codec import from_json, to_json
from bot.domain import Act, Answer, ChatUser, MessageRef, Metric, ModelVersion, RequestId, Run, rfc3339
from bot.encoding import decode, encode, sha256
from bot.errors import Malformed

PATIENCE = timedelta(minutes=15)
"""A click that could not be recorded by then must be repeated; no later delivery may record it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a job was delivered: for the how-manieth time, whether for the last, or out of the dead letters."""

    receives: int = 1
    last: bool = False
    dead: bool = False


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """A person pressed Approve, or gave the reason of a Reject."""

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

    model: ModelVersion
    environment: str
    by: ChatUser
    op: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A hint that a request may have to be opened: a registration, an approval, a changed model.

    `fresh` says that the sender took it for a new version; `metrics_uri` is where it says that the evaluation lies:
    both only save time, and are compared with the registry before they count.
    """

    model: ModelVersion
    sender: str
    fresh: bool = False
    metrics_uri: str = ""

    @property
    def op(self) -> str:
        """Who sent it is part of the name: a hint may come again."""
        return f"open|{self.model.group}|{self.model.version}|{self.sender}"


@dataclass(frozen=True, slots=True)
class MeasureJob:
    """A batch inference has ended in an environment: with metrics, told or stored at `uri`, or with a problem.

    `optional` says that nobody named the `uri`: where nothing lies, nothing was reported. What was written before
    `since` is of an earlier run, unless its `uri` was named.
    """

    model: ModelVersion
    run: Run
    sender: str
    metrics: tuple[Metric, ...] = ()
    uri: str = ""
    problem: str = ""
    optional: bool = False
    violations_uri: str = ""
    since: datetime | None = None

    @property
    def op(self) -> str:
        """One for each run, however often it is told."""
        return f"measured|{self.model.group}|{self.model.version}|{self.run.environment}|{self.run.name}"

    @property
    def told(self) -> str:
        """Names the entry that says why the run asks for nothing; what it asks for later is another one."""
        return f"{self.op}|told"


@dataclass(frozen=True, slots=True)
class CheckJob:
    """A hint that registry, approved models or cards of a version may differ from its log."""

    model: ModelVersion
    sender: str
    environments: tuple[str, ...] = ()

    @property
    def op(self) -> str:
        """Who sent it is part of the name: a hint may come again."""
        return f"check|{self.model.group}|{self.model.version}|{self.sender}"


@dataclass(frozen=True, slots=True)
class SupersedeJob:
    """A newer version was approved while this request was pending."""

    request: RequestId
    by: int
    sender: str = ""

    @property
    def model(self) -> ModelVersion:
        """Whose log it concerns."""
        return self.request.model

    @property
    def op(self) -> str:
        """One entry, however often it is asked for."""
        return f"superseded|{self.request}|{self.by}"


@dataclass(frozen=True, slots=True)
class TidyJob:
    """The sweep asks whether a marker has done its work."""

    model: ModelVersion
    environment: str
    sender: str

    @property
    def op(self) -> str:
        """Who sent it is part of the name."""
        return f"tidy|{self.model.group}|{self.model.version}|{self.environment}|{self.sender}"


@dataclass(frozen=True, slots=True)
class QuestionJob:
    """Somebody asks in private: who may answer a `request`, or, without one, what waits for their own answer.

    `about` is an address of the company, an object id, or an account of the same chat; nothing for oneself.
    """

    by: ChatUser
    op: str
    at: datetime
    request: RequestId | None = None
    about: str = ""

    @property
    def model(self) -> ModelVersion:
        """No group can have that name: one person's questions wait behind nothing else, and nothing behind them."""
        return ModelVersion(f"_questions-{sha256(self.by.user)[:16]}", 1)


@dataclass(frozen=True, slots=True)
class BeatJob:
    """A sweep has run: that this arrives shows that the bot is well."""

    sender: str
    at: datetime
    parameters: int = 0
    quota: int = 0

    @property
    def model(self) -> ModelVersion:
        """No group can have that name."""
        return ModelVersion("_health", 1)

    @property
    def op(self) -> str:
        """One for each sweep."""
        return f"beat|{self.sender}"


Decision = AnswerJob | ActJob
Click = Decision | RequestJob
Job = Click | QuestionJob | OpenJob | MeasureJob | CheckJob | SupersedeJob | TidyJob | BeatJob

KINDS: Mapping[str, type[Job]] = MappingProxyType(
    {
        "answer": AnswerJob,
        "act": ActJob,
        "request": RequestJob,
        "question": QuestionJob,
        "open": OpenJob,
        "measure": MeasureJob,
        "check": CheckJob,
        "supersede": SupersedeJob,
        "tidy": TidyJob,
        "beat": BeatJob,
    }
)
OPENINGS = (OpenJob, MeasureJob, RequestJob, TidyJob)
"""The jobs that may append `opened`, post new cards or remove markers: the only ones on the queue `openings`."""


def encode_job(job: Job) -> str:
    """The body of the queue's message."""
    kind = next(word for word, each in KINDS.items() if isinstance(job, each))
    return encode({**to_json(job), "kind": kind})


def decode_job(text: str) -> Job:
    """Read a message's body; raise `Malformed` for anything that no door of ours wrote."""
    value = decode(text)
    kind = KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if kind is None:
        raise Malformed(f"not a job: {text[:120]!r}")
    return from_json(kind, value)


def deduplication_id(job: Job) -> str:
    """At most 128 characters of [a-z0-9]: the same click within five minutes is swallowed by the queue.

    A timer or hint carries its sender, so that one that was refused can be sent again.
    """
    return sha256(f"{job.op}|{getattr(job, 'sender', '')}")


def overdue(job: Job, now: datetime) -> bool:
    """Whether a click is too old to be recorded."""
    return isinstance(job, Click) and now >= job.at + PATIENCE


def described(job: Job) -> str:
    """The job in a few words, for logs."""
    at = f" at {rfc3339(job.at)}" if isinstance(job, Click) else ""
    return f"{type(job).__name__} {job.op}{at}"
