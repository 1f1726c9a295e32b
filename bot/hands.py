"""What somebody changed in the registry or in the approved models outside the bot: recorded once for each change."""

import logging
from collections.abc import Iterable
from dataclasses import replace

from bot.approved import ApprovedModel
from bot.encoding import sha256
from bot.entries import Hand, Observed
from bot.hints import CheckJob
from bot.history import VersionState
from bot.neighbours import Neighbours
from bot.package import Package
from bot.pointers import Pointer, repointed
from bot.records import Look
from bot.registration import by_hand

log = logging.getLogger(__name__)


class Hands:
    """Watches the registry and the approved models for other people's writes."""

    def __init__(self, near: Neighbours) -> None:
        self._near = near

    def observe(self, look: Look, package: Package | None) -> Look:
        """Append what was done by hand, if something was and the log does not hold it yet."""
        while package is not None:
            seen = by_hand(look.state, package, self._near.policy.path)
            op = _op(package)
            if seen is None or look.state.holds(op):
                break
            state = self._near.records.append(look.state, seen, op, self._near.clock())
            look = replace(look, state=state or self._near.records.read_past(look.state))
            if seen.action is Hand.LEFT:
                log.error("%s was changed by hand again by %s; it is left as it is", look.state.model, seen.by)
        return look

    def left(self, look: Look, package: Package | None) -> bool:
        """Whether the registry holds a change that was recorded as left as it is."""
        if package is None or by_hand(look.state, package, self._near.policy.path) is None:
            return False
        entry = look.state.entry_of(_op(package))
        return entry is not None and isinstance(entry.event, Observed) and entry.event.action is Hand.LEFT

    def puts_off(
        self, state: VersionState, pointer: Pointer, wanted: ApprovedModel, ours: Iterable[ApprovedModel], sender: str
    ) -> bool:
        """Whether a pointer that was changed by hand is put back later: once that is in the log where it is told.

        That is the log of the version that is loaded again, whose own job puts it back.
        """
        model, name = state.model, pointer.environment
        since = pointer.slot.at.isoformat() if pointer.slot else ""
        op = f"hand|{model.group}|{name}|{sha256(f'{since}|{pointer.raw}')}"
        if pointer.trusted or state.holds(op):
            return False
        seen = repointed(pointer, self._near.records.pointer_written(model.group, name), ours)
        if seen is None:
            return False
        if wanted.stands and wanted.model_package_version not in (None, model.version):
            loaded = replace(model, version=wanted.model_package_version)
            self._near.jobs.put(CheckJob(loaded, sender, (name,)))
            return True
        log.error("the approved model of %s for %s was %s by hand by %s", model.group, name, seen.what, seen.by)
        self._near.records.append(state, seen, op, self._near.clock())
        return True  # the log has moved, with this or with something else


def _op(package: Package) -> str:
    when = package.modified_at.isoformat() if package.modified_at else ""
    return f"hand|{package.model.group}|{package.model.version}|{when}"
