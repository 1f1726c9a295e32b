"""Who may speak as a person of this workspace: no bots, guests, strangers or people of other workspaces."""

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.domain import ChatUser
from bot.errors import UNIDENTIFIED, NotIdentified
from bot.slack.api import Permanent, SlackApi

log = logging.getLogger(__name__)

REFUSAL = UNIDENTIFIED
"""One text for every cause: who is not identified learns nothing. The cause is in the log."""
SLACKBOT = "USLACKBOT"
MUST_BE_FALSE = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted")
"""Slack always says these of an active person (https://docs.slack.dev/reference/objects/user-object)."""
MUST_NOT_BE_TRUE = ("is_stranger", "is_workflow_bot", "is_connector_bot", "is_invited_user")
"""Slack says these only where they apply."""
LONGEST_EMAIL = 320
"""Characters of an address: 64 before the @, 255 after it (RFC 5321)."""
_CALLED = 40
_UNCALLED = re.compile(r"[^\w.+-]")


def confirmed_email(api: SlackApi, team: str) -> Callable[[ChatUser], str]:
    """Make the function that gives a member's confirmed e-mail address, or raises `NotIdentified`."""

    def email(user: ChatUser) -> str:
        info = _member(api, team, user)
        if cause := unconfirmed(info):
            raise _refused(user, cause)
        return str(info["profile"]["email"])

    return email


def vouched(api: SlackApi, team: str) -> Callable[[ChatUser], str]:
    """Make the function that gives a member's e-mail address, or nothing where Slack has confirmed none.

    It raises `NotIdentified` for guests, bots, strangers and people of other workspaces.
    """

    def vouch(user: ChatUser) -> str:
        info = _member(api, team, user)
        return "" if unconfirmed(info) else str(info["profile"]["email"])

    return vouch


def standing(api: SlackApi, team: str) -> Callable[[ChatUser], None]:
    """Make the function that raises `NotIdentified` unless somebody is a member, for what needs no e-mail."""

    def check(user: ChatUser) -> None:
        _member(api, team, user)

    return check


def refusal_of(info: Mapping[str, Any], team: str) -> str:
    """Why a person that `users.info` describes is not answered; empty for a full member of our workspace."""
    if info.get("team_id") != team:
        return "is of another workspace"
    if not info.get("id") or info.get("id") == SLACKBOT:
        return "is Slack itself"
    for flag in MUST_BE_FALSE:
        if info.get(flag) is not False:
            return f"{flag} is {info.get(flag)!r}"
    return next((f"{flag} is set" for flag in MUST_NOT_BE_TRUE if info.get(flag, False) is not False), "")


def unconfirmed(info: Mapping[str, Any]) -> str:
    """Why a member's e-mail address proves nothing; empty when Slack has confirmed it."""
    profile = info.get("profile")
    email = profile.get("email") if isinstance(profile, Mapping) else None
    if info.get("is_email_confirmed") is not True:
        return f"is_email_confirmed is {info.get('is_email_confirmed')!r}"
    if not isinstance(email, str) or not email:
        return "Slack gives no e-mail address"
    return "" if email.isascii() and len(email) <= LONGEST_EMAIL else "its e-mail address is none that mail could reach"


def outsider(body: Mapping[str, Any], team: str) -> str:
    """Why a signed request comes from nobody of our workspace, as far as the request itself tells."""
    if body.get("is_enterprise_install") in (True, "true"):
        return "the app is installed for a whole organisation"
    user, place = body.get("user"), body.get("team")
    if "command" in body:
        user, place = {"id": body.get("user_id"), "team_id": body.get("team_id")}, {"id": body.get("team_id")}
    if not isinstance(user, Mapping) or not isinstance(place, Mapping) or place.get("id") != team:
        return "it is from another workspace"
    if user.get("team_id") != team:
        return "the person is of another workspace"
    known = isinstance(user.get("id"), str) and user["id"] not in ("", SLACKBOT)
    return "" if known else "it is from Slack itself"


def called(body: Mapping[str, Any]) -> str:
    """How a person knows the account that acts: `@maya in the Slack workspace acme`; names hold no spaces."""
    user, team = body["user"], body["team"]
    name = _word(user.get("username") or user.get("name")) or _word(user["id"])
    return f"@{name} in the Slack workspace {_word(team.get('domain')) or _word(team['id'])}"


def _word(text: object) -> str:
    """A name that can pretend to be nothing else: one word, and no long one."""
    return _UNCALLED.sub("", text)[:_CALLED] if isinstance(text, str) else ""


def _member(api: SlackApi, team: str, user: ChatUser) -> Mapping[str, Any]:
    if user.surface != "slack" or user.team != team:
        raise _refused(user, "is of another workspace")
    try:
        given = api.call("users.info", {"user": user.user}).get("user")
    except Permanent as refused:
        raise _refused(user, str(refused)) from refused
    info: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    if cause := refusal_of(info, team):
        raise _refused(user, cause)
    return info


def _refused(user: ChatUser, cause: str) -> NotIdentified:
    log.warning("%s %s of %s is not identified: %s", user.surface, user.user, user.team, cause)
    return NotIdentified(REFUSAL)
