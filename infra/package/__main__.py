"""Make what is deployed: `build/function` for all functions, and `build/slack`, small, for the door of Slack.

`python -m infra.package [arm64|x86_64]`. Packages come as wheels for Amazon Linux, so that any machine can build them.
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from infra.package.models import ROOT, calls, cut_down

PYTHON = "3.13"
"""The minor version of the template's runtime: byte code is read by no other."""
PLATFORMS = {"arm64": "manylinux2014_aarch64", "x86_64": "manylinux2014_x86_64"}
SLACK = ("botocore", "slack-bolt", "slack-sdk", "urllib3")
"""What the door of Slack imports."""
SLACK_NEEDS_NOT = ("web", "teams", "entra", "mail")
"""Parts of the bot that this door does not import."""
UNUSED = ("boto3", "s3transfer", "bin", "*.dist-info/RECORD", "**/tests", "**/test", "**/*.pyi", "**/*.so.debug")
"""botocore is used as it is; what only boto3 needs, and what only tests need, stays behind."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build both folders, and say how large they are."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("architecture", nargs="?", choices=sorted(PLATFORMS), default="arm64")
    parser.add_argument("--into", type=Path, default=ROOT / "build", metavar="FOLDER")
    parser.add_argument("--python", default="", metavar="PATH", help=f"a Python {PYTHON}, to compile with")
    asked = parser.parse_args(arguments)
    for folder in built(asked.into, asked.architecture, asked.python or _interpreter()):
        where = folder.relative_to(asked.into.parent)
        print(f"{where}: {_megabytes(_size(folder))}, {_megabytes(zipped(folder))} zipped")
    return 0


def built(into: Path, architecture: str, interpreter: str | None, *, python: str = PYTHON) -> list[Path]:
    """Make both folders, and compile them."""
    wanted = [
        line for line in (ROOT / "infra/runtime.txt").read_text().splitlines() if line and not line.startswith("#")
    ]
    slack = [line for line in wanted if line.partition("==")[0].lower() in SLACK]
    folders = {into / "function": (wanted, ()), into / "slack": (slack, SLACK_NEEDS_NOT)}
    for folder, (packages, without) in folders.items():
        build(folder, packages, PLATFORMS[architecture], without, python=python)
        compiled(folder, interpreter)
    return list(folders)


def build(
    folder: Path, packages: Sequence[str], platform: str, without: Iterable[str] = (), *, python: str = PYTHON
) -> None:
    """Install wheels, add the bot and its policy, and cut away what is not used."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    install(folder, packages, platform, python)
    for pattern in UNUSED:
        for path in sorted(folder.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    cut_down(folder / "botocore" / "data", calls())
    ours = shutil.ignore_patterns("__pycache__", *without)
    shutil.copytree(ROOT / "bot", folder / "bot", ignore=ours)
    shutil.copytree(ROOT / "handlers", folder / "handlers", ignore=ours)
    (folder / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "policy.toml", folder / "infra")


def zipped(folder: Path) -> int:
    """The bytes of a zip of the folder."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for each in sorted(folder.rglob("*")):
            archive.write(each, each.relative_to(folder))
    return path.stat().st_size


def install(folder: Path, packages: Sequence[str], platform: str, python: str) -> None:
    """Put packages and what they need into a folder, each in the version that `infra/constraints.txt` names."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--target", str(folder), "--platform", platform, "--python-version", python, "--only-binary=:all:"]
    command += ["--implementation", "cp", "-c", str(ROOT / "infra" / "constraints.txt"), *packages]
    subprocess.run(command, check=True)


def compiled(folder: Path, interpreter: str | None) -> None:
    """Byte code that is never checked against its source: a zip's times would make any other stale.

    https://docs.python.org/3/library/py_compile.html#py_compile.PycInvalidationMode.UNCHECKED_HASH
    """
    if interpreter is None:
        print(f"No Python {PYTHON} was found, so nothing is compiled, and cold starts take twice as long.")
        print(f"Name one: make build PYTHON_RUNTIME=/path/to/python{PYTHON}")
        return
    command = [interpreter, "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True)


def _interpreter() -> str | None:
    """A Python of the runtime's minor version."""
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        return sys.executable
    candidates = filter(None, (shutil.which(f"python{PYTHON}"), shutil.which("python3")))
    for candidate in candidates:
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        said = subprocess.run([candidate, "-c", asked], capture_output=True, text=True, check=False)
        if said.returncode == 0 and said.stdout.strip() == PYTHON:
            return candidate
    return None


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
