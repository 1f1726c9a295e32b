"""`make run`, as somebody uses it who follows what it prints."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from threading import Timer
from typing import Any

import boto3
import pytest
import requests

REPOSITORY = Path(__file__).resolve().parents[2]
ENOUGH = 45.0
"""Seconds after which a command that this file has started is ended, whatever it does."""
UP = "Ctrl-C ends it."
SOMEBODY: dict[str, Any] = {
    "region_name": "us-east-1",
    "aws_access_key_id": "somebody",
    "aws_secret_access_key": "local",
}


def environment():
    """Nobody's settings but ours: neither AWS's nor the bot's."""
    foreign = ("AWS_", "MODEL_APPROVALS_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def needs(*commands):
    missing = [each for each in commands if not shutil.which(each)]
    return pytest.mark.skipif(bool(missing), reason=f"not on the PATH: {', '.join(missing)}")


class Running:
    """A `make run` of our own."""

    def __init__(self, *arguments, **settings):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.run", *arguments],
            cwd=REPOSITORY,
            env=environment() | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.printed = self.process.stdout
        self.timer = Timer(ENOUGH, self.process.kill)
        self.timer.start()
        self.text = ""

    def until_up(self):
        for line in self.printed:
            self.text += line
            if UP in line:
                return self
        raise AssertionError(f"it ended with {self.process.wait()}:\n{self.text}")

    def end(self, *signals):
        """Send signals; give the seconds it took, and the exit code."""
        started = time.monotonic()
        for each in signals:
            self.process.send_signal(each)
        self.text += self.printed.read()
        self.process.wait()
        return time.monotonic() - started, self.process.returncode

    def close(self):
        self.timer.cancel()
        self.process.kill()
        self.process.wait()
        self.printed.close()

    def address(self, of):
        [found] = re.findall(rf"^  {of} +(\S+)", self.text, re.MULTILINE)
        return found

    def lines(self, having=""):
        """What it says to copy and paste."""
        indented = [line.strip() for line in self.text.splitlines() if line.startswith("    ")]
        return [line for line in indented if having in line]

    @cached_property
    def ssm(self):
        return boto3.client("ssm", endpoint_url=self.address("AWS"), **SOMEBODY)

    @cached_property
    def sagemaker(self):
        return boto3.client("sagemaker", endpoint_url=self.address("AWS"), **SOMEBODY)

    def approved(self):
        found = self.ssm.get_parameters(Names=["/model-approvals/churn/approved/dev"])["Parameters"]
        return json.loads(found[0]["Value"]) if found else None

    def package(self, arn, **fields):
        """A version, once its metadata says so."""
        package = self.sagemaker.describe_model_package(ModelPackageName=arn)
        return package if fields.items() <= package.get("CustomerMetadataProperties", {}).items() else None


@pytest.fixture
def start():
    """Start what a test asks for; end it in any case."""
    started = []

    def begin(*arguments, **settings):
        started.append(Running(*arguments, **settings))
        return started[-1]

    yield begin
    for each in started:
        each.close()


def pasted(running, *lines):
    """Do in a shell what was printed."""
    script = "\n".join(["set -e", *running.lines("source "), *lines])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def eventually(read):
    """Ask until the answer is not empty."""
    deadline = time.monotonic() + 15
    while not (found := read()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)
    return found


def fetched(url, body=None):
    answer = requests.request("POST" if body else "GET", url, json=body, timeout=10)
    answer.raise_for_status()
    return answer.json()


def messages(running):
    return [
        m
        for each in fetched(f"{running.address('The workspace')}state?user=U0MAYA")["slack"]["channels"]
        for m in each["messages"]
    ]


def test_an_approval_on_the_page_is_what_stock_clients_read(start):
    running = start("--port", "0").until_up()
    page = running.address("The workspace")
    assert messages(running)[0]["text"].startswith("churn version 1 awaits approval for dev.")
    press = {
        "user": "U0MAYA",
        "channel": "C0MODELSDEV",
        "ts": messages(running)[0]["ts"],
        "action_id": "approval.approve",
    }
    assert fetched(f"{page}slack/press", press)["status"] == 200
    approved = eventually(running.approved)
    assert (approved["model_package_version"], approved["environment"], approved["status"]) == (1, "dev", "Approved")
    package = eventually(lambda: running.package(approved["model_package_arn"], dev="Approved"))
    fields = {name: package["CustomerMetadataProperties"][name] for name in ("dev", "test", "uat", "prod")}
    assert fields == {"dev": "Approved", **dict.fromkeys(("test", "uat", "prod"), "PendingManualApproval")}
    assert package["ModelApprovalStatus"] == "Approved"


@needs("bash", "curl")
def test_every_line_that_is_printed_to_be_pasted_works(start):
    running = start("--port", "0").until_up()
    pasted(running, *running.lines("/press"))
    eventually(running.approved)
    printed = pasted(running, *running.lines(" -c "), *running.lines("-m bot"), *running.lines("infra.local.models"))
    assert "'dev': 'Approved'" in printed
    assert "churn v1" in printed
    assert "model-package/churn/2 is registered." in printed
    assert "Maya Chen approved churn v1 for dev" in printed
    assert '"me": "U0MAYA"' in pasted(running, *running.lines("/state"))
    rest = {
        *running.lines("curl"),
        *running.lines("python"),
        *running.lines("source"),
        *running.lines("aws --endpoint"),
    }
    assert {*running.lines()} == rest, "a line that no test tries"


@needs("aws", "bash", "curl")
def test_the_aws_command_line_reads_what_was_approved_and_what_it_approves_by_hand_is_put_back(start):
    running = start("--port", "0").until_up()
    pasted(running, *running.lines("/press"), *running.lines("infra.local.models"))
    eventually(running.approved)
    stored = json.loads(pasted(running, *running.lines("get-parameter")))["Parameter"]["Value"]
    assert json.loads(stored)["model_package_version"] == 1
    by_hand = running.lines("update-model-package")
    eventually(lambda: running.package(by_hand[0].split()[-1], dev="PendingManualApproval"))
    pasted(running, *by_hand)
    told = eventually(lambda: [r["text"] for m in messages(running) for r in m["replies"] if "by hand" in r["text"]])
    assert "a-visitor approved churn v2 in the registry by hand" in told[0]


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT, signal.SIGINT]])
def test_it_ends_at_once_and_without_a_word_of_trouble(start, signals):
    running = start("--port", "0", "--no-sample").until_up()
    seconds, code = running.end(*signals)
    assert code == 0
    assert seconds < 5
    assert running.text.rstrip().endswith("Ending.")


def test_ctrl_c_while_it_is_starting_ends_it_too(start):
    running = start("--port", "0")
    time.sleep(0.4)
    seconds, code = running.end(signal.SIGINT)
    assert (code, running.text) in {(0, ""), (-signal.SIGINT, "")}, "the second: before its first line was read"
    assert seconds < 20


def test_without_a_sample_nothing_is_registered_and_nothing_to_press_is_promised(start):
    running = start("--port", "0", "--no-sample").until_up()
    assert running.sagemaker.list_model_packages(ModelPackageType="Versioned")["ModelPackageSummaryList"] == []
    assert not running.lines("/press")
    assert messages(running) == []


def test_a_port_that_is_taken_is_named_and_another_one_is_used(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        running = start("--port", str(port), "--no-sample").until_up()
    assert f"Port {port} cannot be had" in running.text
    assert messages(running) == []


def test_what_the_shell_says_to_other_clients_leads_nowhere_else(start):
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    elsewhere = {"AWS_PROFILE": "nowhere", "AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:9"}
    running = start("--port", "0", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true", **elsewhere, **proxies).until_up()
    assert running.lines("/press")


def test_a_policy_with_mistakes_is_named_instead_of_started(start):
    running = start("--port", "0", MODEL_APPROVALS_POLICY="nowhere.toml")
    _, code = running.end()
    assert code == 1
    assert "MODEL_APPROVALS_POLICY: nowhere.toml cannot be read" in running.text
