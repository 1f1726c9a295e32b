"""What people see when hands were at work: a line with its buttons in Slack, the pages of a restore and an adoption."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import WIDE
from tests.journeys.people import approve, registered
from tests.journeys.policies import unhurried

PHONE = 375


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """A version that was approved for dev, and that somebody has rejected in the registry."""
    with unhurried(tmp_path_factory.mktemp("policy")) as running:
        model = registered(running, "churn")
        approve(running, model)
        registry = running.aws.client("sagemaker", access_key="SOMEBODY")
        registry.update_model_package(ModelPackageArn=model.arn, ModelApprovalStatus="Rejected")
        running.settle(60)
        yield running


def test_the_page_on_which_a_rejection_by_hand_is_taken_back(person, look, picture):
    page = person("Maya Chen", "/restore/churn/1/dev/1")
    expect(page.get_by_role("heading", name="Restore churn v1 for dev?")).to_be_visible()
    look("restore", page.get_by_role("button", name="Restore for dev"))
    picture(page, "page-restore")
    page.set_viewport_size({"width": PHONE, "height": 800})
    picture(page, "page-restore-phone")


def test_the_page_on_which_a_version_is_taken_in(person, look, picture):
    page = person("Dana Scientist", "/ask/churn/7/dev")
    expect(page.get_by_text("Nothing is known of churn v7 here yet.")).to_be_visible()
    look("taking in", page.get_by_role("button", name="Ask for dev"))
    page.set_viewport_size({"width": PHONE, "height": 800})
    picture(page, "page-taking-in-phone")


def test_the_line_that_tells_of_it_has_its_buttons_in_the_thread(stack, open_page, picture):
    with workspace_page(stack) as served:
        page = open_page(width=WIDE, height=1400)
        page.goto(f"{served.url}/#/slack/C0MODELSDEV")
        page.get_by_label("You are").select_option("U0MAYA")
        for button in ("Restore v1…", "Revoke for dev…"):
            expect(page.get_by_role("button", name=button).first).to_be_visible()
        picture(page, "slack-by-hand")
