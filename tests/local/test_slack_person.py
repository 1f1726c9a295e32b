"""People in the stand-in of Slack, against a real Bolt app that verifies every signature."""

import time

import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from infra.local.slack import Channel, Forged, NotThere, Slack, User
from infra.local.slack_http import Answer, Request, Server, Service

CHANNEL, MAYA, OMAR = "C0MODELS", "U0MAYA", "U0OMAR"
INPUT = {"type": "plain_text_input", "action_id": "text", "min_length": 3, "max_length": 50}


def plain(text):
    return {"type": "plain_text", "text": text}


def buttons(*names):
    elements = [{"type": "button", "action_id": name, "text": plain(name), "value": "churn/7/uat/1"} for name in names]
    return [{"type": "actions", "block_id": "decide", "elements": elements}]


MODAL = {
    "type": "modal",
    "callback_id": "rejection",
    "title": plain("Reject"),
    "submit": plain("Reject"),
    "private_metadata": "churn/7/uat/1",
    "notify_on_close": True,
    "blocks": [{"type": "input", "block_id": "reason", "label": plain("Why?"), "element": INPUT}],
}


class Bot:
    """A tiny approval bot, served over HTTP, that notes the payloads it was sent."""

    def __init__(self, slack):
        self.bodies = []
        self.before_answer = lambda: None
        result = AuthorizeResult(
            enterprise_id=None, team_id="T0LOCAL01", bot_token=slack.bot_token, bot_user_id="U0LOCALBOT"
        )
        self.app = App(
            signing_secret=slack.signing_secret,
            authorize=lambda **_: result,
            client=WebClient(base_url=slack.api_url),
            process_before_response=True,
        )
        self.app.action("approve")(self.approve)
        self.app.action("reject")(self.reject)
        self.app.view("rejection")(self.rejected)
        self.app.view_closed("rejection")(lambda ack: ack())
        self.app.command("/model-status")(self.status)
        self.server = Server(Service("bot", lambda _: "events", self.serve, lambda _: Answer(500)))

    def serve(self, request: Request):
        answer = self.app.dispatch(BoltRequest(body=request.body.decode(), headers=dict(request.headers)))
        return Answer(answer.status, answer.body.encode(), {k: v[0] for k, v in answer.headers.items()})

    def approve(self, ack, body, client):
        self.bodies.append(body)
        self.before_answer()
        ack()
        where = {"channel": body["channel"]["id"], "ts": body["container"]["message_ts"]}
        client.chat_update(**where, text=f"approved by {body['user']['name']}", blocks=buttons("revoke"))

    def reject(self, ack, body, client):
        self.bodies.append(body)
        self.before_answer()
        client.views_open(trigger_id=body["trigger_id"], view=MODAL)
        ack()

    def rejected(self, ack, body, view):
        self.bodies.append(body)
        reason = view["state"]["values"]["reason"]["text"]["value"]
        if reason == "bad":
            ack(response_action="errors", errors={"reason": "Say more."})
        elif reason == "wrong block":
            ack(response_action="errors", errors={"nowhere": "Say more."})
        else:
            ack()

    def status(self, ack, body):
        self.bodies.append(body)
        self.before_answer()
        if body["text"] == "all":
            ack(text="for all", response_type="in_channel")
        elif body["text"]:
            ack(text=f"{body['text']}: v7 in uat", blocks=[{"type": "divider"}])
        else:
            ack()


@pytest.fixture
def slack():
    with Slack() as slack:
        slack.workspace.add_channel(Channel(CHANNEL, "model-approvals"))
        slack.workspace.add_user(User(MAYA, "maya", "Maya Chen", "maya.chen@example.com"))
        slack.workspace.add_user(
            User(OMAR, "omar", "Omar Diaz", "omar@example.org", team_id="T0OTHER", is_stranger=True)
        )
        yield slack


@pytest.fixture
def bot(slack):
    bot = Bot(slack)
    bot.server.start()
    slack.request_url = f"http://127.0.0.1:{bot.server.port}/slack/events"
    yield bot
    bot.server.stop()


@pytest.fixture
def card(slack, bot):
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    return client.chat_postMessage(channel=CHANNEL, text="approve?", blocks=buttons("approve", "reject"))["ts"]


def test_a_click_reaches_its_listener_and_the_card_changes(slack, bot, card):
    answer = slack.press(MAYA, CHANNEL, card, "approve")
    assert (answer.status, answer.error) == (200, "")
    assert slack.workspace.message(CHANNEL, card).text == "approved by maya"
    assert [call.method for call in slack.calls] == ["chat.postMessage", "chat.update"]


def test_a_click_carries_what_slack_sends(slack, bot, card):
    slack.press(MAYA, CHANNEL, card, "approve")
    (body,) = bot.bodies
    assert body["user"] == {"id": MAYA, "username": "maya", "name": "maya", "team_id": "T0LOCAL01"}
    assert body["team"] == {"id": "T0LOCAL01", "domain": "local"}
    assert body["container"] == {
        "type": "message",
        "message_ts": card,
        "channel_id": CHANNEL,
        "is_ephemeral": False,
    }
    assert (body["message"]["ts"], body["message"]["text"]) == (card, "approve?")
    assert body["actions"][0] | {"action_ts": ""} == {
        "type": "button",
        "action_id": "approve",
        "block_id": "decide",
        "text": plain("approve"),
        "value": "churn/7/uat/1",
        "action_ts": "",
    }
    assert body["state"] == {"values": {}}
    assert body["enterprise"] is None
    assert body["response_url"].startswith(f"{slack.url}/actions/")


def test_a_person_cannot_press_what_is_no_longer_there_but_an_old_client_can(slack, bot, card):
    slack.press(MAYA, CHANNEL, card, "approve")
    with pytest.raises(NotThere):
        slack.press(MAYA, CHANNEL, card, "approve")
    assert slack.press(MAYA, CHANNEL, card, "approve", stale=True).status == 200
    assert bot.bodies[1]["message"]["text"] == "approve?"


def test_nobody_presses_what_they_do_not_see(slack, bot, card):
    with pytest.raises(NotThere):
        slack.press("U0NOBODY", CHANNEL, card, "approve")
    with pytest.raises(NotThere):
        slack.press(MAYA, CHANNEL, "1.000000", "approve")
    slack.workspace.alter_channel(CHANNEL, private=True, members=frozenset({OMAR}))
    with pytest.raises(NotThere):
        slack.press(MAYA, CHANNEL, card, "approve")


@pytest.mark.parametrize(
    "forged",
    [Forged(signing_secret="guessed"), Forged(timestamp=int(time.time()) - 301)],
    ids=["secret", "time"],
)
def test_a_forged_request_is_refused_by_the_app_and_the_person_is_told(slack, bot, card, forged):
    answer = slack.press(MAYA, CHANNEL, card, "approve", forged=forged)
    assert (answer.status, answer.error) == (401, "http_service_error")
    assert [each.text for each in slack.workspace.ephemerals(MAYA, CHANNEL)] == [
        "The click was lost: http_service_error"
    ]
    assert not bot.bodies


def test_other_teams_show_in_the_payload(slack, bot, card):
    slack.press(OMAR, CHANNEL, card, "approve")
    slack.press(MAYA, CHANNEL, card, "approve", stale=True, forged=Forged(team_id="T0EVIL", value="churn/9/prod/1"))
    stranger, forged = bot.bodies
    assert (stranger["team"]["id"], stranger["user"]["team_id"]) == ("T0LOCAL01", "T0OTHER")
    assert (forged["team"]["id"], forged["user"]["team_id"]) == ("T0EVIL", "T0EVIL")
    assert forged["actions"][0]["value"] == "churn/9/prod/1"


def test_a_click_that_nobody_listens_to_or_answers_in_time_is_shown_as_lost(slack, bot, card):
    slack.press(MAYA, CHANNEL, card, "approve")
    assert slack.press(MAYA, CHANNEL, card, "revoke").status == 404
    bot.before_answer = lambda: time.sleep(3.2)
    assert slack.press(MAYA, CHANNEL, card, "approve", stale=True).error == "operation_timeout"
    bot.server.stop()
    assert slack.press(MAYA, CHANNEL, card, "revoke").error == "dispatch_failed"
    shown = [each.text for each in slack.workspace.ephemerals(MAYA)]
    assert [text.removeprefix("The click was lost: ") for text in shown] == [
        "http_service_error",
        "operation_timeout",
        "dispatch_failed",
    ]


def test_a_modal_opens_shows_errors_and_closes_when_it_is_taken(slack, bot, card):
    assert slack.press(MAYA, CHANNEL, card, "reject").status == 200
    (view,) = slack.workspace.modals(MAYA)
    assert slack.submit(MAYA, view.id, {}).errors == {"reason": "Please complete this required field."}
    assert slack.submit(MAYA, view.id, {"reason": "no"}).errors == {"reason": "Must be at least 3 characters."}
    assert len(bot.bodies) == 1
    assert slack.submit(MAYA, view.id, {"reason": "bad"}).errors == {"reason": "Say more."}
    assert slack.submit(MAYA, view.id, {"reason": "wrong block"}).error == "invalid_response_action"
    assert slack.workspace.modals(MAYA) == [view]
    assert slack.submit(MAYA, view.id, {"reason": "drifts"}).status == 200
    assert not slack.workspace.modals(MAYA)
    body = bot.bodies[-1]
    assert (body["type"], body["view"]["private_metadata"]) == ("view_submission", "churn/7/uat/1")
    assert "channel" not in body


def test_a_modal_belongs_to_one_person_who_may_close_it(slack, bot, card):
    slack.press(MAYA, CHANNEL, card, "reject")
    (view,) = slack.workspace.modals(MAYA)
    with pytest.raises(NotThere):
        slack.submit(OMAR, view.id, {"reason": "mine"})
    assert slack.dismiss(MAYA, view.id).status == 200
    with pytest.raises(NotThere):
        slack.submit(MAYA, view.id, {"reason": "late"})


def test_a_trigger_that_is_used_too_late_opens_nothing(slack, bot, card):
    def four_seconds_pass():
        slack.workspace.clock = lambda: time.time() + 4

    bot.before_answer = four_seconds_pass
    assert slack.press(MAYA, CHANNEL, card, "reject").status == 500
    assert not slack.workspace.modals(MAYA)


def test_the_answer_to_a_command_is_seen_by_one_person_by_all_or_by_nobody(slack, bot):
    slack.command(MAYA, CHANNEL, "/model-status", "churn")
    slack.command(MAYA, CHANNEL, "/model-status", "all")
    slack.command(MAYA, CHANNEL, "/model-status")
    assert [each.text for each in slack.workspace.ephemerals(MAYA)] == ["churn: v7 in uat"]
    assert [each.text for each in slack.workspace.messages(CHANNEL)] == ["for all"]
    assert not slack.workspace.ephemerals(OMAR)
    slack.command(MAYA, CHANNEL, "/unknown")
    unknown = slack.workspace.ephemerals(MAYA)[-1].text
    assert unknown == "/unknown failed with the error http_service_error"


def test_a_response_url_takes_five_answers_within_thirty_minutes(slack, bot):
    slack.command(MAYA, CHANNEL, "/model-status")
    slack.command(MAYA, CHANNEL, "/model-status")
    used, late = (WebhookClient(body["response_url"]) for body in bot.bodies)
    assert [used.send(text=str(number)).status_code for number in range(6)] == [200] * 5 + [404]
    assert [each.text for each in slack.workspace.ephemerals(MAYA)] == list("01234")
    assert late.send(text="x", blocks=[{"type": "carpet"}]).status_code == 400
    slack.workspace.clock = lambda: time.time() + 1_801
    assert late.send(text="late").status_code == 404
    assert {call.method for call in slack.calls} == {"response_url"}


def test_a_response_url_replaces_or_deletes_the_message_it_came_from(slack, bot, card):
    slack.press(MAYA, CHANNEL, card, "approve")
    webhook = WebhookClient(bot.bodies[0]["response_url"])
    webhook.send(text="replaced", replace_original=True)
    assert slack.workspace.message(CHANNEL, card).text == "replaced"
    webhook.send(text="", delete_original=True)
    assert not slack.workspace.messages(CHANNEL)


def test_a_button_on_an_ephemeral_message_sends_no_message(slack, bot):
    client = WebClient(slack.bot_token, base_url=slack.api_url)
    whisper = client.chat_postEphemeral(channel=CHANNEL, user=MAYA, text="?", blocks=buttons("approve"))
    with pytest.raises(NotThere):
        slack.press(OMAR, CHANNEL, whisper["message_ts"], "approve")
    slack.press(MAYA, CHANNEL, whisper["message_ts"], "approve")
    (body,) = bot.bodies
    assert body["container"]["is_ephemeral"]
    assert "message" not in body
