"""Everything that follows from the log, carried out and repeatable: registry, pointers, cards, threads, status.

Only what differs is written, in waves: the registry and the pointers (with cards that nobody has seen yet), then what
people look at, then one more read behind the head; if the log has moved meanwhile, the newer state is projected too.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from bot import rules
from bot.approved import ApprovedModel
from bot.card import KEPT
from bot.display import Display, Task
from bot.encoding import sha256
from bot.errors import Unavailable
from bot.hands import Hands
from bot.hints import CheckJob, SupersedeJob
from bot.history import VersionState
from bot.neighbours import Neighbours
from bot.package import Package
from bot.pointers import Doubt, Pointer, own_approval, recounted, settle
from bot.records import Look, Surroundings
from bot.registration import differs, registration_of
from bot.status import GroupStatus, Slot

STABLE = 6
"""Passes after which a log that keeps moving is left to a later job."""


class Projection:
    """Carries out what the log says."""

    def __init__(self, near: Neighbours, hands: Hands) -> None:
        self._near = near
        self._hands = hands

    def carry_out(self, look: Look, package: Package | None, task: Task, *, around: Surroundings | None = None) -> Look:
        """Project until the log stands still; raise `Unavailable` when registry, pointer or records could not be."""
        for _ in range(STABLE):
            around = around or self._near.records.surroundings(look.state)
            one = _Pass(self._near, self._hands, look, package, task, around)
            later = one.run()
            if later is None:
                return replace(look, complete=one.complete)
            look, package, around = later, self._near.registry.describe(look.state.model), None
        raise Unavailable(f"the log of {look.state.model} keeps moving")


class _Pass:
    """One pass: three waves, from one look."""

    def __init__(
        self,
        near: Neighbours,
        hands: Hands,
        look: Look,
        package: Package | None,
        task: Task,
        around: Surroundings,
    ) -> None:
        self._near = near
        self._hands = hands
        self._look = look
        self._state = look.state
        self._package = package
        self._task = task
        self._around = around
        self._display = Display(near, look.state, task, around.cards)
        self._left: dict[str, str | None] = {}
        self._slots: dict[str, Slot] = {}

    @property
    def complete(self) -> bool:
        """Whether nothing on any surface is left to be done."""
        return self._display.complete

    def run(self) -> Look | None:
        """Return what has to be projected again, if anything."""
        self._write_truth()
        self._show()
        return self._look_again()

    def _write_truth(self) -> None:
        """Registry and pointers; a job that cannot write them comes again, but forgets no card it has posted."""
        truth: list[Callable[[], None]] = list(self._registry())
        truth.extend(partial(self._point, environment) for environment in self._task.pointers)
        done = self._together(*truth, *self._display.posts())
        if failed := [error for future in done[: len(truth)] if (error := future.exception())]:
            self._write_cards()
            raise failed[0]
        for future in done[len(truth) :]:
            future.result()

    def _registry(self) -> Iterable[Callable[[], None]]:
        if self._package is None or not self._task.registry or not self._state.head:
            return
        wanted = registration_of(self._state, self._package, self._near.policy.path)
        if differs(wanted, self._package):
            self._repaired("registry")
            yield partial(
                self._near.registry.update,
                self._package,
                status=wanted.status,
                description=wanted.description,
                metadata=wanted.metadata,
                life_cycle=wanted.life_cycle,
            )

    def _point(self, environment: str) -> None:
        slot = self._around.group.approved.get(environment)
        pointer = Pointer(environment, self._look.pointers.get(environment), slot, self._place(environment))
        wanted = settle(pointer, self._state, self._near.records.names)
        logs = {self._state.model.version: self._state}
        self._left[environment] = pointer.raw
        if wanted is Doubt.RECOUNT:
            logs |= self._other_logs(pointer)
            approvals = self._approvals(environment, logs)
            wanted = recounted(pointer, approvals, self._state.model)
            if wanted and self._hands.puts_off(self._state, pointer, wanted, approvals, self._task.op):
                return
            self._slots[environment] = self._slot(pointer.value, pointer.raw, environment, logs)
        if isinstance(wanted, ApprovedModel):
            self._repaired("pointer")
            raw = self._near.records.write_pointer(wanted)
            self._left[environment] = raw
            self._slots[environment] = self._slot(wanted, raw, environment, logs)

    def _approvals(self, environment: str, logs: Mapping[int, VersionState]) -> list[ApprovedModel]:
        found = (own_approval(state, environment, self._near.records.names) for state in logs.values())
        return [each for each in found if each]

    def _other_logs(self, pointer: Pointer) -> Mapping[int, VersionState]:
        """The logs of every version that the registry lists as approved, of the one that is named, and was by us."""
        ours = self._state.model
        models = {listed.model for listed in self._near.registry.versions(ours.group, status="Approved")}
        if pointer.value and pointer.value.model_package_version:
            models.add(replace(ours, version=pointer.value.model_package_version))
        if pointer.slot and pointer.slot.version:
            models.add(replace(ours, version=pointer.slot.version))
        looks = self._together(*(partial(self._near.records.look, each) for each in models - {ours}))
        return {state.model.version: state for state in (future.result().state for future in looks)}

    def _slot(
        self, value: ApprovedModel | None, raw: str | None, environment: str, logs: Mapping[int, VersionState]
    ) -> Slot:
        version = value.model_package_version if value and value.stands else None
        state = logs.get(version or 0)
        one = state.standing(environment) if state else None
        metrics = one.opened.evidence.metrics[:KEPT] if one else ()
        return Slot(self._near.clock(), sha256(raw) if raw else "", version, metrics, self._place(environment))

    def _repaired(self, what: str) -> None:
        """Nobody has answered now: something was lost, or changed by hand."""
        if self._task.sweeping:
            self._near.meter("Repairs", what=what)

    def _place(self, environment: str) -> str:
        return self._near.policy.place(environment, self._state.model.group).name

    def _show(self) -> None:
        self._display.loaded = self._left
        calls: list[Callable[[], object]] = [*self._display.updates(), *self._display.replies()]
        if self._display.behind:
            calls.append(partial(self._near.jobs.put, CheckJob(self._state.model, sender=self._task.op)))
        if self._state.head:
            calls.append(self._write_status)
            if self._task.posts:
                group = self._state.model.group
                calls.append(partial(self._near.records.list_group, group, self._around.shard))
        done = self._together(*calls)
        if failed := [error for future in done if (error := future.exception())]:
            self._write_cards()
            raise failed[0]

    def _write_status(self) -> None:
        def change(status: GroupStatus) -> GroupStatus:
            return status.joined(GroupStatus(approved=self._slots)).with_version(self._state)

        self._near.records.write_status(self._state.model.group, self._around.status, change)

    def _look_again(self) -> Look | None:
        """When nobody waits any more: remember the cards, and look behind the head once more."""
        state, task = self._state, self._task
        pending = tuple(one.id.environment for one in state.pending)
        pointers = tuple(dict.fromkeys((*task.pointers, *pending)))
        written, read = self._together(self._write_cards, partial(self._near.records.after, state, pointers, pending))
        written.result()
        look: Look = read.result()
        moved = look.state.head > state.head
        for environment in () if moved else pending:
            if not look.marked[environment]:
                self._near.records.mark(state.model, environment)
        self._supersede(look)
        as_left = all(look.pointers[each] == self._left[each] for each in task.pointers)
        return None if not moved and as_left and look.status.knows(state) else look

    def _write_cards(self) -> None:
        changed = self._display.changed.items()
        for future in self._together(*(partial(self._near.records.write_cards, *each) for each in changed)):
            future.result()

    def _supersede(self, look: Look) -> None:
        """Hand the ending of older requests over: each log is written by a job of its own version."""
        state, sender = look.state, self._task.op
        for one in state.pending:
            newer = look.newer(one.id.environment)
            if newer and rules.superseded(state, one.id, newer):
                self._near.jobs.put(SupersedeJob(one.id, newer[0], sender))
        for environment in state.path:
            standing = state.standing(environment)
            if standing and standing.approval:
                for request in look.status.older_pending(state.model, environment, standing.approval.at):
                    self._near.jobs.put(SupersedeJob(request, state.model.version, sender))

    def _together(self, *calls: Callable[[], Any]) -> tuple[Any, ...]:
        return self._near.crew.together(*calls) if calls else ()
