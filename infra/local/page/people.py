"""Who there is to be on the page, and what each of them may do, read from the directory and the policy."""

from collections.abc import Hashable

from bot import wiring
from bot.policy import Policy
from infra.local import entra_people
from infra.local.page.pane import Json, Mistaken, Pane
from infra.local.stack import Stack


class PeoplePane(Pane):
    """The personas: one person each in Slack, in Teams and in the directory, tied by their address."""

    name = "people"

    def __init__(self, stack: Stack) -> None:
        self._workspace, self._directory = stack.slack.workspace, stack.entra.people
        self.policy: Policy = wiring.policy(stack.environment)

    def version(self) -> Hashable:
        """Slack's accounts are counted; the directory is not changed while the page is up."""
        return len(self._workspace.users)

    def seen_by(self, _: str) -> Json:
        """By id in Slack: what somebody may do, in a few words."""
        return {
            user: self._may(self._account(user)) for user, person in self._workspace.users.items() if not person.is_bot
        }

    def oid(self, user: str) -> str:
        """The object id of a person of Slack; nothing for a stranger."""
        account = self._account(user)
        return account.oid if account else ""

    def address(self, user: str) -> str:
        """The address of a person of Slack."""
        if user not in self._workspace.users:
            raise Mistaken(f"{user} is nobody here. Choose a person at the top of the page.")
        return self._workspace.users[user].email

    def _account(self, user: str) -> entra_people.User | None:
        address = self._workspace.users[user].email if user in self._workspace.users else ""
        return next((each for each in self._directory.everybody() if address and each.mail == address), None)

    def _may(self, account: entra_people.User | None) -> str:
        if account is None:
            return "not in the directory"
        if not account.enabled:
            return "has left"
        if account.kind == "Guest":
            return "guest"
        groups = self._directory.groups_of(account.oid)
        named = [rule.name for rule in self.policy.environments if rule.approvers in groups]
        if named:
            return f"approves {'all' if len(named) == len(self.policy.environments) else ', '.join(named)}"
        return "administrator" if self.policy.administrators in groups else account.title.lower()
