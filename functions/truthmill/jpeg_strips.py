"""A baseline JPEG made of strips, so that the whole picture is never held beside what it is made from.

Each strip is encoded as a picture of its own, with the same tables; behind each but the last comes a restart
marker (ITU T.81, E.1.4), at which coding begins anew anyway. So the pixels are those of one that is encoded
as a whole: blocks lie within strips, and their colours are reduced within them.
"""

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

UNIT = 16  # rows of pixels: a strip has a multiple of them, because coded units are 8 or 16 high
_FRAME, _SCAN, _RESTART_INTERVAL, _RESTART = 0xC0, 0xDA, 0xDD, 0xD0
_UNIT_SIZE = {0: (8, 8), 1: (16, 8), 2: (16, 16)}  # width and height of a coded unit, by subsampling (A.2)


def encoded(
    strips: Iterable["Image.Image"], height: int, quality: int, subsampling: int, most: int
) -> bytes | None:
    """The JPEG, or None where it would have more than so many bytes.

    strips: RGB, from the top; all but the last of one height, a multiple of UNIT. height: of the picture.
    subsampling: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0.
    """
    out = bytearray()
    for number, strip in enumerate(strips):
        head, scan = _encoded(strip, quality, subsampling)
        if number:
            out += bytes((0xFF, _RESTART + (number - 1) % 8))
        else:
            out += _head(head, height, _units(strip.size, subsampling))
        out += scan
        if len(out) + 2 > most:
            return None
    out += b"\xff\xd9"
    return bytes(out)


def _encoded(strip: "Image.Image", quality: int, subsampling: int) -> tuple[bytes, bytes]:
    """A JPEG of it up to its pixels; these without the end marker."""
    out = io.BytesIO()
    strip.info = {}
    strip.save(out, "JPEG", quality=quality, subsampling=subsampling)
    data = out.getvalue()
    at = _segment(data, _SCAN)
    start = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data[:start], data[start:-2]


def _units(size: tuple[int, int], subsampling: int) -> int:
    """Coded units of a picture of that size (width, height)."""
    width, height = (-(-side // unit) for side, unit in zip(size, _UNIT_SIZE[subsampling], strict=True))
    return width * height


def _head(head: bytes, height: int, interval: int) -> bytes:
    """With the whole picture's height, and restart markers after so many coded units (B.2.2, B.2.4.4)."""
    frame, scan = _segment(head, _FRAME), _segment(head, _SCAN)
    return b"".join(
        (
            head[: frame + 5],
            height.to_bytes(2, "big"),
            head[frame + 7 : scan],
            bytes((0xFF, _RESTART_INTERVAL, 0, 4)),
            interval.to_bytes(2, "big"),
            head[scan:],
        )
    )


def _segment(data: bytes, marker: int) -> int:
    """Where the segment begins."""
    at = 2
    while data[at + 1] != marker:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at
