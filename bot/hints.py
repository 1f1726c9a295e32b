"""What events, timers and earlier jobs ask of the one writer."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.domain import ModelVersion, RequestId
from bot.evidence import Metric, Run


@dataclass(frozen=True, slots=True)
class OpenJob:
    """A hint that a request may have to be opened: a registration, an approval, a changed model.

    `fresh` says that the sender took it for a new version; `metrics_uri` is where it says that the evaluation lies:
    both only save time, and are compared with the registry before they count.
    """

    kind: ClassVar[str] = "open"
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

    kind: ClassVar[str] = "measure"
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

    kind: ClassVar[str] = "check"
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

    kind: ClassVar[str] = "supersede"
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

    kind: ClassVar[str] = "tidy"
    model: ModelVersion
    environment: str
    sender: str

    @property
    def op(self) -> str:
        """Who sent it is part of the name."""
        return f"tidy|{self.model.group}|{self.model.version}|{self.environment}|{self.sender}"


@dataclass(frozen=True, slots=True)
class BeatJob:
    """A sweep has run: that this arrives shows that the bot is well."""

    kind: ClassVar[str] = "beat"
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
