"""JPEGs of three channels, decoded to packed pixels of three bytes.

Both this decoder and Pillow's are libjpeg-turbo, so the pixels are the same (a test holds it). But Pillow
brings each row into a form of four bytes a pixel, and packs it again for the digest: a quarter of the time,
and of the memory. What this decoder has any doubt about is left to Pillow, which decides.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from truthmill.image_container import Container
from truthmill.similarity import sample_size

_MISSING = "premature end"  # of libjpeg's warning that bits are missing (jerror.h, JWRN_HIT_MARKER)


class DoubtError(Exception):
    """The decoder had an error, or as much as a warning. lacks_bits: whether it missed some at an end."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.lacks_bits = _MISSING in said


@dataclass(frozen=True, slots=True)
class Packed:
    """A decoded picture, RGB. pixels: height x width x 3."""

    pixels: NDArray[np.uint8]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        height, width = self.pixels.shape[:2]
        return width, height

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A part of it as Pillow's. box: left, top, right, bottom."""
        left, top, right, bottom = box
        return _image(self.pixels[top:bottom, left:right], (right - left, bottom - top))

    def sampled(self) -> Image.Image:
        """As `similarity.sampled` makes it of the same picture."""
        size = sample_size(self.size)
        return _image(self.pixels.reshape(-1, 3).take(_places(*self.size, size), axis=0), size)


def decode(container: Container, data: bytes) -> Packed:
    """All pixels. Raises DoubtError where Pillow has to look at it.

    container: of a JPEG of three channels in a coding that browsers know.
    """
    try:
        pixels = simplejpeg.decode_jpeg(data, "RGB", strict=True)
    except Exception as error:  # noqa: BLE001 (whatever it is, Pillow tells what becomes of the file)
        raise DoubtError(str(error)) from None
    if pixels.shape != (container.height, container.width, 3):
        raise DoubtError(f"{pixels.shape} pixels")
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
