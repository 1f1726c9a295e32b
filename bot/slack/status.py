"""The slash command: what waits, which version each environment loads, and the end of a link."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack

from bot.clicks import QuestionJob
from bot.domain import ChatUser
from bot.errors import Refused, Unavailable
from bot.overview import LOOKING, Overview, Question, Said, Statuses
from bot.people import People
from bot.ports import Clock, Crew, Jobs
from bot.slack.overview import UNLINK, unlinked
from bot.slack.overview import answer as drawn
from bot.slack.whispers import COMMAND, private

Json = dict[str, Any]

log = logging.getLogger(__name__)

NOT_READ = "The status could not be read now. Please try again in a minute."
NOT_UNLINKED = "It could not be confirmed that your account is not linked any more. Please try again in a minute."


@dataclass(frozen=True, slots=True)
class Status:
    """The slash command; `people` are the links that it can end, if there are any."""

    team: str
    statuses: Statuses
    standing: Callable[[ChatUser], None]
    crew: Crew
    jobs: Jobs
    clock: Clock
    people: People | None = None

    def answer(self, ack: Ack, command: Json) -> None:
        """Answer members only; whoever asks can unlink nobody but themselves."""
        user = ChatUser("slack", self.team, command["user_id"], str(command.get("channel_id", "")))
        text = str(command.get("text", "")).strip()
        unlinks = text == UNLINK
        try:
            ack(self._unlinked(user) if unlinks else self._shown(user, command, text))
        except Refused as refused:
            ack(private(str(refused)))
        except Unavailable as problem:
            log.warning("%s was not answered: %s", COMMAND, problem)
            ack(private(NOT_UNLINKED if unlinks else NOT_READ))

    def _shown(self, user: ChatUser, command: Json, text: str) -> Json:
        """Read while it is asked who is asking; what was read is shown to members only."""
        member, read = self.crew.together(lambda: self.standing(user), lambda: self._read(text))
        member.result()
        shown: Overview | Said | Question = read.result()
        if isinstance(shown, Question):
            by = replace(user, channel=str(command.get("response_url", "")), oid=self._linked(user))
            about = self._linked(ChatUser("slack", self.team, shown.about)) or shown.about if shown.about else ""
            op = f"slack|{self.team}|{user.user}|{command.get('trigger_id')}"
            self.jobs.put(QuestionJob(by, op, self.clock(), shown.request, about))
            return drawn(LOOKING)
        return drawn(shown)

    def _linked(self, user: ChatUser) -> str:
        """The person that an account is linked to, if it is."""
        binding = self.people.binding(user) if self.people and "@" not in user.user else None
        return binding.oid if binding else ""

    def _unlinked(self, user: ChatUser) -> Json:
        """End the link, also one that cannot be read."""
        self.standing(user)
        if self.people is None:
            raise Unavailable("without a policy nobody knows the links")
        binding = self.people.binding(user)
        self.people.unlink(user)
        return unlinked(binding)

    def _read(self, text: str) -> Overview | Said | Question:
        return self.statuses.answer(text, command=COMMAND, unlink=UNLINK)
