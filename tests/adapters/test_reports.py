"""Reports in S3: whose buckets are read, how long, and which constraints they say were not kept."""

import io
import json
from typing import Any

import pytest

from bot.aws.metrics import S3Evaluations
from bot.aws.reports import LONGEST, S3Reports
from infra.local.aws import ACCOUNT, Aws

OTHER = "999999999999"


class Shelf:
    """An S3 that gives one object, and remembers for whom it was asked."""

    def __init__(self, body):
        self.body, self.asked = body, []

    def __call__(self, service):
        assert service == "s3"
        return self

    def get_object(self, **asked):
        self.asked.append(asked)
        stream = io.BytesIO(self.body) if isinstance(self.body, bytes) else self.body
        return {"ContentLength": 2, "Body": stream}


class Drip:
    """A body that never ends, a byte at a time; each takes a second of its clock."""

    def __init__(self):
        self.seconds, self.closed = 0.0, False

    def read(self, _amount):
        self.seconds += 1
        return b" "

    def close(self):
        self.closed = True


def reading(client, **buckets):
    return S3Evaluations(S3Reports(client, account=ACCOUNT, buckets=buckets))


def violations(report):
    body = report if isinstance(report, bytes) else json.dumps(report).encode()
    return reading(Shelf(body)).violations("s3://models/v.json")


def test_a_bucket_has_to_be_of_our_own_account_unless_the_policy_says_whose():
    shelf = Shelf(b"{}")
    reading(shelf).read("s3://models/a.json")
    reading(shelf, **{"team-*": OTHER}).read("s3://team-a/a.json")
    assert [each["ExpectedBucketOwner"] for each in shelf.asked] == [ACCOUNT, OTHER]


def test_a_bucket_that_the_policy_does_not_name_is_not_asked():
    shelf = Shelf(b"{}")
    found = reading(shelf, **{"team-*": OTHER}).read("s3://models/a.json")
    assert found.problem == "Metrics could not be read: the policy does not name the bucket models."
    assert shelf.asked == []


def test_a_bucket_of_another_account_is_refused_by_s3_itself():
    with Aws() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="models")
        s3.put_object(Bucket="models", Key="a.json", Body=b'{"auc": 0.9}')
        assert reading(aws.client).read("s3://models/a.json").metrics
        found = reading(aws.client, models=OTHER).read("s3://models/a.json")
    assert found.problem.endswith(f"not permitted, or models does not belong to the account {OTHER}.")


def test_a_report_that_comes_a_byte_at_a_time_is_given_up():
    drip = Drip()
    shelf: Any = Shelf(drip)
    reports = S3Reports(shelf, account=ACCOUNT, clock=lambda: drip.seconds)
    found = S3Evaluations(reports).read("s3://models/a.json")
    assert found.problem == f"Metrics could not be read: it took longer than {LONGEST:.0f} seconds."
    assert drip.seconds < LONGEST + 3
    assert drip.closed


def test_monitors_and_clarifys_violations_are_named():
    data = {"feature_name": "age", "constraint_check_type": "baseline_drift_check", "description": "drifted"}
    bias = {"facet": "age", "facet_value": "40", "metric_name": "CI", "constraint_check_type": "bias_drift_check"}
    quality = {"metric_name": "auc", "constraint_check_type": "LessThanThreshold"}
    shap = {"label": "label0", "metric_name": "shap", "constraint_check_type": "feature_attribution_drift_check"}
    assert violations({"violations": [data, bias, quality, shap]}).violations == (
        "age: baseline_drift_check",
        "age CI: bias_drift_check",
        "auc: LessThanThreshold",
        "shap label0: feature_attribution_drift_check",
    )


def test_many_violations_are_counted_and_the_first_are_named():
    found = violations({"violations": [{"feature_name": f"f{number}"} for number in range(1000)]})
    assert (found.violations, found.more_violations) == (("f0", "f1", "f2", "f3", "f4"), 995)


@pytest.mark.parametrize(
    ("violation", "named"),
    [
        ({"description": "too few rows"}, "too few rows"),
        ({}, "unnamed"),
        ({"feature_name": 7, "constraint_check_type": None}, "unnamed"),
        ({"feature_name": "a\n\tb" + "x" * 500}, "a b" + "x" * 77),
    ],
)
def test_an_odd_violation_has_a_name_all_the_same(violation, named):
    assert violations({"violations": [violation]}).violations == (named,)


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        ([], "not a JSON object"),
        ({}, "no list of violations"),
        ({"violations": {"a": 1}}, "no list of violations"),
        ({"violations": ["age"]}, "not a JSON object"),
        (b'{"violations": [], "violations": []}', "stands twice"),
        (b'{"violations": ' + b"[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_report_of_violations_is_said(report, why):
    found = violations(report)
    assert found.violations == ()
    assert found.problem.startswith("Violations could not be read: ")
    assert why in found.problem


def test_no_report_means_that_every_constraint_was_kept():
    with Aws() as aws:
        aws.client("s3").create_bucket(Bucket="models")
        assert reading(aws.client).violations("s3://models/v.json") == reading(Shelf(b'{"violations": []}')).violations(
            "s3://models/v.json"
        )
