"""Tying a chat account to a person, so that a forwarded link ties nobody else.

The account is the one that asked; the person is whoever has signed in. They are one when the address that the chat has
confirmed is the person's own. Where it is not, a member of the policy's administrators group has to say so.
"""

from dataclasses import dataclass

from bot import rules
from bot.domain import ChatUser
from bot.errors import LinkExpired, NotAnApprover, Refused
from bot.links import Links
from bot.members import Member
from bot.people import Binding, People
from bot.policy import Policy
from bot.ports import Clock, Directory
from bot.seals import ConfirmLink, LinkingLink

USED = "This link has been used. To link the account anew, press the button on the card again."


class OthersLink(Refused):
    """The account's address is not the signed-in person's: an administrator has to confirm. `url` is for them."""

    def __init__(self, message: str, url: str) -> None:
        super().__init__(message)
        self.url = url


@dataclass(frozen=True, slots=True)
class Linking:
    """The use-case of the page: look, then bind."""

    policy: Policy
    people: People
    directory: Directory
    links: Links
    clock: Clock

    def look(self, link: LinkingLink, by: ChatUser) -> Member:
        """Who would be linked: the person who signed in. Raise what refuses it; nothing changes."""
        self._unused(link)
        member = self.directory.member(by, ())
        rules.belongs(member)
        if not link.email or link.email.lower() not in member.addresses:
            raise OthersLink(
                f"{link.called} has another address than {member.person.name}, so it was not linked. If it is yours "
                f"all the same, send the link below to {self._who_confirms()}.",
                self.links.confirming(link, member.person.oid, member.person.name),
            )
        return member

    def bind(self, link: LinkingLink, by: ChatUser) -> Binding:
        """Link the account to the person who signed in."""
        person = self.look(link, by).person
        return self._bound(link, Binding(person.oid, person.name, self.clock()))

    def look_over(self, asked: ConfirmLink, by: ChatUser) -> Member:
        """Who confirms: an administrator, and neither for themselves nor for an account of their own."""
        self._unused(asked.link)
        group = self.policy.administrators
        member = self.directory.member(by, (group,) if group else ())
        rules.belongs(member)
        if group not in member.groups:
            raise NotAnApprover(f"{member.person.name} cannot confirm this link. Ask {self._who_confirms()}.")
        if member.person.oid == asked.oid or asked.link.email.lower() in member.addresses:
            raise NotAnApprover("Nobody confirms a link of their own. Ask another administrator.")
        return member

    def confirm(self, asked: ConfirmLink, by: ChatUser) -> Binding:
        """Link the account to the person who asked, because an administrator says that they are one."""
        administrator = self.look_over(asked, by).person
        return self._bound(asked.link, Binding(asked.oid, asked.name, self.clock(), administrator.oid))

    def _unused(self, link: LinkingLink) -> None:
        """A link that was made before the account was linked has had its use."""
        binding = self.people.binding(link.user)
        if binding and binding.at >= link.asked_at:
            raise LinkExpired(USED)

    def _bound(self, link: LinkingLink, binding: Binding) -> Binding:
        self.people.bind(link.user, binding)
        return binding

    def _who_confirms(self) -> str:
        group = self.policy.administrators
        return f"a member of the administrators group {group}" if group else "a platform engineer: no group may confirm"
