"""A dataset that is there is split anew: what is remembered of its pictures, and the decision.

Memory: about 850 bytes a picture, most of it fingerprints, and 24 for each class that it has boxes of.
"""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping, split
from truthmill.curation import Copied, Gathered
from truthmill.layout import SPLITS
from truthmill.records import Copy, LedgerLine
from truthmill.request import Split
from truthmill.similarity_search import near_duplicates
from truthmill.stratify import Drawn, stratify

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Remembered:
    """The ledger's pictures as they are read, one after the other."""

    def __init__(self, rules: Split, classes: int, ledger: str) -> None:
        """rules: of the new split. classes: length of the label list. ledger: its address."""
        self.rules, self.classes = rules, classes
        self.gathered, self.copied = Gathered(ledger), Copied()
        self.stays = bytearray()
        self._drawn = array("q")

    def add(self, line: LedgerLine, *, stays: bool) -> None:
        """stays: the picture must stay on its side, and its group with it."""
        number = len(self.stays)
        group = grouping.regroup(line.name, line.taken, line.group, self.rules.group_by)
        self.gathered.add(line.pixels, line.name, line.fingerprint, group, line.split)
        self.stays.append(stays)
        counts = Counter(box.class_id for box in line.boxes or () if box.class_id < self.classes)
        for class_id, boxes in counts.items():
            self._drawn.extend((number, class_id, boxes))

    def add_copy(self, copy: Copy) -> None:
        """A picture that isn't kept, and whose group binds the one that is."""
        self.copied.add(copy, self.rules.group_by)

    def drawn(self) -> Drawn:
        columns = np.frombuffer(self._drawn or array("q"), dtype=np.int64).reshape(-1, 3).T
        return Drawn(columns[0], columns[1], columns[2])


@dataclass(frozen=True, slots=True)
class Resplit:
    """The decision. sides: number in `layout.SPLITS` of each picture, in the order in which they were added.

    counts, wanted: pictures of each split. moved: pictures that change sides. lacking: pairs of a split's
    name and a class that it has no box of, though others have. largest_group: pictures in it. straddling:
    groups that are on several sides, counted in what came out.
    """

    sides: "NDArray[np.int8]"
    counts: Mapping[str, int]
    wanted: Mapping[str, int]
    moved: int
    lacking: tuple[tuple[str, int], ...]
    largest_group: int
    straddling: int


def resplit(remembered: Remembered, seed: str) -> Resplit:
    """Split by the rules that `remembered` has; classes are balanced where they ask for it.

    It takes the fingerprints along. Raises SplitError where no split can be made.
    """
    rules, gathered = remembered.rules, remembered.gathered
    before = grouping.sides_of(gathered.sides)
    stays = np.frombuffer(remembered.stays, dtype=np.bool_)
    links = [grouping.link_equal(gathered.groups, remembered.copied.groups_of(gathered.rows()))]
    if rules.near_duplicates is not None:
        links.append(near_duplicates(gathered.release_fingerprints(), rules.near_duplicates).links)
    groups = grouping.union(len(gathered), *links)
    shares = {"validation": rules.validation, "test": rules.test}
    drawn = remembered.drawn()
    if not rules.stratify:
        fixed = np.where(stays, before, split.UNDECIDED).astype(np.int8)
        outcome = split.assign(groups, gathered.rows(), shares, seed, fixed)
        sides, counts, wanted = outcome.sides, outcome.counts, outcome.wanted
        lacking: tuple[tuple[str, int], ...] = ()
    else:
        found = stratify(groups, gathered.rows(), drawn, shares, seed, before, stays, remembered.classes)
        sides, counts, wanted = found.sides, found.counts, found.wanted
        lacking = tuple((SPLITS[side], kind) for side, kind in found.lacking)
    moved = int((sides != before).sum())
    return Resplit(sides, counts, wanted, moved, lacking, *_leakage(groups, sides))


def _leakage(groups: "NDArray[np.int64]", sides: "NDArray[np.int8]") -> tuple[int, int]:
    """Pictures in the largest group, and how many groups are on several sides."""
    if not len(groups):
        return 0, 0
    on_sides = np.unique(groups * len(SPLITS) + sides) // len(SPLITS)
    largest = int(np.unique(groups, return_counts=True)[1].max())
    return largest, int((np.unique(on_sides, return_counts=True)[1] > 1).sum())
