"""One environment of a function, as Lambda has it: a process that loads its handler once, then answers events.

`python -IS environment.py MODULE FOLDER…`; each line of its input is an event, each line of its output an answer. It is
started without site-packages: what is not in the folders is not there.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace


def main(module: str, *folders: str) -> None:
    """Load the handler, and answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a handler prints is no answer
    sys.path[:0] = folders
    os.chdir(folders[0])
    handler = importlib.import_module(module).handler
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{module}"
    context = SimpleNamespace(function_name=module, invoked_function_arn=arn, aws_request_id="bench")
    for line in sys.stdin:
        try:
            answer = {"answer": handler(json.loads(line), context)}
        except Exception:  # noqa: BLE001 - the outermost frame: an error is an answer, too
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps({**answer, "resident": resident()}) + "\n")
        answers.flush()


def resident() -> int:
    """The bytes of memory that this process holds now; nothing where the system does not say."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if pages.exists() else 0


if __name__ == "__main__":
    main(*sys.argv[1:])
