"""People with browsers and the site that they visit: the real use-cases on the ports in memory."""

import secrets
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from bot.desk import Desk
from bot.domain import ChatUser, ModelVersion
from bot.errors import BrokenLink, NotIdentified, Unavailable
from bot.evidence import Evidence, Metric
from bot.linking import Linking
from bot.links import Links
from bot.package import Container, Package
from bot.people import People
from bot.seals import Seals
from bot.web.site import Site, dispatch
from tests.memory import InTurn, MemorySealer
from tests.proofs.world import GROUPS, World, policy_of

PAGES = "https://approvals.example.com"
TENANT = "00000000-0000-4000-8000-00000000aaaa"
COMPANY = "https://login.example.com/authorize"
ADMINISTRATORS = "00000000-0000-4000-8000-0000000000ad"
ACCOUNT = ChatUser("slack", "T1", "U0MAYA", "C0MODELS00")
CALLED = "@maya in the Slack workspace acme"
REQUEST = "/requests/churn/1/dev/1"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Person:
    """Who came back from the sign-in."""

    oid: str
    tenant: str
    name: str


class CompanySignIn:
    """The way to the sign-in and back: a code is a name, once."""

    def __init__(self):
        self.begun, self.used, self.down, self.names = 0, set(), False, {}

    def start(self):
        if self.down:
            raise Unavailable("the company's sign-in does not answer")
        self.begun += 1
        return f"{COMPANY}?state=state-{self.begun}", f"state-{self.begun}"

    def finish(self, flow, query):
        code = query.get("code", "")
        if query.get("state") != flow or code in self.used:
            raise BrokenLink("another sign-in")
        if query.get("error") or not code:
            raise NotIdentified(f"the sign-in says {query.get('error')}")
        self.used.add(code)
        user = code.partition("-")[0]
        return Person(f"oid-{user}", TENANT, self.names.get(user, user.capitalize()))


class Town:
    """A world with a site in it; `open` and `send` are what a browser does."""

    def __init__(self, policy=None, *, pages=PAGES):
        self.world = World(policy or administered(policy_of()))
        world = self.world
        self.sealer = MemorySealer()
        self.seals = Seals(self.sealer, world.clock)
        self.sign_in = CompanySignIn()
        near = world.near()
        self.people = People(world.parameters, world.names)
        self.links = Links(pages, self.seals, world.clock)
        desk = Desk(world.policy, near.records, world.directory, world.jobs, InTurn(), world.clock)
        linking = Linking(world.policy, self.people, world.directory, self.links, world.clock)
        self.site = Site(desk, linking, self.seals, self.sign_in, pages, TENANT, world.clock)
        address(world, "maya", "maya@example.com")
        world.directory.add("gus", *GROUPS.values(), member=False)
        world.directory.add("dora", *GROUPS.values(), enabled=False)
        world.directory.add("ada", ADMINISTRATORS)

    def register(self, version=1, *, metrics=(), **package: Any):
        """What a pipeline does, with its report."""
        world, model = self.world, ModelVersion("churn", version)
        uri = f"s3://reports/churn/{version}/evaluation.json"
        world.evaluations.reports[uri] = Evidence(tuple(metrics), uri, "sha")
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/churn/{version}"
        container = Container(f"image:{version}", "sha256:1", f"s3://models/{version}", '"etag"')
        known: dict[str, Any] = {"containers": (container,), "created_by": "dana@example.com", **package}
        reports = ((uri, "sha"),) if metrics else ()
        world.registry.register(Package(model, arn, "PendingManualApproval", metrics=reports, **known))
        world.drain()
        return model

    def answer(self, user, request, answer="approve"):
        """What somebody does in the chat, carried out."""
        self.world.answer(user, request, answer)
        self.world.drain()

    def state(self):
        """Everything that a request could have changed."""
        jobs = {name: [each.job for each in queue] for name, queue in self.world.jobs.queues.items()}
        return {name: list(values) for name, values in self.world.parameters.stored.items()}, jobs

    def jobs(self):
        """What waits on both queues."""
        return [each.job for queue in self.world.jobs.queues.values() for each in queue]


def administered(policy):
    """The policy with a group of administrators."""
    return replace(policy, administrators=ADMINISTRATORS)


def address(world, user, *addresses):
    """Give somebody the addresses that the directory knows of them."""
    world.directory.people[user] = replace(world.directory.people[user], addresses=frozenset(addresses))


class Browser:
    """Keeps cookies as browsers do, and remembers every answer."""

    def __init__(self, town, user=""):
        self.town, self.cookies = town, {}
        if user:
            self.sign_in(user)

    def sign_in(self, user, target="/"):
        """Be somebody, by the whole way through the sign-in; the answer leads to the target."""
        self.cookies.pop("__Host-ticket", None)
        return self.come_back(user, self.get(target))

    def come_back(self, user, begun):
        """What the company's page does once somebody has signed in there."""
        state = dict(parse_qsl(urlsplit(begun.location).query))["state"]
        return self.get(f"/signed-in?code={user}-{secrets.token_hex(4)}&state={state}")

    def get(self, target, **more):
        """Open a page, without following where it leads."""
        return self._ask("GET", target, **more)

    def head(self, target, **more):
        """What scanners of links do."""
        return self._ask("HEAD", target, **more)

    def follow(self, target):
        """Open a page, and go where it leads, as long as that is here."""
        answer = self.get(target)
        while answer.status == 303:
            answer = self.get(answer.location)
        return answer

    def press(self, page, action, **fields):
        """Send the form of a page whose action this is."""
        form = page.form(action)
        return self.post(form.target, {**form.fields, **fields})

    def post(self, target, fields, **more):
        """Send a form from our own page, unless `more` says otherwise."""
        return self._ask("POST", target, body=urlencode(fields), **more)

    def _ask(self, method, target, *, body="", headers=None, cookies=None, **event):
        sent = {"content-type": FORM, "origin": PAGES, "sec-fetch-site": "same-origin"} if method == "POST" else {}
        sent |= headers or {}
        jar = self.cookies if cookies is None else cookies
        answer = Answer(dispatch(self.town.site, api_event(method, target, body, sent, jar, **event)))
        self._keep(answer.cookies)
        return answer

    def _keep(self, cookies):
        for each in cookies:
            name, _, rest = each.partition("=")
            value, *attributes = rest.split("; ")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def api_event(method, target, body="", headers=None, cookies=None, **changes: Any):
    """An API Gateway HTTP API event, payload format 2.0; a target may be a whole address of ours."""
    path, _, query = target.removeprefix(PAGES).partition("?")
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name: value for name, value in (headers or {}).items() if value is not None},
        "cookies": [f"{name}={value}" for name, value in (cookies or {}).items()],
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "body": body,
        "isBase64Encoded": False,
        **changes,
    }


@dataclass(frozen=True)
class Sent:
    """A form as the page has it."""

    target: str
    fields: dict[str, str]


class Answer:
    """What came back, read as a person or a browser reads it."""

    def __init__(self, event):
        self.event = event
        self.status, self.headers, self.body = event["statusCode"], event["headers"], event["body"]
        self.cookies = event["cookies"]
        self.page = Page(self.body)

    @property
    def location(self):
        return self.headers["location"]

    @property
    def text(self):
        return " ".join("".join(self.page.texts).split())

    @property
    def links(self):
        return self.page.links

    def form(self, action):
        return next(each for each in self.page.forms if each.fields.get("action") == action)

    @property
    def actions(self):
        return [each.fields.get("action") for each in self.page.forms]


class Page(HTMLParser):
    """The words, links and forms of a page."""

    def __init__(self, html):
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.forms: list[Sent] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "a":
            self.links.append(found.get("href", ""))
        if tag == "form":
            self.forms.append(Sent(found["action"], {}))
        if tag in {"input", "textarea"} and self.forms and "name" in found:
            self.forms[-1].fields[found["name"]] = found.get("value", "")

    def handle_data(self, data):
        self.texts.append(data + " ")


METRICS = (
    Metric("auc", 0.903, 0.004),
    Metric("accuracy", 0.87, 0.01),
    Metric("precision", 0.749, 0.02),
    Metric("recall", 0.561, 0.02),
    Metric("f1", 0.642, 0.01),
    Metric("p95_latency", 15.51, None, "ms"),
)
OLDER = (
    Metric("auc", 0.793, 0.004),
    Metric("accuracy", 0.839, 0.01),
    Metric("precision", 0.75, 0.02),
    Metric("recall", 0.333, 0.02),
    Metric("f1", 0.461, 0.01),
    Metric("p95_latency", 12.1, None, "ms"),
)
