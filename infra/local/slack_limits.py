"""Slack's rate limits: one message per second and channel, and a budget per method (tiers).

https://docs.slack.dev/apis/web-api/rate-limits
"""

import math
from collections.abc import Callable

TIER_PER_MINUTE = {
    1: 10,
    2: 200,
    3: 500,
    4: 1000,
}  # ten times Slack's floor: it allows bursts and names no figure


class RateLimits:
    """Buckets that refill by the workspace's clock; change the figures to make Slack stricter."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start full: three messages at once, then one per second, in each channel."""
        self.posts_per_second = 1.0
        self.post_burst = 3
        self.per_minute = dict(TIER_PER_MINUTE)
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, method: str, tier: int, channel: str) -> int:
        """Take one call from its bucket: 0 when it may go ahead, else the seconds of `Retry-After`."""
        if tier == 0:
            return self._take(f"{method} {channel}", self.posts_per_second, self.post_burst)
        budget = self.per_minute[tier]
        return self._take(method, budget / 60, budget)

    def _take(self, key: str, per_second: float, burst: int) -> int:
        now = self._clock()
        left, then = self._left.get(key, (float(burst), now))
        left = min(float(burst), left + max(0.0, now - then) * per_second)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        return 0 if allowed else max(1, math.ceil((1 - left) / per_second))
