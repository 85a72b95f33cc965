"""Means of neighbouring cells."""

from typing import TYPE_CHECKING

import numpy as np

from truthmill.overlay import Floats
from truthmill.similarity import CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def windows(values: Floats) -> Floats:
    """Means of 2 x 2 cells, 15 x 15 of them a picture: an edge that is a little off is levelled out."""
    square = values.reshape(-1, CELLS, CELLS)
    rows = square[:, 1:] + square[:, :-1]
    windows: Floats = (rows[:, :, 1:] + rows[:, :, :-1]) / 4
    return windows


def touched(chosen: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """P x 16 x 16 cells of which any window, P x 15 x 15, is chosen."""
    cells = np.zeros((len(chosen), CELLS, CELLS), dtype=bool)
    for across in (0, 1):
        for down in (0, 1):
            cells[:, down : CELLS - 1 + down, across : CELLS - 1 + across] |= chosen
    return cells
