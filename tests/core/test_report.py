"""What the command line and pipelines are told, from histories that real use-cases wrote."""

import csv
import io
import json

import pytest

from bot import report
from bot.cli import main
from bot.domain import ModelVersion
from bot.errors import NotApproved, SettingsError
from bot.library import approved_model
from bot.status import GroupStatus, read_status
from infra.local.aws import Aws
from tests.proofs.world import World

APPROVED = "/model-approvals/churn/approved/dev"


def history():
    """Version 1 is approved for dev and waits for test; version 2 waits for dev."""
    world = World()
    world.register(1)
    world.drain()
    world.answer("maya", "churn/1/dev/1")
    world.drain()
    world.register(2)
    world.drain()
    return world


def rows_of(world, version=1):
    return report.history_rows(world.state(ModelVersion("churn", version)))


def status_of(world):
    return read_status(world.parameters.value(world.names.status("churn")))


def row(**cells):
    return {**dict.fromkeys(report.COLUMNS, ""), "version": 1, "at": "2026-11-24T09:00:00.000Z", **cells}


@pytest.fixture(scope="module")
def aws():
    """Parameter Store with a history in it."""
    with Aws() as started:
        for name, values in history().parameters.stored.items():
            put(started, name, values[-1])
        yield started


@pytest.fixture
def stored(aws, monkeypatch):
    """What points this process at that Parameter Store, whose pointer is as it was again afterwards."""
    variables = {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "LOCALREADER",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = get(aws, APPROVED)
    yield variables
    if get(aws, APPROVED) != before:
        put(aws, APPROVED, before)


def put(aws, name, value):
    aws.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def get(aws, name):
    return aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]


def edited(aws, **changes):
    """The approved model with some of its keys changed by hand."""
    value = json.loads(get(aws, APPROVED))
    put(aws, APPROVED, json.dumps({**value, **changes}))


def run(capsys, stored, *arguments):
    code = main(arguments, environment=stored)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_each_entry_is_a_row():
    found = rows_of(history())
    assert [each["kind"] for each in found] == ["opened", "vote", "opened"]
    assert [each["environment"] for each in found] == ["dev", "dev", "test"]
    assert [each["who"] for each in found] == ["pipeline", "Maya", "pipeline"]
    assert found[1]["what"] == "Maya approved churn v1 for dev."
    assert [each["seq"] for each in found] == [1, 2, 3]


def test_an_observation_is_a_row_of_whoever_did_it():
    world = history()
    model = ModelVersion("churn", 2)
    world.registry.edit(model, "kim", status="Rejected")
    world.drain()
    found = rows_of(world, 2)[-1]
    assert (found["kind"], found["who"]) == ("observed", "kim")


def test_rows_are_written_as_csv_with_a_header():
    rows = rows_of(history())
    found = list(csv.DictReader(io.StringIO(report.as_csv(rows))))
    assert tuple(found[0]) == report.COLUMNS
    assert [each["what"] for each in found] == [each["what"] for each in rows]


@pytest.mark.parametrize("first", ["=", "+", "-", "@"])
@pytest.mark.parametrize("before", ["", "\t", "\r", "\n", " "])
def test_a_cell_that_a_spreadsheet_would_calculate_is_quoted(before, first):
    _, _, line = report.as_csv([row(who=f"{before}{first}cmd()", what="1 = 1")]).partition("\n")
    assert line == f",1,,2026-11-24T09:00:00.000Z,,,,'{' ' if before else ''}{first}cmd(),1 = 1\n"


def test_a_line_break_within_a_cell_starts_no_row():
    text = report.as_csv([row(what="fine\r=HYPERLINK(1)")])
    assert text.splitlines()[1].endswith("fine =HYPERLINK(1)")


def test_a_timeline_has_a_line_for_each_step():
    found = report.timeline(rows_of(history())).splitlines()
    assert found[0].split() == ["when", "(UTC)", "version", "environment", "what"]
    assert found[2].startswith("2026-11-24 09:00:00  v1")
    assert found[2].endswith("dev          Maya approved churn v1 for dev.")
    assert report.timeline([]) == "No history yet."


def test_a_line_stays_one_line_whatever_was_written():
    found = report.timeline([row(what="one\ntwo\x1b[2Jthree")])
    assert len(found.splitlines()) == 2
    assert "\x1b" not in found


def test_a_status_table_has_a_line_for_each_version_and_says_what_runs():
    found = report.status_table({"churn": status_of(history())}, ("dev", "test", "prod"))
    header, *lines = [line.split() for line in found.splitlines()]
    assert header == ["group", "version", "dev", "test", "prod"]
    assert lines == [["churn", "v2", "pending", "-", "-"], ["churn", "v1", "approved", "(runs)", "pending", "-"]]


def test_what_waits_for_an_environment_that_the_policy_lacks_is_shown_all_the_same():
    header, *_ = report.status_table({"churn": status_of(history())}, ("test", "prod")).splitlines()
    assert header.split() == ["group", "version", "test", "prod", "dev"]


def test_a_status_table_may_be_narrowed_to_a_version():
    statuses = {"churn": status_of(history()), "fraud": GroupStatus()}
    assert len(report.status_table(statuses, ("dev",), 1).splitlines()) == 2
    assert report.status_table(statuses, ("dev",), 9) == "Nothing has been asked yet."


def test_a_status_as_a_value_says_what_is_approved():
    found = report.status_value("churn", status_of(history()))
    assert (found["group"], found["approved"], sorted(found["versions"])) == ("churn", {"dev": 1}, ["1", "2"])
    assert list(report.status_value("churn", status_of(history()), 2)["versions"]) == ["2"]
    assert report.status_value("none", GroupStatus()) == {"group": "none", "approved": {}, "versions": {}}


def test_the_approved_model_is_told(capsys, stored):
    code, out, _ = run(capsys, stored, "approved", "churn", "dev")
    assert code == 0
    assert out.splitlines()[0].split() == ["model", "churn", "v1"]
    assert "s3://models/1" in out
    assert "UTC by Maya" in out
    assert out.splitlines()[6].split() == ["previous", "-"]


def test_the_approved_model_is_told_in_json(capsys, stored):
    code, out, _ = run(capsys, stored, "approved", "churn", "dev", "--json")
    assert (code, json.loads(out)["model_package_version"]) == (0, 1)


def test_nothing_approved_is_an_exit_code_of_its_own(capsys, stored):
    code, out, err = run(capsys, stored, "approved", "churn", "test")
    assert (code, out) == (3, "")
    assert err.startswith("model-approvals: No model of churn is approved for test")


def test_a_mistake_in_the_settings_is_a_failure(capsys, stored):
    code, out, err = run(capsys, {**stored, "MODEL_APPROVALS_ROOT": "nowhere"}, "history", "churn")
    assert (code, out) == (1, "")
    assert "MODEL_APPROVALS_ROOT" in err


@pytest.mark.parametrize(
    "arguments", [(), ("approved", "_x", "dev"), ("history", "churn", "0"), ("status", "churn", "x")]
)
def test_a_command_that_cannot_be_read_is_explained(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments, environment={})
    assert caught.value.code == 2
    assert "usage: model-approvals" in capsys.readouterr().err


def test_the_status_of_every_group_is_told(capsys, stored):
    code, out, _ = run(capsys, stored, "status")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["churn", "v2"], ["churn", "v1"]]


def test_the_status_of_a_version_is_told_in_json(capsys, stored):
    code, out, _ = run(capsys, stored, "status", "churn", "1", "--json")
    (found,) = json.loads(out)
    assert (code, found["approved"], list(found["versions"])) == (0, {"dev": 1}, ["1"])


def test_the_history_of_a_group_is_told_oldest_first(capsys, stored):
    code, out, _ = run(capsys, stored, "history", "churn")
    assert code == 0
    assert [line.split()[2] for line in out.splitlines()[1:]] == ["v1", "v1", "v1", "v2"]


@pytest.mark.parametrize("arguments", [("--json",), ("--format", "json")])
def test_the_history_of_a_version_is_told_in_json(capsys, stored, arguments):
    code, out, _ = run(capsys, stored, "history", "churn", "2", *arguments)
    assert (code, [each["version"] for each in json.loads(out)]) == (0, [2])


def test_the_history_is_told_in_csv(capsys, stored):
    code, out, _ = run(capsys, stored, "history", "churn", "--format", "csv")
    assert (code, len(out.splitlines())) == (0, 5)


def test_a_pipeline_gets_its_model(stored):
    found = approved_model("churn", "dev", settings=stored)
    assert (found.model_package_version, found.model_data_url) == (1, "s3://models/1")


@pytest.mark.parametrize(("group", "environment"), [("../x", "dev"), ("churn", "Dev"), ("_status", "dev"), ("", "")])
def test_what_is_no_group_or_environment_has_no_model(group, environment):
    with pytest.raises(NotApproved, match="are not a model package group and an environment"):
        approved_model(group, environment, settings={})


def test_a_root_that_is_none_is_named():
    with pytest.raises(SettingsError, match="MODEL_APPROVALS_ROOT: is not right"):
        approved_model("churn", "dev", settings={"MODEL_APPROVALS_ROOT": "nowhere"})


def test_a_pointer_that_is_absent_names_no_model(stored):
    with pytest.raises(NotApproved, match=r"No model of churn is approved for prod .*Ask its approvers"):
        approved_model("churn", "prod", settings=stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "None", "model_package_version": None, "approved_at": None},
        {"model_package_version": None},
        {"approved_at": None},
        {"status": "Perhaps"},
        {"model_package_version": "one"},
    ],
)
def test_a_pointer_that_names_nothing_names_no_model(aws, stored, changes):
    edited(aws, **changes)
    with pytest.raises(NotApproved, match="No model of churn is approved for dev"):
        approved_model("churn", "dev", settings=stored)


def test_a_pointer_that_cannot_be_read_names_no_model(aws, stored):
    put(aws, APPROVED, "not json")
    with pytest.raises(NotApproved, match="No model of churn is approved for dev"):
        approved_model("churn", "dev", settings=stored)


@pytest.mark.parametrize("changes", [{"model_package_group_name": "fraud"}, {"environment": "prod"}])
def test_a_pointer_that_names_another_group_or_environment_is_not_followed(aws, stored, changes):
    edited(aws, **changes)
    with pytest.raises(NotApproved, match=r"names a model of .*: changed by hand"):
        approved_model("churn", "dev", settings=stored)
