"""What light that is cut off, or a translucent mark, explains of two pictures that lie cell upon cell.

A copy without a crop is such a pair, and little is left but for what was done to its light. Of that
there is one law for red, green and blue of all cells: so much more light, up to where it is cut off. A mark
pulls what it covers towards white, or black, by a share of the way and never all of it, and in all three
colours by the same share. Another thing in the same place obeys neither law.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill.overlay import COUNT, IS_INNER, Floats, Pictures, contrast_of, detail_of, slopes
from truthmill.similarity import CELLS, TINTS
from truthmill.windows import touched, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 255  # stands for pictures whose difference isn't explained

_GAIN = (0.4, 2.5)  # of the light that differs
_ROUNDS = 5  # in which cells that don't follow the light lose their weight
_DARK, _BRIGHT = 3, 238  # shades; beyond, cells of the picture with less light may be cut off
_LEAST_TOP = 150  # shades; light is cut off no darker
_BELOW_TOP = 12  # shades, within which of the lightest ones cells may be cut off
_BRIGHTEST = COUNT * 3 // 100  # of its 768 values, those above the lightest that counts
_UNEVEN, _TIMES_SLOPE = 6.0, 0.6  # shades by which pixels of one cell differ, besides a share of its slope
_KNEE, _MOST_KNEE = 1.2, 30.0  # of these, and shades, that a cell may lack of whose pixels some are cut off
_KNEE_FROM, _KNEE_TO = -2.5, 1.5  # of these, below and above where the light is cut off
_TOLERANCE, _OFF = 10.0, 0.12  # shades, and cells by which an edge is off, up to which cells are the same
_TIMES = 3.0  # what most cells differ by, likewise
_LIGHT = (0.7, 1.3, 2.5)  # share of the windows that are most; tolerances, between which that is: of light
_MARK = (0.5, 1.0, 1.3)  # the same where a mark is looked for
_FURTHEST = 2.75  # of the tolerance; one window that is further off shows another thing
_MOST_LEFT = 0.5  # of the contrast, that may be left in all
_LEAST_STEPS_OF_DETAIL = 0.25  # of what a fingerprint tells apart
_MOST_OF_DETAIL = 0.8  # of what no smooth surface is: all skies are alike
_LEAST_CONTRAST = 2.0  # shades
_LEAST_STEPS = 0.45  # of what a fingerprint tells apart
_LEAST_SHOWN = 0.5  # share of the cells
_MARKED_LIGHT = 0.12  # e-folds; a mark is looked for where the light is the same
_MOST_COVERED = 0.45  # of the way to white or black
_MOST_LEFT_OF_MARKED = 0.4  # of the contrast, where a mark explains the rest
_LEAST_MARK, _CORE = 4.0, 0.4  # shades, and share of the strongest; what is weaker is its edge
_MOST_THICK, _LEAST_LONG = 1.05, 2.0  # standard deviations of its cells' places, in cells; times that
_SMALL = 8  # cells; less has no shape
_DOWN, _ACROSS = np.mgrid[0:CELLS, 0:CELLS].reshape(2, -1).astype(np.float32)
_PLACES = np.stack([_ACROSS, _DOWN, _ACROSS**2, _DOWN**2], axis=1)
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Light:
    """What one picture's light is after another's, for each of P pairs.

    gain: P. predicted: P x 3 x 256; left: what of the one that doesn't explain. tolerance: P x 3 x 225.
    """

    gain: Floats
    predicted: Floats
    left: Floats
    tolerance: Floats


def colours(pictures: Pictures) -> Floats:
    """P x 3 x 256: red, green and blue of each cell (JFIF 1.02, page 3)."""
    step = CELLS // TINTS
    square = pictures.tints.reshape(-1, 2, TINTS, TINTS).repeat(step, axis=2).repeat(step, axis=3)
    blue, red = square.reshape(-1, 2, COUNT).transpose(1, 0, 2)
    shades = pictures.shades
    parts = [shades + 1.402 * red, shades - 0.34414 * blue - 0.71414 * red, shades + 1.772 * blue]
    return np.stack(parts, axis=1).astype(np.float32)


def unexplained(one: Floats, other: Floats, shown: Floats, step: Floats) -> "NDArray[np.uint8]":
    """In how many of 225 windows each of P pairs differs, APART where too little could tell them apart.

    one, other: P x 3 x 256 colours, cell upon cell. shown: P x 256, 0 where either may have been laid bare.
    step: P, shades that the fingerprints tell apart.
    """
    shown = shown * (shown.mean(axis=1, keepdims=True) >= _LEAST_SHOWN)
    return np.minimum(_unexplained(one, other, shown, step), _unexplained(other, one, shown, step))


def _unexplained(one: Floats, other: Floats, shown: Floats, step: Floats) -> "NDArray[np.uint8]":
    """The same where the one has more light, or the mark."""
    light = _light(one, other, shown)
    inner = shown * IS_INNER
    contrast = np.minimum(*(contrast_of(_GREY @ part, inner) for part in (one, light.predicted)))
    off = _off(light.left, light.tolerance)
    detail = np.minimum(*(detail_of(_GREY @ part, inner) for part in (one, light.predicted)))
    proves = (contrast >= np.maximum(_LEAST_CONTRAST, _LEAST_STEPS * step)) & (
        detail >= _LEAST_STEPS_OF_DETAIL * step
    )
    unproven = _MOST_OF_DETAIL * detail
    fits = (
        proves
        & (_spread(light.left, inner) < np.minimum(_MOST_LEFT * contrast, unproven))
        & (off.max(axis=1) < _FURTHEST)
    )
    best = np.where(fits, _count(off, _limit(off, *_LIGHT)), APART)
    limit = _limit(off, *_MARK)
    proves &= np.abs(np.log(light.gain)) < _MARKED_LIGHT
    for end in (0, 255):
        way = end - light.predicted
        share = (light.left * way).sum(axis=1) / ((way * way).sum(axis=1) + 100)
        rest = light.left - np.clip(share, 0, _MOST_COVERED)[:, None] * way
        count = _count(_off(rest, light.tolerance), limit)
        fits = proves & (_spread(rest, inner) < np.minimum(_MOST_LEFT_OF_MARKED * contrast, unproven))
        fits &= _is_mark(share * np.abs(way).max(axis=1), off > limit[:, None], count)
        best = np.where(fits, np.minimum(best, count), best)
    return np.minimum(best, APART).astype(np.uint8)


def _light(one: Floats, other: Floats, shown: Floats) -> _Light:
    ones, others = one.reshape(-1, 3 * COUNT), other.reshape(-1, 3 * COUNT)
    top = np.partition(ones, -_BRIGHTEST, axis=1)[:, -_BRIGHTEST, None]
    weight = (ones < np.maximum(top - _BELOW_TOP, _LEAST_TOP)) & (others < _BRIGHT)
    weight &= (ones > _DARK) & (others > _DARK)
    gain, bias = _gain(ones, others, weight * np.tile(shown, 3))
    full = (gain * others + bias).reshape(one.shape)
    top, gain = top[:, :, None], gain[:, :, None]
    predicted = np.minimum(full, top)
    slope = _slope(other) * gain
    uneven = _UNEVEN + _TIMES_SLOPE * slope
    above = (full - top) / uneven
    soft = np.minimum(_KNEE * uneven, _MOST_KNEE) * np.exp(-0.5 * np.minimum(above, 0) ** 2)
    soft *= np.exp(-0.5 * np.maximum(above - _KNEE_TO, 0) ** 2) * (above > _KNEE_FROM) * (top >= _LEAST_TOP)
    left = one - predicted
    left = (np.maximum(left, 0) - np.maximum(-left - soft, 0)) * shown[:, None]
    tolerance = _TOLERANCE * np.sqrt(np.maximum(gain, 1)) + _OFF * np.minimum(slope, _slope(one))
    tolerance = windows(tolerance)
    return _Light(gain.ravel(), predicted, left, tolerance.reshape(-1, 3, (CELLS - 1) ** 2))


def _gain(ones: Floats, others: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Gain and bias, P x 1, that most of the values follow."""
    robust = weight
    for _ in range(_ROUNDS):
        total = robust.sum(axis=1, keepdims=True) + 1e-6
        mean = (robust * ones).sum(axis=1, keepdims=True) / total
        other_mean = (robust * others).sum(axis=1, keepdims=True) / total
        weighted = robust * (others - other_mean)
        power = (weighted * (others - other_mean)).sum(axis=1, keepdims=True) + 1e-3
        gain = np.clip((weighted * (ones - mean)).sum(axis=1, keepdims=True) / power, *_GAIN)
        bias = mean - gain * other_mean
        left = ones - gain * others - bias
        spread = np.sqrt((robust * left * left).sum(axis=1, keepdims=True) / total)
        robust = weight / (1 + (left / (1.5 * np.maximum(spread, 2))) ** 2)
    return gain, bias


def _off(left: Floats, tolerance: Floats) -> Floats:
    """P x 225: how far off each window is in the colour that is furthest, in tolerances."""
    off: Floats = (np.abs(windows(left)).reshape(tolerance.shape) / tolerance).max(axis=1)
    return off


def _limit(off: Floats, share: float, least: float, most: float) -> Floats:
    """P: how far off a window may be, by what most of them are."""
    place = int(share * off.shape[1])
    return np.clip(_TIMES * np.partition(off, place, axis=1)[:, place], least, most)


def _count(off: Floats, limit: Floats) -> "NDArray[np.int64]":
    count: NDArray[np.int64] = (off > limit[:, None]).sum(axis=1)
    return count


def _spread(left: Floats, weight: Floats) -> Floats:
    """Of the shades."""
    shades = _GREY @ left
    spread: Floats = np.sqrt((weight * shades * shades).sum(axis=1) / (weight.sum(axis=1) + 1e-6))
    return spread


def _slope(values: Floats) -> Floats:
    """How steep each of P x 3 x 256 values is."""
    slope: Floats = np.hypot(*slopes(values.reshape(-1, COUNT), CELLS)).reshape(values.shape)
    return slope


def _is_mark(
    strength: Floats, differs: "NDArray[np.bool_]", count: "NDArray[np.int64]"
) -> "NDArray[np.bool_]":
    """Whether what pulls towards an end is a line, or small and explains all. strength: P x 256 shades.

    differs: P x 225 windows that need an explanation. count: of those that it leaves.
    """
    there = strength * touched(differs.reshape(-1, CELLS - 1, CELLS - 1)).reshape(strength.shape)
    most = there.max(axis=1, keepdims=True)
    there = np.where(there > np.maximum(_LEAST_MARK, _CORE * most), there, 0)
    moments = there @ _PLACES / (there.sum(axis=1, keepdims=True) + 1e-6)
    spread = np.sqrt(np.maximum(moments[:, 2:] - moments[:, :2] ** 2, 0) + 1 / 12)
    thick, length = spread.min(axis=1), spread.max(axis=1)
    is_small = (np.count_nonzero(there, axis=1) <= _SMALL) & (count == 0)
    found: NDArray[np.bool_] = ((length > _LEAST_LONG * thick) & (thick < _MOST_THICK)) | is_small
    return found
