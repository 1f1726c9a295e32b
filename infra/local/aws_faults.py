"""What goes wrong in the local AWS when a test, or a person at its page, says so."""

import fnmatch
import json
import threading
from dataclasses import dataclass
from typing import Literal

Answer = tuple[str, list[tuple[str, str]], bytes]
"""Status line, headers, body."""

AWS_ITSELF = "AWSITSELF"
"""The access key of what AWS does by itself, such as polling a queue for Lambda: never among `Aws.calls`."""

FAULT_CODES = {
    400: "ThrottlingException",
    403: "AccessDeniedException",
    429: "ThrottlingException",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


def failed(status: int, code: str, message: str) -> Answer:
    """Answer as AWS's JSON protocols do when they fail; of the XML ones (S3, STS) the status says enough."""
    headers = [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)]
    return f"{status} {code}", headers, json.dumps({"__type": code, "message": message}).encode()


class ConnectionCut(Exception):
    """The client gets no answer: its connection is reset."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong; `left` counts how often still (None: until cleared)."""

    action: str
    status: int | Literal["reset"] | None
    after: bool
    stall: float
    code: str
    containing: bytes
    left: int | None

    def fits(self, action: str, body: bytes, access_key: str) -> bool:
        """Say whether it concerns a request."""
        by_pattern = access_key != AWS_ITSELF and fnmatch.fnmatchcase(action, self.action)
        return (by_pattern or action == self.action) and self.containing in body

    def answer(self) -> Answer:
        """Give the error that the client is to see."""
        if not isinstance(self.status, int):
            raise ConnectionCut
        return failed(self.status, self.code, f"fault switched on for {self.action}")


class Faults:
    """What goes wrong, switched on and off while the server runs."""

    def __init__(self) -> None:
        """Start with nothing wrong."""
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._cleared = threading.Event()

    def add(
        self,
        action: str,
        *,
        status: int | Literal["reset"] | None = 500,
        after: bool = False,
        stall: float = 0.0,
        code: str = "",
        containing: str = "",
        times: int | None = 1,
    ) -> Fault:
        """Let the next `times` requests of an action (`PutParameter`, `*`) fail.

        `status`: the answer, or "reset" for a connection cut without one, or None to only stall. `after`:
        carry the request out first, so that the write happened although the answer says otherwise. `stall`:
        seconds to wait, at that moment. `code`: AWS's error code, if not the usual one of the status.
        `containing`: only requests with this text in their body.
        """
        usual = FAULT_CODES.get(status, "InternalServerError") if isinstance(status, int) else ""
        fault = Fault(action, status, after, stall, code or usual, containing.encode(), times)
        with self._lock:
            self._cleared.clear()
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End every fault, and the stalls under way."""
        with self._lock:
            self._faults.clear()
            self._cleared.set()

    def take(self, action: str, body: bytes, access_key: str) -> Fault | None:
        """Use up one time of the first fault that fits; a pattern never fits what AWS does by itself."""
        with self._lock:
            for fault in self._faults:
                if fault.fits(action, body, access_key):
                    fault.left = None if fault.left is None else fault.left - 1
                    if fault.left == 0:
                        self._faults.remove(fault)
                    return fault
        return None

    def stall(self, fault: Fault) -> None:
        """Wait as long as the fault says, or until the faults are cleared."""
        if fault.stall:
            self._cleared.wait(fault.stall)
