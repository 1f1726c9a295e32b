"""Who and what there is in the local Teams: people of several kinds, teams, channels, and chats with the bot."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from infra.local import entra_people

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A person as Teams knows them; without an `oid` they are anonymous, with a `tenant` of another organisation."""

    oid: str
    name: str
    email: str = ""
    upn: str = ""
    role: str = "user"
    tenant: str = ""

    @classmethod
    def of(cls, account: entra_people.User) -> "User":
        """Take over an account of the tenant; a guest is a guest here, too."""
        role = "guest" if account.kind == "Guest" else "user"
        return cls(account.oid, account.name, account.mail or "", account.upn, role)

    @property
    def mri(self) -> str:
        """Their id in Teams, which is another one for each bot and never the object id."""
        return f"29:1{_opaque(self.oid or self.name)}"

    @property
    def key(self) -> str:
        """What tests call them by."""
        return self.oid or self.mri


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `members` are keys of people, its id is that of its General channel."""

    id: str
    name: str
    members: frozenset[str] = frozenset()
    installed: bool = False
    archived: bool = False

    @property
    def group(self) -> str:
        """The object id of its group in Entra."""
        digest = hashlib.sha256(self.id.encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of a team; `members` None means the team's, others make it private or shared, with outsiders or not."""

    id: str
    name: str
    team: str
    members: frozenset[str] | None = None
    has_bot: bool = True
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """The one-to-one chat of a person with the bot."""

    id: str
    user: str
    installed: bool = False
    blocked: bool = False


def chat_id(app_id: str, user: User) -> str:
    """Name the one chat that this person and the bot can have."""
    return f"a:1{_opaque(app_id + user.mri)}"


def member_json(user: User, tenant: str) -> Json:
    """Draw a person as rosters do: https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context."""
    given, _, surname = user.name.partition(" ")
    entra = {"objectId": user.oid, "aadObjectId": user.oid} if user.oid else {}
    return {
        "id": user.mri,
        "name": user.name,
        "givenName": given,
        "surname": surname,
        "email": user.email,
        "userPrincipalName": user.upn,
        "tenantId": user.tenant or tenant,
        "userRole": user.role if user.oid else "anonymous",
        **entra,
    }


def _opaque(seed: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha512(seed.encode()).digest()).decode().rstrip("=")
