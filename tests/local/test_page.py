"""The page of the local stack: what it shows to whom, and that its buttons reach the app."""

import http.client
import json

import pytest

from infra.local.page import Page, SlackPane, site
from infra.local.slack import Channel, Message, Slack, User
from infra.local.slack_http import Answer, Server, Service

CHANNEL, MAYA, OMAR = "C0MODELS", "U0MAYA", "U0OMAR"
BUTTON = {"type": "button", "action_id": "approve", "text": {"type": "plain_text", "text": "Approve"}}


@pytest.fixture
def slack():
    with Slack() as slack:
        slack.workspace.add_channel(Channel(CHANNEL, "model-approvals"))
        slack.workspace.add_channel(Channel("C0SECRET", "secret", private=True, members=frozenset({OMAR})))
        slack.workspace.add_user(User(MAYA, "maya", "Maya Chen"))
        slack.workspace.add_user(User(OMAR, "omar", "Omar Diaz", is_restricted=True))
        yield slack


@pytest.fixture
def app(slack):
    """An app that says yes to everything, and keeps what it was sent."""
    sent = []

    def answer(request):
        sent.append(request.body)
        return Answer(200)

    server = Server(Service("app", lambda _: "", answer, lambda _: Answer(500)))
    server.start()
    slack.request_url = f"http://127.0.0.1:{server.port}/"
    yield sent
    server.stop()


@pytest.fixture
def page(slack):
    with Page([SlackPane(slack)]) as page:
        yield page


def fetch(page, path, *, body=None, **headers):
    connection = http.client.HTTPConnection(page.url.removeprefix("http://"))
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET" if body is None else "POST", path, body, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def act(page, path, **given):
    status, _, text = fetch(page, path, body=json.dumps(given).encode(), Content_Type="application/json")
    return status, text


def state(page, user):
    return json.loads(fetch(page, f"/state?user={user}")[2])["slack"]


def card(slack, only_for=""):
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    bot = slack.workspace.bot_user_id
    return slack.workspace.post(Message(CHANNEL, "", bot, "approve?", blocks=blocks, only_for=only_for))


def test_everything_the_page_is_made_of_is_its_own_and_nothing_inline_may_run(page):
    for path in ("/", "/page.css", "/messages.css", "/page.js", f"/archives/{CHANNEL}/p1700000000000001"):
        status, headers, text = fetch(page, path)
        assert (status, "default-src 'none'" in headers["Content-Security-Policy"]) == (200, True)
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert 'src="http' not in text
        assert "@import" not in text
    assert fetch(page, "/../page.py")[0] == 404


def test_no_text_is_ever_made_into_html():
    scripts = "".join(each.read_text() for each in site.STATIC.glob("*.js"))
    assert not [word for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(") if word in scripts]


def test_each_person_sees_their_own_ephemeral_messages_and_private_channels(slack, page):
    root = card(slack)
    slack.workspace.say(MAYA, CHANNEL, "why so slow?", thread_ts=root.ts)
    card(slack, only_for=OMAR)
    maya, omar = state(page, MAYA), state(page, OMAR)
    assert [channel["name"] for channel in maya["channels"]] == ["model-approvals"]
    assert [channel["name"] for channel in omar["channels"]] == ["model-approvals", "secret"]
    assert [message["ephemeral"] for message in maya["channels"][0]["messages"]] == [False]
    assert [message["ephemeral"] for message in omar["channels"][0]["messages"]] == [False, True]
    assert maya["channels"][0]["messages"][0]["replies"][0]["text"] == "why so slow?"
    assert [user["kind"] for user in maya["users"]] == ["", "guest"]


def test_polling_is_answered_not_modified_until_something_changes(slack, page):
    mine = f"/state?user={MAYA}"
    tag = fetch(page, mine)[1]["ETag"]
    assert fetch(page, mine, If_None_Match=tag)[0] == 304
    assert fetch(page, f"/state?user={OMAR}", If_None_Match=tag)[0] == 200
    card(slack)
    assert fetch(page, mine, If_None_Match=tag)[0] == 200


def test_what_a_person_does_on_the_page_reaches_the_app(slack, page, app):
    where = {"user": MAYA, "channel": CHANNEL}
    assert act(page, "/slack/press", **where, ts=card(slack).ts, action_id=BUTTON["action_id"])[0] == 200
    assert act(page, "/slack/command", **where, text="/model-status churn")[0] == 200
    assert [b"block_actions" in app[0], b"text=churn" in app[1]] == [True, True]


def test_modals_are_shown_to_their_person_and_can_be_submitted_and_closed(slack, page, app):
    title = {"type": "plain_text", "text": "Reject"}
    view = {"type": "modal", "title": title, "blocks": [{"type": "divider"}]}
    first, second = (slack.workspace.show_view(MAYA, view) for _ in range(2))
    assert [modal["id"] for modal in state(page, MAYA)["modals"]] == [first.id, second.id]
    assert not state(page, OMAR)["modals"]
    assert act(page, "/slack/submit", user=MAYA, view_id=second.id, values={})[0] == 200
    assert act(page, "/slack/dismiss", user=MAYA, view_id=first.id)[0] == 200
    assert not state(page, MAYA)["modals"]


def test_a_request_that_another_site_could_send_is_refused(slack, page, app):
    assert fetch(page, "/slack/press", body=b"{}", Content_Type="text/plain")[0] == 415
    assert act(page, "/slack/press", user=MAYA) == (400, "“channel” is needed.")
    assert act(page, "/slack/press", user=MAYA, channel=CHANNEL, ts="1.000000", action_id="x")[0] == 400
    assert act(page, "/anything")[0] == 404
    assert not app
