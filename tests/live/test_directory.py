"""Entra and Graph, which say who may answer."""

from urllib.parse import quote

import jwt
import pytest

from bot.domain import ChatUser
from bot.errors import Unavailable
from tests.live.targets import REAL

NOBODY = "00000000-0000-4000-8000-0000000fffff"


@pytest.fixture
def person(entra):
    """The object id of the person whose address was told."""
    return entra.directory.find(entra.told["LIVE_ENTRA_PERSON"])


def test_the_app_s_token_names_graph_and_its_two_roles(entra):
    """Client credentials with `.default`: User.Read.All and GroupMember.Read.All are enough (identity 1.6)."""
    claims = jwt.decode(entra.token.current(), options={"verify_signature": False})
    assert claims["aud"] == entra.graph_url
    assert {"User.Read.All", "GroupMember.Read.All"} <= set(claims["roles"])


def test_a_member_is_found_by_address_and_their_groups_by_id(entra, person):
    """The or-ed filter, `accountEnabled` and `userType` by $select, checkMemberGroups (identity 5)."""
    asked = [entra.told["LIVE_ENTRA_GROUP"], NOBODY]
    member = entra.directory.member(ChatUser("web", "", "", oid=person), asked)
    assert (member.enabled, member.member, member.groups) == (True, True, {asked[0]})
    assert entra.told["LIVE_ENTRA_PERSON"].lower() in member.addresses


def test_the_people_of_a_group_are_listed_with_their_state(entra, person):
    """Graph's transitiveMembers tells `accountEnabled` and `userType` of people without a cast (identity 5)."""
    assert person in [each.person.oid for each in entra.directory.within(entra.told["LIVE_ENTRA_GROUP"])]


def test_whom_graph_does_not_know_is_not_found(entra):
    """404 Request_ResourceNotFound is "nobody", and no doubt (identity 5)."""
    assert entra.graph.ask("user", f"/users/{NOBODY}") is None
    assert entra.directory.find(f"nobody.{NOBODY}@{entra.told['LIVE_ENTRA_PERSON'].rpartition('@')[2]}") == ""


@pytest.mark.parametrize("groups", [[NOBODY] * 21, ["no-guid"]], ids=["21 ids", "no guid"])
def test_check_member_groups_refuses(entra, person, groups):
    """At most 20 ids, and none that is malformed (identity 5)."""
    different = [f"{each[:-2]}{number:02}" if len(groups) > 1 else each for number, each in enumerate(groups)]
    with pytest.raises(Unavailable, match="HTTP 400"):
        entra.graph.ask("checkMemberGroups", f"/users/{person}/checkMemberGroups", body={"groupIds": different})


@pytest.mark.parametrize("entra", REAL, indirect=True)  # the stand-in knows only what the bot asks
def test_an_alias_can_be_looked_for_in_the_same_question(entra):
    """`proxyAddresses/any` or-ed with `mail eq`: not verified, so not used (identity 5, 10)."""
    address = entra.told["LIVE_ENTRA_PERSON"]
    wanted = f"mail eq '{address}' or proxyAddresses/any(each:each eq 'smtp:{address}')"
    assert entra.graph.ask("users", f"/users?$filter={quote(wanted)}&$select=id")


@pytest.mark.parametrize("entra", REAL, indirect=True)  # as above
def test_two_questions_may_share_a_batch(entra, person):
    """`$batch`, each part with a status of its own (identity 5)."""
    parts = [{"id": str(each), "method": "GET", "url": f"/users/{each}"} for each in (person, NOBODY)]
    answer = entra.graph.ask("$batch", "/$batch", body={"requests": parts})
    assert {each["id"]: each["status"] for each in answer["responses"]} == {person: 200, NOBODY: 404}
