"""In how many cells two pictures differ, once one is laid over the other.

Where to begin follows from a mark that both have. From there the affine map between them is refined by least
squares (forwards compositional, with gain and bias: Baker and Matthews, "Lucas-Kanade 20 years on", 2004), so
that what is left is neither crop nor rotation nor light, but content.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.differences import APART, LEAST_OVERLAP, differing
from truthmill.explanations import colours, unexplained
from truthmill.marks import SIDE, TURNS
from truthmill.overlay import (
    COUNT,
    PLANE,
    Floats,
    Pictures,
    laid_over,
    residual,
    rough_of,
    shades,
    slopes,
    unpacked,
)
from truthmill.similarity import CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_CORRELATION = 0.4  # of the shades before the map is refined; less isn't worth the time
_ROUNDS = 5
_MOST_SHIFTED = 3.0  # cells, by which a mark of each may be off where nothing was cropped
_LEAST_LIKENESS = 0.75  # correlation, of pictures of which each is the whole of the other
_DAMPING = np.array([256, 256, 4, 256, 256, 4], dtype=np.float32)


def distances(
    ones: "NDArray[np.uint8]",
    others: "NDArray[np.uint8]",
    marks: "NDArray[np.uint64]",
    other_marks: "NDArray[np.uint64]",
    within: int,
) -> "NDArray[np.uint8]":
    """For each pair of fingerprints in how many of the 256 cells they differ, APART where no map fits.

    ones, others: P rows as `similarity.pack` gives them. marks, other_marks: P marks, one of each, that may
    be the same spot. What isn't compared counts as differing in proportion. About 20 kB a pair are held.
    within: cells; where more differ, and one may be the whole of the other, what was done to its light is
    looked into (`explanations`).
    """
    result = np.full(len(ones), APART, dtype=np.uint8)
    one, other = unpacked(ones), unpacked(others)
    maps = first = first_maps(marks, other_marks)
    near = np.flatnonzero(_correlation(one, other, maps) >= _LEAST_CORRELATION)
    one, other, maps = one[near], other[near], maps[near]
    for _ in range(_ROUNDS):
        maps = _refined(one, other, maps)
    result[near] = differing(one, other, maps)
    rest = np.flatnonzero(result > within)
    result[rest] = np.minimum(result[rest], _unexplained(ones[rest], others[rest], first[rest]))
    return result


def _unexplained(ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", maps: Floats) -> "NDArray[np.uint8]":
    """As `explanations` does, APART for pictures that aren't each the whole of the other, roughly."""
    result = np.full(len(ones), APART, dtype=np.uint8)
    whole = np.flatnonzero(np.abs(maps[:, :, 2]).max(axis=1) <= _MOST_SHIFTED)
    whole = whole[likeness(ones[whole], others[whole], maps[whole])[0] >= _LEAST_LIKENESS]
    way = _ways_round(maps[whole])
    one, other = unpacked(ones[whole]), unpacked(others[whole])
    over = np.take_along_axis(colours(other), way[:, None], axis=2)
    shown = (one.shown & np.take_along_axis(other.shown, way, axis=1)).astype(np.float32)
    result[whole] = unexplained(colours(one), over, shown, np.maximum(one.step, other.step))
    return result


def likeness(
    ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", maps: Floats
) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Correlation of whole pictures, P each: of their shades, and of what a smooth surface leaves of them.

    maps: of which the mirror and the quarter turns count.
    """
    one, over = shades(ones), np.take_along_axis(shades(others), _ways_round(maps), axis=1)
    return _correlated(one, over), _correlated(rough_of(one), rough_of(over))


def _correlated(one: Floats, other: Floats) -> "NDArray[Any]":
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    power = (one * one).sum(axis=1) * (other * other).sum(axis=1)
    correlation: NDArray[Any] = (one * other).sum(axis=1) / np.sqrt(power + 1e-6)
    return correlation


def _ways_round(maps: Floats) -> "NDArray[np.int64]":
    """P x 256: for each cell which of the other's is there, after a mirror and quarter turns, no more."""
    flip = np.sign(np.linalg.det(maps[:, :, :2]))
    turn = np.arctan2(maps[:, 1, 0] - flip * maps[:, 0, 1], maps[:, 0, 0] + flip * maps[:, 1, 1])
    quarters = np.rint(turn / (math.pi / 2))
    cos, sin = np.cos(quarters * (math.pi / 2)), np.sin(quarters * (math.pi / 2))
    turned = np.stack([np.stack([cos, -flip * sin], axis=1), np.stack([sin, flip * cos], axis=1)], axis=1)
    places = np.rint(turned @ PLANE[:2] + (CELLS - 1) / 2).astype(np.int64)
    index: NDArray[np.int64] = places[:, 1] * CELLS + places[:, 0]
    return index


def first_maps(marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]") -> Floats:
    """P x 2 x 3: from cells of the ones to cells of the others, both from the middle, by a mark of each."""
    x, y, turn, mirrored = places(marks)
    other_x, other_y, other_turn, other_mirrored = places(other_marks)
    flip = np.where(mirrored == other_mirrored, 1.0, -1.0)
    cos, sin, other_cos, other_sin = np.cos(turn), np.sin(turn), np.cos(other_turn), np.sin(other_turn)
    maps = np.empty((len(marks), 2, 3), dtype=np.float32)
    maps[:, 0, 0] = other_cos * cos + flip * other_sin * sin
    maps[:, 0, 1] = other_cos * sin - flip * other_sin * cos
    maps[:, 1, 0] = other_sin * cos - flip * other_cos * sin
    maps[:, 1, 1] = other_sin * sin + flip * other_cos * cos
    maps[:, 0, 2] = other_x - maps[:, 0, 0] * x - maps[:, 0, 1] * y
    maps[:, 1, 2] = other_y - maps[:, 1, 0] * x - maps[:, 1, 1] * y
    return maps


def places(marks: "NDArray[np.uint64]") -> "tuple[NDArray[Any], ...]":
    """Across and down in cells from the middle, direction in radians, whether mirrored."""
    across, down, turn, mirrored = fields(marks)
    scale = SIDE / CELLS
    middle = SIDE / 2 - 0.5
    return (across - middle) / scale, (down - middle) / scale, turn * (math.tau / TURNS), mirrored


def fields(marks: "NDArray[np.uint64]") -> "tuple[NDArray[np.int64], ...]":
    """What marks hold besides their signs: across, down, direction, whether mirrored."""
    low = (marks & np.uint64((1 << 24) - 1)).astype(np.int64)
    return (low >> 18) & 63, (low >> 12) & 63, (low >> 6) & 63, (low >> 5) & 1


def _correlation(one: Pictures, other: Pictures, maps: Floats) -> Floats:
    """Of the shades in the overlap; -1 where that is too small."""
    over, weight = laid_over(one, other, maps)
    shades = one.shades
    total = weight.sum(axis=1) + 1e-6
    first = shades - ((weight * shades).sum(axis=1) / total)[:, None]
    second = over - ((weight * over).sum(axis=1) / total)[:, None]
    weighted = weight * second
    power = (weight * first * first).sum(axis=1) * (weighted * second).sum(axis=1)
    both: Floats = (weighted * first).sum(axis=1) / np.sqrt(power + 1e-6)
    return np.where(total < LEAST_OVERLAP * 0.8 * COUNT, np.float32(-1), both)


def _refined(one: Pictures, other: Pictures, maps: Floats) -> Floats:
    """Maps after one step of Gauss-Newton."""
    over, weight = laid_over(one, other, maps)
    left, gain, robust = residual(one.shades, over, weight)
    across, down = (slope * gain[:, None] for slope in slopes(over, CELLS))
    steep = np.concatenate([across[:, None] * PLANE, down[:, None] * PLANE], axis=1)
    weighted = steep * robust[:, None]
    normal = weighted @ steep.transpose(0, 2, 1)
    diagonal = np.arange(6)
    normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * np.float32(1.001) + _DAMPING
    step = np.linalg.solve(normal, weighted @ left[:, :, None]).reshape(-1, 2, 3)
    limit = np.array([0.1, 0.1, 1.0], dtype=np.float32)
    step = np.clip(step, -limit, limit)
    moved = maps.copy()
    moved += maps[:, :, :2] @ step
    return moved
