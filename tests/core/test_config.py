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
OPTIONAL = {"ENTRA_CLIENT_SECRET"}


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
    assert (slack.signing_secrets, slack.api_url) == ("old, new,", "https://slack.com/api/")
    assert (entra.authority, entra.domains) == ("https://login.microsoftonline.com", ("example.com", "example.org"))
    assert (entra.ca_bundle, entra.proxy) == ("", "")
    assert (entra.certificate, entra.assertion_audience) == ("", "api://AzureADTokenExchange")
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
    assert [each.split(":")[0] for each in found] == [PREFIX + name for name in GOOD if name not in OPTIONAL]
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
        ("ENTRA_CLIENT_SECRET", "two words"),
        ("ENTRA_CERTIFICATE", "two\nlines"),
        ("ENTRA_ASSERTION_AUDIENCE", "AzureADTokenExchange"),
        ("PROXY", "two\nlines"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(name, value):
    secret = {} if name.startswith("ENTRA_CLIENT") else {"ENTRA_CLIENT_SECRET": ""}
    (found,) = mistakes(environment(**{**secret, name: value}))
    assert found.startswith(f"{PREFIX}{name}: is not right; ")


def test_no_value_is_ever_repeated_because_it_may_be_a_secret():
    wrong = {"SLACK_BOT_TOKEN": "hush-1", "ENTRA_CLIENT_SECRET": "hush 2", "SLACK_SIGNING_SECRETS": " , "}
    found = mistakes(environment(**wrong))
    assert len(found) == 3
    assert "hush" not in "".join(found)


# ------------------------------------------------------------------------------- how the bot proves itself, and where


def entra(**changes):
    return all_of(environment(**changes))[2]


@pytest.mark.parametrize(
    ("secret", "certificate"), [("quiet", ""), ("", "/etc/bot/certificate.pem"), ("", "")], ids=["secret", "pem", "aws"]
)
def test_the_bot_proves_itself_in_one_of_three_ways(secret, certificate):
    found = entra(ENTRA_CLIENT_SECRET=secret, ENTRA_CERTIFICATE=certificate)
    assert (found.client_secret, found.certificate) == (secret, certificate)


def test_a_secret_beside_a_certificate_is_a_mistake():
    (found,) = mistakes(environment(ENTRA_CERTIFICATE="/etc/bot/certificate.pem"))
    assert found == f"{PREFIX}ENTRA_CERTIFICATE: there is a secret too; keep one of the two."


@pytest.mark.parametrize(
    ("authority", "graph"),
    [
        ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("https://login.microsoftonline.us/", "https://dod-graph.microsoft.us"),
        ("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
        ("https://LOGIN.microsoftonline.com", "https://graph.microsoft.com/v1.0"),
    ],
)
def test_every_cloud_of_microsofts_is_known(authority, graph):
    found = entra(ENTRA_AUTHORITY=authority, GRAPH_URL=graph)
    assert (found.authority, found.graph_url) == (authority, graph)


ELSEWHERE = (
    "https://login.example.com",
    "https://login.microsoftonline.com.evil.example",
    "https://evil.example/login.microsoftonline.com",
    "https://evil-login.microsoftonline.com",
    "https://login.microsoftonline.com:8443",
    "https://login.microsoftonline.com\\.evil.example",
    "https://127.0.0.1:8443",
)


@pytest.mark.parametrize("name", ["ENTRA_AUTHORITY", "GRAPH_URL"])
@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_credential_goes_to_a_host_that_is_not_microsofts(name, url):
    (found,) = mistakes(environment(**{name: url}))
    assert found == f"{PREFIX}{name}: is no host of Microsoft's; name it in {PREFIX}ENTRA_HOSTS too."


@pytest.mark.parametrize("name", ["ENTRA_AUTHORITY", "GRAPH_URL"])
@pytest.mark.parametrize(
    "url", ["http://login.microsoftonline.com", "login.microsoftonline.com", "https://", "https://a@b"]
)
def test_only_https_will_do_and_no_name_before_the_host(name, url):
    found = mistakes(environment(**{name: url}))
    assert found[0] == f"{PREFIX}{name}: is not right; an https URL."


def test_another_host_has_to_be_named_twice():
    found = entra(
        ENTRA_AUTHORITY="https://login.example.com:8443",
        GRAPH_URL="https://Graph.example.com/v1.0",
        ENTRA_HOSTS=" login.example.com:8443 , graph.EXAMPLE.com",
    )
    assert found.authority == "https://login.example.com:8443"
    (mistake,) = mistakes(environment(GRAPH_URL="https://graph.example.com", ENTRA_HOSTS="login.example.com,"))
    assert mistake.startswith(f"{PREFIX}GRAPH_URL: ")


# ----------------------------------------------------------------------------------------------- our pages, and mail

PAGES = {"PAGES_URL": "https://approvals.example.com/", "SEAL_KEY": "alias/model-approvals"}


def pages_of(given):
    found = Settings(given)
    pages, sender = found.pages(), found.mail_from()
    found.check()
    return pages, sender


def test_the_pages_have_an_address_and_a_key_and_mails_a_sender():
    pages, sender = pages_of(environment(**PAGES, MAIL_FROM="model.approvals@example.com"))
    assert (pages.url, pages.key) == ("https://approvals.example.com", "alias/model-approvals")
    assert sender == "model.approvals@example.com"


def test_whoever_only_names_a_page_needs_no_key():
    settings = Settings(environment(PAGES_URL=PAGES["PAGES_URL"]))
    assert settings.pages_url() == "https://approvals.example.com"
    settings.check()


def test_what_pages_and_mails_lack_is_named():
    found = mistakes(environment(), pages_of)
    assert [each.split(":")[0] for each in found] == [f"{PREFIX}PAGES_URL", f"{PREFIX}SEAL_KEY", f"{PREFIX}MAIL_FROM"]
    assert all("is missing; " in each for each in found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAGES_URL", "approvals.example.com"),
        ("PAGES_URL", "https://approvals.example.com/?next=x"),
        ("SEAL_KEY", "two words"),
        ("MAIL_FROM", "approvals"),
        ("MAIL_FROM", "Approvals <approvals@example.com>"),
        ("MAIL_FROM", "approvals@example.com\nBcc: eve@evil.example"),
    ],
)
def test_a_wrong_value_of_pages_and_mails_is_named(name, value):
    (found,) = mistakes(environment(**{**PAGES, "MAIL_FROM": "approvals@example.com", name: value}), pages_of)
    assert found.startswith(f"{PREFIX}{name}: is not right; ")


@pytest.mark.parametrize(
    "key",
    [
        "00000000-0000-4000-8000-000000000001",
        "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-4000-8000-000000000001",
        "arn:aws-us-gov:kms:us-gov-west-1:123456789012:alias/model-approvals",
        "mrk-00000000000040008000000000000001",
    ],
)
def test_a_key_may_be_named_in_every_way_of_kms(key):
    assert pages_of(environment(**{**PAGES, "SEAL_KEY": key, "MAIL_FROM": "a@example.com"}))[0].key == key


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
