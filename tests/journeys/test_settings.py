"""A policy that cannot be used: nothing is taken, and everybody learns whom to tell."""

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.wiring import worker
from infra.local.stack import REPOSITORY, Stack
from tests.journeys.people import approve, everything, registered, told


def test_an_unreadable_policy_takes_no_answer_and_says_whom_to_tell(tmp_path: Path, caplog):
    policy = tmp_path / "policy.toml"
    policy.write_text((REPOSITORY / "infra" / "policy.toml").read_text(encoding="utf-8"), encoding="utf-8")
    with Stack(settings={"MODEL_APPROVALS_POLICY": str(policy)}) as stack:
        model = registered(stack, "churn-p")
        policy.write_text('groups = "churn"\nsinse = 1\n', encoding="utf-8")
        for function in stack.functions.values():
            function.restart()
        before = everything(stack, model)
        approve(stack, model)
        assert "policy has mistakes" in told(stack, "U0MAYA")[-1]
        assert "platform engineer" in told(stack, "U0MAYA")[-1]
        assert "sinse: no such key" in caplog.text
        assert everything(stack, model) == before
        with pytest.raises(SettingsError) as mistakes:
            worker(stack.environment)
    assert len(mistakes.value.mistakes) >= 4
