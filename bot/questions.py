"""What somebody asks in private: who may answer a request, whether they may, and what waits for their own answer.

The doors hand such a question over, because only the one writer's function reaches the directory; it changes nothing.
"""

from collections.abc import Mapping

from bot import rules
from bot.card import card_of, plain
from bot.desk import pending
from bot.domain import ChatUser, Member, RequestId
from bot.errors import NotIdentified, Refused, UnknownRequest
from bot.jobs import QuestionJob
from bot.links import page_of
from bot.neighbours import Neighbours
from bot.policy import EMAIL, GUID
from bot.records import Look
from bot.status import GroupStatus

HOW = {"linked": ", with a chat account that is linked to them", "sign-in": ", after signing in"}
"""What the policy asks of an account, by `identity`."""
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
            lambda: self._named(job, groups) if job.about else None,
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
            if not job.about:
                rules.identified(job.by, environment)
            rules.may_answer(look.state, request, environment, member, self._near.clock())
        except Refused as refusal:
            says.append(f"{who} may not answer: {refusal}")
        else:
            says.append(f"{who} may answer{HOW.get(environment.identity, '') if job.about else ''}.")
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

    def _named(self, job: QuestionJob, groups: tuple[str, ...]) -> Member:
        """The person who is asked about: by an address of the company, a link, or their account in the same chat."""
        oid = job.about if GUID.fullmatch(job.about) else ""
        if EMAIL.fullmatch(job.about) and not (oid := self._near.directory.find(job.about)):
            raise UnknownRequest(
                f"Not one person of the directory has the address {job.about}; ask for the one the company gave them."
            )
        known, chat = ChatUser("web", "", oid, oid=oid), ChatUser(job.by.surface, job.by.team, job.about)
        try:
            return self._near.directory.member(known if oid else chat, groups)
        except NotIdentified as stranger:
            raise UnknownRequest("That account cannot be tied to one person of the directory.") from stranger

    def _page(self, request: RequestId) -> list[str]:
        return [page_of(self._near.pages, request)] if self._near.pages else []
