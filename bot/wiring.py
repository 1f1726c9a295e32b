"""The only file that names adapters: reading it is reading the architecture.

Each door imports what it needs when it is built: a click must not wait for MSAL to load.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Never

from bot.admission import Admission
from bot.aws.clients import Clients
from bot.aws.parameters import SsmParameters
from bot.aws.queues import Delivery, SqsJobs, deliveries
from bot.config import AwsSettings, EntraSettings, PagesSettings, Settings
from bot.domain import ChatUser
from bot.errors import UNIDENTIFIED, NotIdentified, Refused, SettingsError
from bot.jobs import Job, decode_job
from bot.links import Links
from bot.names import Names
from bot.neighbours import Neighbours
from bot.people import People
from bot.policy import Policy
from bot.ports import Channel, Directory, Jobs
from bot.promotion import Promotion
from bot.records import Records
from bot.seals import Seals
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


def pages_url(environment: Environment) -> str:
    """Where our pages are."""
    settings = Settings(environment)
    found = settings.pages_url()
    settings.check()
    return found


def slack_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for Slack."""
    from bot.slack.api import SlackApi
    from bot.slack.app import build, dispatch
    from bot.slack.identity import vouched
    from bot.slack.listeners import Statuses

    settings = Settings(environment)
    aws, slack = settings.aws(), settings.slack()
    settings.check()
    clients, crew = Clients(aws.region), ThreadCrew()
    store, names = SsmParameters(clients), Names(aws.root)
    found = Records(store, names, crew)
    api = SlackApi(slack.bot_token, timeout=DOOR_TIMEOUT, base_url=slack.api_url)
    jobs, rules, pages = _under_policy(environment, aws, clients)
    links = Links(pages.url, _seals(pages, clients), now) if pages else None
    door = build(
        signing_secrets=slack.signing_secrets,
        team=slack.team,
        api=api,
        jobs=jobs,
        statuses=Statuses(partial(_overview, found), partial(_group, found), rules.path if rules else ()),
        admission=Admission(rules, People(store, names), links, vouched(api, slack.team)) if rules else None,
        pages=pages.url if pages else "",
        crew=crew,
        clock=now,
    )
    return partial(dispatch, door)


def web_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for our pages: links of mails, sign-in, answers, linked accounts."""
    from bot.desk import Desk
    from bot.linking import Linking
    from bot.web.site import Site, dispatch

    settings = Settings(environment)
    aws, entra, pages, found = settings.aws(), settings.entra(), settings.pages(), settings.policy()
    settings.check()
    clients, crew = Clients(aws.region), ThreadCrew()
    store, names = SsmParameters(clients), Names(aws.root)
    seals, microsoft = _seals(pages, clients), _Microsoft(entra, clients)
    directory = microsoft.directory(_nobody)
    site = Site(
        desk=Desk(found, Records(store, names, crew), directory, _queue(aws, clients), crew, now),
        linking=Linking(found, People(store, names), directory, Links(pages.url, seals, now), now),
        seals=seals,
        sign_in=microsoft.sign_in(f"{pages.url}/signed-in"),
        pages=pages.url,
        tenant=entra.tenant,
        clock=now,
    )
    return partial(dispatch, site)


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
    queue = _queue(aws, Clients(aws.region))
    return Events(records_of, partial(jobs_of, account=aws.account, region=aws.region), queue)


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
    from bot.aws.metrics import S3Evaluations
    from bot.aws.registry import SageMakerRegistry
    from bot.slack.api import SlackApi
    from bot.slack.channel import SlackChannel
    from bot.slack.identity import confirmed_email

    settings = Settings(environment)
    aws, slack, entra, found = settings.aws(), settings.slack(), settings.entra(), settings.policy()
    pages = settings.pages() if found.signs_in else None
    sender = settings.mail_from() if found.mails else ""
    settings.check()
    clients, crew = Clients(aws.region), ThreadCrew()
    api = SlackApi(slack.bot_token, timeout=WORKER_TIMEOUT, patience=WORKER_PATIENCE, base_url=slack.api_url)
    channels: dict[str, Channel] = {"slack": SlackChannel(api, team=slack.team, pages=pages.url if pages else "")}
    if pages and sender:
        channels["email"] = _mail(sender, pages, clients)
    near = Neighbours(
        policy=found,
        records=Records(SsmParameters(clients), Names(aws.root), crew),
        registry=SageMakerRegistry(clients, partition=aws.partition, region=aws.region, account=aws.account),
        directory=_Microsoft(entra, clients).directory(confirmed_email(api, slack.team)),
        evaluations=S3Evaluations(clients),
        channels=channels,
        jobs=_queue(aws, clients),
        crew=crew,
        clock=now,
    )
    return Worker(Promotion(near), aws.max_receives)


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


class _Microsoft:
    """Entra and Graph: one session, and one way to prove who the bot is."""

    def __init__(self, entra: EntraSettings, clients: Clients) -> None:
        from bot.aws.assertion import aws_assertion
        from bot.entra.credential import credential_of
        from bot.entra.http import open_session

        self._entra = entra
        self._session = open_session(ca_bundle=entra.ca_bundle, proxy=entra.proxy)
        self._credential = credential_of(
            secret=entra.client_secret,
            certificate=entra.certificate,
            assertion=aws_assertion(clients, entra.assertion_audience),
        )

    def directory(self, identify: Callable[[ChatUser], str]) -> Directory:
        """Who people are and where they belong."""
        from bot.entra.directory import EntraDirectory
        from bot.entra.token import AppToken

        entra = self._entra
        token = AppToken(
            self._session,
            authority=entra.authority,
            tenant=entra.tenant,
            client_id=entra.client_id,
            credential=self._credential,
            scope=f"{entra.graph_url}/.default",
        )
        return EntraDirectory(
            self._session,
            token,
            graph_url=entra.graph_url,
            identify=identify,
            domains=entra.domains,
            crew=ThreadCrew(),
            clock=now,
        )

    def sign_in(self, redirect_uri: str) -> Any:  # noqa: ANN401 - bot.web says what it needs of it
        """The sign-in of people."""
        from bot.entra.sign_in import SignIn

        return SignIn(
            self._session,
            authority=self._entra.authority,
            tenant=self._entra.tenant,
            client_id=self._entra.client_id,
            credential=self._credential,
            redirect_uri=redirect_uri,
            clock=now,
        )


def _mail(sender: str, pages: PagesSettings, clients: Clients) -> Channel:
    from bot.aws.outbox import SesOutbox
    from bot.mail.channel import MailChannel

    return MailChannel(SesOutbox(clients), sender, Links(pages.url, _seals(pages, clients), now))


def _seals(pages: PagesSettings, clients: Clients) -> Seals:
    from bot.aws.seal import KmsSealer

    return Seals(KmsSealer(clients, pages.key), now)


def _queue(aws: AwsSettings, clients: Clients) -> SqsJobs:
    return SqsJobs(clients, decisions_url=aws.decisions_url, openings_url=aws.openings_url)


def _under_policy(
    environment: Environment, aws: AwsSettings, clients: Clients
) -> tuple[Jobs, Policy | None, PagesSettings | None]:
    """A door without a policy still answers: that nothing can be recorded, and who has to mend it."""
    settings = Settings(environment)
    try:
        found = settings.policy()
        pages = settings.pages() if found.signs_in else None
        settings.check()
    except SettingsError as mistakes:
        log.error("the policy cannot be used, so no answer is taken:\n%s", mistakes)
        return _Closed(), None, None
    return _queue(aws, clients), found, pages


class _Closed:
    """Takes no job."""

    def put(self, _: Job) -> None:
        """Refuse it."""
        raise Refused(
            "Your answer was not recorded: the bot's policy has mistakes. "
            "Please tell a platform engineer; the log names every one of them."
        )


def _nobody(_: ChatUser) -> Never:
    """On our pages everybody has signed in: no account has to be looked up by its address."""
    raise NotIdentified(UNIDENTIFIED)


def _overview(found: Records) -> list[tuple[str, GroupStatus]]:
    return list(found.statuses(found.groups()).items())


def _group(found: Records, name: str) -> GroupStatus | None:
    status = found.statuses([name])[name]
    return status if status.versions else None
