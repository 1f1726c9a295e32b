"""Policies of the journeys: the shipped one, changed in what a journey is about."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.stack import REPOSITORY, Stack

SHIPPED = (REPOSITORY / "infra" / "policy.toml").read_text(encoding="utf-8")


def by_approval(folder: Path) -> dict[str, str]:
    """Settings under which an approval alone asks for the next environment: journeys that are not about metrics."""
    return policy(folder, SHIPPED.replace('"inference"', '"approval"'))


@contextmanager
def unhurried(folder: Path) -> Iterator[Stack]:
    """A stack under that policy whose Slack takes as many words as there are, and whose messages come as in AWS."""
    with Stack(settings=by_approval(folder)) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        running.slack.limits.per_minute = dict.fromkeys(running.slack.limits.per_minute, 100_000)
        yield running


def policy(folder: Path, text: str) -> dict[str, str]:
    """Settings under which this policy is in force."""
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return {"MODEL_APPROVALS_POLICY": str(file)}
