"""What somebody asks in private: who may answer a request, whether they may, and what waits for their own answer.

The doors hand such a question over, because only the one writer's function reaches the directory; it changes nothing.
"""

from collections.abc import Mapping

from bot import rules
from bot.card import card_of, plain
from bot.desk import pending
from bot.domain import ChatUser, Member, RequestId
from bot.errors import Refused, UnknownRequest
from bot.jobs import QuestionJob
from bot.links import page_of
from bot.neighbours import Neighbours
from bot.policy import EMAIL
from bot.records import Look
from bot.status import GroupStatus

SHOWN = 10
"""Requests that are named; the page has all of them."""


class Questions:
    """Answers in words."""

    def __init__(self, near: Neighbours) -> None:
        self._near = near

    def answer(self, job: QuestionJob) -> str:
        """Say what was asked; raise `Refused` for whom nothing is told, `Unavailable`."""
        return self._who(job.request, job) if job.request else self._mine(job)

    def _who(self, request: RequestId, job: QuestionJob) -> str:
        environment = rules.known(self._near.policy, request)
        groups = (environment.approvers,)
        read, asks, asked = self._near.crew.together(
            lambda: self._near.records.look(request.model),
            lambda: self._near.directory.member(job.by, groups),
            lambda: self._near.directory.member(self._named(job), groups) if job.about else None,
        )
        asker: Member = asks.result()
        rules.belongs(asker)
        look: Look = read.result()
        member: Member = asked.result() or asker
        one = look.state.round(request)
        if one is None:
            raise UnknownRequest(f"There is no request {request}. /model-status {request.group} has what is known.")
        who = member.person.name if job.about else "You"
        says = [f"{request}: {plain(card_of(look.state, one).verdict)}."]
        try:
            rules.may_answer(look.state, request, environment, member, self._near.clock())
        except Refused as refusal:
            says.append(f"{who} may not answer: {refusal}")
        else:
            says.append(f"{who} may answer.")
        return "\n".join([*says, *self._page(request)])

    def _mine(self, job: QuestionJob) -> str:
        groups = dict.fromkeys(each.approvers for each in self._near.policy.all_rules)
        asks, read = self._near.crew.together(
            lambda: self._near.directory.member(job.by, tuple(groups)),
            lambda: self._near.records.statuses(self._near.records.groups()),
        )
        member: Member = asks.result()
        rules.belongs(member)
        statuses: Mapping[str, GroupStatus] = read.result()
        found = sorted((since, request) for request, since in pending(statuses) if self._is_for(request, member))
        if not found:
            return "Nothing waits for an answer of one of your groups."
        lines = [
            f"{request.model} for {request.environment}, since {since:%Y-%m-%d %H:%M} UTC" for since, request in found
        ]
        more = [f"and {len(lines) - SHOWN} more"] if lines[SHOWN:] else []
        says = "1 request waits" if len(lines) == 1 else f"{len(lines)} requests wait"
        home = [f"{self._near.pages}/"] if self._near.pages else []
        return "\n".join([f"{says} for an answer of your groups:", *lines[:SHOWN], *more, *home])

    def _is_for(self, request: RequestId, member: Member) -> bool:
        environment = self._near.policy.environment(request.environment, request.group)
        return environment is not None and environment.approvers in member.groups

    def _named(self, job: QuestionJob) -> ChatUser:
        """The person who is asked about: by an address of the company, else by their account in the same chat."""
        if not EMAIL.fullmatch(job.about):
            return ChatUser(job.by.surface, job.by.team, job.about)
        oid = self._near.directory.find(job.about)
        if not oid:
            raise UnknownRequest(
                f"Not one person of the directory has the address {job.about}; ask for the one the company gave them."
            )
        return ChatUser("web", "", oid, oid=oid)

    def _page(self, request: RequestId) -> list[str]:
        return [page_of(self._near.pages, request)] if self._near.pages else []
