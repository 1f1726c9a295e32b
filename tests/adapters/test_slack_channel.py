"""The channel and the client below it, over HTTP against a Slack that refuses what Slack refuses."""

import logging
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from bot.aws.secrets import Fixed
from bot.domain import ChatUser, MessageRef
from bot.errors import NotIdentified, Refused, Unavailable
from bot.line import Strong
from bot.members import Contact, Person
from bot.ports import Channel as ChannelPort
from bot.slack.api import PERMANENT, Permanent, SlackApi
from bot.slack.channel import Pacer, SlackChannel
from bot.slack.identity import REFUSAL, called, confirmed_email, refusal_of, standing, unconfirmed, vouched
from infra.local.slack import Slack
from infra.local.slack_http import Answer, Server, Service
from infra.local.slack_workspace import SLACKBOT, TEAM
from tests.adapters.slack_examples import BY_MAYA, CARD, CHANNEL, DECIDED, MAYA, OMAR, renewed

PAGES = "https://approvals.example.com"
AT_MAYA = ChatUser("slack", TEAM, MAYA, CHANNEL)


@pytest.fixture(scope="module")
def served():
    with Slack() as slack:
        yield slack


@pytest.fixture
def slack(served):
    return renewed(served)


@pytest.fixture
def slept():
    return []


@pytest.fixture
def api(slack, slept):
    return SlackApi(Fixed(slack.bot_token), timeout=5, patience=10, base_url=slack.api_url, sleep=slept.append)


@pytest.fixture
def channel(api, slept) -> ChannelPort:
    return SlackChannel(api, team=TEAM, pages=PAGES, pacer=Pacer(lambda: 0.0, slept.append))


def methods(slack):
    return [call.method for call in slack.calls]


def types(message):
    return [block["type"] for block in message.blocks]


# ------------------------------------------------------------------------------------------------------ the channel


def test_a_card_is_posted_with_its_request_in_the_metadata(slack, channel):
    ref = channel.post(CHANNEL, CARD)
    (message,) = slack.workspace.messages(CHANNEL)
    assert ref == MessageRef(CHANNEL, message.ts)
    assert message.text == CARD.summary
    assert message.metadata == {
        "event_type": "model_approval_card", "event_payload": {"request": "churn-xgb/12/test/1"}
    }  # fmt: skip


def test_a_later_card_of_a_version_is_a_message_of_its_own(slack, channel):
    first = channel.post(CHANNEL, CARD)
    second = channel.post(CHANNEL, replace(CARD, request=replace(CARD.request, environment="uat")), first)
    assert {message.ts for message in slack.workspace.messages(CHANNEL)} == {first.ts, second.ts}
    assert list(slack.workspace.replies(CHANNEL, first.ts)) == []
    assert channel.repaints


def test_an_update_replaces_the_card_and_keeps_its_metadata(slack, channel):
    ref = channel.post(CHANNEL, CARD)
    channel.update(ref, DECIDED)
    message = slack.workspace.message(CHANNEL, ref.ts)
    assert message.metadata["event_payload"] == {"request": "churn-xgb/12/test/1"}
    assert types(message).count("actions") == 1, "Approve and Reject are gone, and there is Revoke"
    before, after = slack.workspace.versions(CHANNEL, ref.ts)
    assert not {block["block_id"] for block in before.blocks} & {block["block_id"] for block in after.blocks}


def test_a_line_is_told_in_the_thread(slack, channel):
    ref = channel.post(CHANNEL, CARD)
    channel.reply(ref, (BY_MAYA, " approved churn-xgb v12 for ", Strong("test")), DECIDED)
    (told,) = slack.workspace.replies(CHANNEL, ref.ts)
    assert told.text == "Maya Chen approved churn-xgb v12 for test"
    assert told.blocks[0]["text"]["text"] == "<@U0MAYA> approved churn-xgb v12 for *test*"


def test_a_private_word_is_seen_by_one_person(slack, channel):
    channel.tell(AT_MAYA, f"Link your account: {PAGES}/link/1")
    (whisper,) = slack.workspace.ephemerals(MAYA)
    assert whisper.only_for == MAYA
    assert whisper.blocks[0]["text"]["text"] == f"Link your account: <{PAGES}/link/1>"
    assert slack.workspace.messages(CHANNEL) == []


def test_without_a_channel_nobody_can_be_told_which_is_logged(slack, channel, caplog):
    channel.tell(replace(AT_MAYA, channel=""), "Hello")
    assert slack.calls == []
    assert "nothing told to U0MAYA" in caplog.text


def test_a_person_who_left_the_channel_cannot_be_told(slack, channel):
    slack.workspace.alter_channel(CHANNEL, members=frozenset({OMAR}))
    with pytest.raises(Refused, match="user_not_in_channel"):
        channel.tell(AT_MAYA, "Hello")


def test_a_private_word_is_tried_again_later_when_slack_does_not_answer(slack, channel):
    slack.faults.add("chat.postEphemeral", status=500)
    with pytest.raises(Unavailable):
        channel.tell(AT_MAYA, "Hello")


def test_previews_are_never_unfolded(api):
    sent = []

    class Recorder(SlackApi):
        def call(self, method, arguments):
            sent.append((method, arguments))
            return {"channel": CHANNEL, "ts": "1.0"}

    recorder = SlackChannel(Recorder(Fixed("t"), timeout=1), team=TEAM)
    recorder.post(CHANNEL, CARD)
    recorder.reply(MessageRef(CHANNEL, "1.0"), ("x",), CARD)
    assert [(each["unfurl_links"], each["unfurl_media"]) for _, each in sent] == [(False, False)] * 2


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"archived": True}, "is_archived"), ({"bot_in_channel": False}, "not_in_channel")],
)
def test_a_channel_that_will_never_take_a_card_refuses_it(slack, channel, changes, error):
    slack.workspace.alter_channel(CHANNEL, **changes)
    with pytest.raises(Permanent, match=error) as refused:
        channel.post(CHANNEL, CARD)
    assert isinstance(refused.value, Refused)
    assert refused.value.error == error


def test_a_message_that_is_gone_cannot_be_updated(slack, channel):
    ref = channel.post(CHANNEL, CARD)
    slack.workspace.remove(slack.workspace.message(CHANNEL, ref.ts))
    with pytest.raises(Permanent, match="message_not_found"):
        channel.update(ref, DECIDED)


def test_a_slack_that_takes_no_table_gets_aligned_text(slack, channel, caplog):
    slack.faults.add("chat.postMessage", error="invalid_blocks")
    ref = channel.post(CHANNEL, CARD)
    assert {"table", "rich_text"} & set(types(slack.workspace.message(CHANNEL, ref.ts))) == {"rich_text"}
    slack.faults.add("chat.update", error="invalid_attachments")
    channel.update(ref, DECIDED)
    assert {"table", "rich_text"} & set(types(slack.workspace.message(CHANNEL, ref.ts))) == {"rich_text"}
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert ["churn-xgb/12/test/1" in error for error in errors] == [True, True]


def test_blocks_that_are_refused_for_another_reason_are_refused(slack, channel):
    slack.faults.add("chat.postMessage", error="invalid_blocks", times=2)
    with pytest.raises(Permanent, match="invalid_blocks"):
        channel.post(CHANNEL, CARD)
    assert methods(slack) == ["chat.postMessage"] * 2
    slack.faults.add("chat.postMessage", error="invalid_blocks")
    with pytest.raises(Permanent):
        channel.post(CHANNEL, replace(CARD, table=None))
    assert methods(slack) == ["chat.postMessage"] * 3


# -------------------------------------------------------------------------------------------------------- the pacer


def test_posts_to_one_channel_are_a_second_apart():
    clock = [100.0]
    slept: list[float] = []

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    pacer = Pacer(lambda: clock[0], sleep)
    pacer.wait("C1")
    pacer.wait("C1")
    pacer.wait("C2")
    clock[0] += 0.25
    pacer.wait("C1")
    clock[0] += 9
    pacer.wait("C1")
    assert slept == [1.0, 0.75]


def test_two_threads_that_post_at_once_take_two_turns():
    slept: list[float] = []
    pacer = Pacer(lambda: 0.0, slept.append)
    threads = [threading.Thread(target=pacer.wait, args=("C1",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == [1.0, 2.0, 3.0, 4.0]


def test_only_new_cards_are_paced(channel, slept):
    ref = channel.post(CHANNEL, CARD)
    channel.reply(ref, ("x",), CARD)
    channel.update(ref, DECIDED)
    channel.tell(AT_MAYA, "Hello")
    assert slept == []
    channel.post(CHANNEL, CARD)
    assert slept == [1.0]


# ------------------------------------------------------------------------------------------------------- the client


def test_calls_share_one_connection(slack, api):
    before = slack.connections
    for _ in range(5):
        api.call("users.info", {"user": MAYA})
    api.call("chat.postMessage", {"channel": CHANNEL, "text": "Hello"})
    assert slack.connections == before + 1


def test_a_call_made_too_soon_waits_as_long_as_slack_says(slack, api, slept):
    slack.faults.add("users.info", status=429, retry_after=3, times=2)
    assert api.call("users.info", {"user": MAYA})["user"]["id"] == MAYA
    assert slept == [3.0, 3.0]


def test_a_call_waits_no_longer_than_its_patience(slack, api, slept):
    slack.faults.add("users.info", status=429, retry_after=6, times=None)
    with pytest.raises(Unavailable, match=r"wait 6 s before users\.info"):
        api.call("users.info", {"user": MAYA})
    assert slept == [6.0]


def test_a_call_is_not_made_for_ever(slack, api, slept):
    slack.faults.add("users.info", status=429, retry_after=1, times=None)
    with pytest.raises(Unavailable):
        api.call("users.info", {"user": MAYA})
    assert len(slack.calls) == 3


def test_without_patience_nothing_ever_sleeps(slack, slept):
    door = SlackApi(Fixed(slack.bot_token), timeout=2, base_url=slack.api_url, sleep=slept.append)
    slack.faults.add("users.info", status=429, retry_after=1)
    with pytest.raises(Unavailable):
        door.call("users.info", {"user": MAYA})
    assert slept == []


@pytest.mark.parametrize("error", sorted(PERMANENT))
def test_an_error_that_will_not_pass_is_a_refusal(slack, api, error):
    slack.faults.add("chat.update", error=error)
    with pytest.raises(Permanent, match=f"Slack refused chat.update: {error}"):
        api.call("chat.update", {})


@pytest.mark.parametrize(
    "error",
    ["ratelimited", "fatal_error", "internal_error", "invalid_auth", "token_revoked", "missing_scope",
     "service_unavailable", "request_timeout", "team_added_to_org", "something_new"],
)  # fmt: skip
def test_every_other_error_may_pass(slack, api, error):
    slack.faults.add("chat.update", error=error)
    with pytest.raises(Unavailable, match=error):
        api.call("chat.update", {})


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_an_answer_that_is_no_success_may_pass(slack, api, status):
    slack.faults.add("users.info", status=status)
    with pytest.raises(Unavailable, match=str(status)):
        api.call("users.info", {"user": MAYA})


@contextmanager
def odd(*answers):
    """The address of a server that gives these answers, one after the other, and what it was asked."""
    asked, left = [], list(answers)

    def answer(request):
        asked.append(request)
        return left.pop(0)

    server = Server(Service("odd", lambda _: "odd", answer, lambda _: Answer(500)))
    server.start()
    yield f"http://127.0.0.1:{server.port}/api/", asked
    server.stop()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"<html>"), (200, b"[]"), (200, b'"ok"'), (200, b'{"ok": 1}'), (200, b"{}"), (200, b"\xff"),
     (500, b'{"ok": true}'), (301, b'{"ok": true}')],
)  # fmt: skip
def test_an_answer_that_is_not_slacks_may_pass(status, body):
    with odd(Answer(status, body)) as (url, _), pytest.raises(Unavailable):
        SlackApi(Fixed("token"), timeout=2, base_url=url).call("users.info", {"user": MAYA})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_never_follows_a_redirection(status):
    with odd(Answer(200, b'{"ok": true}')) as (elsewhere, asked):
        with odd(Answer(status, b"", {"Location": elsewhere})) as (url, _), pytest.raises(Unavailable):
            SlackApi(Fixed("token"), timeout=2, base_url=url).call("users.info", {"user": MAYA})
        assert asked == []


def test_a_wait_that_is_no_number_counts_as_a_second(slept):
    answers = Answer(429, b"", {"Retry-After": "soon"}), Answer(200, b'{"ok": true}')
    with odd(*answers) as (url, _):
        patient = SlackApi(Fixed("t"), timeout=2, patience=1, base_url=url.removesuffix("/"), sleep=slept.append)
        assert patient.call("users.info", {"user": MAYA}) == {"ok": True}
    assert slept == [1.0]


def test_a_slack_that_stalls_is_given_up_in_time(slack):
    impatient = SlackApi(Fixed(slack.bot_token), timeout=0.2, base_url=slack.api_url)
    slack.faults.add("chat.update", stall=5)
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"did not answer chat\.update"):
        impatient.call("chat.update", {})
    assert time.monotonic() - started < 2


def test_a_connection_that_breaks_under_a_harmless_call_is_made_again(slack, api):
    slack.faults.add("users.info", status="reset")
    assert api.call("users.info", {"user": MAYA})["user"]["id"] == MAYA
    slack.faults.add("users.info", status="reset", times=2)
    with pytest.raises(Unavailable):
        api.call("users.info", {"user": MAYA})


def test_a_post_whose_answer_is_lost_is_not_sent_twice(slack, api):
    slack.faults.add("chat.postMessage", status="reset", after=True)
    with pytest.raises(Unavailable):
        api.call("chat.postMessage", {"channel": CHANNEL, "text": "Hello"})
    assert len(slack.workspace.messages(CHANNEL)) == 1


def test_a_server_that_is_not_there_is_tried_twice():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tried = []

    class Counting(SlackApi):
        def _tried(self, *args, **kwargs):
            tried.append(args)
            return super()._tried(*args, **kwargs)

    nowhere = Counting(Fixed("secret-token"), timeout=1, base_url=f"http://127.0.0.1:{port}/api/")
    with pytest.raises(Unavailable, match="NewConnectionError") as trouble:
        nowhere.call("chat.postMessage", {"channel": CHANNEL, "text": "Hello"})
    assert len(tried) == 2
    assert "secret-token" not in repr(trouble.value) + repr(trouble.value.__cause__)


def test_what_slack_says_about_a_mistake_is_in_the_error(api):
    with pytest.raises(Permanent, match="missing required field: ts"):
        api.call("chat.update", {"channel": CHANNEL, "text": "x"})


# ------------------------------------------------------------------------------------------------------------ people


def test_a_members_confirmed_address_is_given(api):
    assert confirmed_email(api, TEAM)(AT_MAYA) == "maya.chen@example.com"


@pytest.mark.parametrize(
    "changes",
    [
        {"deleted": True},
        {"is_bot": True},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_stranger": True},
        {"team_id": "T0OTHER"},
    ],
)
def test_bots_guests_strangers_and_others_are_not_identified(slack, api, changes, caplog):
    slack.workspace.alter_user(MAYA, **changes)
    for ask in (confirmed_email(api, TEAM), standing(api, TEAM), vouched(api, TEAM)):
        with pytest.raises(NotIdentified) as refused:
            ask(AT_MAYA)
        assert str(refused.value) == REFUSAL
    assert "U0MAYA" in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"email": ""},
        {"is_email_confirmed": False},
        {"email": "m\u00e4ya@example.com"},
        {"email": "x" * 310 + "@example.com"},
    ],
)
def test_an_address_that_proves_nothing_identifies_nobody_but_its_owner_stays_a_member(slack, api, changes):
    slack.workspace.alter_user(MAYA, **changes)
    with pytest.raises(NotIdentified, match="could not be identified"):
        confirmed_email(api, TEAM)(AT_MAYA)
    standing(api, TEAM)(AT_MAYA)
    assert vouched(api, TEAM)(AT_MAYA) == ""


def test_a_member_is_vouched_for_with_the_confirmed_address(api):
    assert vouched(api, TEAM)(AT_MAYA) == "maya.chen@example.com"


def test_without_the_scope_for_addresses_nobody_is_identified(slack, api):
    slack.workspace.scopes.discard("users:read.email")
    with pytest.raises(NotIdentified):
        confirmed_email(api, TEAM)(AT_MAYA)
    assert vouched(api, TEAM)(AT_MAYA) == ""


@pytest.mark.parametrize(
    "user",
    [
        replace(AT_MAYA, surface="teams"),
        replace(AT_MAYA, team="T0OTHER"),
        replace(AT_MAYA, user="U0NOBODY"),
        replace(AT_MAYA, user=""),
    ],
)
def test_a_person_whom_slack_does_not_know_is_not_identified(api, user):
    for ask in (standing(api, TEAM), vouched(api, TEAM)):
        with pytest.raises(NotIdentified):
            ask(user)


def test_when_slack_cannot_be_asked_nobody_is_refused(slack, api):
    for ask in (standing(api, TEAM), vouched(api, TEAM)):
        slack.faults.add("users.info", status=500)
        with pytest.raises(Unavailable):
            ask(AT_MAYA)


@pytest.mark.parametrize(
    ("user", "team", "words"),
    [
        ({"username": "maya", "name": "m"}, {"domain": "acme"}, "@maya in the Slack workspace acme"),
        ({"name": "maya.chen-2"}, {"domain": "acme-eu"}, "@maya.chen-2 in the Slack workspace acme-eu"),
        ({"username": ""}, {"domain": ""}, "@U0MAYA in the Slack workspace T0LOCAL01"),
        ({"username": None}, {"domain": 7}, "@U0MAYA in the Slack workspace T0LOCAL01"),
        ({"username": "you, not @eve"}, {"domain": "a b\n<c>"}, "@younoteve in the Slack workspace abc"),
        ({"username": "<&>\u202e"}, {"domain": "\u202e"}, "@U0MAYA in the Slack workspace T0LOCAL01"),
        ({"username": "\u6a21\u578b"}, {"domain": "acme"}, "@\u6a21\u578b in the Slack workspace acme"),
        ({"username": "x" * 999}, {"domain": "y" * 999}, f"@{'x' * 40} in the Slack workspace {'y' * 40}"),
    ],
)
def test_an_account_is_called_by_what_its_person_knows_and_pretends_to_be_nothing_else(user, team, words):
    assert called({"user": {"id": MAYA, **user}, "team": {"id": TEAM, **team}}) == words


MEMBER = {
    "id": MAYA, "team_id": TEAM, "deleted": False, "is_bot": False,
    "is_restricted": False, "is_ultra_restricted": False,
}  # fmt: skip


def test_a_full_member_has_nothing_against_them():
    assert refusal_of(MEMBER, TEAM) == ""


@pytest.mark.parametrize("name", sorted(MEMBER))
def test_what_slack_should_say_and_does_not_counts_against_a_person(name):
    assert refusal_of({key: value for key, value in MEMBER.items() if key != name}, TEAM)


@pytest.mark.parametrize(
    "wrong",
    [{"id": SLACKBOT}, {"is_stranger": True}, {"is_workflow_bot": True}, {"deleted": 0}, {"is_bot": "false"},
     {"is_stranger": None}, {"team_id": ""}],
)  # fmt: skip
def test_anything_unusual_counts_against_a_person(wrong):
    assert refusal_of({**MEMBER, **wrong}, TEAM)


@pytest.mark.parametrize(
    "wrong",
    [{"is_email_confirmed": None}, {"is_email_confirmed": "true"}, {"profile": None}, {"profile": {}},
     {"profile": {"email": None}}, {"profile": {"email": ["a@b.example"]}}],
)  # fmt: skip
def test_only_an_address_that_slack_calls_confirmed_counts(wrong):
    confirmed = {"is_email_confirmed": True, "profile": {"email": "a@b.example"}}
    assert unconfirmed(confirmed) == ""
    assert unconfirmed({**confirmed, **wrong})


def test_an_address_of_which_slack_says_nothing_does_not_count():
    assert unconfirmed({"profile": {"email": "a@b.example"}})


# ----------------------------------------------------------------------------------------------------- the reminders


def people(*addresses):
    return [Contact(Person(f"oid-{address}", f"<b>{address}</b>"), address) for address in addresses]


def reminded(slack, channel, *addresses):
    ref = channel.post(CHANNEL, CARD)
    channel.remind(ref, ("churn still waits for ", Strong("test"), "."), CARD, people(*addresses))
    (told,) = slack.workspace.replies(CHANNEL, ref.ts)
    return told.blocks[0]["text"]["text"].replace("\u2060", "")


def test_whoever_slack_knows_by_the_address_is_mentioned_and_others_are_named(slack, channel):
    told = reminded(slack, channel, "maya.chen@example.com", "nobody@example.com", "")
    assert told == (
        f"<@{MAYA}>, &lt;b&gt;nobody@example.com&lt;/b&gt;, &lt;b&gt;&lt;/b&gt;: churn still waits for *test*."
    )
    assert methods(slack).count("users.lookupByEmail") == 2


def test_somebody_of_another_workspace_is_not_mentioned(slack, channel):
    slack.workspace.users[MAYA] = replace(slack.workspace.users[MAYA], team_id="T0ELSEWHERE")
    assert "<@" not in reminded(slack, channel, "maya.chen@example.com")


def test_ten_people_are_addressed_and_the_others_counted(slack, channel):
    told = reminded(slack, channel, *[f"person-{number}@example.com" for number in range(13)])
    assert "person-9@" in told
    assert "person-10@" not in told
    assert " and 3 more: churn still waits" in told
    assert methods(slack).count("users.lookupByEmail") == 10


def test_a_slack_that_asks_to_wait_too_long_reminds_nobody_yet(slack, channel):
    slack.faults.add("users.lookupByEmail", status=429, retry_after=60, times=None)
    ref = channel.post(CHANNEL, CARD)
    with pytest.raises(Unavailable):
        channel.remind(ref, ("waits",), CARD, people("maya.chen@example.com"))
    assert slack.workspace.replies(CHANNEL, ref.ts) == []
