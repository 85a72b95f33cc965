"""Near-duplicates among a million pictures, found without comparing all pairs.

Marks of two pictures that show the same spot differ in few of their 40 signs. Cut into parts, most such
pairs have some parts wholly alike, so sorting by every choice of them brings such pairs together; the more
pictures, the more has to be alike. Neighbours only are compared: first by their signs, then by how many of
both pictures' marks agree, and what is left by laying the pictures over each other. Pairs that are connected
already are not compared again.

Memory: a picture takes its fingerprint, 150 bytes for its marks and about 500 more while a level is
searched.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from truthmill import alignment
from truthmill.grouping import Forest
from truthmill.similarity import MARKS, MARKS_AT, SIGNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_DISTANCE = 32

_MOST_SIGNS_OF_OTHERS = 9  # that differ between the marks which then bear it out
_BLOCK = 2048  # pairs that are laid over each other at once
_COMPARISONS = 40_000_000  # of neighbours, for each order of the marks: bounds the time that equal marks take
_ROW = sum(MARKS)


@dataclass(frozen=True, slots=True)
class _Scheme:
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
    _Scheme(parts=5, agree=2, most_signs=8, up_to=200_000),
    _Scheme(parts=4, agree=2, most_signs=6, up_to=1_500_000),
    _Scheme(parts=5, agree=3, most_signs=3, up_to=math.inf),
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Near-duplicates. links: 2 x M picture numbers, the smaller above. distance: of each, cells of 256.

    Every picture that resembles another has a link; of a group there are enough links to connect it, not all.
    """

    links: "NDArray[np.int64]"
    distance: "NDArray[np.uint8]"


def near_duplicates(fingerprints: "NDArray[np.uint8]", distance: int) -> Pairs:
    """Pairs of pictures that differ in `distance` of 256 cells at most, once laid over each other.

    The answer follows from the fingerprints alone, not from their order. Flat pictures are in no pair.
    fingerprints: as `similarity.pack` gives them. Raises ValueError where distance isn't 0 to MAX_DISTANCE.
    """
    if not 0 <= distance <= MAX_DISTANCE:
        raise ValueError(f"distance is {distance}; 0 to {MAX_DISTANCE} can be searched.")
    order, group = _by_content(fingerprints)
    first = order[np.unique(group, return_index=True)[1]] if len(order) else order
    search = _Search(fingerprints[first], distance)
    search.run()
    same = order != first[group]
    links = np.hstack([np.stack([first[group[same]], order[same]]), first[search.links()]])
    found = np.concatenate([np.zeros(int(same.sum()), dtype=np.uint8), search.distances()])
    links.sort(axis=0)
    by_number = np.lexsort(links[::-1])
    return Pairs(links[:, by_number], found[by_number])


def _by_content(fingerprints: "NDArray[np.uint8]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Pictures that aren't flat, equal ones together; their numbers among different ones."""
    usable = np.flatnonzero(fingerprints[:, 1])
    # Digests, because to sort the rows themselves takes three copies of all of them.
    digests = b"".join(blake2b(fingerprints[number], digest_size=16).digest() for number in usable.tolist())
    _, group = np.unique(np.frombuffer(digests, dtype="V16"), return_inverse=True)
    order = np.lexsort((usable, group))
    return usable[order], group[order].astype(np.int64)


class _Search:
    """What is known while it goes on: which pictures are connected, by which pairs."""

    def __init__(self, rows: "NDArray[np.uint8]", distance: int) -> None:
        self.rows = rows
        self.distance = distance
        self.marks = np.ascontiguousarray(rows[:, MARKS_AT:]).view(">u8").astype(np.uint64)
        self.groups = Forest(len(rows))
        self.found: list[NDArray[np.int64]] = [np.empty((3, 0), dtype=np.int64)]

    def links(self) -> "NDArray[np.int64]":
        return np.hstack(self.found)[:2]

    def distances(self) -> "NDArray[np.uint8]":
        distance: NDArray[np.uint8] = np.hstack(self.found)[2].astype(np.uint8)
        return distance

    def run(self) -> None:
        marks = self.marks.ravel()
        for level in range(len(MARKS), 0, -1):
            chosen = np.flatnonzero((marks & np.uint64(31)) == level)
            signs = marks[chosen] >> np.uint64(24)
            scheme = next(scheme for scheme in _SCHEMES if len(signs) <= scheme.up_to)
            for parts in combinations(range(scheme.parts), scheme.agree):
                for one, other in _neighbours(signs, scheme, parts):
                    self._try(chosen[one], chosen[other])

    def _try(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """Compare the pictures of these marks (numbers of marks), as far as they aren't connected yet."""
        first, second = one // _ROW, other // _ROW
        _, once = np.unique(
            np.minimum(first, second) * len(self.rows) + np.maximum(first, second), return_index=True
        )
        for start in range(0, len(once), _BLOCK):
            block = once[start : start + _BLOCK]
            block = block[self.groups.roots(first[block]) != self.groups.roots(second[block])]
            block = block[self._is_borne_out(first[block], second[block])]
            if len(block):
                self._compare(one[block], other[block])

    def _is_borne_out(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether two marks of the pictures agree at least."""
        one, other = self.marks[first], self.marks[second]
        differing = np.bitwise_count((one[:, :, None] ^ other[:, None]) >> np.uint64(24))
        alike = (differing <= _MOST_SIGNS_OF_OTHERS) & (
            ((one[:, :, None] ^ other[:, None]) & np.uint64(31)) == 0
        )
        alike &= (one != 0)[:, :, None]
        enough: NDArray[np.bool_] = alike.any(axis=2).sum(axis=1) >= 2
        return enough

    def _compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        first, second = one // _ROW, other // _ROW
        marks = self.marks.ravel()
        distance = alignment.distances(self.rows[first], self.rows[second], marks[one], marks[other])
        near = distance <= self.distance
        if near.any():
            links = np.stack([first[near], second[near]])
            self.found.append(np.vstack([links, distance[near]]))
            self.groups.join(links[0], links[1])


def _neighbours(
    signs: "NDArray[np.uint64]", scheme: _Scheme, parts: tuple[int, ...]
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """Positions of marks that agree in these parts of their signs, and in most of the others.

    Neighbours in sorted order are compared at ever wider steps, until none are alike or time is up.
    """
    front = _brought_forward(signs, scheme, parts)
    bits = len(signs).bit_length()
    dropped = np.uint64(max(0, SIGNS + bits - 64))
    ordered = (front >> dropped) << np.uint64(bits) | np.arange(len(signs), dtype=np.uint64)
    ordered.sort()
    number = (ordered & np.uint64((1 << bits) - 1)).astype(np.int64)
    front = front[number]
    key = (front >> np.uint64(SIGNS - scheme.key_bits)).astype(np.uint32)
    start, left = np.arange(len(signs)), _COMPARISONS
    step = 1
    while left > 0:
        start = start[: np.searchsorted(start, len(signs) - step)]
        start = start[key[start] == key[start + step]]
        if not len(start):
            return
        near = start[np.bitwise_count(front[start] ^ front[start + step]) <= scheme.most_signs]
        yield number[near], number[near + step]
        left -= len(start)
        step += 1


def _brought_forward(
    signs: "NDArray[np.uint64]", scheme: _Scheme, parts: tuple[int, ...]
) -> "NDArray[np.uint64]":
    """The signs with these parts in front of the others."""
    width = SIGNS // scheme.parts
    mask = np.uint64((1 << width) - 1)
    result = np.zeros_like(signs)
    for part in (*parts, *(other for other in range(scheme.parts) if other not in parts)):
        result = result << np.uint64(width) | (signs >> np.uint64(width * part)) & mask
    return result
