"""The local stack: AWS, Slack, Entra and a gateway on 127.0.0.1, with the real handlers between them.

    with Stack() as stack:
        stack.pipeline.register("churn")
        stack.settle()
        stack.slack.press("U0MAYA", card.channel, card.ts, "approval.approve")

The handlers cannot tell that this is not AWS: they read their settings from the environment, as everywhere.
"""

import json
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from infra.local.aws import Aws
from infra.local.aws_faults import AWS_ITSELF
from infra.local.delivery import EventBus, QueuePoller, Schedule, idle
from infra.local.entra import Entra
from infra.local.entra_people import DANA, ELI, GUS, MAYA, OMAR, PRIYA
from infra.local.gateway import Gateway
from infra.local.inference import BatchInference
from infra.local.lambdas import Function
from infra.local.mailbox import Mailbox
from infra.local.models import PIPELINE, Pipeline
from infra.local.slack import Channel, Slack, User
from infra.local.teams import AUDIENCE, Team, Teams
from infra.local.teams import Channel as TeamsChannel
from infra.local.threads import stop

REPOSITORY = Path(__file__).resolve().parent.parent.parent
MAX_RECEIVES = 8
VISIBILITY = 100
"""Seconds; eight receives of a hundred seconds end before a click is fifteen minutes old."""
QUEUES = ("decisions", "openings")
HANDLERS = {
    "slack": "handlers.slack",
    "teams": "handlers.teams",
    "web": "handlers.web",
    "events": "handlers.events",
    "decisions": "handlers.jobs",
    "openings": "handlers.jobs",
    "sweep": "handlers.sweep",
}
"""The functions, each with the module that it runs: as in infra/template.yaml."""
ROUTES = {"/": "web", "/slack/events": "slack", "/teams/messages": "teams"}
"""Which function answers what, by the beginning of a path."""
CHANNELS = (Channel("C0MODELSDEV", "models-dev-test"), Channel("C0MODELSPRD", "models-uat-prod"))
PEOPLE = (
    User("U0MAYA", "maya", "Maya Chen", "maya.chen@example.com"),
    User("U0OMAR", "omar", "Omar Haddad", "omar.haddad@example.com"),
    User("U0PRIYA", "priya", "Priya Nair", "priya.nair@example.com"),
    User("U0DANA", "dana", "Dana Scientist", "dana.scientist@example.com"),
    User("U0ELI", "eli", "Eli Outside", "eli.outside@example.com"),
    User("U0GUS", "gus", "Gus Guest", "gus.guest@example.com"),
    User("U0LENA", "lena", "Lena Left", "lena.left@example.com"),
    User("U0ADA", "ada", "Ada Admin", "ada.admin@example.com"),
)
MAIL_FROM = "approvals@example.com"
TEAM = "19:models@thread.tacv2"
TEAMS_CHANNELS = (
    TeamsChannel("19:models-dev-test@thread.tacv2", "models-dev-test", TEAM),
    TeamsChannel("19:models-uat-prod@thread.tacv2", "models-uat-prod", TEAM),
)
IN_TEAMS = (MAYA, OMAR, PRIYA, DANA, ELI, GUS)
"""The members of the team: everybody who may look, a guest too."""


def in_process(_: "Stack") -> dict[str, Function]:
    """Give the functions as modules of this process, which start at once."""
    return {name: Function(module) for name, module in HANDLERS.items()}


class Stack:
    """Everything, from `start()` to `stop()`."""

    def __init__(
        self,
        *,
        port: int = 0,
        pages_port: int = 0,
        retry_after: int = 1,
        sweep_every: float = 300.0,
        settings: Mapping[str, str] | None = None,
        teams: type[Teams] = Teams,
        functions: Callable[["Stack"], Mapping[str, Function]] = in_process,
    ) -> None:
        """Prepare; `settings` changes what the handlers read from their environment, `teams` which Teams there is.

        `functions` makes what `HANDLERS` names, before anything is started.
        """
        self.aws = Aws(port)
        self.slack = Slack()
        self.entra = Entra()
        self.teams = teams(self.entra.client_id, self.entra.tenant, self.entra.login.verify)
        self.functions = functions(self)
        self.bus = EventBus(self.functions["events"])
        self.sweeping = Schedule(self.functions["sweep"], sweep_every)
        self.gateway = Gateway({path: self.functions[name] for path, name in ROUTES.items()}, port=pages_port)
        self.mailbox = Mailbox()
        self.pollers: list[QueuePoller] = []
        self.queues: dict[str, str] = {}
        self.seal_key = ""
        self._folder = TemporaryDirectory(prefix="stack-")
        self._retry_after = retry_after
        self._changes = settings or {}
        self._before: dict[str, str | None] = {}

    def start(self) -> Self:
        """Start all parts; the functions start cold, with their first event."""
        self.aws.start()
        self.aws.on_event.append(self.bus.put)
        self.slack.start()
        self.entra.start()
        self.teams.start()
        self.gateway.start()
        self._furnish()
        self._set_environment()
        self.teams.install(TEAM)
        self.pipeline = Pipeline(self.aws)
        self.inference = BatchInference(self.aws, self.aws.end_transform)
        self.bus.start()
        for poller in self.pollers:
            poller.start()
        return self

    def stop(self) -> None:
        """Stop all parts, and leave the environment as it was."""
        stop(self.sweeping, *self.pollers, self.bus)
        self.gateway.stop()
        for function in self.functions.values():
            function.stop()
        for part in (self.slack, self.teams, self.entra, self.aws):
            part.stop()
        self._folder.cleanup()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def settle(self, timeout: float = 30.0) -> None:
        """Wait until no event and no message is under way."""
        idle(self.bus, self.pollers, timeout=timeout)

    def sweep(self) -> Any:  # noqa: ANN401 - what the handler answers
        """Fire the schedule once, and wait for what it asks for."""
        answer = self.sweeping.fire()
        self.settle()
        return answer

    def parameter(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Read a parameter's value, or nothing, with a client of the stack's own."""
        found = self.aws.client("ssm", access_key="LOCALREADER").get_parameters(Names=[f"/model-approvals/{name}"])
        return json.loads(found["Parameters"][0]["Value"]) if found["Parameters"] else None

    def parameters(self) -> dict[str, str]:
        """Every parameter below the root, but for the note that a sweep has run: that changes with each."""
        pages = self.aws.client("ssm", access_key="LOCALREADER").get_paginator("get_parameters_by_path")
        found = pages.paginate(Path="/model-approvals", Recursive=True)
        values = {each["Name"]: each["Value"] for page in found for each in page["Parameters"]}
        values.pop("/model-approvals/_status/_health", None)
        return values

    @property
    def elsewhere(self) -> dict[str, str]:
        """Where AWS, Slack and Microsoft are, which is all that a function has to be told beside its usual settings."""
        return {
            "AWS_ENDPOINT_URL": self.aws.endpoint_url,
            "MODEL_APPROVALS_SLACK_API_URL": self.slack.api_url,
            "MODEL_APPROVALS_ENTRA_AUTHORITY": self.entra.authority,
            "MODEL_APPROVALS_GRAPH_URL": self.entra.graph_url,
            "MODEL_APPROVALS_CA_BUNDLE": str(self._trusted),
            "MODEL_APPROVALS_TEAMS_HOSTS": self.teams.url.removeprefix("https://"),
            "MODEL_APPROVALS_TEAMS_SERVICE_URL": self.teams.first_url,
            "MODEL_APPROVALS_TEAMS_KEYS_URL": self.teams.keys_url,
            "MODEL_APPROVALS_ENTRA_HOSTS": self.entra.authority.removeprefix("https://"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a function finds in its environment."""
        return {
            "AWS_REGION": self.aws.region,
            "AWS_DEFAULT_REGION": self.aws.region,
            "AWS_ACCESS_KEY_ID": "LOCALBOT",
            "AWS_SECRET_ACCESS_KEY": "local",
            "MODEL_APPROVALS_ACCOUNT": self.aws.account,
            "MODEL_APPROVALS_DECISIONS_URL": self.queues["decisions"],
            "MODEL_APPROVALS_OPENINGS_URL": self.queues["openings"],
            "MODEL_APPROVALS_MAX_RECEIVES": str(MAX_RECEIVES),
            "MODEL_APPROVALS_POLICY": str(REPOSITORY / "infra" / "policy.toml"),
            "MODEL_APPROVALS_SLACK_TEAM": self.slack.workspace.team_id,
            "MODEL_APPROVALS_SLACK_BOT_TOKEN": self.slack.bot_token,
            "MODEL_APPROVALS_SLACK_SIGNING_SECRETS": self.slack.signing_secret,
            "MODEL_APPROVALS_ENTRA_TENANT": self.entra.tenant,
            "MODEL_APPROVALS_ENTRA_CLIENT_ID": self.entra.client_id,
            "MODEL_APPROVALS_ENTRA_CLIENT_SECRET": self.entra.client_secret,
            "MODEL_APPROVALS_EMAIL_DOMAINS": "example.com",
            "MODEL_APPROVALS_PAGES_URL": self.gateway.pages_url,
            "MODEL_APPROVALS_SEAL_KEY": self.seal_key,
            "MODEL_APPROVALS_MAIL_FROM": MAIL_FROM,
            **self.elsewhere,
            **self._changes,
        }

    def write_variables(self, **others: str) -> Path:
        """Write what a shell can read to be as a function is, but for `others`; it goes with the stack."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in {**self.environment, **others}.items()]
        path = Path(self._folder.name) / "variables.sh"
        path.write_text("".join(lines))
        return path

    def _set_environment(self) -> None:
        for name, value in self.environment.items():
            self._before[name] = os.environ.get(name)
            os.environ[name] = value

    def _furnish(self) -> None:
        """Make what a deployment makes: queues with dead letters, a key, a sender, channels with people."""
        self.aws.identities[PIPELINE] = "arn:aws:sts::123456789012:assumed-role/training/train-pipeline"
        sqs = self.aws.client("sqs", access_key=AWS_ITSELF)
        for name in QUEUES:
            dead = self._queue(f"{name}-dead.fifo", {})
            arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(MAX_RECEIVES)})
            self.queues[name] = self._queue(f"{name}.fifo", {"RedrivePolicy": redrive})
            self.queues[f"{name}-dead"] = dead
        self.pollers = [self._poller(name) for name in self.queues]
        for channel in CHANNELS:
            self.slack.workspace.add_channel(channel)
        for person in PEOPLE:
            self.slack.workspace.add_user(person)
        self.slack.request_url = f"{self.gateway.url}/slack/events"
        self._furnish_teams()
        self.entra.app.redirect_uris.add(f"{self.gateway.pages_url}/signed-in")
        kms = self.aws.client("kms", access_key=AWS_ITSELF)
        self.seal_key = kms.create_key(Description="seals links and cookies")["KeyMetadata"]["KeyId"]
        self.aws.client("sesv2", access_key=AWS_ITSELF).create_email_identity(EmailIdentity=MAIL_FROM)

    def _furnish_teams(self) -> None:
        """Make a team with its people and channels; both of Microsoft's services are trusted by one file."""
        self._trusted = Path(self._folder.name) / "ca.pem"
        self._trusted.write_text(Path(self.entra.ca_bundle).read_text() + Path(self.teams.ca_bundle).read_text())
        self.entra.login.audiences.add(AUDIENCE)
        self.teams.request_url = f"{self.gateway.url}/teams/messages"
        self.teams.workspace.add_people(self.entra.people)
        self.teams.workspace.add_team(Team(TEAM, "Models", frozenset(IN_TEAMS)))
        for channel in TEAMS_CHANNELS:
            self.teams.workspace.add_channel(channel)

    def _poller(self, queue: str) -> QueuePoller:
        """Hand a queue to the function of its name; its dead letters are that one's too."""
        sqs, work = self.aws.client("sqs", access_key=AWS_ITSELF), self.functions[queue.removesuffix("-dead")]
        threads = 1 if queue.endswith("-dead") else 4
        return QueuePoller(sqs, self.queues[queue], work, threads=threads, retry_after=self._retry_after)

    def _queue(self, name: str, more: Mapping[str, str]) -> str:
        attributes = {"FifoQueue": "true", "VisibilityTimeout": str(VISIBILITY), **more}
        created = self.aws.client("sqs", access_key=AWS_ITSELF).create_queue(QueueName=name, Attributes=attributes)
        return str(created["QueueUrl"])
