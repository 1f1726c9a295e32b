"""The channel and the client below it, over HTTPS against a Bot Connector that refuses what Microsoft's refuses."""

import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from urllib3 import HTTPResponse

from bot.domain import ChatUser, MessageRef
from bot.errors import Refused, Unavailable
from bot.line import Strong
from bot.members import Contact, Person
from bot.ports import Channel as ChannelPort
from bot.teams.channel import TeamsChannel
from bot.teams.connector import Connector, Permanent
from bot.teams.http import open_pool
from bot.teams.service import Services
from infra.local.teams import Channel
from tests.adapters.slack_examples import BY_MAYA
from tests.adapters.teams_examples import (
    APP,
    CARD,
    CHANNEL,
    DECIDED,
    MAYA,
    OMAR,
    PAGES,
    TENANT,
    TOKEN,
    Keyring,
    buttons,
    open_teams,
    settle,
    words_of,
)

AT_MAYA = ChatUser("teams", TENANT, MAYA.oid, MAYA.mri, oid=MAYA.oid)
WORDS = {"type": "message", "text": "x"}


@pytest.fixture(scope="module")
def served():
    with open_teams() as teams:
        yield teams


@pytest.fixture
def teams(served):
    served.faults.clear()
    served.calls.clear()
    served.workspace.chats.clear()
    return settle(served)


@pytest.fixture
def slept():
    return []


@pytest.fixture
def keyring():
    return Keyring()


@pytest.fixture
def connector(teams, keyring, slept):
    return connector_to(teams, keyring=keyring, slept=slept)


@pytest.fixture
def channel(connector) -> ChannelPort:
    return TeamsChannel(connector, pages=PAGES)


def connector_to(teams, *, keyring=None, slept=None, timeout=2.0, ca_bundle="", url=""):
    pool = open_pool(ca_bundle=ca_bundle or teams.ca_bundle)
    url = url or teams.first_url
    return Connector(
        pool, keyring or Keyring(), app_id=APP, tenant=TENANT, service=lambda: url,
        services=Services([url.split("/")[2]]), timeout=timeout, patience=10,
        sleep=[].append if slept is None else slept.append,
    )  # fmt: skip


def methods(teams):
    return [call.method for call in teams.calls]


# ------------------------------------------------------------------------------------------------------ the channel


def test_a_card_begins_a_thread_of_its_own(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    message = teams.workspace.message(ref.channel, ref.ts)
    assert ref.channel == f"{CHANNEL};messageid={ref.ts}"
    assert message.summary == CARD.summary
    assert words_of(message.card)[0] == CARD.title
    assert channel.post(CHANNEL, CARD, ref).channel != ref.channel
    assert teams.workspace.warnings == []


def test_an_update_shows_the_card_as_it_is_to_everybody(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    channel.update(ref, DECIDED)
    for who in (MAYA, OMAR):
        seen = teams.workspace.sees(who.key, ref.channel, ref.ts)
        assert (words_of(seen.card)[0], buttons(seen.card)) == (DECIDED.title, ["Revoke…", "Review page"])


def test_a_line_is_told_in_the_thread_as_plain_words(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    channel.reply(ref, (BY_MAYA, " rejected ", Strong("churn"), ": <at>all</at> see https://evil.example"), CARD)
    (told,) = teams.workspace.replies(ref.channel)
    assert told.text.replace("\u2060", "") == "Maya Chen rejected churn: <at>all</at> see https://evil.example"
    assert "://" not in told.text
    assert "<at" not in told.text


def test_a_private_word_is_said_in_the_persons_own_chat(teams, channel):
    channel.tell(AT_MAYA, f"Sign in: {PAGES}/r?t=abc-1 and not https://evil.example/")
    (chat,) = teams.workspace.chats.values()
    (said,) = teams.workspace.messages(chat.id)
    assert chat.user == MAYA.key
    assert said.text == f"Sign in: {PAGES}/r?t=abc-1 and not https:\u2060//evil.example/"
    channel.tell(AT_MAYA, "Again")
    assert len(teams.workspace.messages(chat.id)) == 2


def test_a_person_without_the_app_cannot_be_told(teams, channel):
    teams.workspace.alter_team(CHANNEL, members=frozenset({OMAR.key}))
    with pytest.raises(Permanent, match="ForbiddenOperationException"):
        channel.tell(AT_MAYA, "Hello")


def test_a_person_who_blocks_the_bot_cannot_be_told(teams, channel):
    channel.tell(AT_MAYA, "Hello")
    (chat,) = teams.workspace.chats.values()
    teams.workspace.chats[chat.id] = replace(chat, blocked=True)
    with pytest.raises(Refused, match="ConversationBlockedByUser"):
        channel.tell(AT_MAYA, "Hello")


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"installed": False}, "BotNotInConversationRoster"), ({"archived": True}, "NotEnoughPermissions")],
)
def test_a_team_that_will_never_take_a_card_refuses_it(teams, channel, changes, error):
    teams.workspace.alter_team(CHANNEL, **changes)
    with pytest.raises(Permanent, match=error) as refused:
        channel.post(CHANNEL, CARD)
    assert isinstance(refused.value, Refused)
    assert refused.value.error == error


def test_what_an_administrator_has_to_do_is_in_the_log(teams, channel, caplog):
    teams.workspace.alter_team(CHANNEL, installed=False)
    with pytest.raises(Permanent):
        channel.post(CHANNEL, CARD)
    assert "add the app to the team that the channel is in" in caplog.text
    with pytest.raises(Permanent, match="ConversationNotFound"):
        channel.post("19:nowhere@thread.tacv2", CARD)
    assert "notify.teams" in caplog.text


def test_a_message_that_is_gone_cannot_be_updated(channel):
    ref = channel.post(CHANNEL, CARD)
    with pytest.raises(Permanent):
        channel.update(replace(ref, ts="1"), DECIDED)


def test_ids_are_quoted_in_addresses(teams, channel):
    teams.workspace.add_channel(Channel("19:a/b c%2F@thread.tacv2", "Odd", CHANNEL))
    ref = channel.post("19:a/b c%2F@thread.tacv2", CARD)
    channel.reply(ref, ("x",), CARD)
    channel.update(ref, DECIDED)
    assert [each.status for each in teams.calls] == [201, 201, 200]


# ------------------------------------------------------------------------------------------------------- the client


def test_connections_are_kept(teams, channel):
    before = teams.connections
    ref = channel.post(CHANNEL, CARD)
    for _ in range(3):
        channel.reply(ref, ("x",), CARD)
    assert teams.connections - before == 1


def test_when_it_is_asked_to_wait_it_waits(teams, channel, slept):
    teams.faults.add("createConversation", status=429, retry_after=3)
    channel.post(CHANNEL, CARD)
    assert (slept, methods(teams)) == ([3.0], ["createConversation"] * 2)


def test_it_does_not_wait_longer_than_its_patience(teams, channel, slept):
    teams.faults.add("createConversation", status=429, retry_after=11)
    with pytest.raises(Unavailable, match="asks to wait 11 s before post"):
        channel.post(CHANNEL, CARD)
    teams.faults.add("createConversation", status=429, retry_after=6, times=2)
    with pytest.raises(Unavailable):
        channel.post(CHANNEL, CARD)
    assert slept == [6.0]


def test_three_tries_are_enough(teams, channel, slept):
    teams.faults.add("createConversation", status=429, retry_after=1, times=None)
    with pytest.raises(Unavailable):
        channel.post(CHANNEL, CARD)
    assert len(methods(teams)) == 3


@pytest.mark.parametrize("status", [412, 500, 502, 503, 504, 302, 307])
@pytest.mark.parametrize("call", ["post", "update"])
def test_what_may_pass_is_left_to_the_next_delivery_and_never_sent_twice(teams, channel, status, call):
    ref = channel.post(CHANNEL, CARD)
    teams.calls.clear()
    teams.faults.add("*", status=status, times=None)
    with pytest.raises(Unavailable, match=f"HTTP {status}"):
        channel.post(CHANNEL, CARD) if call == "post" else channel.update(ref, DECIDED)
    assert len(teams.calls) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413])
def test_what_will_never_pass_is_refused(teams, channel, status):
    teams.faults.add("createConversation", status=status)
    with pytest.raises(Permanent):
        channel.post(CHANNEL, CARD)
    assert len(teams.calls) == 1


def test_a_token_that_is_refused_is_renewed_once(teams, channel, keyring):
    teams.faults.add("createConversation", status=401)
    channel.post(CHANNEL, CARD)
    assert (keyring.renewals, methods(teams)) == (1, ["createConversation"] * 2)
    teams.faults.add("createConversation", status=401, times=None)
    with pytest.raises(Unavailable, match="HTTP 401"):
        channel.post(CHANNEL, CARD)
    assert keyring.renewals == 2


def test_a_bot_that_is_not_registered_is_told_what_to_do(teams, channel, keyring, caplog):
    keyring.token = "of somebody else"
    keyring.renewed = lambda _refused: "of somebody else"
    teams.faults.add("createConversation", status=401, times=2)
    with pytest.raises(Unavailable):
        channel.post(CHANNEL, CARD)
    assert "create the Azure Bot for this app id" in caplog.text


def test_a_token_that_is_not_to_be_had_sends_nothing(teams, channel, keyring):
    def broken():
        raise Unavailable("Entra did not answer")

    keyring.current = broken
    with pytest.raises(Unavailable, match="Entra did not answer"):
        channel.post(CHANNEL, CARD)
    assert teams.calls == []


def test_a_post_that_was_perhaps_seen_is_not_repeated(teams, channel):
    teams.faults.add("createConversation", status="reset", after=True)
    with pytest.raises(Unavailable, match="did not answer post"):
        channel.post(CHANNEL, CARD)
    assert methods(teams) == ["createConversation"]
    assert len(teams.workspace.messages(CHANNEL)) >= 1


def test_an_update_over_a_broken_connection_is_repeated(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    teams.faults.add("updateActivity", status="reset")
    channel.update(ref, DECIDED)
    assert words_of(teams.workspace.message(ref.channel, ref.ts).card)[0] == DECIDED.title


def test_a_look_over_a_broken_connection_is_repeated(teams):
    teams.faults.add("pagedMembers", status="reset")
    connector_to(teams).visit(CHANNEL)
    assert methods(teams) == ["pagedMembers"] * 2


def test_an_answer_that_does_not_come_is_not_waited_for(teams):
    slow = connector_to(teams, timeout=0.3)
    teams.faults.add("createConversation", status=None, stall=5)
    with pytest.raises(Unavailable, match="ReadTimeoutError"):
        slow.post_root(CHANNEL, WORDS)


def test_a_port_that_nobody_serves_is_unavailable(teams):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{taken.getsockname()[1]}/teams/"
        with pytest.raises(Unavailable, match="NewConnectionError"):
            connector_to(teams, url=url).post_root(CHANNEL, WORDS)


def test_a_server_that_proves_nothing_gets_no_token(teams, tmp_path):
    began = time.monotonic()
    with pytest.raises(Unavailable, match="SSLError"):
        connector_to(teams, ca_bundle=str(own_ca(tmp_path))).post_root(CHANNEL, WORDS)
    assert [each for each in teams.calls if each.started >= began] == [], "others may be late"


def own_ca(folder):
    """The certificate of another authority."""
    with open_teams() as other:
        copy = folder / "ca.pem"
        copy.write_bytes(Path(other.ca_bundle).read_bytes())
        return copy


def test_no_variable_of_the_environment_leads_it_elsewhere(teams, channel, monkeypatch, tmp_path):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "none.pem"))
    channel.post(CHANNEL, CARD)
    assert methods(teams) == ["createConversation"]


def test_a_proxy_is_used_when_one_is_named(teams):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        heard = []

        def listen():
            connection, _ = proxy.accept()
            with connection:
                heard.append(connection.recv(65536).split(b"\r\n")[0])

        thread = threading.Thread(target=listen)
        thread.start()
        pool = open_pool(ca_bundle=teams.ca_bundle, proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}")
        services = Services(["smba.trafficmanager.net"])
        through = Connector(
            pool, Keyring(), app_id=APP, tenant=TENANT, service=lambda: "https://smba.trafficmanager.net/teams/",
            services=services, timeout=2,
        )  # fmt: skip
        with pytest.raises(Unavailable):
            through.post_root(CHANNEL, WORDS)
        thread.join(5)
    assert [line.rpartition(b" ")[0] for line in heard] == [b"CONNECT smba.trafficmanager.net:443"]


def test_a_redirect_is_not_followed(teams, channel, keyring):
    teams.faults.add("createConversation", status=307)
    with pytest.raises(Unavailable, match="HTTP 307"):
        channel.post(CHANNEL, CARD)
    assert keyring.renewals == 0


@pytest.mark.parametrize("body", ["{}", "[]", "no JSON", '{"id": "", "activityId": "1"}', '{"id": 7}', "[" * 99_999])
def test_a_conversation_without_an_id_is_unavailable(teams, connector, body):
    teams.faults.add("createConversation", status=None, error=body, times=2)
    with pytest.raises(Unavailable, match="gave no id"):
        connector.post_root(CHANNEL, WORDS)
    with pytest.raises(Unavailable, match="gave no id"):
        connector.private(MAYA.mri, WORDS)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"error": {"code": "BadArgument", "message": "a\nb"}}, r"BadArgument \(a b\)"),
        ({"errorCode": 209, "message": "MessageWritesBlocked"}, r"209 \(MessageWritesBlocked\)"),
        ({"error": "BotNotInConversationRoster"}, "BotNotInConversationRoster"),
        ({"message": "Authorization has been denied."}, r"HTTP 403 \(Authorization has been denied.\)"),
        (["x"], "HTTP 403"),
        ({}, "HTTP 403"),
    ],
)
def test_an_error_is_told_in_whatever_shape_it_comes(body, says):
    from bot.teams.connector import _understood  # noqa: PLC0415

    answer = HTTPResponse(json.dumps(body).encode(), status=403)
    with pytest.raises(Permanent, match=f"^Teams refused post: {says}\\.$"):
        _understood("post", answer)


def test_a_message_goes_out_in_few_bytes(teams):
    from bot.teams.connector import _encoded  # noqa: PLC0415

    assert _encoded({"text": "é🧵\ud800"}) == '{"text":"é🧵?"}'.encode()
    assert TOKEN not in str(teams.calls)


def test_a_reference_is_what_a_press_names():
    assert MessageRef("19:x;messageid=1", "1") == MessageRef("19:x;messageid=1", "1")


def test_a_reminder_mentions_people_by_their_object_ids(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    people = [Contact(Person(MAYA.oid, "Maya <b>Chen</b>")), Contact(Person(OMAR.oid, "Maya <b>Chen</b>"))]
    channel.remind(ref, ("churn-xgb v12 still waits for ", Strong("test"), "."), CARD, people)
    (told,) = teams.workspace.replies(ref.channel)
    entities = told.card["msteams"]["entities"]
    assert [each["mentioned"]["id"] for each in entities] == [MAYA.oid, OMAR.oid]
    assert [each["text"] for each in entities] == words_of(told.card)[0].split(", "), "two of one name are two"
    assert "churn-xgb v12 still waits for test." in "".join(words_of(told.card)).replace("\u200b", "")
    assert teams.workspace.warnings == []


def test_a_reminder_addresses_ten_people_and_counts_the_others(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    people = [
        Contact(Person(f"00000000-0000-4000-8000-0000000000{n:02d}", f"Person {n} {'x' * 300}")) for n in range(30)
    ]
    channel.remind(ref, ("waits",), CARD, people)
    (told,) = teams.workspace.replies(ref.channel)
    assert len(told.card["msteams"]["entities"]) == 10
    assert words_of(told.card)[0].endswith(" and 20 more")


def test_a_reminder_for_nobody_is_plain_words(teams, channel):
    ref = channel.post(CHANNEL, CARD)
    channel.remind(ref, ("nobody may answer",), CARD, ())
    assert [each.text for each in teams.workspace.replies(ref.channel)] == ["nobody may answer"]
