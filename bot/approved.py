"""`approved/<environment>`: the model an inference pipeline has to run, as one JSON value (contract)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.codec import from_json, to_json
from bot.domain import ModelVersion, rfc3339
from bot.encoding import decode, encode
from bot.errors import Malformed
from bot.history import Round, VersionState
from bot.members import Person
from bot.names import Names
from bot.package import Container

APPROVED = "Approved"
NOTHING = "None"


@dataclass(frozen=True, slots=True)
class PinnedContainer:
    """One container as pipelines read it; null where AWS gives nothing."""

    image_uri: str
    image_digest: str | None = None
    model_data_url: str | None = None
    model_data_etag: str | None = None


@dataclass(frozen=True, slots=True)
class ApprovedModel:
    """The model approved for an environment, or (`status` "None") that nothing is any more."""

    status: str
    model_package_group_name: str
    environment: str
    model_package_version: int | None = None
    model_package_arn: str | None = None
    model_data_url: str | None = None
    image_uri: str | None = None
    containers: tuple[PinnedContainer, ...] = ()
    approved_by: tuple[Person, ...] = ()
    approved_at: datetime | None = None
    history: str | None = None
    previous: int | None = None

    @property
    def stands(self) -> bool:
        """Whether a model is named."""
        return self.status == APPROVED and self.model_package_version is not None and self.approved_at is not None

    @property
    def order(self) -> tuple[str, int]:
        """Of two approvals for one environment the later wins."""
        return (rfc3339(self.approved_at) if self.approved_at else "", self.model_package_version or 0)

    def encoded(self) -> str:
        """The parameter's value: every key is there, null where there is nothing to say."""
        found = to_json(self)
        found["containers"] = [_all_keys(each, _CONTAINER_KEYS) for each in found.get("containers", [])]
        lists = {"approved_by": found.get("approved_by", []), "containers": found["containers"]}
        return encode({**_all_keys(found, _KEYS), **lists})


def read_approved(text: str | None) -> ApprovedModel | None:
    """Read a pointer, whoever wrote it: what cannot be read counts as nothing."""
    if text is None:
        return None
    try:
        found = from_json(ApprovedModel, decode(text))
    except Malformed:
        return None
    return found if found.stands or found.status == NOTHING else None


def approved_model_of(one: Round, state: VersionState, names: Names, previous: int | None) -> ApprovedModel:
    """What the pointer says after this approval: a pure function of the log, so that nothing unapproved can enter."""
    deciding = one.votes[-1]
    opened = one.opened
    first = opened.containers[0] if opened.containers else Container("")
    return ApprovedModel(
        status=APPROVED,
        model_package_group_name=state.model.group,
        environment=opened.environment,
        model_package_version=state.model.version,
        model_package_arn=opened.arn,
        model_data_url=first.model_data or None,
        image_uri=first.image or None,
        containers=tuple(map(_pinned, opened.containers)),
        approved_by=tuple(vote.by for vote in one.approvals),
        approved_at=deciding.at,
        history=names.entry(state.model, deciding.seq),
        previous=previous,
    )


def nothing_approved(model: ModelVersion, environment: str, previous: int | None) -> ApprovedModel:
    """The value that says so loudly; the name is never deleted."""
    return ApprovedModel(NOTHING, model.group, environment, previous=previous)


def succeed(wanted: ApprovedModel, current: ApprovedModel | None) -> ApprovedModel:
    """Carry the version before into `previous`."""
    if current is None:
        return wanted
    if current.model_package_version in (None, wanted.model_package_version):
        return replace(wanted, previous=current.previous)
    return replace(wanted, previous=current.model_package_version)


_CONTAINER_KEYS = ("image_uri", "image_digest", "model_data_url", "model_data_etag")
_KEYS = tuple(each for each in ApprovedModel.__slots__ if each != "containers")


def _pinned(each: Container) -> PinnedContainer:
    return PinnedContainer(each.image, each.image_digest or None, each.model_data or None, each.model_data_etag or None)


def _all_keys(found: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: found.get(key) for key in keys}
