"""In how many cells two pictures differ, once one is laid over the other as finely as fingerprints tell them.

Cells are counted whose differences neither the light, nor an edge that is a little off, nor a translucent
overlay explains. Where too little is left that could tell pictures apart, they count as different.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from truthmill.cells import FINE_CELLS, GREY, FinePictures, Floats, finely_unpacked, lit
from truthmill.light import Light, light, without_mark
from truthmill.overlay import (
    INNER,
    IS_INNER,
    PLANE,
    are_inside,
    between,
    contrast_of,
    detail_of,
    is_upright,
    nearest,
    places_of,
    plane,
    refined,
    root_mean_square,
    slopes,
)
from truthmill.similarity import CELLS
from truthmill.windows import windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

APART = 255  # stands for pictures that can't be laid over each other
LEAST_OVERLAP = 0.6  # share of each picture that the other must show

_TOGETHER = 16  # pairs, whose numbers fit into a processor's cache
_ROUNDS = 3
_MOST_STRETCH = 1.35  # of one direction against the other
_TURNED = 0.012  # radians besides quarter turns, from which on corners may have been laid bare
_EDGE = 1.6  # cells that such a turn makes darker
_WHOLLY = 0.99
_LEAST_COMPARED = 0.4  # share of the cells that are neither outside nor laid bare
LIMIT = 2.5  # tolerances; a window that is further off counts
FURTHEST = 3  # the window that is further off than all others but two shows whether there is another thing
SAME, _SAME_BESIDES = 2.0, 0.75  # tolerances, up to which it doesn't; each quarter of one beyond is a cell
_QUIET = 0.9  # share of the windows, of which what is beyond may be another thing
SAME_IN_QUIET, _TIMES_QUIET = 0.9, 4.0  # tolerances, and times the furthest of these, up to which it isn't
_UNEXPLAINED = 1.25  # tolerances; a window that is further off may have a mark
_MORE_CUT = 0.5  # of them, where light was cut off within a cell
_MOST_LEFT, _LESS_LEFT = 0.5, 0.25  # of the contrast, that may be left in all; less for each e-fold of light
_MOST_LEFT_OF_MARKED = 0.4
_MARKED_LIGHT, _MOST_MARKED = 0.12, 250  # e-folds, and windows; beyond, no mark is looked for
_SAME_GAIN, _SAME_SHADE = 0.2, 4.0  # e-folds, and shades, up to which the light is the same
SLIGHT, MOST_SLIGHT = 1.5, 14  # tolerances, and windows further off in a copy whose light is the same
_LEAST_SCATTERED = 2.1  # fine cells, standard deviation across and down; a faint line is thinner
_MOST_COLOUR, _SAME_GREY = 8.0, 8.0  # shades, of a picture without colours, and of its grey beside a copy's
_OFF = 0.1  # cells, by which corners are off where nothing was cropped
_MOST_OF_DETAIL = 0.8  # of what no smooth surface is: all skies are alike
_LEAST_CONTRAST = 0.7  # shades; less isn't told from noise
_LEAST_STEPS, _LEAST_STEPS_OF_DETAIL = 0.45, 0.25  # of what a fingerprint tells apart, likewise


def differing(
    ones: "NDArray[np.uint8]",
    others: "NDArray[np.uint8]",
    maps: Floats,
    within: int,
    *,
    is_exact: bool = False,
) -> "NDArray[np.uint8]":
    """In how many of 256 cells each of P pairs of fingerprints differs, APART where it can't be said.

    maps: from cells of the ones to cells of the others, see `overlay`; is_exact: or else roughly.
    within: cells; a mark is looked for where more differ.
    """
    rounds = 0 if is_exact else _ROUNDS
    result = np.empty(len(ones), dtype=np.uint8)
    for start in range(0, len(ones), _TOGETHER):
        block = slice(start, start + _TOGETHER)
        result[block] = _differing(
            finely_unpacked(ones[block]), finely_unpacked(others[block]), maps[block], rounds, within
        )
    return result


def prove(contrast: Floats, detail: Floats, step: Floats) -> "NDArray[np.bool_]":
    """Whether there is enough in pictures that could tell them apart."""
    proves: NDArray[np.bool_] = (contrast >= np.maximum(_LEAST_CONTRAST, _LEAST_STEPS * step)) & (
        detail >= _LEAST_STEPS_OF_DETAIL * step
    )
    return proves


def is_little(
    left: Floats, contrast: Floats, detail: Floats, dimmer: "Floats | float" = 0.0
) -> "NDArray[np.bool_]":
    """Whether what is left, a standard deviation like the others, is little beside what pictures have.

    dimmer: e-folds of light, between the two.
    """
    little: NDArray[np.bool_] = left < np.minimum(
        (_MOST_LEFT - _LESS_LEFT * dimmer) * contrast, _MOST_OF_DETAIL * detail
    )
    return little


def _differing(
    one: FinePictures, other: FinePictures, maps: Floats, rounds: int, within: int
) -> "NDArray[np.uint8]":
    maps = refined(one, other, maps, rounds)
    places = places_of(maps, FINE_CELLS)
    inside = are_inside(places, FINE_CELLS)
    places = np.clip(places, 0, FINE_CELLS - 1.001)
    over = between(other.colours, places, FINE_CELLS)
    shown = (inside & _shown(one, other, maps, places)).astype(np.float32)
    inner = _quarter(shown) * (IS_INNER & (np.abs(maps @ PLANE) <= INNER).all(axis=1)) >= _WHOLLY
    fits = _overlap(maps, inside) & (shown.mean(axis=1) >= _LEAST_COMPARED)
    colours, over = _without_colours(one.colours, over, shown)
    has_less = (((colours - over) * shown[:, None]).sum(axis=(1, 2)) < 0)[:, None, None]
    pair = _Pair(
        np.where(has_less, over, colours),
        np.where(has_less, colours, over),
        shown,
        inner.astype(np.float32),
        np.maximum(one.step, other.step),
        is_upright(maps, _OFF),
    )
    return np.where(fits, _cells_that_differ(pair, within), APART).astype(np.uint8)


def _without_colours(ones: Floats, others: Floats, shown: Floats) -> tuple[Floats, Floats]:
    """Both in grey, where one of them has no colours and they are as light as each other, cell by cell."""
    ones_are_grey, others_are_grey = (_are_grey(colours, shown) for colours in (ones, others))
    pairs = np.flatnonzero(ones_are_grey != others_are_grey)
    if not len(pairs):
        return ones, others
    grey, other_grey = GREY @ ones[pairs], GREY @ others[pairs]
    power = (shown[pairs] * (grey - other_grey) ** 2).sum(axis=1) / (shown[pairs].sum(axis=1) + 1e-6)
    same = power <= _SAME_GREY**2
    ones, others = ones.copy(), others.copy()
    ones[pairs[same]], others[pairs[same]] = grey[same, None], other_grey[same, None]
    return ones, others


def _are_grey(colours: Floats, shown: Floats) -> "NDArray[np.bool_]":
    """Whether no cell has a colour. colours: P x 3 x 1024."""
    tint = np.abs(colours - (GREY @ colours)[:, None]) * shown[:, None]
    grey: NDArray[np.bool_] = tint.max(axis=(1, 2)) <= _MOST_COLOUR
    return grey


@dataclass(frozen=True, slots=True)
class _Pair:
    """P pairs, cell upon cell. more: the colours, P x 3 x 1024, of those that have more light.

    shown: P x 1024, 0 where a cell doesn't count. inner: P x 256, 1 where one can bear out that pictures are
    the same. step: P, shades that fingerprints tell apart. is_upright: P, whether nothing was cropped nor
    rotated.
    """

    more: Floats
    less: Floats
    shown: Floats
    inner: Floats
    step: Floats
    is_upright: "NDArray[np.bool_]"


def _cells_that_differ(pair: _Pair, within: int) -> "NDArray[np.int64]":
    """APART where too little could tell pictures apart."""
    found = light(pair.more, pair.less, pair.shown)
    shades = [_quarter(GREY @ part) for part in (pair.more, found.predicted)]
    contrast = np.minimum(*(contrast_of(part, pair.inner) for part in shades))
    detail = np.minimum(*(detail_of(part, pair.inner) for part in shades))
    proves = prove(contrast, detail, pair.step)
    left = _spread(found.left, pair.inner)
    is_placed = _least_slope(shades[0], pair.inner) >= left  # a map that is off by a cell leaves more
    proves &= pair.is_upright | is_placed
    dimmer = np.abs(np.log(found.gain))
    is_same_light = _is_same_light(pair, dimmer)
    fits = (
        proves
        & is_little(left, contrast, detail, dimmer)
        & ~(is_same_light & _is_scattered(found.left, found.tolerance))
    )
    same = np.where(is_placed, SAME + _MORE_CUT * found.is_cut, _SAME_BESIDES)
    best = np.where(fits, _cells(found.off, same), APART)
    unexplained = (found.off > _UNEXPLAINED).sum(axis=1)
    marked = np.flatnonzero(
        (proves & (best > within) & (dimmer < _MARKED_LIGHT))
        & (unexplained > 0)
        & (unexplained <= _MOST_MARKED)
    )
    if len(marked):
        most = np.minimum(_MOST_LEFT_OF_MARKED * contrast, _MOST_OF_DETAIL * detail)
        other_way = light(pair.less[marked], pair.more[marked], pair.shown[marked])
        for way in (found[marked], other_way):
            of_marked = _marked(way, pair.inner[marked], most[marked], is_same_light[marked])
            best[marked] = np.minimum(best[marked], of_marked)
    return best


def _is_same_light(pair: _Pair, dimmer: Floats) -> "NDArray[np.bool_]":
    """Whether nothing was cropped and the light is the same, so that slight differences count as well."""
    lighter = ((pair.more - pair.less) * pair.shown[:, None]).mean(axis=(1, 2)) > _SAME_SHADE
    same: NDArray[np.bool_] = pair.is_upright & (dimmer < _SAME_GAIN) & ~lighter
    return same


def _is_scattered(left: Floats, tolerance: Floats) -> "NDArray[np.bool_]":
    """Whether slight differences of grey are all over the pictures; colours may be stronger in a copy.

    Small letters are levelled out: of two pages with one layout no window need be far off.
    """
    slight = _slightly_off(left, (GREY @ tolerance).reshape(-1, FINE_CELLS - 1, FINE_CELLS - 1))
    down, across = (_scatter(slight.sum(axis=axis)) for axis in (2, 1))
    many = slight.sum(axis=(1, 2)) > MOST_SLIGHT
    scattered: NDArray[np.bool_] = many & (np.minimum(down, across) > _LEAST_SCATTERED)
    return scattered


def _slightly_off(left: Floats, tolerance: "Floats | float") -> "NDArray[np.bool_]":
    """P x 31 x 31 windows of grey that are off by more than a copy's are. left: of the colours."""
    slight: NDArray[np.bool_] = np.abs(windows(GREY @ left)) / tolerance > SLIGHT
    return slight


def _scatter(counts: "NDArray[np.int64]") -> Floats:
    """Standard deviation of the places that are counted, of P x places."""
    places = np.arange(counts.shape[1])
    total = counts.sum(axis=1) + 1e-6
    mean, square = (counts @ places) / total, (counts @ places**2) / total
    scatter: Floats = np.sqrt(np.maximum(square - mean * mean, 0))
    return scatter


def _marked(
    found: Light, inner: Floats, most: Floats, is_same_light: "NDArray[np.bool_]"
) -> "NDArray[np.int64]":
    """In how many cells pictures differ besides a mark of the one, APART where there is none."""
    best = np.full(len(inner), APART)
    for end in (0, 255):
        rest, off, is_mark = without_mark(found, end, found.off > _UNEXPLAINED)
        fits = (
            is_mark & (_spread(rest, inner) < most) & ~(is_same_light & _is_scattered(rest, found.tolerance))
        )
        best = np.where(fits, np.minimum(best, _cells(off, _SAME_BESIDES)), best)
    return best


def _cells(off: Floats, same: "Floats | float") -> "NDArray[np.int64]":
    """In how many of 256 cells pictures differ whose 961 windows are so far off."""
    count = (off > LIMIT).sum(axis=1) / 4
    third, same = furthest(off, same)
    cells: NDArray[np.int64] = np.ceil(np.maximum(count, (third - same) * 4)).astype(np.int64)
    return np.clip(cells, 0, APART)


def furthest(off: Floats, same: "Floats | float") -> tuple[Floats, Floats]:
    """How far off the third of the windows is, P; and how far it may be without being another thing.

    off: P x 961 tolerances. same: how far it may be at the most. In a copy many windows are nearly as far
    off; a small thing stands out from all else, which is quiet.
    """
    count = off.shape[1]
    ordered = np.partition(off, (int(_QUIET * count), count - FURTHEST), axis=1)
    quiet, third = ordered[:, int(_QUIET * count)], ordered[:, count - FURTHEST]
    return third, np.minimum(same, np.maximum(SAME_IN_QUIET, _TIMES_QUIET * quiet))


def _spread(left: Floats, weight: Floats) -> Floats:
    """Standard deviation of what is left of the shades."""
    return root_mean_square(_quarter(GREY @ left), weight)


def _least_slope(shades: Floats, weight: Floats) -> Floats:
    """How steep P pictures are, root mean square, in the direction in which they are least so.

    A sea without a wave is not at all along its horizon: nothing tells how far it was cropped there.
    """
    across, down = slopes(shades, CELLS)
    total = weight.sum(axis=1) + 1e-6
    first, both, second = (
        (weight * one * other).sum(axis=1) / total
        for one, other in ((across, across), (across, down), (down, down))
    )
    least = (first + second - np.sqrt((first - second) ** 2 + 4 * both**2)) / 2
    slope: Floats = np.sqrt(np.maximum(least, 0))
    return slope


def _shown(one: FinePictures, other: FinePictures, maps: Floats, places: Floats) -> "NDArray[np.bool_]":
    """Cells that neither picture has laid bare: one that was rotated may have, wherever an edge is black."""
    turn = np.arctan2(maps[:, 1, 0], maps[:, 0, 0])
    quarter = np.pi / 2
    turned = np.abs((turn + quarter / 2) % quarter - quarter / 2) > _TURNED
    index = nearest(places, FINE_CELLS)
    shown: NDArray[np.bool_] = np.take_along_axis(other.shown, index, axis=1) & one.shown
    middle = FINE_CELLS / 2 - _EDGE
    shown[turned] &= np.take_along_axis(lit(other.shades[turned]), index[turned], axis=1)
    shown[turned] &= lit(one.shades[turned]) & (np.abs(plane(FINE_CELLS)[:2]) * 2 <= middle).all(axis=0)
    shown[turned] &= (np.abs(places[turned] - np.float32((FINE_CELLS - 1) / 2)) <= middle).all(axis=1)
    return shown


def _overlap(maps: Floats, inside: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Whether enough of both is shown, and neither is drawn out too much."""
    share = inside.mean(axis=1)
    stretch = np.linalg.svd(maps[:, :, :2], compute_uv=False)
    enough: NDArray[np.bool_] = (share >= LEAST_OVERLAP) & (
        share * stretch[:, 0] * stretch[:, 1] >= LEAST_OVERLAP
    )
    return enough & (stretch[:, 0] <= _MOST_STRETCH * stretch[:, 1])


def _quarter(fine: Floats) -> Floats:
    """P x 256 means of four cells, of P x 1024."""
    half = FINE_CELLS // 2
    means: Floats = fine.reshape(-1, half, 2, half, 2).mean(axis=(2, 4)).reshape(-1, half * half)
    return means
