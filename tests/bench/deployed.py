"""Functions from what is deployed, each environment in a process of its own, between the doors of the local stack."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.local.lambdas import Function, Handler
from infra.local.threads import Event
from infra.package.__main__ import PLATFORMS, SLACK, SLACK_NEEDS_NOT, build, compiled
from infra.package.models import ROOT

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
MACHINE = PLATFORMS["x86_64" if os.uname().machine == "x86_64" else "arm64"]
ENVIRONMENT = Path(__file__).with_name("environment.py")


def packages(into: Path) -> None:
    """Build what `make build` builds, for this machine and this Python."""
    lines = (ROOT / "infra" / "runtime.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    slack = [line for line in wanted if line.partition("==")[0].lower() in SLACK]
    for name, chosen, without in (("function", wanted, ()), ("slack", slack, SLACK_NEEDS_NOT)):
        build(into / name, chosen, MACHINE, without, python=HERE)
        compiled(into / name, sys.executable)


def package_of(module: str, built: Path) -> list[Path]:
    """The folder that a door is deployed from."""
    return [built / ("slack" if module == "handlers.slack" else "function")]


def starting(module: str, folders: Sequence[Path]) -> list[str]:
    """What starts an environment."""
    return [sys.executable, "-IS", str(ENVIRONMENT), module, *map(str, folders)]


class Environment:
    """A process that answers one event at a time."""

    def __init__(self, module: str, folders: Sequence[Path], settings: dict[str, str]) -> None:
        self.resident: list[int] = []
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            starting(module, folders), env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __call__(self, event: Event, _context: object) -> Any:
        """Have an event answered; raise `RuntimeError` for a handler that failed, or ended."""
        with self._lock:
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
            said = json.loads(self._process.stdout.readline() or '{"error": "the process has ended"}')
        if "error" in said:
            raise RuntimeError(said["error"])
        self.resident.append(said["resident"])
        return said["answer"]

    def stop(self) -> None:
        """End its input, and with it the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)
        assert self._process.stdout
        self._process.stdout.close()


class Deployed(Function):
    """A function whose environments are processes; they find the settings that there are when they are started."""

    def __init__(
        self, module: str, folders: Sequence[Path], *, concurrency: int = 4, settings: dict[str, str] | None = None
    ) -> None:
        super().__init__(module, concurrency=concurrency)
        self.started: list[Environment] = []
        self._folders = folders
        self._settings = settings

    def _load(self) -> Handler:
        environment = Environment(self.module, self._folders, self._settings or dict(os.environ))
        self.started.append(environment)
        return environment

    def restart(self) -> None:
        """End the environments; the next event finds a cold one."""
        super().restart()
        while self.started:
            self.started.pop().stop()
