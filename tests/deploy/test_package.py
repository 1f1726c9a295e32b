"""What is deployed: the doors import from it alone, AWS's models are cut down and still whole where it matters."""

import json
import subprocess
import sys
from pathlib import Path

import botocore.loaders
import pytest
from botocore import xform_name
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver

from infra.package.__main__ import PLATFORMS, SLACK, SLACK_NEEDS_NOT, build, compiled, zipped
from infra.package.models import ROOT, calls, trimmed
from tests.deploy.machine import HERE, MACHINE

IMPORT = """
import json, sys
sys.path[:] = [folder for folder in sys.path if "site-packages" not in folder]
sys.path.insert(0, sys.argv[1])
import importlib, os
os.chdir(sys.argv[1])
importlib.import_module(sys.argv[2])
import botocore.session
client = botocore.session.get_session().create_client("ssm", region_name="eu-central-1")
client.get_parameters
print(json.dumps(sorted(sys.modules)))
"""
A_CLICK_NEEDS = {
    *(
        "admission",
        "clicks",
        "codec",
        "config",
        "domain",
        "encoding",
        "envelope",
        "errors",
        "inbound",
        "links",
        "measure",
    ),
    *("names", "people", "policy", "ports", "seals", "text", "trace", "waves", "wiring"),
    *("aws", "aws.clients", "aws.limits", "aws.parameters", "aws.queues", "aws.seal", "aws.secrets"),
    *("slack", "slack.api", "slack.app", "slack.buttons", "slack.identity", "slack.listeners", "slack.modal"),
    *("slack.mrkdwn", "slack.whispers"),
}
"""The modules of the bot behind the door of Slack: each further one is waited for by whoever clicks first."""
VALUES = 37
"""Dataclasses among them at most: Python takes half a millisecond and more to make one."""
SETTINGS = {
    "MODEL_APPROVALS_ACCOUNT": "123456789012",
    "MODEL_APPROVALS_REGION": "eu-central-1",
    "MODEL_APPROVALS_DECISIONS_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/decisions.fifo",
    "MODEL_APPROVALS_OPENINGS_URL": "https://sqs.eu-central-1.amazonaws.com/123456789012/openings.fifo",
    "MODEL_APPROVALS_SLACK_TEAM": "T0123456789",
    "MODEL_APPROVALS_SLACK_BOT_TOKEN": "secretsmanager:approvals#slack_bot_token",
    "MODEL_APPROVALS_SLACK_SIGNING_SECRETS": "secretsmanager:approvals#slack_signing_secrets",
    "MODEL_APPROVALS_PAGES_URL": "https://approvals.example.com",
    "MODEL_APPROVALS_SEAL_KEY": "alias/approvals",
}


@pytest.fixture(scope="module")
def slack(tmp_path_factory) -> Path:
    """The package of Slack's door, built for this machine."""
    folder: Path = tmp_path_factory.mktemp("build") / "slack"
    lines = (ROOT / "infra" / "runtime.txt").read_text().splitlines()
    wanted = [line for line in lines if line.partition("==")[0].lower() in SLACK]
    build(folder, wanted, PLATFORMS[MACHINE], SLACK_NEEDS_NOT, python=HERE)
    return folder


@pytest.fixture(scope="module")
def loaded(slack) -> set[str]:
    """The modules of a process in which that door is ready."""
    script = [sys.executable, "-IB", "-c", IMPORT, str(slack), "handlers.slack"]
    done = subprocess.run(script, env=SETTINGS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def test_the_door_of_slack_imports_from_its_package_alone(loaded):
    packages = {name.partition(".")[0] for name in loaded}
    assert {"bot", "slack_bolt", "botocore"} <= packages
    assert not packages & {"msal", "requests", "jinja2", "cryptography", "boto3", "moto", "pytest", "pygal"}


def test_the_door_of_slack_loads_of_the_bot_what_a_click_needs_and_nothing_else(loaded):
    assert {name.removeprefix("bot.") for name in loaded if name.startswith("bot.")} == A_CLICK_NEEDS


def test_what_it_loads_makes_few_dataclasses(slack, loaded):
    sources = [slack / f"{name.replace('.', '/')}.py" for name in loaded if name.startswith("bot.")]
    texts = [source.read_text("utf-8") for source in sources if source.is_file()]
    assert 0 < sum(text.count("\n@dataclass") for text in texts) <= VALUES


def test_it_is_small_and_holds_no_tests(slack):
    assert zipped(slack) < 3_000_000
    names = {path.name for path in slack.rglob("*")}
    assert not names & {"tests", "test", "moto", "pytest", "boto3", "s3transfer", "conftest.py"}
    assert (slack / "infra" / "policy.toml").is_file()


def test_byte_code_is_read_without_a_look_at_its_source(slack, tmp_path):
    copy = tmp_path / "bot"
    copy.mkdir()
    (copy / "one.py").write_text("ONE = 1\n")
    compiled(tmp_path, sys.executable)
    [path] = copy.rglob("*.pyc")
    flags = int.from_bytes(path.read_bytes()[4:8], "little")
    assert flags == 0b01, "a hash that is not checked (PEP 552)"


def test_without_the_right_python_it_is_said(slack, capsys):
    compiled(slack, None)
    assert "nothing is compiled" in capsys.readouterr().out


@pytest.mark.parametrize("service", sorted(calls()))
def test_a_model_that_was_cut_down_has_every_call_and_all_that_it_needs(service):
    whole = botocore.loaders.Loader().load_service_model(service, "service-2")
    small = trimmed(whole, calls()[service])
    assert {xform_name(name) for name in small["operations"]} == calls()[service]
    assert len(json.dumps(small)) < len(json.dumps(whole)) / 3
    text = json.dumps(small)
    named = {each for each in whole["shapes"] if f'"shape": "{each}"' in text}
    assert named <= set(small["shapes"])
    assert '"documentation": "' not in json.dumps([small["operations"], small["shapes"]])
    read, wanted = ServiceModel(small), ServiceModel(whole)
    assert read.client_context_parameters == wanted.client_context_parameters, "of which botocore reads what they say"
    assert read.metadata == wanted.metadata


def test_endpoints_are_those_of_the_services_that_are_called(slack):
    place = slack / "botocore" / "data"
    small = botocore.loaders.Loader(extra_search_paths=[str(place)], include_default_search_paths=False)
    resolvers = [EndpointResolver(loader.load_data("endpoints")) for loader in (small, botocore.loaders.Loader())]
    for region in ("eu-central-1", "us-gov-west-1", "cn-north-1"):
        for service in ("ssm", "sqs", "kms", "sts", "s3", "secretsmanager", "api.sagemaker", "email"):
            ours, whole = (each.construct_endpoint(service, region) for each in resolvers)
            assert ours == whole
    assert (slack / "botocore" / "data" / "endpoints.json").stat().st_size < 100_000


def test_a_call_that_the_model_does_not_know_is_noticed():
    whole = botocore.loaders.Loader().load_service_model("ssm", "service-2")
    with pytest.raises(KeyError):
        trimmed(whole, {"get_parametres"})
