"""What somebody notices who looks at a page: whom it keeps out, and what does not fit."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SIDEWAYS = """() => [...document.querySelectorAll("*")]
    .filter((each) => each.scrollWidth > each.clientWidth)
    .filter((each) => each === document.scrollingElement || /auto|scroll/.test(getComputedStyle(each).overflowX))
    .map(({ localName, id, className, scrollWidth, clientWidth }) =>
        `<${localName} id="${id}" class="${className}"> shows ${clientWidth} of ${scrollWidth} pixels`)"""


CUT = """() => [...document.querySelectorAll("body *:not(input)")]
    .filter((each) => each.scrollWidth > each.clientWidth || each.scrollHeight > each.clientHeight)
    .filter((each) => /hidden|clip/.test(getComputedStyle(each).overflow) && getComputedStyle(each).clipPath === "none")
    .map(({ localName, className, innerText }) => `<${localName} class="${className}"> cuts ${innerText}`)"""


def violations(page: Page, *, without: Sequence[str] = ()) -> list[str]:
    """Ask axe-core, with all its rules but some, who could not use what a page shows: a line for each violation.

    The page stays below its own Content-Security-Policy: what a debugger evaluates is not governed by it, so axe needs
    no hole there. axe waits with timers, which stand still where JavaScript is off.
    """
    assert page.evaluate("matchMedia('(scripting: enabled)').matches"), "axe needs a page opened with JavaScript"
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    rules = {rule: {"enabled": False} for rule in without}
    found: dict[str, Any] = page.evaluate("(rules) => axe.run({resultTypes: ['violations'], rules})", rules)
    return [f"{rule['id']}: {rule['help']}: {node['html']}" for rule in found["violations"] for node in rule["nodes"]]


def sideways(page: Page) -> list[str]:
    """Find what has to be scrolled sideways to be read: the page itself, or a part of it."""
    found: list[str] = page.evaluate(SIDEWAYS)
    return found


def cut(page: Page) -> list[str]:
    """Find what cannot be read at all, because it is larger than where it stands; what is hidden on purpose is not."""
    found: list[str] = page.evaluate(CUT)
    return found


def row(page: Page, metric: str) -> list[str]:
    """The cells of a metric, as they can be read."""
    head = page.get_by_role("rowheader", name=metric, exact=True)
    return page.get_by_role("row").filter(has=head).get_by_role("cell").all_inner_texts()
