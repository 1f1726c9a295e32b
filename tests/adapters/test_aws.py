"""The ports of Parameter Store, the registry, the queues and the reports: one contract each, in memory and on AWS.

What only AWS can do wrong, or only an adapter can know, follows after the contracts.
"""

import hashlib
import io
import json
import logging
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    IncompleteReadError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.aws.clients import Clients, unavailable
from bot.aws.deliveries import Delivery, deliveries
from bot.aws.metrics import S3Evaluations
from bot.aws.parameters import SsmParameters
from bot.aws.queues import SqsJobs
from bot.aws.registry import SageMakerRegistry, package_of
from bot.aws.reports import LARGEST, S3Reports
from bot.clicks import AnswerJob
from bot.domain import Answer, ApprovalStatus, ChatUser, ModelVersion, RequestId
from bot.encoding import LIMIT
from bot.envelope import encode_job
from bot.errors import Malformed, Unavailable
from bot.evidence import Evidence, Metric
from bot.hints import CheckJob, OpenJob, SupersedeJob, TidyJob
from bot.jobs import Receipt, decode_job
from bot.package import Container, Package
from bot.ports import Evaluations, Jobs, ModelRegistry, Parameter, Parameters, Stored
from bot.trace import traced
from infra.local.aws import ACCOUNT, BOT_KEY, REGION, Aws
from infra.local.delivery import record
from tests.memory import ManualClock, MemoryEvaluations, MemoryJobs, MemoryParameters, MemoryRegistry

ROOT = "/model-approvals"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"
PINNED = Container(IMAGE, "sha256:" + "1" * 64, "s3://models/churn/model.tar.gz", "0123456789abcdef")
EVALUATION = ("s3://models/churn/evaluation.json", "sha256:" + "3" * 64)
CHURN = ModelVersion("churn", 1)
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------ where contracts run


class InMemory:
    """The ports that the core's own tests run on."""

    def __init__(self, _aws):
        clock = ManualClock()
        self.parameters: Parameters = MemoryParameters()
        self._registry, self._jobs = MemoryRegistry(clock), MemoryJobs(clock)
        self.registry: ModelRegistry = self._registry
        self.jobs: Jobs = self._jobs
        self.evaluations: Evaluations = MemoryEvaluations()

    def register(self, group="churn", status=ApprovalStatus.PENDING, **more):
        version = 1 + sum(model.group == group for model in self._registry.packages)
        model = ModelVersion(group, version)
        return self._registry.register(Package(model, f"arn:aws:sagemaker:::{model}", status, **more)).model

    def queued(self, name):
        return [each.job for each in self._jobs.queues[name]]


class OnAws:
    """The adapters, over HTTP, against a server that behaves as AWS does."""

    def __init__(self, aws):
        clients = Clients(REGION)
        self._aws = aws
        self._groups = set()
        self._urls = {name: made_queue(aws, name) for name in ("decisions", "openings")}
        self.parameters: Parameters = SsmParameters(clients)
        self.registry: ModelRegistry = SageMakerRegistry(clients, partition="aws", region=REGION, account=ACCOUNT)
        self.jobs: Jobs = SqsJobs(clients, decisions_url=self._urls["decisions"], openings_url=self._urls["openings"])
        self.evaluations: Evaluations = S3Evaluations(S3Reports(clients, account=ACCOUNT))

    def register(self, group="churn", status=ApprovalStatus.PENDING, *, containers=(PINNED,), metadata=None, **more):
        sagemaker = self._aws.client("sagemaker")
        if group not in self._groups:
            sagemaker.create_model_package_group(ModelPackageGroupName=group)
            self._groups.add(group)
        optional = {"CustomerMetadataProperties": metadata, "ModelMetrics": metrics_of(more.get("metrics"))}
        optional["MetadataProperties"] = {"CommitId": more["commit"]} if "commit" in more else None
        arn = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus=status,
            InferenceSpecification=specification(containers),
            **{name: value for name, value in optional.items() if value},
        )["ModelPackageArn"]
        return ModelVersion(group, int(arn.rsplit("/", 1)[1]))

    def queued(self, name):
        return [decode_job(each["Body"]) for each in received(self._aws, self._urls[name])]


WHERE = {"memory": InMemory, "aws": OnAws}
"""What every contract below is run on."""


@pytest.fixture(scope="module")
def running():
    with Aws() as aws, pytest.MonkeyPatch.context() as environment:
        for name, value in (
            ("AWS_ENDPOINT_URL", aws.endpoint_url),
            ("AWS_ACCESS_KEY_ID", BOT_KEY),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ):
            environment.setenv(name, value)
        yield aws


@pytest.fixture
def aws(running):
    running.faults.clear()
    running.identities.clear()
    running.source_identities.clear()
    running.reset()
    return running


@pytest.fixture(params=WHERE)
def world(request, aws):
    return WHERE[request.param](aws)


@pytest.fixture
def on_aws(aws):
    return OnAws(aws)


def made_queue(aws, name):
    attributes = {"FifoQueue": "true", "VisibilityTimeout": "30"}
    return aws.client("sqs").create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]


def received(aws, url):
    """Everything that waits in a queue, in order; it is taken out."""
    found, sqs = [], aws.client("sqs")
    while page := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]).get("Messages"):
        found += page
        for each in page:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found


def specification(containers):
    fields = ("Image", "ImageDigest", "ModelDataUrl", "ModelDataETag")
    told = [
        {name: value for name, value in zip(fields, values, strict=True) if value}
        for values in ((each.image, each.image_digest, each.model_data, each.model_data_etag) for each in containers)
    ]
    return {
        "Containers": told,
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def metrics_of(reports):
    if not reports:
        return None
    source = {"ContentType": "application/json", "S3Uri": reports[0][0], "ContentDigest": reports[0][1]}
    return {"ModelQuality": {"Statistics": source}}


def write(world, package, **changes):
    """One full write, with what a test does not care for."""
    full = {
        "status": "Approved",
        "description": "dev approved by Maya Chen",
        "metadata": {"dev": "Approved"},
        "life_cycle": ("dev", "Approved"),
        **changes,
    }
    world.registry.update(package, **full)


# ------------------------------------------------------------------------------------------------- Parameters


class TestParameters:
    def test_what_was_never_written_is_left_out(self, world):
        assert world.parameters.get([f"{ROOT}/a", f"{ROOT}/b"]) == {}

    def test_what_is_created_can_be_read(self, world):
        assert world.parameters.create(f"{ROOT}/a", "one")
        assert world.parameters.get([f"{ROOT}/a", f"{ROOT}/b"]) == {f"{ROOT}/a": Parameter("one", 1)}

    def test_a_taken_name_is_not_created_again_and_keeps_its_value(self, world):
        world.parameters.create(f"{ROOT}/a", "one")
        assert not world.parameters.create(f"{ROOT}/a", "two")
        assert world.parameters.get([f"{ROOT}/a"]) == {f"{ROOT}/a": Parameter("one", 1)}

    def test_writing_counts_the_versions(self, world):
        assert [world.parameters.put(f"{ROOT}/a", value) for value in ("one", "two", "three")] == [1, 2, 3]
        assert world.parameters.get([f"{ROOT}/a"])[f"{ROOT}/a"] == Parameter("three", 3)

    def test_a_name_that_was_written_is_taken(self, world):
        world.parameters.put(f"{ROOT}/a", "one")
        assert not world.parameters.create(f"{ROOT}/a", "two")

    def test_an_old_version_is_read_under_the_name_it_was_asked_by(self, world):
        for value in ("one", "two", "three"):
            world.parameters.put(f"{ROOT}/a", value)
        asked = [f"{ROOT}/a:2", f"{ROOT}/a:1", f"{ROOT}/a:4", f"{ROOT}/b:1"]
        assert world.parameters.get(asked) == {f"{ROOT}/a:2": Parameter("two", 2), f"{ROOT}/a:1": Parameter("one", 1)}

    def test_a_name_and_its_versions_may_be_asked_for_together(self, world):
        for value in ("one", "two"):
            world.parameters.put(f"{ROOT}/a", value)
        assert world.parameters.get([f"{ROOT}/a:2", f"{ROOT}/a", f"{ROOT}/a:1"]) == {
            f"{ROOT}/a:2": Parameter("two", 2),
            f"{ROOT}/a": Parameter("two", 2),
            f"{ROOT}/a:1": Parameter("one", 1),
        }

    def test_ten_names_are_read_in_one_call(self, world):
        names = [f"{ROOT}/{number}" for number in range(10)]
        for name in names:
            world.parameters.create(name, name)
        assert world.parameters.get(names) == {name: Parameter(name, 1) for name in names}

    def test_a_removed_name_is_gone_and_free_again(self, world):
        world.parameters.put(f"{ROOT}/a", "one")
        world.parameters.put(f"{ROOT}/a", "two")
        world.parameters.delete(f"{ROOT}/a")
        assert world.parameters.get([f"{ROOT}/a"]) == {}
        assert world.parameters.create(f"{ROOT}/a", "again")
        assert world.parameters.get([f"{ROOT}/a"]) == {f"{ROOT}/a": Parameter("again", 1)}

    def test_removing_what_is_not_there_is_fine(self, world):
        world.parameters.delete(f"{ROOT}/a")

    def test_everything_below_a_path_is_found_and_nothing_beside_it(self, world):
        inside = {f"{ROOT}/_open/g{number}/1/dev": str(number) for number in range(23)}
        for name, value in inside.items():
            world.parameters.put(name, "old")
            world.parameters.put(name, value)
        world.parameters.create(f"{ROOT}/_opened/g1/1/dev", "beside")
        world.parameters.create(f"{ROOT}/_open-not", "beside")
        found = list(world.parameters.below(f"{ROOT}/_open"))
        assert len(found) == 23
        assert {each.name: each.value for each in found} == inside
        assert {each.version for each in found} == {2}

    def test_every_version_that_was_written_is_told_oldest_first(self, world):
        assert world.parameters.written(f"{ROOT}/a") == []
        for number in range(60):
            world.parameters.put(f"{ROOT}/a", str(number))
        found = world.parameters.written(f"{ROOT}/a")
        assert [each.value for each in found] == [str(number) for number in range(60)]
        assert len({each.by for each in found}) == 1

    def test_all_of_the_account_are_counted(self, world):
        assert world.parameters.counted() == 0
        for number in range(53):
            world.parameters.create(f"/elsewhere/p{number}", "1")
        world.parameters.put(f"{ROOT}/churn/approved/dev", "1")
        assert world.parameters.counted() == 54

    def test_below_an_empty_path_is_nothing(self, world):
        assert list(world.parameters.below(f"{ROOT}/_open")) == []

    @pytest.mark.parametrize("value", ["é" * 100, '{"a":"\\u007b\\u007b"}', " x ", "x" * LIMIT, "a\nb"])
    def test_a_value_comes_back_as_it_was(self, world, value):
        world.parameters.create(f"{ROOT}/a", value)
        world.parameters.put(f"{ROOT}/b", value)
        assert {each.value for each in world.parameters.get([f"{ROOT}/a", f"{ROOT}/b"]).values()} == {value}


# ---------------------------------------------------------------------------------------------- ModelRegistry


class TestModelRegistry:
    def test_an_unknown_version_is_none(self, world):
        world.register()
        assert world.registry.describe(ModelVersion("churn", 2)) is None
        assert world.registry.describe(ModelVersion("nobody", 1)) is None

    def test_a_version_is_described_as_it_was_registered(self, world):
        model = world.register(
            containers=(PINNED, Container(IMAGE)), metrics=(EVALUATION,), metadata={"owner": "risk"}, commit="0a1b2c"
        )
        found = world.registry.describe(model)
        assert found.model == model == CHURN
        assert found.status == "PendingManualApproval"
        assert (found.package_status, found.registration) == ("Completed", "Registered")
        assert found.containers == (PINNED, Container(IMAGE))
        assert found.metrics == (EVALUATION,)
        assert found.metrics_uri == EVALUATION[0]
        assert found.metadata == {"owner": "risk"}
        assert found.commit == "0a1b2c"
        assert found.life_cycle == ("", "")
        assert found.description == ""
        assert found.created_at.tzinfo is UTC

    def test_a_bare_version_has_empty_fields(self, world):
        found = world.registry.describe(world.register(containers=(Container(IMAGE),)))
        assert found.containers == (Container(IMAGE),)
        assert (found.metrics, found.metrics_uri, dict(found.metadata)) == ((), "", {})
        assert (found.commit, found.repository) == ("", "")

    def test_an_update_writes_all_of_it(self, world):
        model = world.register(metadata={"owner": "risk"})
        package = world.registry.describe(model)
        write(world, package, metadata={"owner": "risk", "dev": "Approved", "approval-history": "2"})
        found = world.registry.describe(model)
        assert found.status == "Approved"
        assert found.description == "dev approved by Maya Chen"
        assert found.metadata == {"owner": "risk", "dev": "Approved", "approval-history": "2"}
        assert found.life_cycle == ("dev", "Approved")
        assert found.containers == package.containers
        assert found.fingerprint == package.fingerprint

    def test_an_update_without_a_life_cycle_is_taken(self, world):
        model = world.register()
        write(world, world.registry.describe(model), life_cycle=("", ""), description="")
        found = world.registry.describe(model)
        assert (found.status, found.description, found.life_cycle) == ("Approved", "", ("", ""))

    def test_an_empty_description_takes_the_old_one_away(self, world):
        model = world.register()
        package = world.registry.describe(model)
        write(world, package)
        write(world, package, description="")
        assert world.registry.describe(model).description == ""

    def test_versions_are_listed_newest_first(self, world):
        for group in ("churn", "fraud", "churn"):
            world.register(group)
            time.sleep(0.002)
        assert [each.model for each in world.registry.versions()] == [
            ModelVersion("churn", 2),
            ModelVersion("fraud", 1),
            ModelVersion("churn", 1),
        ]
        assert {each.status for each in world.registry.versions()} == {"PendingManualApproval"}

    def test_versions_of_one_group_or_status_are_listed_alone(self, world):
        world.register("churn")
        world.register("churn", ApprovalStatus.APPROVED)
        world.register("fraud", ApprovalStatus.APPROVED)
        assert {each.model for each in world.registry.versions("churn")} == {CHURN, ModelVersion("churn", 2)}
        assert [each.model for each in world.registry.versions("churn", status="Approved")] == [
            ModelVersion("churn", 2)
        ]
        assert len(list(world.registry.versions(status="Approved"))) == 2

    def test_versions_created_before_are_left_out(self, world):
        world.register()
        (only,) = world.registry.versions()
        assert only.created_at.tzinfo is UTC
        long_ago, soon = only.created_at - timedelta(seconds=5), only.created_at + timedelta(seconds=5)
        assert [each.model for each in world.registry.versions(created_after=long_ago)] == [CHURN]
        assert list(world.registry.versions(created_after=soon)) == []

    def test_an_unknown_group_has_no_versions(self, world):
        assert list(world.registry.versions("nobody")) == []

    def test_a_group_of_more_than_a_page_is_listed_whole(self, world):
        for _ in range(105):
            world.register(containers=(Container(IMAGE),))
        assert {each.model.version for each in world.registry.versions("churn")} == set(range(1, 106))


# ------------------------------------------------------------------------------------------------------- Jobs

CLICK = AnswerJob(
    RequestId("churn", 1, "dev", 1), Answer.REJECT, ChatUser("slack", "T0", "U0", "C0"), "slack|T0|U0|1.2", AT, "{{ é"
)
OPEN, CHECK = OpenJob(CHURN, "event-1", fresh=True), CheckJob(CHURN, "event-1")


class TestJobs:
    def test_a_job_travels_unchanged_to_the_queue_of_its_kind(self, world):
        tidy, superseded = TidyJob(CHURN, "dev", "sweep-1"), SupersedeJob(RequestId("churn", 1, "dev", 1), 2)
        for job in (CLICK, OPEN, CHECK, tidy, superseded):
            world.jobs.put(job)
        assert world.queued("decisions") == [CLICK, CHECK, superseded]
        assert world.queued("openings") == [OPEN, tidy]

    def test_the_same_click_twice_is_swallowed(self, world):
        world.jobs.put(CLICK)
        world.jobs.put(CLICK)
        assert world.queued("decisions") == [CLICK]

    def test_a_hint_of_another_sender_is_not_swallowed(self, world):
        again = CheckJob(CHURN, "event-2")
        for job in (CHECK, CHECK, again):
            world.jobs.put(job)
        assert world.queued("decisions") == [CHECK, again]

    def test_the_jobs_of_a_group_keep_their_order(self, world):
        jobs = [CheckJob(ModelVersion("churn", number), "event-1") for number in range(1, 10)]
        for job in jobs:
            world.jobs.put(job)
        assert world.queued("decisions") == jobs


# ------------------------------------------------------------------------------------------------ Evaluations


class TestEvaluations:
    @pytest.mark.parametrize("uri", ["s3://nowhere/report.json", "", "https://models/report.json"])
    def test_what_cannot_be_read_is_said_and_not_raised(self, world, uri):
        found = world.evaluations.read(uri)
        assert (found.metrics, found.uri, found.sha256) == ((), uri, "")
        assert "metrics could not be read" in found.problem.lower()


# ==================================================================================================== only AWS


class Canned(Clients):
    """A client of any service that gives prepared answers and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def __call__(self, _service):
        return self

    def __getattr__(self, method):
        def call(**asked):
            self.asked.append((method, asked))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def client_error(code, status=400, message="because"):
    answer: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "AnyOperation")


def actions(aws):
    return [call.action for call in aws.calls]


# ---------------------------------------------------------------------------------------------------- clients


def test_a_client_is_made_once_however_many_threads_ask(running):
    clients, start = Clients(REGION), threading.Barrier(16)

    def ask(_):
        start.wait()
        return clients("ssm")

    with ThreadPoolExecutor(16) as pool:
        assert len(set(map(id, pool.map(ask, range(16))))) == 1


def test_a_client_waits_briefly_and_tries_three_times(running):
    config = Clients("eu-central-1")("sqs").meta.config
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (2, 5, 20)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}
    assert config.region_name == "eu-central-1"


def test_the_endpoint_comes_from_the_environment(running):
    assert Clients(REGION)("sagemaker").meta.endpoint_url == running.endpoint_url


def test_threads_share_kept_alive_connections(on_aws, aws):
    aws.calls.clear()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: on_aws.parameters.put(f"{ROOT}/{number}", "x"), range(40)))
    assert len(actions(aws)) == 40


@pytest.mark.parametrize(
    "error",
    [
        *map(
            client_error,
            ["ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"],
        ),
        *map(client_error, ["RequestThrottled", "KmsThrottled", "OverLimit", "TooManyUpdates", "ConflictException"]),
        client_error("Whatever", 429),
        client_error("", 502),
        client_error("InternalServerError", 500),
        client_error("ServiceUnavailable", 503),
        client_error("RequestTimeout"),
        client_error("ExpiredTokenException"),
        ReadTimeoutError(endpoint_url="https://a.example"),
        ConnectTimeoutError(endpoint_url="https://a.example"),
        EndpointConnectionError(endpoint_url="https://a.example"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        CredentialRetrievalError(provider="container-role", error_msg="no answer"),
        ResponseParserError("<html>"),
    ],
)
def test_what_may_pass_is_unavailable(error, caplog):
    with pytest.raises(Unavailable, match="ssm:PutParameter") as caught, unavailable("ssm:PutParameter"):
        raise error
    assert caught.value.__cause__ is error
    assert caplog.records == []


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException"),
        client_error("ParameterAlreadyExists"),
        client_error("ParameterNotFound"),
        client_error("ResourceNotFound", 404),
        ParamValidationError(report="no such parameter"),
        ValueError("a bug"),
    ],
)
def test_everything_else_is_the_callers_affair(error):
    with pytest.raises(type(error)) as caught, unavailable("ssm:PutParameter"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "KmsAccessDenied", "ParameterLimitExceeded"])
def test_what_somebody_has_to_mend_is_an_error_in_the_log(code, caplog):
    refusal = client_error(code, 403, "User: bot is not authorized")
    with pytest.raises(Unavailable, match=code), unavailable("ssm:PutParameter"):
        raise refusal
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "ssm:PutParameter" in record.message
    assert "User: bot is not authorized" in record.message
    assert record.exc_info is None


def test_a_denied_call_says_what_to_grant(on_aws, aws, caplog):
    aws.faults.add("PutParameter", status=403)
    with pytest.raises(Unavailable):
        on_aws.parameters.create(f"{ROOT}/a", "one")
    assert "grant" in caplog.text
    assert "ssm:PutParameter" in caplog.text


# ------------------------------------------------------------------------------------------------- parameters


def test_of_32_threads_one_creates_the_parameter(on_aws):
    threads, rounds = 32, 8
    start = threading.Barrier(threads)

    def create(mine):
        won = []
        for number in range(rounds):
            start.wait()
            won.append(on_aws.parameters.create(f"{ROOT}/race/{number}", str(mine)))
        return won

    with ThreadPoolExecutor(threads) as pool:
        outcomes = list(pool.map(create, range(threads)))
    stored = on_aws.parameters.get([f"{ROOT}/race/{number}" for number in range(rounds)])
    for number in range(rounds):
        winners = [mine for mine, won in enumerate(outcomes) if won[number]]
        assert len(winners) == 1
        assert stored[f"{ROOT}/race/{number}"] == Parameter(str(winners[0]), 1)


def test_of_32_threads_that_write_each_writes_a_version_of_its_own(on_aws):
    with ThreadPoolExecutor(32) as pool:
        written = list(pool.map(lambda mine: on_aws.parameters.put(f"{ROOT}/a", str(mine)), range(32)))
    assert sorted(written) == list(range(1, 33))
    asked = [f"{ROOT}/a:{number}" for number in written[:10]]
    assert [each.value for each in map(on_aws.parameters.get(asked).get, asked)] == list(map(str, range(10)))


@pytest.mark.parametrize("status", ["reset", 500])
def test_a_create_whose_answer_was_lost_says_taken_and_is_there(on_aws, aws, status):
    aws.faults.add("PutParameter", status=status, after=True)
    assert on_aws.parameters.create(f"{ROOT}/a", "mine") is False
    assert on_aws.parameters.get([f"{ROOT}/a"]) == {f"{ROOT}/a": Parameter("mine", 1)}


def test_a_create_that_never_answers_is_unavailable_and_may_be_there(on_aws, aws):
    aws.calls.clear()
    aws.faults.add("PutParameter", status="reset", after=True, times=None)
    with pytest.raises(Unavailable):
        on_aws.parameters.create(f"{ROOT}/a", "mine")
    assert actions(aws) == ["PutParameter"] * 3
    aws.faults.clear()
    assert not on_aws.parameters.create(f"{ROOT}/a", "again")


def test_a_short_trouble_is_ridden_out(on_aws, aws):
    aws.faults.add("GetParameters", status=400)
    aws.faults.add("GetParameters", status=503)
    assert on_aws.parameters.get([f"{ROOT}/a"]) == {}


def test_a_write_that_meets_another_is_unavailable(on_aws, aws):
    aws.faults.add("PutParameter", status=400, code="TooManyUpdates")
    with pytest.raises(Unavailable, match="TooManyUpdates"):
        on_aws.parameters.put(f"{ROOT}/a", "one")


@pytest.mark.parametrize("count", [0, 11])
def test_any_other_number_of_names_is_a_bug(on_aws, aws, count):
    aws.calls.clear()
    with pytest.raises(ValueError, match=str(count)):
        on_aws.parameters.get([f"{ROOT}/{number}" for number in range(count)])
    assert actions(aws) == []


def test_a_name_asked_twice_is_sent_once():
    client = Canned({"Parameters": [{"Name": "/a", "Value": "one", "Version": 1}]})
    assert SsmParameters(client).get(["/a", "/a"]) == {"/a": Parameter("one", 1)}
    assert client.asked == [("get_parameters", {"Names": ["/a"]})]


def test_an_answer_with_a_selector_is_told_from_one_without():
    newest = {"Name": "/a", "Value": "two", "Version": 2}
    selected = [{**newest, "Selector": ":2"}, {"Name": "/a", "Value": "one", "Version": 1, "Selector": ":1"}]
    client = Canned({"Parameters": [newest, *selected]}, {"Parameters": selected})
    assert set(SsmParameters(client).get(["/a", "/a:1", "/a:2"])) == {"/a", "/a:1", "/a:2"}
    assert set(SsmParameters(client).get(["/a:1", "/a:2"])) == {"/a:1", "/a:2"}


def test_an_empty_page_is_not_the_last():
    page = {"Parameters": [{"Name": "/a/b", "Value": "one", "Version": 1}]}
    client = Canned(
        {"Parameters": [], "NextToken": "1"}, {"Parameters": [], "NextToken": "2"}, {**page, "NextToken": None}
    )
    assert list(SsmParameters(client).below("/a")) == [Stored("/a/b", "one", 1)]
    assert [asked.get("NextToken") for _, asked in client.asked] == [None, "1", "2"]


def test_pages_are_asked_for_as_they_are_needed(on_aws, aws):
    for number in range(25):
        on_aws.parameters.create(f"{ROOT}/p/{number}", "x")
    aws.calls.clear()
    found = iter(on_aws.parameters.below(f"{ROOT}/p"))
    next(found)
    assert actions(aws) == ["GetParametersByPath"]
    assert len(list(found)) == 24
    assert actions(aws) == ["GetParametersByPath"] * 3


def test_a_page_that_does_not_come_is_unavailable(on_aws, aws):
    aws.faults.add("GetParametersByPath", status=500, times=None)
    with pytest.raises(Unavailable, match="ssm:GetParametersByPath"):
        list(on_aws.parameters.below(ROOT))


def test_a_write_is_a_string_of_the_tier_that_grows_by_itself():
    client = Canned({"Version": 1}, {"Version": 2})
    SsmParameters(client).create("/a", "one")
    SsmParameters(client).put("/a", "one")
    same = {"Name": "/a", "Value": "one", "Type": "String", "Tier": "Intelligent-Tiering"}
    assert client.asked == [
        ("put_parameter", {**same, "Overwrite": False}),
        ("put_parameter", {**same, "Overwrite": True}),
    ]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("get", (["/a", "no name"],)),
        ("get", (["/a:label"],)),
        ("create", ("no name", "x")),
        ("put", ("/a:1", "x")),
        ("delete", ("/aws/a",)),
        ("below", ("no path",)),
        ("create", ("/a", "")),
        ("create", ("/a", "x" * (LIMIT + 1))),
        ("put", ("/a", "{{x}}")),
    ],
)
def test_what_aws_would_refuse_is_never_sent(on_aws, aws, method, arguments):
    aws.calls.clear()
    with pytest.raises(Malformed):
        list(getattr(on_aws.parameters, method)(*arguments))
    assert actions(aws) == []


@pytest.mark.parametrize(
    ("code", "method", "arguments"),
    [
        ("HierarchyTypeMismatchException", "put", ("/a", "x")),
        ("UnsupportedParameterType", "create", ("/a", "x")),
        ("ValidationException", "delete", ("/a",)),
    ],
)
def test_a_refusal_nobody_foresaw_is_loud(code, method, arguments):
    with pytest.raises(ClientError, match=code):
        getattr(SsmParameters(Canned(client_error(code))), method)(*arguments)


# --------------------------------------------------------------------------------------------------- registry

REPORT = {"ContentType": "application/json", "S3Uri": "s3://m/x"}


def described(**more):
    return {
        "ModelPackageArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/churn/1",
        "ModelPackageStatus": "Completed",
        "CreationTime": AT,
        **more,
    }


def test_a_version_is_asked_for_by_its_arn_without_the_content_of_its_model_card():
    client = Canned(described())
    registry = SageMakerRegistry(client, partition="aws-cn", region="cn-north-1", account="999999999999")
    registry.describe(ModelVersion("Churn-a", 12))
    arn = "arn:aws-cn:sagemaker:cn-north-1:999999999999:model-package/Churn-a/12"
    assert client.asked == [("describe_model_package", {"ModelPackageName": arn, "IncludedData": "MetadataOnly"})]


@pytest.mark.parametrize(
    "error",
    [
        client_error("ValidationException", message="ModelPackage arn:… does not exist."),
        client_error("ResourceNotFound"),
        client_error("ResourceNotFoundException"),
    ],
)
def test_each_way_to_say_unknown_is_understood(error):
    place = {"partition": "aws", "region": REGION, "account": ACCOUNT}
    assert SageMakerRegistry(Canned(error), **place).describe(CHURN) is None
    assert list(SageMakerRegistry(Canned(error), **place).versions("churn")) == []


def test_a_refused_question_is_not_taken_for_an_unknown_version():
    error = client_error("ValidationException", message="1 validation error detected: Value at 'x'")
    registry = SageMakerRegistry(Canned(error, error), partition="aws", region=REGION, account=ACCOUNT)
    with pytest.raises(ClientError):
        registry.describe(CHURN)
    with pytest.raises(ClientError):
        list(registry.versions("churn"))


@pytest.mark.parametrize(
    ("who", "name"),
    [
        ({}, ""),
        ({"IamIdentity": {}}, ""),
        ({"IamIdentity": {"PrincipalId": "AIDA"}}, ""),
        ({"IamIdentity": {"Arn": "arn:aws:iam::123456789012:user/team/maya"}}, "maya"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::123456789012:root"}}, "root"),
        ({"IamIdentity": {"Arn": "arn:aws:sts::123456789012:assumed-role/Dev/maya@example.com"}}, "maya@example.com"),
        ({"UserProfileName": "maya"}, "maya"),
        ({"UserProfileName": "maya", "IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/Exec/SageMaker"}}, "maya"),
        (
            {
                "UserProfileName": "studio",
                "IamIdentity": {"SourceIdentity": "maya@example.com", "Arn": "arn:aws:sts::1:assumed-role/Exec/x"},
            },
            "maya@example.com",
        ),
    ],
)
def test_who_registered_and_changed_a_version_is_named(who, name):
    found = package_of(CHURN, described(CreatedBy=who, LastModifiedBy={"UserProfileName": "omar"}))
    assert (found.created_by, found.modified_by) == (name, "omar")


def test_the_caller_is_named_by_the_server_too(on_aws, aws):
    aws.source_identities[BOT_KEY] = "pipeline@example.com"
    model = on_aws.register()
    del aws.source_identities[BOT_KEY]
    aws.identities[BOT_KEY] = "arn:aws:sts::123456789012:assumed-role/Bot/model-approvals"
    write(on_aws, on_aws.registry.describe(model))
    found = on_aws.registry.describe(model)
    assert (found.created_by, found.modified_by) == ("pipeline@example.com", "model-approvals")
    assert found.modified_at >= found.created_at


def test_reports_are_told_in_one_order_the_evaluation_first():
    found = package_of(
        CHURN,
        described(
            ModelMetrics={
                "Explainability": {"Report": {**REPORT, "S3Uri": "s3://m/8"}},
                "Bias": {
                    "PostTrainingReport": {**REPORT, "S3Uri": "s3://m/7"},
                    "Report": {**REPORT, "S3Uri": "s3://m/5"},
                    "PreTrainingReport": {**REPORT, "S3Uri": "s3://m/6"},
                },
                "ModelDataQuality": {
                    "Constraints": {**REPORT, "S3Uri": "s3://m/4"},
                    "Statistics": {**REPORT, "S3Uri": "s3://m/3"},
                },
                "ModelQuality": {
                    "Constraints": {**REPORT, "S3Uri": "s3://m/2"},
                    "Statistics": {**REPORT, "S3Uri": "s3://m/1", "ContentDigest": "sha256:1"},
                },
            }
        ),
    )
    assert found.metrics == (("s3://m/1", "sha256:1"), *((f"s3://m/{number}", "") for number in range(2, 9)))


def test_another_report_is_not_taken_for_the_evaluation():
    found = package_of(CHURN, described(ModelMetrics={"Bias": {"Report": REPORT}}))
    assert found.metrics_uri == ""
    assert ("s3://m/x", "") in found.metrics
    assert found.fingerprint != package_of(CHURN, described()).fingerprint


def test_uncompressed_model_data_is_pinned_as_well():
    source = {"S3Uri": "s3://m/llm/", "S3DataType": "S3Prefix", "CompressionType": "None"}
    containers = [
        {"Image": IMAGE, "ModelDataSource": {"S3DataSource": {**source, "ManifestEtag": "m1"}}},
        {"Image": IMAGE, "ModelDataSource": {"S3DataSource": {**source, "ETag": "e1", "ManifestEtag": "m1"}}},
        {"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}},
    ]
    found = package_of(CHURN, described(InferenceSpecification={"Containers": containers}))
    assert [(each.model_data, each.model_data_etag) for each in found.containers] == [
        ("s3://m/llm/", "m1"),
        ("s3://m/llm/", "e1"),
        ("s3://m/llm/", ""),
    ]


def test_times_are_utc_whatever_the_zone_of_the_machine():
    there = AT.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+05:00").tzinfo)
    found = package_of(CHURN, described(CreationTime=there, LastModifiedTime=there))
    assert found.created_at == found.modified_at == AT
    assert found.created_at
    assert found.created_at.tzinfo is UTC
    assert found.modified_at
    assert found.modified_at.tzinfo is UTC


def test_an_update_is_one_call(on_aws, aws):
    package = on_aws.registry.describe(on_aws.register())
    aws.calls.clear()
    write(on_aws, package)
    assert actions(aws) == ["UpdateModelPackage"]


def test_an_update_is_right_where_aws_replaces_the_metadata():
    client = Canned({})
    package = Package(CHURN, "arn:a", "Approved", metadata={"owner": "risk"})
    registry = SageMakerRegistry(client, partition="aws", region=REGION, account=ACCOUNT)
    registry.update(package, status="Rejected", description="", metadata={"owner": "risk"}, life_cycle=("", ""))
    assert client.asked == [
        (
            "update_model_package",
            {
                "ModelPackageArn": "arn:a",
                "ModelApprovalStatus": "Rejected",
                "ApprovalDescription": "",
                "CustomerMetadataProperties": {"owner": "risk"},
            },
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"metadata": {}},
        {"metadata": {"dev": ""}},
        {"metadata": {"dev": "{}"}},
        {"metadata": {"dev": "x" * 257}},
        {"metadata": {f"k{number}": "v" for number in range(51)}},
        {"description": "a\nb"},
        {"description": "x" * 1025},
        {"life_cycle": ("dev!", "Approved")},
        {"life_cycle": ("dev", "")},
        {"life_cycle": ("", "Approved")},
    ],
)
def test_what_the_registry_would_refuse_is_never_sent(on_aws, aws, changes):
    package = on_aws.registry.describe(on_aws.register())
    aws.calls.clear()
    with pytest.raises(Malformed):
        write(on_aws, package, **changes)
    assert actions(aws) == []


def test_a_conflict_is_tried_again_later(on_aws, aws):
    package = on_aws.registry.describe(on_aws.register())
    aws.faults.add("UpdateModelPackage", status=400, code="ConflictException")
    with pytest.raises(Unavailable, match="ConflictException"):
        write(on_aws, package)


def test_a_package_of_no_group_is_not_listed():
    rest = {"CreationTime": AT, "ModelPackageStatus": "Completed", "ModelApprovalStatus": "Approved"}
    listed = [
        {"ModelPackageArn": "arn:1", "ModelPackageName": "alone", **rest},
        {"ModelPackageArn": "arn:2", "ModelPackageGroupName": "churn", **rest},
        {"ModelPackageArn": "arn:3", "ModelPackageGroupName": "churn", "ModelPackageVersion": 3, **rest},
    ]
    client = Canned({"ModelPackageSummaryList": [], "NextToken": "1"}, {"ModelPackageSummaryList": listed})
    registry = SageMakerRegistry(client, partition="aws", region=REGION, account=ACCOUNT)
    assert [each.model for each in registry.versions(status="Approved", created_after=AT)] == [ModelVersion("churn", 3)]
    first, second = (asked for _, asked in client.asked)
    assert first == {
        "ModelPackageType": "Versioned",
        "ModelApprovalStatus": "Approved",
        "CreationTimeAfter": AT,
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
    }
    assert second == {**first, "NextToken": "1"}


# ----------------------------------------------------------------------------------------------------- queues


def test_a_message_is_ordered_by_group_and_named_by_what_it_does(on_aws, aws):
    on_aws.jobs.put(CLICK)
    (message,) = received(aws, on_aws._urls["decisions"])
    assert message["Attributes"]["MessageGroupId"] == "churn"
    assert len(message["Attributes"]["MessageDeduplicationId"]) == 64
    assert message["Body"] == encode_job(CLICK)


@pytest.mark.parametrize(
    "error",
    [
        client_error("QueueDoesNotExist"),
        client_error("AccessDenied", 403),
        client_error("InvalidMessageContents"),
        client_error("InternalError", 500),
        ReadTimeoutError(endpoint_url="https://a.example"),
        ParamValidationError(report="no such parameter"),
    ],
)
def test_a_job_that_was_not_taken_is_unavailable_whatever_the_reason(error):
    with pytest.raises(Unavailable):
        SqsJobs(Canned(error), decisions_url="d", openings_url="o").put(CLICK)


def test_a_queue_that_is_not_there_is_unavailable(on_aws):
    jobs = SqsJobs(Clients(REGION), decisions_url=on_aws._urls["decisions"] + "-not", openings_url="")
    with pytest.raises(Unavailable):
        jobs.put(CLICK)


def delivered(**changes):
    return {
        "messageId": "m-1",
        "body": encode_job(CLICK),
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:decisions.fifo",
        **changes,
    }


def test_a_delivery_says_how_often_it_came_and_whether_it_comes_again():
    counts = [{"attributes": {"ApproximateReceiveCount": count}} for count in ("1", "7", "8", "9")]
    found = deliveries({"Records": [delivered(**each) for each in counts]}, max_receives=8)
    assert [each.receipt for each in found] == [
        Receipt(1, last=False, dead=False),
        Receipt(7, last=False, dead=False),
        Receipt(8, last=True, dead=False),
        Receipt(9, last=True, dead=False),
    ]
    assert found[0] == Delivery("m-1", encode_job(CLICK), Receipt(1))


@pytest.mark.parametrize(
    ("under_way", "job", "expected"),
    [
        ("", CLICK, CLICK.op),
        ("", CheckJob(ModelVersion("churn", 7), "event-1"), "event-1"),
        ("event-0", CheckJob(ModelVersion("churn", 7), "event-1"), "event-0"),
        ("event-0", CLICK, "event-0"),
    ],
)
def test_a_message_says_what_it_follows_from(aws, on_aws, under_way, job, expected):
    with traced(under_way):
        on_aws.jobs.put(job)
    asked = {
        "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": ["All"],
        "QueueUrl": on_aws._urls["decisions"],
    }
    [message] = aws.client("sqs").receive_message(**asked)["Messages"]
    [found] = deliveries({"Records": [record(message, "arn:aws:sqs:us-east-1:123456789012:d.fifo")]}, max_receives=8)
    assert found.trace == expected


def test_a_delivery_from_the_dead_letters_is_never_the_last():
    dead = delivered(
        eventSourceARN="arn:aws:sqs:us-east-1:123456789012:decisions-dead.fifo",
        attributes={"ApproximateReceiveCount": "20"},
    )
    (found,) = deliveries({"Records": [dead]}, max_receives=8)
    assert found.receipt == Receipt(20, last=False, dead=True)


@pytest.mark.parametrize(
    "event",
    [
        None, 7, [], {}, {"Records": None}, {"Records": [None]}, {"Records": [{}]},
        *({"Records": [delivered(**{name: value})]} for name, value in (
            ("messageId", 7), ("body", None), ("body", {}), ("attributes", None), ("attributes", {}),
            ("messageAttributes", None), ("messageAttributes", {"trace": "t"}),
            ("attributes", {"ApproximateReceiveCount": "often"}), ("attributes", {"ApproximateReceiveCount": math.inf}),
        )),
    ],
)  # fmt: skip
def test_what_no_queue_delivers_is_malformed(event):
    with pytest.raises(Malformed):
        deliveries(event, max_receives=8)


# ---------------------------------------------------------------------------------------------------- metrics

BINARY = {
    "version": 0.0,
    "dataset": {"item_count": 400, "start_time": "2026-11-24T02:20:31Z"},
    "binary_classification_metrics": {
        "confusion_matrix": {"0": {"0": 150, "1": 10}, "1": {"0": 20, "1": 220}},
        "recall": {"value": 0.9166, "standard_deviation": "NaN"},
        "f0_5": {"value": 0.9482, "standard_deviation": 0.0031},
        "f1": {"value": 0.9361, "standard_deviation": 0.0029},
        "auc": {"value": 0.9713, "standard_deviation": 0.0012},
        "accuracy": {"value": 0.925},
        "receiver_operating_characteristic_curve": {"false_positive_rates": [0.0, 1.0], "true_positive_rates": [0, 1]},
        "latency": {"value": 12, "unit": "ms", "standard_deviation": None},
    },
}


def stored(aws, body, key="churn/1/evaluation.json"):
    """Put a report where it can be read; its address."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key=key, Body=body)
    return f"s3://models/{key}"


def reading(client):
    """Evaluations of our own account's buckets."""
    return S3Evaluations(S3Reports(client, account=ACCOUNT))


def read(report):
    """What is made of a report, without a server."""
    body = report if isinstance(report, bytes) else json.dumps(report).encode()
    return reading(Canned({"ContentLength": len(body), "Body": io.BytesIO(body)})).read("s3://models/a.json")


def names(report):
    return [each.name for each in read(report).metrics]


def test_a_report_is_read_the_usual_metrics_first(on_aws, aws):
    body = json.dumps(BINARY, indent=1).encode()
    uri = stored(aws, body)
    assert on_aws.evaluations.read(uri) == Evidence(
        (
            Metric("auc", 0.9713, 0.0012),
            Metric("accuracy", 0.925),
            Metric("recall", 0.9166),
            Metric("f1", 0.9361, 0.0029),
            Metric("f0_5", 0.9482, 0.0031),
            Metric("latency", 12.0, None, "ms"),
        ),
        uri,
        hashlib.sha256(body).hexdigest(),
    )


@pytest.mark.parametrize("key", ["a b/ü+%20.json", "a//b.json", "x" * 1000])
def test_any_key_can_be_read(on_aws, aws, key):
    assert on_aws.evaluations.read(stored(aws, b'{"a":{"auc":{"value":1}}}', key)).metrics == (Metric("auc", 1.0),)


def test_plain_numbers_are_metrics_too():
    found = read({"auc": 0.91, "latency": 41, "model": "churn", "ok": True, "test": {"recall": 0.8, "a": {"b": 1}}})
    assert [(each.name, each.value) for each in found.metrics] == [("auc", 0.91), ("recall", 0.8), ("latency", 41.0)]
    assert names({"rows": 1000, "version": 0.0, "m": {"auc": {"value": 0.9}, "n": 3}}) == ["auc", "rows"]
    assert names({"auc": 0.91, "latency": {"value": 41.5, "unit": "ms"}}) == ["auc", "latency"]


def test_a_number_that_is_written_as_text_is_none_and_said_to_be():
    found = read({"auc": "0.9", "f1": 0.1, "model": "churn-7"})
    assert ([each.name for each in found.metrics], found.problem) == (["f1"], "Not a number, so left out: auc.")


def test_each_line_may_be_a_report():
    lines = [
        {"metric": "auc", "value": 0.9, "standard_deviation": 0.01},
        {"name": "latency", "value": 41.5, "unit": "ms"},
        {"recall": 0.8},
        {"metric": "auc", "value": 0.92},
    ]
    found = read("\n\n".join(map(json.dumps, lines)).encode() + b"\r\n")
    assert found.metrics == (Metric("auc", 0.92), Metric("recall", 0.8), Metric("latency", 41.5, None, "ms"))


def test_a_name_in_two_groups_carries_its_group():
    report = {
        "train": {"auc": {"value": 0.9}, "mae": {"value": 1}},
        "test": {"auc": {"value": 0.8}, "rmse": {"value": 2}},
    }
    assert set(names(report)) == {"train.auc", "test.auc", "mae", "rmse"}
    assert names(report)[:2] == ["train.auc", "test.auc"]


def test_at_most_two_hundred_metrics_are_read():
    report = {"m": {f"m{number}": {"value": number} for number in range(300)} | {"auc": {"value": 1}}}
    assert names(report) == ["auc", *(f"m{number}" for number in range(199))]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 10**400, "NaN", "Infinity", "-INF"])
def test_what_is_no_finite_number_is_left_out_and_named(value):
    found = read({"m": {"auc": {"value": value}, "f1": {"value": 0.5, "standard_deviation": value}}})
    assert found.metrics == (Metric("f1", 0.5),)
    assert "auc" in found.problem
    assert "f1" not in found.problem


def test_the_names_of_what_is_left_out_do_not_fill_the_entry():
    found = read({"m": {f"metric-{number}-{'x' * 100}": {"value": math.nan} for number in range(500)}})
    assert found.metrics == ()
    assert len(found.problem) < 600


@pytest.mark.parametrize("value", [True, None, "0.9", [0.9], {}, {"value": "high"}])
def test_what_is_no_number_is_no_metric(value):
    assert names({"m": {"auc": {"value": value}, "f1": {"value": 0.5}}}) == ["f1"]


def test_odd_names_and_units_stay_short_and_on_one_line():
    (found,) = read({"m": {"a\nb" * 500: {"value": 1, "unit": "per\nsecond" * 50}}}).metrics
    assert len(found.name) <= 64
    assert len(found.unit) <= 64
    assert "\n" not in found.name + found.unit


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[1]", "JSON object"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"auc":0.9}\n{', "line 2 of the report is not JSON"),
        (b'{"auc":0.9}\n[1]', "line 2 of the report is not a JSON object"),
        (b'{"auc":0.9,"auc":0.1}', "the key 'auc' stands twice"),
        (b'{"m":{"auc":{"value":0.9,"value":0.1}}}', "the key 'value' stands twice"),
        (b'{"model":"churn","rows":[1,2],"ok":true}', "no metrics"),
        (b"auc,0.9\n", "JSON"),
        (b"{}", "no metrics"),
        (b" " * LARGEST + b"{}", "larger"),
    ],
)
def test_a_report_that_says_nothing_is_explained(body, why):
    found = read(body)
    assert (found.metrics, found.sha256, found.uri) == ((), "", "s3://models/a.json")
    assert found.problem.startswith("Metrics could not be read: ")
    assert why in found.problem


def test_a_byte_order_mark_is_no_obstacle():
    assert names(b"\xef\xbb\xbf" + json.dumps({"m": {"auc": {"value": 1}}}).encode()) == ["auc"]


def test_a_report_that_nests_deeply_is_no_obstacle():
    for depth in range(50, 1000):
        assert read(b'{"a":' * depth + b'{"value":1}' + b"}" * depth).metrics == ()


def test_a_report_of_a_mebibyte_is_read_quickly():
    report = {"m": {f"m{number}": {"value": number} for number in range(40_000)}}
    body = json.dumps(report, separators=(",", ":")).encode()
    body += b" " * (LARGEST - len(body))
    started = time.process_time()
    assert len(read(body).metrics) == 200
    assert time.process_time() - started < 3


def test_a_length_that_lies_is_found_out():
    client = Canned({"ContentLength": 10, "Body": io.BytesIO(b" " * (LARGEST + 1))})
    assert "larger" in reading(client).read("s3://models/a.json").problem


def test_the_connection_is_given_back_when_a_report_is_too_large():
    body = io.BytesIO(b"{}")
    reading(Canned({"ContentLength": LARGEST + 1, "Body": body})).read("s3://models/a.json")
    assert body.closed


@pytest.mark.parametrize(
    "uri",
    ["", "s3://", "s3://models", "s3://models/", "https://models/a.json", "s3:///a", "s3://MODELS/a", "/etc/passwd"],
)
def test_only_an_object_in_s3_is_read(uri):
    client = Canned()
    found = reading(client).read(uri)
    assert found.problem == "Metrics could not be read: the address is not s3://bucket/key."
    assert client.asked == []


@pytest.mark.parametrize("bucket", ["models", "nowhere"])
def test_a_report_that_is_not_there_is_said_to_be_missing(on_aws, aws, bucket):
    stored(aws, b"{}")
    found = on_aws.evaluations.read(f"s3://{bucket}/missing.json")
    assert found == Evidence(uri=f"s3://{bucket}/missing.json", problem=found.problem)
    assert "there is no such " in found.problem


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (client_error("InvalidObjectState", 403), "InvalidObjectState"),
        (client_error("SlowDown", 503), "SlowDown"),
        (ReadTimeoutError(endpoint_url="https://a.example"), "ReadTimeoutError"),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), "IncompleteReadError"),
        (ResponseParserError("<html>"), "ResponseParserError"),
    ],
)
def test_a_store_that_does_not_answer_is_said_and_not_raised(error, why):
    found = reading(Canned(error)).read("s3://models/a.json")
    assert found.metrics == ()
    assert why in found.problem


def test_an_optional_report_that_is_not_there_was_not_reported(on_aws, aws):
    uri = stored(aws, b'{"auc": 1}')
    assert on_aws.evaluations.read(f"{uri}.missing", optional=True) == Evidence(problem="No metrics reported.")
    assert on_aws.evaluations.read(uri, optional=True).metrics == (Metric("auc", 1.0),)
    assert "no such bucket" in on_aws.evaluations.read("s3://nowhere/m.json", optional=True).problem


def test_a_report_that_may_not_be_read_is_an_error_in_the_log(caplog):
    found = reading(Canned(client_error("AccessDenied", 403))).read("s3://models/a.json")
    assert "not permitted" in found.problem
    assert "s3:GetObject" in caplog.text
    assert [each.levelno for each in caplog.records] == [logging.ERROR]


LEAF = st.fixed_dictionaries(
    {"value": st.floats() | st.integers() | st.integers(10**300, 10**400) | st.text(max_size=4) | st.none()},
    optional={
        "standard_deviation": st.floats() | st.integers(10**300, 10**400) | st.text(max_size=4) | st.none(),
        "unit": st.text(max_size=4) | st.integers(),
    },
)
NODES = st.recursive(
    LEAF | st.none() | st.floats() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.text(st.characters(codec=None), max_size=4), inner) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(NODES.map(lambda node: json.dumps(node).encode()) | st.binary(max_size=40))
@example(json.dumps({"m": {"auc": {"value": 1, "standard_deviation": 10**400}}}).encode())
def test_whatever_the_report_it_is_read_or_explained(body):
    found = read(body)
    assert len(found.metrics) <= 20
    for each in found.metrics:
        assert math.isfinite(each.value)
        assert each.deviation is None or math.isfinite(each.deviation)
    assert found.metrics or found.problem
    assert found.sha256 in ("", hashlib.sha256(body).hexdigest())
