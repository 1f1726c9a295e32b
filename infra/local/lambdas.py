"""Functions as AWS Lambda runs them: each environment loads its handler once, and answers one event at a time."""

import importlib.util
import threading
import uuid
from collections.abc import Callable
from typing import Any

from infra.local.threads import Event


class Context:
    """What a handler may ask of its invocation."""

    def __init__(self, function: str) -> None:
        """Give the invocation an id."""
        self.function_name = function
        self.aws_request_id = str(uuid.uuid4())


Handler = Callable[[Event, Context], Any]


class Function:
    """One function: environments are started when all others are busy, and kept for the next event."""

    def __init__(self, module: str, *, concurrency: int = 4) -> None:
        """Name the handler's module, such as `handlers.slack`, and how many events are answered at once."""
        self.module = module
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(concurrency)
        self._idle: list[Handler] = []

    def __call__(self, event: Event) -> Any:  # noqa: ANN401 - whatever the handler answers
        """Invoke it."""
        with self._room:
            handler = self._take()
            answer = handler(event, Context(self.module))
            with self._lock:
                self._idle.append(handler)
        return answer

    def provision(self, environments: int) -> None:
        """Start environments ahead of the events that will need them, as provisioned concurrency does."""
        started = [self._load() for _ in range(environments)]
        with self._lock:
            self._idle += started

    def restart(self) -> None:
        """Forget the warm environments: the next event finds a cold one."""
        with self._lock:
            self._idle.clear()

    def stop(self) -> None:
        """End with the stack."""
        self.restart()

    def _take(self) -> Handler:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._load()

    def _load(self) -> Handler:
        """Run the module's code anew, as a cold start does, beside those that are running."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(self.module)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        handler: Handler = module.handler
        return handler
