"""People in the stand-in of Teams, against a bot that verifies every token as Microsoft asks for."""

import json
import threading
from urllib.parse import quote

import jwt
import pytest
import requests
from jwt.algorithms import RSAAlgorithm
from jwt.types import Options

from infra.local.entra_login import Login
from infra.local.entra_people import DANA, ELI, GUS, LENA, MAYA, OMAR, invent_people
from infra.local.slack_http import Answer, Server, Service
from infra.local.teams import AUDIENCE, Channel, Forged, Message, NotThere, Team, Teams, User

APP, TENANT = "00000000-0000-4000-8000-000000000002", "00000000-0000-4000-8000-000000000001"
ELSEWHERE = "00000000-0000-4000-8000-00000000eeee"
TEAM, CHANNEL = "19:models@thread.tacv2", "19:models-dev@thread.tacv2"
BOT = {"id": f"28:{APP}", "name": "Model Approvals"}
ADAPTIVE = "application/vnd.microsoft.card.adaptive"
REASON = {
    "type": "Input.Text",
    "id": "reason",
    "label": "Why?",
    "isRequired": True,
    "errorMessage": "Give a reason",
    "maxLength": 20,
}


def execute(title, verb, **data):
    return {"type": "Action.Execute", "title": title, "verb": verb, "data": {"id": "churn/7/uat/1", **data}}


def drawn(text="Approve?", *, actions=(), **changes):
    body = [{"type": "TextBlock", "text": text}]
    return {"type": "AdaptiveCard", "version": "1.5", "body": body, "actions": list(actions), **changes}


def words(message):
    return message.card["body"][0]["text"] if message.card else message.text


REJECT = {
    "type": "Action.ShowCard",
    "title": "Reject…",
    "card": {"type": "AdaptiveCard", "body": [REASON], "actions": [execute("Reject version", "reject")]},
}
OPEN = {"type": "Action.OpenUrl", "title": "Open", "url": "https://example.com/registry"}
VIEW = {"action": {"type": "Action.Execute", "verb": "view", "data": {"id": "churn/7/uat/1"}}}
CARD = drawn(actions=[execute("Approve", "approve"), REJECT, OPEN, {**execute("Grey", "grey"), "isEnabled": False}])


NEEDED = Options(require=["exp", "nbf", "iss", "aud", "serviceurl"])


class Bot:
    """A tiny approval bot, served over HTTP, that notes what it let through."""

    def __init__(self, teams, login):
        self.teams, self.login = teams, login
        self.activities = []
        self.headers = {}
        self.answer = {"statusCode": 200, "type": ADAPTIVE, "value": drawn("being recorded")}
        self.status = 200
        self.before_answer = lambda: None
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = teams.ca_bundle

    def serve(self, request):
        try:
            activity = self.verified(request)
        except (jwt.InvalidTokenError, KeyError, ValueError) as refused:
            return Answer(403, f"{type(refused).__name__}: {refused}".encode())
        self.headers = request.headers
        self.activities.append(activity)
        self.before_answer()
        invoked = activity["type"] == "invoke"
        return Answer(self.status, json.dumps(self.answer).encode() if invoked else b"")

    def verified(self, request):
        token = request.headers["authorization"].removeprefix("Bearer ")
        keys = {each["kid"]: each for each in self.session.get(self.teams.keys_url, timeout=5).json()["keys"]}
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(token, jwt.PyJWK(key), ["RS256"], NEEDED, audience=APP, issuer=self.teams.issuer)
        activity = json.loads(request.body)
        if activity["channelId"] not in key["endorsements"] or claims["serviceurl"] != activity["serviceUrl"]:
            raise ValueError("the token is not for this activity")
        return activity

    def ask(self, method, path, body):
        claims = self.login.usual_claims(AUDIENCE) | {"azp": APP, "roles": []}
        headers = {"Authorization": f"Bearer {self.login.sign(claims)}"}
        url = f"{self.teams.service_url}v3/conversations{path}"
        return self.session.request(method, url, json=body, headers=headers, timeout=5).json()

    def post(self, card=CARD, place=CHANNEL):
        channel = {"channel": {"id": place}, "tenant": {"id": TENANT}}
        message = {"type": "message", "attachments": [{"contentType": ADAPTIVE, "content": card}]}
        posted = self.ask("POST", "", {"isGroup": True, "channelData": channel, "activity": message})
        return posted["id"], posted["activityId"]

    def update(self, conversation, activity_id, card):
        path = f"/{quote(conversation, safe='')}/activities/{activity_id}"
        self.ask("PUT", path, {"type": "message", "attachments": [{"contentType": ADAPTIVE, "content": card}]})


@pytest.fixture(scope="module")
def door():
    bots: list[Bot] = []

    def serve(request):
        return bots[-1].serve(request)

    server = Server(Service("bot", lambda _: "messages", serve, lambda _: Answer(500)))
    server.start()
    yield bots, f"http://127.0.0.1:{server.port}/teams/messages"
    server.stop()


@pytest.fixture
def teams(door):
    login = Login("https://login.example.com", TENANT)
    with Teams(APP, TENANT, login.verify) as teams:
        bots, teams.request_url = door
        bots.append(Bot(teams, login))
        teams.workspace.add_people(invent_people())
        teams.workspace.add_team(Team(TEAM, "Models", frozenset({MAYA, OMAR, GUS, LENA}), installed=True))
        teams.workspace.add_channel(Channel(CHANNEL, "models-dev", TEAM))
        with bots[-1].session:
            yield teams


@pytest.fixture
def bot(teams, door):
    return door[0][-1]


@pytest.fixture
def card(bot):
    return bot.post()


def troubles(teams, who=MAYA):
    return [each.text for each in teams.workspace.toasts(who) if each.trouble]


# what is sent


def test_a_press_carries_what_teams_sends(teams, bot, card):
    conversation, root = card
    answer = teams.press(MAYA, conversation, root, "Approve")
    assert (answer.status, answer.error) == (200, "")
    (sent,) = bot.activities
    assert sent == answer.activity
    assert sent["id"].startswith("f:")
    assert sent["timestamp"] == sent["localTimestamp"]
    assert sent | {"id": "", "timestamp": "", "localTimestamp": ""} == {
        "type": "invoke",
        "name": "adaptiveCard/action",
        "id": "",
        "timestamp": "",
        "localTimestamp": "",
        "channelId": "msteams",
        "serviceUrl": teams.service_url,
        "from": {"id": teams.workspace.person(MAYA).mri, "name": "Maya Chen", "aadObjectId": MAYA},
        "conversation": {
            "isGroup": True,
            "conversationType": "channel",
            "tenantId": TENANT,
            "id": conversation,
        },
        "recipient": BOT,
        "entities": sent["entities"],
        "channelData": {
            "teamsChannelId": CHANNEL,
            "teamsTeamId": TEAM,
            "channel": {"id": CHANNEL},
            "team": {"id": TEAM, "name": "Models", "aadGroupId": teams.workspace.teams[TEAM].group},
            "tenant": {"id": TENANT},
            "source": {"name": "message"},
        },
        "locale": "en-GB",
        "replyToId": root,
        "value": {
            "action": {"type": "Action.Execute", "verb": "approve", "data": {"id": "churn/7/uat/1"}},
            "trigger": "manual",
        },
    }
    assert bot.headers["x-ms-conversation-id"] == conversation
    assert bot.headers["content-type"].startswith("application/json")


def test_what_is_filled_in_goes_with_the_data_of_the_button(teams, bot, card):
    assert not teams.press(MAYA, *card, "Reject version", {"reason": "drift"}).error
    assert bot.activities[0]["value"]["action"]["data"] == {"id": "churn/7/uat/1", "reason": "drift"}


def test_a_press_on_a_reply_names_the_reply_and_its_thread(teams, bot, card):
    conversation, _ = card
    below = teams.workspace.post(Message(CHANNEL, BOT["id"], card=CARD, root=card[1]))
    teams.press(MAYA, CHANNEL, below.id, "approve")
    assert (bot.activities[0]["replyToId"], bot.activities[0]["conversation"]["id"]) == (below.id, conversation)


def test_a_command_in_a_channel_names_the_bot_first(teams, bot):
    answer = teams.command(MAYA, CHANNEL, "model-status churn")
    (said,) = teams.workspace.messages(CHANNEL)
    (sent,) = bot.activities
    assert (answer.status, answer.error, said.text) == (200, "", "model-status churn")
    assert (sent["type"], sent["id"]) == ("message", said.id)
    assert sent["conversation"]["id"] == f"{CHANNEL};messageid={said.id}"
    assert sent["text"] == "<at>Model Approvals</at> model-status churn\n"
    assert sent["entities"][0] == {"type": "mention", "mentioned": BOT, "text": "<at>Model Approvals</at>"}
    assert sent["attachments"][0]["contentType"] == "text/html"


def test_a_command_may_stand_in_a_thread(teams, bot, card):
    teams.command(MAYA, CHANNEL, "model-status", thread=card[1])
    assert bot.activities[0]["conversation"]["id"] == card[0]
    assert [each.text for each in teams.workspace.replies(card[0])] == ["model-status"]


def test_a_command_in_the_chat_with_the_bot_needs_no_name(teams, bot):
    teams.command(DANA, "", "model-status")
    (sent,) = bot.activities
    assert (sent["text"], [each["type"] for each in sent["entities"]]) == ("model-status", ["clientInfo"])
    assert sent["conversation"] == {
        "conversationType": "personal",
        "tenantId": TENANT,
        "id": teams.workspace.open_chat(DANA).id,
    }
    assert sent["channelData"] == {"tenant": {"id": TENANT}, "source": {"name": "message"}}
    assert [each.text for each in teams.workspace.private(DANA)] == ["model-status"]


def test_what_is_said_without_naming_the_bot_does_not_reach_it(teams, bot):
    teams.workspace.say(MAYA, CHANNEL, "model-status")
    assert not bot.activities


def test_installing_tells_the_bot_twice_and_lets_it_speak(teams, bot):
    teams.workspace.alter_team(TEAM, installed=False)
    with pytest.raises(KeyError):
        bot.post()
    answers = teams.install(TEAM, by=OMAR)
    assert [each.status for each in answers] == [200, 200]
    installed, joined = bot.activities
    assert (installed["type"], installed["action"]) == ("installationUpdate", "add")
    assert (installed["from"]["aadObjectId"], installed["conversation"]["id"]) == (OMAR, TEAM)
    assert installed["serviceUrl"] == teams.service_url
    assert (joined["type"], joined["membersAdded"]) == ("conversationUpdate", [{"id": BOT["id"]}])
    assert joined["channelData"]["eventType"] == "teamMemberAdded"
    bot.post()


def test_removing_the_app_tells_the_bot_and_silences_it(teams, bot):
    teams.uninstall(TEAM)
    assert [(each["type"], each.get("action")) for each in bot.activities] == [
        ("installationUpdate", "remove"),
        ("conversationUpdate", None),
    ]
    assert bot.activities[1]["membersRemoved"] == [{"id": BOT["id"]}]
    with pytest.raises(KeyError):
        bot.post()


def test_one_person_may_add_the_app_for_themselves(teams, bot):
    teams.install_for(DANA)
    installed, joined = bot.activities
    assert installed["conversation"]["conversationType"] == "personal"
    assert "eventType" not in joined["channelData"]
    assert teams.workspace.open_chat(DANA).installed


def test_a_team_of_nobody_has_nobody_to_install_the_app(teams):
    teams.workspace.add_team(Team("19:empty@thread.tacv2", "Empty"))
    with pytest.raises(NotThere):
        teams.install("19:empty@thread.tacv2")


# who is who


def test_a_guest_is_told_by_the_directory_only(teams, bot, card):
    teams.press(GUS, *card, "Approve")
    assert bot.activities[0]["from"]["aadObjectId"] == GUS
    assert bot.activities[0]["conversation"]["tenantId"] == TENANT


@pytest.mark.parametrize(("tells", "tenant"), [(True, ELSEWHERE), (False, TENANT)])
def test_somebody_of_another_organisation_shows_it_or_does_not(teams, bot, card, tells, tenant):
    outsider = teams.workspace.add_user(User("00000000-0000-4000-8000-00000000ffff", "Otto", tenant=ELSEWHERE))
    teams.workspace.alter_channel(CHANNEL, members=frozenset({MAYA, outsider.key}))
    teams.workspace.tells_home_tenant = tells
    teams.press(outsider.key, *card, "Approve")
    (sent,) = bot.activities
    assert sent["from"]["aadObjectId"] == outsider.oid
    assert (sent["conversation"]["tenantId"], sent["channelData"]["tenant"]["id"]) == (tenant, tenant)


def test_somebody_anonymous_has_no_object_id(teams, bot, card):
    nobody = teams.workspace.add_user(User("", "Anonymous"))
    teams.workspace.alter_channel(CHANNEL, members=frozenset({nobody.key}))
    teams.press(nobody.key, *card, "Approve")
    assert bot.activities[0]["from"] == {"id": nobody.mri, "name": "Anonymous"}


def test_people_press_what_is_in_front_of_them_only(teams, bot, card):
    conversation, root = card
    for who, where, activity, name in [
        (ELI, conversation, root, "Approve"),
        (ELSEWHERE, conversation, root, "Approve"),
        (MAYA, conversation, "17", "Approve"),
        (MAYA, conversation, root, "Revoke"),
        (MAYA, conversation, root, "Grey"),
        (MAYA, f"{CHANNEL};messageid=17", root, "Approve"),
    ]:
        with pytest.raises(NotThere):
            teams.press(who, where, activity, name)
    with pytest.raises(NotThere):
        teams.press(MAYA, conversation, root, "Approve", {"raeson": "x"})
    with pytest.raises(NotThere):
        teams.command(ELI, CHANNEL, "model-status")
    with pytest.raises(NotThere):
        teams.refresh(MAYA, conversation, root)
    teams.workspace.alter_channel(CHANNEL, deleted=True)
    with pytest.raises(NotThere):
        teams.press(MAYA, conversation, root, "Approve")
    assert not bot.activities


def test_a_button_of_a_message_without_a_card_is_not_there(teams, bot):
    said = teams.workspace.say(MAYA, CHANNEL, "hello")
    with pytest.raises(NotThere):
        teams.press(MAYA, CHANNEL, said.id, "Approve")


# what the client does itself


def test_what_has_to_be_filled_in_is_asked_for_before_the_bot_hears_of_it(teams, bot, card):
    answer = teams.press(MAYA, *card, "Reject version")
    assert answer.errors == {"reason": "Give a reason"}
    assert teams.press(MAYA, *card, "Reject version", {"reason": "x" * 21}).errors
    assert not bot.activities
    assert not teams.workspace.toasts()


def test_a_client_of_somebodys_own_sends_what_teams_would_not(teams, bot, card):
    answer = teams.press(MAYA, *card, "Reject version", forged=Forged(unchecked=True))
    assert (answer.errors, bot.activities[0]["value"]["action"]["data"]["reason"]) == ({}, "")


def test_links_open_and_cards_unfold_without_asking_the_bot(teams, bot, card):
    assert teams.press(MAYA, *card, "Open").url == "https://example.com/registry"
    assert teams.press(MAYA, *card, "Reject…").status == 0
    assert not bot.activities


def test_a_client_that_missed_an_update_presses_an_earlier_button(teams, bot, card):
    bot.update(*card, drawn("decided"))
    with pytest.raises(NotThere):
        teams.press(MAYA, *card, "Approve")
    assert not teams.press(MAYA, *card, "Approve", stale=True).error


# what the answer does


def test_the_card_of_an_answer_is_seen_by_who_pressed_alone_until_an_update(teams, bot, card):
    teams.press(MAYA, *card, "Approve")
    assert words(teams.workspace.sees(MAYA, *card)) == "being recorded"
    assert words(teams.workspace.sees(OMAR, *card)) == "Approve?"
    assert words(teams.workspace.message(*card)) == "Approve?"
    with pytest.raises(NotThere):
        teams.press(MAYA, *card, "Approve")
    bot.update(*bot.post(), drawn("another"))
    assert words(teams.workspace.sees(MAYA, *card)) == "being recorded"
    bot.update(*card, drawn("decided"))
    assert {words(teams.workspace.sees(who, *card)) for who in (MAYA, OMAR)} == {"decided"}


def test_an_update_that_comes_before_the_answer_is_hidden_by_it(teams, bot, card):
    bot.before_answer = lambda: bot.update(*card, drawn("decided"))
    teams.press(MAYA, *card, "Approve")
    assert words(teams.workspace.sees(MAYA, *card)) == "being recorded"
    assert words(teams.workspace.sees(OMAR, *card)) == "decided"


def test_everything_in_front_of_a_person_is_read_in_its_order(teams, bot, card):
    teams.workspace.say(OMAR, CHANNEL, "hm", root=card[1])
    teams.workspace.say(OMAR, TEAM, "lunch?")
    teams.command(MAYA, "", "model-status")
    teams.press(MAYA, *card, "Approve")
    assert [words(each) for each in teams.workspace.seen_by(MAYA)] == ["being recorded", "hm", "lunch?", "model-status"]
    assert [words(each) for each in teams.workspace.seen_by(OMAR)] == ["Approve?", "hm", "lunch?"]
    assert not teams.workspace.seen_by(ELI)


def test_a_heavy_card_in_an_answer_is_taken_and_noted(teams, bot, card):
    bot.answer = {"statusCode": 200, "type": ADAPTIVE, "value": drawn("x" * 28_672)}
    assert not teams.press(MAYA, *card, "Approve").error
    assert len(teams.workspace.warnings) == 1


def test_a_message_in_an_answer_is_a_toast(teams, bot, card):
    bot.answer = {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": "not yours"}
    assert not teams.press(MAYA, *card, "Approve").error
    (toast,) = teams.workspace.toasts(MAYA)
    assert (toast.text, toast.trouble, toast.conversation, toast.activity) == ("not yours", False, *card)
    assert not teams.workspace.toasts(OMAR)
    assert words(teams.workspace.sees(MAYA, *card)) == "Approve?"


def test_an_error_in_an_answer_is_trouble(teams, bot, card):
    value = {"code": "BadRequest", "message": "no such request"}
    bot.answer = {"statusCode": 400, "type": "application/vnd.microsoft.error", "value": value}
    assert teams.press(MAYA, *card, "Approve").error == "no such request"
    assert troubles(teams) == ["no such request"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"statusCode": 200, "type": ADAPTIVE},
        {"statusCode": 200, "type": ADAPTIVE, "value": drawn(version="1.6")},
        {"statusCode": 200, "type": "application/vnd.microsoft.activity.message", "value": {"text": "x"}},
        {"statusCode": 200, "type": "text/plain", "value": "x"},
        {"statusCode": 401, "type": "application/vnd.microsoft.activity.loginRequest", "value": {}},
        {"statusCode": 500, "type": "application/vnd.microsoft.error", "value": "x"},
    ],
)
def test_an_answer_that_teams_does_not_understand_is_trouble(teams, bot, card, answer):
    bot.answer = answer
    assert teams.press(MAYA, *card, "Approve").error.startswith("Something went wrong")
    assert len(troubles(teams)) == 1
    assert words(teams.workspace.sees(MAYA, *card)) == "Approve?"


def test_a_bot_that_fails_or_is_not_there_is_trouble(teams, bot, card):
    bot.status = 500
    assert teams.press(MAYA, *card, "Approve").error == "http_error"
    assert teams.command(MAYA, CHANNEL, "model-status").error == "http_error"
    teams.request_url = "http://127.0.0.1:9/teams/messages"
    assert teams.press(MAYA, *card, "Approve").error == "unreachable"
    assert troubles(teams) == [
        "Unable to reach app. Please try again.",
        "Sorry, there was a problem encountered with your request.",
        "Unable to reach app. Please try again.",
    ]
    assert words(teams.workspace.sees(MAYA, *card)) == "Approve?"


def test_a_bot_that_takes_too_long_is_trouble_and_its_late_answer_is_lost(teams, bot, card):
    assert teams.answer_seconds == 5.0
    teams.answer_seconds, asked = 0.1, threading.Event()
    bot.before_answer = lambda: asked.wait(5)
    answer = teams.press(MAYA, *card, "Approve")
    asked.set()
    assert (answer.error, answer.status) == ("timeout", 0)
    assert 0.1 <= answer.seconds < 5
    assert troubles(teams) == ["Unable to reach app. Please try again."]
    assert words(teams.workspace.sees(MAYA, *card)) == "Approve?"


def test_an_activity_may_be_sent_again(teams, bot, card):
    first = teams.press(MAYA, *card, "Approve")
    assert teams.deliver(first.activity).status == 200
    teams.deliver(first.activity, forged=Forged(activity={"from.name": "Mallory"}))
    assert bot.activities[0] == bot.activities[1] == first.activity
    assert bot.activities[2] != first.activity


# refresh


@pytest.mark.parametrize(
    ("users", "trigger"), [(None, "automatic"), ([], "manual"), ([MAYA], "automatic"), ([OMAR], "manual")]
)
def test_a_card_is_refreshed_by_itself_for_whom_it_names(teams, bot, users, trigger):
    named = {} if users is None else {"userIds": [teams.workspace.person(who).mri for who in users]}
    card = bot.post(drawn(refresh=VIEW | named))
    teams.refresh(MAYA, *card)
    value = bot.activities[0]["value"]
    assert value == {"action": VIEW["action"], "trigger": trigger}
    assert bot.activities[0]["replyToId"] == card[1]
    assert words(teams.workspace.sees(MAYA, *card)) == "being recorded"
    assert not teams.refreshes_itself(MAYA, *card)


def test_a_card_for_all_is_not_refreshed_by_itself_where_there_are_more_than_sixty(teams, bot):
    card = bot.post(drawn(refresh=VIEW))
    crowd = [teams.workspace.add_user(User(f"{number:036}", f"Person {number}")).key for number in range(60)]
    teams.workspace.alter_channel(CHANNEL, members=frozenset({MAYA, *crowd[1:]}))
    assert teams.refreshes_itself(MAYA, *card)
    teams.workspace.alter_channel(CHANNEL, members=frozenset({MAYA, *crowd}))
    assert not teams.refreshes_itself(MAYA, *card)


# forgeries


def unsigned(claims, header, key):
    return jwt.encode(claims, "", "none", header | {"alg": "none"})


def with_the_public_key_as_a_secret(claims, header, key):
    secret = jwt.utils.base64url_decode(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)["n"])
    return jwt.encode(claims, secret, "HS256", header | {"alg": "HS256"})


def with_another_ending(claims, header, key):
    token = jwt.encode(claims, key, "RS256", header)
    return token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB")


FORGERIES = {
    "no token": Forged(authorization=""),
    "no token of anybody's": Forged(authorization="Bearer local"),
    "another issuer": Forged(claims={"iss": "https://sts.example.com/"}),
    "another audience": Forged(claims={"aud": ELSEWHERE}),
    "expired": Forged(claims={"exp": 1}),
    "for ever": Forged(claims={"exp": None}),
    "not yet": Forged(claims={"nbf": 9_999_999_999}),
    "another service": Forged(claims={"serviceurl": "https://evil.example/"}),
    "no service": Forged(claims={"serviceurl": None}),
    "another key's name": Forged(header={"kid": "nobody"}),
    "no key's name": Forged(header={"kid": None}),
    "a key of nobody's": Forged(key="unknown"),
    "a key of nobody's under a good name": Forged(key="unknown", header={"kid": "local-bot-connector-2"}),
    "a key for other channels": Forged(key="unendorsed"),
    "unsigned": Forged(sign=unsigned),
    "the public key as a secret": Forged(sign=with_the_public_key_as_a_secret),
    "another signature": Forged(sign=with_another_ending),
    "an activity of another service": Forged(activity={"serviceUrl": "https://evil.example/"}),
    "an activity of no service": Forged(activity={"serviceUrl": None}),
    "an activity of another channel": Forged(activity={"channelId": "webex"}),
    "no activity": Forged(body=b"{"),
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_bot_that_checks_lets_no_forgery_through(teams, bot, card, forged):
    assert teams.press(MAYA, *card, "Approve", forged=forged).status == 403
    assert teams.command(MAYA, CHANNEL, "model-status", forged=forged).status == 403
    assert [each.status for each in teams.install(TEAM, forged=forged)] == [403, 403]
    assert not bot.activities


def test_parts_of_an_activity_are_altered_added_and_taken_away(teams, bot, card):
    changes = {"from.aadObjectId": None, "channelData.tenant.id": ELSEWHERE, "value.action.data.more.deep": 1}
    answer = teams.press(MAYA, *card, "Approve", forged=Forged(activity=changes))
    (sent,) = bot.activities
    assert "aadObjectId" not in sent["from"]
    assert (sent["channelData"]["tenant"]["id"], sent["conversation"]["tenantId"]) == (ELSEWHERE, TENANT)
    assert sent["value"]["action"]["data"] == {"id": "churn/7/uat/1", "more": {"deep": 1}}
    assert answer.activity == sent
    assert "more" not in teams.workspace.message(*card).card["actions"][0]["data"]


# keys


def test_a_token_says_what_the_bot_connectors_say(teams):
    token = teams.keys.token(teams.service_url)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims == {
        "serviceurl": teams.service_url,
        "iss": "https://api.botframework.com",
        "aud": APP,
        "nbf": claims["nbf"],
        "exp": claims["nbf"] + 3_900,
    }
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"], header["x5t"]) == ("RS256", "JWT", header["kid"])


def test_keys_rotate_and_the_old_ones_are_withdrawn_later(teams, bot):
    teams.keys.rotate()
    kids = [each["kid"] for each in bot.session.get(teams.keys_url, timeout=5).json()["keys"]]
    assert len(set(kids)) == 3
    assert teams.command(MAYA, CHANNEL, "one").status == 200
    assert teams.command(MAYA, CHANNEL, "two", forged=Forged(key="first")).status == 200
    teams.keys.retire()
    assert teams.command(MAYA, CHANNEL, "three").status == 200
    assert teams.command(MAYA, CHANNEL, "four", forged=Forged(key="first")).status == 403


def test_the_keys_are_where_the_metadata_says(teams, bot):
    found = bot.session.get(teams.keys.openid_url, timeout=5).json()
    assert (found["issuer"], found["jwks_uri"]) == (teams.issuer, teams.keys_url)
    teams.faults.add("keys", status=503)
    assert bot.session.get(teams.keys_url, timeout=5).status_code == 503
