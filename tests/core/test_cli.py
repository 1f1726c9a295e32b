"""What the command line opens: a page, because rights in AWS make nobody a person of the directory."""

import json
import shlex
import sys

import pytest

from bot.cli import main

PAGES = {"MODEL_APPROVALS_PAGES_URL": "https://approvals.example.com/"}
PAGE = "https://approvals.example.com/ask/churn/7/prod"


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """A browser that notes down where it was sent."""
    notes = tmp_path / "notes"
    script = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    monkeypatch.setenv("BROWSER", f"{sys.executable} -c {shlex.quote(script)} {notes} %s")
    monkeypatch.setattr("webbrowser._tryorder", None)
    return lambda: notes.read_text() if notes.exists() else ""


def test_a_request_opens_its_page_and_prints_it(opened, capsys):
    assert main(["request", "churn", "7", "prod"], PAGES) == 0
    assert (capsys.readouterr().out.strip(), opened()) == (PAGE, PAGE)


@pytest.mark.parametrize(("how", "printed"), [("--no-browser", PAGE), ("--json", json.dumps({"url": PAGE}))])
def test_a_page_can_be_printed_only(opened, capsys, how, printed):
    assert main(["request", "churn", "7", "prod", how], PAGES) == 0
    assert (capsys.readouterr().out.strip(), opened()) == (printed, "")


@pytest.mark.parametrize(
    ("asked", "says"),
    [(["churn", "7", "staging"], "it has dev, test, uat, prod"), (["other", "7", "prod"], "for other")],
)
def test_what_the_policy_does_not_know_opens_nothing(opened, capsys, asked, says):
    assert main(["request", *asked], PAGES) == 1
    assert says in capsys.readouterr().err
    assert opened() == ""


def test_without_the_address_of_the_pages_it_is_said_what_is_missing(opened, capsys):
    assert main(["request", "churn", "7", "prod"], {}) == 1
    assert "MODEL_APPROVALS_PAGES_URL: is missing" in capsys.readouterr().err
