"""The pages as people see them: what waits, requests and their outcomes, models, asking, and linked accounts."""

import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from bot.domain import RequestId
from bot.errors import Refused, Unavailable
from bot.evidence import Metric
from bot.seals import ReviewLink
from bot.web.refusals import STRANGER
from bot.web.visit import read_visit
from tests.adapters.web_examples import (
    ACCOUNT,
    CALLED,
    METRICS,
    OLDER,
    PAGES,
    REQUEST,
    Browser,
    Town,
    address,
    administered,
    api_event,
)
from tests.memory import MemoryDirectory
from tests.proofs.world import policy_of

ROOT = Path(__file__).parents[2]
NASTY = "\"'><script>alert(1)</script><b onmouseover=x>"


@pytest.fixture
def town():
    town = Town()
    town.register()
    return town


@pytest.fixture
def maya(town):
    return Browser(town, "maya")


def carry_out(town):
    town.world.drain()


# -- what waits


def test_what_waits_for_me_comes_first_then_the_others_then_every_group(town, maya):
    town.answer("maya", "churn/1/dev/1")
    town.register(2)
    town.world.directory.add("dan", town.world.policy.environment("dev", "churn").approvers)
    page = Browser(town, "dan").get("/").text
    assert page.index("Waiting for you (1)") < page.index("churn v2 for dev") < page.index("Waiting for others (1)")
    assert page.index("churn v1 for test") < page.index("Models by environment") < page.index("v1 in use")
    assert "Waiting for you (2)" in maya.get("/").text


def test_a_day_without_requests_says_so(town):
    town.answer("maya", "churn/1/dev/1", "reject")
    page = Browser(town, "eli").get("/")
    assert "Nothing waits for your answer." in page.text
    assert "Waiting for others" not in page.text


def test_before_the_first_version_there_is_nothing_to_show():
    assert "No model version has been asked about yet." in Browser(Town(), "maya").get("/").text


def test_every_page_of_the_list_can_be_opened(town, maya):
    town.answer("maya", "churn/1/dev/1")
    seen, waiting = set(), ["/"]
    while waiting:
        target = waiting.pop()
        page = maya.get(target)
        assert page.status == 200, target
        seen.add(target)
        waiting += [link for link in page.links if link.startswith("/") and link not in seen | set(waiting)]
    assert {REQUEST, "/requests/churn/1/test/1", "/models/churn", "/models/churn/1", "/ask/churn/1/dev"} <= seen


def test_a_group_shows_its_versions_newest_first(town, maya):
    town.answer("maya", "churn/1/dev/1")
    town.register(2)
    page = maya.get("/models/churn")
    assert page.text.index("v2") < page.text.index("v1")
    assert "in use" in page.text
    assert "/requests/churn/2/dev/1" in page.links


def test_a_rollback_that_waits_is_in_use_no_less(town, maya):
    town.answer("maya", "churn/1/dev/1")
    maya.press(maya.get("/ask/churn/1/dev"), "ask")
    carry_out(town)
    assert "/requests/churn/1/dev/2" in maya.get("/models/churn").links
    assert re.search(r"v1 in use .* waiting", maya.get("/models/churn").text)


def test_a_version_tells_its_requests_and_its_whole_history(town, maya):
    town.answer("maya", "churn/1/dev/1")
    town.answer("omar", "churn/1/test/1", "reject")
    page = maya.get("/models/churn/1")
    assert "round 1: approved Approved by Maya" in page.text
    assert "round 1: rejected Rejected by Omar: drifts" in page.text
    told = [
        "churn v1 asks for dev",
        "Maya approved churn v1",
        "churn v1 asks for test",
        "Omar rejected churn v1 for test",
    ]
    places = [page.text.index(line) for line in told]
    assert places == sorted(places)
    assert {REQUEST, "/requests/churn/1/test/1", "/ask/churn/1/test"} <= set(page.links)


def test_an_environment_can_be_asked_for_in_order_where_nothing_waits(town, maya):
    page = maya.get("/models/churn/1")
    assert not [link for link in page.links if link.startswith("/ask/")]
    assert "after dev is approved" in page.text


def test_an_environment_that_the_policy_no_longer_has_stays_to_be_read(town, maya):
    town.answer("maya", "churn/1/dev/1")
    town.site = replace(town.site, desk=replace(town.site.desk, policy=policy_of(("test",))))
    for target in ("/", "/models/churn", "/models/churn/1"):
        assert re.search(r"test .*dev", maya.get(target).text)
    page = maya.get("/models/churn/1")
    assert "round 1: approved Approved by Maya" in page.text
    assert "/ask/churn/1/dev" not in page.links


@pytest.mark.parametrize("target", ["/models/other", "/models/churn/9"])
def test_a_model_that_nobody_knows_is_not_found(maya, target):
    page = maya.get(target)
    assert page.status == 404
    assert "Nothing is recorded of" in page.text


@pytest.mark.parametrize("target", ["/", "/models/churn", "/models/churn/1", REQUEST])
@pytest.mark.parametrize(("user", "why"), [("gus", "is a guest"), ("dora", "is disabled")])
def test_guests_and_disabled_people_see_nothing_but_why(town, target, user, why):
    page = Browser(town, user).get(target)
    assert page.status == 403
    assert why in page.text
    assert "approvers-dev may answer" not in page.text
    assert "churn v1" not in page.text


# -- a request


def test_the_link_of_a_mail_leads_to_its_request(town, maya):
    answer = maya.get(town.links.review(RequestId("churn", 1, "dev", 1)))
    assert (answer.status, answer.location) == (303, REQUEST)


def test_a_request_shows_the_card_that_everybody_sees(town, maya):
    town.answer("maya", "churn/1/dev/1")
    town.world.directory.emails["dana@example.com"] = "oid-dana"
    town.register(2, metrics=METRICS, commit="9f3c2ab1", repository="https://git.example.com/churn")
    town.answer("maya", "churn/2/dev/1")
    page = maya.get("/requests/churn/2/test/1")
    assert "Approve churn v2 for test?" in page.text
    assert "dev approved test waiting" in page.text
    assert "AUC 0.903" in page.text
    assert "Requested by dana@example.com" in page.text
    assert "https://git.example.com/churn/commit/9f3c2ab1" in page.links
    assert "churn v2 becomes the model that test loads." in page.text
    assert "Maya approved churn v2 for dev ." in page.text
    assert page.actions == ["sign-out", "approve", "reject"]
    assert "The request for dev" in page.text
    assert "/requests/churn/2/dev/1" in page.links
    assert "The request for test" not in page.text


def test_metrics_stand_in_a_real_table_with_their_change_in_words(town, maya):
    town = Town()
    town.register(1, metrics=OLDER)
    town.answer("maya", "churn/1/dev/1")
    town.register(2, metrics=METRICS)
    page = Browser(town, "maya").get("/requests/churn/2/dev/1")
    assert {"caption", "th", "thead"} <= set(page.page.tags)
    assert "AUC 0.903 0.793 ▲ 0.110 better" in page.text
    assert "p95 latency 15.51 ms 12.1 ms ▲ 3.410 ms worse" in page.text


def test_an_approval_is_handed_in_awaited_and_shown(town, maya):
    sent = maya.press(maya.get(REQUEST), "approve")
    assert sent.status == 303
    assert sent.location.startswith(f"{REQUEST}/outcome?n=")
    waiting = maya.get(sent.location)
    assert "Your answer is being recorded" in waiting.text
    assert waiting.headers["refresh"] == "2"
    assert sent.location in waiting.links
    carry_out(town)
    done = maya.get(sent.location)
    assert "Your answer is recorded" in done.text
    assert "churn v1 is approved for dev" in done.text
    assert "refresh" not in done.headers
    assert town.world.pointer("dev") == 1


def test_who_waits_longer_than_usual_is_told_so_and_looks_less_often(town, maya):
    sent = maya.press(maya.get(REQUEST), "approve")
    town.world.clock.advance(seconds=31)
    page = maya.get(sent.location)
    assert page.headers["refresh"] == "15"
    assert "longer than usual" in page.text


def test_what_was_not_recorded_in_time_has_to_be_answered_again(town, maya):
    sent = maya.press(maya.get(REQUEST), "approve")
    town.world.jobs.queues["decisions"].clear()
    town.world.clock.advance(minutes=16)
    page = maya.get(sent.location)
    assert "Your answer was not recorded" in page.text
    assert "Please try again." in page.text
    assert REQUEST in page.links


def test_who_was_slower_learns_who_has_decided(town, maya):
    sent = maya.press(maya.get(REQUEST), "approve")
    town.world.jobs.queues["decisions"].clear()
    town.answer("omar", "churn/1/dev/1", "reject")
    page = maya.get(sent.location)
    assert "Your answer was not recorded" in page.text
    assert "already decided. Rejected by Omar: drifts" in page.text


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?n=x&at=1795510800000",
        "?n=aaaaaaaaaaaaaaaaaaaaaa&at=1",
        "?n=aaaaaaaaaaaaaaaaaaaaaa&at=-1",
        "?n=aaaaaaaaaaaaaaaaaaaaaa&at=99999999999999",
    ],
)
def test_an_outcome_that_nobody_awaits_does_not_exist(maya, query):
    assert maya.get(f"{REQUEST}/outcome{query}").status == 400


def test_a_rejection_carries_its_reason(town, maya):
    sent = maya.press(maya.get(REQUEST), "reject", reason="Recall is worse.\r\nSee the report.")
    carry_out(town)
    page = maya.get(sent.location)
    assert "churn v1 was rejected for dev" in page.text
    assert "Recall is worse. See the report." in page.text


@pytest.mark.parametrize("typed", ["", "  \r\n ", "x" * 2001])
def test_a_rejection_that_cannot_be_taken_comes_back_with_what_was_typed(town, maya, typed):
    before = town.state()
    page = maya.press(maya.get(REQUEST), "reject", reason=typed)
    assert page.status == 422
    assert re.search(r"A reject needs a reason|This reason is too long", page.text)
    assert 'aria-invalid="true" aria-describedby="hint mistake"' in page.body
    assert f">\n{typed.replace(chr(13), '')}</textarea>" in page.body
    assert town.state() == before
    again = maya.press(page, "reject", reason="drifts")
    assert again.status == 303


def test_the_longest_reason_is_taken(maya):
    assert maya.press(maya.get(REQUEST), "reject", reason="x" * 2000).status == 303


def test_an_approval_takes_no_reason_along(town, maya):
    maya.press(maya.get(REQUEST), "approve", reason="slipped in")
    assert [job.reason for job in town.jobs()] == [""]


def test_who_is_in_no_approver_group_may_look_and_learns_whom_to_ask(town):
    page = Browser(town, "eli").get(REQUEST)
    assert page.status == 403
    assert "Eli is not an approver for dev. Only members of approvers-dev may answer" in page.text
    assert page.actions == ["sign-out"]


def test_who_left_the_group_after_the_page_was_opened_is_refused(town, maya):
    page = maya.get(REQUEST)
    town.world.directory.add("maya")
    refused = maya.press(page, "approve")
    assert refused.status == 403
    assert "is not an approver for dev" in refused.text
    assert town.jobs() == []


def test_who_was_disabled_after_the_page_was_opened_is_refused(town, maya):
    page = maya.get(REQUEST)
    town.world.directory.add("maya", *town.world.directory.people["maya"].groups, enabled=False)
    assert maya.press(page, "approve").status == 403
    assert town.jobs() == []


def test_a_decided_request_says_who_decided_and_when(town, maya):
    page = maya.get(REQUEST)
    town.answer("omar", "churn/1/dev/1")
    refused = maya.press(page, "approve")
    assert refused.status == 409
    assert re.search(r"already decided\. Approved by Omar, 2026-11-24 09:\d\d UTC", refused.text)
    assert refused.actions == ["sign-out"]
    assert maya.get(REQUEST).status == 200
    assert town.jobs() == []


def test_a_reason_that_came_too_late_is_given_back(town, maya):
    page = maya.get(REQUEST)
    town.answer("omar", "churn/1/dev/1")
    for reason in ("Recall is worse.", "Recall is worse. " * 200):
        assert "This is what you had written: Recall is worse." in maya.press(page, "reject", reason=reason).text


def test_the_same_form_sent_twice_is_one_answer(town, maya):
    page = maya.get(REQUEST)
    first, second = maya.press(page, "approve"), maya.press(page, "approve")
    assert len(town.jobs()) == 1
    carry_out(town)
    third = maya.press(page, "approve")
    assert town.jobs() == []
    assert [each.status for each in (first, second, third)] == [303] * 3
    assert "Your answer is recorded" in maya.get(third.location).text


def test_two_approvals_are_two_people_s(town):
    town = Town(administered(policy_of(dev="required = 2")))
    town.register()
    maya, omar = Browser(town, "maya"), Browser(town, "omar")
    maya.press(maya.get(REQUEST), "approve")
    carry_out(town)
    assert "You have answered churn/1/dev/1 already" in maya.get(REQUEST).text
    omar.press(omar.get(REQUEST), "approve")
    carry_out(town)
    assert town.world.pointer("dev") == 1


def test_who_asked_is_told_that_somebody_else_has_to_answer():
    town = Town(administered(policy_of(dev="four_eyes = true")))
    town.world.directory.emails["dana@example.com"] = "oid-maya"
    town.register()
    maya = Browser(town, "maya")
    page = maya.get(REQUEST)
    assert "somebody else has to answer" in page.text
    assert page.actions == ["sign-out"]


def test_an_expired_request_says_so_and_leads_to_a_new_one(town, maya):
    town.world.clock.advance(days=15)
    maya.sign_in("maya")
    page = maya.get(REQUEST)
    assert "has expired. Ask for a new one." in page.text
    assert "/ask/churn/1/dev" in page.links


def test_a_superseded_request_leads_to_the_version_that_came_instead(town, maya):
    town.register(2)
    town.answer("maya", "churn/2/dev/1")
    page = maya.get(REQUEST)
    assert "Superseded by v2" in page.text
    assert "/models/churn/2" in page.links


def test_an_old_round_leads_to_the_newest(town, maya):
    town.answer("maya", "churn/1/dev/1", "reject")
    maya.press(maya.get("/ask/churn/1/dev"), "ask")
    carry_out(town)
    page = maya.get(REQUEST)
    assert "The newest request of churn v1 for dev" in page.text
    assert "/requests/churn/1/dev/2" in page.links
    assert "/ask/churn/1/dev" not in page.links
    assert page.actions == ["sign-out"]


def test_a_request_out_of_order_says_what_comes_first(town, maya):
    town.answer("maya", "churn/1/dev/1")
    page = maya.get("/requests/churn/1/test/1")
    town.world.revoke("maya", "churn/1/dev/1")
    carry_out(town)
    assert maya.press(page, "approve").status == 409
    assert maya.get("/ask/churn/1/test").status == 409


@pytest.mark.parametrize("request_id", ["churn/1/dev/2", "churn/9/dev/1", "churn/1/prod/1", "other/1/dev/1"])
def test_a_request_that_is_not_there_is_not_found(maya, request_id):
    page = maya.get(f"/requests/{request_id}")
    assert page.status == 404
    assert "There is no request" in page.text


def test_a_queue_that_takes_nothing_loses_nothing_that_was_written(town, maya):
    page = maya.get(REQUEST)

    def broken(name, effect):
        if name == "enqueue":
            raise Unavailable("SQS did not answer")
        return effect()

    with town.world.stepping(broken):
        answer = maya.press(page, "reject", reason="Recall is worse.")
    assert answer.status == 503
    assert "nothing was recorded" in answer.text
    assert "Recall is worse." in answer.text
    assert REQUEST in answer.links
    assert maya.press(page, "reject", reason="Recall is worse.").status == 303


def test_mistakes_of_the_policy_are_the_bot_s_own_trouble(town, maya):
    page = maya.get(REQUEST)

    def closed(name, effect):
        if name == "enqueue":
            raise Refused("Your answer was not recorded: the bot's policy has mistakes.")
        return effect()

    with town.world.stepping(closed):
        answer = maya.press(page, "approve")
    assert answer.status == 503
    assert "the bot's policy has mistakes" in answer.text


def test_a_directory_that_does_not_answer_lets_nothing_through(town, maya):
    page, before = maya.get(REQUEST), town.state()
    town.world.directory.down = True
    for answer in (maya.get(REQUEST), maya.get("/"), maya.press(page, "approve")):
        assert answer.status == 503
        assert "nothing was recorded" in answer.text
        assert int(answer.headers["retry-after"]) > 0
    assert town.state() == before


def test_a_person_whom_the_directory_has_lost_is_told_the_one_text(town, maya):
    del town.world.directory.people["maya"]
    page = maya.get(REQUEST)
    assert page.status == 403
    assert STRANGER in page.text


# -- asking


def test_a_promotion_is_asked_for_and_leads_to_its_request(town, maya):
    town.answer("maya", "churn/1/dev/1", "reject")
    page = maya.get("/ask/churn/1/dev")
    assert "The members of approvers-dev will be asked to approve churn v1 for dev" in page.text
    sent = maya.press(page, "ask")
    waiting = maya.get(sent.location)
    assert "Your request is being recorded" in waiting.text
    assert waiting.headers["refresh"] == "2"
    carry_out(town)
    done = maya.get(sent.location)
    assert "Your request is recorded" in done.text
    assert "/requests/churn/1/dev/2" in done.links
    assert "Requested by Maya" in maya.get("/requests/churn/1/dev/2").text


def test_the_same_request_sent_twice_is_one(town, maya):
    town.answer("maya", "churn/1/dev/1", "reject")
    page = maya.get("/ask/churn/1/dev")
    maya.press(page, "ask")
    maya.press(page, "ask")
    assert len(town.jobs()) == 1
    carry_out(town)
    again = maya.press(page, "ask")
    assert again.status == 303
    assert "Your request is recorded" in maya.get(again.location).text
    assert town.jobs() == []


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        ("/ask/churn/1/dev", 409, "is being asked about for dev already"),
        ("/ask/churn/1/test", 409, "is not approved for every environment before test"),
        ("/ask/churn/1/staging", 404, "knows no environment staging"),
        ("/ask/other/1/dev", 404, "knows no environment dev for other"),
    ],
)
def test_what_cannot_be_asked_for_says_why(maya, target, status, says):
    page = maya.get(target)
    assert page.status == status
    assert says in page.text
    assert page.actions == ["sign-out"]


def test_what_became_impossible_to_ask_for_is_refused_when_it_is_sent(town, maya):
    town.answer("maya", "churn/1/dev/1", "reject")
    pages = [maya.get("/ask/churn/1/dev"), maya.get("/ask/churn/1/dev")]
    maya.press(pages[0], "ask")
    carry_out(town)
    refused = maya.press(pages[1], "ask")
    assert refused.status == 409
    assert "/models/churn/1" in refused.links


def test_a_guest_cannot_ask(town):
    town.answer("maya", "churn/1/dev/1", "reject")
    assert Browser(town, "gus").get("/ask/churn/1/dev").actions == ["sign-out"]


# -- linked accounts


def test_an_account_is_linked_to_whoever_signed_in_and_owns_its_address(town, maya):
    link = town.links.linking(ACCOUNT, CALLED, "Maya@Example.com", RequestId("churn", 1, "dev", 1))
    page = maya.get(link)
    assert f"{CALLED} will be able to answer as you, Maya ." in page.text
    assert town.people.binding(ACCOUNT) is None
    done = maya.press(page, "link")
    assert (done.status, done.location) == (303, f"{REQUEST}?linked=1")
    assert town.people.binding(ACCOUNT).oid == "oid-maya"
    shown = maya.get(done.location)
    assert "Your chat account is linked." in shown.text
    assert maya.press(shown, "approve").status == 303


def test_without_a_request_linking_ends_with_a_word(town, maya):
    done = maya.press(maya.get(town.links.linking(ACCOUNT, CALLED, "maya@example.com", None)), "link")
    assert "Your account is linked" in maya.get(done.location).text


def test_the_same_linking_sent_twice_is_one(town, maya):
    page = maya.get(town.links.linking(ACCOUNT, CALLED, "maya@example.com", None))
    assert [maya.press(page, "link").status for _ in range(2)] == [303, 303]
    assert len(town.world.parameters.stored[town.world.names.person(ACCOUNT)]) == 1


def test_a_link_that_was_used_is_over(town, maya):
    link = town.links.linking(ACCOUNT, CALLED, "maya@example.com", None)
    maya.press(maya.get(link), "link")
    page = maya.get(link)
    assert page.status == 410
    assert "has been used" in page.text


def test_a_link_that_somebody_else_used_is_over_for_me(town, maya):
    address(town.world, "omar", "maya@example.com")
    link = town.links.linking(ACCOUNT, CALLED, "maya@example.com", None)
    mine, omar = maya.get(link), Browser(town, "omar")
    omar.press(omar.get(link), "link")
    assert maya.press(mine, "link").status == 410
    assert town.people.binding(ACCOUNT).oid == "oid-omar"


def test_a_forwarded_link_links_nothing_without_an_administrator(town):
    eli = Browser(town, "eli")
    page = eli.get(town.links.linking(ACCOUNT, CALLED, "maya@example.com", None))
    assert page.status == 403
    assert "has another address than Eli" in page.text
    assert page.actions == ["sign-out"]
    assert town.people.binding(ACCOUNT) is None


def test_an_address_that_changed_meanwhile_links_nothing(town, maya):
    page = maya.get(town.links.linking(ACCOUNT, CALLED, "maya@example.com", None))
    address(town.world, "maya", "other@example.com")
    assert maya.press(page, "link").status == 403
    assert town.people.binding(ACCOUNT) is None


def confirming(town, user="eli", email="maya@example.com"):
    """The address that somebody is to pass on."""
    page = Browser(town, user).get(town.links.linking(ACCOUNT, CALLED, email, None))
    return unescape(re.findall(r'readonly value="([^"]+)"', page.body)[0])


def test_an_administrator_confirms_a_link_between_different_addresses(town):
    ada = Browser(town, "ada")
    page = ada.get(confirming(town))
    assert f"{CALLED} wants to answer as Eli" in page.text
    assert "maya@example.com" in page.text
    done = ada.press(page, "confirm")
    assert "The link is confirmed" in ada.get(done.location).text
    binding = town.people.binding(ACCOUNT)
    assert (binding.oid, binding.confirmed_by) == ("oid-eli", "oid-ada")
    assert ada.press(page, "confirm").status == 303
    assert len(town.world.parameters.stored[town.world.names.person(ACCOUNT)]) == 1


def test_only_an_administrator_confirms_and_not_for_themselves(town, maya):
    refused = maya.get(confirming(town))
    assert refused.status == 403
    assert "cannot confirm this link" in refused.text
    own = Browser(town, "ada").get(confirming(town, "ada"))
    assert own.status == 403
    assert "Nobody confirms a link of their own" in own.text


def test_without_a_confirmed_address_the_page_says_so(town):
    assert "none that the chat has confirmed" in Browser(town, "ada").get(confirming(town, email="")).text


# -- links


@pytest.mark.parametrize("target", ["/r", "/link", "/confirm"])
@pytest.mark.parametrize("query", ["", "?t=", "?t=forged", "?t=%ff%00", "?x=1"])
def test_a_link_of_nobody_s_making_is_broken(maya, target, query):
    page = maya.get(target + query)
    assert page.status == 400
    assert "link is broken" in page.text or "not sealed here" in page.text


def test_every_link_opens_one_door_alone(town, maya):
    tokens = {
        "/r": town.links.review(RequestId("churn", 1, "dev", 1)),
        "/link": town.links.linking(ACCOUNT, CALLED, "maya@example.com", None),
        "/confirm": confirming(town),
    }
    for made_for, link in tokens.items():
        for door in tokens:
            status = maya.get(f"{door}?t={link.partition('?t=')[2]}").status
            assert (status == 400) == (door != made_for), (made_for, door)


def test_an_old_link_says_so(town, maya):
    link = town.links.review(RequestId("churn", 1, "dev", 1))
    town.world.clock.advance(days=31)
    maya.sign_in("maya")
    page = maya.get(link)
    assert page.status == 410
    assert "too old" in page.text


# -- what is shown, whatever it holds


def test_nothing_that_people_or_pipelines_write_acts():
    town = Town()
    town.world.directory.emails[NASTY] = ""
    town.register(
        metrics=[Metric(f"auc {NASTY}", 0.9, None, NASTY)],
        created_by=NASTY,
        commit=f"{NASTY}9f3c2ab",
        repository=f"https://git.example.com/{NASTY}",
    )
    member = town.world.directory.people["maya"]
    town.world.directory.people["maya"] = type(member)(
        type(member.person)("oid-maya", NASTY), True, True, member.groups, member.checked_at, member.addresses
    )
    town.sign_in.names["maya"] = NASTY
    maya, ada = Browser(town, "maya"), Browser(town, "ada")
    link = town.links.linking(ACCOUNT, NASTY, "maya@example.com", None)
    other = town.links.linking(ACCOUNT, NASTY, NASTY, None)
    page = maya.get(REQUEST)
    pages = [page, maya.get(link), maya.get(other), ada.get(confirming(town, email=NASTY)), maya.get("/")]
    pages += [Browser(town).post(REQUEST, {"reason": NASTY}), maya.get(f"/models/{NASTY}")]
    pages += [maya.press(page, "reject", reason=NASTY * 100)]
    sent = maya.press(page, "reject", reason=NASTY)
    carry_out(town)
    pages += [maya.get(sent.location), maya.get("/models/churn/1"), maya.get("/models/churn")]
    assert NASTY in unescape(pages[-3].body)
    for each in pages:
        assert each.body
        assert not {"script", "b"} & set(each.page.tags), each.text
        assert "<script" not in each.body


def test_pages_need_no_script_and_no_style_of_their_own(town, maya):
    for target in ("/", REQUEST, "/models/churn", "/models/churn/1", "/signed-out"):
        page = maya.get(target)
        assert "script" not in page.page.tags
        assert not re.search(r"\sstyle=|<style|\son\w+=", page.body)
        assert page.page.tags.count("h1") == 1
        assert '<html lang="en">' in page.body
        assert 'href="#main"' in page.body
        assert re.search(r'<main id="main"', page.body)


def test_times_are_said_for_people_and_for_machines(maya):
    assert re.search(r'<time datetime="2026-11-24T09:[0-9:.]+Z">2026-11-24 09:\d\d UTC</time>', maya.get("/").body)


# -- where the pages are


def test_pages_may_lie_below_a_path():
    town = Town(pages=f"{PAGES}/stage")
    town.register()
    maya = Browser(town)
    begun = maya.get("/stage/requests/churn/1/dev/1")
    back = maya.come_back("maya", begun)
    assert back.location == f"/stage{REQUEST}"
    page = maya.get(back.location)
    assert page.status == 200
    assert all(link.startswith(("/stage/", "#")) for link in page.links)
    sent = maya.press(page, "approve")
    assert sent.location.startswith(f"/stage{REQUEST}/outcome")


@pytest.mark.parametrize("stage", ["models", "$default", None])
def test_a_stage_that_is_called_as_pages_are_hides_none_of_them(stage):
    event = api_event("GET", "/models/models/churn", requestContext={"http": {"method": "GET"}, "stage": stage})
    assert read_visit(event, root="/models").path == "/models/churn"


def test_a_stage_before_the_path_is_no_part_of_it(town, maya):
    stage = {"requestContext": {"http": {"method": "GET"}, "stage": "r"}}
    assert maya.get("/r/requests/churn/1/dev/1", **stage).status == 200
    assert maya.get("/requests/churn/1/dev/1", **stage).status == 200
    assert maya.get("/r", **stage).status == 200


def test_the_style_sheet_is_kept_for_good_under_its_own_address(town, maya):
    [sheet] = [maya.get(each) for each in re.findall(r'href="(/style.css\?v=[0-9a-f]+)"', maya.get("/").body)]
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "prefers-color-scheme: dark" in sheet.body
    assert maya.get("/style.css?v=old").headers["cache-control"] == "no-cache"


def test_the_pages_load_nothing_heavy_before_one_is_drawn():
    code = "import sys, bot.web.site; print([m for m in ('jinja2', 'markupsafe', 'msal', 'boto3') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_link_lasts_as_long_as_it_says(town, maya):
    sealed = town.seals.close(ReviewLink(RequestId("churn", 1, "dev", 1), town.world.clock() + timedelta(minutes=1)))
    assert maya.get(f"/r?t={sealed}").status == 303
    town.world.clock.advance(minutes=1)
    assert maya.get(f"/r?t={sealed}").status == 410


def test_the_directory_is_asked_at_every_page_and_every_answer(town, maya):
    directory: MemoryDirectory = town.world.directory
    for act in (lambda: maya.get("/"), lambda: maya.get("/models/churn"), lambda: maya.get(REQUEST)):
        before = len(directory.said)
        act()
        assert len(directory.said) > before
