"""A model package as the registry describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain import ModelVersion
from bot.encoding import encode, sha256


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a model package; empty where AWS gives nothing ("not pinned")."""

    image: str
    image_digest: str = ""
    model_data: str = ""
    model_data_etag: str = ""

    @property
    def pinned(self) -> bool:
        """Whether the bytes, not only their addresses, are known."""
        return bool(self.image_digest) and (bool(self.model_data_etag) or not self.model_data)


@dataclass(frozen=True, slots=True)
class Package:
    """A model package version as the registry describes it."""

    model: ModelVersion
    arn: str
    status: str
    description: str = ""
    package_status: str = "Completed"
    registration: str = "Registered"
    created_at: datetime | None = None
    modified_at: datetime | None = None
    created_by: str = ""
    modified_by: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    life_cycle: tuple[str, str] = ("", "")
    containers: tuple[Container, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    commit: str = ""
    repository: str = ""

    @property
    def fingerprint(self) -> str:
        """Digest of what a decision is bound to: the package, its images and model data, its evaluation reports."""
        containers = [
            [each.image, each.image_digest, each.model_data, each.model_data_etag] for each in self.containers
        ]
        return sha256(encode([self.arn, containers, [list(each) for each in self.metrics]]))

    @property
    def commit_url(self) -> str:
        """Where the commit can be read, when the repository is given as a web address."""
        known = self.commit and self.repository.startswith("https://")
        return f"{self.repository.removesuffix('.git')}/commit/{self.commit}" if known else ""

    @property
    def metrics_uri(self) -> str:
        """Where the evaluation report of the registration lies, or nothing."""
        return self.metrics[0][0] if self.metrics else ""

    @property
    def metrics_digest(self) -> str:
        """The sha256 of that report in hexadecimal, if it was registered: AWS writes `sha256:…`."""
        kind, _, digest = self.metrics[0][1].lower().partition(":") if self.metrics else ("", "", "")
        return digest if kind == "sha256" else ""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing of model packages."""

    model: ModelVersion
    created_at: datetime
    status: str
