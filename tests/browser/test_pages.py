"""The pages and mails of an approval, by people who have nothing but a browser and a mailbox.

`make pictures` makes those of the documentation anew.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from infra.local.journey import Journey
from infra.local.models import Registered
from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import PATIENCE, PHONE
from tests.browser.eyes import row
from tests.journeys.people import approve, card, everything, registered, reject, state
from tests.journeys.policies import by_approval

HEADING = "h1"
FOCUS = """() => {
    const it = document.activeElement, box = it.getBoundingClientRect(), style = getComputedStyle(it);
    const hits = [box.top + 2, box.top + box.height / 2, box.bottom - 2]
        .map((y) => document.elementFromPoint(box.left + box.width / 2, y));
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    const what = it.innerText.trim().split("\\n")[0] || it.id;
    return [what, ring && hits.some((hit) => it.contains(hit)) ? "seen" : "hidden"];
}"""
"""What has the focus, and whether somebody sees that: it has a ring, and nothing lies on all of it."""
COOKIES = "__Host-ticket="


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """One model has come as far as uat, its second version asks for dev; another model was rejected."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        churn = registered(running, "churn")
        approve(running, churn, "dev")
        approve(running, churn, "test")
        running.pipeline.register("churn", "churn-2")
        reject(running, registered(running, "fraud-cards"), "Recall drops for small amounts.")
        yield running


@pytest.fixture(scope="module")
def mailbox(stack) -> Iterator[Callable[[str], str]]:
    """Where the mail with a subject is read."""
    with workspace_page(stack) as served:

        def address(subject: str) -> str:
            subjects = [each.subject for each in stack.mailbox.mails()]
            return f"{served.url}/mail/{subjects.index(subject) + 1}"

        yield address


@contextmanager
def held(stack: Stack, group: str) -> Iterator[None]:
    """Let nothing be recorded of a group until the end."""
    about, patience = f"/{group}/history/", PATIENCE / 1000
    stack.aws.faults.add("PutParameter", status=None, stall=patience, containing=about, times=None)
    try:
        yield
    finally:
        stack.aws.faults.clear()


def request_path(model: Registered) -> str:
    return f"/requests/{model.group}/{model.version}/dev/1"


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


def on_phone(page: Page) -> None:
    """Look at what a phone shows first."""
    page.set_viewport_size({"width": PHONE, "height": 812})
    page.evaluate("scrollTo(0, 0)")


# An answer, from the mail to its outcome


@pytest.mark.parametrize("javascript", [True, False], ids=["with-scripts", "without"])
def test_maya_approves_from_the_mail_and_the_page_says_by_itself_when_it_is_done(stack, mailbox, open_page, javascript):
    model = registered(stack, "churn-mail" if javascript else "churn-mail-only")
    page = open_page(javascript=javascript)
    page.goto(mailbox(f"Approve {model.group} v1 for dev?"))
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Review and answer").click()
    page = opened.value
    button(page, "Maya Chen").click()
    expect(page).to_have_url(stack.gateway.pages_url + request_path(model))
    expect(page.locator(HEADING)).to_have_text(f"Approve {model.group} v1 for dev?")
    assert row(page, "AUC") == ["0.793"]
    expect(page.locator("[aria-current=step]")).to_have_text("dev waiting")
    expect(page.get_by_role("article")).to_contain_text("Requested by train-pipeline · commit 9f3c2ab")
    with held(stack, model.group):
        button(page, "Approve for dev").click()
        expect(page.locator(HEADING)).to_have_text("Your answer is being recorded")
        assert stack.parameter(f"{model.group}/approved/dev") is None
    expect(page.locator(HEADING)).to_have_text("Your answer is recorded")
    expect(page.get_by_role("article")).to_contain_text("Approved by Maya Chen")
    stack.settle()
    assert stack.parameter(f"{model.group}/approved/dev")["model_package_version"] == 1
    assert everything(stack, model)[1]["ModelApprovalStatus"] == "Approved"
    assert "Approved by Maya Chen" in card(stack, model).text
    page.go_back()
    expect(page).to_have_url(stack.gateway.pages_url + request_path(model))
    expect(page.get_by_role("main")).to_contain_text("already decided. Approved by Maya Chen")
    expect(button(page, "Approve for dev")).to_have_count(0)


def test_a_second_tab_is_told_who_has_decided_and_gives_back_what_was_typed(stack, person):
    model = registered(stack, "churn-tabs")
    omar = person("Omar Haddad", request_path(model))
    second = omar.context.new_page()
    second.goto(omar.url)
    button(person("Maya Chen", request_path(model)), "Approve for dev").click()
    stack.settle()
    before = everything(stack, model)
    for tab in (omar, second):
        tab.get_by_label("say why").fill("Too slow\nfor the night run.")
        button(tab, "Reject for dev").click()
        expect(tab.get_by_role("main")).to_contain_text("already decided. Approved by Maya Chen")
        expect(tab.locator("blockquote")).to_have_text("Too slow\nfor the night run.")
        expect(button(tab, "for dev")).to_have_count(0)
    stack.settle()
    assert everything(stack, model) == before


def test_a_reject_without_a_reason_is_held_back_twice_and_nothing_typed_is_lost(stack, person):
    model = registered(stack, "churn-reason")
    page, sent = person("Maya Chen", request_path(model)), []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    reason = page.get_by_label("say why")
    button(page, "Reject for dev").click()
    expect(reason).to_be_focused()
    assert sent == [], "the browser keeps it"
    for typed in ("  \n ", "No. " * 501):
        reason.evaluate("(it) => { it.required = false; it.removeAttribute('maxlength') }")
        reason.fill(typed)
        button(page, "Reject for dev").click()
        expect(page.get_by_role("alert")).to_contain_text("reason")
        expect(reason).to_have_value(typed)
        expect(reason).to_have_accessible_description(re.compile("reason is too long|needs a reason"))
    stack.settle()
    assert state(stack, model).pending
    reason.fill("Recall drops.")
    button(page, "Reject for dev").click()
    expect(page.get_by_role("article")).to_contain_text("Rejected by Maya Chen: Recall drops.")


def test_an_answer_takes_no_mouse_and_the_focus_is_always_seen(stack, open_page):
    model = registered(stack, "churn-keys")
    page, seen = open_page(width=PHONE, height=740), []

    def tab_to(name: str) -> None:
        for _ in range(20):
            page.keyboard.press("Tab")
            seen.append(tuple(page.evaluate(FOCUS)))
            if seen[-1][0] == name:
                return
        raise AssertionError(f"{name} is not among {seen}")

    page.goto(stack.gateway.pages_url + request_path(model))
    tab_to("Maya Chen")
    page.keyboard.press("Enter")
    expect(page.locator(HEADING)).to_contain_text("Approve")
    seen.clear()
    tab_to("Skip to the content")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    tab_to("Reject for dev")
    table, facts = "Metrics", ["9f3c2ab", "Model package and report"]
    order = ["Skip to the content", table, *facts, "Approve for dev", "reason", "Reject for dev"]
    assert seen == [(each, "seen") for each in order]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_contain_text("Approved by Maya Chen")


# Other sites


class Elsewhere(ThreadingHTTPServer):
    """Another site, at a port of its own; all that it has is one page."""

    page = ""


class _Answers(BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self) -> None:
        page = self.server.page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Serve it as long as the test."""
    server = Elsewhere(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("host", "cookies"), [("127.0.0.1", False), ("localhost", True)], ids=["cross-site", "same"])
def test_a_form_that_another_origin_sends_is_refused(stack, person, elsewhere, host, cookies):
    """Worse than it can be: the form holds all that Maya's own holds. A neighbour on the host even has her cookies."""
    model = registered(stack, f"churn-from-{host.replace('.', '-')}")
    maya, before, root = person("Maya Chen", request_path(model)), everything(stack, model), stack.gateway.pages_url
    own = maya.locator("form.approve").evaluate("(it) => it.outerHTML").replace('action="/', f'action="{root}/')
    elsewhere.page = f"<!doctype html><title>Elsewhere</title>{own}<script>document.forms[0].submit()</script>"
    with maya.expect_request(lambda request: request.method == "POST") as posted:
        maya.goto(f"http://{host}:{elsewhere.server_port}/")
    assert (COOKIES in posted.value.all_headers().get("cookie", "")) is cookies
    assert posted.value.response().status == 403
    expect(maya.get_by_role("main")).to_contain_text("not sent from our own page, so nothing was recorded")
    stack.settle()
    assert everything(stack, model) == before
    maya.goto(stack.gateway.pages_url + request_path(model))
    button(maya, "Approve for dev").click()
    expect(maya.get_by_role("article")).to_contain_text("Approved by Maya Chen")


@pytest.mark.parametrize(
    ("host", "path"), [("127.0.0.1", "/signed-out"), ("localhost", "/")], ids=["cross-site", "same"]
)
def test_a_page_in_a_frame_of_another_site_stays_blank(stack, browser: Browser, elsewhere, host, path):
    """The browser's own doing, upon a page that did come; a neighbour on the host gets the one of who is signed in."""
    with browser.new_context() as context:
        page, address = context.new_page(), stack.gateway.pages_url + path
        page.goto(stack.gateway.pages_url)
        button(page, "Maya Chen").click()
        page.wait_for_url(f"{stack.gateway.pages_url}/")
        page.goto(address)
        words = page.locator(HEADING).inner_text()
        harmless = "<h1>Harmless</h1>"
        elsewhere.page = f'<iframe srcdoc="{harmless}"></iframe><iframe id="framed" src="{address}"></iframe>'
        with page.expect_response(address) as came:
            page.goto(f"http://{host}:{elsewhere.server_port}/")  # until all frames have loaded
        assert came.value.status == 200
        expect(page.frame_locator("iframe").first.locator(HEADING)).to_have_text("Harmless")
        frame = page.frames[-1]
        assert urlsplit(frame.url).scheme == "chrome-error"
        assert words not in frame.content()


# What the pages look like


def test_whoever_answers_is_kept_out_of_nothing(stack, person, open_page, look, picture):
    address = f"{stack.gateway.pages_url}/requests/churn/2/dev/1"
    login = open_page()
    login.goto(address)
    look("sign-in", button(login, "Maya Chen"))
    page = person("Maya Chen", address)
    assert row(page, "p95 ms") == ["15.51", "1.921", "▲ 13.59 worse"]
    picture(page, "page-confirm", full_page=True)
    look("request", button(page, "Approve for dev"))
    on_phone(page)
    picture(page, "page-confirm-phone")
    page.get_by_label("say why").evaluate("(it) => { it.required = false }")
    button(page, "Reject for dev").click()
    look("reason missing", button(page, "Reject for dev"))
    with held(stack, "churn"):
        button(page, "Approve for dev").click()
        expect(page.locator(HEADING)).to_have_text("Your answer is being recorded")
        page.evaluate("stop()")
        look("answer waits", page.get_by_role("link", name="Look again"))
    page.get_by_role("link", name="Look again").click()
    expect(page.locator(HEADING)).to_have_text("Your answer is recorded")
    stack.settle()
    look("outcome", page.get_by_role("link", name="All requests", exact=True))
    on_phone(page)
    picture(page, "page-outcome-phone")
    button(page, "Sign out").click()
    look("signed out", page.get_by_role("link", name="Sign in again"))


@pytest.mark.parametrize(
    ("path", "main"),
    [
        ("/", "churn v1 for uat"),
        ("/models/churn", "v1"),
        ("/models/churn/1", "round 1: waiting"),
        ("/ask/fraud-cards/1/dev", "Ask for dev"),
        ("/revoke/churn/1/dev/1", "Revoke for dev"),
        ("/requests/fraud-cards/1/dev/1", "Ask for dev again"),
        ("/r?t=broken", "All requests"),
    ],
)
def test_whoever_reads_is_kept_out_of_nothing(person, look, path, main):
    page = person("Maya Chen", path)
    look(path, page.get_by_role("link", name=main).or_(button(page, main)).first)


def test_whoever_is_refused_is_kept_out_of_nothing_else(person, look):
    page = person("Eli Outside", "/requests/churn/1/uat/1")
    expect(page.get_by_role("main")).to_contain_text("Only members of approvers-uat may answer")
    expect(button(page, "for uat")).to_have_count(0)
    look("refused", page.get_by_role("link", name="9f3c2ab"))


def test_whoever_links_an_account_is_kept_out_of_nothing(stack, person, look):
    journey, model = Journey(stack, "churn"), Registered("churn", 1, "")
    approve(stack, model, "uat", "U0MAYA")
    page = person("Maya Chen", journey.whispered_link("U0MAYA"))
    look("link", button(page, "Link this account to me"))
    stack.slack.workspace.alter_user("U0OMAR", email="o.haddad@example.com")
    approve(stack, model, "uat", "U0OMAR")
    omar = person("Omar Haddad", journey.whispered_link("U0OMAR"))
    passed_on = omar.get_by_label("The link to pass on")
    look("link for an administrator", passed_on)
    ada = person("Ada Admin", passed_on.input_value())
    look("confirm", button(ada, "They are the same person"))
    button(page, "Link this account to me").click()
    look("linked", button(page, "Approve for uat"))


LANDMARKS = ("landmark-one-main", "region")
"""Are those of the program in which a mail is read."""


def test_a_mail_can_be_read_and_answered_wherever_it_is_opened(mailbox, open_page, look, picture):
    page, loaded = open_page(width=600), []
    page.on("request", lambda request: loaded.append(request.url))
    page.goto(mailbox("Approve churn v2 for dev?"))
    answer = page.get_by_role("link", name="Review and answer")
    look("mail", answer, without=LANDMARKS)
    assert row(page, "AUC") == ["0.903", "0.793", "up 0.110, better"]
    assert row(page, "precision")[-1] == "down 0.001, no clear change"
    assert row(page, "p95 ms")[-1] == "up 13.59, worse"
    assert page.get_by_role("link").all_inner_texts() == ["Review and answer", "9f3c2ab"]
    page.set_viewport_size({"width": 600, "height": 800})
    light = page.locator("body, .sheet, .button").evaluate_all(BACKGROUNDS)
    picture(page, "mail", full_page=True)
    page.emulate_media(color_scheme="dark")
    dark = page.locator("body, .sheet, .button").evaluate_all(BACKGROUNDS)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    assert loaded == [page.url], "nothing comes from elsewhere"
    page.goto(mailbox("fraud-cards v1 was rejected for dev"))
    look("outcome mail", page.get_by_role("link", name="See the request"), without=LANDMARKS)


BACKGROUNDS = "(all) => all.map((each) => getComputedStyle(each).backgroundColor)"
