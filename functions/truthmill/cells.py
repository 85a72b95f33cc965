"""Pictures as their fingerprints hold them: coarse cells, 16 x 16 of them, and fine ones, 32 x 32.

Rows are fingerprints as `similarity.pack` gives them, P of them.
"""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from truthmill import fine
from truthmill.similarity import (
    CELLS,
    FINE_AT,
    FINE_LENGTHS,
    LOW_BITS_AT,
    MARKS_AT,
    STEPS,
    TINT_STEP,
    TINT_STEPS,
    TINTS_AT,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"  # of 32 bits throughout

COUNT = CELLS * CELLS
FINE_CELLS = 2 * CELLS  # across and down
GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # of red, green and blue (JFIF 1.02, page 3)
_FINE_PARTS = [slice(start, end) for start, end in pairwise(accumulate(FINE_LENGTHS, initial=FINE_AT))]
# Red, green and blue of Y, Cb and Cr about 0 (likewise).
COLOURS = np.array([[1, 0, 1.402], [1, -0.34414, -0.71414], [1, 1.772, 0]], dtype=np.float32)

_BLACK = 2.5  # shades; a rotation lays bare black corners
_BARE = 4  # cells from an edge, as far as it does at 15 degrees
_MOST_BLACK = 0.5  # share of the cells; beyond, black is what the picture shows
_FINE_BLACK = 4.0  # shades, of a fine cell


@dataclass(frozen=True, slots=True)
class Pictures:
    """Cells of P pictures, n x n of them.

    shades: P x n². shown: P x n², whether there is picture at all. step: P, shades between two that a
    fingerprint tells apart.
    """

    shades: Floats
    shown: "NDArray[np.bool_]"
    step: Floats

    def __getitem__(self, chosen: "NDArray[np.int64]") -> "Pictures":
        return Pictures(self.shades[chosen], self.shown[chosen], self.step[chosen])


@dataclass(frozen=True, slots=True)
class FinePictures(Pictures):
    """32 x 32 cells. colours: P x 3 x 1024, red, green and blue."""

    colours: Floats


def unpacked(rows: "NDArray[np.uint8]") -> Pictures:
    light = shades(rows)
    return Pictures(light, shown_of(light), steps_of(rows).ravel())


def finely_unpacked(rows: "NDArray[np.uint8]") -> FinePictures:
    means = grey_means(rows)
    greys = fine_greys(rows, means)
    planes = np.stack([greys, *(doubled(tint) for tint in fine_tints(rows))], axis=1)
    shown = shown_of(means).reshape(-1, CELLS, CELLS).repeat(2, axis=1).repeat(2, axis=2).reshape(greys.shape)
    colours = np.clip(COLOURS @ planes, 0, 255)
    return FinePictures(greys, shown, steps_of(rows).ravel(), colours)


def shades(rows: "NDArray[np.uint8]") -> Floats:
    """P x 256, of P fingerprints, without their lowest bits."""
    steps = _in_fours(rows[:, 2:TINTS_AT]).astype(np.float32)
    light: Floats = rows[:, 0:1].astype(np.float32) + (2 * steps + np.float32(0.5)) * steps_of(rows)
    return light


def grey_means(rows: "NDArray[np.uint8]") -> Floats:
    """P x 256, with all of their bits."""
    low = np.unpackbits(rows[:, LOW_BITS_AT : LOW_BITS_AT + COUNT // 8], axis=1)
    means: Floats = rows[:, 0:1] + (2 * _in_fours(rows[:, 2:TINTS_AT]) + low) * steps_of(rows)
    return means


def fine_greys(rows: "NDArray[np.uint8]", means: Floats) -> Floats:
    """P x 1024."""
    return fine.decoded(rows[:, _FINE_PARTS[0]], means, fine.GREYS)


def fine_tints(rows: "NDArray[np.uint8]") -> list[Floats]:
    """P x 256 of Cb and of Cr, about 0."""
    low = np.split(np.unpackbits(rows[:, LOW_BITS_AT + COUNT // 8 : FINE_AT], axis=1), 4, axis=1)
    packed = rows[:, TINTS_AT:MARKS_AT]
    tints = []
    for number, high in enumerate((packed >> 4, packed & 15)):
        steps = 4 * high + 2 * low[2 + number] + low[number]
        mean = (steps.astype(np.float32) - np.float32((TINT_STEPS - 1) / 2)) * TINT_STEP
        tints.append(fine.decoded(rows[:, _FINE_PARTS[1 + number]], mean, fine.TINTS))
    return tints


def doubled(tints: Floats) -> Floats:
    """P x 1024 of P x 256: each between its neighbours."""
    doubling = doubling_of()
    result: Floats = (doubling @ tints.reshape(-1, CELLS, CELLS) @ doubling.T).reshape(len(tints), -1)
    return result


@cache
def doubling_of() -> Floats:
    """A matrix from 16 cells in a line to 32."""
    places = np.clip((np.arange(FINE_CELLS) - 0.5) / 2, 0, CELLS - 1)
    doubling: Floats = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(CELLS))).astype(np.float32)
    return doubling


def _in_fours(packed: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """Two of four bits of each byte."""
    return np.stack([packed >> 4, packed & 15], axis=2).reshape(len(packed), 2 * packed.shape[1])


def steps_of(rows: "NDArray[np.uint8]") -> Floats:
    """P x 1: shades between two that a fingerprint tells apart."""
    step: Floats = (rows[:, 1:2].astype(np.float32) - rows[:, 0:1]) / np.float32(STEPS - 1)
    return step


def shown_of(shades: Floats) -> "NDArray[np.bool_]":
    """Cells that neither are laid bare nor touch such ones: black, near an edge, where a corner is black.

    Black in the middle, or of most of a picture, is what it shows.
    """
    square: NDArray[np.bool_] = np.less_equal(shades, _BLACK).reshape(-1, CELLS, CELLS)
    has_corner = np.any(square[:, [0, 0, -1, -1], [0, -1, 0, -1]], axis=1)
    return _away_from(square & _is_outer(CELLS, _BARE) & has_corner[:, None, None])


def lit(greys: Floats) -> "NDArray[np.bool_]":
    """Of P x 1024 fine cells those that neither are black near an edge nor touch such ones."""
    square = np.less_equal(greys, _FINE_BLACK).reshape(-1, FINE_CELLS, FINE_CELLS)
    return _away_from(square & _is_outer(FINE_CELLS, 2 * _BARE))


@cache
def _is_outer(side: int, reach: int) -> "NDArray[np.bool_]":
    return np.pad(np.zeros((side - 2 * reach,) * 2, dtype=bool), reach, constant_values=True)


def _away_from(bare: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Cells that don't touch such ones; all, where such ones are most of a picture."""
    black = np.pad(bare, ((0, 0), (1, 1), (1, 1)))
    across = black[:, :, 1:-1] | black[:, :, :-2] | black[:, :, 2:]
    near = (across[:, 1:-1] | across[:, :-2] | across[:, 2:]).reshape(
        len(bare), bare.shape[1] * bare.shape[2]
    )
    away: NDArray[np.bool_] = ~near | (near.mean(axis=1) > _MOST_BLACK)[:, None]
    return away
