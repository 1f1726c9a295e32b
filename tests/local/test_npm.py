"""What comes from npm: where it can be had, and what is said where it cannot."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import npm
from infra.local.stack import REPOSITORY

INSTALL = "import sys, pathlib; from infra.local.npm import install; print(install(pathlib.Path(sys.argv[1])))"


@pytest.fixture
def machine(tmp_path):
    """A machine with the programs that are put on it, and no registry: `machine(node="echo v20")` tries to install."""
    programs, folder = tmp_path / "bin", tmp_path / "folder"
    programs.mkdir()
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    (programs / "python").symlink_to(Path(sys.executable).resolve())

    def trying(**scripts: str) -> str:
        for name, script in scripts.items():
            program = programs / name
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        mine = {"PATH": str(programs), "PYTHONPATH": str(REPOSITORY), "PIP_NO_INDEX": "1", "HOME": str(tmp_path)}
        asked = [programs / "python", "-c", INSTALL, folder]
        done = subprocess.run(asked, env=mine, capture_output=True, text=True, check=True, cwd=REPOSITORY)
        return done.stdout.rstrip("\n").rpartition("\n")[2]

    return trying


def test_without_node_it_says_so_and_what_would_have_brought_one(machine):
    assert machine() == f"there is no Node 18 or newer, and {npm.NODE} could not be installed"


def test_a_node_that_is_too_old_is_as_good_as_none(machine):
    assert machine(node="echo v12.22.0", npm="exit 0").startswith("there is no Node 18 or newer")


def test_what_npm_complains_of_is_passed_on(machine):
    assert machine(node="echo v20.1.0", npm="echo 'E404 adaptivecards is not there' >&2; exit 1") == (
        "npm answered: E404 adaptivecards is not there"
    )


def test_npm_is_told_to_run_no_script_of_a_package(machine, tmp_path):
    said = tmp_path / "said"
    machine(node="echo v20.1.0", npm=f'echo "$@" > {said}')
    assert said.read_text().split()[:2] == ["ci", "--ignore-scripts"]


def test_what_is_there_is_not_installed_again(tmp_path):
    lock, done = tmp_path / "package-lock.json", tmp_path / "node_modules" / ".package-lock.json"
    done.parent.mkdir()
    lock.write_text("{}")
    assert not npm.installed(tmp_path)
    done.write_text("{}")
    assert npm.installed(tmp_path)
    os.utime(lock, (done.stat().st_mtime + 60,) * 2)
    assert not npm.installed(tmp_path), "the lock names something else since"
