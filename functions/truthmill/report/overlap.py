"""Boxes of one picture that lie in the same place, found for thousands of pictures at once."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def overlapping(
    of: "NDArray[np.int64]", boxes: "NDArray[np.int64]", at_least: float
) -> tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]:
    """Pairs of boxes of one picture whose IoU reaches `at_least`: first, second (indices), IoU.

    of: each box's picture, boxes of one picture side by side. boxes: left, top, width, height, a row each.
    Compares each box with its next neighbour, then with the one after it, until no picture has as many boxes.
    """
    first, second, overlap = [], [], []
    alive = np.arange(max(len(of) - 1, 0))
    distance = 1
    while len(alive):
        alive = alive[alive + distance < len(of)]
        alive = alive[of[alive] == of[alive + distance]]
        ratio = _iou(boxes[alive], boxes[alive + distance])
        found = ratio >= at_least
        first.append(alive[found])
        second.append(alive[found] + distance)
        overlap.append(ratio[found])
        distance += 1
    if not first:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return np.concatenate(first), np.concatenate(second), np.concatenate(overlap)


def _iou(one: "NDArray[np.int64]", other: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """Intersection over union, row by row; as `boxes.iou`."""
    low = np.maximum(one[:, :2], other[:, :2])
    high = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    together = one[:, 2:].prod(axis=1) + other[:, 2:].prod(axis=1) - shared
    return np.asarray(shared / together, np.float64)
