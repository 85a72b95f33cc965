"""Likeness between pictures of different kinds, and of which of them there was no time to tell it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill.mark_pairs import are_upright, first_maps
from truthmill.neighbours import Ordered, neighbours, neighbours_across
from truthmill.similarity_search import Search, by_content, pictures_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ACROSS = 200_000  # pairs of pictures that are laid over each other: bounds the time of look-alikes
_UNLIMITED = 1 << 60


@dataclass(frozen=True, slots=True)
class Across:
    """links: between pictures of different kinds, 2 x M picture numbers, the smaller above.

    Of each picture one link, at least, to each kind that it resembles one of, as far as there was time.
    unsure: pictures with others left uncompared.
    """

    links: "NDArray[np.int64]"
    unsure: "NDArray[np.bool_]"


def across(
    fingerprints: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]", most: int = ACROSS
) -> Across:
    """Links between pictures of different kinds, where `similarity_search.near_duplicates` connects.

    most: pairs that are laid over each other, some more at the most. The answer depends on the order of
    pictures that have equal marks.
    """
    search = SearchAcross(fingerprints, distance, kind, most)
    search.run()
    return Across(search.links(), search.unsure)


def links_between(
    fingerprints: "NDArray[np.uint8]",
    distance: int,
    kind: "NDArray[np.int64]",
    settled: "NDArray[np.bool_]",
    left: int,
) -> "tuple[NDArray[np.int64], int]":
    """Links between pictures of different kinds that `similarity_search.near_duplicates` would find, too.

    The smaller number above; none between two that are connected by others. settled: which need no links to
    each other. left: pairs that may be laid over each other; answers how many of these are left.
    """
    order, _ = by_content(fingerprints)
    search = _SearchBetween(fingerprints, order, distance)
    search.kind, search.settled, search.left = kind[order], settled[order], left
    search.run()
    links = order[search.links()]
    links.sort(axis=0)
    return links, search.left


class _SearchBetween(Search):
    """As the search of all pictures, but for pictures of one kind, or settled, which aren't compared."""

    kind: "NDArray[np.int64]"
    settled: "NDArray[np.bool_]"

    def is_apart(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        apart: NDArray[np.bool_] = self.kind[first] != self.kind[second]
        apart &= ~(self.settled[first] & self.settled[second])
        apart[apart] = super().is_apart(first[apart], second[apart])
        return apart


class SearchAcross(Search):
    """Connects nothing: each picture is looked at until it has its link to each of the other kinds.

    Notes what there is no time for.
    """

    def __init__(
        self, rows: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]", most: int
    ) -> None:
        super().__init__(rows, np.arange(len(rows)), distance)
        self.kind = np.unique(kind, return_inverse=True)[1].astype(np.int64)
        self.left, self.most = _UNLIMITED, most  # what is beyond `left` would be dropped without a note
        self.unsure = np.zeros(len(rows), dtype=np.bool_)
        self.linked = np.empty(0, dtype=np.int64)
        self.tried = np.empty(0, dtype=np.int64)

    def near(
        self, marks: Ordered, pictures: "NDArray[np.int64]"
    ) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
        yield from neighbours_across(marks, self.kind[pictures])
        yield from neighbours(marks)

    def is_apart(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        apart: NDArray[np.bool_] = self.kind[first] != self.kind[second]
        places = np.flatnonzero(apart)
        one, other = first[places], second[places]
        ends = self._ends(one, other), self._ends(other, one)
        apart[places] = ~(_are_among(self.linked, ends[0]) & _are_among(self.linked, ends[1]))
        return apart

    def is_open(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether there is time for these marks, and they weren't compared before: most come together in
        several orders.
        """
        in_time = super().is_open(one, other) & (self.most > 0)
        if not in_time.all():
            self._note(one[~in_time], other[~in_time])
        is_open: NDArray[np.bool_] = in_time & ~_are_among(self.tried, _of_both(one, other))
        return is_open

    def _note(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """There is no time for these; where they would have to be compared, their pictures are unsure."""
        untold = ~(self.unsure[pictures_of(one)] & self.unsure[pictures_of(other)])
        untold &= self.is_apart(pictures_of(one), pictures_of(other))
        one, other = one[untold], other[untold]
        untold = are_upright(self.marks.ravel()[one], self.marks.ravel()[other])
        untold &= ~_are_among(self.tried, _of_both(one, other))
        one, other = one[untold], other[untold]
        maps = first_maps(self.marks.ravel()[one], self.marks.ravel()[other])
        untold = self.is_borne_out(one, other, maps)
        self.unsure[pictures_of(one[untold])] = True
        self.unsure[pictures_of(other[untold])] = True

    def compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        self.most -= len(one)
        self.tried = _with(self.tried, _of_both(one, other))
        super().compare(one, other)

    def connect(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> None:
        ends = np.concatenate([self._ends(first, second), self._ends(second, first)])
        self.linked = _with(self.linked, ends)

    def _ends(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """A number for each picture with the kind that it is linked to."""
        return one << 32 | self.kind[other]


def _of_both(one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """A number for each two marks; laid over each other the other way round, pictures may differ less."""
    return one << 32 | other


def _are_among(ordered: "NDArray[np.int64]", numbers: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Whether each of these is there. ordered: ascending."""
    if not len(ordered):
        return np.zeros(len(numbers), dtype=bool)
    found: NDArray[np.bool_] = (
        ordered[np.searchsorted(ordered, numbers).clip(max=len(ordered) - 1)] == numbers
    )
    return found


def _with(ordered: "NDArray[np.int64]", numbers: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """These too, ascending: to merge is much faster than to look for what is there twice."""
    together = np.concatenate([ordered, np.sort(numbers)])
    together.sort(kind="stable")
    return together
