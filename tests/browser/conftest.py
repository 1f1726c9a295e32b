"""A real browser: `browser` for the whole session; the others for one test.

Playwright's API is the blocking one. It runs an event loop below this thread's tests, and the local stack serves
from threads of the same process: neither waits for the other.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.browser.chromium import Missing, launch
from tests.browser.eyes import cut, sideways, violations

PATIENCE = 30_000
"""Milliseconds after which a test no longer waits for something; a busy machine is no failure."""
WIDE, PHONE = 1280, 375
"""Widths in pixels that pages are made for."""
LOOKS = ((WIDE, 800, False), (WIDE, 800, True), (PHONE, 740, False), (PHONE, 740, True))
"""Width, height, and whether colours are dark."""
ZOOMED = ViewportSize(width=WIDE // 2, height=400)
"""What is left of a usual window at 200 %."""


def pytest_collection_modifyitems(items):
    """Mark whatever is in this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of a worker. Where there is none, a test is skipped, but not in CI: there one can be had."""
    with sync_playwright() as playwright:
        try:
            running = launch(playwright)
        except Missing as missing:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(missing))
        expect.set_options(timeout=PATIENCE)
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the browser of one more person, with cookies of its own: `open_page(width=375, dark=True)`.

    `javascript=False` is a reader without scripts, `scale=2` together with half the width a zoom of 200 %; what else is
    given goes to Playwright's `new_context`. A further tab of the same person is `page.context.new_page()`. A test
    fails whose pages raise what nobody catches, or want what their own Content-Security-Policy forbids.
    """
    opened: list[BrowserContext] = []
    troubles: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            troubles.append(message.text)

    def opening(*, width=WIDE, height=800, scale=1.0, dark=False, javascript=True, locale="en-GB", **more) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale=locale,
            timezone_id="UTC",
            **more,
        )
        opened.append(context)
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda trouble: troubles.append(str(trouble.error)))
        context.on("console", heard)
        return context.new_page()

    yield opening
    for context in opened:
        context.close()
    assert not troubles


@pytest.fixture
def page(open_page) -> Page:
    """A page of usual width, in light colours."""
    return open_page()


@pytest.fixture
def person(stack, open_page):
    """Somebody who has signed in and looks at a page: `person("Maya Chen", "/")`."""

    def signed_in(name: str, path: str, **how: object) -> Page:
        page = open_page(**how)
        page.goto(path if path.startswith("http") else stack.gateway.pages_url + path)
        page.get_by_role("button", name=name).click()
        page.wait_for_url(f"{stack.gateway.pages_url}/**")
        return page

    return signed_in


@pytest.fixture
def look():
    """Look at a page in every way it is shown, for who is kept out, what does not fit, and a thing that must be there.

    What was wrong anywhere fails the test at its end.
    """
    wrong: list[tuple[str, str]] = []

    def looked(name: str, main: Locator, *, without: tuple[str, ...] = ()) -> None:
        page = main.page
        for width, height, dark in LOOKS:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme="dark" if dark else "light")
            found = [*violations(page, without=without), *sideways(page), *cut(page)]
            wrong.extend((f"{name} at {width}, {'dark' if dark else 'light'}", each) for each in found)
            main.click(trial=True)
        page.set_viewport_size(ZOOMED)
        wrong.extend((f"{name} at 200 %", each) for each in [*sideways(page), *cut(page)])
        main.click(trial=True)
        page.set_viewport_size({"width": WIDE, "height": 800})
        page.emulate_media(color_scheme="light")

    yield looked
    assert not wrong


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Take a picture of a page or of a part of it: `picture(page, "sign-in")`.

    It is kept in the folder that PICTURES names, so that a run may make those of docs/pictures anew; else it is
    thrown away with the test.
    """
    folder = Path(os.environ.get("PICTURES") or tmp_path)

    def taken(of, name, **how) -> Path:
        path = folder / f"{name}.png"
        of.screenshot(path=path, animations="disabled", **how)
        return path

    return taken
