"""Boxes of some pictures in columns: what a process that reads files of labels hands over to another one.

They are numbers side by side, of which nothing has to be made until the boxes themselves are.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import starmap
from typing import Literal, TypeAlias, cast

from truthmill.box_check import Drawn, DrawnBox
from truthmill.boxes import Box

AT_ONCE = 256  # pictures
Row: TypeAlias = tuple[int, float, float, float, float]
Packed: TypeAlias = list[bytes | list[float]]


def batches_of(pictures: int) -> int:
    """How many batches so many pictures make."""
    return -(-pictures // AT_ONCE)


def pictures_of(batch: int) -> slice:
    """The pictures of a batch, among all."""
    return slice(batch * AT_ONCE, (batch + 1) * AT_ONCE)


class Columns:
    """Class ids, lefts, tops, widths and heights."""

    def __init__(self, kind: Literal["i", "d"]) -> None:
        """kind: of the sides, as `array` has it: whole numbers, or fractions."""
        self._kinds = "i" + kind * 4
        self._columns: tuple[list[float], ...] = ([], [], [], [], [])

    def add(
        self,
        class_ids: Iterable[float],
        lefts: Iterable[float],
        tops: Iterable[float],
        widths: Iterable[float],
        heights: Iterable[float],
    ) -> None:
        """Of one picture, as many of each."""
        columns = self._columns
        columns[0].extend(class_ids)
        columns[1].extend(lefts)
        columns[2].extend(tops)
        columns[3].extend(widths)
        columns[4].extend(heights)

    def packed(self) -> Packed:
        """As bytes, but for numbers that have no room there."""
        return [_bytes(kind, column) for kind, column in zip(self._kinds, self._columns, strict=True)]


def _bytes(kind: str, column: list[float]) -> bytes | list[float]:
    try:
        return array(kind, column).tobytes()
    except OverflowError:
        return column


def drawn_boxes(
    kind: Literal["i", "d"], packed: Packed, found: Iterable[int | Sequence[Row]]
) -> Iterator[Drawn]:
    """The boxes of each picture.

    found: of each picture how many there are in the columns, or rows of its own where they aren't in them.
    kind: of the columns; whole ones are boxes.
    """
    columns = [
        array(code, column) if isinstance(column, bytes) else column
        for code, column in zip("i" + kind * 4, packed, strict=True)
    ]
    made: type[Box | DrawnBox] = Box if kind == "i" else DrawnBox
    boxes = cast("Drawn", tuple(map(made, *columns)))
    end = 0
    for one in found:
        if isinstance(one, int):
            start, end = end, end + one
            yield boxes[start:end]
        else:
            yield tuple(starmap(DrawnBox, one))
