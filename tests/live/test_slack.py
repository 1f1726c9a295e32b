"""Slack: cards as the bot sends them, and what we believe is refused."""

import logging

import pytest

from bot.domain import ChatUser
from bot.slack import blocks
from bot.slack.api import Permanent
from bot.slack.channel import SlackChannel
from bot.slack.identity import confirmed_email
from bot.slack.presence import absence
from tests.adapters.slack_examples import CARD, DECIDED
from tests.live.targets import REAL

TEXT = {"type": "plain_text", "text": "x"}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}
BUTTON = {"type": "button", "text": TEXT, "action_id": "a"}


def section(length, **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}, **more}


@pytest.fixture
def card(slack, after):
    """A card that was posted as the bot posts it."""
    ref = SlackChannel(slack.api, team=slack.api.granted()[0]).post(slack.channel, CARD)
    after.callback(slack.forget, ref.ts)
    return ref


def test_a_card_with_its_table_is_taken_and_repainted(slack, card, caplog):
    """A native table at the top level of `blocks`, chat.update with other blocks (slack 3, 9.1)."""
    channel = SlackChannel(slack.api, team=slack.api.granted()[0])
    with caplog.at_level(logging.ERROR, "bot"):
        channel.update(card, DECIDED)
    assert "takes no table" not in caplog.text
    answer = slack.api.call("chat.update", {"channel": card.channel, "ts": card.ts, "text": "again", "blocks": []})
    assert answer["ts"] == card.ts


def test_metadata_stays_over_an_update_that_sends_none(slack, card):
    """What a lost `ts` would be found by (slack 3); it needs a scope that the bot does without."""
    if "channels:history" not in slack.api.granted()[1].split(","):
        pytest.skip("absent: the scope channels:history")
    SlackChannel(slack.api, team="T0").update(card, DECIDED)
    asked = {"channel": card.channel, "ts": card.ts, "include_all_metadata": True}
    [message] = slack.api.call("conversations.replies", asked)["messages"]
    assert message["metadata"]["event_payload"] == {"request": str(CARD.request)}


def test_a_private_word_goes_into_the_thread(slack, card):
    """chat.postEphemeral takes the `thread_ts` of a card (slack 3)."""
    person = slack.told["LIVE_SLACK_PERSON"]
    told = {"channel": card.channel, "thread_ts": card.ts, "user": person, "text": "A test of Model Approvals."}
    assert slack.api.call("chat.postEphemeral", told)["message_ts"]


def test_a_person_s_confirmed_address_is_told_and_leads_back_to_them(slack):
    """users.info has every flag that the bot refuses by, and the address (identity 7)."""
    team, person = slack.api.granted()[0], slack.told["LIVE_SLACK_PERSON"]
    address = confirmed_email(slack.api, team)(ChatUser("slack", team, person))
    assert slack.api.call("users.lookupByEmail", {"email": address})["user"]["id"] == person
    with pytest.raises(Permanent, match="users_not_found"):
        slack.api.call("users.lookupByEmail", {"email": "nobody@never-there.example.com"})


def test_a_channel_is_known_with_the_scopes_of_the_manifest_and_another_is_not(slack):
    """conversations.info as `doctor` reads it."""
    assert absence(slack.api, slack.channel) == ""
    assert "no such channel" in absence(slack.api, "C0NEVERTHERE")


REFUSED = {
    "51 blocks": [{"type": "divider"}] * 51,
    "a header of 151 letters": [{"type": "header", "text": {**TEXT, "text": "x" * 151}}],
    "a section of 3,001 letters": [section(3001)],
    "two tables": [TABLE, TABLE],
    "a table of more than 10,000 letters": [{**TABLE, "rows": [[{"type": "raw_text", "text": "x" * 5001}] * 2]}],
    "a value of 2,001 letters": [{"type": "actions", "elements": [{**BUTTON, "value": "x" * 2001}]}],
    "a block id twice": [section(1, block_id="same"), section(2, block_id="same")],
    "an action id twice": [{"type": "actions", "elements": [BUTTON, BUTTON]}],
    "an alert, which modals alone show": [{"type": "alert", "text": TEXT}],
    "over 13,000 letters in all": [section(2900) for _ in range(5)],
}


@pytest.mark.parametrize("what", REFUSED)
def test_slack_refuses(slack, after, what):
    """`infra/local/slack_rules.py`: the limits that cards are cut to, and where an alert may be (slack 3)."""
    message = {"channel": slack.channel, "text": "A test of Model Approvals.", "blocks": REFUSED[what]}
    with pytest.raises(Permanent, match=r"invalid_blocks|msg_blocks_too_long|too_many_blocks"):
        after.callback(slack.forget, slack.api.call("chat.postMessage", message)["ts"])


def test_a_message_that_is_not_there_cannot_be_updated(slack):
    """chat.update says message_not_found, after which the bot gives a card up (slack 3)."""
    with pytest.raises(Permanent, match="message_not_found"):
        slack.api.call("chat.update", {"channel": slack.channel, "ts": "1600000000.000100", "text": "nothing"})


@pytest.mark.parametrize("slack", REAL, indirect=True)  # the stand-in has no `blocks.validate`: the bot never calls it
def test_slack_itself_finds_nothing_wrong_with_our_card(slack):
    """blocks.validate (slack 5, 9.3)."""
    assert slack.api.call("blocks.validate", {"blocks": blocks.message(CARD, team="T0")["blocks"]})["ok"]
