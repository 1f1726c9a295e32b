"""What somebody asks in private: who may answer a request, whether they may, and what waits for their own answer.

The doors hand such a question over, because only the one writer's function reaches the directory; it changes nothing.
"""

from bot.clicks import QuestionJob
from bot.desk import Desk, Review
from bot.domain import ChatUser, RequestId
from bot.errors import NotIdentified, UnknownRequest
from bot.line import plain
from bot.links import page_of
from bot.neighbours import Neighbours
from bot.overview import counted
from bot.policy import EMAIL, GUID
from bot.rules import belongs

HOW = {"linked": ", with a chat account that is linked to them", "sign-in": ", after signing in"}
"""What the policy asks of an account, by `identity`."""
SHOWN = 10
"""Requests that are named; the page has all of them."""


class Questions:
    """Answers in words, with what the pages would show the same person."""

    def __init__(self, near: Neighbours) -> None:
        self._near = near
        self._desk = Desk(near.policy, near.records, near.directory, near.jobs, near.crew, near.clock)

    def answer(self, job: QuestionJob) -> str:
        """Say what was asked; raise `Refused` for whom nothing is told, `Unavailable`."""
        return self._who(job.request, job) if job.request else self._mine(job.by)

    def _who(self, request: RequestId, job: QuestionJob) -> str:
        review = self._of_another(request, job) if job.about else self._desk.review(request, job.by)
        who = review.person.name if job.about else "You"
        says = [f"{request}: {plain(review.card.verdict)}."]
        if review.refusal:
            says.append(f"{who} may not answer: {review.refusal}")
        else:
            rules = self._near.policy.environment(request.environment, request.group)
            says.append(f"{who} may answer{HOW.get(rules.identity, '') if rules and job.about else ''}.")
        return "\n".join([*says, *([page_of(self._near.pages, request)] if self._near.pages else [])])

    def _of_another(self, request: RequestId, job: QuestionJob) -> Review:
        """How a request looks to somebody else, as if signed in; for members of the tenant."""
        member, review = self._near.crew.together(
            lambda: self._near.directory.member(job.by, ()), lambda: self._desk.review(request, self._named(job))
        )
        belongs(member.result())
        try:
            found: Review = review.result()
        except NotIdentified as stranger:
            raise UnknownRequest("That account cannot be tied to one person of the directory.") from stranger
        return found

    def _named(self, job: QuestionJob) -> ChatUser:
        """Who is asked about: by object id, by an address of the company, else by an account of the same chat."""
        oid = job.about if GUID.fullmatch(job.about) else ""
        if EMAIL.fullmatch(job.about) and not (oid := self._near.directory.find(job.about)):
            raise UnknownRequest(
                f"Not one person of the directory has the address {job.about}; ask for the one the company gave them."
            )
        if not oid:
            by = ChatUser(job.by.surface, job.by.team, job.about)
            oid = self._near.directory.member(by, ()).person.oid
        return ChatUser("web", "", oid, oid=oid)

    def _mine(self, by: ChatUser) -> str:
        found = [each for each in self._desk.overview(by).waiting if each.mine]
        if not found:
            return "Nothing waits for an answer of one of your groups."
        lines = [
            f"{each.request.model} for {each.request.environment}, since {each.since:%Y-%m-%d %H:%M} UTC"
            for each in found[:SHOWN]
        ]
        more = [f"and {len(found) - SHOWN} more"] if found[SHOWN:] else []
        says = f"{counted(len(found), 'request waits', 'requests wait')} for an answer of your groups:"
        return "\n".join([says, *lines, *more, *([f"{self._near.pages}/"] if self._near.pages else [])])
