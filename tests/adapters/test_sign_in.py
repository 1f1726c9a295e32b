"""Signing in through MSAL, at an Entra that forges id_tokens on request: whom the adapter believes, and whom not."""

import base64
import hashlib
import hmac
import json
import logging
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.aws.secrets import Fixed
from bot.entra.http import open_session
from bot.entra.id_token import FRESH, PAUSE, Forged
from bot.entra.sign_in import INCOMPLETE, SignedIn, SignIn
from bot.entra.token import AppToken
from bot.errors import BrokenLink, NotIdentified, Unavailable
from infra.local.entra import Entra
from infra.local.entra_people import GUS, LENA, MAYA, OMAR
from infra.local.entra_sign_in import NotSignedIn, cancel, pick

RETURN = "http://localhost:8702/signed-in"
ELSEWHERE = "http://localhost:8702/elsewhere"
OTHER = "00000000-0000-4000-8000-00000000dddd"
START = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
OTHER_KEY = generate_private_key(public_exponent=65537, key_size=2048)


class World:
    """An Entra, a clock of ours, and sign-ins; what is opened here is closed at the end."""

    def __init__(self, entra):
        self.entra = entra
        self.now = START
        self.sessions = []
        entra.app.redirect_uris |= {RETURN, ELSEWHERE}

    def session(self, **settings):
        self.sessions.append(open_session(**{"ca_bundle": self.entra.ca_bundle, **settings}))
        return self.sessions[-1]

    def sign_in(self, session=None, **settings):
        return SignIn(
            session or self.session(),
            **{
                "authority": self.entra.authority,
                "tenant": self.entra.tenant,
                "client_id": self.entra.client_id,
                "credential": Fixed(self.entra.client_secret),
                "redirect_uri": RETURN,
                "clock": lambda: self.now,
                **settings,
            },
        )

    def calls(self, method):
        return [call.method for call in self.entra.calls].count(method)


@pytest.fixture
def world():
    with Entra() as entra:
        world = World(entra)
        yield world
        for session in world.sessions:
            session.close()


def query(location):
    return dict(parse_qsl(urlsplit(location).query))


def came_back(sign_in, oid=MAYA):
    """The flow of a new sign-in, and the query with which somebody comes back from the login page."""
    url, flow = sign_in.start()
    return flow, query(pick(url, oid))


def signed_in(sign_in, oid=MAYA):
    return sign_in.finish(*came_back(sign_in, oid))


def changed(flow, **values):
    return json.dumps(json.loads(flow) | values)


def reasons(caplog):
    return "\n".join(record.message for record in caplog.records if record.name == "bot.entra.sign_in")


# who comes back


def test_whoever_signs_in_is_known_by_tenant_and_object_id(world):
    sign_in = world.sign_in()
    assert signed_in(sign_in) == SignedIn(MAYA, world.entra.tenant, "Maya Chen")
    assert signed_in(sign_in, OMAR) == SignedIn(OMAR, world.entra.tenant, "Omar Haddad")


def test_a_guest_signs_in_too_for_what_they_may_do_is_asked_elsewhere(world):
    assert signed_in(world.sign_in(), GUS).oid == GUS


class Lettered(Entra):
    """Its ids have letters in them, which may be written in two ways."""

    tenant = "00000000-0000-4000-8000-00000000abcd"
    client_id = "00000000-0000-4000-8000-00000000bcde"


def test_ids_in_other_letters_are_the_same_ids():
    with Lettered() as entra:
        world = World(entra)
        entra.login.tamper = tampered(oid=MAYA.upper())
        ids = {"tenant": entra.tenant.upper(), "client_id": entra.client_id.upper()}
        sign_in = world.sign_in(authority=f"{entra.authority}/", **ids)
        assert signed_in(sign_in) == SignedIn(MAYA, entra.tenant, "Maya Chen")
        world.sessions[0].close()


def test_somebody_without_a_name_goes_by_their_id(world):
    world.entra.login.tamper = tampered(without=("name",))
    assert signed_in(world.sign_in()).name == MAYA


def test_the_browser_is_sent_to_the_login_page_with_nothing_that_has_to_stay_secret(world):
    url, flow = world.sign_in().start()
    asked, kept = parse_qs(urlsplit(url).query), json.loads(flow)
    assert url.startswith(f"{world.entra.login_url}/{world.entra.tenant}/oauth2/v2.0/authorize?")
    assert (asked["prompt"], asked["response_mode"], asked["response_type"]) == (
        ["select_account"],
        ["query"],
        ["code"],
    )
    assert (asked["scope"], asked["code_challenge_method"]) == (["openid profile"], ["S256"])
    assert sorted(kept) == ["code_verifier", "nonce", "redirect_uri", "scope", "state"]
    assert not [secret for secret in (kept["code_verifier"], kept["nonce"]) if secret in url]
    assert asked["state"] == [kept["state"]]


def test_each_sign_in_has_values_of_its_own(world):
    sign_in = world.sign_in()
    one, two = (json.loads(sign_in.start()[1]) for _ in range(2))
    assert not [name for name in ("state", "nonce", "code_verifier") if one[name] == two[name]]


def test_a_sign_in_is_two_calls_at_first_and_one_call_later_on_one_connection(world):
    sign_in = world.sign_in()
    for expected in (["discovery", "token", "keys"], ["token"]):
        signed_in(sign_in)
        assert [call.method for call in world.entra.calls] == expected
        world.entra.calls.clear()
    assert world.entra.connections == 1


def test_nothing_is_asked_or_imported_before_somebody_signs_in(world):
    world.sign_in()
    code = "import sys, bot.entra.sign_in; sys.exit(bool({'msal', 'jwt', 'cryptography'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert (world.entra.calls, world.entra.connections) == ([], 0)


# the id_token


def tampered(*, without=(), key=None, header=None, **claims):
    """Sign the honest claims, with changes."""

    def tamper(honest, honest_header, honest_key):
        kept = {name: value for name, value in (honest | claims).items() if name not in without}
        return jwt.encode(kept, key or honest_key, "RS256", honest_header | (header or {}))

    return tamper


def later(seconds):
    return int(time.time()) + seconds


def unsigned(claims, header, _key):
    return jwt.encode(claims, "", "none", header | {"alg": "none"})


def signed_with_the_public_key(claims, header, key):
    """HS256 with what everybody can read as its secret, which PyJWT would not make."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return by_hand(header | {"alg": "HS256"}, claims, lambda signed: hmac.digest(pem, signed, "sha256"))


def by_hand(header, claims, sign):
    signed = b".".join(encoded(json.dumps(each).encode()) for each in (header, claims))
    return b".".join((signed, encoded(sign(signed)))).decode()


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


FORGED = {
    "other key": (tampered(key=OTHER_KEY), "InvalidSignatureError"),
    "alg none": (unsigned, "InvalidAlgorithmError"),
    "HS256 with the public key": (signed_with_the_public_key, "InvalidAlgorithmError"),
    "unknown kid": (tampered(header={"kid": "unknown"}), "a key that the tenant does not have"),
    "other iss": (tampered(iss=f"https://login.example.com/{OTHER}/v2.0"), "InvalidIssuerError"),
    "other aud": (tampered(aud=OTHER), "InvalidAudienceError"),
    "other tid": (tampered(tid=OTHER), "of another tenant"),
    "expired": (tampered(exp=later(-61)), "ExpiredSignatureError"),
    "nbf in the future": (tampered(nbf=later(7200)), "ImmatureSignatureError"),
    "no exp": (tampered(without=("exp",)), "MissingRequiredClaimError"),
    "no oid": (tampered(without=("oid",)), "MissingRequiredClaimError"),
    "other nonce": (tampered(nonce="0" * 64), "answers another sign-in"),
}
"""The twelve of the threat model; MSAL believes all of them but the last."""

ODD = {
    "several audiences": (lambda claims, *more: tampered(aud=[claims["aud"]])(claims, *more), "InvalidAudienceError"),
    "of version 1.0": (tampered(ver="1.0"), "of another version"),
    "of no version": (tampered(without=("ver",)), "of another version"),
    "an oid that is none": (tampered(oid="maya"), "its oid is none"),
    "an oid of another kind": (tampered(oid=[MAYA]), "its oid is none"),
    "made in the future": (tampered(iat=later(7200)), "ImmatureSignatureError"),
    "no nbf": (tampered(without=("nbf",)), "MissingRequiredClaimError"),
    "no iat": (tampered(without=("iat",)), "MissingRequiredClaimError"),
    "no sub": (tampered(without=("sub",)), "MissingRequiredClaimError"),
    "no tid": (tampered(without=("tid",)), "MissingRequiredClaimError"),
    "no nonce": (tampered(without=("nonce",)), "answers another sign-in"),
    "no kid": (lambda claims, header, key: jwt.encode(claims, key, "RS256"), "a key that the tenant does not have"),
    "a kid of another kind": (
        lambda claims, header, _: by_hand(header | {"kid": ["first"]}, claims, lambda _: b"x"),
        "InvalidTokenError",
    ),
    "PS256": (lambda claims, header, key: jwt.encode(claims, key, "PS256", header | {"alg": "PS256"}), "InvalidAlg"),
    "cut off": (lambda *honest: tampered()(*honest).rpartition(".")[0] + ".", "InvalidSignatureError"),
}


def refused(world, caplog, tamper):
    """What the log says after a forged token was refused, as all are."""
    sign_in = world.sign_in()
    world.entra.login.tamper = tamper
    with caplog.at_level(logging.DEBUG), pytest.raises(BrokenLink) as broken:
        signed_in(sign_in)
    assert str(broken.value) == INCOMPLETE
    assert "eyJ" not in caplog.text
    world.entra.login.tamper = None
    assert signed_in(sign_in).oid == MAYA
    return reasons(caplog)


@pytest.mark.parametrize(("tamper", "reason"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_id_token_is_refused(world, caplog, tamper, reason):
    assert reason in refused(world, caplog, tamper)


@pytest.mark.parametrize(("tamper", "reason"), ODD.values(), ids=ODD.keys())
def test_an_id_token_that_is_not_quite_right_is_refused(world, caplog, tamper, reason):
    assert reason in refused(world, caplog, tamper)


def test_clocks_may_differ_by_less_than_a_minute(world):
    sign_in = world.sign_in()
    world.entra.login.tamper = tampered(nbf=later(50), iat=later(50))
    assert signed_in(sign_in).oid == MAYA
    world.entra.login.tamper = tampered(exp=later(-50))
    assert signed_in(sign_in).oid == MAYA


def test_the_nonce_is_checked_here_and_not_by_msal_alone(world):
    sign_in = world.sign_in()
    signed_in(sign_in)
    nonce, sent = "another", hashlib.sha256(b"another").hexdigest()
    token = world.entra.login.sign(
        world.entra.login.usual_claims(world.entra.client_id) | {"oid": MAYA, "sub": "x", "nonce": sent}
    )
    assert sign_in._id_tokens.claims(token, nonce=nonce)["oid"] == MAYA
    with pytest.raises(Forged, match="another sign-in"):
        sign_in._id_tokens.claims(token, nonce=sent)


# the tenant's keys


def test_a_flood_of_unknown_keys_asks_for_the_keys_once_in_half_a_minute(world):
    sign_in = world.sign_in()
    signed_in(sign_in)
    world.entra.login.tamper = tampered(header={"kid": "unknown"})
    for asked_before in (1, 2):
        world.now += PAUSE
        for _ in range(50):
            with pytest.raises(BrokenLink):
                signed_in(sign_in)
        assert world.calls("keys") == asked_before + 1


def test_a_key_that_entra_has_changed_is_found(world):
    sign_in = world.sign_in()
    signed_in(sign_in)
    world.now += PAUSE
    world.entra.login.rotate_key()
    assert signed_in(sign_in).oid == MAYA
    assert world.calls("keys") == 2


def test_keys_are_believed_for_an_hour_and_not_longer(world):
    sign_in = world.sign_in()
    signed_in(sign_in)
    world.now += FRESH - timedelta(seconds=1)
    signed_in(sign_in)
    assert world.calls("keys") == 1
    world.now += timedelta(seconds=1)
    world.entra.faults.add("keys", status=500, times=3)
    with pytest.raises(Unavailable):
        signed_in(sign_in)
    assert signed_in(sign_in).oid == MAYA


def test_trouble_with_the_keys_of_a_stranger_does_not_spoil_those_that_are_known(world):
    sign_in = world.sign_in()
    signed_in(sign_in)
    world.now += PAUSE
    world.entra.faults.add("keys", status=500, times=3)
    world.entra.login.tamper = tampered(header={"kid": "unknown"})
    with pytest.raises(Unavailable):
        signed_in(sign_in)
    world.entra.login.tamper = None
    calls = world.calls("keys")
    assert signed_in(sign_in).oid == MAYA
    assert world.calls("keys") == calls


def test_a_key_for_other_purposes_signs_nobody_in(world, caplog):
    sign_in = world.sign_in()
    url = f"{world.entra.authority}/{world.entra.tenant}/discovery/v2.0/keys"
    [key] = world.session().get(url).json()["keys"]
    world.entra.faults.add("keys", error=json.dumps({"keys": [key | {"use": "enc"}]}))
    with pytest.raises(BrokenLink):
        signed_in(sign_in)
    assert "a key that the tenant does not have" in reasons(caplog)


# what is mixed up, or used twice


def test_the_answer_to_another_sign_in_is_refused_before_entra_hears_of_it(world):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    other, _ = came_back(sign_in)
    for state in ({"state": "x"}, {"state": ""}, {"state": json.loads(other)["state"]}):
        with pytest.raises(BrokenLink, match=INCOMPLETE):
            sign_in.finish(flow, answer | state)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, {"code": answer["code"]})
    assert world.calls("token") == 0
    assert sign_in.finish(flow, answer).oid == MAYA


def test_a_code_counts_once(world, caplog):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    sign_in.finish(flow, answer)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, answer)
    assert "AADSTS54005" in reasons(caplog)


def test_a_code_that_is_too_old_or_made_up_is_refused(world, caplog):
    sign_in = world.sign_in()
    world.entra.login_page.code_life = 0
    flow, answer = came_back(sign_in)
    for code in (answer["code"], "made-up"):
        with pytest.raises(BrokenLink, match=INCOMPLETE):
            sign_in.finish(flow, answer | {"code": code})
    assert "AADSTS70008" in reasons(caplog)
    assert "AADSTS9002313" in reasons(caplog)
    assert answer["code"] not in caplog.text


def test_a_code_of_somebody_else_s_sign_in_is_refused(world, caplog):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    _, stolen = came_back(sign_in, OMAR)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, answer | {"code": stolen["code"]})
    assert "AADSTS501481" in reasons(caplog)


def test_a_swapped_verifier_is_refused(world, caplog):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    other, _ = came_back(sign_in)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(changed(flow, code_verifier=json.loads(other)["code_verifier"]), answer)
    assert "AADSTS501481" in reasons(caplog)


def test_a_swapped_nonce_is_refused(world, caplog):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(changed(flow, nonce="another"), answer)
    assert "answers another sign-in" in reasons(caplog)


def test_a_code_for_another_redirect_uri_is_refused(world, caplog):
    sign_in = world.sign_in()
    url, flow = sign_in.start()
    answer = query(pick(url.replace("signed-in", "elsewhere"), MAYA))
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, answer)
    assert "AADSTS500112" in reasons(caplog)


def test_a_flow_for_another_redirect_uri_is_refused_before_entra_hears_of_it(world):
    flow, answer = came_back(world.sign_in(redirect_uri=ELSEWHERE))
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        world.sign_in().finish(flow, answer)
    assert world.calls("token") == 0


@pytest.mark.parametrize("flow", ["", "x", "[]", "null", "7", "{}", '{"state": "", "nonce": "", "code_verifier": ""}'])
def test_a_flow_that_is_none_is_refused(world, flow):
    for answer in ({}, {"state": "", "code": "x"}, {"error": "access_denied"}):
        with pytest.raises(BrokenLink, match=INCOMPLETE):
            world.sign_in().finish(flow, answer)
    assert world.entra.calls == []


def test_an_answer_without_a_code_is_refused(world):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    for code in ({"code": ""}, {}):
        with pytest.raises(BrokenLink, match=INCOMPLETE):
            sign_in.finish(flow, {"state": answer["state"], **code})


def test_of_the_query_entra_hears_nothing_but_the_code(world):
    session, sent = world.session(), []
    session.hooks["response"].append(lambda response, **_: sent.append(response.request))
    sign_in = world.sign_in(session)
    flow, answer = came_back(sign_in)
    info = base64.urlsafe_b64encode(b'{"uid": "x\\r\\nX-Evil: 1", "utid": "y"}').decode()
    assert sign_in.finish(flow, answer | {"client_info": info, "id_token": "x", "scope": "x"}).oid == MAYA
    posted = next(request for request in sent if request.method == "POST")
    assert "X-AnchorMailbox" not in posted.headers
    assert "id_token" not in posted.body


# whom Entra does not let in


def test_whoever_changes_their_mind_hears_that_nothing_has_changed(world):
    sign_in = world.sign_in()
    url, flow = sign_in.start()
    with pytest.raises(
        NotIdentified, match=r"You are not signed in, so nothing has changed\. Open the link again"
    ) as no:
        sign_in.finish(flow, query(cancel(url)))
    assert str(no.value).endswith("ask your IT support.")
    assert world.calls("token") == 0


def test_whomever_entra_refuses_hears_entra_s_number_for_it_and_none_of_its_words(world, caplog):
    sign_in = world.sign_in()
    _, flow = sign_in.start()
    answer = {"state": json.loads(flow)["state"], "error": "access_denied"}
    described = "AADSTS50105: <script>Maya</script> is not assigned to a role.\r\nTrace ID: 1"
    with pytest.raises(NotIdentified, match="tell them AADSTS50105") as no:
        sign_in.finish(flow, answer | {"error_description": described})
    assert "Maya" not in str(no.value) + caplog.text
    assert "access_denied AADSTS50105" in caplog.text


def test_a_refusal_counts_only_in_the_browser_that_began(world):
    sign_in = world.sign_in()
    _, flow = sign_in.start()
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, {"state": "x", "error": "access_denied"})


def test_a_disabled_account_gets_no_further_than_entra_s_page(world):
    url, _ = world.sign_in().start()
    with pytest.raises(NotSignedIn, match="AADSTS50057"):
        pick(url, LENA)


def test_an_account_that_is_disabled_meanwhile_is_refused(world, caplog):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    world.entra.people.alter(MAYA, enabled=False)
    with pytest.raises(BrokenLink, match=INCOMPLETE):
        sign_in.finish(flow, answer)
    assert "AADSTS50057" in reasons(caplog)


def test_a_demand_that_the_code_cannot_meet_is_told_to_the_person(world):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    body = {"error": "interaction_required", "error_description": "AADSTS50076: use multi-factor authentication"}
    world.entra.faults.add("token", error=json.dumps(body))
    with pytest.raises(NotIdentified, match="tell them AADSTS50076"):
        sign_in.finish(flow, answer)


# what goes wrong in Entra


BODIES = ["<html>", "[]", "{}", "null", "7", '"x"', '{"error": null}']
TOKENS = [
    '{"id_token": 7}',
    '{"id_token": ""}',
    '{"id_token": "x"}',
    '{"id_token": "x.y.z"}',
    '{"error": "odd"}',
    '{"error": "o\\nd"}',
]
KEYS = ['{"keys": []}', '{"keys": {}}', '{"keys": [7]}', '{"keys": [{"kty": "RSA", "kid": "first"}]}', '{"keys": 7}']
TROUBLE = {
    **{f"{route}: {body}": (route, {"error": body}) for route in ("discovery", "token", "keys") for body in BODIES},
    **{f"token: {body}": ("token", {"error": body}) for body in TOKENS},
    **{f"keys: {body}": ("keys", {"error": body}) for body in KEYS},
    **{
        f"{route}: {fault}": (route, {**fault, "times": 3})
        for route in ("discovery", "token", "keys")
        for fault in ({"status": 500}, {"status": 429, "retry_after": 60}, {"status": "reset"}, {"status": 404})
        if (route, fault.get("status")) != ("token", 404)
    },
}


@pytest.mark.parametrize(("route", "fault"), TROUBLE.values(), ids=TROUBLE.keys())
def test_whatever_is_no_clear_answer_is_unavailable_and_passes(world, caplog, route, fault):
    sign_in = world.sign_in()
    if route != "discovery":
        flow, answer = came_back(sign_in)
    world.entra.faults.add(route, **fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable, match="nothing has changed"):
        sign_in.start() if route == "discovery" else sign_in.finish(flow, answer)
    assert not [record for record in caplog.records if record.exc_info]
    world.entra.faults.clear()
    assert signed_in(sign_in).oid == MAYA


@pytest.mark.parametrize("error", ["server_error", "temporarily_unavailable"])
def test_what_passes_by_itself_is_unavailable(world, error):
    sign_in = world.sign_in()
    _, flow = sign_in.start()
    with pytest.raises(Unavailable, match="Open the link again in a few minutes"):
        sign_in.finish(flow, {"state": json.loads(flow)["state"], "error": error})


def test_a_silence_is_unavailable_and_not_waited_for_twice(world):
    sign_in = world.sign_in(world.session(timeout=(2.0, 0.4)))
    flow, answer = came_back(sign_in)
    world.entra.faults.add("token", status=None, stall=5)
    started = time.monotonic()
    with pytest.raises(Unavailable):
        sign_in.finish(flow, answer)
    assert time.monotonic() - started < 2


def test_entra_out_of_reach_is_unavailable(world):
    sign_in = world.sign_in()
    flow, answer = came_back(sign_in)
    world.entra._server.stop()
    with pytest.raises(Unavailable):
        sign_in.finish(flow, answer)


def test_a_wrong_secret_is_unavailable_and_the_log_says_what_to_do(world, caplog):
    sign_in = world.sign_in(credential=Fixed("wrong-secret-value"))
    with pytest.raises(Unavailable):
        signed_in(sign_in)
    assert [record.levelname for record in caplog.records if "put a valid one of the app" in record.message] == [
        "ERROR"
    ]
    assert "AADSTS7000215" in caplog.text
    assert "wrong-secret-value" not in caplog.text


# whom the bot trusts, and what it keeps


def test_variables_of_the_environment_do_not_change_whom_it_trusts(world, monkeypatch, tmp_path):
    other = tmp_path / "other.pem"
    with Entra() as elsewhere:
        shutil.copy(elsewhere.ca_bundle, other)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(other))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    assert signed_in(world.sign_in()).oid == MAYA
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", world.entra.ca_bundle)
    with pytest.raises(Unavailable):
        world.sign_in(world.session(ca_bundle=str(other))).start()


def test_no_token_of_a_person_is_kept(world):
    session = world.session()
    sign_in, app = world.sign_in(session), app_token(world, session)
    app.current()
    signed_in(sign_in)
    kept = {kind: list(app._app.token_cache.search(kind)) for kind in ("Account", "IdToken", "RefreshToken")}
    assert kept == {"Account": [], "IdToken": [], "RefreshToken": []}
    assert len(list(app._app.token_cache.search("AccessToken"))) == 1
    mine = sign_in._app.token_cache
    assert [kind for kind in (*kept, "AccessToken") if list(mine.search(kind))] == []


def app_token(world, session):
    return AppToken(
        session,
        authority=world.entra.authority,
        tenant=world.entra.tenant,
        client_id=world.entra.client_id,
        credential=Fixed(world.entra.client_secret),
        scope=f"{world.entra.graph_url}/.default",
    )


def test_no_log_holds_a_code_a_token_or_a_secret(world, caplog):
    session = world.session()
    sign_in = world.sign_in(session)
    with caplog.at_level(logging.DEBUG):
        app_token(world, session).current()
        flow, answer = came_back(sign_in)
        sign_in.finish(flow, answer)
        with pytest.raises(BrokenLink):
            sign_in.finish(flow, answer)
        world.entra.faults.add("token", error='{"id_token": "eyJhbGciOi')
        other, second = came_back(sign_in)
        with pytest.raises(Unavailable):
            sign_in.finish(other, second)
    kept = [json.loads(each)[name] for each in (flow, other) for name in ("state", "nonce", "code_verifier")]
    for secret in (*kept, answer["code"], second["code"], "eyJ", world.entra.client_secret, "code="):
        assert secret not in caplog.text
    assert "login" not in {record.name.partition(".")[0] for record in caplog.records}
