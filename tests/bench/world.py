"""The local stack of the measurements: our functions as they are deployed, the baselines beside them, one Slack."""

import json
import os
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.entra_people import DEV
from infra.local.gateway import Gateway
from infra.local.lambdas import Function
from infra.local.models import Registered
from infra.local.slack import Message
from infra.local.stack import HANDLERS, MAIL_FROM, Stack
from infra.local.threads import Event
from tests.bench.deployed import Deployed, package_of
from tests.bench.proxy import Proxy
from tests.journeys.examples import unheard
from tests.journeys.people import card
from tests.journeys.policies import SHIPPED, policy

BASELINES = Path(__file__).with_name("baselines")
INSTALLED = Path(sysconfig.get_path("purelib"))
"""Where the packages of the baselines are, installed the usual way, with their byte code."""
CHANNEL = "C0MODELSDEV"
DELAYS = {"aws": 0.015, "microsoft": 0.040, "slack": 0.080}
"""Seconds that the network adds to a call of each."""
TEAMS_AND_MAIL = ', teams = "19:models-dev-test@thread.tacv2"'


@dataclass(slots=True)
class Writes:
    """When AWS had carried out each write: what EventBridge tells of it, at that moment."""

    seen: list[tuple[float, Event]] = field(default_factory=list)

    def note(self, event: Event) -> None:
        """Take one down; meant for `Aws.on_event`."""
        self.seen.append((time.monotonic(), event))

    def recorded(self, since: float, *names: str) -> float:
        """When the registry and the first parameter of each name had all been written."""
        later = [each for each in self.seen if each[0] >= since]
        moments = [next(at for at, event in later if "ModelPackageArn" in event["detail"])]
        moments += [next(at for at, event in later if name in str(event["detail"].get("name"))) for name in names]
        return max(moments)


@contextmanager
def world(folder: Path, built: Path, *, text: str = "") -> Iterator[Stack]:
    """A stack whose policy asks for dev in Slack and by mail, as the baseline does."""
    settings = policy(folder, text or SHIPPED.replace(TEAMS_AND_MAIL, ""))
    with Stack(settings=settings, functions=partial(_functions, built)) as stack:
        stack.slack.limits.posts_per_second = stack.slack.limits.post_burst = 1000
        stack.slack.limits.per_minute = dict.fromkeys(stack.slack.limits.per_minute, 100_000)
        try:
            yield stack
        finally:
            for each in stack.functions.values():
                each.restart()


def _functions(built: Path, _: Stack) -> dict[str, Function]:
    return {name: Deployed(module, package_of(module, built)) for name, module in HANDLERS.items()}


@contextmanager
def network(stack: Stack, scale: float = 1.0) -> Iterator[Mapping[str, Proxy]]:
    """Put the delays between functions and services; environments are cold when it begins and when it ends."""
    proxies = {
        "aws": Proxy(DELAYS["aws"] * scale, _address(stack.aws.endpoint_url)),
        "slack": Proxy(DELAYS["slack"] * scale, _address(stack.slack.url)),
        "microsoft": Proxy(DELAYS["microsoft"] * scale),
    }
    far = {name: f"http://{proxy.start().address}" for name, proxy in proxies.items()}
    changes = {
        "AWS_ENDPOINT_URL": far["aws"],
        "MODEL_APPROVALS_SLACK_API_URL": f"{far['slack']}/api/",
        "MODEL_APPROVALS_PROXY": far["microsoft"],
    }
    before = {name: os.environ.get(name, "") for name in changes}
    os.environ.update(changes)
    _restart(stack)
    try:
        yield proxies
    finally:
        os.environ.update(before)
        _restart(stack)
        for proxy in proxies.values():
            proxy.stop()


def _restart(stack: Stack) -> None:
    stack.settle(60)
    for function in stack.functions.values():
        function.restart()


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def baseline_settings(stack: Stack) -> dict[str, str]:
    """What the baselines find in their environment: the same services, at the same distance."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    asked = {
        "SLACK_BOT_TOKEN": stack.slack.bot_token,
        "SLACK_SIGNING_SECRET": stack.slack.signing_secret,
        "SLACK_API_URL": os.environ["MODEL_APPROVALS_SLACK_API_URL"],
        "SLACK_CHANNEL": CHANNEL,
        "ENTRA_CLIENT_ID": stack.entra.client_id,
        "ENTRA_CLIENT_SECRET": stack.entra.client_secret,
        "ENTRA_AUTHORITY": f"{stack.entra.authority}/{stack.entra.tenant}",
        "GRAPH_URL": stack.entra.graph_url,
        "APPROVERS_GROUP": DEV,
        "REQUESTS_CA_BUNDLE": os.environ["MODEL_APPROVALS_CA_BUNDLE"],
        "MAIL_FROM": MAIL_FROM,
        "MAIL_TO": "approvers-dev@example.com",
    }
    proxy = os.environ.get("MODEL_APPROVALS_PROXY", "")
    return {**ours, **asked, **({"ALL_PROXY": proxy} if proxy else {})}


class Blog:
    """The baseline behind an API Gateway of its own; our bot hears nothing of what it does."""

    def __init__(self, stack: Stack, settings: Mapping[str, str] | None = None) -> None:
        asked = {**baseline_settings(stack), **(settings or {})}
        self.stack = stack
        self.function = Deployed("blog", [BASELINES, INSTALLED], settings=asked)
        self.gateway = Gateway({"/": self.function}).start()

    def stop(self) -> None:
        """End its process."""
        self.gateway.stop()
        self.function.restart()

    def ask(self, model: Registered) -> Message:
        """Have it told of a version, and give the card."""
        detail = {
            "ModelPackageArn": model.arn,
            "ModelPackageGroupName": model.group,
            "ModelPackageVersion": model.version,
        }
        self.function({"detail-type": "SageMaker Model Package State Change", "detail": detail})
        return self.stack.slack.workspace.messages(CHANNEL)[-1]

    def click(self, message: Message, *, user: str = "U0MAYA") -> None:
        """Press its button, inside of `here`; it answers when all is done."""
        self.stack.slack.press(user, message.channel, message.ts, "approve_model")

    @contextmanager
    def here(self) -> Iterator[None]:
        """Slack sends clicks to it, and our bot hears no event."""
        before, self.stack.slack.request_url = self.stack.slack.request_url, f"{self.gateway.url}/slack/events"
        try:
            with unheard(self.stack):
                yield
        finally:
            self.stack.slack.request_url = before


def press(stack: Stack, model: Registered, *, user: str = "U0MAYA") -> None:
    """Press Approve on our card, and wait for all that follows."""
    message = card(stack, model)
    stack.slack.press(user, message.channel, message.ts, "approval.approve")
    stack.settle(60)


def event_of(stack: Stack, act: Callable[[], object]) -> Event:
    """The event that a function would have been handed, had it been there."""
    caught: list[Event] = []

    def take(event: Event) -> dict[str, Any]:
        caught.append(event)
        return {"statusCode": 200}

    gateway, before = Gateway({"/": take}).start(), stack.slack.request_url
    stack.slack.request_url = f"{gateway.url}/slack/events"
    try:
        act()
    finally:
        stack.slack.request_url = before
        gateway.stop()
    return json.loads(json.dumps(caught[0]))
