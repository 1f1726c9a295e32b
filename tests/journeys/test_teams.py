"""Microsoft Teams beside Slack: one request, two chats, whoever answers where."""

from collections.abc import Iterator

import pytest

from infra.local.demo_teams import answers, shown
from infra.local.entra_people import ELI, GUS, MAYA, OMAR
from infra.local.stack import TEAM, Stack
from infra.local.teams import Forged, User
from tests.journeys.people import approve, card, everything, in_teams, registered, reject, state
from tests.journeys.policies import by_approval

ABROAD = User("00000000-0000-4000-8000-00000000c001", "Ann Abroad", tenant="00000000-0000-4000-8000-00000000f001")


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        running.teams.limits.on = False
        yield running


def press(stack: Stack, model, who: str, button: str, environment: str = "dev", **more):
    asked = in_teams(stack, model, environment)
    answer = stack.teams.press(who, asked.conversation, asked.id, button, **more)
    stack.settle(60)
    return answer


def thread(stack: Stack, model, environment: str = "dev") -> list[str]:
    asked = in_teams(stack, model, environment)
    return [each.text or shown(each) for each in stack.teams.workspace.replies(asked.conversation)]


def test_an_approval_in_teams_is_shown_in_slack_and_told_in_both_threads(stack):
    model = registered(stack, "churn-both")
    answer = press(stack, model, MAYA, "Approve for dev")
    assert "is being checked" in answer.body
    assert answer.seconds < 5
    assert "Approved by Maya Chen" in card(stack, model).text
    decided = in_teams(stack, model)
    assert (answers(decided), "Approved by Maya Chen" in shown(decided)) == (["Revoke…"], True)
    assert "Maya Chen approved churn-both v1 for dev" in "\n".join(thread(stack, model))
    [vote] = [entry.event for entry in state(stack, model).entries if hasattr(entry.event, "via")]
    assert (vote.via.surface, vote.via.oid) == ("teams", MAYA)


def test_an_answer_in_slack_is_shown_in_teams(stack):
    model = registered(stack, "churn-there")
    reject(stack, model, "drifts since May")
    decided = in_teams(stack, model)
    assert answers(decided) == []
    assert "was rejected for dev" in shown(decided)
    assert "drifts since May" in "\n".join(thread(stack, model))


def test_a_reject_in_teams_wants_a_reason_of_the_client_and_of_the_server(stack):
    model = registered(stack, "churn-why")
    before = everything(stack, model)
    assert press(stack, model, MAYA, "mr.reject").errors
    unchecked = press(stack, model, MAYA, "mr.reject", forged=Forged(unchecked=True))
    assert "Please say why" in unchecked.body
    assert everything(stack, model) == before
    press(stack, model, MAYA, "mr.reject", inputs={"reason": "too slow"})
    assert "too slow" in card(stack, model).text


def test_an_account_of_teams_needs_no_link_where_slack_does(stack):
    model = registered(stack, "churn-link")
    approve(stack, model)
    press(stack, model, OMAR, "Approve for test", "test")
    press(stack, model, MAYA, "Approve for uat", "uat")
    assert stack.parameter("churn-link/approved/uat")["approved_by"] == [{"oid": MAYA, "name": "Maya Chen"}]


@pytest.mark.parametrize(("who", "words"), [(ELI, "Eli Outside is not an approver"), (GUS, "guests cannot answer")])
def test_whoever_may_not_answer_is_told_in_their_own_chat(stack, who, words):
    model = registered(stack, f"churn-no-{who[-1]}")
    before = everything(stack, model)
    press(stack, model, who, "Approve for dev")
    told = stack.teams.workspace.private(who)[-1]
    assert words in (told.text or shown(told))
    assert everything(stack, model) == before


def test_people_of_other_tenants_get_nowhere(stack):
    stack.teams.workspace.add_user(ABROAD)
    model = registered(stack, "churn-abroad")
    before = everything(stack, model)
    stack.teams.workspace.alter_team(TEAM, members=frozenset({MAYA, OMAR, ELI, GUS, ABROAD.key}))
    press(stack, model, ABROAD.key, "Approve for dev")
    assert everything(stack, model) == before
    assert answers(in_teams(stack, model)) == ["Approve for dev", "Reject…"]


def test_a_card_that_is_looked_at_again_shows_how_it_stands_and_changes_nothing(stack):
    model = registered(stack, "churn-again")
    before = everything(stack, model)
    asked = in_teams(stack, model)
    stack.teams.refresh(OMAR, asked.conversation, asked.id)
    stack.settle()
    assert everything(stack, model) == before


def test_the_app_says_where_the_bot_connector_is(stack):
    kept = stack.parameter(f"_services/teams/{stack.entra.tenant}")
    assert kept == {"url": stack.teams.service_url}


def test_while_teams_is_away_decisions_go_on_and_the_sweep_catches_up(stack):
    model = registered(stack, "churn-away")
    stack.teams.faults.add("*", status=503, times=None)
    approve(stack, model)
    assert "Approved by Maya Chen" in card(stack, model).text
    stack.teams.faults.clear()
    stack.sweep()
    assert answers(in_teams(stack, model)) == ["Revoke…"]
