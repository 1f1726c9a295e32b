# ruff: noqa: ANN401, SLF001 - what a correction does not change it passes on; moto hides what it asks
"""Parameter Store: what moto 5.2.5 takes, and AWS refuses."""

import re
import threading
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ssm.exceptions import SSMException, ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.ssm.utils import parameter_arn

from infra.local.moto_corrections.correction import Correction
from infra.local.moto_corrections.request import caller, emit, envelope

Original = Callable[..., Any]

STANDARD, ADVANCED, INTELLIGENT = "Standard", "Advanced", "Intelligent-Tiering"
LARGEST = {STANDARD: 4096, ADVANCED: 8192}
MOST_LEVELS, LONGEST_ARN = 15, 1011
NAME = re.compile(r"/?[a-zA-Z0-9_.-]+(/[a-zA-Z0-9_.-]+)*")

_one_at_a_time = threading.RLock()


def refuse_large_values(
    original: Original,
    backend: SimpleSystemManagerBackend,
    name: str,
    description: str,
    value: str,
    *rest: Any,
    tier: str | None = None,
    **more: Any,
) -> object:
    """AWS resolves `Intelligent-Tiering`, never goes back from Advanced, and holds values to 4 and 8 KB.

    moto stores the tier as asked, and any value.
    """
    size = len(value.encode())
    tier = _resolved(tier, size, backend.get_parameter(name))
    if size > LARGEST[tier]:
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {LARGEST[tier]} characters. See "
            "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    return original(backend, name, description, value, *rest, tier=tier, **more)


def _resolved(asked: str | None, size: int, before: Parameter | None) -> str:
    """Say which tier the parameter will be in."""
    advanced = before is not None and before.tier == ADVANCED
    if advanced and asked == STANDARD:
        raise ValidationException(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "
            "advanced-parameter tier to the standard-parameter tier."
        )
    if asked == INTELLIGENT:
        return ADVANCED if advanced or size > LARGEST[STANDARD] else STANDARD
    return asked or (ADVANCED if advanced else STANDARD)


def refuse_references(
    original: Original,
    backend: SimpleSystemManagerBackend,
    name: str,
    description: str,
    value: str,
    *rest: Any,
    **more: Any,
) -> object:
    """AWS refuses `{{` in a value, where it would refer to another parameter; moto stores it."""
    if "{{" in value:
        raise ValidationException('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
    return original(backend, name, description, value, *rest, **more)


def refuse_bad_names(
    original: Original, backend: SimpleSystemManagerBackend, name: str, *rest: Any, **more: Any
) -> object:
    """AWS takes letters, digits and `_.-`, 15 levels, 1,011 characters with the ARN; moto takes anything."""
    if not NAME.fullmatch(name):
        raise ValidationException(
            'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). If formed as a path, it can '
            "consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, "
            "numbers and the following 3 symbols .-_"
        )
    if "/" in name and not name.startswith("/"):
        raise ValidationException("Parameter name must be a fully qualified name.")
    if name.count("/") > MOST_LEVELS:
        too_deep = f"A hierarchy can have a maximum of {MOST_LEVELS} levels."
        raise SSMException("HierarchyLevelLimitExceededException", too_deep)
    if len(parameter_arn(backend.account_id, backend.region_name, name)) > LONGEST_ARN:
        raise ValidationException(f"Parameter name must be at most {LONGEST_ARN} characters long, its ARN included.")
    return original(backend, name, *rest, **more)


def announce_put(original: Original, response: SimpleSystemManagerResponse) -> ActionResult:
    """AWS sends `Parameter Store Change` with `Create` or `Update`; moto sends nothing."""
    answer: ActionResult = original(response)
    result: Any = answer.result
    name = str(response._get_param("Name"))
    _announce(response, name, "Create" if result["Version"] == 1 else "Update", _kind(response, name))
    return answer


def name_the_writer(
    original: Original, backend: SimpleSystemManagerBackend, name: str, *rest: Any, **more: Any
) -> object:
    """AWS keeps who wrote each version, for GetParameterHistory; moto says `N/A` of all."""
    answer = original(backend, name, *rest, **more)
    if (identity := caller()) and (parameter := backend.get_parameter(name)):
        vars(parameter)["last_modified_user"] = identity["Arn"]
    return answer


def show_the_writer(original: Original, parameter: Parameter, *rest: Any, **more: Any) -> object:
    """AWS keeps who wrote each version, for GetParameterHistory; moto says `N/A` of all."""
    shown: Any = original(parameter, *rest, **more)
    return {**shown, "LastModifiedUser": getattr(parameter, "last_modified_user", shown["LastModifiedUser"])}


def announce_deleted(original: Original, response: SimpleSystemManagerResponse) -> ActionResult:
    """AWS sends `Parameter Store Change` with `Delete`; moto sends nothing."""
    asked = response._get_param("Names") or [response._get_param("Name")]
    kinds = {name: _kind(response, name) for name in asked}
    answer: ActionResult = original(response)
    result: Any = answer.result or {}
    for name in result.get("DeletedParameters", asked):
        _announce(response, name, "Delete", kinds[name])
    return answer


def _kind(response: SimpleSystemManagerResponse, name: str) -> str:
    parameter = response.ssm_backend.get_parameter(name)
    return "String" if parameter is None else parameter.parameter_type


def _announce(response: SimpleSystemManagerResponse, name: str, operation: str, kind: str) -> None:
    emit(
        envelope(
            source="aws.ssm",
            detail_type="Parameter Store Change",
            detail={"name": name, "type": kind, "operation": operation},
            resources=[parameter_arn(response.current_account, response.region, name)],
            account=response.current_account,
            region=response.region,
        )
    )


def serve_one_at_a_time(original: Original, response: SimpleSystemManagerResponse) -> object:
    """AWS lets exactly one `Overwrite=False` create a parameter; moto looks, then adds, and two can do so.

    The reads wait too: moto shows a parameter under creation as one without any version, and fails on it.
    """
    with _one_at_a_time:
        return original(response)


CORRECTIONS = (
    Correction(SimpleSystemManagerBackend, "put_parameter", refuse_large_values),
    Correction(SimpleSystemManagerBackend, "put_parameter", refuse_references),
    Correction(SimpleSystemManagerBackend, "put_parameter", refuse_bad_names),
    Correction(SimpleSystemManagerBackend, "put_parameter", name_the_writer),
    Correction(Parameter, "describe_response_object", show_the_writer),
    Correction(SimpleSystemManagerResponse, "put_parameter", announce_put),
    Correction(SimpleSystemManagerResponse, "delete_parameter", announce_deleted),
    Correction(SimpleSystemManagerResponse, "delete_parameters", announce_deleted),
    Correction(SimpleSystemManagerResponse, "call_action", serve_one_at_a_time),
)
"""In the order in which they are laid over moto: of two over one method, the later lies outside."""
