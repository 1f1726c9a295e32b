"""Thirty-two people answer one request at once, through the real doors, queues and workers."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from bot.domain import Answer, State, Vote
from bot.history import Round, VersionState
from bot.jobs import AnswerJob, encode_job
from infra.local.entra_people import DEV
from infra.local.entra_people import User as Employee
from infra.local.lambdas import Function
from infra.local.models import Registered
from infra.local.slack import Message, User
from infra.local.stack import Stack
from tests.journeys.examples import click
from tests.journeys.people import buttons, card, everything, registered, state, told
from tests.proofs.conftest import LONG

pytestmark = pytest.mark.usefixtures("uncounted")

ROUNDS = 100 if LONG else 2
CROWD = [f"U0CROWD{number:02d}" for number in range(32)]
SIDE_BY_SIDE = 8
"""Workers that carry out jobs of one group at the same time, as no queue lets them."""
PATIENCE = 8
"""Receives of one message."""
STATUS = {State.APPROVED: "Approved", State.REJECTED: "Rejected"}


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> list[str]:
    """Thirty-two approvers of dev."""
    for number, user in enumerate(CROWD):
        address, oid = f"crowd.{number}@example.com", f"00000000-0000-4000-8000-0000000c{number:04d}"
        stack.slack.workspace.add_user(User(user, f"crowd{number}", name_of(user), address))
        stack.entra.people.add(Employee(oid, name_of(user), address, address))
        stack.entra.people.join(oid, DEV)
    return CROWD


@pytest.fixture(scope="module")
def workers(crowd: list[str]) -> Iterator[Function]:
    """The jobs door without its queue."""
    door = Function("handlers.jobs", concurrency=SIDE_BY_SIDE)
    door.provision(SIDE_BY_SIDE)
    yield door
    door.restart()


def name_of(user: str) -> str:
    return f"Crowd {int(user[-2:])}"


def all_at_once(calls: list[Callable[[], object]]) -> None:
    """Let everybody go at the same moment; what fails in a thread fails the test."""
    gate, failed = threading.Barrier(len(calls)), list[BaseException]()

    def run(call: Callable[[], object]) -> None:
        gate.wait(30)
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - a thread's outermost frame
            failed.append(error)

    threads = [threading.Thread(target=run, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not failed, failed


# what has to hold after a round


@dataclass
class Race:
    """One request, and what everybody had been told before it was answered."""

    stack: Stack
    model: Registered
    card: Message
    heard: Mapping[str, int]

    @classmethod
    def of(cls, stack: Stack, group: str) -> "Race":
        model = registered(stack, group)
        return cls(stack, model, card(stack, model), {user: len(told(stack, user)) for user in CROWD})

    def decided(self) -> tuple[Round, Vote]:
        """The one decision; nothing else may be in the log but what follows from it."""
        found: VersionState = state(self.stack, self.model)
        votes = [entry.event for entry in found.entries if isinstance(entry.event, Vote)]
        assert len(votes) == 1, f"{len(votes)} answers were recorded"
        [one] = found.rounds["dev"]
        assert one.state in STATUS
        return one, votes[0]

    def check(self, *, once: bool) -> str:
        """Give how it ended; `once`: the thread tells it on one line, not on one for each worker who was there."""
        one, vote = self.decided()
        self.check_registry(one)
        self.check_card(one, vote, once=once)
        self.check_people(one, vote)
        return str(one.state)

    def check_registry(self, one: Round) -> None:
        """Registry and pointer say what the log says."""
        _, package = everything(self.stack, self.model)
        approved = one.state is State.APPROVED
        pointer = self.stack.parameter(f"{self.model.group}/approved/dev")
        assert package["ModelApprovalStatus"] == package["CustomerMetadataProperties"]["dev"] == STATUS[one.state]
        assert (pointer and pointer["model_package_version"]) == (1 if approved else None)
        if approved:
            assert [each["oid"] for each in pointer["approved_by"]] == [vote.by.oid for vote in one.approvals]

    def check_card(self, one: Round, vote: Vote, *, once: bool) -> None:
        """Everybody sees who decided what; nobody can press, and the thread tells nothing else."""
        now = card(self.stack, self.model)
        assert not {"approval.approve", "approval.reject"} & {*buttons(now)}
        assert f"{STATUS[one.state]} by {vote.by.name}" in now.text
        thread = [reply.text for reply in self.stack.slack.workspace.replies(now.channel, now.ts)]
        said = [line for line in thread if f"{self.model.group} v1 for dev" in line]
        assert len(said if once else set(said)) == 1
        assert said[0].startswith(f"{vote.by.name} {one.state}")

    def check_people(self, one: Round, vote: Vote) -> None:
        """Every loser, and nobody else, is told who was faster."""
        for user in CROWD:
            since = told(self.stack, user)[self.heard[user] :]
            late = [text for text in since if f"{self.model.group} v1 for dev: already decided" in text]
            assert len(late) == (0 if user == vote.via.user else 1), f"{user} was told {since}"
            assert all(f"{STATUS[one.state]} by {vote.by.name}" in text for text in late)


# the races


def press_and_submit(race: Race) -> list[Callable[[], object]]:
    """Half of them press Approve, the others have said why not and submit their form."""
    slack, message = race.stack.slack, race.card
    forms = {}
    for user in CROWD[1::2]:
        slack.press(user, message.channel, message.ts, "approval.reject")
        forms[user] = slack.workspace.modals(user)[-1].id

    def answer(user: str) -> Callable[[], object]:
        if user in forms:
            return lambda: slack.submit(user, forms[user], {"reason": f"no, says {user}"})
        return lambda: slack.press(user, message.channel, message.ts, "approval.approve", stale=True)

    return [answer(user) for user in CROWD]


def test_of_32_answers_at_once_exactly_one_decides_and_every_loser_is_told_who(stack, crowd, figure):
    stack.functions["slack"].provision(4)
    ends: Counter[str] = Counter()
    for number in range(ROUNDS):
        race = Race.of(stack, f"churn-race-{number}")
        all_at_once(press_and_submit(race))
        stack.settle(120)
        ends[race.check(once=True)] += 1
    losers = (len(CROWD) - 1) * ROUNDS
    figure(
        "races of 32 answers", f"{ROUNDS} rounds, one decision in each {dict(ends)}, {losers} losers told who decided"
    )


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


def test_of_32_answers_without_the_queues_order_exactly_one_decides_all_the_same(stack, workers, figure):
    races = []
    for number in range(ROUNDS // 2):
        race = Race.of(stack, f"churn-crowd-{number}")
        answers = (Answer.APPROVE, Answer.REJECT)
        jobs = [click(stack, f"{race.model.group}/1/dev/1", user, answers[at % 2]) for at, user in enumerate(CROWD)]
        all_at_once([partial(deliver, workers, job) for job in jobs])
        stack.settle(120)
        race.decided()
        races.append(race)
    stack.sweep()
    for race in races:
        race.check(once=False)
    figure("races of 32 answers without a queue", f"{ROUNDS // 2} rounds, {SIDE_BY_SIDE} workers, one decision in each")
