"""Buttons, and the ids by which a press says what it is for."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from bot.domain import Act
from bot.slack.mrkdwn import plain_text
from bot.text import clean, cut

Json = dict[str, Any]

APPROVE = "approval.approve"
REJECT = "approval.reject"
REVOKE = "approval.revoke"
RESTORE = "approval.restore"
ACTS: Mapping[Act, str] = MappingProxyType({Act.REVOKE: REVOKE, Act.RESTORE: RESTORE})
LINK = "approval.link."
WAY = f"{LINK}way"
"""The button that leads to our own pages."""


def button(action: str, text: str, label: str) -> Json:
    """A button of this id; `label` is what a screen reader says."""
    return {
        "type": "button",
        "action_id": action,
        "text": plain_text(text, 75),
        "accessibility_label": cut(clean(label), 75),
    }
