"""The workspace behind its page: who is who, what pipelines do at the press of a button, and what is refused."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.page import Page, workspace_page
from infra.local.stack import Stack

MAYA, GUS, ADA = "U0MAYA", "U0GUS", "U0ADA"
Said = tuple[int, str]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The shipped policy."""
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def page(stack: Stack) -> Iterator[Page]:
    with workspace_page(stack) as served:
        yield served


def asked(page: Page, method: str, path: str, body: bytes = b"") -> Said:
    connection = http.client.HTTPConnection(page.url.removeprefix("http://"))
    connection.request(method, path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def act(page: Page, path: str, user: str = MAYA, **given: Any) -> Said:
    return asked(page, "POST", path, json.dumps({"user": user, **given}).encode())


def seen(page: Page, user: str = MAYA) -> Any:
    return json.loads(asked(page, "GET", f"/state?user={user}")[1])


def test_permalinks_of_slack_lead_to_the_page(stack, page):
    assert stack.slack.page_url == page.url


def test_everybody_is_named_with_what_they_may_do(page):
    people = seen(page)["people"]
    assert people[MAYA] == "approves all"
    assert people["U0PRIYA"] == "approves prod"
    assert (people[GUS], people["U0LENA"], people[ADA]) == ("guest", "has left", "administrator")
    assert (people["U0DANA"], people["U0ELI"]) == ("data scientist", "accountant")


def test_who_is_not_in_the_team_sees_nothing_of_it_and_is_told_so(page):
    assert [each["name"] for each in seen(page)["teams"]["channels"]] == ["models-dev-test", "models-uat-prod"]
    assert seen(page, ADA)["teams"]["channels"] == []
    status, said = act(page, "/teams/write", "U0NOBODY", channel="19:models-dev-test@thread.tacv2", text="model-status")
    assert (status, said) == (400, "You are not in Teams. Choose another person at the top of the page.")


def test_whoever_registers_is_the_requester_and_everything_shows_it(stack, page):
    before = asked(page, "GET", f"/state?user={MAYA}")[1]
    assert act(page, "/work/register", "U0DANA", group="churn", sample="churn-1") == (
        200,
        '{"said": "churn v1 is registered."}',
    )
    stack.settle()
    after = seen(page)
    assert json.loads(before)["mail"]["mails"] == []
    assert [each["to"] for each in after["mail"]["mails"]] == ["approvers-dev@example.com"]
    assert "dana.scientist@example.com" in json.dumps(after["slack"]["channels"][0]["messages"])
    assert "Approve churn v1 for dev?" in json.dumps(after["teams"]["channels"][0]["messages"])
    [group] = after["aws"]["groups"]
    assert (group["name"], group["versions"][0]["status"]) == ("churn", "PendingManualApproval")
    assert "/model-approvals/churn/history/1/0001" in [each["name"] for each in after["aws"]["parameters"]]
    assert "SageMaker Model Package State Change" in [each["text"] for each in after["log"]["lines"]]


def test_a_group_that_the_policy_does_not_govern_is_registered_and_nobody_is_asked(page):
    status, said = act(page, "/work/register", group="sales", sample="churn-1")
    assert (status, json.loads(said)["said"]) == (
        200,
        "sales v1 is registered. Nobody is asked: the policy governs churn*, fraud-* alone.",
    )


@pytest.mark.parametrize(
    ("path", "given", "why"),
    [
        ("/work/register", {"group": "no such name!", "sample": "churn-1"}, "Nothing was registered"),
        ("/work/register", {"group": "churn", "sample": "../../bot"}, "Nothing was registered"),
        ("/work/register", {"group": "churn"}, "'sample' is needed"),
        ("/work/infer", {"group": "churn", "environment": "prod", "outcome": "good"}, "Nothing of churn is approved"),
        ("/work/infer", {"group": "churn", "environment": "dev", "outcome": "great"}, "There is no outcome great"),
        ("/faults/switch", {"fault": "weather", "on": True}, "There is no fault weather; there are slack, entra"),
        ("/slack/press", {"channel": "C0MODELSDEV", "ts": "1.0", "action_id": "x"}, "sees no message"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_reason(page, path, given, why):
    status, said = act(page, path, **given)
    assert (status, why in said) == (400, True), said


def test_a_stranger_registers_nothing(page):
    assert act(page, "/work/register", "U0NOBODY", group="churn", sample="churn-1") == (
        400,
        "U0NOBODY is nobody here. Choose a person at the top of the page.",
    )


def test_a_mail_is_served_with_links_that_leave_it_and_nothing_that_runs(page):
    status, html = asked(page, "GET", "/mails/1")
    assert (status, '<base target="_blank">' in html, "<script" in html) == (200, True, False)
    for number in ("0", "99", "x", "-1"):
        assert asked(page, "GET", f"/mails/{number}")[0] == 404


def test_a_run_that_fails_asks_for_nothing_and_a_worse_one_says_what_it_measured(stack, page):
    card = seen(page)["slack"]["channels"][0]["messages"][0]
    assert act(page, "/slack/press", channel="C0MODELSDEV", ts=card["ts"], action_id="approval.approve")[0] == 200
    stack.settle()
    assert act(page, "/work/infer", group="churn", environment="dev", outcome="failing")[0] == 200
    stack.settle()
    assert stack.parameter("_open/churn/1/test") is None
    assert act(page, "/work/infer", group="churn", environment="dev", outcome="worse")[0] == 200
    stack.settle()
    assert measured(stack)["auc"] < 0.75, "in its test it had 0.793"


def measured(stack: Stack) -> dict[str, float]:
    """The metrics of the newest run."""
    entries = sorted(name for name in stack.parameters() if "/churn/history/1/" in name)
    newest = json.loads(stack.parameters()[entries[-1]])
    return {each["name"]: each["value"] for each in newest["evidence"]["metrics"]}
