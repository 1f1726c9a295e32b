"""A strict stand-in of the Bot Connector and of Teams as people see it, over TLS on 127.0.0.1.

    entra.login.audiences.add(AUDIENCE)
    with Teams(entra.client_id, entra.tenant, entra.login.verify) as teams:
        settings = teams.app_id, teams.tenant, teams.service_url, teams.keys_url, teams.issuer, teams.ca_bundle
        teams.request_url = gateway + "/teams/messages"
        teams.workspace.add_people(entra.people)
        teams.workspace.add_team(Team("19:models@thread.tacv2", "Models", frozenset({MAYA, OMAR})))
        teams.install("19:models@thread.tacv2")
        teams.press(MAYA, card.conversation, card.id, "Approve")
        assert teams.workspace.replies(card.conversation)

Calls and faults go by the names of the routes: `createConversation`, `sendToConversation`, `replyToActivity`,
`updateActivity`, `member` and `pagedMembers` of the service `teams`, `keys` and `openid` of `botframework`.
`make test-live` is there to disprove what is believed of all this here.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from infra.local.entra_https import Site
from infra.local.slack_http import Call, Faults
from infra.local.teams_connector import AUDIENCE, Connector, Verify
from infra.local.teams_http import Server
from infra.local.teams_keys import ISSUER, Keys
from infra.local.teams_limits import RateLimits
from infra.local.teams_person import Person
from infra.local.teams_request import AppAnswer, Forged
from infra.local.teams_roster import Channel, Chat, Team, User
from infra.local.teams_wire import Activities
from infra.local.teams_workspace import Message, NotThere, TeamsError, Toast, Workspace

__all__ = [
    "AUDIENCE",
    "AppAnswer",
    "Call",
    "Channel",
    "Chat",
    "Forged",
    "Message",
    "NotThere",
    "Team",
    "Teams",
    "TeamsError",
    "Toast",
    "User",
]


class Teams(Person):
    """One tenant's Teams with one bot; `request_url` is where the bot takes its activities."""

    issuer = ISSUER

    def __init__(
        self,
        app_id: str,
        tenant: str,
        verify: Verify,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Bind the port (0: a free one); `verify` reads the bot's tokens. Nothing is served before `start`."""
        self.app_id, self.tenant = app_id, tenant
        self.workspace = Workspace(app_id, tenant, clock)
        self.limits = RateLimits(self.workspace.now)
        self.request_url = ""
        self._folder = TemporaryDirectory(prefix="teams-")
        self._server = Server(Path(self._folder.name), port=port)
        self.ca_bundle = str(self._server.ca_bundle)
        self.url = f"https://127.0.0.1:{self._server.port}"
        self.service_url = f"{self.url}/emea/{tenant}/"
        self.first_url = f"{self.url}/teams/"
        """Where a bot may turn that has not heard of a service URL yet."""
        self.keys = Keys(self.url, app_id, self.workspace.now)
        self.keys_url = self.keys.url
        self.activities = Activities(self.workspace, self.service_url)
        self._site = Site((self.keys.section, self._connector(verify).section))

    def _connector(self, verify: Verify) -> Connector:
        """Make what carries out the bot's calls."""
        return Connector(self.workspace, self.limits, verify)

    @property
    def calls(self) -> list[Call]:
        """Every call of the bot so far, in the order in which they ended."""
        return self._site.calls

    @property
    def faults(self) -> Faults:
        """What goes wrong, by route; `error` is a body to send, with 200, in place of the answer."""
        return self._site.faults

    @property
    def connections(self) -> int:
        """How many connections the bot has opened so far."""
        return self._server.connections

    def start(self) -> Self:
        """Serve until `stop`."""
        self._server.start(self._site)
        return self

    def stop(self) -> None:
        """Stop serving; kept-alive connections break, and the CA's file goes."""
        self.faults.clear()
        self._server.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
