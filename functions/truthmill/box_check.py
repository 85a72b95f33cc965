"""From a rectangle as somebody drew it to a box that can be trusted: what is cut, dropped, doubtful."""

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, TypeAlias, cast

import msgspec

from truthmill.boxes import Box

if TYPE_CHECKING:
    from truthmill.box_columns import DrawnSpan

# Codes are stable: boxes.jsonl carries them.
FINDINGS = {
    "cut": "The box reached over the picture's edge and was cut there.",
    "outside": "The box lies outside the picture and was dropped.",
    "too-small": "A side of the box is below the minimal size; it was dropped.",
    "not-a-number": "A side of the box is no number; it was dropped.",
    "double": "The same box with the same label is there already; this one was dropped.",
    "two-labels": "The same rectangle also has another label. Both were kept; look at the picture.",
}


class DrawnBox(msgspec.Struct, frozen=True, gc=False):
    """A rectangle as it came: it may stick out, be empty, or have fractions of pixels.

    Pixels of the stored picture, origin at its top left corner; class_id: index in the dataset's label list.
    """

    class_id: int
    left: float
    top: float
    width: float
    height: float


class Finding(msgspec.Struct, frozen=True):
    """What was wrong with a box. reason: a key of FINDINGS; kept: whether it is used all the same."""

    box: DrawnBox
    reason: str
    kept: bool


class CheckedBoxes(msgspec.Struct, frozen=True):
    """kept: in the order they came; findings: what a reader of the report should know."""

    kept: tuple[Box, ...]
    findings: tuple[Finding, ...]


Drawn: TypeAlias = "tuple[DrawnBox, ...] | tuple[Box, ...] | DrawnSpan"
"""A picture's rectangles as they came."""


def check_boxes(
    boxes: Sequence[DrawnBox] | Sequence[Box], width: int, height: int, minimal_side: int = 1
) -> CheckedBoxes:
    """The boxes that can be used, in whole pixels inside the picture, and what was found about the others.

    width, height: of the stored picture, pixels. minimal_side: pixels, at least 1.
    """
    sound = _sound_boxes(boxes, width, height, minimal_side)
    if sound is not None:
        return CheckedBoxes(sound, ())
    return _checked(list(map(as_drawn, boxes)), width, height, minimal_side)


def _checked(boxes: list[DrawnBox], width: int, height: int, minimal_side: int) -> CheckedBoxes:
    kept: list[Box] = []
    findings: list[Finding] = []
    labels_at: dict[tuple[int, int, int, int], set[int]] = {}
    for drawn in boxes:
        if not _is_finite(drawn):
            findings.append(Finding(drawn, "not-a-number", kept=False))
            continue
        edges = _edges(drawn, width, height)
        reason = _why_dropped(edges, minimal_side, labels_at.get(edges, set()), drawn.class_id)
        if reason:
            findings.append(Finding(drawn, reason, kept=False))
            continue
        if edges != whole_edges(drawn):
            findings.append(Finding(drawn, "cut", kept=True))
        if edges in labels_at:
            findings.append(Finding(drawn, "two-labels", kept=True))
        labels_at.setdefault(edges, set()).add(drawn.class_id)
        left, top, right, bottom = edges
        kept.append(Box(drawn.class_id, left, top, right - left, bottom - top))
    return CheckedBoxes(tuple(kept), tuple(findings))


def as_drawn(box: DrawnBox | Box) -> DrawnBox:
    """The same rectangle."""
    if isinstance(box, DrawnBox):
        return box
    return DrawnBox(box.class_id, box.left, box.top, box.width, box.height)


def _sound_boxes(
    boxes: Sequence[DrawnBox] | Sequence[Box], width: int, height: int, minimal_side: int
) -> tuple[Box, ...] | None:
    """The boxes in whole pixels, where each is large enough, inside and alone in its place.

    None where one isn't; nearly all pictures are sound, and this is several times as fast as looking closer.
    """
    whole = _whole_boxes(boxes)
    if whole is None:
        return None
    least = max(minimal_side, 1)
    places = {(box.left, box.top, box.width, box.height) for box in whole}
    if len(places) < len(whole):
        return None
    for left, top, across, down in places:
        if left + across > width or top + down > height or across < least or down < least:
            return None
    return whole


def _whole_boxes(boxes: Sequence[DrawnBox] | Sequence[Box]) -> tuple[Box, ...] | None:
    """Each edge rounded for itself; None where one begins outside the picture, is empty or no number."""
    if boxes and type(boxes[0]) is Box:
        return tuple(cast("Sequence[Box]", boxes))  # all are, then
    kept: list[Box] = []
    for drawn in cast("Sequence[DrawnBox]", boxes):
        left, top, across, down = drawn.left, drawn.top, drawn.width, drawn.height
        if not (type(left) is type(top) is type(across) is type(down) is int):
            if not isfinite(left + top + across + down):
                return None
            right, bottom = round(left + across), round(top + down)  # as `whole_edges` has it
            left, top = round(left), round(top)
            across, down = right - left, bottom - top
        if left < 0 or top < 0 or across < 1 or down < 1:
            return None
        kept.append(Box(drawn.class_id, left, top, across, down))
    return tuple(kept)


def _is_finite(drawn: DrawnBox) -> bool:
    return isfinite(drawn.left + drawn.top + drawn.width + drawn.height)


def whole_edges(drawn: DrawnBox) -> tuple[int, int, int, int]:
    """Left, top, right, bottom, each edge rounded for itself: whole boxes stay as they are."""
    return (
        round(drawn.left),
        round(drawn.top),
        round(drawn.left + drawn.width),
        round(drawn.top + drawn.height),
    )


def whole_box(drawn: DrawnBox) -> Box:
    """The box in whole pixels, for files that were checked when they were written.

    Raises ValueError where it is empty or begins outside the picture.
    """
    left, top, right, bottom = whole_edges(drawn)
    return Box(drawn.class_id, left, top, right - left, bottom - top)


def _edges(drawn: DrawnBox, width: int, height: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = whole_edges(drawn)
    return max(left, 0), max(top, 0), min(right, width), min(bottom, height)


def _why_dropped(
    edges: tuple[int, int, int, int], minimal_side: int, labels: set[int], class_id: int
) -> str | None:
    left, top, right, bottom = edges
    if left > right or top > bottom:
        return "outside"
    if min(right - left, bottom - top) < max(minimal_side, 1):
        return "too-small"
    return "double" if class_id in labels else None
