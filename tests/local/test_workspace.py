"""The workspace behind its page: who is who, what pipelines do at the press of a button, and what is refused."""

import http.client
import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.models import PIPELINE, Registered
from infra.local.page import Page, workspace_page
from infra.local.page.pane import Pane
from infra.local.stack import Stack
from tests.journeys.people import approve, revoke

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


@pytest.fixture
def furnished(stack: Stack) -> str:
    """A group of which a version asks for dev."""
    group = f"churn-{uuid.uuid4().hex[:8]}"
    stack.pipeline.register(group)
    stack.settle()
    return group


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
    registered = act(page, "/pipelines/register", "U0DANA", group="churn-seen", sample="churn-1")
    assert registered == (200, '{"said": "churn-seen v1 is registered."}')
    stack.settle()
    after = seen(page)
    [mail] = [each for each in after["mail"]["mails"] if each["subject"] == "Approve churn-seen v1 for dev?"]
    assert mail["to"] == "approvers-dev@example.com"
    assert "dana.scientist@example.com" in json.dumps(after["slack"]["channels"][0]["messages"][-1])
    assert "Approve churn-seen v1 for dev?" in json.dumps(after["teams"]["channels"][0]["messages"][-1])
    [group] = [each for each in after["aws"]["groups"] if each["name"] == "churn-seen"]
    assert group["versions"][0]["status"] == "PendingManualApproval"
    assert "/model-approvals/churn-seen/history/1/0001" in [each["name"] for each in after["aws"]["parameters"]]
    assert "SageMaker Model Package State Change" in [each["text"] for each in after["log"]["lines"]]


def test_a_group_that_the_policy_does_not_govern_is_registered_and_nobody_is_asked(page):
    status, said = act(page, "/pipelines/register", group="sales", sample="churn-1")
    assert (status, json.loads(said)["said"]) == (
        200,
        "sales v1 is registered. Nobody is asked: the policy governs churn*, fraud-* alone.",
    )


@pytest.mark.parametrize(
    ("path", "given", "why"),
    [
        ("/pipelines/register", {"group": "no such name!", "sample": "churn-1"}, "Nothing was registered"),
        ("/pipelines/register", {"group": "churn", "sample": "../../bot"}, "Nothing was registered"),
        ("/pipelines/register", {"group": "churn"}, "“sample” is needed."),
        (
            "/pipelines/infer",
            {"group": "churn", "environment": "prod", "outcome": "good"},
            "Nothing of churn is approved",
        ),
        ("/pipelines/infer", {"group": "churn", "environment": "dev", "outcome": "great"}, "There is no outcome great"),
        ("/faults/switch", {"fault": "weather", "on": True}, "There is no fault weather; there are slack, entra"),
        ("/slack/command", {"channel": "C0NOWHERE", "text": "/model-status"}, "maya sees no channel C0NOWHERE"),
        ("/slack/press", {"channel": "C0MODELSDEV", "ts": "1.0", "action_id": "x"}, "sees no message"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_reason(page, path, given, why):
    status, said = act(page, path, **given)
    assert (status, why in said) == (400, True), said


def test_a_stranger_registers_nothing(page):
    assert act(page, "/pipelines/register", "U0NOBODY", group="churn", sample="churn-1") == (
        400,
        "U0NOBODY is nobody here. Choose a person at the top of the page.",
    )


def test_a_press_leaves_nobody_else_the_requester(stack, page):
    before = dict(stack.aws.source_identities)
    act(page, "/pipelines/register", "U0DANA", group="no such name!", sample="churn-1")
    act(page, "/pipelines/register", "U0DANA", group="churn-pressed", sample="churn-1")
    assert stack.aws.source_identities.get(PIPELINE, "") == before.get(PIPELINE, "")


@pytest.mark.usefixtures("furnished")
def test_a_mail_is_served_with_links_that_leave_it_and_nothing_that_runs(page):
    status, html = asked(page, "GET", "/mail/1")
    assert (status, '<base target="_blank">' in html, "<script" in html) == (200, True, False)
    for number in ("0", "99", "x", "-1"):
        assert asked(page, "GET", f"/mail/{number}")[0] == 404


def test_a_run_that_fails_asks_for_nothing_and_a_worse_one_says_what_it_measured(stack, page, furnished):
    model = Registered(furnished, 1, "")
    approve(stack, model)
    assert act(page, "/pipelines/infer", group=furnished, environment="dev", outcome="failing")[0] == 200
    stack.settle()
    assert stack.parameter(f"_open/{furnished}/1/test") is None
    assert act(page, "/pipelines/infer", group=furnished, environment="dev", outcome="worse")[0] == 200
    stack.settle()
    assert measured(stack, furnished)["auc"] < 0.75, "in its test it had 0.793"


def test_nothing_runs_where_an_approval_was_taken_back(stack, page, furnished):
    model = Registered(furnished, 1, "")
    approve(stack, model)
    revoke(stack, model)
    status, said = act(page, "/pipelines/infer", group=furnished, environment="dev", outcome="good")
    assert (status, said) == (400, f"Nothing of {furnished} is approved for dev, so nothing can run there.")


def test_a_part_that_fails_is_named_and_the_page_goes_on(stack):
    class Broken(Pane):
        name = "broken"

        def version(self) -> int:
            return 0

        def seen_by(self, _: str) -> dict[str, object]:
            raise ZeroDivisionError("nothing to share")

    with Page([Broken()]) as page:
        status, said = asked(page, "GET", "/state?user=")
        assert (status, "ZeroDivisionError: nothing to share" in said, "<" in said) == (500, True, False)
        assert asked(page, "GET", "/")[0] == 200


def test_a_page_that_has_ended_listens_no_more(stack):
    handlers, callbacks = list(logging.getLogger("bot").handlers), list(stack.bus.on_put)
    with workspace_page(stack):
        assert logging.getLogger("bot").handlers != handlers
    assert (logging.getLogger("bot").handlers, stack.bus.on_put) == (handlers, callbacks)


def test_a_name_that_another_site_gave_this_machine_reads_nothing(page):
    connection = http.client.HTTPConnection(page.url.removeprefix("http://"))
    connection.request("GET", "/state?user=U0MAYA", headers={"Host": "rebound.example.com"})
    assert connection.getresponse().status == 400
    connection.close()


def measured(stack: Stack, group: str) -> dict[str, float]:
    """The metrics of the newest run."""
    entries = sorted(name for name in stack.parameters() if f"/{group}/history/1/" in name)
    newest = json.loads(stack.parameters()[entries[-1]])
    return {each["name"]: each["value"] for each in newest["evidence"]["metrics"]}
