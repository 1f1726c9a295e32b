"""The Graph half of the local Entra: the calls of the bot, as strict as Graph v1.0 is.

https://learn.microsoft.com/graph/api/user-list, user-get, user-checkmembergroups, group-get,
group-list-transitivemembers; errors:
https://learn.microsoft.com/graph/errors
"""

import json
import re
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import jwt

from infra.local.entra_https import Request, Route, Section
from infra.local.entra_login import Json, Login, json_answer
from infra.local.entra_people import People, User
from infra.local.slack_http import Answer

FILTER = re.compile(r"mail eq '((?:[^']|'')*)' or userPrincipalName eq '((?:[^']|'')*)'")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
MOST_GROUPS = 20
READ_USERS = frozenset({"User.Read.All"})
READ_GROUPS = frozenset({"GroupMember.Read.All"})
USER_PROPERTIES = tuple(User("", "", None, "").properties)
DEFAULT_PROPERTIES = ("displayName", "mail", "userPrincipalName", "id")
"""Of those we know of: without `$select`, Graph tells neither accountEnabled nor userType."""

CODES = {
    400: "Request_BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    405: "Request_BadRequest",
    429: "TooManyRequests",
    503: "serviceNotAvailable",
}


class GraphError(Exception):
    """What Graph answers with an error; the code is the usual one of the status unless it is named."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        """Keep what the answer is drawn from."""
        super().__init__(text)
        self.status, self.code = status, code


class Graph:
    """Answers for the people of one tenant whoever has a token with the roles for it."""

    def __init__(self, url: str, people: People, login: Login) -> None:
        """`url` is the root, without the version; it is the audience of the tokens, too."""
        self._url, self._people, self._login = url, people, login

    @property
    def section(self) -> Section:
        """What the site serves of it."""
        check = self._guarded(READ_USERS | READ_GROUPS, self._check_member_groups)
        members = self._guarded(READ_USERS | READ_GROUPS, self._list_members)
        routes = (
            Route("users", "GET", "/v1.0/users", self._guarded(READ_USERS, self._list)),
            Route("user", "GET", "/v1.0/users/{id}", self._guarded(READ_USERS, self._get)),
            Route("checkMemberGroups", "POST", "/v1.0/users/{id}/checkMemberGroups", check),
            Route("group", "GET", "/v1.0/groups/{id}", self._guarded(READ_GROUPS, self._get_group)),
            Route("transitiveMembers", "GET", "/v1.0/groups/{id}/transitiveMembers", members),
        )
        return Section("graph", routes, _refuse)

    def _guarded(self, roles: frozenset[str], carry_out: Callable[[Request], Json]) -> Callable[[Request], Answer]:
        def guarded(request: Request) -> Answer:
            try:
                self._authorize(request, roles)
                return json_answer(200, carry_out(request), _request_id())
            except GraphError as error:
                return _graph_error(error.status, str(error), error.code)

        return guarded

    def _authorize(self, request: Request, roles: frozenset[str]) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise GraphError(401, "Access token is empty.")
        try:
            granted = self._login.verify(token, self._url)["roles"]
        except jwt.ExpiredSignatureError as mistake:
            raise GraphError(401, "Lifetime validation failed, the token is expired.") from mistake
        except jwt.InvalidTokenError as mistake:
            raise GraphError(401, f"Access token validation failure. {mistake}.") from mistake
        if not roles <= set(granted):
            raise GraphError(403, "Insufficient privileges to complete the operation.")

    def _list(self, request: Request) -> Json:
        found = FILTER.fullmatch(request.query.get("$filter", ""))
        if not found:
            raise GraphError(400, "Unsupported Query.", "Request_UnsupportedQuery")
        mail, upn = (literal.replace("''", "'") for literal in found.groups())
        users = self._people.search(mail=mail, upn=upn)
        top = _top(request.query.get("$top", "100"))
        chosen = _selected(request.query, USER_PROPERTIES)
        body: Json = {"@odata.context": f"{self._url}/v1.0/$metadata#users", "value": []}
        body["value"] = [_drawn(user.properties, chosen) for user in users[:top]]
        if len(users) > top:
            body["@odata.nextLink"] = f"{self._url}/v1.0/users?$skiptoken={uuid.uuid4().hex}"
        return body

    def _get(self, request: Request) -> Json:
        context = {"@odata.context": f"{self._url}/v1.0/$metadata#users/$entity"}
        return {
            **context,
            **_drawn(self._found(request).properties, _selected(request.query, USER_PROPERTIES)),
        }

    def _check_member_groups(self, request: Request) -> Json:
        asked = _group_ids(request.body)
        within = self._people.groups_of(self._found(request).oid)
        context = f"{self._url}/v1.0/$metadata#Collection(Edm.String)"
        return {"@odata.context": context, "value": [each for each in asked if each.lower() in within]}

    def _get_group(self, request: Request) -> Json:
        group = self._people.group(request.parts["id"])
        if group is None:
            raise _not_found(request.parts["id"])
        properties = {"id": group.oid, "displayName": group.name}
        context = {"@odata.context": f"{self._url}/v1.0/$metadata#groups/$entity"}
        return {**context, **_drawn(properties, _selected(request.query, properties))}

    def _list_members(self, request: Request) -> Json:
        """List people and groups alike, each with its type, as Graph does."""
        group = self._people.group(request.parts["id"])
        if group is None:
            raise _not_found(request.parts["id"])
        top, chosen = _top(request.query.get("$top", "100")), _selected(request.query, USER_PROPERTIES)
        users, groups = self._people.members_of(group.oid)
        found = [{"@odata.type": "#microsoft.graph.group", "id": each.oid} for each in groups]
        found += [{"@odata.type": "#microsoft.graph.user", **_drawn(each.properties, chosen)} for each in users]
        body: Json = {"@odata.context": f"{self._url}/v1.0/$metadata#directoryObjects", "value": found[:top]}
        if len(found) > top:
            body["@odata.nextLink"] = f"{self._url}/v1.0/groups/{group.oid}/transitiveMembers?$skiptoken=more"
        return body

    def _found(self, request: Request) -> User:
        user = self._people.user(request.parts["id"])
        if user is None:
            raise _not_found(request.parts["id"])
        return user


def _group_ids(body: bytes) -> Sequence[str]:
    try:
        asked = json.loads(body)["groupIds"]
    except (ValueError, KeyError, TypeError) as mistake:
        raise GraphError(400, "groupIds is needed.") from mistake
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_GROUPS:
        raise GraphError(400, f"groupIds takes 1 to {MOST_GROUPS} ids.")
    if bad := [each for each in asked if not isinstance(each, str) or not GUID.fullmatch(each)]:
        raise GraphError(400, f"Invalid object identifier '{bad[0]}'.")
    return asked


def _top(value: str) -> int:
    if not value.isdigit() or not 1 <= int(value) <= 999:
        raise GraphError(400, f"Invalid page size specified: '{value}'. Must be between 1 and 999 inclusive.")
    return int(value)


def _selected(query: Mapping[str, str], known: Collection[str]) -> Sequence[str]:
    chosen = query["$select"].split(",") if "$select" in query else DEFAULT_PROPERTIES
    if "$select" in query and (unknown := [name for name in chosen if name not in known]):
        raise GraphError(400, f"Could not find a property named '{unknown[0]}'.", "BadRequest")
    return chosen


def _drawn(properties: Mapping[str, Any], chosen: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name in chosen}


def _not_found(oid: str) -> GraphError:
    return GraphError(404, f"Resource '{oid}' does not exist or one of its references is not present.")


def _refuse(status: int, headers: Mapping[str, str]) -> Answer:
    """Draw the error of a fault, or of a path that is not there."""
    return _graph_error(status, f"HTTP {status}.", "" if status != 404 else "BadRequest", headers)


def _graph_error(status: int, text: str, code: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    also = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    identified = _request_id()
    error = {
        "code": code or CODES.get(status, "InternalServerError"),
        "message": text,
        "innerError": identified,
    }
    return json_answer(status, {"error": error}, {**identified, **also, **(headers or {})})


def _request_id() -> dict[str, str]:
    return {"request-id": str(uuid.uuid4())}
