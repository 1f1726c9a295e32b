"""The sign-in half of the local Entra is as strict as the real one, and its page shows who is who."""

import hashlib
import json
import time
from base64 import b64decode, urlsafe_b64encode
from html.parser import HTMLParser
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from infra.local.entra import App, Entra, Trust, User
from infra.local.entra_login import JWT_BEARER
from infra.local.entra_people import ADA, ADMINS, DANA, DEV, ELI, GUS, LENA, MAYA, OMAR, PRIYA
from infra.local.entra_sign_in import NotSignedIn, cancel, pick

RETURN = "http://localhost:8702/signed-in"
NOBODY = "00000000-0000-4000-8000-00000000ffff"
OTHER_APP = App("00000000-0000-4000-8000-00000000eeee", "other-secret", redirect_uris={RETURN})
EVERYWHERE = "approvers-dev, approvers-prod, approvers-test, approvers-uat, release-managers"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Browser(HTMLParser):
    """Reads the page: which people it offers, and its other words."""

    def __init__(self, html):
        super().__init__()
        self.people = {}
        self.words = []
        self._oid = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "button":
            self._oid = given.get("value", "") if given.get("name") == "oid" else ""

    def handle_data(self, data):
        self.words.append(data.strip())
        if self._oid and data.strip():
            self.people.setdefault(self._oid, []).append(data.strip())


class Client:
    """An app that signs people in by hand, without MSAL."""

    def __init__(self, entra):
        self.entra = entra
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = entra.ca_bundle

    def url(self, **changes):
        asked = {
            "client_id": self.entra.client_id,
            "response_type": "code",
            "redirect_uri": RETURN,
            "scope": "openid profile",
            "state": "s t&ate",
            "nonce": "n",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        return f"{self.entra.login.authorization_endpoint}?{urlencode(asked)}"

    def page(self, **changes):
        return self.session.get(self.url(**changes), allow_redirects=False, timeout=5)

    def back(self, oid=MAYA, **changes):
        return dict(parse_qsl(urlsplit(pick(self.url(**changes), oid)).query))

    def code(self, oid=MAYA, **changes):
        return self.back(oid, **changes)["code"]

    def redeem(self, code, **form):
        usual = {
            "grant_type": "authorization_code",
            "client_id": self.entra.client_id,
            "client_secret": self.entra.client_secret,
            "redirect_uri": RETURN,
            "code_verifier": VERIFIER,
        }
        body = {name: value for name, value in {**usual, "code": code, **form}.items() if value is not None}
        return self.session.post(self.entra.login.token_endpoint, data=body, timeout=5)

    def claims(self, oid=MAYA, **changes):
        """The claims of an id_token, verified as the documentation says."""
        found = self.session.get(f"{self.entra.authority}/{self.entra.tenant}/v2.0/.well-known/openid-configuration")
        keys = jwt.PyJWKSet.from_dict(self.session.get(found.json()["jwks_uri"], timeout=5).json())
        token = self.redeem(self.code(oid, **changes)).json()["id_token"]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        return jwt.decode(token, key, ["RS256"], audience=self.entra.client_id, issuer=found.json()["issuer"])


@pytest.fixture
def entra():
    with Entra() as entra:
        entra.app.redirect_uris.add(RETURN)
        entra.login.apps[OTHER_APP.client_id] = OTHER_APP
        yield entra


@pytest.fixture
def app(entra):
    app = Client(entra)
    with app.session:
        yield app


def oauth(response):
    return response.status_code, response.json()["error"], response.json()["error_codes"]


# the page


def test_the_page_shows_everybody_with_a_word_about_what_they_are(app):
    people = Browser(app.page().text).people
    assert people[MAYA][:2] == ["Maya Chen", "maya.chen@example.com"]
    assert {
        oid: words[2] for oid, words in people.items() if oid in {MAYA, OMAR, PRIYA, DANA, ELI, GUS, LENA, ADA}
    } == {
        MAYA: f"Head of machine learning, in {EVERYWHERE}",
        OMAR: f"Release manager, in {EVERYWHERE}",
        PRIYA: "Head of operations, in approvers-prod",
        DANA: "Data scientist, in no group",
        ELI: "Accountant, in no group",
        GUS: "Consultant, guest, in approvers-dev",
        LENA: "Former release manager, account disabled",
        ADA: "Administrator, in model-approvals-admins",
    }


def test_the_page_shows_what_is_so_now_and_text_as_text(entra, app):
    entra.people.alter(ELI, name="<script>alert(1)</script>", title="<b>")
    entra.people.join(ELI, DEV)
    page = app.page().text
    assert "<script>" not in page
    assert Browser(page).people[ELI] == [
        "<script>alert(1)</script>",
        "eli.outside@example.com",
        "<b>, in approvers-dev",
    ]


def test_the_page_is_reached_without_tls_and_everything_else_with_it(entra, app):
    found = app.session.get(f"{entra.authority}/{entra.tenant}/v2.0/.well-known/openid-configuration", timeout=5).json()
    assert found["authorization_endpoint"] == f"{entra.login_url}/{entra.tenant}/oauth2/v2.0/authorize"
    assert entra.login_url.startswith("http://127.0.0.1:")
    assert found["token_endpoint"].startswith("https://")
    assert found["jwks_uri"].startswith("https://")


def test_the_page_may_send_its_form_to_itself_and_on_to_the_app_alone(entra, app):
    headers = app.page().headers
    assert "form-action 'self' http://localhost:8702;" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    style = app.session.get(f"{entra.login_url}/login.css", timeout=5)
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css")


def test_looking_at_the_page_signs_nobody_in(entra, app):
    for method in ("GET", "HEAD"):
        answer = app.session.request(method, app.url(prompt="select_account"), allow_redirects=False, timeout=5)
        assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert entra.login_page._tickets == {}
    assert [call.method for call in entra.login_page.calls] == ["authorize", "authorize"]


@pytest.mark.parametrize("path", ["/", "/other/oauth2/v2.0/authorize", f"/{NOBODY}/oauth2/v2.0/authorize"])
def test_there_is_no_other_page(entra, app, path):
    assert app.session.get(f"{entra.login_url}{path}", timeout=5).status_code == 404


def test_the_page_can_fail_as_pages_do(entra, app):
    entra.login_page.faults.add("authorize", status=503)
    assert app.page().status_code == 503
    assert app.page().status_code == 200


# what is asked of it


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({"client_id": NOBODY}, 700016),
        ({"client_id": None}, 700016),
        ({"redirect_uri": f"{RETURN}/"}, 50011),
        ({"redirect_uri": f"{RETURN}?x=1"}, 50011),
        ({"redirect_uri": "https://elsewhere.example/"}, 50011),
        ({"redirect_uri": None}, 50011),
    ],
    ids=str,
)
def test_whoever_is_not_known_or_returns_elsewhere_is_sent_nowhere(app, asked, number):
    answer = app.page(**asked)
    assert (answer.status_code, "Location" in answer.headers) == (200, False)
    assert f"AADSTS{number}" in answer.text
    assert Browser(answer.text).people == {}
    with pytest.raises(NotSignedIn, match=str(number)):
        pick(app.url(**asked), MAYA)


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
    ids=str,
)
def test_any_other_mistake_is_told_to_the_app(app, asked, error):
    answer = app.page(**asked)
    sent = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{RETURN}?")
    assert (sent["error"], sent["state"]) == ([error], ["s t&ate"])
    assert sent["error_description"][0].startswith("AADSTS")
    assert "code" not in parse_qs(urlsplit(pick(app.url(**asked), MAYA)).query)


def test_whoever_picks_a_person_returns_with_a_code_and_the_app_s_state(entra, app):
    entra.app.redirect_uris.add(f"{RETURN}?kept=1")
    back = pick(app.url(redirect_uri=f"{RETURN}?kept=1"), MAYA)
    found = dict(parse_qsl(urlsplit(back).query))
    assert back.startswith(f"{RETURN}?kept=1&")
    assert sorted(found) == ["client_info", "code", "kept", "session_state", "state"]
    assert found["state"] == "s t&ate"
    assert json.loads(b64decode(found["client_info"] + "==")) == {"uid": MAYA, "utid": entra.tenant}
    assert "&state=" not in pick(app.url(state=None), MAYA)


def test_whoever_goes_back_returns_without_a_code(app):
    found = parse_qs(urlsplit(cancel(app.url())).query)
    assert found == {"error": ["access_denied"], "error_subcode": ["cancel"], "state": ["s t&ate"]}


@pytest.mark.parametrize(("oid", "number"), [(LENA, 50057), (NOBODY, 50034), ("", 50034)])
def test_a_disabled_account_and_one_that_is_none_stay_on_the_page(app, oid, number):
    with pytest.raises(NotSignedIn, match=f"AADSTS{number}"):
        pick(app.url(), oid)
    page = app.session.post(app.url(), data={"oid": oid}, timeout=5).text
    assert "Pick another account" in Browser(page).words


def test_administrators_are_no_approvers(entra):
    assert entra.people.groups_of(ADA) == {ADMINS}


# the codes


def test_a_code_buys_tokens_for_the_person_once(app):
    code = app.code()
    answer = app.redeem(code, client_info="1")
    assert answer.json().keys() == {
        "token_type", "scope", "expires_in", "access_token", "id_token", "client_info",
    }  # fmt: skip
    assert (answer.status_code, answer.json()["scope"]) == (200, "openid profile")
    assert oauth(app.redeem(code)) == (400, "invalid_grant", [54005])


def test_a_refresh_token_comes_only_when_it_is_asked_for(app):
    answer = app.redeem(app.code(scope="openid offline_access")).json()
    assert "refresh_token" in answer
    assert "client_info" not in answer


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"redirect_uri": f"{RETURN}/"}, (401, "invalid_client", [500112])),
        ({"redirect_uri": None}, (401, "invalid_client", [500112])),
        ({"code_verifier": "w" * 43}, (400, "invalid_grant", [501481])),
        ({"code_verifier": None}, (400, "invalid_grant", [501481])),
        ({"client_secret": "wrong"}, (401, "invalid_client", [7000215])),
        ({"client_secret": None}, (401, "invalid_client", [7000218])),
        (
            {"client_id": OTHER_APP.client_id, "client_secret": OTHER_APP.secret},
            (400, "invalid_grant", [70002]),
        ),
        ({"code": "made-up"}, (400, "invalid_grant", [9002313])),
        ({"code": None}, (400, "invalid_grant", [9002313])),
    ],
    ids=str,
)
def test_a_code_is_for_its_own_app_address_and_verifier(app, form, refusal):
    assert oauth(app.redeem(**{"code": app.code(), **form})) == refusal


def test_a_code_that_was_tried_in_vain_is_spent(app):
    code = app.code()
    app.redeem(code, code_verifier="w" * 43)
    assert oauth(app.redeem(code)) == (400, "invalid_grant", [54005])


def test_a_code_is_good_for_a_minute(entra, app):
    assert entra.login_page.code_life == 60
    entra.login_page.code_life = 0.1
    code = app.code()
    time.sleep(0.1)
    assert oauth(app.redeem(code)) == (400, "invalid_grant", [70008])


def test_whoever_is_disabled_or_gone_meanwhile_gets_nothing(entra, app):
    first, second = app.code(), app.code(ELI)
    entra.people.alter(MAYA, enabled=False)
    entra.people.remove(ELI)
    assert oauth(app.redeem(first)) == (400, "invalid_grant", [50057])
    assert oauth(app.redeem(second)) == (400, "invalid_grant", [50034])


def test_an_app_may_redeem_with_an_assertion(entra, app):
    key = generate_private_key(public_exponent=65537, key_size=2048)
    entra.app.trusts.append(Trust("https://issuer.example", "role", "api://exchange", key.public_key()))
    claims = {"iss": "https://issuer.example", "sub": "role", "aud": "api://exchange", "exp": int(time.time()) + 60}

    def redeemed(algorithm):
        signed = jwt.encode(claims, key, algorithm)
        form = {"client_secret": None, "client_assertion_type": JWT_BEARER, "client_assertion": signed}
        return app.redeem(app.code(), **form)

    assert redeemed("RS256").status_code == 200
    assert oauth(redeemed("PS256")) == (401, "invalid_client", [700027])


# the id_token


def test_the_id_token_says_who_it_is_as_version_2_does(entra, app):
    claims = app.claims()
    assert claims["exp"] - claims["iat"] == entra.login.token_life
    assert {name: claims[name] for name in ("aud", "oid", "tid", "ver", "nonce", "name", "preferred_username")} == {
        "aud": entra.client_id,
        "oid": MAYA,
        "tid": entra.tenant,
        "ver": "2.0",
        "nonce": "n",
        "name": "Maya Chen",
        "preferred_username": "maya.chen@example.com",
    }
    assert not {"nonce", "name", "preferred_username"} & app.claims(nonce=None, scope="openid").keys()


def test_the_subject_is_another_one_in_another_app(entra, app):
    own = app.claims()["sub"]
    assert app.claims()["sub"] == own != app.claims(OMAR)["sub"]
    form = {"client_id": OTHER_APP.client_id, "client_secret": OTHER_APP.secret}
    other = app.redeem(app.code(client_id=OTHER_APP.client_id), **form).json()["id_token"]
    assert jwt.decode(other, options={"verify_signature": False})["sub"] != own


def test_a_person_s_token_opens_nothing_in_graph(entra, app):
    token = app.redeem(app.code()).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert app.session.get(f"{entra.graph_url}/v1.0/users/{MAYA}", headers=headers, timeout=5).status_code == 401


def test_an_id_token_can_be_tampered_with_and_no_other_token(entra, app):
    entra.login.tamper = lambda claims, header, key: f"{claims['oid']} {header['kid']} {key.key_size}"
    answer = app.redeem(app.code()).json()
    assert answer["id_token"] == f"{MAYA} first 2048"
    assert answer["access_token"].startswith("eyJ")


def test_a_new_person_can_sign_in(entra, app):
    entra.people.add(User(NOBODY, "Nia New", None, "nia.new@example.com", title="New"))
    assert Browser(app.page().text).people[NOBODY] == ["Nia New", "nia.new@example.com", "New, in no group"]
    assert app.claims(NOBODY)["oid"] == NOBODY


def test_stopping_ends_the_page_too(app, entra):
    url = app.url()
    entra.stop()
    with pytest.raises(requests.ConnectionError):
        pick(url, MAYA)
