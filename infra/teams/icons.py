"""The two icons of the Teams app, drawn: a model's layers with the tick of whoever approved it.

`python -m infra.teams.icons` draws them anew beside this file. https://learn.microsoft.com/microsoftteams/platform says
what Teams wants: 192 x 192 pixels in colour, and 32 x 32 in white on nothing.
"""

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

Point = tuple[float, float]
Pixel = tuple[int, int, int, int]

HERE = Path(__file__).parent
ACCENT, PAPER, TICK = (79, 82, 178), (255, 255, 255), (146, 195, 83)
NOTHING: Pixel = (255, 255, 255, 0)
FINE = 4
"""Points across each pixel, so that edges are smooth."""
LAYERS = ((0.30, 0.27), (0.24, 0.43), (0.30, 0.59))
"""Left end and height of each bar, in the unit square."""
CHECK: tuple[Point, ...] = ((0.47, 0.70), (0.57, 0.80), (0.78, 0.56))


def draw_color(x: float, y: float) -> Pixel:
    """Give the colour of a point in the unit square: white layers and a green tick; Teams rounds the corners."""
    if _beside(CHECK, x, y, 0.05):
        return (*TICK, 255)
    on_paper = _in_layers(x, y) and not _beside(CHECK, x, y, 0.095)
    return (*(PAPER if on_paper else ACCENT), 255)


def draw_outline(x: float, y: float) -> Pixel:
    """Give the same without the tile, in white."""
    inner = 0.5 + (x - 0.5) / 1.5, 0.53 + (y - 0.5) / 1.5
    shown = _beside(CHECK, *inner, 0.05) or (_in_layers(*inner) and not _beside(CHECK, *inner, 0.11))
    return (*PAPER, 255) if shown else NOTHING


def png(size: int, draw: Callable[[float, float], Pixel]) -> bytes:
    """Write a square picture: 8 bits of red, green, blue and alpha."""
    rows = b"".join(b"\0" + bytes(value for column in range(size) for value in _pixel(draw, size, column, row))
                    for row in range(size))  # fmt: skip
    head = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _pixel(draw: Callable[[float, float], Pixel], size: int, column: int, row: int) -> Pixel:
    """Mix the points of one pixel; what is not there lends no colour."""
    found = [draw(x, y) for x, y in _points(size, column, row)]
    alpha = sum(each[3] for each in found)
    red, green, blue = (
        round(sum(each[part] * each[3] for each in found) / alpha) if alpha else 255 for part in range(3)
    )
    return red, green, blue, round(alpha / len(found))


def _points(size: int, column: int, row: int) -> Iterator[Point]:
    for right in range(FINE):
        for down in range(FINE):
            yield (column + (right + 0.5) / FINE) / size, (row + (down + 0.5) / FINE) / size


def _in_layers(x: float, y: float, half: float = 0.055) -> bool:
    return any(_beside(((left, height), (1 - left, height)), x, y, half) for left, height in LAYERS)


def _beside(line: tuple[Point, ...], x: float, y: float, distance: float) -> bool:
    """Whether a point is within a distance of a line of several parts."""
    return any(_apart(start, end, x, y) <= distance for start, end in pairwise(line))


def _apart(start: Point, end: Point, x: float, y: float) -> float:
    across, down = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * across + (y - start[1]) * down) / (across**2 + down**2)
    near = min(1.0, max(0.0, along))
    return math.hypot(x - start[0] - near * across, y - start[1] - near * down)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    """Draw both beside this file."""
    (HERE / "color.png").write_bytes(png(192, draw_color))
    (HERE / "outline.png").write_bytes(png(32, draw_outline))


if __name__ == "__main__":
    main()
