"""What is kept of a run's pictures, and on which side of the split; the decision behind SplitDataset.

Everything is decided on arrays, about 850 bytes a picture (most of it fingerprints), so that a million
pictures fit a function; names and keys stay in their objects and are streamed past the decision later.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from truthmill import grouping, similarity, split
from truthmill.between import Bound, parted
from truthmill.errors import FormatError
from truthmill.records import Copy
from truthmill.request import Split
from truthmill.similarity_search import near_duplicates

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIGEST = 16  # bytes of a picture's digest
_PACKED_AT_ONCE = 1024  # fingerprints that are held as text


def origin(pixels: str, name: str, taken: str) -> int:
    """Equal for a picture that comes from the same place; of this process only."""
    return hash((pixels, name, taken))


@dataclass(slots=True)
class Gathered:
    """Pictures as they are read, one after the other: what the decision needs of each.

    ledger: address of that of their dataset, where it has them already.
    """

    ledger: str = ""
    digests: bytearray = field(default_factory=bytearray)
    names: "array[int]" = field(default_factory=lambda: array("q"))
    origins: "array[int]" = field(default_factory=lambda: array("q"))
    groups: list[str] = field(default_factory=list)
    sides: list[str] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _packed: bytearray = field(default_factory=bytearray)

    def add(
        self, pixels: str, name: str, fingerprint: str, group: str, side: str = "", taken: str = ""
    ) -> None:
        """pixels: digest (hex), the picture's identity. group: its group's key, or "". side: if settled.

        taken: as in `Inspection`.

        Raises FormatError for a digest or a fingerprint of another version.
        """
        digest = bytes.fromhex(pixels)
        if len(digest) != DIGEST:
            raise FormatError(
                f"{name!r} has a digest of {len(digest)} bytes, {pixels}: another version of Truthmill made "
                "it, and this one can't tell by it what is known. Give the dataset another name, or go on "
                "with the version that began it."
            )
        if self.ledger and len(fingerprint) not in (0, similarity.TEXT_LENGTH):
            raise FormatError(
                f"{self.ledger} is of another version of Truthmill: {name!r} has a fingerprint of "
                f"{len(fingerprint)} characters there, this version's have {similarity.TEXT_LENGTH}, so its "
                "near-duplicates can't be told. Start a dataset of another name with the same pictures and "
                "their labels: zip the folder that `truthmill pull --format coco` makes, and give the run "
                '"prelabels": {"source": ".", "use": "trusted"}; what is labeled costs nothing anew. Or go '
                "on with the version that began it."
            )
        self.digests += digest
        self.names.append(int.from_bytes(blake2b(name.encode(), digest_size=7).digest(), "big"))
        self.origins.append(origin(pixels, name, taken))
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


@dataclass(slots=True)
class Copied:
    """Pictures that earlier runs didn't keep, because the dataset keeps the same, as they are read."""

    digests: bytearray = field(default_factory=bytearray)
    origins: "array[int]" = field(default_factory=lambda: array("q"))
    groups: list[str] = field(default_factory=list)

    def add(self, copy: Copy, rule: str | Mapping[str, str]) -> None:
        """A copy that is noted in the ledger. rule: as for `bind`."""
        self.origins.append(origin(copy.pixels, copy.name, copy.taken))
        self.bind(copy, rule)

    def bind(self, copy: Copy, rule: str | Mapping[str, str]) -> None:
        """rule: of today, by which it is in a group or in none."""
        group = grouping.group_by(copy.name, copy.taken, rule)
        if group:
            self.digests += bytes.fromhex(copy.pixels)
            self.groups.append(group)

    def groups_of(self, digests: "NDArray[np.uint8]") -> list[tuple[int, str]]:
        """Keys of groups that pictures belong to besides their own, with the number among these digests."""
        copies = np.frombuffer(self.digests, dtype=np.uint8).reshape(-1, DIGEST)
        every = np.concatenate([digests, copies]).view(f"V{DIGEST}").ravel()
        _, first, same = np.unique(every, return_index=True, return_inverse=True)
        places = first[same[len(digests) :]].tolist()
        return [
            (place, group) for place, group in zip(places, self.groups, strict=True) if place < len(digests)
        ]


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
    between: of the new pictures those that would leak on any side, with what binds them to which; they are
    not kept.
    copies: of the new pictures those that aren't kept and whose name, or time, what is kept hasn't got.
    """

    stands_for: "NDArray[np.int64]"
    sides: "NDArray[np.int8]"
    outcome: split.Outcome
    largest: int
    similar: "NDArray[np.int64]"
    distance: "NDArray[np.uint8]"
    between: Mapping[int, str]
    copies: "NDArray[np.bool_]"

    def kept(self) -> "NDArray[np.bool_]":
        """Of the new pictures, which are kept."""
        kept: NDArray[np.bool_] = np.equal(self.stands_for, np.arange(len(self.stands_for)))
        kept[list(self.between)] = False
        return kept


def curate(
    new: Gathered,
    known: Gathered,
    settled: Mapping[str, str],
    rules: Split,
    seed: str,
    copied: Copied | None = None,
) -> Curation:
    """Drop what is there twice, then split what is left.

    new: the run's pictures, in any order: which of several equal ones is kept follows from their names.
    It gives its fingerprints up, as `known` does.
    known: what the dataset keeps already, each with its side.
    settled: sides that pictures of this run were given before it was interrupted, by digest (hex).
    rules: the request's; seed: see there. copied: what earlier runs didn't keep.
    Raises SplitError where no split can be made.
    """
    copied = copied or Copied()
    stands_for = _stands_for(new, known)
    numbers = np.concatenate(
        [np.flatnonzero(stands_for == np.arange(len(new))), len(new) + np.arange(len(known))]
    )
    bound, distance = _bound(new, known, settled, rules, numbers, stands_for, copied)
    found = parted(bound)
    stays = ~found.between
    outcome = split.assign(
        found.groups[stays],
        bound.digests[stays],
        {"validation": rules.validation, "test": rules.test},
        seed,
        found.sides[stays],
    )
    sides = np.full(len(new) + len(known), split.UNDECIDED, dtype=np.int8)
    sides[numbers[stays]] = outcome.sides
    is_alike = stays[bound.links].all(axis=0)
    largest = int(numbers[stays][outcome.largest_member])
    between = {int(numbers[number]): why for number, why in found.why.items()}
    return Curation(
        stands_for,
        sides,
        outcome,
        largest,
        numbers[bound.links[:, is_alike]],
        distance[is_alike],
        between,
        _copies(new, known, stands_for, between, copied),
    )


def _bound(
    new: Gathered,
    known: Gathered,
    settled: Mapping[str, str],
    rules: Split,
    numbers: "NDArray[np.int64]",
    stands_for: "NDArray[np.int64]",
    copied: Copied,
) -> "tuple[Bound, NDArray[np.uint8]]":
    """What binds the pictures with these numbers, and the distance of each link of likeness."""
    again = [settled.get(row.tobytes().hex(), "") for row in new.rows()] if settled else [""] * len(new)
    sides = [one or other for one, other in zip(again, new.sides, strict=True)]
    everything = [*new.groups, *known.groups]
    fingerprints = None
    links, distance = np.empty((2, 0), dtype=np.int64), np.empty(0, dtype=np.uint8)
    if rules.near_duplicates is not None:
        fingerprints = _fingerprints(new, known, numbers)
        pairs = near_duplicates(fingerprints, rules.near_duplicates)
        links, distance = pairs.links, pairs.distance
    digests = np.concatenate([new.rows(), known.rows()])[numbers]
    keys = [everything[number] for number in numbers.tolist()]
    further = {*_of_copies(new.groups, everything, numbers, stands_for), *copied.groups_of(digests)}
    bound = Bound(
        earlier=numbers >= len(new),
        sides=grouping.sides_of([*sides, *known.sides])[numbers],
        again=np.array([*map(bool, again), *[False] * len(known)], dtype=np.bool_)[numbers],
        keys=keys,
        digests=digests,
        links=links,
        further=sorted((at, key) for at, key in further if key != keys[at]),
        fingerprints=fingerprints,
        distance=rules.near_duplicates or 0,
    )
    return bound, distance


def _of_copies(
    groups: Sequence[str],
    everything: Sequence[str],
    numbers: "NDArray[np.int64]",
    stands_for: "NDArray[np.int64]",
) -> set[tuple[int, str]]:
    """Groups of copies that aren't kept: what is kept in their place belongs to these as well.

    Else frames of one scene might be parted, of which one lies in another folder too.
    """
    copies = np.flatnonzero(stands_for != np.arange(len(stands_for)))
    places = np.searchsorted(numbers, stands_for[copies]).tolist()
    found = zip(places, stands_for[copies].tolist(), copies.tolist(), strict=True)
    return {(at, groups[copy]) for at, kept, copy in found if groups[copy] not in ("", everything[kept])}


def _copies(
    new: Gathered,
    known: Gathered,
    stands_for: "NDArray[np.int64]",
    left_out: Mapping[int, str],
    copied: Copied,
) -> "NDArray[np.bool_]":
    """Of the new pictures those that aren't kept, but whose groups bind what is kept; each but once."""
    own, others, earlier = (
        np.frombuffer(side.origins or array("q"), dtype=np.int64) for side in (new, known, copied)
    )
    is_told = np.equal(own, np.concatenate([own, others])[stands_for]) | np.isin(own, earlier)
    is_told |= np.isin(stands_for, np.fromiter(left_out, dtype=np.int64))
    untold = np.flatnonzero(~is_told)
    copies = np.zeros(len(new), dtype=np.bool_)
    copies[untold[np.unique(own[untold], return_index=True)[1]]] = True
    return copies


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
