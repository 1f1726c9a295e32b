"""The door of Teams: what is refused, with nothing changed and nothing sent, and what follows from the rest."""

import base64
import hashlib
import hmac
import json
import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import RSAAlgorithm

from bot.admission import Admission
from bot.card import Offer
from bot.clicks import ActJob, AnswerJob, QuestionJob
from bot.domain import Act, Answer, ChatUser, MessageRef
from bot.errors import UNIDENTIFIED, Refused, SignInNeeded, Unavailable
from bot.links import Links
from bot.names import Names
from bot.people import People
from bot.seals import Seals
from bot.teams.activities import BROKEN, NO_CARD, NOT_READ, RECORDING, TOO_LONG, UNCONFIRMED, UNKNOWN_NOW, typed
from bot.teams.app import LARGEST, dispatch
from bot.teams.cards import NO_REASON
from bot.teams.channel import TeamsChannel
from infra.local.slack_http import Answer as HttpAnswer
from infra.local.slack_http import Server, Service
from infra.local.teams import Forged
from tests.adapters.teams_examples import (
    APP,
    CARD,
    CHANNEL,
    DECIDED,
    ELSEWHERE,
    EVE,
    MAYA,
    OMAR,
    PAGES,
    REQUEST,
    TENANT,
    THREAD,
    House,
    activity,
    buttons,
    http,
    open_teams,
    press,
    settle,
    words_of,
)
from tests.memory import ManualClock, MemoryParameters, MemorySealer
from tests.proofs.world import policy_of

BY_MAYA = ChatUser("teams", TENANT, MAYA.oid, MAYA.mri, oid=MAYA.oid)
HELP = "model-status shows what waits for an answer, and which version every environment of every group loads."
OP = f"teams|{THREAD}|f:3b1c8d2e-6f7a|{MAYA.oid}"


@pytest.fixture(scope="module")
def served():
    with open_teams() as teams:
        yield settle(teams)


@pytest.fixture
def teams(served):
    served.faults.clear()
    served.calls.clear()
    return served


@pytest.fixture
def house(teams):
    return House(teams)


@pytest.fixture(scope="module")
def lasting(served):
    return House(served)


def admission(identity="email"):
    """What the real one asks of an account, for an environment `test` of this identity."""
    clock = ManualClock()
    links = Links(PAGES, Seals(MemorySealer(), clock), clock)
    policy = policy_of(("dev", "test"), test=f'identity = "{identity}"')

    def vouch(_user):
        raise AssertionError("Teams has named the person already")

    return Admission(policy, People(MemoryParameters(), Names("/model-approvals")), links, vouch)


# ---------------------------------------------------------------------------------------------------- forged tokens


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def unsigned(claims, header, _key):
    return f"{part({**header, 'alg': 'none'})}.{part(claims)}."


def by_public_key(claims, header, key):
    """Signed with what everybody knows, as if that were a secret."""
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{part({**header, 'alg': 'HS256'})}.{part(claims)}"
    mac = base64.urlsafe_b64encode(hmac.digest(pem, body.encode(), hashlib.sha256)).rstrip(b"=").decode()
    return f"{body}.{mac}"


def as_it_is(claims, header, key):
    """Signed well, whatever stands in it."""
    body = f"{part(header)}.{part(claims)}"
    mac = base64.urlsafe_b64encode(key.sign(body.encode(), PKCS1v15(), SHA256())).rstrip(b"=").decode()
    return f"{body}.{mac}"


def other_algorithm(claims, header, key):
    return jwt.encode(claims, key, "RS512", {**header, "alg": "RS512"})


def altered(claims, header, key):
    """Another serviceurl below an honest signature."""
    head, _, mac = jwt.encode(claims, key, "RS256", header).split(".")
    return f"{head}.{part({**claims, 'exp': claims['exp'] + 1})}.{mac}"


def own_key(claims, header, _key):
    """A key of one's own, which the token itself brings or names."""
    mine = generate_private_key(65537, 2048)
    public = json.loads(RSAAlgorithm.to_jwk(mine.public_key()))
    return jwt.encode(claims, mine, "RS256", {**header, "jwk": public, "jku": "https://evil.example/keys"})


NOW = int(time.time())
FORGED = {
    "alg none": {"sign": unsigned},
    "HS256 with the public key": {"sign": by_public_key},
    "RS512": {"sign": other_algorithm},
    "another key under the same id, with jwk and jku": {"sign": own_key},
    "altered after it was signed": {"sign": altered},
    "an unknown key": {"key": "unknown"},
    "no key id": {"header": {"kid": None}},
    "a key id that is no text": {"header": {"kid": 7}, "sign": as_it_is},
    "a critical extension": {"header": {"crit": ["exp"]}, "sign": as_it_is},
    "another issuer": {"claims": {"iss": "https://api.botframework.com.evil.example"}},
    "an issuer in another case": {"claims": {"iss": "https://API.botframework.com"}},
    "Entra as its issuer": {"claims": {"iss": f"https://sts.windows.net/{TENANT}/", "appid": APP}},
    "the emulator's issuer": {"claims": {"iss": "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/"}},
    "no issuer": {"claims": {"iss": None}},
    "another audience": {"claims": {"aud": ELSEWHERE}},
    "an audience with a scheme": {"claims": {"aud": f"api://{APP}"}},
    "several audiences": {"claims": {"aud": [APP, ELSEWHERE]}},
    "no audience": {"claims": {"aud": None}},
    "expired": {"claims": {"exp": NOW - 330}},
    "not yet good": {"claims": {"nbf": NOW + 86400}},  # the suite itself takes minutes
    "no expiry": {"claims": {"exp": None}},
    "no beginning": {"claims": {"nbf": None}},
    "an expiry that is no number": {"claims": {"exp": "never"}, "sign": as_it_is},
    "no service URL": {"claims": {"serviceurl": None}},
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused_and_changes_nothing(house, forged):
    reply = house.send(house.press(), token=house.token(**forged))
    assert (reply.status, reply.text) == (401, "")
    assert house.untouched


HEADERS = {
    "none": {},
    "empty": {"authorization": ""},
    "no scheme": {"authorization": "{}"},
    "another scheme": {"authorization": "Basic {}"},
    "nothing behind it": {"authorization": "Bearer "},
    "no token": {"authorization": "Bearer null"},
    "two tokens": {"authorization": "Bearer {},{}"},
    "more behind it": {"authorization": "Bearer {} x"},
    "a line break": {"authorization": "Bearer {}\n"},
    "another header": {"x-authorization": "Bearer {}"},
    "an encrypted token": {"authorization": "Bearer a.b.c.d.e"},
    "letters that are none of a token's": {"authorization": "Bearer é.é.é"},
    "a header that is no JSON": {"authorization": "Bearer AAAA.AAAA.AAAA"},
    "a header that is a list": {"authorization": f"Bearer {part([])}.AAAA.AAAA"},
    "a header that is nested without end": {"authorization": f"Bearer {'W1tb' * 900}.AAAA.AAAA"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
def test_a_request_without_a_token_is_refused_and_changes_nothing(house, headers):
    given = {name: value.replace("{}", house.token()) for name, value in headers.items()}
    answer = dispatch(house.door, http(json.dumps(house.press()), headers=given))
    assert (answer["statusCode"], answer["body"]) == (401, "")
    assert house.untouched


def test_a_key_that_is_not_endorsed_for_teams_signs_nothing_for_teams(house):
    assert house.send(house.press(), token=house.token(key="unendorsed")).status == 403
    assert house.untouched


@pytest.mark.parametrize(
    ("claim", "apart", "status"), [("exp", -240, 200), ("nbf", 240, 200), ("exp", -330, 401), ("nbf", 390, 401)]
)
def test_clocks_may_differ_by_five_minutes(house, claim, apart, status):
    claims = {claim: int(time.time()) + apart}
    assert house.send(house.press(), token=house.token(claims=claims)).status == status


# ------------------------------------------------------------------------------------------------- altered activities

ALTERED = {
    "another service URL than its token's": {"serviceUrl": "https://127.0.0.1:1/emea/"},
    "a service URL that lacks the last slash": {"serviceUrl": "{}"},
    "no service URL": {"serviceUrl": ...},
    "a service URL that is no text": {"serviceUrl": 7},
    "another channel": {"channelId": "webchat"},
    "the emulator": {"channelId": "emulator"},
    "the channel in another case": {"channelId": "MsTeams"},
    "no channel": {"channelId": ...},
    "another tenant": {"channelData__tenant__id": ELSEWHERE},
    "another tenant in its conversation": {"conversation__tenantId": ELSEWHERE},
    "another tenant in both": {"channelData__tenant__id": ELSEWHERE, "conversation__tenantId": ELSEWHERE},
    "no tenant": {"channelData__tenant": ...},
    "a tenant that is no text": {"channelData__tenant__id": [TENANT]},
    "a conversation's tenant that is none": {"conversation__tenantId": None},
    "an empty tenant in both": {"channelData__tenant__id": "", "conversation__tenantId": ""},
    "no channel data": {"channelData": ...},
    "channel data that is a list": {"channelData": []},
}


@pytest.mark.parametrize("changes", ALTERED.values(), ids=ALTERED)
def test_an_altered_activity_is_refused_and_changes_nothing(house, changes):
    activity = house.press(**changes)
    if activity.get("serviceUrl") == "{}":
        activity["serviceUrl"] = house.teams.service_url.rstrip("/")
    reply = house.send(activity, token=house.token())
    assert (reply.status, reply.text) == (403, "")
    assert house.untouched


def test_a_tenant_is_the_same_in_capital_letters(house):
    assert house.send(house.press(channelData__tenant__id=TENANT.upper())).status == 200


def test_a_conversation_need_not_name_its_tenant(house):
    assert house.send(house.press(conversation__tenantId=...)).status == 200


def test_a_service_url_that_is_not_allowed_is_refused_though_its_token_names_it(house):
    evil = "https://evil.example/emea/"
    reply = house.send(press(evil), token=house.token(evil))
    assert (reply.status, house.untouched) == (403, True)


NOBODY = {
    "no object id": {"from__aadObjectId": ...},
    "an empty object id": {"from__aadObjectId": ""},
    "an object id that is none": {"from__aadObjectId": "maya.chen@example.com"},
    "an object id and more": {"from__aadObjectId": f"{MAYA.oid}\n"},
    "an object id that is no text": {"from__aadObjectId": [MAYA.oid]},
    "a bot's account": {"from__id": f"28:{APP}"},
    "no account": {"from__id": ...},
    "an account that is no text": {"from__id": 29},
    "a bot's role": {"from__role": "bot"},
    "a skill's role": {"from__role": "skill"},
    "an anonymous person's role": {"from__userRole": "anonymous"},
    "a tenant of their own": {"from__tenantId": ELSEWHERE},
    "nobody": {"from": ...},
    "a list": {"from": []},
}


@pytest.mark.parametrize("changes", NOBODY.values(), ids=NOBODY)
@pytest.mark.parametrize("verb", ["mr.approve", "mr.reject", "mr.view"])
def test_who_is_no_person_of_the_tenant_is_told_one_text(house, verb, changes, caplog):
    reply = house.send(house.press(verb=verb, reason="x", **changes))
    assert reply.toast == UNIDENTIFIED
    assert house.untouched
    assert "is not identified" in caplog.text


UNREADABLE = {
    "an unknown verb": {"verb": "mr.adopt"},
    "a verb of another case": {"verb": "MR.APPROVE"},
    "no verb": {"value": {"action": {"data": {"request": str(REQUEST)}}}},
    "no data": {"value": {"action": {"verb": "mr.approve"}}},
    "no action": {"value": {}},
    "a value that is a list": {"value": []},
    "no request": {"request": ""},
    "a request that is none": {"request": "churn/0/dev/1"},
    "a request and more": {"request": f"{REQUEST}/1"},
    "no conversation": {"conversation__id": ...},
    "a conversation that is a way": {"conversation__id": "19:../../v3"},
    "a conversation that is an address": {"conversation__id": "https://evil.example/"},
    "a conversation without end": {"conversation__id": f"19:{'x' * 400}"},
    "no id of its own": {"id": ...},
    "an id of dots": {"id": ".."},
    "an id that is no text": {"id": 7},
}


@pytest.mark.parametrize("changes", UNREADABLE.values(), ids=UNREADABLE)
def test_a_button_that_is_none_of_ours_says_so_and_changes_nothing(house, changes):
    assert house.send(house.press(**changes)).error == BROKEN
    assert house.untouched


# ------------------------------------------------------------------------------------------------------- the request


def test_a_body_is_measured_before_anything_is_verified(house):
    large = house.press(name="x" * LARGEST)
    for encoded in (False, True):
        assert house.send(large, encoded=encoded).status == 413
    assert (house.teams.calls, house.untouched) == ([], True)


def test_a_body_may_come_in_base64(house):
    assert house.send(house.press(), encoded=True).status == 200
    assert len(house.queue.jobs) == 1


@pytest.mark.parametrize("body", ["", "no JSON", "[]", '"text"', "[" * 100_000, '{"id": ' + "9" * 5000 + "}"])
def test_a_body_that_is_no_activity_is_refused(house, body):
    answer = dispatch(house.door, http(body, headers={"Authorization": f"bearer {house.token()}"}))
    assert answer["statusCode"] == 400
    assert house.untouched


def test_a_body_that_cannot_be_decoded_is_refused(house):
    event = {**http("", headers={"authorization": f"Bearer {house.token()}"}), "isBase64Encoded": True}
    for body in ("####", base64.b64encode(b"\xff\xfe").decode()):
        assert dispatch(house.door, {**event, "body": body})["statusCode"] == 400


@pytest.mark.parametrize(
    ("event", "status"),
    [({"path": "/slack/events"}, 404), ({"path": "/teams/messages/"}, 404), ({"method": "GET"}, 405)],
)
def test_only_posts_to_its_own_path_are_answered(house, event, status):
    assert house.send(house.press(), **event).status == status
    assert house.untouched


def test_a_stage_may_stand_before_the_path(house):
    assert house.send(house.press(), path="/live/teams/messages", stage="live").status == 200


def test_a_refusal_is_logged_without_its_token(house, caplog):
    token = house.token(claims={"aud": "other\nline"})
    with caplog.at_level(logging.DEBUG):
        house.send(house.press(), token=token)
    for said in ("401", "local-bot-connector-", "https://api.botframework.com", r"other\nline", TENANT, MAYA.oid):
        assert said in caplog.text
    assert not any(piece in caplog.text for piece in token.split("."))


# ------------------------------------------------------------------------------------------------------------- keys


def keys_asked(teams):
    return [call.method for call in teams.calls].count("keys")


def test_keys_are_asked_for_once_a_day(house):
    for _ in range(3):
        assert house.send(house.press()).status == 200
    assert keys_asked(house.teams) == 1
    house.clock.ahead = timedelta(hours=25)
    house.send(house.press())
    assert keys_asked(house.teams) == 2


def test_a_flood_of_unknown_keys_asks_once_a_minute(house):
    for _ in range(50):
        assert house.send(house.press(), token=house.token(key="unknown")).status == 401
    assert keys_asked(house.teams) == 1
    house.clock.ahead = timedelta(seconds=61)
    house.send(house.press(), token=house.token(key="unknown"))
    assert keys_asked(house.teams) == 2


def test_a_new_key_is_found_once_the_pause_is_over(house):
    assert house.send(house.press()).status == 200
    house.teams.keys.rotate()
    assert house.send(house.press()).status == 401
    house.clock.ahead = timedelta(seconds=61)
    assert house.send(house.press()).status == 200


@pytest.mark.parametrize("body", ["no JSON", "[]", "{}", '{"keys": 7}', "[" * 100_000])
def test_keys_that_cannot_be_read_let_nobody_in_and_say_so(house, body):
    house.teams.faults.add("keys", status=None, error=body, times=None)
    assert house.send(house.press()).status == 503
    assert house.untouched


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 302}, {"status": "reset"}])
def test_keys_that_are_not_to_be_had_let_nobody_in_and_say_so(house, fault, caplog):
    house.teams.faults.add("keys", times=None, **fault)
    assert house.send(house.press()).status == 503
    assert "keys could not be read" in caplog.text
    house.teams.faults.clear()
    assert house.send(house.press()).status == 200


def test_keys_that_are_a_day_old_and_cannot_be_renewed_let_nobody_in(house):
    house.send(house.press())
    house.clock.ahead = timedelta(hours=25)
    house.teams.faults.add("keys", status=500)
    assert house.send(house.press()).status == 503


def test_a_key_that_is_none_of_ours_is_left_out(house):
    good = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "x"}
    odd = [7, {**good, "use": "enc", "endorsements": ["msteams"]}, good, {**good, "endorsements": "msteams"},
           {"kty": "EC", "kid": "x", "endorsements": ["msteams"]}, {**good, "n": 7, "endorsements": ["msteams"]},
           {**good, "kid": "", "endorsements": ["msteams"]}]  # fmt: skip
    house.teams.faults.add("keys", status=None, error=json.dumps({"keys": odd}))
    assert house.send(house.press()).status == 401


# ------------------------------------------------------------------------------------------------ approve and reject


def test_a_press_of_approve_becomes_a_job(house):
    house.send(house.press())
    assert house.queue.jobs == [
        AnswerJob(
            REQUEST, Answer.APPROVE, by=BY_MAYA, op=OP, at=house.queue.jobs[0].at,
            card=MessageRef(THREAD, "1795512000000"),
        )
    ]  # fmt: skip


def test_who_approved_sees_the_card_without_buttons_and_that_nothing_is_decided_yet(house):
    card = house.send(house.press()).card
    assert buttons(card) == ["Review page"]
    assert words_of(card)[:2] == [CARD.title, "⏳ Being checked"]
    assert "⏳ The approval by Maya Chen is being checked. If it counts, this card will say so;" in "\n".join(
        words_of(card)
    )


def test_answering_sends_nothing_and_reads_one_card(house):
    house.send(house.press())
    assert (house.outbound, house.shelf.read) == ([], [REQUEST])


def test_an_object_id_in_capital_letters_is_the_same_person(house):
    house.send(house.press(from__aadObjectId=MAYA.oid.upper()))
    assert house.queue.jobs[0].by == BY_MAYA


def test_a_reject_takes_its_reason_along(house):
    card = house.send(house.press(verb="mr.reject", reason="  Recall is too low. ")).card
    assert (house.queue.jobs[0].answer, house.queue.jobs[0].reason) == (Answer.REJECT, "Recall is too low.")
    assert "⏳ The rejection by Maya Chen is being checked. If it counts, this card will say so;" in "\n".join(
        words_of(card)
    )


def test_a_revoke_takes_its_reason_along_and_the_card_will_show_it(house):
    assert house.send(house.press(verb="mr.revoke", reason=" It drifts. ")).toast == RECORDING
    assert house.queue.jobs == [
        ActJob(
            Act.REVOKE, REQUEST, BY_MAYA, OP, house.queue.jobs[0].at, "It drifts.", MessageRef(THREAD, "1795512000000")
        )
    ]  # fmt: skip


def test_a_revoke_without_a_reason_is_asked_for_one(house):
    assert NO_REASON in words_of(house.send(house.press(verb="mr.revoke")).card)
    assert house.queue.jobs == []


def test_the_reason_of_an_approve_is_nobodys(house):
    house.send(house.press(reason="because"))
    assert house.queue.jobs[0].reason == ""


@pytest.mark.parametrize(
    ("reason", "says"),
    [({}, NO_REASON), ({"reason": " \n"}, NO_REASON), ({"reason": 7}, NO_REASON), ({"reason": "x" * 2001}, TOO_LONG)],
    ids=["none", "blank", "no text", "too long"],
)
def test_a_reject_without_a_good_reason_is_asked_for_one(house, reason, says):
    card = house.send(house.press(verb="mr.reject", **reason)).card
    assert says in words_of(card)
    assert buttons(card)[:2] == ["Approve for test", "Reject…"]
    assert house.queue.jobs == []


def test_the_same_press_sent_twice_has_one_name(house):
    for _ in range(2):
        house.send(house.press())
    house.send(house.press(id="f:another"))
    assert len({job.op for job in house.queue.jobs}) == 2


def test_a_press_that_names_no_message_still_counts(house):
    house.send(house.press(replyToId=...))
    assert house.queue.jobs[0].card is None


def test_a_name_is_for_display_and_stays_words(house):
    card = house.send(house.press(from__name="**Maya**\n{{DATE(2026-01-01T00:00:00Z)}}" + "x" * 300)).card
    assert "{{" not in json.dumps(card["body"][-2])
    card = house.send(house.press(from__name=...)).card
    assert any("by Somebody is being checked" in word for word in words_of(card))


def test_a_queue_that_does_not_answer_is_told_as_what_it_is(house, caplog):
    house.queue.broken = Unavailable("SQS did not answer")
    assert house.send(house.press()).toast == UNCONFIRMED
    assert "SQS did not answer" in caplog.text


def test_a_queue_that_is_closed_says_why(house):
    house.queue.broken = Refused("The policy has mistakes.")
    assert house.send(house.press()).toast == "The policy has mistakes."


def test_a_card_that_cannot_be_read_holds_no_answer_up(house):
    house.shelf.broken = True
    assert house.send(house.press()).toast == RECORDING
    house.shelf.broken, house.shelf.cards = False, {}
    assert house.send(house.press(id="f:2")).toast == RECORDING
    assert len(house.queue.jobs) == 2


def test_a_card_that_was_decided_meanwhile_says_so(house):
    house.shelf.cards[REQUEST] = DECIDED
    card = house.send(house.press()).card
    assert words_of(card)[:2] == [DECIDED.title, "✅ Approved"]
    assert len(house.queue.jobs) == 1


def test_reject_without_a_reason_and_without_a_card_is_said_in_words(house):
    house.shelf.broken = True
    assert house.send(house.press(verb="mr.reject")).toast == NO_REASON


# ---------------------------------------------------------------------------------------------- what the policy asks


@pytest.mark.parametrize("identity", ["email", "linked"])
def test_teams_names_the_person_so_that_no_link_is_needed(house, identity):
    linked = house.changed(admission=admission(identity))
    assert linked.send(house.press()).status == 200
    assert linked.queue.jobs[0].by == BY_MAYA


def test_where_a_sign_in_is_wanted_the_card_leads_there(house):
    signing = house.changed(admission=admission("sign-in"))
    card = signing.send(house.press()).card
    (way, page, *_) = card["actions"]
    assert (way["title"], way["url"]) == ("Sign in and answer", f"{PAGES}/r?t=sealed-0")
    assert page["title"] == "Review page"
    assert not any(each["type"] in {"Action.Execute", "Action.ShowCard"} for each in card["actions"])
    says = "Answers for test are given after signing in. This link is for you alone, and nothing is recorded yet."
    assert says in words_of(card)
    assert (signing.queue.jobs, signing.outbound) == ([], [])


def test_where_a_sign_in_is_wanted_the_way_is_told_even_without_a_card(house):
    signing = house.changed(admission=admission("sign-in"))
    signing.shelf.broken = True
    assert signing.send(house.press()).toast.endswith(f"recorded yet. {PAGES}/r?t=sealed-0")


class Asking:
    """An admission that says one thing."""

    def __init__(self, problem):
        self.problem = problem

    def admit(self, _request, _user, _called):
        raise self.problem


def test_a_refusal_without_a_way_is_said_in_words(house):
    refusing = house.changed(admission=Asking(SignInNeeded("Sign in at https://evil.example/r?t=1")))
    assert refusing.send(house.press()).toast == "Sign in at https://evil.example/r?t=1"
    assert refusing.queue.jobs == []


def test_when_it_cannot_be_asked_who_it_is_nothing_is_recorded(house):
    asking = house.changed(admission=Asking(Unavailable("KMS did not answer")))
    assert asking.send(house.press()).toast == UNKNOWN_NOW
    assert asking.queue.jobs == []


# ------------------------------------------------------------------------------------------------------------ refresh


def test_a_refresh_shows_the_card_as_it_is_now_and_changes_nothing(house):
    house.shelf.cards[REQUEST] = DECIDED
    card = house.send(house.press(verb="mr.view")).card
    assert words_of(card)[0] == DECIDED.title
    assert (house.queue.jobs, house.outbound) == ([], [])


def test_a_guest_is_shown_nothing(house):
    house.strangers.add(MAYA.oid)
    assert house.send(house.press(verb="mr.view")).toast == "You are a guest."


def test_a_request_that_is_not_there_is_said(house):
    house.shelf.cards.clear()
    assert house.send(house.press(verb="mr.view")).error == NO_CARD
    house.shelf.broken = True
    assert house.send(house.press(verb="mr.view")).toast == NOT_READ


# ------------------------------------------------------------------------------------------------------- model-status


def test_what_only_the_directory_knows_is_handed_over_and_answered_in_ones_own_chat(house):
    root = MessageRef(THREAD, "1795512000000")
    house.send(activity(house.teams.service_url, "message", conversation=root.channel, text="model-status mine"))
    [job] = house.queue.jobs
    assert (type(job), job.request, job.by) == (QuestionJob, None, BY_MAYA)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("<at>Model Approvals</at> model-status", ""),
        ("<at>Model Approvals</at>\N{NO-BREAK SPACE}model-status  churn-xgb\n", "churn-xgb"),
        ("model-status churn-xgb", "churn-xgb"),
        ("model-status recommendations\u200b-eu", "recommendations-eu"),
        ("/Model-Status churn-xgb", "churn-xgb"),
        ("model-status help", "help"),
        ("<at id='0'>Model\nApprovals</at>", "help"),
        ("hello", "help"),
        ("", "help"),
        ("model-statuses", "help"),
        ("<at>" * 5000, "help"),
    ],
)
def test_a_message_is_read_without_the_bots_name(text, asked):
    assert typed(text) == asked


def test_model_status_is_answered_in_its_thread(house):
    teams = house.teams
    root = house.connector.post_root(CHANNEL, {"type": "message", "text": "card"})
    reply = house.send(activity(teams.service_url, "message", conversation=root.channel, text="model-status"))
    assert (reply.status, reply.text) == (200, "")
    (answer,) = teams.workspace.replies(root.channel)
    assert words_of(answer.card)[:2] == ["Models by environment", "no requests wait for an answer."]
    assert words_of(answer.card["body"][2]["rows"][1]) == ["churn-xgb", "v12", "–"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model-status churn-xgb", "churn-xgb"),
        ("model-status churn", "No model package group churn is known here. model-status shows those that are."),
        ("hello", HELP),
    ],
)
def test_a_message_is_answered_in_a_chat(house, text, says):
    chat = house.teams.workspace.open_chat(MAYA.key, installed=True).id
    house.send(activity(house.teams.service_url, "message", conversation=chat, text=text))
    assert words_of(house.teams.workspace.messages(chat)[-1].card)[0].replace("\u200b", "") == says


def private_answer(house, **changes):
    chat = house.teams.workspace.open_chat(MAYA.key, installed=True).id
    house.send(activity(house.teams.service_url, "message", conversation=chat, text="model-status", **changes))
    return house.teams.workspace.messages(chat)[-1].text


def test_model_status_is_for_members(house):
    house.strangers.add(MAYA.oid)
    assert private_answer(house) == "You are a guest."
    assert private_answer(house, from__aadObjectId=...) == UNIDENTIFIED


def test_a_status_that_cannot_be_read_is_said(house):
    house.shelf.broken = True
    assert private_answer(house) == NOT_READ


def test_a_message_that_cannot_be_answered_is_logged(house, caplog):
    house.teams.faults.add("sendToConversation", status=500)
    assert house.send(activity(house.teams.service_url, "message", text="hello")).status == 200
    assert "a message was not answered" in caplog.text


IGNORED: dict[str, tuple[Any, dict[str, Any]]] = {
    "a form that is sent as a message": ("message", {"text": "", "value": {"verb": "mr.approve"}}),
    "a form that is sent with words": ("message", {"text": "x", "value": {"request": str(REQUEST)}}),
    "a message without words": ("message", {}),
    "a message of no conversation": ("message", {"text": "x", "conversation__id": "../x"}),
    "an edit": ("messageUpdate", {"text": "model-status"}),
    "a reaction": ("messageReaction", {"reactionsAdded": [{"type": "like"}]}),
    "an invoke of another name": ("invoke", {"name": "composeExtension/query", "value": {}}),
    "a removal": ("installationUpdate", {"action": "remove"}),
    "somebody else who joins": ("conversationUpdate", {"membersAdded": [{"id": MAYA.mri}]}),
    "the bot that leaves": ("conversationUpdate", {"membersRemoved": [{"id": f"28:{APP}"}]}),
    "members that are none": ("conversationUpdate", {"membersAdded": ["28:x", None]}),
    "no type": (None, {}),
    "a type that is a list": ([], {}),
}


@pytest.mark.parametrize(("kind", "changes"), IGNORED.values(), ids=IGNORED)
def test_every_other_activity_has_no_effect(house, kind, changes):
    reply = house.send(activity(house.teams.service_url, kind, **changes))
    assert (reply.status, reply.text) == (200, "")
    assert house.untouched


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("installationUpdate", {"action": "add"}),
        ("installationUpdate", {"action": "add-upgrade"}),
        ("conversationUpdate", {"membersAdded": [{"id": MAYA.mri}, {"id": f"28:{APP}"}]}),
    ],
)
def test_an_installation_tells_where_the_bot_connector_is(house, kind, changes):
    assert house.send(activity(house.teams.service_url, kind, **changes)).status == 200
    assert house.installed == [house.teams.service_url]


def test_an_installation_of_another_tenant_tells_nothing(house):
    other = activity(house.teams.service_url, "installationUpdate", action="add", channelData__tenant__id=ELSEWHERE)
    assert (house.send(other).status, house.installed) == (403, [])


def test_an_installation_that_cannot_be_kept_is_not_taken(house):
    def broken(_url):
        raise Unavailable("Parameter Store did not answer")

    door = replace(house.door, activities=replace(house.door.activities, installed=broken))
    asked = activity(house.teams.service_url, "installationUpdate", action="add")
    assert house.send(asked, door=door).status == 503


# ------------------------------------------------------------------------------------------- the whole way, over HTTP


@pytest.fixture
def card(house):
    """A card in the channel of a Teams whose activities reach the door over HTTP."""

    def serve(request):
        answer = dispatch(house.door, http(request.body.decode(), headers=request.headers, path=request.path))
        return HttpAnswer(answer["statusCode"], answer["body"].encode(), answer["headers"])

    gateway = Server(Service("gateway", lambda _: "messages", serve, lambda _: HttpAnswer(500)))
    gateway.start()
    house.teams.request_url = f"http://127.0.0.1:{gateway.port}/teams/messages"
    yield house.teams.workspace
    gateway.stop()


def test_a_person_who_presses_sees_what_only_they_see(house, card):
    ref = TeamsChannel(house.connector, pages=PAGES).post(CHANNEL, CARD)
    answer = house.teams.press(MAYA.key, ref.channel, ref.ts, "Approve for test")
    assert (answer.error, card.warnings) == ("", [])
    assert buttons(card.sees(MAYA.key, ref.channel, ref.ts).card) == ["Review page"]
    assert "Reject…" in buttons(card.sees(OMAR.key, ref.channel, ref.ts).card)
    assert house.queue.jobs[0].card == ref


def test_a_reject_asks_for_its_reason_in_the_client_and_at_the_door(house, card):
    ref = TeamsChannel(house.connector, pages=PAGES).post(CHANNEL, CARD)
    assert house.teams.press(MAYA.key, ref.channel, ref.ts, "Reject v12").errors == {"reason": NO_REASON}
    forced = house.teams.press(MAYA.key, ref.channel, ref.ts, "Reject v12", forged=Forged(unchecked=True))
    assert NO_REASON in words_of(forced.json()["value"])
    assert house.queue.jobs == []
    house.teams.press(MAYA.key, ref.channel, ref.ts, "Reject v12", {"reason": "Too slow."})
    assert house.queue.jobs[0].reason == "Too slow."


def test_a_person_revokes_on_the_card_of_an_approval(house, card):
    ref = TeamsChannel(house.connector, pages=PAGES).post(CHANNEL, DECIDED)
    assert house.teams.press(MAYA.key, ref.channel, ref.ts, "Revoke v12").errors == {"reason": NO_REASON}
    house.teams.press(MAYA.key, ref.channel, ref.ts, "Revoke v12", {"reason": "Too slow."})
    assert [(job.act, job.reason) for job in house.queue.jobs] == [(Act.REVOKE, "Too slow.")]


@pytest.mark.parametrize(("title", "act"), [("Restore v12", Act.RESTORE), ("Revoke v12", Act.REVOKE)])
def test_what_is_offered_in_a_thread_asks_why_and_names_no_card(house, card, title, act):
    channel = TeamsChannel(house.connector, pages=PAGES)
    ref = channel.post(CHANNEL, DECIDED)
    channel.reply(ref, ("kim rejected churn by hand.",), DECIDED, [Offer(each, REQUEST) for each in Act])
    (line,) = house.teams.workspace.replies(ref.channel)
    assert [each["title"] for each in line.card["actions"]] == ["Revoke for test…", "Restore v12…"]
    field = f"reason.mr.{title.split()[0].lower()}"
    assert house.teams.press(MAYA.key, ref.channel, line.id, title).errors == {field: NO_REASON}
    forced = house.teams.press(MAYA.key, ref.channel, line.id, title, forged=Forged(unchecked=True))
    assert NO_REASON in forced.json()["value"], "in words: the line is no card that could be shown anew"
    house.teams.press(MAYA.key, ref.channel, line.id, title, {field: "I looked at it."})
    assert [(job.act, job.reason, job.card) for job in house.queue.jobs] == [(act, "I looked at it.", None)]


def test_somebody_of_another_organisation_is_turned_away(house, card):
    ref = TeamsChannel(house.connector, pages=PAGES).post(CHANNEL, CARD)
    workspace = house.teams.workspace
    workspace.alter_team(CHANNEL, members=frozenset({MAYA.key, EVE.key}))
    assert house.teams.press(EVE.key, ref.channel, ref.ts, "Approve for test").status == 403
    assert house.queue.jobs == []


# -------------------------------------------------------------------------------------------------------------- fuzz

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(("add", "mr.view", MAYA.oid))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
PARTS = ("type", "name", "id", "replyToId", "text", "value", "action", "from", "membersAdded", "conversation")


@given(
    parts=st.dictionaries(st.sampled_from(PARTS), VALUES),
    kind=st.sampled_from(("invoke", "message", "installationUpdate", "conversationUpdate")),
)
@settings(max_examples=100)
def test_whatever_an_activity_holds_it_is_answered(lasting, parts, kind):
    house = lasting
    body = house.door.activities.answer({**press(house.teams.service_url, type=kind), **parts})
    assert body is None or body["statusCode"] in {200, 400}
    assert json.dumps(body)
    assert all(job.by.oid == MAYA.oid for job in house.queue.jobs)
