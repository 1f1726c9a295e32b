"""Who is told of a request that nobody answers, over the wire: mentioned in Slack and Teams, and by mail."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot import wiring
from bot.domain import ModelVersion
from bot.hints import CheckJob
from bot.jobs import Receipt
from infra.local.demo_teams import shown
from infra.local.entra_people import ADMINS, MAYA, OMAR
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import approve, in_teams, registered
from tests.journeys.policies import SHIPPED, policy

RULES = f'identity = "email"\nremind_after = "1h"\nescalate_to = "{ADMINS}"\nescalate_after = "4h"'


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    text = SHIPPED.replace('identity = "email"', RULES, 1)
    with Stack(settings=policy(tmp_path_factory.mktemp("policy"), text)) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


def checked(stack: Stack, model: Registered, monkeypatch: pytest.MonkeyPatch, later: timedelta) -> None:
    """What a sweep has the worker do, so much later."""
    with monkeypatch.context() as patched:
        patched.setattr(wiring, "now", lambda now=wiring.now: now() + later)
        worker = wiring.worker(stack.environment)
    worker.promotion.handle(CheckJob(ModelVersion(model.group, model.version), f"sweep-{later}"), Receipt())


def threads(stack: Stack, model: Registered) -> tuple[list[str], list[str]]:
    """What the version's threads say in Slack and in Teams."""
    [root] = [
        each
        for each in stack.slack.workspace.messages("C0MODELSDEV")
        if model.group in each.text and not each.thread_ts
    ]
    replies = stack.slack.workspace.replies("C0MODELSDEV", root.ts)
    conversation = in_teams(stack, model).conversation
    teams = [each.text or shown(each) for each in stack.teams.workspace.replies(conversation)]
    return [str(each.blocks[0]["text"]["text"]) for each in replies], teams


def mails(stack: Stack, model: Registered) -> list[tuple[str, frozenset[str]]]:
    """Subject and recipients of the mails about a version."""
    return [(each.subject, frozenset(each.recipients)) for each in stack.mailbox.mails() if model.group in each.subject]


def test_approvers_are_reminded_and_others_told_where_nobody_answers(stack, monkeypatch):
    model = registered(stack, "churn-asleep")
    checked(stack, model, monkeypatch, timedelta(minutes=50))
    assert threads(stack, model) == ([], []), "not before its time"
    for _ in range(2):
        checked(stack, model, monkeypatch, timedelta(minutes=70))
    slack, teams = threads(stack, model)
    assert len(slack) == len(teams) == 1, "once, however often it is looked at"
    assert slack[0].startswith("<@U0MAYA>, <@U0OMAR>: churn-asleep v1 still waits for *dev*, asked <!date^")
    assert teams[0].startswith("<at>Maya Chen</at>, <at>Omar Haddad</at>")
    assert "churn-asleep v1 still waits for dev" in teams[0]
    [entities] = [
        each.card["msteams"]["entities"] for each in stack.teams.workspace.replies(in_teams(stack, model).conversation)
    ]
    assert [each["mentioned"]["id"] for each in entities] == [MAYA, OMAR]
    _, reminder = mails(stack, model)
    assert reminder == (
        "Reminder: Approve churn-asleep v1 for dev?",
        frozenset({"maya.chen@example.com", "omar.haddad@example.com"}),
    )
    checked(stack, model, monkeypatch, timedelta(hours=5))
    slack, teams = threads(stack, model)
    assert len(slack) == len(teams) == 3, "the second reminder, and the word to others"
    [word] = [each for each in slack if "Please see to it that members of approvers-dev answer" in each]
    assert word.startswith("<@U0ADA>: churn-asleep v1 has waited for *dev*")
    assert [to for _, to in mails(stack, model)].count(frozenset({"ada.admin@example.com"})) == 1


def test_nobody_is_reminded_of_what_is_decided(stack, monkeypatch):
    model = registered(stack, "churn-awake")
    approve(stack, model)
    before = threads(stack, model)
    checked(stack, model, monkeypatch, timedelta(days=3))
    assert threads(stack, model) == before
