"""Parameter Store in several accounts behind one port: approved models lie where their environment is.

All else lies at home.

One wave stays one wave: each account is asked once, side by side.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from bot.names import Names
from bot.policy import HOME, Place, Policy
from bot.ports import Crew, Parameter, Parameters, Stored, Written


class Spread:
    """The parameters of the registry's account, and of each place that the policy names."""

    def __init__(self, stores: Mapping[Place, Parameters], policy: Policy, names: Names, crew: Crew) -> None:
        self._stores = stores
        self._policy = policy
        self._names = names
        self._crew = crew

    def get(self, names: Sequence[str]) -> Mapping[str, Parameter]:
        """Read at most ten names, in one call for each account that has some of them."""
        shares: dict[Place, list[str]] = {}
        for name in names:
            shares.setdefault(self._place(name), []).append(name)
        calls = [partial(self._stores[place].get, share) for place, share in shares.items()]
        if len(calls) == 1:
            return calls[0]()
        return {name: each for future in self._crew.together(*calls) for name, each in future.result().items()}

    def create(self, name: str, value: str) -> bool:
        """Create if absent, where it belongs."""
        return self._of(name).create(name, value)

    def put(self, name: str, value: str) -> int:
        """Write it where it belongs."""
        return self._of(name).put(name, value)

    def delete(self, name: str) -> None:
        """Remove it where it belongs."""
        self._of(name).delete(name)

    def written(self, name: str) -> Sequence[Written]:
        """Who wrote what there."""
        return self._of(name).written(name)

    def below(self, path: str) -> Iterable[Stored]:
        """Everything below a path at home, and a group's approved models elsewhere."""
        yield from self._stores[HOME].below(path)
        root, _, group = path.rpartition("/")
        for environment in self._policy.path if root == self._names.root and not group.startswith("_") else ():
            name = self._names.approved(group, environment)
            if self._place(name) != HOME and (found := self._of(name).get([name])):
                yield Stored(name, found[name].value, found[name].version)

    def counted(self) -> int:
        """How many there are at home, where all but approved models are."""
        return self._stores[HOME].counted()

    def _of(self, name: str) -> Parameters:
        return self._stores[self._place(name)]

    def _place(self, name: str) -> Place:
        pointer = self._names.pointer(name)
        return self._policy.place(*pointer) if pointer else HOME
