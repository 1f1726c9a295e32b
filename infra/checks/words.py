"""Words that product code never says: what it would do only for a local stack, it would not do in production.

`python -m infra.checks.words` prints file:line for each, and fails if there are any.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SHIPPED = ("bot", "handlers")
WORDS = (
    "sandbox", "localhost", "127.0.0.1", "moto", "local stack", "mock", "fake", "stub", "dummy", "persona",
)  # fmt: skip
# An underscore divides words (`fake_client`), a letter or a digit does not (`remote`, `personal`).
WORD = re.compile(rf"(?<![^\W_])(?:{'|'.join(map(re.escape, WORDS))})(?![^\W_])", re.IGNORECASE)


def find_words(folder: Path) -> Iterator[str]:
    """Yield `file:line: word` for each such word in any text file below the folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
                yield from (f"{path}:{number}: {word[0]}" for word in WORD.finditer(line))


def main(folders: Sequence[str]) -> int:
    """Print what is found in the folders; the exit code says whether there was anything."""
    found = [finding for folder in folders for finding in find_words(Path(folder))]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(SHIPPED))
