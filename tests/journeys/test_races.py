"""Thirty-two people answer one request at once, through the real doors, queues and workers."""

import threading
from collections.abc import Callable

from bot.domain import State, Vote
from infra.local.entra_people import DEV
from infra.local.entra_people import User as Employee
from infra.local.models import Registered
from infra.local.slack import User
from infra.local.stack import Stack
from tests.journeys.people import buttons, card, registered, state, told
from tests.proofs.conftest import LONG

ROUNDS = 100 if LONG else 10
CROWD = [f"U0CROWD{number:02d}" for number in range(32)]


def gather(stack: Stack) -> None:
    """Thirty-two approvers of dev."""
    for number, user in enumerate(CROWD):
        address, oid = f"crowd.{number}@example.com", f"00000000-0000-4000-8000-0000000c{number:04d}"
        stack.slack.workspace.add_user(User(user, f"crowd{number}", f"Crowd {number}", address))
        stack.entra.people.add(Employee(oid, f"Crowd {number}", address, address))
        stack.entra.people.join(oid, DEV)


def all_at_once(calls: list[Callable[[], object]]) -> None:
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        gate.wait()
        call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def one_round(stack: Stack, number: int) -> None:
    model = registered(stack, f"churn-race-{number}")
    message = card(stack, model)
    heard = {user: len(told(stack, user)) for user in CROWD}
    views = {}
    for user in CROWD[1::2]:
        stack.slack.press(user, message.channel, message.ts, "approval.reject")
        views[user] = stack.slack.workspace.modals(user)[-1].id

    def answer(user: str) -> Callable[[], object]:
        if user in views:
            return lambda: stack.slack.submit(user, views[user], {"reason": f"no, says {user}"})
        return lambda: stack.slack.press(user, message.channel, message.ts, "approval.approve", stale=True)

    all_at_once([answer(user) for user in CROWD])
    stack.settle(120)
    check(stack, model, heard)


def check(stack: Stack, model: Registered, heard: dict[str, int]) -> None:
    found = state(stack, model)
    votes = [entry.event for entry in found.entries if isinstance(entry.event, Vote)]
    assert len(votes) == 1, f"{len(votes)} answers were recorded"
    one = found.rounds["dev"][0]
    approved = one.state is State.APPROVED
    assert one.state in (State.APPROVED, State.REJECTED)
    pointer = stack.parameter(f"{model.group}/approved/dev")
    assert (pointer["model_package_version"] if pointer else None) == (1 if approved else None)
    assert "approval.approve" not in buttons(card(stack, model))
    winner = votes[0].via.user
    for user in set(CROWD) - {winner}:
        last = told(stack, user)[heard[user] :]
        assert any("already decided" in text and votes[0].by.name in text for text in last), f"{user} was told {last}"


def test_of_32_answers_at_once_exactly_one_decides_and_every_loser_is_told_who(stack, figure):
    gather(stack)
    stack.functions["slack"].provision(4)
    for number in range(ROUNDS):
        one_round(stack, number)
    figure("races of 32 answers", f"{ROUNDS} rounds, one decision in each, {31 * ROUNDS} losers told who decided")
