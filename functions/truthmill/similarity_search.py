"""Near-duplicates among a million pictures, found without comparing all pairs.

Marks that may be the same spot are brought together (`neighbours`). Their pictures are compared by how many
other marks agree (`mark_pairs`), and what is left by laying the pictures over each other (`alignment`). Of a
picture without spots of its own its frame is enough, where the whole pictures bear it out (`frames`). Pairs
that are connected already are not compared again.

Memory: a picture takes its fingerprint, 170 bytes for its marks and about 500 more while a level is
searched.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from xxhash import xxh3_128_digest

from truthmill import alignment
from truthmill.cells import shades
from truthmill.frames import FRAMES, frames
from truthmill.grouping import Forest
from truthmill.mark_pairs import are_upright, are_where_expected, differ_in_mirror, first_maps
from truthmill.marks import MARKS
from truthmill.neighbours import Ordered, in_batches, in_blocks, in_order, in_turns, neighbours, scheme_of
from truthmill.overlay import CORNERS
from truthmill.similarity import LENGTH, LOW_BITS_AT, MARKS_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_DISTANCE = 32

_MOST_SIGNS_OF_OTHERS = 9  # that differ between the marks which then bear it out
_LEAST_ALIKE_WHOLE, _LEAST_ALIKE_ROUGH = 0.95, 0.6  # correlation of two pictures, where that bears it out
_LEAST_ALIKE_BOTH = 0.4  # of what a smooth surface leaves; all skies are alike as a whole
_BLOCK = 1024  # pairs that are laid over each other at once
_TRIES = 400_000  # comparisons in vain, of all pictures together: bounds the time that look-alikes take
_LEAST_TRIES = 4  # of each picture
_LAID_OVER = 1_000_000  # pairs of pictures, in all: bounds the time of a million look-alikes
# Marks that are kept, of each level; frames take the place of the whole frame's.
_LEVELS = (*MARKS[:-1], FRAMES)
_ROW = sum(_LEVELS)
_SLOTS = tuple(slice(sum(_LEVELS[:level]), sum(_LEVELS[: level + 1])) for level in range(len(_LEVELS)))


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
    order, group = by_content(fingerprints)
    first = order[np.unique(group, return_index=True)[1]] if len(order) else order
    search = Search(fingerprints, first, distance)
    search.run()
    same = order != first[group]
    links = np.hstack([np.stack([first[group[same]], order[same]]), first[search.links()]])
    found = np.concatenate([np.zeros(int(same.sum()), dtype=np.uint8), search.distances()])
    links.sort(axis=0)
    by_number = np.lexsort(links[::-1])
    return Pairs(links[:, by_number], found[by_number])


def by_content(fingerprints: "NDArray[np.uint8]") -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Pictures that aren't flat, equal ones together; their numbers among different ones."""
    usable = np.flatnonzero(fingerprints[:, 1])
    # Digests, because to sort the rows themselves takes three copies of all of them.
    content = np.ascontiguousarray(fingerprints).ravel().data
    starts = (usable * LENGTH).tolist()
    digests = b"".join(xxh3_128_digest(content[start : start + LENGTH]) for start in starts)
    _, group = np.unique(np.frombuffer(digests, dtype="V16"), return_inverse=True)
    order = np.lexsort((usable, group))
    return usable[order], group[order].astype(np.int64)


def pictures_of(marks: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """Numbers of the pictures that have the marks with these numbers."""
    return marks // _ROW


class Search:
    """What is known while it goes on: which pictures are connected, by which pairs.

    one, other: numbers of marks, by which pictures are brought together; first, second: of these pictures.
    """

    def __init__(self, rows: "NDArray[np.uint8]", chosen: "NDArray[np.int64]", distance: int) -> None:
        """chosen: the fingerprints, of all rows, that are looked at: copies of a million take 700 MiB."""
        self.rows, self.chosen = rows, chosen
        self.distance = distance
        self.marks = np.empty((len(chosen), _ROW), dtype=np.uint64)
        for start in range(0, len(chosen), _BLOCK):
            block = rows[chosen[start : start + _BLOCK]]
            spots = np.ascontiguousarray(block[:, MARKS_AT:LOW_BITS_AT]).view(">u8")[:, : -MARKS[-1]]
            self.marks[start : start + _BLOCK] = np.hstack([spots.astype(np.uint64), frames(block)])
        self.groups = Forest(len(chosen))
        self.failed = np.zeros(len(chosen), dtype=np.int32)
        self.left = _LAID_OVER
        self.tries = max(_LEAST_TRIES, _TRIES // max(1, len(chosen)))
        self.found: list[NDArray[np.int64]] = [np.empty((3, 0), dtype=np.int64)]

    def links(self) -> "NDArray[np.int64]":
        return np.hstack(self.found)[:2]

    def distances(self) -> "NDArray[np.uint8]":
        distance: NDArray[np.uint8] = np.hstack(self.found)[2].astype(np.uint8)
        return distance

    def run(self) -> None:
        """Find the pairs; the coarse levels first, which have few marks and connect most of what is alike."""
        for level, slots in reversed(list(enumerate(_SLOTS))):
            present = np.flatnonzero(self.marks[:, slots].ravel())
            signs = self.marks[:, slots].ravel()[present] >> np.uint64(24)
            chosen = present // _LEVELS[level] * _ROW + slots.start + present % _LEVELS[level]
            scheme = scheme_of(len(signs), are_frames=level == len(_SLOTS) - 1)
            for parts in combinations(range(scheme.parts), scheme.agree):
                for block in in_blocks(self.near(in_order(signs, scheme, parts), pictures_of(chosen))):
                    self._try(*chosen[block])

    def near(
        self, marks: Ordered, pictures: "NDArray[np.int64]"
    ) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
        """Marks worth a look. pictures: of which each is."""
        del pictures
        return neighbours(marks)

    def _try(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """Compare the pictures of these marks, as far as they aren't connected yet."""
        untried = self.is_open(one, other)
        untried &= self.is_apart(pictures_of(one), pictures_of(other))
        one, other = one[untried], other[untried]
        upright = are_upright(self.marks.ravel()[one], self.marks.ravel()[other])
        one, other = one[upright], other[upright]
        one, other = np.minimum(one, other), np.maximum(one, other)
        first, second = pictures_of(one), pictures_of(other)
        maps = first_maps(self.marks.ravel()[one], self.marks.ravel()[other])
        for turn in in_turns(first * len(self.failed) + second, maps @ CORNERS):
            apart = turn[self.is_apart(first[turn], second[turn])]
            likely = apart[self.is_borne_out(one[apart], other[apart], maps[apart])]
            for batch in in_batches(second[likely]):
                for start in range(0, len(batch), _BLOCK):
                    block = likely[batch[start : start + _BLOCK]]
                    block = block[self.is_open(one[block], other[block])]
                    block = block[self.is_apart(first[block], second[block])][: self.left]
                    self.left -= len(block)
                    self.compare(one[block], other[block])

    def is_apart(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether a link between these pictures would say anything new."""
        apart: NDArray[np.bool_] = self.groups.roots(first) != self.groups.roots(second)
        return apart

    def is_open(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether either picture has been compared less often in vain than there is time for."""
        if not self.left:
            return np.zeros(len(one), dtype=bool)
        return np.minimum(self.failed[pictures_of(one)], self.failed[pictures_of(other)]) < self.tries

    def is_borne_out(
        self, one: "NDArray[np.int64]", other: "NDArray[np.int64]", maps: "NDArray[np.float32]"
    ) -> "NDArray[np.bool_]":
        """Whether a second mark of each picture agrees, at the place where the first pair has it expected.

        maps: by the first pair.
        """
        seeds, other_seeds = self.marks.ravel()[one], self.marks.ravel()[other]
        is_flipped = differ_in_mirror(seeds, other_seeds)
        result = self._is_alike(one, other, maps)
        for slots in _SLOTS:
            marks, other_marks = self.marks[pictures_of(one), slots], self.marks[pictures_of(other), slots]
            apart = (marks[:, :, None] ^ other_marks[:, None]) >> np.uint64(24)
            pair, first, second = np.nonzero(np.bitwise_count(apart) <= _MOST_SIGNS_OF_OTHERS)
            found, other_found = marks[pair, first], other_marks[pair, second]
            likely = (found != 0) & (other_found != 0) & (found != seeds[pair])
            likely &= differ_in_mirror(found, other_found) == is_flipped[pair]
            pair, found, other_found = pair[likely], found[likely], other_found[likely]
            fits = are_where_expected(found, other_found, maps[pair])
            result[pair[fits]] = True
        return result

    def _is_alike(
        self, one: "NDArray[np.int64]", other: "NDArray[np.int64]", maps: "NDArray[np.float32]"
    ) -> "NDArray[np.bool_]":
        """Of pairs of frames, whether the whole pictures bear it out."""
        result = np.zeros(len(one), dtype=bool)
        pairs = np.flatnonzero(one % _ROW >= _SLOTS[-1].start)
        for start in range(0, len(pairs), _BLOCK):
            block = pairs[start : start + _BLOCK]
            first, second = (shades(self._rows(pictures_of(marks[block]))) for marks in (one, other))
            whole, rough = alignment.likeness(first, second, maps[block])
            result[block] = (rough >= _LEAST_ALIKE_ROUGH) | (
                (whole >= _LEAST_ALIKE_WHOLE) & (rough >= _LEAST_ALIKE_BOTH)
            )
        return result

    def compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """Lay the pictures of these marks over each other, and connect near-duplicates."""
        first, second = pictures_of(one), pictures_of(other)
        marks = self.marks.ravel()
        distance = alignment.distances(
            self._rows(first), self._rows(second), marks[one], marks[other], self.distance
        )
        near = distance <= self.distance
        np.add.at(self.failed, np.concatenate([first[~near], second[~near]]), 1)
        if near.any():
            links = np.stack([first[near], second[near]])
            self.found.append(np.vstack([links, distance[near]]))
            self.connect(links[0], links[1])

    def _rows(self, pictures: "NDArray[np.int64]") -> "NDArray[np.uint8]":
        return self.rows[self.chosen[pictures]]

    def connect(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> None:
        """Note that these pictures have a link, so that fewer are apart."""
        self.groups.join(first, second)
