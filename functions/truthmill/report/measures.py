"""What a dataset's boxes measure: counted in one pass over the ledger, in memory that doesn't grow with it.

The lines come in any number; they are taken some thousand at a time, so that NumPy does the counting.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from truthmill.layout import SPLITS
from truthmill.records import Record
from truthmill.report.markup import short
from truthmill.report.overlap import overlapping
from truthmill.report.sampling import Lowest, chance

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 4096  # pictures
GRID = 24  # cells of the heat map, each way
SAME_PLACE = 0.6  # IoU from which two labels are for one thing
DOUBLE = 0.8  # IoU from which two boxes of one class are for one thing
TINY_SIDE = 8  # pixels; below it a detector at a usual input size sees next to nothing
HUGE_SHARE = 0.95  # of the picture
SLENDER = 12  # times as long as wide, or the other way round
ASPECT_EDGES = tuple(2.0 ** (step / 2) for step in range(-7, 8))  # width / height; half octaves
# Areas as the COCO evaluation bins them: below 32 x 32 small, below 96 x 96 medium, else large.
SMALL, MEDIUM = 32**2, 96**2
CROWDING = (0, 1, 2, 3, 5, 10, 20, 50)  # boxes a picture; each begins a bin
POINTS = 1500  # of the scatter
SHEET = {"random": 24, "smallest": 12, "largest": 12, "crowded": 8, "suspicious": 16}


class PlainBox(msgspec.Struct, frozen=True, gc=False):
    """`boxes.Box` as the ledger has it, without checking again what was checked when it was written."""

    class_id: int
    left: int
    top: int
    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height


class LabeledLine(Record, frozen=True):
    """As much of `records.LedgerLine` as is looked at here.

    labels: for how many labels workers have looked; 0 in ledgers that don't say, whose boxes are of all.
    """

    key: str
    split: str
    name: str
    run: str
    width: int = 0
    height: int = 0
    boxes: tuple[PlainBox, ...] | None = None
    labels: int = 0

    def as_of(self, labels: int) -> "LabeledLine":
        """As it is in channels of the first `labels` labels (`dataset.labeled_picture`)."""
        if self.boxes is None:
            return self
        if 0 < self.labels < labels:
            return msgspec.structs.replace(self, boxes=None)
        if all(box.class_id < labels for box in self.boxes):
            return self
        kept = tuple(box for box in self.boxes if box.class_id < labels)
        return msgspec.structs.replace(self, boxes=kept)


class Shown(msgspec.Struct, frozen=True):
    """A picture on a contact sheet. box: the one it is shown for; why: in a few words. as_drawn: whether the
    box is as somebody drew it, and not one of the picture's.
    """

    line: LabeledLine
    box: PlainBox | None = None
    why: str = ""
    as_drawn: bool = False


@dataclass(slots=True)
class SplitCounts:
    """One side. boxes, pictures_of: by class id; negatives: labeled pictures without a box."""

    classes: int
    pictures: int = 0
    negatives: int = 0
    unlabeled: int = 0
    boxes: "NDArray[np.int64]" = field(init=False)
    pictures_of: "NDArray[np.int64]" = field(init=False)

    def __post_init__(self) -> None:
        self.boxes = np.zeros(self.classes, np.int64)
        self.pictures_of = np.zeros(self.classes, np.int64)

    @property
    def box_count(self) -> int:
        return int(self.boxes.sum())


@dataclass(slots=True)
class _Sheets:
    """Candidates of the contact sheets."""

    random: Lowest[Shown] = field(default_factory=lambda: Lowest(SHEET["random"]))
    smallest: Lowest[Shown] = field(default_factory=lambda: Lowest(SHEET["smallest"]))
    largest: Lowest[Shown] = field(default_factory=lambda: Lowest(SHEET["largest"]))
    crowded: Lowest[Shown] = field(default_factory=lambda: Lowest(SHEET["crowded"]))
    suspicious: dict[str, Lowest[Shown]] = field(default_factory=dict)


class Measures:
    """Counts of a dataset's labeled pictures. seed: decides which are shown; run: whose share is told."""

    def __init__(self, labels: tuple[str, ...], seed: str, run: str) -> None:
        self.labels, self.seed, self.run = labels, seed, run
        self.splits: dict[str, SplitCounts] = {}
        self.of_this_run: Counter[tuple[str, bool]] = Counter()  # (split, labeled)
        self.heat = np.zeros((GRID, GRID), np.int64)
        self.aspects = np.zeros(len(ASPECT_EDGES) + 1, np.int64)
        self.crowding = np.zeros(len(CROWDING), np.int64)
        self.sizes: Counter[str] = Counter()  # small, medium, large, tiny, huge, slender
        self.at_edge = np.zeros(len(labels), np.int64)
        self.confused: Counter[tuple[int, int]] = Counter()  # pairs of class ids, the lower one first
        self.doubles = 0
        self.sheets = _Sheets()
        self._points = Lowest[tuple[int, int, int]](POINTS)
        self._dice = np.random.default_rng(int(chance(seed, "points") * 2**32))

    @property
    def pictures(self) -> int:
        return sum(counts.pictures for counts in self.splits.values())

    @property
    def negatives(self) -> int:
        return sum(counts.negatives for counts in self.splits.values())

    @property
    def boxes(self) -> int:
        return sum(counts.box_count for counts in self.splits.values())

    @property
    def points(self) -> list[tuple[int, int, int]]:
        """A fair sample of boxes: width, height (pixels), class id."""
        return list(self._points)

    def of_class(self, class_id: int) -> int:
        return sum(int(counts.boxes[class_id]) for counts in self.splits.values())

    def add(self, lines: Iterable[LabeledLine]) -> None:
        """Count a segment of the ledger."""
        stream = iter(lines)
        while chunk := list(islice(stream, AT_ONCE)):
            self._add_chunk([line for line in chunk if self._is_labeled(line)])

    def _is_labeled(self, line: LabeledLine) -> bool:
        labeled = line.boxes is not None
        if line.run == self.run:
            self.of_this_run[line.split, labeled] += 1
        if not labeled:
            self._split(line.split).unlabeled += 1
        return labeled

    def _split(self, name: str) -> SplitCounts:
        return self.splits.setdefault(name, SplitCounts(len(self.labels)))

    def _add_chunk(self, lines: list[LabeledLine]) -> None:
        counts = np.array([len(line.boxes or ()) for line in lines], np.int64)
        for line, boxes in zip(lines, counts.tolist(), strict=True):
            split = self._split(line.split)
            split.pictures += 1
            split.negatives += not boxes
            self.sheets.random.offer(chance(self.seed, line.key), Shown(line))
        self.crowding += np.bincount(
            np.searchsorted(CROWDING, counts, side="right") - 1, minlength=len(CROWDING)
        )
        for number in _first(-counts, SHEET["crowded"]):
            if counts[number]:
                self.sheets.crowded.offer(-int(counts[number]), Shown(lines[number]))
        if counts.sum():
            self._add_boxes(_Boxes(lines, counts))

    def _add_boxes(self, found: "_Boxes") -> None:
        self._count_classes(found)
        self._count_shapes(found)
        self._count_overlaps(found)
        self._sample(found)

    def _count_classes(self, found: "_Boxes") -> None:
        side = np.array([SPLITS.index(line.split) for line in found.lines], np.int64)[found.of]
        for number, name in enumerate(SPLITS):
            here = found.class_id[side == number]
            if len(here):
                counts = self._split(name)
                counts.boxes += np.bincount(here, minlength=len(self.labels))
                once = np.unique(found.of[side == number] * len(self.labels) + here)
                counts.pictures_of += np.bincount(once % len(self.labels), minlength=len(self.labels))
        self.at_edge += np.bincount(found.class_id[found.at_edge], minlength=len(self.labels))

    def _count_shapes(self, found: "_Boxes") -> None:
        centre = ((2 * found.corner + found.size) * GRID) // (2 * found.picture)
        column, row = np.clip(centre, 0, GRID - 1).T
        np.add.at(self.heat, (row, column), 1)
        self.aspects += np.bincount(
            np.searchsorted(ASPECT_EDGES, found.aspect, side="right"), minlength=len(ASPECT_EDGES) + 1
        )
        self.sizes["small"] += int((found.area < SMALL).sum())
        self.sizes["medium"] += int(((found.area >= SMALL) & (found.area < MEDIUM)).sum())
        self.sizes["large"] += int((found.area >= MEDIUM).sum())
        self.sizes["tiny"] += int(found.is_tiny.sum())
        self.sizes["huge"] += int(found.is_huge.sum())
        self.sizes["slender"] += int(found.is_slender.sum())
        for number in np.flatnonzero(found.is_huge)[:4].tolist():
            self._suspect("huge", found, number, "Covers nearly the whole picture")
        for number in np.flatnonzero(found.is_slender & ~found.is_tiny)[:4].tolist():
            self._suspect("slender", found, number, f"More than {SLENDER} times as long as wide")

    def _count_overlaps(self, found: "_Boxes") -> None:
        first, second, ratio = overlapping(found.of, found.placed, SAME_PLACE)
        one, other = found.class_id[first], found.class_id[second]
        for at in np.flatnonzero(one != other).tolist():
            pair = (int(min(one[at], other[at])), int(max(one[at], other[at])))
            self.confused[pair] += 1
            names = " and ".join(repr(short(self.labels[number], 40)) for number in pair)
            self._suspect("confused", found, int(second[at]), f"In one place: {names}")
        doubled = np.flatnonzero((one == other) & (ratio >= DOUBLE))
        self.doubles += len(doubled)
        for at in doubled[:4].tolist():
            self._suspect("double", found, int(second[at]), "Two boxes of one class around one thing")

    def _suspect(self, kind: str, found: "_Boxes", number: int, why: str) -> None:
        line, box = found.at(number)
        kept = self.sheets.suspicious.setdefault(kind, Lowest(SHEET["suspicious"]))
        kept.offer(chance(self.seed, line.key), Shown(line, box, why))

    def _sample(self, found: "_Boxes") -> None:
        dice = self._dice.random(len(found.of))
        for number in _first(dice, POINTS):
            width, height = found.size[number].tolist()
            self._points.offer(float(dice[number]), (width, height, int(found.class_id[number])))
        share = found.area / found.picture.prod(axis=1)
        for sheet, order, size in (
            (self.sheets.smallest, found.area.astype(float), SHEET["smallest"]),
            (self.sheets.largest, -share, SHEET["largest"]),
        ):
            for number in _first_of_each(found.of, order, size):
                line, box = found.at(number)
                sheet.offer(float(order[number]), Shown(line, box))


class _Boxes:
    """Boxes of some thousand pictures, an array for each property. of: the picture's place in `lines`."""

    def __init__(self, lines: list[LabeledLine], counts: "NDArray[np.int64]") -> None:
        flat = [
            value
            for line in lines
            for box in line.boxes or ()
            for value in (box.class_id, box.left, box.top, box.width, box.height)
        ]
        table = np.array(flat, np.int64).reshape(-1, 5)
        self.lines = lines
        self.of = np.repeat(np.arange(len(lines)), counts)
        self._starts = np.cumsum(counts) - counts
        self.class_id, self.placed = table[:, 0], table[:, 1:]
        self.corner, self.size = table[:, 1:3], table[:, 3:]
        self.picture = np.array([(line.width, line.height) for line in lines], np.int64)[self.of]
        self.area = self.size.prod(axis=1)
        self.aspect = self.size[:, 0] / self.size[:, 1]
        touches = (self.corner <= 0) | (self.corner + self.size >= self.picture)
        self.at_edge = touches.any(axis=1)
        self.is_tiny = self.size.min(axis=1) < TINY_SIDE
        self.is_huge = self.area >= HUGE_SHARE * self.picture.prod(axis=1)
        self.is_slender = (self.aspect >= SLENDER) | (self.aspect <= 1 / SLENDER)

    def at(self, number: int) -> tuple[LabeledLine, PlainBox]:
        line = self.lines[int(self.of[number])]
        return line, (line.boxes or ())[int(number - self._starts[self.of[number]])]


def _first(scores: "NDArray[Any]", size: int) -> Iterator[int]:
    """Indices of the lowest, of equal ones the first; in the order of the array."""
    yield from sorted(np.argsort(scores, kind="stable")[:size].tolist())


def _first_of_each(of: "NDArray[np.int64]", scores: "NDArray[np.float64]", size: int) -> list[int]:
    """Indices of the lowest, at most one a picture, so that one crowded picture doesn't fill a sheet."""
    order = np.lexsort((scores, of))
    lowest = order[np.concatenate([[True], of[order][1:] != of[order][:-1]])]
    return [int(lowest[at]) for at in _first(scores[lowest], size)]
