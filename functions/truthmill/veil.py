"""Whether a translucent line across a picture (a watermark) is all by which it differs from another.

Such a line mixes its own white with what is below, so what it covers gets lighter, by a share of what is
missing to white and never by all of it. What else changes in a picture darkens some cells and lightens
others, covers wholly, or is no line.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.overlay import Floats
from truthmill.similarity import CELLS
from truthmill.windows import touched, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_COVERED = 0.4  # of a cell's way to white
_LEAST_VEIL = 4.0  # shades; less isn't told from noise
_MOST_CELLS = 0.3  # of the picture
_MOST_THICK = 4  # cells
_LEAST_LONG = 2.0  # times as long as thick


def is_veiled(
    one: Floats,
    predicted: Floats,
    white: Floats,
    left: Floats,
    weight: Floats,
    differs: "NDArray[np.bool_]",
) -> "NDArray[np.bool_]":
    """For each of P pairs.

    one: P x 256 shades; predicted: what they would be after the other picture; white: P x 1, its white.
    left: what is left of their difference; weight: 0 where cells aren't compared.
    differs: P x 15 x 15, means of four cells that aren't the same.
    """
    # Of the one picture: then `left` is above 0; of the other: then it is below.
    ours = _is_line(left, left / np.maximum(255 - predicted, 1), weight, differs)
    return ours | _is_line(-left, -left / np.maximum(white - one, 1), weight, differs)


def _is_line(
    lighter: Floats, covered: Floats, weight: Floats, differs: "NDArray[np.bool_]"
) -> "NDArray[np.bool_]":
    there = (lighter > _LEAST_VEIL) & (weight > 0)
    flat = touched(differs).reshape(-1, CELLS * CELLS)
    is_line = (there.mean(axis=1) <= _MOST_CELLS) & ~(flat & there & (covered > _MOST_COVERED)).any(axis=1)
    is_line &= ~(differs & (windows(lighter * weight) < 0)).any(axis=(1, 2))
    line = (flat & there).reshape(-1, CELLS, CELLS)
    tall, wide = _extent(np.any(line, axis=2)), _extent(np.any(line, axis=1))
    thick, length = np.minimum(tall, wide), np.maximum(tall, wide)
    found: NDArray[np.bool_] = is_line & (thick <= _MOST_THICK) & (length >= _LEAST_LONG * thick)
    return found


def _extent(present: "NDArray[Any]") -> "NDArray[np.int64]":
    """From the first to the last that is there, of each row."""
    length = present.shape[1]
    extent = length - present[:, ::-1].argmax(axis=1) - present.argmax(axis=1)
    return np.where(present.any(axis=1), extent, 0)
