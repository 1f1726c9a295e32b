"""Policies of the journeys: the shipped one, changed in what a journey is about."""

from pathlib import Path

from infra.local.stack import REPOSITORY

SHIPPED = (REPOSITORY / "infra" / "policy.toml").read_text(encoding="utf-8")


def by_approval(folder: Path) -> dict[str, str]:
    """Settings under which an approval alone asks for the next environment: journeys that are not about metrics."""
    return policy(folder, SHIPPED.replace('"inference"', '"approval"'))


def policy(folder: Path, text: str) -> dict[str, str]:
    """Settings under which this policy is in force."""
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return {"MODEL_APPROVALS_POLICY": str(file)}
