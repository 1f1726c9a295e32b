"""Who may speak to the door: the Bot Connector alone, proved by a token that is checked whole.

https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication says what to check;
Microsoft's own libraries leave out some of it. The token does not sign the body: what of the body has to fit to it is
compared, and the rest is believed because only Microsoft can have sent it.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import jwt
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from bot.errors import Unavailable
from bot.inbound import Unacceptable
from bot.ports import Clock
from bot.teams.service import Services

Json = Mapping[str, Any]

CHANNEL = "msteams"
LEEWAY = 300.0
"""Seconds that Microsoft's clock and ours may differ."""
FRESH = timedelta(hours=24)
"""How long the keys are believed."""
PAUSE = timedelta(seconds=60)
"""Between two questions for the keys because of a key that is not known: a flood of bad tokens asks once."""
NEEDED = ("exp", "nbf", "iss", "aud", "serviceurl")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, and the channels whose activities it may sign."""

    key: jwt.PyJWK
    endorsements: frozenset[str]


class SigningKeys:
    """The keys with which the Bot Connector signs; asked for at the configured place, whatever a token says."""

    def __init__(self, pool: PoolManager, url: str, clock: Clock, *, timeout: float = 2.0) -> None:
        self._pool = pool
        self._url = url
        self._clock = clock
        self._timeout = Timeout(total=timeout)
        self._lock = Lock()
        self._keys: Mapping[str, SigningKey] = {}
        self._asked_at = self._read_at = datetime.min.replace(tzinfo=UTC)

    def find(self, key_id: str) -> SigningKey | None:
        """Give the key of this id, if there is one; raise `Unavailable` when the keys cannot be had."""
        with self._lock:
            now = self._clock()
            unknown = key_id not in self._keys
            if now - self._read_at >= FRESH or (unknown and now - self._asked_at >= PAUSE):
                self._asked_at = now
                self._keys = _read_keys(self._fetched())
                self._read_at = now
            return self._keys.get(key_id)

    def _fetched(self) -> bytes:
        try:
            response = self._pool.request(
                "GET", self._url, retries=False, redirect=False, timeout=self._timeout,
                headers={"Accept": "application/json"},
            )  # fmt: skip
        except HTTPError as trouble:
            raise _unknown_keys(type(trouble).__name__) from None
        if response.status != 200:  # noqa: PLR2004 - anything else has no keys
            raise _unknown_keys(f"HTTP {response.status}")
        return response.data


@dataclass(frozen=True, slots=True)
class Threshold:
    """Turns away everything but what the Bot Connector sends us: one bot in one tenant."""

    keys: SigningKeys
    issuer: str
    app_id: str
    tenant: str
    services: Services

    def cross(self, token: str, activity: Json) -> None:
        """Raise `Unacceptable` unless this activity came with this token from Microsoft, for us; or `Unavailable`."""
        try:
            claims, key = self._proved(token)
            self._compare(claims, key, activity)
        except Unacceptable as refused:
            raise Unacceptable(refused.status, f"{refused} ({_named(token, activity)})") from refused

    def _proved(self, token: str) -> tuple[Json, SigningKey]:
        try:
            key = self.keys.find(str(jwt.get_unverified_header(token).get("kid", "")))
            if key is None:
                raise Unacceptable(401, "it is signed with a key that the Bot Connector does not have")
            claims = jwt.decode(
                token,
                key.key,
                algorithms=["RS256"],
                audience=self.app_id,
                issuer=self.issuer,
                leeway=LEEWAY,
                options={"require": list(NEEDED), "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as mistake:
            raise Unacceptable(401, f"{type(mistake).__name__}: {mistake}"[:200]) from None
        return claims, key

    def _compare(self, claims: Json, key: SigningKey, activity: Json) -> None:
        url = activity.get("serviceUrl")
        if claims["serviceurl"] != url:
            raise Unacceptable(403, "its token is for another service URL")
        if not self.services.allow(url):
            raise Unacceptable(403, "its service URL is none of those that are allowed")
        if activity.get("channelId") != CHANNEL or CHANNEL not in key.endorsements:
            raise Unacceptable(403, "it is of another channel")
        if not _is_of(activity, self.tenant):
            raise Unacceptable(403, "it is of another tenant")


def _is_of(activity: Json, tenant: str) -> bool:
    """Whether all that is said of the tenant is said of ours; the channel's data always says it."""
    home = _text(_part(_part(activity, "channelData"), "tenant"), "id")
    conversation = _part(activity, "conversation")
    also = _text(conversation, "tenantId") if "tenantId" in conversation else home
    return home.lower() == also.lower() == tenant.lower() != ""


def _read_keys(content: bytes) -> Mapping[str, SigningKey]:
    """Read the set; a key that cannot be one of ours is left out."""
    try:
        found = json.loads(content)["keys"]
        listed = [each for each in found if isinstance(each, dict)]
    except (ValueError, RecursionError, KeyError, TypeError) as trouble:
        raise _unknown_keys(type(trouble).__name__) from None
    keys = {str(each.get("kid", "")): _key(each) for each in listed if each.get("kty") == "RSA"}
    return {key_id: key for key_id, key in keys.items() if key_id and key}


def _key(given: dict[str, Any]) -> SigningKey | None:
    endorsements = given.get("endorsements")
    if given.get("use", "sig") != "sig" or not isinstance(endorsements, list):
        return None
    try:
        key = jwt.PyJWK.from_dict(given, algorithm="RS256")
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return SigningKey(key, frozenset(each for each in endorsements if isinstance(each, str)))


def _unknown_keys(why: str) -> Unavailable:
    log.warning("the Bot Connector's keys could not be read: %s", why)
    return Unavailable("Microsoft does not tell the keys that its bot services sign with, so no activity is taken now.")


def _named(token: str, activity: Json) -> str:
    """What a log may say of a refused request: who it claims to be from, never the token."""
    header: Json = {}
    claims: Json = {}
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        pass
    tenant, sender = _part(_part(activity, "channelData"), "tenant"), _part(activity, "from")
    said = {
        "kid": header.get("kid"),
        "iss": claims.get("iss"),
        "aud": claims.get("aud"),
        "tid": tenant.get("id"),
        "oid": sender.get("aadObjectId"),
    }
    return ", ".join(f"{name} {str(value)[:80]!r}" for name, value in said.items())


def _part(value: Json, name: str) -> Json:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: Json, name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""
