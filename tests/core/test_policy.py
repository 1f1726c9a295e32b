"""`policy.toml`: every mistake at once, each named by its key; nothing is ignored."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import ModelVersion
from bot.encoding import sha256
from bot.errors import SettingsError
from bot.package import Package
from bot.policy import EMAIL, HOME, MetricsPolicy, Override, Place, read_policy
from tests.proofs.world import World, policy_of

ROOT = Path(__file__).parents[2]
GUID = "00000000-0000-4000-8000-00000000b001"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
TOP = {"groups": '["churn*", "fraud-?"]', "since": "2026-01-01T00:00:00Z"}
DEV = {"name": '"dev"', "approvers": f'"{GUID}"', "notify": '{ slack = "C0MODELSDEV" }'}


def lines(keys):
    return [f"{key} = {value}" for key, value in keys.items() if value]


def text(top=None, *environments):
    """A policy of these keys beside those that are needed; an empty value leaves a key out."""
    tables = [["[[environments]]", *lines({**DEV, **each})] for each in environments or ({},)]
    return "\n".join([*lines({**TOP, **(top or {})}), *(line for table in tables for line in table)])


def mistakes(policy):
    with pytest.raises(SettingsError) as caught:
        read_policy(policy)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return caught.value.mistakes


def mistake(policy):
    (only,) = mistakes(policy)
    return only


def package(group="churn", **changes):
    found = Package(ModelVersion(group, 7), "arn:1", "PendingManualApproval", created_at=SINCE)
    return replace(found, **changes)


def test_the_policy_that_ships_is_valid():
    policy = read_policy((ROOT / "infra/policy.toml").read_text(encoding="utf-8"))
    assert policy.path == ("dev", "test", "uat", "prod")
    assert [each.four_eyes for each in policy.environments] == [False, False, False, True]
    assert [each.identity for each in policy.environments] == ["email", "email", "linked", "linked"]
    assert policy.administrators
    assert policy.mails


def test_a_short_policy_has_the_defaults():
    policy = read_policy(text())
    dev = policy.environment("dev", "churn")
    assert dev
    assert (policy.groups, policy.since, policy.sha256) == (("churn*", "fraud-?"), SINCE, sha256(text()))
    assert (dev.required, dev.four_eyes, dev.unknown_requester) == (1, False, "allow")
    assert (dev.identity, dev.request_after, dev.expires_after) == ("email", "approval", timedelta(days=14))
    assert (dev.notify, dev.who_may_answer) == ({"slack": "C0MODELSDEV"}, f"members of the group {GUID}")


def test_every_rule_of_an_environment_is_read():
    rules = {
        "approvers_name": '"approvers-dev"',
        "required": "20",
        "four_eyes": "true",
        "unknown_requester": '"refuse"',
        "distinct_from_previous": "true",
    }
    dev = read_policy(text({}, rules)).environment("dev", "churn")
    assert dev
    assert (dev.required, dev.four_eyes, dev.unknown_requester, dev.distinct_from_previous) == (
        20,
        True,
        "refuse",
        True,
    )
    assert dev.who_may_answer == "members of approvers-dev"


def test_an_environment_the_policy_does_not_have_is_nothing():
    assert read_policy(text()).environment("prod", "churn") is None


def test_a_time_may_be_text_or_in_another_zone():
    assert read_policy(text({"since": '"2026-01-01T01:00:00+01:00"'})).since == SINCE
    assert read_policy(text({"since": "2026-01-01T01:00:00+01:00"})).since == SINCE


@pytest.mark.parametrize("policy", ["groups = [", "a = 1\na = 2", "x = " + "[" * 5000])
def test_what_is_not_toml_says_so(policy):
    assert mistake(policy).startswith("policy: not readable as TOML: ")


@given(st.text())
def test_any_text_is_a_policy_or_a_list_of_mistakes(policy):
    assert mistakes(policy)


def test_an_empty_policy_names_all_that_is_missing():
    assert [each.split(":")[0] for each in mistakes("")] == ["groups", "since", "environments"]
    assert all("is missing" in each for each in mistakes(""))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("groups", '"churn*"'),
        ("groups", "[]"),
        ("groups", '["churn*", 1]'),
        ("groups", '[""]'),
        ("since", "2026-01-01T00:00:00"),
        ("since", "2026-01-01"),
        ("since", '"yesterday"'),
        ("since", "7"),
        ("administrators", '"platform"'),
        ("overrides", '"all"'),
        ("metrics", "1"),
    ],
)
def test_a_wrong_value_at_the_top_is_named_by_its_key(key, value):
    assert mistake(text({key: value})).startswith(f"{key}: ")
    assert "is not right" in mistake(text({key: value}))


@pytest.mark.parametrize("value", ["[]", "7", '"dev"', "{ dev = 1 }"])
def test_environments_have_to_be_tables(value):
    policy = "\n".join(lines({**TOP, "environments": value}))
    assert mistake(policy).startswith("environments: ")


def test_an_environment_that_is_no_table_is_named_with_all_it_lacks():
    found = mistakes("\n".join(lines({**TOP, "environments": '["dev"]'})))
    assert found[0] == "environments[1]: must be a table, [[environments]]."
    assert [each.split(":")[0] for each in found[1:]] == [
        "environments[1].name",
        "environments[1].approvers",
        "environments[1].notify",
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", '"Dev"'),
        ("name", '"dev--"'),
        ("name", f'"{"d" * 32}"'),
        ("name", "1"),
        ("approvers", '"approvers-dev"'),
        ("approvers_name", '""'),
        ("approvers_name", r'"two\nlines"'),
        ("required", "0"),
        ("required", "21"),
        ("required", "true"),
        ("required", '"1"'),
        ("required", "1.0"),
        ("four_eyes", "1"),
        ("unknown_requester", '"perhaps"'),
        ("distinct_from_previous", '"yes"'),
        ("identity", '"fax"'),
        ("request_after", "[]"),
        ("notify", '"C0MODELSDEV"'),
        ("notify.slack", '"#models"'),
        ("expires_after", "14"),
        ("expires_after", '"0d"'),
        ("expires_after", '"two weeks"'),
        ("remind_after", '"1w"'),
        ("escalate_to", '"boss"'),
        ("escalate_after", '"never"'),
        ("metrics_required", "0"),
        ("evidence", '"some"'),
        ("role_arn", '""'),
        ("role_arn", '"arn:aws:iam::12345:role/dev"'),
        ("role_arn", '"arn:aws:iam::123456789012:user/dev"'),
        ("external_id", '"x"'),
        ("region", '"everywhere"'),
        ("external_id", "7"),
        ("region", "false"),
    ],
)
def test_a_wrong_value_of_an_environment_is_named_by_its_key(key, value):
    given = {"notify": "", key: value} if key == "notify.slack" else {key: value}
    found = [each for each in mistakes(text({}, given)) if each.startswith(f"environments[1].{key}: ")]
    assert len(found) == 1
    assert "is not right" in found[0]


ROLE = "arn:aws:iam::210987654321:role/approvals/prod"


def test_an_environment_may_be_in_another_account_and_region():
    placed = {"role_arn": f'"{ROLE}"', "external_id": '"5f1c-prod"', "region": '"eu-west-1"'}
    policy = read_policy(text({}, {}, {**placed, "name": '"prod"'}))
    assert policy.place("dev", "churn") == HOME
    assert policy.place("nowhere", "churn") == HOME
    place = policy.place("prod", "churn")
    assert place == Place(ROLE, "5f1c-prod", "eu-west-1")
    assert place.origin("123456789012", "us-east-1") == ("210987654321", "eu-west-1")
    assert HOME.origin("123456789012", "us-east-1") == ("123456789012", "us-east-1")
    assert policy.places == {HOME, place}
    assert (HOME.name, place.name, Place(region="eu-west-1").name) == ("", "210987654321/eu-west-1", "eu-west-1")


def test_some_groups_may_be_elsewhere_than_the_others():
    override = f'[[overrides]]\ngroups = ["churn-eu-*"]\nrole_arn = "{ROLE}"\nexternal_id = "5f1c-prod"'
    policy = read_policy(f"{text()}\n{override}")
    assert policy.place("dev", "churn-eu-1") == Place(ROLE, "5f1c-prod")
    assert policy.place("dev", "churn") == HOME
    assert policy.places == {HOME, Place(ROLE, "5f1c-prod")}


@pytest.mark.parametrize(
    ("given", "missing"),
    [({"role_arn": f'"{ROLE}"'}, "external_id"), ({"external_id": '"5f1c-prod"'}, "role_arn")],
)
def test_a_role_and_its_external_id_belong_together(given, missing):
    assert mistake(text({}, given)).startswith(f"environments[1].{missing}: is missing; ")
    override = "\n".join(['[[overrides]]\ngroups = ["churn-eu-*"]', *lines(given)])
    assert mistake(f"{text()}\n{override}").startswith(f"overrides[1].{missing}: is missing; ")


def test_an_environment_says_what_asks_for_it_and_what_it_wants_measured():
    rules = {"request_after": '"inference"', "metrics_required": "true", "evidence": '"stored"'}
    [environment] = read_policy(text({}, rules)).environments
    assert (environment.request_after, environment.metrics_required, environment.evidence) == (
        "inference",
        True,
        "stored",
    )


OTHERS = "11111111-1111-4111-8111-111111111111"


def rules_of(policy, environment, group):
    found = policy.environment(environment, group)
    assert found
    return found


def overridden(*overrides):
    """The policy of dev and prod, with tables of what is different."""
    whole = [text({}, {}, {"name": '"prod"', "required": "1", "approvers_name": '"approvers-prod"'})]
    for each in overrides:
        whole += ["[[overrides]]", *lines(each)]
    return "\n".join(whole)


def test_what_is_different_for_some_groups_counts_for_them_alone():
    policy = read_policy(
        overridden(
            {"groups": '["churn-eu*"]', "environments": '["prod"]', "required": "2", "approvers": f'"{OTHERS}"'},
            {
                "groups": '["churn-*"]',
                "notify": '{ teams = "19:0123456789abcdef@thread.tacv2" }',
                "expires_after": '"36h"',
            },
            {"groups": '["churn-eu-1"]', "required": "3", "four_eyes": "true"},
        )
    )
    plain, prod, dev = (
        rules_of(policy, "prod", "churn"),
        rules_of(policy, "prod", "churn-eu"),
        rules_of(policy, "dev", "churn-eu"),
    )
    last = rules_of(policy, "prod", "churn-eu-1")
    assert plain == policy.environments[1]
    assert (prod.required, prod.approvers, dev.required, dev.approvers) == (2, OTHERS, 1, GUID)
    assert (prod.notify, prod.expires_after) == ({"teams": "19:0123456789abcdef@thread.tacv2"}, timedelta(hours=36))
    assert prod.who_may_answer == f"members of the group {OTHERS}", "not by the name of the others"
    assert (last.required, last.four_eyes, last.approvers) == (3, True, OTHERS), "the later of two counts"
    assert policy.environment("uat", "churn-eu") is None
    assert policy.teams, "where an override asks somebody in Teams, somebody is asked there"
    assert OTHERS in {each.approvers for each in policy.all_rules}


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ({"groups": "", "required": "2"}, "overrides[1].groups: is missing"),
        ({"groups": '["a"]'}, "overrides[1]: changes nothing"),
        ({"groups": '["a"]', "required": "0"}, "overrides[1].required: 0 is not right"),
        ({"groups": '["a"]', "name": '"dev"'}, "overrides[1].name: no such key"),
        ({"groups": '["a"]', "remind_after": '"soon"'}, "overrides[1].remind_after: 'soon' is not right"),
        (
            {"groups": '["a"]', "environments": '["uat"]', "required": "2"},
            "overrides[1].environments: 'uat' is none of dev, prod",
        ),
        ({"groups": '["a"]', "notify": '{ slack = "#models" }'}, "overrides[1].notify.slack: '#models' is not right"),
        ({"groups": '["a"]', "required": "2", "notify": "{}"}, "overrides[1].notify: names nobody"),
        ({"groups": '["a"]', "notify": "7"}, "overrides[1].notify: 7 is not right"),
    ],
)
def test_a_mistake_in_an_override_is_named_by_its_key(override, key):
    assert mistake(overridden(override)).startswith(key)


def test_an_override_that_is_no_table_is_a_mistake():
    assert "overrides" in mistakes(text({"overrides": "[7]"}))[0]


def test_decisions_follow_what_is_different_for_a_group():
    policy = policy_of(("dev",))
    world = World(replace(policy, overrides=(Override(("churn-eu*",), (), {"required": 2}),)))
    for group in ("churn", "churn-eu"):
        world.register(1, group)
        world.drain()
        world.answer("maya", f"{group}/1/dev/1")
        world.drain()
    assert world.pointer("dev", "churn") == 1
    assert world.pointer("dev", "churn-eu") is None
    world.answer("omar", "churn-eu/1/dev/1")
    world.drain()
    assert world.pointer("dev", "churn-eu") == 1


def test_how_metrics_are_read_is_read():
    table = (
        '{ order = ["auc"], higher = ["*uplift"], lower = ["*cost"], at_least = { auc = 0.8 }, at_most = { ms = 50 }, '
        'buckets = { "team-*" = "123456789012" } }'
    )
    found = read_policy(text({"metrics": table})).metrics
    assert found == MetricsPolicy(
        ("auc",), ("*uplift",), ("*cost",), {"auc": 0.8}, {"ms": 50.0}, {"team-*": "123456789012"}
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("auc", "1"),
        ("order", '"auc"'),
        ("order", "[1]"),
        ("higher", '[""]'),
        ("lower", "true"),
        ("at_least", "0.8"),
        ("at_least", "{ auc = true }"),
        ("at_least", '{ auc = "0.8" }'),
        ("at_least", "{ auc = nan }"),
        ("at_most", "{ auc = inf }"),
        ("buckets", '["models"]'),
        ("buckets", "{}"),
        ("buckets", '{ models = "our account" }'),
        ("buckets", "{ models = 123456789012 }"),
        ("at_most", "{ auc = [1] }"),
        ("at_most", "{ " + ", ".join(f"m{number} = 1" for number in range(11)) + " }"),
    ],
)
def test_a_wrong_value_about_metrics_is_named_by_its_key(key, value):
    assert mistake(text({"metrics": f"{{ {key} = {value} }}"})).startswith(f"metrics.{key}: ")


@pytest.mark.parametrize(
    "channel", ["19:abc", "19:abc@thread.v2", "https://teams.example.com", "19:a b@thread.tacv2", ""]
)
def test_a_teams_channel_is_named_by_its_id(channel):
    found = mistake(text({}, {"notify": f'{{ slack = "C0MODELSDEV", teams = "{channel}" }}'}))
    assert found.startswith("environments[1].notify.teams: ")
    (dev,) = read_policy(text({}, {"notify": '{ teams = "19:models-dev@thread.tacv2" }'})).environments
    assert dev.notify == {"teams": "19:models-dev@thread.tacv2"}


# ----------------------------------------------------------------------------- who an account is, and who gets mail


@pytest.mark.parametrize(("identity", "pages"), [("email", False), ("linked", True), ("sign-in", True)])
def test_an_environment_says_how_well_an_account_has_to_be_known(identity, pages):
    policy = read_policy(text({}, {}, {"name": '"test"', "identity": f'"{identity}"'}))
    assert [each.identity for each in policy.environments] == ["email", identity]
    assert (policy.signs_in, policy.mails) == (pages, False)


def test_whoever_confirms_links_is_a_group():
    assert read_policy(text()).administrators == ""
    assert read_policy(text({"administrators": f'"{GUID}"'})).administrators == GUID


def notified(value):
    return read_policy(text({}, {"notify": value})).environments[0].notify


def test_mails_go_to_each_address_once():
    addresses = '["maya.chen@example.com", "approvers+dev@mail.example.com", "maya.chen@example.com"]'
    both = notified(f'{{ slack = "C0MODELSDEV", email = {addresses} }}')
    assert both == {"slack": "C0MODELSDEV", "email": "maya.chen@example.com, approvers+dev@mail.example.com"}
    assert notified(f"{{ email = {addresses} }}") == {"email": both["email"]}


def test_a_policy_that_sends_mail_needs_pages():
    policy = read_policy(text({}, {}, {"name": '"test"', "notify": '{ email = ["a@example.com"] }'}))
    assert (policy.mails, policy.signs_in) == (True, True)


@pytest.mark.parametrize(
    "address",
    ["", "maya", "@example.com", "maya@", "maya@localhost", "maya@example.com.", "maya@-example.com", "a:b@x.y",
     "maya@example..com", ".maya@example.com", "maya.@example.com", "ma..ya@example.com", "ma ya@example.com",
     "m\u00e4ya@example.com",
     "maya@ex\u00e4mple.com", "maya(cfo)@example.com", "maya@example.com\\nBcc: eve@evil.example",
     "maya@example.com,eve", "Maya <maya@example.com>", "maya@a@example.com", "x" * 65 + "@example.com",
     "maya@" + "a." * 130 + "com", "a;b@x.y"],
)  # fmt: skip
def test_an_address_that_means_anything_to_a_header_or_nothing_to_mail_is_named(address):
    found = mistake(text({}, {"notify": f'{{ slack = "C0MODELSDEV", email = ["{address}"] }}'}))
    assert found.startswith("environments[1].notify.email: ")
    assert "is not right; one to ten e-mail addresses" in found


@pytest.mark.parametrize("value", ['"a@example.com"', "[]", "[1]", '"C0MODELSDEV"', "{}", "true"])
def test_addresses_have_to_be_a_list_of_them(value):
    found = mistake(text({}, {"notify": f"{{ email = {value} }}"}))
    assert found.startswith("environments[1].notify.email: ")


def test_at_most_ten_addresses_get_mail():
    ten = [f"a{number}@example.com" for number in range(10)]
    assert len(notified(f"{{ email = {ten} }}")["email"].split(", ")) == 10
    assert "one to ten" in mistake(text({}, {"notify": f"{{ email = {[*ten, 'b@example.com']} }}"}))


@given(st.text(max_size=40))
def test_no_address_ends_the_header_it_stands_in(address):
    assert not EMAIL.fullmatch(address) or not set('\r\n,;:<>()[]" \\') & set(address)


def test_an_environment_that_tells_nobody_is_a_mistake():
    expected = "environments[1].notify: names nobody; give a channel of Slack or Teams, or e-mail addresses."
    assert mistake(text({}, {"notify": "{}"})) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"escalate_after": '"1d"'}, "says when, but not who is told"),
        ({"escalate_after": '"14d"', "escalate_to": f'"{GUID}"'}, "is not before expires_after"),
    ],
)
def test_an_escalation_that_would_never_happen_is_refused(given, says):
    assert mistake(text({}, given)).startswith(f"environments[1].escalate_after: {says}")


def test_what_happens_when_nobody_answers():
    usual = read_policy(text({}, {})).environments[0]
    assert (usual.remind_after, usual.escalate_to, usual.escalate_after) == (timedelta(days=1), "", None)
    given = {"remind_after": '"90m"', "escalate_to": f'"{GUID}"', "escalate_after": '"3d"'}
    one = read_policy(text({}, given)).environments[0]
    assert (one.remind_after, one.escalate_to, one.escalate_after) == (
        timedelta(minutes=90),
        GUID,
        timedelta(days=3),
    )
    assert read_policy(text({}, {"remind_after": '"never"'})).environments[0].remind_after == timedelta(0)


def test_unknown_keys_are_named_with_those_that_are_known():
    policy = text({"group": '"churn"'}, {"approver": '"x"', "notify": '{ slack = "C0MODELSDEV", fax = "1" }'})
    top, environment, notify = mistakes(policy)
    assert top.startswith("group: no such key; known are groups, since, administrators, metrics, environments")
    assert environment.startswith("environments[1].approver: no such key; known are name, approvers")
    assert notify == "environments[1].notify.fax: no such key; known are slack, teams, email."


def test_an_environment_stands_once():
    assert mistake(text({}, {}, {})) == "environments[2].name: 'dev' stands twice."


def test_the_mistakes_of_all_tables_are_told_at_once():
    found = mistakes(text({"since": ""}, {"required": "0"}, {"name": '"test"', "approvers": ""}))
    assert [each.split(":")[0] for each in found] == ["since", "environments[1].required", "environments[2].approvers"]


def test_a_long_wrong_value_is_shortened():
    assert len(mistake(text({}, {"name": f'"{"X" * 500}"'}))) < 250


def test_a_version_of_a_governed_group_is_governed_from_since_on():
    policy = read_policy(text())
    assert policy.why_not(package()) == ""
    assert policy.why_not(package("fraud-1")) == ""
    assert policy.governs(ModelVersion("churn-eu", 1), SINCE)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (package("fraud-12"), "does not govern the group fraud-12"),
        (package("Churn"), "does not govern the group Churn"),
        (package(created_at=SINCE - timedelta(microseconds=1)), "before the policy's since"),
        (package(created_at=None), "before the policy's since"),
        (package(package_status="Failed"), "its status is Failed, not Completed"),
        (package(registration="Logged"), "only logged, not registered"),
    ],
)
def test_a_version_that_is_not_governed_says_why_not(found, why):
    assert why in read_policy(text()).why_not(found)


def test_a_version_without_a_time_or_from_before_is_not_guessed_to_be_governed():
    policy = read_policy(text())
    assert not policy.governs(ModelVersion("churn", 1), None)
    assert not policy.governs(ModelVersion("churn", 1), SINCE - timedelta(seconds=1))
    assert not policy.governs(ModelVersion("other", 1), SINCE)
