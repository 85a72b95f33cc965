"""Choose groups whose sizes add up to a number of pictures, exactly wherever any choice of groups does.

Memory: 8 bytes a group, and for the exact search one bit for each reachable sum and each different size.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    rank_in_class = _rank_in_class(sizes, values)
    return np.flatnonzero(rank_in_class < np.array(wanted)[np.searchsorted(values, sizes)])


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


def _rank_in_class(sizes: "NDArray[np.int64]", values: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """For each group, how many groups of the same size come before it."""
    order = np.argsort(sizes, kind="stable")
    starts = np.searchsorted(sizes[order], values)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[order] = np.arange(len(sizes)) - starts[np.searchsorted(values, sizes[order])]
    return rank
