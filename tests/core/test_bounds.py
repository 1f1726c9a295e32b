"""Where the policy's numbers begin and end, and what holds where it says nothing."""

import pytest

from bot.errors import SettingsError
from bot.policy import MOST_APPROVALS, read_policy

GUID = "00000000-0000-4000-8000-00000000b001"


def policy(*lines):
    return "\n".join(
        [
            'groups = ["churn*"]',
            "since = 2026-01-01T00:00:00Z",
            "[[environments]]",
            f'approvers = "{GUID}"',
            'notify = { slack = "C0MODELSDEV" }',
            *lines,
        ]
    )


@pytest.mark.parametrize("required", [1, 2, 19, 20])
def test_one_to_twenty_people_may_be_required(required):
    found = read_policy(policy('name = "dev"', f"required = {required}")).environments[0]
    assert (found.required, MOST_APPROVALS) == (required, 20)


@pytest.mark.parametrize("required", ["-1", "0", "21", "true", "false", "1.0", '"1"', "[1]"])
def test_nothing_else_may_be_required(required):
    with pytest.raises(SettingsError, match=r"required: .* is not right; how many approvals"):
        read_policy(policy('name = "dev"', f"required = {required}"))


@pytest.mark.parametrize("name", ["d", "0", "d-e", "d--e", "e" * 31])
def test_a_name_of_an_environment_may_be_short_or_long(name):
    assert read_policy(policy(f'name = "{name}"')).path == (name,)


@pytest.mark.parametrize("name", ["", "-d", "d-", "D", "d_e", "d/e", "d e", "é", "e" * 32])
def test_a_name_of_an_environment_is_part_of_a_path(name):
    with pytest.raises(SettingsError, match=r"environments\[1\].name: "):
        read_policy(policy(f'name = "{name}"'))


TEXTS = [("n" * 120, True), ("n" * 121, False), ("", False), (r"a\u0007b", False)]


@pytest.mark.parametrize(("text", "good"), TEXTS)
def test_the_name_of_a_group_is_one_line_of_some_length(text, good):
    lines = ('name = "dev"', f'approvers_name = "{text}"')
    if good:
        assert read_policy(policy(*lines)).environments[0].who_may_answer == f"members of {text}"
    else:
        with pytest.raises(SettingsError, match="approvers_name"):
            read_policy(policy(*lines))
