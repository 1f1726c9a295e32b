"""`model-approvals doctor` on the local stack: nothing to complain of, then one broken thing after the other."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from bot.cli import main
from infra.local.entra_people import DEV, MAYA, OMAR
from infra.local.stack import TEAM, Stack
from tests.journeys.policies import SHIPPED, policy

SLACK_DEV, SLACK_PRD = "dev, test: notify.slack C0MODELSDEV", "uat, prod: notify.slack C0MODELSPRD"
TEAMS_DEV = "dev, test: notify.teams 19:models-dev-test@thread.tacv2"
NOBODY = "00000000-0000-4000-8000-00000000ffff"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        yield running


def findings(stack: Stack, capsys: pytest.CaptureFixture[str], **changes: str) -> dict[str, str]:
    """What is said, by what was looked at."""
    settings = {**stack.environment, **{f"MODEL_APPROVALS_{name}": value for name, value in changes.items()}}
    main(["doctor", "--json"], settings)
    return {each["name"]: each.get("problem", "") for each in json.loads(capsys.readouterr().out)}


def wrong(found: dict[str, str]) -> dict[str, str]:
    return {name: problem for name, problem in found.items() if problem}


def test_of_a_good_set_up_nothing_is_wrong(stack, capsys):
    found = findings(stack, capsys)
    assert wrong(found) == {}
    assert {
        "Slack's token",
        SLACK_DEV,
        TEAMS_DEV,
        "Model Registry",
        "prod: approvers approvers-prod",
        "the key of the pages",
    } <= set(found)
    assert main(["doctor"], stack.environment) == 0
    assert "good   queue of decisions\n" in capsys.readouterr().out


def a_queue(stack: Stack, **attributes: str) -> str:
    sqs = stack.aws.client("sqs")
    return str(
        sqs.create_queue(QueueName=f"q{len(attributes)}.fifo", Attributes={"FifoQueue": "true", **attributes})[
            "QueueUrl"
        ]
    )


BROKEN: dict[str, tuple[Callable[[Stack], dict[str, str]], str, str]] = {
    "a missing setting": (lambda _: {"ACCOUNT": ""}, "settings of AWS", "MODEL_APPROVALS_ACCOUNT: is missing"),
    "a token of nobody": (lambda _: {"SLACK_BOT_TOKEN": "xoxb-wrong"}, "Slack's token", "invalid_auth"),
    "another workspace": (lambda _: {"SLACK_TEAM": "T0OTHER99"}, "Slack's token", "the settings name T0OTHER99"),
    "a wrong secret of Entra": (lambda _: {"ENTRA_CLIENT_SECRET": "wrong"}, "Entra's credential", "invalid_client"),
    "a queue that is not there": (
        lambda stack: {"OPENINGS_URL": stack.queues["openings"].replace("openings", "none")},
        "queue of openings",
        "does not exist",
    ),
    "a queue without dead letters": (
        lambda stack: {"DECISIONS_URL": a_queue(stack)},
        "queue of decisions",
        "has to be a FIFO queue with dead letters",
    ),
    "another count of receives": (
        lambda _: {"MAX_RECEIVES": "5"},
        "queue of decisions",
        "MODEL_APPROVALS_MAX_RECEIVES says 5",
    ),
    "a key that is not there": (lambda _: {"SEAL_KEY": "alias/none"}, "the key of the pages", "none"),
    "a sender that is not verified": (
        lambda _: {"MAIL_FROM": "nobody@other.example"},
        "the sender of mails",
        "verified neither nobody@other.example nor its domain",
    ),
    "addresses of another company": (
        lambda _: {"EMAIL_DOMAINS": "other.example"},
        "dev: approvers approvers-dev",
        "no member of the group",
    ),
    "a secret that is not there": (
        lambda _: {"SLACK_SIGNING_SECRETS": "secretsmanager:none"},
        "Slack's signing secret",
        "ResourceNotFoundException",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_is_broken_is_named(stack, capsys, what):
    change, name, says = BROKEN[what]
    found = wrong(findings(stack, capsys, **change(stack)))
    assert says in found[name], found
    if name == "Entra's credential":
        assert found["dev: approvers approvers-dev"] == found[TEAMS_DEV] == f"not looked at: first mend {name}."
    if name == "Slack's token":
        assert found[SLACK_DEV] == found["Slack's scopes"] == f"not looked at: first mend {name}."
    assert "xoxb-wrong" not in str(found)


def test_a_policy_that_names_a_group_of_nobody_is_named(stack, capsys, tmp_path):
    changed = policy(tmp_path, SHIPPED.replace(DEV, NOBODY))
    name = "MODEL_APPROVALS_POLICY"
    found = wrong(findings(stack, capsys, POLICY=changed[name]))
    assert "is not there, or has no enabled member" in found["dev: approvers approvers-dev"]
    broken = policy(tmp_path, SHIPPED.replace('name = "dev"', 'name = "Dev"'))
    found = wrong(findings(stack, capsys, POLICY=broken[name]))
    assert "environments[1].name" in found["settings of the policy"]


def test_a_role_of_an_environment_that_lets_nobody_in_is_named(stack, capsys, tmp_path):
    place = 'role_arn = "arn:aws:iam::210987654321:role/model-approvals-prod"\nexternal_id = "5f1c-prod"'
    changed = policy(tmp_path, SHIPPED.replace('name = "prod"\n', f'name = "prod"\n{place}\n'))
    found = wrong(findings(stack, capsys, POLICY=changed["MODEL_APPROVALS_POLICY"]))
    assert list(found) == ["the account of prod"]
    assert "have the trust policy name that role and the policy's external_id" in found["the account of prod"]


def test_scopes_that_the_app_lacks_are_named(stack, capsys, monkeypatch):
    monkeypatch.setattr(stack.slack.workspace, "scopes", {"chat:write", "commands"})
    found = wrong(findings(stack, capsys))
    lacking = "the app lacks channels:read, groups:read, users:read, users:read.email"
    assert lacking in found["Slack's scopes"]
    assert "missing_scope. the app lacks a scope for conversations.info" in found[SLACK_DEV]
    assert found.keys() == {"Slack's scopes", SLACK_DEV, SLACK_PRD}


CHANNELS: dict[str, tuple[dict[str, bool], str]] = {
    "archived": ({"archived": True}, "#models-dev-test is archived: unarchive it, or correct notify.slack"),
    "without the bot": (
        {"bot_in_channel": False},
        "the bot is not in #models-dev-test: invite the bot there: /invite @",
    ),
    "private without the bot": ({"private": True, "bot_in_channel": False}, "a private one without the bot: correct"),
}


@pytest.mark.parametrize("what", CHANNELS)
def test_a_channel_of_slack_that_takes_no_card_is_named(stack, capsys, what):
    change, says = CHANNELS[what]
    before = stack.slack.workspace.channels["C0MODELSDEV"]
    stack.slack.workspace.alter_channel("C0MODELSDEV", **change)
    try:
        found = wrong(findings(stack, capsys))
    finally:
        stack.slack.workspace.add_channel(before)
    assert list(found) == [SLACK_DEV]
    assert says in found[SLACK_DEV]


def test_channels_that_are_not_there_are_named(stack, capsys, tmp_path):
    others = SHIPPED.replace("C0MODELSDEV", "C0NOWHERE").replace("19:models-dev-test@", "19:nowhere@")
    found = wrong(findings(stack, capsys, POLICY=policy(tmp_path, others)["MODEL_APPROVALS_POLICY"]))
    assert "the workspace has no such channel" in found["dev, test: notify.slack C0NOWHERE"]
    told = found["dev, test: notify.teams 19:nowhere@thread.tacv2"]
    assert "look whether the policy's notify.teams is the id of a channel that exists" in told
    assert len(found) == 2


def test_a_team_without_the_app_is_named(stack, capsys):
    stack.teams.uninstall(TEAM)
    try:
        found = wrong(findings(stack, capsys))
    finally:
        stack.teams.install(TEAM)
    assert found.keys() == {TEAMS_DEV, "uat, prod: notify.teams 19:models-uat-prod@thread.tacv2"}
    assert "add the app to the team that the channel is in" in found[TEAMS_DEV]


def test_a_policy_without_teams_needs_nothing_of_it(stack, capsys, tmp_path):
    without = re.sub(r', teams = "[^"]+"', "", SHIPPED)
    found = findings(stack, capsys, POLICY=policy(tmp_path, without)["MODEL_APPROVALS_POLICY"])
    assert wrong(found) == {}
    assert not any("notify.teams" in name for name in found)


def test_a_group_that_everybody_has_left_is_named(stack, capsys):
    for person in (MAYA, OMAR):
        stack.entra.people.leave(person, DEV)
    try:
        assert "has no enabled member" in findings(stack, capsys)["dev: approvers approvers-dev"]
    finally:
        for person in (MAYA, OMAR):
            stack.entra.people.join(person, DEV)
