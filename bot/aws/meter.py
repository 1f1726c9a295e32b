"""CloudWatch's embedded metric format: a line of JSON on the standard output, and no call.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import sys
from collections.abc import Callable

from bot.ports import Clock
from bot.trace import current

UNITS = {"TimeToDecision": "Seconds", "ParametersUsed": "Percent"}
"""What is no count."""


def _print(line: str) -> None:
    """One write a line: two threads' lines must not be mixed up."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class EmbeddedMetrics:
    """`metering.Meter`: each number in the namespace, for all together and by what it is of."""

    def __init__(self, namespace: str, clock: Clock, write: Callable[[str], None] = _print) -> None:
        self._namespace, self._clock, self._write = namespace, clock, write

    def __call__(self, what: str, value: float = 1, /, **of: str) -> None:
        """Write it down."""
        service = {"service": "model-approvals"}
        dimensions = [[*service]] + ([[*service, *of]] if of else [])
        metrics = [{"Name": what, "Unit": UNITS.get(what, "Count")}]
        about = {"Namespace": self._namespace, "Dimensions": dimensions, "Metrics": metrics}
        head = {"Timestamp": int(self._clock().timestamp() * 1000), "CloudWatchMetrics": [about]}
        self._write(json.dumps({"_aws": head, **service, **of, what: value, "trace": current()}))
