"""The values of the domain: times, request ids, what a decision is bound to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import ENVIRONMENT, GROUP, Answer, ApprovalStatus, ModelVersion, RequestId, State, moment, rfc3339
from bot.entries import Hand
from bot.errors import Malformed
from bot.package import Container, Package
from tests.memory import START

MODEL = ModelVersion("churn", 7)
PACKAGE = Package(
    MODEL,
    "arn:1",
    "PendingManualApproval",
    containers=(Container("image", "sha256:1", "s3://models/7", '"etag"'),),
    metrics=(("s3://reports/7", '"etag"'),),
    commit="0123456789",
    repository="https://git.example/churn.git",
)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
EARLY, LATE = datetime(2000, 1, 1), datetime(2999, 1, 1)  # noqa: DTZ001 - hypothesis wants none
TIMES = st.datetimes(EARLY, LATE, timezones=ZONES)


def test_a_time_is_written_in_utc_with_milliseconds():
    assert rfc3339(START) == "2026-11-24T09:00:00.000Z"
    elsewhere = datetime(2026, 11, 24, 10, 0, 0, 7999, timezone(timedelta(hours=1)))
    assert rfc3339(elsewhere) == "2026-11-24T09:00:00.007Z"


@given(TIMES)
def test_a_time_is_read_back_to_the_millisecond(at):
    found = moment(rfc3339(at))
    assert timedelta(0) <= at - found < timedelta(milliseconds=1)
    assert found.tzinfo is UTC


@given(TIMES, TIMES)
def test_times_sort_as_text(one, other):
    later = max(one, other)
    assert max(rfc3339(one), rfc3339(other)) == rfc3339(later)


@pytest.mark.parametrize("text", ["2026-11-24T09:00:00", "2026-11-24", "yesterday", ""])
def test_a_time_without_a_zone_is_none(text):
    with pytest.raises(ValueError, match=r"has no time zone|Invalid isoformat"):
        moment(text)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (ApprovalStatus, ["PendingManualApproval", "Approved", "Rejected"]),
        (Answer, ["approve", "reject"]),
        (State, ["pending", "approved", "rejected", "expired", "superseded", "ended", "revoked"]),
        (Hand, ["put back", "stop", "brake", "release", "left", "approved model put back"]),
    ],
)
def test_words_that_are_stored_stay_what_they_are(kind, words):
    assert [str(each) for each in kind] == words


def test_a_request_id_is_read_as_it_is_written():
    found = RequestId.parse("churn/7/uat/1")
    assert found == RequestId("churn", 7, "uat", 1)
    assert (str(found), found.model, str(found.model)) == ("churn/7/uat/1", MODEL, "churn v7")


@settings(max_examples=20)
@given(
    st.builds(
        RequestId,
        st.from_regex(GROUP, fullmatch=True),
        st.integers(1, 999_999_999),
        st.from_regex(ENVIRONMENT, fullmatch=True),
        st.integers(1, 999_999_999),
    )
)
def test_every_request_id_is_read_as_it_is_written(request_id):
    assert RequestId.parse(str(request_id)) == request_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "churn",
        "churn/7/uat",
        "churn/7/uat/1/2",
        "churn/0/uat/1",
        "churn/7/uat/0",
        "churn/07/uat/1",
        "churn/-7/uat/1",
        "churn/7.0/uat/1",
        "churn/7/UAT/1",
        "churn/7//1",
        "_status/7/uat/1",
        "churn-/7/uat/1",
        "churn/7/uat-/1",
        "churn/7/uat/1\n",
        " churn/7/uat/1",
        "churn/\u0667/uat/1",
        f"{'c' * 64}/7/uat/1",
        f"churn/7/{'u' * 32}/1",
        "churn/1234567890/uat/1",
        "churn/7/uat/..",
        "churn/7/uat/1?x",
    ],
)
def test_what_is_no_request_id_is_malformed(text):
    with pytest.raises(Malformed, match="is not a request id such as churn/7/uat/1"):
        RequestId.parse(text)


def test_a_long_text_that_is_no_request_id_is_shortened():
    with pytest.raises(Malformed) as caught:
        RequestId.parse("x" * 5000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "other",
    [
        replace(PACKAGE, arn="arn:2"),
        replace(PACKAGE, containers=()),
        replace(PACKAGE, containers=PACKAGE.containers * 2),
        replace(PACKAGE, metrics=()),
        replace(PACKAGE, metrics=(("s3://reports/7", '"other"'),)),
        replace(PACKAGE, metrics=(("s3://reports/8", '"etag"'),)),
        *(
            replace(PACKAGE, containers=(replace(PACKAGE.containers[0], **{part: "other"}),))
            for part in ("image", "image_digest", "model_data", "model_data_etag")
        ),
    ],
)
def test_a_decision_is_bound_to_package_images_model_data_and_metrics(other):
    assert other.fingerprint != PACKAGE.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"status": "Approved"},
        {"description": "fine"},
        {"metadata": {"run": "nightly"}},
        {"modified_at": START, "modified_by": "kim"},
        {"life_cycle": ("dev", "Approved")},
        {"commit": "9876543210"},
    ],
)
def test_what_the_bot_writes_itself_changes_no_fingerprint(change):
    assert replace(PACKAGE, **change).fingerprint == PACKAGE.fingerprint


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "https://git.example/churn/commit/0123456789"),
        ({"repository": "https://git.example/churn"}, "https://git.example/churn/commit/0123456789"),
        ({"repository": "git@git.example:churn.git"}, ""),
        ({"repository": "http://git.example/churn"}, ""),
        ({"repository": ""}, ""),
        ({"commit": ""}, ""),
    ],
)
def test_a_commit_can_be_read_where_the_repository_is_a_web_address(changes, url):
    assert replace(PACKAGE, **changes).commit_url == url


def test_the_first_report_is_the_evaluation():
    assert PACKAGE.metrics_uri == "s3://reports/7"
    assert replace(PACKAGE, metrics=()).metrics_uri == ""


@pytest.mark.parametrize(
    ("container", "pinned"),
    [
        (Container("image", "sha256:1", "s3://models/7", '"etag"'), True),
        (Container("image", "sha256:1"), True),
        (Container("image", "sha256:1", "s3://models/7"), False),
        (Container("image", "", "s3://models/7", '"etag"'), False),
        (Container("image"), False),
    ],
)
def test_a_container_is_pinned_when_its_bytes_are_known(container, pinned):
    assert container.pinned is pinned
