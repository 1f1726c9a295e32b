"""Everything the use-cases reach the outside world through, and the policy they obey."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.metering import Meter, quiet
from bot.policy import Policy
from bot.ports import Channel, Clock, Crew, Directory, Evaluations, Jobs, ModelRegistry
from bot.records import Records


@dataclass(frozen=True, slots=True)
class Neighbours:
    """One of each port; `pages` is where our web pages are, if there are any."""

    policy: Policy
    records: Records
    registry: ModelRegistry
    directory: Directory
    evaluations: Evaluations
    channels: Mapping[str, Channel]
    jobs: Jobs
    crew: Crew
    clock: Clock
    pages: str = ""
    meter: Meter = quiet
