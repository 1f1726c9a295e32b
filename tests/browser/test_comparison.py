"""What a version did in one environment, where the next one is decided: the comparison and the charts.

`PICTURES=docs/pictures python -m pytest tests/browser/test_comparison.py` takes them.
"""

from base64 import b64decode
from collections.abc import Iterator
from xml.etree.ElementTree import Element, fromstring

import pytest
from playwright.sync_api import Locator, Page, expect

from infra.local.models import Registered
from infra.local.page import workspace_page
from infra.local.stack import Stack
from tests.browser.conftest import PHONE, WIDE
from tests.browser.eyes import row
from tests.journeys.people import approve, registered

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Three versions run in dev, of which two have come to test; the third asks for it with what its run measured."""
    with Stack() as running:
        running.slack.limits.posts_per_second = running.slack.limits.post_burst = 1000
        for version in (1, 2, 3):
            model = registered(running, "churn") if version == 1 else following(running)
            approve(running, model, "dev")
            running.inference.run("churn", "dev")
            running.settle(60)
            if version < 3:
                approve(running, model, "test")
        yield running


def following(stack: Stack) -> Registered:
    found = stack.pipeline.register("churn", "churn-2")
    stack.settle()
    return found


def pictures(page: Page) -> dict[str, Locator]:
    """The pictures of a page, by their captions."""
    found = page.get_by_role("figure").all()
    return {each.locator("figcaption").inner_text(): each.get_by_role("img") for each in found}


def drawing(image: Locator) -> Element:
    """What a picture is drawn of, once the browser has made sense of it."""
    assert image.evaluate("(it) => it.decode().then(() => it.naturalWidth > 0)")
    return fromstring(b64decode((image.get_attribute("src") or "").partition(",")[2]))  # noqa: S314 - our own


def test_whoever_decides_sees_the_run_the_champion_and_how_it_went(person, look, picture):
    page = person("Maya Chen", "/requests/churn/3/test/1")
    expect(page.get_by_role("main")).to_contain_text("Measured in dev by churn-dev-")
    challenger, champion, _change = row(page, "AUC")
    drawn = pictures(page)
    assert list(drawn)[:2] == ["AUC", "accuracy"]
    alt = drawn["AUC"].get_attribute("alt") or ""
    assert alt.startswith("AUC when asked for test: v1 ")
    assert alt.endswith(f", v2 {champion}, v3 {challenger}")
    svg = drawing(drawn["AUC"])
    assert [dot.get("r") for dot in svg.iter(f"{SVG}circle")] == ["3", "3", "5"], "the larger dot is this version"
    assert [words.text for words in svg.iter(f"{SVG}text")][-3:] == ["v1", "v2", "v3"]
    assert not list(svg.iter(f"{SVG}script"))
    picture(page, "page-comparison", full_page=True)
    look("request with charts", page.get_by_role("button", name="Approve for test"))
    page.set_viewport_size({"width": PHONE, "height": 812})
    page.emulate_media(color_scheme="dark")
    picture(page, "page-comparison-phone", full_page=True)


@pytest.mark.parametrize("path", ["/models/churn", "/models/churn/2"])
def test_a_model_has_its_metrics_version_by_version(person, look, picture, path):
    page = person("Priya Nair", path)
    expect(page.get_by_role("heading", name="Metrics by version, when asked for test")).to_be_visible()
    drawn = pictures(page)
    assert (drawn["AUC"].get_attribute("alt") or "").count(" v") == 2
    picture(page, f"page{path.replace('/', '-')}", full_page=True)
    look(path, page.get_by_role("link", name="All requests"))


def test_the_card_in_slack_compares_them_too(stack, page, picture):
    with workspace_page(stack) as served:
        page.set_viewport_size({"width": WIDE, "height": 1000})
        page.goto(served.url)
        page.get_by_label("You are").select_option("U0MAYA")
        shown = page.get_by_role("article").filter(has=page.get_by_role("heading", name="churn v3 for test")).first
        expect(shown).to_contain_text("v2 in test")
        picture(shown, "slack-comparison")
