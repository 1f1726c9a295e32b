"""Who people are and where they belong, asked in Microsoft Entra at the moment of the answer.

https://learn.microsoft.com/graph/api/user-get and https://learn.microsoft.com/graph/api/user-checkmembergroups
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Never
from urllib.parse import quote, urlencode

from requests import Session

from bot.domain import ChatUser
from bot.entra.graph import Graph, Json, unclear
from bot.entra.token import AppToken
from bot.errors import UNIDENTIFIED, NotIdentified
from bot.members import Contact, Member, Person
from bot.policy import GUID
from bot.ports import Clock, Crew

EMAIL = re.compile(r"[!-?A-~]{1,64}@([!-?A-~]{1,255})")
"""Printable ASCII: an address in other letters could be folded into somebody else's."""

ADDRESSES = ("mail", "userPrincipalName")
PROPERTIES = "id,displayName,mail,userPrincipalName,accountEnabled,userType"

MOST_GROUPS = 20
"""Of one `checkMemberGroups`."""

MOST_PEOPLE = 999
"""Of one page of `transitiveMembers`; nobody reminds more."""

REMEMBERED = timedelta(minutes=10)

log = logging.getLogger(__name__)


class EntraDirectory:
    """`Directory` on Graph: remembers which account is whose for ten minutes, and never what they may do."""

    def __init__(
        self,
        session: Session,
        token: AppToken,
        *,
        graph_url: str,
        identify: Callable[[ChatUser], str],
        domains: Iterable[str],
        crew: Crew,
        clock: Clock,
    ) -> None:
        """`identify` gives a chat user's confirmed e-mail, or raises; `domains` are those of the company."""
        self._graph = Graph(session, token, url=graph_url)
        self._identify = identify
        self._domains = frozenset(each.lower() for each in domains)
        self._crew = crew
        self._clock = clock
        self._known: dict[tuple[str, ...], tuple[str, datetime]] = {}

    def member(self, user: ChatUser, groups: Sequence[str]) -> Member:
        """Ask who a user is and belongs to, now; raise `NotIdentified` or `Unavailable`.

        Whom the door knows needs no looking up; whose address a chat user has is remembered for ten minutes.
        """
        oid = _known(user) if user.oid else self._recall(_account(user)) or self._identified(user)
        asked_at = self._clock()
        asked = sorted({group.lower() for group in groups})
        chunks = [asked[at : at + MOST_GROUPS] for at in range(0, len(asked), MOST_GROUPS)]
        found, *belongs = self._crew.together(
            lambda: self._user(oid), *(lambda chunk=chunk: self._groups(oid, chunk) for chunk in chunks)
        )
        account, answers = found.result(), [each.result() for each in belongs]
        if account is None or None in answers:
            self._forget(oid)
            _refuse(user, f"the person {oid} is not in the directory any more")
        within = frozenset().union(*answers)
        return _member(oid, account, frozenset(group for group in groups if group.lower() in within), asked_at)

    def find(self, email: str) -> str:
        """Give the object id of the one person with this address, or nothing; raise `Unavailable`."""
        if not self._is_ours(email):
            return ""
        key = ("e-mail", email.lower())
        oid = self._recall(key)
        if not oid and len(hits := self._hits(email)) == 1:
            oid = self._remember(key, hits[0])
        return oid

    def within(self, group: str) -> Sequence[Contact]:
        """Give the enabled members of the tenant in a group, through other groups too, by name; raise `Unavailable`.

        https://learn.microsoft.com/graph/api/group-list-transitivemembers
        """
        call = "transitiveMembers"
        answer = self._graph.ask(call, f"/groups/{group}/{call}?$select={PROPERTIES}&$top={MOST_PEOPLE}")
        found = answer.get("value") if answer is not None else []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise unclear(call, "an answer of another shape")
        people = [each for each in found if str(each.get("@odata.type", "")).lower() == "#microsoft.graph.user"]
        members = [_member(_guid(call, each.get("id")), each, frozenset(), self._clock()) for each in people]
        contacts = [
            Contact(member.person, str(each.get("mail") or ""))
            for member, each in zip(members, people, strict=True)
            if member.enabled and member.member
        ]
        return sorted(contacts, key=lambda each: (each.person.name, each.person.oid))

    def _identified(self, user: ChatUser) -> str:
        try:
            email = self._identify(user)
        except NotIdentified as why:
            _refuse(user, f"the chat does not vouch for an address: {why}")
        if not self._is_ours(email):
            _refuse(user, "the address is not of a domain of the company")
        hits = self._hits(email)
        if len(hits) != 1:
            _refuse(user, f"{len(hits) or 'no'} people of the directory have the address")
        return self._remember(_account(user), hits[0])

    def _is_ours(self, email: str) -> bool:
        matched = EMAIL.fullmatch(email)
        return matched is not None and matched[1].lower() in self._domains

    def _hits(self, email: str) -> list[str]:
        """Look an address up; two hits are enough to know that it is nobody's."""
        literal = email.replace("'", "''")
        query = {
            "$filter": f"mail eq '{literal}' or userPrincipalName eq '{literal}'",
            "$select": PROPERTIES,
            "$top": "2",
        }
        answer = self._graph.ask("users", f"/users?{urlencode(query, quote_via=quote, safe='$,')}")
        people = answer.get("value") if answer else None
        if not isinstance(people, list) or not all(_has_address(person, email) for person in people):
            raise unclear("users", "an answer of another shape, or to another question")
        return [_guid("users", person.get("id")) for person in people]

    def _user(self, oid: str) -> Json | None:
        account = self._graph.ask("user", f"/users/{oid}?$select={PROPERTIES}")
        if account is not None and _guid("user", account.get("id")) != oid:
            raise unclear("user", "an answer about somebody else")
        return account

    def _groups(self, oid: str, chunk: Sequence[str]) -> frozenset[str] | None:
        call = "checkMemberGroups"
        answer = self._graph.ask(call, f"/users/{oid}/{call}", body={"groupIds": list(chunk)})
        if answer is None:
            return None
        if not isinstance(answer.get("value"), list):
            raise unclear(call, "an answer of another shape")
        return frozenset(_guid(call, each) for each in answer["value"]) & frozenset(chunk)

    def _recall(self, key: tuple[str, ...]) -> str:
        oid, until = self._known.get(key, ("", self._clock()))
        return oid if self._clock() < until else ""

    def _remember(self, key: tuple[str, ...], oid: str) -> str:
        self._known[key] = (oid, self._clock() + REMEMBERED)
        return oid

    def _forget(self, oid: str) -> None:
        for key in [key for key, (whose, _) in list(self._known.items()) if whose == oid]:
            self._known.pop(key, None)


def _known(user: ChatUser) -> str:
    if not GUID.fullmatch(user.oid):
        _refuse(user, "its link names no object id")
    return user.oid.lower()


def _account(user: ChatUser) -> tuple[str, ...]:
    return ("chat", user.surface, user.team, user.user)


def _refuse(user: ChatUser, why: str) -> Never:
    """Tell everybody the same, so that nobody learns who is in the directory; the log has the reason."""
    log.warning("The %s account %s of %s is nobody's: %s", user.surface, user.user, user.team, why)
    raise NotIdentified(UNIDENTIFIED) from None


def _guid(call: str, value: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(value, str) or not GUID.fullmatch(value):
        raise unclear(call, "an id that is none")
    return value.lower()


def _has_address(person: Any, email: str) -> bool:  # noqa: ANN401 - JSON
    """Believe a hit only if it shows the address that was asked for."""
    if not isinstance(person, dict):
        return False
    return email.lower() in {str(person.get(name)).lower() for name in ADDRESSES}


def _member(oid: str, account: Json, groups: frozenset[str], asked_at: datetime) -> Member:
    """What Graph leaves out counts as no."""
    return Member(
        Person(oid, str(account.get("displayName") or oid)),
        enabled=account.get("accountEnabled") is True,
        member=account.get("userType") == "Member",
        groups=groups,
        checked_at=asked_at,
        addresses=frozenset(str(each).lower() for name in ADDRESSES if (each := account.get(name))),
    )
