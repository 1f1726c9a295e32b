"""SageMaker batch transform jobs: which version one ran, where, and where its metrics lie.

`SageMaker Transform Job State Change`:
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.domain import ENVIRONMENT, ModelVersion
from bot.evidence import Run
from bot.hints import MeasureJob
from bot.text import one_line

ENVIRONMENT_TAG, METRICS_TAG = "model-approvals:environment", "model-approvals:metrics"
"""Tags of a transform job: the environment that it ran in, and where its metrics lie if not beside its output."""
REPORT, VIOLATIONS = "evaluation.json", "constraint_violations.json"
ENDED = {"Completed": "", "Failed": "it failed", "Stopped": "it was stopped"}
LONGEST_REASON = 200

Json = Mapping[str, Any]
log = logging.getLogger(__name__)


def problem_of(status: str, reason: str) -> str:
    """Why a run that has ended measured nothing, on one line; nothing for one that was completed."""
    said = one_line(reason)[:LONGEST_REASON].rstrip(".")
    return f"{ENDED[status]} ({said})" if ENDED[status] and said else ENDED[status]


class TransformJobs:
    """The transform jobs of one account and region; an event only says which to look at."""

    def __init__(self, clients: Clients, home: Clients, *, region: str, account: str) -> None:
        """`clients` are of the account and region of the jobs, all else is of those of the registry."""
        self._clients, self._home_clients = clients, home
        self._package = re.compile(
            rf"arn:aws[a-z-]*:sagemaker:{region}:{account}:model-package/[^/]+/[1-9][0-9]{{0,8}}"
        )

    def measured(self, name: str, sender: str) -> MeasureJob | None:
        """What a job that has ended measured; nothing for one that is gone, under way, or none of the bot's business.

        Raise `Unavailable` when AWS does not tell.
        """
        job = self._found("DescribeTransformJob", TransformJobName=name)
        if job is None or job["TransformJobStatus"] not in ENDED:
            return None
        tags = self._tags(job["TransformJobArn"])
        environment = tags.get(ENVIRONMENT_TAG, "")
        if not ENVIRONMENT.fullmatch(environment):
            log.info("the transform job %s asks for nothing: its tag %s is %r", name, ENVIRONMENT_TAG, environment)
            return None
        version = self._version(self._found("DescribeModel", ModelName=job["ModelName"]) or {})
        if version is None:
            log.info("the transform job %s ran no version of a model package group of this account", name)
            return None
        problem = problem_of(job["TransformJobStatus"], str(job.get("FailureReason", "")))
        run = Run(environment, name, job.get("TransformEndTime"))
        if problem:
            return MeasureJob(version, run, sender, problem=problem)
        told, beside = tags.get(METRICS_TAG, ""), job["TransformOutput"]["S3OutputPath"].rstrip("/")
        uri, violations = told or f"{beside}/{REPORT}", f"{beside}/{VIOLATIONS}"
        ended = MeasureJob(version, run, sender, uri=uri, violations_uri=violations)
        return replace(ended, optional=not told, since=job["CreationTime"])

    def _version(self, model: Json) -> ModelVersion | None:
        """The one version that the model was created from; a pipeline of several containers may name one, too.

        An ARN may have the group in small letters; the package itself says how it is written.
        """
        containers: Iterable[Json] = (model.get("PrimaryContainer") or {}, *model.get("Containers", ()))
        named = (self._package.fullmatch(str(each.get("ModelPackageName", ""))) for each in containers)
        found = {each[0] for each in named if each}
        package = self._package_of(found.pop()) if len(found) == 1 else None
        group, version = (package or {}).get("ModelPackageGroupName"), (package or {}).get("ModelPackageVersion")
        return ModelVersion(group, version) if group and version else None

    def _tags(self, arn: str) -> dict[str, str]:
        found = self._found("ListTags", ResourceArn=arn) or {}
        return {each["Key"]: each["Value"] for each in found.get("Tags", ())}

    def _found(self, action: str, **asked: str) -> Json | None:
        """Ask SageMaker where the job ran."""
        client = self._clients("sagemaker")
        return _answer(client, action, **asked)

    def _package_of(self, arn: str) -> Json | None:
        """Ask the registry, which may be in another account."""
        return _answer(self._home_clients("sagemaker"), "DescribeModelPackage", ModelPackageName=arn)


def _answer(client: Any, action: str, **asked: str) -> Json | None:  # noqa: ANN401 - botocore's
    """What SageMaker says; nothing of what is not there."""
    call = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())
    try:
        with unavailable(f"sagemaker:{action}"):
            answer: Json = call(**asked)
    except ClientError as error:
        if code_of(error) in {"ValidationException", "ResourceNotFound", "ResourceNotFoundException"}:
            log.warning("%s of %s: there is none (%s)", action, *asked.values(), error)
            return None
        raise
    return answer
