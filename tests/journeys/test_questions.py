"""`/model-status mine` and `who`, over the wire: handed over by the door, answered to one person alone."""

import time

from infra.local.stack import Stack
from tests.journeys.people import registered


def asked(stack: Stack, user: str, text: str) -> str:
    """What somebody is told at last: first that it is looked up, then the answer."""
    before = len(stack.slack.workspace.ephemerals(user))
    assert stack.slack.command(user, "C0MODELSDEV", "/model-status", text).status == 200
    stack.settle(60)
    deadline = time.monotonic() + 20
    while len(found := stack.slack.workspace.ephemerals(user)[before:]) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found[0].text.startswith("That is looked up in the directory")
    return found[-1].text


def test_people_learn_who_may_answer_and_what_waits_for_them(stack):
    model = registered(stack, "churn-asked")
    assert "You may answer." in asked(stack, "U0MAYA", "who churn-asked 1 dev")
    told = asked(stack, "U0ELI", "who churn-asked v1 dev")
    assert "You may not answer: Eli Outside is not an approver for dev." in told
    assert "Omar Haddad may answer." in asked(stack, "U0MAYA", "who churn-asked 1 dev omar.haddad@example.com")
    assert f"{model.group} v1 for dev" in asked(stack, "U0OMAR", "mine")
    assert asked(stack, "U0ELI", "mine") == "Nothing waits for an answer of one of your groups."
