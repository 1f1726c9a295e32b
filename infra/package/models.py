"""AWS's service models, cut down to the calls that the bot makes: botocore reads a model whole before its first call.

What is left is still botocore's own data, so that requests are validated, signed, retried and read as ever.
"""

import gzip
import json
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore import xform_name

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"clients\(\"(?P<service>[a-z0-9]+)\"\)\s*\.(?P<method>[a-z_]+)\(")
NAMED = re.compile(r"(?P<name>\w+) = self\._clients\(\"(?P<service>[a-z0-9]+)\"\)$", re.MULTILINE)
ACTION = re.compile(r"self\._found\(\"([A-Z]\w+)\"")


def calls(folder: Path = ROOT / "bot") -> dict[str, set[str]]:
    """The methods that the bot calls, by service: `{"ssm": {"get_parameters", …}}`."""
    found: dict[str, set[str]] = {}
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for call in CALL.finditer(text):
            found.setdefault(call["service"], set()).add(call["method"])
        for client in NAMED.finditer(text):
            used = re.findall(rf"\b{client['name']}\.([a-z_]+)\(", text)
            actions = map(_method, ACTION.findall(text))
            found.setdefault(client["service"], set()).update(used, actions)
    return found


def trimmed(model: Mapping[str, Any], methods: Iterable[str]) -> Json:
    """A model with some operations and the shapes that they need, undocumented; raise `KeyError` for a stranger."""
    names = {_method(name): name for name in model["operations"]}
    operations = {names[method]: _undocumented(model["operations"][names[method]]) for method in sorted(methods)}
    shapes: Json = {}
    waiting = [each["shape"] for operation in operations.values() for each in _references(operation)]
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = _undocumented(model["shapes"][name])
            waiting += [each["shape"] for each in _references(shapes[name])]
    kept = {key: value for key, value in model.items() if key not in {"documentation", "examples"}}
    return {**kept, "operations": operations, "shapes": shapes}


def cut_down(data: Path, services: Mapping[str, Iterable[str]]) -> None:
    """Leave in botocore's `data` only what the calls need: models, their endpoints, the retry rules."""
    prefixes: set[str] = set()
    for folder in sorted(each for each in data.iterdir() if each.is_dir()):
        if folder.name not in services:
            shutil.rmtree(folder)
            continue
        *older, newest = sorted(folder.iterdir())
        for each in older:
            shutil.rmtree(each)
        for file in newest.iterdir():
            if not file.name.startswith(("service-2.", "endpoint-rule-set-1.")):
                file.unlink()
        path = next(newest.glob("service-2.*"))
        model = trimmed(_read(path), services[folder.name])
        path.unlink()
        (newest / "service-2.json").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")
        prefixes |= {folder.name, model["metadata"]["endpointPrefix"]}
    path = data / "endpoints.json"
    path.write_text(json.dumps(endpoints_of(_read(path), prefixes), separators=(",", ":")), encoding="utf-8")


def endpoints_of(whole: Mapping[str, Any], services: Collection[str]) -> Json:
    """AWS's endpoints of some services: botocore reads those of all before its first client."""
    partitions = [
        {**each, "services": {name: found for name, found in each["services"].items() if name in services}}
        for each in whole["partitions"]
    ]
    return {**whole, "partitions": partitions}


def _read(path: Path) -> Json:
    data = path.read_bytes()
    found: Json = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def _references(value: Any) -> Iterable[Json]:  # noqa: ANN401 - JSON
    """Every object inside that names a shape."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _undocumented(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {
            key: _undocumented(each)
            for key, each in value.items()
            if not (key == "documentation" and isinstance(each, str)) and key != "documentationUrl"
        }
    return [_undocumented(each) for each in value] if isinstance(value, list) else value


def _method(operation: str) -> str:
    """Give botocore's own name for the method of an operation."""
    return str(xform_name(operation))
