"""The stand-in of the Bot Connector refuses what Microsoft's refuses, by its names, and counts what a test counts."""

import json
import ssl
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
import urllib3

from infra.local.entra import Entra
from infra.local.entra_login import Login
from infra.local.entra_people import DANA, ELI, GUS, MAYA, OMAR, invent_people
from infra.local.teams import AUDIENCE, Channel, NotThere, Team, Teams, TeamsError, User
from infra.local.teams_limits import RateLimits

APP, TENANT = "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000001"
ELSEWHERE = "00000000-0000-4000-8000-00000000eeee"
TEAM, CHANNEL, PRIVATE = "19:models@thread.tacv2", "19:models-dev@thread.tacv2", "19:models-board@thread.tacv2"
CARD = {"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "text": "Approve?"}]}


def attached(card):
    return [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}]


def sized(letters):
    return {**CARD, "body": [{"type": "TextBlock", "text": "x" * letters}]}


class Bot:
    """What a bot asks of the Connector, nothing retried, on one connection."""

    def __init__(self, teams, login):
        self.teams, self.login = teams, login
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = teams.ca_bundle
        self.base = teams.service_url

    def token(self, audience=AUDIENCE, **claims):
        own = {"azp": APP, "roles": []}
        return self.login.sign(self.login.usual_claims(audience) | own | claims)

    def call(self, method, path, *, token=None, **request):
        bearer = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        headers = bearer | request.pop("headers", {})
        return self.session.request(method, f"{self.base}v3/{path}", headers=headers, timeout=5, **request)

    def create(self, place=CHANNEL, *, token=None, **changes):
        body = {
            "isGroup": True,
            "tenantId": TENANT,
            "bot": {"id": f"28:{APP}"},
            "channelData": {"channel": {"id": place}, "tenant": {"id": TENANT}},
            "activity": {"type": "message", "attachments": attached(CARD)},
        }
        body = {name: value for name, value in (body | changes).items() if value is not None}
        return self.call("POST", "conversations", json=body, token=token)

    def root(self, place=CHANNEL):
        body = self.create(place).json()
        return body["id"], body["activityId"]

    def chat(self, who, **changes):
        member = {"id": self.teams.workspace.person(who).mri}
        usual = {"isGroup": False, "members": [member], "activity": None, "channelData": {"tenant": {"id": TENANT}}}
        return self.create(**usual | changes)

    def send(self, conversation, to="", **activity):
        path = f"conversations/{quote(conversation, safe='')}/activities"
        return self.call("POST", f"{path}/{quote(to, safe='')}" if to else path, json={"type": "message", **activity})

    def update(self, conversation, activity_id, **activity):
        path = f"conversations/{quote(conversation, safe='')}/activities/{activity_id}"
        return self.call("PUT", path, json={"type": "message", **activity})

    def page(self, conversation, **query):
        path = f"conversations/{quote(conversation, safe='')}/pagedmembers"
        return self.call("GET", path, params=query)


def refusal(response):
    error = response.json()["error"]
    return response.status_code, error["code"]


@pytest.fixture
def login():
    return Login("https://login.example.com", TENANT)


@pytest.fixture
def teams(login):
    with Teams(APP, TENANT, login.verify) as teams:
        teams.workspace.add_people(invent_people())
        teams.workspace.add_team(Team(TEAM, "Models", frozenset({MAYA, OMAR, GUS}), installed=True))
        teams.workspace.add_channel(Channel(CHANNEL, "models-dev", TEAM))
        teams.workspace.add_channel(Channel(PRIVATE, "models-board", TEAM, members=frozenset({MAYA}), has_bot=False))
        yield teams


@pytest.fixture
def bot(teams, login):
    bot = Bot(teams, login)
    with bot.session:
        yield bot


# who may ask


def test_a_token_of_the_local_entra_opens_the_connector():
    with Entra() as entra:
        entra.login.audiences.add(AUDIENCE)
        form = {
            "client_id": entra.client_id,
            "client_secret": entra.client_secret,
            "grant_type": "client_credentials",
            "scope": f"{AUDIENCE}/.default",
        }
        with Teams(entra.client_id, entra.tenant, entra.login.verify) as teams, requests.Session() as session:
            session.trust_env = False
            teams.workspace.add_team(Team(TEAM, "Models", installed=True))
            bundle = Path(entra.ca_bundle).with_name("both.pem")
            bundle.write_bytes(Path(entra.ca_bundle).read_bytes() + Path(teams.ca_bundle).read_bytes())
            session.verify = str(bundle)
            token = session.post(entra.login.token_endpoint, data=form, timeout=5).json()["access_token"]
            bot = Bot(teams, entra.login)
            bot.session = session
            assert bot.create(TEAM, token=token).status_code == 201


@pytest.mark.parametrize(
    "token",
    [lambda _: "", lambda _: "local", lambda bot: bot.token("https://graph.example"), lambda bot: bot.token(exp=1)],
    ids=["none", "none of Entra's", "for Graph", "expired"],
)
def test_without_a_good_token_nothing_is_done(teams, bot, token):
    answer = bot.create(token=token(bot))
    assert (answer.status_code, answer.json()) == (
        401,
        {"message": "Authorization has been denied for this request."},
    )
    assert not teams.workspace.messages(CHANNEL)


def test_a_token_needs_the_word_bearer_before_it(bot):
    assert bot.call("POST", "conversations", headers={"Authorization": f"Basic {bot.token()}"}).status_code == 401


@pytest.mark.parametrize("claims", [{"azp": ELSEWHERE}, {"tid": ELSEWHERE}])
def test_a_token_of_another_app_or_tenant_belongs_to_no_bot_here(bot, claims):
    assert refusal(bot.create(token=bot.token(**claims))) == (401, "BotNotRegistered")


def test_a_client_that_trusts_another_ca_does_not_get_through(teams):
    with urllib3.PoolManager(ssl_context=ssl.create_default_context(), retries=False) as pool:  # noqa: SIM117
        with pytest.raises(urllib3.exceptions.SSLError):
            pool.request("GET", teams.keys_url)


# threads in channels


def test_a_root_message_begins_a_thread_and_both_ids_come_back(teams, bot):
    answer = bot.create()
    (message,) = teams.workspace.messages(CHANNEL)
    assert answer.status_code == 201
    assert answer.json() == {"id": f"{CHANNEL};messageid={message.id}", "activityId": message.id}
    assert (message.sender, message.card, message.root) == (f"28:{APP}", CARD, "")
    assert message.conversation == answer.json()["id"]


def test_replies_stand_in_the_thread_however_they_name_it(teams, bot):
    conversation, root = bot.root()
    first = bot.send(conversation, text="one").json()["id"]
    second = bot.send(CHANNEL, root, text="two").json()["id"]
    bot.send(conversation, second, text="three")
    assert [each.text for each in teams.workspace.replies(conversation)] == ["one", "two", "three"]
    assert [each.text for each in teams.workspace.replies(CHANNEL, root)] == ["one", "two", "three"]
    assert {each.conversation for each in teams.workspace.replies(conversation)} == {conversation}
    assert [each.id for each in teams.workspace.messages(CHANNEL)] == [root]
    assert int(root) < int(first) < int(second)


def test_a_message_sent_to_a_channel_itself_begins_a_thread(teams, bot):
    bot.root()
    answer = bot.send(CHANNEL, text="news")
    assert answer.status_code == 201
    assert teams.workspace.messages(CHANNEL)[-1].id == answer.json()["id"]


def test_an_update_replaces_a_message_for_everybody_and_keeps_its_versions(teams, bot):
    conversation, root = bot.root()
    answer = bot.update(conversation, root, attachments=attached(sized(3)), summary="decided")
    assert (answer.status_code, answer.json()) == (200, {"id": root})
    old, new = teams.workspace.versions(conversation, root)
    assert (old.card, new.card, new.summary, new.edited) == (CARD, sized(3), "decided", True)
    reply = bot.send(conversation, text="x").json()["id"]
    assert bot.update(conversation, reply, text="y").status_code == 200
    assert teams.workspace.message(conversation, reply).text == "y"


def test_a_bot_may_change_its_own_messages_only(teams, bot):
    theirs = teams.workspace.say(MAYA, CHANNEL, "nice")
    assert refusal(bot.update(theirs.conversation, theirs.id, text="x")) == (403, "NotEnoughPermissions")
    assert teams.workspace.message(CHANNEL, theirs.id).text == "nice"


def test_what_is_not_there_is_not_found(bot):
    conversation, root = bot.root()
    other, _ = bot.root()
    reply = bot.send(conversation, text="x").json()["id"]
    gone = (404, "ActivityNotFoundInConversation")
    assert refusal(bot.update(conversation, "17", text="x")) == gone
    assert refusal(bot.send(conversation, "17", text="x")) == gone
    assert refusal(bot.update(other, reply, text="x")) == gone
    missing = (404, "ConversationNotFound")
    assert refusal(bot.create("19:nowhere@thread.tacv2")) == missing
    assert refusal(bot.send("19:nowhere@thread.tacv2", text="x")) == missing
    assert refusal(bot.send(f"{CHANNEL};messageid=17", text="x")) == missing
    assert refusal(bot.send(f"{CHANNEL};messageid={reply}", text="x")) == missing
    assert refusal(bot.send("a:nobody", root, text="x")) == missing


def test_an_app_that_is_not_in_the_team_or_the_channel_is_not_in_the_roster(teams, bot):
    conversation, root = bot.root()
    outside = (403, "BotNotInConversationRoster")
    assert refusal(bot.create(PRIVATE)) == outside
    teams.workspace.alter_team(TEAM, installed=False)
    assert refusal(bot.create()) == outside
    assert refusal(bot.send(conversation, text="x")) == outside
    assert refusal(bot.update(conversation, root, text="x")) == outside
    assert refusal(bot.page(CHANNEL)) == outside


def test_nothing_is_written_in_an_archived_team_and_nothing_found_in_a_deleted_channel(teams, bot):
    conversation, root = bot.root()
    teams.workspace.alter_team(TEAM, archived=True)
    for answer in (bot.create(), bot.send(conversation, text="x"), bot.update(conversation, root, text="x")):
        assert refusal(answer) == (403, "NotEnoughPermissions")
    assert bot.page(CHANNEL).status_code == 200
    teams.workspace.alter_team(TEAM, archived=False)
    teams.workspace.alter_channel(CHANNEL, deleted=True)
    for answer in (bot.create(), bot.send(conversation, text="x"), bot.update(conversation, root, text="x")):
        assert refusal(answer) == (404, "ConversationNotFound")
    with pytest.raises(NotThere):
        teams.workspace.sees(MAYA, conversation, root)
    assert not teams.workspace.seen_by(MAYA)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"tenantId": ELSEWHERE}, (403, "BotNotInConversationRoster")),
        (
            {"channelData": {"channel": {"id": CHANNEL}, "tenant": {"id": ELSEWHERE}}},
            (403, "BotNotInConversationRoster"),
        ),
        ({"tenantId": None, "channelData": {"channel": {"id": CHANNEL}}}, (400, "BadArgument")),
        ({"bot": {"id": f"28:{ELSEWHERE}"}}, (400, "BadArgument")),
        ({"channelData": {"tenant": {"id": TENANT}}}, (400, "BadArgument")),
        ({"members": [{"id": "29:1x"}]}, (400, "BadArgument")),
        ({"channelData": None}, (400, "BadSyntax")),
        ({"channelData": {"channel": {"id": CHANNEL}, "tenant": TENANT}}, (400, "BadSyntax")),
        ({"activity": None}, (400, "BadSyntax")),
        ({"activity": {"type": "message"}}, (400, "BadSyntax")),
        ({"colour": "red"}, (400, "BadSyntax")),
    ],
)
def test_a_request_for_a_thread_that_is_wrong_is_refused(teams, bot, changes, error):
    assert refusal(bot.create(**changes)) == error
    assert not teams.workspace.messages(CHANNEL)


def test_one_name_for_the_tenant_is_enough_and_the_bot_need_not_be_named(bot):
    assert bot.create(tenantId=None, bot=None).status_code == 201


# chats with one person


def test_a_chat_is_begun_once_with_a_member_of_a_team_that_has_the_app(teams, bot):
    answer = bot.chat(MAYA)
    assert answer.status_code == 201
    assert bot.chat(MAYA).json() == answer.json()
    assert answer.json()["id"].startswith("a:1")
    said = bot.send(answer.json()["id"], text="for you").json()["id"]
    bot.send(answer.json()["id"], said, text="too")
    assert [each.text for each in teams.workspace.private(MAYA)] == ["for you", "too"]
    assert teams.workspace.messages(answer.json()["id"]) == teams.workspace.private(MAYA)
    assert [each.conversation for each in teams.workspace.private(MAYA)] == [answer.json()["id"]] * 2
    assert not teams.workspace.private(OMAR)


def test_a_chat_is_refused_with_who_has_nothing_to_do_with_the_app(teams, bot):
    assert refusal(bot.chat(DANA)) == (403, "ForbiddenOperationException")
    teams.workspace.open_chat(DANA, installed=True)
    assert bot.chat(DANA).status_code == 201


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"members": [{"id": MAYA}]}, "BadSyntax"),
        ({"members": []}, "BadArgument"),
        ({"members": [{"id": "29:1x"}, {"id": "29:1y"}]}, "BadSyntax"),
        ({"activity": {"type": "message", "text": "hi"}}, "BadArgument"),
    ],
)
def test_a_request_for_a_chat_that_is_wrong_is_refused(bot, changes, error):
    assert refusal(bot.chat(MAYA, **changes)) == (400, error)


def test_a_person_may_block_the_bot(teams, bot):
    chat = bot.chat(MAYA).json()["id"]
    said = bot.send(chat, text="hi").json()["id"]
    teams.workspace.open_chat(MAYA, blocked=True)
    assert refusal(bot.send(chat, text="hi")) == (403, "ConversationBlockedByUser")
    assert refusal(bot.update(chat, said, text="hi")) == (403, "ConversationBlockedByUser")


# what a message may be


@pytest.mark.parametrize(
    "activity",
    [
        {},
        {"text": "x", "attachments": attached(CARD)},
        {"attachments": attached(CARD) * 2},
        {"attachments": [{"contentType": "application/vnd.microsoft.card.hero", "content": {}}]},
        {"attachments": attached({**CARD, "version": "1.6"})},
        {"attachments": attached({**CARD, "body": [{"type": "Carpet"}]})},
        {"type": "typing"},
        {"txet": "x"},
    ],
)
def test_a_message_that_teams_would_not_show_is_refused_wherever_it_is_sent(teams, bot, activity):
    conversation, root = bot.root()
    bad = (400, "BadSyntax")
    assert refusal(bot.create(activity={"type": "message", **activity})) == bad
    assert refusal(bot.send(conversation, **activity)) == bad
    assert refusal(bot.update(conversation, root, **activity)) == bad
    assert len(teams.workspace.messages(CHANNEL)) == 1
    assert not teams.workspace.replies(conversation)
    assert not teams.workspace.message(conversation, root).edited


def test_text_and_card_together_are_refused_in_microsofts_words(bot):
    answer = bot.create(activity={"type": "message", "text": "x", "attachments": attached(CARD)})
    assert answer.json()["error"]["message"] == "Activity resulted into multiple skype activities"


def test_a_message_of_more_than_100_kb_in_utf_16_is_too_big(teams, bot):
    conversation, root = bot.root()
    assert bot.send(conversation, text="ä" * 51_000).status_code == 201  # six letters each on the wire, two bytes each
    assert refusal(bot.update(conversation, root, text="x" * 51_200)) == (413, "MessageSizeTooBig")
    assert refusal(bot.create(activity={"type": "message", "text": "x" * 51_200})) == (413, "MessageSizeTooBig")
    assert not teams.workspace.message(conversation, root).edited


def test_a_card_of_more_than_28_kb_is_taken_and_noted(teams, bot):
    bot.create(activity={"type": "message", "attachments": attached(sized(28_500))})
    assert not teams.workspace.warnings
    bot.create(activity={"type": "message", "attachments": attached(sized(28_672))})
    (warning,) = teams.workspace.warnings
    assert "over 28672" in warning


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ({"data": b"{}"}, (415, "UnsupportedMediaType")),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, (400, "BadSyntax")),
        ({"data": b"\xff", "headers": {"Content-Type": "application/json"}}, (400, "BadSyntax")),
        ({"json": []}, (400, "BadSyntax")),
    ],
)
def test_a_body_has_to_be_a_json_object(bot, request_, error):
    assert refusal(bot.call("POST", "conversations", **request_)) == error


# addresses


def test_ids_in_a_path_have_to_be_quoted(bot):
    conversation, root = bot.root()
    body = {"json": {"type": "message", "text": "x"}}
    assert refusal(bot.call("POST", f"conversations/{conversation}/activities", **body)) == (400, "BadArgument")
    assert refusal(bot.call("PUT", f"conversations/{CHANNEL}/activities/{root}", **body)) == (400, "BadArgument")


def test_the_addresses_known_beforehand_serve_as_well(teams, bot):
    for bot.base in (teams.first_url, f"{teams.url}/emea/"):
        assert bot.create().status_code == 201


@pytest.mark.parametrize("base", ["{}/emea//", "{}/", f"{{}}/emea/{ELSEWHERE}/", "{}/mars/"])
def test_another_address_serves_nothing(teams, bot, base):
    bot.base = base.format(teams.url)
    assert refusal(bot.create()) == (404, "ConversationNotFound")


def test_verbs_that_are_not_for_a_path_are_refused(bot):
    conversation, root = bot.root()
    path = f"conversations/{quote(conversation, safe='')}/activities/{root}"
    assert bot.call("DELETE", path).status_code == 405
    assert bot.call("GET", path).status_code == 405
    assert bot.call("PUT", "conversations", json={}).status_code == 405


# members


def test_members_come_with_their_ids_of_both_kinds_and_their_role(teams, bot):
    outsider = teams.workspace.add_user(User(ELSEWHERE, "Otto Outsider", tenant=ELSEWHERE))
    nobody = teams.workspace.add_user(User("", "Anonymous"))
    teams.workspace.alter_channel(CHANNEL, members=frozenset({MAYA, GUS, outsider.key, nobody.key}))
    found = {each["name"]: each for each in bot.page(CHANNEL).json()["members"]}
    maya = teams.workspace.person(MAYA)
    assert found["Maya Chen"] == {
        "id": maya.mri,
        "name": "Maya Chen",
        "givenName": "Maya",
        "surname": "Chen",
        "email": "maya.chen@example.com",
        "userPrincipalName": "maya.chen@example.com",
        "tenantId": TENANT,
        "userRole": "user",
        "objectId": MAYA,
        "aadObjectId": MAYA,
    }
    assert maya.mri.startswith("29:1")
    assert MAYA not in maya.mri
    assert found["Gus Guest"]["userRole"] == "guest"
    assert (found["Otto Outsider"]["tenantId"], found["Otto Outsider"]["userRole"]) == (ELSEWHERE, "user")
    assert (found["Anonymous"]["userRole"], "aadObjectId" in found["Anonymous"]) == ("anonymous", False)


def test_a_team_a_thread_and_a_chat_have_members_too(bot):
    conversation, _ = bot.root()
    names = [{each["name"] for each in bot.page(place).json()["members"]} for place in (TEAM, conversation)]
    assert names == [{"Maya Chen", "Omar Haddad", "Gus Guest"}] * 2
    chat = bot.chat(MAYA).json()["id"]
    assert [each["name"] for each in bot.page(chat).json()["members"]] == ["Maya Chen"]
    assert refusal(bot.page("19:nowhere@thread.tacv2")) == (404, "ConversationNotFound")


def test_one_member_is_found_by_either_id(teams, bot):
    path = f"conversations/{quote(CHANNEL, safe='')}/members"
    for who in (MAYA, quote(teams.workspace.person(MAYA).mri, safe="")):
        assert bot.call("GET", f"{path}/{who}").json()["name"] == "Maya Chen"
    for who in (ELI, ELSEWHERE):
        assert refusal(bot.call("GET", f"{path}/{who}")) == (404, "MemberNotFoundInConversation")


def test_a_long_roster_comes_in_pages_of_at_least_fifty(teams, bot):
    many = [teams.workspace.add_user(User(f"{number:036}", f"Person {number:03}")) for number in range(70)]
    teams.workspace.alter_channel(CHANNEL, members=frozenset(each.key for each in many))
    first = bot.page(CHANNEL, pageSize=2).json()
    assert (len(first["members"]), first["continuationToken"]) == (50, "50")
    rest = bot.page(CHANNEL, pageSize=2, continuationToken=first["continuationToken"]).json()
    assert (len(rest["members"]), "continuationToken" in rest) == (20, False)
    assert len(bot.page(CHANNEL).json()["members"]) == 70
    assert refusal(bot.page(CHANNEL, pageSize="two")) == (400, "BadArgument")


# limits, faults, counting


def test_too_many_messages_are_throttled_until_the_window_has_passed(teams, bot):
    now = time.time()
    teams.workspace.clock = lambda: now
    answers = [bot.create() for _ in range(8)]
    assert [each.status_code for each in answers] == [201] * 7 + [429]
    assert len(teams.workspace.messages(CHANNEL)) == 7
    assert (refusal(answers[-1]), answers[-1].headers["Retry-After"]) == ((429, "Throttled"), "1")
    assert bot.create(TEAM).status_code == 201
    assert bot.send(CHANNEL, text="x").status_code == 201
    teams.workspace.clock = lambda: now + 1
    assert bot.create().status_code == 201
    assert bot.create().headers["Retry-After"] == "1"
    teams.limits.on = False
    assert bot.create().status_code == 201


def test_messages_and_rosters_have_limits_of_their_own(teams, bot):
    now = time.time()
    teams.workspace.clock = lambda: now
    conversation, root = bot.root()
    sent = [bot.send(conversation, text="x").status_code for _ in range(7)]
    assert (sent, bot.update(conversation, root, text="x").status_code) == ([201] * 7, 429)
    assert [bot.page(CHANNEL).status_code for _ in range(15)] == [200] * 14 + [429]
    assert bot.create().status_code == 201


def test_every_window_of_the_limits_counts_and_what_was_refused_does_not():
    now = [1_000.0]
    limits = RateLimits(lambda: now[0])
    limits.windows["send"] = ((1, 2), (30, 3))
    assert [limits.wait("send", "a") for _ in range(3)] == [0, 0, 1]
    now[0] += 1
    assert [limits.wait("send", "a") for _ in range(2)] == [0, 29]
    assert limits.wait("send", "b") == 0
    now[0] += 29
    assert [limits.wait("send", "a") for _ in range(3)] == [0, 0, 1]
    limits.per_app = ((1, 3),)
    assert [limits.wait("send", "c"), limits.wait("send", "d")] == [0, 1]


@pytest.mark.parametrize(
    ("status", "code"), [(412, "PreconditionFailed"), (502, "ServiceError"), (503, "ServiceUnavailable")]
)
def test_faults_look_like_the_connectors_own(teams, bot, status, code):
    teams.faults.add("createConversation", status=status)
    assert refusal(bot.create()) == (status, code)
    assert not teams.workspace.messages(CHANNEL)
    assert bot.create().status_code == 201


def test_a_fault_may_come_after_the_message_is_there(teams, bot):
    conversation, _ = bot.root()
    teams.faults.add("sendToConversation", status="reset", after=True)
    with pytest.raises(requests.ConnectionError):
        bot.send(conversation, text="x")
    assert [each.text for each in teams.workspace.replies(conversation)] == ["x"]
    teams.faults.add("updateActivity", status=429, retry_after=7)
    assert bot.update(conversation, "1", text="x").headers["Retry-After"] == "7"


def test_calls_are_counted_by_route_and_connections_are_kept(teams, bot):
    conversation, root = bot.root()
    bot.send(conversation, text="x")
    bot.send(conversation, root, text="x")
    bot.update(conversation, root, text="x")
    bot.page(CHANNEL)
    bot.session.get(teams.keys_url, timeout=5)
    assert [(call.service, call.method, call.status) for call in teams.calls] == [
        ("teams", "createConversation", 201),
        ("teams", "sendToConversation", 201),
        ("teams", "replyToActivity", 201),
        ("teams", "updateActivity", 200),
        ("teams", "pagedMembers", 200),
        ("botframework", "keys", 200),
    ]
    assert teams.connections == 1


# reading back


def test_waiting_ends_with_what_was_waited_for_or_in_time(teams, bot):
    bot.root()
    assert teams.workspace.until(lambda: teams.workspace.messages(CHANNEL))[0].card == CARD
    with pytest.raises(TimeoutError):
        teams.workspace.until(lambda: teams.workspace.messages(TEAM), timeout=0.01)


def test_every_change_is_numbered(teams, bot):
    before = teams.workspace.seq
    bot.root()
    assert teams.workspace.seq == before + 1


def test_what_is_read_back_stays_as_it_was_read(teams, bot):
    conversation, root = bot.root()
    before = teams.workspace.message(conversation, root)
    bot.update(conversation, root, text="x")
    assert (before.card, before.edited) == (CARD, False)
    assert teams.workspace.message(conversation, root) == replace(before, text="x", card=None, edited=True)
    with pytest.raises(TeamsError):
        teams.workspace.message(conversation, "17")


def test_the_sizes_in_these_tests_are_what_they_say():
    assert len(json.dumps(sized(28_672), separators=(",", ":"))) > 28 * 1_024 > len(json.dumps(sized(28_500)))
