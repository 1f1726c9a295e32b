"""Where everything lies in Parameter Store: a contract with pipelines. No group's name begins with an underscore."""

from dataclasses import dataclass

from bot.domain import ChatUser, ModelVersion, RequestId
from bot.encoding import sha256

SHARDS = 10
"""The names of the groups are spread over ten parameters, so that one GetParameters reads them all."""
POINTER = 3
"""Parts of the name of an approved model below the root."""


@dataclass(frozen=True, slots=True)
class Names:
    """Parameter names below one root, such as `/model-approvals`."""

    root: str

    def history(self, group: str) -> str:
        """The folder of the logs of a group's versions."""
        return f"{self.root}/{group}/history"

    def entry(self, model: ModelVersion, seq: int) -> str:
        """One immutable line of a version's log."""
        return f"{self.history(model.group)}/{model.version}/{seq:04d}"

    def approved(self, group: str, environment: str) -> str:
        """What inference pipelines read."""
        return f"{self.root}/{group}/approved/{environment}"

    def pointer(self, name: str) -> tuple[str, str] | None:
        """Environment and group of a name that inference pipelines read, whichever version of it is asked for."""
        parts = name.removeprefix(self.root + "/").partition(":")[0].split("/")
        return (parts[2], parts[0]) if len(parts) == POINTER and parts[1] == "approved" else None

    def approved_all(self, group: str) -> str:
        """The folder of what inference pipelines read."""
        return f"{self.root}/{group}/approved"

    def cards(self, request: RequestId) -> str:
        """Where the cards of a request are."""
        return f"{self.root}/{request.group}/cards/{request.version}/{request.environment}/{request.round}"

    @property
    def markers(self) -> str:
        """The folder of the markers of work in hand."""
        return f"{self.root}/_open"

    def marker(self, model: ModelVersion, environment: str) -> str:
        """Marks that a version has work in hand for an environment."""
        return f"{self.markers}/{model.group}/{model.version}/{environment}"

    def person(self, user: ChatUser) -> str:
        """The verified link of a chat account to a person."""
        return f"{self.root}/_people/{user.surface}/{user.team}/{user.user}"

    def service(self, surface: str, team: str) -> str:
        """Where a surface says that it takes our messages for one of its teams or tenants."""
        return f"{self.root}/_services/{surface}/{team}"

    def status(self, group: str) -> str:
        """One compact status of a group."""
        return f"{self.root}/_status/{group}"

    @property
    def health(self) -> str:
        """How the bot itself is."""
        return f"{self.root}/_status/_health"

    def shard(self, group: str) -> str:
        """The one of the ten lists of groups that names this group."""
        return f"{self.root}/_status/_groups/{int(sha256(group)[:8], 16) % SHARDS}"

    @property
    def shards(self) -> tuple[str, ...]:
        """All ten lists of groups."""
        return tuple(f"{self.root}/_status/_groups/{number}" for number in range(SHARDS))
