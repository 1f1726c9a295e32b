"""An auditor at the command line: does the history hold, what was said, and what was approved at a time."""

import csv
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.cli import main
from infra.local.stack import Stack
from tests.journeys.people import approve, registered, reject
from tests.journeys.policies import by_approval

FIRST = "/model-approvals/churn/history/1/0002"


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """One model is approved for dev, a second one was rejected there."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        approve(running, registered(running, "churn"))
        reject(running, registered(running, "fraud-cards"), "=Recall drops for small amounts.")
        yield running


@pytest.fixture
def said(stack, capsys):
    """What a command prints and how it ends: `said("verify", "churn")`."""

    def run(*words):
        how = main(list(words), stack.environment)
        return capsys.readouterr().out, how

    return run


def test_a_history_that_nobody_touched_holds(said):
    assert said("verify") == ("2 groups, 2 versions, 5 entries, 1 approved models: All of it holds.\n", 0)
    found, how = said("verify", "churn", "--json")
    [group] = json.loads(found)
    assert (group["group"], group.get("findings", []), how) == ("churn", [], 0)


def test_an_entry_that_somebody_has_changed_is_named(stack, said):
    store = stack.aws.client("ssm")
    kept = store.get_parameter(Name=FIRST)["Parameter"]["Value"]
    try:
        store.put_parameter(Name=FIRST, Value=kept.replace("Maya", "Mara"), Type="String", Overwrite=True)
        told, how = said("verify", "churn")
        assert how == 4
        assert told.splitlines()[0] == "churn v1, entry 2: was written 2 times; entries are written once"
        assert "churn v1, entry 3: does not follow from the entry before it" in told
        assert "is not the one that the status knows" not in told.splitlines()[0]
        store.delete_parameter(Name=FIRST)
        told, how = said("verify", "churn")
        assert (told.splitlines()[0], how) == ("churn v1, entry 2: is missing, though entry 3 is there", 4)
    finally:
        store.put_parameter(Name=FIRST, Value=kept, Type="String", Overwrite=True)


@pytest.mark.parametrize("value", ["garbage", '{"status": "None"}'])
def test_an_approved_model_that_somebody_has_changed_is_named_also_while_others_decide(stack, said, value):
    store, name = stack.aws.client("ssm"), "/model-approvals/churn/approved/dev"
    kept = store.get_parameter(Name=name)["Parameter"]["Value"]
    store.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    try:
        told, how = said("verify", "churn")
        assert (told.splitlines()[0], how) == ("churn v1: approved/dev is not what the histories say, which is v1", 4)
    finally:
        store.put_parameter(Name=name, Value=kept, Type="String", Overwrite=True)


@pytest.mark.parametrize("watched", [True, False])
def test_only_where_a_person_watches_it_is_counted(stack, capsys, monkeypatch, watched):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    assert main(["verify"], stack.environment) == 0
    assert ("[....................] 0 of 2 groups verified: churn" in capsys.readouterr().err) == watched
    assert main(["sweep", "--all"], stack.environment) == 0
    said = capsys.readouterr()
    assert ("[####################] 2 of 2 versions with a history" in said.err) == watched
    assert "missed registrations" in said.out


def test_every_entry_is_exported_as_it_is_stored(stack, said):
    lines = [json.loads(line) for line in said("export")[0].splitlines()]
    about = ("model_package_group_name", "model_package_version")
    assert [(*(each[name] for name in about), each["seq"], each["kind"]) for each in lines] == [
        ("churn", 1, 1, "opened"),
        ("churn", 1, 2, "vote"),
        ("churn", 1, 3, "opened"),
        ("fraud-cards", 1, 1, "opened"),
        ("fraud-cards", 1, 2, "vote"),
    ]
    stored = json.loads(stack.aws.client("ssm").get_parameter(Name=FIRST)["Parameter"]["Value"])
    assert lines[1] == {**dict(zip(about, ("churn", 1), strict=True)), **stored}


def test_a_time_range_may_be_exported_for_a_spreadsheet(said):
    [_, *rows] = csv.reader(io.StringIO(said("export", "--format", "csv", "--since", "2026-01-01")[0]))
    assert [row[0] for row in rows] == ["churn"] * 3 + ["fraud-cards"] * 2
    assert said("export", "--until", "2026-01-01") == said("export", "--since", "2099-01-01") == ("", 0)
    text = said("export", "fraud-cards", "--format", "csv")[0]
    assert text.count("group,version") == 1
    assert ",=Recall" not in text


def test_what_was_approved_at_a_time(said):
    [line] = said("export", "--approved", "dev")[0].splitlines()
    found = json.loads(line)
    assert (found["group"], found["version"], found["approved_by"]) == ("churn", 1, "Maya Chen")
    assert said("export", "--approved", "dev", "--at", "2026-01-01T00:00:00Z") == ("", 0)
    assert said("export", "--approved", "test", "--at", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")) == ("", 0)


def test_of_each_person_it_is_said_whether_they_may_answer_and_why_not(said):
    people = ["omar.haddad", "eli.outside", "nobody"]
    words = [word for each in people for word in ("--person", f"{each}@example.com")]
    text, how = said("who", "churn", "1", "test", *words)
    assert how == 0
    request, omar, eli, nobody = text.splitlines()
    assert request == "churn/1/test/1: Waits for members of approvers-test"
    assert omar == "omar.haddad@example.com: may answer."
    assert eli.startswith("eli.outside@example.com: Eli Outside is not an approver for test. Only members of")
    assert nobody.startswith("nobody@example.com: Not one person of the directory has this address")
    found = json.loads(said("who", "churn", "1", "test", *words, "--json")[0])
    assert (found["request"], found["may_not"]["omar.haddad@example.com"]) == ("churn/1/test/1", "")


@pytest.mark.parametrize(("asked", "says"), [(("1", "uat"), "has not been asked about"), (("1", "else"), "no request")])
def test_where_nothing_was_asked_nobody_may_answer(stack, capsys, asked, says):
    assert main(["who", "churn", *asked], stack.environment) == 1
    assert says in capsys.readouterr().err


def test_the_page_on_which_an_approval_is_taken_back_is_that_of_the_one_that_stands(stack, said, capsys):
    assert said("revoke", "churn", "1", "dev", "--no-browser") == (
        f"{stack.gateway.pages_url}/revoke/churn/1/dev/1\n",
        0,
    )
    assert main(["revoke", "fraud-cards", "1", "dev", "--no-browser"], stack.environment) == 1
    assert "there is nothing to take back" in capsys.readouterr().err


def test_a_group_of_which_nothing_is_recorded_is_a_mistake(stack, capsys):
    assert main(["verify", "chrun"], stack.environment) == 1
    assert "Nothing is recorded of chrun." in capsys.readouterr().err


def test_an_entry_cannot_say_that_it_is_another_one(stack, said):
    store, name = stack.aws.client("ssm"), "/model-approvals/churn/history/1/0004"
    lie = {"at": 5, "seq": 9, "model_package_group_name": "other", "kind": "vote"}
    store.put_parameter(Name=name, Value=json.dumps(lie), Type="String")
    try:
        last = [json.loads(line) for line in said("export", "churn")[0].splitlines()][-1]
        assert (last["seq"], last["model_package_group_name"], last["at"]) == (4, "churn", "1970-01-01T00:00:00.000Z")
    finally:
        store.delete_parameter(Name=name)


def test_a_time_of_no_environment_is_a_mistake(stack, capsys):
    assert main(["export", "--at", "2026-01-01"], stack.environment) == 1
    assert "name the environment" in capsys.readouterr().err
    assert main(["export", "--approved", "dev", "--until", "2026-01-01"], stack.environment) == 1
    assert "about one moment" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["export", "--since", "yesterday"], stack.environment)
    assert "not a day or time such as" in capsys.readouterr().err
