# ruff: noqa: ANN401 - a correction passes on whatever moto's method takes and gives
"""How a correction is laid over one of moto's methods: by `apply`, once, and never by importing anything."""

import functools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

_applied: set["Correction"] = set()
_applying = threading.Lock()


@dataclass(frozen=True, slots=True)
class Correction:
    """`fix` stands in for a method: it is called as that one is, after being given that one."""

    owner: type
    method: str
    fix: Callable[..., Any]

    def lay_over(self) -> None:
        """Put the fix in the method's place; one laid over later lies outside of it."""
        fix, original = self.fix, getattr(self.owner, self.method)

        @functools.wraps(original)
        def corrected(*arguments: Any, **named: Any) -> Any:
            return fix(original, *arguments, **named)

        setattr(self.owner, self.method, corrected)


def apply(corrections: Iterable[Correction]) -> None:
    """Lay them over moto, in this order, those that are not yet."""
    with _applying:
        for correction in corrections:
            if correction not in _applied:
                _applied.add(correction)
                correction.lay_over()
