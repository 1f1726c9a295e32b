"""Packages under Lambda's own runtime client: what a function may do wrong, and that nothing of it is left behind."""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local.runtime_api import Deployed, FunctionFailed, Packaged
from infra.package.__main__ import PLATFORMS, install
from tests.deploy.machine import HERE, MACHINE

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda's runtime client is built for Linux alone")

HANDLER = """
import logging, os, sys, time
STARTED = time.time()
logging.getLogger().setLevel("INFO")

def handler(event, context):
    match event["do"]:
        case "raise":
            raise ValueError("no such thing")
        case "exit":
            os._exit(3)
        case "wait":
            time.sleep(event["seconds"])
        case "log":
            logging.getLogger().warning("said %s", event["text"])
        case "look":
            return {"environment": dict(os.environ), "folder": os.getcwd(), "path": sys.path}
    arn, left = context.invoked_function_arn, context.get_remaining_time_in_millis()
    return {"pid": os.getpid(), "started": STARTED, "arn": arn, "left": left, "id": context.aws_request_id}
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runtime")
    install(folder, ["awslambdaric"], PLATFORMS[MACHINE], HERE)
    return folder


@pytest.fixture
def deployed(runtime, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "one.py").write_text(HANDLER)
    (package / "broken.py").write_text("import nothing_of_that_name\n")

    def how(**changes) -> Deployed:
        usual = {"name": "One", "handler": "one.handler", "package": package, "runtime": runtime, "timeout": 20.0}
        usual |= {"log": tmp_path / "log", "variables": {"GREETING": "hello"}, "role": "ROLEONE", "memory": 128}
        usual |= {"region": "eu-central-1", "account": "123456789012", "log_format": "JSON", "log_level": "INFO"}
        return Deployed(**{**usual, "execution_environment": "AWS_Lambda_python3.13", **changes})

    return how


@pytest.fixture
def function(deployed):
    running = []

    def started(concurrency=4, **changes) -> Packaged:
        running.append(Packaged(lambda: deployed(**changes), concurrency=concurrency))
        return running[-1]

    yield started
    for each in running:
        each.stop()


def lives(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - a process, not a file


def test_a_process_answers_one_event_after_the_other(function):
    one = function()
    first, second = one({"do": "nothing"}), one({"do": "nothing"})
    assert first["pid"] == second["pid"] != os.getpid()
    assert first["id"] != second["id"]
    assert first["arn"] == "arn:aws:lambda:eu-central-1:123456789012:function:One:live"
    assert 0 < first["left"] <= 20_000


def test_events_at_one_time_are_answered_by_as_many_processes_as_are_allowed(function):
    one = function(concurrency=2)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, [{"do": "wait", "seconds": 0.5}] * 4))
    assert len({each["pid"] for each in answers}) == 2


def test_it_finds_what_lambda_and_the_template_set_and_nothing_else(function, deployed, monkeypatch):
    monkeypatch.setenv("MODEL_APPROVALS_ROOT", "/of-the-test")
    found = function()({"do": "look"})
    own = {"LC_CTYPE", "_X_AMZN_TRACE_ID"}  # by Python, by the runtime client
    assert found["environment"].keys() - own == {*deployed().environment, "AWS_LAMBDA_RUNTIME_API"}
    assert found["environment"]["GREETING"] == "hello"
    assert found["folder"] == str(deployed().package)
    assert not [each for each in found["path"] if "site-packages" in each]


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"do": "raise"}, "ValueError: no such thing"),
        ({"do": "exit"}, "One ended with 3"),
        ({"do": "wait", "seconds": 30}, "One timed out"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_event_finds_another_process(function, event, says):
    one = function(timeout=2.0)
    before = one({"do": "nothing"})["pid"]
    with pytest.raises(FunctionFailed, match=says):
        one(event)
    assert not lives(before)
    assert one({"do": "nothing"})["pid"] != before


def test_a_module_that_cannot_be_imported_is_told_with_its_reason(function):
    with pytest.raises(
        FunctionFailed, match="Unable to import module 'broken': No module named 'nothing_of_that_name'"
    ):
        function(handler="broken.handler")({})


def test_after_a_restart_the_next_event_finds_a_cold_process(function):
    one = function()
    one.provision(1)
    before = one({"do": "nothing"})
    one.restart()
    after = one({"do": "nothing"})
    assert not lives(before["pid"])
    assert after["started"] > before["started"]


def test_nothing_is_left_after_the_end_even_of_what_is_busy(function):
    one = function()
    idle = one({"do": "nothing"})["pid"]
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(one, {"do": "wait", "seconds": 20})
        time.sleep(0.2)
        one.stop()
        with pytest.raises(FunctionFailed):
            busy.result(timeout=5)
    assert not lives(idle)


def test_its_log_is_json(function, deployed):
    function()({"do": "log", "text": "a word"})
    [line] = deployed().log.read_text().splitlines()
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("WARNING", "said a word")
    assert said["requestId"]
