"""Evaluation reports in S3: SageMaker's model-quality JSON, read with care.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, code_of
from bot.domain import Evidence, Metric

LARGEST = 1024 * 1024
"""Bytes of a report."""
MOST = 20
DEPTH = 20
FIRST = ("auc", "accuracy", "precision", "recall", "f1")
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)


class _Unreadable(Exception):
    """Why a report says nothing, in words for the card."""


class S3Evaluations:
    """`ports.Evaluations`: never raises, says on the card what could not be read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, uri: str) -> Evidence:
        """Read a report's metrics, and the digest of its bytes."""
        try:
            body = self._body(uri)
            metrics, odd = metrics_of(body)
        except _Unreadable as why:
            return Evidence(uri=uri, problem=f"Metrics could not be read: {why}.")
        problem = f"Not a number, so left out: {', '.join(odd)}." if odd else ""
        return Evidence(metrics, uri, hashlib.sha256(body).hexdigest(), problem)

    def _body(self, uri: str) -> bytes:
        found = _URI.fullmatch(uri)
        if not found:
            raise _Unreadable("the address is not s3://bucket/key")
        try:
            answer = self._clients("s3").get_object(Bucket=found[1], Key=found[2])
            if answer["ContentLength"] > LARGEST:
                raise _Unreadable(f"the report is larger than {LARGEST // 1024} KiB")
            body: bytes = answer["Body"].read(LARGEST + 1)
        except ClientError as error:
            raise _Unreadable(_REASONS.get(code_of(error), code_of(error))) from error
        except (BotoCoreError, OSError) as error:
            raise _Unreadable(type(error).__name__) from error
        if len(body) > LARGEST:
            raise _Unreadable(f"the report is larger than {LARGEST // 1024} KiB")
        return body


_REASONS = {
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "reading it is not permitted",
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    group: str
    name: str
    metric: Metric


def metrics_of(body: bytes) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """The metrics of a report, the usual ones first, and the names of those that are no numbers."""
    try:
        report = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as problem:
        raise _Unreadable("the report is not JSON") from problem
    if not isinstance(report, dict):
        raise _Unreadable("the report is not a JSON object")
    leaves = list(_leaves(report, "", 0))
    good = [leaf for leaf in leaves if math.isfinite(leaf.metric.value)]
    odd = tuple(leaf.name for leaf in leaves if not math.isfinite(leaf.metric.value))
    if not leaves:
        raise _Unreadable("the report holds no metrics")
    names = [leaf.name for leaf in good]
    metrics = [_named(leaf, twice=names.count(leaf.name) > 1) for leaf in good]
    metrics.sort(key=lambda metric: FIRST.index(metric.name) if metric.name in FIRST else len(FIRST))
    return tuple(metrics[:MOST]), odd


def _leaves(node: Mapping[str, Any], group: str, depth: int) -> Iterator[_Leaf]:
    """Every `{"value": number}` of a report, with the name it stands under."""
    for name, inner in node.items():
        if not isinstance(inner, dict) or depth > DEPTH:
            continue
        if (metric := _metric(str(name)[:60], inner)) is not None:
            yield _Leaf(group, str(name)[:60], metric)
        else:
            yield from _leaves(inner, str(name)[:60], depth + 1)


def _metric(name: str, leaf: Mapping[str, Any]) -> Metric | None:
    value, deviation, unit = leaf.get("value"), leaf.get("standard_deviation"), leaf.get("unit", "")
    if not _is_number(value):
        return None
    spread = float(deviation) if _is_number(deviation) and math.isfinite(deviation) else None
    return Metric(name, _float(value), spread, str(unit)[:12] if isinstance(unit, str) else "")


def _float(value: Any) -> float:  # noqa: ANN401 - a JSON number
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _named(leaf: _Leaf, *, twice: bool) -> Metric:
    name = f"{leaf.group}.{leaf.name}" if twice and leaf.group else leaf.name
    return Metric(name, leaf.metric.value, leaf.metric.deviation, leaf.metric.unit)
