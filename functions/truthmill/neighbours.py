"""Marks brought together in sorted order: which two may be the same spot, without comparing all pairs.

Marks of two pictures that show the same spot differ in few of their 40 signs. Cut into parts, most such
pairs have some parts wholly alike, so sorting by every choice of them brings such pairs together; the more
marks, the more has to be alike. Neighbours only are compared.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill.marks import SIGNS
from truthmill.ranks import ranked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_TURNS = 3  # pairs of marks, at most, of those that two pictures have in common at a time
_ELSEWHERE = 1.0  # cells, by which corners are elsewhere
_GATHERED = 32_768  # marks, or pairs of them, that are looked at together
_COMPARISONS = 40_000_000  # of neighbours, for each order of the marks: bounds the time that equal marks take
_ALIKE, _LEAST_ALIKE = 4, 200_000  # neighbours that are alike, for each order: of each mark, and in any case
_STEPS_ACROSS = 8  # of which the nearest are looked at, before and behind


@dataclass(frozen=True, slots=True)
class Scheme:
    """How marks are brought together: signs in so many parts, of which so many must agree wholly.

    most_signs: that may differ in all. up_to: marks of a level for which there is time to compare so many.
    """

    parts: int
    agree: int
    most_signs: int
    up_to: float

    @property
    def key_bits(self) -> int:
        return SIGNS // self.parts * self.agree


_SCHEMES = (
    Scheme(parts=5, agree=2, most_signs=8, up_to=120_000),
    Scheme(parts=4, agree=2, most_signs=6, up_to=400_000),
    Scheme(parts=5, agree=3, most_signs=3, up_to=1_500_000),
    Scheme(parts=4, agree=3, most_signs=1, up_to=math.inf),
)
_FRAME_SCHEMES = (
    Scheme(parts=1, agree=0, most_signs=10, up_to=3_000),
    Scheme(parts=1, agree=0, most_signs=8, up_to=8_000),
    Scheme(parts=8, agree=3, most_signs=6, up_to=30_000),
    Scheme(parts=8, agree=3, most_signs=4, up_to=150_000),
    _SCHEMES[-1],
)


def scheme_of(marks: int, *, are_frames: bool) -> Scheme:
    """How so many marks of a level are brought together."""
    schemes = _FRAME_SCHEMES if are_frames else _SCHEMES
    return next(scheme for scheme in schemes if marks <= scheme.up_to)


@dataclass(frozen=True, slots=True)
class Ordered:
    """Marks sorted by the parts of their signs that must agree wholly.

    places: of each mark its signs, these parts before the others, as far as there is room, above so many
    `bits` of its position among those that were given. key: these parts. fronts: all of the signs likewise,
    by position, where there wasn't. most_signs: that may differ in all.
    """

    places: "NDArray[np.uint64]"
    bits: int
    key: "NDArray[np.uint32]"
    fronts: "NDArray[np.uint64] | None"
    most_signs: int

    @property
    def number(self) -> "NDArray[np.int64]":
        """Of each mark the position among those that were given."""
        return self._number(self.places)

    def alike(
        self, start: "NDArray[np.int64]", other: "NDArray[np.int64]"
    ) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
        """Numbers of those, of marks at places whose key is equal, that differ in few enough signs."""
        one, two = self.places[start], self.places[other]
        if self.fronts is None:
            apart = (one ^ two) >> np.uint64(self.bits)
        else:
            apart = self.fronts[self._number(one)] ^ self.fronts[self._number(two)]
        near = np.bitwise_count(apart) <= self.most_signs
        return self._number(one[near]), self._number(two[near])

    def _number(self, places: "NDArray[np.uint64]") -> "NDArray[np.int64]":
        number: NDArray[np.int64] = (places & np.uint64((1 << self.bits) - 1)).astype(np.int64)
        return number


def in_order(signs: "NDArray[np.uint64]", scheme: Scheme, parts: tuple[int, ...]) -> Ordered:
    """parts: which of the scheme's are brought to the front, as many as must agree."""
    bits = len(signs).bit_length()
    dropped = np.uint64(max(0, SIGNS + bits - 64))
    places = np.empty(len(signs), dtype=np.uint64)
    fronts = np.empty(len(signs), dtype=np.uint64) if dropped else None
    for start in range(0, len(signs), _GATHERED):
        front = _brought_forward(signs[start : start + _GATHERED], scheme, parts)
        number = np.arange(start, start + len(front), dtype=np.uint64)
        places[start : start + _GATHERED] = (front >> dropped) << np.uint64(bits) | number
        if fronts is not None:
            fronts[start : start + _GATHERED] = front
    places.sort()
    key = (places >> np.uint64(SIGNS - scheme.key_bits - int(dropped) + bits)).astype(np.uint32)
    return Ordered(places, bits, key, fronts, scheme.most_signs)


def _brought_forward(
    signs: "NDArray[np.uint64]", scheme: Scheme, parts: tuple[int, ...]
) -> "NDArray[np.uint64]":
    """The signs with these parts in front of the others."""
    width = SIGNS // scheme.parts
    mask = np.uint64((1 << width) - 1)
    result = np.zeros_like(signs)
    for part in (*parts, *(other for other in range(scheme.parts) if other not in parts)):
        result <<= np.uint64(width)
        result |= (signs >> np.uint64(width * part)) & mask
    return result


def neighbours(marks: Ordered) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """Numbers of marks whose keys agree, and most of their other signs.

    Neighbours in sorted order are compared at ever wider steps, until none are alike or time is up. Of a
    camera that stands still all are alike, and the nearest ones connect them.
    """
    count = len(marks.key)
    left, alike = _COMPARISONS, max(_LEAST_ALIKE, _ALIKE * count)
    start = np.flatnonzero(marks.key[:-1] == marks.key[1:])
    step = 1
    while len(start) and left > 0 and alike > 0:
        one, other = marks.alike(start, start + step)
        yield one, other
        left -= len(start)
        alike -= len(one)
        step += 1
        start = start[: np.searchsorted(start, count - step)]
        start = start[marks.key[start] == marks.key[start + step]]


def neighbours_across(
    marks: Ordered, kind: "NDArray[np.int64]"
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """The same of marks of different kinds: the nearest ones before and behind each, however far away.

    kind: of each mark, by its number.
    """
    count = len(marks.key)
    changes = np.flatnonzero(np.diff(kind[marks.number])) + 1
    places = np.arange(count)
    bounds = np.concatenate([[0], changes, [count]])
    run = np.searchsorted(changes, places, side="right")
    for step in range(_STEPS_ACROSS):
        for other in (bounds[run + 1] + step, bounds[run] - 1 - step):
            start = places[(other >= 0) & (other < count)]
            start = start[marks.key[start] == marks.key[other[start]]]
            yield marks.alike(start, other[start])


def in_blocks(
    found: "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]",
) -> "Iterator[NDArray[np.int64]]":
    """The same as 2 x M arrays, M of about a size that stays in the processor's cache."""
    held = np.empty((2, 0), dtype=np.int64)
    for piece in found:
        held = np.hstack([held, piece])
        while held.shape[1] >= _GATHERED:
            yield held[:, :_GATHERED]
            held = held[:, _GATHERED:]
    yield held


def in_turns(pair: "NDArray[np.int64]", corners: "NDArray[np.float32]") -> "Iterator[NDArray[np.int64]]":
    """Places of these numbers, of each number one at a time, so many times at most.

    corners: P x 2 x 4 cells. Those of a number that nearly are where its first ones are say nothing new.
    """
    order, turn = ranked(pair)
    first = np.arange(len(pair)) - turn
    is_new = np.abs(corners[order] - corners[order[first]]).max(axis=(1, 2), initial=0) > _ELSEWHERE
    for number in range(min(_TURNS, int(turn.max(initial=-1)) + 1)):
        yield order[(turn == number) & (is_new | (turn == 0))]


def in_batches(pictures: "NDArray[np.int64]") -> "Iterator[NDArray[np.int64]]":
    """Places of these numbers: of each number one, then two, then four, and so on.

    Of a crowd of copies the first batch connects nearly all, so there is little left to compare.
    """
    order, rank = ranked(pictures)
    begin = 0
    while (rank >= begin).any():
        end = 2 * begin + 1
        yield order[(rank >= begin) & (rank < end)]
        begin = end
