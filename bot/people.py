"""Verified links: which chat account is which person. Only the web door writes one; Slack's may remove one."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.codec import from_json, to_json
from bot.domain import ChatUser
from bot.encoding import decode, encode
from bot.errors import Malformed
from bot.names import Names
from bot.ports import Parameter, Parameters

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Binding:
    """Who a chat account is, since when; `confirmed_by` is the administrator, where one was needed."""

    oid: str
    name: str
    at: datetime
    confirmed_by: str = ""


class People:
    """The links in Parameter Store."""

    def __init__(self, parameters: Parameters, names: Names) -> None:
        self._parameters = parameters
        self._names = names

    def binding(self, user: ChatUser) -> Binding | None:
        """Who this account is, if it was linked; what cannot be read links nobody."""
        name = self._names.person(user)
        found: Mapping[str, Parameter] = self._parameters.get([name])
        if name not in found:
            return None
        try:
            return _read(found[name].value)
        except Malformed as problem:
            log.error("%s links nobody: %s", name, problem)
            return None

    def bind(self, user: ChatUser, binding: Binding) -> None:
        """Write a link, whatever was there."""
        self._parameters.put(self._names.person(user), encode(to_json(binding)))

    def unlink(self, user: ChatUser) -> None:
        """Remove a link; an account without one is fine."""
        self._parameters.delete(self._names.person(user))


def _read(text: str) -> Binding:
    binding = from_json(Binding, decode(text))
    if not binding.oid:
        raise Malformed("a link to nobody")
    return binding
