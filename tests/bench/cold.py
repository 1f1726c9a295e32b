"""Cold starts: what it takes to import a door from its package, and to answer the first event, in fresh processes."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bot.envelope import encode_job
from infra.local.stack import HANDLERS, Stack
from infra.local.threads import Event
from tests.bench.deployed import package_of, starting
from tests.bench.table import Ratio, Section
from tests.bench.world import BASELINES, INSTALLED, Blog, baseline_settings, event_of
from tests.journeys.examples import click
from tests.journeys.people import card, registered

ROUNDS = 15
SPENT = Path(__file__).with_name("spent.py")
IMPORT = """
import importlib, os, sys
sys.path[:0] = sys.argv[2:]
os.chdir(sys.argv[2])
importlib.import_module(sys.argv[1])
"""
TOP = 8
"""Packages that are named as the largest of an import."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is started, and what it finds in its environment; `event` gives the first event anew for each round."""

    name: str
    command: list[str]
    settings: Mapping[str, str]
    event: Callable[[], Event] | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds and bytes of one process."""

    cpu: float
    resident: int


def measured(candidates: Sequence[Candidate], rounds: int, say: Say) -> dict[str, list[Spent]]:
    """All in turn, round by round, each round beginning with another one; the first round only warms the disk."""
    found: dict[str, list[Spent]] = defaultdict(list)
    for number in range(-1, rounds):
        say(f"cold starts, round {number + 1} of {rounds}")
        shift = number % len(candidates)
        for each in (*candidates[shift:], *candidates[:shift]):
            taken = run(each)
            if number >= 0:
                found[each.name].append(taken)
    return found


def run(candidate: Candidate) -> Spent:
    """One process, from its start to its end."""
    lines = json.dumps(candidate.event()) + "\n" if candidate.event else ""
    command = [sys.executable, "-IS", str(SPENT), *candidate.command]
    done = subprocess.run(
        command, env=dict(candidate.settings), input=lines, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{candidate.name}: {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    return Spent(said["cpu"], said["resident"])


def importing(module: str, folders: Sequence[Path], *options: str) -> list[str]:
    """What imports a module from folders alone."""
    return [sys.executable, "-IS", *options, "-c", IMPORT, module, *map(str, folders)]


def doors() -> list[str]:
    """Our modules, each once: two functions may be of one."""
    return list(dict.fromkeys(HANDLERS.values()))


def imports(stack: Stack, built: Path, rounds: int, say: Say) -> Section:
    """Our doors and both baselines, imported and built as at a cold start."""
    ours, theirs = dict(os.environ), baseline_settings(stack)
    candidates = [Candidate(module, importing(module, package_of(module, built)), ours) for module in doors()]
    for name, module in (("baseline: blog", "blog"), ("baseline: Bolt's sample", "bolt_sample")):
        candidates.append(Candidate(name, importing(module, [BASELINES, INSTALLED]), theirs))
    candidates.append(Candidate("Python alone", [sys.executable, "-IS", "-c", "pass"], ours))
    found = measured(candidates, rounds, say)
    blog = found["baseline: blog"]
    cpu, resident = paired(found["handlers.slack"], blog)
    return Section(
        "Cold import",
        ("", "cpu ms", "least", "of blog", "MB", "of blog"),
        tuple(_row(name, each, blog) for name, each in found.items()),
        (f"Medians of {rounds} fresh processes each, in alternating order; ratios are medians of the rounds' own.",),
        (
            Ratio("cold import of Slack's door: cpu, to the blog's", cpu, 0.5),
            Ratio("cold import of Slack's door: memory, to the blog's", resident, 0.6),
        ),
    )


def first_events(stack: Stack, built: Path, rounds: int, say: Say) -> Section:
    """The same, and the first click in the same process, so that nothing is won by putting work off."""
    blog = Blog(stack)
    ours, theirs = dict(os.environ), baseline_settings(stack)
    say("registering versions to be answered")
    waiting = iter([registered(stack, f"churn-cold-{number}") for number in range(2 * (rounds + 1))])
    others = iter([stack.pipeline.register(f"blog-cold-{number}") for number in range(rounds + 1)])

    def pressed() -> Event:
        stack.settle(60)
        message = card(stack, next(waiting))
        return event_of(stack, lambda: stack.slack.press("U0MAYA", message.channel, message.ts, "approval.approve"))

    def blog_pressed() -> Event:
        message = blog.ask(next(others))
        return event_of(stack, lambda: stack.slack.press("U0MAYA", message.channel, message.ts, "approve_model"))

    def queued() -> Event:
        return _records(encode_job(click(stack, f"{next(waiting).group}/1/dev/1")))

    def of(name: str, module: str, event: Callable[[], Event]) -> Candidate:
        folders = [BASELINES, INSTALLED] if module == "blog" else package_of(module, built)
        return Candidate(name, starting(module, folders), theirs if module == "blog" else ours, event)

    candidates = [
        of("handlers.slack: a click, to its acknowledgement", "handlers.slack", pressed),
        of("handlers.jobs: its answer, to the end", "handlers.jobs", queued),
        of("baseline: blog: a click, to the end", "blog", blog_pressed),
    ]
    found = measured(candidates, rounds, say)
    blog.stop()
    return Section(
        "Cold start with the first click",
        ("", "cpu ms", "least", "of blog", "MB", "of blog"),
        tuple(_row(name, each, found[candidates[-1].name]) for name, each in found.items()),
        (f"Medians of {rounds} processes. Slack's door acknowledges once the answer is queued for `handlers.jobs`.",),
    )


def paired(ours: Sequence[Spent], theirs: Sequence[Spent]) -> tuple[float, float]:
    """How much of theirs ours takes, cpu and memory: the median over the rounds."""
    rounds = list(zip(ours, theirs, strict=True))
    return median(a.cpu / b.cpu for a, b in rounds), median(a.resident / b.resident for a, b in rounds)


def _row(name: str, found: Sequence[Spent], blog: Sequence[Spent]) -> tuple[str, ...]:
    cpu, resident = paired(found, blog)
    spent = [each.cpu * 1000 for each in found]
    megabytes = median(each.resident for each in found) / 1e6
    return name, f"{median(spent):.0f}", f"{min(spent):.0f}", f"{cpu:.2f}", f"{megabytes:.0f}", f"{resident:.2f}"


def _records(body: str) -> dict[str, Any]:
    arn = "arn:aws:sqs:us-east-1:123456789012:decisions.fifo"
    attributes = {"ApproximateReceiveCount": "1"}
    record = {"messageId": "bench", "body": body, "attributes": attributes, "eventSourceARN": arn}
    return {"Records": [record]}


def profile(built: Path) -> Section:
    """Where the import of Slack's door goes: the time of each package's own modules, by `-X importtime`."""
    runs = [_own_times(built) for _ in range(5)]
    names = {name for each in runs for name in each}
    middle = {name: median(each.get(name, 0) for each in runs) for name in names}
    total = sum(middle.values())
    largest = sorted(middle.items(), key=lambda each: -each[1])[:TOP]
    rows = [(name, f"{spent / 1000:.0f}", f"{spent / total:.0%}") for name, spent in largest]
    return Section("Where the import of Slack's door goes", ("package", "ms", "share"), tuple(rows))


def _own_times(built: Path) -> Mapping[str, int]:
    command = importing("handlers.slack", package_of("handlers.slack", built), "-X", "importtime")
    done = subprocess.run(command, env=dict(os.environ), capture_output=True, text=True, check=True)
    found: dict[str, int] = defaultdict(int)
    for own, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", done.stderr, re.MULTILINE):
        top = name.partition(".")[0]
        found["standard library" if top in sys.stdlib_module_names else top] += int(own)
    return found
