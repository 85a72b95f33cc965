"""JPEGs of three channels, decoded to packed pixels of three bytes.

Both this decoder and Pillow's are libjpeg-turbo, so the pixels are the same (a test holds it). But Pillow
brings each row into a form of four bytes a pixel, and packs it again for the digest: a quarter of the time,
and of the memory. What this decoder has any doubt about is left to Pillow, which decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import simplejpeg  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image

from truthmill import image_turn
from truthmill.image_container import Container
from truthmill.similarity import sample_size

_FAR = 4  # pixels between two that are looked at, from which on these alone are less than whole rows
_MISSING = "premature end"  # of libjpeg's warning that bits are missing (jerror.h, JWRN_HIT_MARKER)


class DoubtError(Exception):
    """The decoder had an error, or as much as a warning. lacks_bits: whether it missed some at an end."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.lacks_bits = _MISSING in said


@dataclass(frozen=True, slots=True)
class Packed:
    """A decoded picture. size: width and height. rows: three bytes a pixel, and SPARE of `image_turn`."""

    size: tuple[int, int]
    rows: NDArray[np.uint8]

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """All of them, height x width x 3."""
        width, height = self.size
        return self.rows[: -image_turn.SPARE].reshape(height, width, 3)

    def crop(self, box: tuple[int, int, int, int]) -> Image.Image:
        """A part of it as Pillow's. box: left, top, right, bottom."""
        left, top, right, bottom = box
        return _image(self.pixels[top:bottom, left:right], (right - left, bottom - top))

    def sampled(self) -> Image.Image:
        """As `similarity.sampled` makes it of the same picture; RGB, or RGBX."""
        (width, height), size = self.size, sample_size(self.size)
        if size == self.size:
            return _image(self.pixels, size)
        if width > _FAR * size[0]:
            return _image(self.pixels.reshape(-1, 3).take(_places(*self.size, size), axis=0), size)
        across, down = (_nearest(*sides) for sides in zip(self.size, size, strict=True))
        rows = np.empty(3 * width * len(down) + image_turn.SPARE, np.uint8)
        self.pixels.reshape(height, -1).take(
            down, 0, rows[: -image_turn.SPARE].reshape(len(down), -1), "clip"
        )
        return _wide_image(image_turn.as_pixels(rows, (width, len(down))).copy().take(across, axis=1))

    def turned(
        self,
        orientation: int,
        seen: Callable[[memoryview], None],
        table: image_turn.Pixels | None = None,
    ) -> Image.Image:
        """As `sampled`, once turned, in four bytes a pixel.

        seen: is handed all turned pixels, packed. table: what each colour becomes, if anything.
        """
        turn, size = image_turn.Turn(orientation), sample_size(self.size)
        across, down = (_nearest(*sides) for sides in zip(self.size, size, strict=True))
        down, across = turn.places(down, across, self.size)
        sample, top, first = np.empty((len(down), len(across)), np.uint32), 0, 0
        for part, packed in image_turn.upright_rows(self.rows, self.size, turn, table):
            seen(packed)
            last = int(np.searchsorted(down, top + len(part)))
            part[down[first:last] - top].take(across, axis=1, out=sample[first:last], mode="clip")
            top, first = top + len(part), last
        return _wide_image(sample)


def decode(container: Container, data: bytes) -> Packed:
    """All pixels. Raises DoubtError where Pillow has to look at it.

    container: of a JPEG of three channels in a coding that browsers know.
    """
    size = container.width, container.height
    rows = np.empty(3 * size[0] * size[1] + image_turn.SPARE, np.uint8)
    try:
        found = simplejpeg.decode_jpeg(data, "RGB", strict=True, buffer=rows[: -image_turn.SPARE])
    except Exception as error:  # noqa: BLE001 (whatever it is, Pillow tells what becomes of the file)
        raise DoubtError(str(error)) from None
    if found.shape != (*size[::-1], 3):
        raise DoubtError(f"{found.shape} pixels")
    return Packed(size, rows)


def _image(pixels: NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    return Image.frombuffer("RGB", size, np.ascontiguousarray(pixels), "raw", "RGB", 0, 1)


def _wide_image(pixels: image_turn.Pixels) -> Image.Image:
    """It is no copy."""
    return Image.frombuffer("RGBX", pixels.shape[::-1], pixels, "raw", "RGBX", 0, 1)


@lru_cache(maxsize=4)
def _places(width: int, height: int, size: tuple[int, int]) -> NDArray[np.intp]:
    """Which pixels a sample of that size (width, height) is made of, row by row."""
    across, down = (_nearest(*sides) for sides in ((width, size[0]), (height, size[1])))
    return (down[:, None] * width + across).ravel()


@lru_cache(maxsize=8)
def _nearest(side: int, samples: int) -> NDArray[np.intp]:
    """Which of so many pixels in a line Pillow takes: asked of itself, for it adds up rounded steps."""
    line = Image.frombytes("I", (side, 1), np.arange(side, dtype=np.int32).tobytes())
    taken = line.resize((samples, 1), Image.Resampling.NEAREST)
    return np.frombuffer(taken.tobytes(), dtype=np.int32).astype(np.intp)
