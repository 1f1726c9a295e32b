"""Guards and steps taken away one at a time, in a copy: each is missed by a test. The list is the test."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("bot", "handlers", "infra", "tests")
LEFT = shutil.ignore_patterns("node_modules", "__pycache__", "browser", "journeys", "pictures")


class Mutation(NamedTuple):
    """Words of a module that are replaced by others, and the tests that have to miss them."""

    module: str
    words: str
    others: str
    tests: str


RULES, STORIES = "tests/core/test_rules.py", "tests/core/test_stories.py"
CRASHES, TRACES = "tests/proofs/test_crashes.py", "tests/proofs/test_traces.py"
MUTATIONS = {
    "anybody is an approver": Mutation("rules", "if environment.approvers not in member.groups:", "if False:", RULES),
    "a disabled account answers": Mutation("rules", "if not member.enabled:", "if False:", RULES),
    "a guest answers": Mutation("rules", "if not member.member:", "if False:", RULES),
    "two eyes are enough": Mutation("rules", "if requester.oid == person.oid:", "if False:", RULES),
    "the approver before approves again": Mutation(
        "rules", "if before and person.oid in {vote.by.oid for vote in before.approvals}:", "if False:", RULES
    ),
    "one person votes twice": Mutation(
        "rules", "entry.event.by.oid == member.person.oid for entry in one.votes", "False for entry in one.votes", RULES
    ),
    "what is decided is decided again": Mutation("rules", "if one.state is not State.PENDING:", "if False:", RULES),
    "an answer comes after its time": Mutation(
        "rules", "    if one.late(now):\n        raise Expired", "    if False:\n        raise Expired", RULES
    ),
    "another model than the card showed": Mutation(
        "rules", "if package.fingerprint != one.opened.fingerprint:", "if False:", RULES
    ),
    "the order of environments": Mutation(
        "rules", "if not state.in_order(request.environment, one.opened.path):", "if False:", RULES
    ),
    "a reject needs no reason": Mutation(
        "rules", "if answer is Answer.REJECT and not reason.strip():", "if False:", RULES
    ),
    "one approval is a quorum": Mutation(
        "history", "if len(one.approvals) >= one.required:", "if one.approvals:", "tests/core/test_history.py"
    ),
    "entries are not chained": Mutation(
        "history", 'op, sha256(last.raw) if last else "", event)', 'op, "", event)', "tests/core/test_history.py"
    ),
    "a revoke leaves later requests open": Mutation(
        "history", "state = _end_later(state, entry, revoked.environment)", "pass", "tests/core/test_history.py"
    ),
    "whoever is later overwrites the entry": Mutation(
        "records",
        "if not self._parameters.create(self.names.entry",
        "if not self._parameters.put(self.names.entry",
        STORIES,
    ),
    "a click that came twice counts twice": Mutation(
        "decisions",
        "while not look.state.holds(job.op):\n            if receipt",
        "while True:\n            if receipt",
        STORIES,
    ),
    "membership is not asked again after a lost race": Mutation(
        "decisions", "member = self._ask_again(job, event)", "pass", TRACES
    ),
    "no marker before an entry": Mutation(
        "decisions", "self._near.records.mark(job.model, environment)", "pass", STORIES
    ),
    "a click is recorded however late": Mutation(
        "decisions", "if receipt.dead or overdue(job, self._near.clock()):", "if receipt.dead:", TRACES
    ),
    "the older of two approvals wins": Mutation(
        "pointers", "current.order > wanted.order", "current.order < wanted.order", "tests/core/test_pointers.py"
    ),
    "nobody looks behind the head": Mutation("projection", "later = one.run()", "one.run(); later = None", STORIES),
    "older requests are not superseded": Mutation("projection", "self._supersede(look)", "pass", CRASHES),
    "an approval by hand is put back without end": Mutation(
        "registration", "if state.put_back < PUT_BACK_AT_MOST", "if True", "tests/core/test_registration.py"
    ),
    "an auditor does not look at the chain": Mutation(
        "audit", 'elif entry.prev != (sha256(before.raw) if before else ""):', "elif False:", "tests/core/test_audit.py"
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Iterator[Path]:
    """The project in another folder, where it may be broken."""
    folder = tmp_path_factory.mktemp("mutated")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=LEFT)
    shutil.copy(ROOT / "pyproject.toml", folder)
    yield folder
    shutil.rmtree(folder)


def missed(folder: Path, tests: str) -> bool:
    """Whether some test fails there, of those of the usual run."""
    asked = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests.split()]
    usual = {**os.environ, "PROOFS": ""}
    done = subprocess.run(asked, cwd=folder, env=usual, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stdout[-2000:] + done.stderr[-2000:]
    return done.returncode == 1


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_guard_or_step_that_is_taken_away_is_missed(copy, figure, what):
    mutation = MUTATIONS[what]
    module = copy / "bot" / f"{mutation.module}.py"
    text = module.read_text()
    assert text.count(mutation.words) == 1, f"{mutation.module} does not say {mutation.words!r} once"
    module.write_text(text.replace(mutation.words, mutation.others))
    try:
        assert missed(copy, mutation.tests), f"nobody missed it: {what}"
    finally:
        module.write_text(text)
    figure("guards and steps taken away, and missed", 1)


def test_the_copy_is_whole_where_nothing_is_taken_away(copy):
    assert not missed(copy, f"{RULES} tests/core/test_history.py")
