"""The metrics of an environment's versions, as pictures that a page carries in itself."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bot.card import shown_value
from bot.text import one_line
from bot.trend import Trend

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

STYLE = Path(__file__).parent / "templates" / "chart.css"
WIDTH, HEIGHT = 340, 150
"""Pixels."""
NO_XML = dict.fromkeys((0xFFFE, 0xFFFF))
"""Letters that can be seen nowhere, and that XML has no place for."""
NARROWEST = 0.05
"""Of the largest value: the least that the axis spans."""
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif'
FOR_A_MOUSE = {"script", "desc"}
"""Elements that an image has no use for: it has no pointer, and runs no script."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A trend and its picture, with the picture's size in pixels."""

    trend: Trend
    source: str
    width: int = WIDTH
    height: int = HEIGHT


def charts(trends: Iterable[Trend], version: int | None = None) -> tuple[Chart, ...]:
    """A picture of each trend, with the version that is looked at as a larger dot."""
    return tuple(Chart(each, _source(_draw(each, version))) for each in trends)


def _source(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg).decode()}"


def _draw(trend: Trend, version: int | None) -> bytes:
    from pygal import Line  # noqa: PLC0415 - most pages have no picture
    from pygal.style import Style  # noqa: PLC0415 - likewise

    unit = one_line(trend.unit).translate(NO_XML)
    low, high = _span([each.value for each in trend.points])
    line = Line(
        width=WIDTH,
        height=HEIGHT,
        margin=8,
        margin_right=24,
        style=Style(font_family=FONTS, label_font_size=13),
        js=(),
        css=(f"inline:{_style()}",),
        show_legend=False,
        x_labels=[f"v{each.version}" for each in trend.points],
        range=(low, high),
        y_labels=(low, high),
        value_formatter=lambda value: shown_value(value, unit),
    )
    line.add("", [{"value": each.value, "node": {"r": 5 if each.version == version else 3}} for each in trend.points])
    line.add_xml_filter(_bare)
    picture: bytes = line.render()
    return picture


def _bare(svg: "Element") -> "Element":
    for parent in list(svg.iter()):
        for child in list(parent):
            if child.tag in FOR_A_MOUSE or "tooltip-overlay" in child.get("class", ""):
                parent.remove(child)
    return svg


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The ends of the axis: what hardly differs looks as if it hardly did."""
    low, high = min(values), max(values)
    wanted = NARROWEST * max(abs(low), abs(high)) or 1.0
    around = max(wanted - (high - low), 0.0) / 2
    return low - around, high + around


@cache
def _style() -> str:
    return STYLE.read_text("utf-8")
