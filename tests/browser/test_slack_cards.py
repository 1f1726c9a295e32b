"""Everything we show in Slack, on the page of the local stack and in an independent renderer: the same, line by line.

The other one is `slack-blocks-to-jsx`. Both are read in the same browser, with its locale and its clock, as a person
would (`seen.js`): texts in their order and what stands out in them, dates in words, and of each button its text, its
colour, the name it is read with, and where it leads. `MISREAD` is what the other one gets wrong.
"""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route

from bot import overview as neutral
from bot.card import Card, Mark, Offer, Step, Table, addressed
from bot.domain import Act, MessageRef, RequestId, State
from bot.line import Code, Link, Mention, Moment, Strong
from bot.members import Contact, Person
from bot.slack import blocks, overview, whispers
from bot.slack.modal import REJECTING, RESTORING, REVOKING, reason_view, way_view
from bot.status import GroupStatus, Row, Slot, Stand
from infra.local.page import Page as LocalPage
from infra.local.page import SlackPane
from infra.local.slack import Message, Slack
from infra.local.slack_workspace import TEAM
from tests.adapters.slack_examples import (
    BY_MAYA,
    CARD,
    CHANNEL,
    DECIDED,
    FIRST,
    MAYA,
    NOW,
    REQUEST,
    ROWS,
    longest,
    renewed,
)
from tests.browser.node import module

Json = dict[str, Any]
Blocks = list[Json]

SEEN = Path(__file__).with_name("seen.js").read_text()
RENDERER = Path(__file__).with_name("slack_renderer.mjs")
PAGES = "https://approvals.example.com"
WAY = f"Nothing is recorded yet: link this account, once: {PAGES}/link?t=AQICAHh-x_7&u=1"
ENVIRONMENTS = ("dev", "test", "uat", "prod")
YESTERDAY = NOW - timedelta(days=1)
STATUS = GroupStatus(
    {
        "12": Row(5, {"dev": Stand(State.APPROVED, 1, NOW), "test": Stand(State.PENDING, 1, YESTERDAY)}),
        "11": Row(3, {"dev": Stand(State.APPROVED, 1, NOW), "test": Stand(State.REJECTED, 1, NOW)}),
    },
    {"dev": Slot(NOW, "", 12), "test": Slot(NOW, "", 10), "prod": Slot(NOW, "", None)},
)
FACTS = (
    ("Requested by ", Strong("train_pipeline"), " · commit ", Link("9f3c2ab", "https://git.example.com/churn/9f3c2ab")),
    ("Measured in dev by ", Code("churn-dev-7"), " · ", Moment(NOW - timedelta(days=9))),
    (Strong("2 constraints are violated:"), " ", "age <drifts> & income > 3 * before"),
)
VOTED = replace(CARD, facts=FACTS, verdict=("1 of 2 approvals: ", BY_MAYA))
EXPIRED = replace(
    CARD,
    title="The request of churn-xgb v12 for test has expired",
    path=(CARD.path[0], Step("test", Mark.OVER, here=True), *CARD.path[2:]),
    verdict=("Nobody answered in time", " · ", Moment(NOW + timedelta(days=1))),
    mark=Mark.OVER,
    open=False,
)
REJECTED = replace(
    EXPIRED,
    title="churn-xgb v12 is rejected for test",
    verdict=("Rejected by ", Mention("Kim *O'Neil*"), ": recall_score < 0.8, see `report`", " · ", Moment(YESTERDAY)),
    mark=Mark.NO,
)
PEOPLE = [Contact(Person(f"oid-{number}", name)) for number, name in enumerate(("Maya Chen", "Omar *Haddad*"))]


def card(of: Card) -> Blocks:
    return list(blocks.message(of, team=TEAM)["blocks"])


def reply(*line: Any, offers: tuple[Offer, ...] = ()) -> Blocks:
    return list(blocks.reply(line, team=TEAM, offers=offers)["blocks"])


SHOWN: dict[str, Blocks] = {
    "waiting": card(CARD),
    "first": card(FIRST),
    "voted": card(VOTED),
    "decided": card(DECIDED),
    "rejected": card(REJECTED),
    "expired": card(EXPIRED),
    "longest": card(longest(20)),
    "longest-decided": card(replace(longest(3), open=False, stands=True)),
    "table-as-text": blocks.without_table({"blocks": card(CARD)})["blocks"],
    "reply": reply(BY_MAYA, " rejected churn-xgb v12 for test: ", "too slow\nand *wrong*: f1_score\n\n> 0.3 worse"),
    "offering": reply(
        "kim rejected churn-xgb v12 in the registry by hand.",
        offers=tuple(Offer(act, REQUEST) for act in (Act.RESTORE, Act.REVOKE)),
    ),
    "reminder": reply(
        *addressed(
            PEOPLE,
            ("churn-xgb v12 still waits for ", Strong("test"), ", asked ", Moment(YESTERDAY), "."),
            lambda each: BY_MAYA if each.person.name == BY_MAYA.name else Mention(each.person.name),
        )
    ),
    "told": whispers.told("You are not an approver for <test>. Ask R&D, please.")["blocks"],
    "told-with-link": whispers.told(f"See {PAGES}/requests/churn-xgb/12?a=1&b=2 for it.", pages=PAGES)["blocks"],
    "told-with-way": whispers.told(WAY, pages=PAGES, way="Link my account")["blocks"],
    "status": overview.answer(neutral.overview([("churn-xgb", STATUS), ("fraud", STATUS)], ENVIRONMENTS))["blocks"],
    "status-of-one": overview.answer(neutral.group("churn-xgb", STATUS, ENVIRONMENTS))["blocks"],
    "status-of-none": overview.answer(neutral.overview([], ENVIRONMENTS))["blocks"],
    "status-unknown": overview.answer(neutral.unknown("churn", "/model-status"))["blocks"],
    "status-help": overview.answer(neutral.usage("/model-status", unlink="unlink"))["blocks"],
}
TITLE, PATH, TABLE, NOTES, BUTTONS, HISTORY = SHOWN["waiting"]
APPROVE, REJECT, MODEL, REPORT = BUTTONS["elements"]
LINE = ("Requested by ", Strong("train-pipeline"), " · commit ", Code("9f3c2ab"))


def buttons(*elements: Json) -> Blocks:
    return [TITLE, PATH, TABLE, NOTES, {**BUTTONS, "elements": list(elements)}, HISTORY]


def changed(**changes: Any) -> Blocks:
    return card(replace(CARD, **changes))


SPOILT: dict[str, Blocks] = {
    "blocks in another order": [TITLE, PATH, TABLE, BUTTONS, NOTES, HISTORY],
    "a block too few": [TITLE, PATH, TABLE, NOTES, BUTTONS],
    "a button too few": buttons(APPROVE, REJECT, MODEL),
    "buttons in another order": buttons(REJECT, APPROVE, MODEL, REPORT),
    "a button in another colour": buttons({**APPROVE, "style": "danger"}, REJECT, MODEL, REPORT),
    "a button with another text": buttons(APPROVE, {**REJECT, "text": MODEL["text"]}, MODEL, REPORT),
    "a button with another name": buttons(APPROVE, {**REJECT, "accessibility_label": "Reject"}, MODEL, REPORT),
    "a button that leads elsewhere": buttons(APPROVE, REJECT, MODEL, {**REPORT, "url": PAGES}),
    "a word less in bold": changed(facts=((LINE[0], "train-pipeline", *LINE[2:]),)),
    "a word less in letters of one width": changed(facts=((*LINE[:3], "9f3c2ab"),)),
    "another day": changed(history=("Asked ", Moment(YESTERDAY), *CARD.history[2:])),
    "another person": changed(history=(*CARD.history[:3], Mention("Omar Diaz"), *CARD.history[4:])),
    "another mark": changed(path=(CARD.path[1], *CARD.path[1:])),
    "another number": changed(table=Table("v12", "v11 in test", (replace(ROWS[0], champion="0.904"), *ROWS[1:]))),
}
CARD_OF_FORM = MessageRef(CHANNEL, "1795512000.000100")
FORMS: dict[str, Json] = {
    "reject": reason_view(REQUEST, CARD_OF_FORM, REJECTING),
    "revoke": reason_view(REQUEST, CARD_OF_FORM, REVOKING),
    "restore": reason_view(RequestId("g" * 63, 999999999, "e" * 31, 1), CARD_OF_FORM, RESTORING),
    "way": way_view(WAY, pages=PAGES, way="Link my account"),
}
GREATER = "\ue000"
"""Stands for `&gt;` where the other one reads."""
INVENTED = ("Write something", "↵ Please 'enter' to submit")
"""Lines that the other one adds to a field; Slack's documentation has neither, and in ours Enter begins a line."""
MISREAD: dict[str, tuple[Json, list[str]]] = {
    "verbatim": (
        {"type": "section", "text": {"type": "mrkdwn", "text": "*bold* <@U0MAYA>", "verbatim": True}},
        ["*bold* <@U0MAYA>"],
    ),
    "greater": (
        {"type": "section", "text": {"type": "mrkdwn", "text": "a&gt;b"}},
        ["a> b"],
    ),
    "field": (
        FORMS["reject"]["blocks"][1],
        ["<b>Reason</b>", INVENTED[0], "[textarea]", INVENTED[1]],
    ),
}
"""What the other one gets wrong, as it shows it; it is not given these, or they are taken away again.

Slack's `verbatim` is about plain words; markup and mentions are processed all the same
(https://docs.slack.dev/reference/block-kit/composition-objects/text-object), but here they are shown as they were
written. Behind `&gt;` it puts a space that nobody wrote. And to a field it adds the two lines above.
"""

Seen = list[str]
Shown = Callable[[Blocks], Locator]


@pytest.fixture(scope="module")
def slack() -> Iterator[Slack]:
    with Slack() as running:
        yield running


@pytest.fixture(scope="module")
def address(slack: Slack) -> Iterator[str]:
    with LocalPage([SlackPane(slack)]) as served:
        yield served.url


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other renderer, for a browser."""
    made: Path = tmp_path_factory.mktemp("script") / "renderer.js"
    command = [str(module("esbuild") / "bin" / "esbuild"), str(RENDERER), "--bundle", f"--outfile={made}"]
    subprocess.run([*command, '--define:process.env.NODE_ENV="production"', "--log-level=error"], check=True)
    return made


@pytest.fixture
def opened(open_page: Callable[..., Page]) -> Callable[[], Page]:
    """A page for whom it is the day of the cards, in the one language that the other renderer speaks."""

    def opening() -> Page:
        page = open_page(locale="en-US")
        page.clock.set_fixed_time(NOW + timedelta(hours=1))
        return page

    return opening


@pytest.fixture
def visit(slack: Slack, address: str, opened: Callable[[], Page]) -> Callable[[], Page]:
    """Look at the page of the local stack as Maya does; what is pressed goes nowhere."""
    renewed(slack)
    page = opened()
    page.route("**/*", _answered)

    def visiting() -> Page:
        page.goto(address)
        page.get_by_label("You are").select_option("Maya Chen")
        return page

    return visiting


def _answered(route: Route) -> None:
    route.fulfill(json={}) if route.request.method == "POST" else route.continue_()


@pytest.fixture
def ours(slack: Slack, visit: Callable[[], Page]) -> Shown:
    """Post a message, and look at it on the page of the local stack; who wrote it and when is not of the card."""

    def showing(shown: Blocks) -> Locator:
        posted = slack.workspace.post(Message(CHANNEL, "", slack.workspace.bot_user_id, "A card.", shown))
        found = visit().locator(f"[id='m{posted.ts}'] .body")
        found.locator(".who").evaluate("it => it.remove()")
        return found

    return showing


@pytest.fixture
def theirs(script: Path, opened: Callable[[], Page]) -> Shown:
    """Look at blocks in the other renderer."""

    def showing(shown: Blocks) -> Locator:
        page = opened()
        page.set_content("<main></main>")
        page.add_style_tag(path=module("slack-blocks-to-jsx") / "dist" / "style.css")
        page.add_script_tag(path=script)
        page.evaluate("([shown, users]) => draw(shown, users)", [shown, [{"id": MAYA, "name": "Maya Chen"}]])
        return page.locator(".slack_blocks_to_jsx--blocks")

    return showing


def seen(shown: Locator) -> Seen:
    """Give what is seen; each button is pressed for it."""
    found: Seen = shown.evaluate(SEEN)
    return found


def corrected(theirs: Shown, shown: Blocks) -> Seen:
    """What the other one shows of blocks, but for what it misreads."""
    found = seen(theirs(readable(shown)))
    return [line.replace(GREATER, ">") for line in found if line not in INVENTED]


def readable(shown: Any) -> Any:
    """The same blocks without what the other one misreads."""
    if isinstance(shown, dict):
        return {name: readable(each) for name, each in shown.items() if name != "verbatim"}
    if isinstance(shown, list):
        return [readable(each) for each in shown]
    return shown.replace("&gt;", GREATER) if isinstance(shown, str) else shown


@pytest.mark.parametrize("name", SHOWN)
def test_the_page_shows_what_another_renderer_shows(ours, theirs, name):
    found = seen(ours(SHOWN[name]))
    assert found == corrected(theirs, SHOWN[name])
    assert found


@pytest.mark.parametrize("name", FORMS)
def test_a_form_shows_what_another_renderer_shows(slack, visit, theirs, name):
    form = FORMS[name]
    slack.workspace.show_view(MAYA, form)
    submit = [f"[primary | {form['submit']['text']}]"] if "submit" in form else []
    frame = [f"<b>{form['title']['text']}</b>", f"[default | {form['close']['text']}]"]
    found = seen(visit().get_by_role("dialog"))
    assert found == [frame[0], *corrected(theirs, form["blocks"]), frame[1], *submit]


def test_an_approval_is_confirmed_in_the_same_words(ours, theirs):
    mine, other = ours(SHOWN["waiting"]), theirs(readable(SHOWN["waiting"]))
    for each in (mine, other):
        each.get_by_text("Approve for test").click()
    asked = seen(mine.page.get_by_role("dialog"))
    assert asked == seen(other.locator(".slack_blocks_to_jsx__confirm_dialog"))
    assert asked == ["<b>Approve v12 for test?</b>", CARD.consequence, "[default | Cancel]", "[primary | Approve]"]


def test_whatever_is_not_the_same_is_seen(ours, theirs):
    right = corrected(theirs, SHOWN["waiting"])
    assert [what for what, spoilt in SPOILT.items() if seen(ours(spoilt)) == right] == []


@pytest.mark.parametrize("what", MISREAD)
def test_the_other_renderer_still_misreads(theirs, what):
    shown, misread = MISREAD[what]
    assert seen(theirs([shown])) == misread, "it has learned this: compare it too, and strike it from the list"
