"""The stand-in of Slack refuses what Slack refuses, by Slack's names, and counts what a test counts."""

import http.client
import json
import time

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from infra.local.slack import Channel, Slack, User
from infra.local.slack_workspace import SlackError

CHANNEL, MAYA = "C0MODELS", "U0MAYA"


LONG = {"type": "plain_text", "text": "x" * 2_700}
CARD = [{"type": "header", "text": {"type": "plain_text", "text": "Approve?"}}, {"type": "divider"}]
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Reject"}, "blocks": [{"type": "divider"}]}


@pytest.fixture
def slack():
    with Slack() as slack:
        slack.workspace.add_channel(Channel(CHANNEL, "model-approvals"))
        slack.workspace.add_user(User(MAYA, "maya", "Maya Chen", "maya.chen@example.com"))
        slack.limits.posts_per_second = slack.limits.post_burst = 1_000
        yield slack


@pytest.fixture
def client(slack):
    return WebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def refusal(call, *args, **kwargs):
    with pytest.raises(SlackApiError) as refused:
        call(*args, **kwargs)
    return refused.value.response["error"]


def post(client, **fields):
    return client.chat_postMessage(**{"channel": CHANNEL, "text": "hello", **fields})


# messages


def test_a_message_is_posted_by_the_bot_and_its_blocks_are_given_ids(slack, client):
    answer = post(client, blocks=CARD, metadata={"event_type": "card", "event_payload": {"round": 1}})
    (message,) = slack.workspace.messages(CHANNEL)
    assert (message.ts, message.user) == (answer["ts"], slack.workspace.bot_user_id)
    assert [block["type"] for block in message.blocks] == ["header", "divider"]
    assert all(block["block_id"] for block in message.blocks)
    assert CARD[1] == {"type": "divider"}


def test_a_block_that_slack_would_not_take_is_refused_with_a_pointer_to_it(slack, client):
    with pytest.raises(SlackApiError) as refused:
        post(client, blocks=[{"type": "divider"}, {"type": "carpet"}])
    assert refused.value.response["error"] == "invalid_blocks"
    (problem,) = refused.value.response["response_metadata"]["messages"]
    assert problem == "[ERROR] unsupported type: carpet [json-pointer:/blocks/1/type]"
    assert not slack.workspace.messages(CHANNEL)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({"blocks": [{"type": "section", "text": LONG}] * 5}, "msg_blocks_too_long"),
        ({"attachments": [{"text": "x"}]}, "invalid_attachments"),
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"thread_ts": "1700000000.000001"}, "thread_not_found"),
        ({"thread_ts": "yesterday"}, "invalid_thread_ts"),
        ({"metadata": {"event_type": "a.b", "event_payload": {}}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "ab"}}, "invalid_metadata_format"),
        ({"metadata": {"event_type": "ab", "event_payload": {"x": "y" * 16_000}}}, "metadata_too_large"),
    ],
)
def test_a_message_that_slack_would_not_take_is_refused_by_name(client, fields, error):
    assert refusal(post, client, **fields) == error


@pytest.mark.parametrize("blocks", [[], [{"type": "divider"}]])
def test_a_message_without_text_is_refused_even_with_blocks(client, blocks):
    sent = {"channel": CHANNEL, "text": "", "blocks": blocks}
    assert refusal(client.api_call, "chat.postMessage", json=sent) == "no_text"


def test_channels_refuse_as_slacks_do(slack, client):
    ts = post(client)["ts"]
    slack.workspace.alter_channel(CHANNEL, bot_in_channel=False)
    assert refusal(post, client) == "not_in_channel"
    slack.workspace.alter_channel(CHANNEL, private=True)
    assert refusal(post, client) == "channel_not_found"
    slack.workspace.alter_channel(CHANNEL, private=False, bot_in_channel=True, archived=True)
    assert refusal(post, client) == "is_archived"
    assert refusal(client.chat_update, channel=CHANNEL, ts=ts, text="x") == "is_inactive"


def test_only_the_bots_own_messages_can_be_updated_and_earlier_versions_are_kept(slack, client):
    ts = post(client, blocks=CARD, metadata={"event_type": "card", "event_payload": {}})["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="decided")
    old, new = slack.workspace.versions(CHANNEL, ts)
    assert (len(old.blocks), new.blocks, new.metadata) == (2, [], old.metadata)
    theirs = slack.workspace.say(MAYA, CHANNEL, "nice")
    update = {"channel": CHANNEL, "text": "x"}
    assert refusal(client.chat_update, **update, ts=theirs.ts) == "cant_update_message"
    assert refusal(client.chat_update, **update, ts="1.000000") == "message_not_found"
    assert refusal(client.chat_update, channel="model-approvals", ts=ts, text="x") == "channel_not_found"


def test_replies_stay_in_the_thread_unless_they_are_broadcast(slack, client):
    root = post(client)["ts"]
    reply = post(client, text="first", thread_ts=root)["ts"]
    post(client, text="second", thread_ts=root, reply_broadcast=True)
    assert [message.text for message in slack.workspace.messages(CHANNEL)] == ["hello", "second"]
    assert [each["text"] for each in client.conversations_replies(channel=CHANNEL, ts=root)["messages"]] == [
        "hello",
        "first",
        "second",
    ]
    assert refusal(post, client, thread_ts=reply) == "cannot_reply_to_message"
    assert float(reply) > float(root)


def test_an_ephemeral_message_reaches_one_member_and_cannot_be_updated(slack, client):
    ts = client.chat_postEphemeral(channel=CHANNEL, user=MAYA, text="no")["message_ts"]
    assert [each.text for each in slack.workspace.ephemerals(MAYA)] == ["no"]
    assert not slack.workspace.messages(CHANNEL)
    assert refusal(client.chat_update, channel=CHANNEL, ts=ts, text="x") == "message_not_found"
    slack.workspace.alter_channel(CHANNEL, members=frozenset())
    assert refusal(client.chat_postEphemeral, channel=CHANNEL, user=MAYA, text="x") == "user_not_in_channel"


def test_a_permalink_leads_to_the_message(slack, client):
    ts = post(client)["ts"]
    link = client.chat_getPermalink(channel=CHANNEL, message_ts=ts)["permalink"]
    assert link == f"{slack.url}/archives/{CHANNEL}/p{ts.replace('.', '')}"


# people, tokens, modals


def test_people_are_described_and_found(slack, client):
    user = client.users_info(user=MAYA)["user"]
    assert (user["profile"]["email"], user["is_email_confirmed"]) == ("maya.chen@example.com", True)
    assert client.users_lookupByEmail(email="Maya.Chen@example.com")["user"]["id"] == MAYA
    slack.workspace.alter_user(MAYA, deleted=True)
    assert client.users_info(user=MAYA)["user"]["deleted"]
    assert refusal(client.users_lookupByEmail, email="maya.chen@example.com") == "users_not_found"
    assert refusal(client.users_info, user="U0NOBODY") == "user_not_found"


def test_a_token_that_is_wrong_missing_or_lacks_the_scope_opens_nothing(slack, client):
    assert refusal(WebClient("xoxb-other", base_url=slack.api_url).auth_test) == "invalid_auth"
    assert refusal(WebClient(base_url=slack.api_url).auth_test) == "not_authed"
    slack.workspace.scopes.discard("users:read")
    with pytest.raises(SlackApiError) as refused:
        client.users_info(user=MAYA)
    told = refused.value.response
    assert (told["error"], told["needed"]) == ("missing_scope", "users:read")
    assert "chat:write" in told["provided"].split(",")
    assert refusal(client.api_call, "chat.deleteEverything") == "unknown_method"
    assert client.auth_test()["team_id"] == "T0LOCAL01"


def test_a_channel_is_described_with_the_scope_of_its_kind_and_a_private_one_to_its_members(slack, client):
    found = client.conversations_info(channel=CHANNEL)["channel"]
    assert (found["name"], found["is_member"], found["is_archived"]) == ("model-approvals", True, False)
    assert refusal(client.conversations_info, channel="C0NOWHERE") == "channel_not_found"
    slack.workspace.scopes.discard("groups:read")
    slack.workspace.alter_channel(CHANNEL, private=True)
    assert refusal(client.conversations_info, channel=CHANNEL) == "missing_scope"
    slack.workspace.alter_channel(CHANNEL, bot_in_channel=False)
    assert refusal(client.conversations_info, channel=CHANNEL) == "channel_not_found"


def test_a_trigger_opens_one_modal_within_three_seconds(slack, client):
    trigger = slack.workspace.tickets.trigger(MAYA)
    opened = client.views_open(trigger_id=trigger, view=MODAL)["view"]
    assert [view.id for view in slack.workspace.modals(MAYA)] == [opened["id"]]
    assert refusal(client.views_open, trigger_id=trigger, view=MODAL) == "exchanged_trigger_id"
    late = slack.workspace.tickets.trigger(MAYA)
    slack.workspace.clock = lambda: time.time() + 3.1
    assert refusal(client.views_open, trigger_id=late, view=MODAL) == "expired_trigger_id"
    assert refusal(client.views_open, trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"


def test_a_modal_over_the_limits_is_refused_and_the_trigger_stays_good(slack, client):
    trigger = slack.workspace.tickets.trigger(MAYA)
    empty = {**MODAL, "blocks": []}
    assert refusal(client.views_open, trigger_id=trigger, view=empty) == "invalid_arguments"
    assert client.views_open(trigger_id=trigger, view=MODAL)["ok"]


def test_a_modal_is_updated_only_from_the_version_the_app_has_seen(slack, client):
    view = client.views_open(trigger_id=slack.workspace.tickets.trigger(MAYA), view=MODAL)["view"]
    client.views_update(view_id=view["id"], hash=view["hash"], view={**MODAL, "callback_id": "second"})
    late = {"view_id": view["id"], "hash": view["hash"], "view": MODAL}
    assert refusal(client.views_update, **late) == "hash_conflict"
    assert refusal(client.views_update, view_id="V0", view=MODAL) == "not_found"
    assert slack.workspace.modals(MAYA)[0].body["callback_id"] == "second"


# limits, faults, connections


def test_more_than_a_message_per_second_and_channel_is_told_to_wait(slack, client):
    now = 1_700_000_000.0
    slack.workspace.clock = lambda: now
    slack.limits.posts_per_second, slack.limits.post_burst = 1, 3
    slack.workspace.add_channel(Channel("C0OTHER", "other"))
    for _ in range(3):
        post(client)
    with pytest.raises(SlackApiError) as refused:
        post(client)
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "1")
    assert post(client, channel="C0OTHER")["ok"]
    now += 1
    assert post(client)["ok"]


def test_other_methods_have_a_budget_per_minute(slack, client):
    slack.limits.per_minute[4] = 2
    client.users_info(user=MAYA)
    client.users_info(user=MAYA)
    assert refusal(client.users_info, user=MAYA) == "ratelimited"


def test_faults_strike_before_or_after_the_effect_as_often_as_told(slack, client):
    slack.faults.add("chat.postMessage", error="fatal_error")
    slack.faults.add("chat.postMessage", status=429, retry_after=7)
    slack.faults.add("chat.postMessage", status="reset")
    slack.faults.add("chat.postMessage", status="reset", after=True)
    assert refusal(post, client, text="1") == "fatal_error"
    with pytest.raises(SlackApiError) as refused:
        post(client, text="2")
    assert refused.value.response.headers["Retry-After"] == "7"
    for text in "34":
        with pytest.raises(ConnectionResetError):
            post(client, text=text)
    post(client, text="5")
    assert [message.text for message in slack.workspace.messages(CHANNEL)] == ["4", "5"]
    assert [call.status for call in slack.calls] == [200, 429, 0, 0, 200]


def test_a_stall_outlasts_the_client_and_the_call_still_takes_effect(slack):
    slack.faults.add("*", status=None, stall=0.3)
    with pytest.raises(TimeoutError):
        post(WebClient(slack.bot_token, base_url=slack.api_url, timeout=0.1, retry_handlers=[]))  # type: ignore[arg-type]
    assert slack.workspace.until(lambda: slack.workspace.messages(CHANNEL))
    (call,) = slack.calls
    assert (call.service, call.method, call.ended - call.started >= 0.3) == (
        "slack",
        "chat.postMessage",
        True,
    )


def test_a_connection_is_kept_and_counted(slack):
    connection = http.client.HTTPConnection(slack.url.removeprefix("http://"))
    headers = {
        "Authorization": f"Bearer {slack.bot_token}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    for number in range(5):
        connection.request("POST", "/api/chat.postMessage", f"channel={CHANNEL}&text={number}", headers)
        assert json.loads(connection.getresponse().read())["ok"]
    connection.close()
    assert (slack.connections, len(slack.calls)) == (1, 5)


def test_what_is_no_api_call_is_refused_as_slack_does(slack):
    connection = http.client.HTTPConnection(slack.url.removeprefix("http://"))
    answers = []
    for kind, body in [
        ("application/json", "{"),
        ("application/json", "[]"),
        ("text/xml", "<x/>"),
        ("", "x"),
    ]:
        headers = {"Content-Type": kind} if kind else {}
        connection.request("POST", "/api/auth.test", body, headers)
        answers.append(json.loads(connection.getresponse().read())["error"])
    connection.close()
    assert answers == ["invalid_json", "json_not_object", "invalid_post_type", "missing_post_type"]


def test_a_deleted_message_is_gone(slack, client):
    ts = post(client)["ts"]
    slack.workspace.remove(slack.workspace.message(CHANNEL, ts))
    with pytest.raises(SlackError, match="message_not_found"):
        slack.workspace.message(CHANNEL, ts)
    assert refusal(post, client, thread_ts=ts) == "thread_not_found"
