"""The port Sealer: one contract, in memory and on KMS; then what only KMS can do wrong."""

import logging
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.aws.clients import Clients
from bot.aws.seal import LONGEST, KmsSealer
from bot.domain import ChatUser, RequestId
from bot.errors import BrokenLink, Unavailable
from bot.links import Links
from bot.ports import Sealer
from bot.seals import BROKEN, LinkingLink, Seals
from infra.local.aws import BOT_KEY, REGION, Aws
from tests.memory import MemorySealer

PURPOSES = ("link", "linking", "confirm", "flow", "ticket")
TEXTS = ("x", "{}", '{"request":"churn/7/uat/1"}', "é模型", "a\nb\x00", "x" * 4096)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HEAD = 48
"""Letters in which moto names the key; it takes an unknown one for a denied one, AWS for IncorrectKeyException."""


# ------------------------------------------------------------------------------------------ where the contract runs


@pytest.fixture(scope="module")
def running():
    with Aws() as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.endpoint_url),
            ("AWS_ACCESS_KEY_ID", BOT_KEY),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ):
            environment.setenv(name, value)
        yield aws


@pytest.fixture(scope="module")
def key(running):
    return running.client("kms").create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture(scope="module")
def clients(running):
    return Clients(REGION)


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.calls.clear()
    return running


@pytest.fixture
def kms(aws, clients, key) -> Sealer:
    return KmsSealer(clients, key)


@pytest.fixture(params=["memory", "aws"])
def sealer(request, kms) -> Sealer:
    return MemorySealer() if request.param == "memory" else kms


def is_broken(sealer, sealed, purpose="link"):
    with pytest.raises(BrokenLink) as caught:
        sealer.unseal(purpose, sealed)
    return caught.type is BrokenLink


# ----------------------------------------------------------------------------------------------------- the contract


@pytest.mark.parametrize("text", TEXTS)
def test_what_was_sealed_is_given_back(sealer, text):
    assert sealer.unseal("link", sealer.seal("link", text)) == text


def test_a_seal_may_stand_in_a_url_and_in_a_cookie(sealer):
    assert re.fullmatch(r"[A-Za-z0-9_-]+", sealer.seal("link", "x"))


def test_two_seals_of_one_text_differ(sealer):
    assert sealer.seal("link", "x") != sealer.seal("link", "x")


def test_a_seal_can_be_opened_more_than_once(sealer):
    sealed = sealer.seal("link", "x")
    assert [sealer.unseal("link", sealed) for _ in range(2)] == ["x", "x"]


def test_a_seal_for_one_purpose_is_broken_for_every_other(sealer):
    for purpose in PURPOSES:
        sealed = sealer.seal(purpose, "x")
        assert [is_broken(sealer, sealed, other) for other in PURPOSES if other != purpose] == [True] * 4


@pytest.mark.parametrize("garbage", ["", " ", "a", "=", "%%", "ü", "a.b", "a+b/", "sealed-99", "QUJD", "A" * 7000])
def test_what_nobody_sealed_is_broken(sealer, garbage):
    sealer.seal("link", "x")
    assert is_broken(sealer, garbage)


@given(garbage=st.text(max_size=60) | st.from_regex(r"[A-Za-z0-9_-]{0,60}", fullmatch=True))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_opens_by_chance(sealer, garbage):
    assert is_broken(sealer, garbage)


@pytest.mark.parametrize("place", [-1, -2, -5])
def test_a_seal_in_which_one_letter_changed_is_broken(sealer, place):
    letters = list(sealer.seal("link", "some text"))
    letters[place] = "B" if letters[place] == "A" else "A"
    assert is_broken(sealer, "".join(letters))


def test_a_seal_that_lost_or_gained_a_letter_is_broken(sealer):
    sealed = sealer.seal("link", "some text")
    assert [is_broken(sealer, each) for each in (sealed[:-1], sealed[1:], sealed + "A", sealed + "=")] == [True] * 4


# ---------------------------------------------------------------------------------------------------------- on KMS


def test_every_letter_of_a_seal_counts(kms):
    sealed = kms.seal("link", "x")
    changed = [
        sealed[:place] + ("B" if sealed[place] == "A" else "A") + sealed[place + 1 :] for place in range(HEAD, 87)
    ]
    assert [is_broken(kms, each) for each in changed] == [True] * len(changed)


def test_a_seal_has_one_spelling(kms):
    sealed = kms.seal("link", "x")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = sealed[:-1] + alphabet[alphabet.index(sealed[-1]) + 1]
    padding = "=" * (-len(sealed) % 4)
    assert urlsafe_b64decode(twin + padding) == urlsafe_b64decode(sealed + padding)
    assert is_broken(kms, twin)


def test_the_purpose_is_the_encryption_context_of_the_one_key(kms, aws, key):
    sealed = kms.seal("ticket", "x")
    blob = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    opened = aws.client("kms").decrypt(CiphertextBlob=blob, EncryptionContext={"purpose": "ticket"})
    assert (opened["Plaintext"], opened["KeyId"].rpartition("/")[2]) == (b"x", key)


@pytest.mark.parametrize("hopeless", ["", "%", "A" * (LONGEST + 1), "ü" * 20, "AAAAA"])
def test_what_cannot_be_a_seal_costs_no_call(kms, aws, hopeless):
    assert is_broken(kms, hopeless)
    assert aws.calls == []


def test_the_longest_text_that_kms_takes_can_be_opened_again(kms):
    sealed = kms.seal("link", "x" * 4096)
    assert len(sealed) + 300 < LONGEST
    assert kms.unseal("link", sealed) == "x" * 4096


def test_a_seal_of_another_key_is_broken(kms, aws):
    """Where moto says AccessDeniedException, AWS says this to a Decrypt that names its key."""
    sealed = kms.seal("link", "x")
    aws.faults.add("Decrypt", status=400, code="IncorrectKeyException")
    assert is_broken(kms, sealed)


def test_bytes_that_are_no_text_are_broken(kms, aws, key):
    encrypted = aws.client("kms").encrypt(KeyId=key, Plaintext=b"\xff", EncryptionContext={"purpose": "link"})
    assert is_broken(kms, urlsafe_b64encode(encrypted["CiphertextBlob"]).decode().rstrip("="))


def test_an_alias_names_the_key_too(kms, aws, clients, key):
    aws.client("kms").create_alias(AliasName="alias/model-approvals", TargetKeyId=key)
    named = KmsSealer(clients, "alias/model-approvals")
    assert kms.unseal("link", named.seal("link", "x")) == "x"


class Failing(Clients):
    """A KMS that fails in one way."""

    def __init__(self, problem):
        self.problem = problem

    def __call__(self, _service):
        return self

    def encrypt(self, **_):
        raise self.problem

    decrypt = encrypt


def failure(code, status=400):
    answer: Any = {"Error": {"Code": code, "Message": "because"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "AnyOperation")


@pytest.mark.parametrize(
    "problem",
    [
        failure("ThrottlingException"),
        failure("KMSInternalException", 500),
        failure("DependencyTimeoutException", 503),
        failure("KeyUnavailableException", 500),
        ReadTimeoutError(endpoint_url="https://kms.example"),
    ],
)
@pytest.mark.parametrize("opens", [True, False])
def test_a_kms_that_does_not_answer_is_unavailable(problem, opens):
    sealer = KmsSealer(Failing(problem), "key")
    with pytest.raises(Unavailable, match="kms:Decrypt" if opens else "kms:Encrypt"):
        sealer.unseal("link", "QUJD") if opens else sealer.seal("link", "x")


@pytest.mark.parametrize(("action", "opens"), [("Encrypt", False), ("Decrypt", True)])
def test_a_denied_call_says_what_to_grant(kms, aws, action, opens, caplog):
    sealed = kms.seal("link", "x")
    aws.faults.add(action, status=403)
    with pytest.raises(Unavailable, match=f"kms:{action}"):
        kms.unseal("link", sealed) if opens else kms.seal("link", "x")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"grant kms:{action} on this resource" in record.message


@pytest.mark.parametrize("opens", [True, False])
def test_a_key_that_is_not_there_is_no_broken_link(clients, opens):
    sealer = KmsSealer(clients, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(ClientError, match="NotFoundException"):
        sealer.unseal("link", "QUJD") if opens else sealer.seal("link", "x")


def test_the_longest_link_of_an_account_fits_a_button_of_slack(kms):
    """Its names have 40 letters each of up to two UTF-16 units, its address 320 ASCII letters; Slack takes 3,000."""
    links = Links(f"https://{'a' * 60}.example.com", Seals(kms, lambda: NOW), lambda: NOW)
    user = ChatUser("slack", "T" + "0" * 20, "U" + "0" * 20, "C" + "0" * 20)
    word = "\U0001d4b6" * 40
    called = f"@{word} in the Slack workspace {word}"
    request = RequestId("g" * 63, 999999999, "e" * 31, 999999999)
    url = links.linking(user, called, "e" * 320, request)
    moto, aws = 64, 250
    assert len(url) + (aws - moto) * 4 / 3 <= 3000
    opened = Seals(kms, lambda: NOW).open(LinkingLink, url.partition("?t=")[2])
    assert (opened.called, opened.request) == (called, request)


def test_a_refusal_says_what_to_do(kms):
    with pytest.raises(BrokenLink) as caught:
        kms.unseal("link", "garbage")
    assert str(caught.value) == BROKEN
