"""What follows when somebody presses, submits or types: a job or an answer, never a decision."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot.admission import Admission
from bot.clicks import ActJob, AnswerJob, Click, Decision
from bot.domain import Answer, ChatUser, MessageRef, RequestId
from bot.errors import ApprovalError, Malformed, NotLinked, Refused, SignInNeeded, Unavailable
from bot.ports import Clock, Jobs
from bot.slack.api import Permanent, SlackApi
from bot.slack.buttons import APPROVE, LINK, REJECT, RESTORE, REVOKE
from bot.slack.identity import REFUSAL, called, outsider
from bot.slack.modal import ACTS, REASON, REJECTING, RESTORING, REVOKING, Reason, read_reason, reason_view, way_view
from bot.slack.whispers import COMMAND, private, told

Json = dict[str, Any]

log = logging.getLogger(__name__)

UNCONFIRMED = (
    "It could not be confirmed that your answer has arrived. Look at the card in a minute; if it does not show it, "
    "press the button again, which does no harm."
)
UNCONFIRMED_FORM = (
    "It could not be confirmed that your answer has arrived. Look at the card in a minute; if it does not show it, "
    "submit the form again, which does no harm."
)
NO_FORM = "The form for the reason could not be opened, so nothing was recorded. Please press the button again."
UNKNOWN_NOW = "Nothing was recorded: who you are could not be looked up just now. Please press the button again."
UNKNOWN_NOW_FORM = "Nothing was recorded: who you are could not be looked up just now. Please submit the form again."
BROKEN_BUTTON = "This button is broken, so nothing was recorded. Please tell the people who run Model Approvals."
BROKEN_FORM = "This form is broken, so nothing was recorded. Close it and press the button on the card again."
NO_REASON = "Please say why: everybody in the channel will read it."
WAYS: Mapping[type[ApprovalError], str] = MappingProxyType(
    {NotLinked: "Link my account", SignInNeeded: "Sign in and answer"}
)
"""The refusals that end with the address of a page of ours, and what the button that leads there says."""
ASKING: Mapping[str, str] = MappingProxyType({REJECT: REJECTING, REVOKE: REVOKING, RESTORE: RESTORING})
"""The buttons that open a form for a reason, and its callback id."""


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
            return ack(private(REFUSAL))
        if body.get("type") == "view_submission":
            return ack(response_action="errors", errors={REASON: REFUSAL})
        whisper(self.api, body, REFUSAL)
        return ack()


class _Unconfirmed(Unavailable):
    """The queue did not say that it has the job; it may have it all the same."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What is said where something goes wrong: on a button, or in a form."""

    broken: str
    unknown: str
    unconfirmed: str

    def of(self, problem: ApprovalError) -> str:
        """A refusal speaks for itself."""
        match problem:
            case Refused():
                return str(problem)
            case Malformed():
                return self.broken
            case _Unconfirmed():
                return self.unconfirmed
        return self.unknown


ON_BUTTON = _Words(BROKEN_BUTTON, UNKNOWN_NOW, UNCONFIRMED)
ON_FORM = _Words(BROKEN_FORM, UNKNOWN_NOW_FORM, UNCONFIRMED_FORM)


@dataclass(frozen=True, slots=True)
class Answers:
    """The buttons of a card and of its thread, and the forms of those that ask why.

    `admission` says which person an account is, or sends it to our `pages`; without it the job finds out by e-mail.
    """

    team: str
    api: SlackApi
    jobs: Jobs
    clock: Clock
    admission: Admission | None = None
    pages: str = ""

    def approve(self, ack: Ack, body: Json, action: Json) -> None:
        """Put the answer on the queue, or say why not; the job asks whether it may be recorded."""
        try:
            self._hand_in(self._approval(body, action))
        except (Malformed, Refused, Unavailable) as problem:
            _note("an Approve", problem)
            self._whisper(body, problem)
        ack()

    def ask_reason(self, ack: Ack, body: Json, action: Json) -> None:
        """Open the form at once: Slack lets a click open one for three seconds only.

        Whoever has to go to our pages first is told so now: nobody shall write a reason for nothing.
        """
        try:
            request, card = _request(action), _card(body) or MessageRef("", "")
            self._admitted(request, body, card.channel)
            form = ASKING[str(action.get("action_id"))]
            self.api.call("views.open", {"trigger_id": body["trigger_id"], "view": reason_view(request, card, form)})
        except (Permanent, Unavailable) as problem:
            log.error("the form for a reason was not opened: %s", problem)
            whisper(self.api, body, NO_FORM)
        except (Malformed, Refused) as problem:
            _note("a button that asks for a reason", problem)
            self._whisper(body, problem)
        ack()

    def submit(self, ack: Ack, body: Json, view: Json) -> None:
        """Put what the form is for on the queue; it stays open, with its text, when that fails."""
        try:
            said = read_reason(view)
            if said.text:
                self._hand_in(self._submitted(body, view, said))
                ack()
            else:
                ack(response_action="errors", errors={REASON: NO_REASON})
        except (Malformed, Refused, Unavailable) as problem:
            _note("the form for a reason", problem)
            self._hold_back(ack, problem)

    def outdated(self, ack: Ack, body: Json) -> None:
        """Answer a button that this version of the bot does not know."""
        log.error("a button that is not known: %s", str(body.get("actions"))[:300])
        whisper(self.api, body, BROKEN_BUTTON)
        ack()

    def _approval(self, body: Json, action: Json) -> AnswerJob:
        request, card = _request(action), _card(body)
        by = self._admitted(request, body, card.channel if card else "")
        op = f"slack|{self.team}|{by.user}|{action.get('action_ts')}|{request}"
        return AnswerJob(request, Answer.APPROVE, by=by, op=op, at=self.clock(), card=card)

    def _submitted(self, body: Json, view: Json, said: Reason) -> Decision:
        """Who the account is may have changed while the reason was written."""
        by = self._admitted(said.request, body, said.card.channel)
        op = f"slack|{self.team}|{by.user}|{view.get('id')}|{said.request}"
        card = said.card if said.card.ts else None
        if act := ACTS.get(str(view.get("callback_id"))):
            return ActJob(act, said.request, by=by, op=op, at=self.clock(), reason=said.text, card=card)
        return AnswerJob(said.request, Answer.REJECT, by=by, op=op, at=self.clock(), reason=said.text, card=card)

    def _admitted(self, request: RequestId, body: Json, channel: str) -> ChatUser:
        user = ChatUser("slack", self.team, body["user"]["id"], channel)
        return self.admission.admit(request, user, called(body)) if self.admission else user

    def _hand_in(self, job: Click) -> None:
        try:
            self.jobs.put(job)
        except Unavailable as problem:
            raise _Unconfirmed(str(problem)) from problem

    def _whisper(self, body: Json, problem: ApprovalError) -> None:
        way = WAYS.get(type(problem), "")
        whisper(self.api, body, ON_BUTTON.of(problem), pages=self.pages, way=way)

    def _hold_back(self, ack: Ack, problem: ApprovalError) -> None:
        """Say it below the form's input, where nothing can be pressed, or on a view above it, where a link can."""
        text, way = ON_FORM.of(problem), WAYS.get(type(problem))
        if way:
            ack(response_action="push", view=way_view(text, pages=self.pages, way=way))
        else:
            ack(response_action="errors", errors={REASON: text})


def register(app: App, *, answers: Answers, status: Callable[[Ack, Json], None]) -> None:
    """Register every listener; the last catches buttons of other versions of the bot."""
    app.action(APPROVE)(answers.approve)
    for button, form in ASKING.items():
        app.action(button)(answers.ask_reason)
        app.view(form)(answers.submit)
    app.command(COMMAND)(status)
    app.action(re.compile(re.escape(LINK)))(_acknowledge)
    app.event(re.compile(""))(_acknowledge)
    app.action(re.compile(""))(answers.outdated)


def whisper(api: SlackApi, body: Json, text: str, *, pages: str = "", way: str = "") -> None:
    """Say something to the one who pressed; where even that fails, the error makes Slack mark the button."""
    said = {"response_type": "ephemeral", "replace_original": False, **told(text, pages=pages, way=way)}
    if url := body.get("response_url"):
        api.respond(str(url), said)


def _note(what: str, problem: ApprovalError) -> None:
    """Log what somebody has to mend. A refusal is told, and may hold a link that is one person's."""
    if not isinstance(problem, Refused):
        log.error("%s was not handed in: %s", what, problem)


def _acknowledge(ack: Ack) -> None:
    ack()


def _request(action: Json) -> RequestId:
    return RequestId.parse(str(action.get("value", "")))


def _card(body: Json) -> MessageRef | None:
    """Where somebody pressed; a line of the thread is no card, which could be repainted."""
    place = body.get("container") or {}
    channel, ts = place.get("channel_id"), place.get("message_ts")
    threaded = place.get("thread_ts") not in (None, ts)
    return MessageRef(channel, "" if threaded else ts) if channel and ts else None
