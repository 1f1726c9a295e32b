"""What follows when somebody presses, types or installs: a job or an answer, never a decision.

https://learn.microsoft.com/adaptive-cards/authoring-cards/universal-action-model says how a press is answered: with a
card, which only the one who pressed sees; with a few words; or with an error. Each goes out as HTTP 200.
"""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.admission import Admission
from bot.card import Card
from bot.clicks import ActJob, AnswerJob, Decision, QuestionJob
from bot.domain import Answer, ChatUser, MessageRef, RequestId
from bot.errors import (
    UNIDENTIFIED,
    ApprovalError,
    Malformed,
    NotIdentified,
    NotLinked,
    Refused,
    SignInNeeded,
    Unavailable,
)
from bot.overview import LOOKING, Overview, Question, Said, Statuses
from bot.ports import Clock, Crew, Jobs
from bot.teams import cards, status
from bot.teams.cards import (
    ACTS,
    APPROVE,
    CONTENT_TYPE,
    LONGEST_REASON,
    NO_REASON,
    REASON,
    REJECT,
    THREAD,
    VIEW,
    Note,
    reason_of,
)
from bot.teams.connector import Connector
from bot.teams.identity import called, caller, name_of
from bot.teams.text import BREAK, said
from bot.text import parted

Json = dict[str, Any]
Activity = Mapping[str, Any]

log = logging.getLogger(__name__)

MESSAGE = "application/vnd.microsoft.activity.message"
ERROR = "application/vnd.microsoft.error"
RECORDING = (
    "Your answer is being checked. The card will show it in a moment; if it may not count, your chat with me says why."
)
UNCONFIRMED = (
    "It could not be confirmed that your answer has arrived. Look at the card in a minute; if it does not show it, "
    "press the button again, which does no harm."
)
UNKNOWN_NOW = "Nothing was recorded: who you are could not be looked up just now. Please press the button again."
BROKEN = "This button is broken, so nothing was recorded. Please tell the people who run Model Approvals."
TOO_LONG = f"Please say it in at most {LONGEST_REASON} characters. Nothing was recorded."
NO_CARD = "There is no such request any more. Ask for model-status to see what waits for an answer."
NOT_READ = "This could not be read now. Please try again in a minute."
WAYS: Mapping[type[ApprovalError], str] = MappingProxyType(
    {NotLinked: "Link my account", SignInNeeded: "Sign in and answer"}
)
"""The refusals that end with the address of a page of ours, and what the button that leads there says."""
WITH_REASON = frozenset({REJECT, *ACTS})
_CONVERSATION = re.compile(r"[a-z0-9]{1,3}:[\w.:;=@~+-]{1,300}", re.ASCII)
_ID = re.compile(r"[\w.:;=@~+-]{0,99}\w[\w.:;=@~+-]{0,99}", re.ASCII)
_MENTION = re.compile(r"<at\b[^>]{0,200}>.{0,200}?</at>", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that somebody pressed: which, on which card, and what the form held."""

    verb: str
    request: RequestId
    reason: str
    card: MessageRef | None
    op: str


@dataclass(frozen=True, slots=True)
class Activities:
    """One bot in one tenant.

    `card` reads a request's card as it is now; `standing` raises `Refused` for whoever is no member; `installed`
    keeps the service URL. Without `admission` nothing is asked of an account before its answer is put on the queue.
    """

    app_id: str
    tenant: str
    jobs: Jobs
    clock: Clock
    card: Callable[[RequestId], Card | None]
    statuses: Statuses
    standing: Callable[[ChatUser], None]
    crew: Crew
    connector: Connector
    installed: Callable[[str], None]
    admission: Admission | None = None
    pages: str = ""

    def answer(self, activity: Activity) -> Json | None:
        """Give the body of the answer, if there is one; every activity that is not ours has no effect."""
        match activity.get("type"):
            case "invoke" if activity.get("name") == "adaptiveCard/action":
                return self._pressed(activity)
            case "message" if isinstance(activity.get("text"), str) and not activity.get("value"):
                self._asked(activity)
            case "installationUpdate" if str(activity.get("action", "")).startswith("add"):
                self.installed(str(activity["serviceUrl"]))
            case "conversationUpdate" if self._is_added(activity):
                self.installed(str(activity["serviceUrl"]))
        return None

    def _pressed(self, activity: Activity) -> Json:
        try:
            user = caller(activity, self.tenant)
            press = read_press(activity, user)
            return self._viewed(press, user) if press.verb == VIEW else self._answered(press, user, activity)
        except Malformed as problem:
            log.error("a press was not understood: %s", problem)
            return _wrong(BROKEN)
        except NotIdentified:
            return _words(UNIDENTIFIED)

    def _viewed(self, press: Press, user: ChatUser) -> Json:
        """Read while it is asked who is asking; nothing changes."""
        member, read = self.crew.together(lambda: self.standing(user), lambda: self.card(press.request))
        try:
            member.result()
            card: Card | None = read.result()
        except Refused as refused:
            return _words(str(refused))
        except Unavailable as problem:
            log.warning("a card was not shown anew: %s", problem)
            return _words(NOT_READ)
        return _shown(cards.drawn(card, pages=self.pages)) if card else _wrong(NO_CARD)

    def _answered(self, press: Press, user: ChatUser, activity: Activity) -> Json:
        """Put the answer on the queue, or show why not."""
        try:
            by = self.admission.admit(press.request, user, called(activity)) if self.admission else user
        except Refused as refused:
            return self._refused(press, refused)
        except Unavailable as problem:
            log.warning("an answer was not taken: %s", problem)
            return _words(UNKNOWN_NOW)
        if wanting := _wanting(press):
            return self._noted(press, Note(wanting))
        about, now = press.request, self.clock()
        if act := ACTS.get(press.verb):
            return self._handed_in(ActJob(act, about, by, press.op, now, press.reason, press.card)) or _words(RECORDING)
        answer = Answer.APPROVE if press.verb == APPROVE else Answer.REJECT
        job = AnswerJob(about, answer, by, press.op, now, press.reason, press.card)
        return self._handed_in(job) or self._awaited(job, name_of(activity))

    def _handed_in(self, job: Decision) -> Json | None:
        """Put it on the queue; give what is said where that did not work."""
        try:
            self.jobs.put(job)
        except Refused as refused:
            return _words(str(refused))
        except Unavailable as problem:
            log.error("an answer was perhaps not handed in: %s", problem)
            return _words(UNCONFIRMED)
        return None

    def _awaited(self, job: AnswerJob, name: str) -> Json:
        """Show that the answer is on the queue; a card that was decided meanwhile says so itself."""
        card = self._read(job.request)
        if card is None:
            return _words(RECORDING)
        if not card.open:
            return _shown(cards.drawn(card, pages=self.pages))
        return _shown(cards.recording(card, job.answer, name, pages=self.pages))

    def _refused(self, press: Press, refused: Refused) -> Json:
        """A refusal that ends with a way to our pages has a button for it, which only this person sees."""
        words, url = parted(str(refused), self.pages)
        way = WAYS.get(type(refused), "")
        return self._noted(press, Note(words, url, way)) if way and url else _words(str(refused))

    def _noted(self, press: Press, note: Note) -> Json:
        """On the card, if one was pressed: what stands in a thread is none."""
        card = self._read(press.request) if press.card else None
        return _shown(cards.drawn(card, pages=self.pages, note=note)) if card else _words(f"{note.text} {note.url}")

    def _read(self, request: RequestId) -> Card | None:
        try:
            return self.card(request)
        except Unavailable as problem:
            log.warning("the card of %s could not be read: %s", request, problem)
            return None

    def _asked(self, activity: Activity) -> None:
        """Answer where it was asked; nobody waits for HTTP to say whether that worked."""
        if not _CONVERSATION.fullmatch(_conversation(activity)):
            log.warning("a message of no conversation was left alone")
            return
        try:
            url = str(activity["serviceUrl"])
            self.connector.reply(_conversation(activity), self._told(activity), service=url)
        except (Refused, Unavailable) as problem:
            log.warning("a message was not answered: %s", problem)

    def _told(self, activity: Activity) -> Json:
        try:
            user, text = caller(activity, self.tenant), typed(str(activity["text"]))
            member, read = self.crew.together(
                lambda: self.standing(user), lambda: self.statuses.answer(text, command=status.COMMAND)
            )
            member.result()
            shown: Overview | Said | Question = read.result()
            if isinstance(shown, Question):
                op = f"teams|{_conversation(activity)}|{activity.get('id')}|{user.user}"
                self.jobs.put(QuestionJob(user, op, self.clock(), shown.request, shown.about))
                return status.answer(LOOKING)
            return status.answer(shown)
        except Refused as refused:
            return said(str(refused))
        except Unavailable as problem:
            log.warning("%s was not answered: %s", status.COMMAND, problem)
            return said(NOT_READ)

    def _is_added(self, activity: Activity) -> bool:
        added = activity.get("membersAdded")
        bot = f"28:{self.app_id}"
        return isinstance(added, list) and any(isinstance(each, dict) and each.get("id") == bot for each in added)


def read_press(activity: Activity, user: ChatUser) -> Press:
    """Read a pressed button; raise `Malformed` for one that this version of the bot did not draw."""
    action = _part(_part(activity, "value"), "action")
    verb, data = action.get("verb"), _part(action, "data")
    conversation, press = _conversation(activity), activity.get("id")
    if verb not in {APPROVE, VIEW, *WITH_REASON} or not isinstance(data.get("request"), str):
        raise Malformed(f"not a button of ours: {str(verb)[:100]!r}")
    if not _CONVERSATION.fullmatch(conversation) or not _is_id(press):
        raise Malformed(f"a press in no conversation: {conversation[:100]!r}, {str(press)[:100]!r}")
    above = None if data.get(THREAD) else activity.get("replyToId")
    return Press(
        verb=str(verb),
        request=RequestId.parse(data["request"]),
        reason=_reason(data, str(verb)) if verb in WITH_REASON else "",
        card=MessageRef(conversation, str(above)) if _is_id(above) else None,
        op=f"teams|{conversation}|{press}|{user.user}",
    )


def typed(text: str) -> str:
    """What follows the command in a message, without the bot's own name; `help` for anything that is no command."""
    words = _MENTION.sub(" ", text).replace("\N{NO-BREAK SPACE}", " ").replace(BREAK, "").split()
    command = words[0].removeprefix("/").lower() if words else ""
    return " ".join(words[1:]) if command == status.COMMAND else "help"


def _reason(data: Activity, verb: str) -> str:
    given = data.get(reason_of(verb) if data.get(THREAD) else REASON)
    return given.strip() if isinstance(given, str) else ""


def _wanting(press: Press) -> str:
    """What is wrong with the form for a reason; clients check it too, but need not."""
    if press.verb not in WITH_REASON:
        return ""
    if len(press.reason) > LONGEST_REASON:
        return TOO_LONG
    return "" if press.reason else NO_REASON


def _shown(card: Json) -> Json:
    return {"statusCode": 200, "type": CONTENT_TYPE, "value": card}


def _words(text: str) -> Json:
    return {"statusCode": 200, "type": MESSAGE, "value": text.strip()}


def _wrong(text: str) -> Json:
    return {"statusCode": 400, "type": ERROR, "value": {"code": "BadRequest", "message": text}}


def _conversation(activity: Activity) -> str:
    return str(_part(activity, "conversation").get("id", ""))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _part(value: Activity, name: str) -> Activity:
    found = value.get(name)
    return found if isinstance(found, dict) else {}
