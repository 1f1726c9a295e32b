"""What somebody notices who looks at a page: whom it keeps out, and what does not fit."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SIDEWAYS = """() => [...document.querySelectorAll("*")]
    .filter((each) => each.scrollWidth > each.clientWidth)
    .filter((each) => each === document.scrollingElement || /auto|scroll/.test(getComputedStyle(each).overflowX))
    .map(({ localName, id, className, scrollWidth, clientWidth }) =>
        `<${localName} id="${id}" class="${className}"> shows ${clientWidth} of ${scrollWidth} pixels`)"""


def violations(page: Page) -> list[str]:
    """Ask axe-core, with all its rules, who could not use what a page shows now: a line for each violation.

    The page stays below its own Content-Security-Policy: what a debugger evaluates is not governed by it, so axe needs
    no hole there. axe waits with timers, which stand still where JavaScript is off.
    """
    assert page.evaluate("matchMedia('(scripting: enabled)').matches"), "axe needs a page opened with JavaScript"
    page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
    return [f"{rule['id']}: {rule['help']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]


def sideways(page: Page) -> list[str]:
    """Find what has to be scrolled sideways to be read: the page itself, or a part of it."""
    found: list[str] = page.evaluate(SIDEWAYS)
    return found
