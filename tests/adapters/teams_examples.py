"""People, activities and the door that the tests of Teams share."""

import base64
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from bot.card import Card
from bot.domain import RequestId
from bot.envelope import encode_job
from bot.errors import NotIdentified, Unavailable
from bot.jobs import decode_job
from bot.overview import Statuses
from bot.status import GroupStatus, Slot
from bot.teams.activities import Activities
from bot.teams.app import Door, dispatch
from bot.teams.connector import Connector
from bot.teams.http import open_pool
from bot.teams.service import Services
from bot.teams.token import SigningKeys, Threshold
from infra.local.teams import Team, Teams, User
from tests.adapters.slack_examples import CARD, DECIDED, NOW, REQUEST
from tests.memory import InTurn

APP, TENANT = "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000001"
ELSEWHERE = "00000000-0000-4000-8000-00000000eeee"
CHANNEL = "19:models@thread.tacv2"
MAYA = User("00000000-0000-4000-8000-0000000000a1", "Maya Chen", "maya.chen@example.com")
OMAR = User("00000000-0000-4000-8000-0000000000a2", "Omar Diaz", "omar.diaz@example.com")
EVE = User("00000000-0000-4000-8000-0000000000ee", "Eve", tenant=ELSEWHERE)
PAGES = "https://approvals.example.com"
THREAD = f"{CHANNEL};messageid=1795512000000"
TOKEN = "the-bots-own-token"
CHURN = GroupStatus({}, {"dev": Slot(NOW, "", 12)})
__all__ = ["CARD", "DECIDED", "REQUEST"]


def verify(token: str, audience: str) -> dict[str, str]:
    """What the tenant's Entra says of the bot's token."""
    if not token.startswith(TOKEN):
        raise jwt.InvalidTokenError("not the bot's")
    return {"azp": APP, "tid": TENANT, "aud": audience}


def open_teams() -> Teams:
    """Make a Teams that is not served yet."""
    return Teams(APP, TENANT, verify)


def settle(teams: Teams) -> Teams:
    """Put people and a team with the app into it."""
    for user in (MAYA, OMAR, EVE):
        teams.workspace.add_user(user)
    teams.workspace.add_team(Team(CHANNEL, "Models", frozenset({MAYA.key, OMAR.key}), installed=True))
    teams.limits.on = False
    return teams


class Keyring:
    """The bot's tokens; `refuse` makes the one in use be of no worth."""

    def __init__(self):
        self.token, self.renewals = TOKEN, 0

    def current(self):
        return self.token

    def renewed(self, refused):
        assert refused == self.token
        self.renewals += 1
        self.token = f"{TOKEN}-{self.renewals}"
        return self.token


class Queue:
    """The port Jobs; `broken` is what it says of itself at times."""

    def __init__(self):
        self.jobs, self.broken = [], None

    def put(self, job):
        if self.broken:
            raise self.broken
        self.jobs.append(decode_job(encode_job(job)))


class Shelf:
    """What `model-status` and a refresh read."""

    def __init__(self):
        self.cards: dict[RequestId, Card] = {REQUEST: CARD}
        self.read: list[Any] = []
        self.broken = False

    def card(self, request):
        return self._read(request, self.cards.get(request))

    def overview(self):
        return self._read("", [("churn-xgb", CHURN)])

    def group(self, name):
        return self._read(name, CHURN if name == "churn-xgb" else None)

    def _read(self, what, found):
        self.read.append(what)
        if self.broken:
            raise Unavailable("Parameter Store did not answer")
        return found


class Clock:
    """The time, which a test may move."""

    def __init__(self):
        self.ahead = timedelta()

    def __call__(self):
        return datetime.now(UTC) + self.ahead


@dataclass
class House:
    """A door with all that is behind it, in front of a Teams."""

    teams: Teams
    queue: Queue = field(default_factory=Queue)
    shelf: Shelf = field(default_factory=Shelf)
    keyring: Keyring = field(default_factory=Keyring)
    clock: Clock = field(default_factory=Clock)
    installed: list[str] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)
    admission: Any = None

    def __post_init__(self):
        self.pool = open_pool(ca_bundle=self.teams.ca_bundle)
        self.services = Services([self.teams.url.removeprefix("https://")])
        self.connector = Connector(
            self.pool, self.keyring, app_id=APP, tenant=TENANT, service=lambda: self.teams.first_url,
            services=self.services, timeout=2,
        )  # fmt: skip
        self.door = self.door_at(self.teams.keys_url)

    def door_at(self, keys_url, services=None, connector=None):
        """The same door, with its keys somewhere else."""
        keys = SigningKeys(self.pool, keys_url, self.clock)
        threshold = Threshold(keys, self.teams.issuer, APP, TENANT, services or self.services)
        activities = Activities(
            app_id=APP,
            tenant=TENANT,
            jobs=self.queue,
            clock=lambda: NOW,
            card=self.shelf.card,
            statuses=Statuses(self.shelf.overview, self.shelf.group, ("dev", "test")),
            standing=self.standing,
            crew=InTurn(),
            connector=connector or self.connector,
            installed=self.installed.append,
            admission=self.admission,
            pages=PAGES,
        )
        return Door(threshold, activities)

    def standing(self, user):
        if user.user in self.strangers:
            raise NotIdentified("You are a guest.")

    def changed(self, **fields):
        """The same house with something else in it."""
        return replace(self, **fields)

    def token(self, url="", **forged):
        return self.teams.keys.token(url or self.teams.service_url, **forged)

    def send(self, activity, *, token=None, door=None, **event):
        """Send an activity with its token; give what came back."""
        given = self.token(activity.get("serviceUrl")) if token is None else token
        headers = {"authorization": f"Bearer {given}"} if given else {}
        return Reply(dispatch(door or self.door, http(json.dumps(activity), headers=headers, **event)))

    def press(self, **changes):
        """An activity of somebody who presses Approve."""
        return press(self.teams.service_url, **changes)

    @property
    def outbound(self):
        """The calls of the bot but those for keys."""
        return [call.method for call in self.teams.calls if call.method != "keys"]

    @property
    def untouched(self):
        """Whether nothing was read, enqueued, kept or sent."""
        return not (self.queue.jobs or self.shelf.read or self.installed or self.outbound)


class Reply:
    """What the door answered."""

    def __init__(self, event):
        self.status, self.text = event["statusCode"], event["body"]
        self.json: Any = json.loads(self.text) if self.text else None

    @property
    def card(self):
        assert self.json["type"] == "application/vnd.microsoft.card.adaptive", self.json
        assert (self.status, self.json["statusCode"]) == (200, 200)
        return self.json["value"]

    @property
    def toast(self):
        assert self.json["type"] == "application/vnd.microsoft.activity.message", self.json
        assert (self.status, self.json["statusCode"]) == (200, 200)
        return self.json["value"]

    @property
    def error(self):
        assert self.json["type"] == "application/vnd.microsoft.error", self.json
        assert (self.status, self.json["statusCode"]) == (200, 400)
        return self.json["value"]["message"]


def activity(url, kind, *, who=MAYA, conversation=THREAD, **changes):
    """What every activity has; `changes` may name parts by a path with double underscores."""
    found = {
        "type": kind,
        "id": "f:3b1c8d2e-6f7a",
        "channelId": "msteams",
        "serviceUrl": url,
        "from": {"id": who.mri, "name": who.name, "aadObjectId": who.oid},
        "conversation": {"id": conversation, "tenantId": TENANT, "isGroup": True, "conversationType": "channel"},
        "recipient": {"id": f"28:{APP}", "name": "Model Approvals"},
        "channelData": {"channel": {"id": CHANNEL}, "tenant": {"id": TENANT}},
    }
    for path, value in changes.items():
        put(found, path.split("__"), value)
    return found


def press(url, verb="mr.approve", *, request=str(REQUEST), **changes):
    """A pressed button."""
    data = {"request": request, **({"reason": changes.pop("reason")} if "reason" in changes else {})}
    action = {"type": "Action.Execute", "verb": verb, "data": data}
    named = {"name": "adaptiveCard/action", "replyToId": "1795512000000", "value": {"action": action}}
    return activity(url, "invoke", **{**named, **changes})


def put(value, way, new):
    """Change a part of an activity; `...` takes it away."""
    *first, last = way
    for name in first:
        value = value[name]
    if new is ...:
        value.pop(last, None)
    else:
        value[last] = new


def http(body, *, headers=None, path="/teams/messages", method="POST", encoded=False, stage="$default"):
    """An API Gateway HTTP API event, payload format 2.0."""
    text = base64.b64encode(body.encode()).decode() if encoded else body
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers or {},
        "requestContext": {"http": {"method": method, "path": path}, "stage": stage},
        "body": text,
        "isBase64Encoded": encoded,
    }


def objects(value):
    """Every JSON object inside a value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from objects(inner)


def words_of(shown):
    """Every text that a person sees on a card, in order."""
    if isinstance(shown, str):
        return [shown]
    if isinstance(shown, list):
        return [word for each in shown for word in words_of(each)]
    if not isinstance(shown, dict):
        return []
    if shown.get("type") == "RichTextBlock":
        return ["".join(each if isinstance(each, str) else each["text"] for each in shown["inlines"])]
    own = [shown[name] for name in ("text", "label") if isinstance(shown.get(name), str)]
    inner = [shown[name] for name in ("body", "items", "rows", "cells") if name in shown]
    return [*own, *words_of(inner)]


def buttons(card):
    """The titles of a card's buttons."""
    return [each["title"] for each in card.get("actions", ())]
