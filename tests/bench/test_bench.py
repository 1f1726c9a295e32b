"""That the bench measures what it says: its baselines do what ours does, and its tables say what was found."""

import importlib.util
import json
import urllib.request
from collections.abc import Iterator

import pytest

from infra.local.gateway import Gateway
from infra.local.stack import Stack
from tests.bench.cold import doors
from tests.bench.deployed import Deployed
from tests.bench.proxy import Proxy
from tests.bench.table import BEGIN, END, Ratio, Section, aligned, missed, rewritten, verdict
from tests.bench.world import BASELINES, INSTALLED, TEAMS_AND_MAIL, Blog, baseline_settings, event_of
from tests.journeys.people import approve, buttons, card, described, registered, told
from tests.journeys.policies import SHIPPED, policy

KEPT, MISSED = Ratio("one", 0.4, 0.5), Ratio("two", 3.9, 4, at_least=True)
SECTION = Section("Things", ("", "ms"), (("a", "1"), ("bcd", "23")), ("A note.",), (KEPT, MISSED))


def test_every_door_that_is_measured_is_there_and_measured_once():
    assert len(set(doors())) == len(doors())
    assert all(importlib.util.find_spec(each) for each in doors())


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    settings = policy(tmp_path_factory.mktemp("policy"), SHIPPED.replace(TEAMS_AND_MAIL, ""))
    with Stack(settings=settings) as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        yield running


@pytest.fixture(scope="module")
def blog(stack: Stack) -> Iterator[Blog]:
    running = Blog(stack)
    yield running
    running.stop()


def test_a_click_on_the_baseline_has_the_outcome_of_one_on_ours(stack, blog):
    ours, theirs = registered(stack, "churn-bench"), stack.pipeline.register("blog-bench")
    message = blog.ask(theirs)
    with blog.here():
        blog.click(message)
    approve(stack, ours)
    assert (
        described(stack, ours)["ModelApprovalStatus"] == described(stack, theirs)["ModelApprovalStatus"] == "Approved"
    )
    pointers = stack.parameters() | _blog_parameters(stack)
    named = [
        json.loads(pointers[name])
        for name in ("/model-approvals/churn-bench/approved/dev", "/blog/blog-bench/approved")
    ]
    assert [each["model_package_arn"] for each in named] == [ours.arn, theirs.arn]
    changed = stack.slack.workspace.message(message.channel, message.ts)
    assert "approve_model" in buttons(message)
    assert not buttons(changed)
    assert "approval.approve" not in buttons(card(stack, ours))
    for each in (changed, card(stack, ours)):
        assert "approved by" in each.text.lower()
        assert len(stack.slack.workspace.replies(each.channel, each.ts)) == 1


def test_the_baseline_asks_who_may_approve(stack, blog):
    model = stack.pipeline.register("blog-refused")
    message = blog.ask(model)
    with blog.here():
        blog.click(message, user="U0ELI")
    assert described(stack, model)["ModelApprovalStatus"] == "PendingManualApproval"
    assert told(stack, "U0ELI") == ["You may not approve this."]


def test_the_sample_of_bolt_acknowledges_a_click(stack, blog):
    message = blog.ask(stack.pipeline.register("blog-sample"))
    event = event_of(stack, lambda: stack.slack.press("U0MAYA", message.channel, message.ts, "approve_model"))
    sample = Deployed("bolt_sample", [BASELINES, INSTALLED], settings=baseline_settings(stack))
    answer = sample(event)
    sample.restart()
    assert answer["statusCode"] == 200


def test_what_a_proxy_is_sent_arrives_and_connections_are_counted():
    gateway = Gateway({"/": lambda event: {"statusCode": 200, "body": event["body"]}}).start()
    proxy = Proxy(0.0, ("127.0.0.1", int(gateway.url.rpartition(":")[2]))).start()
    for said in (b"one", b"two"):
        with urllib.request.urlopen(f"http://{proxy.address}/", data=said, timeout=5) as answer:
            assert answer.read() == said
    assert proxy.connections == 2
    proxy.stop()
    gateway.stop()


def test_a_table_is_aligned_in_a_terminal():
    assert aligned(SECTION) == ["     ms", "a     1", "bcd  23"]


def test_a_missed_ratio_is_named_and_shown():
    assert missed([SECTION]) == ["two"]
    assert verdict([SECTION]).rows == (
        ("one", "0.40", "at most 0.5", "kept"),
        ("two", "3.90", "at least 4", "MISSED"),
    )


def test_the_page_keeps_its_prose_around_what_was_measured():
    page = rewritten(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n", "Today.", [SECTION])
    assert page.startswith(f"Before.\n{BEGIN}\n\nToday.\n")
    assert page.endswith(f"{END}\nAfter.\n")
    assert "old" not in page
    assert "| bcd | 23 |" in page
    assert "A note." in page


def _blog_parameters(stack: Stack) -> dict[str, str]:
    found = stack.aws.client("ssm", access_key="LOCALREADER").get_parameters_by_path(Path="/blog", Recursive=True)
    return {each["Name"]: each["Value"] for each in found["Parameters"]}
