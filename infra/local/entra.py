"""A strict stand-in of Microsoft Entra ID and Microsoft Graph, over TLS on 127.0.0.1.

    with Entra() as entra:
        settings = entra.authority, entra.tenant, entra.graph_url, entra.ca_bundle
        entra.people.leave(MAYA, DEV)
        entra.faults.add("checkMemberGroups", status=503, times=3)
        entra.app.redirect_uris.add("http://localhost:8702/signed-in")

Calls and faults go by the names of the routes: `discovery`, `keys` and `token` of the service `entra`,
`users`, `user`, `checkMemberGroups` and `group` of `graph`. The login page is a server of its own, without TLS
because no browser trusts the local CA; `login_page` has its calls and faults, `authorize` and `pick`, which are not
the product's. `make test-live` is there to disprove what is believed of all this here.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from infra.local.entra_graph import Graph
from infra.local.entra_https import Server, Site
from infra.local.entra_login import App, Login, Trust
from infra.local.entra_people import People, User, invent_people
from infra.local.entra_sign_in import LoginPage
from infra.local.slack_http import Call, Faults

__all__ = ["App", "Call", "Entra", "People", "Trust", "User"]


class Entra:
    """One tenant with its people, one app registration, and Graph at the same address."""

    tenant = "00000000-0000-4000-8000-000000000001"
    client_id = "00000000-0000-4000-8000-000000000002"
    client_secret = "local-client-secret"

    def __init__(self, port: int = 0, *, login_port: int = 0, people: People | None = None) -> None:
        """Bind the ports (0: a free one); nothing is served before `start`."""
        self._folder = TemporaryDirectory(prefix="entra-")
        self._server = Server(Path(self._folder.name), port=port)
        self.authority = self.graph_url = f"https://127.0.0.1:{self._server.port}"
        self.ca_bundle = str(self._server.ca_bundle)
        self.people = people or invent_people()
        self.login = Login(self.authority, self.tenant)
        self.app = App(self.client_id, self.client_secret)
        self.login.apps[self.client_id] = self.app
        self.login_page = LoginPage(self.login, self.people, port=login_port)
        self.login_url = self.login_page.url
        graph = Graph(self.graph_url, self.people, self.login)
        self._site = Site((self.login.section, graph.section))

    @property
    def calls(self) -> list[Call]:
        """Every call so far, in the order in which they ended."""
        return self._site.calls

    @property
    def faults(self) -> Faults:
        """What goes wrong, by route; `error` is a body to send, with 200, in place of the answer."""
        return self._site.faults

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return self._server.connections

    def start(self) -> Self:
        """Serve until `stop`."""
        self._server.start(self._site)
        self.login_page.start()
        return self

    def stop(self) -> None:
        """Stop serving; kept-alive connections break, and the CA's file goes."""
        self.faults.clear()
        self.login_page.stop()
        self._server.stop()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
