"""Contact sheets: pictures with their boxes drawn on, in the picture's own pixels, so that they lie exactly.

A picture's bytes are in the page once (`definitions`), however often it is shown.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from truthmill.report.charts import COLOURS, colour, named
from truthmill.report.facts import Facts
from truthmill.report.markup import Markup, join, short, tag
from truthmill.report.measures import SHEET, LabeledLine, PlainBox, Shown
from truthmill.report.thumbnails import Window, window

DRAWN = (400, 150, 50, 20)  # boxes drawn on one picture, at most: the first with which the page has room
FOUND = {  # of `box_check.FINDINGS`: in a few words, and whether the box isn't in the dataset as it was drawn
    "cut": ("Reached over the edge and was cut", True),
    "outside": ("Dropped: outside of the picture", True),
    "too-small": ("Dropped: a side is too short", True),
    "not-a-number": ("Dropped: a side is no number", True),
    "double": ("Dropped: it is there twice", True),
    "two-labels": ("The same rectangle has two labels", False),
}
PAIRS = 10  # of near-duplicates
DUPLICATES = 8


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture on a sheet. caption: in place of what its boxes are."""

    shown: Shown
    window: Window
    caption: str = ""

    @property
    def name(self) -> str:
        """Of its bytes: the same for every tile that shows the same part of the same picture."""
        part = self.window
        return f"{self.shown.line.key}#{part.left},{part.top},{part.width},{part.height}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """id: the section's anchor. about: how its pictures were chosen."""

    id: str
    title: str
    about: str
    tiles: tuple[Tile, ...]


def sheets(facts: Facts) -> tuple[Sheet, ...]:
    """The sheets that have something to show, in the page's order."""
    found = facts.measures.sheets
    made = (
        Sheet(
            "random",
            "Random pictures",
            "A fair sample. If these look right, most of the dataset does.",
            _whole(found.random),
        ),
        Sheet(
            "least-agreed",
            "Least agreed",
            "Pictures with a box that the workers' answers make least certain.",
            tuple(_least_agreed(facts)),
        ),
        Sheet(
            "suspicious",
            "Suspicious",
            "Two labels in one place, one thing boxed twice, boxes of unusual shape or size. Dotted: what "
            "was cut or dropped, as it was drawn.",
            _closely(_suspicious(facts)),
        ),
        Sheet(
            "smallest",
            "Smallest boxes",
            "By area, one a picture; cut out around the box.",
            _closely(found.smallest),
        ),
        Sheet("largest", "Largest boxes", "By share of the picture, one a picture.", _closely(found.largest)),
        Sheet("crowded", "Most crowded", "Pictures with the most boxes.", _whole(found.crowded)),
    )
    return tuple(sheet for sheet in made if sheet.tiles)


def duplicate_pairs(facts: Facts) -> tuple[tuple[Tile, Tile], ...]:
    """The kept picture of each duplicate, and beside it what was dropped: the very same pixels."""
    return tuple(
        (_tile(Shown(kept), "kept"), _tile(Shown(_dropped(kept, line.name)), "dropped"))
        for line in facts.listed.duplicates[:DUPLICATES]
        if (kept := facts.lines.get(line.of))
    )


def _dropped(kept: LabeledLine, name: str) -> LabeledLine:
    """The picture by the name of its copy, which nobody labeled."""
    return msgspec.structs.replace(kept, name=name, boxes=None)


def similar_pairs(facts: Facts) -> tuple[tuple[Tile, Tile, int], ...]:
    """Near-duplicates with their distance, the closest first."""
    return tuple(
        (_tile(Shown(facts.lines[pair.key])), _tile(Shown(facts.lines[pair.of])), pair.distance)
        for pair in facts.listed.similar[:PAIRS]
        if pair.key in facts.lines and pair.of in facts.lines
    )


def _whole(found: Iterable[Shown]) -> tuple[Tile, ...]:
    return tuple(_tile(shown) for shown in found)


def _closely(found: Iterable[Shown]) -> tuple[Tile, ...]:
    """Around the box that each is shown for."""
    return tuple(
        Tile(shown, window((shown.line.width, shown.line.height), _sides(shown)), shown.why)
        for shown in found
    )


def _sides(shown: Shown) -> tuple[int, int, int, int] | None:
    """Of the box, if there is anything of it in the picture."""
    line, box = shown.line, shown.box
    if not box or box.left >= line.width or box.top >= line.height:
        return None
    if box.left + box.width <= 0 or box.top + box.height <= 0:
        return None
    return box.left, box.top, box.width, box.height


def _tile(shown: Shown, caption: str = "") -> Tile:
    return Tile(shown, Window(0, 0, shown.line.width, shown.line.height), caption)


def _least_agreed(facts: Facts) -> Iterator[Tile]:
    for key, share in facts.agreement.least.items():
        if key in facts.lines:
            yield _tile(Shown(facts.lines[key]), f"one box is certain to {share:.0%}")


def _suspicious(facts: Facts) -> list[Shown]:
    """Of each kind some, in turn, so that a frequent kind doesn't hide the others."""
    kinds = [list(kind) for kind in facts.measures.sheets.suspicious.values()]
    kinds += [
        [
            Shown(facts.lines[found.key], found.box, *FOUND.get(reason, (f"Doubtful: {reason}", False)))
            for found in several
            if found.key in facts.lines
        ]
        for reason, several in sorted(facts.listed.doubtful.items())
    ]
    longest = max(map(len, kinds), default=0)
    found = [kind[at] for at in range(longest) for kind in kinds if at < len(kind)]
    return found[: SHEET["suspicious"]]


def definitions(packed: Mapping[str, str], tiles: Mapping[str, Tile]) -> Markup:
    """Every picture's bytes, placed where its part lies in the picture's own pixels."""
    images = [
        tag(
            "image",
            id=identifier(name, packed),
            x=tiles[name].window.left,
            y=tiles[name].window.top,
            width=tiles[name].window.width,
            height=tiles[name].window.height,
            preserveAspectRatio="none",
            href=uri,
        )
        for name, uri in packed.items()
    ]
    return tag("svg", tag("defs", *images), width="0", height="0", aria_hidden="true", class_="definitions")


def identifier(name: str, packed: Mapping[str, str]) -> str:
    """Of a picture's element."""
    return f"p{list(packed).index(name)}"


@dataclass(frozen=True, slots=True)
class Album:
    """What tiles are drawn with. packed: `data:` URIs by the tile's name; most: boxes drawn on a picture."""

    labels: tuple[str, ...]
    packed: Mapping[str, str]
    most: int = DRAWN[0]


def contact_sheet(tiles: Sequence[Tile], album: Album) -> Markup:
    return tag("ul", *(tag("li", figure(tile, album)) for tile in tiles), class_="sheet", role="list")


def figure(tile: Tile, album: Album) -> Markup:
    """The picture with its boxes, its name and what is on it."""
    labels, packed = album.labels, album.packed
    line, part = tile.shown.line, tile.window
    boxes = line.boxes or ()
    said = _said(boxes, labels) if line.boxes is not None else "not labeled"
    picture = tag(
        "svg",
        tag("use", href=f"#{identifier(tile.name, packed)}")
        if tile.name in packed
        else tag("rect", x=part.left, y=part.top, width=part.width, height=part.height, class_="missing"),
        *_drawn(boxes, tile.shown, album.most),
        viewBox=f"{part.left} {part.top} {part.width} {part.height}",
        role="img",
        aria_label=f"{short(line.name)}: {said}",
        class_="picture",
    )
    return tag(
        "figure",
        picture,
        tag(
            "figcaption",
            tag("span", short(line.name), class_="name"),
            tag("span", tile.caption, class_="why") if tile.caption else "",
            tag("span", _legend(boxes, tile.shown.box, labels), class_="legend")
            if line.boxes is not None
            else tag("span", "" if tile.caption else said, class_="legend"),
            tag("span", _about(tile, album.most), class_="about"),
        ),
        class_="tile",
    )


def _about(tile: Tile, most: int) -> str:
    line, box = tile.shown.line, tile.shown.box
    size = f", box {box.width} × {box.height}" if box else ""
    cut = f", {most} of {len(line.boxes or ())} boxes drawn" if len(line.boxes or ()) > most else ""
    return f"{line.split}, {line.width} × {line.height}{size}{cut}"


def _said(boxes: Sequence[PlainBox], labels: tuple[str, ...]) -> str:
    """For who doesn't see the picture: "3 boxes: 2 cat, 1 dog"."""
    if not boxes:
        return "no boxes"
    counts = Counter(box.class_id for box in boxes)
    listed = ", ".join(
        f"{number} {short(labels[class_id], 40)}" for class_id, number in counts.most_common(8)
    )
    return f"{len(boxes)} box{'' if len(boxes) == 1 else 'es'}: {listed}"


def _legend(boxes: Sequence[PlainBox], box: PlainBox | None, labels: tuple[str, ...]) -> Markup:
    if not boxes:
        return Markup("no boxes")
    counts = Counter(each.class_id for each in boxes) if box is None else Counter([box.class_id])
    said = [
        join(named(class_id, labels[class_id]), f" {number:,}" if number > 1 else "")
        for class_id, number in counts.most_common(5)
    ]
    more = [Markup("…")] if len(counts) > 5 else []
    return join(*(tag("span", each) for each in said), *more)


def _drawn(boxes: Sequence[PlainBox], tile: Shown, most: int) -> list[Markup]:
    """Outlines along the outer edge of each box's pixels, on a light line that sets them off."""
    shown, chosen = boxes[:most], tile.box
    if chosen is not None and chosen not in shown and not tile.as_drawn:
        shown = (*shown, chosen)
    groups: dict[int, list[PlainBox]] = {}
    for box in shown:
        groups.setdefault(box.class_id, []).append(box)
    drawn = []
    for class_id, members in sorted(groups.items()):
        kind = f"box {colour(class_id)}" + (" again" if class_id >= COLOURS else "")
        others = [box for box in members if tile.as_drawn or box != chosen]
        if others:
            path = _path(others)
            faint = " faint" if chosen else ""
            drawn += [tag("path", d=path, class_=f"halo{faint}"), tag("path", d=path, class_=kind + faint)]
    if chosen is not None:
        path = _path([chosen])
        kind = f"box {colour(chosen.class_id)}" + (" again" if chosen.class_id >= COLOURS else "")
        kind += " as-drawn" if tile.as_drawn else ""
        drawn += [tag("path", d=path, class_="halo"), tag("path", d=path, class_=kind)]
    return drawn


def _path(boxes: Sequence[PlainBox]) -> str:
    return "".join(f"M{box.left} {box.top}h{box.width}v{box.height}h-{box.width}z" for box in boxes)
