"""The values everything else speaks in. Standard library only; nothing here does I/O."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

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
class MessageRef:
    """Where a card was posted."""

    channel: str
    ts: str
