"""A split made anew from labels: whole groups, every class in every split, as little moved as that takes.

Groups are dealt out by the rarest class that they hold, the rarest first, after Sechidis, Tsoumakas and
Vlahavas, "On the Stratification of Multi-Label Data" (2011); then classes that a split lacks are brought to
it, then the number of pictures is made exact with groups that no split needs.

Memory: about 100 bytes a picture and 24 bytes for each class that a group holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill import subset_sum
from truthmill.errors import SplitError
from truthmill.layout import SPLITS
from truthmill.split import TRAIN, UNDECIDED, ranked, settled_sides, wanted_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Drawn:
    """Boxes of labeled pictures, counted: three arrays of one length, in any order.

    picture: its number. class_id: index in the label list. boxes: how many of the class it has, at least 1.
    """

    picture: "NDArray[np.int64]"
    class_id: "NDArray[np.int64]"
    boxes: "NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Stratified:
    """The new split.

    sides: number in `layout.SPLITS` of each picture. counts, wanted: pictures of each split.
    boxes: splits x classes. lacking: pairs of a split's number and a class that it has no box of, though
    other splits have. moved: pictures that are on another side than before.
    """

    sides: "NDArray[np.int8]"
    counts: Mapping[str, int]
    wanted: Mapping[str, int]
    boxes: "NDArray[np.int64]"
    lacking: tuple[tuple[int, int], ...]
    moved: int


def stratify(
    groups: "NDArray[np.int64]",
    digests: "NDArray[np.uint8]",
    drawn: Drawn,
    shares: Mapping[str, float],
    seed: str,
    before: "NDArray[np.int8]",
    fixed: "NDArray[np.bool_]",
    classes: int,
) -> Stratified:
    """Give every picture its side; pictures of one group get the same.

    groups, digests, shares, seed: as for `split.assign`. before: the side that each picture is on now.
    fixed: pictures that stay there, and whose groups stay with most of them.
    classes: length of the label list.
    Raises SplitError where there is no picture, or where the shares leave nothing for train.
    """
    if not len(groups):
        raise SplitError("There is no picture to split: the dataset has none.")
    group, rank_of = ranked(groups, digests, seed)
    deal = _Deal(group, rank_of, drawn, wanted_counts(len(groups), shares), before, fixed, classes)
    deal.by_rarest_class(shares)
    deal.bring_lacking()
    deal.make_exact()
    sides = np.where(fixed, before, deal.side[group]).astype(np.int8)
    return _described(sides, drawn, deal.wanted, before, classes)


class _Deal:
    """Groups while they are dealt out. side: of each group; was: the one that it was on."""

    def __init__(
        self,
        group: "NDArray[np.int64]",
        rank_of: "NDArray[np.int64]",
        drawn: Drawn,
        wanted: dict[str, int],
        before: "NDArray[np.int8]",
        fixed: "NDArray[np.bool_]",
        classes: int,
    ) -> None:
        self.wanted, self.classes = wanted, classes
        self.asked = [SPLITS.index(name) for name in wanted]
        self.sizes = np.bincount(group)
        self.rank = np.empty(len(rank_of), dtype=np.int64)
        self.rank[rank_of] = np.arange(len(rank_of))
        self.side, _ = settled_sides(
            group, np.where(fixed, before, UNDECIDED).astype(np.int8), len(self.sizes)
        )
        self.locked = self.side != UNDECIDED
        self.was, _ = settled_sides(group, before, len(self.sizes))
        self._index(group, drawn)

    def _index(self, group: "NDArray[np.int64]", drawn: Drawn) -> None:
        """Boxes of each class in each group, sorted by group: `holder`, `kind`, `amount`; `first` of each."""
        pairs, where = np.unique(group[drawn.picture] * self.classes + drawn.class_id, return_inverse=True)
        self.holder, self.kind = np.divmod(pairs, max(1, self.classes))
        self.amount = np.bincount(where, drawn.boxes, len(pairs)).astype(np.int64)
        self.first = np.searchsorted(self.holder, np.arange(len(self.sizes) + 1))
        self.holders = np.bincount(self.kind, minlength=self.classes)
        stratum = np.full(len(self.sizes), self.classes, dtype=np.int64)  # of groups without a box
        order = np.lexsort((self.kind, self.holders[self.kind], self.holder))
        _, rarest = np.unique(self.holder[order], return_index=True)
        stratum[self.holder[order[rarest]]] = self.kind[order[rarest]]
        self.stratum = stratum

    def by_rarest_class(self, shares: Mapping[str, float]) -> None:
        """Each class's share of its boxes to every split, the rarest class first; train keeps the rest."""
        total = np.bincount(self.kind, self.amount, self.classes)
        by_stratum = np.argsort(self.stratum, kind="stable")
        starts = np.searchsorted(self.stratum[by_stratum], np.arange(self.classes + 2))
        for kind in np.argsort(self.holders, kind="stable").tolist():
            members = by_stratum[starts[kind] : starts[kind + 1]]
            amounts = self._amounts(members, kind)
            dealt = np.bincount(
                self.side[self._of(kind)] + 1, self.amount[self.kind == kind], len(SPLITS) + 1
            )[1:]
            missing = {
                SPLITS.index(name): round(
                    shares[name] * float(total[kind]) - float(dealt[SPLITS.index(name)])
                )
                for name in self.wanted
                if name != SPLITS[TRAIN]
            }
            self._take(members, amounts, missing, {side for side in self.asked if not dealt[side]})
        members = by_stratum[starts[self.classes] :]
        self._take(members, self.sizes[members], self._short(), set())
        self.side[self.side == UNDECIDED] = TRAIN

    def _of(self, kind: int) -> "NDArray[np.int64]":
        """Groups that hold a class."""
        holders: NDArray[np.int64] = self.holder[self.kind == kind]
        return holders

    def _amounts(self, members: "NDArray[np.int64]", kind: int) -> "NDArray[np.int64]":
        """Boxes of a class in each of these groups, all of which hold it."""
        holders, amounts = self._of(kind), self.amount[self.kind == kind]
        found: NDArray[np.int64] = amounts[np.searchsorted(holders, members)]
        return found

    def _take(
        self,
        members: "NDArray[np.int64]",
        amounts: "NDArray[np.int64]",
        missing: Mapping[int, int],
        lacking: set[int],
    ) -> None:
        """Give each split what it misses of these groups, those that were there before first.

        lacking: splits that get one group at least, as far as there are enough.
        """
        free = np.flatnonzero(self.side[members] == UNDECIDED)
        waiting = sorted(lacking)
        for side, amount in missing.items():
            left = free[np.lexsort((self.rank[members[free]], self.was[members[free]] != side))]
            waiting = [other for other in waiting if other != side]
            picked = subset_sum.fill(amounts[left], max(0, amount))
            if not len(picked) and side in lacking and len(left):
                picked = np.array([amounts[left].argmin()])
            picked = picked[: max(0, len(left) - len(waiting))]
            self.side[members[left[picked]]] = side
            free = free[self.side[members[free]] == UNDECIDED]

    def _short(self) -> dict[int, int]:
        """Pictures that each split beside train misses."""
        there = np.bincount(self.side + 1, self.sizes, len(SPLITS) + 1)[1:]
        return {
            SPLITS.index(name): self.wanted[name] - int(there[SPLITS.index(name)])
            for name in self.wanted
            if name != SPLITS[TRAIN]
        }

    def held(self) -> "NDArray[np.int64]":
        """Splits x classes: groups on that side which hold the class."""
        flat = self.side[self.holder].astype(np.int64) * self.classes + self.kind
        return np.bincount(flat, minlength=len(SPLITS) * self.classes).reshape(len(SPLITS), self.classes)

    def bring_lacking(self) -> None:
        """Bring each class to the splits that lack it, wherever fewer are lacking in the end."""
        held = self.held()
        moved = True
        while moved:
            moved = False
            for kind in np.argsort(self.holders, kind="stable").tolist():
                for side in self.asked:
                    self._steps = _STEPS
                    if self.holders[kind] and not held[side, kind]:
                        moved |= self._gain(kind, side, held) or self._bring(kind, side, held, frozenset())

    def _gain(self, kind: int, side: int, held: "NDArray[np.int64]") -> bool:
        """Move a group with this class to a side where that brings more classes than it takes away."""
        for number in self._candidates(kind, side):
            kinds = self.kind[self.first[number] : self.first[number + 1]]
            source = int(self.side[number])
            lost = int((held[source, kinds] == 1).sum()) if source in self.asked else 0
            if lost < int((held[side, kinds] == 0).sum()):
                self._move(number, side, held)
                return True
        return False

    def _bring(self, kind: int, side: int, held: "NDArray[np.int64]", moved: frozenset[int]) -> bool:
        """Move a group with this class to a side, and others for what that takes away; False: nothing moved.

        moved: groups that were moved on the way here, and stay where they are now.
        """
        for number in self._candidates(kind, side):
            if number in moved or self._steps <= 0:
                continue
            self._steps -= 1
            source = int(self.side[number])
            self._move(number, side, held)
            before = self.side.copy()
            kinds = self.kind[self.first[number] : self.first[number + 1]]
            lost = kinds[held[source, kinds] == 0].tolist() if source in self.asked else []
            if all(held[source, each] or self._bring(each, source, held, moved | {number}) for each in lost):
                return True
            for changed in np.flatnonzero(self.side != before).tolist():
                self._move(changed, int(before[changed]), held)
            self._move(number, source, held)
        return False

    def _candidates(self, kind: int, side: int) -> list[int]:
        """Groups with the class that can go to a side: small ones first."""
        found = self._of(kind)
        found = found[~self.locked[found] & (self.side[found] != side)]
        order = np.lexsort((self.rank[found], self.sizes[found]))[:_TRIED]
        candidates: list[int] = found[order].tolist()
        return candidates

    def _move(self, number: int, side: int, held: "NDArray[np.int64]") -> None:
        kinds = self.kind[self.first[number] : self.first[number + 1]]
        held[self.side[number], kinds] -= 1
        held[side, kinds] += 1
        self.side[number] = side

    def make_exact(self) -> None:
        """Exchange groups with train until the number of pictures is as wanted, or as near as may be.

        Of each class one group stays on each side; groups without a box go first, then common classes.
        """
        for side, short in self._short().items():
            source, target = (TRAIN, side) if short > 0 else (side, TRAIN)
            free = np.flatnonzero((self.side == source) & ~self.locked & ~self._needed())
            common = np.append(-self.holders, -len(self.sizes) - 1)[self.stratum[free]]
            free = free[np.lexsort((self.rank[free], self.was[free] != target, common))]
            picked = subset_sum.choose(self.sizes[free], abs(short), leave=self._only(source, len(free)))
            self.side[free[picked]] = target

    def _needed(self) -> "NDArray[np.bool_]":
        """Of each class and side one group that holds it: the first in rank."""
        order = np.argsort(self.rank[self.holder], kind="stable")
        flat = self.side[self.holder].astype(np.int64) * self.classes + self.kind
        _, first = np.unique(flat[order], return_index=True)
        needed = np.zeros(len(self.sizes), dtype=np.bool_)
        needed[self.holder[order[first]]] = True
        return needed

    def _only(self, side: int, movable: int) -> int:
        """1 where all of a side's groups could be moved, and one has to be left."""
        return int(movable == int((self.side == side).sum()))


_TRIED = 50  # groups with a class that are tried, and moves at most to bring it to a side
_STEPS = 2000


def _described(
    sides: "NDArray[np.int8]",
    drawn: Drawn,
    wanted: dict[str, int],
    before: "NDArray[np.int8]",
    classes: int,
) -> Stratified:
    counts = {name: int((sides == number).sum()) for number, name in enumerate(SPLITS)}
    if not counts[SPLITS[TRAIN]]:
        raise SplitError(
            f"No picture is left for train: all {len(sides)} belong together, or stay on other sides. "
            'Group less ("nearDuplicates", "groupBy"), or bring more pictures.'
        )
    flat = sides[drawn.picture].astype(np.int64) * classes + drawn.class_id
    boxes = (
        np.bincount(flat, drawn.boxes, len(SPLITS) * classes).astype(np.int64).reshape(len(SPLITS), classes)
    )
    lacking = tuple(
        (SPLITS.index(name), kind)
        for name in wanted
        for kind in np.flatnonzero((boxes[SPLITS.index(name)] == 0) & boxes.any(axis=0)).tolist()
    )
    return Stratified(sides, counts, wanted, boxes, lacking, int((sides != before).sum()))
