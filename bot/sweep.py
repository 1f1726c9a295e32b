"""The sweep: what events may have missed and jobs may have lost, put on the same queues. It decides nothing itself."""

from dataclasses import dataclass
from datetime import timedelta

from bot.jobs import CheckJob, OpenJob, TidyJob
from bot.policy import Policy
from bot.ports import Clock, Jobs, Listed, ModelRegistry
from bot.records import Records

RECENT = timedelta(days=1)
"""How far back a usual sweep looks for registrations that no event told of."""
PAGE = 10


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
        return Swept(opened, self._walk_markers(sender))

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
