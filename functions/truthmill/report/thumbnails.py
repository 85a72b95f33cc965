"""Small pictures for the page: cut, scaled and packed as JPEG until all fit their share of the page."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE = 360  # longest side of what is held, pixels
# Longest side in pixels and JPEG quality, the best first; the first at which all fit is taken.
LEVELS = ((360, 76), (320, 70), (280, 66), (240, 60), (200, 55), (160, 50), (128, 45))
MARGIN = 1.5  # a cut-out reaches so many times the box's longer side beyond it
LEAST_CUT = 96  # pixels a cut-out is wide at least
WHOLE_FROM = 0.25  # a box that long, of the picture's longer side, is shown in the whole picture


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int


def window(size_wh: tuple[int, int], box: tuple[int, int, int, int] | None) -> Window:
    """What to show of a picture: all of it, or the surroundings of a box that one would not see otherwise.

    box: left, top, width, height in pixels.
    """
    width, height = size_wh
    if box is None or max(box[2] / width, box[3] / height) >= WHOLE_FROM:
        return Window(0, 0, width, height)
    side = max(LEAST_CUT, round(max(box[2], box[3]) * (1 + 2 * MARGIN)))
    wide, tall = min(width, side * 4 // 3), min(height, side)
    left = min(max(0, box[0] + (box[2] - wide) // 2), width - wide)
    top = min(max(0, box[1] + (box[3] - tall) // 2), height - tall)
    return Window(left, top, wide, tall)


def shrink(content: bytes, part: Window) -> "Image.Image":
    """That part of a stored picture, its longest side at most SIDE pixels.

    A JPEG shown whole is decoded at a fraction of its size. Raises OSError or ValueError for what isn't a
    picture any more.
    """
    from PIL import Image  # noqa: PLC0415 - Pillow is most of a cold start

    Image.MAX_IMAGE_PIXELS = None  # the picture was admitted by its limits before it was stored
    with Image.open(io.BytesIO(content)) as picture:
        if (part.width, part.height) == picture.size:
            picture.draft("RGB", (SIDE, SIDE))
            whole = picture.convert("RGB")
        else:
            corner = (part.left + part.width, part.top + part.height)
            whole = picture.crop((part.left, part.top, *corner)).convert("RGB")
    whole.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return whole


def pack(pictures: Mapping[str, "Image.Image"], budget: int) -> dict[str, str]:
    """`data:` URIs of the pictures, together at most `budget` characters: smaller, coarser, at last fewer.

    The pictures come in the order of their worth; what is left out is left out from the end.
    """
    packed: dict[str, str] = {}
    for longest, quality in LEVELS:
        packed = {name: _uri(picture, longest, quality) for name, picture in pictures.items()}
        if _size(packed) <= budget:
            return packed
    while packed and _size(packed) > budget:
        packed.popitem()
    return packed


def _size(packed: Mapping[str, str]) -> int:
    return sum(map(len, packed.values()))


def _uri(picture: "Image.Image", longest: int, quality: int) -> str:
    out = io.BytesIO()
    scaled = picture
    if max(picture.size) > longest:
        scaled = picture.copy()
        scaled.thumbnail((longest, longest))
    scaled.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def in_turn(sheets: Sequence[Sequence[str]]) -> list[str]:
    """Names of all sheets, each once: the first of every sheet, then the second of every sheet, …"""
    longest = max(map(len, sheets), default=0)
    ordered = [sheet[at] for at in range(longest) for sheet in sheets if at < len(sheet)]
    return list(dict.fromkeys(ordered))
