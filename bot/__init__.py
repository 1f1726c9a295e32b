"""Model Approvals: a human answer for every step a model takes to production."""

from bot.approved import ApprovedModel
from bot.errors import NotApproved
from bot.library import approved_model

__all__ = ["ApprovedModel", "NotApproved", "approved_model"]
