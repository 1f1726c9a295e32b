"""What an inference pipeline calls: one GetParameter, and the approved model or an error, never something else."""

import os
from collections.abc import Mapping

from bot.approved import ApprovedModel, read_approved
from bot.config import Settings
from bot.domain import ENVIRONMENT, GROUP
from bot.errors import NotApproved
from bot.names import Names


def approved_model(group: str, environment: str, *, settings: Mapping[str, str] = os.environ) -> ApprovedModel:
    """The model approved for an environment, such as `approved_model("churn", "prod")`: one AWS call.

    Region, credentials and endpoint are AWS's usual ones; `MODEL_APPROVALS_ROOT` is needed only where the parameters
    do not lie below `/model-approvals`. Raises `NotApproved` when nothing is approved, or when what stands there is
    not a model of this group for this environment; `Unavailable` when Parameter Store did not answer; `SettingsError`
    when the root is no parameter path.
    """
    if not GROUP.fullmatch(group) or not ENVIRONMENT.fullmatch(environment):
        raise NotApproved(f"{group!r} and {environment!r} are not a model package group and an environment.")
    name = Names(_root(settings)).approved(group, environment)
    from bot.wiring import parameters  # noqa: PLC0415 - importing AWS's client costs, and only a caller pays

    found = parameters(settings).get([name]).get(name)
    model = read_approved(found.value if found else None)
    if model is None or not model.stands:
        raise NotApproved(f"No model of {group} is approved for {environment} ({name}). Ask its approvers.")
    if (model.model_package_group_name, model.environment) != (group, environment):
        raise NotApproved(
            f"{name} names a model of {model.model_package_group_name} for {model.environment}: changed by hand?"
        )
    return model


def _root(settings: Mapping[str, str]) -> str:
    reader = Settings(settings)
    root = reader.root()
    reader.check()
    return root
