"""The entries of a version's log: what can have happened, as it is kept."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.domain import Answer, ChatUser
from bot.evidence import Evidence, Metric
from bot.measure import Measure
from bot.members import Person
from bot.package import Container


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
