"""The Slack app as it is created: what the code needs of it, and nothing more."""

import yaml

from bot.checkup import SCOPES
from bot.slack.app import PATH
from bot.slack.whispers import COMMAND
from infra.package.models import ROOT

MANIFEST = yaml.safe_load((ROOT / "infra" / "slack-manifest.yaml").read_text(encoding="utf-8"))


def test_it_asks_for_the_scopes_that_the_code_needs_and_no_others():
    assert tuple(MANIFEST["oauth_config"]["scopes"]["bot"]) == SCOPES
    assert "user" not in MANIFEST["oauth_config"]["scopes"]


def test_the_command_escapes_mentions_and_goes_where_buttons_go():
    [command] = MANIFEST["features"]["slash_commands"]
    assert (command["command"], command["should_escape"]) == (COMMAND, True)
    urls = {command["url"], MANIFEST["settings"]["interactivity"]["request_url"]}
    assert len(urls) == 1
    assert urls.pop().endswith(PATH)


def test_the_token_is_not_rotated_by_slack_and_the_app_is_of_one_workspace():
    settings = MANIFEST["settings"]
    assert not any(settings[f"{name}_enabled"] for name in ("token_rotation", "org_deploy", "socket_mode"))


def test_its_words_keep_slack_s_limits():
    assert len(MANIFEST["display_information"]["description"]) <= 140
    [command] = MANIFEST["features"]["slash_commands"]
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
