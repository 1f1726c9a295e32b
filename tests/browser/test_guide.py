"""The guided first approval, by somebody who does what it says and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import PHONE, WIDE

STEPS = 6


@pytest.fixture
def stack() -> Iterator[Stack]:
    """The shipped policy, and nothing registered."""
    with Stack() as running:
        yield running


@pytest.fixture(params=[WIDE, PHONE], ids=["wide", "phone"])
def guided(request, stack: Stack, open_page) -> Iterator[Page]:
    with workspace_page(stack) as served:
        page = open_page(width=request.param)
        page.goto(f"{served.url}/")
        yield page


def test_six_steps_lead_to_an_approval_in_slack_and_one_in_teams(stack, guided, picture):
    guide = guided.get_by_role("region", name="Your first approval")

    def at(step: int, title: str) -> None:
        expect(guide).to_contain_text(f"step {step} of {STEPS}")
        expect(guide.get_by_role("heading", name=title)).to_be_visible()

    expect(guided.get_by_label("You are")).to_have_value("U0DANA")
    at(1, "A model version is registered")
    guide.get_by_role("button", name="Show the button").click()
    expect(guided.get_by_role("button", name="Register a version")).to_be_focused()
    guided.keyboard.press("Enter")
    expect(guided.get_by_text("churn v1 is registered.")).to_be_visible()
    guide.get_by_role("button", name="Show the registry").click()
    expect(guided.get_by_role("heading", name="Model Registry")).to_be_visible()
    at(2, "Be an approver")
    guide.get_by_role("button", name="Be Maya").click()
    at(3, "Approve it for dev, in Slack")
    if guided.viewport_size["width"] > PHONE:
        guided.set_viewport_size({"width": 1280, "height": 900})
        picture(guided, "workspace")
    guided.get_by_role("button", name="Approve churn version 1 for dev").click()
    guided.get_by_role("dialog").get_by_role("button", name="Approve").click()
    at(4, "See what has changed")
    guide.get_by_role("button", name="Show Parameter Store").click()
    expect(guided.get_by_role("heading", name="Parameter Store")).to_be_visible()
    expect(guided.get_by_text("/model-approvals/churn/approved/dev")).to_be_visible()
    at(5, "Run batch inference in dev")
    guide.get_by_role("button", name="Show the button").click()
    expect(guided.get_by_role("button", name="Run batch inference")).to_be_focused()
    guided.keyboard.press("Enter")
    at(6, "Approve it for test, in Teams")
    guide.get_by_role("button", name="Be Omar").click()
    expect(guided.get_by_label("You are")).to_have_value("U0OMAR")
    guided.get_by_role("button", name="Approve for test").click()
    expect(guide).to_contain_text("All six steps done")
    stack.settle()
    assert stack.parameter("churn/approved/test")["approved_by"][0]["name"] == "Omar Haddad"


def test_it_can_be_dismissed_and_called_back(guided):
    guide = guided.get_by_role("region", name="Your first approval")
    guide.get_by_role("button", name="Dismiss").click()
    expect(guide).to_be_hidden()
    guided.reload()
    expect(guided.get_by_role("heading", name="# models-dev-test")).to_be_visible()
    expect(guide).to_be_hidden()
    if guided.viewport_size["width"] == PHONE:
        guided.get_by_role("button", name="Menu").click()
    guided.get_by_role("button", name="Show the guide").click()
    expect(guide).to_be_visible()


def test_it_begins_at_its_first_step_also_where_a_version_is_there_already(stack, page):
    stack.pipeline.register("churn")
    stack.settle()
    with workspace_page(stack) as served:
        page.goto(f"{served.url}/")
        guide = page.get_by_role("region", name="Your first approval")
        expect(guide).to_contain_text(f"step 1 of {STEPS}")
        guide.get_by_role("button", name="Show the registry").click()
        expect(page.get_by_role("heading", name="Model Registry")).to_be_visible()
        expect(guide).to_contain_text(f"step 2 of {STEPS}")
