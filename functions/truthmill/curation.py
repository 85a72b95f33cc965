"""What is kept of a run's pictures, and on which side of the split; the decision behind SplitDataset.

Everything is decided on arrays, about 400 bytes a picture (most of it fingerprints), so that a million
pictures fit a function; names and keys stay in their objects and are streamed past the decision later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping, similarity, split
from truthmill.request import Split
from truthmill.similarity_search import near_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST = 32  # bytes of a picture's digest


@dataclass(slots=True)
class Gathered:
    """Pictures as they are read, one after the other: what the decision needs of each."""

    digests: bytearray = field(default_factory=bytearray)
    names: list[int] = field(default_factory=list)
    fingerprints: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)

    def add(self, pixels: str, name: str, fingerprint: str, group: str, side: str = "") -> None:
        """pixels: digest (hex), the picture's identity. group: key of its group, or empty. side: if settled."""
        digest = bytes.fromhex(pixels)
        if len(digest) != DIGEST:
            raise ValueError(f"a digest of {len(digest)} bytes: {pixels}")
        self.digests += digest
        self.names.append(int.from_bytes(blake2b(name.encode(), digest_size=7).digest(), "big"))
        self.fingerprints.append(fingerprint)
        self.groups.append(group)
        self.sides.append(side)

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> "NDArray[np.uint8]":
        """Digests, one a row."""
        return np.frombuffer(self.digests, dtype=np.uint8).reshape(-1, DIGEST)


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
    """

    stands_for: "NDArray[np.int64]"
    sides: "NDArray[np.int8]"
    outcome: split.Outcome
    largest: int
    similar: "NDArray[np.int64]"
    distance: "NDArray[np.uint8]"

    def kept(self) -> "NDArray[np.bool_]":
        """Of the new pictures, which are kept."""
        return np.equal(self.stands_for, np.arange(len(self.stands_for)))


def curate(new: Gathered, known: Gathered, settled: Mapping[str, str], rules: Split, seed: str) -> Curation:
    """Drop what is there twice, then split what is left.

    new: the run's pictures, in any order: which of several equal ones is kept follows from their names.
    known: what the dataset keeps already, each with its side.
    settled: sides that pictures of this run were given before it was interrupted, by digest (hex).
    rules: the request's; seed: see there. Raises SplitError where no split can be made.
    """
    stands_for = _stands_for(new, known)
    numbers = np.concatenate(
        [np.flatnonzero(stands_for == np.arange(len(new))), len(new) + np.arange(len(known))]
    )
    digests = np.concatenate([new.rows(), known.rows()])[numbers]
    everything = [*new.groups, *known.groups]
    links = [grouping.link_equal(everything[number] for number in numbers.tolist())]
    similar, distance = np.empty((2, 0), dtype=np.int64), np.empty(0, dtype=np.uint8)
    if rules.near_duplicates is not None:
        fingerprints = [*new.fingerprints, *known.fingerprints]
        pairs = near_duplicates(
            similarity.pack(fingerprints[number] for number in numbers.tolist()), rules.near_duplicates
        )
        links.append(pairs.links)
        similar, distance = numbers[pairs.links], pairs.distance
    fixed = grouping.sides_of(
        settled.get(new.rows()[number].tobytes().hex(), new.sides[number])
        if number < len(new)
        else known.sides[number - len(new)]
        for number in numbers.tolist()
    )
    outcome = split.assign(
        grouping.union(len(numbers), *links),
        digests,
        {"validation": rules.validation, "test": rules.test},
        seed,
        fixed,
    )
    sides = np.full(len(new) + len(known), split.UNDECIDED, dtype=np.int8)
    sides[numbers] = outcome.sides
    largest = int(numbers[outcome.largest_member])
    return Curation(stands_for, sides, outcome, largest, similar, distance)


def _stands_for(new: Gathered, known: Gathered) -> "NDArray[np.int64]":
    """For each new picture the number of the kept one: of equal digests a known one, else the first name."""
    digests = np.concatenate([new.rows(), known.rows()]).view(f"V{DIGEST}").ravel()
    _, group = np.unique(digests, return_inverse=True)
    is_new = np.arange(len(digests)) < len(new)
    names = np.array(new.names + known.names, dtype=np.int64)
    order = np.lexsort((names, is_new, group))
    first = order[np.unique(group[order], return_index=True)[1]]
    return first[group[: len(new)]].astype(np.int64)
