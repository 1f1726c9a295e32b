"""EventBridge's events, directly or in SQS records, into hints. Nothing an event says is believed: it is looked into.

`SageMaker Model Package State Change`:
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain import GROUP, ApprovalStatus, ModelVersion
from bot.encoding import decode
from bot.errors import Malformed
from bot.jobs import CheckJob, Job, OpenJob

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of an event; EventBridge's own limit."""
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Record:
    """One event; `message_id` is empty for one that EventBridge handed over itself."""

    body: object
    message_id: str = ""


def records(event: object) -> list[Record]:
    """Take a Lambda event apart."""
    if not isinstance(event, Mapping):
        raise Malformed(f"not an event: {str(event)[:120]!r}")
    if "Records" not in event:
        return [Record(event)]
    found = event["Records"]
    if not isinstance(found, list) or not all(isinstance(each, Mapping) and each.get("messageId") for each in found):
        raise Malformed("an event with Records that are not those of a queue")
    return [Record(each.get("body"), str(each["messageId"])) for each in found]


def jobs_of(record: Record, *, account: str, region: str) -> list[Job]:
    """The hints in one event; raise `Malformed` for what is no event at all."""
    event = _envelope(record)
    place = (event["account"] if "account" in event else account, event["region"] if "region" in event else region)
    if place != (account, region):
        log.warning("an event of another account or region was ignored: %s", place)
        return []
    kind = (event["source"], event["detail-type"])
    if kind == ("aws.sagemaker", "SageMaker Model Package State Change"):
        return _of_package(event, event["detail"], account=account, region=region)
    if kind != ("aws.ssm", "Parameter Store Change"):  # the sweep compares every approved model
        log.warning("an event of an unknown kind was ignored: %s", kind)
    return []


def _envelope(record: Record) -> Json:
    event = record.body
    if isinstance(event, str):
        if len(event) > LARGEST:
            raise Malformed(f"an event of {len(event)} characters is larger than {LARGEST}")
        event = decode(event)
    if not isinstance(event, Mapping):
        raise Malformed(f"not an event: {str(event)[:120]!r}")
    for key, kind in (("source", str), ("detail-type", str), ("detail", Mapping), ("id", str)):
        if not isinstance(event.get(key), kind):
            raise Malformed(f"an event without a proper {key!r}: {str(event)[:120]!r}")
    return event


def _of_package(event: Json, detail: Json, *, account: str, region: str) -> list[Job]:
    group, version, arn = (detail.get(f"ModelPackage{part}") for part in ("GroupName", "Version", "Arn"))
    if group is None or version is None:
        return []  # a package without a group is nobody's version
    if not isinstance(group, str) or not GROUP.fullmatch(group):
        raise Malformed(f"an event with the group {str(group)[:80]!r}")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1 or not isinstance(arn, str):
        raise Malformed(f"an event with the version {str(version)[:80]!r} and the package {str(arn)[:120]!r}")
    if f":sagemaker:{region}:{account}:" not in arn:
        log.warning("an event about a package of another account or region was ignored: %s", arn)
        return []
    if detail.get("ModelPackageStatus", "Completed") != "Completed":
        return []
    model, sender = ModelVersion(group, version), str(event["id"])
    if _is_registration(detail):
        return [OpenJob(model, sender, fresh=True, metrics_uri=_metrics_uri(detail))]
    return [CheckJob(model, sender), OpenJob(model, sender)]


def _is_registration(detail: Json) -> bool:
    return not detail.get("UpdatedModelPackageFields") and detail.get("ModelApprovalStatus") == ApprovalStatus.PENDING


def _metrics_uri(detail: Json) -> str:
    found: Any = detail
    for key in ("ModelMetrics", "ModelQuality", "Statistics", "S3Uri"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
