"""Numbers as CloudWatch reads them out of the log."""

import json
from datetime import UTC, datetime

import pytest

from bot.aws.meter import EmbeddedMetrics
from bot.trace import traced

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def meter(capsys):
    """Give what a number is written as: `meter("Requests", environment="dev")`."""
    metrics = EmbeddedMetrics("approvals-prod", lambda: NOW)

    def written(what, value=1.0, /, **of):
        metrics(what, value, **of)
        [line] = capsys.readouterr().out.splitlines()
        return json.loads(line)

    return written


def test_a_number_is_there_for_all_and_for_what_it_is_of(meter):
    with traced("event-1"):
        found = meter("TimeToDecision", 7200.5, environment="dev")
    [about] = found["_aws"]["CloudWatchMetrics"]
    assert about == {
        "Namespace": "approvals-prod",
        "Dimensions": [["service"], ["service", "environment"]],
        "Metrics": [{"Name": "TimeToDecision", "Unit": "Seconds"}],
    }
    assert found["_aws"]["Timestamp"] == 1_795_510_800_000
    assert found["TimeToDecision"] == 7200.5
    assert (found["service"], found["environment"], found["trace"]) == ("model-approvals", "dev", "event-1")


def test_a_number_of_nothing_in_particular_has_one_dimension(meter):
    found = meter("ParametersUsed", 81.2)
    [about] = found["_aws"]["CloudWatchMetrics"]
    assert about["Dimensions"] == [["service"]]
    assert about["Metrics"] == [{"Name": "ParametersUsed", "Unit": "Percent"}]


def test_every_dimension_and_number_that_is_named_is_in_the_line(meter):
    """The specification calls a document malformed in which a target member is missing."""
    found = meter("Decisions", environment="dev", outcome="approved")
    [about] = found["_aws"]["CloudWatchMetrics"]
    named = {each for one in about["Dimensions"] for each in one} | {each["Name"] for each in about["Metrics"]}
    assert named <= set(found)
    assert all(isinstance(found[each], str) and found[each] for one in about["Dimensions"] for each in one)
