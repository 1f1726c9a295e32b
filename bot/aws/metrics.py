"""Evaluation reports in S3, read with care: SageMaker's model-quality JSON, flat JSON, or JSON Lines of either.

    {"binary_classification_metrics": {"auc": {"value": 0.91, "standard_deviation": 0.01}}}
    {"auc": 0.91, "latency": 41.5}
    {"metric": "auc", "value": 0.91}                    (one a line)

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-model-quality-metrics.html
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.aws.reports import Json, Missing, NotJson, Passing, S3Reports, Unreadable, object_of, short, text_of
from bot.aws.violations import violations_of
from bot.errors import Unavailable
from bot.evidence import Evidence, Metric

MOST = 200
"""Metrics read; the policy says which of them are kept."""
DEPTH, FLAT = 20, 1
"""How deep they are looked for (`FLAT`: groups of plain numbers)."""
LONGEST, LONGEST_UNIT, NAMED = 60, 12, 5
FIRST = ("auc", "accuracy", "precision", "recall", "f1")
_NO_METRIC = {"version"}
"""Numbers beside the groups of a SageMaker report."""
_NO_NUMBER = re.compile(r"[+-]?(nan|inf(inity)?|\d+(\.\d*)?)", re.IGNORECASE)


class S3Evaluations:
    """`ports.Evaluations`: says on the card what could not be read."""

    def __init__(self, reports: S3Reports) -> None:
        self._reports = reports

    def read(
        self, uri: str, *, optional: bool = False, since: datetime | None = None, patient: bool = False
    ) -> Evidence:
        """Read a report's metrics, and the digest of its bytes."""
        try:
            body = self._body(uri, since, patient=patient)
            metrics, odd = metrics_of(body)
        except Missing as why:
            says = "No metrics reported." if optional else f"Metrics could not be read: {why}."
            return Evidence(uri="" if optional else uri, problem=says)
        except Unreadable as why:
            return Evidence(uri=uri, problem=f"Metrics could not be read: {why}.")
        return Evidence(metrics, uri, hashlib.sha256(body).hexdigest(), _left_out(odd))

    def violations(self, uri: str, *, since: datetime | None = None, patient: bool = False) -> Evidence:
        """Read which constraints were not kept; monitoring writes no such report where all of them were."""
        try:
            found, more = violations_of(self._body(uri, since, patient=patient))
        except Missing:
            return Evidence()
        except Unreadable as why:
            return Evidence(problem=f"Violations could not be read: {why}.")
        return Evidence(violations=found, more_violations=more)

    def _body(self, uri: str, since: datetime | None, *, patient: bool) -> bytes:
        try:
            return self._reports.body(uri, since=since)
        except Passing as why:
            if patient:
                raise Unavailable(f"{uri} cannot be read yet: {why}") from why
            raise


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
    odd = tuple(short(leaf.name, LONGEST) for leaf in leaves if not math.isfinite(leaf.value))
    groups = Counter(leaf.name for leaf in good)
    kept = sorted(good, key=lambda leaf: FIRST.index(leaf.name) if leaf.name in FIRST else len(FIRST))[:MOST]
    return tuple(_metric(leaf, twice=groups[leaf.name] > 1) for leaf in kept), odd


def _reports(body: bytes) -> list[Json]:
    """The one object of a JSON report, or those of its lines; of two values for one metric the later line counts."""
    text = text_of(body)
    try:
        return [object_of(text, "the report")]
    except NotJson as whole:
        lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(lines) < 2:  # noqa: PLR2004 - then it is no JSON Lines either
            raise Unreadable(str(whole)) from whole
        try:
            return [object_of(line, f"line {number} of the report") for number, line in lines]
        except NotJson as one:
            raise Unreadable(str(one)) from one


def _measured(report: Json) -> list[_Leaf]:
    """What a report measured: named values with the plain numbers beside them, or the groups of a flat one."""
    name = report.get("metric", report.get("name"))
    if isinstance(name, str) and name and (value := _number(report.get("value"))) is not None:
        return [_Leaf((name,), value, report)]
    leaves = list(_leaves(report, ()))
    beside = {name: each for name, each in report.items() if not isinstance(each, dict) and name not in _NO_METRIC}
    return [*leaves, *_numbers(beside, ())] if leaves else list(_numbers(report, ()))


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
    """A number, infinite when it is too large; none where it is written as text, as SageMaker does with "NaN"."""
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
        short(".".join(leaf.path) if twice else leaf.name, LONGEST),
        leaf.value,
        spread if spread is not None and math.isfinite(spread) else None,
        short(unit, LONGEST_UNIT) if isinstance(unit, str) else "",
    )


def _left_out(odd: Sequence[str]) -> str:
    if not odd:
        return ""
    more = f" and {len(odd) - NAMED} more" if len(odd) > NAMED else ""
    return f"Not a number, so left out: {', '.join(odd[:NAMED])}{more}."
