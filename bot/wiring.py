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
from bot.card import Card, card_of
from bot.config import AwsSettings, EntraSettings, PagesSettings, Settings, TeamsSettings
from bot.domain import ChatUser, RequestId
from bot.errors import UNIDENTIFIED, NotIdentified, Refused, SettingsError
from bot.jobs import Job, decode_job
from bot.links import Links
from bot.names import Names
from bot.neighbours import Neighbours
from bot.overview import Statuses
from bot.people import People
from bot.policy import Policy
from bot.ports import Channel, Directory, Jobs
from bot.promotion import Promotion
from bot.records import Records
from bot.rules import belongs
from bot.seals import Seals
from bot.status import GroupStatus
from bot.sweep import Sweep, Swept
from bot.waves import ThreadCrew
from bot.whereabouts import Whereabouts

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
        statuses=_statuses(found, rules),
        admission=Admission(rules, People(store, names), links, vouched(api, slack.team)) if rules else None,
        pages=pages.url if pages else "",
        crew=crew,
        clock=now,
    )
    return partial(dispatch, door)


def teams_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for Microsoft Teams."""
    from bot.teams.activities import Activities
    from bot.teams.app import Door, dispatch
    from bot.teams.connector import Connector
    from bot.teams.http import open_pool
    from bot.teams.service import Services
    from bot.teams.token import SigningKeys, Threshold

    settings = Settings(environment)
    aws, entra, teams = settings.aws(), settings.entra(), settings.teams()
    settings.check()
    clients, crew = Clients(aws.region), ThreadCrew()
    store, names = SsmParameters(clients), Names(aws.root)
    found = Records(store, names, crew)
    jobs, rules, pages = _under_policy(environment, aws, clients)
    links = Links(pages.url, _seals(pages, clients), now) if pages else None
    microsoft, services = _Microsoft(entra, clients), Services(teams.hosts)
    directory = microsoft.directory(_nobody)
    address = _whereabouts(store, names, entra.tenant, teams)
    pool = open_pool(ca_bundle=entra.ca_bundle, proxy=entra.proxy)

    def standing(user: ChatUser) -> None:
        belongs(directory.member(user, ()))

    activities = Activities(
        app_id=entra.client_id,
        tenant=entra.tenant,
        jobs=jobs,
        clock=now,
        card=partial(_card, found),
        statuses=_statuses(found, rules),
        standing=standing,
        crew=crew,
        connector=Connector(
            pool,
            microsoft.token(teams.scope),
            app_id=entra.client_id,
            tenant=entra.tenant,
            service=address.current,
            services=services,
            timeout=DOOR_TIMEOUT,
        ),
        installed=address.keep,
        admission=Admission(rules, People(store, names), links, _nobody) if rules else None,
        pages=pages.url if pages else "",
    )
    keys = SigningKeys(pool, teams.keys_url, now)
    return partial(dispatch, Door(Threshold(keys, teams.issuer, entra.client_id, entra.tenant, services), activities))


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
    teams = settings.teams() if found.teams else None
    settings.check()
    clients, crew = Clients(aws.region), ThreadCrew()
    store, names, microsoft = SsmParameters(clients), Names(aws.root), _Microsoft(entra, clients)
    api = SlackApi(slack.bot_token, timeout=WORKER_TIMEOUT, patience=WORKER_PATIENCE, base_url=slack.api_url)
    channels: dict[str, Channel] = {"slack": SlackChannel(api, team=slack.team, pages=pages.url if pages else "")}
    if pages and sender:
        channels["email"] = _mail(sender, pages, clients)
    if teams:
        address = _whereabouts(store, names, entra.tenant, teams)
        channels["teams"] = _teams(microsoft, teams, address, pages.url if pages else "")
    near = Neighbours(
        policy=found,
        records=Records(store, names, crew),
        registry=SageMakerRegistry(clients, partition=aws.partition, region=aws.region, account=aws.account),
        directory=microsoft.directory(confirmed_email(api, slack.team)),
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

        self.entra = entra
        self._session = open_session(ca_bundle=entra.ca_bundle, proxy=entra.proxy)
        self._credential = credential_of(
            secret=entra.client_secret,
            certificate=entra.certificate,
            assertion=aws_assertion(clients, entra.assertion_audience),
        )

    def directory(self, identify: Callable[[ChatUser], str]) -> Directory:
        """Who people are and where they belong."""
        from bot.entra.directory import EntraDirectory

        return EntraDirectory(
            self._session,
            self.token(f"{self.entra.graph_url}/.default"),
            graph_url=self.entra.graph_url,
            identify=identify,
            domains=self.entra.domains,
            crew=ThreadCrew(),
            clock=now,
        )

    def token(self, scope: str) -> Any:  # noqa: ANN401 - its neighbours say what they need of it
        """The bot's own token for one of Microsoft's services."""
        from bot.entra.token import AppToken

        return AppToken(
            self._session,
            authority=self.entra.authority,
            tenant=self.entra.tenant,
            client_id=self.entra.client_id,
            credential=self._credential,
            scope=scope,
        )

    def sign_in(self, redirect_uri: str) -> Any:  # noqa: ANN401 - bot.web says what it needs of it
        """The sign-in of people."""
        from bot.entra.sign_in import SignIn

        return SignIn(
            self._session,
            authority=self.entra.authority,
            tenant=self.entra.tenant,
            client_id=self.entra.client_id,
            credential=self._credential,
            redirect_uri=redirect_uri,
            clock=now,
        )


def _mail(sender: str, pages: PagesSettings, clients: Clients) -> Channel:
    from bot.aws.outbox import SesOutbox
    from bot.mail.channel import MailChannel

    return MailChannel(SesOutbox(clients), sender, Links(pages.url, _seals(pages, clients), now))


def _teams(microsoft: _Microsoft, teams: TeamsSettings, address: Whereabouts, pages: str) -> Channel:
    from bot.teams.channel import TeamsChannel
    from bot.teams.connector import Connector
    from bot.teams.http import open_pool
    from bot.teams.service import Services

    entra = microsoft.entra
    connector = Connector(
        open_pool(ca_bundle=entra.ca_bundle, proxy=entra.proxy),
        microsoft.token(teams.scope),
        app_id=entra.client_id,
        tenant=entra.tenant,
        service=address.current,
        services=Services(teams.hosts),
        timeout=WORKER_TIMEOUT,
        patience=WORKER_PATIENCE,
    )
    return TeamsChannel(connector, pages=pages)


def _whereabouts(store: SsmParameters, names: Names, tenant: str, teams: TeamsSettings) -> Whereabouts:
    return Whereabouts(store, names.service("teams", tenant), default=teams.service_url, clock=now)


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


def _card(found: Records, request: RequestId) -> Card | None:
    state = found.look(request.model).state
    one = state.round(request)
    return card_of(state, one) if one else None


def _statuses(found: Records, rules: Policy | None) -> Statuses:
    return Statuses(partial(_overview, found), partial(_group, found), rules.path if rules else ())


def _overview(found: Records) -> list[tuple[str, GroupStatus]]:
    return list(found.statuses(found.groups()).items())


def _group(found: Records, name: str) -> GroupStatus | None:
    status = found.statuses([name])[name]
    return status if status.versions else None
