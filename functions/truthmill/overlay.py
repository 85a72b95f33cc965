"""One picture laid over the other.

A map takes cells of the one picture to cells of the other, both counted from the middle, in cells of 16 x 16
however fine the pictures are.
"""

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from truthmill.cells import Floats, Pictures
from truthmill.similarity import CELLS, smooth_surfaces

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RIDGE = np.float32(1e-3)  # of a surface's strength, for few cells
INNER = CELLS / 2 - 1.49  # cells from the middle; a frame, or corners laid bare, prove nothing

_GAIN = (0.4, 2.5)  # of the light that differs
_RESTS = 0.004  # of a map's six numbers, by how much they move at most
_DAMPING = np.array([256, 256, 4, 256, 256, 4], dtype=np.float32)  # of a map's six numbers


@cache
def plane(side: int) -> Floats:
    """Across and down from the middle, in cells of 16 x 16, and 1, of side x side cells."""
    down, across = (np.mgrid[0:side, 0:side].reshape(2, -1) - (side - 1) / 2) * (CELLS / side)
    result: Floats = np.stack([across, down, np.ones_like(down)]).astype(np.float32)
    return result


PLANE = plane(CELLS)
CORNERS = np.array([[-8, 8, -8, 8], [-8, -8, 8, 8], [1, 1, 1, 1]], dtype=np.float32)  # as PLANE has them
IS_INNER: "NDArray[np.bool_]" = np.all(np.abs(PLANE[:2]) <= INNER, axis=0)


def places_of(maps: Floats, side: int) -> Floats:
    """P x 2 x n²: where the others' cells are that the ones' are taken to, counted from the first."""
    return maps @ plane(side) * np.float32(side / CELLS) + np.float32((side - 1) / 2)


def are_inside(places: Floats, side: int) -> "NDArray[np.bool_]":
    """P x n², whether the others' pictures have such places."""
    inside: NDArray[np.bool_] = np.all((places > -0.5) & (places < side - 0.5), axis=1)
    return inside


def nearest(places: Floats, side: int) -> "NDArray[np.intp]":
    """P x n²: numbers of the cells there. places: within the picture."""
    cells = (places + np.float32(0.5)).astype(np.intp)
    index: NDArray[np.intp] = cells[:, 1] * side + cells[:, 0]
    return index


def upright(maps: Floats) -> Floats:
    """What the maps have of a mirror and quarter turns, no more."""
    flip = np.sign(np.linalg.det(maps[:, :, :2]))
    turn = np.arctan2(maps[:, 1, 0] - flip * maps[:, 0, 1], maps[:, 0, 0] + flip * maps[:, 1, 1])
    quarters = np.rint(turn / (math.pi / 2))
    cos, sin = np.rint(np.cos(quarters * (math.pi / 2))), np.rint(np.sin(quarters * (math.pi / 2)))
    result = np.zeros_like(maps)
    result[:, 0, 0], result[:, 0, 1] = cos, -flip * sin
    result[:, 1, 0], result[:, 1, 1] = sin, flip * cos
    return result


def is_upright(maps: Floats, within: float) -> "NDArray[np.bool_]":
    """Whether maps have a mirror and quarter turns only, corners being so many cells off at most."""
    near: NDArray[np.bool_] = np.abs((maps - upright(maps)) @ CORNERS).max(axis=(1, 2)) <= within
    return near


def laid_over(one: Pictures, other: Pictures, maps: Floats) -> tuple[Floats, Floats]:
    """The other pictures' shades where the ones' cells are, and the weight of each: 0 or 1."""
    side = round(one.shades.shape[1] ** 0.5)
    places = places_of(maps, side)
    shown = are_inside(places, side) & one.shown
    np.clip(places, 0, side - 1.001, out=places)
    shown &= np.take_along_axis(other.shown, nearest(places, side), axis=1)
    return between(other.shades, places, side), shown.astype(np.float32)


def refined(one: Pictures, other: Pictures, maps: Floats, rounds: int) -> Floats:
    """Maps after so many steps of Gauss-Newton, or until they rest."""
    maps = maps.copy()
    moving = np.arange(len(maps))
    for _ in range(rounds):
        moved = _moved(one[moving], other[moving], maps[moving])
        rests = np.abs(moved - maps[moving]).max(axis=(1, 2), initial=0) < _RESTS
        maps[moving] = moved
        moving = moving[~rests]
        if not len(moving):
            break
    return maps


def _moved(one: Pictures, other: Pictures, maps: Floats) -> Floats:
    over, weight = laid_over(one, other, maps)
    side = round(over.shape[1] ** 0.5)
    finer = np.float32(side / CELLS)
    left, gain, robust = residual(one.shades, over, weight)
    across, down = (slope * (gain * finer)[:, None] for slope in slopes(over, side))
    steep = np.concatenate([across[:, None] * plane(side), down[:, None] * plane(side)], axis=1)
    weighted = steep * robust[:, None]
    normal = weighted @ steep.transpose(0, 2, 1)
    diagonal = np.arange(6)
    normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * np.float32(1.001) + _DAMPING * finer**2
    step = np.linalg.solve(normal, weighted @ left[:, :, None]).reshape(-1, 2, 3)
    limit = np.array([0.1, 0.1, 1.0], dtype=np.float32)
    step = np.clip(step, -limit, limit)
    moved = maps.copy()
    moved += maps[:, :, :2] @ step
    return moved


def between(values: Floats, places: Floats, side: int) -> Floats:
    """Values of P pictures of side x side cells at places (P x 2 x any, within the picture), bilinear.

    values: P x n², or P x any x n² of which each is taken at the same places.
    """
    corner = places.astype(np.intp)
    right, down = places[:, 0] - corner[:, 0], places[:, 1] - corner[:, 1]
    index = corner[:, 1] * side + corner[:, 0]
    planes = values.reshape(len(values), *values.shape[1:-1] or (1,), side * side)
    index = (
        index[:, None] + (np.arange(planes[..., 0].size) * (side * side)).reshape(planes.shape[:2])[..., None]
    )
    right, down = right[:, None], down[:, None]
    flat = values.ravel()
    above, below = flat.take(index), flat.take(index + side)
    above += right * (flat.take(index + 1) - above)
    below += right * (flat.take(index + side + 1) - below)
    above += down * (below - above)
    return above.reshape(*values.shape[:-1], places.shape[2])


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
    square = shades.reshape(-1, side, side)
    across, down = np.empty_like(square), np.empty_like(square)
    for slope, values in ((across, square), (down.transpose(0, 2, 1), square.transpose(0, 2, 1))):
        np.subtract(values[:, :, 2:], values[:, :, :-2], out=slope[:, :, 1:-1])
        np.subtract(values[:, :, 1], values[:, :, 0], out=slope[:, :, 0])
        np.subtract(values[:, :, -1], values[:, :, -2], out=slope[:, :, -1])
    across *= np.float32(0.5)
    down *= np.float32(0.5)
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
    return root_mean_square(rough, weight)


def root_mean_square(values: Floats, weight: Floats) -> Floats:
    """Of each picture's, P, where they count."""
    result: Floats = np.sqrt((weight * values * values).sum(axis=1) / (weight.sum(axis=1) + 1e-6))
    return result


def contrast_of(shades: Floats, weight: Floats) -> Floats:
    """Standard deviation of what a smooth surface leaves of each picture; cells without weight are even."""
    total = weight.sum(axis=1) + 1e-6
    rough = rough_of(weight * (shades - ((weight * shades).sum(axis=1) / total)[:, None]))
    contrast: Floats = np.sqrt((rough * rough).sum(axis=1) / total).astype(np.float32)
    return contrast
