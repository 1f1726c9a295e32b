import time
from uuid import uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from infra.local.entra import Entra, Trust, User
from infra.local.entra_login import JWT_BEARER
from infra.local.entra_people import (
    DEV,
    ELI,
    GUS,
    LENA,
    MAYA,
    OMAR,
    PRIYA,
    RELEASE_MANAGERS,
    TEST,
    TWINS,
    UAT,
)

NOBODY = "00000000-0000-4000-8000-00000000ffff"
FIND = "mail eq '{0}' or userPrincipalName eq '{0}'"


class Caller:
    """What `curl` would be: one connection, nothing retried."""

    def __init__(self, entra):
        self.entra = entra
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = entra.ca_bundle

    def token(self, *, auth=None, **form):
        app = {"client_id": self.entra.client_id, "client_secret": self.entra.client_secret}
        usual = {"grant_type": "client_credentials", "scope": f"{self.entra.graph_url}/.default"}
        url = f"{self.entra.authority}/{self.entra.tenant}/oauth2/v2.0/token"
        body = {name: value for name, value in {**app, **usual, **form}.items() if value is not None}
        return self.session.post(url, data=body, auth=auth, timeout=5)

    def graph(self, path, *, token=None, body=None, **query):
        token = token or self.token().json()["access_token"]
        return self.session.request(
            "GET" if body is None else "POST",
            f"{self.entra.graph_url}/v1.0/{path}",
            params={f"${name}": value for name, value in query.items()},
            json=body,
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )

    def found(self, email):
        return [each["id"] for each in self.graph("users", filter=FIND.format(email)).json()["value"]]

    def groups(self, oid, *groups):
        return self.graph(f"users/{oid}/checkMemberGroups", body={"groupIds": groups}).json()["value"]


@pytest.fixture
def entra():
    with Entra() as entra:
        yield entra


@pytest.fixture
def caller(entra):
    with Caller(entra).session as session:
        caller = Caller(entra)
        caller.session = session
        yield caller


def code(response):
    return response.status_code, response.json()["error"]["code"]


def oauth(response):
    return response.status_code, response.json()["error"], response.json()["error_codes"]


# discovery, keys and tokens


def test_discovery_names_the_token_endpoint_and_the_keys_that_verify_its_tokens(entra, caller):
    url = f"{entra.authority}/{entra.tenant}/v2.0/.well-known/openid-configuration"
    found = caller.session.get(url, timeout=5).json()
    keys = caller.session.get(found["jwks_uri"], timeout=5).json()
    token = caller.token().json()["access_token"]
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, ["RS256"], audience=entra.graph_url, issuer=found["issuer"])
    assert found["token_endpoint"] == f"{entra.authority}/{entra.tenant}/oauth2/v2.0/token"
    assert claims["roles"] == ["GroupMember.Read.All", "User.Read.All"]
    assert claims["tid"] == entra.tenant


@pytest.mark.parametrize("path", ["v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"])
def test_another_tenant_is_not_known(entra, caller, path):
    assert oauth(caller.session.get(f"{entra.authority}/{NOBODY}/{path}", timeout=5)) == (
        400,
        "invalid_tenant",
        [90002],
    )


def test_an_app_may_show_its_secret_in_the_header(entra, caller):
    answer = caller.token(auth=(entra.client_id, entra.client_secret), client_secret=None)
    assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client", [7000215])),
        ({"client_secret": None}, (401, "invalid_client", [7000218])),
        ({"client_id": NOBODY}, (400, "unauthorized_client", [700016])),
        ({"scope": "https://elsewhere.example/.default"}, (400, "invalid_resource", [500011])),
        ({"scope": "User.Read.All"}, (400, "invalid_scope", [1002012])),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", [70003])),
    ],
)
def test_a_token_is_refused_as_entra_refuses_it(caller, form, refusal):
    assert oauth(caller.token(**form)) == refusal


def assertion(entra, key, **claims):
    now = int(time.time())
    usual = {"iss": entra.client_id, "sub": entra.client_id, "aud": entra.login.token_endpoint}
    return {
        "client_secret": None,
        "client_assertion_type": JWT_BEARER,
        "client_assertion": jwt.encode({**usual, "exp": now + 60, **claims}, key, "PS256"),
    }


def test_an_app_may_sign_an_assertion_with_a_key_that_is_trusted(entra, caller):
    key, other = (generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    itself = Trust(entra.client_id, entra.client_id, entra.login.token_endpoint, key.public_key())
    entra.app.trusts.append(itself)
    refusal = (401, "invalid_client", [700027])
    assert caller.token(**assertion(entra, key)).status_code == 200
    assert oauth(caller.token(**assertion(entra, other))) == refusal
    assert oauth(caller.token(**assertion(entra, key, sub="somebody"))) == refusal
    assert oauth(caller.token(**assertion(entra, key, aud="api://elsewhere"))) == refusal
    assert oauth(caller.token(**assertion(entra, key, exp=1))) == refusal


# who may ask Graph


def test_graph_wants_a_token_that_was_issued_here_and_is_good_now(entra, caller):
    good = caller.token().json()["access_token"]
    stranger = generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(jwt.decode(good, options={"verify_signature": False}), stranger, "RS256")
    entra.login.token_life = -1
    expired = caller.token().json()["access_token"]
    entra.login.audiences.add("https://other.example")
    elsewhere = caller.token(scope="https://other.example/.default").json()["access_token"]
    refused = (401, "InvalidAuthenticationToken")
    assert caller.graph(f"users/{MAYA}", token=good).status_code == 200
    assert [code(caller.graph("users", token=bad)) for bad in (forged, expired, elsewhere)] == [refused] * 3
    entra.login.rotate_key()
    assert code(caller.graph(f"users/{MAYA}", token=good)) == refused
    assert code(caller.session.get(f"{entra.graph_url}/v1.0/users", timeout=5)) == refused


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        ({"User.Read.All", "GroupMember.Read.All"}, [200, 200, 200]),
        ({"User.Read.All"}, [200, 403, 403]),
        ({"GroupMember.Read.All"}, [403, 403, 200]),
    ],
)
def test_each_call_wants_its_own_permissions(entra, caller, roles, allowed):
    entra.app.roles = frozenset(roles)
    answers = [
        caller.graph(f"users/{MAYA}"),
        caller.graph(f"users/{MAYA}/checkMemberGroups", body={"groupIds": [DEV]}),
        caller.graph(f"groups/{DEV}"),
    ]
    assert [each.status_code for each in answers] == allowed
    assert {code(each)[1] for each in answers if not each.ok} <= {"Authorization_RequestDenied"}


# people


def test_people_are_found_by_mail_or_name_in_whatever_case(entra, caller):
    entra.people.alter(MAYA, upn="m.chen@example.com")
    assert caller.found("MAYA.Chen@example.com") == caller.found("m.chen@Example.com") == [MAYA]
    assert caller.found("nobody@example.com") == []
    assert caller.found("team.twin@example.com") == list(TWINS)


def test_quotes_in_an_address_are_doubled(entra, caller):
    entra.people.add(User(NOBODY, "Sean O'Brien", "o'brien@example.com", "sob@example.com"))
    assert caller.found("o''brien@example.com") == [NOBODY]


@pytest.mark.parametrize(
    "query",
    [
        FIND.format("o'brien@example.com"),
        FIND.format("x' or mail ne '"),
        FIND.format("x") + " or mail ne 'x'",
        "mail eq 'maya.chen@example.com'",
        "startswith(mail,'maya')",
        "",
    ],
)
def test_any_other_filter_is_refused(caller, query):
    assert code(caller.graph("users", filter=query)) == (400, "Request_UnsupportedQuery")


def test_a_page_holds_no_more_than_was_asked_for(caller):
    answer = caller.graph("users", filter=FIND.format("team.twin@example.com"), top="1").json()
    assert [each["id"] for each in answer["value"]] == [TWINS[0]]
    assert "@odata.nextLink" in answer
    assert code(caller.graph("users", filter=FIND.format("x"), top="0")) == (400, "Request_BadRequest")


def test_graph_tells_what_was_selected_and_by_itself_neither_state_nor_kind(caller):
    selected = caller.graph(f"users/{MAYA}", select="id,accountEnabled,userType").json()
    del selected["@odata.context"]
    assert selected == {"id": MAYA, "accountEnabled": True, "userType": "Member"}
    assert not {"accountEnabled", "userType"} & caller.graph(f"users/{MAYA}").json().keys()
    assert caller.graph(f"groups/{DEV}", select="displayName").json()["displayName"] == "approvers-dev"
    assert code(caller.graph(f"users/{MAYA}", select="shoeSize")) == (400, "BadRequest")


def test_a_guest_is_found_by_a_name_that_is_escaped_and_whoever_is_not_there_is_not(entra, caller):
    guest = caller.graph("users/gus.guest_partner.example%23EXT%23@example.com", select="id,userType").json()
    assert (guest["id"], guest["userType"]) == (GUS, "Guest")
    missing = (404, "Request_ResourceNotFound")
    assert code(caller.graph(f"users/{NOBODY}")) == code(caller.graph(f"groups/{NOBODY}")) == missing
    entra.people.remove(MAYA)
    assert code(caller.graph(f"users/{MAYA}/checkMemberGroups", body={"groupIds": [DEV]})) == missing


def test_changes_are_in_force_for_the_next_call(entra, caller):
    entra.people.alter(LENA, enabled=True, hidden=frozenset({"userType"}))
    shown = caller.graph(f"users/{LENA}", select="accountEnabled,userType").json()
    assert shown["accountEnabled"] is True
    assert "userType" not in shown


# groups


def test_membership_is_transitive_and_what_is_unknown_is_left_out(entra, caller):
    assert caller.groups(OMAR, UAT, DEV, NOBODY) == [UAT, DEV]
    assert caller.groups(PRIYA, UAT, DEV) == caller.groups(ELI, DEV, UAT) == []
    entra.people.leave(OMAR, RELEASE_MANAGERS)
    assert caller.groups(OMAR, UAT) == []
    entra.people.join(TEST, UAT)
    assert caller.groups(OMAR, UAT) == [UAT]


def test_groups_in_a_circle_end_somewhere(entra, caller):
    entra.people.join(UAT, RELEASE_MANAGERS)
    assert caller.groups(MAYA, UAT, RELEASE_MANAGERS) == [UAT, RELEASE_MANAGERS]


@pytest.mark.parametrize(
    "body", [{"groupIds": [str(uuid4()) for _ in range(21)]}, {"groupIds": [DEV, "x"]}, {"groupIds": []}, {}]
)
def test_too_many_groups_none_or_one_that_is_no_guid_spoil_the_whole_question(caller, body):
    assert code(caller.graph(f"users/{MAYA}/checkMemberGroups", body=body)) == (400, "Request_BadRequest")


def test_twenty_groups_are_not_too_many(caller):
    assert caller.groups(MAYA, *[str(uuid4()) for _ in range(19)], DEV) == [DEV]


# the wire


def test_calls_are_noted_with_service_route_and_status(entra, caller):
    caller.graph(f"users/{NOBODY}")
    caller.session.get(f"{entra.graph_url}/v1.0/me", timeout=5)
    caller.session.get(entra.login.token_endpoint, timeout=5)
    seen = [(each.service, each.method, each.status) for each in entra.calls]
    assert seen == [
        ("entra", "token", 200),
        ("graph", "user", 404),
        ("graph", "unknown", 404),
        ("entra", "token", 405),
    ]
    assert all(each.started <= each.ended for each in entra.calls)


def test_one_connection_is_enough(entra, caller):
    for _ in range(5):
        caller.graph(f"users/{MAYA}")
    assert (len(entra.calls), entra.connections) == (10, 1)


def test_the_server_is_trusted_through_its_own_ca_alone(entra):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(entra.graph_url, timeout=5)
    with Entra() as other, pytest.raises(requests.exceptions.SSLError):
        requests.get(entra.graph_url, verify=other.ca_bundle, timeout=5)


def test_faults_come_as_often_as_asked_and_in_the_service_s_own_words(entra, caller):
    entra.faults.add("user", status=429, retry_after=7)
    entra.faults.add("user", status=503)
    entra.faults.add("user", error="<html>")
    entra.faults.add("token", status=500)
    assert caller.token().json()["error"] == "server_error"
    token = caller.token().json()["access_token"]
    first, second, third, fourth = (caller.graph(f"users/{MAYA}", token=token) for _ in range(4))
    assert (code(first), first.headers["Retry-After"]) == ((429, "TooManyRequests"), "7")
    assert code(second) == (503, "serviceNotAvailable")
    assert (third.status_code, third.text) == (200, "<html>")
    assert fourth.json()["id"] == MAYA


def test_a_connection_can_break_and_an_answer_can_be_late(entra, caller):
    token = caller.token().json()["access_token"]
    entra.faults.add("user", status="reset")
    with pytest.raises(requests.exceptions.ConnectionError):
        caller.graph(f"users/{MAYA}", token=token)
    entra.faults.add("user", status=None, stall=0.2)
    assert caller.graph(f"users/{MAYA}", token=token).ok
    assert entra.calls[-1].ended - entra.calls[-1].started >= 0.2
    assert [each.status for each in entra.calls] == [200, 0, 200]


def test_the_members_of_a_group_are_people_and_groups_each_with_its_type(entra, caller):
    answer = caller.graph(f"groups/{UAT}/transitiveMembers", select="id,displayName,accountEnabled").json()
    found = {each["id"]: each for each in answer["value"]}
    assert found[RELEASE_MANAGERS]["@odata.type"] == "#microsoft.graph.group"
    assert found[OMAR] == {
        "@odata.type": "#microsoft.graph.user", "id": OMAR, "displayName": "Omar Haddad", "accountEnabled": True
    }  # fmt: skip
    assert "@odata.nextLink" in caller.graph(f"groups/{UAT}/transitiveMembers", top="1").json()
    assert code(caller.graph(f"groups/{NOBODY}/transitiveMembers")) == (404, "Request_ResourceNotFound")
    entra.app.roles = frozenset({"GroupMember.Read.All"})
    assert code(caller.graph(f"groups/{UAT}/transitiveMembers"))[0] == 403
