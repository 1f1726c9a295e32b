"""The sweep: what events may have missed and jobs may have lost, put on the same queues. It decides nothing itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.domain import ModelVersion
from bot.encoding import sha256
from bot.hints import BeatJob, CheckJob, OpenJob, TidyJob
from bot.jobs import Job
from bot.metering import Meter
from bot.policy import Policy
from bot.ports import Clock, Jobs, ModelRegistry
from bot.records import Records

RECENT = timedelta(days=1)
"""How far back a usual sweep looks for registrations that no event told of."""
PAGE = 10
EVERY, SLICES = 300, 12
"""Seconds between two sweeps, as the schedule has it; so each group's approved models are looked at once an hour."""


Told = Callable[[int, int, str], None]
"""Hears how far a sweep is: how many it has done, of how many (0 where nobody knows), and what they are."""


def _nobody(_done: int, _of: int, _what: str) -> None:
    """Where nobody watches."""


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
        self._told: Told = _nobody

    def run(self, sender: str, *, everything: bool = False, told: Told = _nobody) -> Swept:
        """Put jobs on the queues; `sender` names this run, so that none of them is swallowed as a repetition."""
        self._told = told
        opened, logged = self._open_missed(sender, everything=everything)
        checked = self._walk_markers(sender)
        if everything:
            self._check_all(logged, sender)
        else:
            self._check_pointers(sender)
        return Swept(opened, checked)

    def _open_missed(self, sender: str, *, everything: bool) -> tuple[int, set[ModelVersion]]:
        """Ask for what no event told of; give how many those were, and the versions that have a log."""
        since = self._policy.since
        after = since if everything else max(since, self._clock() - RECENT)
        opened, logged, page = 0, set[ModelVersion](), list[ModelVersion]()
        for seen, listed in enumerate(self._registry.versions(created_after=after - timedelta(seconds=1)), start=1):
            self._told(seen, 0, "registrations")
            if self._policy.governs(listed.model, listed.created_at):
                page.append(listed.model)
            if len(page) == PAGE:
                found = self._open_unlogged(page, sender)
                opened, logged, page = opened + PAGE - len(found), logged | found, []
        found = self._open_unlogged(page, sender)
        return opened + len(page) - len(found), logged | found

    def _open_unlogged(self, page: list[ModelVersion], sender: str) -> frozenset[ModelVersion]:
        logged = self._records.logged(page) if page else frozenset()
        for model in page:
            if model not in logged:
                self._jobs.put(OpenJob(model, sender))
        return logged

    def _check_all(self, logged: set[ModelVersion], sender: str) -> None:
        """Every version that has a log: also those that were taken in, as far as their group's status knows them."""
        for group, status in self._records.statuses(self._records.groups()).items():
            logged |= {ModelVersion(group, int(version)) for version in status.versions}
        self._put_all([CheckJob(model, sender) for model in sorted(logged)], "versions with a history")

    def _walk_markers(self, sender: str) -> int:
        walked = list(self._records.markers())
        checks = [CheckJob(model, sender) for model in dict.fromkeys(model for model, _ in walked)]
        self._put_all([*checks, *(TidyJob(*each, sender) for each in walked)], "jobs for requests in hand")
        return len(walked)

    def _check_pointers(self, sender: str) -> None:
        """Have the approved models of this sweep's slice of the groups compared with their histories."""
        turn = int(self._clock().timestamp()) // EVERY % SLICES
        groups = [each for each in self._records.groups() if int(sha256(each)[:8], 16) % SLICES == turn]
        checks = []
        for group, status in self._records.statuses(groups).items():
            loaded = {slot.version for slot in status.approved.values() if slot.version}
            newest = {max(map(int, status.versions))} if status.versions and not loaded else set()
            checks += [CheckJob(ModelVersion(group, version), sender) for version in sorted(loaded | newest)]
        self._put_all(checks, "approved models")

    def _put_all(self, jobs: Sequence[Job], what: str) -> None:
        for done, job in enumerate(jobs, start=1):
            self._jobs.put(job)
            self._told(done, len(jobs), what)


class Pulse:
    """What the schedule does after a sweep: counts, and sends word through the queue that answers go through.

    That it is carried out shows that schedule, queue, worker and Parameter Store work, and how long an answer waits.
    """

    def __init__(self, records: Records, jobs: Jobs, clock: Clock, *, quota: int, meter: Meter) -> None:
        self._records, self._jobs, self._clock = records, jobs, clock
        self._quota, self._meter = quota, meter

    def beat(self, sender: str, *, count: bool) -> None:
        """Send word; `count` the account's parameters, which takes a call for each fifty, or repeat the last count."""
        known = self._records.health()
        parameters = self._records.counted() if count else known.parameters if known else 0
        if count:
            self._meter("ParametersUsed", 100 * parameters / self._quota)
        self._jobs.put(BeatJob(sender, self._clock(), parameters, self._quota))
