"""Pictures' boxes that are sound: once they are rounded, not empty, inside, and each alone in its place.

Of these `check_boxes` has nothing to say, and they are looked at all at once, in columns.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from truthmill.box_columns import BoxColumns, Column, DrawnColumns, DrawnSpan, Sides

_MOST = (1 << 16) - 1  # pixels of a side, so that the four sides of a box are one number
_ODD, _ODD_TOO = 0x9E3779B97F4A7C1 | 1, 0xC2B2AE3D27D4EB4 | 1  # spread neighbours far from each other


def drawn_spans(class_ids: Column, sides: Sides, counts: Column, sizes_wh: Column) -> Iterator[DrawnSpan]:
    """Each picture's boxes.

    sides: of each box, of one kind of number; counts: how many of the boxes each picture has; sizes_wh: of
    the pictures, a row for each, 0 where that isn't known.
    """
    whole = _whole(sides)
    image = np.repeat(np.arange(len(counts)), counts)
    bad = _are_bad(whole, sizes_wh[image]) | _are_twice(whole, image)
    sound = np.bincount(image[bad], minlength=len(counts)) == 0
    kept = sound[image]
    left, top, width, height = (side[kept] for side in whole)
    boxes = BoxColumns(
        class_ids[kept], (left, top, width, height), np.where(sound, counts, 0).tolist(), sizes_wh
    )
    columns = DrawnColumns(class_ids, sides, counts.tolist(), boxes, sound.tolist())
    return map(partial(DrawnSpan, columns), range(len(counts)))


def _whole(sides: Sides) -> Sides:
    """Each edge rounded for itself, as `box_check.whole_edges` has it; what can't be is an empty side."""
    left, top, width, height = sides
    if left.dtype.kind != "f":
        return (
            left.astype(np.int64),
            top.astype(np.int64),
            width.astype(np.int64),
            height.astype(np.int64),
        )
    with np.errstate(invalid="ignore", over="ignore"):
        edges = [_rounded(edge) for edge in (left, top, left + width, top + height)]
    return edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1]


def _rounded(edges: Column) -> Column:
    """What is no number, or a very large one, is -1, which is outside of all pictures."""
    usual = np.abs(edges) < 1 << 31
    return np.rint(np.where(usual, edges, -1)).astype(np.int64)


def _are_bad(sides: Sides, sizes_wh: Column) -> Column:
    left, top, width, height = sides
    bad: Column = (left < 0) | (top < 0) | (width < 1) | (height < 1)
    return bad | (left + width > sizes_wh[:, 0]) | (top + height > sizes_wh[:, 1]) | (sizes_wh > _MOST).any(1)


def _are_twice(sides: Sides, image: Column) -> Column:
    """Of boxes that aren't bad, and maybe of a few others."""
    left, top, width, height = sides
    mixed = (left | top << 16 | width << 32 | height << 48) * _ODD + image * _ODD_TOO
    ordered = np.sort(mixed)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    found: Column = np.isin(mixed, twice) if len(twice) else np.zeros(len(mixed), bool)
    return found
