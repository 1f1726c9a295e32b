"""Settings: every mistake at once, each named by its variable, never with the value of a secret."""

import pytest

from bot.config import POLICY, PREFIX, Settings
from bot.errors import SettingsError

TENANT = "00000000-0000-4000-8000-00000000a001"
GOOD = {
    "REGION": "eu-west-1",
    "ACCOUNT": "123456789012",
    "DECISIONS_URL": "https://sqs.example/decisions.fifo",
    "OPENINGS_URL": "https://sqs.example/openings.fifo",
    "SLACK_TEAM": "T0123456789",
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_SIGNING_SECRETS": "old, new,",
    "ENTRA_TENANT": TENANT,
    "ENTRA_CLIENT_ID": TENANT,
    "ENTRA_CLIENT_SECRET": "quiet",
    "EMAIL_DOMAINS": "example.com,example.org",
}


def environment(**changes):
    return {PREFIX + name: value for name, value in {**GOOD, **changes}.items()}


def all_of(given):
    settings = Settings(given)
    found = settings.aws(), settings.slack(), settings.entra(), settings.policy()
    settings.check()
    return found


def mistakes(given, read=all_of):
    with pytest.raises(SettingsError) as caught:
        read(given)
    return caught.value.mistakes


def test_good_settings_are_read_with_their_defaults():
    aws, slack, entra, policy = all_of(environment())
    assert (aws.root, aws.partition, aws.region, aws.max_receives) == ("/model-approvals", "aws", "eu-west-1", 8)
    assert (slack.signing_secrets, slack.api_url) == (("old", "new"), "https://slack.com/api/")
    assert (entra.authority, entra.domains) == ("https://login.microsoftonline.com", ("example.com", "example.org"))
    assert (entra.ca_bundle, entra.proxy) == ("", "")
    assert policy.path == ("dev", "test", "uat", "prod")
    assert POLICY.name == "policy.toml"


def test_the_region_of_lambda_comes_first():
    given = {**environment(REGION=""), "AWS_REGION": "us-east-1"}
    assert Settings(given).aws().region == "us-east-1"
    all_of(given)


def test_whoever_enqueues_nothing_needs_no_queues():
    settings = Settings(environment(DECISIONS_URL="", OPENINGS_URL=""))
    assert settings.aws(queues=False).decisions_url == ""
    settings.check()


def test_everything_that_is_missing_is_named_at_once():
    found = mistakes({})
    assert [each.split(":")[0] for each in found] == [PREFIX + name for name in GOOD]
    assert all("is missing; " in each for each in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOT", "model-approvals"),
        ("ROOT", "/a//b"),
        ("PARTITION", "azure"),
        ("REGION", "EU"),
        ("ACCOUNT", "1234"),
        ("DECISIONS_URL", "sqs.example"),
        ("OPENINGS_URL", "https://sqs.example/a b"),
        ("MAX_RECEIVES", "0"),
        ("MAX_RECEIVES", "many"),
        ("SLACK_TEAM", "workspace"),
        ("SLACK_API_URL", "slack.com"),
        ("ENTRA_TENANT", "contoso"),
        ("ENTRA_CLIENT_ID", "app"),
        ("ENTRA_AUTHORITY", "login"),
        ("GRAPH_URL", "graph"),
        ("PROXY", "two\nlines"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(name, value):
    (found,) = mistakes(environment(**{name: value}))
    assert found.startswith(f"{PREFIX}{name}: is not right; ")


def test_no_value_is_ever_repeated_because_it_may_be_a_secret():
    wrong = {"SLACK_BOT_TOKEN": "hush-1", "ENTRA_CLIENT_SECRET": "hush 2", "SLACK_SIGNING_SECRETS": " , "}
    found = mistakes(environment(**wrong))
    assert len(found) == 3
    assert "hush" not in "".join(found)


def test_another_policy_may_be_named(tmp_path):
    other = tmp_path / "policy.toml"
    other.write_text(POLICY.read_text(encoding="utf-8").replace('"prod"', '"live"'), encoding="utf-8")
    assert all_of(environment(POLICY=str(other)))[3].path[-1] == "live"


def test_the_mistakes_of_the_policy_stand_beside_the_others(tmp_path):
    other = tmp_path / "policy.toml"
    other.write_text("", encoding="utf-8")
    found = mistakes(environment(POLICY=str(other), ACCOUNT=""))
    assert [each.split(":")[0] for each in found] == [f"{PREFIX}ACCOUNT", "groups", "since", "environments"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xfa"])
def test_a_policy_that_cannot_be_read_is_named(tmp_path, content):
    other = tmp_path / "policy.toml"
    if content:
        other.write_bytes(content)
    (found,) = mistakes(environment(POLICY=str(other)))
    assert found.startswith(f"{PREFIX}POLICY: {other} cannot be read: ")


def test_a_reader_without_mistakes_lets_pass():
    Settings({}).check()
