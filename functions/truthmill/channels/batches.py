"""Boxes of some pictures in columns: what a process that reads files of labels hands over to another one.

They are numbers side by side, of which nothing has to be made until somebody wants a box. NumPy is loaded
when there are some: the formats' modules are imported to write, too, which needs none.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import starmap
from typing import Any, Literal, TypeAlias

from truthmill.box_check import Drawn, DrawnBox
from truthmill.box_columns import Column, Sides
from truthmill.channels.reading import LONGEST_SIDE

AT_ONCE = 256  # pictures
Row: TypeAlias = tuple[int, float, float, float, float]
Packed: TypeAlias = tuple[str, list[bytes], list[int], list[tuple[int, int]], list[list[Row] | None]]
"""The kind of the numbers, the columns of class ids and numbers; of each picture how many boxes it has in
them, its size, and rows of its own where its boxes aren't in them.
"""


def batches_of(pictures: int) -> int:
    """How many batches so many pictures make."""
    return -(-pictures // AT_ONCE)


def pictures_of(batch: int) -> slice:
    """The pictures of a batch, among all."""
    return slice(batch * AT_ONCE, (batch + 1) * AT_ONCE)


class Columns:
    """Boxes of pictures as their files have them: class ids, and four numbers each."""

    def __init__(self, kind: Literal["i", "d"]) -> None:
        """kind: of the numbers, as `array` has it: whole numbers, or fractions."""
        self._kind = kind
        self._class_ids = array("q")
        self._numbers: list[array[Any]] = [array(kind) for _ in range(4)]
        self._counts: list[int] = []
        self._sizes: list[tuple[int, int]] = []
        self._rows: list[list[Row] | None] = []

    def add(
        self, size_wh: tuple[int, int], class_ids: Sequence[int], numbers: Sequence[Sequence[float]]
    ) -> None:
        """One picture more. size_wh: pixels, 0 where that isn't known. numbers: four columns.

        Raises OverflowError, with nothing added, for a number that has no room.
        """
        columns = [array(self._kind, column) for column in numbers]
        self._class_ids.extend(class_ids)
        for column, more in zip(self._numbers, columns, strict=True):
            column.extend(more)
        self._note(size_wh, len(class_ids), None)

    def add_rows(self, size_wh: tuple[int, int], rows: list[Row]) -> None:
        """One picture more, whose boxes somebody has to look at one by one, with left, top, width, height."""
        self._note(size_wh, 0, rows)

    def _note(self, size_wh: tuple[int, int], count: int, rows: list[Row] | None) -> None:
        self._counts.append(count)
        self._sizes.append(size_wh)
        self._rows.append(rows)

    def packed(self) -> Packed:
        columns = [column.tobytes() for column in (self._class_ids, *self._numbers)]
        return self._kind, columns, self._counts, self._sizes, self._rows


def drawn_boxes(packed: Packed, sides_of: Callable[[Sides, Column], Sides]) -> Iterator[Drawn]:
    """The boxes of each picture.

    sides_of: from the four numbers, and the size of each box's picture, to left, top, width and height.
    """
    import numpy as np  # noqa: PLC0415 - see above

    from truthmill.channels.sound_boxes import drawn_spans  # noqa: PLC0415 - it loads NumPy

    kind, (class_ids, *numbers), several, sizes, rows = packed
    wide = np.int64 if kind == "i" else np.float64  # so that a sum has room
    first, second, third, fourth = (np.frombuffer(column, kind).astype(wide) for column in numbers)
    counts, sizes_wh = np.array(several, np.int64), np.array(_usual(sizes), np.int64).reshape(-1, 2)
    sides = sides_of((first, second, third, fourth), np.repeat(sizes_wh, counts, axis=0))
    found = drawn_spans(np.frombuffer(class_ids, np.int64), sides, counts, sizes_wh)
    for span, odd in zip(found, rows, strict=True):
        yield span if odd is None else tuple(starmap(DrawnBox, odd))


def _usual(sizes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that no picture has, and a column has no room for, as unknown."""
    if all(max(size) <= LONGEST_SIDE for size in set(sizes)):
        return sizes
    return [size if max(size) <= LONGEST_SIDE else (0, 0) for size in sizes]
