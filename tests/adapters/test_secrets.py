"""Secrets that the settings only name: where they are read, how long they are kept, and how a rotation goes."""

import logging

import pytest

from bot.aws.clients import Clients
from bot.aws.secrets import Fixed, Stored, secret
from bot.errors import Unavailable
from bot.slack.api import Permanent, SlackApi
from infra.local.aws import REGION
from infra.local.slack import Slack
from tests.adapters.slack_examples import MAYA, renewed


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.reset()
    running.client("secretsmanager").create_secret(
        Name="model-approvals/slack", SecretString='{"bot_token": "xoxb-1", "number": 7}'
    )
    running.client("secretsmanager").create_secret(Name="plain", SecretString=" whole \n")
    running.client("ssm").put_parameter(Name="/secrets/signing", Value="one,two", Type="SecureString")
    return running


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("xoxb-in-the-settings", "xoxb-in-the-settings"),
        ("secretsmanager:model-approvals/slack#bot_token", "xoxb-1"),
        ("secretsmanager:plain", "whole"),
        ("ssm:/secrets/signing", "one,two"),
    ],
)
def test_a_secret_is_where_the_setting_says(aws, setting, value):
    found = secret(Clients(REGION), setting)
    assert (found(), found.fresh()) == (value, value)


@pytest.mark.parametrize(
    "setting",
    [
        "secretsmanager:none",
        "ssm:/none",
        "secretsmanager:model-approvals/slack#other",
        "secretsmanager:model-approvals/slack#number",
        "secretsmanager:plain#key",
    ],
)
def test_what_cannot_be_had_is_unavailable_and_the_log_names_it_without_its_value(aws, caplog, setting):
    caplog.set_level(logging.DEBUG, logger="bot")
    with pytest.raises(Unavailable):
        secret(Clients(REGION), setting)()
    assert setting.split(":", 1)[1].split("#")[0] in caplog.text
    assert "xoxb-1" not in caplog.text
    assert "whole" not in caplog.text


class Vault:
    """A store that counts how often it is read."""

    def __init__(self):
        self.value, self.reads, self.down, self.now = "old", 0, False, 0.0
        self.secret = Stored(self.read, lambda: self.now)

    def read(self):
        self.reads += 1
        if self.down:
            raise Unavailable("no")
        return self.value


def test_it_is_kept_for_five_minutes():
    vault = Vault()
    assert [vault.secret(), vault.secret()] == ["old", "old"]
    vault.value, vault.now = "new", 299.0
    assert (vault.secret(), vault.reads) == ("old", 1)
    vault.now = 300.0
    assert (vault.secret(), vault.reads) == ("new", 2)


def test_where_it_was_refused_it_is_read_again_but_not_for_everybody_who_knocks():
    vault = Vault()
    vault.secret()
    vault.value, vault.now = "new", 0.9
    assert (vault.secret.fresh(), vault.reads) == ("old", 1)
    vault.now = 1.0
    assert [vault.secret.fresh() for _ in range(5)] == ["new"] * 5
    assert vault.reads == 2


def test_while_the_store_is_down_the_old_one_is_used():
    vault = Vault()
    vault.down = True
    with pytest.raises(Unavailable):
        vault.secret()
    vault.down = False
    vault.secret()
    vault.down, vault.now = True, 1000.0
    assert vault.secret() == "old"


def test_nothing_is_read_before_it_is_needed(aws):
    before = len(aws.calls)
    secret(Clients(REGION), "ssm:/secrets/signing")
    assert len(aws.calls) == before


# --------------------------------------------------------------------------------------------------------- rotations


@pytest.fixture(scope="module")
def served():
    with Slack() as running:
        yield running


def test_a_token_that_was_rotated_away_is_replaced_within_the_call(served):
    slack = renewed(served)
    vault = Vault()
    vault.value = "xoxb-of-yesterday"
    api = SlackApi(vault.secret, timeout=5, base_url=slack.api_url)
    vault.secret()
    vault.value, vault.now = slack.bot_token, 60.0
    assert api.call("users.info", {"user": MAYA})["user"]["id"] == MAYA
    assert vault.reads == 2


def test_a_token_that_is_simply_wrong_is_asked_for_once_more_and_then_it_is_trouble(served):
    slack = renewed(served)
    api = SlackApi(Fixed("xoxb-wrong"), timeout=5, base_url=slack.api_url)
    with pytest.raises(Unavailable, match="invalid_auth"):
        api.call("users.info", {"user": MAYA})
    assert len(slack.calls) == 1


def test_a_channel_that_is_gone_is_no_reason_to_look_for_another_token(served):
    slack = renewed(served)
    vault = Vault()
    vault.value = slack.bot_token
    with pytest.raises(Permanent):
        SlackApi(vault.secret, timeout=5, base_url=slack.api_url).call(
            "chat.postMessage", {"channel": "C0GONE", "text": "x"}
        )
    assert vault.reads == 1


def test_a_response_url_that_is_over_is_not_tried_for_ever(served):
    slack = renewed(served)
    api = SlackApi(Fixed(slack.bot_token), timeout=5, base_url=slack.api_url)
    with pytest.raises(Permanent):
        api.respond(f"{slack.url}/actions/none", {"text": "x"})
