# ruff: noqa: ANN401 - what a correction does not change it passes on
"""SageMaker Model Registry: what moto 5.2.5 does with model packages, and AWS does not."""

import re
import threading
import unicodedata
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.exceptions import AWSValidationException, ValidationError
from moto.sagemaker.models import ModelPackage, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from infra.local.moto_corrections.correction import Correction
from infra.local.moto_corrections.request import caller, emit, envelope, iso

Original = Callable[..., Any]

MOST_METADATA, LONGEST_KEY, LONGEST_VALUE, LONGEST_DESCRIPTION = 50, 128, 256, 1024
STAGE = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")

DROPPED = (
    "ModelPackageRegistrationType",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
    "ManagedStorageType",
)
"""Inputs that AWS describes back and moto throws away."""

UPDATED = {
    "ModelLifeCycle": "ModelLifeCycle",
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "CustomerMetadataPropertiesToRemove": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
}
"""Inputs of UpdateModelPackage, and their names (AWS's casing) in the event's UpdatedModelPackageFields."""

IN_EVENTS = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "ModelLifeCycle",
)
"""What the documented event tells of a package: neither the metadata's values nor who changed them."""

_one_at_a_time = threading.RLock()


def _package(backend: SageMakerModelBackend, arn: str) -> ModelPackage:
    """Find a package as AWS would, by its ARN or, for an unversioned one, by its name."""
    package = backend.model_packages.get(backend.model_package_name_mapping.get(arn, arn))
    if package is None:
        raise ValidationError(f"ModelPackage {arn} does not exist.")
    return package


def keep_omitted_fields(original: Original, backend: SageMakerModelBackend, **asked: Any) -> str:
    """AWS changes the fields it is sent and keeps the others; moto sets the others to None."""
    package = _package(backend, asked["model_package_arn"])
    for name in ("model_approval_status", "approval_description", "customer_metadata_properties"):
        if asked[name] is None:
            asked[name] = getattr(package, name)
    return str(original(backend, **asked))


def merge_metadata(original: Original, backend: SageMakerModelBackend, **asked: Any) -> str:
    """AWS adds the entries it is sent and removes those named in `…ToRemove`; moto replaces the map.

    That AWS merges follows from there being a `…ToRemove`; no page says so outright. moto also crashes on a
    removal without a map (`'NoneType' object has no attribute 'pop'`).
    """
    kept = _package(backend, asked["model_package_arn"]).customer_metadata_properties or {}
    asked["customer_metadata_properties"] = {**kept, **(asked["customer_metadata_properties"] or {})}
    return str(original(backend, **asked))


def name_the_unknown_package(original: Original, backend: SageMakerModelBackend, model_package_name: str) -> object:
    """AWS says `ModelPackage <arn> does not exist.`; moto, same code, `Model package <arn> not found`."""
    _package(backend, model_package_name)
    return original(backend, model_package_name)


def find_tagged_package(original: Original, backend: SageMakerModelBackend, arn: str) -> object:
    """AWS tags a package by its ARN; moto crashes on the second `/` of it (`too many values to unpack`)."""
    if ":model-package/" not in arn:
        return original(backend, arn)
    package = _package(backend, arn)
    package.tags = package.tags or []
    return package


def describe_dropped_fields(original: Original, package: ModelPackage) -> object:
    """AWS describes and lists `ModelLifeCycle`, `SourceUri` and the rest of `DROPPED`; moto forgets them."""
    stored = {name: getattr(package, camelcase_to_underscores(name), None) for name in DROPPED}
    return original(package) | {name: value for name, value in stored.items() if value is not None}


def name_who_modified(original: Original, package: ModelPackage) -> None:
    """AWS puts the caller's `IamIdentity` into `LastModifiedBy`; moto repeats an invented user profile."""
    original(package)
    package.last_modified_by = _user_context() or package.last_modified_by


def name_who_created(original: Original, response: SageMakerResponse) -> ActionResult:
    """AWS puts the caller's `IamIdentity` into `CreatedBy`; moto invents a user profile."""
    answer: ActionResult = original(response)
    package = _answered(response, answer)
    package.created_by = _user_context() or package.created_by
    return answer


def _user_context() -> Any:
    identity = caller()
    return None if identity is None else {"IamIdentity": dict(identity)}


def store_dropped_fields(original: Original, response: SageMakerResponse) -> ActionResult:
    """AWS stores what it takes; moto drops what is in `DROPPED`, on update `InferenceSpecification` too."""
    answer: ActionResult = original(response)
    package = _answered(response, answer)
    for name in (*DROPPED, "InferenceSpecification"):
        if (value := response.params.get(name)) is not None:
            setattr(package, camelcase_to_underscores(name), value)
    return answer


def refuse_tags_on_a_version(original: Original, response: SageMakerResponse) -> object:
    """AWS refuses `Tags` for a version: it uses those of its group; moto takes them."""
    if response.params.get("ModelPackageGroupName") and response.params.get("Tags"):
        raise AWSValidationException("Tags cannot be supplied with ModelPackageGroupName.")
    return original(response)


def refuse_bad_fields(original: Original, response: SageMakerResponse) -> object:
    """AWS holds metadata, description and life cycle to documented lengths and patterns; moto does not."""
    _check_metadata(response.params.get("CustomerMetadataProperties") or {})
    description = response.params.get("ApprovalDescription") or ""
    if len(description) > LONGEST_DESCRIPTION or "\n" in description:
        _refuse(description, "approvalDescription", f"at most {LONGEST_DESCRIPTION} characters, on one line")
    for name in ("Stage", "StageStatus"):
        word = (response.params.get("ModelLifeCycle") or {}).get(name)
        if word is not None and not STAGE.fullmatch(word):
            _refuse(word, f"modelLifeCycle.{name[0].lower()}{name[1:]}", STAGE.pattern)
    return original(response)


def _check_metadata(metadata: dict[str, str]) -> None:
    where = "customerMetadataProperties"
    if len(metadata) > MOST_METADATA:
        _refuse(metadata, where, f"Member must have length less than or equal to {MOST_METADATA}")
    for key, value in metadata.items():
        if not _fits(key, LONGEST_KEY):
            _refuse(key, where, f"Map keys must be of 1 to {LONGEST_KEY} letters, digits, spaces and _.:/=+-@")
        if not _fits(value, LONGEST_VALUE):
            _refuse(
                value,
                where,
                f"Map value must be of 1 to {LONGEST_VALUE} letters, digits, spaces and _.:/=+-@",
            )


def _fits(text: str, longest: int) -> bool:
    r"""Check AWS's `[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,longest}`, which `re` cannot read."""
    allowed = all(character in "_.:/=+-@" or unicodedata.category(character)[0] in "LZN" for character in text)
    return 1 <= len(text) <= longest and allowed


def _refuse(value: object, where: str, rule: str) -> None:
    raise AWSValidationException(
        f"1 validation error detected: Value '{value}' at '{where}' failed to satisfy constraint: {rule}"
    )


def announce_created(original: Original, response: SageMakerResponse) -> ActionResult:
    """AWS sends `SageMaker Model Package State Change` for every new package; moto sends nothing."""
    answer: ActionResult = original(response)
    _announce(response, _answered(response, answer), {})
    return answer


def announce_updated(original: Original, response: SageMakerResponse) -> ActionResult:
    """AWS sends the same event for every update, with `UpdatedModelPackageFields`; moto sends nothing."""
    answer: ActionResult = original(response)
    fields = dict.fromkeys(name for field, name in UPDATED.items() if field in response.params)
    _announce(response, _answered(response, answer), {"UpdatedModelPackageFields": list(fields)})
    return answer


def _announce(response: SageMakerResponse, package: ModelPackage, more: dict[str, Any]) -> None:
    described = package.gen_response_object()
    created, modified = package.creation_time, package.last_modified_time or package.creation_time
    detail = {name: described[name] for name in IN_EVENTS if name in described}
    detail |= {"CreationTime": iso(created), "LastModifiedTime": iso(modified)} | more
    emit(
        envelope(
            source="aws.sagemaker",
            detail_type="SageMaker Model Package State Change",
            detail=detail,
            resources=[package.arn],
            account=response.current_account,
            region=response.region,
        )
    )


def _answered(response: SageMakerResponse, answer: ActionResult) -> ModelPackage:
    result: Any = answer.result
    return response.sagemaker_backend.model_packages[result["ModelPackageArn"]]


def serve_one_at_a_time(original: Original, response: SageMakerResponse) -> object:
    """AWS numbers each version once; moto counts, then adds, and two requests can count the same."""
    with _one_at_a_time:
        return original(response)


CORRECTIONS = (
    Correction(SageMakerModelBackend, "update_model_package", keep_omitted_fields),
    Correction(SageMakerModelBackend, "update_model_package", merge_metadata),
    Correction(SageMakerModelBackend, "describe_model_package", name_the_unknown_package),
    Correction(SageMakerModelBackend, "_get_resource_from_arn", find_tagged_package),
    Correction(ModelPackage, "gen_response_object", describe_dropped_fields),
    Correction(ModelPackage, "modifications_done", name_who_modified),
    Correction(SageMakerResponse, "create_model_package", name_who_created),
    Correction(SageMakerResponse, "create_model_package", store_dropped_fields),
    Correction(SageMakerResponse, "update_model_package", store_dropped_fields),
    Correction(SageMakerResponse, "create_model_package", refuse_tags_on_a_version),
    Correction(SageMakerResponse, "create_model_package", refuse_bad_fields),
    Correction(SageMakerResponse, "update_model_package", refuse_bad_fields),
    Correction(SageMakerResponse, "create_model_package", announce_created),
    Correction(SageMakerResponse, "update_model_package", announce_updated),
    Correction(SageMakerResponse, "call_action", serve_one_at_a_time),
)
"""In the order in which they are laid over moto: of two over one method, the later lies outside."""
