"""COCO as tools write it that don't keep to its types: ids and sizes as texts, annotations without a bbox.

Several times as slow as `coco`'s own reading, which therefore tries first.
"""

from typing import Any

import msgspec

from truthmill.channels.coco_run_lengths import box_around

Number = int | float | str
_FIRST = 1 << 40  # beyond any number that stands for itself
_MOST = 1 << 62


class Image(msgspec.Struct, frozen=True, gc=False):
    id: Number
    file_name: str
    width: Number | None = 0
    height: Number | None = 0


class Annotation(msgspec.Struct, frozen=True, gc=False):
    image_id: Number
    category_id: Number
    bbox: list[Number] | None = None
    iscrowd: bool | Number | None = 0
    segmentation: Any = None
    score: Number | None = None

    @property
    def sides(self) -> tuple[float, float, float, float]:
        """The bbox, else the box around the region: polygons or run lengths. Raises ValueError."""
        if self.bbox:
            if len(self.bbox) != 4:
                raise ValueError(f"the bbox {self.bbox} of image {self.image_id} hasn't four numbers.")
            left, top, width, height = map(float, self.bbox)
            return left, top, width, height
        if isinstance(self.segmentation, dict):
            try:
                return box_around(self.segmentation)
            except ValueError as error:
                raise ValueError(
                    f"an annotation of image {self.image_id} has no bbox, and {error}."
                ) from error
        outline = self.segmentation if isinstance(self.segmentation, list) else []
        points = [float(value) for polygon in outline for value in polygon]
        if len(points) < 4 or len(points) % 2:
            raise ValueError(f"an annotation of image {self.image_id} has neither a bbox nor a region.")
        across, down = points[::2], points[1::2]
        left, top = min(across), min(down)
        return left, top, max(across) - left, max(down) - top

    @property
    def is_crowd(self) -> bool:
        return self.iscrowd not in (None, 0, False, "0", "")


class Category(msgspec.Struct, frozen=True):
    id: Number
    name: str | int | float | bool


class Numbers:
    """A whole number for each id: its own, also where it is written as a text, else one by its turn."""

    def __init__(self) -> None:
        self._known: dict[Number, int] = {}

    def of(self, id_: Number) -> int:
        if isinstance(id_, int) and -_MOST < id_ < _MOST:
            return id_
        if isinstance(id_, float) and id_.is_integer():
            return int(id_)
        if (
            isinstance(id_, str)
            and id_.isascii()
            and id_.isdigit()
            and str(int(id_)) == id_
            and len(id_) < 12
        ):
            return int(id_)
        return self._known.setdefault(id_, _FIRST + len(self._known))


def whole_side(side: Number | None) -> int:
    """Pixels; 0 where the document doesn't say."""
    return int(float(side or 0))
