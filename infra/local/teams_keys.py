"""How the Bot Connector proves itself to a bot: tokens, and the keys that it publishes with their endorsements.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from infra.local.entra_https import Request, Route, Section
from infra.local.entra_login import Tamper, json_answer
from infra.local.slack_http import Answer
from infra.local.teams_roster import Json

ISSUER = "https://api.botframework.com"
TOKEN_LIFE, SKEW = 3_600, 300
"""Seconds; a token begins a little in the past, and says nothing of when it was issued (no `iat`)."""
ENDORSED = ("directline", "msteams", "webchat")
UNENDORSED = ("directline", "webchat")
OTHER_CHANNELS, UNKNOWN, FIRST = 0, 1, 2


class Keys:
    """Signs tokens for one bot, and publishes the keys; `rotate` begins a new one, `retire` withdraws the old ones."""

    def __init__(self, url: str, app_id: str, clock: Callable[[], float]) -> None:
        """`url` is the address of the server."""
        self.url, self.openid_url = f"{url}/v1/.well-known/keys", f"{url}/v1/.well-known/openidconfiguration"
        self._app_id, self._clock = app_id, clock
        self._published = [FIRST]

    def rotate(self) -> None:
        """Sign with a new key from now on; the ones before stay published."""
        self._published.append(self._published[-1] + 1)

    def retire(self) -> None:
        """Withdraw every key but the one in use, as happens some days after a rotation."""
        self._published = self._published[-1:]

    @property
    def section(self) -> Section:
        """What the site serves of it."""
        routes = (
            Route("openid", "GET", "/v1/.well-known/openidconfiguration", self._discover),
            Route("keys", "GET", "/v1/.well-known/keys", self._show),
        )
        return Section("botframework", routes, _refuse)

    def token(
        self,
        service_url: str,
        *,
        key: str = "",
        claims: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        sign: Tamper | None = None,
    ) -> str:
        """Make a token for the bot, or one that is wrong: other claims (None: left out), header, key or signature.

        `key`: "unendorsed" is published, but not for Teams; "unknown" is published nowhere; "first" was the first.
        """
        number = {"unendorsed": OTHER_CHANNELS, "unknown": UNKNOWN, "first": FIRST}.get(key, self._published[-1])
        head = {"typ": "JWT", "alg": "RS256", "kid": _kid(number), "x5t": _kid(number), **(header or {})}
        said = _changed(self._claims(service_url), claims)
        return (sign or _signed)(said, _changed(head, {}), _key(number))

    def _claims(self, service_url: str) -> Json:
        now = int(self._clock())
        return {
            "serviceurl": service_url,
            "nbf": now - SKEW,
            "exp": now + TOKEN_LIFE,
            "iss": ISSUER,
            "aud": self._app_id,
        }

    def _discover(self, _request: Request) -> Answer:
        body: Json = {
            "issuer": ISSUER,
            "authorization_endpoint": "https://invalid.botframework.com",
            "jwks_uri": self.url,
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        }
        return json_answer(200, body)

    def _show(self, _request: Request) -> Answer:
        endorsed = [_jwk(number, ENDORSED) for number in self._published]
        return json_answer(200, {"keys": [_jwk(OTHER_CHANNELS, UNENDORSED), *endorsed]})


@cache
def _key(_number: int) -> RSAPrivateKey:
    """Make each key once a process: that is the slowest thing of all that a start does."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def _kid(number: int) -> str:
    return f"local-bot-connector-{number}"


def _jwk(number: int, endorsements: tuple[str, ...]) -> Json:
    public = json.loads(RSAAlgorithm.to_jwk(_key(number).public_key()))
    kept = {name: public[name] for name in ("kty", "n", "e")}
    kid = _kid(number)
    return {**kept, "use": "sig", "kid": kid, "x5t": kid, "endorsements": list(endorsements)}


def _changed(values: Json, changes: Mapping[str, Any] | None) -> Json:
    return {name: value for name, value in {**values, **(changes or {})}.items() if value is not None}


def _signed(claims: Json, header: Json, key: RSAPrivateKey) -> str:
    return jwt.encode(claims, key, "RS256", header)


def _refuse(status: int, headers: Mapping[str, str]) -> Answer:
    return json_answer(status, {"error": {"code": "ServiceError", "message": f"HTTP {status}."}}, headers)
