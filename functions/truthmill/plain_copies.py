"""Copies that plainly don't differ: most of all, and told in a fraction of the time.

What is asked is what `differences` asks of every pair, of one picture cell upon cell of the other: no
light is taken away, and no map is refined. Whatever isn't plain is left to it.
"""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from truthmill.cells import (
    COLOURS,
    FINE_CELLS,
    Floats,
    doubling_of,
    fine_greys,
    fine_tints,
    grey_means,
    shown_of,
    steps_of,
)
from truthmill.differences import (
    FURTHEST,
    LIMIT,
    MOST_SLIGHT,
    SAME,
    SAME_IN_QUIET,
    SLIGHT,
    furthest,
    is_little,
    prove,
)
from truthmill.light import TOLERANCE
from truthmill.overlay import IS_INNER, contrast_of, detail_of, nearest, places_of, root_mean_square
from truthmill.similarity import CELLS
from truthmill.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOGETHER = 64  # pairs, whose numbers fit into a processor's cache


def are_plain_copies(
    ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", maps: Floats
) -> "NDArray[np.bool_]":
    """Whether P pairs of fingerprints plainly don't differ.

    maps: P x 2 x 3, from cells of the ones to cells of the others, with a mirror and quarter turns only.
    """
    result = np.zeros(len(ones), dtype=np.bool_)
    for start in range(0, len(ones), _TOGETHER):
        block = slice(start, start + _TOGETHER)
        one, other = ones[block], others[block]
        means = grey_means(one), grey_means(other)
        places = start + np.flatnonzero(_are_alike(one, other, means, maps[block]))
        if not len(places):
            continue
        rest = places - start
        chosen = ones[places], others[places]
        result[places] = _are_same(*chosen, (means[0][rest], means[1][rest]), maps[places])
    return result


def _are_alike(
    ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", means: tuple[Floats, Floats], maps: Floats
) -> "NDArray[np.bool_]":
    """Whether the greys of 16 x 16 cells, P x 256, are enough to tell pictures apart, and tell none."""
    index = _index(maps, CELLS)
    one, other = means
    shown = shown_of(one) & np.take_along_axis(shown_of(other), index, axis=1)
    inner = (shown & IS_INNER).astype(np.float32)
    left = one - np.take_along_axis(other, index, axis=1)
    spread = root_mean_square(left, inner)
    contrast = contrast_of(one, inner) - spread  # of the one that has less
    detail = detail_of(one, inner) - spread
    step = np.maximum(steps_of(ones), steps_of(others)).ravel()
    return prove(contrast, detail, step) & is_little(spread, contrast, detail)


def _are_same(
    ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", means: tuple[Floats, Floats], maps: Floats
) -> "NDArray[np.bool_]":
    """Whether no window of the fine colours is off."""
    index = _index(maps, FINE_CELLS)
    one, other = (fine_greys(rows, mean) for rows, mean in zip((ones, others), means, strict=True))
    planes = [windows(one - np.take_along_axis(other, index, axis=1)).reshape(len(ones), -1)]
    index, doubling = _index(maps, CELLS), _doubling_windows()
    for part, other_part in zip(fine_tints(ones), fine_tints(others), strict=True):
        left = part - np.take_along_axis(other_part, index, axis=1)
        doubled = doubling @ left.reshape(-1, CELLS, CELLS) @ doubling.T
        planes.append(doubled.reshape(len(ones), -1))
    slight = np.abs(planes[0]) > _times(SLIGHT)
    off = np.abs(COLOURS @ np.stack(planes, axis=1)).max(axis=1)
    same: NDArray[np.bool_] = (slight.sum(axis=1) <= MOST_SLIGHT) & (off <= _times(LIMIT)).all(axis=1)
    doubtful = np.flatnonzero(same & ((off > _times(SAME_IN_QUIET)).sum(axis=1) >= FURTHEST))
    third, most = furthest(off[doubtful] / np.float32(TOLERANCE), SAME)
    same[doubtful] = third <= most
    return same


def _times(tolerances: float) -> np.float32:
    return np.float32(TOLERANCE * tolerances)


def _index(maps: Floats, side: int) -> "NDArray[np.intp]":
    return nearest(places_of(maps, side), side)


@cache
def _doubling_windows() -> Floats:
    """A matrix from 16 cells in a line to the windows of 32, as `windows` makes them."""
    doubling = doubling_of()
    means: Floats = (doubling[1:] + doubling[:-1]) / 2
    return means
