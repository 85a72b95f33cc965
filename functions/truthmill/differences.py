"""What is left of two pictures' difference once one is laid over the other and the light is made the same.

Cells are counted whose differences neither the light, nor an edge that is a little off, nor a translucent
overlay explains. Where too little is left that could tell pictures apart, they count as different.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from truthmill.overlay import (
    INNER,
    IS_INNER,
    PLANE,
    TINT_PLANE,
    Floats,
    Pictures,
    between,
    contrast_of,
    detail_of,
    laid_over,
    residual,
    slopes,
)
from truthmill.similarity import CELLS, TINTS
from truthmill.veil import is_veiled
from truthmill.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 255  # stands for pictures that can't be laid over each other
LEAST_OVERLAP = 0.6  # share of each picture that the other must show

_MOST_STRETCH = 1.35  # of one direction against the other
_TINT_TOLERANCE = 13.0  # of Cb and Cr
_MORE_TINT = 7.0  # of them besides, where light was cut off
_BRIGHT = 240  # shades; lighter cells may be cut off there
_FADING = 0.5  # of Cb and Cr for each shade that red, green or blue lacks (JFIF 1.02, page 3)
_EXCESS = 12.0  # shades, as which the light that differs may be misjudged there
_LEAST_COMPARED = 0.4  # share of the cells that are neither outside, nor dark, nor bright
_TOLERANCE = 14.0  # shades, up to which cells are the same, besides:
_TIMES = 0.9  # what most cells differ by, in proportion to their slope
_MOST_SLOPE = 0.6  # of a cell, by which an edge may be off
_EVEN = 8.0  # shades that are added to a slope, for what differs where there is none
_MOST_NOISE = 0.45  # of the contrast: what may be left of most cells, where the light is the same
_MOST_SMOOTH_NOISE = 0.25  # the same of means of four: other content is left, what an edge leaves is levelled
_MOST_NOISE_OF_DETAIL, _MOST_SMOOTH_OF_DETAIL = 0.85, 0.475  # the same of what no smooth surface is
_LEAST_STEPS_OF_DETAIL = 0.25  # of what a fingerprint tells apart
_LESS_NOISE = (0.25, 0.1)  # less of both for each e-fold of light: textures fit each other, given any gain
_LEAST_CONTRAST = 2.0  # shades; less isn't told from noise
_LEAST_STEPS = 0.45  # of what a fingerprint tells apart, likewise
_VEILED_NOISE, _VEILED_LIGHT = 0.1, 0.1  # a watermark is looked for where all else is the same
_OUTLIER = 900.0  # square of shades; a cell that is further off is not part of the curve of the light
_BENT = 5.0  # standard deviations over which the curve of the light must not turn back
_WHOLLY = 0.999


@dataclass(frozen=True, slots=True)
class _Light:
    """The ones' light from the others': gain and bias, P x 1, and weights of the cells that follow them."""

    gain: Floats
    bias: Floats
    robust: Floats


def differing(one: Pictures, other: Pictures, maps: Floats) -> "NDArray[np.uint8]":
    """In how many of 256 cells each of P pairs differs, APART where it can't be said."""
    over, shown = laid_over(one, other, maps)
    lightest, _ = laid_over(one, replace(other, shades=other.lightest), maps)
    cut, cut_over = one.lightest >= _BRIGHT, lightest >= _BRIGHT
    weight = shown * ~cut * ~cut_over
    left, gain, robust = residual(one.shades, over, weight)
    light = _light(one.shades, over, gain, robust)
    left = _bent(one.shades, over, light)
    lost, lost_over = _lost(one.lightest, lightest, light)
    contradicts = (cut | cut_over) & (
        (left < -_EXCESS - lost * cut) | (left > _EXCESS + lost_over * cut_over)
    )
    weight = np.maximum(weight, shown * contradicts)
    slope = _common_slope(one.shades, over * light.gain, CELLS)
    smoothed = windows(left * weight)
    differs = np.abs(smoothed) > windows(_tolerance(left, slope, robust, light.gain, _TOLERANCE))
    faded = _FADING * np.maximum(lost, lost_over)
    tints = _other_tints(one, other, maps, weight, light.gain, shown, cut & ~cut_over, cut_over & ~cut, faded)
    inner = _inner(one, other, maps)
    contrast = np.minimum(contrast_of(one.shades, weight * inner), gain * contrast_of(over, weight * inner))
    fits = _overlap(maps, shown) & (contrast >= _LEAST_STEPS * np.maximum(one.step, gain * other.step))
    contrast = np.maximum(contrast, _LEAST_CONTRAST)
    noise, smooth_noise = _noise(left, robust * inner)
    dimmer = np.abs(np.log(gain))
    fits &= (noise < (_MOST_NOISE - _LESS_NOISE[0] * dimmer) * contrast) & (
        smooth_noise < (_MOST_SMOOTH_NOISE - _LESS_NOISE[1] * dimmer) * contrast
    )
    detail = np.minimum(detail_of(one.shades, weight * inner), gain * detail_of(over, weight * inner))
    fits &= (noise < _MOST_NOISE_OF_DETAIL * detail) & (smooth_noise < _MOST_SMOOTH_OF_DETAIL * detail)
    fits &= detail >= _LEAST_STEPS_OF_DETAIL * np.maximum(one.step, gain * other.step)
    predicted = light.gain * over + light.bias
    veiled = is_veiled(one.shades, predicted, light.gain * 255 + light.bias, left, weight, differs)
    veiled &= (smooth_noise < _VEILED_NOISE * contrast) & (dimmer < _VEILED_LIGHT)
    count = np.where(veiled, 0, differs.sum(axis=(1, 2))) + tints
    compared = weight.mean(axis=1)
    count = np.floor(count / np.maximum(compared, 0.01) + 0.5)
    return np.where(fits & (compared >= _LEAST_COMPARED), np.minimum(count, APART), APART).astype(np.uint8)


def _inner(one: Pictures, other: Pictures, maps: Floats) -> "NDArray[np.bool_]":
    """Cells that can bear out that pictures are the same: no edge, and no black next to them, in either."""
    shown, _ = laid_over(one, replace(other, shades=other.shown.astype(np.float32)), maps)
    inner: NDArray[np.bool_] = IS_INNER & (np.abs(maps @ PLANE) <= INNER).all(axis=1) & (shown > _WHOLLY)
    return inner


def _overlap(maps: Floats, shown: Floats) -> "NDArray[np.bool_]":
    """Whether enough of both is shown, and neither is drawn out too much."""
    share = shown.mean(axis=1)
    stretch = np.linalg.svd(maps[:, :, :2], compute_uv=False)
    enough: NDArray[np.bool_] = (share >= LEAST_OVERLAP) & (
        share * stretch[:, 0] * stretch[:, 1] >= LEAST_OVERLAP
    )
    return enough & (stretch[:, 0] <= _MOST_STRETCH * stretch[:, 1])


def _light(one: Floats, over: Floats, gain: Floats, robust: Floats) -> _Light:
    total = robust.sum(axis=1) + 1e-6
    bias = (robust * (one - gain[:, None] * over)).sum(axis=1) / total
    return _Light(gain[:, None], bias[:, None], robust)


def _bent(one: Floats, over: Floats, light: _Light) -> Floats:
    """What is left of the ones after a curve of the second degree in place of a gain.

    Light that is cut off, and a gamma, bend the curve. Of the two directions the one that leaves less.
    """
    ours = _after_curve(one, over, light.gain, light.robust)
    theirs = _after_curve(over, one, 1 / light.gain, light.robust) * -light.gain
    left = [(light.robust * np.minimum(part * part, _OUTLIER)).sum(axis=1) for part in (ours, theirs)]
    return np.where((left[0] <= left[1])[:, None], ours, theirs)


def _after_curve(values: Floats, by: Floats, gain: Floats, robust: Floats) -> Floats:
    total = robust.sum(axis=1, keepdims=True) + 1e-6

    def mean(of: Floats) -> Floats:
        result: Floats = (robust * of).sum(axis=1, keepdims=True) / total
        return result

    by = by - mean(by)
    left = values - mean(values) - gain * by
    variance = mean(by * by) + 1e-3
    square = by * by - variance
    square -= mean(square * by) / variance * by
    most = gain / (_BENT * np.sqrt(variance))
    bend = np.clip(mean(square * left) / (mean(square * square) + 1e-3), -most, most)
    left = left - bend * square
    centred: Floats = left - mean(left)
    return centred


def _lost(lightest: Floats, lightest_over: Floats, light: _Light) -> tuple[Floats, Floats]:
    """How much light, at most, was cut off of the ones and of the others, in shades of the ones.

    A cut-off light explains that the other picture is lighter there, by no more than what was cut off.
    """
    lost = np.maximum(0, light.gain * lightest_over + light.bias - _BRIGHT)
    lost_over = np.maximum(0, (lightest - light.bias) / light.gain - _BRIGHT) * light.gain
    return lost, lost_over


def _noise(left: Floats, robust: Floats) -> tuple[Floats, Floats]:
    """Standard deviation of what is left, and of its means of four cells."""
    noise = np.sqrt((robust * left * left).sum(axis=1) / (robust.sum(axis=1) + 1e-6))
    weight = windows(robust)
    means = windows(robust * left) / np.maximum(weight, 0.05)
    smooth = np.sqrt((means * means * weight).sum(axis=(1, 2)) / (weight.sum(axis=(1, 2)) + 1e-6))
    return noise, smooth


def _other_tints(
    one: Pictures,
    other: Pictures,
    maps: Floats,
    weight: Floats,
    gain: Floats,
    shown: Floats,
    cut: "NDArray[np.bool_]",
    cut_over: "NDArray[np.bool_]",
    faded: Floats,
) -> "NDArray[np.int64]":
    """In how many cells the colours differ, in cells of the shades: four lie in one of the colours.

    cut, cut_over: where the light of one picture only was cut off, which makes colours paler, never stronger.
    faded: by how much they may be paler where it was cut off of one of red, green and blue.
    """
    half = maps.copy()
    half[:, :, 2] /= CELLS / TINTS
    places = np.clip(half @ TINT_PLANE + np.float32((TINTS - 1) / 2), 0, TINTS - 1.001)
    whole = _of_four(weight).min(axis=(2, 4)).reshape(-1, TINTS * TINTS)
    shown = _of_four(shown).min(axis=(2, 4)).reshape(-1, TINTS * TINTS)
    cut, cut_over = (_of_four(part).max(axis=(2, 4)).reshape(-1, TINTS * TINTS) for part in (cut, cut_over))
    faded = _of_four(faded).max(axis=(2, 4)).reshape(-1, TINTS * TINTS)
    differs = np.zeros((len(maps), TINTS * TINTS), dtype=bool)
    for part in range(2):
        tints = one.tints[:, part]
        over = between(np.ascontiguousarray(other.tints[:, part]), places, TINTS) * gain
        slope = _common_slope(tints, over, TINTS)
        left = tints - over
        stronger = np.where(cut_over & ~cut, -np.sign(over) * left, np.sign(tints) * left) - _MORE_TINT
        cut_off = np.where((shown > 0) & (cut ^ cut_over), stronger, 0)
        left = np.where(whole > 0, np.abs(left) - faded, cut_off)
        differs |= left > _tolerance(tints - over, slope, whole, gain, _TINT_TOLERANCE)
    step = CELLS // TINTS
    count: NDArray[np.int64] = differs.sum(axis=1) * step**2
    return count


def _of_four(values: Floats) -> Floats:
    """P x 256 cells with an axis of their own for those across and down that share a colour."""
    step = CELLS // TINTS
    return values.reshape(-1, TINTS, step, TINTS, step)


def _tolerance(left: Floats, slope: Floats, weight: Floats, gain: Floats, least: float) -> Floats:
    """Up to what difference each cell is the same: more where it is steep, as much as is usual.

    So a copy that fits to the pixel is looked at more closely than one that was rotated or drawn out.
    """
    typical = (weight * np.abs(left)).sum(axis=1) / ((weight * (slope + _EVEN)).sum(axis=1) + 1e-6)
    off = np.minimum(_TIMES * typical, _MOST_SLOPE)[:, None]
    # Half-way between the units of the one and of the other, so that it doesn't matter which is which.
    tolerance: Floats = least * np.sqrt(gain) + off * (slope + _EVEN)
    return tolerance


def _common_slope(one: Floats, other: Floats, side: int) -> Floats:
    """How steep both are: an edge that is a little off is in both, a thing that only one shows is not."""
    slope: Floats = np.minimum(np.hypot(*slopes(one, side)), np.hypot(*slopes(other, side)))
    return slope
