"""What a mark of each of two pictures, which may be the same spot, says of how one lies on the other.

Places are in cells of 16 x 16, counted from the picture's middle, as the maps of `overlay` have them.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from truthmill.marks import SIDE, TURNS
from truthmill.similarity import CELLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_QUARTER = TURNS // 4
_MOST_TURNED = 3  # of 64 directions, besides quarter turns
_MOST_SHIFTED = 12  # pixels of the square, to any side
_MOST_OFF = 2.0  # cells between a mark and where the map has it expected
_LEAST_AGREEMENT = 0.9  # cosine of the angle between its direction and the expected one
_MIRRORED = np.uint64(32)  # bit of a mark


def first_maps(marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]") -> "NDArray[Any]":
    """P x 2 x 3: from cells of the ones to cells of the others, both from the middle, by a mark of each."""
    x, y, turn, mirrored = _places(marks)
    other_x, other_y, other_turn, other_mirrored = _places(other_marks)
    flip = np.where(mirrored == other_mirrored, 1.0, -1.0)
    cos, sin, other_cos, other_sin = np.cos(turn), np.sin(turn), np.cos(other_turn), np.sin(other_turn)
    maps = np.empty((len(marks), 2, 3), dtype=np.float32)
    maps[:, 0, 0] = other_cos * cos + flip * other_sin * sin
    maps[:, 0, 1] = other_cos * sin - flip * other_sin * cos
    maps[:, 1, 0] = other_sin * cos - flip * other_cos * sin
    maps[:, 1, 1] = other_sin * sin + flip * other_cos * cos
    maps[:, 0, 2] = other_x - maps[:, 0, 0] * x - maps[:, 0, 1] * y
    maps[:, 1, 2] = other_y - maps[:, 1, 0] * x - maps[:, 1, 1] * y
    return maps


def are_upright(marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    """Whether these marks bring one picture to the other by a mirror and quarter turns, roughly."""
    across, down, turn, mirrored = (part.astype(np.int32) for part in _fields(marks))
    other_across, other_down, other_turn, other_mirrored = (
        part.astype(np.int32) for part in _fields(other_marks)
    )
    flip = np.where(mirrored == other_mirrored, 1, -1)
    left_over = (other_turn - flip * turn + TURNS + _MOST_TURNED) % _QUARTER
    quarters = (other_turn - flip * turn + TURNS + _MOST_TURNED) // _QUARTER % 4
    # A mirrored mark is seen from below: down changes its sign, then both are turned by quarters.
    across, down = across * 2 - SIDE + 1, (down * 2 - SIDE + 1) * flip
    cos, sin = np.array([1, 0, -1, 0])[quarters], np.array([0, 1, 0, -1])[quarters]
    off_across = cos * across - sin * down - (other_across * 2 - SIDE + 1)
    off_down = sin * across + cos * down - (other_down * 2 - SIDE + 1)
    near: NDArray[np.bool_] = (left_over <= 2 * _MOST_TURNED) & (
        np.maximum(np.abs(off_across), np.abs(off_down)) <= 2 * _MOST_SHIFTED
    )
    return near


def differ_in_mirror(marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]") -> "NDArray[np.bool_]":
    """Whether one of both was seen mirrored."""
    differ: NDArray[np.bool_] = ((marks ^ other_marks) & _MIRRORED) != 0
    return differ


def are_where_expected(
    marks: "NDArray[np.uint64]", other_marks: "NDArray[np.uint64]", maps: "NDArray[Any]"
) -> "NDArray[np.bool_]":
    """Whether the maps bring these marks to the others, in place and direction, but for a crop."""
    across, down, turn, _ = _places(marks)
    other_across, other_down, other_turn, _ = _places(other_marks)
    off_across = maps[:, 0, 0] * across + maps[:, 0, 1] * down + maps[:, 0, 2] - other_across
    off_down = maps[:, 1, 0] * across + maps[:, 1, 1] * down + maps[:, 1, 2] - other_down
    cos, sin = np.cos(turn), np.sin(turn)
    agreement = (maps[:, 0, 0] * cos + maps[:, 0, 1] * sin) * np.cos(other_turn)
    agreement += (maps[:, 1, 0] * cos + maps[:, 1, 1] * sin) * np.sin(other_turn)
    near: NDArray[np.bool_] = (np.hypot(off_across, off_down) <= _MOST_OFF) & (agreement >= _LEAST_AGREEMENT)
    return near


def _places(marks: "NDArray[np.uint64]") -> "tuple[NDArray[Any], ...]":
    """Across and down in cells from the middle, direction in radians, whether mirrored."""
    across, down, turn, mirrored = _fields(marks)
    scale = SIDE / CELLS
    middle = SIDE / 2 - 0.5
    return (across - middle) / scale, (down - middle) / scale, turn * (math.tau / TURNS), mirrored


def _fields(marks: "NDArray[np.uint64]") -> "tuple[NDArray[np.int64], ...]":
    """What marks hold besides their signs: across, down, direction, whether mirrored."""
    low = (marks & np.uint64((1 << 24) - 1)).astype(np.int64)
    return (low >> 18) & 63, (low >> 12) & 63, (low >> 6) & 63, (low >> 5) & 1
