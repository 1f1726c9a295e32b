"""Whose account it is that presses a button: the way to our pages, the link that was made there, and its end."""

import json
import logging
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.admission import Admission
from bot.aws.secrets import Fixed
from bot.domain import Answer, ChatUser, RequestId, State
from bot.errors import Unavailable
from bot.links import Links
from bot.names import Names
from bot.overview import Statuses
from bot.people import Binding, People
from bot.seals import LinkingLink, ReviewLink, Seals
from bot.slack.api import SlackApi
from bot.slack.app import build, dispatch
from bot.slack.channel import SlackChannel
from bot.slack.identity import REFUSAL, vouched
from bot.slack.listeners import NO_FORM, NO_REASON, UNKNOWN_NOW, UNKNOWN_NOW_FORM
from bot.slack.status import NOT_UNLINKED
from bot.status import GroupStatus, Row, Stand
from bot.waves import ThreadCrew
from infra.local import slack_rules as rules
from infra.local.slack import Slack
from infra.local.slack_http import Answer as HttpAnswer
from infra.local.slack_http import Server, Service
from infra.local.slack_workspace import TEAM
from tests.adapters.slack_examples import (
    CARD,
    CHANNEL,
    GUEST,
    MAYA,
    NOW,
    OMAR,
    REQUEST,
    SECRET,
    Queue,
    Shelf,
    click,
    command,
    form,
    http,
    renewed,
    signed_http,
    submission,
)
from tests.memory import MemoryParameters, MemorySealer
from tests.proofs.world import policy_of

PAGES = "https://approvals.example.com"
AT_MAYA = ChatUser("slack", TEAM, MAYA, CHANNEL)
BOUND = Binding("oid-maya", "Maya Chen", NOW)
APPROVE, REJECT = "approval.approve", "approval.reject"
NAMES = Names("/model-approvals")


class Store(MemoryParameters):
    """Parameter Store, which may not answer."""

    def __init__(self):
        super().__init__(self._gated)
        self.down, self.calls = False, []

    def _gated(self, name, effect):
        self.calls.append(name)
        if self.down:
            raise Unavailable("Parameter Store did not answer")
        return effect()


class Sealer(MemorySealer):
    """KMS, which may not answer."""

    down = False

    def seal(self, purpose, text):
        if self.down:
            raise Unavailable("KMS did not answer")
        return super().seal(purpose, text)


@pytest.fixture(scope="module")
def served():
    with Slack() as slack:
        slack.signing_secret = SECRET
        yield slack


@pytest.fixture
def slack(served):
    renewed(served).workspace.clock = NOW.timestamp
    return served


@pytest.fixture
def queue():
    return Queue()


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def sealer():
    return Sealer()


@pytest.fixture
def seals(sealer):
    return Seals(sealer, lambda: NOW)


@pytest.fixture
def people(store):
    return People(store, NAMES)


@pytest.fixture
def api(slack):
    return SlackApi(Fixed(slack.bot_token), timeout=2, base_url=slack.api_url)


@pytest.fixture
def identity():
    return "linked"


@pytest.fixture
def admission(identity, people, seals, api):
    policy = policy_of(("dev", "test"), test=f'identity = "{identity}"')
    return Admission(policy, people, Links(PAGES, seals, lambda: NOW), vouched(api, TEAM))


@pytest.fixture
def door(api, queue, admission):
    return door_of(api, queue, admission=admission, pages=PAGES)


def door_of(api, queue, **more):
    shelf = Shelf()
    shelf.groups["churn-xgb"] = GroupStatus({"12": Row(1, {"test": Stand(State.PENDING, 1, NOW)})})
    statuses = partial(Statuses, shelf.overview, shelf.group, ("dev", "test"))
    return build(
        signing_secrets=Fixed(SECRET), team=TEAM, api=api, jobs=queue, statuses=statuses, crew=ThreadCrew(),
        clock=lambda: NOW, **more,
    )  # fmt: skip


@pytest.fixture
def card(slack, api, door):
    """A card in the channel of a Slack whose requests reach the door over HTTP."""

    def serve(request):
        answer = dispatch(door, http(request.body.decode(), headers=request.headers, path=request.path))
        return HttpAnswer(answer["statusCode"], answer["body"].encode(), answer["headers"])

    gateway = Server(Service("gateway", lambda _: "events", serve, lambda _: HttpAnswer(500)))
    gateway.start()
    slack.request_url = f"http://127.0.0.1:{gateway.port}/slack/events"
    yield SlackChannel(api, team=TEAM).post(CHANNEL, CARD)
    gateway.stop()


def whispers(slack, user=MAYA):
    return [message.text for message in slack.workspace.ephemerals(user)]


def way(blocks):
    """The words and the button of the way to our pages, which Slack has to take."""
    section, actions = blocks
    (button,) = actions["elements"]
    assert "https://" not in section["text"]["text"], "the address is on the button alone"
    return section["text"]["text"], button["text"]["text"], button["url"]


def opened(seals, kind, url):
    assert url.startswith(PAGES + "/")
    return seals.open(kind, parse_qs(urlsplit(url).query)["t"][0])


def errors_of(answer):
    return json.loads(answer["body"])["errors"]


def send(door, body):
    return dispatch(door, signed_http(body))


# ------------------------------------------------------------------------------------------- an account of nobody yet


@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_an_unlinked_account_is_shown_the_way_and_nothing_is_recorded(slack, queue, seals, card, action):
    assert slack.press(MAYA, CHANNEL, card.ts, action).error == ""
    (whisper,) = slack.workspace.ephemerals(MAYA)
    words, button, url = way(whisper.blocks)
    assert words.startswith("Nothing is recorded yet: for test the bot has to know who you are.")
    assert button == "Link my account"
    link = opened(seals, LinkingLink, url)
    assert (link.user, link.email, link.request) == (AT_MAYA, "maya.chen@example.com", REQUEST)
    assert link.called == f"@maya in the Slack workspace {slack.workspace.team_domain}"
    assert (queue.jobs, slack.workspace.modals(MAYA)) == ([], [])


def test_the_way_is_shown_to_the_one_who_pressed_and_to_nobody_else(slack, card):
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    assert slack.workspace.ephemerals(OMAR) == []
    assert len(slack.workspace.messages(CHANNEL)) == 1


def test_pressing_the_way_is_acknowledged_and_does_nothing_else(slack, queue, card):
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    (whisper,) = slack.workspace.ephemerals(MAYA)
    action = whisper.blocks[1]["elements"][0]["action_id"]
    assert slack.press(MAYA, CHANNEL, whisper.ts, action).error == ""
    assert (queue.jobs, len(slack.workspace.ephemerals(MAYA))) == ([], 1)


def test_no_reason_is_written_for_nothing(slack, card):
    before = len(slack.calls)
    slack.press(MAYA, CHANNEL, card.ts, REJECT)
    assert [call.method for call in slack.calls[before:]] == ["users.info", "response_url"]


def test_a_link_is_in_no_log(slack, card, caplog):
    with caplog.at_level(logging.DEBUG):
        slack.press(MAYA, CHANNEL, card.ts, APPROVE)
        slack.press(MAYA, CHANNEL, card.ts, REJECT)
    assert PAGES not in caplog.text
    assert "sealed" not in caplog.text


# --------------------------------------------------------------------------------------------------- once it is linked


def test_afterwards_the_answer_takes_one_press(slack, queue, people, card):
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    people.bind(AT_MAYA, BOUND)
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    (job,) = queue.jobs
    assert (job.answer, job.request, job.card) == (Answer.APPROVE, REQUEST, card)
    assert job.by == replace(AT_MAYA, oid="oid-maya")
    assert len(whispers(slack)) == 1


def test_a_reject_carries_the_person_too(slack, queue, people, card):
    people.bind(AT_MAYA, BOUND)
    slack.press(MAYA, CHANNEL, card.ts, REJECT)
    (view,) = slack.workspace.modals(MAYA)
    assert slack.submit(MAYA, view.id, {"reason": "slow"}).errors == {}
    (job,) = queue.jobs
    assert (job.answer, job.reason, job.by) == (Answer.REJECT, "slow", replace(AT_MAYA, oid="oid-maya"))


def test_a_linked_account_is_its_person_where_an_address_would_do(door, queue, people):
    people.bind(AT_MAYA, BOUND)
    send(door, form(click(value="churn-xgb/12/dev/1")))
    assert queue.jobs[0].by.oid == "oid-maya"


def test_where_an_address_will_do_slack_is_not_asked_and_one_parameter_is_read(slack, door, queue, store):
    send(door, form(click(value="churn-xgb/12/dev/1")))
    assert queue.jobs[0].by == AT_MAYA
    assert (slack.calls, store.calls) == ([], ["get"])


def test_an_address_that_became_an_approvers_changes_nothing(slack, door, queue, people):
    people.bind(AT_MAYA, BOUND)
    slack.workspace.alter_user(MAYA, email="omar.diaz@example.com")
    send(door, form(click()))
    assert queue.jobs[0].by.oid == "oid-maya"


def test_without_a_link_an_address_that_became_an_approvers_is_not_enough(slack, queue, seals, card):
    slack.workspace.alter_user(MAYA, email="omar.diaz@example.com")
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    (whisper,) = slack.workspace.ephemerals(MAYA)
    link = opened(seals, LinkingLink, way(whisper.blocks)[2])
    assert (link.user.user, link.email, queue.jobs) == (MAYA, "omar.diaz@example.com", [])


def test_an_unconfirmed_address_is_no_part_of_the_link(slack, seals, card):
    slack.workspace.alter_user(MAYA, is_email_confirmed=False)
    slack.press(MAYA, CHANNEL, card.ts, APPROVE)
    (whisper,) = slack.workspace.ephemerals(MAYA)
    assert opened(seals, LinkingLink, way(whisper.blocks)[2]).email == ""


# ---------------------------------------------------------------------------------- the account changes under the form


def test_a_form_of_somebody_who_was_unlinked_meanwhile_shows_the_way_above_it(slack, queue, people, seals, card):
    people.bind(AT_MAYA, BOUND)
    slack.press(MAYA, CHANNEL, card.ts, REJECT)
    (view,) = slack.workspace.modals(MAYA)
    people.unlink(AT_MAYA)
    assert slack.submit(MAYA, view.id, {"reason": "slow"}).error == ""
    below, above = slack.workspace.modals(MAYA)
    assert (below.id, queue.jobs) == (view.id, [])
    words, button, url = way(above.body["blocks"])
    assert words.startswith("Nothing is recorded yet")
    assert button == "Link my account"
    assert opened(seals, LinkingLink, url).request == REQUEST
    slack.dismiss(MAYA, above.id)
    people.bind(AT_MAYA, BOUND)
    assert slack.submit(MAYA, view.id, {"reason": "slow"}).errors == {}
    assert [job.reason for job in queue.jobs] == ["slow"]


def test_a_form_of_somebody_who_became_a_guest_meanwhile_is_refused(slack, door, queue, people):
    people.bind(AT_MAYA, BOUND)
    slack.workspace.alter_user(MAYA, is_restricted=True)
    assert errors_of(send(door, form(submission()))) == {"reason": REFUSAL}
    assert queue.jobs == []


def test_a_reason_of_nothing_is_asked_for_before_anything_else(slack, door, store):
    assert errors_of(send(door, form(submission(" ")))) == {"reason": NO_REASON}
    assert (slack.calls, store.calls) == ([], [])


# ------------------------------------------------------------------------------------------------------------- sign-in


@pytest.mark.parametrize("identity", ["sign-in"])
@pytest.mark.parametrize("action", [APPROVE, REJECT])
@pytest.mark.parametrize("is_linked", [True, False])
def test_where_a_sign_in_is_wanted_every_press_leads_to_the_page(slack, queue, people, seals, card, action, is_linked):
    if is_linked:
        people.bind(AT_MAYA, BOUND)
    slack.press(MAYA, CHANNEL, card.ts, action)
    (whisper,) = slack.workspace.ephemerals(MAYA)
    words, button, url = way(whisper.blocks)
    assert words == (
        "Answers for test are given after signing in. This link is for you alone, and nothing is recorded yet."
    )
    assert button == "Sign in and answer"
    assert opened(seals, ReviewLink, url).request == REQUEST
    assert (queue.jobs, slack.workspace.modals(MAYA)) == ([], [])


@pytest.mark.parametrize("identity", ["sign-in"])
def test_a_form_from_before_the_policy_wanted_a_sign_in_shows_the_way(door, queue, seals):
    answer = json.loads(send(door, form(submission()))["body"])
    assert (answer["response_action"], queue.jobs) == ("push", [])
    assert rules.modal_problems(answer["view"]) == []
    _, button, url = way(answer["view"]["blocks"])
    assert button == "Sign in and answer"
    assert opened(seals, ReviewLink, url).request == REQUEST


# ------------------------------------------------------------------------------------------------ guests, and no answer


@pytest.mark.parametrize("action", [APPROVE, REJECT])
@pytest.mark.parametrize("is_linked", [True, False])
def test_a_guest_is_shown_no_way(slack, queue, people, sealer, card, action, is_linked):
    if is_linked:
        people.bind(replace(AT_MAYA, user=GUEST), BOUND)
    slack.press(GUEST, CHANNEL, card.ts, action)
    assert whispers(slack, GUEST) == [REFUSAL]
    assert (queue.jobs, slack.workspace.modals(GUEST), sealer.drawers) == ([], [], {})


@pytest.mark.parametrize("what", ["links", "Slack", "KMS"])
def test_while_who_somebody_is_cannot_be_asked_they_have_to_press_again(slack, door, queue, store, sealer, card, what):
    store.down, sealer.down = what == "links", what == "KMS"

    def break_slack():
        if what == "Slack":
            slack.faults.add("users.info", status=500)

    break_slack()
    assert slack.press(MAYA, CHANNEL, card.ts, APPROVE).error == ""
    break_slack()
    assert slack.press(MAYA, CHANNEL, card.ts, REJECT).error == ""
    assert whispers(slack) == [UNKNOWN_NOW, NO_FORM]
    break_slack()
    assert errors_of(send(door, form(submission()))) == {"reason": UNKNOWN_NOW_FORM}
    assert (queue.jobs, slack.workspace.modals(MAYA)) == ([], [])


@pytest.mark.parametrize("said", [UNKNOWN_NOW, UNKNOWN_NOW_FORM, NO_FORM])
def test_what_was_not_handed_in_is_said_to_be_not_recorded(said):
    assert "othing was recorded" in said
    assert "Please " in said


def test_a_request_that_the_policy_has_lost_is_left_to_the_one_writer(door, queue):
    send(door, form(click(value="churn-xgb/12/prod/1")))
    assert queue.jobs[0].request == RequestId("churn-xgb", 12, "prod", 1)


def test_without_an_admission_every_account_answers_by_its_address(slack, api, queue):
    send(door_of(api, queue), form(click()))
    send(door_of(api, queue), form(submission()))
    assert [job.by for job in queue.jobs] == [AT_MAYA] * 2
    assert slack.calls == []


# -------------------------------------------------------------------------------------------------------------- unlink


def typed(door, text="unlink", **changes):
    answer = json.loads(send(door, command(text, **changes))["body"])
    assert answer["response_type"] == "ephemeral"
    return answer["text"]


def test_whoever_types_unlink_is_nobody_afterwards(door, people, queue):
    people.bind(AT_MAYA, BOUND)
    assert typed(door).startswith("This account is no longer linked to Maya Chen.")
    assert people.binding(AT_MAYA) is None
    send(door, form(click()))
    assert queue.jobs == []


def test_whoever_was_not_linked_is_told_so(door):
    assert typed(door) == "This account was not linked, so nothing has changed."


def test_a_link_that_cannot_be_read_is_ended_too(door, store):
    store.put(NAMES.person(AT_MAYA), "{")
    typed(door)
    assert store.stored == {}


@pytest.mark.parametrize("text", ["unlink @omar", "unlink U0OMAR", "unlink <@U0OMAR>"])
def test_nobody_unlinks_anybody_else(door, people, text):
    for user in (AT_MAYA, replace(AT_MAYA, user=OMAR)):
        people.bind(user, BOUND)
    assert "ends the link between your account here and your company account" in typed(door, text)
    typed(door)
    assert people.binding(replace(AT_MAYA, user=OMAR)) == BOUND


def test_who_typed_is_who_slack_says_typed(door, people):
    for user in (AT_MAYA, replace(AT_MAYA, user=OMAR)):
        people.bind(user, BOUND)
    typed(door, user=OMAR, user_name="maya")
    assert people.binding(AT_MAYA) == BOUND
    assert people.binding(replace(AT_MAYA, user=OMAR)) is None


def test_a_guest_unlinks_nothing(door, people, store):
    guest = replace(AT_MAYA, user=GUEST)
    people.bind(guest, BOUND)
    assert typed(door, user=GUEST) == REFUSAL
    assert people.binding(guest) == BOUND


@pytest.mark.parametrize("slack_is_down", [True, False])
def test_an_end_that_cannot_be_confirmed_is_not_said_to_be_one(slack, door, people, store, slack_is_down):
    people.bind(AT_MAYA, BOUND)
    if slack_is_down:
        slack.faults.add("users.info", status=500)
    store.down = not slack_is_down
    assert typed(door) == NOT_UNLINKED
    store.down = False
    assert people.binding(AT_MAYA) == BOUND


def test_a_door_that_knows_no_links_does_not_say_that_there_was_none(api, queue):
    assert typed(door_of(api, queue)) == NOT_UNLINKED


def test_the_help_names_it(door):
    assert "`/model-status unlink`" in send(door, command("help"))["body"]
    assert "/model-status unlink" in typed(door, "help")


def test_a_question_of_or_about_a_linked_account_is_about_its_person(door, queue, people, slack):
    people.bind(AT_MAYA, BOUND)
    for text in ("mine", f"who churn-xgb 12 test <@{MAYA}|maya>", "who churn-xgb 12 test omar.haddad@example.com"):
        dispatch(door, signed_http(command(text)))
    mine, who, other = queue.jobs
    assert [each.by.oid for each in (mine, who, other)] == [BOUND.oid] * 3
    assert [each.about for each in (mine, who, other)] == ["", BOUND.oid, "omar.haddad@example.com"]
