"""What operators see: which click or event a line of the log belongs to, and how the bot is, in every chat."""

import json
import logging
import uuid
from collections.abc import Iterator

import pytest

from infra.local.stack import Stack
from tests.journeys.people import approve, buttons, card, registered, state, told
from tests.journeys.policies import by_approval


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """A stack whose functions write numbers down."""
    settings = {"MODEL_APPROVALS_METRICS": "approvals", **by_approval(tmp_path_factory.mktemp("policy"))}
    with Stack(settings=settings) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


def lines(caplog, trace):
    return [each.getMessage() for each in caplog.records if getattr(each, "trace", "") == trace]


def test_everything_that_follows_from_a_click_bears_the_name_of_its_entry(stack: Stack, caplog):
    caplog.set_level(logging.INFO, "bot")
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model)
    [vote] = [each for each in state(stack, model).entries if each.op.startswith("slack|")]
    said = lines(caplog, vote.op)
    assert [each for each in said if each.startswith("AnswerJob") and each.rstrip().endswith("carried out")]
    asked = stack.parameter(f"{model.group}/cards/1/test/1")
    assert asked, "the approval has asked for test"
    opening = [
        each for each in caplog.records if each.getMessage().startswith("OpenJob") and model.group in each.getMessage()
    ]
    assert opening
    assert all(each.trace for each in opening), "no line is without the click or event that it follows from"


def test_a_refusal_is_found_by_the_click_that_was_refused(stack: Stack, caplog):
    caplog.set_level(logging.INFO, "bot")
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    approve(stack, model, user="U0ELI")
    [refusal] = [each for each in caplog.records if "refused: Eli Outside is not an approver" in each.getMessage()]
    assert refusal.trace.startswith("slack|")
    assert "U0ELI" in refusal.trace


def test_numbers_are_written_where_a_namespace_is_set(stack: Stack, capsys):
    approve(stack, registered(stack, f"churn-{uuid.uuid4().hex[:8]}"))
    stack.functions["sweep"]({"all": True})
    stack.settle(60)
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    names = {each["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] for each in written}
    assert {"Requests", "Decisions", "TimeToDecision", "ParametersUsed"} <= names
    [decided] = [each for each in written if "TimeToDecision" in each]
    assert decided["environment"] == "dev"
    assert decided["trace"].startswith("slack|")


def test_everybody_may_ask_how_the_bot_is(stack: Stack):
    stack.sweep()
    before = len(told(stack, "U0ELI"))
    assert stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "health").status == 200
    [says] = told(stack, "U0ELI")[before:]
    assert says.startswith("All is well: schedule, queue and worker did their part")
    model = registered(stack, f"churn-{uuid.uuid4().hex[:8]}")
    assert buttons(card(stack, model))
    stack.slack.command("U0ELI", "C0MODELSDEV", "/model-status", "health")
    assert "for an answer, the oldest since" in str(stack.slack.workspace.ephemerals("U0ELI")[-1].blocks)
