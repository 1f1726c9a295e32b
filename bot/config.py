"""Settings from the environment: read once at cold start, every mistake reported at once, named by its variable."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.domain import moment
from bot.errors import SettingsError
from bot.policy import EMAIL, GUID, Policy, read_policy

PREFIX = "MODEL_APPROVALS_"
POLICY = Path(__file__).resolve().parent.parent / "infra" / "policy.toml"
MICROSOFT = (
    "login.microsoftonline.com",
    "graph.microsoft.com",
    "login.microsoftonline.us",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "login.partner.microsoftonline.cn",
    "microsoftgraph.chinacloudapi.cn",
)
"""Where Microsoft's clouds are (https://learn.microsoft.com/graph/deployments)."""
ASSERTION_AUDIENCE = "api://AzureADTokenExchange"
_REFERENCE = r"(?:secretsmanager|ssm):[^#\s]+(?:#\S+)?"
_NAMED = "or where it lies: secretsmanager:NAME, secretsmanager:NAME#KEY or ssm:NAME"
_URL = re.compile(r"https?://[^\s?#]+")
_HTTPS = re.compile(r"https://[^\s?#@]+")
_AUDIENCE = re.compile(r"[a-z]+://\S+")
_NEVER = moment("9999-01-01T00:00:00Z")
_ROOT = re.compile(r"(/[a-zA-Z0-9_.-]+){1,5}")


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where the registry, the parameters and the queues are."""

    root: str
    partition: str
    region: str
    account: str
    decisions_url: str
    openings_url: str
    max_receives: int
    metrics: str
    parameter_quota: int


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """One workspace. During a rotation two signing secrets are valid, with a comma between; each may be a reference."""

    team: str
    bot_token: str
    signing_secrets: str
    api_url: str


@dataclass(frozen=True, slots=True)
class EntraSettings:
    """One tenant of one cloud. The app proves itself by a secret, by a certificate (a file), else by AWS's word."""

    tenant: str
    client_id: str
    client_secret: str
    certificate: str
    assertion_audience: str
    authority: str
    graph_url: str
    domains: tuple[str, ...]
    ca_bundle: str
    proxy: str


@dataclass(frozen=True, slots=True)
class PagesSettings:
    """Where our web pages are, and the KMS key that seals what travels through browsers and mails."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class TeamsSettings:
    """One bot in one tenant's Teams: where the Bot Connector may be, is until it has said so, and has its keys."""

    hosts: tuple[str, ...]
    service_url: str
    keys_url: str
    issuer: str
    scope: str


class Settings:
    """Reads variables and collects what is wrong with them; `check` says it all at once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._mistakes: list[str] = []

    def check(self) -> None:
        """Raise `SettingsError` when something that was read is missing or wrong."""
        if self._mistakes:
            raise SettingsError(self._mistakes)

    def aws(self, *, queues: bool = True) -> AwsSettings:
        """The AWS side; a caller that enqueues nothing needs no queues."""
        url = "the URL of a FIFO queue"
        return AwsSettings(
            root=self.root(),
            partition=self._text("PARTITION", "aws, aws-us-gov or aws-cn", re.compile(r"aws[a-z-]*"), "aws"),
            region=self._environment.get("AWS_REGION")
            or self._text("REGION", "an AWS region", re.compile(r"[a-z0-9-]+")),
            account=self._text("ACCOUNT", "the twelve digits of the registry's account", re.compile(r"[0-9]{12}")),
            decisions_url=self._text("DECISIONS_URL", url, _URL) if queues else "",
            openings_url=self._text("OPENINGS_URL", url, _URL) if queues else "",
            max_receives=self._number("MAX_RECEIVES", "a number from 1 to 99", "8"),
            parameter_quota=self._number(
                "PARAMETER_QUOTA", "how many parameters the account may have", "10000", digits=6
            ),
            metrics=self._text("METRICS", "a namespace of CloudWatch's", re.compile(r"[a-zA-Z0-9._/#-]{0,200}"), ""),
        )

    def slack(self) -> SlackSettings:
        """The Slack side."""
        return SlackSettings(
            team=self._text("SLACK_TEAM", "the workspace's id, such as T0123456789", re.compile(r"[TE][A-Z0-9]{3,20}")),
            bot_token=self._text(
                "SLACK_BOT_TOKEN", f"the bot user's token, xoxb-…, {_NAMED}", re.compile(rf"xoxb-\S+|{_REFERENCE}")
            ),
            signing_secrets=self._text(
                "SLACK_SIGNING_SECRETS",
                f"one signing secret, or two during a rotation, {_NAMED}",
                re.compile(r"[^\s,].*"),
            ),
            api_url=self._text("SLACK_API_URL", "a URL", _URL, "https://slack.com/api/"),
        )

    def entra(self) -> EntraSettings:
        """The Entra side."""
        found = self._entra()
        if found.client_secret and found.certificate:
            self._mistakes.append(f"{PREFIX}ENTRA_CERTIFICATE: there is a secret too; keep one of the two.")
        self._known_host("ENTRA_AUTHORITY", found.authority)
        self._known_host("GRAPH_URL", found.graph_url)
        return found

    def pages(self) -> PagesSettings:
        """Our web pages."""
        return PagesSettings(
            url=self.pages_url(),
            key=self._text("SEAL_KEY", "the id, ARN or alias of a symmetric KMS key", re.compile(r"[a-zA-Z0-9:/_-]+")),
        )

    def pages_url(self) -> str:
        """Where our web pages are."""
        return self._text("PAGES_URL", "where the pages are, such as https://approvals.example.com", _URL).rstrip("/")

    def mail_from(self) -> str:
        """Who our mails are from."""
        return self._text("MAIL_FROM", "an address that SES has verified, such as approvals@example.com", EMAIL)

    def _known_host(self, name: str, url: str) -> None:
        """Ask for tokens, and with them, only where Microsoft is, or where the settings say that Entra is."""
        others = (self._environment.get(PREFIX + "ENTRA_HOSTS") or "").split(",")
        host = url.removeprefix("https://").partition("/")[0].lower()
        if host and host not in {*MICROSOFT, *(each.strip().lower() for each in others)}:
            self._mistakes.append(f"{PREFIX}{name}: is no host of Microsoft's; name it in {PREFIX}ENTRA_HOSTS too.")

    def _entra(self) -> EntraSettings:
        return EntraSettings(
            tenant=self._text("ENTRA_TENANT", "the tenant's id", GUID),
            client_id=self._text("ENTRA_CLIENT_ID", "the app registration's client id", GUID),
            client_secret=self._text("ENTRA_CLIENT_SECRET", "the app registration's secret", re.compile(r"\S*"), ""),
            certificate=self._text("ENTRA_CERTIFICATE", "the path of a PEM file", re.compile(r".*"), ""),
            assertion_audience=self._text(
                "ENTRA_ASSERTION_AUDIENCE", "the audience of the federated credential", _AUDIENCE, ASSERTION_AUDIENCE
            ),
            authority=self._text("ENTRA_AUTHORITY", "an https URL", _HTTPS, "https://login.microsoftonline.com"),
            graph_url=self._text("GRAPH_URL", "an https URL", _HTTPS, "https://graph.microsoft.com"),
            domains=self._words("EMAIL_DOMAINS", "the e-mail domains of the tenant, separated by commas"),
            ca_bundle=self._text("CA_BUNDLE", "a path", re.compile(r".*"), ""),
            proxy=self._text("PROXY", "a URL", re.compile(r".*"), ""),
        )

    def teams(self) -> TeamsSettings:
        """The Teams side; all of it is Microsoft's public cloud unless told otherwise."""
        hosts = self._environment.get(PREFIX + "TEAMS_HOSTS") or "smba.trafficmanager.net"
        framework, wanted = "https://login.botframework.com/v1/.well-known/keys", "an https URL"
        return TeamsSettings(
            hosts=tuple(each.strip().lower() for each in hosts.split(",") if each.strip()),
            service_url=self._text("TEAMS_SERVICE_URL", wanted, _HTTPS, "https://smba.trafficmanager.net/teams/"),
            keys_url=self._text("TEAMS_KEYS_URL", wanted, _HTTPS, framework),
            issuer=self._text("TEAMS_ISSUER", wanted, _HTTPS, "https://api.botframework.com"),
            scope=self._text("TEAMS_SCOPE", wanted, _HTTPS, "https://api.botframework.com/.default"),
        )

    def root(self) -> str:
        """Where everything lies in Parameter Store."""
        return self._text("ROOT", "a parameter path such as /model-approvals", _ROOT, "/model-approvals")

    def policy(self) -> Policy:
        """The policy, from the file that is deployed with the code unless another one is named."""
        return self._collect(lambda: read_policy(self._policy_text())) or Policy((), _NEVER, (), "")

    def _policy_text(self) -> str:
        path = Path(self._environment.get(f"{PREFIX}POLICY") or POLICY)
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsError([f"{PREFIX}POLICY: {path} cannot be read: {problem}"]) from problem

    def _collect(self, read: Callable[[], Policy]) -> Policy | None:
        try:
            return read()
        except SettingsError as mistakes:
            self._mistakes += mistakes.mistakes
            return None

    def _text(self, name: str, wanted: str, pattern: re.Pattern[str], default: str | None = None) -> str:
        value = self._environment.get(PREFIX + name, "") or default
        if value is None:
            self._mistakes.append(f"{PREFIX}{name}: is missing; {wanted}.")
        elif not pattern.fullmatch(value):
            self._mistakes.append(f"{PREFIX}{name}: is not right; {wanted}.")  # never the value: it may be a secret
        return value or ""

    def _number(self, name: str, wanted: str, default: str, *, digits: int = 2) -> int:
        text = self._text(name, wanted, re.compile(rf"[1-9][0-9]{{0,{digits - 1}}}"), default)
        return int(text) if text.isdecimal() else 0

    def _words(self, name: str, wanted: str) -> tuple[str, ...]:
        words = tuple(word.strip() for word in self._environment.get(PREFIX + name, "").split(",") if word.strip())
        if not words:
            self._mistakes.append(f"{PREFIX}{name}: is missing; {wanted}.")
        return words
