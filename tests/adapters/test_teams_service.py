"""Where the bot's token may go: to the hosts of the settings alone, whatever an activity calls its service URL."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError
from urllib3.util import parse_url

from bot.errors import Unavailable
from bot.teams.app import dispatch
from bot.teams.connector import Connector
from bot.teams.service import Services
from tests.adapters.teams_examples import APP, TENANT, House, Keyring, activity, http, open_teams, settle

HOST, GOVERNMENT = "smba.trafficmanager.net", "smba.infra.gov.teams.microsoft.us:8443"
HOSTS = (HOST, GOVERNMENT)
REACHED = {("https", HOST, 443), ("https", "smba.infra.gov.teams.microsoft.us", 8443)}
GOOD = (
    f"https://{HOST}/teams/", f"https://{HOST}/emea", f"https://{HOST}/amer/{TENANT}/", f"https://{HOST}/in/{TENANT}",
    f"https://{GOVERNMENT}/gcch/",
)  # fmt: skip
SCHEMES = ("http", "HTTPS", "HtTps", "ftp", "ws", "file", "javascript", "https:", "", "//", "https\t", " https")
AUTHORITIES = (
    # somebody else's
    "evil.example", "127.0.0.1", "localhost", "169.254.169.254", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1",
    "smba.trafficmanager.net.evil.example", "evil-smba.trafficmanager.net", "x.smba.trafficmanager.net",
    "smba.trafficmanager.net.", "smba.trafficmanager.net..", ".smba.trafficmanager.net", "smba.trafficmanager.com",
    "smba-trafficmanager.net", "smbaxtrafficmanager.net", "smbatrafficmanager.net", "trafficmanager.net",
    # who is before the @, and who behind
    "smba.trafficmanager.net@evil.example", "smba.trafficmanager.net:443@evil.example", "evil@smba.trafficmanager.net",
    "smba.trafficmanager.net%40evil.example", "evil.example@smba.trafficmanager.net@evil.example", "@evil.example",
    "smba.trafficmanager.net:x@evil.example", ":@smba.trafficmanager.net", "@smba.trafficmanager.net",
    # ports
    "smba.trafficmanager.net:443", "smba.trafficmanager.net:8443", "smba.trafficmanager.net:80",
    "smba.trafficmanager.net:", "smba.trafficmanager.net:0443", "smba.trafficmanager.net:443:443",
    "smba.infra.gov.teams.microsoft.us", "smba.infra.gov.teams.microsoft.us:443", f"{GOVERNMENT}0",
    # how hosts may be spelt
    "SMBA.TRAFFICMANAGER.NET", "Smba.trafficmanager.net", "xn--smba-9na.trafficmanager.net",
    "smba.trafficmanager\u3002net", "smba\uff0etrafficmanager.net", "smb\u0430.trafficmanager.net",
    "smba.trafficmanager.\uff4eet", "smba%2etrafficmanager.net", "smba.trafficmanager.net%00.evil.example",
    "smba.trafficmanager.net\x00.evil.example", "smba.trafficmanager.net\n.evil.example", "smba.trafficmanager.net\t",
    " smba.trafficmanager.net", "smba.trafficmanager.net ", "smba.traffic\u00admanager.net",
    "\u202esmba.trafficmanager.net",
    "smba.trafficmanager.net\r\nHost: evil.example",
    # backslashes and what else may end a host
    "evil.example\\@smba.trafficmanager.net", "smba.trafficmanager.net\\@evil.example", "evil.example\\",
    "smba.trafficmanager.net\\.evil.example", "evil.example#@smba.trafficmanager.net",
    "evil.example?@smba.trafficmanager.net", "evil.example/smba.trafficmanager.net",
    "evil.example;smba.trafficmanager.net",
    "/smba.trafficmanager.net", "\\\\smba.trafficmanager.net", "smba.trafficmanager.net,evil.example", "",
)  # fmt: skip
PATHS = (
    "", "/", "//", "/t/", "//evil.example/", "/teams//", "/teams/x/y/", "/teams/../", "/teams/..", "/../", "/./teams/",
    "/teams/%2e%2e/", "/%2e%2e/", "/teams\\", "\\teams", "/teams/\\", "/teams?x=1", "/teams/?x=1", "/teams#x",
    "/teams/#",
    "/teams;x", "/teams/@evil.example", "/te ams/", "/teams/\n", "/teams/\r\n", "\n/teams/", "/teams/\x00", "/teäms/",
    "/t\u0435ams/", f"/{'x' * 41}/", f"/emea/{'x' * 300}/", "/teams/\u2060", "/teams/x\u200b/", ":443/teams/",
    "?/teams/",
    "#/teams/", "@evil.example/teams/", ".evil.example/teams/", "%2f@evil.example/teams/",
)  # fmt: skip
BAD = (
    *(f"{scheme}://{HOST}/teams/" for scheme in SCHEMES),
    *(f"https:{HOST}/teams/", f"https:/{HOST}/teams/", f"https:///{HOST}/teams/", f"https:\\\\{HOST}\\teams\\"),
    *(f"//{HOST}/teams/", f"{HOST}/teams/", f"https://{HOST}", f" https://{HOST}/teams/", f"https://{HOST}/teams/ "),
    *(f"https://{name}/teams/" for name in AUTHORITIES),
    *(f"https://{name}/emea/{TENANT}/" for name in AUTHORITIES),
    *(f"https://{HOST}{path}" for path in PATHS),
    *(f"https://{GOVERNMENT}{path}" for path in PATHS),
)


class Wires(PoolManager):
    """Notes where urllib3 would connect to, as it understands an address, and connects nowhere."""

    def __init__(self):
        super().__init__()
        self.reached = set()

    def connection_from_host(self, host, port=None, scheme="http", pool_kwargs=None):
        self.reached.add((scheme, host, port or {"https": 443, "http": 80}.get(scheme)))
        raise HTTPError("nothing is connected here")


@pytest.fixture(scope="module")
def house():
    with open_teams() as teams:
        yield House(settle(teams))


def connector(wires, url=""):
    return Connector(
        wires, Keyring(), app_id=APP, tenant=TENANT, service=lambda: url, services=Services(HOSTS), timeout=1
    )


def asked_for_help(house, url):
    """Send a message of a person, with an honest token for this service URL; give the status, and what was reached."""
    wires = Wires()
    door = house.door_at(house.teams.keys_url, Services(HOSTS), connector(wires))
    said = {"authorization": f"Bearer {house.token(url)}"}
    answer = dispatch(door, http(json.dumps(activity(url, "message", text="help")), headers=said))
    return answer["statusCode"], wires.reached


@pytest.mark.parametrize("url", GOOD)
def test_an_activity_is_answered_where_it_came_from(house, url):
    status, reached = asked_for_help(house, url)
    assert status == 200
    assert len(reached) == 1
    assert reached <= REACHED


def test_two_hundred_other_service_urls_reach_nothing(house):
    assert len(set(BAD)) >= 200
    found = {url: asked_for_help(house, url) for url in set(BAD)}
    assert {url: each for url, each in found.items() if each != (403, set())} == {}


def test_a_service_url_of_the_settings_is_checked_as_well():
    for url in ("", "https://evil.example/teams/", f"http://{HOST}/teams/"):
        wires = Wires()
        for call in (
            lambda each: each.post_root("19:x@thread.tacv2", {}),
            lambda each: each.reply("19:x@thread.tacv2", {}),
            lambda each: each.update("19:x@thread.tacv2", "1", {}),
            lambda each: each.private("29:1x", {}),
        ):
            with pytest.raises(Unavailable, match="none of those that the settings allow"):
                call(connector(wires, url))
        assert wires.reached == set()


@given(st.text(alphabet="htps:/@.\\#?%0:-[]smbatrficmngerv \n", max_size=60), st.sampled_from(("", *GOOD)))
@settings(max_examples=400)
def test_whatever_is_allowed_leads_to_an_allowed_host(text, before):
    url = before + text
    if Services(HOSTS).allow(url):
        parts = parse_url(url)
        assert (parts.scheme, parts.host, parts.port or 443) in REACHED
        assert parts.auth is None


@pytest.mark.parametrize("url", [None, 7, ["https://smba.trafficmanager.net/teams/"], b"https://x/teams/"])
def test_what_is_no_text_is_no_address(url):
    assert not Services(HOSTS).allow(url)


def test_without_hosts_nothing_is_allowed():
    assert not Services(()).allow("https:///teams/")
