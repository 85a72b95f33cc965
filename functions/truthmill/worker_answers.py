"""A worker's answer, as `crowd-bounding-box` gives it, checked and turned into boxes."""

from collections.abc import Sequence
from typing import Any

import msgspec

from truthmill.boxes import Box

MAX_BOXES = 3_000
MAX_BYTES = 190_000  # kept beside the boxes that are read from it, which take as much: an item takes 400 KB


class AnswerError(Exception):
    """An answer that can't be taken; its text says what is wrong and what is right.

    rule: that it breaks, for a page that says so in another language, with the values that the text names.
    """

    def __init__(self, message: str, rule: str = "form", **values: str | int) -> None:
        super().__init__(message)
        self.details = {"rule": rule, **values}


class _Drawn(msgspec.Struct, frozen=True):
    label: str
    left: float
    top: float
    width: float
    height: float


class _Size(msgspec.Struct, frozen=True):
    width: int
    height: int


class _BoundingBox(msgspec.Struct, frozen=True, rename="camel"):
    bounding_boxes: tuple[_Drawn, ...]
    input_image_properties: _Size


class Answer(msgspec.Struct, frozen=True):
    """Boxes in whole pixels of the stored picture; size_wh: the picture's, in pixels."""

    boxes: tuple[Box, ...]
    size_wh: tuple[int, int]


def read_answer(content: Any, labels: Sequence[str], size_wh: tuple[int, int] | None = None) -> Answer:
    """The boxes of an answer, keyed by the name of its bounding-box element.

    size_wh: the stored picture's true size where it is known. Raises AnswerError.
    """
    drawn = _bounding_box(content)
    size = (drawn.input_image_properties.width, drawn.input_image_properties.height)
    if min(size) < 1:
        raise AnswerError(f"inputImageProperties says {size[0]} x {size[1]} pixels; both are at least 1.")
    if size_wh is not None and size != size_wh:
        raise AnswerError(
            f"inputImageProperties says {size[0]} x {size[1]} pixels; "
            f"the picture has {size_wh[0]} x {size_wh[1]}.",
            "size",
        )
    if len(drawn.bounding_boxes) > MAX_BOXES:
        count = len(drawn.bounding_boxes)
        raise AnswerError(
            f"{count} boxes; at most {MAX_BOXES} are taken.", "count", count=count, most=MAX_BOXES
        )
    class_of = {label: number for number, label in enumerate(labels)}
    boxes = tuple(_box(number, box, class_of, size) for number, box in enumerate(drawn.bounding_boxes, 1))
    return Answer(boxes, size)


def _bounding_box(content: Any) -> _BoundingBox:
    """The one field of the form that has boxes; other fields may stand beside it."""
    if not isinstance(content, dict):
        raise AnswerError("The answer is not an object keyed by the name of the bounding-box element.")
    found = [value for value in content.values() if isinstance(value, dict) and "boundingBoxes" in value]
    if len(found) != 1:
        raise AnswerError(
            f"The answer has {len(found)} bounding-box elements; it has one: "
            '{"boundingBox": {"boundingBoxes": […], "inputImageProperties": {"width": …, "height": …}}}.'
        )
    try:
        return msgspec.convert(found[0], _BoundingBox)
    except msgspec.ValidationError as error:
        raise AnswerError(f"The answer isn't valid: {error}.") from error


def _box(number: int, drawn: _Drawn, class_of: dict[str, int], size_wh: tuple[int, int]) -> Box:
    corner = f"left {drawn.left:g}, top {drawn.top:g}, {drawn.width:g} x {drawn.height:g}"
    where = f"Box {number} ({drawn.label!r:.80}, {corner})"
    place = {side: f"{getattr(drawn, side):g}" for side in ("left", "top", "width", "height")}
    named: dict[str, Any] = {"box": number, "label": drawn.label[:80], **place}
    if drawn.label not in class_of:
        raise AnswerError(
            f"{where}: the job's labels are {', '.join(map(repr, class_of))}.", "label", **named
        )
    edges = (drawn.left, drawn.top, drawn.width, drawn.height)
    if not all(abs(edge) < 1e9 and edge == int(edge) for edge in edges):  # what isn't a number isn't smaller
        raise AnswerError(f"{where}: coordinates are whole pixels.", "whole", **named)
    left, top, width, height = map(int, edges)
    if width < 1 or height < 1:
        raise AnswerError(f"{where}: width and height are at least 1 pixel.", "small", **named)
    if left < 0 or top < 0 or left + width > size_wh[0] or top + height > size_wh[1]:
        within = f"{size_wh[0]} x {size_wh[1]}"
        words = f"{where}: it must lie inside the picture of {within} pixels."
        raise AnswerError(words, "outside", **named, size=within)
    return Box(class_of[drawn.label], left, top, width, height)
