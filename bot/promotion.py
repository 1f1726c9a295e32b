"""The one writer: takes a job from the queue, carries it out, and answers the person who waits."""

import logging

from bot.clicks import PATIENCE, ActJob, AnswerJob, Click, QuestionJob, RequestJob
from bot.decisions import Decisions, NotProjected
from bot.envelope import described
from bot.errors import Malformed, Refused, Unavailable
from bot.hands import Hands
from bot.hints import BeatJob, CheckJob, MeasureJob, OpenJob, SupersedeJob, TidyJob
from bot.jobs import Job, Receipt
from bot.neighbours import Neighbours
from bot.openings import Openings
from bot.projection import Projection
from bot.questions import Questions
from bot.status import Health

log = logging.getLogger(__name__)

STUCK = 4
"""Receives after which a job is not only late: over five minutes, at the visibility that is deployed."""
UNSURE = (
    "Your answer could not be confirmed. Please look at the card in a few minutes; if it does not show your answer, "
    "press the button again."
)
TRYING = "Your answer has arrived but could not be checked yet. Still trying; you need not press again."
IMPOSSIBLE = "Your answer could not be carried out. Please tell a platform engineer; the log says what is wrong."
RECORDED = "Your answer is recorded."
NOT_READ = "This could not be looked up now. Please ask again in some minutes."


class Promotion:
    """Carries out jobs for model versions. One worker at a time per group; right even when there are two."""

    def __init__(self, near: Neighbours) -> None:
        hands = Hands(near)
        projection = Projection(near, hands)
        self._channels, self._clock, self._meter = near.channels, near.clock, near.meter
        self._questions, self._records = Questions(near), near.records
        self._decisions = Decisions(near, projection, hands)
        self._openings = Openings(near, projection, hands)

    def handle(self, job: Job, receipt: Receipt) -> None:
        """Carry a job out; tell the person when it is refused; raise `Unavailable` to have it delivered again."""
        if isinstance(job, QuestionJob):
            self._answer(job, receipt)
            return
        try:
            self._carry_out(job, receipt)
        except Refused as refused:
            log.info("%s refused: %s", described(job), refused)
            self._meter("Refusals", reason=type(refused).__name__)
            self._tell(job, str(refused), receipt)
        except Malformed as problem:
            log.error("%s cannot be carried out: %s", described(job), problem)
            self._tell(job, IMPOSSIBLE, receipt)
            raise
        except Unavailable as trouble:
            log.warning("%s not carried out yet: %s", described(job), trouble)
            if receipt.receives >= STUCK or receipt.dead:
                self._meter("Stuck", job=type(job).__name__)
            self._tell_trouble(job, receipt, recorded=isinstance(trouble, NotProjected))
            raise
        else:
            log.info("%s carried out", described(job))
            if receipt.receives > 1 or receipt.dead:
                self._tell(job, RECORDED, receipt)

    def _answer(self, job: QuestionJob, receipt: Receipt) -> None:
        """Say what was asked, or at the last receive that it cannot be; after a while nobody waits for it any more."""
        if receipt.dead or self._clock() >= job.at + PATIENCE:
            return
        if job.by.surface not in self._channels:
            log.error("%s is not answered: nothing is said on %s", described(job), job.by.surface)
            return
        try:
            says = self._questions.answer(job)
        except Refused as refused:
            says = str(refused)
        except Unavailable:
            if not receipt.last:
                raise
            says = NOT_READ
        try:
            self._channels[job.by.surface].tell(job.by, says)
        except Refused as refused:
            log.error("%s was not answered: %s", described(job), refused)

    def _carry_out(self, job: Job, receipt: Receipt) -> None:
        match job:
            case AnswerJob():
                self._decisions.answer(job, receipt)
            case ActJob():
                self._decisions.act(job, receipt)
            case CheckJob():
                self._decisions.check(job)
            case SupersedeJob():
                self._decisions.supersede(job)
            case RequestJob():
                self._openings.request(job, receipt)
            case OpenJob():
                self._openings.open(job)
            case MeasureJob():
                self._openings.measure(job, receipt)
            case TidyJob():
                self._openings.tidy(job)
            case BeatJob():
                self._records.write_health(Health(job.at, self._clock(), job.parameters, job.quota))

    def _tell_trouble(self, job: Job, receipt: Receipt, *, recorded: bool) -> None:
        if receipt.last or receipt.dead:
            self._tell(job, RECORDED if recorded else UNSURE, receipt)
        elif receipt.receives == 1 and not recorded:
            self._tell(job, TRYING, receipt)

    def _tell(self, job: Job, text: str, receipt: Receipt) -> None:
        """Say it to the person who waits; a word that cannot be said now makes the job come again."""
        if not isinstance(job, Click) or job.by.surface not in self._channels:
            return
        try:
            self._channels[job.by.surface].tell(job.by, text)
        except Refused as refused:
            log.error("%s: the person cannot be told %r: %s", described(job), text, refused)
        except Unavailable as trouble:
            log.warning("%s: the person could not be told %r yet: %s", described(job), text, trouble)
            if not receipt.dead:
                raise
