"""Which model an environment's pointer has to name, seen from one version's log. Pure, but for the rare recount."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from bot.approved import APPROVED, ApprovedModel, approved_model_of, nothing_approved, read_approved, succeed
from bot.domain import ModelVersion
from bot.encoding import sha256
from bot.entries import Hand, Observed
from bot.history import VersionState
from bot.names import Names
from bot.ports import Written
from bot.status import Slot


class Doubt(Enum):
    """The pointer cannot be settled from this log alone."""

    RECOUNT = auto()


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer as it was read, and what the status says that we last wrote there."""

    environment: str
    raw: str | None
    slot: Slot | None
    place: str = ""

    @property
    def moved(self) -> bool:
        """Whether the policy has the environment elsewhere by now: nobody has removed what is not here yet."""
        return self.slot is not None and self.slot.place != self.place

    @property
    def value(self) -> ApprovedModel | None:
        """Parsed totally: unreadable counts as nothing."""
        return read_approved(self.raw)

    @property
    def trusted(self) -> bool:
        """Whether nobody else has written since we did, here."""
        return not self.moved and (sha256(self.raw) if self.raw else "") == (self.slot.written if self.slot else "")


def settle(pointer: Pointer, state: VersionState, names: Names) -> ApprovedModel | Doubt | None:
    """What has to be written, nothing when the pointer is right, or a doubt that only all logs can settle."""
    current = pointer.value
    wanted = own_approval(state, pointer.environment, names)
    names_us = current is not None and current.stands and current.model_package_version == state.model.version
    if not pointer.trusted:
        return Doubt.RECOUNT
    if wanted is None:
        return Doubt.RECOUNT if names_us else None
    if state.braked and not names_us:
        return None  # somebody has rejected it by hand: what loads it goes on, nothing begins to
    return better(wanted, current)


def own_approval(state: VersionState, environment: str, names: Names) -> ApprovedModel | None:
    """What the pointer would say if this version's standing approval were the newest."""
    one = state.standing(environment)
    return approved_model_of(one, state, names, None) if one else None


def better(wanted: ApprovedModel, current: ApprovedModel | None) -> ApprovedModel | None:
    """The later approval wins, by time and version; nothing when the current one stays."""
    if current is not None and current.status == APPROVED and current.order > wanted.order:
        return None
    wanted = succeed(wanted, current)
    return wanted if current is None or wanted.encoded() != current.encoded() else None


def recounted(pointer: Pointer, standing: Iterable[ApprovedModel], model: ModelVersion) -> ApprovedModel | None:
    """What the pointer has to say after all logs were read: the newest standing approval, else that there is none."""
    ranked = sorted(standing, key=lambda each: each.order, reverse=True)
    current = pointer.value
    if not ranked:
        if current is not None and not current.stands:
            return None
        return nothing_approved(model, pointer.environment, current.model_package_version if current else None)
    wanted = succeed(ranked[0], current) if pointer.trusted else _after_a_hand(ranked, current)
    return wanted if wanted.encoded() != pointer.raw else None


def repointed(pointer: Pointer, written: Sequence[Written], ours: Iterable[ApprovedModel]) -> Observed | None:
    """What somebody else did to a pointer; nothing where it may have been a write of ours that was not noted.

    Whoever was the first to write the value that our status remembers is ourselves. Of a parameter that still has all
    its versions, and not that one, somebody has removed ours. Where AWS does not tell, or keeps that value no longer, a
    value is taken for our own that names a standing approval.
    """
    slot, last = pointer.slot, written[-1] if written else None
    if pointer.moved:
        return None
    if pointer.raw is None:
        what = "removed"
        if written or not slot or not slot.written:
            return None
    elif last is None or last.value != pointer.raw:
        return None
    else:
        us = [each.by for each in written if slot and sha256(each.value) == slot.written][:1]
        gone = bool(slot and slot.written and not us and written[0].version == 1)
        known = any(
            pointer.value is not None and replace(each, previous=pointer.value.previous) == pointer.value
            for each in ours
        )
        if not gone and (last.by in us if any(us) and last.by else known):
            return None
        named = pointer.value.model_package_version if pointer.value and pointer.value.stands else None
        what = f"set to v{named}" if named else "set to nothing that can be loaded"
    by = re.split("[/:]", last.by)[-1] if last else ""
    return Observed(what, by, Hand.REPOINTED, pointer.environment)


def _after_a_hand(ranked: list[ApprovedModel], current: ApprovedModel | None) -> ApprovedModel:
    """Keep a value that differs from ours in `previous` alone; else name the runner-up as the version before."""
    if current and replace(ranked[0], previous=current.previous) == current:
        return current
    others = [
        each.model_package_version for each in ranked if each.model_package_version != ranked[0].model_package_version
    ]
    return replace(ranked[0], previous=others[0] if others else None)
