"""Which side of the split a picture is on: whole groups, exact to the picture where groups allow it.

Order never matters: groups are ranked by a digest of the seed and of their smallest member's content digest.
Memory: about 100 bytes a picture while `assign` works, 1 byte a picture in its answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from truthmill import subset_sum
from truthmill.errors import SplitError
from truthmill.layout import SPLITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRAIN = 0
UNDECIDED = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """A split, and how far it is from what was asked.

    sides: number in `layout.SPLITS` of each picture. counts, wanted: pictures of each split.
    off_by: counts - wanted of each split. largest_group: pictures in it; largest_member: number of a picture
    of it, to name it by. straddling: groups whose earlier members were on several sides already.
    """

    sides: "NDArray[np.int8]"
    counts: Mapping[str, int]
    wanted: Mapping[str, int]
    largest_group: int
    largest_member: int
    straddling: int

    @property
    def off_by(self) -> dict[str, int]:
        return {name: self.counts[name] - self.wanted[name] for name in self.wanted}

    @property
    def empty(self) -> tuple[str, ...]:
        """Splits that were asked for and got no picture."""
        return tuple(name for name in self.wanted if not self.counts[name])

    def is_degenerate(self, tolerance: float = 0.1) -> bool:
        """Whether a split is empty, or off by more than this share of what was wanted (at least by two)."""
        return bool(self.empty) or any(
            abs(off) > max(1.0, tolerance * self.wanted[name]) for name, off in self.off_by.items()
        )


def wanted_counts(pictures: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Pictures of each split: share x pictures, halves up, the share taken as the decimal it is written as.

    shares: of the splits beside train, which gets the rest; a share of 0 asks for no such split, any other
    for one picture at least. Raises SplitError where the shares leave nothing for train.
    """
    asked = {name: share for name, share in shares.items() if share}
    unknown = sorted(set(asked) - set(SPLITS[1:]))
    total = sum((Decimal(repr(float(share))) for share in asked.values()), Decimal(0))
    if unknown or total >= 1 or any(share < 0 for share in asked.values()):
        raise SplitError(
            f"The split's shares are {dict(shares)}; {' and '.join(SPLITS[1:])} may be given, each from 0, "
            "together below 1, so that pictures are left for train. Lower them."
        )
    counts = {
        name: max(1, int((Decimal(repr(float(share))) * pictures).quantize(Decimal(1), ROUND_HALF_UP)))
        for name, share in sorted(asked.items(), key=lambda item: SPLITS.index(item[0]))
    }
    return {SPLITS[TRAIN]: max(0, pictures - sum(counts.values())), **counts}


def assign(
    groups: "NDArray[np.int64]",
    digests: "NDArray[np.uint8]",
    shares: Mapping[str, float],
    seed: str,
    fixed: "NDArray[np.int8] | None" = None,
) -> Outcome:
    """Give every picture its side; pictures of one group get the same.

    groups: number of each picture's group (`grouping.union`). digests: N x 8 or more bytes, of each picture.
    shares: see `wanted_counts`. seed: another one gives another split.
    fixed: sides (`grouping.sides_of`) that are settled, -1 elsewhere: of pictures assigned by earlier runs,
    or by their folder. They stay; a group's other members join the side that most of its fixed ones are on.
    Raises SplitError where there is no picture, or none that could be on the side of train.
    """
    if not len(groups):
        raise SplitError("There is no picture to split: everything in the source was rejected or is known.")
    settled = np.full(len(groups), UNDECIDED, dtype=np.int8) if fixed is None else fixed
    group, rank_of = ranked(groups, digests, seed)
    sizes = np.bincount(group)
    side, straddling = settled_sides(group, settled, len(sizes))
    wanted = wanted_counts(len(groups), shares)
    counts = np.bincount(np.where(settled >= 0, settled, side[group]) + 1, minlength=len(SPLITS) + 1)[1:]
    missing = {
        name: wanted[name] - int(counts[SPLITS.index(name)]) for name in wanted if name != SPLITS[TRAIN]
    }
    empty = {name for name in missing if not counts[SPLITS.index(name)]}
    _fill(side, sizes, rank_of, missing, empty, keep_one=not counts[TRAIN])
    return _outcome(
        np.where(settled >= 0, settled, side[group]).astype(np.int8), wanted, group, sizes, straddling
    )


def ranked(
    groups: "NDArray[np.int64]", digests: "NDArray[np.uint8]", seed: str
) -> "tuple[NDArray[np.int64], NDArray[np.int64]]":
    """Groups numbered from 0 by their smallest digests, and these numbers in the seed's order."""
    order = by_digest(digests)
    _, first, group = np.unique(groups[order], return_index=True, return_inverse=True)
    in_order = np.argsort(first)
    number = np.empty(len(first), dtype=np.int64)
    number[in_order] = np.arange(len(first))
    numbered = np.empty(len(groups), dtype=np.int64)
    numbered[order] = number[group]
    smallest = np.ascontiguousarray(digests[order[first[in_order]]])
    return numbered, np.argsort(_seeded(smallest, seed), kind="stable")


def by_digest(digests: "NDArray[np.uint8]") -> "NDArray[np.int64]":
    """The order of the digests, one a row."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)
    return np.lexsort(words.T[::-1])


def _seeded(digests: "NDArray[np.uint8]", seed: str) -> "NDArray[np.uint64]":
    """A keyed digest of each row, as numbers: BLAKE2b, 8 bytes, big-endian."""
    start = blake2b(digest_size=8, key=blake2b(seed.encode(), digest_size=32).digest())
    rows, width = digests.tobytes(), digests.shape[1]
    keyed = bytearray()
    for offset in range(0, len(rows), width):
        hasher = start.copy()
        hasher.update(rows[offset : offset + width])
        keyed += hasher.digest()
    return np.frombuffer(bytes(keyed), dtype=">u8").astype(np.uint64)


def settled_sides(
    group: "NDArray[np.int64]", settled: "NDArray[np.int8]", count: int
) -> "tuple[NDArray[np.int8], int]":
    """The side that each group's fixed members are on, -1 where it has none; how many have several."""
    is_fixed = settled >= 0
    votes = np.bincount(
        group[is_fixed] * len(SPLITS) + settled[is_fixed], minlength=count * len(SPLITS)
    ).reshape(count, len(SPLITS))
    sides = np.where(votes.any(axis=1), votes.argmax(axis=1), UNDECIDED).astype(np.int8)
    return sides, int(((votes > 0).sum(axis=1) > 1).sum())


def _fill(
    side: "NDArray[np.int8]",
    sizes: "NDArray[np.int64]",
    by_rank: "NDArray[np.int64]",
    missing: dict[str, int],
    empty: set[str],
    *,
    keep_one: bool,
) -> None:
    """Decide the undecided groups: each split in turn takes what it misses, train keeps the rest.

    The order of the splits is turned round where that comes nearer; `side` is changed in place.
    """
    free = by_rank[side[by_rank] == UNDECIDED]
    best: tuple[int, NDArray[np.int8]] | None = None
    for names in dict.fromkeys((tuple(missing), tuple(reversed(missing)))):
        taken = np.zeros(len(free), dtype=np.int8)
        off = 0
        for position, name in enumerate(names):
            left = np.flatnonzero(taken == TRAIN)
            later = sum(other in empty for other in names[position + 1 :])
            picked = subset_sum.choose(
                sizes[free[left]], max(0, missing[name]), at_least_one=name in empty, leave=keep_one + later
            )
            taken[left[picked]] = SPLITS.index(name)
            off += abs(missing[name] - int(sizes[free[left[picked]]].sum()))
        if best is None or off < best[0]:
            best = off, taken
        if not off:
            break
    if best and best[0] and len(missing) == 2:
        one, other = sorted(missing, key=SPLITS.index)  # the numbers 1 and 2 of `layout.SPLITS`
        at_least_one = one in empty, other in empty
        targets = missing[one], missing[other]
        side[free] = subset_sum.choose_two(sizes[free], targets, at_least_one, int(keep_one), best[1])
    else:
        side[free] = best[1] if best else TRAIN


def _outcome(
    sides: "NDArray[np.int8]",
    wanted: dict[str, int],
    group: "NDArray[np.int64]",
    sizes: "NDArray[np.int64]",
    straddling: int,
) -> Outcome:
    counts = {name: int((sides == number).sum()) for number, name in enumerate(SPLITS)}
    if not counts[SPLITS[TRAIN]]:
        raise SplitError(
            f"No picture is left for train: all {len(sides)} are on other sides already, by their folder or "
            "by an earlier run. Add pictures for train, or don't have the folders honoured."
        )
    largest = int(sizes.argmax())
    return Outcome(sides, counts, wanted, int(sizes[largest]), int((group == largest).argmax()), straddling)
