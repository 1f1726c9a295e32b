"""Who has signed in, read from an id_token that is checked here: since 1.38, MSAL checks nothing of it.

https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Any

import jwt
from requests import RequestException, Session

from bot.errors import Unavailable
from bot.policy import GUID
from bot.ports import Clock

LEEWAY = 60.0
"""Seconds that Entra's clock and ours may differ."""

FRESH = timedelta(hours=1)
"""How long the tenant's keys are believed."""

PAUSE = timedelta(seconds=30)
"""Between two questions for the keys because of a key that is not known: a flood of bad tokens asks once."""

NEEDED = ("exp", "iat", "nbf", "iss", "aud", "sub", "oid", "tid", "nonce")

log = logging.getLogger(__name__)


class Forged(Exception):
    """The token is not one that Entra made for this app, this tenant and this sign-in, now."""


class SigningKeys:
    """The keys with which the tenant signs, by their ids; asked for at the configured place, whatever a token says."""

    def __init__(self, session: Session, url: str, clock: Clock) -> None:
        self._session = session
        self._url = url
        self._clock = clock
        self._lock = Lock()
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._asked_at = self._read_at = datetime.min.replace(tzinfo=UTC)

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """Give the key of this id, if there is one; raise `Unavailable` when the keys cannot be had."""
        with self._lock:
            now = self._clock()
            unknown = key_id not in self._keys
            if now - self._read_at >= FRESH or (unknown and now - self._asked_at >= PAUSE):
                self._asked_at = now
                self._keys = _read_keys(self._session, self._url)
                self._read_at = now
            return self._keys.get(key_id)


class IdTokens:
    """Checks the id_tokens of one app in one tenant."""

    def __init__(self, session: Session, *, authority: str, tenant: str, client_id: str, clock: Clock) -> None:
        """`authority` is with the tenant; issuer and keys follow from it, and not from a token."""
        self._keys = SigningKeys(session, f"{authority}/discovery/v2.0/keys", clock)
        self._issuer = f"{authority}/v2.0"
        self._tenant = tenant
        self._client_id = client_id

    def claims(self, token: str, *, nonce: str) -> Mapping[str, Any]:
        """Check everything, and give the claims; `nonce` is the one that MSAL drew, of which it sends a hash.

        Raise `Forged` with the reason, or `Unavailable` when the tenant's keys cannot be had.
        """
        try:
            claims = self._decoded(token)
        except jwt.PyJWTError as mistake:
            raise Forged(f"{type(mistake).__name__}: {mistake}") from None
        if claims["tid"] != self._tenant:
            raise Forged("it is of another tenant")
        if claims.get("ver") != "2.0":
            raise Forged("it is of another version")
        if not isinstance(claims["oid"], str) or not GUID.fullmatch(claims["oid"]):
            raise Forged("its oid is none")
        if claims["nonce"] != sha256(nonce.encode()).hexdigest():
            raise Forged("it answers another sign-in")
        return claims

    def _decoded(self, token: str) -> Mapping[str, Any]:
        key = self._keys.find(jwt.get_unverified_header(token).get("kid", ""))
        if key is None:
            raise Forged("it is signed with a key that the tenant does not have")
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=self._client_id,
            issuer=self._issuer,
            leeway=LEEWAY,
            options={"require": list(NEEDED), "strict_aud": True},
        )


def _read_keys(session: Session, url: str) -> Mapping[str, jwt.PyJWK]:
    """Ask for the keys; those for other purposes than signatures are left out."""
    try:
        response = session.get(url, headers={"Accept": "application/json"})
        response.raise_for_status()
        keys = jwt.PyJWKSet.from_json(response.text)
    except (RequestException, jwt.PyJWTError, ValueError, AttributeError, TypeError) as trouble:
        log.warning("Microsoft Entra did not tell its keys: %s", type(trouble).__name__)
        raise Unavailable(
            "Microsoft Entra does not tell the keys it signs with, so nobody can be signed in; nothing has changed."
        ) from None
    return {key.key_id: key for key in keys if key.key_id and key.public_key_use in {None, "sig"}}
