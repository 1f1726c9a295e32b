"""How the bot proves who it is, to an Entra that looks closely: by secret, by certificate, and by AWS's word."""

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from botocore.stub import Stubber
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bot.aws.assertion import aws_assertion
from bot.aws.clients import Clients
from bot.aws.secrets import Fixed
from bot.entra.credential import credential_of, given
from bot.entra.http import open_session
from bot.entra.sign_in import SignIn
from bot.entra.token import AppToken
from bot.errors import SettingsError, Unavailable
from infra.local.entra import Entra, Trust
from infra.local.entra_people import MAYA
from infra.local.entra_sign_in import pick

RETURN = "http://localhost:8702/signed-in"
AUDIENCE = "api://AzureADTokenExchange"
ISSUER = "https://00000000-0000-4000-8000-00000000e001.tokens.sts.example.com"
ROLE = "arn:aws:iam::123456789012:role/model-approvals-jobs"
KEY, OTHER_KEY = (generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


class World:
    """An Entra, and what the bot's two halves need to ask it."""

    def __init__(self, entra):
        self.entra = entra
        self.session = open_session(ca_bundle=entra.ca_bundle)
        entra.app.redirect_uris.add(RETURN)
        entra.app.secret = "nobody-knows-this"

    def settings(self, credential):
        return {
            "authority": self.entra.authority,
            "tenant": self.entra.tenant,
            "client_id": self.entra.client_id,
            "credential": credential,
        }

    def token(self, credential):
        """The bot's own token."""
        return AppToken(self.session, scope=f"{self.entra.graph_url}/.default", **self.settings(credential)).current()

    def person(self, credential):
        """Who signs in."""
        clock = lambda: datetime.now(UTC)  # noqa: E731
        sign_in = SignIn(self.session, redirect_uri=RETURN, clock=clock, **self.settings(credential))
        url, flow = sign_in.start()
        return sign_in.finish(flow, dict(parse_qsl(urlsplit(pick(url, MAYA)).query))).oid

    def works(self, credential):
        assert self.token(credential).startswith("eyJ")
        assert self.person(credential) == MAYA

    def fails(self, credential):
        for ask in (self.token, self.person):
            with pytest.raises(Unavailable, match="Microsoft Entra"):
                ask(credential)


@pytest.fixture
def world():
    with Entra() as entra:
        world = World(entra)
        yield world
        world.session.close()


def never():
    raise AssertionError("nobody asked for an assertion")


# a secret


def test_a_secret_is_enough(world):
    world.works(credential_of(secret=Fixed("nobody-knows-this"), certificate="", assertion=never))
    world.fails(credential_of(secret=Fixed("something-else"), certificate="", assertion=never))


class Rotating:
    """A secret that is read again only when it is refused, or when its time is over."""

    def __init__(self, value):
        self.given = self.stored = value

    def __call__(self):
        return self.given

    def fresh(self):
        self.given = self.stored
        return self.given


def test_a_secret_that_was_rotated_away_is_replaced_within_the_call(world):
    secret = Rotating("nobody-knows-this")
    token = AppToken(world.session, scope=f"{world.entra.graph_url}/.default", **world.settings(secret))
    first = token.current()
    world.entra.app.secret = secret.stored = "another-one"
    assert token.renewed(first) != first
    assert secret.given == "another-one"


def test_a_secret_that_is_read_anew_is_used_from_then_on(world):
    """The old one still works, as it does while both are valid; but the app shall not hold on to it."""
    secret = Rotating("something-else")
    token = AppToken(world.session, scope=f"{world.entra.graph_url}/.default", **world.settings(secret))
    with pytest.raises(Unavailable):
        token.current()
    secret.given = "nobody-knows-this"
    assert token.current().startswith("eyJ")


def test_a_sign_in_uses_the_secret_that_is_stored_by_now(world):
    secret, clock = Rotating("something-else"), lambda: datetime.now(UTC)
    sign_in = SignIn(world.session, redirect_uri=RETURN, clock=clock, **world.settings(secret))
    sign_in.start()
    secret.given = "nobody-knows-this"
    url, flow = sign_in.start()
    assert sign_in.finish(flow, dict(parse_qsl(urlsplit(pick(url, MAYA)).query))).oid == MAYA


# a certificate


def certificate(key, signer=None, name="the bot"):
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(named).issuer_name(named).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(signer or key, SHA256()).public_bytes(Encoding.PEM)


def secret(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def by_certificate(folder, *parts):
    path = folder / "bot.pem"
    path.write_bytes(b"".join(parts))
    return credential_of(secret=None, certificate=str(path), assertion=never)


def trust_certificate(entra, key):
    entra.app.trusts.append(Trust(entra.client_id, entra.client_id, entra.login.token_endpoint, key.public_key()))


def test_a_certificate_with_its_key_is_enough_in_whatever_order(world, tmp_path):
    trust_certificate(world.entra, KEY)
    for parts in ([certificate(KEY), secret(KEY)], [secret(KEY), b"\n# of the bot\n", certificate(KEY)]):
        world.works(by_certificate(tmp_path, *parts))


def test_of_several_certificates_the_one_of_the_key_counts(world, tmp_path):
    trust_certificate(world.entra, KEY)
    chain = certificate(OTHER_KEY, name="the issuer")
    mine = by_certificate(tmp_path, secret(KEY), chain, certificate(KEY, OTHER_KEY), chain)
    assert mine["public_certificate"] == certificate_text(tmp_path)
    world.works(mine)


def certificate_text(folder):
    found = x509.load_pem_x509_certificates((folder / "bot.pem").read_bytes())
    return found[1].public_bytes(Encoding.PEM).decode()


def test_a_certificate_that_entra_does_not_have_is_unavailable_and_the_log_says_what_to_do(world, tmp_path, caplog):
    trust_certificate(world.entra, OTHER_KEY)
    world.fails(by_certificate(tmp_path, certificate(KEY), secret(KEY)))
    assert "put a valid one of the app into the settings" in caplog.text


UNUSABLE = {
    "empty": ([], "has to hold a certificate and its private key"),
    "no pem": ([b"hunter2"], "has to hold a certificate and its private key"),
    "no key": ([certificate(KEY)], "has to hold a certificate and its private key"),
    "no certificate": ([secret(KEY)], "has to hold a certificate and its private key"),
    "cut off": ([secret(KEY)[:-300], certificate(KEY)], "has to hold a certificate and its private key"),
    "encrypted": ([secret(KEY, BestAvailableEncryption(b"hunter2")), certificate(KEY)], "has an encrypted private key"),
    "of another key": ([secret(KEY), certificate(OTHER_KEY)], "do not belong together"),
    "not RSA": ([secret(ec.generate_private_key(ec.SECP256R1())), certificate(KEY)], "not RSA"),
}


@pytest.mark.parametrize(("parts", "why"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_file_that_is_of_no_use_is_a_mistake_of_the_settings(tmp_path, parts, why):
    with pytest.raises(SettingsError, match=why) as mistake:
        by_certificate(tmp_path, *parts)
    [said] = mistake.value.mistakes
    assert said.startswith(f"MODEL_APPROVALS_ENTRA_CERTIFICATE: {tmp_path / 'bot.pem'} ")
    assert not [line for part in parts for line in part.decode().splitlines() if line in said]


def test_a_file_that_is_not_there_is_a_mistake_of_the_settings(tmp_path):
    with pytest.raises(SettingsError, match=r"cannot be read: No such file or directory\.$"):
        credential_of(secret=None, certificate=str(tmp_path / "none.pem"), assertion=never)


# AWS's word


class Sts:
    """The STS of a test: it answers as botocore's Stubber is told, with assertions really signed by KEY."""

    def __init__(self, world, *, audience=AUDIENCE):
        clients = Clients("eu-west-1")
        self.stubber = Stubber(clients("sts"))
        self.stubber.activate()
        self.credential = credential_of(secret=None, certificate="", assertion=aws_assertion(clients, audience))
        self.asked = {"Audience": [audience], "SigningAlgorithm": "RS256", "DurationSeconds": 300}
        if world:
            world.entra.app.trusts.append(Trust(ISSUER, ROLE, AUDIENCE, KEY.public_key()))

    def vouches(self, *, key=KEY, **claims):
        usual = {"iss": ISSUER, "sub": ROLE, "aud": AUDIENCE, "exp": int(time.time()) + 300}
        answer = {"WebIdentityToken": jwt.encode(usual | claims, key, "RS256"), "Expiration": datetime.now(UTC)}
        self.stubber.add_response("get_web_identity_token", answer, self.asked)

    def fails(self, code, status=403):
        text = "User: arn:aws:sts::123456789012:assumed-role/bot is not authorized"
        self.stubber.add_client_error("get_web_identity_token", code, text, status, expected_params=self.asked)


def test_aws_s_word_is_enough(world):
    sts = Sts(world)
    sts.vouches()
    sts.vouches()
    world.works(sts.credential)
    sts.stubber.assert_no_pending_responses()


def test_aws_is_asked_in_its_own_region_and_only_when_a_token_is_needed(world):
    clients = Clients("eu-west-1")
    assert clients("sts").meta.endpoint_url == "https://sts.eu-west-1.amazonaws.com"
    sts = Sts(world)
    sts.vouches()
    token = AppToken(world.session, scope=f"{world.entra.graph_url}/.default", **world.settings(sts.credential))
    assert token.current() == token.current()
    sts.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://elsewhere.example"}, {"sub": "another role"}, {"aud": "another"}, {"exp": 1}, {"key": OTHER_KEY}],
    ids=lambda claims: next(iter(claims)),
)
def test_a_word_that_entra_does_not_believe_is_unavailable(world, caplog, claims):
    sts = Sts(world)
    for _ in range(2):
        sts.vouches(**claims)
    world.fails(sts.credential)
    assert "AADSTS700027" in caplog.text
    sts.stubber.assert_no_pending_responses()


FAILURES = {
    "AccessDenied": "grant sts:GetWebIdentityToken",
    "OutboundWebIdentityFederationDisabledException": "iam:EnableOutboundWebIdentityFederation",
    "SessionDurationEscalationException": "the next one will do",
    "JWTPayloadSizeExceededException": "only at an endpoint of a region",
    "InvalidAction": "only at an endpoint of a region",
}


@pytest.mark.parametrize(("code", "advice"), FAILURES.items(), ids=FAILURES.keys())
def test_when_aws_gives_no_word_that_is_unavailable_and_the_log_says_what_to_do(world, caplog, code, advice):
    sts = Sts(world)
    for _ in range(2):
        sts.fails(code)
    world.fails(sts.credential)
    assert advice in caplog.text
    assert f"sts:GetWebIdentityToken failed: {code}" in caplog.text
    assert world.entra.login_page.calls  # it asks when the person has come back, not before
    sts.stubber.assert_no_pending_responses()


def test_what_asks_aws_raises_unavailable_itself():
    sts = Sts(None)
    for code, status in (("AccessDenied", 403), ("ThrottlingException", 400), ("InvalidAction", 400)):
        sts.fails(code, status)
        with pytest.raises(Unavailable, match=rf"sts:GetWebIdentityToken failed: {code}"):
            aws_assertion_of(sts)()


def aws_assertion_of(sts):
    clients = Clients()
    clients._made["sts"] = sts.stubber.client
    return aws_assertion(clients, AUDIENCE)


def test_without_credentials_of_aws_it_is_unavailable(monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(Unavailable, match="NoCredentialsError"):
        aws_assertion(Clients("eu-west-1"), AUDIENCE)()


def test_while_aws_is_silent_a_token_that_is_still_good_serves_on(world):
    sts = Sts(world)
    sts.vouches()
    body = {"token_type": "Bearer", "expires_in": 86400, "refresh_in": -1, "access_token": "still-good"}
    world.entra.faults.add("token", error=json.dumps(body))
    token = AppToken(world.session, scope=f"{world.entra.graph_url}/.default", **world.settings(sts.credential))
    assert token.current() == "still-good"
    sts.fails("AccessDenied")
    assert token.current() == "still-good"
    sts.stubber.assert_no_pending_responses()
    sts.vouches()
    assert token.current().startswith("eyJ")


def test_no_log_holds_a_credential(world, tmp_path, caplog):
    trust_certificate(world.entra, KEY)
    sts = Sts(world)
    for _ in range(2):
        sts.vouches()
    with caplog.at_level(logging.DEBUG, logger="msal"), caplog.at_level(logging.DEBUG, logger="bot"):
        caplog.set_level(logging.DEBUG, logger="urllib3")
        world.works(credential_of(secret=Fixed("nobody-knows-this"), certificate="", assertion=never))
        world.works(by_certificate(tmp_path, certificate(KEY), secret(KEY)))
        world.works(sts.credential)
    assert "msal" in caplog.text
    for kept in ("nobody-knows-this", "eyJ", "PRIVATE KEY", "CERTIFICATE"):
        assert kept not in caplog.text


def test_the_secret_counts_before_the_certificate_and_that_before_aws(tmp_path):
    assert given(credential_of(secret=Fixed("x"), certificate=str(tmp_path / "none.pem"), assertion=never)) == "x"
    assert "private_key" in by_certificate(tmp_path, secret(KEY), certificate(KEY))
    last = credential_of(secret=None, certificate="", assertion=lambda: "word")
    assert isinstance(last, dict)
    assert last["client_assertion"]() == "word"
