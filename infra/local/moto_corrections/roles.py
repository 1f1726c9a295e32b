# ruff: noqa: ANN401 - what a correction does not change it passes on
"""STS: moto 5.2.5 lets everybody assume any role, one that does not exist too; AWS asks the role's trust policy."""

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from moto.core.exceptions import AccessDeniedError
from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, STSBackend

from infra.local.moto_corrections.correction import Correction
from infra.local.moto_corrections.request import caller

Original = Callable[..., Any]
Json = Mapping[str, Any]

COMPARED: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda found, wanted: found == wanted,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
}
"""Of IAM's operators those that the product's trust policies use; any other lets nobody in."""


def ask_the_trust_policy(original: Original, backend: STSBackend, **asked: Any) -> AssumedRole:
    """AWS lets somebody assume a role whom its trust policy names, if the external id is the one that it names.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
    """
    arn, who = asked["role_arn"], _principal((caller() or {}).get("Arn", ""))
    if not any(_lets_in(each, who, asked.get("external_id") or "") for each in _trusts(arn)):
        raise AccessDeniedError(who, f"sts:AssumeRole on resource: {arn}")
    role: AssumedRole = original(backend, **asked)
    return role


def _principal(arn: str) -> str:
    """A session of a role counts as the role: `aws:PrincipalArn` never names a session."""
    session = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/(.+)/[^/]+", arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn


def _trusts(arn: str) -> list[Json]:
    account, partition = arn.split(":")[4], arn.split(":")[1]
    try:
        document = iam_backends[account][partition].get_role_by_arn(arn).assume_role_policy_document
    except NotFoundException:
        return []
    found: list[Json] = json.loads(document)["Statement"]
    return found


def _lets_in(statement: Json, who: str, external_id: str) -> bool:
    account = f"{who.rpartition(':')[0]}:root"
    if statement["Effect"] != "Allow" or statement["Action"] != "sts:AssumeRole":
        return False
    if statement["Principal"].get("AWS") not in (account, who):
        return False
    context = {"sts:ExternalId": external_id, "aws:PrincipalArn": who}
    conditions: Json = statement.get("Condition", {})
    return all(
        _holds(operator, context.get(key, ""), wanted)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, found: str, wanted: str | list[str]) -> bool:
    options = [wanted] if isinstance(wanted, str) else wanted
    compare = COMPARED.get(operator)
    return compare is not None and any(compare(found, each) for each in options)


CORRECTIONS = (Correction(STSBackend, "assume_role", ask_the_trust_policy),)
