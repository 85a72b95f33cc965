"""Cells in fours, each four by its mean and a byte: twice as fine a picture as the means alone.

The byte tells by how much the four differ across, down and over the diagonal (Haar's transform), in few
levels that are spread as the differences of photographs are: many small ones, few large ones. All that is
computed is exact in binary or rounded as IEEE 754 has it, so every platform gets the same.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = "NDArray[Any]"

Levels: TypeAlias = tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]
GREYS: Levels = ((0.6, 1.4, 3.0), (0.6, 1.4, 3.0), (0.4, 1.0))  # across, down, diagonal; see `encoded`
TINTS: Levels = ((0.7, 2.0), (0.7, 2.0), (0.5, 1.5))

_LEAST = 0.5  # shades, of the root mean square; less isn't told from noise
_ROOT = 16  # a scale's byte is the scale's square root, in sixteenths


def encoded(fours: "Numbers", levels: Levels) -> "NDArray[np.uint8]":
    """Of P planes of 2n x 2n shades, P x 4n²: a scale, then n x n bytes, a row each.

    levels: of each difference those above 0, in root mean squares of the plane's differences across and down.
    """
    import numpy as np  # noqa: PLC0415 - it takes longer to import than the rest of a handler

    differences = _differences(fours)
    across, down, _ = differences
    squares = (across * across + down * down).sum(axis=1, keepdims=True, dtype=np.float64)
    mean_square = np.maximum(squares / (2 * across.shape[1]), _LEAST**2)
    scale = np.rint(np.sqrt(np.sqrt(mean_square)) * _ROOT)
    size = (scale / _ROOT) ** 2
    code = np.zeros(across.shape, dtype=np.uint8)
    for values, bounds in zip(differences.astype(np.float64), _bounds(levels), strict=True):
        code *= np.uint8(len(bounds) + 1)
        reached = values >= bounds[:, None, None] * size
        code += np.add.reduce(reached.view(np.uint8), axis=0, dtype=np.uint8)
    return np.hstack([scale.astype(np.uint8), code])


def decoded(rows: "NDArray[np.uint8]", means: "Numbers", levels: Levels) -> "Numbers":
    """P x 4n² shades, from what `encoded` gave and P x n² means."""
    import numpy as np  # noqa: PLC0415 - as above

    side = round(means.shape[1] ** 0.5)
    size = (rows[:, :1].astype(np.float32) / _ROOT) ** 2
    fours = _fours(levels).take(rows[:, 1:], axis=0)
    fours *= size[:, :, None]
    fours += means[:, :, None]
    shades: Numbers = fours.reshape(-1, side, side, 2, 2).transpose(0, 1, 3, 2, 4)
    return shades.reshape(len(rows), 4 * side * side)


def _differences(fours: "Numbers") -> "Numbers":
    """Half of that between halves of each four: right and left, lower and upper, and over the diagonal."""
    import numpy as np  # noqa: PLC0415 - as above

    side = round(fours.shape[1] ** 0.5) // 2
    quarters = fours.reshape(-1, side, 2, side, 2).transpose(2, 4, 0, 1, 3)
    (a, b), (c, d) = np.ascontiguousarray(quarters).reshape(2, 2, len(fours), -1)
    upper, lower = b - a, d - c
    return np.stack([upper + lower, c - a + (d - b), lower - upper]) / 4


def _steps(levels: Sequence[float]) -> list[float]:
    """All levels, from the least."""
    return [*(-level for level in reversed(levels)), 0.0, *levels]


@cache
def _bounds(levels: Levels) -> "list[Numbers]":
    """Half-way between the levels."""
    import numpy as np  # noqa: PLC0415 - as above

    steps = [np.array(_steps(part)) for part in levels]
    return [(part[1:] + part[:-1]) / 2 for part in steps]


@cache
def _fours(levels: Levels) -> "Numbers":
    """Of each byte by how much the four differ from their mean, in scales: the upper two, the lower two."""
    import numpy as np  # noqa: PLC0415 - as above

    first, second, third = (np.array(_steps(part), dtype=np.float32) for part in levels)
    code = np.arange(256)
    last = code // len(third)
    across, down, diagonal = (
        first[(last // len(second)) % len(first)],
        second[last % len(second)],
        third[code % len(third)],
    )
    fours = [
        (-across, -down, diagonal),
        (across, -down, -diagonal),
        (-across, down, -diagonal),
        (across, down, diagonal),
    ]
    return np.stack([sum(parts) for parts in fours], axis=1)
