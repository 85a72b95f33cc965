"""Boxes of a JSON value about one picture, as people write it: WebDataset and imagefolder fix no shape."""

from collections.abc import Iterator
from typing import Any

from truthmill.box_check import DrawnBox
from truthmill.channels.reading import Classes

_BOXES = ("bbox", "bboxes", "boxes")
_CLASSES = ("categories", "category_id", "category", "class_id", "labels", "label")


def sample_boxes(sample: Any, classes: Classes) -> Iterator[DrawnBox]:
    """Of {"bbox": [...], "categories": [...]}, the same within "objects", or a list of {"bbox": [left, top,
    width, height], "category_id": 0}, alone or as "annotations" or "objects". A class is a number or a name.

    Raises ValueError where it is none of these.
    """
    found = sample
    for key in ("objects", "annotations"):
        if isinstance(found, dict) and key in found:
            found = found[key]
    if isinstance(found, dict):
        boxes = next((found[key] for key in _BOXES if key in found), None)
        kinds = next((found[key] for key in _CLASSES if key in found), None)
        if isinstance(boxes, list) and isinstance(kinds, list) and len(boxes) == len(kinds):
            found = [{"bbox": box, "category_id": kind} for box, kind in zip(boxes, kinds, strict=True)]
    if not isinstance(found, list):
        raise ValueError(  # noqa: TRY004 - of the file, not of the call
            'a sample\'s JSON has neither "bbox" with as many "categories", nor "annotations".'
        )
    for one in found:
        about = one if isinstance(one, dict) else {}
        box = next((about[key] for key in _BOXES if key in about), None)
        kind = next((about[key] for key in _CLASSES if key in about), None)
        if not isinstance(box, list) or len(box) != 4 or kind is None:
            raise ValueError(f"{one!r} isn't a box with its class.")
        class_id = classes.id_of(kind) if isinstance(kind, str) else checked(int(kind), len(classes.labels))
        yield DrawnBox(class_id, *map(float, box))


def checked(class_id: int, classes: int) -> int:
    """The class id, if there is such a class. Raises ValueError."""
    if not 0 <= class_id < classes:
        raise ValueError(f"class {class_id} is none of the {classes} in classes.json.")
    return class_id
