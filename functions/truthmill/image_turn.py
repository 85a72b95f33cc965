"""Packed pixels in the order of the upright picture, some rows at a time.

Three bytes are moved as a number of four, of which the last belongs to the next pixel: so NumPy moves them in
a quarter of the time. It writes in memory's order (a test holds it), so a fourth byte is written over by the
pixel that it belongs to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint32]  # rows of them, the first three bytes of each
Places: TypeAlias = NDArray[np.intp]

SPARE = 1  # bytes behind the last packed pixel, which is read and written as four
_STRIP = 300_000  # pixels: 2.1 MB; smaller ones take longer
_ROWS = 120  # of a strip whose rows were columns; not a power of two, see `_copy_columns`
# A cache: bytes of a line, bytes after which lines share a place again, and how many a place has room for.
_LINE, _PAGE, _WAYS = 64, 4096, 8
_FEW_LINES = 8  # places, of the 64
_COPIED = 256  # pixels of a column copied together


@dataclass(frozen=True, slots=True)
class Turn:
    """How a picture becomes upright: mirrored first, then its columns become its rows.

    orientation: 1 to 8 (TIFF 6.0, page 36).
    """

    orientation: int

    @property
    def is_quarter(self) -> bool:
        """Whether columns become rows."""
        return self.orientation > 4

    @property
    def is_mirrored_across(self) -> bool:
        """Whether the last column becomes the first."""
        return self.orientation in (2, 3, 7, 8)

    @property
    def is_mirrored_down(self) -> bool:
        """Whether the last row becomes the first."""
        return self.orientation in (3, 4, 6, 7)

    def view(self, pixels: Pixels) -> Pixels:
        """The upright picture, nothing moved yet."""
        if self.is_mirrored_across:
            pixels = pixels[:, ::-1]
        if self.is_mirrored_down:
            pixels = pixels[::-1]
        return pixels.T if self.is_quarter else pixels

    def places(self, down: Places, across: Places, size: tuple[int, int]) -> tuple[Places, Places]:
        """Where some rows and columns of a picture of that size (width, height) come to lie, in order."""
        if self.is_mirrored_across:
            across = size[0] - 1 - across[::-1]
        if self.is_mirrored_down:
            down = size[1] - 1 - down[::-1]
        return (across, down) if self.is_quarter else (down, across)


def upright_rows(
    packed: NDArray[np.uint8], size: tuple[int, int], turn: Turn, table: Pixels | None = None
) -> Iterator[tuple[Pixels, memoryview]]:
    """Rows from the top, as numbers and packed. What is given is written over by the next.

    packed: rows of three bytes a pixel, and SPARE. size: width and height before the turn. table: what each
    colour becomes, if anything.
    """
    upright = turn.view(as_pixels(packed, size))
    height, width = upright.shape
    rows = min(_STRIP // width or 1, _ROWS if turn.is_quarter else height)
    wide = np.empty((min(rows, height), width), np.uint32)
    narrow = np.empty(3 * wide.size + SPARE, np.uint8)
    lines = _lines(upright.strides[1])
    for top in range(0, height, len(wide)):
        strip = upright[top : top + len(wide)]
        part = wide[: len(strip)]
        if turn.is_quarter:
            _copy_columns(strip, part, lines)
        else:
            part[:] = strip
        if table is not None:
            table.take(part & (len(table) - 1), out=part, mode="clip")
        as_pixels(narrow, (width, len(part)))[:] = part
        yield part, narrow.data[: 3 * part.size]


def as_pixels(packed: NDArray[np.uint8], size: tuple[int, int]) -> Pixels:
    """A view of pixels of that size (width, height)."""
    width, height = size
    return np.ndarray((height, width), np.uint32, packed, strides=(3 * width, 3))


def _lines(step: int) -> int:
    """In how many places of a cache the pixels come to lie that are so many bytes apart."""
    return len({row * step % _PAGE // _LINE for row in range(_ROWS)})


def _copy_columns(columns: Pixels, rows: Pixels, lines: int) -> None:
    """Columns in memory become rows, as many pixels of each at a time as stay in the first cache meanwhile.

    lines: see `_lines`. Where they are few, as in pictures with sides of 4096, pixels are first brought
    closer together; one of each line is looked at before, for then many lines are on their way at once.
    """
    if lines >= _FEW_LINES:
        together = lines * _WAYS
        for left in range(0, rows.shape[1], together):
            rows[:, left : left + together] = columns[:, left : left + together]
        return
    copy = np.empty((_COPIED, len(rows)), np.uint32)
    for left in range(0, rows.shape[1], _COPIED):
        part = columns[:, left : left + _COPIED].T
        part[:, :: _LINE // 3].max()
        copy[: len(part)] = part
        rows[:, left : left + _COPIED] = copy[: len(part)].T
