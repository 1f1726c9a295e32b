"""`make demo`, run as it is: what it prints, and that it fails when something is wrong."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local import demo
from infra.local.journey import Unexpected, expect, expect_same, expect_words
from infra.local.terminal import ERASE, GREEN, Terminal

REPOSITORY = Path(__file__).resolve().parents[2]
ENOUGH = 90
"""Seconds that the demo may take."""


def ran(**settings):
    """The demo's exit code, lines and errors, as in a pipe."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MODEL_APPROVALS_"))}
    done = subprocess.run(
        [sys.executable, "-m", "infra.local.demo"],
        cwd=REPOSITORY,
        env=mine | settings,
        capture_output=True,
        text=True,
        timeout=ENOUGH,
        check=False,
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


def test_every_step_of_the_journey_is_verified_and_printed_in_plain_text(figure):
    code, lines, errors = ran()
    assert (code, errors) == (0, ""), "\n".join(lines[-20:]) + errors
    assert lines[-1].startswith(f"{len(demo.STEPS)} of {len(demo.STEPS)} steps verified, ")
    for number, step in enumerate(demo.STEPS, start=1):
        place = lines.index(f"{number:2}/{len(demo.STEPS)}  {step.title}  ok")
        assert lines[place + 1].startswith("         "), f"step {number} does not say what it has read back"
    assert not [line for line in lines if "\x1b" in line or "\r" in line]
    figure("the demo", lines[-1])


def test_a_broken_setting_fails_the_demo_and_names_the_step():
    code, lines, _ = ran(MODEL_APPROVALS_POLICY="nowhere.toml")
    assert code == 1
    assert f" 2/{len(demo.STEPS)}  The first sweep leaves them alone  FAILED" in lines
    found = next(line for line in lines if "found:" in line)
    assert "MODEL_APPROVALS_POLICY: nowhere.toml cannot be read" in found
    assert "step 2 failed: The first sweep leaves them alone" in lines[-1]


def test_a_policy_that_asks_others_fails_the_demo_where_it_matters(tmp_path):
    text = (REPOSITORY / "infra" / "policy.toml").read_text()
    asks_nobody = text.replace("00000000-0000-4000-8000-00000000b001", "00000000-0000-4000-8000-00000000b00f")
    (tmp_path / "policy.toml").write_text(asks_nobody)
    code, lines, _ = ran(MODEL_APPROVALS_POLICY=str(tmp_path / "policy.toml"))
    assert code == 1
    assert "Maya Chen approves v51 for dev" in lines[-1]
    assert "expected: Approved" in "\n".join(lines)
    assert "found:    PendingManualApproval" in "\n".join(lines)


@pytest.mark.parametrize("look", [expect, expect_same, expect_words])
def test_what_differs_is_never_passed_over(look):
    with pytest.raises(Unexpected) as found:
        look("it", "one", "two")
    assert (found.value.what, found.value.found) == ("it", "one")


class Screen(io.StringIO):
    """A terminal that keeps all it was sent."""

    def isatty(self):
        return True


def printed(out, **environment):
    terminal = Terminal(environment, out)
    with terminal.busy("working"):
        time.sleep(0.2)
    terminal.say("done", GREEN)
    return out.getvalue()


def test_on_a_terminal_there_are_colours_and_a_line_that_vanishes():
    text = printed(Screen(), TERM="xterm")
    assert text.count("working") > 1
    assert text.endswith(f"{ERASE}\x1b[32mdone\x1b[0m\n")


def test_no_color_takes_the_colours_away_and_nothing_else():
    text = printed(Screen(), TERM="xterm", NO_COLOR="1")
    assert "working" in text
    assert "\x1b" not in text.replace(ERASE, "")


@pytest.mark.parametrize(("out", "term"), [(io.StringIO(), "xterm"), (Screen(), "dumb")], ids=["pipe", "dumb"])
def test_where_lines_cannot_vanish_there_is_plain_text(out, term):
    assert printed(out, TERM=term) == "done\n"
