"""Teams: cards as the bot sends them, their size, and which channels it may look into."""

import pytest

from bot.teams.channel import TeamsChannel
from bot.teams.connector import Permanent
from tests.adapters.slack_examples import CARD, DECIDED


def message(length):
    """An activity with a card of about so many letters."""
    texts = [{"type": "TextBlock", "text": "x" * 4_000, "wrap": True} for _ in range(length // 4_000)]
    card = {"type": "AdaptiveCard", "version": "1.5", "body": texts}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    return {"type": "message", "attachments": [attachment]}


def test_a_card_in_teams_begins_a_thread_is_repainted_and_answered(teams, after):
    """A root by channel id, tenant and service URL alone; its conversation is its thread (teams 1)."""
    channel = TeamsChannel(teams.connector)
    ref = channel.post(teams.channel, CARD)
    after.callback(teams.forget, ref.channel, ref.ts)
    assert ref.channel == f"{teams.channel};messageid={ref.ts}"
    channel.update(ref, DECIDED)
    channel.reply(ref, ("A test of Model Approvals.",), DECIDED)


def forget(teams, ref):
    teams.forget(ref.channel, ref.ts)


def test_teams_takes_a_card_of_70_kilobytes_and_none_beyond_100(teams, after):
    """Counted as UTF-16, so that 100,000 plain letters are too many (teams 4); the bot keeps below 28 KB."""
    after.callback(forget, teams, teams.connector.post_root(teams.channel, message(36_000)))
    with pytest.raises(Permanent, match="MessageSizeTooBig"):
        after.callback(forget, teams, teams.connector.post_root(teams.channel, message(100_000)))


def test_the_roster_of_a_channel_is_open_and_that_of_another_is_not(teams):
    """What `doctor` reads, with the codes that it has advice for (teams 1)."""
    teams.connector.visit(teams.channel)
    with pytest.raises(Permanent, match=r"ConversationNotFound|BotNotInConversationRoster"):
        teams.connector.visit("19:00000000000000000000000000000000@thread.tacv2")
