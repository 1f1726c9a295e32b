"""Nothing real is asked by accident."""

import pytest

from tests.live.targets import NEEDED, REAL, Told, told


def refused(service, markers):
    with pytest.raises(pytest.skip.Exception) as why, told(service, "real", markers):
        pass
    return str(why.value)


@pytest.mark.parametrize("service", NEEDED)
@pytest.mark.parametrize("markers", ["", "not live", "live or browser"])
def test_without_the_marker_the_real_one_is_not_asked_whatever_the_variables(monkeypatch, service, markers):
    for name in NEEDED[service]:
        monkeypatch.setenv(name, "set")
    assert "by `make test-live` alone" in refused(service, markers)


@pytest.mark.parametrize("service", NEEDED)
def test_with_the_marker_what_is_absent_is_named(monkeypatch, service):
    first, *others = NEEDED[service]
    monkeypatch.setenv(first, "")
    for name in others:
        monkeypatch.setenv(name, "set")
    assert refused(service, "live") == f"the real {service} is not asked; absent: {first}"


def test_every_real_target_has_the_marker_and_no_failure_prints_a_secret():
    assert [mark.name for each in REAL for mark in each.marks] == ["live"]
    assert "xoxb" not in repr(Told(LIVE_SLACK_BOT_TOKEN="xoxb-secret"))
