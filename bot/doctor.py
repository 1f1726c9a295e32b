"""What `model-approvals doctor` looks at, with the adapters that the doors are built of."""

import json
from collections.abc import Callable, Iterator
from functools import cache, partial

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of
from bot.aws.parameters import SsmParameters
from bot.aws.seal import KmsSealer
from bot.aws.secrets import secret
from bot.checkup import (
    CREDENTIAL,
    SLACK,
    Check,
    Finding,
    carried_out,
    channel_checks,
    group_checks,
    scopes_missing,
    settings_findings,
    works,
)
from bot.config import AwsSettings, Settings, SlackSettings
from bot.policy import HOME, Policy
from bot.slack.api import SlackApi
from bot.slack.presence import absence
from bot.wiring import WORKER_TIMEOUT, BotFramework, Environment, Home, Microsoft, nobody


def checkup(environment: Environment) -> Iterator[Finding]:
    """What is found, one after the other."""
    parts = {
        "AWS": lambda settings: settings.aws(),
        "Slack": lambda settings: settings.slack(),
        "Entra": lambda settings: settings.entra(),
        "the policy": lambda settings: settings.policy(),
        "Teams": lambda settings: settings.teams() if settings.policy().teams else None,
        "the pages": lambda settings: settings.pages() if settings.policy().signs_in else None,
        "mails": lambda settings: settings.mail_from() if settings.policy().mails else None,
    }

    def read(part: Callable[[Settings], object]) -> object:
        settings = Settings(environment)
        found = part(settings)
        settings.check()
        return found

    found = list(settings_findings((name, partial(read, part)) for name, part in parts.items()))
    yield from found
    if not any(each.problem for each in found):
        yield from carried_out(_checks(environment))


def _checks(environment: Environment) -> Iterator[Check]:
    settings = Settings(environment)
    aws, policy = settings.aws(), settings.policy()
    home = Home(aws)
    yield from _of_aws(home, aws)
    yield from _of_slack(settings.slack(), policy, home.clients)
    yield from _of_microsoft(settings, policy, home)
    for place, name in {each.place: each.name for each in policy.all_rules if each.place != HOME}.items():
        store = SsmParameters(home.clients_of(place))
        yield Check(f"the account of {name}", works(partial(store.get, [home.names.approved("doctor", name)])))
    if policy.signs_in:
        yield Check("the key of the pages", partial(_key_problem, home.clients, settings.pages().key))
    if policy.mails:
        yield Check("the sender of mails", partial(_sender_problem, home.clients, settings.mail_from()))


def _of_aws(home: Home, aws: AwsSettings) -> Iterator[Check]:
    yield Check("Parameter Store", works(home.records.groups))
    yield Check("Model Registry", works(lambda: next(iter(home.registry.versions()), None)))
    yield Check("queue of decisions", partial(_queue_problem, home.clients, aws.decisions_url, aws.max_receives))
    yield Check("queue of openings", partial(_queue_problem, home.clients, aws.openings_url, aws.max_receives))


def _of_slack(slack: SlackSettings, policy: Policy, clients: Clients) -> Iterator[Check]:
    token, signing = secret(clients, slack.bot_token), secret(clients, slack.signing_secrets)
    api = SlackApi(token, timeout=WORKER_TIMEOUT, base_url=slack.api_url)
    granted = cache(api.granted)

    def workspace() -> str:
        team = granted()[0]
        if team == slack.team:
            return ""
        return f"the token is of the workspace {team}, and the settings name {slack.team}: correct one of them."

    yield Check("Slack's signing secret", works(signing))
    yield Check(SLACK, workspace)
    yield Check("Slack's scopes", lambda: scopes_missing(granted()[1]), SLACK)
    yield from channel_checks(policy, "slack", partial(absence, api), needs=SLACK)


def _of_microsoft(settings: Settings, policy: Policy, home: Home) -> Iterator[Check]:
    entra = settings.entra()
    microsoft = Microsoft(entra, home.clients)
    yield Check(CREDENTIAL, works(microsoft.token(f"{entra.graph_url}/.default").current))
    yield from group_checks(policy, microsoft.directory(nobody), entra.domains)
    if policy.teams:
        connector = BotFramework(microsoft, settings.teams(), home).connector(timeout=WORKER_TIMEOUT)
        yield from channel_checks(policy, "teams", connector.visit, needs=CREDENTIAL)


def _queue_problem(clients: Clients, url: str, receives: int) -> str:
    """Whether it is a FIFO queue whose messages come as often as the settings say, and soon enough."""
    asked = ["FifoQueue", "RedrivePolicy", "VisibilityTimeout"]
    found = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    if found.get("FifoQueue") != "true" or "RedrivePolicy" not in found:
        return "it has to be a FIFO queue with dead letters."
    allowed = json.loads(found["RedrivePolicy"])["maxReceiveCount"]
    if int(allowed) != receives:
        return f"its maxReceiveCount is {allowed}, and MODEL_APPROVALS_MAX_RECEIVES says {receives}."
    whole = int(found["VisibilityTimeout"]) * receives
    return f"its visibility times its receives is {whole} s: keep it below 900." if whole >= 900 else ""  # noqa: PLR2004


def _key_problem(clients: Clients, key: str) -> str:
    """Whether the key opens what it has closed."""
    sealer = KmsSealer(clients, key)
    opened = sealer.unseal("ticket", sealer.seal("ticket", "doctor"))
    return "" if opened == "doctor" else "it does not open what it has closed: name a symmetric key."


def _sender_problem(clients: Clients, sender: str) -> str:
    """Whether SES has verified the address, or its domain."""
    for identity in (sender, sender.rpartition("@")[2]):
        try:
            if clients("sesv2").get_email_identity(EmailIdentity=identity).get("VerificationStatus") == "SUCCESS":
                return ""
        except ClientError as error:
            if code_of(error) != "NotFoundException":
                raise
    return f"SES has verified neither {sender} nor its domain in this region: verify one of them."
