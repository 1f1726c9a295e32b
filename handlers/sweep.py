"""The schedule -> what events missed and jobs lost, on the queues again."""

import os
from typing import Any

from bot import wiring

_sweep = wiring.sweep(os.environ)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Sweep once; `{"all": true}` walks every version since the policy's `since`."""
    swept = _sweep(everything=event.get("all") is True)
    return {"opened": swept.opened, "checked": swept.checked}
