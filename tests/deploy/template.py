"""The template as CloudFormation is given it, and what CloudFormation makes of it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from samtranslator.translator.transform import transform

Json = dict[str, Any]
TEMPLATE = Path(__file__).parents[2] / "infra" / "template.yaml"
FUNCTIONS = ("Slack", "Teams", "Web", "Events", "Decisions", "Openings", "Sweep")
NO_VALUE = object()
PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "approvals"}

_Loader: Any = type("_Loader", (yaml.SafeLoader,), {})
"""YAML with CloudFormation's short tags."""


def _tagged(loader: Any, suffix: str, node: Any) -> Json:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


class _NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def loaded(text: str) -> Json:
    found: Json = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    return found


@cache
def transformed() -> Json:
    """Give the template after SAM's transformation."""
    source = re.sub(r"CodeUri: \S+", "CodeUri: s3://bucket/key", TEMPLATE.read_text())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        found: Json = transform(loaded(source), {}, _NoManagedPolicies())
    return found


def packages() -> dict[str, str]:
    """Which folder of `build` each function is deployed from."""
    source = loaded(TEMPLATE.read_text())
    usual = source["Globals"]["Function"]["CodeUri"]
    code = {name: source["Resources"][f"{name}Function"]["Properties"].get("CodeUri", usual) for name in FUNCTIONS}
    return {name: str(path).removeprefix("../build/") for name, path in code.items()}


def of_type(resources: Json, kind: str) -> Json:
    return {name: each["Properties"] for name, each in resources.items() if each["Type"] == kind}


def words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


class Values:
    """What references, conditions and substitutions come to, once it is known what they name."""

    def __init__(self, template: Json, parameters: Mapping[str, str], named: Mapping[str, str]) -> None:
        """`named`: what is made, by its name (`Ref`) or `Name.Attribute` (`GetAtt`); a stranger is a `KeyError`."""
        defaults = {name: str(each["Default"]) for name, each in template["Parameters"].items() if "Default" in each}
        assert parameters.keys() <= template["Parameters"].keys()
        self._conditions = template["Conditions"]
        self._named = {"AWS::NoValue": NO_VALUE, **PSEUDO, **defaults, **parameters, **named}

    def of(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._named[name]
            case {"Fn::GetAtt": [name, attribute]}:
                return self._named[f"{name}.{attribute}"]
            case {"Fn::Sub": [text, more]}:
                return self._filled(text, self.of(more))
            case {"Fn::Sub": text}:
                return self._filled(text, {})
            case {"Fn::If": [condition, then, otherwise]}:
                return self.of(then if self._holds(self._conditions[condition]) else otherwise)
            case dict():
                found = {key: self.of(each) for key, each in value.items()}
                return {key: each for key, each in found.items() if each is not NO_VALUE}
            case list():
                return [each for each in map(self.of, value) if each is not NO_VALUE]
        return value

    def _filled(self, text: str, more: Mapping[str, Any]) -> str:
        return re.sub(r"\$\{([\w.:]+)\}", lambda found: str({**self._named, **more}[found[1]]), text)

    def _holds(self, condition: Json) -> bool:
        match condition:
            case {"Fn::Equals": [one, other]}:
                return bool(self.of(one) == self.of(other))
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
        raise ValueError(condition)
