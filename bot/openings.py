"""The jobs of the queue `openings`: they alone append `opened`, post new cards and remove markers.

open      look · registry · evaluation side by side -> the entry -> projection with a new card
measure   the same, with what a batch inference measured; or an entry that says why nothing is asked for
request   the same, because a person of the directory asks
tidy      look · registry -> projection -> the marker goes
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot import rules
from bot.clicks import RequestJob
from bot.decisions import AGAIN
from bot.display import Task
from bot.domain import State
from bot.entries import Champion, Measured, Requester
from bot.errors import NotRecorded, Unavailable, UnknownRequest
from bot.evidence import Evidence
from bot.hands import Hands
from bot.hints import MeasureJob, OpenJob, TidyJob
from bot.history import Round
from bot.jobs import Receipt, overdue
from bot.members import Member
from bot.neighbours import Neighbours
from bot.package import Package
from bot.policy import EnvironmentPolicy
from bot.projection import Projection
from bot.records import Look, Surroundings

log = logging.getLogger(__name__)

MOST_TOLD = 5
"""Entries about batch inferences of one environment that asked for nothing: a log is no monitoring."""
REQUESTED_BY = "requested-by"
"""The metadata of a model package in which a pipeline may say for whom it registers: an address."""
TIDY_AFTER = timedelta(hours=1)
"""How long a marker outlives its request."""


class Openings:
    """Asks for environments: by itself when one is due, or because a person wants it."""

    def __init__(self, near: Neighbours, projection: Projection, hands: Hands) -> None:
        self._near = near
        self._projection = projection
        self._hands = hands

    def open(self, job: OpenJob) -> None:
        """Open the request that is due, if one is; a hint that is wrong does nothing."""
        if not self._near.policy.governs_group(job.model.group):
            return
        look, package, read = self._look(job)
        known, why = look.state.head > 0, "it is not in the registry"
        why = self._near.policy.why_not(package, taken_in=known) if package else why
        if package is None or why:
            log.info("%s is not opened: %s", job.model, why)
            return
        look = self._hands.observe(look, package)
        around: Surroundings | None = None
        if environment := self._due(look, package):
            look = self._aside(look, environment.name)
            look, around = self._open(look, package, environment, job.op, read=read)
            look = self._hands.observe(look, package)
        task = Task(job.op, posts=True, registry=not self._hands.left(look, package))
        self._projection.carry_out(look, package, task, around=around)

    def measure(self, job: MeasureJob, receipt: Receipt) -> None:
        """Ask for the environment after the one that was measured; what asks for nothing is told once."""
        if not self._near.policy.governs_group(job.model.group):
            return
        near, ran, patient = self._near, job.run.environment, not (receipt.last or receipt.dead)
        looked, described_package, read, watched = near.crew.together(
            lambda: near.records.look(job.model, pointers=(ran,), status=True),
            lambda: near.registry.describe(job.model),
            lambda: self._metrics(job, patient=patient),
            lambda: self._violations(job, patient=patient),
        )
        package: Package | None = described_package.result()
        look, around = self._hands.observe(looked.result(), package), None
        if not look.state.holds(job.op):
            environment = self._waits(look, package, job)
            if environment is None or package is None:
                log.info("%s was run in %s by %s: nothing waits for that", job.model, ran, job.run.name)
                return
            evidence = replace(read.result(), run=job.run)
            if problem := job.problem or rules.wanting(evidence, environment):
                look = self._told(look, job, problem)
            else:
                look = self._aside(look, environment.name)
                evidence = _watched(evidence, watched.result())
                look, around = self._open(look, package, environment, job.op, read=evidence)
                look = self._hands.observe(look, package)
        task = Task(job.op, posts=True, registry=not self._hands.left(look, package))
        self._projection.carry_out(look, package, task, around=around)

    def _metrics(self, job: MeasureJob, *, patient: bool) -> Evidence:
        """What a run measured, as it was told or from where it is stored."""
        if not job.uri:
            return Evidence(job.metrics, problem="" if job.metrics else "No metrics reported.")
        beside = job.since if job.optional else None
        return self._near.evaluations.read(job.uri, optional=job.optional, since=beside, patient=patient)

    def _violations(self, job: MeasureJob, *, patient: bool) -> Evidence:
        """Which constraints it did not keep."""
        if not job.violations_uri:
            return Evidence()
        return self._near.evaluations.violations(job.violations_uri, since=job.since, patient=patient)

    def _waits(self, look: Look, package: Package | None, job: MeasureJob) -> EnvironmentPolicy | None:
        """The environment that waits for a run of this version, which has to be the one that ran there."""
        loaded = look.pointer(job.run.environment)
        if package is None or self._near.policy.why_not(package, taken_in=look.state.head > 0):
            return None
        if loaded is None or loaded.model_package_version != job.model.version:
            return None
        return rules.measured(look.state, job.run, self._near.policy)

    def _told(self, look: Look, job: MeasureJob, problem: str) -> Look:
        """An entry that says why nothing is asked for; after some of them, only the log does."""
        if look.state.holds(job.told):
            return look
        before = [entry.event for entry in look.state.entries if isinstance(entry.event, Measured)]
        if sum(each.environment == job.run.environment for each in before) >= MOST_TOLD:
            log.warning("%s was run in %s by %s: %s", job.model, job.run.environment, job.run.name, problem)
            return look
        event = Measured(job.run.environment, job.run.name, problem)
        state = self._near.records.append(look.state, event, job.told, self._near.clock())
        if state is None:
            raise Unavailable(f"the log of {job.model} moved while {job.run.name} was told")
        return replace(look, state=state)

    def request(self, job: RequestJob, receipt: Receipt) -> None:
        """Open a round because a person of the directory asks for it; raise `Refused` when it may not be."""
        environment = self._near.policy.environment(job.environment, job.model.group)
        if environment is None or not self._near.policy.governs_group(job.model.group):
            raise UnknownRequest(f"The policy knows no environment {job.environment} for {job.model.group}.")
        name = job.environment
        looked, asked, described_package = self._near.crew.together(
            lambda: self._near.records.look(job.model, pointers=(name,), markers=(name,), status=True),
            lambda: self._near.directory.member(job.by, ()),
            lambda: self._near.registry.describe(job.model),
        )
        look: Look = self._hands.observe(looked.result(), described_package.result())
        around: Surroundings | None = None
        if not look.state.holds(job.op):
            if receipt.dead or overdue(job, self._near.clock()):
                raise NotRecorded(AGAIN)
            member: Member = asked.result()
            rules.may_request(member)
            package = rules.requestable(
                look.state, name, described_package.result(), self._near.policy, self._near.clock()
            )
            requester = Requester(member.person.name, member.person.oid)
            look, around = self._open(look, package, environment, job.op, requester=requester)
        registry = not self._hands.left(look, described_package.result())
        task = Task(job.op, posts=True, registry=registry)
        self._projection.carry_out(look, described_package.result(), task, around=around)

    def tidy(self, job: TidyJob) -> None:
        """Post what is missing; remove a marker whose request ended an hour ago with nothing left to differ."""
        looked, described_package = self._near.crew.together(
            lambda: self._near.records.look(job.model),
            lambda: self._near.registry.describe(job.model),
        )
        package: Package | None = described_package.result()
        look: Look = self._hands.observe(looked.result(), package)
        task = Task(job.op, posts=True, registry=not self._hands.left(look, package))
        look = self._projection.carry_out(look, package, task)
        one = look.state.current(job.environment)
        old = one is not None and one.ending is not None and self._near.clock() >= one.ending.at + TIDY_AFTER
        if one is None or (old and look.complete):
            self._near.records.unmark(job.model, job.environment)
            later = self._near.records.read_on(look.state).current(job.environment)
            if later and later.state is State.PENDING:
                self._near.records.mark(job.model, job.environment)

    def _look(self, job: OpenJob) -> tuple[Look, Package | None, Evidence | None]:
        """The first wave; what the hint says of a new version is read and marked in it, on trust, to save a wave."""
        first = self._near.policy.path[0]
        calls: list[Callable[[], Any]] = [
            lambda: self._near.records.look(job.model, pointers=(first,), markers=(first,), status=True),
            lambda: self._near.registry.describe(job.model),
            lambda: self._near.evaluations.read(job.metrics_uri) if job.metrics_uri else None,
        ]
        if job.fresh:
            calls.append(lambda: self._near.records.mark(job.model, first))
        looked, described_package, read, *marked = self._near.crew.together(*calls)
        look: Look = looked.result()
        for future in marked:
            future.result()
            look = replace(look, marked={first: True})
        return look, described_package.result(), read.result()

    def _due(self, look: Look, package: Package) -> EnvironmentPolicy | None:
        name = rules.due(look.state, package, self._near.policy)
        return self._near.policy.environment(name, look.state.model.group) if name else None

    def _aside(self, look: Look, environment: str) -> Look:
        """Pointer and marker of an environment that was not known when the first wave went out."""
        if environment in look.pointers:
            return look
        return self._near.records.after(look.state, (environment,), (environment,))

    def _open(
        self,
        look: Look,
        package: Package,
        environment: EnvironmentPolicy,
        op: str,
        *,
        requester: Requester | None = None,
        read: Evidence | None = None,
    ) -> tuple[Look, Surroundings | None]:
        """Append `opened`, with everything the answer will be bound to; whoever is faster has opened it."""
        if not look.marked[environment.name]:
            self._near.records.mark(look.state.model, environment.name)
        opened = rules.opening(
            look.state,
            package,
            environment,
            policy=self._near.policy,
            requester=requester or self._requester(package),
            evidence=self._evidence(package, read, look.state.current(environment.name)),
            champion=self._champion(look, environment.name),
            now=self._near.clock(),
        )
        request = look.state.request(opened.environment, opened.round)
        appended, around = self._near.crew.together(
            lambda: self._near.records.append(look.state, opened, op, self._near.clock()),
            lambda: self._near.records.surroundings(look.state, coming=(request,)),
        )
        if state := appended.result():
            return replace(look, state=state), around.result()
        state = self._near.records.read_past(look.state)
        if not state.round(request):
            raise Unavailable(f"the log of {look.state.model} moved while {request} was opened")
        return replace(look, state=state), None

    def _evidence(self, package: Package, read: Evidence | None, before: Round | None) -> Evidence:
        """What a batch inference measured, now or for the round before; else the registration's report.

        That may have been read already.
        """
        if read and read.run:
            return read
        measured = before.opened.evidence if before and before.opened.evidence.run else None
        if before and measured and before.opened.fingerprint == package.fingerprint:
            return measured
        if not package.metrics_uri:
            found = Evidence(problem="No metrics reported.")
        else:
            known = read if read and read.uri == package.metrics_uri else None
            found = rules.as_registered(known or self._near.evaluations.read(package.metrics_uri), package)
        return _noting(found, "It has changed since it was measured in a run.") if measured else found

    def _requester(self, package: Package) -> Requester:
        """Who registered the version, as AWS says it, else as its pipeline does; tied to the directory by address."""
        declared = package.metadata.get(REQUESTED_BY, "") if "@" not in package.created_by else ""
        if "@" in declared:
            return Requester(declared, self._near.directory.find(declared), declared=True)
        known = "@" in package.created_by
        return Requester(package.created_by, self._near.directory.find(package.created_by) if known else "")

    def _champion(self, look: Look, environment: str) -> Champion | None:
        """What the environment runs now, with its metrics as the status remembers them, else as its log does."""
        current, ours = look.pointer(environment), look.state.model
        version = current.model_package_version if current and current.stands else None
        if version is None or version == ours.version:
            return None
        slot = look.status.approved.get(environment)
        if slot and slot.version == version:
            return Champion(version, slot.metrics)
        one = self._near.records.look(replace(ours, version=version)).state.standing(environment)
        return Champion(version, one.opened.evidence.metrics if one else ())


def _watched(evidence: Evidence, watched: Evidence) -> Evidence:
    """What a run measured, with the constraints that it did not keep."""
    found = replace(evidence, violations=watched.violations, more_violations=watched.more_violations)
    return _noting(found, watched.problem)


def _noting(evidence: Evidence, problem: str) -> Evidence:
    return replace(evidence, problem=" ".join(filter(None, (evidence.problem, problem))))
