"""Means of neighbouring cells, for squares of any number of them."""

from typing import TYPE_CHECKING

import numpy as np

from truthmill.cells import Floats

if TYPE_CHECKING:
    from numpy.typing import NDArray


def windows(values: Floats) -> Floats:
    """Means of 2 x 2 cells, one less across and down: an edge that is a little off is levelled out.

    values: any x n². Returns any x (n - 1) x (n - 1).
    """
    side = round(values.shape[-1] ** 0.5)
    square = values.reshape(-1, side, side)
    rows = square[:, 1:] + square[:, :-1]
    windows: Floats = (rows[:, :, 1:] + rows[:, :, :-1]) / 4
    return windows


def touched(chosen: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """P x n x n cells of which any window, P x (n - 1) x (n - 1), is chosen."""
    side = chosen.shape[1]
    cells = np.zeros((len(chosen), side + 1, side + 1), dtype=bool)
    for across in (0, 1):
        for down in (0, 1):
            cells[:, down : side + down, across : side + across] |= chosen
    return cells
