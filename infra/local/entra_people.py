"""The people of the local Entra and their groups: plainly invented, changed while it runs."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

MAYA = "00000000-0000-4000-8000-00000000a001"
OMAR = "00000000-0000-4000-8000-00000000a002"
PRIYA = "00000000-0000-4000-8000-00000000a003"
DANA = "00000000-0000-4000-8000-00000000a004"
ELI = "00000000-0000-4000-8000-00000000a005"
GUS = "00000000-0000-4000-8000-00000000a006"
LENA = "00000000-0000-4000-8000-00000000a007"
TWINS = ("00000000-0000-4000-8000-00000000a008", "00000000-0000-4000-8000-00000000a009")
ADA = "00000000-0000-4000-8000-00000000a00a"

DEV = "00000000-0000-4000-8000-00000000b001"
TEST = "00000000-0000-4000-8000-00000000b002"
UAT = "00000000-0000-4000-8000-00000000b003"
PROD = "00000000-0000-4000-8000-00000000b004"
RELEASE_MANAGERS = "00000000-0000-4000-8000-00000000b005"
"""They are in the approvers of uat as a group, so that membership there is transitive."""
ADMINS = "00000000-0000-4000-8000-00000000b006"
"""Who confirms links between chat accounts and people; no approvers."""


@dataclass(frozen=True, slots=True)
class User:
    """One account; `hidden` names properties that Graph leaves out of its answers, `title` is for the login page."""

    oid: str
    name: str
    mail: str | None
    upn: str
    enabled: bool | None = True
    kind: str | None = "Member"
    hidden: frozenset[str] = frozenset()
    title: str = ""

    @property
    def properties(self) -> Mapping[str, Any]:
        """All of it under Graph's names."""
        named = {
            "id": self.oid,
            "displayName": self.name,
            "mail": self.mail,
            "userPrincipalName": self.upn,
            "accountEnabled": self.enabled,
            "userType": self.kind,
        }
        return {name: value for name, value in named.items() if name not in self.hidden}


@dataclass(frozen=True, slots=True)
class Group:
    """A group; its members are people and other groups, by object id."""

    oid: str
    name: str
    members: frozenset[str] = frozenset()


class People:
    """The directory of the tenant; each change is in force for the next call."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._users: dict[str, User] = {}
        self._groups: dict[str, Group] = {}

    def add(self, *users: User) -> None:
        """Take people in."""
        with self._lock:
            self._users |= {user.oid: user for user in users}

    def alter(self, oid: str, **changes: Any) -> None:  # noqa: ANN401 - any field of `User`
        """Change fields of a person, such as `enabled=False`."""
        with self._lock:
            self._users[oid] = replace(self._users[oid], **changes)

    def remove(self, oid: str) -> None:
        """Let a person vanish, memberships and all."""
        with self._lock:
            del self._users[oid]
            for group in self._groups.values():
                self._groups[group.oid] = replace(group, members=group.members - {oid})

    def add_group(self, oid: str, name: str, members: Collection[str] = ()) -> None:
        """Found a group of people and groups."""
        with self._lock:
            self._groups[oid] = Group(oid, name, frozenset(members))

    def join(self, oid: str, group: str) -> None:
        """Make a person or a group a member of a group."""
        self._regroup(group, self._groups[group].members | {oid})

    def leave(self, oid: str, group: str) -> None:
        """End a direct membership."""
        self._regroup(group, self._groups[group].members - {oid})

    def user(self, key: str) -> User | None:
        """Find a person by object id or userPrincipalName, in whatever case."""
        return next((each for each in self.everybody() if key.lower() in {each.oid, each.upn.lower()}), None)

    def everybody(self) -> tuple[User, ...]:
        """All accounts, in the order in which they came."""
        with self._lock:
            return tuple(self._users.values())

    def search(self, *, mail: str, upn: str) -> list[User]:
        """Find everybody who has that mail or that userPrincipalName, in whatever case."""
        mail, upn = mail.lower(), upn.lower()
        return [each for each in self.everybody() if (each.mail or "").lower() == mail or each.upn.lower() == upn]

    def group(self, oid: str) -> Group | None:
        """Find a group by its object id, in whatever case."""
        return self._groups.get(oid.lower())

    def groups_of(self, oid: str) -> frozenset[str]:
        """Every group that somebody is in, directly or through other groups."""
        with self._lock:
            groups = tuple(self._groups.values())
        found: frozenset[str] = frozenset()
        while more := {each.oid for each in groups if each.members & (found | {oid})} - found:
            found |= more
        return found

    def members_of(self, group: str) -> tuple[list[User], list[Group]]:
        """Everybody and every group in a group, directly or through other groups."""
        users = [each for each in self.everybody() if group in self.groups_of(each.oid)]
        with self._lock:
            groups = tuple(self._groups.values())
        return users, [each for each in groups if group in self.groups_of(each.oid)]

    def _regroup(self, group: str, members: frozenset[str]) -> None:
        with self._lock:
            self._groups[group] = replace(self._groups[group], members=members)


def invent_people() -> People:
    """Make the people of the local stack: approvers of several kinds, and those who must not get through."""
    people = People()
    people.add(
        _employee(MAYA, "Maya Chen", "Head of machine learning"),
        _employee(OMAR, "Omar Haddad", "Release manager"),
        _employee(PRIYA, "Priya Nair", "Head of operations"),
        _employee(DANA, "Dana Scientist", "Data scientist"),
        _employee(ELI, "Eli Outside", "Accountant"),
        User(GUS, "Gus Guest", "gus.guest@example.com", GUEST_UPN, kind="Guest", title="Consultant"),
        replace(_employee(LENA, "Lena Left", "Former release manager"), enabled=False),
        *(replace(_employee(oid, name, "Shares a mailbox"), mail=SHARED) for oid, name in TWIN_NAMES.items()),
        _employee(ADA, "Ada Admin", "Administrator"),
    )
    people.add_group(DEV, "approvers-dev", (MAYA, OMAR, GUS, LENA))
    people.add_group(TEST, "approvers-test", (MAYA, OMAR, LENA))
    people.add_group(UAT, "approvers-uat", (RELEASE_MANAGERS,))
    people.add_group(PROD, "approvers-prod", (MAYA, OMAR, PRIYA, LENA))
    people.add_group(RELEASE_MANAGERS, "release-managers", (MAYA, OMAR, LENA))
    people.add_group(ADMINS, "model-approvals-admins", (ADA,))
    return people


GUEST_UPN = "gus.guest_partner.example#EXT#@example.com"
SHARED = "team.twin@example.com"
TWIN_NAMES = dict(zip(TWINS, ("Tara Twin", "Toni Twin"), strict=True))


def _employee(oid: str, name: str, title: str) -> User:
    address = f"{name.lower().replace(' ', '.')}@example.com"
    return User(oid, name, address, address, title=title)
