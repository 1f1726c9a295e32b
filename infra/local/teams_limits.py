"""The rate limits of Teams: several windows for each conversation, and one for all that an app asks.

https://learn.microsoft.com/microsoftteams/platform/bots/how-to/rate-limit
"""

import math
from collections.abc import Callable, Sequence

Window = tuple[float, int]
"""Seconds, and how many calls they may hold."""
PER_CONVERSATION: Sequence[Window] = ((1, 7), (2, 8), (30, 60), (3_600, 1_800))
PER_ROSTER: Sequence[Window] = ((1, 14), (2, 16), (30, 120), (3_600, 3_600))
PER_APP: Sequence[Window] = ((1, 50),)


class RateLimits:
    """Windows that slide by the workspace's clock; switch them off, or change the figures to be stricter."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with nothing counted and Microsoft's figures in force."""
        self.on = True
        self.windows = {"create": PER_CONVERSATION, "send": PER_CONVERSATION, "members": PER_ROSTER}
        self.per_app = PER_APP
        self._clock = clock
        self._calls: dict[str, list[float]] = {}

    def wait(self, kind: str, place: str) -> int:
        """Count one call on a conversation: 0 when it may go ahead, else the seconds of `Retry-After`."""
        if not self.on:
            return 0
        now = self._clock()
        counted = {f"{kind} {place}": self.windows[kind], "app": self.per_app}
        seconds = max(self._seconds(name, windows, now) for name, windows in counted.items())
        if seconds <= 0:
            for name in counted:
                self._calls.setdefault(name, []).append(now)
        return max(0, math.ceil(seconds))

    def _seconds(self, name: str, windows: Sequence[Window], now: float) -> float:
        longest = max(seconds for seconds, _ in windows)
        calls = self._calls[name] = [each for each in self._calls.get(name, ()) if each > now - longest]
        return max(_until_free(calls, window, now) for window in windows)


def _until_free(calls: Sequence[float], window: Window, now: float) -> float:
    seconds, most = window
    within = [each for each in calls if each > now - seconds]
    return within[-most] + seconds - now if len(within) >= most else 0.0
