"""Reports in S3: whose buckets are read, how long, and which constraints they say were not kept."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.aws.metrics import S3Evaluations
from bot.aws.reports import LONGEST, S3Reports
from bot.aws.violations import HEAVIEST
from bot.encoding import encode
from bot.errors import Unavailable
from bot.evidence import Evidence
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
    assert found.problem.endswith(f"or there is no such object, or models does not belong to the account {OTHER}.")


def test_what_an_earlier_run_has_left_is_not_there():
    with Aws() as aws:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket="models")
        for name, report in (("a", {"auc": 0.9}), ("v", {"violations": [{"feature_name": "age"}]})):
            s3.put_object(Bucket="models", Key=f"{name}.json", Body=json.dumps(report).encode())
        now, found = datetime.now(UTC), reading(aws.client)
        assert found.read("s3://models/a.json", optional=True, since=now).metrics
        assert found.violations("s3://models/v.json", since=now).violations == ("age",)
        later = now + timedelta(seconds=2)
        assert found.read("s3://models/a.json", optional=True, since=later) == Evidence(problem="No metrics reported.")
        assert found.violations("s3://models/v.json", since=later) == Evidence()


def test_what_may_pass_is_waited_for_by_the_patient_and_said_to_the_others():
    with Aws() as aws:
        aws.client("s3").create_bucket(Bucket="models")
        aws.client("s3").put_object(Bucket="models", Key="a.json", Body=b'{"auc": 0.9}')
        found = reading(aws.client)
        aws.faults.add("GetObject", status=503, times=None)
        assert found.read("s3://models/a.json").problem.startswith("Metrics could not be read: ")
        for call in (found.read, found.violations):
            with pytest.raises(Unavailable, match="cannot be read yet"):
                call("s3://models/a.json", patient=True)
        aws.faults.clear()
        assert found.read("s3://models/a.json", patient=True).metrics
        assert found.read("s3://models/b.json", patient=True).problem.endswith("there is no such object.")


@pytest.mark.parametrize("uri", ["s3://models/\ud800", "s3://models/a\nb", "s3://models/\x00"])
def test_an_address_that_nobody_can_read_is_not_asked_for(uri):
    shelf = Shelf(b"{}")
    assert "the address is not s3://bucket/key" in reading(shelf).read(uri).problem
    assert shelf.asked == []


def test_letters_that_cannot_be_written_down_are_left_out():
    [metric] = reading(Shelf(b'{"a\\ud800uc": {"value": 1, "unit": "m\\udfffs"}}')).read("s3://models/a.json").metrics
    assert (metric.name, metric.unit) == ("auc", "ms")
    [named] = violations({"violations": [{"feature_name": "\U0001f600" * 80}]}).violations
    assert len(encode(named)) <= HEAVIEST


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
