"""The door of Slack: whole signed requests through `dispatch`, and people pressing buttons over HTTP."""

import json
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.aws.secrets import Fixed
from bot.card import Offer
from bot.clicks import ActJob, AnswerJob
from bot.domain import Act, Answer, ChatUser, MessageRef, State
from bot.errors import Unavailable
from bot.overview import Statuses
from bot.slack.api import SlackApi
from bot.slack.app import LARGEST, build, dispatch
from bot.slack.channel import SlackChannel
from bot.slack.identity import REFUSAL
from bot.slack.listeners import (
    BROKEN_BUTTON,
    BROKEN_FORM,
    NO_FORM,
    NO_REASON,
    UNCONFIRMED,
    UNCONFIRMED_FORM,
)
from bot.slack.status import NOT_READ
from bot.status import GroupStatus, Stand
from bot.status import Row as VersionRow
from bot.waves import ThreadCrew
from infra.local import slack_rules as rules
from infra.local.slack import Forged, Slack
from infra.local.slack_http import Answer as HttpAnswer
from infra.local.slack_http import Server, Service
from infra.local.slack_workspace import SLACKBOT, TEAM
from tests.adapters.slack_examples import (
    CARD,
    CHANNEL,
    DECIDED,
    GUEST,
    MAYA,
    NOW,
    OLD_SECRET,
    OMAR,
    REQUEST,
    SECRET,
    STRANGER,
    Queue,
    Shelf,
    click,
    command,
    form,
    http,
    renewed,
    signed_http,
    submission,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served():
    with Slack() as slack:
        slack.signing_secret = SECRET
        yield slack


@pytest.fixture
def slack(served):
    return renewed(served)


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def shelf():
    return Shelf()


@pytest.fixture
def api(slack):
    return SlackApi(Fixed(slack.bot_token), timeout=2, base_url=slack.api_url)


@pytest.fixture
def door(api, queue, shelf):
    return build(
        signing_secrets=Fixed(f"{SECRET}, {OLD_SECRET}"),
        team=TEAM,
        api=api,
        jobs=queue,
        statuses=partial(Statuses, shelf.overview, shelf.group, ("dev", "test")),
        crew=ThreadCrew(),
        clock=lambda: NOW,
    )


@pytest.fixture
def card(slack, api, door):
    """A card in the channel of a Slack whose requests reach the door over HTTP."""
    slack.workspace.clock = NOW.timestamp

    def serve(request):
        answer = dispatch(door, http(request.body.decode(), headers=request.headers, path=request.path))
        return HttpAnswer(answer["statusCode"], answer["body"].encode(), answer["headers"])

    gateway = Server(Service("gateway", lambda _: "events", serve, lambda _: HttpAnswer(500)))
    gateway.start()
    slack.request_url = f"http://127.0.0.1:{gateway.port}/slack/events"
    yield SlackChannel(api, team=TEAM).post(CHANNEL, CARD)
    gateway.stop()


def send(door, body, **changes):
    return dispatch(door, signed_http(body, **changes))


def whispers(slack, user=MAYA):
    return [message.text for message in slack.workspace.ephemerals(user)]


def response_url(slack, user=MAYA):
    return slack.url + slack.workspace.tickets.response_path("actions", user, CHANNEL, "")


def said(answer):
    """The words of an answer to a slash command."""
    return json.loads(answer["body"])["text"]


# ---------------------------------------------------------------------------------------------------------- approve


def test_a_press_of_approve_becomes_a_job(door, queue):
    answer = send(door, form(click()))
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert queue.jobs == [
        AnswerJob(
            REQUEST,
            Answer.APPROVE,
            by=ChatUser("slack", TEAM, MAYA, CHANNEL),
            op="slack|T0LOCAL01|U0MAYA|1795512660.123456|churn-xgb/12/test/1",
            at=NOW,
            card=MessageRef(CHANNEL, "1795512000.000100"),
        )
    ]


def test_approving_calls_nothing_but_the_queue(slack, door):
    send(door, form(click()))
    assert slack.calls == []


def test_a_press_that_may_have_arrived_is_told_to_be_harmless_when_repeated(slack, door, queue):
    """The queue has the job, and its answer was lost."""
    queue.loses = True
    for _ in range(2):
        send(door, form(click(response_url=response_url(slack))))
    assert len({job.op for job in queue.jobs}) == 1
    assert whispers(slack) == [UNCONFIRMED] * 2
    for words in ("could not be confirmed", "Look at the card in a minute", "press the button again", "no harm"):
        assert words in UNCONFIRMED
    assert "was not recorded" not in UNCONFIRMED + UNCONFIRMED_FORM


def test_the_same_press_sent_twice_has_one_name(door, queue):
    for _ in range(2):
        send(door, form(click()))
    assert len({job.op for job in queue.jobs}) == 1


def test_two_presses_have_two_names(door, queue):
    payload = click()
    send(door, form(payload))
    payload["actions"][0]["action_ts"] = "1795512661.000000"
    send(door, form(payload))
    assert len({job.op for job in queue.jobs}) == 2


def test_a_press_of_which_the_queue_says_nothing_is_not_said_to_be_lost(slack, door, queue):
    queue.broken = True
    answer = send(door, form(click(response_url=response_url(slack))))
    assert answer["statusCode"] == 200
    assert whispers(slack) == [UNCONFIRMED]


def test_a_press_that_cannot_be_confirmed_and_cannot_be_told_fails_visibly(slack, door, queue):
    queue.broken = True
    slack.faults.add("response_url", status=500, times=None)
    assert send(door, form(click(response_url=response_url(slack))))["statusCode"] == 500


@pytest.mark.parametrize("value", ["", "churn/7", "churn/7/uat/1; DROP", "../../x/1/dev/1", "churn/0/uat/1", "{}"])
def test_a_button_with_a_strange_value_is_broken(slack, door, queue, value):
    answer = send(door, form(click(value=value, response_url=response_url(slack))))
    assert answer["statusCode"] == 200
    assert queue.jobs == []
    assert whispers(slack) == [BROKEN_BUTTON]


def test_a_button_without_a_value_is_broken(slack, door, queue):
    payload = click(response_url=response_url(slack))
    del payload["actions"][0]["value"]
    send(door, form(payload))
    assert (queue.jobs, whispers(slack)) == ([], [BROKEN_BUTTON])


def test_a_press_outside_of_a_message_has_no_card(door, queue):
    send(door, form(click(container={"type": "view"})))
    assert queue.jobs[0].card is None
    assert queue.jobs[0].by.channel == ""


def test_a_button_that_this_version_does_not_know_is_answered(slack, door, queue):
    answer = send(door, form(click("approval.celebrate", response_url=response_url(slack))))
    assert answer["statusCode"] == 200
    assert (queue.jobs, whispers(slack)) == ([], [BROKEN_BUTTON])


@pytest.mark.parametrize("action", ["approval.link.model", "approval.link.report", "approval.link.new"])
def test_links_are_acknowledged_and_nothing_else(slack, door, queue, action):
    assert send(door, form(click(action, response_url=response_url(slack))))["statusCode"] == 200
    assert (queue.jobs, slack.calls) == ([], [])


# ----------------------------------------------------------------------------------------------------------- reject


def test_a_reject_asks_for_its_reason_and_becomes_a_job(slack, door, queue, card):
    assert slack.press(MAYA, CHANNEL, card.ts, "approval.reject").error == ""
    (view,) = slack.workspace.modals(MAYA)
    assert queue.jobs == []
    answer = slack.submit(MAYA, view.id, {"reason": "  Recall is too low.\n"})
    assert (answer.error, answer.errors) == ("", {})
    assert slack.workspace.modals(MAYA) == []
    assert queue.jobs == [
        AnswerJob(
            REQUEST,
            Answer.REJECT,
            by=ChatUser("slack", TEAM, MAYA, CHANNEL),
            op=f"slack|T0LOCAL01|U0MAYA|{view.id}|churn-xgb/12/test/1",
            at=NOW,
            reason="Recall is too low.",
            card=card,
        )
    ]


def test_a_revoke_asks_for_its_reason_and_becomes_a_job(slack, api, queue, card):
    decided = SlackChannel(api, team=TEAM).post(CHANNEL, DECIDED)
    assert slack.press(MAYA, CHANNEL, decided.ts, "approval.revoke").error == ""
    (view,) = slack.workspace.modals(MAYA)
    assert "The newest other approval that stands is loaded instead" in str(view.body)
    assert slack.submit(MAYA, view.id, {"reason": "It drifts."}).error == ""
    op = f"slack|T0LOCAL01|U0MAYA|{view.id}|churn-xgb/12/test/1"
    by = ChatUser("slack", TEAM, MAYA, CHANNEL)
    assert queue.jobs == [ActJob(Act.REVOKE, REQUEST, by, op, NOW, "It drifts.", decided)]


@pytest.mark.parametrize("act", Act)
def test_what_is_offered_in_a_thread_asks_why_and_names_no_card(slack, api, queue, card, act):
    channel = SlackChannel(api, team=TEAM)
    ref = channel.post(CHANNEL, DECIDED)
    channel.reply(ref, ("kim rejected churn by hand.",), DECIDED, [Offer(each, REQUEST) for each in Act])
    (line,) = slack.workspace.replies(CHANNEL, ref.ts)
    assert [each["text"]["text"] for each in line.blocks[1]["elements"]] == ["Revoke for test…", "Restore v12…"]
    assert slack.press(MAYA, CHANNEL, line.ts, f"approval.{act}").error == ""
    (view,) = slack.workspace.modals(MAYA)
    assert view.body["title"]["text"] == f"{str(act).capitalize()} churn-xgb v12"
    assert slack.submit(MAYA, view.id, {"reason": "I looked at it."}).error == ""
    [job] = queue.jobs
    assert (job.act, job.request, job.reason, job.card) == (act, REQUEST, "I looked at it.", None)
    assert job.by == ChatUser("slack", TEAM, MAYA, CHANNEL), "so that a refusal can be told there"


def test_the_form_costs_one_call(slack, door, card):
    before = len(slack.calls)
    slack.press(MAYA, CHANNEL, card.ts, "approval.reject")
    assert [call.method for call in slack.calls[before:]] == ["views.open"]


@pytest.mark.parametrize("reason", ["", " \n\t ", None])
def test_a_reason_of_nothing_is_asked_for_again(door, queue, reason):
    answer = send(door, form(submission(reason)))
    assert json.loads(answer["body"]) == {"response_action": "errors", "errors": {"reason": NO_REASON}}
    assert queue.jobs == []


def test_a_form_sent_twice_has_one_name(door, queue):
    for reason in ("a", "b"):
        send(door, form(submission(reason)))
    assert len({job.op for job in queue.jobs}) == 1


def test_a_reject_of_which_the_queue_says_nothing_stays_in_the_form(slack, queue, card):
    slack.press(MAYA, CHANNEL, card.ts, "approval.reject")
    (view,) = slack.workspace.modals(MAYA)
    queue.broken = True
    assert slack.submit(MAYA, view.id, {"reason": "slow"}).errors == {"reason": UNCONFIRMED_FORM}
    queue.broken = False
    assert slack.submit(MAYA, view.id, {"reason": "slow"}).errors == {}
    assert [job.reason for job in queue.jobs] == ["slow"]


@pytest.mark.parametrize("metadata", ["", "[]", '{"request": "x", "channel": "C", "ts": "1"}', "{}"])
def test_a_form_that_cannot_be_read_is_said_to_be_broken(door, queue, metadata):
    answer = send(door, form(submission(metadata=metadata)))
    assert json.loads(answer["body"])["errors"] == {"reason": BROKEN_FORM}
    assert queue.jobs == []


def test_a_form_that_was_asked_for_outside_of_a_message_has_no_card(door, queue):
    memory = {"request": str(REQUEST), "channel": "", "ts": ""}
    send(door, form(submission(metadata=json.dumps(memory))))
    assert queue.jobs[0].card is None


@pytest.mark.parametrize("fault", [{"status": 500}, {"error": "expired_trigger_id"}, {"status": 429}])
def test_a_form_that_does_not_open_is_said(slack, card, queue, fault):
    slack.faults.add("views.open", **fault)
    assert slack.press(MAYA, CHANNEL, card.ts, "approval.reject").error == ""
    assert whispers(slack) == [NO_FORM]
    assert queue.jobs == []


def test_a_reject_button_with_a_strange_value_is_broken(slack, door):
    send(door, form(click("approval.reject", "churn/7", response_url=response_url(slack))))
    assert whispers(slack) == [BROKEN_BUTTON]


# -------------------------------------------------------------------------------------------- people over the wire


def test_a_person_presses_approve_on_the_card(slack, queue, card):
    answer = slack.press(MAYA, CHANNEL, card.ts, "approval.approve")
    assert (answer.status, answer.error) == (200, "")
    assert queue.jobs[0].card == card
    assert queue.jobs[0].request == REQUEST


def test_a_link_of_the_card_is_acknowledged(slack, card):
    assert slack.press(MAYA, CHANNEL, card.ts, "approval.link.model").error == ""


@pytest.mark.parametrize(
    "forged",
    [Forged(signing_secret="wrong"), Forged(timestamp=int(NOW.timestamp()) - 301), Forged(team_id="T0OTHER")],
)
def test_a_forged_press_reaches_nothing(slack, queue, card, forged):
    slack.press(MAYA, CHANNEL, card.ts, "approval.approve", forged=forged)
    assert queue.jobs == []


def test_a_forged_value_never_reaches_the_queue(slack, queue, card):
    slack.press(MAYA, CHANNEL, card.ts, "approval.approve", forged=Forged(value="other/1/prod/1\n"))
    assert queue.jobs == []
    assert whispers(slack) == [BROKEN_BUTTON]


# ------------------------------------------------------------------------------------------------ other workspaces


OUTSIDE = [
    {"team": {"id": "T0OTHER", "domain": "other"}},
    {"team": None},
    {"is_enterprise_install": True},
    {"user": {"id": MAYA, "team_id": "T0OTHER"}},
    {"user": {"id": MAYA}},
    {"user": {"id": SLACKBOT, "team_id": TEAM}},
    {"user": {"team_id": TEAM}},
    {"user": {"id": {"id": MAYA}, "team_id": TEAM}},
    {"user": None},
    {"user": "U0MAYA"},
]


@pytest.mark.parametrize("changes", OUTSIDE)
@pytest.mark.parametrize("action", ["approval.approve", "approval.reject", "approval.link.model", "other"])
def test_a_press_by_nobody_of_ours_is_refused(slack, door, queue, changes, action):
    answer = send(door, form(click(action, response_url=response_url(slack), **changes)))
    assert answer["statusCode"] == 200
    assert (queue.jobs, whispers(slack)) == ([], [REFUSAL])
    assert [call.method for call in slack.calls] == ["response_url"]


@pytest.mark.parametrize("changes", OUTSIDE)
def test_a_form_by_nobody_of_ours_is_refused(slack, door, queue, changes):
    answer = send(door, form(submission(**changes)))
    assert json.loads(answer["body"]) == {"response_action": "errors", "errors": {"reason": REFUSAL}}
    assert (queue.jobs, slack.calls) == ([], [])


@pytest.mark.parametrize(
    "changes",
    [{"team_id": "T0OTHER"}, {"is_enterprise_install": "true"}, {"user_id": SLACKBOT}, {"user_id": ""}],
)
def test_a_command_by_nobody_of_ours_is_refused(slack, door, shelf, changes):
    assert said(send(door, command(**changes))) == REFUSAL
    assert (slack.calls, shelf.read) == ([], [])


def test_a_view_of_another_app_of_the_workspace_does_not_hide_its_team(door, queue):
    payload = submission(team={"id": "T0OTHER"})
    payload["view"]["app_installed_team_id"] = TEAM
    send(door, form(payload))
    assert queue.jobs == []


# ----------------------------------------------------------------------------------------------------- /model-status


def test_a_member_sees_every_group(slack, card):
    assert slack.command(MAYA, CHANNEL, "/model-status").error == ""
    (whisper,) = slack.workspace.ephemerals(MAYA)
    assert "churn-xgb  v12" in str(whisper.blocks)


def test_the_answer_costs_one_call_to_slack(slack, door, shelf):
    send(door, command())
    assert [call.method for call in slack.calls] == ["users.info"]
    assert shelf.read == [""]


def test_a_member_sees_one_group(door, shelf):
    answer = json.loads(send(door, command(" churn-xgb "))["body"])
    assert answer["response_type"] == "ephemeral"
    assert rules.message_problems(answer["blocks"]) == []
    assert answer["text"] == "churn-xgb: no requests wait for an answer."
    assert shelf.read == ["churn-xgb"]


def test_a_group_that_is_not_known_is_said(door):
    assert "No model package group fraud is known here." in said(send(door, command("fraud")))


def test_one_version_may_be_asked_for(door, shelf):
    asked = Stand(State.PENDING, 1, NOW)
    shelf.groups["churn-xgb"] = GroupStatus({each: VersionRow(1, {"test": asked}) for each in ("11", "12")})
    shown = json.loads(send(door, command("churn-xgb 12"))["body"])
    table = str(shown["blocks"])
    assert "v12" in table
    assert "v11" not in table
    assert said(send(door, command("churn-xgb v12"))) == said(send(door, command("churn-xgb 12")))
    assert "Nothing is known here of churn-xgb v99." in said(send(door, command("churn-xgb 99")))


@pytest.mark.parametrize(
    ("text", "request_id", "about"),
    [
        ("mine", None, ""),
        ("who churn-xgb 12 test", REQUEST, ""),
        ("who churn-xgb v12 test omar.haddad@example.com", REQUEST, "omar.haddad@example.com"),
        ("who churn-xgb 12 test <@U0OMAR|omar>", REQUEST, OMAR),
    ],
)
def test_what_only_the_directory_knows_is_handed_over_and_answered_later(
    slack, door, queue, shelf, text, request_id, about
):
    shelf.groups["churn-xgb"] = GroupStatus({"12": VersionRow(1, {"test": Stand(State.PENDING, 1, NOW)})})
    assert said(send(door, command(text, trigger_id="1.2.3"))).startswith("That is looked up in the directory")
    [job] = queue.jobs
    assert (job.request, job.about, job.at) == (request_id, about, NOW)
    assert (job.by.user, job.op) == (MAYA, "slack|T0LOCAL01|U0MAYA|1.2.3")


def test_the_answer_comes_to_whoever_asked_wherever_that_was(slack, api, card, queue):
    slack.command(MAYA, CHANNEL, "/model-status", "mine")
    [job] = queue.jobs
    SlackChannel(api, team=TEAM).tell(job.by, "Nothing waits.")
    assert [each.text for each in slack.workspace.ephemerals(MAYA)][-1] == "Nothing waits."


def test_a_question_that_cannot_be_handed_over_is_said(door, queue):
    queue.broken = Unavailable("no")
    assert said(send(door, command("mine"))) == "The status could not be read now. Please try again in a minute."


@pytest.mark.parametrize("text", ["help", "churn xgb", "<@U0MAYA>", "_status", "-x", "a" * 64])
def test_whatever_is_no_group_gets_the_usage(door, shelf, text):
    assert "shows the versions of one model package group" in said(send(door, command(text)))
    assert shelf.read == []


@pytest.mark.parametrize("user", [GUEST, STRANGER, "U0NOBODY", "U0LOCALBOT"])
@pytest.mark.parametrize("text", ["", "churn-xgb", "help"])
def test_guests_strangers_and_bots_are_told_nothing(door, user, text):
    answer = send(door, command(text, user=user))
    assert json.loads(answer["body"]) == {"response_type": "ephemeral", "text": REFUSAL}


@pytest.mark.parametrize("slack_is_down", [True, False])
def test_a_status_that_cannot_be_read_now_is_said(slack, door, shelf, slack_is_down):
    if slack_is_down:
        slack.faults.add("users.info", status=500)
    shelf.broken = not slack_is_down
    assert said(send(door, command())) == NOT_READ


def test_a_stranger_learns_nothing_of_what_is_broken(door, shelf):
    shelf.broken = True
    assert said(send(door, command(user=GUEST))) == REFUSAL


def test_who_asks_is_asked_while_the_status_is_read(api, queue, shelf):
    class Noting:
        def __init__(self):
            self.waves = []

        def together(self, *calls):
            self.waves.append(len(calls))
            return ThreadCrew().together(*calls)

    crew = Noting()
    statuses = partial(Statuses, shelf.overview, shelf.group)
    door = build(
        signing_secrets=Fixed(SECRET), team=TEAM, api=api, jobs=queue, statuses=statuses, crew=crew, clock=lambda: NOW
    )
    send(door, command())
    assert crew.waves == [2]


# ---------------------------------------------------------------------------------------------------------- the way in


def test_both_secrets_hold_during_a_rotation(door, queue):
    assert send(door, form(click()), secret=OLD_SECRET)["statusCode"] == 200
    assert send(door, form(click()), secret=SECRET)["statusCode"] == 200
    assert len(queue.jobs) == 2


@pytest.mark.parametrize(("seconds", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
def test_a_signature_holds_for_five_minutes(door, seconds, status):
    assert send(door, form(click()), at=NOW + timedelta(seconds=seconds))["statusCode"] == status


def tampered(**headers):
    event = signed_http(form(click()))
    return {**event, "headers": {**event["headers"], **headers}}


@pytest.mark.parametrize(
    "event",
    [
        signed_http(form(click()), secret="wrong"),
        http(form(click())),
        {**signed_http(form(click())), "body": form(click(value="other/1/prod/1"))},
        {**signed_http(form(click())), "headers": None},
        tampered(**{"x-slack-signature": "v0=" + "ü" * 64}),
        tampered(**{"x-slack-signature": ""}),
        tampered(**{"x-slack-request-timestamp": "soon"}),
        tampered(**{"x-slack-request-timestamp": "²"}),
        tampered(**{"x-slack-request-timestamp": "9" * 400}),
    ],
)
def test_a_request_that_is_not_signed_by_slack_is_refused(door, queue, event):
    assert dispatch(door, event)["statusCode"] == 401
    assert queue.jobs == []


def test_without_a_secret_nobody_is_let_in(api, queue, shelf):
    statuses = partial(Statuses, shelf.overview, shelf.group)
    door = build(
        signing_secrets=Fixed(""),
        team=TEAM,
        api=api,
        jobs=queue,
        statuses=statuses,
        crew=ThreadCrew(),
        clock=lambda: NOW,
    )
    assert send(door, form(click()))["statusCode"] == 401


def test_the_way_in_takes_base64(door, queue):
    body = form(click())
    event = {**signed_http(body), **{key: http(body, encoded=True)[key] for key in ("body", "isBase64Encoded")}}
    assert dispatch(door, event)["statusCode"] == 200
    assert len(queue.jobs) == 1


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"body": "%%%", "isBase64Encoded": True}, 400),
        ({"body": "/w==", "isBase64Encoded": True}, 400),
        ({"body": "é", "isBase64Encoded": True}, 400),
        ({"body": "\ud800"}, 400),
        ({"body": "x" * (LARGEST + 1)}, 413),
        ({"body": "é" * (LARGEST // 2 + 1)}, 413),
        ({"body": "eHh4" * (LARGEST // 3 + 1), "isBase64Encoded": True}, 413),
        ({"body": "%" * (LARGEST * 2), "isBase64Encoded": True}, 413),
        ({"body": None}, 401),
        ({"rawPath": "/slack/other"}, 404),
        ({"rawPath": "/"}, 404),
        ({"rawPath": None}, 404),
        ({"requestContext": {"http": {"method": "GET"}}}, 405),
        ({"requestContext": None}, 405),
    ],
)
def test_what_cannot_be_a_request_of_slack_never_reaches_bolt(door, queue, changes, status):
    assert dispatch(door, {**signed_http(form(click())), **changes})["statusCode"] == status
    assert queue.jobs == []


def test_a_body_of_the_largest_size_is_still_verified(door):
    assert dispatch(door, http("x" * LARGEST))["statusCode"] == 401


def test_a_named_stage_is_no_part_of_the_path(door):
    assert send(door, form(click()), path="/live/slack/events", stage="live")["statusCode"] == 200


@pytest.mark.parametrize(
    "body",
    ["payload=", "payload=%7B", "payload=%5B%5D", "payload=%22x%22", "payload=1", "{", "[]", "payload=null", "", "a=b",
     "payload=%7B%22user%22%3A1%7D", "payload=%7B%22type%22%3A%22shortcut%22%7D"],
)  # fmt: skip
def test_a_signed_body_that_slack_never_sends_harms_nothing(door, queue, body):
    assert send(door, body)["statusCode"] in {200, 400, 404}
    assert queue.jobs == []


@given(body=st.text(max_size=200), payload=st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_signed_text_crashes_the_door(body, payload):
    queue, shelf = Queue(), Shelf()
    statuses = partial(Statuses, shelf.overview, shelf.group)
    nowhere = SlackApi(Fixed("t"), timeout=1, base_url="http://127.0.0.1:9/")
    door = build(
        signing_secrets=Fixed(SECRET), team=TEAM, api=nowhere, jobs=queue, statuses=statuses, crew=ThreadCrew(),
        clock=lambda: NOW,
    )  # fmt: skip
    assert send(door, f"payload={body}" if payload else body)["statusCode"] in {200, 400, 404}


def test_slack_may_check_the_certificate_without_a_signature(door, queue):
    assert dispatch(door, http("ssl_check=1&token=x"))["statusCode"] == 200
    assert dispatch(door, http("payload=ssl_check%3D1"))["statusCode"] == 401


def test_the_address_is_confirmed_to_slack(door):
    body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "x"})
    answer = send(door, body)
    assert json.loads(answer["body"]) == {"challenge": "abc"}


def test_an_event_is_taken_and_has_no_effect(slack, door, queue):
    event = {"type": "app_home_opened", "user": MAYA, "channel": "D1", "tab": "home"}
    body = json.dumps({"type": "event_callback", "team_id": TEAM, "event": event, "event_id": "Ev1"})
    assert send(door, body)["statusCode"] == 200
    assert (queue.jobs, slack.calls) == ([], [])


def test_a_header_cannot_make_bolt_run_anything_else(door, queue):
    event = tampered(**{"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "approve"})
    assert dispatch(door, event)["statusCode"] == 200
    assert len(queue.jobs) == 1


def test_no_body_is_ever_logged(slack, door, queue, caplog):
    payload = click(value="a-very-private-value", response_url=response_url(slack), callback_id="unknown")
    with caplog.at_level(logging.DEBUG):
        send(door, form(payload), secret="wrong")
        send(door, form({**payload, "type": "message_action"}))
    assert "a-very-private-value" not in caplog.text
    assert {record.name.partition(".")[0] for record in caplog.records} == {"bot"}


def test_slack_is_never_asked_who_we_are(slack, door):
    for body in (form(click()), form(submission()), command("help")):
        send(door, body)
    assert "auth.test" not in {call.method for call in slack.calls}


def test_the_door_imports_nothing_that_it_does_not_need():
    code = "import bot.slack.app, bot.slack.channel, json, sys; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    modules = json.loads(run.stdout)
    heavy = {"aiohttp", "boto3", "botocore", "cryptography", "jwt", "msal", "requests"}
    assert heavy & {name.partition(".")[0] for name in modules} == set()
    assert len(modules) <= 480


def test_the_card_of_the_example_is_one_that_the_door_understands(door, queue):
    other = replace(CARD, request=replace(REQUEST, environment="uat", round=3))
    send(door, form(click(value=str(other.request))))
    assert queue.jobs[0].request == other.request
