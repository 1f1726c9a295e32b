# ruff: noqa: ANN401 - what a correction does not change it passes on
"""EventBridge, batch transform and S3: what moto 5.2.5 does with what inference pipelines tell, and AWS does not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.models import EventsBackend
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response
from moto.sagemaker.models import FakeTransformJob, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from infra.local.moto_corrections.correction import Correction
from infra.local.moto_corrections.request import Event, emit, envelope, iso

Original = Callable[..., Any]

LARGEST_ENTRY = 256 * 1024


def deliver_entries(original: Original, backend: EventsBackend, events: list[Event]) -> list[Event]:
    """AWS delivers what `PutEvents` takes to the rules' functions; moto knows other targets only.

    AWS refuses entries whose source begins with `aws.`, and those that are too large; moto takes them.
    """
    answers: list[Event] = original(backend, events)
    return [_delivered(backend, event, answer) for event, answer in zip(events, answers, strict=True)]


def _delivered(backend: EventsBackend, event: Event, answer: Event) -> Event:
    if "EventId" not in answer:
        return answer
    if event["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSource", "ErrorMessage": "Not authorized for the source."}
    if len(json.dumps(event).encode()) > LARGEST_ENTRY:
        return {"ErrorCode": "InvalidArgument", "ErrorMessage": "Total size of the entry is too large."}
    told = envelope(
        source=event["Source"],
        detail_type=event["DetailType"],
        detail=json.loads(event["Detail"]),
        resources=list(event.get("Resources", ())),
        account=backend.account_id,
        region=backend.region_name,
    )
    emit({**told, "id": answer["EventId"]})
    return answer


def start_in_progress(original: Original, backend: SageMakerModelBackend, *rest: Any, **more: Any) -> FakeTransformJob:
    """AWS runs a transform job for minutes; moto calls it completed at once, with an end in its past."""
    job: FakeTransformJob = original(backend, *rest, **more)
    _set(job, transform_job_status="InProgress", transform_end_time=None)
    return job


def announce_started(original: Original, response: SageMakerResponse) -> object:
    """AWS sends `SageMaker Transform Job State Change` for every change of a job's status; moto sends nothing."""
    answer = original(response)
    job = response.sagemaker_backend.transform_jobs[response.params["TransformJobName"]]
    emit(state_of(job, account=response.current_account, region=response.region))
    return answer


def ended(job: FakeTransformJob, status: str, reason: str) -> None:
    """End a job as SageMaker does; nothing of moto's ever runs one."""
    now = datetime.now(UTC).replace(tzinfo=None)
    _set(job, transform_job_status=status, failure_reason=reason, transform_end_time=now, last_modified_time=now)


def _set(job: FakeTransformJob, **fields: object) -> None:
    """Change what moto describes."""
    vars(job).update(fields)


def state_of(job: FakeTransformJob, *, account: str, region: str) -> Event:
    """The event about a job's status."""
    detail = {
        "TransformJobName": job.transform_job_name,
        "TransformJobArn": job.arn,
        "TransformJobStatus": job.transform_job_status,
        "ModelName": job.model_name,
        "TransformOutput": job.transform_output,
        "CreationTime": iso(job.creation_time),
    }
    if job.failure_reason:
        detail["FailureReason"] = job.failure_reason
    return envelope(
        source="aws.sagemaker",
        detail_type="SageMaker Transform Job State Change",
        detail=detail,
        resources=[job.arn],
        account=account,
        region=region,
    )


def keep_to_the_owner(original: Original, response: S3Response, *rest: Any, **more: Any) -> object:
    """AWS refuses with 403 who expects another account to own the bucket; moto does not look."""
    expected = response.headers.get("x-amz-expected-bucket-owner")
    bucket = s3_backends[response.current_account]["aws"].buckets.get(response.bucket_name)
    if expected and bucket and bucket.account_id != expected:
        raise S3AccessDeniedError
    return original(response, *rest, **more)


CORRECTIONS = (
    Correction(EventsBackend, "put_events", deliver_entries),
    Correction(SageMakerModelBackend, "create_transform_job", start_in_progress),
    Correction(SageMakerResponse, "create_transform_job", announce_started),
    Correction(S3Response, "get_object", keep_to_the_owner),
)
"""In the order in which they are laid over moto: of two over one method, the later lies outside."""
