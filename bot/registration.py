"""What the registry should say about a version, as a pure function of its log; and what somebody else made it say."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain import ApprovalStatus, State, rfc3339
from bot.encoding import encode, sha256
from bot.entries import Hand, Observed
from bot.history import VersionState
from bot.package import Package

HISTORY = "approval-history"
DIGEST = "approval-digest"
LONGEST_NUMBER = 9
PUT_BACK_AT_MOST = 2
"""By-hand changes of one version that are put back; then a person has to look."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One full UpdateModelPackage."""

    status: str
    description: str
    metadata: Mapping[str, str]
    life_cycle: tuple[str, str]


def registration_of(state: VersionState, package: Package, path: tuple[str, ...]) -> Registration:
    """Everything the registry should hold; keys of others stay as they are."""
    fields = {environment: str(_field(state, environment)) for environment in _environments(state, path)}
    status = _status(state, fields)
    ours = {**fields, HISTORY: str(state.head)}
    metadata = {**package.metadata, **ours, DIGEST: _digest(status, ours)}
    return Registration(status, _description(state), metadata, _life_cycle(state, fields))


def differs(wanted: Registration, package: Package) -> bool:
    """Whether a write is needed."""
    return (
        wanted.status != package.status
        or wanted.description != package.description
        or dict(wanted.metadata) != dict(package.metadata)
        or wanted.life_cycle != package.life_cycle
    )


def by_hand(state: VersionState, package: Package, path: tuple[str, ...]) -> Observed | None:
    """What somebody changed outside the bot; nothing when we wrote last, or when it comes to the same."""
    if not state.head or _ours(state, package, path):
        return None
    wanted = registration_of(state, package, path)
    names = [*_environments(state, path)]
    if package.status == wanted.status and all(package.metadata.get(name) == wanted.metadata[name] for name in names):
        return None
    by = package.modified_by or "Somebody"
    if package.status == ApprovalStatus.REJECTED:
        if state.pending:
            first = state.pending[0].id
            return Observed("rejected", by, Hand.STOP, first.environment, first.round)
        return Observed("rejected", by, Hand.BRAKE)
    if (
        package.status == ApprovalStatus.APPROVED
        and state.braked
        and ApprovalStatus.APPROVED in wanted.metadata.values()
    ):
        return Observed("approved", by, Hand.RELEASE)
    what = "approved" if package.status == ApprovalStatus.APPROVED else "changed"
    return Observed(what, by, Hand.PUT_BACK if state.put_back < PUT_BACK_AT_MOST else Hand.LEFT)


def last_written(package: Package) -> int:
    """The number of the entry that the bot's last write followed; 0 where the registry no longer says what it wrote."""
    said, statuses = package.metadata.get(HISTORY, ""), set(ApprovalStatus)
    ours = {name: value for name, value in package.metadata.items() if name == HISTORY or value in statuses}
    known = said.isdecimal() and said.isascii() and len(said) <= LONGEST_NUMBER
    return int(said) if known and package.metadata.get(DIGEST) == _digest(package.status, ours) else 0


def _ours(state: VersionState, package: Package, path: tuple[str, ...]) -> bool:
    """Whether the registry holds exactly what some write of ours left there, be it a late one."""
    names = [*_environments(state, path)]
    ours = {name: package.metadata[name] for name in (*names, HISTORY) if name in package.metadata}
    if DIGEST in package.metadata:
        return package.metadata[DIGEST] == _digest(package.status, ours)
    return package.status == ApprovalStatus.PENDING and not ours


def _environments(state: VersionState, path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*state.path, *path)))


def _field(state: VersionState, environment: str) -> ApprovalStatus:
    if state.standing(environment):
        return ApprovalStatus.APPROVED
    one = state.current(environment)
    if one and one.state in (State.REJECTED, State.REVOKED):
        return ApprovalStatus.REJECTED
    return ApprovalStatus.PENDING


def _status(state: VersionState, fields: Mapping[str, str]) -> str:
    values = set(fields.values())
    if state.braked:
        return ApprovalStatus.REJECTED
    if ApprovalStatus.APPROVED in values:
        return ApprovalStatus.APPROVED
    return ApprovalStatus.REJECTED if ApprovalStatus.REJECTED in values else ApprovalStatus.PENDING


def _description(state: VersionState) -> str:
    """Who approved what, on one line within 1,024 characters."""
    parts = []
    for environment in state.path:
        if one := state.current(environment):
            who = ", ".join(vote.by.name for vote in one.approvals) if one.state is State.APPROVED else ""
            when = rfc3339((one.ending or one.opened_entry).at)
            parts.append(f"{environment} {one.state}{f' by {who}' if who else ''} {when}")
    return " ".join("; ".join(parts).split())[:1024]


def _life_cycle(state: VersionState, fields: Mapping[str, str]) -> tuple[str, str]:
    """The furthest environment that has been asked, and how it stands (SageMaker's template words)."""
    asked = [environment for environment in state.path if state.current(environment)]
    if not asked:
        return ("", "")
    words = {ApprovalStatus.PENDING: "PendingApproval"}
    return (asked[-1], words.get(ApprovalStatus(fields[asked[-1]]), fields[asked[-1]]))


def _digest(status: str, ours: Mapping[str, str]) -> str:
    return sha256(encode([status, dict(ours)]))[:16]
