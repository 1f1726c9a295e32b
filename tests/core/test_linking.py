"""Tying a chat account to a person: the right one, once, in time; else with an administrator, or not at all."""

from dataclasses import replace

import pytest

from bot.domain import ChatUser, RequestId
from bot.errors import BrokenLink, LinkExpired, NotAnApprover, NotIdentified, Unavailable
from bot.linking import USED, Linking, OthersLink
from bot.links import Links
from bot.names import Names
from bot.people import Binding, People
from bot.seals import ConfirmLink, LinkingLink, Seals
from tests.memory import ManualClock, MemoryDirectory, MemoryParameters, MemorySealer
from tests.proofs.world import policy_of

PAGES = "https://approvals.example.com"
ADMINISTRATORS = "00000000-0000-4000-8000-00000000ad01"
POLICY = replace(policy_of(("dev",), dev='identity = "linked"'), administrators=ADMINISTRATORS)
ACCOUNT = ChatUser("slack", "T1", "U0MAYA", "C0MODELS00")
CALLED = "@maya in the Slack workspace acme"
ADDRESS = "Maya.Chen@example.com"
REQUEST = RequestId("churn", 7, "dev", 1)


def web(user):
    return ChatUser("web", "tenant", f"oid-{user}", oid=f"oid-{user}")


MAYA, OMAR, ADA, BEN, GUS, DEE = map(web, ("maya", "omar", "ada", "ben", "gus", "dee"))


class Page:
    """What the page does with a link: open it, then look or bind."""

    def __init__(self, policy=POLICY):
        self.clock = ManualClock()
        self.directory = MemoryDirectory(self.clock)
        self.people = People(MemoryParameters(), Names("/model-approvals"))
        self.seals = Seals(MemorySealer(), self.clock)
        self.links = Links(PAGES, self.seals, self.clock)
        self.linking = Linking(policy, self.people, self.directory, self.links, self.clock)
        for user in ("ada", "ben"):
            self.directory.add(user, ADMINISTRATORS)
        self.directory.add("maya")
        self.directory.add("omar")
        self.directory.add("gus", member=False)
        self.directory.add("dee", enabled=False)
        for user in ("maya", "gus", "dee"):
            self.called(user, "maya.chen@example.com", "maya@tenant.example.com")

    def called(self, user, *addresses):
        self.directory.people[user] = replace(self.directory.people[user], addresses=frozenset(addresses))

    def press(self, email=ADDRESS, account=ACCOUNT) -> str:
        """The sealed link that somebody gets who presses a button in the chat."""
        return self.links.linking(account, CALLED, email, REQUEST).partition("?t=")[2]

    def look(self, sealed, by):
        return self.linking.look(self.seals.open(LinkingLink, sealed), by)

    def bind(self, sealed, by):
        return self.linking.bind(self.seals.open(LinkingLink, sealed), by)

    def claim(self, by=MAYA, email="other@example.org") -> str:
        """The sealed link for an administrator, as the page gives it to whoever has another address."""
        with pytest.raises(OthersLink) as caught:
            self.bind(self.press(email), by)
        path, _, sealed = caught.value.url.partition("?t=")
        assert path == f"{PAGES}/confirm"
        return sealed

    def look_over(self, sealed, by):
        return self.linking.look_over(self.seals.open(ConfirmLink, sealed), by)

    def confirm(self, sealed, by):
        return self.linking.confirm(self.seals.open(ConfirmLink, sealed), by)

    def person(self):
        """Who the account is by now."""
        found = self.people.binding(ACCOUNT)
        return found.oid if found else ""


@pytest.fixture
def page():
    return Page()


# ------------------------------------------------------------------------------------------------- the same address


@pytest.mark.parametrize("email", [ADDRESS, "maya.chen@example.com", "MAYA@TENANT.EXAMPLE.COM"])
def test_an_account_with_the_persons_address_is_linked(page, email):
    sealed = page.press(email)
    assert page.look(sealed, MAYA).person.name == "Maya"
    assert page.person() == "", "looking binds nothing"
    bound = page.bind(sealed, MAYA)
    assert (bound.oid, bound.name, bound.confirmed_by) == ("oid-maya", "Maya", "")
    assert page.person() == "oid-maya"


def test_the_link_binds_the_account_that_asked_and_no_other(page):
    page.bind(page.press(), MAYA)
    assert page.people.binding(replace(ACCOUNT, user="U0OMAR")) is None


# ------------------------------------------------------------------------------------------------ opened by another


def test_a_link_that_somebody_else_opens_binds_nothing(page):
    sealed = page.press()
    for call in (page.look, page.bind):
        with pytest.raises(OthersLink) as caught:
            call(sealed, OMAR)
        assert CALLED in str(caught.value)
        assert "another address than Omar, so it was not linked" in str(caught.value)
        assert "?t=" not in str(caught.value)
    assert page.person() == ""


def test_whose_link_it_was_can_still_use_it(page):
    sealed = page.press()
    with pytest.raises(OthersLink):
        page.bind(sealed, OMAR)
    page.bind(sealed, MAYA)
    assert page.person() == "oid-maya"


@pytest.mark.parametrize("email", ["", "maya.chen@example.org", "maya.chen@example.com ", "chen@example.com", "@"])
def test_an_account_without_the_persons_address_is_not_linked(page, email):
    with pytest.raises(OthersLink):
        page.bind(page.press(email), MAYA)
    assert page.person() == ""


@pytest.mark.parametrize("addresses", [(), ("",)])
def test_somebody_without_any_address_is_linked_to_no_account(page, addresses):
    page.called("omar", *addresses)
    for email in ("", ADDRESS):
        with pytest.raises(OthersLink):
            page.bind(page.press(email), OMAR)


# ------------------------------------------------------------------------------------- guests, disabled, no answer


@pytest.mark.parametrize(("by", "words"), [(GUS, "is a guest"), (DEE, "is disabled")])
def test_guests_and_disabled_accounts_are_not_linked_whatever_their_address(page, by, words):
    for call in (page.look, page.bind):
        with pytest.raises(NotAnApprover, match=words):
            call(page.press(), by)
    assert page.person() == ""


def test_whoever_is_in_no_directory_is_not_linked(page):
    with pytest.raises(NotIdentified):
        page.bind(page.press(), web("eve"))


def test_whoever_was_disabled_since_the_look_is_not_linked(page):
    sealed = page.press()
    page.look(sealed, MAYA)
    page.directory.people["maya"] = replace(page.directory.people["maya"], enabled=False)
    with pytest.raises(NotAnApprover):
        page.bind(sealed, MAYA)
    assert page.person() == ""


def test_while_the_directory_does_not_answer_nothing_is_linked(page):
    page.directory.down = True
    with pytest.raises(Unavailable):
        page.bind(page.press(), MAYA)
    assert page.person() == ""


# ------------------------------------------------------------------------------------------------- once, and in time


def test_a_link_works_once(page):
    sealed = page.press()
    page.bind(sealed, MAYA)
    for call in (page.look, page.bind):
        with pytest.raises(LinkExpired) as caught:
            call(sealed, MAYA)
        assert str(caught.value) == USED


def test_a_used_link_is_used_for_everybody(page):
    sealed = page.press()
    page.bind(sealed, MAYA)
    page.called("omar", "maya.chen@example.com")
    with pytest.raises(LinkExpired):
        page.bind(sealed, OMAR)
    assert page.person() == "oid-maya"


def test_one_use_ends_every_link_that_was_asked_for_before(page):
    first, second = page.press(), page.press()
    page.bind(second, MAYA)
    with pytest.raises(LinkExpired):
        page.bind(first, MAYA)


def test_a_link_that_was_asked_for_later_links_anew(page):
    page.bind(page.press(), MAYA)
    page.called("omar", "maya.chen@example.com")
    page.bind(page.press(), OMAR)
    assert page.person() == "oid-omar"


def test_a_link_holds_for_fifteen_minutes(page):
    sealed = page.press()
    page.clock.advance(minutes=14, seconds=59)
    page.look(sealed, MAYA)
    page.clock.advance(seconds=1)
    with pytest.raises(LinkExpired):
        page.bind(sealed, MAYA)
    assert page.person() == ""


def test_a_link_to_an_administrators_page_is_none_for_the_person(page):
    with pytest.raises(BrokenLink):
        page.bind(page.claim(), MAYA)
    with pytest.raises(BrokenLink):
        page.confirm(page.press(), ADA)


# ----------------------------------------------------------------------------------------------- with an administrator


def test_an_administrator_confirms_an_account_with_another_address(page):
    sealed = page.claim()
    assert page.look_over(sealed, ADA).person.name == "Ada"
    assert page.person() == "", "looking binds nothing"
    bound = page.confirm(sealed, ADA)
    assert (bound.oid, bound.name, bound.confirmed_by) == ("oid-maya", "Maya", "oid-ada")
    assert page.person() == "oid-maya"


def test_the_refusal_says_who_confirms(page):
    with pytest.raises(OthersLink, match=f"link below to a member of the administrators group {ADMINISTRATORS}"):
        page.bind(page.press("other@example.org"), MAYA)


@pytest.mark.parametrize("by", [OMAR, web("priya")])
def test_nobody_outside_of_the_administrators_confirms(page, by):
    page.directory.add("priya", "another group")
    for call in (page.look_over, page.confirm):
        with pytest.raises(NotAnApprover, match=r"cannot confirm this link\. Ask a member of the administrators group"):
            call(page.claim(), by)
    assert page.person() == ""


def test_an_administrator_does_not_confirm_a_link_of_their_own(page):
    sealed = page.claim(by=ADA)
    for call in (page.look_over, page.confirm):
        with pytest.raises(NotAnApprover, match="Nobody confirms a link of their own"):
            call(sealed, ADA)
    assert page.person() == ""
    page.confirm(sealed, BEN)
    assert page.person() == "oid-ada"


def test_an_administrator_does_not_tie_an_account_of_their_own_to_somebody_else(page):
    page.called("ada", "ada@example.com")
    sealed = page.claim(by=MAYA, email="Ada@example.com")
    with pytest.raises(NotAnApprover, match="Nobody confirms a link of their own"):
        page.confirm(sealed, ADA)
    assert page.person() == ""


@pytest.mark.parametrize(("changes", "words"), [({"member": False}, "guest"), ({"enabled": False}, "disabled")])
def test_an_administrator_who_is_no_enabled_member_confirms_nothing(page, changes, words):
    page.directory.people["ada"] = replace(page.directory.people["ada"], **changes)
    with pytest.raises(NotAnApprover, match=words):
        page.confirm(page.claim(), ADA)
    assert page.person() == ""


@pytest.mark.parametrize("by", [ADA, OMAR])
def test_without_a_group_of_administrators_nobody_confirms(by):
    page = Page(replace(POLICY, administrators=""))
    with pytest.raises(OthersLink, match="a platform engineer: no group may confirm"):
        page.bind(page.press("other@example.org"), MAYA)
    with pytest.raises(NotAnApprover, match="no group may confirm"):
        page.confirm(page.claim(), by)
    assert page.person() == ""


def test_a_confirmation_works_once(page):
    sealed = page.claim()
    page.confirm(sealed, ADA)
    for call in (page.look_over, page.confirm):
        with pytest.raises(LinkExpired) as caught:
            call(sealed, ADA)
        assert str(caught.value) == USED


def test_a_claim_is_void_once_the_account_was_linked_otherwise(page):
    sealed = page.claim(by=OMAR, email=ADDRESS)
    page.bind(page.press(), MAYA)
    with pytest.raises(LinkExpired):
        page.confirm(sealed, ADA)
    assert page.person() == "oid-maya"


def test_a_confirmation_may_take_a_weekend_and_no_longer(page):
    sealed = page.claim()
    page.clock.advance(days=2, hours=23)
    page.look_over(sealed, ADA)
    page.clock.advance(hours=1)
    with pytest.raises(LinkExpired):
        page.confirm(sealed, ADA)
    assert page.person() == ""


def test_an_unreadable_link_is_no_use_of_it(page):
    sealed = page.press()
    page.people.bind(ACCOUNT, Binding("", "", page.clock()))
    page.bind(sealed, MAYA)
    assert page.person() == "oid-maya"
