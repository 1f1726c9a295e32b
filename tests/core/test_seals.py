"""What travels sealed: each kind for its own purpose, for its own time; and the links that carry it."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import ChatUser, ModelVersion, RequestId
from bot.errors import BrokenLink, LinkExpired, Unavailable
from bot.links import CONFIRMING, LINKING, REVIEW, Links, asking_page, page_of
from bot.seals import BROKEN, EXPIRED, ConfirmLink, LinkingLink, ReviewLink, Seals
from tests.memory import START, MemorySealer

PAGES = "https://approvals.example.com"
UNTIL = START + timedelta(minutes=15)
REQUEST = RequestId("churn", 7, "uat", 1)
MAYA = ChatUser("slack", "T1", "U0MAYA", "C0MODELS00")
CALLED = "@maya in the Slack workspace acme"
ASKED = LinkingLink(MAYA, CALLED, "maya.chen@example.com", START, UNTIL, REQUEST)
VALUES = (
    ReviewLink(REQUEST, UNTIL),
    ASKED,
    replace(ASKED, request=None, email=""),
    ConfirmLink(ASKED, "oid-maya", "Maya Chen", UNTIL),
)
KINDS = (ReviewLink, LinkingLink, ConfirmLink)


class Clock:
    def __init__(self, now=START):
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sealer():
    return MemorySealer()


@pytest.fixture
def seals(sealer, clock):
    return Seals(sealer, clock)


@pytest.fixture
def links(seals, clock):
    return Links(PAGES + "/", seals, clock)


@pytest.mark.parametrize("value", VALUES)
def test_what_was_closed_opens_as_it_was(seals, value):
    assert seals.open(type(value), seals.close(value)) == value


def test_every_kind_has_a_purpose_of_its_own():
    assert len({kind.purpose for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("value", VALUES)
def test_a_kind_opens_as_no_other(seals, value):
    sealed = seals.close(value)
    for kind in KINDS:
        if kind is not type(value):
            with pytest.raises(BrokenLink):
                seals.open(kind, sealed)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", "null", "{}", '{"until":"soon"}', '{"request":7,"until":"2026-11-24T09:15:00Z"}', "[" * 9999],
)
def test_what_is_sealed_but_is_no_such_value_is_broken(sealer, seals, kind, text):
    sealed = sealer.seal(kind.purpose, text)
    with pytest.raises(BrokenLink) as caught:
        seals.open(kind, sealed)
    assert (caught.type, str(caught.value)) == (BrokenLink, BROKEN)


@given(text=st.text())
@settings(max_examples=40)
def test_no_text_is_a_seal(text):
    with pytest.raises(BrokenLink):
        Seals(MemorySealer(), Clock()).open(ReviewLink, text)


@pytest.mark.parametrize("value", VALUES)
def test_every_kind_ends_at_its_very_time(seals, clock, value):
    sealed = seals.close(value)
    clock.now = UNTIL - timedelta(milliseconds=1)
    assert seals.open(type(value), sealed) == value
    clock.now = UNTIL
    with pytest.raises(LinkExpired) as caught:
        seals.open(type(value), sealed)
    assert str(caught.value) == EXPIRED


def test_what_is_older_than_its_time_is_expired_and_not_broken(seals, clock):
    sealed = seals.close(VALUES[0])
    clock.now = UNTIL + timedelta(days=400)
    with pytest.raises(LinkExpired):
        seals.open(ReviewLink, sealed)


def test_a_sealer_that_does_not_answer_makes_no_link_broken(clock):
    class Away:
        def seal(self, purpose, text):
            raise Unavailable("KMS did not answer")

        unseal = seal

    seals = Seals(Away(), clock)
    with pytest.raises(Unavailable):
        seals.close(VALUES[0])
    with pytest.raises(Unavailable):
        seals.open(ReviewLink, "sealed")


# -------------------------------------------------------------------------------------------------------- the links


def sealed_in(url, path):
    found = re.fullmatch(rf"https://approvals\.example\.com/{path}\?t=([A-Za-z0-9_-]+)", url)
    assert found, url
    return found[1]


def test_a_review_link_names_the_request_for_longer_than_it_waits(links, seals):
    opened = seals.open(ReviewLink, sealed_in(links.review(REQUEST), "r"))
    assert opened == ReviewLink(REQUEST, START + REVIEW)
    assert timedelta(days=14) < REVIEW


def test_a_linking_link_says_which_account_asked_and_when(links, seals):
    url = links.linking(MAYA, CALLED, "maya.chen@example.com", REQUEST)
    asked = LinkingLink(MAYA, CALLED, "maya.chen@example.com", START, START + LINKING, REQUEST)
    assert seals.open(LinkingLink, sealed_in(url, "link")) == asked


def test_a_linking_link_outside_of_a_request_names_none(links, seals):
    url = links.linking(MAYA, CALLED, "", None)
    assert seals.open(LinkingLink, sealed_in(url, "link")).request is None


def test_a_confirming_link_says_who_claims_the_account(links, seals):
    url = links.confirming(ASKED, "oid-maya", "Maya Chen")
    assert seals.open(ConfirmLink, sealed_in(url, "confirm")) == ConfirmLink(
        ASKED, "oid-maya", "Maya Chen", START + CONFIRMING
    )


def test_a_confirming_link_outlives_the_link_it_confirms(links, seals, clock):
    sealed = sealed_in(links.confirming(ASKED, "oid-maya", "Maya Chen"), "confirm")
    clock.now = START + timedelta(days=2)
    assert seals.open(ConfirmLink, sealed).link == ASKED


def test_pages_are_named_after_what_they_show():
    model = ModelVersion("churn", 7)
    assert page_of(PAGES, REQUEST) == f"{PAGES}/requests/churn/7/uat/1"
    assert asking_page(PAGES, model, "uat") == f"{PAGES}/ask/churn/7/uat"


@given(group=st.text(min_size=1, max_size=20), environment=st.text(min_size=1, max_size=20))
def test_no_name_leads_to_another_host(group, environment):
    model = ModelVersion(group, 7)
    assert re.fullmatch(
        r"https://approvals\.example\.com/ask/[A-Za-z0-9._~%/-]+", asking_page(PAGES, model, environment)
    )


def test_a_time_in_another_zone_is_the_same_time(sealer):
    there = UNTIL.astimezone(timezone(timedelta(hours=1)))
    seals = Seals(sealer, Clock())
    assert seals.open(ReviewLink, seals.close(ReviewLink(REQUEST, there))).until.isoformat() == UNTIL.isoformat()
