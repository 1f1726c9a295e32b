"""Microsoft's own Teams client for developers, behind a proxy that gives it what the Bot Connector has: keys.

The client (npm `@microsoft/m365agentsplayground`) sends no token and looks at none. So its activities go through
`Relay`, which signs them as the Bot Connector does and puts its own address in; and what the bot sends there is
handed on once its token, its quoting, its size and its content have passed. The product knows of none of this.
"""

import json
import os
import re
import socket
import subprocess
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import urllib3

from infra.local import slack_http
from infra.local.entra_https import Route, Section
from infra.local.npm import program
from infra.local.slack_http import Answer, Fault, Service
from infra.local.teams import Teams
from infra.local.teams_connector import Connector, Verify
from infra.local.teams_http import Asked, refuse
from infra.local.teams_roster import Channel, User

Json = dict[str, Any]

CLIENT = "@microsoft/m365agentsplayground"
OTHERS = 5
"""Users that its configuration must have, no more and no fewer."""
START = 60.0
"""Seconds until it has to serve."""
JSON = {"Content-Type": "application/json"}


class Relay(Teams):
    """The Bot Connector of a tenant whose Teams is the client at `client_url`."""

    client_url = ""

    def _connector(self, verify: Verify) -> Connector:
        return _Passing(self, verify)


class _Passing(Connector):
    """Checks what the bot sends as the local Bot Connector does, and lets the client carry it out."""

    def __init__(self, relay: Relay, verify: Verify) -> None:
        super().__init__(relay.workspace, relay.limits, verify)
        self._relay = relay
        self._pool = urllib3.PoolManager(maxsize=10)

    @property
    def section(self) -> Section:
        known = {route.name: route for route in super().section.routes}
        routes = [
            replace(
                route,
                path=re.sub(r"^.*(?=/v3/)", prefix, route.path),
                carry_out=self._guarded(partial(self._pass_on, route)),
            )
            for prefix in ("/teams", f"/emea/{self._workspace.tenant}")
            for route in known.values()
        ]
        return Section("teams", routes, refuse)

    def _pass_on(self, route: Route, asked: Asked) -> Answer:
        if route.method != "GET":
            self._content(asked.body.get("activity", asked.body))
        path = re.sub(r"^.*(?=/v3/)", "", route.path)
        path = path.replace("{conversation}", quote(asked.conversation, safe=""))
        path = path.replace("{id}", quote(asked.id, safe=""))
        body = None if route.method == "GET" else json.dumps(asked.body).encode()
        url = f"{self._relay.client_url}/_connector{path}"
        answer = self._pool.request(route.method, url, body=body, headers=JSON, retries=False, timeout=10)
        return Answer(answer.status, answer.data, JSON)


class Playground:
    """The client, as one person sees it; `url` is its page."""

    def __init__(self, module: Path, folder: Path, relay: Relay, me: User, channel: Channel) -> None:
        """`module` is the client's package, `folder` where its configuration goes."""
        self._module, self._folder, self._relay = module, folder, relay
        self._service = Service("client", _path, self._sign, _nothing)
        self._front = slack_http.Server(self._service)
        self._pool = urllib3.PoolManager(maxsize=10)
        self._ending = ExitStack()
        self.url = ""
        (folder / ".m365agentsplayground.yml").write_text(json.dumps(_configuration(relay, me, channel)))

    def __enter__(self) -> Self:
        """Start; `TimeoutError` with what it has said, if it does not serve."""
        with ExitStack() as ending:
            self._front.start()
            ending.callback(self._front.stop)
            self._start()
            ending.callback(self._end)
            self._await()
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._ending.close()

    @property
    def sent(self) -> int:
        """How many activities the client has sent so far."""
        return len(self._service.calls)

    def _start(self) -> None:
        with (self._folder / "output").open("w") as output:
            self._process = subprocess.Popen(
                [
                    program("node") or "node", str(self._module / "cli.js"), "start", "-e", f"http://127.0.0.1:{self._front.port}/activities",
                    "-c", "msteams", "-p", str(_free_port()), "--disable-telemetry",
                ],
                cwd=self._folder,
                env={**os.environ, "TEAMSAPPTESTER_BROWSER": "none"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _await(self) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self._process.poll() is None:
            if self._serves():
                return
            time.sleep(0.1)
        said = [path.read_text() for path in (self._folder / "output", *self._folder.glob("devTools/*.log"))]
        raise TimeoutError("\n".join(["Microsoft's client does not serve:", *said]))

    def _serves(self) -> bool:
        """It says where it listens: elsewhere, if somebody was faster at the port that it was given."""
        found = re.search(r"Listening on (\d+)", (self._folder / "output").read_text())
        if not found:
            return False
        self.url = self._relay.client_url = f"http://127.0.0.1:{found[1]}"
        try:
            return self._pool.request("GET", self.url, retries=False, timeout=1).status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    def _sign(self, request: slack_http.Request) -> Answer:
        """Do for an activity what the Bot Connector does: name the place to answer at, and vouch for it."""
        if request.method != "POST":
            return Answer(405)  # the client looks whether there is somebody
        activity = {**json.loads(request.body), "serviceUrl": self._relay.service_url}
        headers = {**JSON, "Authorization": f"Bearer {self._relay.keys.token(self._relay.service_url)}"}
        answer = self._pool.request(
            "POST", self._relay.request_url, body=json.dumps(activity), headers=headers, retries=False, timeout=15
        )
        return Answer(answer.status, answer.data, JSON)


def _configuration(relay: Relay, me: User, channel: Channel) -> Json:
    """What the client is to believe: the tenant, six of its people, one channel, and the bot. JSON is YAML, too."""
    workspace = relay.workspace
    others = [each for each in workspace.users.values() if each.oid != me.oid][:OTHERS]
    return {
        "version": "0.1.1",
        "tenantId": relay.tenant,
        "bot": {"id": workspace.bot_id, "name": workspace.bot_name},
        "currentUser": _person(me.mri, me.name, me.oid),
        "users": [_person(each.mri, each.name, each.oid) for each in others],
        "personalChat": {"id": "a:personal-chat"},
        "groupChat": {"id": "19:group@thread.v2", "name": "Group Chat"},
        "team": {
            "id": channel.team,
            "name": "Models",
            "aadGroupId": "00000000-0000-4000-8000-0000000000aa",
            "channels": [{"id": channel.id, "name": channel.name}],
        },
    }


def _person(mri: str, name: str, oid: str) -> Json:
    first, _, last = name.partition(" ")
    address = f"{name.lower().replace(' ', '.')}@example.com"
    return {
        "id": mri, "name": name, "userPrincipleName": address, "aadObjectId": oid,
        "givenName": first, "surname": last or first, "email": address,
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _path(request: slack_http.Request) -> str:
    return request.path


def _nothing(_fault: Fault) -> Answer:
    raise NotImplementedError("the way from the client has no faults")
