"""Every line of the log says what it belongs to, and no secret."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trace import Record, current, redacted, traced
from bot.waves import ThreadCrew

TOKEN = "xoxb-1234567890-abcdefgh"
SIGNED = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


def line(text, *arguments):
    return Record("bot", logging.INFO, "", 0, text, arguments, None)


def test_what_is_under_way_has_a_name_until_it_has_ended():
    assert current() == ""
    with traced("slack|T1|U1|5"):
        assert line("said").trace == "slack|T1|U1|5"
        with traced("event-1"):
            assert current() == "event-1"
        assert current() == "slack|T1|U1|5"
    assert line("said").trace == ""


def test_calls_side_by_side_belong_to_the_same_name():
    with traced("event-1"):
        futures = ThreadCrew().together(current, current, current)
    assert [each.result() for each in futures] == ["event-1"] * 3


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN,
        "xapp-1-A0-1-abc",
        SIGNED,
        "eyJhbGciOi.J9",
        f"Authorization: Bearer {SIGNED}",
        "authorization: bearer abcdefgh.ijkl~mn==",
        "client_secret=s3cr3t~Value",
        '{"client_secret": "s3cr3t~Value"}',
        "client_assertion=abc&scope=x",
        "{'refresh_token': '0.AbcDef'}",
        "code_verifier=abcdef",
    ],
)
def test_what_looks_like_a_secret_is_hidden(secret):
    said = line("it failed: %s", f"POST /token {secret} -> 400").getMessage()
    assert said.startswith("it failed: POST /token ")
    assert said.endswith(" -> 400")
    for part in ("s3cr3t", TOKEN, SIGNED, "abcdef", "AbcDef", "A0-1-abc", "J9"):
        assert part not in said


@pytest.mark.parametrize(
    "plain",
    [
        "churn v7 was approved for prod by Maya Chen",
        "the secret secretsmanager:approvals#slack_bot_token cannot be read",
        "MODEL_APPROVALS_ENTRA_CLIENT_SECRET: is not right",
        "sha256:5f5f5f5f, arn:aws:sagemaker:eu-central-1:123456789012:model-package/churn/7",
    ],
)
def test_what_is_none_is_left_as_it_is(plain):
    assert redacted(plain) == plain


@given(st.text())
def test_no_text_breaks_a_line_with_control_characters_but_for_its_own_lines(text):
    said = line("%s", text).getMessage()
    assert not [each for each in said if ord(each) < 32 and each not in "\t\n"]
    assert "\x7f" not in said
