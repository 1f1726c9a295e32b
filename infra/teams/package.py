"""The app package that a Teams administrator uploads: `python -m infra.teams.package APP_ID [SITE] [FILE]`.

APP_ID is the app registration that the bot speaks as (MODEL_APPROVALS_ENTRA_CLIENT_ID); SITE is where people find out
who runs it, such as the address of its pages; FILE is `build/teams-app.zip` unless it is given.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).parent
FILE = "build/teams-app.zip"
ICONS = ("color.png", "outline.png")
PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
SITE = "https://approvals.example.com"
USAGE = "Usage: python -m infra.teams.package APP_ID [SITE] [FILE], with the GUID of the app registration."
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SITE = re.compile(r"https://[^\s\"\\]+")


def fill_manifest(app_id: str, site: str = SITE) -> dict[str, Any]:
    """Give the manifest for one bot; raise `ValueError` for what is no GUID, or no https address."""
    if not _GUID.fullmatch(app_id) or app_id == PLACEHOLDER:
        raise ValueError(f"{app_id!r} is not the GUID of an app registration.")
    if not _SITE.fullmatch(site):
        raise ValueError(f"{site!r} is no https address.")
    text = (HERE / "manifest.json").read_text(encoding="utf-8")
    manifest: dict[str, Any] = json.loads(text.replace(PLACEHOLDER, app_id).replace(SITE, site))
    return manifest


def write_package(manifest: dict[str, Any], file: Path) -> None:
    """Zip the manifest and its icons, with one fixed date: the same app is the same file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = {"manifest.json": json.dumps(manifest, indent=2, ensure_ascii=False).encode()}
    parts |= {name: (HERE / name).read_bytes() for name in ICONS}
    with ZipFile(file, "w", ZIP_DEFLATED) as package:
        for name, content in parts.items():
            package.writestr(ZipInfo(name), content, ZIP_DEFLATED)


def main(arguments: Sequence[str]) -> int:
    """Write the package, or say what is wrong."""
    given = [each for each in arguments if each]
    try:
        app_id, site, file = (*given, *("", SITE, FILE)[len(given) :])
        write_package(fill_manifest(app_id, site), Path(file))
    except ValueError as problem:
        print(f"{problem}\n{USAGE}", file=sys.stderr)
        return 2
    print(f"{file}: upload it in the Teams admin center, below Teams apps.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
