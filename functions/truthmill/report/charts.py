"""Charts as SVG, made here: pure functions of numbers. Colours come from classes, so that dark mode is CSS's.

Every chart is an image with a name; the sections put the numbers behind it as a table.
"""

from collections.abc import Callable, Sequence
from math import ceil, log10, sqrt
from typing import TYPE_CHECKING

import numpy as np

from truthmill.report.markup import Markup, join, short, tag, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = 8  # of the page's CSS: .c0 to .c7; class ids beyond go round, their boxes dashed
SIDE = 400  # of the square charts, in units of their viewBox
MARGIN, RIGHT = 38, 24  # left of and below the axes; right of and above them
_SMALL, _MEDIUM = 32**2, 96**2
_Scale = Callable[[float], float]


def colour(class_id: int) -> str:
    """CSS class of a class's colour."""
    return f"c{class_id % COLOURS}"


def svg(name: str, width: float, height: float, *content: object, class_: str = "chart") -> Markup:
    """An image with an accessible name, of that viewBox."""
    return tag(
        "svg",
        *content,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_label=name,
        class_=class_,
    )


def bar(share: float, kind: str) -> Markup:
    """A bar for a table's cell, which says the number beside it. share: 0 to 1; kind: its CSS class."""
    width = max(0.6, 100 * share) if share else 0
    return tag(
        "svg",
        tag("rect", width="100", height="10", class_="track"),
        tag("rect", width=f"{width:.2f}", height="10", class_=kind),
        viewBox="0 0 100 10",
        preserveAspectRatio="none",
        aria_hidden="true",
        class_="bar",
    )


def columns(name: str, labels: Sequence[str], values: Sequence[int], unit: str) -> Markup:
    """A histogram: each value a column with its share above it. unit: what the labels count."""
    width, height, foot, head = 400, 200, 40, 18
    most, total = max(values, default=0) or 1, sum(values) or 1
    step = width / len(values)
    parts: list[object] = [tag("line", x1=0, x2=width, y1=height - foot, y2=height - foot, class_="axis")]
    for number, (label, value) in enumerate(zip(labels, values, strict=True)):
        tall = (height - foot - head) * value / most
        middle = step * (number + 0.5)
        parts += [
            tag(
                "rect",
                x=f"{step * number + step * 0.14:.1f}",
                y=f"{height - foot - tall:.1f}",
                width=f"{step * 0.72:.1f}",
                height=f"{tall:.1f}",
                rx=2,
                class_="main",
            ),
            tag("text", label, x=f"{middle:.1f}", y=height - foot + 15, class_="tick", text_anchor="middle"),
        ]
        if value:
            said = percent(value / total)
            top = height - foot - tall - 5
            parts.append(
                tag("text", said, x=f"{middle:.1f}", y=f"{top:.1f}", class_="value", text_anchor="middle")
            )
    parts.append(tag("text", unit, x=width / 2, y=height - 4, class_="unit", text_anchor="middle"))
    return svg(name, width, height, *parts)


def percent(share: float) -> str:
    """Whole percent; what is there but rounds to nothing says so."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def scatter(name: str, points: Sequence[tuple[int, int, int]]) -> Markup:
    """Boxes by width and height, both logarithmic, so that equal shapes lie on one rising diagonal.

    points: width, height (pixels), class id.
    """
    most = max((max(width, height) for width, height, _ in points), default=100)
    decades = max(2, ceil(log10(max(most, 2))))
    inner = SIDE - MARGIN - RIGHT

    def place(pixels: float) -> float:
        return inner * log10(max(pixels, 1)) / decades

    def x(pixels: float) -> float:
        return MARGIN + place(pixels)

    def y(pixels: float) -> float:
        return SIDE - MARGIN - place(pixels)

    parts: list[object] = [*_decades(decades, x, y), *_shapes(decades, x, y)]
    by_class: dict[int, list[str]] = {}
    for width, height, class_id in points:
        by_class.setdefault(class_id % COLOURS, []).append(f"M{x(width):.0f} {y(height):.0f}h0")
    parts += [
        tag("path", d="".join(moves), class_=f"point {colour(class_id)}")
        for class_id, moves in sorted(by_class.items())
    ]
    parts += [
        tag("text", "width, pixels", x=MARGIN + inner / 2, y=SIDE - 2, class_="unit", text_anchor="middle"),
        tag(
            "text",
            "height, pixels",
            transform=f"translate(10 {RIGHT + inner / 2:g}) rotate(-90)",
            class_="unit",
            text_anchor="middle",
        ),
    ]
    return svg(name, SIDE, SIDE, *parts)


def _decades(decades: int, x: _Scale, y: _Scale) -> list[Markup]:
    """Grid lines at 1, 10, 100 … pixels."""
    lines = []
    for power in range(decades + 1):
        at = 10**power
        lines += [
            tag("line", x1=f"{x(at):.1f}", x2=f"{x(at):.1f}", y1=f"{y(1):.1f}", y2=RIGHT, class_="grid"),
            tag("line", x1=MARGIN, x2=SIDE - RIGHT, y1=f"{y(at):.1f}", y2=f"{y(at):.1f}", class_="grid"),
            tag(
                "text", f"{at:,}", x=f"{x(at):.1f}", y=SIDE - MARGIN + 14, class_="tick", text_anchor="middle"
            ),
            tag("text", f"{at:,}", x=MARGIN - 4, y=f"{y(at) + 4:.1f}", class_="tick", text_anchor="end"),
        ]
    return lines


def _shapes(decades: int, x: _Scale, y: _Scale) -> list[Markup]:
    """Diagonals of equal shape (1 : 1, 4 : 1, 1 : 4), and of the areas that COCO calls small and medium."""
    top = 10**decades
    lines = []
    for label, width, height in (("1 : 1", 1, 1), ("4 : 1", 4, 1), ("1 : 4", 1, 4)):
        end = top / max(width, height)
        lines += [
            _line(x(width), y(height), x(width * end), y(height * end), "guide"),
            tag(
                "text",
                label,
                x=f"{x(width * end):.1f}",
                y=f"{y(height * end) - 5:.1f}",
                class_="tick",
                text_anchor="middle" if height >= width else "end",
            ),
        ]
    for label, area in (("small", _SMALL), ("medium", _MEDIUM)):
        reach = min(area, top)
        lines.append(_line(x(area / reach), y(reach), x(reach), y(area / reach), "guide faint"))
        lines.append(
            tag(
                "text",
                label,
                x=f"{x(min(reach, area) * 0.55) - 3:.1f}",
                y=f"{y(area / reach) - 5:.1f}",
                class_="tick",
                text_anchor="end",
            )
        )
    return lines


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return tag("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=kind)


def heat_map(name: str, counts: "NDArray[np.int64]") -> Markup:
    """Where the boxes' centres lie, as on a picture. counts: rows from the top, columns from the left."""
    counts = _coarser(counts)
    rows, across = counts.shape
    width, height = SIDE, SIDE * 3 / 4
    most = int(counts.max()) or 1
    cells = [
        tag(
            "rect",
            x=f"{column * width / across:.1f}",
            y=f"{row * height / rows:.1f}",
            width=f"{width / across + 0.2:.1f}",
            height=f"{height / rows + 0.2:.1f}",
            fill_opacity=f"{0.12 + 0.88 * sqrt(int(count) / most):.2f}",
        )
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if count
    ]
    frame = tag("rect", x=0.5, y=0.5, width=width - 1, height=f"{height - 1:g}", class_="frame")
    return svg(name, width, height, tag("g", *cells, class_="heat"), frame)


def _coarser(counts: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Fewer, larger cells where there are too few boxes to fill small ones."""
    side = len(counts)
    merge = next((by for most, by in ((300, 3), (3000, 2)) if counts.sum() < most and side % by == 0), 1)
    return np.asarray(counts.reshape(side // merge, merge, side // merge, merge).sum(axis=(1, 3)))


def swatch(class_id: int) -> Markup:
    """The colour of a class, beside its name."""
    return tag(
        "svg",
        tag("rect", x=1, y=1, width=10, height=10, rx=2, class_=f"swatch {colour(class_id)}"),
        viewBox="0 0 12 12",
        aria_hidden="true",
        class_="dot",
    )


def named(class_id: int, label: str) -> Markup:
    return join(swatch(class_id), " ", text(short(label)))
