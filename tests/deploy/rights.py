"""What a recorded call asks of IAM, and whether a role grants it: actions, resources and conditions as AWS names them.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from infra.local.aws import ACCOUNT, REGION
from infra.local.aws_server import Call
from tests.deploy.template import Json, words

HERE = f"arn:aws:{{}}:{REGION}:{ACCOUNT}"
MISSING = 404
NAMED_BY_ARN = ("ModelPackageName", "ModelPackageArn", "ResourceArn", "KeyId", "SecretId")
"""Where a request has the ARN itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One action on one resource, and what its conditions look at."""

    action: str
    resource: str
    context: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one resource that a statement of a role allows or denies; with `only`, under that condition."""

    action: str
    resource: str
    denies: bool = False
    only: tuple[str, frozenset[str]] = ("", frozenset())

    def __str__(self) -> str:
        """Short, for a table: `kms:Encrypt link`, `sqs:SendMessage decisions.fifo`."""
        return f"{self.action} {next(iter(self.only[1]), self.resource.rpartition(':')[2])}"

    def fits(self, asked: Asked) -> bool:
        """Say whether it is about what is asked."""
        key, values = self.only
        about = self.action == asked.action and fnmatchcase(asked.resource, self.resource)
        return about and (not key or any((key, value) in asked.context for value in values))


def grants(statements: Iterable[Json]) -> Iterator[Grant]:
    """Take statements apart; a condition that is not understood raises `ValueError`."""
    for each in statements:
        for only in _conditions(each.get("Condition", {})):
            for action in words(each["Action"]):
                for resource in words(each["Resource"]):
                    yield Grant(action, resource, each["Effect"] == "Deny", only)


def _conditions(condition: Json) -> Sequence[tuple[str, frozenset[str]]]:
    """One for each value, so that each has to be used; none of ours has two keys."""
    if not condition:
        return [("", frozenset())]
    [(operator, about)] = condition.items()
    [(key, values)] = about.items()
    if operator not in {"StringEquals", "ForAllValues:StringEquals"}:
        raise ValueError(operator)
    return [(key, frozenset({value})) for value in words(values)]


def granted(role: Sequence[Grant], asked: Asked) -> bool:
    """Decide as IAM does: something allows it, and nothing denies it."""
    fitting = [grant for grant in role if grant.fits(asked)]
    return bool(fitting) and not any(grant.denies for grant in fitting)


def asks(call: Call) -> list[Asked]:
    """Say what a call needs; one that is not known here is a `ValueError`."""
    said: Json = json.loads(call.body) if call.body.startswith(b"{") else {}
    action = f"{call.service.removesuffix('v2')}:{call.action}"
    found = [Asked(action, resource, _context(action, said)) for resource in _resources(call, action, said)]
    if action == "s3:GetObject" and call.status == MISSING:  # whoever may not list a bucket hears 403 instead
        found.append(Asked("s3:ListBucket", found[0].resource.partition("/")[0]))
    return found


def _resources(call: Call, action: str, said: Json) -> list[str]:
    match action:
        case "ssm:GetParameters":
            return [_parameter(name) for name in said["Names"]]
        case "ssm:PutParameter" | "ssm:DeleteParameter" | "ssm:GetParameterHistory":
            return [_parameter(said["Name"])]
        case "ssm:GetParametersByPath":
            return [_parameter(said["Path"])]
        case "sagemaker:ListModelPackages" | "ssm:DescribeParameters":
            return ["*"]
        case "sagemaker:DescribeTransformJob" | "sagemaker:DescribeModel":
            kind, name = ("transform-job", "TransformJobName") if "Job" in action else ("model", "ModelName")
            return [f"{HERE.format('sagemaker')}:{kind}/{said[name]}"]
        case "sqs:SendMessage":
            return [f"{HERE.format('sqs')}:{said['QueueUrl'].rpartition('/')[2]}"]
        case "ses:SendEmail":
            return [f"{HERE.format('ses')}:identity/{said['FromEmailAddress']}"]
        case "s3:GetObject":
            return [f"arn:aws:s3:::{call.path.removeprefix('/')}"]
    return [said[next(name for name in NAMED_BY_ARN if name in said)]]


def _parameter(name: str) -> str:
    """Its version is no part of a parameter's ARN."""
    return f"{HERE.format('ssm')}:parameter{name.partition(':')[0]}"


def _context(action: str, said: Json) -> frozenset[tuple[str, str]]:
    match action:
        case "kms:Encrypt" | "kms:Decrypt":
            return frozenset((f"kms:EncryptionContext:{key}", text) for key, text in said["EncryptionContext"].items())
        case "ssm:PutParameter":
            return frozenset({("ssm:Overwrite", str(said["Overwrite"]).lower())})
        case "ses:SendEmail":
            return frozenset({("ses:FromAddress", said["FromEmailAddress"])})
    return frozenset()
