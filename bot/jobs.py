"""What doors, timers and hints ask the one writer to do, as the writer takes it from the queues."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bot.clicks import PATIENCE, ActJob, AnswerJob, Click, QuestionJob, RequestJob
from bot.codec import from_json
from bot.encoding import decode
from bot.errors import Malformed
from bot.hints import BeatJob, CheckJob, MeasureJob, OpenJob, SupersedeJob, TidyJob

Job = Click | QuestionJob | OpenJob | MeasureJob | CheckJob | SupersedeJob | TidyJob | BeatJob

KINDS: Mapping[str, type[Job]] = MappingProxyType(
    {
        each.kind: each
        for each in (
            *(AnswerJob, ActJob, RequestJob, QuestionJob),
            *(OpenJob, MeasureJob, CheckJob, SupersedeJob, TidyJob, BeatJob),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a job was delivered: for the how-manieth time, whether for the last, or out of the dead letters."""

    receives: int = 1
    last: bool = False
    dead: bool = False


def decode_job(text: str) -> Job:
    """Read a message's body; raise `Malformed` for anything that no door of ours wrote."""
    value = decode(text)
    kind = KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    if kind is None:
        raise Malformed(f"not a job: {text[:120]!r}")
    return from_json(kind, value)


def overdue(job: Job, now: datetime) -> bool:
    """Whether a click is too old to be recorded."""
    return isinstance(job, Click) and now >= job.at + PATIENCE
