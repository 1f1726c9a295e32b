"""Where a chat takes our messages, as it said when the app was installed; until then, where the settings say."""

from bot.encoding import decode, encode
from bot.errors import Malformed
from bot.ports import Clock, Parameters

REMEMBERED = 600.0
"""Seconds: an address changes once in years, when Microsoft moves a tenant."""


class Whereabouts:
    """One address in Parameter Store, asked for at most once in ten minutes."""

    def __init__(self, parameters: Parameters, name: str, *, default: str, clock: Clock) -> None:
        self._parameters = parameters
        self._name = name
        self._default = default
        self._clock = clock
        self._known, self._until = "", 0.0

    def current(self) -> str:
        """Give the address; raise `Unavailable` when it cannot be read."""
        now = self._clock().timestamp()
        if now >= self._until:
            self._known, self._until = self._read() or self._default, now + REMEMBERED
        return self._known

    def keep(self, url: str) -> None:
        """Remember what the chat says now; the same again is no write."""
        if self._read() != url:
            self._parameters.put(self._name, encode({"url": url}))

    def _read(self) -> str:
        found = self._parameters.get([self._name])
        try:
            value = decode(found[self._name].value) if self._name in found else {}
        except Malformed:
            return ""
        url = value.get("url") if isinstance(value, dict) else None
        return url if isinstance(url, str) else ""
