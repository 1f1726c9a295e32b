"""A version from before the bot's time is taken in: from the command line to its page, and to its approvers' card."""

import json
from collections.abc import Iterator

import pytest

from bot.cli import main
from infra.local.entra_people import DANA
from infra.local.stack import Stack
from infra.local.visitor import Visitor
from tests.journeys.people import approve, card, registered, state
from tests.journeys.policies import SHIPPED, policy

LATER = "since = 2099-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    text = SHIPPED.replace("since = 2026-01-01T00:00:00Z", LATER)
    assert LATER in text
    with Stack(settings=policy(tmp_path_factory.mktemp("policy"), text)) as running:
        yield running


def test_somebody_takes_a_version_in_and_its_approvers_answer(stack, capsys):
    model = registered(stack, "churn-old")
    assert [name for name in stack.parameters() if "churn-old/history" in name] == [], "left alone by itself"
    assert main(["adopt", "churn-old", "1", "--json"], stack.environment) == 0
    url = json.loads(capsys.readouterr().out)["url"]
    with Visitor() as visitor:
        login = visitor.open(url)
        page = visitor.press(login, "Dana Scientist")
        assert "Nothing is known of churn-old v1 here yet." in page.text
        visitor.press(page, "Ask for dev")
        stack.settle(60)
    assert "Requested by *Dana Scientist*" in str(card(stack, model).blocks)
    approve(stack, model)
    assert stack.parameter("churn-old/approved/dev")["model_package_version"] == 1
    assert state(stack, model).rounds["dev"][0].opened.requester.oid == DANA
    assert main(["adopt", "churn-old", "1", "--no-browser"], stack.environment) == 1
    assert "has a history here already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["churn-old", "9"], "it is not in the registry"),
        (["iris", "1"], "is not in the registry"),
    ],
)
def test_what_cannot_be_taken_in_is_said_at_once(stack, capsys, asked, why):
    assert main(["adopt", *asked, "--no-browser"], stack.environment) == 1
    assert why in capsys.readouterr().err
