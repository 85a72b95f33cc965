"""Pictures as their fingerprints hold them, and one laid over the other.

A map takes cells of the one picture to cells of the other, both counted from the middle.
"""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from truthmill.similarity import CELLS, MARKS_AT, TINT_STEP, TINTS, TINTS_AT, smooth_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"  # of 32 bits throughout

COUNT = CELLS * CELLS
_RIDGE = np.float32(1e-3)  # of a surface's strength, for few cells
INNER = CELLS / 2 - 1.49  # cells from the middle; a frame, or corners laid bare, prove nothing

_GAIN = (0.4, 2.5)  # of the light that differs
_BLACK = 2.5  # shades; a rotation lays bare black corners
_BARE = 4  # cells from an edge, as far as it does at 15 degrees
_MOST_BLACK = 0.5  # share of the cells; beyond, black is what the picture shows


def _plane(side: int) -> Floats:
    """Across and down from the middle, and 1, of side x side cells."""
    down, across = np.mgrid[0:side, 0:side].reshape(2, -1) - (side - 1) / 2
    plane: Floats = np.stack([across, down, np.ones_like(down)]).astype(np.float32)
    return plane


_IS_OUTER = np.pad(np.zeros((CELLS - 2 * _BARE,) * 2, dtype=bool), _BARE, constant_values=True)
PLANE, TINT_PLANE = _plane(CELLS), _plane(TINTS)
IS_INNER: "NDArray[np.bool_]" = np.all(np.abs(PLANE[:2]) <= INNER, axis=0)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Cells of P pictures.

    shades: P x 256. shown: P x 256, whether there is picture at all. tints: P x 2 x 64, Cb and Cr.
    lightest: P x 256, of red, green and blue the one that is cut off first where there is too much light.
    step: P, shades between two that a fingerprint tells apart.
    """

    shades: Floats
    shown: "NDArray[np.bool_]"
    tints: Floats
    lightest: Floats
    step: Floats

    def __getitem__(self, chosen: "NDArray[np.int64]") -> "Pictures":
        return Pictures(*(getattr(self, part.name)[chosen] for part in fields(self)))


def unpacked(rows: "NDArray[np.uint8]") -> Pictures:
    light = shades(rows)
    packed = rows[:, TINTS_AT:MARKS_AT]
    tints = np.stack([packed >> 4, packed & 15], axis=1).astype(np.float32)
    tints = (tints - np.float32(7.5)) * TINT_STEP
    return Pictures(light, _shown(light), tints, _lightest(light, tints), _steps(rows).ravel())


def shades(rows: "NDArray[np.uint8]") -> Floats:
    """P x 256, of P fingerprints."""
    packed = rows[:, 2:TINTS_AT]
    steps = np.stack([packed >> 4, packed & 15], axis=2).reshape(-1, COUNT).astype(np.float32)
    light: Floats = rows[:, 0:1].astype(np.float32) + steps * _steps(rows)
    return light


def _steps(rows: "NDArray[np.uint8]") -> Floats:
    """P x 1: shades between two that a fingerprint tells apart."""
    step: Floats = (rows[:, 1:2].astype(np.float32) - rows[:, 0:1]) / np.float32(15)
    return step


def _lightest(shades: Floats, tints: Floats) -> Floats:
    """The greatest of red, green and blue of each cell (JFIF 1.02, page 3), its colours those of four."""
    blue, red = tints[:, 0], tints[:, 1]
    above = np.maximum(np.maximum(1.402 * red, 1.772 * blue), -0.34414 * blue - 0.71414 * red)
    step = CELLS // TINTS
    square = above.reshape(-1, TINTS, TINTS).repeat(step, axis=1).repeat(step, axis=2)
    lightest: Floats = (shades + square.reshape(-1, COUNT)).astype(np.float32)
    return lightest


def _shown(shades: Floats) -> "NDArray[np.bool_]":
    """Cells that neither are laid bare nor touch such ones: black, near an edge, where a corner is black.

    Black in the middle, or of most of a picture, is what it shows.
    """
    square: NDArray[np.bool_] = np.less_equal(shades, _BLACK).reshape(-1, CELLS, CELLS)
    has_corner = np.any(square[:, [0, 0, -1, -1], [0, -1, 0, -1]], axis=1)
    black = np.pad(square & _IS_OUTER & has_corner[:, None, None], ((0, 0), (1, 1), (1, 1)))
    across = black[:, :, 1:-1] | black[:, :, :-2] | black[:, :, 2:]
    near = (across[:, 1:-1] | across[:, :-2] | across[:, 2:]).reshape(-1, COUNT)
    shown: NDArray[np.bool_] = ~near | (near.mean(axis=1) > _MOST_BLACK)[:, None]
    return shown


def laid_over(one: Pictures, other: Pictures, maps: Floats) -> tuple[Floats, Floats]:
    """The other pictures' shades where the ones' cells are, and the weight of each: 0 or 1."""
    places = maps @ PLANE + np.float32((CELLS - 1) / 2)
    inside = ((places > -0.5) & (places < CELLS - 0.5)).all(axis=1)
    np.clip(places, 0, CELLS - 1.001, out=places)
    nearest = (places + np.float32(0.5)).astype(np.int32)
    index = nearest[:, 1] * CELLS + nearest[:, 0] + (np.arange(len(maps), dtype=np.int32) * COUNT)[:, None]
    shown = inside & one.shown & other.shown.ravel().take(index)
    return between(other.shades, places, CELLS), shown.astype(np.float32)


def between(values: Floats, places: Floats, side: int) -> Floats:
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


def residual(one: Floats, over: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
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


def slopes(shades: Floats, side: int) -> tuple[Floats, Floats]:
    """By how much values change to the right, and downwards, from cell to cell."""
    square = np.pad(shades.reshape(-1, side, side), ((0, 0), (1, 1), (1, 1)), mode="edge")
    across = (square[:, 1:-1, 2:] - square[:, 1:-1, :-2]) / 2
    down = (square[:, 2:, 1:-1] - square[:, :-2, 1:-1]) / 2
    return across.reshape(shades.shape), down.reshape(shades.shape)


def rough_of(shades: Floats) -> Floats:
    """What a smooth surface leaves of each picture, of P x 256 shades."""
    smooth = smooth_surfaces().astype(np.float32)
    rough: Floats = shades - (shades @ smooth) @ smooth.T
    return rough


def detail_of(shades: Floats, weight: Floats) -> Floats:
    """Standard deviation of what the smooth surface that fits best leaves of each picture, where it counts.

    Less than `contrast_of`, whose surface has to fit the edge of the weight as well, and leaves much of a
    plain sky; that much of a picture is its own.
    """
    smooth = smooth_surfaces().astype(np.float32)
    weighted = weight[:, :, None] * smooth
    normal = weighted.transpose(0, 2, 1) @ smooth + _RIDGE * np.eye(smooth.shape[1], dtype=np.float32)
    surface = np.linalg.solve(normal, (shades[:, None] @ weighted).transpose(0, 2, 1))
    rough = shades - (smooth @ surface)[:, :, 0]
    detail: Floats = np.sqrt((weight * rough * rough).sum(axis=1) / (weight.sum(axis=1) + 1e-6))
    return detail


def contrast_of(shades: Floats, weight: Floats) -> Floats:
    """Standard deviation of what a smooth surface leaves of each picture; cells without weight are even."""
    total = weight.sum(axis=1) + 1e-6
    rough = rough_of(weight * (shades - ((weight * shades).sum(axis=1) / total)[:, None]))
    contrast: Floats = np.sqrt((rough * rough).sum(axis=1) / total).astype(np.float32)
    return contrast
