"""Which version each environment loads, and what waits there: the tables of the pages, in words. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.domain import Act, ModelVersion, RequestId, State
from bot.overview import IN_USE, WORDS
from bot.status import GroupStatus, Stand


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words in a cell, and the page that they lead to, if any."""

    words: str
    state: str
    page: str = ""


Cell = tuple[Piece, ...]
Rows = tuple[tuple[Piece, tuple[Cell, ...]], ...]


def groups(statuses: Mapping[str, GroupStatus], environments: Sequence[str]) -> Rows:
    """One row for each group: what its environments load, and what waits."""
    return tuple(
        (Piece(name, "", f"/models/{name}"), tuple(_loads(name, status, each) for each in environments))
        for name, status in sorted(statuses.items())
    )


def versions(group: str, status: GroupStatus, environments: Sequence[str]) -> Rows:
    """One row for each version, newest first: where it stands in each environment."""
    loaded = {slot.version for slot in status.approved.values() if slot.version}
    models = [ModelVersion(group, number) for number in {*map(int, status.versions), *loaded}]
    return tuple(
        (Piece(f"v{model.version}", "", page_of(model)), tuple(_stands(model, status, each) for each in environments))
        for model in sorted(models, reverse=True)
    )


def page_of(model: ModelVersion) -> str:
    """Where a version and its history are shown, below the pages' root."""
    return f"/models/{model.group}/{model.version}"


def act_page(act: Act, request: RequestId) -> str:
    """Where an approval can be revoked or restored, below the pages' root."""
    return f"/{act}/{request}"


def ask_page(model: ModelVersion, environment: str) -> str:
    """Where a promotion is requested, below the pages' root."""
    return f"/ask/{model.group}/{model.version}/{environment}"


def request_page(request: RequestId) -> str:
    """Where a request is shown, below the pages' root."""
    return f"/requests/{request}"


def _loads(group: str, status: GroupStatus, environment: str) -> Cell:
    slot = status.approved.get(environment)
    loaded = ModelVersion(group, slot.version) if slot and slot.version else None
    pieces = [Piece(f"v{loaded.version} {IN_USE}", IN_USE, page_of(loaded))] if loaded else []
    for number in sorted(map(int, status.versions), reverse=True):
        model = ModelVersion(group, number)
        stand = _stand(status, model, environment)
        if stand and stand.state is State.PENDING:
            pieces.append(_waits(f"v{number} waiting", model, environment, stand))
    return tuple(pieces)


def _stands(model: ModelVersion, status: GroupStatus, environment: str) -> Cell:
    slot, stand = status.approved.get(environment), _stand(status, model, environment)
    used = slot is not None and slot.version == model.version
    pieces = [Piece(IN_USE, IN_USE)] if used else []
    if stand and stand.state is State.PENDING:
        pieces.append(_waits(WORDS[stand.state], model, environment, stand))
    elif stand and not (used and stand.state is State.APPROVED):
        pieces.append(Piece(WORDS[stand.state], stand.state))
    return tuple(pieces)


def _waits(words: str, model: ModelVersion, environment: str, stand: Stand) -> Piece:
    return Piece(words, stand.state, request_page(RequestId(model.group, model.version, environment, stand.round)))


def _stand(status: GroupStatus, model: ModelVersion, environment: str) -> Stand | None:
    row = status.versions.get(str(model.version))
    return row.environments.get(environment) if row else None
