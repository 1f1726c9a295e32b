"""What `make build` makes, as the template deploys it, under Lambda's own runtime client: the journey of the demo.

Built for the machine and the Python that run the test. One test, so that the packages are built and the journey is
made once; its parts are subtests.
"""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from infra.local.demo import GROUP, STEPS, take
from infra.local.journey import Journey
from infra.local.runtime_api import Deployed
from infra.local.stack import Stack
from infra.package.__main__ import PLATFORMS, built, install
from tests.deploy.deployment import Deployment, access_key
from tests.deploy.machine import HERE, MACHINE
from tests.deploy.rights import asks, granted, grants
from tests.deploy.template import FUNCTIONS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client is built for Linux alone")

BY_AWS = {
    "logs:CreateLogStream": "Lambda writes the log",
    "logs:PutLogEvents": "Lambda writes the log",
    "sqs:ReceiveMessage": "Lambda polls the queue",
    "sqs:DeleteMessage": "Lambda polls the queue",
    "sqs:GetQueueAttributes": "Lambda polls the queue",
    "sqs:ChangeMessageVisibility": "Lambda polls the queue",
    "sqs:SendMessage events-dead": "Lambda puts there what failed until its last try",
    "kms:Decrypt secretsmanager.us-east-1.amazonaws.com": "Secrets Manager opens the secret for who reads it",
}
"""Rights that AWS uses on a function's behalf, so that the function makes no such call."""
ON_PAGES = "an environment whose answers are given on our pages alone"
SECRET = "an app registration without a client secret"
RARELY = {
    "Slack": {
        "ssm:DeleteParameter parameter/model-approvals/_people/slack/*": "somebody unlinks their account",
        "kms:Encrypt link": ON_PAGES,
    },
    "Teams": {
        "kms:Encrypt link": ON_PAGES,
        "sts:GetWebIdentityToken api://AzureADTokenExchange": SECRET,
    },
    "Web": {
        "sqs:SendMessage openings.fifo": "a promotion is requested on a page",
        "kms:Decrypt confirm": "an administrator confirms a link between two addresses",
        "sts:GetWebIdentityToken api://AzureADTokenExchange": SECRET,
    },
    "Decisions": {
        "kms:Encrypt link": "a mail reminds",
        "sqs:SendMessage openings.fifo": "a model has changed since it was asked about",
        "sqs:SendMessage decisions.fifo": "a card is behind its history",
        "ssm:GetParameterHistory parameter/model-approvals/*/approved/*": "an approved model was written by hand",
        "sts:GetWebIdentityToken api://AzureADTokenExchange": SECRET,
    },
    "Openings": {
        "ssm:DeleteParameter parameter/model-approvals/_open/*": "a marker of a request that has ended is left",
        "sts:GetWebIdentityToken api://AzureADTokenExchange": SECRET,
    },
}
"""Rights that the journey does not need, and what does."""

IMPORT = """
import importlib.util, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps([name for name in sys.argv[2:] if importlib.util.find_spec(name)]))
"""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory) -> Deployment:
    """Packages of this machine, and the runtime client beside them: Lambda brings its own."""
    folder = tmp_path_factory.mktemp("deployment")
    built(folder / "build", MACHINE, sys.executable, python=HERE)
    install(folder / "runtime", ["awslambdaric"], PLATFORMS[MACHINE], HERE)
    (folder / "logs").mkdir()
    return Deployment(folder / "build", folder / "runtime", folder / "logs")


def test_the_packages_make_the_journey_with_the_variables_and_the_rights_of_the_template(deployment, subtests, figure):
    before = files(deployment.build)
    with Stack(functions=deployment.functions) as stack:
        stack.slack.limits.posts_per_second = stack.slack.limits.post_burst = 1000
        for name in FUNCTIONS:
            with subtests.test("alone", function=name):
                check_alone(deployment.function(stack, name))
        taken = travel(stack, subtests)
        assert taken == len(STEPS), f"of the others nothing can be said; logged: {trouble(deployment.logs)}"
        figure("steps through the packages", taken)
        for name in FUNCTIONS:
            with subtests.test("rights", function=name):
                check_rights(deployment, stack, name)
    with subtests.test("byte code"):
        assert files(deployment.build) == before, "none was stale or missing, or Python would have written it"
    with subtests.test("logs"):
        check_logs(deployment.logs)


def check_alone(function: Deployed) -> None:
    """It starts, and whatever tests have and it has not is out of its reach."""
    brought = {
        path.name.partition(".")[0] for folder in (function.package, function.runtime) for path in folder.iterdir()
    }
    foreign = sorted(packages_distributions().keys() - brought - sys.stdlib_module_names)
    assert {"pytest", "moto", "boto3", "hypothesis"} <= set(foreign)
    command = function.command("-c", IMPORT, function.handler.rpartition(".")[0], *foreign)
    done = subprocess.run(
        command, cwd=function.package, env=function.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def travel(stack: Stack, subtests: pytest.Subtests) -> int:
    """Take the steps of the demo until one fails, and the sweep of a day at the end; count the steps."""
    journey = Journey(stack, GROUP)
    for number, step in enumerate(STEPS, start=1):
        with subtests.test(f"step {number}", title=step.title):
            _, unexpected = take(step, journey)
            assert unexpected is None, f"{unexpected}: expected {unexpected.expected}, found {unexpected.found}"
            continue
        return number - 1
    stack.functions["sweep"]({"all": True})
    stack.settle()
    return len(STEPS)


def check_rights(deployment: Deployment, stack: Stack, name: str) -> None:
    """Whatever a function has called, its role allows; whatever its role allows, it has called, or it says when."""
    role = list(grants(deployment.statements(stack, name)))
    calls = [call for call in stack.aws.calls if call.access_key == access_key(name)]
    asked = {each for call in calls for each in asks(call)}
    assert asked
    assert [each for each in asked if not granted(role, each)] == [], "it has called what its role does not allow"
    held = {str(grant): grant for grant in role if not grant.denies}
    unused = {text for text, grant in held.items() if not any(map(grant.fits, asked))}
    by_aws = {text for text in unused if text in BY_AWS or text.partition(" ")[0] in BY_AWS}
    rarely = RARELY.get(name, {}).keys()
    assert unused - by_aws - rarely == set(), "it holds a right that it does not use"
    assert rarely - held.keys() == set(), "it lacks a right that it needs now and then"


def files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Every file, with what changes when it is written."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in found.items()}


def trouble(folder: Path) -> str:
    """What the functions have said last of what went wrong."""
    said = [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines() if "ERROR" in line]
    return "\n".join(said[-3:])


def check_logs(folder: Path) -> None:
    """Everything that was printed is JSON, as the filters of the alarms need it; numbers are in CloudWatch's format."""
    lines = {path.stem: path.read_text().splitlines() for path in sorted(folder.iterdir())}
    assert set(lines) == set(FUNCTIONS)
    for found in lines.values():
        for line in found:
            written = json.loads(line)
            assert {"_aws", "service", "trace"} <= written.keys() or {"level", "message", "trace"} <= written.keys(), (
                line
            )
    counted = {name for found in lines.values() for line in found for name in json.loads(line)}
    assert {"Requests", "Decisions", "TimeToDecision", "Refusals", "ParametersUsed"} <= counted
