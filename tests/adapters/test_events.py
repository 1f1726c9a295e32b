"""EventBridge's events, as documented, as the corrected server sends them, and as nobody should."""

import json
import logging
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.aws.deliveries import deliveries
from bot.aws.events import Origins, jobs_of, records
from bot.domain import ModelVersion
from bot.envelope import encode_job
from bot.errors import Malformed
from bot.evidence import Metric, Run
from bot.hints import CheckJob, MeasureJob, OpenJob
from bot.jobs import Job
from infra.local.aws import Aws

ACCOUNT, REGION = "123456789012", "us-east-1"
CHURN = ModelVersion("churn", 7)
ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/churn/7"
URI = "s3://models/churn/7/evaluation.json"
OPENED = [OpenJob(CHURN, "e-1", fresh=True, metrics_uri=URI)]
COMPARED = [CheckJob(CHURN, "e-1"), OpenJob(CHURN, "e-1")]
ABSENT = object()


def nothing(name, _sender):
    raise AssertionError(f"nobody asked about the transform job {name}")


def origins(transforms=nothing, **elsewhere):
    """Every environment is at home, but for those that are named with their account and region."""
    home = (ACCOUNT, REGION)
    return Origins(
        home, lambda name, _group: elsewhere.get(name, home), dict.fromkeys([home, *elsewhere.values()], transforms)
    )


def detail(**changes):
    found = {
        "ModelPackageGroupName": "churn",
        "ModelPackageVersion": 7,
        "ModelPackageArn": ARN,
        "CreationTime": "2026-11-24T02:20:31Z",
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "PendingManualApproval",
        "ModelMetrics": {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": URI}}},
        **changes,
    }
    return {name: value for name, value in found.items() if value is not ABSENT}


def event(found=None, **changes):
    envelope = {
        "version": "0",
        "id": "e-1",
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": "2026-11-24T02:20:32Z",
        "region": REGION,
        "resources": [ARN],
        "detail": detail() if found is None else found,
        **changes,
    }
    return {name: value for name, value in envelope.items() if value is not ABSENT}


def parameter(name, **changes):
    written = {"operation": "Update", "name": name, "type": "String"}
    return event(written, **{"source": "aws.ssm", "detail-type": "Parameter Store Change", **changes})


def read(whole):
    """The jobs that a directly delivered event asks for."""
    (one,) = records(whole)
    return jobs_of(one, origins())


def queued(*bodies):
    return {
        "Records": [
            {"messageId": f"m-{number}", "eventSource": "aws:sqs", "body": body}
            for number, body in enumerate(bodies, start=1)
        ]
    }


def refused(whole):
    with pytest.raises(Malformed) as caught:
        read(whole)
    str(caught.value).encode()
    return str(caught.value)


# ---------------------------------------------------------------------------------------------- model packages


@pytest.mark.parametrize("fields", [ABSENT, None, []])
def test_a_registration_asks_for_its_first_request(fields):
    assert read(event(detail(UpdatedModelPackageFields=fields))) == OPENED


def test_an_update_asks_to_compare_and_to_open_what_comes_next():
    changed = detail(UpdatedModelPackageFields=["ModelApprovalStatus"], ModelApprovalStatus="Approved")
    assert read(event(changed)) == COMPARED


def test_the_echo_of_a_new_request_puts_nothing_before_an_answer():
    assert read(event(detail(UpdatedModelPackageFields=["ModelApprovalStatus"]))) == COMPARED[1:]


@pytest.mark.parametrize("status", ["Approved", "Rejected", ABSENT])
def test_what_is_not_pending_is_an_update_whatever_fields_are_named(status):
    assert read(event(detail(ModelApprovalStatus=status))) == COMPARED


@pytest.mark.parametrize(
    "metrics",
    [
        ABSENT,
        None,
        [],
        {},
        {"ModelQuality": None},
        {"ModelQuality": {"Constraints": {"S3Uri": URI}}},
        {"ModelQuality": {"Statistics": {}}},
        {"ModelQuality": {"Statistics": {"S3Uri": 7}}},
        {"ModelQuality": {"Statistics": {"S3Uri": "s3://models/" + "x" * 1024}}},
        {"ModelQuality": [URI]},
    ],
)
def test_metrics_that_are_not_named_are_no_obstacle(metrics):
    assert read(event(detail(ModelMetrics=metrics))) == [OpenJob(CHURN, "e-1", fresh=True)]


@pytest.mark.parametrize("status", ["Pending", "InProgress", "Failed", "Deleting"])
def test_a_version_that_is_not_complete_asks_for_nothing(status):
    assert read(event(detail(ModelPackageStatus=status))) == []


def test_a_package_of_no_group_asks_for_nothing():
    alone = detail(ModelPackageGroupName=ABSENT, ModelPackageVersion=ABSENT, ModelPackageName="churn")
    assert read(event(alone)) == []


def test_the_same_event_twice_asks_for_the_same_jobs():
    once, again = read(event()), read(event())
    assert [encode_job(job) for job in once] == [encode_job(job) for job in again]


@pytest.mark.parametrize(
    "elsewhere",
    [
        event(account="999999999999"),
        event(region="eu-west-1"),
        event(detail(ModelPackageArn=ARN.replace(ACCOUNT, "999999999999"))),
        event(detail(ModelPackageArn=ARN.replace(REGION, "eu-west-1"))),
    ],
)
def test_what_happened_elsewhere_is_ignored_and_said(elsewhere, caplog):
    assert read(elsewhere) == []
    assert "999999999999" in caplog.text or "eu-west-1" in caplog.text
    assert [each.levelno for each in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("name", ["account", "region"])
@pytest.mark.parametrize("value", [ABSENT, None, 123456789012, [ACCOUNT]])
def test_an_event_that_does_not_say_where_it_is_from_is_malformed(name, value):
    refused(event(**{name: value}))


@pytest.mark.parametrize("written", ["ChurnModels", "churnmodels"])
def test_an_arn_may_write_the_group_in_small_letters(written):
    mixed = detail(ModelPackageGroupName="ChurnModels", ModelPackageArn=ARN.replace("churn", written))
    assert [job.model.group for job in read(event(mixed))] == ["ChurnModels"]


@pytest.mark.parametrize("group", ["_open", "a/b", "-a", "a-", "x" * 64, "é", "a\n", "a b"])
def test_a_group_that_cannot_be_is_malformed_even_if_the_arn_agrees(group):
    refused(event(detail(ModelPackageGroupName=group, ModelPackageArn=ARN.replace("churn", group))))


WRONG: dict[str, list[Any]] = {
    "ModelPackageGroupName": [7, "", "_open", {}, "\ud800"],
    "ModelPackageVersion": ["7", 0, -1, 7.0, True, None, [], 10**9, 10**400],
    "ModelPackageArn": [ABSENT, None, 7, "", ARN[:-1] + "8", ARN.replace("churn", "fraud")],
    "ModelPackageStatus": [7, []],
    "ModelApprovalStatus": [7, []],
    "UpdatedModelPackageFields": ["ModelApprovalStatus", 7, {"a": 1}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_detail_of_another_shape_is_malformed(name, value):
    refused(event(detail(**{name: value})))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *product(["id", "source", "detail-type"], [ABSENT, None, 7, [], {}]),
        *product(["detail"], [ABSENT, None, 7, "{}", []]),
        *product(["id"], ["", "x" * 129]),
    ],
)
def test_an_envelope_of_another_shape_is_malformed(name, value):
    refused(event(**{name: value}))


@pytest.mark.parametrize("whole", [None, 7, "{}", [], [event()], True])
def test_what_is_no_event_at_all_is_malformed(whole):
    with pytest.raises(Malformed):
        read(whole)


# -------------------------------------------------------------------------------------------------- parameters


@pytest.mark.parametrize(
    "name",
    [
        "/model-approvals/churn/approved/prod",
        "/model-approvals/churn/history/7/0001",
        "/model-approvals/_status/churn",
        "/elsewhere/churn/approved/prod",
        "",
    ],
)
def test_a_written_parameter_asks_for_nothing_and_is_no_surprise(name, caplog):
    assert read(parameter(name)) == []
    assert caplog.records == []


# ------------------------------------------------------------------------------------------------ other events


@pytest.mark.parametrize(
    "other",
    [
        event(source="aws.s3"),
        event(**{"detail-type": "SageMaker Training Job State Change"}),
        event(source="aws.ssm"),
        event({}, **{"source": "aws.scheduler", "detail-type": "Scheduled Event"}),
    ],
)
def test_an_event_of_another_kind_is_ignored_and_named(other, caplog):
    assert read(other) == []
    assert other["source"] in caplog.text
    assert other["detail-type"] in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


# ------------------------------------------------------------------------------------------------- SQS records


def test_of_several_records_the_good_ones_count():
    good, too_long = json.dumps(event()), json.dumps(event(padding="x" * (256 * 1024)))
    taken: dict[str, Any] = {}
    for one in records(queued(good, "{", "7", "", good, too_long, "[" * 100_000, json.dumps(event({})), "NaN")):
        try:
            taken[one.message_id] = jobs_of(one, origins())
        except Malformed as problem:
            taken[one.message_id] = str(problem)
    assert taken["m-1"] == taken["m-5"] == OPENED
    assert [name for name, found in taken.items() if isinstance(found, str)] == [
        "m-2",
        "m-3",
        "m-4",
        "m-6",
        "m-7",
        "m-9",
    ]
    assert taken["m-8"] == []


@pytest.mark.parametrize("size", [256 * 1024, 256 * 1024 + 1])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_an_event_may_have_256_kibibytes_and_no_byte_more(size, letter):
    frame = json.dumps(event(padding=""), ensure_ascii=False)
    room = size - len(frame.encode())
    filling = letter * (room // len(letter.encode())) + "x" * (room % len(letter.encode()))
    (one,) = records(queued(json.dumps(event(padding=filling), ensure_ascii=False)))
    if size > 256 * 1024:
        with pytest.raises(Malformed, match=str(size)):
            jobs_of(one, origins())
    else:
        assert jobs_of(one, origins()) == OPENED


def test_a_body_that_nests_as_deep_as_can_be_read_is_malformed():
    deep = ["[" * depth + "]" * depth for depth in range(50, 1000)]
    for one in records(queued(*deep)):
        with pytest.raises(Malformed):
            jobs_of(one, origins())


@pytest.mark.parametrize("body", [None, 7, {}, [], ABSENT])
def test_a_record_whose_body_is_no_text_is_malformed(body):
    whole = queued(body)
    if body is ABSENT:
        del whole["Records"][0]["body"]
    (one,) = records(whole)
    assert one.message_id == "m-1"
    with pytest.raises(Malformed):
        jobs_of(one, origins())


def test_records_of_something_else_than_a_queue_are_malformed():
    whole = queued(json.dumps(event()))
    whole["Records"][0]["eventSource"] = "aws:sns"
    with pytest.raises(Malformed, match="aws:sns"):
        records(whole)


@pytest.mark.parametrize(
    "found", [None, 7, "", {}, [7], [{}], *([{"eventSource": "aws:sqs", "messageId": each}] for each in (7, "", None))]
)
def test_records_that_cannot_be_told_apart_are_malformed(found):
    with pytest.raises(Malformed):
        records({"Records": found})


def test_no_records_are_none():
    assert records({"Records": []}) == []


# --------------------------------------------------------------------------------------------------- anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)


@st.composite
def nearly(draw, value):
    """The value with some of its parts replaced by anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    if isinstance(value, dict):
        return {name: draw(nearly(inner)) for name, inner in value.items() if draw(st.integers(0, 19))}
    if isinstance(value, list):
        return [draw(nearly(inner)) for inner in value]
    return value


def is_hints(found):
    return all(isinstance(job, Job) and job.model.version > 0 and encode_job(job) for job in found)


@settings(max_examples=300, deadline=None)
@given(JSON | nearly(event()) | nearly(parameter("/model-approvals/churn/approved/prod")))
def test_whatever_the_event_it_is_read_or_malformed(whole):
    try:
        found = read(whole) if not (isinstance(whole, dict) and "Records" in whole) else []
    except Malformed as problem:
        str(problem).encode()
    else:
        assert is_hints(found)


@settings(max_examples=150, deadline=None)
@given(JSON | nearly(event()), st.integers(0, 1), st.integers(0, 950))
def test_whatever_the_body_it_is_read_or_malformed(whole, broken, depth):
    body = "[" * depth + json.dumps(whole)[broken:] + "]" * depth
    (one,) = records(queued(body))
    try:
        assert is_hints(jobs_of(one, origins()))
    except Malformed as problem:
        str(problem).encode()


SQS = queued(json.dumps(event()))["Records"][0] | {
    "attributes": {"ApproximateReceiveCount": "1"},
    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:decisions.fifo",
}


@settings(max_examples=150, deadline=None)
@given(JSON | nearly({"Records": [SQS, SQS]}))
def test_whatever_the_lambda_event_it_is_taken_apart_or_malformed(whole):
    for take in (records, lambda found: deliveries(found, max_receives=8)):
        try:
            found = take(whole)
        except Malformed as problem:
            str(problem).encode()
        else:
            assert all(isinstance(each.message_id, str) for each in found)


# -------------------------------------------------------------------------------------- as the server sends them


@pytest.fixture
def sent():
    """A registration, an update and a written parameter, as a server that behaves as AWS does tells of them."""
    heard: list[Any] = []
    spec = {
        "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/churn:1"}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    with Aws() as aws:
        aws.on_event.append(heard.append)
        sagemaker = aws.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        arn = sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification=spec,
            ModelMetrics={"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": URI}}},
        )["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        aws.client("ssm").put_parameter(Name="/model-approvals/churn/approved/prod", Value="{}", Type="String")
    return heard


def test_the_servers_own_events_are_understood(sent):
    first = ModelVersion("churn", 1)
    assert [read(each) for each in sent] == [
        [OpenJob(first, sent[0]["id"], fresh=True, metrics_uri=URI)],
        [CheckJob(first, sent[1]["id"]), OpenJob(first, sent[1]["id"])],
        [],
    ]


# -- what a pipeline says of its own batch inference


def measurement(**changes):
    found = {"model_package_arn": ARN, "environment": "dev", "run": "churn-2026-11-24", **changes}
    said = {name: value for name, value in found.items() if value is not ABSENT}
    return event(said, **{"source": "model-approvals", "detail-type": "Model Inference Measured"})


def measured(**changes):
    """The one job of a measurement."""
    [job] = jobs_of(records(measurement(**changes))[0], origins())
    assert isinstance(job, MeasureJob)
    return job


def test_a_measurement_names_version_environment_and_run():
    run = Run("dev", "churn-2026-11-24", datetime(2026, 11, 24, 2, 20, 32, tzinfo=UTC))
    assert measured() == MeasureJob(CHURN, run, "e-1")
    assert measured(metrics_uri=URI) == MeasureJob(CHURN, run, "e-1", uri=URI)
    assert measured(violations_uri=URI) == MeasureJob(CHURN, run, "e-1", violations_uri=URI)


@pytest.mark.parametrize("time", [ABSENT, None, "yesterday", "2026-11-24T02:20:32", 7])
def test_a_measurement_at_an_unreadable_time_counts_all_the_same(time):
    envelope = {name: value for name, value in {**measurement(), "time": time}.items() if value is not ABSENT}
    [job] = jobs_of(records(envelope)[0], origins())
    assert job == MeasureJob(CHURN, Run("dev", "churn-2026-11-24"), "e-1")


def test_metrics_may_be_told_in_every_shape_that_a_report_may_have():
    told = {"auc": 0.91, "latency": 41}
    assert measured(metrics=told).metrics == (Metric("auc", 0.91), Metric("latency", 41.0))
    nested = {"auc": {"value": 0.91, "standard_deviation": 0.01}, "latency": {"value": 41.5, "unit": "ms"}}
    assert measured(metrics=nested).metrics == (Metric("auc", 0.91, 0.01), Metric("latency", 41.5, None, "ms"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"status": "Completed"}, ""),
        ({"status": "Failed"}, "it failed"),
        ({"status": "Failed", "reason": " out of\nmemory. "}, "it failed (out of memory)"),
        ({"status": "Stopped", "reason": "x" * 500}, f"it was stopped ({'x' * 200})"),
    ],
)
def test_a_run_that_did_not_end_well_is_told_with_its_reason(changes, problem):
    assert measured(**changes).problem == problem


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"model_package_arn": ABSENT}, "no model package"),
        ({"model_package_arn": 7}, "no model package"),
        ({"model_package_arn": ARN.replace(ACCOUNT, "999999999999")}, "no model package of this account and region"),
        ({"model_package_arn": ARN.replace(REGION, "eu-west-1")}, "no model package of this account and region"),
        ({"model_package_arn": ARN.removesuffix("7")}, "names no version"),
        ({"model_package_arn": ARN + "0" * 9}, "names no version"),
        ({"model_package_arn": ARN + "x"}, "names no version"),
        ({"model_package_arn": ARN.removesuffix("7") + "07"}, "names no version"),
        ({"model_package_arn": ARN.removesuffix("7") + "9" * 5000}, "names no version"),
        ({"environment": ABSENT}, "in the environment"),
        ({"environment": "Prod!"}, "in the environment 'Prod!'"),
        ({"environment": ["dev"]}, "whose environment is"),
        ({"run": ABSENT}, "whose run is"),
        ({"run": "  "}, "whose run is"),
        ({"run": "a\nb"}, "whose run is"),
        ({"run": "x" * 121}, "1 to 120 letters name it"),
        ({"run": "夜" * 60}, "1 to 120 letters name it"),
        ({"metrics_uri": "s3://models/\ud800"}, "of at most 1024 characters"),
        ({"violations_uri": "s3://models/" + "夜" * 400}, "of at most 1024 characters"),
        ({"status": "InProgress"}, "Completed, Failed, Stopped are known"),
        ({"status": ["Failed"]}, "whose status is ['Failed']"),
        ({"status": "Failed", "reason": 7}, "whose reason is 7"),
        ({"metrics": {"auc": 1}, "metrics_uri": URI}, "either metrics or metrics_uri"),
        ({"metrics_uri": "s3://" + "x" * 1024}, "at most 1024 characters"),
        ({"metrics": [1]}, "whose metrics is"),
        ({"metrics": {"auc": "high"}}, "the report holds no metrics"),
        ({"metrics": {"auc": 10**400}}, "no number for"),
        ({"metrics": {"auc": {"value": "NaN"}}}, "no number for"),
        ({"metric": {"auc": 1}}, "known are environment, metrics, metrics_uri, model_package_arn, reason, run, status"),
    ],
)
def test_a_measurement_with_a_mistake_says_which(changes, why):
    with pytest.raises(Malformed, match=re.escape(why)):
        measured(**changes)


@pytest.mark.parametrize("place", [{"account": "999999999999"}, {"region": "eu-west-1"}])
def test_a_measurement_from_elsewhere_is_ignored(place, caplog):
    found = {**measurement(), **place}
    assert jobs_of(records(found)[0], origins()) == []
    assert "another account or region" in caplog.text


AWAY, OTHER = ("210987654321", "eu-central-1"), ("321098765432", REGION)


@pytest.mark.parametrize("origin", [(ACCOUNT, REGION), OTHER, (AWAY[0], REGION), (ACCOUNT, AWAY[1])])
def test_an_environment_is_spoken_for_by_its_own_account_and_region_alone(origin, caplog):
    account, region = origin
    where = origins(dev=AWAY, test=OTHER)
    assert jobs_of(records({**measurement(), "account": account, "region": region})[0], where) == []
    assert caplog.text
    [job] = jobs_of(records({**measurement(), "account": AWAY[0], "region": AWAY[1]})[0], where)
    assert isinstance(job, MeasureJob)
    assert (job.model, job.run.environment) == (CHURN, "dev")


def test_a_package_is_spoken_for_by_the_account_of_the_registry_alone(caplog):
    told = event(account=AWAY[0], region=AWAY[1])
    assert jobs_of(records(told)[0], origins(dev=AWAY)) == []
    assert "another account or region" in caplog.text


def test_a_transform_job_is_looked_at_where_it_ran():
    job = MeasureJob(CHURN, Run("dev", "night-1"), "e-1", uri=URI)
    where = origins(dev=AWAY)
    there = replace(where, transforms={**where.transforms, AWAY: lambda *_: job})
    said = {"TransformJobName": "night-1", "TransformJobStatus": "Completed"}
    found = event(said, **{"detail-type": "SageMaker Transform Job State Change"}, account=AWAY[0], region=AWAY[1])
    assert jobs_of(records(found)[0], there) == [job]


@pytest.mark.parametrize("source", ["aws.sagemaker", "somebody", ""])
def test_only_measurements_of_our_name_are_heard(source):
    assert jobs_of(records({**measurement(), "source": source})[0], origins()) == []


# -- batch transform jobs


def transformed(transforms=nothing, **changes):
    said = {"TransformJobName": "night-1", "TransformJobStatus": "Completed", **changes}
    said = {name: value for name, value in said.items() if value is not ABSENT}
    found = event(said, **{"detail-type": "SageMaker Transform Job State Change"})
    return jobs_of(records(found)[0], origins(transforms))


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_transform_job_that_has_ended_is_looked_at(status):
    job, asked = MeasureJob(CHURN, Run("dev", "night-1"), "e-1", uri=URI), []

    def look(*about):
        asked.append(about)
        return job

    assert transformed(look, TransformJobStatus=status) == [job]
    assert transformed(lambda *_: None) == []
    assert asked == [("night-1", "e-1")]


@pytest.mark.parametrize("status", ["InProgress", "Stopping", "", ABSENT])
def test_a_transform_job_that_goes_on_is_nobodys_business(status):
    assert transformed(TransformJobStatus=status) == []


@pytest.mark.parametrize("name", [ABSENT, "", "a b", "x" * 64, "../x", "-x", ["x"]])
def test_an_event_about_no_transform_job_is_malformed(name):
    with pytest.raises(Malformed, match="ransform"):
        transformed(TransformJobName=name)
