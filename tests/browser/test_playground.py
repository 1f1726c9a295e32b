"""Approvals in Microsoft's own client for developers, with Maya at it: what she presses, and what everybody sees."""

import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from bot.entries import Vote
from infra.local.entra_people import MAYA
from infra.local.models import Registered
from infra.local.stack import TEAMS_CHANNELS, Stack
from tests.browser.node import module
from tests.browser.playground import CLIENT, Playground, Relay
from tests.journeys.people import approve, state
from tests.journeys.people import card as slack_card
from tests.journeys.policies import by_approval

CHANNEL = TEAMS_CHANNELS[0]


@pytest.fixture(scope="module")
def package() -> Path:
    """The client, asked for before anything is started."""
    return module(CLIENT)


@pytest.fixture(scope="module")
def stack(package, tmp_path_factory) -> Iterator[Stack]:
    """The local stack, whose Bot Connector hands everything on to the client."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy")), teams=Relay) as running:
        yield running


@pytest.fixture(scope="module")
def client(package, stack, tmp_path_factory) -> Iterator[Playground]:
    """Microsoft's client, with Maya at it."""
    relay = stack.teams
    assert isinstance(relay, Relay)
    folder = tmp_path_factory.mktemp("client")
    with Playground(package, folder, relay, relay.workspace.person(MAYA), CHANNEL) as running:
        yield running


@pytest.fixture
def maya(client, open_page) -> Page:
    """Her view of the channel."""
    page: Page = open_page(width=1400, height=1000)
    page.goto(client.url)
    page.get_by_text(CHANNEL.name, exact=True).first.click()
    return page


@pytest.fixture
def register(stack) -> Callable[[], Registered]:
    """Register a version of a group of its own, and wait until its card is posted: `register()`."""

    def registered() -> Registered:
        model: Registered = stack.pipeline.register(f"churn-{uuid.uuid4().hex[:6]}")
        stack.settle()
        return model

    return registered


def post(page: Page, model: Registered, environment: str) -> Locator:
    """One card of the channel with the thread below it."""
    title = re.compile(
        rf"(Approve {model.group} v1 for {environment}\?|{model.group} v1 (is|was) \w+ for {environment})"
    )
    return page.locator(".fui-Card").filter(has=page.get_by_text(title))


def pressed(card: Locator, title: str) -> None:
    card.get_by_role("button", name=title).click()


def test_maya_approves_and_the_card_and_its_thread_tell_everybody(stack, maya, register, picture):
    model = register()
    card = post(maya, model, "dev")
    picture(card, "teams-waiting")
    pressed(card, "Approve for dev")
    expect(card.get_by_text("Approved by Maya Chen")).to_be_visible()
    expect(card.get_by_text(f"Maya Chen approved {model.group} v1 for dev.")).to_be_visible()
    expect(card.get_by_text(f"{model.group} v1 asks for test.")).to_be_visible()
    expect(card.get_by_role("link", name="Review page")).to_be_visible()
    expect(card.get_by_role("button", name=re.compile("^(Approve|Reject)"))).to_have_count(0)
    expect(post(maya, model, "test").get_by_role("button", name="Approve")).to_be_visible()
    picture(card, "teams-approved")
    stack.settle()
    [vote] = [entry.event for entry in state(stack, model).entries if isinstance(entry.event, Vote)]
    assert (vote.by.oid, vote.by.name, vote.via.surface) == (MAYA, "Maya Chen", "teams")
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1
    assert "Approved by Maya Chen" in slack_card(stack, model).text


def test_a_reject_wants_its_reason_in_the_card_and_shows_it(stack, client, maya, register, picture):
    model = register()
    card = post(maya, model, "dev")
    pressed(card, "Reject…")
    picture(card, "teams-reject")
    sends = card.get_by_role("button", name="Reject v1")
    sent = client.sent
    sends.click()
    expect(card.get_by_text("Please say why")).to_be_visible()
    assert client.sent == sent, "without a reason the client holds it back"
    card.get_by_role("textbox").first.fill("Recall fell below 0.8 for new customers.")
    sends.click()
    expect(card.get_by_text("Rejected by Maya Chen")).to_be_visible()
    expect(card.get_by_text("Recall fell below 0.8 for new customers.").first).to_be_visible()
    expect(card.get_by_text(re.compile(f"Maya Chen rejected {model.group} v1 for dev"))).to_be_visible()
    expect(card.get_by_role("button", name=re.compile("^(Approve|Reject)"))).to_have_count(0)
    picture(card, "teams-rejected")
    stack.settle()
    assert stack.parameter(f"{model.group}/approved/dev") is None


def test_a_decision_in_slack_shows_here_too(stack, maya, register):
    model = register()
    approve(stack, model, user="U0OMAR")
    card = post(maya, model, "dev")
    expect(card.get_by_text("Approved by Omar Haddad")).to_be_visible()
    expect(card.get_by_text(f"Omar Haddad approved {model.group} v1 for dev.")).to_be_visible()


def test_the_bot_answers_who_asks_for_the_status(maya, register, picture):
    model = register()
    maya.get_by_text("Personal Chat", exact=True).click()
    expect(maya.get_by_text(f"Approve {model.group} v1 for dev?")).to_have_count(0)
    maya.locator("[contenteditable=true]").first.fill(f"model-status {model.group}")
    maya.keyboard.press("Enter")
    expect(maya.get_by_text(f"{model.group}: 1 request waits for an answer.")).to_be_visible()
    picture(maya, "teams-status")
