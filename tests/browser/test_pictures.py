"""The pictures of README.md that show Slack and Teams, made of what the stack shows now: `make pictures`."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.models import PIPELINE, Registered
from infra.local.page import workspace_page
from infra.local.run import REQUESTER
from infra.local.stack import Stack
from tests.browser.conftest import WIDE
from tests.journeys.people import approve, link, registered
from tests.journeys.policies import by_approval

WHO = {"dev": "U0MAYA", "test": "U0OMAR", "uat": "U0MAYA", "prod": "U0PRIYA"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """Version 1 runs everywhere, and version 2 everywhere but in prod, for which it asks."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        running.aws.source_identities[PIPELINE] = REQUESTER
        link(running, "U0MAYA", "U0OMAR", "U0PRIYA")
        first = registered(running, "churn")
        second = running.pipeline.register("churn", "churn-2")
        running.settle()
        for model, last in ((first, 4), (second, 3)):
            for environment, user in list(WHO.items())[:last]:
                approve(running, model, environment, user)
        yield running


def card(page: Page, address: str, channel: str = "slack/C0MODELSPRD") -> Locator:
    """The card that asks for prod, on a screen as sharp as people have it."""
    page.goto(f"{address}/#/{channel}")
    page.get_by_label("You are").select_option("U0PRIYA")
    about = page.get_by_role("heading", name=re.compile("churn v2.* for prod"))
    return page.get_by_role("article").filter(has=about).first


def test_the_card_of_the_readme_before_and_after_the_answer(stack, open_page, picture):
    with workspace_page(stack) as served:
        page = open_page(width=WIDE, height=1400, scale=1.5)
        asked = card(page, served.url)
        expect(asked).to_contain_text("v1 in prod")
        expect(asked.get_by_role("button", name="Approve churn version 2")).to_be_visible()
        picture(asked, "slack-pending")
        in_teams = card(page, served.url, "teams/19:models-uat-prod@thread.tacv2").locator(".ac-adaptiveCard").first
        expect(in_teams.get_by_role("button", name="Approve for prod")).to_be_visible()
        picture(in_teams, "teams-pending")
        approve(stack, Registered("churn", 2, ""), "prod", "U0PRIYA")
        decided = card(page, served.url)
        expect(decided.get_by_role("button", name="Revoke churn version 2")).to_be_visible()
        expect(decided.get_by_role("button", name="Approve churn version 2")).to_have_count(0)
        picture(decided, "slack-decided")
