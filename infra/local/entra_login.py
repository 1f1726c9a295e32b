"""The login half of the local Entra: discovery, keys, and tokens for apps that prove who they are.

How people sign in is in `entra_sign_in`, which adds its kind of grant here.

Error codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

import base64
import binascii
import json
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from infra.local.entra_https import Request, Route, Section
from infra.local.slack_http import Answer

Json = dict[str, Any]
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Tamper = Callable[[Json, Json, RSAPrivateKey], str]
"""Makes an id_token of the claims, the header and the key that the honest one would have had."""
GRAPH_ROLES = frozenset({"User.Read.All", "GroupMember.Read.All"})


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may sign assertions for an app: itself, with a certificate's key, or an issuer elsewhere (RS256 alone)."""

    issuer: str
    subject: str
    audience: str
    key: RSAPublicKey


@dataclass(slots=True)
class App:
    """An app registration, its permissions in Graph as an administrator has granted them, and where people return."""

    client_id: str
    secret: str
    roles: frozenset[str] = GRAPH_ROLES
    trusts: list[Trust] = field(default_factory=list)
    redirect_uris: set[str] = field(default_factory=set)
    name: str = "Model Approvals"


class OAuthError(Exception):
    """What the token endpoint answers with `error`, and Entra's own number for it."""

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        """Keep what the answer is drawn from."""
        super().__init__(text)
        self.status, self.error, self.number = status, error, number


class Login:
    """Issues tokens for one tenant; `token_life` is in seconds and may be changed while it runs, as may `tamper`."""

    def __init__(self, url: str, tenant: str) -> None:
        """`url` is the address of the server; the authority is `{url}/{tenant}`."""
        self.tenant = tenant
        self.audiences = {url}
        self.apps: dict[str, App] = {}
        self.token_life = 3599
        self._base = f"{url}/{tenant}"
        self.issuer = f"{self._base}/v2.0"
        self.token_endpoint = f"{self._base}/oauth2/v2.0/token"
        self.authorization_endpoint = f"{self._base}/oauth2/v2.0/authorize"
        self.grants: dict[str, Callable[[App, Mapping[str, str]], Json]] = {"client_credentials": self._grant_to_app}
        self.tamper: Tamper | None = None
        self._key, self._key_id = _first_key(), "first"

    def rotate_key(self) -> None:
        """Sign with a new key from now on; Graph refuses every token that was signed with the one before."""
        self._key, self._key_id = _make_key(), uuid.uuid4().hex

    @property
    def section(self) -> Section:
        """What the site serves of it."""
        routes = (
            Route("discovery", "GET", "/{tenant}/v2.0/.well-known/openid-configuration", self._discover),
            Route("keys", "GET", "/{tenant}/discovery/v2.0/keys", self._show_keys),
            Route("token", "POST", "/{tenant}/oauth2/v2.0/token", self._grant),
        )
        return Section("entra", routes, _refuse)

    def verify(self, token: str, audience: str) -> Json:
        """Read a token that was issued here and is good now; raise `jwt.InvalidTokenError`."""
        key = self._key.public_key()
        return jwt.decode(
            token,
            key,
            ["RS256"],
            {"require": ["exp", "iat", "nbf", "iss", "aud", "roles"]},
            audience=audience,
            issuer=self.issuer,
        )

    def _discover(self, request: Request) -> Answer:
        if problem := self._other_tenant(request):
            return problem
        return json_answer(
            200,
            {
                "issuer": self.issuer,
                "token_endpoint": self.token_endpoint,
                "authorization_endpoint": self.authorization_endpoint,
                "jwks_uri": f"{self._base}/discovery/v2.0/keys",
                "token_endpoint_auth_methods_supported": [
                    "client_secret_post",
                    "client_secret_basic",
                    "private_key_jwt",
                ],
                "id_token_signing_alg_values_supported": ["RS256"],
                "response_modes_supported": ["query"],
                "response_types_supported": ["code"],
                "scopes_supported": ["openid", "profile", "offline_access"],
                "subject_types_supported": ["pairwise"],
            },
        )

    def _show_keys(self, request: Request) -> Answer:
        if problem := self._other_tenant(request):
            return problem
        key = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return json_answer(200, {"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": "RS256"}]})

    def _grant(self, request: Request) -> Answer:
        if problem := self._other_tenant(request):
            return problem
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        try:
            app = self._authenticate(form, request.headers)
            grant = self.grants.get(form.get("grant_type", ""), _refuse_grant)
            return json_answer(200, grant(app, form))
        except OAuthError as mistake:
            return _oauth_error(mistake)

    def _grant_to_app(self, app: App, form: Mapping[str, str]) -> Json:
        resource, _, default = form.get("scope", "").rpartition("/")
        if default != ".default":
            raise OAuthError(400, "invalid_scope", 1002012, "The scope of an app ends in /.default.")
        if resource not in self.audiences:
            raise OAuthError(400, "invalid_resource", 500011, f"The resource {resource} was not found.")
        own = {"azp": app.client_id, "sub": app.client_id, "idtyp": "app", "roles": sorted(app.roles)}
        token = self.sign(self.usual_claims(resource) | own)
        return {"token_type": "Bearer", "expires_in": self.token_life, "access_token": token}

    def usual_claims(self, audience: str) -> Json:
        """What every token of this tenant says."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + self.token_life,
            "tid": self.tenant,
            "uti": uuid.uuid4().hex,
            "ver": "2.0",
        }

    def sign(self, claims: Json, tamper: Tamper | None = None) -> str:
        """Make a token of these claims, or let `tamper` make it."""
        header = {"typ": "JWT", "alg": "RS256", "kid": self._key_id}
        return tamper(claims, header, self._key) if tamper else jwt.encode(claims, self._key, "RS256", header)

    def _other_tenant(self, request: Request) -> Answer | None:
        if request.parts["tenant"].lower() == self.tenant:
            return None
        text = f"Tenant '{request.parts['tenant']}' not found."
        return _oauth_error(OAuthError(400, "invalid_tenant", 90002, text))

    # how an app proves who it is

    def _authenticate(self, form: Mapping[str, str], headers: Mapping[str, str]) -> App:
        client_id, secret = _basic(headers.get("authorization", ""))
        app = self.apps.get(client_id or form.get("client_id", ""))
        if app is None:
            raise OAuthError(400, "unauthorized_client", 700016, "The application was not found.")
        secret = secret or form.get("client_secret", "")
        if secret and not compare_digest(secret.encode(), app.secret.encode()):
            raise OAuthError(401, "invalid_client", 7000215, "Invalid client secret provided.")
        if not secret:
            self._check_assertion(app, form)
        return app

    def _check_assertion(self, app: App, form: Mapping[str, str]) -> None:
        assertion = form.get("client_assertion", "")
        if not assertion or form.get("client_assertion_type") != JWT_BEARER:
            raise OAuthError(401, "invalid_client", 7000218, "A client_assertion or client_secret is needed.")
        if not any(_is_signed_by(trust, assertion, app) for trust in app.trusts):
            raise OAuthError(401, "invalid_client", 700027, "The client assertion failed validation.")


def _make_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


_first_key = cache(_make_key)  # once a process: making a key is the slowest thing of all that a start does


def json_answer(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Answer:
    """Draw an answer as JSON."""
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})})


def _refuse_grant(_app: App, _form: Mapping[str, str]) -> Json:
    raise OAuthError(400, "unsupported_grant_type", 70003, "The grant type is not supported.")


def _is_signed_by(trust: Trust, assertion: str, app: App) -> bool:
    try:
        jwt.decode(
            assertion,
            trust.key,
            ["RS256", "PS256"] if trust.issuer == app.client_id else ["RS256"],
            {"require": ["exp", "iss", "sub", "aud"]},
            audience=trust.audience,
            issuer=trust.issuer,
            subject=trust.subject,
        )
    except jwt.InvalidTokenError:
        return False
    return True


def _basic(header: str) -> tuple[str, str]:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as mistake:
        raise OAuthError(400, "invalid_request", 900144, "The Authorization header is malformed.") from mistake
    return unquote_plus(client_id), unquote_plus(secret)


def _oauth_error(mistake: OAuthError) -> Answer:
    body: Json = {
        "error": mistake.error,
        "error_description": f"AADSTS{mistake.number}: {mistake}\r\nTrace ID: {uuid.uuid4()}",
        "error_codes": [mistake.number],
    }
    return json_answer(mistake.status, body)


def _refuse(status: int, headers: Mapping[str, str]) -> Answer:
    """Draw the error of a fault, or of a path that is not there."""
    error = "temporarily_unavailable" if status in {429, 503} else "server_error"
    return json_answer(status, {"error": error, "error_description": f"AADSTS90033: HTTP {status}."}, headers)
