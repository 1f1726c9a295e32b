"""Run one command, and print what it took: `{"cpu": seconds, "resident": bytes}`, of user and system, and at most.

It is small and imports little, because a child begins with the memory that its parent had.
"""

import json
import os
import subprocess
import sys


def main(command: list[str]) -> int:
    """Wait for the command alone; its exit code is ours."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024
    print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "resident": used.ru_maxrss * unit}))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
