"""The workspace of `make run`, used by somebody who has nothing but a browser."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from infra.local.npm import RENDERER
from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import PHONE
from tests.browser.eyes import cut, sideways, violations

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

    def run(self, button: str, group: str = GROUP, **choices: str) -> None:
        """Fill in the form of a pipeline and press its button."""
        form = self.page.locator("#tools form").filter(has=self.page.get_by_role("button", name=button))
        form.get_by_label("Model package group").fill(group)
        for label, choice in choices.items():
            form.get_by_label(label).select_option(choice)
        form.get_by_role("button", name=button).click()
        self.stack.settle()

    def switch(self, fault: str, *, on: bool) -> None:
        self.page.get_by_role("switch", name=fault).set_checked(on)
        expect(self.page.get_by_role("switch", name=fault)).to_be_checked(checked=on)

    def approve(self, group: str) -> None:
        self.card(f"Approve {group} v1 for dev?").get_by_role("button", name="Approve").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Approve").click()

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


@pytest.fixture(autouse=True)
def well(stack) -> Iterator[None]:
    """What one test lets go wrong is none of the next one's."""
    yield
    for faults in (stack.slack.faults, stack.entra.faults, stack.aws.faults):
        faults.clear()
    stack.bus.faults.duplicates = stack.bus.faults.reorder = 0


@pytest.fixture
def furnished(stack) -> None:
    """Something is in every place."""
    if not stack.mailbox.mails():
        stack.pipeline.register(GROUP)
        stack.settle()


@pytest.fixture
def workspace(stack, url, page):
    return Workspace(page, stack, url)


def wait_for(read: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not read():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def approved(stack: Stack, environment: str, group: str = GROUP) -> int | None:
    found = stack.parameter(f"{group}/approved/{environment}")
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


# What goes wrong outside


def test_an_answer_is_recorded_while_slack_takes_no_calls_and_its_card_follows(stack, workspace):
    workspace.be("Maya Chen")
    workspace.run("Register a version", "churn-429")
    expect(workspace.card("Approve churn-429 v1 for dev?")).to_be_visible()
    workspace.switch("Slack answers 429", on=True)
    workspace.approve("churn-429")
    wait_for(lambda: approved(stack, "dev", "churn-429"))
    wait_for(lambda: any(call.status == 429 for call in stack.slack.calls))
    expect(workspace.card("Approve churn-429 v1 for dev?")).to_be_visible()
    workspace.switch("Slack answers 429", on=False)
    expect(workspace.card("churn-429 v1 is approved for dev")).to_be_visible()


def test_nothing_is_approved_while_entra_is_down_and_the_click_is_not_lost(stack, workspace):
    workspace.be("Maya Chen")
    workspace.run("Register a version", "churn-entra")
    expect(workspace.card("Approve churn-entra v1 for dev?")).to_be_visible()
    workspace.switch("Entra is down", on=True)
    workspace.approve("churn-entra")
    workspace.go("log")
    expect(workspace.page.get_by_role("region", name="Event log")).to_contain_text("not carried out yet")
    assert approved(stack, "dev", "churn-entra") is None
    workspace.switch("Entra is down", on=False)
    workspace.go(DEV)
    expect(workspace.card("churn-entra v1 is approved for dev")).to_be_visible()


def test_events_that_come_three_times_make_one_card(stack, workspace):
    workspace.be("Maya Chen")
    workspace.switch("Events come three times", on=True)
    wait_for(lambda: stack.bus.faults.duplicates == 2)
    workspace.run("Register a version", "churn-events")
    workspace.switch("Events come three times", on=False)
    heading = workspace.page.get_by_role("heading", name="Approve churn-events v1 for dev?")
    expect(heading).to_have_count(1)


def test_a_worker_that_is_cut_off_after_the_entry_has_approved_all_the_same(stack, workspace):
    workspace.be("Maya Chen")
    workspace.run("Register a version", "churn-crash")
    expect(workspace.card("Approve churn-crash v1 for dev?")).to_be_visible()
    workspace.switch("The worker is cut off", on=True)
    workspace.approve("churn-crash")
    expect(workspace.card("churn-crash v1 is approved for dev")).to_be_visible()
    expect(workspace.page.get_by_role("switch", name="The worker is cut off")).not_to_be_checked()
    stack.settle()
    entries = [name for name in stack.parameters() if "/churn-crash/history/1/" in name]
    assert len(entries) == 2, "the answer is there once"


# How it looks, and to whom


PLACES = (DEV, TEAMS_DEV, "mail", "mail/1", "registry", "store", "log")


SCREENS = ((1440, 900, True), (PHONE, 740, False), (1440, 900, False), (PHONE, 740, True))


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("place", PLACES)
def test_every_place_can_be_read_by_everybody_on_any_screen(url, open_page, picture, place):
    for width, height, dark in SCREENS if place in {DEV, TEAMS_DEV} else SCREENS[:2]:
        page = open_page(width=width, height=height, dark=dark)
        page.goto(f"{url}/#/{place}")
        expect(page.locator("#view > *").first).to_be_visible()
        if place == TEAMS_DEV:
            expect(page.locator(".ac-adaptiveCard").first).to_be_visible()
        name = f"workspace-{place.split(':')[0].replace('/', '-')}-{width}-{'dark' if dark else 'light'}"
        picture(page, name)
        assert (name, violations(page), sideways(page), cut(page)) == (name, [], [], [])


def test_the_menu_of_a_phone_holds_the_places_and_the_tools(stack, url, open_page, picture):
    page = open_page(width=PHONE, height=740)
    page.goto(f"{url}/")
    places = page.get_by_role("navigation", name="Places")
    expect(page.get_by_role("button", name="Menu")).to_have_attribute("aria-expanded", "false")
    expect(places).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("button", name="Run batch inference")).to_be_visible()
    picture(page, "workspace-menu")
    assert (violations(page), sideways(page)) == ([], [])
    places.get_by_role("link", name="Parameter Store").click()
    expect(places).to_be_hidden()
    expect(page.get_by_role("heading", name="Parameter Store")).to_be_visible()


@pytest.mark.usefixtures("furnished")
def test_nothing_comes_from_elsewhere(url, page):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for place in PLACES:
        page.goto(f"{url}/#/{place}")
        expect(page.locator("article, .mails a, iframe, .version, details").first).to_be_visible()
    assert len(asked) > len(PLACES)
    assert [each for each in asked if not each.startswith(f"{url}/")] == []


def test_it_can_be_used_without_a_mouse(stack, url, page):
    stack.pipeline.register("churn-keys")
    stack.settle()
    page.goto(f"{url}/#/{DEV}")
    expect(page.get_by_label("You are")).to_have_value("U0DANA")
    page.get_by_label("You are").focus()
    page.keyboard.type("Maya")
    expect(page.get_by_label("You are")).to_have_value("U0MAYA")
    approve = page.get_by_role("button", name="Approve churn-keys version 1 for dev")
    expect(approve).to_be_visible()
    for _ in range(200):
        page.keyboard.press("Tab")
        if approve.evaluate("it => it === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="churn-keys v1 is approved for dev")).to_be_visible()


def test_the_focus_stays_where_it_is_when_something_changes(workspace):
    switch = workspace.page.get_by_role("switch", name="Slack answers 429")
    switch.focus()
    for on in (True, False):
        workspace.page.keyboard.press("Space")
        expect(switch).to_be_checked(checked=on)
        expect(workspace.page.get_by_role("status")).not_to_be_empty()
        expect(switch).to_be_focused()


@pytest.mark.usefixtures("furnished")
def test_without_the_renderer_the_page_says_what_is_missing(url, page):
    def without(route: Route) -> None:
        state = route.fetch()
        seen = state.json()
        route.fulfill(response=state, json=seen | {"teams": seen["teams"] | {"renderer": False}})

    page.route("**/state?*", without)
    page.goto(f"{url}/#/{TEAMS_DEV}")
    expect(page.locator(".card").first).to_contain_text("which is not installed")


def test_another_run_of_the_stack_begins_anew(url, page):
    page.goto(f"{url}/#/log")
    page.locator("#guide button").last.click()
    expect(page.get_by_role("region", name="Your first approval")).to_be_hidden()
    renamed = page.evaluate("async () => ({...await (await fetch('/state?user=U0DANA')).json(), run: 'another'})")
    page.route("**/state?*", lambda route: route.fulfill(json=renamed), times=1)
    expect(page.get_by_role("region", name="Your first approval")).to_be_visible()
