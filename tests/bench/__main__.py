"""Measure everything, print it, write docs/performance.md, and fail when a ratio is missed: `make bench`."""

import argparse
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local.terminal import BOLD, DIM, ERASE, GREEN, RED, Terminal
from infra.package.models import ROOT
from tests.bench import answer, burst, cold, growth
from tests.bench.deployed import packages
from tests.bench.table import Section, aligned, missed, rewritten, verdict
from tests.bench.world import world

PAGE = ROOT / "docs" / "performance.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Give 1 when a ratio was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cards", type=int, default=1000, help="registrations in the burst (%(default)s)")
    parser.add_argument("--rounds", type=int, default=cold.ROUNDS, help="cold starts of each (%(default)s)")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    asked = parser.parse_args(arguments)
    logging.disable(logging.WARNING)  # Slack's 429s are part of a burst
    terminal, began, sections = Terminal(os.environ), time.monotonic(), []
    for section in measured(asked.cards, asked.rounds, progress()):
        show(section, terminal)
        sections.append(section)
    show(verdict(sections), terminal)
    minutes = (time.monotonic() - began) / 60
    if not asked.no_page:
        PAGE.write_text(
            rewritten(PAGE.read_text("utf-8"), about(asked.cards, asked.rounds, minutes), sections), "utf-8"
        )
    for name in missed(sections):
        terminal.say(f"missed: {name}", RED, BOLD)
    if not missed(sections):
        terminal.say(f"All ratios are kept; {minutes:.1f} minutes.", GREEN, BOLD)
    return 1 if missed(sections) else 0


def measured(cards: int, rounds: int, say: Callable[[str], None]) -> Iterator[Section]:
    """One measurement after the other, with nothing beside it."""
    with TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        say("building the packages")
        packages(place / "build")
        with world(place, place / "build") as stack:
            yield cold.imports(stack, place / "build", rounds, say)
            yield cold.first_events(stack, place / "build", (rounds + 1) // 2, say)
            yield cold.profile(place / "build")
            for scale in (1, answer.SCALE):
                found = answer.measure(stack, scale, answer.ROUNDS, say)
                yield answer.section(found, scale, judged=scale == answer.SCALE)
        yield growth.measured(place, say)
        yield burst.measured(place, place / "build", cards, say)
    say("")


def about(cards: int, rounds: int, minutes: float) -> str:
    """What was run where and when, without naming the machine."""
    version, day = platform.python_version(), datetime.now(UTC).date()
    command = f"python -m tests.bench --cards {cards} --rounds {rounds}"
    return f"{day}, `{command}`, {minutes:.0f} minutes: {os.cpu_count()} cores, {platform.machine()}, Python {version}."


def show(section: Section, terminal: Terminal) -> None:
    """Print a table, and what was missed in it."""
    progress()("")
    terminal.say(section.title, BOLD)
    for line in aligned(section):
        terminal.say(f"  {line}")
    for note in section.notes:
        terminal.say(f"  {note}", DIM)
    terminal.say()


def progress() -> Callable[[str], None]:
    """Say what is being done, on a line that the next one replaces; nothing where lines cannot be replaced."""
    if not sys.stderr.isatty():
        return lambda _: None

    def say(text: str) -> None:
        sys.stderr.write(f"{ERASE}{text}")
        sys.stderr.flush()

    return say


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
