"""The guided first approval, by somebody who does what it says and nothing else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from infra.local.page import workspace_page
from infra.local.stack import Stack

STEPS = 6


@pytest.fixture
def stack() -> Iterator[Stack]:
    """The shipped policy, and nothing registered."""
    with Stack() as running:
        yield running


@pytest.fixture
def guided(stack: Stack, page: Page) -> Iterator[Page]:
    with workspace_page(stack) as served:
        page.goto(f"{served.url}/")
        yield page


def test_six_steps_lead_to_an_approval_in_slack_and_one_in_teams(stack, guided, picture):
    guide = guided.get_by_role("region", name="Your first approval")

    def at(step: int, title: str) -> None:
        expect(guide).to_contain_text(f"step {step} of {STEPS}")
        expect(guide.get_by_role("heading", name=title)).to_be_visible()

    guided.get_by_label("You are").select_option("U0DANA")
    at(1, "A model version is registered")
    guided.get_by_role("button", name="Register a version").click()
    at(2, "Be an approver")
    guide.get_by_role("button", name="Show me").click()
    at(3, "Approve it for dev, in Slack")
    guided.set_viewport_size({"width": 1280, "height": 900})
    picture(guided, "workspace")
    guided.get_by_role("button", name="Approve churn version 1 for dev").click()
    guided.get_by_role("dialog").get_by_role("button", name="Approve").click()
    at(4, "See what has changed")
    guide.get_by_role("button", name="Show me").click()
    expect(guided.get_by_role("heading", name="Parameter Store")).to_be_visible()
    expect(guided.get_by_text("/model-approvals/churn/approved/dev")).to_be_visible()
    at(5, "Run batch inference in dev")
    guided.get_by_role("button", name="Run batch inference").click()
    at(6, "Approve it for test, in Teams")
    guide.get_by_role("button", name="Show me").click()
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
    guided.get_by_role("button", name="Show the guide").click()
    expect(guide).to_be_visible()
