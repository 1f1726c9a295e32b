"""Faults that can be switched on, on the page: what goes wrong outside, and what must hold all the same."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from infra.local import aws_faults
from infra.local.page.pane import Act, Json, Mistaken, Pane
from infra.local.stack import Stack

TRIES = 3
"""Of botocore, for one call: all of them are cut off."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A fault by its name on the page; `hint` says what to expect."""

    title: str
    hint: str
    turn: Callable[[bool], None]
    is_on: Callable[[], bool]


class FaultsPane(Pane):
    """The switches."""

    name = "faults"

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._held: set[str] = set()
        self._cut: aws_faults.Fault | None = None
        self._switches = {
            "slack": Switch(
                "Slack answers 429",
                "Answers are recorded all the same; their cards follow later, with the next sweep at the latest.",
                self._slack,
                lambda: "slack" in self._held,
            ),
            "entra": Switch(
                "Entra is down",
                "Nothing is approved while nobody can be asked who is in a group; a click is tried again.",
                self._entra,
                lambda: "entra" in self._held,
            ),
            "events": Switch(
                "Events come three times, in any order",
                "One card all the same: an event only makes the bot look.",
                self._events,
                lambda: bool(stack.bus.faults.duplicates),
            ),
            "crash": Switch(
                "The worker is cut off after its next entry, once",
                "An answer is in the log, and nothing else is done; the next delivery does the rest.",
                self._crash,
                lambda: bool(self._cut and self._cut.left),
            ),
        }
        self.acts: Mapping[str, Act] = {"switch": self._switch}

    def version(self) -> Hashable:
        """Which are on."""
        return tuple(each.is_on() for each in self._switches.values())

    def seen_by(self, _: str) -> Json:
        """All switches."""
        return {
            "switches": [
                {"name": name, "title": each.title, "hint": each.hint, "on": each.is_on()}
                for name, each in self._switches.items()
            ]
        }

    def _switch(self, _: str, given: Json) -> Json:
        found = self._switches.get(given["fault"])
        if found is None:
            raise Mistaken(f"There is no fault {given['fault']}; there are {', '.join(self._switches)}.")
        on = bool(given["on"])
        found.turn(on)
        return {"said": found.hint if on else f"“{found.title}” is off."}

    def _slack(self, on: bool) -> None:  # noqa: FBT001 - what a switch is
        self._stack.slack.faults.clear()
        if on:
            self._stack.slack.faults.add("*", status=429, times=None)
        self._hold("slack", on=on)

    def _entra(self, on: bool) -> None:  # noqa: FBT001
        self._stack.entra.faults.clear()
        if on:
            self._stack.entra.faults.add("*", status=503, times=None)
        self._hold("entra", on=on)

    def _events(self, on: bool) -> None:  # noqa: FBT001
        self._stack.bus.faults.duplicates = self._stack.bus.faults.reorder = 2 if on else 0

    def _crash(self, on: bool) -> None:  # noqa: FBT001
        """Cut off each try of the next call that writes an entry, once the entry is written."""
        self._stack.aws.faults.clear()
        faults = self._stack.aws.faults
        self._cut = (
            faults.add("PutParameter", status="reset", after=True, containing="/history/", times=TRIES) if on else None
        )

    def _hold(self, name: str, *, on: bool) -> None:
        self._held = self._held | {name} if on else self._held - {name}
