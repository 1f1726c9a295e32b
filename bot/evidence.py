"""What was measured of a model version, and what the policy says of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured value with its reported standard deviation and unit, if any."""

    name: str
    value: float
    deviation: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A batch inference that was measured: where it ran, how whoever started it calls it, and when it ended."""

    environment: str
    name: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured, where it was read and the digest of what was read; or why it could not be read.

    Without a `run` it is the evaluation of the registration. What was only told has no digest. `violations` are those
    that Model Monitor or Clarify found, the first ones by name: `age: baseline_drift_check`.
    """

    metrics: tuple[Metric, ...] = ()
    uri: str = ""
    sha256: str = ""
    problem: str = ""
    run: Run | None = None
    violations: tuple[str, ...] = ()
    more_violations: int = 0
