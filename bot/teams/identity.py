"""Who acts, as the Bot Connector says it: a person of our tenant, by the object id; never by a name or by a card."""

import logging
import re
from collections.abc import Mapping
from typing import Any

from bot.domain import ChatUser
from bot.errors import UNIDENTIFIED, NotIdentified
from bot.policy import GUID
from bot.text import cut, one_line

Activity = Mapping[str, Any]

log = logging.getLogger(__name__)

SOMEBODY = "Somebody"
NAME = 80
_ACCOUNT = re.compile(r"29:[A-Za-z0-9_-]{1,200}")


def caller(activity: Activity, tenant: str) -> ChatUser:
    """The person who acts; raise `NotIdentified`, with one text for all causes.

    Whether they are a guest or disabled is asked of the directory, as for everybody.
    """
    sender = activity.get("from")
    if not isinstance(sender, Mapping):
        sender = {}
    if cause := outsider(sender, tenant):
        log.warning("a Teams account is not identified: %s (oid %.60r)", cause, str(sender.get("aadObjectId")))
        raise NotIdentified(UNIDENTIFIED)
    oid = sender["aadObjectId"].lower()
    return ChatUser("teams", tenant, oid, channel=sender["id"], oid=oid)


def outsider(sender: Activity, tenant: str) -> str:
    """Why an account is nobody of our tenant, as far as the activity itself tells; empty for a person."""
    if not isinstance(sender.get("id"), str) or not _ACCOUNT.fullmatch(sender["id"]):
        return "it is no person's account"
    if not isinstance(sender.get("aadObjectId"), str) or not GUID.fullmatch(sender["aadObjectId"]):
        return "it has no object id of the directory"
    if str(sender.get("tenantId", tenant)).lower() != tenant.lower():
        return "it is of another tenant"
    odd = [each for each in ("role", "userRole") if sender.get(each, "user") != "user"]
    return f"its {odd[0]} is {str(sender[odd[0]])[:40]!r}" if odd else ""


def name_of(activity: Activity) -> str:
    """How Teams calls the person, for a card that only they see."""
    sender = activity.get("from")
    name = sender.get("name") if isinstance(sender, Mapping) else None
    return (cut(one_line(name), NAME) if isinstance(name, str) else "") or SOMEBODY


def called(activity: Activity) -> str:
    """How the person knows the account that acts."""
    return f"{name_of(activity)} in Microsoft Teams"
