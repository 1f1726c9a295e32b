"""The sign-in half of the local Entra: a login page with people to pick, codes, and id_tokens for them.

    entra.app.redirect_uris.add("http://localhost:8702/signed-in")
    back = pick(authorization_url, MAYA)  # what a browser would do

What it refuses, and how, follows https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow; PKCE
is demanded of every app, as the bot always uses it.
"""

import base64
import json
import re
import secrets
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import jinja2
import requests

from infra.local.entra_login import App, Json, Login, OAuthError
from infra.local.entra_people import People, User
from infra.local.slack_http import Answer, Call, Fault, Faults, Request, Server, Service

STATIC = Path(__file__).parent / "static"
PAGES = jinja2.Environment(loader=jinja2.FileSystemLoader(STATIC), autoescape=True, trim_blocks=True)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
GRAPH = "00000003-0000-0000-c000-000000000000"
SAFETY = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for: that somebody signs in, and is sent back to it with a code."""

    app: App
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    scope: frozenset[str]

    def back(self, **values: str) -> str:
        """Where the browser is sent, with these values."""
        stated = {"state": self.state} if self.state else {}
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{joint}{urlencode({**values, **stated})}"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a code stands for."""

    asked: Asked
    oid: str
    until: float


class Shown(Exception):
    """A mistake that the person sees, because nobody knows where to send them, or they have to choose again."""

    def __init__(self, number: int, text: str) -> None:
        """Keep what the page is drawn from."""
        super().__init__(f"AADSTS{number}: {text}")


class SentBack(Exception):
    """A mistake, or a change of mind, that the app hears of."""

    def __init__(self, location: str) -> None:
        """Keep where the browser is sent."""
        super().__init__(location)
        self.location = location


class NotSignedIn(Exception):
    """The login page keeps whom `pick` picked; the message is what it says."""


class LoginPage:
    """Serves the page, keeps the codes, and redeems them; `code_life` is in seconds and may be changed."""

    def __init__(self, login: Login, people: People, *, port: int = 0) -> None:
        """Bind the port (0: a free one) and tell `login` where browsers go, and how codes are redeemed."""
        self.code_life = 60.0
        self._login, self._people = login, people
        self._service = Service("login", _name, self._answer, _refuse)
        self._server = Server(self._service, port)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._path = f"/{login.tenant}/oauth2/v2.0/authorize"
        self._lock = threading.Lock()
        self._tickets: dict[str, Ticket] = {}
        self._redeemed: set[str] = set()
        login.authorization_endpoint = f"{self.url}{self._path}"
        login.grants["authorization_code"] = self._redeem

    @property
    def calls(self) -> list[Call]:
        """Every call of browsers so far."""
        return self._service.calls

    @property
    def faults(self) -> Faults:
        """What goes wrong: `authorize`, which shows the page, and `pick`, which follows a choice."""
        return self._service.faults

    def start(self) -> Self:
        """Serve until `stop`."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        self.faults.clear()
        self._server.stop()

    # the page

    def _answer(self, request: Request) -> Answer:
        if request.path == "/login.css":
            return Answer(200, (STATIC / "login.css").read_bytes(), {"Content-Type": "text/css", **SAFETY})
        if request.path.lower() != self._path:
            return _page(404, problem="There is nothing at this address.")
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        try:
            asked = self._asked(query)
            if request.method == "POST":
                return _redirect(self._picked(asked, dict(parse_qsl(request.body.decode(), keep_blank_values=True))))
        except SentBack as back:
            return _redirect(back.location)
        except Shown as mistake:
            return _page(200, problem=str(mistake), again=request.method == "POST")
        people = [(user, self._role(user)) for user in self._people.everybody()]
        return _page(200, asked.redirect_uri, app=asked.app.name, people=people)

    def _asked(self, query: Mapping[str, str]) -> Asked:
        """Read a request; only who names a known app and an address of it is sent back there."""
        app = self._login.apps.get(query.get("client_id", ""))
        if app is None:
            raise Shown(700016, "The application was not found in the directory.")
        address = query.get("redirect_uri", "")
        if address not in app.redirect_uris:
            raise Shown(50011, f"The redirect URI '{address}' is not one of those configured for the application.")
        scope = frozenset(query.get("scope", "").split())
        asked = Asked(
            app, address, query.get("state", ""), query.get("nonce", ""), query.get("code_challenge", ""), scope
        )
        if problem := _problem(query, asked):
            error, text = problem
            raise SentBack(asked.back(error=error, error_description=f"{text}\r\nTrace ID: {uuid.uuid4()}"))
        return asked

    def _picked(self, asked: Asked, form: Mapping[str, str]) -> str:
        """Give where to send somebody who has made their choice."""
        if "cancel" in form:
            return asked.back(error="access_denied", error_subcode="cancel")
        user = self._enabled(form.get("oid", ""))
        code = secrets.token_urlsafe(64)
        with self._lock:
            self._tickets[code] = Ticket(asked, user.oid, time.monotonic() + self.code_life)
        return asked.back(code=code, client_info=self._client_info(user), session_state=str(uuid.uuid4()))

    def _enabled(self, oid: str) -> User:
        user = self._people.user(oid)
        if user is None:
            raise Shown(50034, "The user account does not exist in the directory.")
        if user.enabled is not True:
            raise Shown(50057, "The user account is disabled.")
        return user

    def _role(self, user: User) -> str:
        """Say in words what somebody is."""
        if user.enabled is not True:
            return f"{user.title}, account disabled"
        groups = sorted(group.name for oid in self._people.groups_of(user.oid) if (group := self._people.group(oid)))
        kind = "" if user.kind == "Member" else "guest, "
        return f"{user.title}, {kind}in {', '.join(groups)}" if groups else f"{user.title}, {kind}in no group"

    # the codes

    def _redeem(self, app: App, form: Mapping[str, str]) -> Json:
        """Give tokens for a code; a code is spent by the first who asks, whatever the answer."""
        code = form.get("code", "")
        with self._lock:
            ticket, spent = self._tickets.pop(code, None), code in self._redeemed
            self._redeemed.add(code)
        if ticket is None:
            raise (
                _invalid_grant(54005, "The code was already redeemed.")
                if spent
                else _invalid_grant(9002313, "No code.")
            )
        self._check(ticket, app, form)
        try:
            user = self._enabled(ticket.oid)
        except Shown as mistake:
            number, _, text = str(mistake).removeprefix("AADSTS").partition(": ")
            raise _invalid_grant(int(number), text) from mistake
        return self._tokens(ticket.asked, user, form)

    def _check(self, ticket: Ticket, app: App, form: Mapping[str, str]) -> None:
        if ticket.asked.app is not app:
            raise _invalid_grant(70002, "The code was issued to another application.")
        if time.monotonic() >= ticket.until:
            raise _invalid_grant(70008, "The code is expired.")
        if form.get("redirect_uri") != ticket.asked.redirect_uri:
            raise OAuthError(401, "invalid_client", 500112, "The reply address is not the one that the code was for.")
        if _hashed(form.get("code_verifier", "")) != ticket.asked.challenge:
            raise _invalid_grant(501481, "The code_verifier does not match the code_challenge.")

    def _tokens(self, asked: Asked, user: User, form: Mapping[str, str]) -> Json:
        access = {"oid": user.oid, "azp": asked.app.client_id, "scp": " ".join(sorted(asked.scope))}
        answer = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(asked.scope)),
            "expires_in": self._login.token_life,
            "access_token": self._login.sign(self._login.usual_claims(GRAPH) | access),
            "id_token": self._login.sign(self._claims(asked, user), self._login.tamper),
        }
        if "offline_access" in asked.scope:
            answer["refresh_token"] = secrets.token_urlsafe(64)
        return answer | ({"client_info": self._client_info(user)} if form.get("client_info") == "1" else {})

    def _claims(self, asked: Asked, user: User) -> Json:
        """The id_token of somebody; `sub` is theirs for this app alone."""
        claims = self._login.usual_claims(asked.app.client_id) | {
            "oid": user.oid,
            "sub": _hashed(f"{asked.app.client_id}{user.oid}"),
        }
        if asked.nonce:
            claims["nonce"] = asked.nonce
        if "profile" in asked.scope:
            claims |= {"name": user.name, "preferred_username": user.upn}
        return claims

    def _client_info(self, user: User) -> str:
        return _url_safe(json.dumps({"uid": user.oid, "utid": self._login.tenant}).encode())


def pick(url: str, oid: str) -> str:
    """Sign in as somebody at the login page, as a browser would; give where it leads, or raise `NotSignedIn`."""
    return _choose(url, {"oid": oid})


def cancel(url: str) -> str:
    """Go back from the login page without signing in; give where it leads."""
    return _choose(url, {"cancel": "1"})


def _choose(url: str, form: Mapping[str, str]) -> str:
    with requests.Session() as browser:
        browser.trust_env = False
        answer = browser.get(url, allow_redirects=False, timeout=10)
        if not answer.is_redirect and "<form" in answer.text:
            answer = browser.post(url, data=dict(form), allow_redirects=False, timeout=10)
    if not answer.is_redirect:
        said = re.search(r"AADSTS[^<]*", answer.text)
        raise NotSignedIn(said[0] if said else f"HTTP {answer.status_code}")
    return str(answer.headers["Location"])


def _problem(query: Mapping[str, str], asked: Asked) -> tuple[str, str] | None:
    """Find what Entra would send back to the app."""
    if query.get("response_type") != "code":
        return "unsupported_response_type", "AADSTS70005: The response_type is not supported for the application."
    if query.get("response_mode", "query") != "query":
        return "invalid_request", "AADSTS9002320: The response_mode is not supported here."
    if "openid" not in asked.scope:
        return "invalid_scope", "AADSTS70011: The scope has to hold openid."
    if query.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.challenge):
        return "invalid_request", "AADSTS9002325: Proof Key for Code Exchange is required."
    if query.get("prompt") == "none":
        return "login_required", "AADSTS50058: Nobody is signed in, and no question may be asked."
    return None


def _invalid_grant(number: int, text: str) -> OAuthError:
    return OAuthError(400, "invalid_grant", number, text)


def _hashed(text: str) -> str:
    return _url_safe(sha256(text.encode()).digest())


def _url_safe(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _name(request: Request) -> str:
    if not request.path.endswith("/authorize"):
        return "unknown"
    return "pick" if request.method == "POST" else "authorize"


def _refuse(fault: Fault) -> Answer:
    status = fault.status if isinstance(fault.status, int) else 500
    return _page(status, problem=f"AADSTS90033: HTTP {status}.")


def _redirect(location: str) -> Answer:
    return Answer(302, b"", {"Location": location, **SAFETY})


def _page(status: int, sends_to: str = "", **values: object) -> Answer:
    """Draw a page; browsers apply `form-action` to where the answer to the form sends them, too."""
    parts = urlsplit(sends_to)
    allowed = f"'self' {parts.scheme}://{parts.netloc}" if sends_to else "'self'"
    policy = f"default-src 'none'; style-src 'self'; form-action {allowed}; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, **SAFETY}
    return Answer(status, PAGES.get_template("login.html").render(values).encode(), headers)
