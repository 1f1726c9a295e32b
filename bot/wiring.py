"""The only file that names adapters: reading it is reading the architecture.

Each door imports what it needs when it is built: a click must not wait for MSAL to load.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.aws.clients import Clients
from bot.aws.parameters import SsmParameters
from bot.aws.queues import Delivery, SqsJobs, deliveries
from bot.config import AwsSettings, EntraSettings, Settings, SlackSettings
from bot.errors import Refused, SettingsError
from bot.jobs import Job, decode_job
from bot.names import Names
from bot.neighbours import Neighbours
from bot.policy import Policy
from bot.ports import Directory, Jobs
from bot.promotion import Promotion
from bot.records import Records
from bot.status import GroupStatus
from bot.sweep import Sweep, Swept
from bot.waves import ThreadCrew

log = logging.getLogger(__name__)

Environment = Mapping[str, str]
Json = dict[str, Any]
DOOR_TIMEOUT, WORKER_TIMEOUT, WORKER_PATIENCE = 2.0, 10.0, 5.0
"""Seconds: a door answers within Slack's three, a worker may wait for a rate limit."""


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def parameters(environment: Environment) -> SsmParameters:
    """Parameter Store alone: what a pipeline needs."""
    return SsmParameters(Clients(environment.get("AWS_REGION", "")))


def records(environment: Environment) -> Records:
    """The log and all else in Parameter Store."""
    settings = Settings(environment)
    names = Names(settings.root())
    settings.check()
    return Records(parameters(environment), names, ThreadCrew())


def policy(environment: Environment) -> Policy:
    """The policy in force."""
    settings = Settings(environment)
    found = settings.policy()
    settings.check()
    return found


def slack_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for Slack."""
    from bot.slack.api import SlackApi
    from bot.slack.app import build, dispatch
    from bot.slack.listeners import Statuses

    settings = Settings(environment)
    aws, slack = settings.aws(), settings.slack()
    settings.check()
    jobs, path = _jobs_under_policy(environment, aws)
    found = records(environment)
    door = build(
        signing_secrets=slack.signing_secrets,
        team=slack.team,
        api=SlackApi(slack.bot_token, timeout=DOOR_TIMEOUT, base_url=slack.api_url),
        jobs=jobs,
        statuses=Statuses(partial(_overview, found), partial(_group, found), path),
        crew=ThreadCrew(),
        clock=now,
    )
    return partial(dispatch, door)


@dataclass(frozen=True, slots=True)
class Events:
    """What the events door needs."""

    records: Callable[[object], Any]
    jobs_of: Callable[[Any], list[Job]]
    queue: Jobs


def events(environment: Environment) -> Events:
    """What turns EventBridge's events into hints."""
    from bot.aws.events import jobs_of
    from bot.aws.events import records as records_of

    settings = Settings(environment)
    aws = settings.aws()
    settings.check()
    return Events(records_of, partial(jobs_of, account=aws.account, region=aws.region), _queue(aws))


@dataclass(frozen=True, slots=True)
class Worker:
    """What the jobs door needs."""

    promotion: Promotion
    max_receives: int

    def deliveries(self, event: Json) -> list[Delivery]:
        """The messages of a queue's event."""
        return deliveries(event, max_receives=self.max_receives)

    def carry_out(self, delivery: Delivery) -> None:
        """Carry one message out; raise `Unavailable` or `Malformed` to have it come again."""
        self.promotion.handle(decode_job(delivery.body), delivery.receipt)


def worker(environment: Environment) -> Worker:
    """The one writer, with every neighbour."""
    settings = Settings(environment)
    aws, slack, entra, found = settings.aws(), settings.slack(), settings.entra(), settings.policy()
    settings.check()
    return Worker(Promotion(_neighbours(aws, slack, entra, found)), aws.max_receives)


def sweep(environment: Environment) -> Callable[..., Swept]:
    """The sweep, which reads and enqueues; each run has a name of its own."""
    from bot.aws.registry import SageMakerRegistry

    settings = Settings(environment)
    aws, found = settings.aws(), settings.policy()
    settings.check()
    clients = Clients(aws.region)
    registry = SageMakerRegistry(clients, partition=aws.partition, region=aws.region, account=aws.account)
    known = Records(SsmParameters(clients), Names(aws.root), ThreadCrew())
    walk = Sweep(found, known, registry, _queue(aws, clients), clock=now)

    def run(*, everything: bool = False) -> Swept:
        return walk.run(f"sweep-{uuid.uuid4()}", everything=everything)

    return run


def _neighbours(aws: AwsSettings, slack: SlackSettings, entra: EntraSettings, found: Policy) -> Neighbours:
    from bot.aws.metrics import S3Evaluations
    from bot.aws.registry import SageMakerRegistry
    from bot.slack.api import SlackApi
    from bot.slack.channel import SlackChannel
    from bot.slack.identity import confirmed_email

    clients, crew = Clients(aws.region), ThreadCrew()
    api = SlackApi(slack.bot_token, timeout=WORKER_TIMEOUT, patience=WORKER_PATIENCE, base_url=slack.api_url)
    return Neighbours(
        policy=found,
        records=Records(SsmParameters(clients), Names(aws.root), crew),
        registry=SageMakerRegistry(clients, partition=aws.partition, region=aws.region, account=aws.account),
        directory=_directory(entra, confirmed_email(api, slack.team)),
        evaluations=S3Evaluations(clients),
        channels={"slack": SlackChannel(api, team=slack.team)},
        jobs=_queue(aws, clients),
        crew=crew,
        clock=now,
    )


def _directory(entra: EntraSettings, identify: Callable[[Any], str]) -> Directory:
    from bot.entra.directory import EntraDirectory
    from bot.entra.http import open_session
    from bot.entra.token import AppToken

    session = open_session(ca_bundle=entra.ca_bundle, proxy=entra.proxy)
    token = AppToken(
        session,
        authority=entra.authority,
        tenant=entra.tenant,
        client_id=entra.client_id,
        credential=entra.client_secret,
        scope=f"{entra.graph_url}/.default",
    )
    return EntraDirectory(
        session,
        token,
        graph_url=entra.graph_url,
        identify=identify,
        domains=entra.domains,
        crew=ThreadCrew(),
        clock=now,
    )


def _queue(aws: AwsSettings, clients: Clients | None = None) -> SqsJobs:
    return SqsJobs(clients or Clients(aws.region), decisions_url=aws.decisions_url, openings_url=aws.openings_url)


def _jobs_under_policy(environment: Environment, aws: AwsSettings) -> tuple[Jobs, tuple[str, ...]]:
    """A door without a policy still answers: that nothing can be recorded, and who has to mend it."""
    try:
        return _queue(aws), policy(environment).path
    except SettingsError as mistakes:
        log.error("the policy cannot be used, so no answer is taken:\n%s", mistakes)
        return _Closed(), ()


class _Closed:
    """Takes no job."""

    def put(self, _: Job) -> None:
        """Refuse it."""
        raise Refused(
            "Your answer was not recorded: the bot's policy has mistakes. "
            "Please tell a platform engineer; the log names every one of them."
        )


def _overview(found: Records) -> list[tuple[str, GroupStatus]]:
    return list(found.statuses(found.groups()).items())


def _group(found: Records, name: str) -> GroupStatus | None:
    status = found.statuses([name])[name]
    return status if status.versions else None
