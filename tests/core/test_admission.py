"""Who an account is before its answer is put on the queue; and that the one writer asks all of it again."""

import re
from dataclasses import dataclass, replace

import pytest

from bot.admission import Admission
from bot.clicks import ActJob, AnswerJob
from bot.domain import Act, Answer, ChatUser, RequestId, State
from bot.entries import Vote
from bot.errors import UNIDENTIFIED, NotIdentified, NotLinked, SignInNeeded, Unavailable
from bot.links import Links
from bot.names import Names
from bot.people import Binding, People
from bot.seals import LinkingLink, ReviewLink, Seals
from tests.memory import START, ManualClock, MemoryParameters, MemorySealer
from tests.proofs.world import GROUPS, World, policy_of

PAGES = "https://approvals.example.com"
MAYA = ChatUser("slack", "T1", "maya", "C0MODELS00")
CALLED = "@maya in the Slack workspace acme"
ADDRESS = "maya.chen@example.com"
BOUND = Binding("oid-maya", "Maya Chen", START)
IDENTITIES = {"dev": "email", "test": "linked", "uat": "sign-in"}
POLICY = policy_of(tuple(IDENTITIES), **{name: f'identity = "{identity}"' for name, identity in IDENTITIES.items()})
ALL = tuple(IDENTITIES)


class Store(MemoryParameters):
    """Parameter Store, which may not answer."""

    down = False

    def get(self, names):
        if self.down:
            raise Unavailable("Parameter Store did not answer")
        return super().get(names)


class Sealer(MemorySealer):
    """KMS, which may not answer."""

    down = False

    def seal(self, purpose, text):
        if self.down:
            raise Unavailable("KMS did not answer")
        return super().seal(purpose, text)


@dataclass
class Chat:
    """What the chat says of an account."""

    address: str = ADDRESS
    trouble: Exception | None = None
    asked: int = 0

    def vouch(self, _user: ChatUser) -> str:
        self.asked += 1
        if self.trouble:
            raise self.trouble
        return self.address


class Door:
    def __init__(self, *, links=True):
        self.store, self.sealer, self.chat, clock = Store(), Sealer(), Chat(), ManualClock()
        self.seals = Seals(self.sealer, clock)
        self.people = People(self.store, Names("/model-approvals"))
        made = Links(PAGES, self.seals, clock) if links else None
        self.admission = Admission(POLICY, self.people, made, self.chat.vouch)

    def admit(self, environment, user=MAYA):
        return self.admission.admit(request(environment), user, CALLED)

    def opened(self, kind, refusal):
        """What the link at the end of a refusal holds."""
        found = re.search(r" (https://approvals\.example\.com/\w+)\?t=([\w-]+)$", str(refusal))
        assert found, refusal
        return found[1], self.seals.open(kind, found[2])


def request(environment):
    return RequestId("churn", 7, environment, 1)


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def linked_door(door):
    door.people.bind(MAYA, BOUND)
    return door


# ------------------------------------------------------------------------------------------------- without a link


def test_an_account_is_admitted_by_its_address_where_that_will_do(door):
    assert door.admit("dev") == MAYA
    assert door.chat.asked == 0, "the one writer asks"


def test_an_environment_that_the_policy_has_lost_is_left_to_the_one_writer(door):
    assert door.admit("prod") == MAYA


def test_an_unlinked_account_gets_a_link_of_its_own_where_one_is_wanted(door):
    with pytest.raises(NotLinked) as caught:
        door.admit("test")
    url, link = door.opened(LinkingLink, caught.value)
    assert url == f"{PAGES}/link"
    assert (link.user, link.called, link.email, link.request) == (MAYA, CALLED, ADDRESS, request("test"))
    assert "Nothing is recorded yet: for test" in str(caught.value)


def test_an_account_without_a_confirmed_address_gets_a_link_that_proves_none(door):
    door.chat.address = ""
    with pytest.raises(NotLinked) as caught:
        door.admit("test")
    assert door.opened(LinkingLink, caught.value)[1].email == ""


def test_each_press_gives_a_link_of_its_own(door):
    refusals = []
    for _ in range(2):
        with pytest.raises(NotLinked) as caught:
            door.admit("test")
        refusals.append(str(caught.value))
    assert refusals[0] != refusals[1]


# ---------------------------------------------------------------------------------------------------- with a link


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
def test_a_linked_account_is_its_person_everywhere(linked_door, environment):
    assert linked_door.admit(environment) == replace(MAYA, oid="oid-maya")


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_an_account_whose_person_the_chat_itself_names_needs_no_link(linked_door, environment):
    priya = ChatUser("teams", "tenant", "oid-priya", oid="oid-priya")
    assert linked_door.admit(environment, priya) == priya


def test_a_link_is_of_one_account_only(linked_door):
    with pytest.raises(NotLinked):
        linked_door.admit("test", replace(MAYA, user="omar"))


def test_an_account_that_was_unlinked_is_nobody_again(linked_door):
    linked_door.people.unlink(MAYA)
    with pytest.raises(NotLinked):
        linked_door.admit("test")


def test_an_address_that_became_an_approvers_changes_nothing_while_a_link_exists(linked_door):
    linked_door.chat.address = "priya.nair@example.com"
    assert linked_door.admit("test").oid == "oid-maya"


def test_an_address_that_became_an_approvers_is_not_enough_where_a_link_is_wanted(door):
    door.chat.address = "priya.nair@example.com"
    with pytest.raises(NotLinked) as caught:
        door.admit("test")
    assert door.opened(LinkingLink, caught.value)[1].email == "priya.nair@example.com"


# --------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.parametrize("is_linked", [True, False])
def test_where_a_sign_in_is_wanted_every_account_is_sent_to_the_page(door, is_linked):
    if is_linked:
        door.people.bind(MAYA, BOUND)
    with pytest.raises(SignInNeeded) as caught:
        door.admit("uat")
    assert door.opened(ReviewLink, caught.value)[0] == f"{PAGES}/r"
    assert door.opened(ReviewLink, caught.value)[1].request == request("uat")
    assert "nothing is recorded yet" in str(caught.value)


# ------------------------------------------------------------------------------------------- guests, and no answer


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_whoever_has_become_a_guest_is_refused_although_a_link_exists(linked_door, environment):
    linked_door.chat.trouble = NotIdentified(UNIDENTIFIED)
    with pytest.raises(NotIdentified):
        linked_door.admit(environment)


def test_a_guest_gets_no_link(door):
    door.chat.trouble = NotIdentified(UNIDENTIFIED)
    with pytest.raises(NotIdentified):
        door.admit("test")
    assert door.sealer.drawers == {}


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_while_the_links_cannot_be_read_nobody_is_admitted_by_anything_else(door, environment):
    door.store.down = True
    with pytest.raises(Unavailable):
        door.admit(environment)


@pytest.mark.parametrize("environment", ["dev", "test"])
def test_while_the_chat_does_not_answer_a_linked_account_is_not_admitted(linked_door, environment):
    linked_door.chat.trouble = Unavailable("Slack did not answer")
    with pytest.raises(Unavailable):
        linked_door.admit(environment)


@pytest.mark.parametrize("environment", ["test", "uat"])
def test_while_nothing_can_be_sealed_the_person_has_to_press_again(door, environment):
    door.sealer.down = True
    with pytest.raises(Unavailable):
        door.admit(environment)


@pytest.mark.parametrize("environment", ALL)
def test_a_door_without_pages_leaves_it_to_the_one_writer(environment):
    assert Door(links=False).admit(environment) == MAYA


# ------------------------------------------------------------------------------------------------- the one writer


@pytest.fixture
def world():
    found = World(POLICY)
    found.register(7)
    found.drain()
    return found


def at(world, environment):
    """Approve for every environment before this one, as each wants it."""
    for each in ALL[: ALL.index(environment)]:
        hand_in(world, each, web("priya"))
        assert world.request_state(str(request(each))) is State.APPROVED
    return world


def web(user):
    return ChatUser("web", "tenant", f"oid-{user}", oid=f"oid-{user}")


def hand_in(world, environment, by):
    op = f"{by.surface}|{by.user}|{environment}"
    world.send(AnswerJob(request(environment), Answer.APPROVE, by, op, world.clock()))
    world.drain()
    return world.request_state(str(request(environment)))


def voters(world):
    state = world.state(request("dev").model)
    return [entry.event.by.oid for entry in state.entries if isinstance(entry.event, Vote)]


def test_the_writer_refuses_an_account_without_a_link_where_one_is_wanted(world):
    assert hand_in(at(world, "test"), "test", MAYA) is State.PENDING
    (told,) = world.channel.told("maya")
    assert told == (
        "For test your account has to be linked to your company account first. "
        "Press the button again for the way there."
    )


def test_the_writer_takes_a_linked_account(world):
    assert hand_in(at(world, "test"), "test", replace(MAYA, oid="oid-maya")) is State.APPROVED
    assert voters(world)[-1] == "oid-maya"


@pytest.mark.parametrize("by", [MAYA, replace(MAYA, oid="oid-maya"), replace(MAYA, surface="email")])
def test_the_writer_refuses_a_chat_where_a_sign_in_is_wanted(world, by):
    at(world, "uat")
    before = len(voters(world))
    assert hand_in(world, "uat", by) is State.PENDING
    assert len(voters(world)) == before
    if by.surface == "slack":
        (told,) = world.channel.told("maya")
        assert told == "Answers for uat are given after signing in. Press the button again for the way there."


def test_the_writer_takes_somebody_who_has_signed_in_everywhere(world):
    assert hand_in(at(world, "uat"), "uat", web("maya")) is State.APPROVED


def test_a_link_to_somebody_else_votes_as_that_person_and_as_nobody_else(world):
    world.directory.add("eli")
    assert hand_in(world, "dev", ChatUser("slack", "T1", "priya", "C0MODELS00", oid="oid-eli")) is State.PENDING
    assert "Eli is not an approver for dev" in world.channel.told("priya")[0]
    world.directory.add("eli", GROUPS["dev"])
    by = ChatUser("slack", "T1", "nobody", "C0MODELS00", oid="oid-eli")
    assert hand_in(world, "dev", by) is State.APPROVED
    assert voters(world) == ["oid-eli"]


def test_one_person_has_one_vote_by_chat_and_by_page_together():
    world = World(policy_of(("dev",), dev='identity = "linked"\nrequired = 2'))
    world.register(7)
    world.drain()
    hand_in(world, "dev", replace(MAYA, oid="oid-maya"))
    assert hand_in(world, "dev", web("maya")) is State.PENDING
    assert voters(world) == ["oid-maya"]
    assert hand_in(world, "dev", web("omar")) is State.APPROVED


@pytest.mark.parametrize(("environment", "words"), [("test", "has to be linked"), ("uat", "after signing in")])
def test_a_revoke_is_asked_for_as_much_as_an_answer(world, environment, words):
    at(world, environment)
    hand_in(world, environment, web("priya"))
    by = ChatUser("slack", "T1", "maya", "C0MODELS00")
    world.send(ActJob(Act.REVOKE, request(environment), by, "revoke", world.clock(), "drifts"))
    world.drain()
    assert words in world.channel.told("maya")[0]
    assert world.request_state(str(request(environment))) is State.APPROVED


def test_a_decided_request_is_told_as_decided_before_anybody_has_to_link_an_account(world):
    at(world, "test")
    hand_in(world, "test", web("priya"))
    world.send(AnswerJob(request("test"), Answer.APPROVE, MAYA, "late", world.clock()))
    world.drain()
    assert "already decided" in world.channel.told("maya")[0]
