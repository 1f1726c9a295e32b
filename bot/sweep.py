"""The sweep: what events may have missed and jobs may have lost, put on the same queues. It decides nothing itself."""

from dataclasses import dataclass
from datetime import timedelta

from bot.domain import ModelVersion
from bot.encoding import sha256
from bot.jobs import CheckJob, OpenJob, TidyJob
from bot.policy import Policy
from bot.ports import Clock, Jobs, Listed, ModelRegistry
from bot.records import Records

RECENT = timedelta(days=1)
"""How far back a usual sweep looks for registrations that no event told of."""
PAGE = 10
EVERY, SLICES = 300, 12
"""Seconds between two sweeps, as the schedule has it; so each group's approved models are looked at once an hour."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep asked for."""

    opened: int
    checked: int


class Sweep:
    """Walks the registry's listing and the markers of work in hand."""

    def __init__(self, policy: Policy, records: Records, registry: ModelRegistry, jobs: Jobs, *, clock: Clock) -> None:
        self._policy = policy
        self._records = records
        self._registry = registry
        self._jobs = jobs
        self._clock = clock

    def run(self, sender: str, *, everything: bool = False) -> Swept:
        """Put jobs on the queues; `sender` names this run, so that none of them is swallowed as a repetition."""
        opened = self._open_missed(sender, everything=everything)
        checked = self._walk_markers(sender)
        if not everything:
            self._check_pointers(sender)
        return Swept(opened, checked)

    def _open_missed(self, sender: str, *, everything: bool) -> int:
        since = self._policy.since
        after = since if everything else max(since, self._clock() - RECENT)
        page: list[Listed] = []
        opened = 0
        for listed in self._registry.versions(created_after=after - timedelta(seconds=1)):
            if self._policy.governs(listed.model, listed.created_at):
                page.append(listed)
            if len(page) == PAGE:
                opened += self._open_unlogged(page, sender, everything=everything)
                page = []
        return opened + self._open_unlogged(page, sender, everything=everything)

    def _open_unlogged(self, page: list[Listed], sender: str, *, everything: bool) -> int:
        logged = self._records.logged([listed.model for listed in page]) if page else frozenset()
        missed = [listed for listed in page if listed.model not in logged]
        for listed in missed:
            self._jobs.put(OpenJob(listed.model, sender))
        if everything:
            for model in sorted(logged):
                self._jobs.put(CheckJob(model, sender))
        return len(missed)

    def _walk_markers(self, sender: str) -> int:
        walked = list(self._records.markers())
        for model in dict.fromkeys(model for model, _ in walked):
            self._jobs.put(CheckJob(model, sender))
        for model, environment in walked:
            self._jobs.put(TidyJob(model, environment, sender))
        return len(walked)

    def _check_pointers(self, sender: str) -> None:
        """Have the approved models of this sweep's slice of the groups compared with their histories."""
        turn = int(self._clock().timestamp()) // EVERY % SLICES
        groups = [each for each in self._records.groups() if int(sha256(each)[:8], 16) % SLICES == turn]
        for group, status in self._records.statuses(groups).items():
            loaded = {slot.version for slot in status.approved.values() if slot.version}
            newest = {max(map(int, status.versions))} if status.versions and not loaded else set()
            for version in sorted(loaded | newest):
                self._jobs.put(CheckJob(ModelVersion(group, version), sender))
