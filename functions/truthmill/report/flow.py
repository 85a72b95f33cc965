"""A flow from what came in to what came out (a Sankey diagram): bands as wide as what they carry."""

from collections.abc import Sequence
from dataclasses import dataclass

from truthmill.report.charts import svg
from truthmill.report.markup import Markup, tag

WIDTH = 960
TALL = 250  # of the fullest column's nodes, without the gaps between them
NODE = 12
SLOT = 40  # least height of a node with its two lines of text, gap included
LEAST = 2.5  # height of what is there but little


@dataclass(frozen=True, slots=True)
class Node:
    """kind: CSS class. column: from 0 on the left."""

    name: str
    label: str
    value: int
    column: int
    kind: str


@dataclass(frozen=True, slots=True)
class Link:
    """From one node to another, by their names."""

    source: str
    target: str
    value: int


@dataclass(slots=True)
class _Placed:
    node: Node
    x: float
    y: float
    height: float
    out: float = 0.0  # how much of its right, and of its left side is taken
    into: float = 0.0


def flow(name: str, nodes: Sequence[Node], links: Sequence[Link]) -> Markup:
    """Nodes that carry nothing are left out; bands keep the order of `links`."""
    nodes = [node for node in nodes if node.value]
    scale = TALL / max((_carried(nodes, node.column) for node in nodes), default=1)
    placed = _place(nodes, scale)
    bands = [
        _band(placed[link.source], placed[link.target], link.value * scale)
        for link in links
        if link.value and link.source in placed and link.target in placed
    ]
    last = max((node.column for node in nodes), default=0)
    height = max((each.y + max(each.height, SLOT) for each in placed.values()), default=10)
    drawn = [part for each in placed.values() for part in _drawn(each, last)]
    return svg(name, WIDTH, round(height + 4), *bands, *drawn, class_="chart flow")


def _carried(nodes: Sequence[Node], column: int) -> int:
    return sum(node.value for node in nodes if node.column == column)


def _place(nodes: Sequence[Node], scale: float) -> dict[str, _Placed]:
    last = max((node.column for node in nodes), default=0) or 1
    placed: dict[str, _Placed] = {}
    below: dict[int, float] = {}
    for node in nodes:
        y = below.get(node.column, 4.0)
        height = max(LEAST, node.value * scale)
        placed[node.name] = _Placed(node, node.column * (WIDTH - NODE) / last, y, height)
        below[node.column] = y + max(height + 14, SLOT)
    return placed


def _band(source: _Placed, target: _Placed, width: float) -> Markup:
    """A band from the right side of one to the left side of the other, bent in the middle."""
    width = max(LEAST, width)
    x1, x2 = source.x + NODE, target.x
    y1, y2 = source.y + min(source.out, source.height - LEAST), target.y + min(target.into, target.height)
    source.out += width
    target.into += width
    middle = (x1 + x2) / 2
    path = (
        f"M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        f"v{width:.1f}C{middle:.1f} {y2 + width:.1f} {middle:.1f} {y1 + width:.1f} {x1:.1f} {y1 + width:.1f}z"
    )
    return tag("path", d=path, class_=f"band {target.node.kind}")


def _drawn(each: _Placed, last: int) -> list[Markup]:
    at_end = each.node.column == last
    x = each.x - 8 if at_end else each.x + NODE + 8
    anchor = "end" if at_end else "start"
    middle = each.y + max(each.height, 26) / 2 if each.height < TALL else each.y + 30
    return [
        tag(
            "rect",
            x=f"{each.x:.1f}",
            y=f"{each.y:.1f}",
            width=NODE,
            height=f"{each.height:.1f}",
            rx=2,
            class_=f"node {each.node.kind}",
        ),
        tag(
            "text",
            tag("tspan", f"{each.node.value:,}", class_="number"),
            tag("tspan", each.node.label, x=f"{x:.1f}", dy=16),
            x=f"{x:.1f}",
            y=f"{middle - 3:.1f}",
            text_anchor=anchor,
        ),
    ]
