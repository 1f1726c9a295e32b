"""Versions to be asked about, jobs as the doors write them, and the proof that nothing happened."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bot.clicks import AnswerJob
from bot.domain import Answer, ChatUser, RequestId
from bot.envelope import encode_job
from bot.jobs import Job
from bot.wiring import now
from infra.local.models import Registered
from infra.local.stack import Stack
from tests.journeys.people import buttons, card, everything, registered, state, told

READS = ("Describe", "Get", "List")
OUTBOX = "SendMessage"


class Pool:
    """Versions that wait for dev, each of a group of its own; one that came to nothing is given out again."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.used: list[Registered] = []
        self.waiting: list[Registered] = []
        self.named = 0

    def settle_accounts(self) -> None:
        """Look at what the tests before have left."""
        while self.used:
            self._take_back(self.used.pop())

    def take(self) -> Registered:
        """One that nobody has answered."""
        if not self.waiting:
            self.named += 1
            self.waiting.append(registered(self.stack, f"churn-fresh-{self.named}"))
        self.used.append(self.waiting.pop())
        return self.used[-1]

    def _take_back(self, model: Registered) -> None:
        if len(state(self.stack, model).entries) == 1 and "approval.approve" in buttons(card(self.stack, model)):
            self.waiting.append(model)
        else:
            self._put_away(model)

    def _put_away(self, model: Registered) -> None:
        """Remove the markers of what is decided, as the sweep does an hour later: every sweep would look at it again.

        What still waits keeps its own, or the first sweep whose turn it is to look at the group would write it anew.
        """
        waits = {one.id.environment for one in state(self.stack, model).pending}
        marked = f"/model-approvals/_open/{model.group}/"
        found = [name for name in self.stack.parameters() if name.startswith(marked)]
        if names := [name for name in found if name.rpartition("/")[2] not in waits]:
            self.stack.aws.client("ssm", access_key="LOCALREADER").delete_parameters(Names=names)


def chat_user(stack: Stack, user: str) -> ChatUser:
    """Somebody as the Slack door names them."""
    return ChatUser("slack", stack.slack.workspace.team_id, user, "C0MODELSDEV")


def click(stack: Stack, request: str, user: str = "U0MAYA", answer: Answer = Answer.APPROVE) -> AnswerJob:
    """The job that a click becomes."""
    reason = "" if answer is Answer.APPROVE else f"no, says {user}"
    by = chat_user(stack, user)
    return AnswerJob(RequestId.parse(request), answer, by, f"test|{uuid.uuid4()}", now(), reason=reason)


def enqueue(stack: Stack, job: Job, queue: str = "decisions") -> None:
    """What a door does, and then all that follows from it."""
    stack.aws.client("sqs").send_message(
        QueueUrl=stack.queues[queue],
        MessageBody=encode_job(job),
        MessageGroupId=job.model.group,
        MessageDeduplicationId=uuid.uuid4().hex,
    )
    stack.settle(60)


def update_in_registry(stack: Stack, model: Registered, access_key: str, **changes: Any) -> None:
    """What a pipeline or a person does to a version, with a client of their own."""
    stack.aws.client("sagemaker", access_key=access_key).update_model_package(ModelPackageArn=model.arn, **changes)


@contextmanager
def unheard(stack: Stack) -> Iterator[None]:
    """Whatever happens in AWS meanwhile, no event tells of it."""
    heard, stack.aws.on_event[:] = list(stack.aws.on_event), []
    try:
        yield
    finally:
        stack.aws.on_event[:] = heard


def writes(stack: Stack, since: int = 0) -> list[str]:
    """What the bot changed in AWS by any call since then, but for jobs put on its queues and word of a sweep."""
    found = (call for call in stack.aws.calls[since:] if b"/_status/_health" not in call.body)
    ours = [call.action for call in found if call.access_key == "LOCALBOT"]
    return [action for action in ours if not action.startswith(READS) and action != OUTBOX]


def shown(stack: Stack) -> dict[str, object]:
    """What all the channels and their threads show, which everybody can see."""
    workspace = stack.slack.workspace
    cards = [message for channel in workspace.channels for message in workspace.messages(channel)]
    all_of_them = [each for card in cards for each in (card, *workspace.replies(card.channel, card.ts))]
    return {message.ts: (message.channel, message.text, message.blocks) for message in all_of_them}


@contextmanager
def untouched(stack: Stack, model: Registered, hearer: str = "U0MAYA") -> Iterator[Callable[[], list[str]]]:
    """Fail unless parameters, registry and channels end as they began, and nobody but `hearer` was told a word.

    Gives what the hearer has been told since.
    """
    before, channels, calls = everything(stack, model), shown(stack), len(stack.aws.calls)
    words = {user: len(told(stack, user)) for user in stack.slack.workspace.users}
    yield lambda: told(stack, hearer)[words.get(hearer, 0) :]
    stack.settle(60)
    parameters, package = everything(stack, model)
    assert package == before[1], f"the registry was touched: {package}"
    assert parameters == before[0], f"parameters were touched: {different(parameters, before[0])}"
    assert shown(stack) == channels, f"a channel was touched: {different(shown(stack), channels)}"
    assert not writes(stack, calls), f"written, though to no effect: {writes(stack, calls)}"
    overheard = [user for user, count in words.items() if user != hearer and len(told(stack, user)) > count]
    assert not overheard, f"a private word for somebody else: {overheard}"


def different(after: Mapping[str, object], before: Mapping[str, object]) -> dict[str, object]:
    """What is new, changed or gone."""
    return {name: after.get(name) for name in {*after, *before} if after.get(name) != before.get(name)}
