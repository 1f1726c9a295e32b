"""The page of `make run`, by people who have nothing but a browser."""

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import PHONE, WIDE
from tests.browser.eyes import sideways, violations
from tests.journeys.people import approve, registered
from tests.journeys.policies import by_approval

MAYA, DANA = "U0MAYA", "U0DANA"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A version runs in dev, and the next one asks for it, with a table that compares the two."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        approve(running, registered(running, "churn"))
        running.pipeline.register("churn", "churn-2")
        running.settle()
        yield running


@pytest.fixture(scope="module")
def address(stack):
    with workspace_page(stack) as served:
        yield served.url


@pytest.fixture(autouse=True)
def closed(stack):
    """No form stays open for the next test: Slack shows it wherever its person looks."""
    yield
    for view in stack.slack.workspace.modals(MAYA):
        stack.slack.dismiss(MAYA, view.id)


def visit(page: Page, address: str, person: str) -> None:
    """Look at the page as one of the people there."""
    page.goto(address)
    page.get_by_label("You are").select_option(person)


def card(page: Page, model: str) -> Locator:
    """The card that asks for a version; its thread is in it."""
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=model)).first


def ask(stack: Stack, page: Page, command: str) -> None:
    """Type a slash command as Maya, and wait until the page shows its answer below the earlier ones."""
    earlier = len(stack.slack.workspace.ephemerals(MAYA))
    page.get_by_label("Slash command").fill(command)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Only visible to you")).to_have_count(earlier + 1)


def test_maya_approves_in_the_browser_and_everybody_sees_the_card_change(stack, address, page, open_page):
    registered(stack, "fraud-cards")
    dana = open_page()
    visit(dana, address, DANA)
    visit(page, address, MAYA)
    card(page, "fraud-cards v1").get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog", name="Approve")
    expect(dialog).to_contain_text("fraud-cards")
    dialog.get_by_role("button", name="Approve").click()
    for person in (page, dana):
        expect(card(person, "fraud-cards v1")).to_contain_text("Maya Chen")
        expect(card(person, "fraud-cards v1").get_by_role("button", name="Approve")).to_have_count(0)
    assert stack.parameter("fraud-cards/approved/dev")["model_package_version"] == 1


def test_who_thinks_again_in_the_dialog_has_not_answered(stack, address, page):
    registered(stack, "fraud-doubts")
    visit(page, address, MAYA)
    card(page, "fraud-doubts v1").get_by_role("button", name="Approve").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    ask(stack, page, "/model-status fraud-doubts")
    stack.settle()
    expect(card(page, "fraud-doubts v1").get_by_role("button", name="Approve")).to_be_enabled()
    assert stack.parameter("fraud-doubts/approved/dev") is None


@pytest.mark.parametrize(("width", "dark"), [(WIDE, False), (PHONE, True)], ids=["wide-light", "phone-dark"])
def test_the_page_keeps_nobody_out_and_fits(stack, address, open_page, picture, width, dark):
    page = open_page(width=width, dark=dark)

    def judge(name):
        picture(page, f"local-{name}-{width}-{'dark' if dark else 'light'}")
        assert (name, violations(page), sideways(page)) == (name, [], [])

    visit(page, address, MAYA)
    ask(stack, page, "/model-status")
    judge("messages")
    card(page, "churn v2").get_by_role("button", name="Approve").click()
    judge("question")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    card(page, "churn v2").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("textbox", name="Reason")).to_be_visible()
    judge("form")
