"""The workspace of `make run`, used by somebody who has nothing but a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.npm import RENDERER
from infra.local.page import workspace_page
from infra.local.stack import Stack

GROUP = "churn"
DEV, PROD = "slack/C0MODELSDEV", "slack/C0MODELSPRD"
TEAMS_DEV = "teams/19:models-dev-test@thread.tacv2"


class Workspace:
    """The page as one person uses it."""

    def __init__(self, page: Page, stack: Stack, url: str) -> None:
        self.page, self.stack, self.url = page, stack, url
        page.goto(f"{url}/")

    def be(self, name: str) -> None:
        label = self.page.locator("#persona option", has_text=name).inner_text()
        self.page.get_by_label("You are").select_option(label=label)

    def go(self, place: str) -> None:
        self.page.goto(f"{self.url}/#/{place}")

    def run(self, button: str, **choices: str) -> None:
        """Fill in the form of a pipeline and press its button."""
        form = self.page.locator("#tools form").filter(has=self.page.get_by_role("button", name=button))
        for label, choice in choices.items():
            form.get_by_label(label).select_option(choice)
        form.get_by_role("button", name=button).click()
        self.stack.settle()

    def card(self, title: str) -> Locator:
        return self.page.get_by_role("article").filter(has=self.page.get_by_role("heading", name=title)).first

    def confirm(self, button: str) -> None:
        self.page.get_by_role("dialog").get_by_role("button", name=button).click()
        self.stack.settle()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The shipped policy, and nothing registered."""
    with Stack() as running:
        yield running


@pytest.fixture(scope="module")
def url(stack: Stack) -> Iterator[str]:
    with workspace_page(stack) as served:
        yield served.url


@pytest.fixture
def workspace(stack, url, page):
    return Workspace(page, stack, url)


def approved(stack: Stack, environment: str) -> int | None:
    found = stack.parameter(f"{GROUP}/approved/{environment}")
    return found and found["model_package_version"]


def test_a_version_goes_its_way_by_every_channel_and_is_taken_back(stack, workspace):
    page = workspace.page
    workspace.be("Dana Scientist")
    workspace.run("Register a version", **{"Sample model": "churn-1"})
    expect(page.get_by_role("status")).to_have_text("churn v1 is registered.")

    workspace.be("Eli Outside")
    workspace.card("Approve churn v1 for dev?").get_by_role("button", name="Approve").click()
    workspace.confirm("Approve")
    expect(page.get_by_text("Eli Outside is not an approver")).to_be_visible()
    assert approved(stack, "dev") is None

    workspace.be("Maya Chen")
    expect(page.get_by_text("Eli Outside is not an approver")).to_have_count(0)
    workspace.card("Approve churn v1 for dev?").get_by_role("button", name="Approve").click()
    workspace.confirm("Approve")
    expect(workspace.card("churn v1 is approved for dev")).to_contain_text("Maya Chen")
    assert approved(stack, "dev") == 1

    workspace.run("Run batch inference", Environment="dev", **{"Comes out": "good"})
    workspace.be("Omar Haddad")
    workspace.go(TEAMS_DEV)
    assert RENDERER.exists(), "the renderer of Teams' cards is missing: python -m infra.local.npm"
    workspace.card("Approve churn v1 for test?").get_by_role("button", name="Approve for test").click()
    expect(workspace.card("churn v1 is approved for test")).to_contain_text("Omar Haddad")
    stack.settle()
    assert approved(stack, "test") == 1

    workspace.run("Run batch inference", Environment="test", **{"Comes out": "good"})
    workspace.go("mail")
    page.get_by_role("link", name=re.compile("churn.*uat")).first.click()
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name=re.compile("Review")).first.click()
    answering = opened.value
    answering.get_by_role("button", name="Maya Chen").click()
    answering.get_by_role("button", name="Approve for uat").click()
    expect(answering.get_by_text("approved").first).to_be_visible()
    answering.close()
    stack.settle()
    assert approved(stack, "uat") == 1

    workspace.be("Maya Chen")
    workspace.go(DEV)
    workspace.card("churn v1 is approved for test").get_by_role("button", name="Revoke").click()
    page.get_by_role("textbox", name="Reason").fill("It scores a third of the customers wrongly.")
    workspace.confirm("Revoke")
    expect(workspace.page.get_by_text("It scores a third of the customers wrongly.").first).to_be_visible()
    assert stack.parameter(f"{GROUP}/approved/test")["status"] == "None"
