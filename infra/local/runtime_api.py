"""Functions as AWS Lambda starts them: packages under Lambda's own runtime client, each process with its Runtime API.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import json
import queue
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.lambdas import Context, Function, Handler
from infra.local.slack_http import Answer, Fault, Request, Server, Service
from infra.local.threads import Event

VERSION = "/2018-06-01/runtime/"
GLANCE = 0.05
"""Seconds between two looks whether a process that owes an answer is still there."""
ENDING = 5.0
"""Seconds that a process may take to end when told to."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function as it was deployed. `runtime` holds Lambda's runtime client; `log` takes what is printed."""

    name: str
    handler: str
    package: Path
    runtime: Path
    log: Path
    variables: Mapping[str, str]
    role: str
    """The access key by which calls of its role are known."""
    region: str
    account: str
    execution_environment: str
    memory: int
    timeout: float
    log_format: str = "Text"
    log_level: str = ""

    @property
    def arn(self) -> str:
        """Its name for AWS."""
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}:live"

    @property
    def environment(self) -> dict[str, str]:
        """All that its processes find in their environment, but for where the Runtime API is."""
        level = {"AWS_LAMBDA_LOG_LEVEL": self.log_level} if self.log_level else {}
        return {
            "AWS_ACCESS_KEY_ID": self.role,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": self.execution_environment,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_FORMAT": self.log_format,
            "LAMBDA_TASK_ROOT": str(self.package),
            "LAMBDA_RUNTIME_DIR": str(self.runtime),
            "PYTHONPATH": str(self.runtime),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": self.handler,
            **level,
            **self.variables,
        }

    def command(self, *arguments: str) -> list[str]:
        """Start Python as Lambda has it: with the package and the runtime client, and nobody's site-packages."""
        return [sys.executable, "-S", *arguments]


class FunctionFailed(Exception):
    """The function has raised, or its process could not start, or ended, or took too long."""


class Environment:
    """An execution environment: a process of the runtime client, and the Runtime API that it alone speaks to."""

    def __init__(self, deployed: Deployed) -> None:
        """Start the process; what it says of its start is heard with the first event."""
        self._deployed = deployed
        self._events: queue.SimpleQueue[tuple[str, Event]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._server = Server(Service("runtime", lambda request: request.path, self._serve, _refusal))
        self._server.start()
        address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.port}"}
        with deployed.log.open("ab") as log:
            self._process = subprocess.Popen(
                deployed.command("-m", "awslambdaric", deployed.handler),
                cwd=deployed.package,
                env=deployed.environment | address,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def invoke(self, event: Event, context: Context) -> Any:  # noqa: ANN401 - whatever the handler answers
        """Hand over one event and wait; whoever fails is not asked again."""
        self._events.put((context.aws_request_id, event))
        try:
            return self._answer(context.aws_request_id)
        except FunctionFailed:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, and what it speaks to."""
        self._process.terminate()
        try:
            self._process.wait(ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._events.put(("", {}))  # for the thread that waits with the process
        self._server.stop()

    def _answer(self, invocation: str) -> Any:  # noqa: ANN401 - JSON
        deadline = time.monotonic() + self._deployed.timeout
        while True:
            running = self._process.poll() is None
            try:
                about, answer = self._answers.get(timeout=GLANCE)
            except queue.Empty:
                if not running:
                    raise FunctionFailed(f"{self._deployed.name} ended with {self._process.returncode}") from None
                if time.monotonic() > deadline:
                    raise FunctionFailed(f"{self._deployed.name} timed out") from None
                continue
            if about != invocation:
                raise FunctionFailed(f"{self._deployed.name}: {answer['errorType']}: {answer['errorMessage']}")
            return answer

    def _serve(self, request: Request) -> Answer:
        match request.path.removeprefix(VERSION).split("/"):
            case ["invocation", "next"]:
                return self._next()
            case ["invocation", invocation, "response"]:
                self._answers.put((invocation, json.loads(request.body)))
            case ["invocation", _, "error"] | ["init", "error"]:
                self._answers.put(("", json.loads(request.body)))
            case _:
                return Answer(404)
        return Answer(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

    def _next(self) -> Answer:
        """Wait for an event as long as it takes; without each of these headers the runtime client may crash."""
        invocation, event = self._events.get()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._deployed.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": self._deployed.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        return Answer(200, json.dumps(event).encode(), headers)


class Packaged(Function):
    """One function out of its package: processes are started when all others are busy, and kept for the next event."""

    def __init__(self, deployed: Callable[[], Deployed], *, concurrency: int = 4) -> None:
        """Say how it is deployed, which is asked with its first event."""
        super().__init__("", concurrency=concurrency)
        self._deployed = deployed
        self._started: list[Environment] = []

    def restart(self) -> None:
        """End the processes that are idle: the next event finds a cold one."""
        with self._lock:
            idle, self._idle = self._idle, []
        for environment in self._started:
            if environment.invoke in idle:
                environment.stop()

    def stop(self) -> None:
        """End every process."""
        for environment in self._started:
            environment.stop()

    def _load(self) -> Handler:
        environment = Environment(self._deployed())
        self._started.append(environment)
        return environment.invoke


def _refusal(_: Fault) -> Answer:
    return Answer(500)
