"""What light that is cut off, or a translucent mark, explains of two pictures that lie cell upon cell.

Little is left of a copy's difference but for what was done to its light. Of that there is one law for red,
green and blue of all cells: so much more light, up to where it is cut off. A mark pulls what it covers
towards white, or black, by a share of the way and never all of it, and in all three colours by the same
share. Another thing in the same place obeys neither law.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from truthmill.cells import FINE_CELLS, Floats
from truthmill.overlay import slopes
from truthmill.windows import touched, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COUNT = FINE_CELLS * FINE_CELLS

_GAIN = (0.4, 2.5)  # of the light that differs
_ROUNDS = 5  # in which cells that don't follow the light lose their weight
_SOME = 5  # values, of which one is looked at for it
_DARK, _BRIGHT = 3, 238  # shades; beyond, cells of the picture with less light may be cut off
_LEAST_TOP = 150  # shades; light is cut off no darker
_BELOW_TOP = 12  # shades, within which of the lightest ones cells may be cut off
_BRIGHTEST = 10  # of its 3072 values, those above the lightest that counts
_UNEVEN, _TIMES_SLOPE = 6.0, 0.6  # shades by which pixels of one cell differ, besides a share of its slope
_KNEE, _MOST_KNEE = 1.2, 30.0  # of these, and shades, that a cell may lack of whose pixels some are cut off
_KNEE_FROM, _KNEE_TO = -2.5, 1.5  # of these, below and above where the light is cut off
_CUT = 0.01  # of the values
_STANDS_OUT = 15.0  # shades, of a value that doesn't follow the law
TOLERANCE, _OFF = 10.0, 0.12  # shades, and cells by which an edge is off, up to which cells are the same
_MOST_COVERED = 0.5  # of the way to white or black
_LEAST_MARK, _CORE = 4.0, 0.4  # shades, and share of the strongest; what is weaker is its edge
_MOST_THICK, _LEAST_LONG = 2.1, 2.0  # standard deviations of its cells' places, in cells; times that
# Two things are no line: shares of the cells of a box as long and thick, and of the rows it spans.
_LEAST_CELLS, _DENSE, _LEAST_FILLED = 4, 0.2, 0.5
_LONGER, _SHORTER = 3.5, 1.5  # times that, but for so many cells: what is thick and not long may be a thing
_DOWN, _ACROSS = np.mgrid[0:FINE_CELLS, 0:FINE_CELLS].reshape(2, -1).astype(np.float32)
_PLACES = np.stack([_ACROSS, _DOWN, _ACROSS**2, _DOWN**2], axis=1)


@dataclass(frozen=True, slots=True)
class Light:
    """What one picture's light is after another's, for each of P pairs.

    gain: P. predicted: P x 3 x 1024; left: what of the one that doesn't explain. off: P x 961, how far off
    each window is, in tolerances, in the colour that is furthest. tolerance: P x 3 x 961 shades. is_cut: P,
    whether light was cut off.
    """

    gain: Floats
    predicted: Floats
    left: Floats
    off: Floats
    tolerance: Floats
    is_cut: "NDArray[np.bool_]"

    def __getitem__(self, chosen: "NDArray[np.int64]") -> "Light":
        return Light(*(getattr(self, part.name)[chosen] for part in fields(self)))


def light(one: Floats, other: Floats, shown: Floats) -> Light:
    """Of the ones after the others, where the ones have more light: P x 3 x 1024 colours, cell upon cell.

    shown: P x 1024, 0 where a cell doesn't count.
    """
    ones, others = one.reshape(-1, 3 * _COUNT), other.reshape(-1, 3 * _COUNT)
    top = np.partition(ones, -_BRIGHTEST, axis=1)[:, -_BRIGHTEST, None]
    weight = (ones < np.maximum(top - _BELOW_TOP, _LEAST_TOP)) & (others < _BRIGHT)
    weight &= (ones > _DARK) & (others > _DARK)
    some = slice(None, None, _SOME)
    counts = np.tile(shown, 3)[:, some]
    gain, bias = _gain(ones[:, some], others[:, some], weight[:, some] * counts, top, counts)
    full = (gain * others + bias).reshape(one.shape)
    top, gain = top[:, :, None], gain[:, :, None]
    slope = _slope(other) * gain
    left = _left(one, full, top, _UNEVEN + _TIMES_SLOPE * slope) * shown[:, None]
    tolerance = TOLERANCE * np.sqrt(np.maximum(gain, 1)) + _OFF * np.minimum(slope, _slope(one))
    tolerance = windows(tolerance).reshape(-1, 3, (FINE_CELLS - 1) ** 2)
    is_cut = (full > top).mean(axis=(1, 2)) > _CUT
    return Light(gain.ravel(), np.minimum(full, top), left, _off(left, tolerance), tolerance, is_cut)


def without_mark(
    found: Light, end: int, differs: "NDArray[np.bool_]"
) -> "tuple[Floats, Floats, NDArray[np.bool_]]":
    """What is left where a mark pulls towards an end, 0 or 255; how far off that is; whether there is one.

    differs: P x 961 windows that need an explanation.
    """
    way = end - found.predicted
    share = (found.left * way).sum(axis=1) / ((way * way).sum(axis=1) + 100)
    rest = found.left - np.clip(share, 0, _MOST_COVERED)[:, None] * way
    off = _off(rest, found.tolerance)
    return rest, off, _is_mark(share * np.abs(way).max(axis=1), differs)


def _gain(ones: Floats, others: Floats, weight: Floats, top: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """Gain and bias, P x 1, that most of the values follow.

    Begun with all values of some weight, and with the darker ones alone, of which no pixels are cut off.
    top: P x 1, where light is. shown: 0 where a value doesn't count.
    """
    mean = (weight * others).sum(axis=1, keepdims=True) / (weight.sum(axis=1, keepdims=True) + 1e-6)
    laws = [_law(ones, others, weight, start) for start in (weight, weight * (others < mean))]
    costs = []
    for gain, bias in laws:
        left = _left(ones, gain * others + bias, top, np.full_like(ones, _UNEVEN)) ** 2
        costs.append((shown * left / (left + _STANDS_OUT**2)).sum(axis=1, keepdims=True))
    is_dark = costs[1] < costs[0]
    return np.where(is_dark, laws[1][0], laws[0][0]), np.where(is_dark, laws[1][1], laws[0][1])


def _law(ones: Floats, others: Floats, weight: Floats, robust: Floats) -> tuple[Floats, Floats]:
    """robust: the weights to begin with, of values that count."""
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


def _left(ones: Floats, full: Floats, top: Floats, uneven: Floats) -> Floats:
    """What of the ones the law leaves. full: what it makes of the others, before light is cut off at the top.

    So near to it a cell may lack some: pixels of it are cut off.
    """
    left = ones - np.minimum(full, top)
    above = (full - top) / uneven
    near = np.nonzero((above > _KNEE_FROM) & (left < 0) & (top >= _LEAST_TOP))
    above, uneven = above[near], uneven[near]
    lacking = np.minimum(_KNEE * uneven, _MOST_KNEE) * np.exp(
        -0.5 * (np.minimum(above, 0) ** 2 + np.maximum(above - _KNEE_TO, 0) ** 2)
    )
    left[near] = np.minimum(left[near] + lacking, 0)
    return left


def _off(left: Floats, tolerance: Floats) -> Floats:
    off: Floats = (np.abs(windows(left)).reshape(tolerance.shape) / tolerance).max(axis=1)
    return off


def _slope(values: Floats) -> Floats:
    """How steep each of P x 3 x 1024 values is."""
    across, down = slopes(values.reshape(-1, _COUNT), FINE_CELLS)
    slope: Floats = np.sqrt(across * across + down * down).reshape(values.shape)
    return slope


def _is_mark(strength: Floats, differs: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Whether what pulls towards an end is a line. strength: P x 1024 shades."""
    there = strength * touched(differs.reshape(-1, FINE_CELLS - 1, FINE_CELLS - 1)).reshape(strength.shape)
    most = there.max(axis=1, keepdims=True)
    there = np.where(there > np.maximum(_LEAST_MARK, _CORE * most), there, 0)
    moments = there @ _PLACES / (there.sum(axis=1, keepdims=True) + 1e-6)
    spread = np.sqrt(np.maximum(moments[:, 2:] - moments[:, :2] ** 2, 0) + 1 / 12)
    thick, length = spread.min(axis=1), spread.max(axis=1)
    square = (there > 0).reshape(-1, FINE_CELLS, FINE_CELLS)
    across, down = np.any(square, axis=1), np.any(square, axis=2)
    # From edge to edge it is rather where the picture changes: a horizon.
    ends = (across[:, 0] & across[:, -1]) | (down[:, 0] & down[:, -1])
    cells = np.count_nonzero(there, axis=1)
    is_one = (cells >= _LEAST_CELLS) & (cells >= _DENSE * 12 * thick * length)
    is_one &= (_filled(across) >= _LEAST_FILLED) & (_filled(down) >= _LEAST_FILLED)
    is_long = length > np.maximum(_LEAST_LONG * thick, _LONGER * thick - _SHORTER)
    is_line: NDArray[np.bool_] = is_one & is_long & (thick < _MOST_THICK) & ~ends
    return is_line


def _filled(lines: "NDArray[np.bool_]") -> Floats:
    """Of P rows or columns of a mark, P x 32, the share that has it between the first and the last."""
    span = FINE_CELLS - lines.argmax(axis=1) - lines[:, ::-1].argmax(axis=1)
    filled: Floats = lines.sum(axis=1) / span
    return filled
