"""Signing in and out: cookies, what they may be used for, and where people end up."""

import logging
from datetime import timedelta

import pytest

from bot.domain import RequestId
from bot.web.refusals import SILENT, STRANGER
from bot.web.session import FLOW, STALE, TICKET, Flow, Ticket
from tests.adapters.web_examples import ACCOUNT, CALLED, COMPANY, REQUEST, TENANT, Browser, Person, Town

TARGETS = [
    "/",
    "/r?t=sealed-99",
    REQUEST,
    f"{REQUEST}/outcome?n=aaaaaaaaaaaaaaaaaaaaaa&at=1795510800000",
    "/models/churn",
    "/models/churn/1",
    "/ask/churn/1/test",
    "/ask/churn/1/test/outcome?n=aaaaaaaaaaaaaaaaaaaaaa&at=1795510800000",
    "/link?t=sealed-99",
    "/linked",
    "/confirm?t=sealed-99",
    "/confirmed",
]


@pytest.fixture
def town():
    town = Town()
    town.register()
    return town


@pytest.fixture
def stranger(town):
    return Browser(town)


def attributes(cookie):
    """Name, value and attributes of a cookie."""
    pair, *rest = cookie.split("; ")
    return (*pair.split("=", 1), set(rest))


@pytest.mark.parametrize("target", TARGETS)
def test_every_page_sends_strangers_to_the_sign_in_and_tells_them_nothing(stranger, target):
    answer = stranger.get(target)
    assert answer.status == 303
    assert answer.location.startswith(COMPANY)
    assert answer.body == ""
    assert "churn" not in answer.location


@pytest.mark.parametrize("target", TARGETS)
def test_after_the_sign_in_people_are_where_they_wanted_to_go(stranger, target):
    back = stranger.sign_in("maya", target)
    assert (back.status, back.location) == (303, target)


def test_a_link_is_not_opened_before_somebody_has_signed_in(town, stranger):
    town.sealer.unseal = None
    assert stranger.get("/r?t=sealed-1").location.startswith(COMPANY)


def test_the_cookies_are_ours_alone(stranger):
    begun = stranger.get("/")
    back = stranger.come_back("maya", begun)
    name, value, flags = attributes(begun.cookies[0])
    assert (name, bool(value)) == (FLOW, True)
    assert flags == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=600"}
    name, value, flags = attributes(back.cookies[0])
    assert (name, bool(value)) == (TICKET, True)
    assert flags == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=1800"}
    name, value, flags = attributes(back.cookies[1])
    assert (name, value) == (FLOW, "")
    assert "Max-Age=0" in flags


def test_no_page_sets_a_cookie_besides_the_sign_in(town):
    maya = Browser(town, "maya")
    for target in TARGETS:
        assert maya.get(target).cookies == []


def test_a_ticket_is_good_for_half_an_hour(town):
    maya = Browser(town, "maya")
    town.world.clock.advance(minutes=29)
    assert maya.get("/").status == 200
    town.world.clock.advance(minutes=1)
    assert maya.get("/").status == 303


def test_a_sign_in_is_waited_for_ten_minutes(town, stranger):
    begun = stranger.get("/")
    town.world.clock.advance(minutes=10)
    answer = stranger.come_back("maya", begun)
    assert answer.status == 400
    assert STALE in answer.text
    assert TICKET not in stranger.cookies


def test_a_sign_in_that_failed_is_over(stranger):
    begun = stranger.get("/")
    assert stranger.get("/signed-in?code=maya-1&state=forged").status == 400
    assert stranger.cookies == {}
    assert stranger.come_back("maya", begun).status == 400


def test_the_same_answer_of_the_sign_in_counts_once(town, stranger):
    begun = stranger.get("/")
    flow = dict(stranger.cookies)
    query = f"/signed-in?code=maya-1&state={begun.location.rpartition('state=')[2]}"
    assert stranger.get(query).status == 303
    assert Browser(town).get(query, cookies=flow).status == 400


@pytest.mark.parametrize("query", ["", "?code=maya-1", "?state=state-1", "?error=access_denied&state=state-1", "?code"])
def test_who_does_not_come_back_signed_in_has_no_ticket(stranger, query):
    stranger.get("/")
    answer = stranger.get(f"/signed-in{query}")
    assert answer.status in {400, 403}
    assert "Nothing was recorded" in answer.text or "nothing was recorded" in answer.text
    assert TICKET not in stranger.cookies


def test_whoever_is_not_identified_is_told_the_one_text_and_the_log_the_cause(stranger, caplog):
    caplog.set_level(logging.INFO)
    stranger.get("/")
    answer = stranger.get("/signed-in?error=access_denied&state=state-1")
    assert answer.status == 403
    assert STRANGER in answer.text
    assert "access_denied" not in answer.text
    assert "access_denied" in caplog.text


def test_nothing_of_the_way_back_stays_in_page_or_log(stranger, caplog):
    caplog.set_level(logging.DEBUG)
    stranger.get("/")
    answer = stranger.get("/signed-in?code=very-secret&state=other-secret")
    assert "secret" not in answer.body + caplog.text + str(answer.headers)


def test_a_browser_that_did_not_begin_cannot_finish(town, stranger):
    begun = Browser(town).get("/")
    answer = stranger.come_back("maya", begun)
    assert answer.status == 400
    assert TICKET not in stranger.cookies


def test_the_flow_of_another_browser_finishes_nothing(town):
    mine, theirs = Browser(town), Browser(town)
    begun = mine.get("/")
    theirs.get("/")
    mine.cookies[FLOW] = theirs.cookies[FLOW]
    assert mine.come_back("maya", begun).status == 400


def test_a_sign_in_that_does_not_answer_is_tried_again(town, stranger):
    town.sign_in.down = True
    answer = stranger.get(REQUEST)
    assert answer.status == 503
    assert SILENT in answer.text
    assert "churn" not in answer.body
    assert stranger.cookies == {}


@pytest.mark.parametrize(
    "kind", ["flow", "ticket", "review", "linking"], ids=lambda kind: f"{kind}-where-the-other-belongs"
)
def test_no_token_opens_another_door(town, kind):
    maya, until = Browser(town, "maya"), town.world.clock() + timedelta(hours=1)
    tokens = {
        "flow": town.seals.close(Flow("state-1", "/", until)),
        "ticket": maya.cookies[TICKET],
        "review": town.links.review(RequestId("churn", 1, "dev", 1)).partition("?t=")[2],
        "linking": town.links.linking(ACCOUNT, CALLED, "maya@example.com", None).partition("?t=")[2],
    }
    if kind != "ticket":
        assert maya.get("/", cookies={TICKET: tokens[kind]}).status == 303
        assert maya.get(REQUEST, cookies={TICKET: tokens[kind]}).location.startswith(COMPANY)
    if kind != "flow":
        assert maya.get("/signed-in?code=maya-1&state=state-1", cookies={FLOW: tokens[kind]}).status == 400
    if kind != "review":
        assert maya.get(f"/r?t={tokens[kind]}").status == 400
    if kind != "linking":
        assert maya.get(f"/link?t={tokens[kind]}").status == 400


def test_cookies_under_each_other_s_name_are_nothing(town, stranger):
    stranger.get("/")
    maya = Browser(town, "maya")
    swapped = {TICKET: stranger.cookies[FLOW], FLOW: maya.cookies[TICKET]}
    assert maya.get("/", cookies=swapped).status == 303
    assert maya.get("/signed-in?code=maya-1&state=state-1", cookies=swapped).status == 400


@pytest.mark.parametrize("value", ["", "forged", "sealed-0 ", "=", "a" * 9000, "\x00", "é"])
def test_a_ticket_of_nobody_s_making_is_none(town, value):
    assert Browser(town).get("/", cookies={TICKET: value}).status == 303


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/a\r\nset-cookie: x=1",
        "/\tevil",
        "/a\\b",
        "/ä",
        "/ //evil.example",
    ],
)
def test_the_way_back_never_leads_elsewhere(town, stranger, target):
    flow = town.seals.close(Flow("state-1", target, town.world.clock() + timedelta(minutes=5)))
    answer = stranger.get("/signed-in?code=maya-1&state=state-1", cookies={FLOW: flow})
    assert (answer.status, answer.location) == (303, "/")


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "/requests//evil.example/", "https://evil.example"]
)
def test_no_path_leads_elsewhere(stranger, path):
    assert stranger.get("/", rawPath=path).status == 404


def test_a_query_cannot_add_to_the_headers(stranger):
    query = "t=a%0d%0aset-cookie:%20x=1&\r\nx: y=\u2028"
    back = stranger.come_back("maya", stranger.get("/r", rawQueryString=query))
    assert back.status == 303
    assert back.location.isascii()
    assert back.location.isprintable()


def test_a_link_that_browsers_would_not_keep_is_broken_at_once(town, stranger):
    town.sealer.seal = lambda _purpose, text: text.encode().hex()
    assert stranger.get(f"/link?t={'x' * 900}").status == 303
    answer = stranger.get(f"/link?t={'x' * 4000}")
    assert answer.status == 400
    assert answer.cookies == []


def test_the_longest_name_fits_a_cookie(town, stranger):
    town.sign_in.finish = lambda _flow, _query: Person(
        "00000000-0000-4000-8000-000000000001", TENANT, "\U0001f600" * 400
    )
    begun = stranger.get("/")
    town.sealer.seal = lambda _purpose, text: text.encode().hex()
    answer = stranger.come_back("maya", begun)
    assert answer.status == 303
    assert all(len(cookie) < 4096 for cookie in answer.cookies)


def test_the_person_is_the_object_id_of_the_tenant(town):
    maya = Browser(town, "maya")
    maya.press(maya.get(REQUEST), "approve")
    by = town.jobs()[0].by
    assert (by.surface, by.team, by.user, by.oid) == ("web", TENANT, "oid-maya", "oid-maya")


def test_a_secret_belongs_to_one_sign_in(town):
    secrets = set()
    for _ in range(5):
        maya = Browser(town, "maya")
        secrets.add(town.seals.open(Ticket, maya.cookies[TICKET]).secret)
    assert len(secrets) == 5
    assert all(len(secret) >= 40 for secret in secrets)


def test_who_signs_out_is_nobody_and_stays_so(town):
    maya = Browser(town, "maya")
    answer = maya.press(maya.get("/"), "sign-out")
    assert (answer.status, answer.location) == (303, "/signed-out")
    assert maya.cookies == {}
    page = maya.get("/signed-out")
    assert "You have signed out" in page.text
    assert page.cookies == []
    assert maya.get("/").status == 303


def test_nobody_signs_others_out(town):
    maya, eli = Browser(town, "maya"), Browser(town, "eli")
    form = eli.get("/").form("sign-out")
    assert maya.post(form.target, form.fields).status == 403
    assert maya.get("/").status == 200


def test_pages_name_who_is_signed_in(town):
    assert "Maya Sign out" in Browser(town, "maya").get("/").text
    assert "Sign out" not in Browser(town).get("/signed-out").text
