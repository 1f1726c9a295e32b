"""Remote calls and waves, counted on the local stack: the figures of the design, whatever the machine does."""

from collections.abc import Iterator

import pytest

from bot import approved_model, wiring
from bot.domain import ModelVersion, RequestId
from bot.hints import CheckJob, OpenJob
from bot.jobs import Receipt
from infra.local.entra_people import DEV, PRIYA
from infra.local.stack import Stack
from infra.local.threads import stop
from tests.journeys.counting import (
    Counted,
    answer,
    counted,
    hint,
    newest,
    opened,
    overview,
    promoted,
    shown,
    unpaced,
)
from tests.journeys.policies import by_approval


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    """A stack in which nothing moves by itself: no event is delivered, no queue is polled."""
    with Stack(settings=by_approval(tmp_path_factory.mktemp("policy"))) as running:
        running.aws.on_event.clear()
        stop(*running.pollers)
        running.slack.limits.posts_per_second = 1000
        running.slack.limits.post_burst = 1000
        yield running


@pytest.fixture(scope="module")
def worker(stack: Stack) -> wiring.Worker:
    """One warm worker: token, connections and the two approvers' object ids are known."""
    warm = wiring.worker(stack.environment)
    unpaced(warm)
    for user in ("U0MAYA", "U0OMAR"):
        opened(stack, warm, "churn-warm")
        answer(stack, warm, newest(stack, "churn-warm"), user)
    return warm


def check_answer(found: list[list[str]], calls: list[Counted]) -> None:
    """At most 12 calls and a mail; four waves until everybody has been told; then one more, that reads once."""
    reads = [call for call in found[4] if "Get" in call]
    assert len(found) == 5, shown(found)
    assert len(reads) == 1, shown(found)
    mails = [call for wave in found for call in wave if call.startswith("aws.ses")]
    assert len(mails) == 1, shown(found)
    assert len(calls) - len(reads) - len(mails) <= 12, shown(found)
    told = [call for wave in found[:4] for call in wave if call.startswith("slack")]
    assert sorted(told) == ["slack chat.postMessage", "slack chat.update"], shown(found)
    assert sum("Graph" in call or call.startswith("graph") for call in found[0]) == 2, shown(found)


def test_an_answer_takes_twelve_calls_in_four_waves_and_one_read_afterwards(stack, worker, figure):
    warm = promoted(stack, worker, "churn-zero")
    counted(stack, lambda: answer(stack, worker, warm, "U0MAYA"))
    request = promoted(stack, worker, "churn-one")
    stack.aws.calls.clear()
    connections = stack.slack.connections, stack.entra.connections
    calls, found = counted(stack, lambda: answer(stack, worker, request, "U0MAYA"))
    check_answer(found, calls)
    assert (stack.slack.connections, stack.entra.connections) == connections, "a warm worker opens no connection"
    assert stack.parameter("churn-one/approved/prod")["model_package_version"] == request.version
    figure("an answer", f"{len(calls)} calls, {len(found)} waves")


def test_an_answer_costs_the_same_with_a_log_of_eight_entries(stack, worker):
    model = opened(stack, worker, "churn-eight")
    for environment in ("dev", "test", "uat"):
        answer(stack, worker, RequestId("churn-eight", model.version, environment, 1), "U0OMAR")
        hint(worker, model)
    stack.aws.client("sagemaker", access_key="SOMEBODY").update_model_package(
        ModelPackageArn=stack.parameter("churn-eight/approved/uat")["model_package_arn"],
        ModelApprovalStatus="PendingManualApproval",
    )
    worker.promotion.handle(CheckJob(model, "test"), Receipt())
    calls, found = counted(stack, lambda: answer(stack, worker, RequestId("churn-eight", model.version, "prod", 1)))
    assert "/model-approvals/churn-eight/history/1/0009" in stack.parameters()
    check_answer(found, calls)


def test_an_answer_costs_the_same_in_a_group_of_three_hundred_versions(stack, worker, figure):
    for _ in range(12):
        request = RequestId("churn-many", opened(stack, worker, "churn-many").version, "dev", 1)
        answer(stack, worker, request, "U0OMAR")
    sagemaker = stack.aws.client("sagemaker")
    for _ in range(287):
        sagemaker.create_model_package(ModelPackageGroupName="churn-many", ModelApprovalStatus="PendingManualApproval")
    request = promoted(stack, worker, "churn-many")
    assert request.version == 300
    calls, found = counted(stack, lambda: answer(stack, worker, request, "U0MAYA"))
    check_answer(found, calls)
    figure("an answer in a group of 300 versions", f"{len(calls)} calls, {len(found)} waves")


def test_the_first_answer_of_a_person_by_address_takes_two_more_waves(stack, worker, figure):
    stack.entra.people.join(PRIYA, DEV)
    request = RequestId("churn-first", opened(stack, worker, "churn-first").version, "dev", 1)
    calls, found = counted(stack, lambda: answer(stack, worker, request, "U0PRIYA"))
    assert len(found) == 7, shown(found)
    assert len(calls) <= 16, shown(found)
    figure("a person's first answer", f"{len(calls)} calls, {len(found)} waves")


def test_the_first_answer_of_a_linked_account_takes_none(stack, worker):
    request = promoted(stack, worker, "churn-linked")
    calls, found = counted(stack, lambda: answer(stack, worker, request, "U0PRIYA"))
    check_answer(found, calls)


def test_an_event_becomes_a_card_in_three_waves(stack, worker, figure):
    opened(stack, worker, "churn-card")
    approved = newest(stack, "churn-card")
    answer(stack, worker, approved, "U0OMAR")
    version = stack.pipeline.register("churn-card")
    uri = stack.aws.client("sagemaker").describe_model_package(ModelPackageName=version.arn)["ModelMetrics"][
        "ModelQuality"
    ]["Statistics"]["S3Uri"]
    job = OpenJob(ModelVersion("churn-card", version.version), "test-event", fresh=True, metrics_uri=uri)
    calls, found = counted(stack, lambda: worker.promotion.handle(job, Receipt()))
    card = next(number for number, wave in enumerate(found, start=1) if "slack chat.postMessage" in wave)
    assert card <= 3, shown(found)
    assert "v1 in dev" in str(stack.slack.workspace.messages("C0MODELSDEV")[-1].blocks), "compared with the champion"
    figure("an event to a card", f"{card} waves, {len(calls)} calls in all")


def test_an_inference_fetch_is_one_call(stack, worker, figure):
    request = promoted(stack, worker, "churn-fetch")
    answer(stack, worker, request, "U0MAYA")
    calls, _ = counted(stack, lambda: approved_model("churn-fetch", "prod", settings=stack.environment))
    assert [call.what for call in calls] == ["GetParameters"]
    figure("an inference fetch", "1 call")


def test_the_status_of_a_hundred_groups_is_twelve_calls_in_two_waves(stack, worker, figure):
    there = {name.rpartition("/")[2] for name in stack.parameters() if "/_status/" in name and "/_groups/" not in name}
    overview(stack, [f"churn-g{number:03d}" for number in range(100 - len(there))])
    first = stack.slack.command("U0MAYA", "C0MODELSDEV", "/model-status", "")
    assert first.status == 200
    calls, found = counted(stack, lambda: stack.slack.command("U0MAYA", "C0MODELSDEV", "/model-status", ""))
    assert len(calls) <= 12, shown(found)
    assert len(found) == 2, shown(found)
    figure("/model-status over 100 groups", f"{len(calls)} calls, {len(found)} waves")
