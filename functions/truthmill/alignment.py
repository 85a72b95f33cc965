"""In how many cells two pictures differ, once one is laid over the other.

Where to begin follows from a mark that both have. From there the affine map between them is refined by least
squares (forwards compositional, with gain and bias: Baker and Matthews, "Lucas-Kanade 20 years on", 2004), so
that what is left is neither crop nor rotation nor light, but content.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.cells import COUNT, Floats, Pictures, unpacked
from truthmill.differences import APART, LEAST_OVERLAP, differing
from truthmill.mark_pairs import first_maps
from truthmill.overlay import (
    is_upright,
    laid_over,
    nearest,
    places_of,
    refined,
    residual,
    rough_of,
    upright,
)
from truthmill.plain_copies import are_plain_copies
from truthmill.similarity import CELLS
from truthmill.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_CORRELATION = 0.4  # of the shades before the map is refined; less isn't worth the time
_ROUNDS = 5
_MOST_SHIFTED = 3.0  # cells, by which a mark of each may be off where nothing was cropped
_LEAST_LIKENESS = 0.75  # correlation, of pictures of which each is the whole of the other
_BRIGHT = 235  # shades; lighter cells may be cut off
_LIGHT, _MUCH_LIGHT = 215, 0.02  # shades; share of the cells, of which some may be cut off
_NEARLY = 0.6  # cells, by which a watermark leads a map astray
_FAR_OFF, _FEW = 20.0, 20  # shades; means of four cells that are further off, of a copy


def distances(
    ones: "NDArray[np.uint8]",
    others: "NDArray[np.uint8]",
    marks: "NDArray[np.uint64]",
    other_marks: "NDArray[np.uint64]",
    within: int,
) -> "NDArray[np.uint8]":
    """For each pair of fingerprints in how many of the 256 cells they differ, APART where no map fits.

    ones, others: P rows as `similarity.pack` gives them. marks, other_marks: P marks, one of each, that may
    be the same spot. What isn't compared counts as differing in proportion. About 30 kB a pair are held.
    within: cells; where more differ, and one may be the whole of the other, they are laid over each other as
    if it were.
    """
    result = np.full(len(ones), APART, dtype=np.uint8)
    maps = first_maps(marks, other_marks)
    whole = np.flatnonzero(_are_in_place(maps))
    result[whole[are_plain_copies(ones[whole], others[whole], upright(maps[whole]))]] = 0
    rest = np.flatnonzero(result > 0)
    result[rest] = _fitted(ones[rest], others[rest], maps[rest], within)
    return result


def _fitted(
    ones: "NDArray[np.uint8]", others: "NDArray[np.uint8]", maps: Floats, within: int
) -> "NDArray[np.uint8]":
    """The same of pairs that aren't plain copies. maps: by a mark of each."""
    result = np.full(len(ones), APART, dtype=np.uint8)
    one, other = unpacked(ones), unpacked(others)
    near = np.flatnonzero(_correlation(one, other, maps) >= _LEAST_CORRELATION)
    fitted = maps.copy()
    fitted[near] = refined(one[near], other[near], maps[near], _ROUNDS)
    near = near[_is_close(one[near], other[near], fitted[near], within)]
    result[near] = differing(ones[near], others[near], fitted[near], within)
    rest = np.flatnonzero(result > within)
    rest = rest[is_upright(fitted[rest], _NEARLY) | _are_whole(one[rest], other[rest], maps[rest])]
    exact = upright(maps[rest])
    close = _is_close(one[rest], other[rest], exact, within)
    rest = rest[close]
    again = differing(ones[rest], others[rest], exact[close], within, is_exact=True)
    result[rest] = np.minimum(result[rest], again)
    return result


def _is_close(one: Pictures, other: Pictures, maps: Floats, within: int) -> "NDArray[np.bool_]":
    """Whether few enough coarse cells differ that it is worth the time to look at fine ones."""
    over, shown = laid_over(one, other, maps)
    weight = shown * (one.shades < _BRIGHT) * (over < _BRIGHT)
    left, _, _ = residual(one.shades, over, weight)
    count = (np.abs(windows(left * weight)) > _FAR_OFF).sum(axis=(1, 2))
    close: NDArray[np.bool_] = count <= _FEW + 4 * within
    return close


def _are_whole(one: Pictures, other: Pictures, maps: Floats) -> "NDArray[np.bool_]":
    """Whether each may be the whole of the other, as far as the maps say, and is like it, with light cut off.

    Light that is cut off leads a map astray.
    """
    whole = _are_in_place(maps)
    whole &= _are_bright(one.shades) | _are_bright(other.shades)
    places = np.flatnonzero(whole)
    whole[places] = likeness(one.shades[places], other.shades[places], maps[places])[0] >= _LEAST_LIKENESS
    return whole


def _are_in_place(maps: Floats) -> "NDArray[np.bool_]":
    """Whether the maps shift as little as where nothing was cropped."""
    in_place: NDArray[np.bool_] = np.abs(maps[:, :, 2]).max(axis=1) <= _MOST_SHIFTED
    return in_place


def _are_bright(shades: Floats) -> "NDArray[np.bool_]":
    bright: NDArray[np.bool_] = (shades > _LIGHT).mean(axis=1) > _MUCH_LIGHT
    return bright


def likeness(ones: Floats, others: Floats, maps: Floats) -> "tuple[NDArray[Any], NDArray[Any]]":
    """Correlation of whole pictures, P each: of their shades, and of what a smooth surface leaves of them.

    ones, others: P x 256 shades. maps: of which the mirror and the quarter turns count.
    """
    over = np.take_along_axis(others, _ways_round(maps), axis=1)
    return _correlated(ones, over), _correlated(rough_of(ones), rough_of(over))


def _correlated(one: Floats, other: Floats) -> "NDArray[Any]":
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    power = (one * one).sum(axis=1) * (other * other).sum(axis=1)
    correlation: NDArray[Any] = (one * other).sum(axis=1) / np.sqrt(power + 1e-6)
    return correlation


def _ways_round(maps: Floats) -> "NDArray[np.intp]":
    """P x 256: for each cell which of the other's is there, after a mirror and quarter turns, no more."""
    return nearest(places_of(upright(maps), CELLS), CELLS)


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
