"""What finds faults on pages finds them."""

import pytest

from tests.browser.eyes import cut, sideways, violations

STRICT = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
FINE = '<!doctype html><html lang="en"><title>Fine</title><main><h1>Fine</h1>{}</main></html>'


def shown(page, body, policy=STRICT):
    """Show a document as a server would send it."""
    headers = {"Content-Type": "text/html", "Content-Security-Policy": policy}
    page.route("**/*", lambda route: route.fulfill(body=FINE.format(body), headers=headers))
    page.goto("https://pages.example.com/")


def test_axe_runs_below_the_strictest_policy_and_finds_nothing_on_a_page_that_is_fine(page):
    shown(page, "<p>Everybody can read this.</p>")
    assert (violations(page), sideways(page), cut(page)) == ([], [], [])


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ('<p style="color: #aaa">Pale.</p>', "color-contrast"),
        ("<label>Reason</label><textarea></textarea>", "label"),
        ("<h4>Too deep</h4>", "heading-order"),
    ],
)
def test_who_is_kept_out_is_found(page, body, rule):
    shown(page, body)
    assert [each.split(":")[0] for each in violations(page)] == [rule]


def test_a_page_without_javascript_is_refused_instead_of_waited_for(open_page):
    page = open_page(javascript=False)
    shown(page, "<p>Everybody can read this.</p>")
    with pytest.raises(AssertionError, match="axe needs"):
        violations(page)


@pytest.mark.parametrize("body", ["{}", '<div style="overflow: auto">{}</div>'])
def test_what_does_not_fit_is_found_wherever_it_has_to_be_scrolled(open_page, body):
    page = open_page(width=375)
    shown(page, body.format('<p style="width: 600px">Wide.</p>'))
    assert len(sideways(page)) == 1


def test_a_rule_that_is_left_out_finds_nothing(page):
    shown(page, '<p style="color: #aaa">Pale.</p><h4>Too deep</h4>')
    assert [each.split(":")[0] for each in violations(page, without=["color-contrast"])] == ["heading-order"]


@pytest.mark.parametrize(
    "style", ["overflow: hidden; white-space: nowrap; width: 40px", "overflow: hidden; height: 5px"]
)
def test_what_is_cut_off_is_found(page, style):
    hidden = '<p style="clip-path: inset(50%); overflow: hidden; width: 1px; height: 1px">For the ears.</p>'
    shown(page, f'{hidden}<p class="short" style="{style}">Nobody can read all this.</p>')
    assert cut(page) == ['<p class="short"> cuts Nobody can read all this.']
