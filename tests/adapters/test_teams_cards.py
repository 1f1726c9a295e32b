"""The card as an Adaptive Card: what it shows, what can be pressed, and that no text in it acts or is too long."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.card import Card, Mark, Row, Step, Table
from bot.domain import Answer, RequestId
from bot.line import Code, Link, Mention, Moment, Strong
from bot.teams.cards import REASON, Note, cell, drawn, message, recording
from bot.teams.text import breakable
from infra.local.teams_rules import card_problems, card_warning, size
from tests.adapters.microsoft_cards import mistakes, parts
from tests.adapters.slack_examples import CARD, DECIDED, FIRST, NOW, longest

PAGES = "https://approvals.example.com"
CONSOLE = re.compile(r"https://[a-z0-9.-]*console\.aws\.amazon\.com/")
SAFE = 28 * 1024
"""Bytes of a message that every way into Teams takes."""
NASTY = (
    "{{DATE(2026-01-01T00:00:00Z,SHORT)}}", "${secret}", "[click](https://evil.example/x)", "https://evil.example",
    "www.evil.example", "<at>Maya</at>", "<script>alert(1)</script>", "**bold**", "# head", "- item", "![x](y)", "`",
    "\u202egnp.exe", "\x00", "\n\n", "&lt;b&gt;", "😀" * 20, "x" * 90,
)  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(NASTY), st.text(max_size=40)), max_size=6).map("".join)
LONG = st.tuples(TEXTS, st.integers(1, 300)).map(lambda each: (each[0] * each[1])[:6000])
PARTS = st.one_of(
    LONG,
    st.builds(Strong, TEXTS),
    st.builds(Code, TEXTS),
    st.builds(Mention, TEXTS),
    st.builds(Moment, st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1))),  # noqa: DTZ001
    st.builds(Link, TEXTS, st.one_of(TEXTS, st.just("https://git.example.com/c/1"), st.just("javascript:alert(1)"))),
)
LINES = st.lists(PARTS, max_size=5).map(tuple)
ROWS = st.lists(st.builds(Row, LONG, TEXTS, TEXTS, TEXTS), max_size=20).map(tuple)
CARDS = st.builds(
    replace,
    st.sampled_from((CARD, DECIDED, FIRST)),
    title=LONG,
    summary=LONG,
    path=st.lists(st.builds(Step, TEXTS, st.sampled_from(Mark), st.booleans()), max_size=8).map(tuple),
    table=st.none() | st.builds(Table, TEXTS, TEXTS, ROWS),
    facts=st.lists(LINES, max_size=5).map(tuple),
    verdict=LINES,
    history=LINES,
    consequence=LONG,
)


def taken(card: dict[str, Any]) -> dict[str, Any]:
    """What Teams takes, in a size that is safe on every way into it."""
    assert card_problems(card) == []
    assert card_warning(card) == ""
    assert mistakes(card) == []
    assert max(size(message(card)), size(message(card), "utf-16-le")) < SAFE
    return card


def texts(value: Any) -> Iterator[str]:
    """Every text that is shown."""
    if isinstance(value, dict):
        yield from (value[name] for name in ("text", "title") if isinstance(value.get(name), str))
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))
        for each in value:
            yield from texts(each)


def shown(card: dict[str, Any]) -> str:
    return "\n".join(texts(card["body"]))


def actions(card: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["title"]: each for each in card["actions"]}


def test_a_card_shows_what_everybody_sees_elsewhere():
    card = taken(drawn(CARD, pages=PAGES))
    for words in ("Approve churn-xgb v12 for test?", "0.914", "v11 in test", "▲ 0.011 better", "train-pipeline"):
        assert words in shown(card)
    assert card["fallbackText"] == card["speak"] == CARD.summary


def test_direction_and_state_are_words_and_no_colour_is_set():
    card = taken(drawn(CARD, pages=PAGES))
    assert "Waiting for approval" in shown(card)
    assert "▼ 0.013 worse" in shown(card)
    assert "#" not in str([value for name, value in _walk(card) if "color" in name.lower()])


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield name, each
            yield from _walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from _walk(each)


@pytest.mark.parametrize(
    ("part", "mistake"),
    [
        ({"type": "TextBlok", "text": "x"}, "there is no TextBlok"),
        ({"type": "TextBlock", "text": "x", "colour": "good"}, "TextBlock has no colour"),
        ({"type": "TextBlock", "text": "x", "size": "Huge"}, "TextBlock: 1 validation error"),
    ],
)
def test_microsofts_types_find_what_is_wrong_deep_in_a_card(part, mistake):
    card = drawn(CARD)
    card["body"].append({"type": "Container", "items": [part]})
    [found] = mistakes(card)
    assert found.startswith(mistake)


def test_a_button_names_the_request_and_nothing_else():
    found = actions(taken(drawn(CARD, pages=PAGES)))
    approve = found["Approve for test"]
    assert (approve["type"], approve["verb"]) == ("Action.Execute", "mr.approve")
    assert approve["data"] == {"request": "churn-xgb/12/test/1"}
    assert found["Review page"]["url"] == f"{PAGES}/requests/churn-xgb/12/test/1"


def test_a_reject_asks_for_its_reason_inside_the_card():
    reject = next(each for title, each in actions(drawn(CARD)).items() if title.startswith("Reject"))
    inputs = [value for value in parts(reject) if value.get("type") == "Input.Text"]
    assert [(each["id"], each["isRequired"], each["isMultiline"]) for each in inputs] == [(REASON, True, True)]
    [sends] = [value for value in parts(reject) if value.get("verb") == "mr.reject"]
    assert sends["data"] == {"request": "churn-xgb/12/test/1"}


def test_an_approval_that_stands_can_be_revoked_with_a_reason():
    [revoke, page] = taken(drawn(DECIDED, pages=PAGES))["actions"]
    assert (revoke["title"], page["type"]) == ("Revoke…", "Action.OpenUrl")
    [sends] = [value for value in parts(revoke) if value.get("verb") == "mr.revoke"]
    assert sends["data"] == {"request": "churn-xgb/12/test/1"}


@pytest.mark.parametrize(
    "card",
    [drawn(replace(DECIDED, stands=False), pages=PAGES), recording(CARD, Answer.APPROVE, "Maya", pages=PAGES)],
)
def test_what_is_decided_or_being_recorded_cannot_be_answered(card):
    taken(card)
    assert [each["type"] for each in card["actions"]] == ["Action.OpenUrl"]


def test_a_card_that_is_being_recorded_says_whose_answer_and_not_that_it_is_decided():
    card = taken(recording(CARD, Answer.REJECT, "Maya Chen"))
    assert "The rejection by Maya Chen is being checked. If it counts," in "".join(texts(card["body"]))
    assert "Approved by" not in shown(card)


def test_whoever_has_to_sign_in_first_has_one_way_and_no_buttons_to_answer():
    card = taken(drawn(CARD, pages=PAGES, note=Note("Sign in first.", f"{PAGES}/r?t=x", "Sign in and answer")))
    assert [each["type"] for each in card["actions"][:2]] == ["Action.OpenUrl", "Action.OpenUrl"]
    assert actions(card)["Sign in and answer"]["url"] == f"{PAGES}/r?t=x"


def test_a_refresh_asks_for_the_card_and_nothing_more():
    refresh = drawn(CARD)["refresh"]
    assert refresh["action"]["verb"] == "mr.view"
    assert refresh["userIds"] == []


def test_no_client_asks_by_itself_for_a_card_that_is_being_recorded():
    assert recording(CARD, Answer.APPROVE, "Maya Chen")["refresh"] == drawn(CARD)["refresh"]


def test_times_are_the_readers_own():
    assert f"{{{{DATE({NOW:%Y-%m-%dT%H:%M:%SZ},SHORT)}}}}" in shown(drawn(CARD))


def test_the_longest_card_with_twenty_metrics_is_taken():
    taken(recording(longest(20), Answer.REJECT, "M" * 200, pages=PAGES))
    card = taken(drawn(longest(20), pages=PAGES))
    rows = [value for value in parts(card) if value.get("type") == "TableRow"]
    assert len(rows) > 1


@given(card=CARDS, name=TEXTS)
@settings(max_examples=30, deadline=None)
def test_no_card_acts_or_is_refused_whatever_its_texts(card: Card, name):
    for one in (drawn(card, pages=PAGES), recording(card, Answer.APPROVE, name, pages=PAGES)):
        taken(one)
        urls = [value["url"] for value in parts(one) if "url" in value]
        named = {url for url in urls if not url.startswith(PAGES) and not CONSOLE.match(url)}
        lines = (*card.facts, card.verdict, card.history)
        assert named <= {part.url for line in lines for part in line if isinstance(part, Link)}
        assert all(url.startswith("https://") for url in named)
        for text in texts(one["body"]):
            own = "DATE(" in text and text.startswith("{{DATE(")
            assert own or "{{" not in text
            assert "${" not in text or own
            assert "https://evil" not in text
            assert "<at>" not in text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("abcde", "abcd\u200be"),
        ("abcd", "abcd"),
        ("ab cd-efgh", "ab cd-efgh"),
        ("e\u0301" * 5, "e\u0301" * 4 + "\u200be\u0301"),
        ("abcdefghi", "abcd\u200befgh\u200bi"),
    ],
)
def test_long_words_may_go_on_in_the_next_line_but_letters_stay_whole(text, broken):
    assert breakable(text, every=4) == broken


def test_only_the_names_and_numbers_of_a_table_of_metrics_break_early():
    assert cell("recommendations-eu") == {"type": "RichTextBlock", "inlines": ["recommendations-eu"]}
    assert cell("recommendations-eu", narrow=True)["inlines"] == ["recommenda\u200btions-eu"]


def test_another_request_is_another_button():
    other = replace(CARD, request=RequestId("churn-xgb", 13, "test", 2))
    assert actions(drawn(other))["Approve for test"]["data"] == {"request": "churn-xgb/13/test/2"}
