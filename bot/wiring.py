"""The only file that names adapters, but for the doctor's: reading it is reading the architecture.

Each door imports what it needs when it is built: a click must not wait for MSAL to load.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Never

from bot.admission import Admission
from bot.aws.clients import Clients
from bot.aws.parameters import SsmParameters
from bot.aws.queues import SqsJobs
from bot.aws.secrets import secret
from bot.config import AwsSettings, EntraSettings, PagesSettings, Settings, TeamsSettings
from bot.domain import ChatUser, RequestId
from bot.errors import UNIDENTIFIED, NotIdentified, Refused, SettingsError
from bot.links import Links
from bot.names import Names
from bot.people import People
from bot.policy import HOME, Origin, Place, Policy
from bot.ports import Channel, Directory, Jobs, ModelRegistry, Parameters
from bot.seals import Seals
from bot.trace import traced, watch
from bot.waves import ThreadCrew

if TYPE_CHECKING:
    from bot.audit import Audit
    from bot.aws.deliveries import Delivery
    from bot.card import Card
    from bot.desk import Desk
    from bot.jobs import Job
    from bot.metering import Meter
    from bot.overview import Statuses
    from bot.promotion import Promotion
    from bot.records import Records
    from bot.status import GroupStatus
    from bot.sweep import Swept

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


def records(environment: Environment) -> "Records":
    """The log and all else in Parameter Store."""
    from bot.records import Records

    settings = Settings(environment)
    names = Names(settings.root())
    settings.check()
    return Records(parameters(environment), names, ThreadCrew())


def registry(environment: Environment) -> ModelRegistry:
    """The SageMaker Model Registry, to look at."""
    settings = Settings(environment)
    home = Home(settings.aws(queues=False))
    settings.check()
    return home.registry


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
    home = Home(aws)
    token = secret(home.clients, slack.bot_token)
    api = SlackApi(token, timeout=DOOR_TIMEOUT, base_url=slack.api_url)
    rule = _under_policy(environment, home)
    door = build(
        signing_secrets=secret(home.clients, slack.signing_secrets),
        team=slack.team,
        api=api,
        jobs=rule.jobs,
        statuses=partial(home.statuses, rule.policy),
        admission=rule.admission(home, vouched(api, slack.team)),
        pages=rule.pages_url,
        crew=home.crew,
        clock=now,
    )
    return partial(dispatch, door)


def teams_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for Microsoft Teams."""
    from bot.rules import belongs
    from bot.teams.activities import Activities
    from bot.teams.app import Door, dispatch

    settings = Settings(environment)
    aws, entra, teams = settings.aws(), settings.entra(), settings.teams()
    settings.check()
    home = Home(aws)
    rule, microsoft = _under_policy(environment, home), Microsoft(entra, home.clients)
    directory, framework = microsoft.directory(nobody), BotFramework(microsoft, teams, home)
    activities = Activities(
        app_id=entra.client_id,
        tenant=entra.tenant,
        jobs=rule.jobs,
        clock=now,
        card=home.card,
        statuses=home.statuses(rule.policy),
        standing=lambda user: belongs(directory.member(user, ())),
        crew=home.crew,
        connector=framework.connector(timeout=DOOR_TIMEOUT),
        installed=framework.address.keep,
        admission=rule.admission(home, nobody),
        pages=rule.pages_url,
    )
    return partial(dispatch, Door(framework.threshold(), activities))


def web_door(environment: Environment) -> Callable[[Json], Json]:
    """What answers API Gateway's events for our pages: links of mails, sign-in, answers, linked accounts."""
    from bot.desk import Desk
    from bot.linking import Linking
    from bot.web.site import Site, dispatch

    settings = Settings(environment)
    aws, entra, pages, found = settings.aws(), settings.entra(), settings.pages(), settings.policy()
    settings.check()
    home = Home(aws)
    seals, microsoft = _seals(pages, home.clients), Microsoft(entra, home.clients)
    directory = microsoft.directory(nobody)
    site = Site(
        desk=Desk(found, home.records, directory, home.queue, home.crew, now),
        linking=Linking(found, home.people, directory, Links(pages.url, seals, now), now),
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
    jobs_of: "Callable[[Any], list[Job]]"
    queue: Jobs


def events(environment: Environment) -> Events:
    """What turns EventBridge's events into hints."""
    from bot.aws.events import Origins, jobs_of
    from bot.aws.events import records as records_of
    from bot.aws.transforms import TransformJobs

    settings = Settings(environment)
    aws, found = settings.aws(), settings.policy()
    settings.check()
    home, where = Home(aws), {"account": aws.account, "region": aws.region}
    transforms = {
        place.origin(**where): TransformJobs(home.clients_of(place), home.clients, **where).measured
        for place in found.places
    }

    def origin(name: str, group: str) -> Origin:
        return found.place(name, group).origin(**where)

    return Events(records_of, partial(jobs_of, origins=Origins(HOME.origin(**where), origin, transforms)), home.queue)


@dataclass(frozen=True, slots=True)
class Worker:
    """What the jobs door needs."""

    promotion: "Promotion"
    max_receives: int

    def deliveries(self, event: Json) -> "list[Delivery]":
        """The messages of a queue's event."""
        from bot.aws.deliveries import deliveries

        return deliveries(event, max_receives=self.max_receives)

    def carry_out(self, delivery: "Delivery") -> None:
        """Carry one message out; raise `Unavailable` or `Malformed` to have it come again."""
        from bot.jobs import decode_job

        with traced(delivery.trace or delivery.message_id):
            self.promotion.handle(decode_job(delivery.body), delivery.receipt)


def worker(environment: Environment) -> Worker:
    """The one writer, with every neighbour."""
    from bot.aws.metrics import S3Evaluations
    from bot.aws.reports import S3Reports
    from bot.neighbours import Neighbours
    from bot.promotion import Promotion
    from bot.slack.api import SlackApi
    from bot.slack.channel import SlackChannel
    from bot.slack.identity import confirmed_email

    settings = Settings(environment)
    aws, slack, entra, found = settings.aws(), settings.slack(), settings.entra(), settings.policy()
    pages = settings.pages() if found.signs_in else None
    sender = settings.mail_from() if found.mails else ""
    teams = settings.teams() if found.teams else None
    settings.check()
    home, url = Home(aws, found), pages.url if pages else ""
    microsoft = Microsoft(entra, home.clients)
    token = secret(home.clients, slack.bot_token)
    api = SlackApi(token, timeout=WORKER_TIMEOUT, patience=WORKER_PATIENCE, base_url=slack.api_url)
    channels: dict[str, Channel] = {"slack": SlackChannel(api, team=slack.team, pages=url)}
    if pages and sender:
        channels["email"] = _mail(sender, pages, home.clients)
    if teams:
        channels["teams"] = BotFramework(microsoft, teams, home).channel(url)
    near = Neighbours(
        policy=found,
        records=home.records,
        registry=home.registry,
        directory=microsoft.directory(confirmed_email(api, slack.team)),
        evaluations=S3Evaluations(S3Reports(home.clients, account=aws.account, buckets=found.metrics.buckets)),
        channels=channels,
        jobs=home.queue,
        crew=home.crew,
        clock=now,
        pages=url,
        meter=home.meter,
    )
    return Worker(Promotion(near), aws.max_receives)


def desk(environment: Environment) -> "Desk":
    """What says who may answer, for a caller who hands nothing in."""
    from bot.desk import Desk

    settings = Settings(environment)
    aws, entra, found = settings.aws(queues=False), settings.entra(), settings.policy()
    settings.check()
    home = Home(aws)
    directory = Microsoft(entra, home.clients).directory(nobody)
    return Desk(found, home.records, directory, home.queue, home.crew, now)


def audit(environment: Environment) -> "Audit":
    """What reads the whole history, and the registry beside it."""
    from bot.audit import Audit

    settings = Settings(environment)
    aws, found = settings.aws(queues=False), settings.policy()
    settings.check()
    home = Home(aws, found)
    return Audit(home.records, home.registry, home.crew, now)


def sweep(environment: Environment) -> "Callable[..., Swept]":
    """The sweep, which reads and enqueues; each run has a name of its own."""
    from bot.sweep import Pulse, Sweep

    settings = Settings(environment)
    aws, found = settings.aws(), settings.policy()
    settings.check()
    home = Home(aws)
    walk = Sweep(found, home.records, home.registry, home.queue, clock=now)

    pulse = Pulse(home.records, home.queue, now, quota=aws.parameter_quota, meter=home.meter)

    def run(*, everything: bool = False, **how: Any) -> "Swept":  # noqa: ANN401 - as `Sweep.run` takes it
        name = f"sweep-{uuid.uuid4()}"
        with traced(name):
            swept = walk.run(name, everything=everything, **how)
            pulse.beat(name, count=everything)
        return swept

    return run


class Home:
    """Our own side, in AWS: one set of clients, and what is reached through them.

    With a policy, approved models are where it has their environments; without, they are of no interest.
    """

    def __init__(self, aws: AwsSettings, policy: Policy | None = None) -> None:
        watch()
        self._aws, self._policy = aws, policy
        self.clients, self.crew = Clients(aws.region), ThreadCrew()
        self.store, self.names = SsmParameters(self.clients), Names(aws.root)
        self.people = People(self.store, self.names)
        self.queue = SqsJobs(self.clients, decisions_url=aws.decisions_url, openings_url=aws.openings_url)

    @cached_property
    def meter(self) -> "Meter":
        """What takes the numbers that operators watch."""
        from bot.aws.meter import EmbeddedMetrics
        from bot.metering import quiet

        return EmbeddedMetrics(self._aws.metrics, now) if self._aws.metrics else quiet

    @cached_property
    def records(self) -> "Records":
        """The log and all else in Parameter Store."""
        from bot.records import Records

        store = self._spread(self._policy) if self._policy else self.store
        return Records(store, self.names, self.crew, self.meter)

    def clients_of(self, place: Place) -> Clients:
        """The clients of a place that a policy names."""
        if place == HOME:
            return self.clients
        from bot.aws.roles import AssumedRole

        role = AssumedRole(self.clients, place.role_arn, place.external_id) if place.role_arn else None
        return Clients(place.region or self._aws.region, role)

    def _spread(self, policy: Policy) -> Parameters:
        if policy.places == {HOME}:
            return self.store
        from bot.spread import Spread

        stores = {place: SsmParameters(self.clients_of(place)) for place in policy.places - {HOME}}
        return Spread({HOME: self.store, **stores}, policy, self.names, self.crew)

    @property
    def registry(self) -> ModelRegistry:
        """The SageMaker Model Registry."""
        from bot.aws.registry import SageMakerRegistry

        aws = self._aws
        return SageMakerRegistry(self.clients, partition=aws.partition, region=aws.region, account=aws.account)

    def card(self, request: RequestId) -> "Card | None":
        """A request's card as its log has it now."""
        from bot.card import card_of

        state = self.records.look(request.model).state
        one = state.round(request)
        return card_of(state, one) if one else None

    def statuses(self, policy: Policy | None) -> "Statuses":
        """What `model-status` reads."""
        from bot.overview import Statuses

        return Statuses(self._overview, self._group, policy.path if policy else (), self.records.health)

    def _overview(self) -> "list[tuple[str, GroupStatus]]":
        return list(self.records.statuses(self.records.groups()).items())

    def _group(self, name: str) -> "GroupStatus | None":
        status = self.records.statuses([name])[name]
        return status if status.versions else None


class Microsoft:
    """Entra and Graph: one session, and one way to prove who the bot is."""

    def __init__(self, entra: EntraSettings, clients: Clients) -> None:
        from bot.aws.assertion import aws_assertion
        from bot.entra.credential import credential_of
        from bot.entra.http import open_session

        self.entra = entra
        self._session = open_session(ca_bundle=entra.ca_bundle, proxy=entra.proxy)
        self._credential = credential_of(
            secret=secret(clients, entra.client_secret) if entra.client_secret else None,
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


class BotFramework:
    """What Teams' door and Teams' channel have in common: where the Bot Connector may be, and is."""

    def __init__(self, microsoft: Microsoft, teams: TeamsSettings, home: Home) -> None:
        from bot.teams.http import open_pool
        from bot.teams.service import Services
        from bot.whereabouts import Whereabouts

        self._microsoft, self._teams = microsoft, teams
        self._services = Services(teams.hosts)
        self._pool = open_pool(ca_bundle=microsoft.entra.ca_bundle, proxy=microsoft.entra.proxy)
        name = home.names.service("teams", microsoft.entra.tenant)
        self.address = Whereabouts(home.store, name, default=teams.service_url, clock=now)

    def connector(self, *, timeout: float, patience: float = 0.0) -> Any:  # noqa: ANN401 - bot.teams says what it is
        """The way out."""
        from bot.teams.connector import Connector

        return Connector(
            self._pool,
            self._microsoft.token(self._teams.scope),
            app_id=self._microsoft.entra.client_id,
            tenant=self._microsoft.entra.tenant,
            service=self.address.current,
            services=self._services,
            timeout=timeout,
            patience=patience,
        )

    def threshold(self) -> Any:  # noqa: ANN401 - as above
        """The way in."""
        from bot.teams.token import SigningKeys, Threshold

        entra = self._microsoft.entra
        keys = SigningKeys(self._pool, self._teams.keys_url, now)
        return Threshold(keys, self._teams.issuer, entra.client_id, entra.tenant, self._services)

    def channel(self, pages: str) -> Channel:
        """Cards in Teams."""
        from bot.teams.channel import TeamsChannel

        return TeamsChannel(self.connector(timeout=WORKER_TIMEOUT, patience=WORKER_PATIENCE), pages=pages)


def _seals(pages: PagesSettings, clients: Clients) -> Seals:
    from bot.aws.seal import KmsSealer

    return Seals(KmsSealer(clients, pages.key), now)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The policy at a door; without one that can be used no answer is taken."""

    jobs: Jobs
    policy: Policy | None = None
    links: Links | None = None

    @property
    def pages_url(self) -> str:
        """Where our pages are, if the policy needs any."""
        return self.links.pages if self.links else ""

    def admission(self, home: Home, vouch: Callable[[ChatUser], str]) -> Admission | None:
        """What the policy asks of an account."""
        return Admission(self.policy, home.people, self.links, vouch) if self.policy else None


def _under_policy(environment: Environment, home: Home) -> _Rule:
    """A door without a policy still answers: that nothing can be recorded, and who has to mend it."""
    settings = Settings(environment)
    try:
        found = settings.policy()
        pages = settings.pages() if found.signs_in else None
        settings.check()
    except SettingsError as mistakes:
        log.error("the policy cannot be used, so no answer is taken:\n%s", mistakes)
        return _Rule(_Closed())
    return _Rule(home.queue, found, Links(pages.url, _seals(pages, home.clients), now) if pages else None)


class _Closed:
    """Takes no job."""

    def put(self, _: "Job") -> None:
        """Refuse it."""
        raise Refused(
            "Your answer was not recorded: the bot's policy has mistakes. "
            "Please tell a platform engineer; the log names every one of them."
        )


def nobody(_: ChatUser) -> Never:
    """On our pages everybody has signed in: no account has to be looked up by its address."""
    raise NotIdentified(UNIDENTIFIED)
