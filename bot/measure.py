"""What the policy says of a metric, as a request keeps it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.evidence import Metric


@dataclass(frozen=True, slots=True)
class Measure:
    """What the policy says of a metric: whether `higher` or `lower` is better, and the bounds it is to keep."""

    name: str
    better: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def says_of(self, metric: "Metric") -> bool:
        """Whether it is this metric; a report names those of several groups `group.name`."""
        return self.name in (metric.name, metric.name.rpartition(".")[2])

    def kept_by(self, metric: "Metric") -> bool:
        """Whether a value keeps the bounds."""
        above = self.at_least is None or metric.value >= self.at_least
        return above and (self.at_most is None or metric.value <= self.at_most)
