"""How a metric went over the versions that one environment was asked about. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bot.card import metric_title, shown_value
from bot.domain import State
from bot.evidence import Metric
from bot.history import Round, VersionState
from bot.status import GroupStatus

TRENDS = 6
"""Trends that are told of an environment."""
COMPARED = 6
"""Versions that a trend looks back on."""
LARGEST = 1e12
"""What lies beyond is no measurement, and no axis has room for its digits."""


@dataclass(frozen=True, slots=True)
class Point:
    """What one version was measured at."""

    version: int
    value: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric in each version, the oldest first; `environment` is the one that they were asked about for."""

    name: str
    unit: str
    environment: str
    points: tuple[Point, ...]

    @property
    def title(self) -> str:
        """The metric as people write it."""
        return metric_title(self.name)

    @property
    def says(self) -> str:
        """For whoever does not see the picture: `AUC when asked for test: v51 0.793, v52 0.903`."""
        told = ", ".join(f"v{each.version} {shown_value(each.value, self.unit)}" for each in self.points)
        return f"{self.title} when asked for {self.environment}: {told}"


def trends(states: Iterable[VersionState], environment: str) -> tuple[Trend, ...]:
    """The metrics of the newest version that was asked about there, as far as an earlier one has them too."""
    found = (state.current(environment) for state in sorted(states, key=lambda each: each.model.version))
    rounds = [each for each in found if each]
    metrics = rounds[-1].opened.evidence.metrics if rounds else ()
    drawn = (Trend(each.name, each.unit, environment, tuple(_points(rounds, each))) for each in metrics)
    return tuple(islice((each for each in drawn if len(each.points) > 1), TRENDS))


def compared(status: GroupStatus, environment: str, version: int | None = None) -> tuple[int, ...]:
    """The newest versions that were approved for an environment, and the one that is looked at, if any."""
    approved = [int(number) for number in status.versions if _was_approved(status, number, environment)]
    return tuple(sorted({*sorted(approved)[-COMPARED:], *([version] if version else [])}))


def furthest(status: GroupStatus, path: Sequence[str], version: int | None = None) -> str:
    """The last of some environments in which there are versions to compare; nothing when there is none."""
    return next((each for each in reversed(path) if len(compared(status, each, version)) > 1), "")


def _points(rounds: Iterable[Round], metric: Metric) -> Iterator[Point]:
    """What is measured in another unit is another metric."""
    for one in rounds:
        same = (each for each in one.opened.evidence.metrics if (each.name, each.unit) == (metric.name, metric.unit))
        found = next(same, None)
        if found and abs(found.value) < LARGEST:
            yield Point(one.id.version, found.value)


def _was_approved(status: GroupStatus, number: str, environment: str) -> bool:
    stand = status.versions[number].environments.get(environment)
    return stand is not None and stand.state in {State.APPROVED, State.REVOKED}
