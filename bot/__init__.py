"""Model Approvals: a human answer for every step a model takes to production."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.approved import ApprovedModel
    from bot.errors import NotApproved
    from bot.library import approved_model

__all__ = ["ApprovedModel", "NotApproved", "approved_model"]


def __getattr__(name: str) -> object:
    """Load the library for whoever calls it: the doors are in this package too, and do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("bot.library"), name)
