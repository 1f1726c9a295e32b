"""EventBridge's events, directly or in SQS records, into hints. Nothing an event says is believed: it is looked into.

`SageMaker Model Package State Change`:
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html

`Model Inference Measured`, from `model-approvals`, is ours: any pipeline may put it on the bus (docs/inference.md).
"""

import logging
import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bot.aws.metrics import metrics_in
from bot.aws.reports import Unreadable
from bot.aws.transforms import ENDED, problem_of
from bot.domain import ENVIRONMENT, GROUP, ApprovalStatus, ModelVersion, moment
from bot.encoding import decode, encode
from bot.errors import Malformed
from bot.evidence import Metric, Run
from bot.hints import CheckJob, MeasureJob, OpenJob
from bot.jobs import Job
from bot.policy import Origin

log = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of an event; EventBridge's own limit."""
_JOB = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
LONGEST_ID, LONGEST_URI, LAST_VERSION = 128, 1024, 999_999_999
LONGEST_RUN, HEAVIEST_RUN = 120, 240
"""Letters of a run's name, and its bytes in an entry."""
TRANSFORMED = ("aws.sagemaker", "SageMaker Transform Job State Change")
MEASURED = ("model-approvals", "Model Inference Measured")
KNOWN = frozenset(
    {"model_package_arn", "environment", "run", "status", "reason", "metrics", "metrics_uri", "violations_uri"}
)
"""What the detail of such an event may say."""
Json = Mapping[str, Any]
Transforms = Callable[[str, str], MeasureJob | None]
"""What a transform job measured, by its name, for a sender."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Whose events are looked into: about packages those of the registry's account and region, `home`.

    `of` says where an environment's inference runs, by environment and group: nobody else may tell of it.
    """

    home: Origin
    of: Callable[[str, str], Origin]
    transforms: Mapping[Origin, Transforms]


@dataclass(frozen=True, slots=True)
class Record:
    """One event; `message_id` is empty for one that EventBridge handed over itself."""

    body: object
    message_id: str = ""


def records(event: object) -> list[Record]:
    """Take a Lambda event apart."""
    if not isinstance(event, Mapping):
        raise Malformed(f"not an event: {_shown(event)}")
    if "Records" not in event:
        return [Record(event)]
    found = event["Records"]
    if not isinstance(found, list) or not all(map(_is_message, found)):
        raise Malformed(f"an event with Records that are not those of a queue: {_shown(found)}")
    return [Record(each.get("body"), each["messageId"]) for each in found]


def jobs_of(record: Record, origins: Origins) -> list[Job]:
    """The hints in one event; raise `Malformed` for what is no event at all, `Unavailable` when AWS does not tell."""
    event = _envelope(record)
    origin, kind = (event["account"], event["region"]), (event["source"], event["detail-type"])
    runs = kind in (TRANSFORMED, MEASURED)
    if origin not in origins.transforms if runs else origin != origins.home:
        log.warning("an event of another account or region was ignored: %s", origin)
        return []
    if kind == ("aws.sagemaker", "SageMaker Model Package State Change"):
        return _of_package(event, event["detail"], *origins.home)
    if runs:
        job = _run_of(kind, event, origins)
        if job and origin != (expected := origins.of(job.run.environment, job.model.group)):
            told = (job.run.name, job.model, job.run.environment, origin, expected)
            log.warning("the run %s of %s in %s was ignored: it was told by %s, and that environment is in %s", *told)
            return []
        return [job] if job else []
    if kind != ("aws.ssm", "Parameter Store Change"):  # the sweep compares every approved model
        log.warning("an event of an unknown kind was ignored: %s", kind)
    return []


def _run_of(kind: tuple[str, str], event: Json, origins: Origins) -> MeasureJob | None:
    if kind == TRANSFORMED:
        return _of_transform(event, origins.transforms[event["account"], event["region"]])
    return _of_measurement(event, event["detail"], *origins.home)


def _is_message(record: object) -> bool:
    if not isinstance(record, Mapping) or record.get("eventSource") != "aws:sqs":
        return False
    return isinstance(record.get("messageId"), str) and bool(record["messageId"])


def _envelope(record: Record) -> Json:
    event = record.body
    if isinstance(event, str):
        if (size := len(event.encode("utf-8", "surrogatepass"))) > LARGEST:
            raise Malformed(f"an event of {size} bytes is larger than {LARGEST}")
        event = decode(event)
    elif record.message_id:
        raise Malformed(f"a record whose body is no text: {_shown(event)}")
    if not isinstance(event, Mapping):
        raise Malformed(f"not an event: {_shown(event)}")
    for key, kind in (
        ("source", str),
        ("detail-type", str),
        ("detail", Mapping),
        *((each, str) for each in ("id", "account", "region")),
    ):
        if not isinstance(event.get(key), kind):
            raise Malformed(f"an event without a proper {key!r}: {_shown(event)}")
    if not 1 <= len(event["id"]) <= LONGEST_ID:
        raise Malformed(f"an event with an id of {len(event['id'])} characters")
    return event


def _of_package(event: Json, detail: Json, account: str, region: str) -> list[Job]:
    if detail.get("ModelPackageGroupName") is None:
        return []  # a package without a group is nobody's version
    model, arn = _model(detail), str(detail["ModelPackageArn"])
    if f":sagemaker:{region}:{account}:" not in arn:
        log.warning("an event about a package of another account or region was ignored: %s", arn)
        return []
    if _optional(detail, "ModelPackageStatus", str) not in (None, "Completed"):
        return []
    sender = str(event["id"])
    if _is_registration(detail):
        return [OpenJob(model, sender, fresh=True, metrics_uri=_metrics_uri(detail))]
    if detail.get("ModelApprovalStatus") == ApprovalStatus.PENDING:
        return [OpenJob(model, sender)]  # mostly our own echo of a new request: answers shall not wait behind a burst
    return [CheckJob(model, sender), OpenJob(model, sender)]


def _of_transform(event: Json, transforms: Transforms) -> MeasureJob | None:
    """A batch transform job that has ended, as SageMaker itself tells of it."""
    name, status = (_optional(event["detail"], f"TransformJob{part}", str) for part in ("Name", "Status"))
    if name is None or not _JOB.fullmatch(name):
        raise Malformed(f"an event about the transform job {_shown(name)}")
    return transforms(name, str(event["id"])) if status in ENDED else None


def _of_measurement(event: Json, detail: Json, account: str, region: str) -> MeasureJob:
    """What a pipeline says of its own batch inference; each mistake is named, so that its author can mend it."""
    if unknown := sorted(map(str, detail.keys() - KNOWN)):
        raise Malformed(f"a measurement with {_shown(unknown)}; known are {', '.join(sorted(KNOWN))}")
    model = _named(detail.get("model_package_arn"), account=account, region=region)
    environment, run = (_optional(detail, name, str) or "" for name in ("environment", "run"))
    if not ENVIRONMENT.fullmatch(environment):
        raise Malformed(f"a measurement of {model} in the environment {_shown(environment)}")
    if not 0 < len(run.strip()) <= LONGEST_RUN or not run.isprintable() or len(encode(run)) > HEAVIEST_RUN:
        raise Malformed(f"a measurement of {model} whose run is {_shown(run)}: 1 to {LONGEST_RUN} letters name it")
    job = MeasureJob(model, Run(environment, run.strip(), _time(event)), str(event["id"]))
    status = _optional(detail, "status", str) or "Completed"
    if status not in ENDED:
        raise Malformed(f"a measurement of {model} with the status {_shown(status)}: {', '.join(ENDED)} are known")
    if problem := problem_of(status, _optional(detail, "reason", str) or ""):
        return replace(job, problem=problem)
    uri, violations = (_optional(detail, name, str) or "" for name in ("metrics_uri", "violations_uri"))
    metrics = _optional(detail, "metrics", Mapping) or {}
    if (uri and metrics) or not all(
        each.isprintable() and len(encode(each)) <= LONGEST_URI for each in (uri, violations)
    ):
        raise Malformed(f"a measurement of {model}: either metrics or metrics_uri, of at most {LONGEST_URI} characters")
    return replace(job, uri=uri, metrics=_finite(model, metrics), violations_uri=violations)


def _time(event: Json) -> datetime | None:
    """When EventBridge took the event; it always says so."""
    try:
        return moment(str(event.get("time", "")))
    except ValueError:
        return None


def _finite(model: ModelVersion, metrics: Json) -> tuple[Metric, ...]:
    try:
        found, odd = metrics_in(metrics) if metrics else ((), ())
    except Unreadable as why:
        raise Malformed(f"a measurement of {model}: {why}") from why
    if odd:
        raise Malformed(f"a measurement of {model} with no number for {_shown(odd)}")
    return found


def _named(arn: object, *, account: str, region: str) -> ModelVersion:
    """The version that an ARN of this account and region names."""
    beginning, _, rest = arn.partition(":model-package/") if isinstance(arn, str) else ("", "", "")
    group, _, version = rest.partition("/")
    if not beginning.endswith(f":sagemaker:{region}:{account}") or not GROUP.fullmatch(group):
        raise Malformed(f"a measurement of {_shown(arn)}, which is no model package of this account and region")
    if not _VERSION.fullmatch(version):
        raise Malformed(f"a measurement of {_shown(arn)}, which names no version")
    return ModelVersion(group, int(version))


def _model(detail: Json) -> ModelVersion:
    """Group and version, which its ARN must name too; AWS may write the group in small letters there."""
    group, version, arn = (detail.get(f"ModelPackage{part}") for part in ("GroupName", "Version", "Arn"))
    if not isinstance(group, str) or not GROUP.fullmatch(group):
        raise Malformed(f"an event with the group {_shown(group)}")
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= LAST_VERSION:
        raise Malformed(f"an event with the version {_shown(version)}")
    if not isinstance(arn, str) or not arn.lower().endswith(f":model-package/{group}/{version}".lower()):
        raise Malformed(f"an event about {group} v{version} with the package {_shown(arn)}")
    return ModelVersion(group, version)


def _is_registration(detail: Json) -> bool:
    fields = _optional(detail, "UpdatedModelPackageFields", list)
    return not fields and _optional(detail, "ModelApprovalStatus", str) == ApprovalStatus.PENDING


def _optional(detail: Json, name: str, kind: type) -> Any:  # noqa: ANN401 - whatever `kind` is, or None
    value = detail.get(name)
    if value is not None and not isinstance(value, kind):
        raise Malformed(f"an event whose {name} is {_shown(value)}")
    return value


def _shown(value: object) -> str:
    """The beginning of what was sent, however deep or long it is."""
    return ascii(reprlib.repr(value))[1:121]


def _metrics_uri(detail: Json) -> str:
    found: Any = detail
    for key in ("ModelMetrics", "ModelQuality", "Statistics", "S3Uri"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) and len(found) <= LONGEST_URI else ""
