"""Before a chat's answer is put on the queue: which person the account is by its link, and whether a chat will do."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.domain import ChatUser, RequestId
from bot.errors import NotLinked, SignInNeeded
from bot.links import Links
from bot.people import People
from bot.policy import Policy


@dataclass(frozen=True, slots=True)
class Admission:
    """What the policy's `identity` asks of a chat account; `links` is nothing where the policy asks nothing."""

    policy: Policy
    people: People
    links: Links | None
    vouch: Callable[[ChatUser], str]
    """The address that the chat has confirmed, if any; raises `NotIdentified` for guests, bots and strangers."""

    def admit(self, request: RequestId, user: ChatUser, called: str) -> ChatUser:
        """Give the account as it may answer; raise `SignInNeeded` or `NotLinked` with the way there.

        `called` is how the person knows the account, such as `@maya in the Slack workspace acme`. An account whose
        person the chat itself names needs no link.
        """
        environment = self.policy.environment(request.environment, request.group)
        identity = environment.identity if environment else "email"
        if identity == "sign-in" and self.links:
            raise SignInNeeded(
                f"Answers for {request.environment} are given after signing in. This link is for you alone, and "
                f"nothing is recorded yet: {self.links.review(request)}"
            )
        if user.oid:
            return user
        if binding := self.people.binding(user):
            self.vouch(user)
            return replace(user, oid=binding.oid)
        if identity == "linked" and self.links:
            link = self.links.linking(user, called, self.vouch(user), request)
            raise NotLinked(
                f"Nothing is recorded yet: for {request.environment} the bot has to know who you are. Link this "
                f"account to your company account, once; the link works once and for 15 minutes: {link}"
            )
        return user
