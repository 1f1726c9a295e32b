"""Thirty-two approvers of dev, each at home on one surface: how they answer there, and what they are told there."""

import uuid
from collections.abc import Callable
from functools import partial

from bot.clicks import AnswerJob
from bot.desk import op_of
from bot.domain import Answer, ChatUser, RequestId
from bot.web.forms import outcome_of
from bot.web.overview import request_page
from bot.wiring import now
from infra.local.demo_teams import shown
from infra.local.entra_people import DEV
from infra.local.entra_people import User as Employee
from infra.local.models import Registered
from infra.local.slack import User as SlackUser
from infra.local.stack import TEAM, Stack
from infra.local.teams import User as TeamsUser
from infra.local.visitor import Page, Visitor
from tests.journeys.people import card, in_teams, told

SIZE = 32
Act = Callable[[], object]


class Approver:
    """A member of approvers-dev with an account everywhere; `answer` is what they always say."""

    surface = ""

    def __init__(self, stack: Stack, number: int) -> None:
        self.stack = stack
        self.name = f"Crowd {number:02d}"
        self.oid = f"00000000-0000-4000-8000-0000000c{number:04d}"
        self.slack_id = f"U0CROWD{number:02d}"
        self.answer = Answer.REJECT if number % 2 else Answer.APPROVE
        self.reason = f"no, says {self.name}" if number % 2 else ""

    def join(self) -> None:
        """Have the accounts."""
        address = f"{self.name.lower().replace(' ', '.')}@example.com"
        employee = Employee(self.oid, self.name, address, address)
        self.stack.entra.people.add(employee)
        self.stack.entra.people.join(self.oid, DEV)
        self.stack.slack.workspace.add_user(SlackUser(self.slack_id, self.slack_id.lower(), self.name, address))
        self.stack.teams.workspace.add_user(TeamsUser.of(employee))
        team = self.stack.teams.workspace.teams[TEAM]
        self.stack.teams.workspace.alter_team(TEAM, members=team.members | {self.oid})

    def look(self, model: Registered, link: str) -> Act:
        """Have the request in front of them, all filled in: give the one act that is left."""
        raise NotImplementedError

    def job(self, request: RequestId) -> AnswerJob:
        """The job that their answer becomes."""
        return AnswerJob(request, self.answer, self.account, f"test|{uuid.uuid4()}", now(), self.reason)

    @property
    def account(self) -> ChatUser:
        """Who they are, as the door of their surface names them."""
        raise NotImplementedError

    def told(self) -> list[str]:
        """What only they are told on their own surface; on the pages, of what they have answered last."""
        raise NotImplementedError

    def in_chats(self) -> list[str]:
        """What the two chats have ever told them alone."""
        private = self.stack.teams.workspace.private(self.oid)
        return [*told(self.stack, self.slack_id), *(each.text or shown(each) for each in private)]


class InSlack(Approver):
    """Presses Approve, or has opened the form for a reason and submits it."""

    surface = "slack"

    def look(self, model, link):
        slack, message = self.stack.slack, card(self.stack, model)
        if self.answer is Answer.APPROVE:
            return partial(slack.press, self.slack_id, message.channel, message.ts, "approval.approve", stale=True)
        slack.press(self.slack_id, message.channel, message.ts, "approval.reject")
        form = slack.workspace.modals(self.slack_id)[-1].id
        return partial(slack.submit, self.slack_id, form, {"reason": self.reason})

    @property
    def account(self):
        return ChatUser("slack", self.stack.slack.workspace.team_id, self.slack_id, "C0MODELSDEV")

    def told(self):
        return told(self.stack, self.slack_id)


class InTeams(Approver):
    """Presses Approve, or Reject with the reason in the card."""

    surface = "teams"

    def look(self, model, link):
        message = in_teams(self.stack, model)
        button = "Approve for dev" if self.answer is Answer.APPROVE else "mr.reject"
        press = partial(self.stack.teams.press, self.oid, message.conversation, message.id, button, stale=True)
        return partial(press, inputs={"reason": self.reason}) if self.reason else press

    @property
    def account(self):
        user = self.stack.teams.workspace.person(self.oid)
        return ChatUser("teams", self.stack.entra.tenant, self.oid, user.mri, oid=self.oid)

    def told(self):
        return [each.text or shown(each) for each in self.stack.teams.workspace.private(self.oid)]


class OnPages(Approver):
    """Has come from a mail, signed in once, and sends one of the two forms of the page."""

    surface = "web"

    def __init__(self, stack: Stack, number: int) -> None:
        super().__init__(stack, number)
        self.visitor = Visitor()
        self._outcome = ""
        self._refused = ""

    def sign_in(self, link: str) -> None:
        page = self.visitor.press(self.visitor.open(link), self.name)
        assert f"You answer as {self.name}" in page.text

    def look(self, model, link):
        return partial(self._send, self.visitor.open(link))

    def job(self, request):
        nonce = uuid.uuid4().hex[:22]
        self._refused, at = "", now()
        self._outcome = self.stack.gateway.pages_url + outcome_of(request_page(request), nonce, at)
        op = op_of(self.account, nonce, request)
        return AnswerJob(request, self.answer, self.account, op, at, self.reason)

    @property
    def account(self):
        return ChatUser("web", self.stack.entra.tenant, self.oid, oid=self.oid)

    def told(self):
        """The page that their form led to, opened again; or the one that refused it at once."""
        page = self._refused or self.visitor.open(self._outcome).text
        return page.splitlines()

    def _send(self, page: Page) -> None:
        reason = {"reason": self.reason} if self.reason else {}
        led = self.visitor.press(page, "Reject for dev" if self.reason else "Approve for dev", **reason)
        self._outcome, self._refused = led.url, led.text if led.status == 409 else ""
        assert led.status in {200, 409}, led.text


KINDS = (InSlack, InTeams, OnPages)


def gather(stack: Stack, link: str) -> list[Approver]:
    """Let them all join, a third on each surface; `link` is of a mail, and those of the pages sign in with it."""
    crowd: list[Approver] = [KINDS[number % len(KINDS)](stack, number) for number in range(SIZE)]
    for person in crowd:
        person.join()
        if isinstance(person, OnPages):
            person.sign_in(link)
    return crowd


def leave(crowd: list[Approver]) -> None:
    """Close their browsers."""
    for person in crowd:
        if isinstance(person, OnPages):
            person.visitor.close()
