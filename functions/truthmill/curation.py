"""What is kept of a run's pictures, and on which side of the split; the decision behind SplitDataset.

Everything is decided on arrays, about 400 bytes a picture (most of it fingerprints), so that a million
pictures fit a function; names and keys stay in their objects and are streamed past the decision later.
"""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping, similarity, split
from truthmill.between import sides_of_likeness
from truthmill.errors import FormatError
from truthmill.request import Split
from truthmill.similarity_search import near_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST = 16  # bytes of a picture's digest
_PACKED_AT_ONCE = 1024  # fingerprints that are held as text


@dataclass(slots=True)
class Gathered:
    """Pictures as they are read, one after the other: what the decision needs of each."""

    digests: bytearray = field(default_factory=bytearray)
    names: "array[int]" = field(default_factory=lambda: array("q"))
    groups: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _packed: bytearray = field(default_factory=bytearray)

    def add(self, pixels: str, name: str, fingerprint: str, group: str, side: str = "") -> None:
        """pixels: digest (hex), the picture's identity. group: its group's key, or "". side: if settled.

        Raises FormatError for a digest of another version.
        """
        digest = bytes.fromhex(pixels)
        if len(digest) != DIGEST:
            raise FormatError(
                f"{name!r} has a digest of {len(digest)} bytes, {pixels}: another version of Truthmill made "
                "it, and this one can't tell by it what is known. Give the dataset another name, or go on "
                "with the version that began it."
            )
        self.digests += digest
        self.names.append(int.from_bytes(blake2b(name.encode(), digest_size=7).digest(), "big"))
        self.groups.append(group)
        self.sides.append(side)
        self._texts.append(fingerprint)
        if len(self._texts) == _PACKED_AT_ONCE:
            self._pack()

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> "NDArray[np.uint8]":
        """Digests, one a row."""
        return np.frombuffer(self.digests, dtype=np.uint8).reshape(-1, DIGEST)

    def release_fingerprints(self) -> "NDArray[np.uint8]":
        """As `similarity.pack` gives them, one a row; they are held here no longer."""
        self._pack()
        packed, self._packed = self._packed, bytearray()
        return np.frombuffer(packed, dtype=np.uint8).reshape(-1, similarity.LENGTH)

    def _pack(self) -> None:
        """As text they would take three times as much."""
        self._packed += similarity.pack(self._texts).tobytes()
        self._texts.clear()


@dataclass(frozen=True, slots=True)
class Curation:
    """The decision.

    stands_for: for each new picture the number of the picture that is kept in its place: its own where it
    is kept itself, that of a known picture where that is the same. Known pictures are counted on after the
    new ones.
    sides: number in `layout.SPLITS`, for new and known pictures (of those that aren't kept it says nothing).
    outcome: of the split of all that is kept, known pictures included.
    largest: number of a picture in the largest group, to name that by.
    similar, distance: near-duplicate pairs among what is kept, as such numbers (2 x M), with their distance.
    between: of the new pictures, which resemble earlier ones on several sides; they are not kept.
    """

    stands_for: "NDArray[np.int64]"
    sides: "NDArray[np.int8]"
    outcome: split.Outcome
    largest: int
    similar: "NDArray[np.int64]"
    distance: "NDArray[np.uint8]"
    between: "NDArray[np.bool_]"

    def kept(self) -> "NDArray[np.bool_]":
        """Of the new pictures, which are kept."""
        return np.equal(self.stands_for, np.arange(len(self.stands_for))) & ~self.between


def curate(new: Gathered, known: Gathered, settled: Mapping[str, str], rules: Split, seed: str) -> Curation:
    """Drop what is there twice, then split what is left.

    new: the run's pictures, in any order: which of several equal ones is kept follows from their names.
    It gives its fingerprints up, as `known` does.
    known: what the dataset keeps already, each with its side.
    settled: sides that pictures of this run were given before it was interrupted, by digest (hex).
    rules: the request's; seed: see there. Raises SplitError where no split can be made.
    """
    stands_for = _stands_for(new, known)
    numbers = np.concatenate(
        [np.flatnonzero(stands_for == np.arange(len(new))), len(new) + np.arange(len(known))]
    )
    fixed = grouping.sides_of(
        settled.get(new.rows()[number].tobytes().hex(), new.sides[number])
        if number < len(new)
        else known.sides[number - len(new)]
        for number in numbers.tolist()
    )
    similar, distance = np.empty((2, 0), dtype=np.int64), np.empty(0, dtype=np.uint8)
    between = np.zeros(len(numbers), dtype=np.bool_)
    if rules.near_duplicates is not None:
        fingerprints = _fingerprints(new, known, numbers)
        pairs = near_duplicates(fingerprints, rules.near_duplicates)
        fixed, between = sides_of_likeness(fingerprints, pairs.links, fixed, rules.near_duplicates)
        del fingerprints
        stays = ~between[pairs.links].any(axis=0)
        similar, distance = pairs.links[:, stays], pairs.distance[stays]
    place = np.cumsum(~between) - 1  # among those that stay
    dropped = numbers[between]
    numbers, fixed = numbers[~between], fixed[~between]
    everything = [*new.groups, *known.groups]
    outcome = split.assign(
        grouping.union(
            len(numbers),
            grouping.link_equal(everything[number] for number in numbers.tolist()),
            place[similar],
        ),
        np.concatenate([new.rows(), known.rows()])[numbers],
        {"validation": rules.validation, "test": rules.test},
        seed,
        fixed,
    )
    sides = np.full(len(new) + len(known), split.UNDECIDED, dtype=np.int8)
    sides[numbers] = outcome.sides
    is_between = np.zeros(len(new), dtype=np.bool_)
    is_between[dropped] = True
    largest = int(numbers[outcome.largest_member])
    return Curation(stands_for, sides, outcome, largest, numbers[place[similar]], distance, is_between)


def _fingerprints(new: Gathered, known: Gathered, numbers: "NDArray[np.int64]") -> "NDArray[np.uint8]":
    """Those of the pictures with these numbers, ascending; the others are forgotten."""
    if not len(known) and len(numbers) == len(new):
        return new.release_fingerprints()
    first = int(np.searchsorted(numbers, len(new)))
    kept = np.empty((len(numbers), similarity.LENGTH), dtype=np.uint8)
    # "clip", because "raise" would take them into a buffer first; no number is out of range.
    np.take(new.release_fingerprints(), numbers[:first], axis=0, out=kept[:first], mode="clip")
    np.take(known.release_fingerprints(), numbers[first:] - len(new), axis=0, out=kept[first:], mode="clip")
    return kept


def _stands_for(new: Gathered, known: Gathered) -> "NDArray[np.int64]":
    """For each new picture the number of the kept one: of equal digests a known one, else the first name."""
    digests = np.concatenate([new.rows(), known.rows()]).view(f"V{DIGEST}").ravel()
    _, group = np.unique(digests, return_inverse=True)
    is_new = np.arange(len(digests)) < len(new)
    names = np.concatenate([np.frombuffer(side.names or array("q"), dtype=np.int64) for side in (new, known)])
    order = np.lexsort((names, is_new, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return first[group[: len(new)]].astype(np.int64)
