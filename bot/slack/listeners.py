"""What follows when somebody presses, submits or types: a job or an answer, never a decision."""

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot.domain import GROUP, Answer, ChatUser, MessageRef, RequestId
from bot.errors import Malformed, NotIdentified, Refused, Unavailable
from bot.jobs import AnswerJob
from bot.ports import Clock, Crew, Jobs
from bot.slack import overview
from bot.slack.api import SlackApi
from bot.slack.blocks import APPROVE, LINK, REJECT
from bot.slack.identity import REFUSAL, outsider
from bot.slack.modal import CALLBACK, REASON, read_reason, reason_view
from bot.status import GroupStatus

Json = dict[str, Any]

log = logging.getLogger(__name__)

NOT_RECORDED = "Your answer was not recorded, because the queue did not take it. Please press the button again."
NOT_SENT = "The answer was not recorded, because the queue did not take it. Please submit the form again."
NO_FORM = "The form for the reason could not be opened, so nothing was recorded. Please press Reject again."
BROKEN_BUTTON = "This button is broken, so nothing was recorded. Please tell the people who run Model Approvals."
BROKEN_FORM = "This form is broken, so nothing was recorded. Close it and press Reject on the card again."
NO_REASON = "Please say why: everybody in the channel will read it."
NOT_READ = "The status could not be read now. Please try again in a minute."


@dataclass(frozen=True, slots=True)
class Statuses:
    """What `/model-status` reads; wiring gives it. `environments` is the order of the policy."""

    overview: Callable[[], Sequence[tuple[str, GroupStatus]]]
    group: Callable[[str], GroupStatus | None]
    environments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Threshold:
    """Turns away everybody who is not of our workspace, before any listener sees the request."""

    team: str
    api: SlackApi

    def cross(self, body: Json, ack: Ack, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002 - Bolt's name
        """Let people of our workspace pass; events carry no person and have no effect."""
        if body.get("type") in {"url_verification", "event_callback"}:
            return next()
        cause = outsider(body, self.team)
        if not cause:
            return next()
        log.warning("a request was turned away: %s", cause)
        return self._turn_away(body, ack)

    def _turn_away(self, body: Json, ack: Ack) -> BoltResponse:
        if "command" in body:
            return ack(overview.private(REFUSAL))
        if body.get("type") == "view_submission":
            return ack(response_action="errors", errors={REASON: REFUSAL})
        whisper(self.api, body, REFUSAL)
        return ack()


@dataclass(frozen=True, slots=True)
class Answers:
    """The buttons of a card and the form of a Reject."""

    team: str
    api: SlackApi
    jobs: Jobs
    clock: Clock

    def approve(self, ack: Ack, body: Json, action: Json) -> None:
        """Put the answer on the queue, or say that it was not recorded; the job asks whether it may be."""
        try:
            self.jobs.put(self._approval(body, action))
        except Malformed as problem:
            log.error("an Approve that cannot be read: %s", problem)
            whisper(self.api, body, BROKEN_BUTTON)
        except Refused as refused:
            whisper(self.api, body, str(refused))
        except Unavailable as problem:
            log.error("an Approve was not recorded: %s", problem)
            whisper(self.api, body, NOT_RECORDED)
        ack()

    def ask_reason(self, ack: Ack, body: Json, action: Json) -> None:
        """Open the form at once: Slack lets a click open one for three seconds only."""
        try:
            view = reason_view(_request(action), _card(body) or MessageRef("", ""))
            self.api.call("views.open", {"trigger_id": body["trigger_id"], "view": view})
        except Malformed as problem:
            log.error("a Reject that cannot be read: %s", problem)
            whisper(self.api, body, BROKEN_BUTTON)
        except (Refused, Unavailable) as problem:
            log.error("the form of a Reject was not opened: %s", problem)
            whisper(self.api, body, NO_FORM)
        ack()

    def reject(self, ack: Ack, body: Json, view: Json) -> None:
        """Put the answer on the queue; the form stays open, with its text, when that fails."""
        mistake = ""
        try:
            mistake = self._rejected(body, view)
        except Malformed as problem:
            log.error("the form of a Reject cannot be read: %s", problem)
            mistake = BROKEN_FORM
        except Refused as refused:
            mistake = str(refused)
        except Unavailable as problem:
            log.error("a Reject was not recorded: %s", problem)
            mistake = NOT_SENT
        if mistake:
            ack(response_action="errors", errors={REASON: mistake})
        else:
            ack()

    def outdated(self, ack: Ack, body: Json) -> None:
        """Answer a button that this version of the bot does not know."""
        log.error("a button that is not known: %s", str(body.get("actions"))[:300])
        whisper(self.api, body, BROKEN_BUTTON)
        ack()

    def _approval(self, body: Json, action: Json) -> AnswerJob:
        request, by = _request(action), self._person(body)
        op = f"slack|{self.team}|{by.user}|{action.get('action_ts')}|{request}"
        return AnswerJob(request, Answer.APPROVE, by=by, op=op, at=self.clock(), card=_card(body))

    def _rejected(self, body: Json, view: Json) -> str:
        said = read_reason(view)
        if not said.text:
            return NO_REASON
        by = ChatUser("slack", self.team, body["user"]["id"], said.card.channel)
        op = f"slack|{self.team}|{by.user}|{view.get('id')}|{said.request}"
        card = said.card if said.card.ts else None
        job = AnswerJob(said.request, Answer.REJECT, by=by, op=op, at=self.clock(), reason=said.text, card=card)
        self.jobs.put(job)
        return ""

    def _person(self, body: Json) -> ChatUser:
        card = _card(body)
        return ChatUser("slack", self.team, body["user"]["id"], card.channel if card else "")


@dataclass(frozen=True, slots=True)
class Status:
    """The slash command."""

    team: str
    statuses: Statuses
    standing: Callable[[ChatUser], None]
    crew: Crew

    def answer(self, ack: Ack, command: Json) -> None:
        """Read while it is asked who is asking; what was read is shown to members only."""
        user = ChatUser("slack", self.team, command["user_id"], str(command.get("channel_id", "")))
        text = str(command.get("text", "")).strip()
        member, read = self.crew.together(lambda: self.standing(user), lambda: self._read(text))
        try:
            member.result()
            ack(read.result())
        except NotIdentified as refused:
            ack(overview.private(str(refused)))
        except Unavailable as problem:
            log.warning("%s was not answered: %s", overview.COMMAND, problem)
            ack(overview.private(NOT_READ))

    def _read(self, text: str) -> Json:
        if not text:
            return overview.overview(self.statuses.overview(), self.statuses.environments)
        if text == "help" or not GROUP.fullmatch(text):
            return overview.usage()
        status = self.statuses.group(text)
        return overview.group(text, status, self.statuses.environments) if status else overview.unknown(text)


def register(app: App, *, answers: Answers, status: Status) -> None:
    """Register every listener; the last catches buttons of other versions of the bot."""
    app.action(APPROVE)(answers.approve)
    app.action(REJECT)(answers.ask_reason)
    app.view(CALLBACK)(answers.reject)
    app.command(overview.COMMAND)(status.answer)
    app.action(re.compile(re.escape(LINK)))(_acknowledge)
    app.event(re.compile(""))(_acknowledge)
    app.action(re.compile(""))(answers.outdated)


def whisper(api: SlackApi, body: Json, text: str) -> None:
    """Say something to the one who pressed; where even that fails, the error makes Slack mark the button."""
    said = {"response_type": "ephemeral", "replace_original": False, "text": text}
    if url := body.get("response_url"):
        api.respond(str(url), said)


def _acknowledge(ack: Ack) -> None:
    ack()


def _request(action: Json) -> RequestId:
    return RequestId.parse(str(action.get("value", "")))


def _card(body: Json) -> MessageRef | None:
    place = body.get("container") or {}
    channel, ts = place.get("channel_id"), place.get("message_ts")
    return MessageRef(channel, ts) if channel and ts else None
