"""What a command of the local stack takes from the shell that started it, and what not."""

import os
from collections.abc import Mapping, MutableMapping

FROM_OUTSIDE = ("MODEL_APPROVALS_POLICY",)
"""Every other setting of the bot could lead to a real workspace or tenant."""


def keep_to_ourselves(environment: MutableMapping[str, str]) -> None:
    """Forget profiles, endpoints and proxies, which would lead elsewhere; before moto, which looks while it loads."""
    for name in [each for each in environment if each.startswith("AWS_")]:
        del environment[name]
    environment.update(dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull))
    environment.update(dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1"))


def chosen(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of the bot that somebody may try out on the local stack."""
    return {name: environment[name] for name in FROM_OUTSIDE if environment.get(name)}
