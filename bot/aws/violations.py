"""Model Monitor's and Clarify's `constraint_violations.json`: which constraints a run did not keep.

    {"violations": [{"feature_name": "age", "constraint_check_type": "baseline_drift_check", "description": "…"}]}
    {"violations": [{"facet": "age", "metric_name": "CI", "constraint_check_type": "bias_drift_check", …}]}

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html
"""

from bot.aws.reports import NotJson, Unreadable, object_of, short, text_of
from bot.encoding import encode

NAMED, LONGEST, HEAVIEST = 5, 80, 200
"""Violations that are named, the letters of one, and its bytes in an entry."""
_WHERE = ("feature_name", "facet", "metric_name", "label")


def violations_of(body: bytes) -> tuple[tuple[str, ...], int]:
    """Name the first violations, and count the others; raise `Unreadable` for what is no such report."""
    try:
        found = object_of(text_of(body), "the report").get("violations")
    except NotJson as problem:
        raise Unreadable(str(problem)) from problem
    if not isinstance(found, list):
        raise Unreadable("the report has no list of violations")
    named = tuple(_named(each) for each in found[:NAMED])
    return named, len(found) - len(named)


def _named(violation: object) -> str:
    if not isinstance(violation, dict):
        raise Unreadable("a violation is not a JSON object")
    told = {name: each for name, each in violation.items() if isinstance(each, str) and each.strip()}
    where = " ".join(told[name] for name in _WHERE if name in told)
    kind = told.get("constraint_check_type", "")
    name = short(": ".join(filter(None, (where, kind))) or told.get("description", "unnamed"), LONGEST)
    while len(encode(name)) > HEAVIEST:
        name = name[:-1]
    return name
