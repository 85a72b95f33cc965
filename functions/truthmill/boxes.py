"""The one form of a box inside Truthmill; other forms exist only in their format's module."""

import msgspec


class Box(msgspec.Struct, frozen=True, order=True, forbid_unknown_fields=True, gc=False):
    """A labeled rectangle in whole pixels of the stored, upright picture, origin at its top left corner.

    It covers the pixel columns left to left + width - 1 and the rows top to top + height - 1.
    class_id: index in the dataset's label list.
    Raises ValueError for a negative corner or an empty side.
    """

    class_id: int
    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.left < 0 or self.top < 0 or self.width < 1 or self.height < 1 or self.class_id < 0:
            raise ValueError(f"not a box: {self!r}")

    @property
    def area(self) -> int:
        """Pixels covered."""
        return self.width * self.height

    @property
    def right(self) -> int:
        """First pixel column right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First pixel row below the box."""
        return self.top + self.height

    def fits(self, width: int, height: int) -> bool:
        """Whether it lies inside a picture of that size."""
        return self.right <= width and self.bottom <= height


def iou(a: Box, b: Box) -> float:
    """Intersection over union of the areas, 0 to 1; labels don't matter."""
    across = min(a.right, b.right) - max(a.left, b.left)
    down = min(a.bottom, b.bottom) - max(a.top, b.top)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (a.area + b.area - shared)
