"""The app package of Teams: Microsoft's schema takes its manifest, and its icons are what Teams asks for."""

import copy
import json
import struct
import subprocess
import sys
from zipfile import ZipFile

import pytest
from jsonschema import Draft4Validator

from infra.teams.package import SITE, fill_manifest, write_package
from tests.browser.node import module

APP = "3b2f6a1c-7d54-4a8e-9c1f-0a5b6c7d8e9f"


@pytest.fixture(scope="module")
def schema():
    """Microsoft's own of the version that our manifest names."""
    version = fill_manifest(APP)["manifestVersion"]
    folder = module("@microsoft/app-manifest") / "build" / "json-schemas" / "teams" / f"v{version}"
    return Draft4Validator(json.loads((folder / "MicrosoftTeams.schema.json").read_text(encoding="utf-8-sig")))


@pytest.fixture
def package(tmp_path):
    """The package as it is uploaded."""
    file = tmp_path / "build" / "teams-app.zip"
    write_package(fill_manifest(APP, "https://models.example.com"), file)
    with ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_microsofts_schema_takes_the_manifest(schema, package):
    assert [error.message for error in schema.iter_errors(json.loads(package["manifest.json"]))] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["bots"][0].update(botId="our-bot"),
        lambda manifest: manifest["bots"][0].update(scopes=["everywhere"]),
        lambda manifest: manifest["name"].update(short="x" * 31),
        lambda manifest: manifest.pop("developer"),
        lambda manifest: manifest.update(accentColor="purple"),
    ],
    ids=["no GUID", "no scope", "a long name", "nobody's", "no colour"],
)
def test_the_schema_would_have_noticed(schema, change):
    manifest = copy.deepcopy(fill_manifest(APP))
    change(manifest)
    assert list(schema.iter_errors(manifest))


def test_the_bot_of_the_package_is_the_one_that_was_named_and_hears_clicks(package):
    manifest = json.loads(package["manifest.json"])
    [bot] = manifest["bots"]
    assert (manifest["id"], bot["botId"]) == (APP, APP)
    assert not bot.get("isNotificationOnly")
    assert [each["title"] for each in bot["commandLists"][0]["commands"]] == ["model-status", "model-status help"]
    assert SITE not in package["manifest.json"].decode()


def test_the_icons_have_the_sizes_that_teams_asks_for(package):
    sizes = {name: struct.unpack(">II", package[name][16:24]) for name in ("color.png", "outline.png")}
    assert sizes == {"color.png": (192, 192), "outline.png": (32, 32)}


@pytest.mark.parametrize("app", ["", "our-bot", "00000000-0000-0000-0000-000000000000"])
def test_what_is_no_app_registration_makes_no_package(tmp_path, app):
    file = tmp_path / "app.zip"
    command = [sys.executable, "-m", "infra.teams.package", app, "", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "GUID" in done.stderr
    assert not file.exists()
