"""In how many cells two pictures differ, once one is laid over the other.

Where to begin follows from a mark that both have. From there the affine map between them is refined by least
squares (forwards compositional, with gain and bias: Baker and Matthews, "Lucas-Kanade 20 years on", 2004), so
that what is left is neither crop nor rotation nor light, but content.
"""

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from truthmill.marks import SIDE, TURNS
from truthmill.similarity import CELLS, MARKS_AT, TINT_STEP, TINTS, TINTS_AT, smooth_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"  # of 32 bits throughout

APART = 255  # stands for pictures that can't be laid over each other

_COUNT = CELLS * CELLS
_LEAST_OVERLAP = 0.6  # share of each picture that the other must show
_LEAST_CORRELATION = 0.4  # of the shades before the map is refined; less isn't worth the time
_MOST_STRETCH = 1.35  # of one direction against the other
_ROUNDS = 5
_GAIN = (0.4, 2.5)  # of the light that differs
_BLACK = 2.5  # shades; a rotation lays bare black corners
_MOST_BLACK = 0.5  # share of the cells; beyond, black is what the picture shows
_TINT_TOLERANCE = 13.0  # of Cb and Cr
_BRIGHT = 240  # shades; lighter cells may be cut off there
_EXCESS = 12.0  # shades, as which the light that differs may be misjudged there
_LEAST_COMPARED = 0.4  # share of the cells that are neither outside, nor dark, nor bright
_TOLERANCE = 14.0  # shades, up to which cells are the same, besides:
_TIMES = 1.1  # what most cells differ by, in proportion to their slope
_MOST_SLOPE = 0.6  # of a cell, by which an edge may be off
_EVEN = 8.0  # shades that are added to a slope, for what differs where there is none
_MOST_NOISE = 0.55  # of the contrast: what may be left of most cells, where the light is the same
_LESS_NOISE = 0.3  # less of it for each e-fold of light: textures fit each other, given any gain
_LEAST_CONTRAST = 2.0  # shades; less isn't told from noise


def _plane(side: int) -> Floats:
    """Across and down from the middle, and 1, of side x side cells."""
    down, across = np.mgrid[0:side, 0:side].reshape(2, -1) - (side - 1) / 2
    plane: Floats = np.stack([across, down, np.ones_like(down)]).astype(np.float32)
    return plane


_PLANE, _TINT_PLANE = _plane(CELLS), _plane(TINTS)
_DAMPING = np.array([256, 256, 4, 256, 256, 4], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Pictures:
    """Cells of P pictures.

    shades: P x 256. shown: P x 256, whether there is picture at all. tints: P x 2 x 64, Cb and Cr.
    lightest: P x 256, of red, green and blue the one that is cut off first where there is too much light.
    """

    shades: Floats
    shown: "NDArray[np.bool_]"
    tints: Floats
    lightest: Floats

    def __getitem__(self, chosen: "NDArray[np.int64]") -> "_Pictures":
        return _Pictures(self.shades[chosen], self.shown[chosen], self.tints[chosen], self.lightest[chosen])


def distances(
    ones: "NDArray[np.uint8]",
    others: "NDArray[np.uint8]",
    marks: "NDArray[np.uint64]",
    other_marks: "NDArray[np.uint64]",
) -> "NDArray[np.uint8]":
    """For each pair of fingerprints in how many of the 256 cells they differ, APART where no map fits.

    ones, others: P rows as `similarity.pack` gives them. marks, other_marks: P marks, one of each, that may
    be the same spot. What isn't compared counts as differing in proportion. About 20 kB a pair are held.
    """
    result = np.full(len(ones), APART, dtype=np.uint8)
    one, other = _unpacked(ones), _unpacked(others)
    maps = first_maps(marks, other_marks)
    near = np.flatnonzero(_correlation(one, other, maps) >= _LEAST_CORRELATION)
    one, other, maps = one[near], other[near], maps[near]
    for _ in range(_ROUNDS):
        maps = _refined(one, other, maps)
    result[near] = _differing(one, other, maps)
    return result


def _unpacked(rows: "NDArray[np.uint8]") -> _Pictures:
    packed = rows[:, 2:TINTS_AT]
    steps = np.stack([packed >> 4, packed & 15], axis=2).reshape(-1, _COUNT).astype(np.float32)
    low, high = rows[:, 0:1].astype(np.float32), rows[:, 1:2].astype(np.float32)
    shades = low + steps * ((high - low) / np.float32(15))
    packed = rows[:, TINTS_AT:MARKS_AT]
    tints = np.stack([packed >> 4, packed & 15], axis=1).astype(np.float32)
    tints = (tints - np.float32(7.5)) * TINT_STEP
    return _Pictures(shades, _shown(shades), tints, _lightest(shades, tints))


def _lightest(shades: Floats, tints: Floats) -> Floats:
    """The greatest of red, green and blue of each cell (JFIF 1.02, page 3), its colours those of four."""
    blue, red = tints[:, 0], tints[:, 1]
    above = np.maximum(np.maximum(1.402 * red, 1.772 * blue), -0.34414 * blue - 0.71414 * red)
    step = CELLS // TINTS
    square = above.reshape(-1, TINTS, TINTS).repeat(step, axis=1).repeat(step, axis=2)
    lightest: Floats = (shades + square.reshape(-1, _COUNT)).astype(np.float32)
    return lightest


def _shown(shades: Floats) -> "NDArray[np.bool_]":
    """Cells that neither are black nor touch black ones, unless most of the picture is like that."""
    black = np.pad(shades.reshape(-1, CELLS, CELLS) <= _BLACK, ((0, 0), (1, 1), (1, 1)))
    across = black[:, :, 1:-1] | black[:, :, :-2] | black[:, :, 2:]
    near = (across[:, 1:-1] | across[:, :-2] | across[:, 2:]).reshape(-1, _COUNT)
    shown: NDArray[np.bool_] = ~near | (near.mean(axis=1) > _MOST_BLACK)[:, None]
    return shown


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


def _laid_over(one: _Pictures, other: _Pictures, maps: Floats) -> tuple[Floats, Floats]:
    """The other pictures' shades where the ones' cells are, and the weight of each: 0 or 1."""
    places = maps @ _PLANE + np.float32((CELLS - 1) / 2)
    inside = ((places > -0.5) & (places < CELLS - 0.5)).all(axis=1)
    np.clip(places, 0, CELLS - 1.001, out=places)
    nearest = (places + np.float32(0.5)).astype(np.int32)
    index = nearest[:, 1] * CELLS + nearest[:, 0] + (np.arange(len(maps), dtype=np.int32) * _COUNT)[:, None]
    shown = inside & one.shown & other.shown.ravel().take(index)
    return _between(other.shades, places, CELLS), shown.astype(np.float32)


def _between(values: Floats, places: Floats, side: int) -> Floats:
    """Values of P pictures of side x side cells at places (P x 2 x any, within the picture), bilinear."""
    corner = places.astype(np.int32)
    right, down = places[:, 0] - corner[:, 0], places[:, 1] - corner[:, 1]
    start = np.arange(len(values), dtype=np.int32)[:, None] * (side * side)
    index = corner[:, 1] * side + corner[:, 0] + start
    flat = values.ravel()
    above, below = flat.take(index), flat.take(index + side)
    above += right * (flat.take(index + 1) - above)
    below += right * (flat.take(index + side + 1) - below)
    above += down * (below - above)
    return above


def _correlation(one: _Pictures, other: _Pictures, maps: Floats) -> Floats:
    """Of the shades in the overlap; -1 where that is too small."""
    over, weight = _laid_over(one, other, maps)
    shades = one.shades
    total = weight.sum(axis=1) + 1e-6
    first = shades - ((weight * shades).sum(axis=1) / total)[:, None]
    second = over - ((weight * over).sum(axis=1) / total)[:, None]
    weighted = weight * second
    power = (weight * first * first).sum(axis=1) * (weighted * second).sum(axis=1)
    both: Floats = (weighted * first).sum(axis=1) / np.sqrt(power + 1e-6)
    return np.where(total < _LEAST_OVERLAP * 0.8 * _COUNT, np.float32(-1), both)


def _residual(one: Floats, over: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """What the best gain and bias leave of the ones; the gain; weights, less where something stands out."""
    robust = weight
    for _ in range(2):
        total = robust.sum(axis=1) + 1e-6
        first = one - ((robust * one).sum(axis=1) / total)[:, None]
        second = over - ((robust * over).sum(axis=1) / total)[:, None]
        weighted = robust * second
        gain = np.clip((weighted * first).sum(axis=1) / ((weighted * second).sum(axis=1) + 1e-3), *_GAIN)
        left = first - gain[:, None] * second
        spread = np.sqrt((robust * left * left).sum(axis=1) / total)
        robust = weight / (1 + (left / (1.5 * np.maximum(spread, 1))[:, None]) ** 2)
    return left, gain, robust


def _refined(one: _Pictures, other: _Pictures, maps: Floats) -> Floats:
    """Maps after one step of Gauss-Newton."""
    over, weight = _laid_over(one, other, maps)
    left, gain, robust = _residual(one.shades, over, weight)
    across, down = (slope * gain[:, None] for slope in _slopes(over, CELLS))
    steep = np.concatenate([across[:, None] * _PLANE, down[:, None] * _PLANE], axis=1)
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


def _slopes(shades: Floats, side: int) -> tuple[Floats, Floats]:
    """By how much values change to the right, and downwards, from cell to cell."""
    square = np.pad(shades.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = (square[:, 1:-1, 2:] - square[:, 1:-1, :-2]) / 2
    down = (square[:, 2:, 1:-1] - square[:, :-2, 1:-1]) / 2
    return across.reshape(shades.shape), down.reshape(shades.shape)


def _differing(one: _Pictures, other: _Pictures, maps: Floats) -> "NDArray[np.uint8]":
    over, shown = _laid_over(one, other, maps)
    lightest, _ = _laid_over(one, replace(other, shades=other.lightest), maps)
    is_cut, is_cut_over = one.lightest >= _BRIGHT, lightest >= _BRIGHT
    weight = shown * ~is_cut * ~is_cut_over
    left, gain, robust = _residual(one.shades, over, weight)
    # A light that is cut off explains only that the other picture is lighter there, not that it is darker.
    contradicts = (is_cut_over & (left < -_EXCESS)) | (is_cut & (left > _EXCESS))
    weight = np.maximum(weight, shown * contradicts)
    contrast = np.minimum(_contrast(one.shades, weight), gain * _contrast(over, weight))
    contrast = np.maximum(contrast, _LEAST_CONTRAST)
    slope = _common_slope(one.shades, over * gain[:, None], CELLS)
    differs = np.abs(_windows(left * weight)) > _windows(_tolerance(left, slope, robust, gain, _TOLERANCE))
    compared = weight.mean(axis=1)
    share = shown.mean(axis=1)
    noise = np.sqrt((robust * left * left).sum(axis=1) / (robust.sum(axis=1) + 1e-6))
    stretch = np.linalg.svd(maps[:, :, :2], compute_uv=False)
    fits = (share >= _LEAST_OVERLAP) & (share * stretch[:, 0] * stretch[:, 1] >= _LEAST_OVERLAP)
    fits &= (stretch[:, 0] <= _MOST_STRETCH * stretch[:, 1]) & (
        noise < (_MOST_NOISE - _LESS_NOISE * np.abs(np.log(gain))) * contrast
    )
    count = differs.sum(axis=(1, 2)) + _other_tints(one, other, maps, weight, gain)
    count = np.floor(count / np.maximum(compared, 0.01) + 0.5)
    return np.where(fits & (compared >= _LEAST_COMPARED), np.minimum(count, APART), APART).astype(np.uint8)


def _other_tints(
    one: _Pictures,
    other: _Pictures,
    maps: Floats,
    weight: Floats,
    gain: Floats,
) -> "NDArray[np.int64]":
    """In how many cells the colours differ, in cells of the shades: four lie in one of the colours."""
    half = maps.copy()
    half[:, :, 2] /= CELLS / TINTS
    places = np.clip(half @ _TINT_PLANE + np.float32((TINTS - 1) / 2), 0, TINTS - 1.001)
    step = CELLS // TINTS
    whole = weight.reshape(-1, TINTS, step, TINTS, step).min(axis=(2, 4)).reshape(-1, TINTS * TINTS)
    differs = np.zeros((len(maps), TINTS * TINTS), dtype=bool)
    for part in range(2):
        over = _between(np.ascontiguousarray(other.tints[:, part]), places, TINTS) * gain[:, None]
        slope = _common_slope(one.tints[:, part], over, TINTS)
        left = one.tints[:, part] - over
        differs |= np.abs(left) > _tolerance(left, slope, whole, gain, _TINT_TOLERANCE)
    count: NDArray[np.int64] = (differs & (whole > 0)).sum(axis=1) * step**2
    return count


def _tolerance(left: Floats, slope: Floats, weight: Floats, gain: Floats, least: float) -> Floats:
    """Up to what difference each cell is the same: more where it is steep, as much as is usual.

    So a copy that fits to the pixel is looked at more closely than one that was rotated or drawn out.
    """
    typical = (weight * np.abs(left)).sum(axis=1) / ((weight * (slope + _EVEN)).sum(axis=1) + 1e-6)
    off = np.minimum(_TIMES * typical, _MOST_SLOPE)[:, None]
    # Half-way between the units of the one and of the other, so that it doesn't matter which is which.
    tolerance: Floats = least * np.sqrt(gain)[:, None] + off * (slope + _EVEN)
    return tolerance


def _common_slope(one: Floats, other: Floats, side: int) -> Floats:
    """How steep both are: an edge that is a little off is in both, a thing that only one shows is not."""
    slope: Floats = np.minimum(np.hypot(*_slopes(one, side)), np.hypot(*_slopes(other, side)))
    return slope


def _windows(values: Floats) -> Floats:
    """Means of 2 x 2 cells, 15 x 15 of them a picture: an edge that is a little off is levelled out."""
    square = values.reshape(-1, CELLS, CELLS)
    rows = square[:, 1:] + square[:, :-1]
    windows: Floats = (rows[:, :, 1:] + rows[:, :, :-1]) / 4
    return windows


def _contrast(shades: Floats, weight: Floats) -> Floats:
    """Standard deviation of what a smooth surface leaves of each picture; cells without weight are even."""
    smooth = smooth_surfaces().astype(np.float32)
    total = weight.sum(axis=1) + 1e-6
    level = weight * (shades - ((weight * shades).sum(axis=1) / total)[:, None])
    rough = level - (level @ smooth) @ smooth.T
    contrast: Floats = np.sqrt((rough * rough).sum(axis=1) / total).astype(np.float32)
    return contrast
