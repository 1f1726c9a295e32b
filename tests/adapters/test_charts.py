"""The metrics of the versions of an environment, as the pages draw them."""

import re
import subprocess
import sys
from base64 import b64decode
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.errors import Unavailable
from bot.evidence import Metric
from bot.trend import COMPARED, TRENDS, Point, Trend
from bot.web.charts import charts
from tests.adapters.web_examples import Browser, Town, administered
from tests.proofs.world import policy_of

ROOT = Path(__file__).parents[2]
IMAGES = re.compile(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"')
SVG = "{http://www.w3.org/2000/svg}"
FINITE = st.floats(-1e12, 1e12)
LETTERS = st.characters(exclude_categories=["Cs"])


def town_of(*reports, waiting=()):
    """A town in which each report was approved for dev, one version after another, and the last ones wait."""
    town = Town()
    for version, metrics in enumerate((*reports, *waiting), 1):
        town.register(version, metrics=metrics)
        if version <= len(reports):
            town.answer("maya", f"churn/{version}/dev/1")
    return town


def auc(value, **more):
    return (Metric("auc", value, **more),)


def said(town, path):
    """What the pictures of a page say to whoever does not see them."""
    return [alt for _, alt in IMAGES.findall(Browser(town, "maya").get(path).body)]


def drawn(svg):
    """Dots with their size and height, and the words of the axes."""
    picture = fromstring(svg)  # noqa: S314 - our own
    dots = [(int(dot.get("r") or 0), float(dot.get("cy") or "nan")) for dot in picture.iter(f"{SVG}circle")]
    return dots, [words.text for words in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("path", ["/requests/churn/3/dev/1", "/models/churn/3"])
def test_a_version_is_shown_beside_those_that_were_approved(path):
    town = town_of(auc(0.7), auc(0.9), waiting=[auc(0.8)])
    assert said(town, path) == ["AUC when asked for dev: v1 0.700, v2 0.900, v3 0.800"]
    [(source, _)] = IMAGES.findall(Browser(town, "maya").get(path).body)
    dots, words = drawn(b64decode(source))
    assert words == ["0.700", "0.900", "v1", "v2", "v3"]
    assert [size for size, _ in dots] == [3, 3, 5], "the larger dot is the version of the page"
    heights = [height for _, height in dots]
    assert heights[1] < heights[2] < heights[0], "the larger value is further up"


def test_a_group_shows_what_was_approved():
    assert said(town_of(auc(0.7), auc(0.9), waiting=[auc(0.8)]), "/models/churn") == [
        "AUC when asked for dev: v1 0.700, v2 0.900"
    ]


def test_one_approved_version_is_enough_to_compare_with():
    town = town_of(auc(0.7), waiting=[auc(0.8)])
    assert said(town, "/models/churn/2") == ["AUC when asked for dev: v1 0.700, v2 0.800"]
    assert said(town, "/models/churn") == []


def test_the_furthest_environment_is_shown_to_which_there_is_something_to_say():
    town = Town(administered(policy_of(("dev", "test"))))
    for version in (1, 2, 3):
        town.register(version, metrics=auc(version / 10))
    for version in (1, 2):
        town.answer("maya", f"churn/{version}/dev/1")
        town.answer("maya", f"churn/{version}/test/1")
    assert said(town, "/models/churn") == ["AUC when asked for test: v1 0.100, v2 0.200"]
    assert said(town, "/models/churn/3") == ["AUC when asked for dev: v1 0.100, v2 0.200, v3 0.300"]


def test_a_picture_looks_back_on_the_newest_versions_alone():
    town = town_of(*(auc(0.5 + version / 100) for version in range(1, COMPARED + 3)))
    [line] = said(town, "/models/churn")
    assert re.findall(r"v\d+", line) == [f"v{version}" for version in range(3, COMPARED + 3)]
    [line] = said(town, "/models/churn/1")
    assert re.findall(r"v\d+", line)[:2] == ["v1", "v3"], "and on the version of the page"


@pytest.mark.parametrize(
    "town",
    [
        town_of(waiting=[auc(0.7)]),
        town_of(waiting=[auc(0.7), auc(0.8)]),
        town_of(auc(0.7), waiting=[()]),
        town_of((), waiting=[auc(0.8)]),
        town_of(auc(0.7), waiting=[auc(0.8, unit="%")]),
        town_of(auc(0.7), waiting=[auc(1e13)]),
    ],
    ids=["one version", "none approved", "nothing measured", "measured first now", "another unit", "beyond any axis"],
)
def test_what_cannot_be_compared_has_no_picture(town):
    newest = max(int(name.split("/")[4]) for name in town.world.parameters.stored if "/history/" in name)
    for path in (f"/requests/churn/{newest}/dev/1", "/models/churn", f"/models/churn/{newest}"):
        assert said(town, path) == []
    assert "Metrics by version" not in Browser(town, "maya").get("/models/churn").text


def test_a_version_that_was_not_measured_is_left_out():
    town = town_of(auc(0.7), (), auc(0.9))
    assert said(town, "/models/churn") == ["AUC when asked for dev: v1 0.700, v3 0.900"]


def test_pictures_come_in_the_order_of_the_newest_report_and_not_without_end():
    older = tuple(Metric(f"m{number}", 1.0) for number in range(20))
    town = town_of(older, tuple(reversed(older)))
    assert [line.split()[0] for line in said(town, "/models/churn")] == [f"m{number}" for number in range(19, 13, -1)]
    assert len(said(town, "/models/churn")) == TRENDS


def test_every_metric_of_a_report_stands_in_the_table_of_the_page():
    town = town_of(waiting=[tuple(Metric(f"m{number}", 1.0) for number in range(9))])
    page = Browser(town, "maya").get("/requests/churn/1/dev/1")
    assert all(f"m{number} 1.000" in page.text for number in range(9))
    assert "more metric" not in page.text


def test_an_older_log_that_cannot_be_read_takes_the_pictures_and_nothing_else():
    town = town_of(auc(0.7), auc(0.9), waiting=[auc(0.8)])
    read = town.world.parameters.get

    def get(names):
        if any("/history/1/" in name for name in names):
            raise Unavailable("AWS does not answer")
        return read(names)

    town.world.parameters.get = get
    page = Browser(town, "maya").get("/requests/churn/3/dev/1")
    assert (page.status, "approve" in page.actions, IMAGES.findall(page.body)) == (200, True, [])


def test_what_a_report_calls_its_metrics_acts_nowhere():
    evil = (Metric('"><script>alert(1)</script>', 1.0, unit="</text><script>alert(2)</script>"),)
    town = town_of(evil, evil)
    page = Browser(town, "maya").get("/models/churn")
    assert "<script" not in page.body
    [source] = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page.body)
    svg = b64decode(source).decode()
    assert "<script" not in svg
    assert "&lt;script&gt;alert(2)" in svg


@example([0.0, 1.0], "\ufffe\uffff")
@given(st.lists(FINITE, min_size=2, max_size=COMPARED + 1), st.text(LETTERS, max_size=20))
def test_any_values_can_be_drawn(values, unit):
    points = tuple(Point(version, value) for version, value in enumerate(values, 1))
    [chart] = charts([Trend("auc", unit, "dev", points)], version=1)
    svg = b64decode(chart.source.partition(",")[2])
    dots, _ = drawn(svg)
    assert [size for size, _ in dots] == [5, *[3] * (len(values) - 1)]
    assert all(0 <= height <= chart.height for _, height in dots)
    assert b"nan" not in svg.partition(b"</style>")[2]


def test_what_hardly_differs_looks_as_if_it_hardly_did():
    [chart] = charts([Trend("auc", "", "dev", (Point(1, 0.9001), Point(2, 0.9000)))])
    dots, _ = drawn(b64decode(chart.source.partition(",")[2]))
    assert abs(dots[0][1] - dots[1][1]) < 2


def test_a_page_without_pictures_loads_nothing_that_draws():
    code = "import sys, bot.web.site; sys.exit('pygal' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, check=True)
