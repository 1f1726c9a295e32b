"""Thirty-two people answer one request at once, in Slack, in Teams and on the pages, through the real doors."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from bot.clicks import AnswerJob
from bot.domain import RequestId, State
from bot.entries import Vote
from bot.envelope import encode_job
from bot.history import Round, VersionState
from infra.local.lambdas import Function
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys import outcome
from tests.journeys.crowd import KINDS, SIZE, Act, Approver, gather, leave
from tests.journeys.people import registered, state
from tests.journeys.policies import unhurried
from tests.proofs.conftest import LONG

pytestmark = pytest.mark.usefixtures("uncounted")

STACKS = 20 if LONG else 1
"""One after the other, each with all its rounds."""
ROUNDS, WITHOUT_QUEUE = 10, 2
"""On one stack: through the queue, and past it."""
DOORS = 4
"""Environments of each door that are warm."""
SIDE_BY_SIDE = 8
"""Workers that carry out jobs of one group at the same time, as no queue lets them."""
PATIENCE = 8
"""Receives of one message."""
HEAD_START = 0.1
"""Seconds that one surface is ahead of the others in two of three rounds: each has its way to the queue, and with none
ahead it is Slack's that is the shortest."""


@pytest.fixture(scope="module", params=range(STACKS))
def turn(request) -> int:
    """Which stack it is."""
    return int(request.param)


@pytest.fixture(scope="module")
def stack(turn, tmp_path_factory) -> Iterator[Stack]:
    """A stack with warm doors; the chats take as many words as there are."""
    with unhurried(tmp_path_factory.mktemp("policy")) as running:
        running.teams.limits.on = False
        for door in ("slack", "teams", "web"):
            running.functions[door].provision(DOORS)
        yield running


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> Iterator[list[Approver]]:
    """Thirty-two approvers of dev, those of the pages signed in."""
    people = gather(stack, link_of(stack, registered(stack, "churn-before")))
    yield people
    leave(people)


@pytest.fixture(scope="module")
def workers(crowd: list[Approver]) -> Iterator[Function]:
    """The jobs door without its queue."""
    door = Function("handlers.jobs", concurrency=SIDE_BY_SIDE)
    door.provision(SIDE_BY_SIDE)
    yield door
    door.restart()


def link_of(stack: Stack, model: Registered) -> str:
    """Where the mail leads that asks about a version."""
    subject = f"Approve {model.group} v{model.version} for dev?"
    [asked] = [mail for mail in stack.mailbox.mails() if mail.subject == subject]
    return asked.links[0]


def later(act: Act) -> None:
    time.sleep(HEAD_START)
    act()


def all_at_once(acts: list[Act]) -> None:
    """Let everybody go at the same moment; what fails in a thread fails the test."""
    gate, failed = threading.Barrier(len(acts)), list[BaseException]()

    def run(act: Act) -> None:
        gate.wait(30)
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - a thread's outermost frame
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,), daemon=True) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not failed, failed


# what has to hold after a round


@dataclass
class Race:
    """One request that everybody answers."""

    stack: Stack
    crowd: list[Approver]
    model: Registered

    def decided(self) -> tuple[Round, Vote]:
        """The one decision; nothing else may be in the log but what follows from it."""
        found: VersionState = state(self.stack, self.model)
        votes = [entry.event for entry in found.entries if isinstance(entry.event, Vote)]
        assert len(votes) == 1, f"{len(votes)} answers were recorded"
        [one] = found.rounds["dev"]
        assert one.state in {State.APPROVED, State.REJECTED}
        return one, votes[0]

    def check(self, *, once: bool) -> tuple[str, str]:
        """Give how it ended, and where; `once`: threads tell a step on one line, not on one for each worker."""
        one, vote = self.decided()
        [winner] = [person for person in self.crowd if person.oid == vote.by.oid]
        assert (vote.via.surface, vote.answer, vote.reason) == (winner.surface, winner.answer, winner.reason)
        if one.state is State.APPROVED:
            verdict, thread = f"Approved by {winner.name}", outcome.approved_thread(self.model, winner.name)
            outcome.check_approved_once(self.stack, self.model, by=winner.name, repeats=not once)
            self.check_pointer(winner)
        else:
            verdict = f"Rejected by {winner.name}: {winner.reason}"
            thread = outcome.rejected_thread(self.model, winner.name, winner.reason)
            outcome.check_rejected_once(self.stack, self.model, by=winner.name, reason=winner.reason, repeats=not once)
        told = outcome.thread_in_teams(self.stack, self.model)
        assert (told if once else list(dict.fromkeys(told))) == thread
        outcome.check_card_in_teams(self.stack, self.model, verdict)
        outcome.check_mails(self.stack, self.model, verdict, repeats=not once)
        outcome.check_audit(self.stack, self.model.group)
        self.check_people(winner, verdict)
        return str(one.state), winner.surface

    def check_pointer(self, winner: Approver) -> None:
        pointer = self.stack.parameter(f"{self.model.group}/approved/dev")
        assert pointer["approved_by"] == [{"name": winner.name, "oid": winner.oid}]

    def check_people(self, winner: Approver, verdict: str) -> None:
        """Every loser, and nobody else, is told who was faster: once, and where they have answered."""
        late = f"{self.model.group} v{self.model.version} for dev: already decided. {verdict}"
        for person in self.crowd:
            told = person.told()
            lost = 0 if person is winner else 1
            assert sum(late in word for word in told) == lost, f"{person.name} was told {told}"
            whispered = sum(late in word for word in person.in_chats())
            assert whispered == (0 if person.surface == "web" else lost), f"{person.name} heard {person.in_chats()}"
        if winner.surface == "web":
            assert "Your answer is recorded" in winner.told()


# the races


def test_of_32_answers_on_three_surfaces_exactly_one_decides_and_every_loser_is_told_who(stack, crowd, turn, figure):
    chance = random.Random(f"races {turn}")
    ends: Counter[str] = Counter()
    for number in range(ROUNDS):
        race = Race(stack, crowd, registered(stack, f"churn-race-{number}"))
        link = link_of(stack, race.model)
        ahead = ("", "teams", "web")[number % 3]
        acts = {person: person.look(race.model, link) for person in chance.sample(crowd, SIZE)}
        all_at_once([act if ahead in {"", person.surface} else partial(later, act) for person, act in acts.items()])
        stack.settle(120)
        ends.update(race.check(once=True))
    figure("races of 32 answers on three surfaces, one decision in each", ROUNDS)
    figure("losers of these races, each told who decided", (SIZE - 1) * ROUNDS)
    for end in (State.APPROVED, State.REJECTED):
        figure(f"races that were {end}", ends[end])
    for kind in KINDS:
        figure(f"races decided in {kind.surface}", ends[kind.surface])


def deliver(workers: Function, job: AnswerJob) -> None:
    """Hand a job to whichever worker is free, again until it is done, as the queue would but for its order."""
    attributes = {"ApproximateReceiveCount": "1"}
    record = {
        "messageId": job.op,
        "body": encode_job(job),
        "attributes": attributes,
        "eventSourceARN": "decisions.fifo",
    }
    for receive in range(1, PATIENCE + 1):
        attributes["ApproximateReceiveCount"] = str(receive)
        if not workers({"Records": [record]})["batchItemFailures"]:
            return
    raise AssertionError(f"{job.op} was never carried out")


def test_of_32_answers_without_the_queues_order_exactly_one_decides_all_the_same(stack, crowd, workers, figure):
    races = [Race(stack, crowd, registered(stack, f"churn-crowd-{number}")) for number in range(WITHOUT_QUEUE)]
    for race in races:
        jobs = [person.job(RequestId.parse(f"{race.model.group}/1/dev/1")) for person in crowd]
        all_at_once([partial(deliver, workers, job) for job in jobs])
        stack.settle(120)
        race.decided()
        stack.sweep()
        race.check(once=False)
    figure(f"races of 32 answers without a queue, {SIDE_BY_SIDE} workers, one decision in each", WITHOUT_QUEUE)
