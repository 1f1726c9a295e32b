"""Requests that nobody answers: when they are brought to whom again. Every reminder waits twice as long as the last.

What was told is noted beside the card and not in the history: it decides nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from bot import rules
from bot.domain import State
from bot.errors import Refused
from bot.history import Round, VersionState
from bot.line import Line, Moment, Strong
from bot.members import Contact, Member
from bot.neighbours import Neighbours
from bot.policy import EnvironmentPolicy
from bot.records import Posted


@dataclass(frozen=True, slots=True)
class Reminder:
    """A line for the members of a group; `noted` is what the card's record remembers of it.

    `answers` says that it is only for those of them who may answer, and `nobody` is told where nobody may.
    """

    group: str
    line: Line
    noted: Mapping[str, int | bool]
    nobody: Line
    answers: bool = False


class Reminders:
    """What is due of the requests of one version, and to whom."""

    def __init__(self, near: Neighbours, state: VersionState) -> None:
        self._near = near
        self._state = state
        self._members: dict[str, tuple[Contact, ...]] = {}
        self._lock = Lock()

    def of(self, one: Round, posted: Posted) -> Iterable[Reminder]:
        """The reminders that a card's thread does not tell yet: of several that were missed, the last."""
        now, environment = self._near.clock(), self._near.policy.environment(one.id.environment, one.id.group)
        if environment is None or one.state is not State.PENDING or one.late(now):
            return
        if (count := due(one, environment, now)) > posted.reminded:
            yield _asking(one, environment, count)
        if environment.escalate_to and not posted.escalated and now >= escalation(one, environment):
            yield _escalating(one, environment)

    def people(self, one: Round, reminder: Reminder) -> tuple[Contact, ...]:
        """Who is told, as the directory has it now; raise `Unavailable`."""
        with self._lock:
            if reminder.group not in self._members:
                self._members[reminder.group] = tuple(self._near.directory.within(reminder.group))
        found = self._members[reminder.group]
        return tuple(each for each in found if not reminder.answers or self._may_answer(one, each, reminder.group))

    def _may_answer(self, one: Round, contact: Contact, group: str) -> bool:
        """Whether the guards would let them answer, were they to come now."""
        environment, now = self._near.policy.environment(one.id.environment, one.id.group), self._near.clock()
        member = Member(contact.person, enabled=True, member=True, groups=frozenset({group}), checked_at=now)
        try:
            if environment:
                rules.may_answer(self._state, one.id, environment, member, now)
        except Refused:
            return False
        return environment is not None


def due(one: Round, environment: EnvironmentPolicy, now: datetime) -> int:
    """How many reminders should have gone out by now: after one `remind_after`, after three, after seven, and so on."""
    waited, count = now - one.opened_entry.at, 0
    while environment.remind_after and waited >= environment.remind_after * (2 ** (count + 1) - 1):
        count += 1
    return count


def escalation(one: Round, environment: EnvironmentPolicy) -> datetime:
    """When others are told: after `escalate_after`, else after half of the time for an answer."""
    asked = one.opened_entry.at
    return asked + (environment.escalate_after or (one.opened.expires_at - asked) / 2)


def _asking(one: Round, environment: EnvironmentPolicy, count: int) -> Reminder:
    name, ends = environment.name, Moment(one.opened.expires_at)
    waits: Line = (f"{one.id.model} still waits for ", Strong(name), ", asked ", Moment(one.opened_entry.at))
    return Reminder(
        environment.approvers,
        (*waits, ". Please answer on the card; the time for it ends ", ends, "."),
        {"reminded": count},
        (*waits, f", and not one of the {environment.who_may_answer} may answer. Please tell a platform engineer."),
        answers=True,
    )


def _escalating(one: Round, environment: EnvironmentPolicy) -> Reminder:
    model, name = one.id.model, environment.name
    waits: Line = (f"{model} has waited for ", Strong(name), " since ", Moment(one.opened_entry.at), ". ")
    asks: Line = (f"Please see to it that {environment.who_may_answer} answer; the time for it ends ",)
    nobody = "Nobody is in the group that the policy names for such a case: please tell a platform engineer."
    line = (*waits, *asks, Moment(one.opened.expires_at), ".")
    return Reminder(environment.escalate_to, line, {"escalated": True}, (*waits, nobody))
