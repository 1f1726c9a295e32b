"""The door itself: forms that are not ours, requests that are none, headers on everything, and GET without effect."""

import base64
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import RequestId
from bot.web.session import TICKET
from bot.web.site import dispatch
from bot.web.visit import LARGEST, LONGEST
from tests.adapters.web_examples import ACCOUNT, CALLED, FORM, PAGES, REQUEST, Browser, Town, api_event

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000",
    "x-robots-tag": "noindex, nofollow",
}
ASK = "/ask/churn/1/dev"


@pytest.fixture
def town():
    town = Town()
    town.register()
    return town


@pytest.fixture
def maya(town):
    return Browser(town, "maya")


def outcome(target):
    return f"{target}/outcome?n=aaaaaaaaaaaaaaaaaaaaaa&at=1795510800000"


def targets(town):
    """Every page, with a link that is good where it takes one."""
    link = town.links.linking(ACCOUNT, CALLED, "maya@example.com", RequestId("churn", 1, "dev", 1))
    other = town.links.linking(ACCOUNT, CALLED, "else@example.com", None)
    review = town.links.review(RequestId("churn", 1, "dev", 1))
    pages = ["/", REQUEST, "/models/churn", "/models/churn/1", ASK, "/linked", "/confirmed", link, other, review]
    pages += ["/style.css", "/signed-in", "/signed-out", outcome(REQUEST), outcome(ASK)]
    return [page.removeprefix(PAGES) for page in pages]


# -- GET and HEAD


@pytest.mark.parametrize("user", ["", "maya", "ada", "gus"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(town, user, method):
    browser = Browser(town, user)
    pages, before = targets(town), town.state()
    for target in pages:
        (browser.get if method == "GET" else browser.head)(target)
        assert town.state() == before, target


def test_a_scanner_that_follows_every_link_ends_at_the_sign_in(town):
    before = town.state()
    scanner = Browser(town)
    link = town.links.review(RequestId("churn", 1, "dev", 1))
    assert scanner.head(link).status == 200
    answer = scanner.get(link, cookies={})
    assert answer.status == 303
    assert not answer.location.startswith("/")
    assert town.state() == before


def test_a_head_says_nothing_and_asks_nobody(town, maya):
    for target in targets(town):
        begun, said = town.sign_in.begun, len(town.world.directory.said)
        for browser in (maya, Browser(town)):
            answer = browser.head(target)
            assert (answer.status, answer.body, answer.cookies) == (200, "", [])
        assert (town.sign_in.begun, len(town.world.directory.said)) == (begun, said)
    refused = [maya.head("/nowhere"), maya.head("/sign-out"), maya.head("/", rawQueryString="x" * (LONGEST + 1))]
    assert [(answer.status, answer.body) for answer in refused] == [(404, ""), (405, ""), (414, "")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "", "get\r\n"])
def test_nothing_else_can_be_done_with_a_page(town, maya, method):
    answer = maya._ask(method, REQUEST)
    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("POST", "/", "GET, HEAD"),
        ("POST", "/signed-in", "GET, HEAD"),
        ("POST", "/style.css", "GET, HEAD"),
        ("POST", outcome(REQUEST), "GET, HEAD"),
        ("GET", "/sign-out", "POST"),
        ("HEAD", "/sign-out", "POST"),
    ],
)
def test_what_a_page_takes_is_said(maya, method, target, allow):
    answer = maya._ask(method, target)
    assert (answer.status, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/nowhere",
        "/requests",
        "/requests/churn/1/dev",
        "/requests/churn/0/dev/1",
        "/requests/churn/1/dev/01",
        "/requests/churn/1/DEV/1",
        "/requests/churn/1/dev/1/",
        "/requests/churn/1/dev/1\n",
        "/requests/churn/9999999999/dev/1",
        "/requests/../models/churn",
        "/requests/churn%2F1/dev/1",
        "/models/_status",
        "/models/churn/history/1",
        "/models/" + "a" * 64,
        "/models/" + "-" * 5000,
        "/ask/churn/1/" + "e" * 40,
        "/templates/base.html",
        "/style.css/..",
    ],
)
def test_there_are_no_other_pages(maya, path):
    assert maya.get("/", rawPath=path).status == 404


# -- headers


def responses(town):
    """One answer of every kind."""
    maya, eli, stranger = Browser(town, "maya"), Browser(town, "eli"), Browser(town)
    page = maya.get(REQUEST)
    form = page.form("approve")
    yield from (browser.get(target) for browser in (maya, eli, stranger) for target in targets(town))
    yield from (browser.head(target) for browser in (maya, stranger) for target in targets(town))
    yield stranger.get("/nowhere")
    yield stranger.post("/", {})
    yield stranger.post(REQUEST, form.fields)
    yield maya.post(REQUEST, form.fields, headers={"origin": "null"})
    yield maya.post(REQUEST, {})
    yield maya.post(REQUEST, {}, headers={"content-type": "text/plain"})
    yield maya.post(REQUEST, {"reason": "x" * LARGEST})
    yield maya.get("/", rawQueryString="x" * (LONGEST + 1))
    yield maya.press(page, "reject")
    yield maya.press(page, "approve")
    town.world.directory.down = town.sign_in.down = True
    yield maya.get("/")
    yield stranger.get("/")


def test_every_answer_carries_the_headers(town):
    statuses = set()
    for answer in responses(town):
        statuses.add(answer.status)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert answer.headers["content-type"].endswith("; charset=utf-8")
        kept = answer.headers["cache-control"]
        assert kept == "no-store" or answer.headers["content-type"].startswith("text/css")
    assert statuses == {200, 303, 400, 403, 404, 405, 409, 413, 414, 415, 422, 503}


# -- forms that are not ours


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": None},
        {"origin": ""},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": f"{PAGES}.evil.example"},
        {"origin": "http://approvals.example.com"},
        {"origin": f"{PAGES}:8443"},
        {"origin": f"{PAGES}/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
    ],
)
def test_a_form_from_elsewhere_is_refused(town, maya, headers):
    form = maya.get(REQUEST).form("approve")
    before = town.state()
    answer = maya.post(form.target, form.fields, headers=headers)
    assert answer.status == 403
    assert "was not sent from our own page" in answer.text
    assert town.state() == before


def test_a_browser_that_does_not_say_where_it_was_sent_from_says_the_origin(maya):
    form = maya.get(REQUEST).form("approve")
    assert maya.post(form.target, form.fields, headers={"sec-fetch-site": None}).status == 303


def test_the_origin_is_ours_however_it_is_written(maya):
    form = maya.get(REQUEST).form("approve")
    headers = {"origin": None, "Origin": "HTTPS://Approvals.Example.com", "Sec-Fetch-Site": "same-origin"}
    assert maya.post(form.target, form.fields, headers=headers).status == 303


def test_the_pages_address_may_be_written_in_capitals():
    town = Town(pages="https://Approvals.Example.com")
    town.register()
    maya = Browser(town, "maya")
    assert maya.press(maya.get(REQUEST), "approve").status == 303


def refused(town, browser, target, fields, **more):
    """The page that somebody gets whose form had no effect."""
    before = town.state()
    answer = browser.post(target, fields, **more)
    assert answer.status == 403
    assert "nothing was recorded" in answer.text
    assert town.state() == before
    return answer


def test_a_form_without_a_sign_in_is_refused(town, maya):
    form = maya.get(REQUEST).form("reject")
    answer = refused(town, maya, form.target, {**form.fields, "reason": "Recall is worse."}, cookies={})
    assert "Recall is worse." in answer.text
    assert REQUEST in answer.links


def test_a_form_with_a_ticket_that_has_expired_gives_back_what_was_written(town, maya):
    form = maya.get(REQUEST).form("reject")
    town.world.clock.advance(minutes=31)
    answer = refused(town, maya, form.target, {**form.fields, "reason": "Recall is worse."})
    assert "Your sign-in has ended" in answer.text
    assert "Recall is worse." in answer.text


def test_somebody_else_s_form_is_refused(town, maya):
    form = Browser(town, "omar").get(REQUEST).form("approve")
    refused(town, maya, form.target, form.fields)


def test_a_form_of_an_earlier_sign_in_is_refused(town, maya):
    form = maya.get(REQUEST).form("approve")
    maya.sign_in("maya")
    refused(town, maya, form.target, form.fields)


def test_a_form_of_another_request_is_refused(town, maya):
    town.register(2)
    form = maya.get("/requests/churn/2/dev/1").form("approve")
    refused(town, maya, REQUEST, form.fields)


def test_a_form_of_another_page_is_refused(town, maya):
    town.answer("maya", "churn/1/dev/1", "reject")
    form = maya.get(ASK).form("ask")
    refused(town, maya, "/ask/churn/1/test", form.fields)
    refused(town, maya, REQUEST, form.fields)
    refused(town, maya, "/sign-out", form.fields)


def test_a_form_that_does_something_else_is_refused(town, maya):
    form = maya.get(REQUEST).form("reject")
    answer = refused(town, maya, REQUEST, {**form.fields, "action": "approve"})
    assert "made for another page" in answer.text


def test_a_form_with_another_number_is_refused(town, maya):
    form = maya.get(REQUEST).form("approve")
    refused(town, maya, REQUEST, {**form.fields, "nonce": "a" * 22})


@pytest.mark.parametrize("missing", ["action", "nonce", "token"])
def test_a_form_with_a_part_missing_is_refused(town, maya, missing):
    fields = dict(maya.get(REQUEST).form("approve").fields)
    del fields[missing]
    refused(town, maya, REQUEST, fields)


@pytest.mark.parametrize("token", ["", "0" * 64, "é", "\x00"])
def test_a_forged_token_is_refused(town, maya, token):
    fields = maya.get(REQUEST).form("approve").fields
    refused(town, maya, REQUEST, {**fields, "token": token})


def test_the_form_of_another_account_s_link_is_refused(town, maya):
    one, other = (town.links.linking(ACCOUNT, called, "maya@example.com", None) for called in ("@one", "@other"))
    form = maya.get(one).form("link")
    refused(town, maya, other, form.fields)
    refused(town, maya, "/link", form.fields)
    assert town.people.binding(ACCOUNT) is None


def test_a_link_is_no_ticket(town, maya):
    form = maya.get(REQUEST).form("approve")
    token = town.links.review(RequestId("churn", 1, "dev", 1)).partition("?t=")[2]
    refused(town, maya, form.target, form.fields, cookies={TICKET: token})


def test_every_form_has_a_number_of_its_own(maya):
    pages = [maya.get(REQUEST) for _ in range(3)]
    numbers = [page.form(action).fields["nonce"] for page in pages for action in page.actions]
    assert len(numbers) == len(set(numbers)) == 9


# -- bodies


@pytest.mark.parametrize("kind", [None, "", "text/plain", "multipart/form-data; boundary=x", "application/json"])
def test_only_forms_are_read(town, maya, kind):
    form = maya.get(REQUEST).form("approve")
    answer = maya.post(REQUEST, form.fields, headers={"content-type": kind})
    assert answer.status == 415
    assert town.jobs() == []


def test_a_form_may_say_its_letters_and_come_in_base64(maya):
    form = maya.get(REQUEST).form("approve")
    body = base64.b64encode(urlencode(form.fields).encode()).decode()
    headers = {"content-type": f"{FORM}; charset=UTF-8"}
    assert maya._ask("POST", REQUEST, headers=headers, body=body, isBase64Encoded=True).status == 303


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_is_measured_before_it_is_read(maya, encoded):
    text = "a" * (LARGEST * 4 // 3 + 5 if encoded else LARGEST + 1)
    assert maya._ask("POST", REQUEST, body=text, isBase64Encoded=encoded).status == 413


@pytest.mark.parametrize("body", ["!", "/w==", "é"])
def test_a_body_that_cannot_be_decoded_is_none(maya, body):
    assert maya._ask("POST", REQUEST, body=body, isBase64Encoded=True).status == 400


def test_a_body_of_many_fields_is_none(maya):
    assert maya._ask("POST", REQUEST, body="&".join("a=b" for _ in range(51))).status == 400


def test_of_a_name_that_comes_twice_the_first_counts(town, maya):
    form = maya.get(REQUEST).form("reject")
    body = f"{urlencode({**form.fields, 'reason': 'first'})}&reason=second&action=approve"
    assert maya._ask("POST", REQUEST, body=body).status == 303
    assert town.jobs()[0].reason == "first"


def test_a_query_is_measured_too(maya):
    assert maya.get("/", rawQueryString="a" * LONGEST).status == 200
    assert maya.get("/", rawQueryString="a" * (LONGEST + 1)).status == 414
    assert maya.get("/", rawQueryString="&".join("a=b" for _ in range(51))).status == 400


def test_of_a_cookie_that_comes_twice_the_first_counts(town, maya):
    event = api_event("GET", "/") | {"cookies": [f"{TICKET}={maya.cookies[TICKET]}", f"{TICKET}=forged"]}
    assert dispatch(town.site, event)["statusCode"] == 200


def test_half_a_character_is_no_text(maya):
    half = "\ud800"
    sent = maya.get(REQUEST).form("reject")
    assert maya.get("/", cookies={}, rawQueryString=f"t={half}").status == 303
    assert maya.get("/", rawPath=f"/{half}").status == 404
    assert maya._ask("POST", REQUEST, body=f"{urlencode(sent.fields)}{half}&token={half}").status == 400


# -- anything at all


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=6,
)
LETTERS = st.text(st.characters(codec=None), max_size=60)
PATHS = st.sampled_from(["/", "/r", REQUEST, outcome(REQUEST), ASK, outcome(ASK), "/link", "/confirm", "/signed-in"])


METHODS = st.sampled_from(["GET", "POST", "HEAD"])


@settings(max_examples=100)
@given(
    event=st.dictionaries(
        st.sampled_from(["rawPath", "rawQueryString", "headers", "cookies", "requestContext", "body"]), JSON
    )
)
def test_no_event_crashes_the_door(event):
    assert dispatch(TOWN.site, event)["statusCode"] in {404, 405, 414, 400, 303, 200}


@settings(max_examples=150)
@given(
    path=PATHS | LETTERS, query=LETTERS, body=LETTERS, value=LETTERS, method=st.sampled_from(["GET", "POST", "HEAD"])
)
def test_no_text_crashes_the_door_nor_has_an_effect(path, query, body, value, method):
    maya, before = Browser(TOWN, "maya"), TOWN.state()
    headers = {"origin": PAGES, "content-type": FORM, "x": value}
    for cookies in (maya.cookies, {TICKET: value}):
        event = api_event(method, path, body, headers, cookies, rawPath=path, rawQueryString=query)
        answer = dispatch(TOWN.site, event)
        assert answer["statusCode"] in range(200, 500)
        assert all(value.isprintable() for value in answer["headers"].values())
    assert TOWN.state() == before


TOWN = Town()
TOWN.register()
