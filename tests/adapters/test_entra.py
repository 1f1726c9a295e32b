import json
import logging
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import requests
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import MaxRetryError

from bot.aws.secrets import Fixed
from bot.domain import ChatUser
from bot.entra.directory import EntraDirectory
from bot.entra.http import MOST_WAIT, PatientRetry, open_session
from bot.entra.token import AppToken
from bot.errors import UNIDENTIFIED, NotIdentified, Unavailable
from bot.members import Person
from bot.ports import Directory
from bot.waves import ThreadCrew
from infra.local.entra import Entra, User
from infra.local.entra_https import Route, Section, Server, Site
from infra.local.entra_people import DEV, GUS, LENA, MAYA, OMAR, PROD, RELEASE_MANAGERS, TEST, TWINS, UAT
from infra.local.slack_http import Answer

NEW = "00000000-0000-4000-8000-00000000c001"
START = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
PAIR = ["checkMemberGroups", "user"]


def chat(email, *, team="T0LOCAL01", surface="slack", channel=""):
    """A chat user whose profile shows this address."""
    return ChatUser(surface, team, email, channel)


MAYA_IN_CHAT = chat("maya.chen@example.com")


class World:
    """An Entra, a clock, and a chat that vouches for every address; what is built here is closed at the end."""

    def __init__(self, entra):
        self.entra = entra
        self.now = START
        self.asked = []
        self.sessions = []

    def clock(self):
        return self.now

    def identify(self, user):
        self.asked.append(user)
        if user.user == "nobody":
            raise NotIdentified("their address is not confirmed")
        if user.user == "down":
            raise Unavailable("the chat does not answer")
        return user.user

    def session(self, **settings):
        self.sessions.append(open_session(**{"ca_bundle": self.entra.ca_bundle, **settings}))
        return self.sessions[-1]

    def token(self, session=None, **settings):
        return AppToken(
            session or self.session(),
            **{
                "authority": self.entra.authority,
                "tenant": self.entra.tenant,
                "client_id": self.entra.client_id,
                "credential": Fixed(self.entra.client_secret),
                "scope": f"{self.entra.graph_url}/.default",
                **settings,
            },
        )

    def directory(self, *, token=None, domains=("Example.com",), **settings):
        session = self.session(**settings)
        return EntraDirectory(
            session,
            token or self.token(session),
            graph_url=self.entra.graph_url,
            identify=self.identify,
            domains=domains,
            crew=ThreadCrew(),
            clock=self.clock,
        )

    def warm(self, user=MAYA_IN_CHAT, **settings):
        """A directory that knows the person and has a token; nothing is counted yet."""
        directory = self.directory(**settings)
        directory.member(user, ())
        self.entra.calls.clear()
        return directory

    @property
    def called(self):
        """The calls to Graph so far, those of one wave in the order of their names."""
        return [call.method for call in self.entra.calls if call.service == "graph"]


@pytest.fixture
def world():
    with Entra() as entra:
        world = World(entra)
        yield world
        for session in world.sessions:
            session.close()


def waves(calls):
    """How many calls had to wait for one another: the longest chain of those that do not overlap."""
    depth: list[int] = []
    ordered = sorted(calls, key=lambda call: call.started)
    for number, call in enumerate(ordered):
        before = [depth[each] for each in range(number) if ordered[each].ended <= call.started]
        depth.append(1 + max(before, default=0))
    return max(depth, default=0)


# who belongs where


def test_the_adapter_is_the_port(world):
    directory: Directory = world.directory()
    assert directory.find("maya.chen@example.com") == MAYA


def test_an_approver_is_a_member_of_the_group_at_this_moment(world):
    member = world.directory().member(MAYA_IN_CHAT, [DEV, PROD])
    assert member.person == Person(MAYA, "Maya Chen")
    assert (member.enabled, member.member, member.checked_at) == (True, True, START)
    assert member.groups == {DEV, PROD}


@pytest.mark.parametrize(
    ("email", "groups"),
    [
        ("omar.haddad@example.com", {DEV, TEST, UAT, PROD}),
        ("priya.nair@example.com", {PROD}),
        ("dana.scientist@example.com", set()),
        ("eli.outside@example.com", set()),
    ],
)
def test_everybody_is_in_their_own_groups_nested_ones_too(world, email, groups):
    assert world.directory().member(chat(email), (DEV, TEST, UAT, PROD)).groups == groups


def test_a_guest_is_no_member_and_a_leaver_is_not_enabled(world):
    directory = world.directory()
    guest = directory.member(chat("gus.guest@example.com"), [DEV])
    left = directory.member(chat("lena.left@example.com"), [DEV])
    assert (guest.person.oid, guest.enabled, guest.member, guest.groups) == (GUS, True, False, {DEV})
    assert (left.person.oid, left.enabled, left.member, left.groups) == (LENA, False, True, {DEV})


@pytest.mark.parametrize(
    "change",
    [
        {"kind": None},
        {"kind": "member"},
        {"kind": "Guest"},
        {"hidden": frozenset({"userType"})},
        {"enabled": None},
        {"enabled": "true"},
        {"enabled": 1},
        {"hidden": frozenset({"accountEnabled"})},
    ],
    ids=str,
)
def test_what_graph_does_not_plainly_say_counts_as_no(world, change):
    world.entra.people.alter(MAYA, **change)
    member = world.directory().member(MAYA_IN_CHAT, [DEV])
    assert not (member.enabled and member.member)
    assert member.enabled or member.member


def test_a_person_without_a_name_goes_by_their_id(world):
    world.entra.people.alter(MAYA, hidden=frozenset({"displayName"}))
    assert world.directory().member(MAYA_IN_CHAT, ()).person == Person(MAYA, MAYA)


def test_ids_compare_in_whatever_case_and_groups_come_back_as_they_were_asked(world):
    world.entra.people.add(User(NEW.upper(), "Una Upper", "una@example.com", "una@example.com"))
    world.entra.people.join(NEW.upper(), DEV)
    directory = world.directory()
    assert directory.find("una@example.com") == NEW
    assert directory.member(MAYA_IN_CHAT, [DEV.upper()]).groups == {DEV.upper()}


def test_twenty_one_groups_are_two_questions_of_the_same_wave(world):
    directory = world.warm()
    many = [f"00000000-0000-4000-8000-{number:012d}" for number in range(20)]
    directory.member(MAYA_IN_CHAT, many)
    assert sorted(world.called) == PAIR
    world.entra.calls.clear()
    world.entra.faults.add("*", status=None, stall=0.15, times=None)
    assert directory.member(MAYA_IN_CHAT, [*many, DEV, DEV]).groups == {DEV}
    assert sorted(world.called) == ["checkMemberGroups", "checkMemberGroups", "user"]
    assert waves(world.entra.calls) == 1


def test_without_groups_only_the_account_is_asked_for(world):
    directory = world.warm()
    assert directory.member(MAYA_IN_CHAT, ()).groups == frozenset()
    assert world.called == ["user"]


# calls and waves


def test_the_first_answer_of_a_person_takes_a_look_up_more(world):
    directory = world.directory()
    directory.find("omar.haddad@example.com")
    world.entra.calls.clear()
    world.entra.faults.add("*", status=None, stall=0.15, times=None)
    directory.member(MAYA_IN_CHAT, [DEV])
    assert (world.called[0], sorted(world.called[1:])) == ("users", PAIR)
    assert world.asked == [MAYA_IN_CHAT]
    assert waves(world.entra.calls) == 2


def test_every_further_answer_is_two_calls_in_one_wave_on_kept_connections(world):
    directory = world.warm()
    world.entra.faults.add("*", status=None, stall=0.15, times=None)
    directory.member(MAYA_IN_CHAT, [DEV])
    world.entra.calls.clear()
    connections = world.entra.connections
    directory.member(MAYA_IN_CHAT, [DEV])
    assert sorted(world.called) == PAIR
    assert (len(world.entra.calls), waves(world.entra.calls)) == (2, 1)
    assert world.entra.connections == connections
    assert world.asked == [MAYA_IN_CHAT]


def test_graph_is_asked_for_what_is_needed_and_never_for_its_index_that_lags(world):
    session = world.session()
    seen = []
    session.hooks["response"].append(lambda response, **_: seen.append(response.request))
    directory = EntraDirectory(
        session,
        world.token(),
        graph_url=f"{world.entra.graph_url}/",
        identify=world.identify,
        domains=["example.com"],
        crew=ThreadCrew(),
        clock=world.clock,
    )
    directory.member(chat("maya.chen@example.com"), [DEV])
    address, fields = "%27maya.chen%40example.com%27", "id,displayName,mail,userPrincipalName,accountEnabled,userType"
    assert not [request for request in seen if "ConsistencyLevel" in request.headers]
    assert sorted(request.path_url for request in seen) == [
        f"/v1.0/users/{MAYA}/checkMemberGroups",
        f"/v1.0/users/{MAYA}?$select={fields}",
        f"/v1.0/users?$filter=mail%20eq%20{address}%20or%20userPrincipalName%20eq%20{address}&$select={fields}&$top=2",
    ]


def test_nothing_is_asked_before_somebody_answers(world):
    world.directory()
    assert (world.entra.calls, world.entra.connections) == ([], 0)


def test_msal_is_imported_when_it_is_needed():
    code = "import sys, bot.entra.directory; sys.exit('msal' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# who is nobody


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("nobody", "their address is not confirmed"),
        ("somebody@example.com", "no people of the directory have the address"),
        ("team.twin@example.com", "2 people of the directory have the address"),
        ("maya.chen@partner.example", "the address is not of a domain of the company"),
        ("maya.chen@example.com.partner.example", "the address is not of a domain of the company"),
        ("maya.chen@partner.example@example.com", "the address is not of a domain of the company"),
        ("maya.chen@sub.example.com", "the address is not of a domain of the company"),
        ("maya.chen@example.com ", "the address is not of a domain of the company"),
        ("maya.chen@example.com\n", "the address is not of a domain of the company"),
        ("dana.\N{KELVIN SIGN}@example.com", "the address is not of a domain of the company"),
        ("maya.chen", "the address is not of a domain of the company"),
        ("", "the address is not of a domain of the company"),
        ("x' or mail ne '@example.com", "the address is not of a domain of the company"),
        ("x'or'@example.com", "no people of the directory have the address"),
        ("gus.guest_partner.example#EXT#@example.com", None),
    ],
)
def test_whoever_is_not_one_person_hears_the_same_and_the_log_knows_why(world, caplog, email, reason):
    directory, user = world.directory(), ChatUser("slack", "T0LOCAL01", "U0", email)
    directory._identify = lambda asked: world.identify(replace(asked, user=asked.channel))
    if reason is None:
        assert directory.member(user, ()).person.oid == GUS
        return
    with pytest.raises(NotIdentified) as refused:
        directory.member(user, [DEV])
    assert str(refused.value) == UNIDENTIFIED
    assert reason in caplog.text
    assert "U0" in caplog.text
    assert not email or email not in caplog.text.replace("nobody's", "")


def test_a_stranger_to_the_company_is_refused_before_graph_hears_of_them(world):
    directory = world.directory()
    for email in ("maya.chen@partner.example", "nobody"):
        with pytest.raises(NotIdentified):
            directory.member(chat(email), [DEV])
    assert directory.find("maya.chen@partner.example") == ""
    assert (world.entra.calls, world.entra.connections) == ([], 0)


def test_without_domains_nobody_is_of_the_company(world):
    with pytest.raises(NotIdentified):
        world.directory(domains=()).member(MAYA_IN_CHAT, [DEV])


def test_a_chat_that_does_not_answer_is_unavailable(world):
    with pytest.raises(Unavailable, match="the chat does not answer"):
        world.directory().member(chat("down"), [DEV])


def test_one_person_s_mail_and_another_s_name_are_two_hits(world):
    world.entra.people.add(User(NEW, "Mia Chen", "mia@example.com", "maya.chen@example.com"))
    world.entra.people.alter(MAYA, upn="m.chen@example.com")
    with pytest.raises(NotIdentified):
        world.directory().member(MAYA_IN_CHAT, [DEV])


def test_an_address_with_a_quote_finds_its_own_person(world):
    world.entra.people.add(User(NEW, "Sean O'Brien", "o'brien@example.com", "sob@example.com"))
    assert world.directory().member(chat("o'brien@example.com"), ()).person == Person(NEW, "Sean O'Brien")


def test_a_plus_and_a_percent_reach_graph_as_they_are(world):
    world.entra.people.add(User(NEW, "Pia Plus", "pia+ml%20&x=1@example.com", "pia@example.com"))
    assert world.directory().find("pia+ml%20&x=1@example.com") == NEW


def test_somebody_who_vanished_is_nobody_and_forgotten(world, caplog):
    directory = world.warm()
    directory.find("maya.chen@example.com")
    world.entra.people.remove(MAYA)
    with pytest.raises(NotIdentified) as refused:
        directory.member(MAYA_IN_CHAT, [DEV])
    assert str(refused.value) == UNIDENTIFIED
    assert "not in the directory any more" in caplog.text
    world.entra.people.add(User(NEW, "Maya Chen", "maya.chen@example.com", "maya.chen@example.com"))
    assert directory.member(MAYA_IN_CHAT, ()).person.oid == NEW
    assert directory.find("maya.chen@example.com") == NEW


def test_somebody_who_vanishes_between_the_two_calls_is_nobody(world):
    directory = world.warm()
    gone = '{"error": {"code": "Request_ResourceNotFound"}}'
    for route in PAIR:
        response = Answer(404, gone.encode(), {"Content-Type": "application/json"})
        with answering(world, route, response), pytest.raises(NotIdentified):
            directory.member(MAYA_IN_CHAT, [DEV])


class answering:  # noqa: N801 - reads as a verb
    """Let one route answer something else for a while."""

    def __init__(self, world, route, response):
        self.site, self.route, self.response = world.entra._site, route, response

    def __enter__(self):
        self.sections = self.site._sections
        self.site._sections = tuple(
            replace(each, routes=[self.instead(route) for route in each.routes]) for each in self.sections
        )

    def instead(self, route):
        return replace(route, carry_out=lambda _: self.response) if route.name == self.route else route

    def __exit__(self, *_):
        self.site._sections = self.sections


# what is remembered, and what never


def test_a_chat_user_is_looked_up_again_after_ten_minutes(world):
    directory = world.warm()
    world.now += timedelta(minutes=9, seconds=59)
    directory.member(MAYA_IN_CHAT, ())
    assert world.called == ["user"]
    world.now += timedelta(seconds=1)
    directory.member(MAYA_IN_CHAT, ())
    assert world.called == ["user", "users", "user"]
    assert len(world.asked) == 2


def test_an_address_is_looked_up_again_after_ten_minutes(world):
    directory = world.directory()
    assert directory.find("maya.chen@example.com") == directory.find("Maya.Chen@example.com") == MAYA
    assert world.called == ["users"]
    world.now += timedelta(minutes=10)
    directory.find("maya.chen@example.com")
    assert world.called == ["users", "users"]


def test_what_is_remembered_of_an_address_does_not_prolong_what_is_known_of_a_chat_user(world):
    directory = world.directory()
    directory.find("maya.chen@example.com")
    world.now += timedelta(minutes=9)
    directory.member(MAYA_IN_CHAT, ())
    assert world.called == ["users", "users", "user"]


def test_state_kind_and_groups_are_asked_for_every_time(world):
    directory = world.warm()
    assert directory.member(MAYA_IN_CHAT, [DEV]).groups == {DEV}
    world.entra.people.leave(MAYA, DEV)
    world.now += timedelta(seconds=1)
    later = directory.member(MAYA_IN_CHAT, [DEV])
    assert (later.groups, later.checked_at) == (frozenset(), START + timedelta(seconds=1))
    world.entra.people.alter(MAYA, enabled=False, kind="Guest")
    changed = directory.member(MAYA_IN_CHAT, [DEV])
    assert (changed.enabled, changed.member) == (False, False)


def test_leaving_a_group_inside_the_group_counts_at_once(world):
    directory = world.warm()
    assert directory.member(MAYA_IN_CHAT, [UAT]).groups == {UAT}
    world.entra.people.leave(MAYA, RELEASE_MANAGERS)
    assert directory.member(MAYA_IN_CHAT, [UAT]).groups == frozenset()


def test_the_same_id_in_another_workspace_or_chat_is_somebody_else(world):
    directory = world.warm()
    directory.member(chat(MAYA_IN_CHAT.user, channel="C0OTHER"), ())
    assert len(world.asked) == 1
    directory.member(chat(MAYA_IN_CHAT.user, team="T0OTHER01"), ())
    directory.member(chat(MAYA_IN_CHAT.user, surface="teams"), ())
    assert len(world.asked) == 3


def test_nobody_is_remembered_as_nobody(world):
    directory = world.directory()
    assert directory.find("new@example.com") == ""
    with pytest.raises(NotIdentified):
        directory.member(chat("new@example.com"), ())
    world.entra.people.add(User(NEW, "Nia New", "new@example.com", "new@example.com"))
    assert directory.find("new@example.com") == directory.member(chat("new@example.com"), ()).person.oid == NEW


def test_an_address_of_two_people_is_nobody_s(world):
    assert world.directory().find("team.twin@example.com") == ""
    world.entra.people.remove(TWINS[0])
    assert world.directory().find("team.twin@example.com") == TWINS[1]


# what goes wrong in Graph


WRONG = {
    "forbidden": {"status": 403},
    "bad request": {"status": 400},
    "a 404 that is not Graph's": {"status": 404},
    "too many requests": {"status": 429, "retry_after": 60},
    "not available": {"status": 503},
    "empty": {"status": 204},
    "redirect": {"status": 302},
    "no json": {"error": "<html>"},
    "half a json": {"error": '{"id": "'},
    "a list": {"error": "[]"},
    "null": {"error": "null"},
    "an empty object": {"error": "{}"},
    "another shape": {"error": '{"id": 7, "value": {"id": 7}}'},
    "odd members": {"error": '{"id": "x", "value": [7, null, "x", {"id": "x"}]}'},
    "another person": {"error": f'{{"id": "{OMAR}", "value": [{{"id": "{OMAR}", "mail": "o@example.com"}}]}}'},
    "error with 200": {"error": '{"error": {"code": "Request_ResourceNotFound"}}'},
}


@pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG.keys())
def test_whatever_is_no_clear_answer_is_unavailable(world, caplog, fault):
    directory = world.directory()
    caplog.set_level(logging.DEBUG)
    for route in ("users", "user", "checkMemberGroups"):
        world.entra.faults.add(route, times=None, **fault)
        with pytest.raises(Unavailable, match=rf"Microsoft Graph .*\({route}: "):
            directory.member(MAYA_IN_CHAT, [DEV])
        world.entra.faults.clear()
        directory.member(MAYA_IN_CHAT, [DEV])
    assert not [record for record in caplog.records if record.exc_info]
    for secret in ("maya", "eyJ", world.entra.client_secret):
        assert secret not in caplog.text


@pytest.mark.parametrize("body", [b'{"error": "gone"}', b'{"error": {"code": 7}}', b"[]", b"gone"])
def test_an_error_that_is_not_drawn_as_graph_draws_it_is_unavailable(world, body):
    directory = world.warm()
    with answering(world, "user", Answer(404, body)), pytest.raises(Unavailable, match="HTTP 404"):
        directory.member(MAYA_IN_CHAT, ())


@pytest.mark.parametrize("route", ["users", "user", "checkMemberGroups"])
def test_a_connection_that_breaks_three_times_is_unavailable(world, caplog, route):
    directory = world.directory()
    world.entra.faults.add(route, status="reset", times=3)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as trouble:
        directory.member(MAYA_IN_CHAT, [DEV])
    assert world.called.count(route) == 3
    assert "maya" not in caplog.text + str(trouble.value)
    assert (trouble.value.__cause__, trouble.value.__suppress_context__) == (None, True)


@pytest.mark.parametrize("route", ["users", "user", "checkMemberGroups"])
def test_a_silence_is_unavailable_and_not_waited_for_twice(world, route):
    directory = world.directory(timeout=(2.0, 0.4))
    world.entra.faults.add(route, status=None, stall=5)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="ReadTimeout"):
        directory.member(MAYA_IN_CHAT, [DEV])
    assert time.monotonic() - started < 2


def test_graph_out_of_reach_is_unavailable(world):
    directory = world.warm()
    world.entra._server.stop()
    with pytest.raises(Unavailable, match="ConnectionError"):
        directory.member(MAYA_IN_CHAT, [DEV])


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"status": "reset"}], ids=str)
@pytest.mark.parametrize("route", ["users", "user", "checkMemberGroups", "token", "discovery"])
def test_a_short_trouble_is_overcome(world, route, fault):
    world.entra.faults.add(route, retry_after=0, **fault)
    assert world.directory().member(MAYA_IN_CHAT, [DEV]).groups == {DEV}
    statuses = [call.status for call in world.entra.calls if call.method == route]
    assert statuses == [{"reset": 0}.get(fault["status"], fault["status"]), 200]


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_of_the_server_is_tried_again(world, status):
    directory = world.warm()
    world.entra.faults.add("checkMemberGroups", status=status)
    assert directory.member(MAYA_IN_CHAT, [DEV]).groups == {DEV}


def test_a_wait_that_graph_asks_for_is_waited_for(world):
    directory = world.warm()
    world.entra.faults.add("user", status=429, retry_after=1)
    directory.member(MAYA_IN_CHAT, ())
    first, second = world.entra.calls
    assert second.started - first.ended >= 1


def test_a_wait_that_is_too_long_is_not(world):
    directory = world.warm()
    world.entra.faults.add("user", status=429, retry_after=6)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="HTTP 429, TooManyRequests"):
        directory.member(MAYA_IN_CHAT, ())
    assert world.called == ["user"]
    assert time.monotonic() - started < 2


def test_all_waits_of_one_request_together_are_bounded():
    pool = HTTPSConnectionPool("graph.example")
    patient = PatientRetry(total=5, allowed_methods=None, status_forcelist=[503], raise_on_status=False)
    asked = HTTPResponse(status=503, headers={"Retry-After": str(int(MOST_WAIT / 2))})
    twice = patient
    for _ in range(2):
        twice = twice.increment("GET", "/", asked, _pool=pool)
    assert twice.waited <= MOST_WAIT
    with pytest.raises(MaxRetryError):
        twice.increment("GET", "/", asked, _pool=pool)


def test_a_lack_of_permissions_is_logged_with_what_to_do(world, caplog):
    world.entra.app.roles = frozenset({"User.Read.All"})
    with pytest.raises(Unavailable, match="HTTP 403, Authorization_RequestDenied, request-id"):
        world.directory().member(MAYA_IN_CHAT, [DEV])
    assert [record.levelname for record in caplog.records if "GroupMember.Read.All" in record.message] == ["ERROR"]


# the bot's own token


def tokens(world):
    return [call.method for call in world.entra.calls].count("token")


def test_one_token_serves_until_it_runs_out(world):
    directory = world.directory()
    for _ in range(3):
        directory.member(MAYA_IN_CHAT, [DEV])
    assert tokens(world) == 1
    world.entra.login.token_life = 60
    short_lived = world.directory()
    short_lived.find("maya.chen@example.com")
    short_lived.find("omar.haddad@example.com")
    assert tokens(world) == 3


def test_a_token_that_graph_refuses_is_replaced_once_for_both_calls(world):
    directory = world.warm()
    world.entra.login.rotate_key()
    world.entra.faults.add("*", status=None, stall=0.15, times=None)  # both are on their way with the old one
    assert directory.member(MAYA_IN_CHAT, [DEV]).groups == {DEV}
    assert tokens(world) == 1
    assert sorted(world.called) == ["checkMemberGroups", "checkMemberGroups", "user", "user"]


def test_a_fresh_token_that_graph_refuses_too_is_unavailable(world, caplog):
    directory = world.warm()
    world.entra.faults.add("user", status=401, times=None)
    with pytest.raises(Unavailable, match="HTTP 401"):
        directory.member(MAYA_IN_CHAT, ())
    assert [call.method for call in world.entra.calls] == ["user", "token", "user"]
    assert "ERROR" in {record.levelname for record in caplog.records}


def test_threads_that_need_a_token_together_fetch_one(world):
    token, got = world.token(), []
    world.entra.faults.add("token", status=None, stall=0.1)
    threads = [threading.Thread(target=lambda: got.append(token.current())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(set(got)), tokens(world)) == (4, 1, 1)


def refusal(token, caplog):
    """The levels and the text of the log after a token was not to be had."""
    with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable, match="Microsoft Entra gives the bot no access"):
        token.current()
    own = [record for record in caplog.records if record.name == "bot.entra.token"]
    return [record.levelname for record in own], "\n".join(record.message for record in own)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        ({"credential": Fixed("wrong-secret-value")}, "put a valid one of the app into the settings"),
        ({"client_id": NEW}, "compare client id and tenant"),
        ({"scope": "https://graph.microsoft.us/.default"}, "must be of the same cloud"),
    ],
)
def test_a_wrong_setting_is_unavailable_and_the_log_says_what_to_do(world, caplog, settings, advice):
    levels, text = refusal(world.token(**settings), caplog)
    assert levels == ["ERROR", "WARNING"]
    assert advice in text
    assert "AADSTS" in text
    assert "wrong-secret-value" not in caplog.text


@pytest.mark.parametrize("settings", [{"tenant": NEW}, {"authority": "http://login.example"}], ids=str)
def test_an_authority_that_is_none_is_unavailable(world, caplog, settings):
    assert refusal(world.token(**settings), caplog)[0] == ["WARNING"]


BROKEN = ["<html>", "[]", "{}", "null", "7", '"x"', '{"access_token": 7}', '{"access_token": ""}', '{"error": null}']


@pytest.mark.parametrize("body", BROKEN)
@pytest.mark.parametrize("route", ["discovery", "token"])
def test_an_answer_that_is_no_token_is_unavailable(world, caplog, route, body):
    world.entra.faults.add(route, error=body)
    assert refusal(world.token(), caplog)[0] == ["WARNING"]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 429, "retry_after": 60}, {"status": "reset"}], ids=str)
@pytest.mark.parametrize("route", ["discovery", "token"])
def test_an_entra_that_does_not_answer_is_unavailable(world, caplog, route, fault):
    world.entra.faults.add(route, times=3, **fault)
    assert refusal(world.token(), caplog)[0] == ["WARNING"]


def test_a_silent_entra_is_unavailable(world, caplog):
    world.entra.faults.add("token", status=None, stall=5)
    token = world.token(world.session(timeout=(2.0, 0.4)))
    assert "ReadTimeout" in refusal(token, caplog)[1]
    world.entra.faults.clear()


def test_a_start_while_entra_is_down_does_no_harm_later(world, caplog):
    token = world.token()
    world.entra.faults.add("discovery", status=503, times=3)
    refusal(token, caplog)
    assert token.current().startswith("eyJ")


@pytest.mark.parametrize("body", ['{"error": null}', '{"error": 7}', '{"error": "o\\nd"}'])
def test_an_answer_that_msal_stumbles_over_is_stumbled_over_twice_at_most(world, caplog, body):
    token = world.token()
    world.entra.faults.add("token", error=body)
    for _ in range(2):
        refusal(token, caplog)
    assert token.current().startswith("eyJ")


def test_half_a_token_is_not_logged(world, caplog):
    world.entra.faults.add("token", error='{"access_token": "eyJhbGciOi')
    refusal(world.token(), caplog)
    assert "eyJ" not in caplog.text


# whom the session trusts


ENVIRONMENT = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


def test_the_environment_does_not_change_whom_we_trust_nor_the_way_there(world, monkeypatch, tmp_path):
    (tmp_path / "empty.pem").touch()
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, str(tmp_path / "empty.pem"))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("MSAL_FORCE_REGION", "westeurope")
    assert world.directory().member(MAYA_IN_CHAT, [DEV]).groups == {DEV}


def test_the_environment_cannot_add_a_ca(world, monkeypatch):
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, world.entra.ca_bundle)
    with pytest.raises(Unavailable), Entra() as other:
        world.directory(ca_bundle=other.ca_bundle).find("maya.chen@example.com")
    with pytest.raises(Unavailable):
        world.directory(ca_bundle="").find("maya.chen@example.com")
    assert world.entra.calls == []


def test_a_proxy_is_used_when_it_is_named(world):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def listen():
            for _ in range(3):
                with proxy.accept()[0] as connection:
                    heard.append(connection.recv(1000).split(b"\r\n")[0])

        threading.Thread(target=listen, daemon=True).start()
        with pytest.raises(Unavailable):
            world.directory(proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}").find("maya.chen@example.com")
    assert heard[0].startswith(f"CONNECT {world.entra.authority.removeprefix('https://')} ".encode())
    assert world.entra.calls == []


@pytest.fixture
def site(tmp_path):
    """A site that redirects, sets cookies and is slow."""
    cookie = {"Set-Cookie": "flow=1; Path=/; Secure", "Content-Length": "0"}
    routes = (
        Route("here", "GET", "/here", lambda _: Answer(302, b"", {"Location": "/there"})),
        Route("there", "GET", "/there", lambda request: Answer(200, request.headers.get("cookie", "").encode())),
        Route("cookie", "GET", "/cookie", lambda _: Answer(200, b"", cookie)),
        Route("slow", "GET", "/slow", lambda _: Answer(200)),
    )
    server = Server(tmp_path)
    site = Site([Section("site", routes, lambda status, _: Answer(status))])
    server.start(site)
    with open_session(ca_bundle=str(server.ca_bundle), timeout=(2.0, 0.2)) as session:
        yield session, f"https://127.0.0.1:{server.port}", site
    server.stop()


def test_a_redirect_is_not_followed_even_by_a_caller_who_would(site):
    session, url, served = site
    with pytest.raises(requests.TooManyRedirects):
        session.get(f"{url}/here", headers={"Authorization": "Bearer secret"}, allow_redirects=True)
    assert [call.method for call in served.calls] == ["here"]


def test_cookies_are_not_kept(site):
    session, url, _ = site
    assert "flow" in session.get(f"{url}/cookie").headers["set-cookie"]
    assert session.get(f"{url}/there").text == ""


def test_a_caller_who_sets_no_time_out_has_one(site):
    session, url, served = site
    served.faults.add("slow", status=None, stall=0.5, times=2)
    with pytest.raises(requests.ReadTimeout):
        session.get(f"{url}/slow")
    assert session.get(f"{url}/slow", timeout=5).ok


def test_nothing_travels_in_the_clear(site):
    session, _, _ = site
    with pytest.raises(requests.exceptions.InvalidSchema):
        session.get("http://login.example/")


# everybody of a group


def within(world, group):
    return [(each.person.name, each.address) for each in world.directory().within(group)]


def test_the_people_of_a_group_are_its_enabled_members_by_name(world):
    expected = [("Maya Chen", "maya.chen@example.com"), ("Omar Haddad", "omar.haddad@example.com")]
    assert within(world, DEV) == expected, "without the guest and the leaver"
    assert within(world, UAT) == expected, "through another group too"
    assert world.directory().within(NEW) == []


def test_somebody_without_an_address_is_there_all_the_same(world):
    world.entra.people.alter(OMAR, mail=None)
    assert within(world, DEV)[1] == ("Omar Haddad", "")


def test_a_group_is_one_call_however_many_are_in_it(world):
    users = [
        User(f"00000000-0000-4000-8000-00000001{number:04d}", f"Person {number}", None, f"p{number}@example.com")
        for number in range(150)
    ]
    world.entra.people.add(*users)
    for user in users:
        world.entra.people.join(user.oid, DEV)
    directory = world.warm()
    assert len(directory.within(DEV)) == 152
    assert world.called == ["transitiveMembers"]


@pytest.mark.parametrize(
    "body",
    [
        '{"value": "no list"}',
        '{"value": ["x"]}',
        '{"value": [{"@odata.type": "#microsoft.graph.user", "id": "x"}]}',
        "no JSON",
    ],
)
def test_members_that_are_no_clear_answer_are_unavailable(world, body):
    directory = world.warm()
    world.entra.faults.add("transitiveMembers", error=body)
    with pytest.raises(Unavailable):
        directory.within(DEV)


def test_what_is_in_a_group_and_no_person_is_told_nothing(world):
    """Whatever else may be in a group, it answers to no account: a group, a device, an application."""
    directory = world.warm()
    person = {"id": MAYA, "displayName": "Maya", "mail": "m@example.com", "accountEnabled": True, "userType": "Member"}
    kinds = ("user", "group", "device", "servicePrincipal")
    body = {"value": [{"@odata.type": f"#microsoft.graph.{kind}", **person} for kind in kinds]}
    world.entra.faults.add("transitiveMembers", status=200, error=json.dumps(body))
    assert [each.person.oid for each in directory.within(DEV)] == [MAYA]
