"""Boxes that come with the pictures, carried over to the pictures as they are stored."""

from math import isnan
from typing import TYPE_CHECKING

import msgspec

from truthmill.box_check import DrawnBox, as_drawn, whole_edges
from truthmill.channels.reading import DrawnPicture
from truthmill.records import LedgerLine

if TYPE_CHECKING:
    from collections.abc import Iterable

Size = tuple[int, int]


def source_size(line: LedgerLine) -> Size:
    """Width and height of the picture's file as it came, before it was turned upright and scaled; pixels."""
    width, height = line.scaled_from or (line.width, line.height)
    return (height, width) if line.orientation > 4 else (width, height)


def stored_boxes(drawn: DrawnPicture, line: LedgerLine) -> tuple[DrawnBox, ...]:
    """The boxes in pixels of the stored picture.

    Labels count the pixels of the file as it came, unless the size that they name is that of the upright
    picture. Raises ValueError where they name a size that is neither.
    """
    came, upright = source_size(line), line.scaled_from or (line.width, line.height)
    named = (drawn.width, drawn.height) if drawn.width and drawn.height else came
    if named not in {came, upright}:
        raise ValueError(
            f"the labels are for {named[0]} x {named[1]} pixels, the picture has {came[0]} x {came[1]}"
        )
    boxes: Iterable[DrawnBox] = map(as_drawn, drawn.boxes)
    if named == came:
        boxes = (turned(box, came, line.orientation) for box in boxes)
    across, down = line.width / upright[0], line.height / upright[1]
    return tuple(
        DrawnBox(box.class_id, box.left * across, box.top * down, box.width * across, box.height * down)
        for box in boxes
    )


def surest(drawn: DrawnPicture, least: float) -> DrawnPicture:
    """A model's predictions without those that it is less sure of; the surest come first.

    Of several in the very same place the surest is taken, whatever the others are called. Boxes without a
    score stay, behind the others.
    """
    if not drawn.scores:
        return drawn
    ranked = sorted(
        zip(drawn.scores, map(as_drawn, drawn.boxes), strict=True),
        key=lambda each: (1, 0.0) if isnan(each[0]) else (0, -each[0]),
    )
    chosen: dict[object, tuple[float, DrawnBox]] = {}
    for score, box in ranked:
        if isnan(score):
            chosen[len(chosen)] = score, box
        elif score >= least:
            chosen.setdefault(whole_edges(box), (score, box))
    return msgspec.structs.replace(
        drawn,
        boxes=tuple(box for _, box in chosen.values()),
        scores=tuple(score for score, _ in chosen.values()),
    )


def turned(box: DrawnBox, size_wh: Size, orientation: int) -> DrawnBox:
    """The box after its picture was turned upright.

    size_wh: of the picture before; orientation: 1 to 8 (TIFF 6.0, page 36).
    """
    width, height = size_wh
    right, bottom = box.left + box.width, box.top + box.height
    left, top = {
        1: (box.left, box.top),
        2: (width - right, box.top),
        3: (width - right, height - bottom),
        4: (box.left, height - bottom),
        5: (box.top, box.left),
        6: (height - bottom, box.left),
        7: (height - bottom, width - right),
        8: (box.top, width - right),
    }[orientation]
    sides = (box.height, box.width) if orientation > 4 else (box.width, box.height)
    return msgspec.structs.replace(box, left=left, top=top, width=sides[0], height=sides[1])
