"""New pictures that belong with earlier ones on several sides: wherever they went, they would leak.

What may not be parted: near-duplicates, pictures of one group, a picture and the side that its folder names.
Earlier pictures stay. Of the new ones as few as possible are left out (`separation`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping
from truthmill.layout import SPLITS
from truthmill.likeness_across import ACROSS, Across, across, links_between
from truthmill.separation import Graph, separated
from truthmill.split import UNDECIDED, by_digest, settled_sides

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_ROUNDS = 5  # in which links between what came out on different sides are looked for; then both ends go
_LOOKS = 5  # at those of which a look couldn't tell all
_DEARER = 1.2  # times as many as a cut leaves out, at the most, for a part to be kept on one side altogether


@dataclass(frozen=True, slots=True)
class Bound:
    """Pictures and what may not be parted.

    earlier: which of them the dataset has already, on the side in `sides`. sides: number in `layout.SPLITS`,
    of new pictures by their folder or by an interrupted run; -1 elsewhere. again: of the new ones, which have
    theirs from an interrupted run. keys: of groups, "" for none.
    further: groups besides, with the picture's number: those of its copies, which aren't kept.
    digests: one a row, so that the order changes nothing. links: of near-duplicates, enough to connect them.
    fingerprints: None where likeness doesn't count; distance: of near-duplicates. most: pairs that are
    laid over each other at a look; what can't be told of by then isn't kept.
    """

    earlier: "NDArray[np.bool_]"
    sides: "NDArray[np.int8]"
    again: "NDArray[np.bool_]"
    keys: Sequence[str]
    digests: "NDArray[np.uint8]"
    links: "NDArray[np.int64]"
    further: Sequence[tuple[int, str]] = ()
    fingerprints: "NDArray[np.uint8] | None" = None
    distance: int = 0
    most: int = ACROSS


@dataclass(frozen=True, slots=True)
class Parted:
    """groups: number of each picture's group, closed over all that may not be parted. sides: as settled.

    between: new pictures that are left out. why: what binds each of these to which side.
    """

    groups: "NDArray[np.int64]"
    sides: "NDArray[np.int8]"
    between: "NDArray[np.bool_]"
    why: dict[int, str]


def parted(bound: Bound) -> Parted:
    """The sides that are settled, or follow from those; what can be on none without a leak is left out."""
    count = len(bound.sides)
    groups = grouping.union(count, grouping.link_equal(bound.keys, bound.further), bound.links)
    side, straddling = settled_sides(groups, bound.sides, count)
    decided = np.where(bound.sides == UNDECIDED, side[groups], bound.sides).astype(np.int8)
    between = np.zeros(count, dtype=np.bool_)
    if not straddling:
        return Parted(groups, decided, between, {})
    torn = _in_straddling(groups, bound.sides)
    new = np.flatnonzero(torn & ~bound.earlier)
    new = new[by_digest(bound.digests[new])]
    knot = _Knot(bound, new, np.flatnonzero(torn & bound.earlier))
    found = knot.untied()
    between[new] = [side is None for side in found]
    decided[new] = [side.bit_length() - 1 if side else UNDECIDED for side in found]
    why = {int(new[number]): knot.told(number) for number in range(len(new)) if found[number] is None}
    links = np.hstack([new[knot.links], knot.links_of_earlier()])
    return Parted(_regrouped(bound, links, between), decided, between, why)


def _regrouped(bound: Bound, links: "NDArray[np.int64]", between: "NDArray[np.bool_]") -> "NDArray[np.int64]":
    """The groups of what stays. links: all that were found where something was left out."""
    keys = ("" if out else key for key, out in zip(bound.keys, between.tolist(), strict=True))
    # Of an earlier picture's copy, which isn't kept: whom it binds has its side by now.
    binds = ~(between | bound.earlier)
    further = ((number, key) for number, key in bound.further if binds[number])
    stay = (part[:, ~between[part].any(axis=0)] for part in (bound.links, links))
    return grouping.union(len(between), grouping.link_equal(keys, further), *stay)


def _in_straddling(groups: "NDArray[np.int64]", fixed: "NDArray[np.int8]") -> "NDArray[np.bool_]":
    """Members of groups that are on several sides already."""
    is_fixed = fixed >= 0
    there = np.zeros((len(SPLITS), len(fixed)), dtype=np.bool_)
    there[fixed[is_fixed], groups[is_fixed]] = True
    straddling: NDArray[np.bool_] = (there.sum(axis=0) > 1)[groups]
    return straddling


class _Knot:
    """The new pictures of all groups that are on several sides, numbered by their digests.

    by_likeness, by_group, by_side: the sides that each is bound to by what, a bit each.
    links: of near-duplicates among them, more with each round. unsure: which of them the last looks, at
    earlier ones and at each other, couldn't tell all of. untold: which are left out for that.
    searches_left: pairs that searches of what is kept may still lay over each other.
    """

    def __init__(self, bound: Bound, new: "NDArray[np.int64]", earlier: "NDArray[np.int64]") -> None:
        self.bound, self.new, self.earlier = bound, new, earlier
        self.keys = [bound.keys[number] for number in new.tolist()]
        place = {number: at for at, number in enumerate(new.tolist())}
        self.further = [(place[number], key) for number, key in bound.further if number in place]
        self.alike = self._alike()
        # Those that look the same are bound together like a group, whichever of them the links name.
        several = np.bincount(self.alike)[self.alike] > 1
        self.further += [(number, f"\0{self.alike[number]}") for number in np.flatnonzero(several).tolist()]
        self.by_side = np.where(bound.sides[new] >= 0, 1 << np.maximum(bound.sides[new], 0), 0)
        self.by_group = self._by_group()
        self.links, self.by_likeness = self._by_links()
        self.unsure, self.unsure_together = np.zeros((2, len(new)), dtype=np.bool_)
        self.untold: set[int] = set()
        self.searches_left = bound.most
        if bound.fingerprints is not None:
            self._look_at_earlier()

    def _by_group(self) -> "NDArray[np.int64]":
        self.of_groups: dict[str, int] = defaultdict(int)
        for number in self.earlier.tolist():
            self.of_groups[self.bound.keys[number]] |= 1 << int(self.bound.sides[number])
        for number, key in self.bound.further:
            if self.bound.earlier[number]:
                self.of_groups[key] |= 1 << int(self.bound.sides[number])
        self.of_groups[""] = 0
        bound_to = np.array([self.of_groups.get(key, 0) for key in self.keys], dtype=np.int64)
        for number, key in self.further:
            bound_to[number] |= self.of_groups.get(key, 0)
        return bound_to

    def _alike(self) -> "NDArray[np.int64]":
        """For each the first with the same fingerprint, itself where none is or likeness doesn't count."""
        alike = np.arange(len(self.new))
        first: dict[bytes, int] = {}
        for number, picture in enumerate(self.new.tolist()):
            if self.bound.fingerprints is not None and self.bound.fingerprints[picture].any():
                alike[number] = first.setdefault(self.bound.fingerprints[picture].tobytes(), number)
        return alike

    def _by_links(self) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """What the links that connect everything say."""
        place = np.full(len(self.bound.sides), -1, dtype=np.int64)
        place[self.new] = self.alike
        ends = place[self.bound.links]
        bound_to = np.zeros(len(self.new), dtype=np.int64)
        for one, other in ((0, 1), (1, 0)):
            to_earlier = (ends[one] >= 0) & self.bound.earlier[self.bound.links[other]]
            sides = self.bound.sides[self.bound.links[other, to_earlier]].astype(np.int64)
            np.bitwise_or.at(bound_to, ends[one, to_earlier], 1 << sides)
        return ends[:, (ends >= 0).all(axis=0) & (ends[0] != ends[1])], bound_to[self.alike]

    def _look_at_earlier(self, found: list[int | None] | None = None) -> bool:
        """All sides whose pictures each resembles; the links that connect everything tell of one.

        found: where each is kept; then only other sides are looked at, by fewer pictures and so more closely.
        Answers whether something new was seen.
        """
        earlier = self.earlier[by_digest(self.bound.digests[self.earlier])]
        before = self.by_likeness.copy()
        self.unsure[:] = False
        for side in range(len(SPLITS)):
            there = earlier[self.bound.sides[earlier] == side]
            numbers = [
                number
                for number in range(len(self.new))
                if not found or found[number] not in (None, 1 << side)
            ]
            if len(there) and numbers:
                self._look(np.array(numbers), there, side)
        return not np.array_equal(before, self.by_likeness)

    def _look(self, numbers: "NDArray[np.int64]", there: "NDArray[np.int64]", side: int) -> None:
        """Which of these resemble earlier pictures of a side; where one look doesn't tell, by fewer."""
        for _ in range(_LOOKS):
            looking = self.new[numbers]
            kinds = np.repeat([0, 1], [len(looking), len(there)])
            found = self._across(np.concatenate([looking, there]), kinds)
            self.by_likeness[numbers[found.links.min(axis=0)]] |= 1 << side
            numbers = numbers[found.unsure[: len(numbers)]]
            numbers = numbers[self.by_likeness[numbers] >> side & 1 == 0]
            if not len(numbers):
                return
        self.unsure[numbers] = True

    def links_of_earlier(self) -> "NDArray[np.int64]":
        """Of earlier pictures on different sides, which new ones that are left out may have connected."""
        sides = self.bound.sides[self.earlier].astype(np.int64)
        return self.earlier[self._across(self.earlier, sides).links]

    def _across(self, numbers: "NDArray[np.int64]", kind: "NDArray[np.int64]") -> Across:
        fingerprints = self.bound.fingerprints
        if fingerprints is None or len(numbers) < 2:
            return Across(np.empty((2, 0), dtype=np.int64), np.zeros(len(numbers), dtype=np.bool_))
        return across(fingerprints[numbers], self.bound.distance, kind, self.bound.most)

    def untied(self) -> list[int | None]:
        """For each the bit of its side, 0 where it may be on any, None where it is left out.

        What came out on different sides must not be linked; where it is, it is decided anew.
        """
        for _ in range(_ROUNDS):
            found = separated(self._graph())
            self._keep_together(found, _DEARER)
            more = self._leaks(found)
            if not more.shape[1]:
                more, is_settled = self._search(found)
                if is_settled and not self._look_at_earlier(found):  # last, for it takes longest
                    return self._told_of(found)
            self.links = np.hstack([self.links, more])
        cut = self._without_ends(found, more)
        self._keep_together(cut, 1.0)
        self._look_at_earlier(cut)
        is_settled = False
        while not is_settled:
            cut = self._without_ends(cut, more)
            more, is_settled = self._search(cut)
        return self._told_of(cut)

    def _without_ends(self, found: list[int | None], links: "NDArray[np.int64]") -> list[int | None]:
        """Without the ends of these links, and without what resembles pictures of other sides."""
        ends, touches = set(links.ravel().tolist()), self._touches()
        return [
            None if side is None or number in ends or touches[number] & ~side else side
            for number, side in enumerate(found)
        ]

    def _search(self, found: list[int | None]) -> "tuple[NDArray[np.int64], bool]":
        """Links between new pictures, as `_leaks`, and whether there are none, nor any to earlier ones.

        As the search of all pictures would find them, which compares other marks than `_across`: neither
        finds every pair. Of both together so many pairs are laid over each other as at a look.
        """
        fingerprints = self.bound.fingerprints
        kept, kind = self._kinds(found)
        if fingerprints is None:
            return np.empty((2, 0), dtype=np.int64), True
        rows = np.concatenate([self.new[kept], self.earlier])
        of_earlier = -(1 << self.bound.sides[self.earlier].astype(np.int64))
        links, self.searches_left = links_between(
            fingerprints[rows],
            self.bound.distance,
            np.concatenate([kind, of_earlier]),
            np.arange(len(rows)) >= len(kept),
            self.searches_left,
        )
        more = kept[links[:, links[1] < len(kept)]]
        new, earlier = links[:, (links[0] < len(kept)) & (links[1] >= len(kept))]
        before = self.by_likeness.copy()
        sides = self.bound.sides[rows[earlier]].astype(np.int64)
        np.bitwise_or.at(self.by_likeness, kept[new], 1 << sides)
        return more, not more.shape[1] and np.array_equal(before, self.by_likeness)

    def _told_of(self, found: list[int | None]) -> list[int | None]:
        """Without those of which there was no time to tell whether they resemble pictures of other sides."""
        unsure = self.unsure | self.unsure_together
        self.untold = {number for number, side in enumerate(found) if side is not None and unsure[number]}
        return [None if number in self.untold else side for number, side in enumerate(found)]

    def _keep_together(self, found: list[int | None], dearer: float) -> None:
        """Keep parts on one side altogether, where that costs little more: `found` is changed in place.

        Of a crowd of look-alikes nearly all of the smaller side has to go anyway, and what is left on both
        would have to be compared, each with each. Of what is on one side nothing can be linked to another.
        dearer: times as many as `found` leaves out that may be left out then.
        """
        groups = grouping.union(len(found), grouping.link_equal(self.keys, self.further), self.links)
        touches, again = self._touches(), self.bound.again[self.new].tolist()
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        for part in np.split(order, starts[1:]):
            members = part.tolist()
            if len({found[number] for number in members} - {None}) > 1:
                together = _together(members, touches, again)
                left_out = sum(found[number] is None for number in members)
                if together.count(None) <= dearer * left_out:
                    for number, side in zip(members, together, strict=True):
                        found[number] = side

    def _touches(self) -> list[int]:
        """The sides that each is bound to, a bit each."""
        bound_to: list[int] = (self.by_likeness | self.by_group | self.by_side).tolist()
        return bound_to

    def _graph(self) -> Graph:
        neighbours: list[list[int]] = [[] for _ in self.keys]
        hubs: dict[str, int] = {}
        for number, key in chain(enumerate(self.keys), self.further):
            if key:
                hub = hubs.setdefault(key, len(neighbours))
                if hub == len(neighbours):
                    neighbours.append([])
                neighbours[number].append(hub)
                neighbours[hub].append(number)
        for one, other in self.links.T.tolist():
            neighbours[one].append(other)
            neighbours[other].append(one)
        return Graph(self._touches(), neighbours, self.bound.again[self.new].tolist())

    def _leaks(self, found: list[int | None]) -> "NDArray[np.int64]":
        """Links between kept pictures on different sides, or of which one may be on any."""
        kept, kind = self._kinds(found)
        found_across = self._across(self.new[kept], kind)
        self.unsure_together[:] = False
        self.unsure_together[kept[found_across.unsure]] = True
        return kept[found_across.links]

    def _kinds(self, found: list[int | None]) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """What is kept, and of each a number that is equal where a link may be."""
        kept = np.array([number for number, side in enumerate(found) if side is not None], dtype=np.int64)
        sides = np.array([found[number] for number in kept.tolist()], dtype=np.int64)
        is_kept = np.zeros(len(found), dtype=np.bool_)
        is_kept[kept] = True
        keys = (key if stays else "" for key, stays in zip(self.keys, is_kept.tolist(), strict=True))
        further = ((number, key) for number, key in self.further if is_kept[number])
        links = self.links[:, is_kept[self.links].all(axis=0)]
        groups = grouping.union(len(found), grouping.link_equal(keys, further), links)[kept]
        return kept, np.where(sides > 0, -sides, groups)

    def told(self, number: int) -> str:
        """What binds a picture to which side."""
        if number in self.untold:
            return (
                "its group is on several sides, and there was no time to tell which of thousands of pictures "
                "there it resembles"
            )
        causes = (
            (self.by_likeness, "it resembles a picture there"),
            (self.by_group, "its group {group!r} is there"),
            (self.by_side, "its folder, or an interrupted run, put it there"),
        )
        return "; ".join(self._sides_told(number, causes))

    def _sides_told(
        self, number: int, causes: "tuple[tuple[NDArray[np.int64], str], ...]"
    ) -> "Iterator[str]":
        sides = 0
        for bit, name in enumerate(SPLITS):
            keys = [self.keys[number], *(key for other, key in self.further if other == number)]
            group = next((key for key in keys if self.of_groups.get(key, 0) >> bit & 1), "")
            said = [text.format(group=group) for bound_to, text in causes if bound_to[number] >> bit & 1]
            if said:
                sides += 1
                yield f"{name}: {' and '.join(said)}"
        if sides < 2:
            yield "other new pictures that belong with it are bound to another side"


def _together(members: list[int], touches: list[int], again: list[bool]) -> list[int | None]:
    """All on the side on which most can be, first of all most that an interrupted run has kept."""
    best: tuple[int, int, list[int | None]] | None = None
    for side in (1 << number for number in range(len(SPLITS))):
        kept = [side if touches[number] | side == side else None for number in members]
        stay = [number for number, there in zip(members, kept, strict=True) if there]
        rated = sum(again[number] for number in stay), len(stay)
        if best is None or rated > best[:2]:
            best = *rated, kept
    assert best is not None  # noqa: S101 (there are sides)
    return best[2]
