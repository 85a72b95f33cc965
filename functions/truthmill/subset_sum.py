"""Choose groups whose sizes add up to a number of pictures, exactly wherever any choice of groups does.

Memory: 8 bytes a group, and for the exact search one bit for each reachable sum and each different size.
"""

from typing import TYPE_CHECKING

import numpy as np

from truthmill.ranks import ranked

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOGETHER = 60  # groups that are chosen for two targets at once
_OF_EACH = 3  # of each size, where there are more
_SUMS = 100_000  # pairs of sums that are held for each of these, 8 bytes each; of more some


def choose(
    sizes: "NDArray[np.int64]", target: int, *, at_least_one: bool = False, leave: int = 0
) -> "NDArray[np.int64]":
    """Positions of the groups to take: their sizes add up to `target`, or to the nearest sum there is.

    sizes: pictures in each group, in the order of preference. Groups are taken in this order as long as they
    fit; where that doesn't end at the target, as few as needed are exchanged.
    at_least_one: take one group even where none is nearer. leave: groups that must be left; it goes first.
    """
    if len(sizes) <= leave or (target == 0 and not at_least_one):
        return np.empty(0, dtype=np.int64)
    picked = fill(sizes, target)
    if int(sizes[picked].sum()) != target:
        picked = _exchanged(sizes, picked, target)
    if not len(picked) and at_least_one:
        picked = np.array([sizes.argmin()])
    if len(sizes) - len(picked) < leave:
        picked = picked[np.argsort(sizes[picked], kind="stable")][: len(sizes) - leave]
    return picked


def fill(sizes: "NDArray[np.int64]", target: int) -> "NDArray[np.int64]":
    """Positions of the groups to take, in order: whatever still fits below `target`.

    A round takes a whole run, so a million groups are few rounds.
    """
    picked = [np.empty(0, dtype=np.int64)]
    candidates = np.flatnonzero(sizes <= target)
    left = target
    while len(candidates):
        sums = np.cumsum(sizes[candidates])
        fit = int(np.searchsorted(sums, left, side="right"))
        picked.append(candidates[:fit])
        left -= int(sums[fit - 1]) if fit else 0
        candidates = candidates[fit:]
        candidates = candidates[sizes[candidates] <= left]
    return np.concatenate(picked)


def _exchanged(sizes: "NDArray[np.int64]", picked: "NDArray[np.int64]", target: int) -> "NDArray[np.int64]":
    """The choice that comes nearest to the target, and among those one near to `picked`."""
    values, available = np.unique(sizes, return_counts=True)
    taken = np.zeros(len(values), dtype=np.int64)
    np.add.at(taken, np.searchsorted(values, sizes[picked]), 1)
    short = target - int(sizes[picked].sum())
    reach = _reachable(values.tolist(), available.tolist(), target + short)
    goal = _nearest(reach[-1], target)
    wanted = _counts(values.tolist(), available.tolist(), taken.tolist(), reach, goal)
    return np.flatnonzero(_rank_in_class(sizes) < np.array(wanted)[np.searchsorted(values, sizes)])


def _reachable(values: list[int], available: list[int], limit: int) -> list[int]:
    """For each number of sizes used, the sums up to `limit` that they reach: bit s of a number is sum s."""
    mask = (1 << (limit + 1)) - 1
    reach = [1]
    for value, count in zip(values, available, strict=True):
        sums, part, left = reach[-1], 1, min(count, limit // value)
        while left:
            part = min(part, left)
            sums |= (sums << (part * value)) & mask
            left -= part
            part *= 2
        reach.append(sums)
    return reach


def _nearest(reachable: int, target: int) -> int:
    """The sum nearest to the target; the lower of two."""
    below = (reachable & ((1 << (target + 1)) - 1)).bit_length() - 1
    beyond = reachable >> (target + 1)
    above = target + (beyond & -beyond).bit_length()
    return above if beyond and above - target < target - below else below


def _counts(
    values: list[int], available: list[int], taken: list[int], reach: list[int], goal: int
) -> list[int]:
    """How many groups of each size make up `goal`; each as near to `taken` as the smaller sizes allow."""
    wanted = [0] * len(values)
    for number in range(len(values) - 1, -1, -1):
        value, start = values[number], taken[number]
        most = min(available[number], goal // value)
        counts = sorted(range(most + 1), key=lambda count: abs(count - start))
        wanted[number] = next(count for count in counts if reach[number] >> (goal - count * value) & 1)
        goal -= wanted[number] * value
    return wanted


def _rank_in_class(classes: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """For each group, how many groups of the same class (its size, or more) come before it."""
    order, in_order = ranked(classes)
    rank = np.empty(len(classes), dtype=np.int64)
    rank[order] = in_order
    return rank


def choose_two(
    sizes: "NDArray[np.int64]",
    targets: tuple[int, int],
    at_least_one: tuple[bool, bool],
    leave: int,
    before: "NDArray[np.int8]",
) -> "NDArray[np.int8]":
    """0 for each group that is left, 1 and 2 for those whose sizes add up to the one and the other target.

    Nearest to both together; of up to TOGETHER groups, and sums that aren't too many, no choice is nearer. Of
    more some of each size are exchanged.
    at_least_one, leave: as for `choose`. before: such a choice, which stays where none is nearer.
    """
    chosen = _exchanged_for_two(sizes, targets, at_least_one, leave, before)

    def rated(choice: "NDArray[np.int8]") -> tuple[bool, int, int]:
        """Less is better."""
        sums = [int(sizes[choice == side].sum()) for side in (1, 2)]
        empty = sum(wanted and not there for wanted, there in zip(at_least_one, sums, strict=True))
        off = sum(abs(there - target) for there, target in zip(sums, targets, strict=True))
        return int((choice == 0).sum()) < leave, empty, off

    return chosen if rated(chosen) < rated(before) else before


def _exchanged_for_two(
    sizes: "NDArray[np.int64]",
    targets: tuple[int, int],
    at_least_one: tuple[bool, bool],
    leave: int,
    before: "NDArray[np.int8]",
) -> "NDArray[np.int8]":
    """The choice that comes nearest to both, among the pairs of sums that are held."""
    open_ = _exchangeable(sizes, before)
    wanted = np.array([targets[side] - int(sizes[before == side + 1].sum()) for side in (0, 1)])
    off, held = int(np.abs(wanted).sum()), sizes[open_]
    wanted += [int(held[before[open_] == side + 1].sum()) for side in (0, 1)]
    limits = (np.maximum(wanted, 0) + off + int(held.max(initial=0))).tolist()
    sums = _pairs_of_sums(held, limits)
    ones, others = np.divmod(sums[-1], limits[1] + 1)
    fixed = [int(((before == side + 1).sum()) - (before[open_] == side + 1).sum()) for side in (0, 1)]
    empty = sum(
        at_least_one[side] & (chosen == 0) & (not fixed[side]) for side, chosen in enumerate((ones, others))
    )
    is_all = (ones + others == int(held.sum())) & (len(open_) + sum(fixed) == len(sizes)) & (leave > 0)
    distance = np.abs(ones - wanted[0]) + np.abs(others - wanted[1])
    best = int(np.lexsort((distance, empty, is_all))[0])
    result = before.copy()
    result[open_] = _traced(held, sums, int(sums[-1][best]), limits[1] + 1, before[open_])
    return result


def _exchangeable(sizes: "NDArray[np.int64]", before: "NDArray[np.int8]") -> "NDArray[np.int64]":
    """Positions, the largest group first: all, or of each size and choice the first ones, small sizes."""
    if len(sizes) > TOGETHER:
        rank = _rank_in_class(sizes * 3 + before)
        places = np.lexsort((rank, sizes, rank >= _OF_EACH))[:TOGETHER]
    else:
        places = np.arange(len(sizes))
    return places[np.lexsort((places, -sizes[places]))]


def _pairs_of_sums(sizes: "NDArray[np.int64]", limits: list[int]) -> "list[NDArray[np.int64]]":
    """For each number of groups used, which two sums can be reached: first x (limits[1] + 1) + second."""
    width = limits[1] + 1
    reached = [np.zeros(1, dtype=np.int64)]
    for size in sizes.tolist():
        last = reached[-1]
        ones, others = np.divmod(last, width)
        sums = np.unique(
            np.concatenate(
                [last, last[ones + size <= limits[0]] + size * width, last[others + size <= limits[1]] + size]
            )
        )
        reached.append(sums[:: -(-len(sums) // _SUMS)])
    return reached


def _traced(
    sizes: "NDArray[np.int64]",
    sums: "list[NDArray[np.int64]]",
    goal: int,
    width: int,
    before: "NDArray[np.int8]",
) -> "NDArray[np.int8]":
    """Which groups make up two sums; each chosen as before where that is possible."""
    result = np.zeros(len(sizes), dtype=np.int8)
    for number in range(len(sizes) - 1, -1, -1):
        steps = 0, int(sizes[number]) * width, int(sizes[number])
        was = int(before[number])
        for side in (was, *(other for other in range(3) if other != was)):
            rest = goal - steps[side]
            place = int(np.searchsorted(sums[number], rest))
            fits = rest >= 0 and (side != 2 or goal % width >= steps[side])
            if fits and place < len(sums[number]) and sums[number][place] == rest:
                result[number], goal = side, rest
                break
    return result
