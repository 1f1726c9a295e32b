"""The values everything else speaks in. Standard library only; nothing here does I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from bot.encoding import encode, sha256
from bot.errors import Malformed

GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
ENVIRONMENT = re.compile(r"[a-z0-9](-*[a-z0-9]){0,30}")


class ApprovalStatus(StrEnum):
    """SageMaker's own words (ModelApprovalStatus)."""

    PENDING = "PendingManualApproval"
    APPROVED = "Approved"
    REJECTED = "Rejected"


class Answer(StrEnum):
    """What an approver can say."""

    APPROVE = "approve"
    REJECT = "reject"


class Act(StrEnum):
    """What an approver can do with an approval: take it back, or take back that somebody rejected it by hand."""

    REVOKE = "revoke"
    RESTORE = "restore"


class State(StrEnum):
    """Where one round of a request stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    ENDED = "ended"
    REVOKED = "revoked"


def rfc3339(moment: datetime) -> str:
    """`2026-11-24T02:20:31.123Z`: UTC, milliseconds; sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """Read an RFC 3339 time; raise `ValueError` when it has no zone or is none."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return parsed.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError(f"{text!r} is out of range") from problem


@dataclass(frozen=True, slots=True, order=True)
class ModelVersion:
    """One version of a model package group: the unit that has a log of its own."""

    group: str
    version: int

    def __str__(self) -> str:
        return f"{self.group} v{self.version}"


@dataclass(frozen=True, slots=True, order=True)
class RequestId:
    """A natural key, readable and already the parameter path: `churn/7/uat/1`."""

    group: str
    version: int
    environment: str
    round: int

    @classmethod
    def parse(cls, text: str) -> "RequestId":
        """Read `group/version/environment/round`; raise `Malformed` for anything else."""
        parts = text.split("/")
        good = (
            len(parts) == len(("group", "version", "environment", "round"))
            and GROUP.fullmatch(parts[0])
            and ENVIRONMENT.fullmatch(parts[2])
            and all(re.fullmatch(r"[1-9][0-9]{0,8}", number) for number in (parts[1], parts[3]))
        )
        if not good:
            raise Malformed(f"{text[:120]!r} is not a request id such as churn/7/uat/1.")
        return cls(parts[0], int(parts[1]), parts[2], int(parts[3]))

    @property
    def model(self) -> ModelVersion:
        """The version whose log holds this request."""
        return ModelVersion(self.group, self.version)

    def __str__(self) -> str:
        return f"{self.group}/{self.version}/{self.environment}/{self.round}"


@dataclass(frozen=True, slots=True)
class ChatUser:
    """Who pressed a button, as the surface names them, and where to answer them privately.

    `oid` is the person of the directory where the door knows it: by a verified link, or because they signed in.
    """

    surface: str
    team: str
    user: str
    channel: str = ""
    oid: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the directory: the object id is the identity, the name is for display."""

    oid: str
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """What the directory said about a person at one moment."""

    person: Person
    enabled: bool
    member: bool
    groups: frozenset[str]
    checked_at: datetime
    addresses: frozenset[str] = frozenset()
    """Mail and user principal name, in lower case."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to tell, and where mail reaches them; no address where the directory has none."""

    person: Person
    address: str = ""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who registered the version or asked for the round; `oid` is empty when nobody could be found.

    `declared`: a pipeline has said so itself, in metadata that anybody who registers may write.
    """

    name: str
    oid: str = ""
    declared: bool = False

    @property
    def known(self) -> bool:
        """Whether AWS or a sign-in stands for it."""
        return bool(self.oid) and not self.declared


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a model package; empty where AWS gives nothing ("not pinned")."""

    image: str
    image_digest: str = ""
    model_data: str = ""
    model_data_etag: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the bytes, not only their addresses, are known."""
        return bool(self.image_digest) and (bool(self.model_data_etag) or not self.model_data)


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value with its reported standard deviation and unit, if any."""

    name: str
    value: float
    deviation: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """What the policy says of a metric: whether `higher` or `lower` is better, and the bounds it is to keep."""

    name: str
    better: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def says_of(self, metric: Metric) -> bool:
        """Whether it is this metric; a report names those of several groups `group.name`."""
        return self.name in (metric.name, metric.name.rpartition(".")[2])

    def kept_by(self, metric: Metric) -> bool:
        """Whether a value keeps the bounds."""
        above = self.at_least is None or metric.value >= self.at_least
        return above and (self.at_most is None or metric.value <= self.at_most)


@dataclass(frozen=True, slots=True)
class Run:
    """A batch inference that was measured: where it ran, how whoever started it calls it, and when it ended."""

    environment: str
    name: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured, where it was read and the digest of what was read; or why it could not be read.

    Without a `run` it is the evaluation of the registration. What was only told has no digest. `violations` are those
    that Model Monitor or Clarify found, the first ones by name: `age: baseline_drift_check`.
    """

    metrics: tuple[Metric, ...] = ()
    uri: str = ""
    sha256: str = ""
    problem: str = ""
    run: Run | None = None
    violations: tuple[str, ...] = ()
    more_violations: int = 0


@dataclass(frozen=True, slots=True)
class Champion:
    """The version that an environment runs when a challenger asks for it."""

    version: int
    metrics: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A round was opened: everything the card shows and every rule that binds it, frozen."""

    environment: str
    round: int
    arn: str
    fingerprint: str
    containers: tuple[Container, ...]
    path: tuple[str, ...]
    approvers: str
    required: int
    four_eyes: bool
    distinct: bool
    unknown_requester: str
    expires_at: datetime
    policy: str
    requester: Requester
    evidence: Evidence = field(default_factory=Evidence)
    champion: Champion | None = None
    commit: str = ""
    commit_url: str = ""
    approvers_name: str = ""
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer, with the membership evidence it rests on."""

    environment: str
    round: int
    answer: Answer
    by: Person
    via: ChatUser
    group: str
    checked_at: datetime
    required: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Superseded:
    """A newer version was approved for the environment."""

    environment: str
    round: int
    by: int


@dataclass(frozen=True, slots=True)
class Expiry:
    """Nobody answered in time."""

    environment: str
    round: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """An approval was taken back by a member of the approver group."""

    environment: str
    round: int
    by: Person
    via: ChatUser
    group: str
    checked_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Restored:
    """A rejection by hand was taken back by a member of the approver group: what was approved stands as before."""

    environment: str
    round: int
    by: Person
    via: ChatUser
    group: str
    checked_at: datetime
    reason: str


class Hand(StrEnum):
    """What was done about a change that somebody made outside the bot."""

    PUT_BACK = "put back"
    STOP = "stop"
    BRAKE = "brake"
    RELEASE = "release"
    LEFT = "left"
    REPOINTED = "approved model put back"


@dataclass(frozen=True, slots=True)
class Observed:
    """Somebody changed the registry or a parameter by hand."""

    what: str
    by: str
    action: Hand
    environment: str = ""
    round: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A batch inference that asks for nothing: it failed, or what it reported is not what the policy wants."""

    environment: str
    run: str
    problem: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """An entry of a kind or shape this code does not know: kept, ignored."""

    kind: str


Event = Opened | Vote | Superseded | Expiry | Revoked | Restored | Observed | Measured | Unknown


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable line of a version's log. `prev` is the sha256 of the encoded entry before."""

    seq: int
    at: datetime
    op: str
    prev: str
    event: Event
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """A model package version as the registry describes it."""

    model: ModelVersion
    arn: str
    status: str
    description: str = ""
    package_status: str = "Completed"
    registration: str = "Registered"
    created_at: datetime | None = None
    modified_at: datetime | None = None
    created_by: str = ""
    modified_by: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    life_cycle: tuple[str, str] = ("", "")
    containers: tuple[Container, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    commit: str = ""
    repository: str = ""

    @property
    def fingerprint(self) -> str:
        """Digest of what a decision is bound to: the package, its images and model data, its evaluation reports."""
        containers = [
            [each.image, each.image_digest, each.model_data, each.model_data_etag] for each in self.containers
        ]
        return sha256(encode([self.arn, containers, [list(each) for each in self.metrics]]))

    @property
    def commit_url(self) -> str:
        """Where the commit can be read, when the repository is given as a web address."""
        known = self.commit and self.repository.startswith("https://")
        return f"{self.repository.removesuffix('.git')}/commit/{self.commit}" if known else ""

    @property
    def metrics_uri(self) -> str:
        """Where the evaluation report of the registration lies, or nothing."""
        return self.metrics[0][0] if self.metrics else ""

    @property
    def metrics_digest(self) -> str:
        """The sha256 of that report in hexadecimal, if it was registered: AWS writes `sha256:…`."""
        kind, _, digest = self.metrics[0][1].lower().partition(":") if self.metrics else ("", "", "")
        return digest if kind == "sha256" else ""


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a card was posted."""

    channel: str
    ts: str
