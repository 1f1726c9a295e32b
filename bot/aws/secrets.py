"""Secrets that the settings only name: read when they are first needed, kept for five minutes, read anew when refused.

`secretsmanager:NAME`, or `secretsmanager:NAME#KEY` for a field of a JSON object, is in Secrets Manager; `ssm:NAME` is a
SecureString of Parameter Store. Anything else is the secret itself.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.encoding import decode
from bot.errors import Malformed, Unavailable
from bot.ports import Secret

KEPT, LEAST = 300.0, 1.0
"""Seconds after which a secret is read again: usually, and at least where it has just been refused."""
REFERENCE = re.compile(r"(?P<store>secretsmanager|ssm):(?P<name>[^#\s]+)(?:#(?P<key>\S+))?")

log = logging.getLogger(__name__)


class Fixed:
    """A secret that stands in the settings itself."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self) -> str:
        """Give it."""
        return self._value

    def fresh(self) -> str:
        """Give it; there is no other."""
        return self._value


class Stored:
    """A secret that lies elsewhere; `read` fetches it, or raises `Unavailable`."""

    def __init__(self, read: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._clock = clock
        self._value = ""
        self._at = 0.0
        self._lock = Lock()

    def __call__(self) -> str:
        """Give what was read in the last five minutes, else read it; while it cannot be, the old one is tried."""
        return self._within(KEPT)

    def fresh(self) -> str:
        """Give what was read in the last second: somebody has refused the one before."""
        return self._within(LEAST)

    def _within(self, seconds: float) -> str:
        with self._lock:
            if not self._value or self._clock() - self._at >= seconds:
                try:
                    self._value, self._at = self._read(), self._clock()
                except Unavailable as trouble:
                    if not self._value:
                        raise
                    log.warning("a secret was not read anew, so the one before is used: %s", trouble)
            return self._value


def secret(clients: Clients, text: str) -> Secret:
    """The secret that a setting names or is."""
    found = REFERENCE.fullmatch(text)
    if found is None:
        return Fixed(text)
    read = _in_secrets_manager if found["store"] == "secretsmanager" else _in_parameter_store
    return Stored(lambda: _value(read(clients, found["name"]), found["key"], text))


def _in_secrets_manager(clients: Clients, name: str) -> str:
    with _told("secretsmanager:GetSecretValue", name):
        return str(clients("secretsmanager").get_secret_value(SecretId=name).get("SecretString", ""))


def _in_parameter_store(clients: Clients, name: str) -> str:
    with _told("ssm:GetParameter", name):
        return str(clients("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


@contextmanager
def _told(action: str, name: str) -> Iterator[None]:
    """Whatever AWS says against it, the secret cannot be had now; the log says what an operator has to do."""
    try:
        with unavailable(action):
            yield
    except ClientError as problem:
        log.error("the secret %s cannot be read: %s says %s", name, action, code_of(problem))
        raise Unavailable(f"{action} failed: {code_of(problem)}") from problem


def _value(text: str, key: str | None, reference: str) -> str:
    """The text, or a field of the object that it is; never with its value in a message."""
    found: object = text
    if key:
        try:
            fields = decode(text)
        except Malformed:
            fields = None
        found = fields.get(key) if isinstance(fields, dict) else None
    if not isinstance(found, str) or not found.strip():
        log.error("the secret %s is empty, or has no such field", reference)
        raise Unavailable(f"the secret {reference} is empty, or has no such field")
    return found.strip()
