"""An approval is taken back on its page: by approvers, with a reason, and with what follows said before and after."""

import pytest

from bot.clicks import ActJob
from bot.domain import ModelVersion, State
from bot.line import plain
from tests.adapters.web_examples import Browser, Town, administered
from tests.proofs.world import policy_of

MODEL = ModelVersion("churn", 1)
REQUEST = "/requests/churn/1/dev/1"
PAGE = "/revoke/churn/1/dev/1"


def approved(*environments, versions=1):
    """A town in which the versions are approved for these environments, one after the other."""
    town = Town(administered(policy_of(environments or ("dev", "test"))))
    for version in range(1, versions + 1):
        town.register(version)
        for environment in environments or ("dev",):
            town.answer("maya", f"churn/{version}/{environment}/1")
    return town


@pytest.fixture
def town():
    return approved()


@pytest.fixture
def maya(town):
    return Browser(town, "maya")


def revoked(town, browser, reason="drifts in use"):
    """Press it, have it carried out, and give the page that says so."""
    sent = browser.press(browser.get(PAGE), "revoke", reason=reason)
    assert sent.status == 303
    town.world.drain()
    return browser.get(sent.location)


def thread(town, environment="dev", version=1):
    one = town.world.state(ModelVersion("churn", version)).current(environment)
    [card] = [each for each in town.world.channel.messages.values() if each.card.request == one.id]
    return [plain(line) for line in card.replies]


def test_an_approver_takes_an_approval_back_with_a_reason(town, maya):
    assert PAGE in maya.get(REQUEST).links
    page = maya.get(PAGE)
    assert "Revoke churn v1 for dev?" in page.text
    assert "dev then loads the newest other approval that stands" in page.text
    assert "The request for test ends." in page.text
    done = revoked(town, maya)
    assert "Your revoke is recorded" in done.text
    assert "The approval of churn v1 for dev is taken back." in done.text
    state = town.world.state(MODEL)
    assert (state.current("dev").state, state.current("test").state) == (State.REVOKED, State.ENDED)
    assert town.world.pointer("dev") is None
    assert thread(town)[-1] == "Maya revoked churn v1 for dev: drifts in use. Nothing is approved for dev any more."
    assert PAGE not in maya.get(REQUEST).links


def test_what_is_loaded_instead_is_said_before_and_after():
    town = approved("dev", versions=2)
    maya = Browser(town, "maya")
    page = maya.get("/revoke/churn/2/dev/1")
    assert "dev then loads the newest other approval that stands" in page.text
    maya.press(page, "revoke", reason="drifts!")
    town.world.drain()
    assert town.world.pointer("dev") == 1
    assert thread(town, version=2)[-1] == "Maya revoked churn v2 for dev: drifts! dev loads v1 now."


def test_an_older_approval_changes_nothing_that_is_loaded():
    town = approved("dev", versions=2)
    maya = Browser(town, "maya")
    assert "goes on with what it loads" in maya.get(PAGE).text
    revoked(town, maya)
    assert town.world.pointer("dev") == 2
    assert thread(town)[-1].endswith("dev loads v2 now.")


def test_later_approvals_stay_and_are_offered():
    town = approved("dev", "test")
    maya = Browser(town, "maya")
    page = maya.get(PAGE)
    assert "It stays approved for test." in page.text
    assert "/revoke/churn/1/test/1" in page.links
    revoked(town, maya)
    assert town.world.pointer("test") == 1


def test_a_version_is_rolled_back_to_by_asking_for_it_again():
    town = approved("dev", versions=2)
    maya = Browser(town, "maya")
    maya.press(maya.get("/ask/churn/1/dev"), "ask")
    town.world.drain()
    town.answer("maya", "churn/1/dev/2")
    assert town.world.pointer("dev") == 1
    assert town.world.state(ModelVersion("churn", 2)).standing("dev"), "nothing was taken from version 2"


@pytest.mark.parametrize("reason", ["", "  \n "])
def test_without_a_reason_nothing_is_taken_back(town, maya, reason):
    page = maya.press(maya.get(PAGE), "revoke", reason=reason)
    assert page.status == 422
    assert "This needs a reason" in page.text
    assert town.jobs() == []
    assert 'aria-invalid="true"' in page.body


def test_a_reason_that_is_too_long_is_given_back(town, maya):
    page = maya.press(maya.get(PAGE), "revoke", reason="x" * 2001)
    assert page.status == 422
    assert "x" * 2001 in page.body
    assert town.jobs() == []


@pytest.mark.parametrize(("user", "status"), [("eli", 403), ("gus", 403), ("dora", 403)])
def test_who_is_no_approver_takes_nothing_back(town, user, status):
    browser = Browser(town, user)
    page = browser.get(PAGE)
    assert page.status == status
    assert "revoke" not in page.actions


def test_who_lost_the_right_meanwhile_is_told(town, maya):
    page = maya.get(PAGE)
    town.world.directory.people["maya"] = town.world.directory.people["eli"]
    assert maya.press(page, "revoke", reason="drifts").status == 403
    assert town.jobs() == []


def test_the_one_writer_asks_again(town, maya):
    sent = maya.press(maya.get(PAGE), "revoke", reason="drifts")
    [job] = town.jobs()
    assert isinstance(job, ActJob)
    town.world.directory.people["maya"] = town.world.directory.people["eli"]
    town.world.drain()
    assert town.world.pointer("dev") == 1
    assert "Your revoke was not recorded" in maya.get(sent.location).text


def test_a_form_that_is_sent_twice_is_one_revoke(town, maya):
    page = maya.get(PAGE)
    first = maya.press(page, "revoke", reason="drifts")
    town.world.drain()
    second = maya.press(page, "revoke", reason="drifts")
    assert (first.status, second.status) == (303, 303)
    town.world.drain()
    assert len(thread(town)) == len(set(thread(town)))


def test_an_outcome_that_nobody_knows_yet_is_waited_for(town, maya):
    sent = maya.press(maya.get(PAGE), "revoke", reason="drifts")
    page = maya.get(sent.location)
    assert "Your revoke is being recorded" in page.text
    assert page.headers["refresh"] == "2"


@pytest.mark.parametrize("path", ["/revoke/churn/1/test/1", "/revoke/churn/9/dev/1", "/revoke/churn/1/dev/2"])
def test_what_does_not_stand_cannot_be_taken_back(maya, path):
    page = maya.get(path)
    assert page.status in (404, 409)
    assert "revoke" not in page.actions


def test_of_two_who_take_it_back_the_second_is_told(town, maya):
    omar = Browser(town, "omar")
    page = omar.get(PAGE)
    revoked(town, maya)
    said = omar.press(page, "revoke", reason="late")
    assert said.status == 409
    assert "Revoked by Maya: drifts in use" in said.text


# -------------------------------------------------------------------------------- what somebody rejected by hand


RESTORE = "/restore/churn/1/dev/1"


@pytest.fixture
def rejected(town):
    """Somebody has rejected what was approved, in the registry."""
    town.world.registry.edit(MODEL, "kim", status="Rejected")
    town.world.drain()
    return town


def test_an_approver_takes_a_rejection_by_hand_back(rejected, maya):
    assert RESTORE in maya.get(REQUEST).links
    page = maya.get(RESTORE)
    assert "Restore churn v1 for dev?" in page.text
    assert "Somebody rejected churn v1 in the registry by hand. That is taken back." in page.text
    assert maya.press(page, "restore", reason="").status == 422
    sent = maya.press(page, "restore", reason="I looked at it")
    rejected.world.drain()
    done = maya.get(sent.location)
    assert "Your restore is recorded" in done.text
    assert "churn v1 stands again for dev" in done.text
    assert rejected.world.registry.packages[MODEL].status == "Approved"
    assert RESTORE not in maya.get(REQUEST).links


def test_what_nobody_rejected_by_hand_cannot_be_restored(maya):
    page = maya.get(RESTORE)
    assert page.status == 409
    assert "No rejection by hand stands of churn v1" in page.text


def test_who_is_no_approver_restores_nothing(rejected):
    browser = Browser(rejected, "eli")
    page = browser.get(RESTORE)
    assert page.status == 403
    assert "restore" not in page.actions


def test_the_page_of_another_act_takes_no_form_of_this_one(rejected, maya):
    page = maya.get(RESTORE)
    assert "/undo/churn/1/dev/1" not in page.links
    assert maya.get("/undo/churn/1/dev/1").status == 404
