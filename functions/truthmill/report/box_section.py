"""The section about the boxes: their sizes, shapes and places, and what checking found."""

from collections.abc import Iterator
from itertools import pairwise

from truthmill.box_check import FINDINGS
from truthmill.report import charts
from truthmill.report.blocks import chart, section
from truthmill.report.facts import Facts
from truthmill.report.markup import Markup, join, table, tag
from truthmill.report.measures import ASPECT_EDGES, CROWDING


def box_section(facts: Facts) -> Markup:
    """Sizes, shapes and places of the boxes."""
    found = facts.measures
    if not found.boxes:
        return Markup()
    return section("boxes", "Boxes", tag("div", *_box_charts(facts), class_="charts"), _findings(facts))


def _box_charts(facts: Facts) -> Iterator[Markup]:
    found = facts.measures
    points = found.points
    sampled = f"A sample of {len(points):,} boxes." if len(points) < found.boxes else f"All {len(points):,}."
    sizes: list[list[object]] = [
        [name, f"{found.sizes[kind]:,}", charts.percent(found.sizes[kind] / found.boxes)]
        for kind, name in (
            ("small", "small (below 32² pixels)"),
            ("medium", "medium (below 96²)"),
            ("large", "large"),
        )
    ]
    yield chart(
        "Size and shape",
        charts.scatter("Boxes by width and height in pixels, both logarithmic", points),
        " ",
        sampled,
        " Lines mark equal shapes, and the areas that COCO's evaluation calls small and medium.",
        _key(facts),
        behind=table("Boxes by area", ["area", "boxes", "share"], sizes),
    )
    yield chart(
        "Where boxes lie",
        charts.heat_map("Heat map of the boxes' centres on the picture", found.heat),
        " Centres of all boxes, on a picture of any size. Stronger means more.",
        behind=_ninths(facts),
    )
    labels = [_ratio(low, high) for low, high in pairwise((0.0, *ASPECT_EDGES, float("inf")))]
    coarse = [(labels[at], int(value)) for at, value in enumerate(found.aspects)]
    merged = _aspects(coarse)
    yield chart(
        "Shape",
        charts.columns(
            "Boxes by width over height", [n for n, _ in merged], [v for _, v in merged], "width : height"
        ),
        behind=table(
            "Boxes by width over height", ["width / height", "boxes"], [[n, f"{v:,}"] for n, v in coarse if v]
        ),
    )
    crowding = [int(value) for value in found.crowding]
    names = _crowding_names()
    yield chart(
        "Boxes a picture",
        charts.columns("Pictures by number of boxes", names, crowding, "boxes"),
        behind=table(
            "Pictures by number of boxes",
            ["boxes", "pictures"],
            [[n, f"{v:,}"] for n, v in zip(names, crowding, strict=True)],
        ),
    )


def _key(facts: Facts) -> Markup:
    """The classes' colours, where each has its own."""
    if len(facts.labels) > charts.COLOURS:
        return Markup()
    names = (charts.named(number, label) for number, label in enumerate(facts.labels))
    return tag("span", *(tag("span", name) for name in names), class_="key")


def _ratio(low: float, high: float) -> str:
    if not low:
        return f"below {high:.2f}"
    return f"{low:.2f} and more" if high == float("inf") else f"{low:.2f} to {high:.2f}"


def _aspects(fine: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Seven columns from the half octaves of ASPECT_EDGES: each is the octave around its ratio."""
    values = [value for _, value in fine]
    names = ("narrower", "1 : 4", "1 : 2", "1 : 1", "2 : 1", "4 : 1", "wider")
    cuts = (0, 3, 5, 7, 9, 11, 13, len(values))
    return [(name, sum(values[low:high])) for name, (low, high) in zip(names, pairwise(cuts), strict=True)]


def _crowding_names() -> list[str]:
    names = []
    for low, high in pairwise(CROWDING):
        names.append(f"{low}" if high == low + 1 else f"{low}–{high - 1}")
    return [*names, f"{CROWDING[-1]}+"]


def _ninths(facts: Facts) -> Markup:
    heat = facts.measures.heat
    third = len(heat) // 3
    total = int(heat.sum()) or 1
    rows: list[list[object]] = [
        [
            name,
            *(
                charts.percent(
                    int(heat[at * third : (at + 1) * third, side * third : (side + 1) * third].sum()) / total
                )
                for side in range(3)
            ),
        ]
        for at, name in enumerate(("top", "middle", "bottom"))
    ]
    return table("Centres by thirds of the picture", ["third", "left", "middle", "right"], rows)


def _findings(facts: Facts) -> Markup:
    if not facts.listed.findings:
        return Markup()
    rows: list[list[object]] = [
        [reason, f"{number:,}", FINDINGS.get(reason, "")]
        for reason, number in facts.listed.findings.most_common()
    ]
    return join(
        tag("h3", "Checked boxes"),
        table("Boxes that were cut, dropped or are doubtful", ["finding", "boxes", "what was done"], rows, 1),
    )
