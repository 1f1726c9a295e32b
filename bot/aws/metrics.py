"""Evaluation reports in S3, read with care: SageMaker's model-quality JSON, flat JSON, or JSON Lines of either.

    {"binary_classification_metrics": {"auc": {"value": 0.91, "standard_deviation": 0.01}}}
    {"auc": 0.91, "latency": 41.5}
    {"metric": "auc", "value": 0.91}                    (one a line)

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.aws.clients import Clients, code_of, unavailable
from bot.domain import Evidence, Metric
from bot.errors import Unavailable

LARGEST = 1024 * 1024
"""Bytes of a report."""
MOST = 20
"""Metrics kept, and how deep they are looked for (`FLAT`: groups of plain numbers); an entry has 4,096 bytes."""
DEPTH, FLAT = 20, 1
LONGEST, LONGEST_UNIT, NAMED = 60, 12, 5
FIRST = ("auc", "accuracy", "precision", "recall", "f1")
Json = Mapping[str, Any]
_URI = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)


class Unreadable(Exception):
    """Why a report says nothing, in words for the card."""


class _Missing(Unreadable):
    """There is no report."""


class _NotJson(Exception):
    """A text is no JSON at all."""


class S3Evaluations:
    """`ports.Evaluations`: never raises, says on the card what could not be read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, uri: str, *, optional: bool = False) -> Evidence:
        """Read a report's metrics, and the digest of its bytes."""
        try:
            body = self._body(uri)
            metrics, odd = metrics_of(body)
        except _Missing as why:
            says = "No metrics reported." if optional else f"Metrics could not be read: {why}."
            return Evidence(uri="" if optional else uri, problem=says)
        except Unreadable as why:
            return Evidence(uri=uri, problem=f"Metrics could not be read: {why}.")
        return Evidence(metrics, uri, hashlib.sha256(body).hexdigest(), _left_out(odd))

    def _body(self, uri: str) -> bytes:
        found = _URI.fullmatch(uri)
        if not found:
            raise Unreadable("the address is not s3://bucket/key")
        try:
            with unavailable("s3:GetObject"):
                return self._download(found[1], found[2])
        except (Unavailable, ClientError, BotoCoreError, OSError) as error:
            reason = _reason(error.__cause__ or error)
            raise (_Missing if reason == _REASONS["NoSuchKey"] else Unreadable)(reason) from error

    def _download(self, bucket: str, key: str) -> bytes:
        answer = self._clients("s3").get_object(Bucket=bucket, Key=key)
        with closing(answer["Body"]) as stream:
            body: bytes = b"" if answer["ContentLength"] > LARGEST else stream.read(LARGEST + 1)
        if max(answer["ContentLength"], len(body)) > LARGEST:
            raise Unreadable(f"the report is larger than {LARGEST // 1024} KiB")
        return body


def _reason(error: BaseException) -> str:
    if isinstance(error, ClientError):
        return _REASONS.get(code_of(error), code_of(error))
    return type(error).__name__


_REASONS = {
    "NoSuchKey": "there is no such object",
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "reading it is not permitted",
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A measured value, where it stands in the report, and what stands beside it."""

    path: tuple[str, ...]
    value: float
    beside: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path[-1]


def metrics_of(body: bytes) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """The metrics of a report, the usual ones first, and the names of those that are no numbers."""
    return metrics_in(*_reports(body))


def metrics_in(*reports: Json) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """The same, of reports that have been parsed; of two values for one metric the later report's counts."""
    leaves = list({leaf.path: leaf for report in reports for leaf in _measured(report)}.values())
    if not leaves:
        raise Unreadable("the report holds no metrics")
    good = [leaf for leaf in leaves if math.isfinite(leaf.value)]
    odd = tuple(_short(leaf.name, LONGEST) for leaf in leaves if not math.isfinite(leaf.value))
    groups = Counter(leaf.name for leaf in good)
    kept = sorted(good, key=lambda leaf: FIRST.index(leaf.name) if leaf.name in FIRST else len(FIRST))[:MOST]
    return tuple(_metric(leaf, twice=groups[leaf.name] > 1) for leaf in kept), odd


def _reports(body: bytes) -> list[Json]:
    """The one object of a JSON report, or those of its lines; of two values for one metric the later line counts."""
    try:
        text = body.decode("utf-8-sig")
        return [_object(text, "the report")]
    except UnicodeDecodeError as problem:
        raise Unreadable("the report is not UTF-8") from problem
    except _NotJson as whole:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - then it is no JSON Lines either
            raise Unreadable(str(whole)) from whole
        try:
            return [_object(line, f"line {number} of the report") for number, line in lines]
        except _NotJson as one:
            raise Unreadable(str(one)) from one


def _object(text: str, what: str) -> Json:
    try:
        report = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as problem:
        raise _NotJson(f"{what} is not JSON") from problem
    if not isinstance(report, dict):
        raise Unreadable(f"{what} is not a JSON object")
    return report


def _each_once(pairs: list[tuple[str, Any]]) -> Json:
    """Of a key that stands twice, readers see different values: nobody could say what was approved."""
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise Unreadable(f"the key {_short(name, LONGEST)!r} stands twice in one object")
    return found


def _measured(report: Json) -> list[_Leaf]:
    """What a report measured: named values, or else the plain numbers of a flat one."""
    name = report.get("metric", report.get("name"))
    if isinstance(name, str) and name and (value := _number(report.get("value"))) is not None:
        return [_Leaf((name,), value, report)]
    return list(_leaves(report, ())) or list(_numbers(report, ()))


def _numbers(node: Json, path: tuple[str, ...]) -> Iterator[_Leaf]:
    for name, inner in node.items():
        if isinstance(inner, dict) and len(path) < FLAT:
            yield from _numbers(inner, (*path, name))
        elif (value := _number(inner)) is not None:
            yield _Leaf((*path, name), value, {})


def _leaves(node: Json, path: tuple[str, ...]) -> Iterator[_Leaf]:
    """Every `{"value": number}` of a report; matrices, curves and counts are passed over."""
    for name, inner in node.items():
        if not isinstance(inner, dict) or len(path) > DEPTH:
            continue
        if (value := _number(inner.get("value"))) is not None:
            yield _Leaf((*path, name), value, inner)
        else:
            yield from _leaves(inner, (*path, name))


def _number(value: object) -> float | None:
    """A number, infinite when it is too large; SageMaker writes what is none as text, such as "NaN"."""
    if isinstance(value, str) and _NO_NUMBER.fullmatch(value):
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _metric(leaf: _Leaf, *, twice: bool) -> Metric:
    """A metric, named with its group when another group has one of this name."""
    spread, unit = _number(leaf.beside.get("standard_deviation")), leaf.beside.get("unit")
    return Metric(
        _short(".".join(leaf.path) if twice else leaf.name, LONGEST),
        leaf.value,
        spread if spread is not None and math.isfinite(spread) else None,
        _short(unit, LONGEST_UNIT) if isinstance(unit, str) else "",
    )


def _left_out(odd: Sequence[str]) -> str:
    if not odd:
        return ""
    more = f" and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
    return f"Not a number, so left out: {', '.join(odd[:NAMED])}{more}."


def _short(text: str, limit: int) -> str:
    """On one line and of bounded length, whatever the report says."""
    return " ".join(text.split())[:limit]
