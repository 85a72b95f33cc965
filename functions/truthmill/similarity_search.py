"""Near-duplicates among a million pictures, found without comparing all pairs.

Marks of two pictures that show the same spot differ in few of their 40 signs. Cut into parts, most such
pairs have some parts wholly alike, so sorting by every choice of them brings such pairs together; the more
pictures, the more has to be alike. Neighbours only are compared: first by their signs, then by how many of
both pictures' marks agree, and what is left by laying the pictures over each other. Of a picture without
spots of its own its frame is enough, where the whole pictures bear it out (`frames`). Pairs that are
connected already are not compared again.

Memory: a picture takes its fingerprint, 170 bytes for its marks and about 500 more while a level is
searched.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from truthmill import alignment
from truthmill.frames import FRAMES, frames
from truthmill.grouping import Forest
from truthmill.marks import MARKS, SIDE, SIGNS, TURNS
from truthmill.overlay import CORNERS
from truthmill.similarity import FIFTHS_AT, MARKS_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_DISTANCE = 32

_MOST_SIGNS_OF_OTHERS = 9  # that differ between the marks which then bear it out
_QUARTER = TURNS // 4
_MOST_TURNED = 3  # of 64 directions, besides quarter turns
_MOST_SHIFTED = 12  # pixels of the square, to any side
_MOST_OFF = 2.0  # cells between such a mark and where the first pair has it expected
_LEAST_AGREEMENT = 0.9  # cosine of the angle between its direction and the expected one
_MIRRORED = np.uint64(32)  # bit of a mark
_LEAST_ALIKE_WHOLE, _LEAST_ALIKE_ROUGH = 0.95, 0.6  # correlation of two pictures, where that bears it out
_LEAST_ALIKE_BOTH = 0.4  # of what a smooth surface leaves; all skies are alike as a whole
_BLOCK = 1024  # pairs that are laid over each other at once
_TRIES = 400_000  # comparisons in vain, of all pictures together: bounds the time that look-alikes take
_LEAST_TRIES = 4  # of each picture
_TURNS = 3  # pairs of marks, at most, of those that two pictures have in common at a time
_ELSEWHERE = 1.0  # cells, by which corners are elsewhere
_GATHERED = 32_768  # pairs of marks that are looked at together
_COMPARISONS = 40_000_000  # of neighbours, for each order of the marks: bounds the time that equal marks take
_ALIKE, _LEAST_ALIKE = 4, 200_000  # neighbours that are alike, for each order: of each mark, and in any case
_LAID_OVER = 1_000_000  # pairs of pictures, in all: bounds the time of a million look-alikes
ACROSS = 200_000  # the same between different kinds
_STEPS_ACROSS = 8  # of which the nearest are looked at, before and behind
_LEVELS = (
    *MARKS[:-1],
    FRAMES,
)  # marks that are kept, of each level; frames take the place of the whole frame's
_ROW = sum(_LEVELS)
_SLOTS = tuple(slice(sum(_LEVELS[:level]), sum(_LEVELS[: level + 1])) for level in range(len(_LEVELS)))


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
    _Scheme(parts=5, agree=2, most_signs=8, up_to=120_000),
    _Scheme(parts=4, agree=2, most_signs=6, up_to=400_000),
    _Scheme(parts=5, agree=3, most_signs=3, up_to=1_500_000),
    _Scheme(parts=4, agree=3, most_signs=1, up_to=math.inf),
)
_FRAME_SCHEMES = (
    _Scheme(parts=1, agree=0, most_signs=10, up_to=3_000),
    _Scheme(parts=1, agree=0, most_signs=8, up_to=8_000),
    _Scheme(parts=8, agree=3, most_signs=6, up_to=30_000),
    _Scheme(parts=8, agree=3, most_signs=4, up_to=150_000),
    _SCHEMES[-1],
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
    search = _Search(fingerprints, first, distance)
    search.run()
    same = order != first[group]
    links = np.hstack([np.stack([first[group[same]], order[same]]), first[search.links()]])
    found = np.concatenate([np.zeros(int(same.sum()), dtype=np.uint8), search.distances()])
    links.sort(axis=0)
    by_number = np.lexsort(links[::-1])
    return Pairs(links[:, by_number], found[by_number])


def links_across(
    fingerprints: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """Links between pictures of different kinds, 2 x M picture numbers, where `near_duplicates` connects.

    Of each picture one link, at least, to each kind that it resembles one of; at most ACROSS pairs are laid
    over each other. The answer depends on the order of pictures that have equal marks.
    """
    search = _SearchAcross(fingerprints, distance, kind)
    search.run()
    return search.links()


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

    def __init__(self, rows: "NDArray[np.uint8]", chosen: "NDArray[np.int64]", distance: int) -> None:
        """chosen: the fingerprints, of all rows, that are looked at: copies of a million take 700 MiB."""
        self.rows, self.chosen = rows, chosen
        self.distance = distance
        self.marks = np.empty((len(chosen), _ROW), dtype=np.uint64)
        for start in range(0, len(chosen), _BLOCK):
            block = rows[chosen[start : start + _BLOCK]]
            spots = np.ascontiguousarray(block[:, MARKS_AT:FIFTHS_AT]).view(">u8")[:, : -MARKS[-1]]
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
            schemes = _FRAME_SCHEMES if level == len(_SLOTS) - 1 else _SCHEMES
            scheme = next(scheme for scheme in schemes if len(signs) <= scheme.up_to)
            for parts in combinations(range(scheme.parts), scheme.agree):
                for block in _in_blocks(self._near(signs, scheme, parts, chosen // _ROW)):
                    self._try(*chosen[block])

    def _near(
        self,
        signs: "NDArray[np.uint64]",
        scheme: _Scheme,
        parts: tuple[int, ...],
        pictures: "NDArray[np.int64]",
    ) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
        """Marks worth a look. pictures: of which each is."""
        del pictures
        return _neighbours(signs, scheme, parts)

    def _try(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        """Compare the pictures of these marks (numbers of marks), as far as they aren't connected yet."""
        untried = self._is_open(one, other)
        untried &= self._is_apart(one // _ROW, other // _ROW)
        one, other = one[untried], other[untried]
        upright = _is_upright(self.marks.ravel()[one], self.marks.ravel()[other])
        one, other = one[upright], other[upright]
        one, other = np.minimum(one, other), np.maximum(one, other)
        first, second = one // _ROW, other // _ROW
        maps = alignment.first_maps(self.marks.ravel()[one], self.marks.ravel()[other])
        for turn in _in_turns(first * len(self.failed) + second, maps @ CORNERS):
            apart = turn[self._is_apart(first[turn], second[turn])]
            likely = apart[self._is_borne_out(one[apart], other[apart])]
            for start in range(0, len(likely), _BLOCK):
                block = likely[start : start + _BLOCK]
                block = block[self._is_open(one[block], other[block])]
                block = block[self._is_apart(first[block], second[block])][: self.left]
                self.left -= len(block)
                self._compare(one[block], other[block])

    def _is_apart(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether a link between these pictures would say anything new."""
        apart: NDArray[np.bool_] = self.groups.roots(first) != self.groups.roots(second)
        return apart

    def _is_open(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether either picture has been compared less often in vain than there is time for."""
        if not self.left:
            return np.zeros(len(one), dtype=bool)
        return np.minimum(self.failed[one // _ROW], self.failed[other // _ROW]) < self.tries

    def _is_borne_out(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Whether a second mark of each picture agrees, at the place where the first pair has it expected."""
        seeds, other_seeds = self.marks.ravel()[one], self.marks.ravel()[other]
        maps = alignment.first_maps(seeds, other_seeds)
        is_flipped = ((seeds ^ other_seeds) & _MIRRORED) != 0
        result = self._is_alike(one, other, maps)
        for slots in _SLOTS:
            marks, other_marks = self.marks[one // _ROW, slots], self.marks[other // _ROW, slots]
            apart = (marks[:, :, None] ^ other_marks[:, None]) >> np.uint64(24)
            pair, first, second = np.nonzero(np.bitwise_count(apart) <= _MOST_SIGNS_OF_OTHERS)
            found, other_found = marks[pair, first], other_marks[pair, second]
            likely = (found != 0) & (other_found != 0) & (found != seeds[pair])
            likely &= (((found ^ other_found) & _MIRRORED) != 0) == is_flipped[pair]
            pair, found, other_found = pair[likely], found[likely], other_found[likely]
            fits = _is_where_expected(found, other_found, maps[pair])
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
            first, second = self._rows(one[block] // _ROW), self._rows(other[block] // _ROW)
            whole, rough = alignment.likeness(first, second, maps[block])
            result[block] = (rough >= _LEAST_ALIKE_ROUGH) | (
                (whole >= _LEAST_ALIKE_WHOLE) & (rough >= _LEAST_ALIKE_BOTH)
            )
        return result

    def _compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        first, second = one // _ROW, other // _ROW
        marks = self.marks.ravel()
        distance = alignment.distances(
            self._rows(first), self._rows(second), marks[one], marks[other], self.distance
        )
        near = distance <= self.distance
        np.add.at(self.failed, np.concatenate([first[~near], second[~near]]), 1)
        if near.any():
            links = np.stack([first[near], second[near]])
            self.found.append(np.vstack([links, distance[near]]))
            self._connect(links[0], links[1])

    def _rows(self, pictures: "NDArray[np.int64]") -> "NDArray[np.uint8]":
        return self.rows[self.chosen[pictures]]

    def _connect(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> None:
        self.groups.join(first, second)


class _SearchAcross(_Search):
    """Connects nothing: each picture is looked at until it has its link to each of the other kinds."""

    def __init__(self, rows: "NDArray[np.uint8]", distance: int, kind: "NDArray[np.int64]") -> None:
        super().__init__(rows, np.arange(len(rows)), distance)
        self.left = ACROSS
        self.kind = np.unique(kind, return_inverse=True)[1].astype(np.int64)
        self.linked = np.empty(0, dtype=np.int64)
        self.tried = np.empty(0, dtype=np.int64)

    def _is_open(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        """Neither what these marks said before: most come together in several orders."""
        is_open: NDArray[np.bool_] = super()._is_open(one, other)
        return is_open & ~_are_among(self.tried, _of_both(one, other))

    def _compare(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> None:
        self.tried = _with(self.tried, _of_both(one, other))
        super()._compare(one, other)

    def _near(
        self,
        signs: "NDArray[np.uint64]",
        scheme: _Scheme,
        parts: tuple[int, ...],
        pictures: "NDArray[np.int64]",
    ) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
        yield from _neighbours_across(signs, scheme, parts, self.kind[pictures])
        yield from _neighbours(signs, scheme, parts)

    def _is_apart(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> "NDArray[np.bool_]":
        apart: NDArray[np.bool_] = self.kind[first] != self.kind[second]
        places = np.flatnonzero(apart)
        one, other = first[places], second[places]
        ends = self._ends(one, other), self._ends(other, one)
        apart[places] = ~(_are_among(self.linked, ends[0]) & _are_among(self.linked, ends[1]))
        return apart

    def _connect(self, first: "NDArray[np.int64]", second: "NDArray[np.int64]") -> None:
        ends = np.concatenate([self._ends(first, second), self._ends(second, first)])
        self.linked = _with(self.linked, ends)

    def _ends(self, one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """A number for each picture with the kind that it is linked to."""
        return one << 32 | self.kind[other]


def _in_turns(pair: "NDArray[np.int64]", corners: "NDArray[np.float32]") -> "Iterator[NDArray[np.int64]]":
    """Places of these numbers, of each number one at a time, so many times at most.

    corners: P x 2 x 4 cells. Those of a number that nearly are where its first ones are say nothing new.
    """
    order = np.argsort(pair, kind="stable")
    begins = np.diff(pair[order], prepend=-1) != 0
    first = np.flatnonzero(begins)[np.cumsum(begins) - 1]
    turn = np.arange(len(pair)) - first
    is_new = np.abs(corners[order] - corners[order[first]]).max(axis=(1, 2), initial=0) > _ELSEWHERE
    for number in range(min(_TURNS, int(turn.max(initial=-1)) + 1)):
        yield order[(turn == number) & (is_new | begins)]


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


def _is_upright(marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    """Whether these marks bring one picture to the other by a mirror and quarter turns, roughly."""
    across, down, turn, mirrored = (part.astype(np.int32) for part in alignment.fields(marks))
    other_across, other_down, other_turn, other_mirrored = (
        part.astype(np.int32) for part in alignment.fields(other_marks)
    )
    flip = np.where(mirrored == other_mirrored, 1, -1)
    left_over = (other_turn - flip * turn + TURNS + _MOST_TURNED) % _QUARTER
    quarters = (other_turn - flip * turn + TURNS + _MOST_TURNED) // _QUARTER % 4
    # A mirrored mark is seen from below: down changes its sign, then both are turned by quarters.
    across, down = across * 2 - SIDE + 1, (down * 2 - SIDE + 1) * flip
    cos, sin = np.array([1, 0, -1, 0])[quarters], np.array([0, 1, 0, -1])[quarters]
    off_across = cos * across - sin * down - (other_across * 2 - SIDE + 1)
    off_down = sin * across + cos * down - (other_down * 2 - SIDE + 1)
    near: NDArray[np.bool_] = (left_over <= 2 * _MOST_TURNED) & (
        np.maximum(np.abs(off_across), np.abs(off_down)) <= 2 * _MOST_SHIFTED
    )
    return near


def _is_where_expected(
    marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]", maps: "NDArray[np.float32]"
) -> "NDArray[np.bool_]":
    """Whether the maps bring these marks to the others, in place and direction, but for a crop."""
    across, down, turn, _ = alignment.places(marks)
    other_across, other_down, other_turn, _ = alignment.places(other_marks)
    off_across = maps[:, 0, 0] * across + maps[:, 0, 1] * down + maps[:, 0, 2] - other_across
    off_down = maps[:, 1, 0] * across + maps[:, 1, 1] * down + maps[:, 1, 2] - other_down
    cos, sin = np.cos(turn), np.sin(turn)
    agreement = (maps[:, 0, 0] * cos + maps[:, 0, 1] * sin) * np.cos(other_turn)
    agreement += (maps[:, 1, 0] * cos + maps[:, 1, 1] * sin) * np.sin(other_turn)
    near: NDArray[np.bool_] = (np.hypot(off_across, off_down) <= _MOST_OFF) & (agreement >= _LEAST_AGREEMENT)
    return near


def _in_blocks(
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


def _neighbours(
    signs: "NDArray[np.uint64]", scheme: _Scheme, parts: tuple[int, ...]
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """Positions of marks that agree in these parts of their signs, and in most of the others.

    Neighbours in sorted order are compared at ever wider steps, until none are alike or time is up. Of a
    camera that stands still all are alike, and the nearest ones connect them.
    """
    number, front, key = _in_order(signs, scheme, parts)
    start, left = np.arange(len(signs)), _COMPARISONS
    alike = max(_LEAST_ALIKE, _ALIKE * len(signs))
    step = 1
    while left > 0 and alike > 0:
        start = start[: np.searchsorted(start, len(signs) - step)]
        start = start[key[start] == key[start + step]]
        if not len(start):
            return
        near = start[np.bitwise_count(front[start] ^ front[start + step]) <= scheme.most_signs]
        yield number[near], number[near + step]
        left -= len(start)
        alike -= len(near)
        step += 1


def _neighbours_across(
    signs: "NDArray[np.uint64]", scheme: _Scheme, parts: tuple[int, ...], kind: "NDArray[np.int64]"
) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]":
    """The same of marks of different kinds: the nearest ones before and behind each, however far away."""
    number, front, key = _in_order(signs, scheme, parts)
    changes = np.flatnonzero(np.diff(kind[number])) + 1
    places = np.arange(len(signs))
    bounds = np.concatenate([[0], changes, [len(signs)]])
    run = np.searchsorted(changes, places, side="right")
    for step in range(_STEPS_ACROSS):
        for other in (bounds[run + 1] + step, bounds[run] - 1 - step):
            start = places[(other >= 0) & (other < len(signs))]
            start = start[key[start] == key[other[start]]]
            near = start[np.bitwise_count(front[start] ^ front[other[start]]) <= scheme.most_signs]
            yield number[near], number[other[near]]


def _in_order(
    signs: "NDArray[np.uint64]", scheme: _Scheme, parts: tuple[int, ...]
) -> "tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint32]]":
    """Positions of the marks sorted by these parts; their signs, and what must agree of these."""
    front = _brought_forward(signs, scheme, parts)
    bits = len(signs).bit_length()
    dropped = np.uint64(max(0, SIGNS + bits - 64))
    ordered = (front >> dropped) << np.uint64(bits) | np.arange(len(signs), dtype=np.uint64)
    ordered.sort()
    number = (ordered & np.uint64((1 << bits) - 1)).astype(np.int64)
    front = front[number]
    return number, front, (front >> np.uint64(SIGNS - scheme.key_bits)).astype(np.uint32)


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
