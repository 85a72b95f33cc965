"""JPEGs of three channels, decoded to packed pixels of three bytes, or of four.

Both this decoder and Pillow's are libjpeg-turbo, so the pixels are the same (a test holds it). But Pillow
brings each row into a form of four bytes a pixel, and packs it again for the digest: a quarter of the time,
and of the memory. What has to be turned is decoded to four bytes at once, which Pillow can turn where
they are. What this decoder has any doubt about is left to Pillow, which decides.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from truthmill.image_container import Container
from truthmill.similarity import sample_size

WIDE = 50_000_000  # pixels, up to which there is memory for four bytes of each
_WIDE_BYTES = 4
_MISSING = "premature end"  # of libjpeg's warning that bits are missing (jerror.h, JWRN_HIT_MARKER)


class DoubtError(Exception):
    """The decoder had an error, or as much as a warning. lacks_bits: whether it missed some at an end."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.lacks_bits = _MISSING in said


@dataclass(frozen=True, slots=True)
class Packed:
    """A decoded picture. pixels: height x width x 3; or 4, of which the last is nothing, and a spare row."""

    pixels: NDArray[np.uint8]

    @property
    def is_wide(self) -> bool:
        """Whether it has four bytes a pixel."""
        return bool(self.pixels.shape[2] == _WIDE_BYTES)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.pixels.shape[:2]
        return width, height - self.is_wide

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A part of it as Pillow's, RGB, or RGBX where it is wide. box: left, top, right, bottom."""
        left, top, right, bottom = box
        size = right - left, bottom - top
        if not self.is_wide:
            return _image(self.pixels[top:bottom, left:right], size)
        row = self.pixels.shape[1] * _WIDE_BYTES
        start = top * row + left * _WIDE_BYTES
        rows = self.pixels.reshape(-1)[start : start + size[1] * row]
        return Image.frombuffer("RGBX", size, rows, "raw", "RGBX", row, 1)  # it is no copy

    def sampled(self) -> Image.Image:
        """As `similarity.sampled` makes it of the same picture."""
        size = sample_size(self.size)
        if size == self.size:
            return self.crop((0, 0, *size)).convert("RGB")
        places = _places(*self.size, size)
        if not self.is_wide:
            return _image(self.pixels.reshape(-1, 3).take(places, axis=0), size)
        taken = self.pixels.view(np.uint32).ravel().take(places)
        return Image.frombuffer("RGBX", size, taken, "raw", "RGBX", 0, 1).convert("RGB")


def decode(container: Container, data: bytes, *, wide: bool = False) -> Packed:
    """All pixels. Raises DoubtError where Pillow has to look at it.

    container: of a JPEG of three channels in a coding that browsers know. wide: to four bytes a pixel.
    """
    shape = (container.height, container.width, _WIDE_BYTES if wide else 3)
    try:
        if wide:
            # So that as many bytes as whole rows have are there of any box, which Pillow asks for.
            pixels = np.empty((shape[0] + 1, *shape[1:]), np.uint8)
            found = simplejpeg.decode_jpeg(data, "RGBX", strict=True, buffer=pixels[:-1])
        else:
            pixels = found = simplejpeg.decode_jpeg(data, "RGB", strict=True)
    except Exception as error:  # noqa: BLE001 (whatever it is, Pillow tells what becomes of the file)
        raise DoubtError(str(error)) from None
    if found.shape != shape:
        raise DoubtError(f"{found.shape} pixels")
    return Packed(pixels)


def _image(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    return Image.frombuffer("RGB", size, np.ascontiguousarray(pixels), "raw", "RGB", 0, 1)


@lru_cache(maxsize=4)
def _places(width: int, height: int, size: tuple[int, int]) -> NDArray[np.intp]:
    """Which pixels a sample of that size (width, height) is made of, row by row."""
    across, down = (_nearest(*sides) for sides in ((width, size[0]), (height, size[1])))
    return (down[:, None] * width + across).ravel()


def _nearest(side: int, samples: int) -> NDArray[np.intp]:
    """Which of so many pixels in a line Pillow takes: asked of itself, for it adds up rounded steps."""
    line = Image.frombytes("I", (side, 1), np.arange(side, dtype=np.int32).tobytes())
    taken = line.resize((samples, 1), Image.Resampling.NEAREST)
    return np.frombuffer(taken.tobytes(), dtype=np.int32).astype(np.intp)
