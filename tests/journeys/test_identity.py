"""Linked accounts, sign-in for every answer, requests by page, and mails, from the first click to the last effect."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot.entries import Vote
from infra.local.entra_people import ADA, DANA, ELI, MAYA, OMAR, PRIYA
from infra.local.stack import REPOSITORY, Stack
from infra.local.visitor import Page, Visitor
from tests.journeys.people import approve, card, everything, registered, reject, state, told

NAMES = {ADA: "Ada Admin", DANA: "Dana Scientist", ELI: "Eli Outside", MAYA: "Maya Chen", OMAR: "Omar Haddad"}
NAMES |= {PRIYA: "Priya Nair"}
POLICY = """
groups = ["churn*"]
since = 2026-01-01T00:00:00Z
administrators = "00000000-0000-4000-8000-00000000b006"

[[environments]]
name = "dev"
identity = "linked"
approvers = "00000000-0000-4000-8000-00000000b004"
approvers_name = "approvers-prod"
notify = { slack = "C0MODELSDEV", email = ["approvers-dev@example.com", "second@example.com"] }

[[environments]]
name = "test"
identity = "sign-in"
approvers = "00000000-0000-4000-8000-00000000b002"
approvers_name = "approvers-test"
notify = { slack = "C0MODELSDEV" }
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """Dev wants linked accounts, test a sign-in for each answer."""
    policy = tmp_path_factory.mktemp("policy") / "policy.toml"
    policy.write_text(POLICY)
    with Stack(settings={"MODEL_APPROVALS_POLICY": str(policy)}) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


@pytest.fixture
def linked(stack):
    """Maya's and Priya's accounts, as the pages have linked them in earlier tests or do now."""

    def link(user, oid, model):
        approve(stack, model, user=user)
        with Visitor() as visitor:
            visitor.press(signed_in(visitor, way(stack, user), oid), "Link")

    return link


def way(stack: Stack, user: str) -> str:
    """Where the last private word leads to."""
    shown = json.dumps(stack.slack.workspace.ephemerals(user)[-1].blocks)
    return re.findall(rf"{re.escape(stack.gateway.pages_url)}/[^\"<>|\s]+", shown)[-1].replace("&amp;", "&")


def signed_in(visitor: Visitor, link: str, oid: str) -> Page:
    return visitor.press(visitor.open(link), NAMES[oid])


def bound(stack: Stack, user: str) -> str | None:
    """Whom an account is linked to."""
    found = stack.parameter(f"_people/slack/{stack.slack.workspace.team_id}/{user}")
    return found["oid"] if found else None


def unlink(stack: Stack, user: str) -> str:
    stack.slack.command(user, "C0MODELSDEV", "/model-status", "unlink")
    return told(stack, user)[-1]


def test_after_linking_the_answer_takes_one_press_and_unlinking_ends_that(stack, linked):
    model = registered(stack, "churn-link")
    before = everything(stack, model)
    linked("U0MAYA", MAYA, model)
    assert bound(stack, "U0MAYA") == MAYA
    people = {name for name in stack.parameters() if "/_people/" in name}
    now = everything(stack, model)
    assert ({name: text for name, text in now[0].items() if name not in people}, now[1]) == before, "nothing else"
    approve(stack, model)
    assert "Approved by Maya Chen" in card(stack, model).text
    [vote] = [entry.event for entry in state(stack, model).entries if isinstance(entry.event, Vote)]
    assert (vote.by.oid, vote.via.user, vote.via.oid) == (MAYA, "U0MAYA", MAYA)
    assert "no longer linked to Maya Chen" in unlink(stack, "U0MAYA")
    assert bound(stack, "U0MAYA") is None
    following = registered(stack, "churn-link")
    approve(stack, following)
    assert "Nothing is recorded yet" in told(stack, "U0MAYA")[-1]
    assert state(stack, following).pending


def test_the_way_to_link_works_once(stack):
    model = registered(stack, "churn-once")
    approve(stack, model, user="U0OMAR")
    link = way(stack, "U0OMAR")
    with Visitor() as visitor:
        visitor.press(signed_in(visitor, link, OMAR), "Link")
        again = visitor.open(link)
    assert (again.status, "has been used" in again.text) == (410, True)


def test_an_account_with_another_address_is_linked_only_by_an_administrator(stack):
    stack.slack.workspace.alter_user("U0PRIYA", email="p.nair@example.com")
    model = registered(stack, "churn-other")
    approve(stack, model, user="U0PRIYA")
    with Visitor() as priya:
        page = signed_in(priya, way(stack, "U0PRIYA"), PRIYA)
    assert bound(stack, "U0PRIYA") is None
    [passed_on] = re.findall(rf"{re.escape(stack.gateway.pages_url)}/confirm\?t=[\w-]+", page.html)
    for somebody in (OMAR, PRIYA):
        with Visitor() as visitor:
            refused = signed_in(visitor, passed_on, somebody)
        assert (refused.status, bound(stack, "U0PRIYA")) == (403, None)
    with Visitor() as ada:
        asked = signed_in(ada, passed_on, ADA)
        assert "Priya Nair" in asked.text
        assert bound(stack, "U0PRIYA") is None, "looking binds nothing"
        ada.press(asked, "They are the same person")
    assert bound(stack, "U0PRIYA") == PRIYA
    approve(stack, model, user="U0PRIYA")
    assert "Approved by Priya Nair" in card(stack, model).text


def test_where_a_sign_in_is_wanted_the_button_leads_to_the_page_each_time(stack, linked):
    model = registered(stack, "churn-sign")
    linked("U0MAYA", MAYA, model)
    approve(stack, model)
    for _ in range(2):
        approve(stack, model, "test", "U0OMAR")
        assert "after signing in" in told(stack, "U0OMAR")[-1]
    asked = state(stack, model).current("test")
    assert asked
    assert asked.votes == ()
    with Visitor() as omar:
        page = signed_in(omar, way(stack, "U0OMAR"), OMAR)
        omar.press(page, "Approve for test")
    stack.settle()
    assert "Approved by Omar Haddad" in card(stack, model, "test").text
    assert stack.parameter("churn-sign/approved/test")["approved_by"] == [{"oid": OMAR, "name": "Omar Haddad"}]
    unlink(stack, "U0MAYA")


def test_a_promotion_is_requested_on_the_page_that_the_command_line_names(stack, linked):
    model = registered(stack, "churn-ask")
    linked("U0MAYA", MAYA, model)
    reject(stack, model, "drifts")
    unlink(stack, "U0MAYA")
    command = [sys.executable, "-m", "bot", "request", "churn-ask", "1", "dev", "--no-browser"]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=30)
    with Visitor() as dana:
        page = signed_in(dana, printed.stdout.strip(), DANA)
        waiting = dana.press(page, "Ask")
        stack.settle()
        asked = dana.open(waiting.url)
    assert "churn-ask v1 is asked about for dev" in asked.text
    second = state(stack, model).current("dev")
    assert second
    assert second.opened.requester.oid == DANA
    assert "Approve churn-ask v1 for dev?" in card(stack, model, number=2).blocks[0]["text"]["text"]


def test_a_command_for_an_environment_that_is_not_there_says_which_are(stack):
    command = [sys.executable, "-m", "bot", "request", "churn-ask", "1", "prod", "--no-browser"]
    printed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=30)
    assert printed.returncode == 1
    assert "it has dev, test" in printed.stderr


def test_without_ses_the_cards_go_on_and_the_mail_follows(stack):
    stack.aws.faults.add("SendEmail", status=500, times=None)
    try:
        model = registered(stack, "churn-mail")
        assert card(stack, model).text.startswith("churn-mail version 1 awaits approval")
        assert not [mail for mail in stack.mailbox.mails() if "churn-mail" in mail.subject]
    finally:
        stack.aws.faults.clear()
    stack.sweep()
    [mail] = [mail for mail in stack.mailbox.mails() if "churn-mail" in mail.subject]
    assert mail.recipients == ("approvers-dev@example.com", "second@example.com")
    stored = stack.parameter(f"churn-mail/cards/{model.version}/dev/1")["surfaces"]["email"]
    assert stored["ts"] == mail.message_id
