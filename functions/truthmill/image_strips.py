"""A decoded picture as upright, 8-bit sRGB in three channels, strip by strip.

Pillow holds 4 bytes a pixel, 381 MiB of a picture of 100 megapixels. To turn it or to convert its colours as
a whole would take as much again for each step; of a strip it takes next to nothing.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from truthmill import image_colour, image_pixels
from truthmill.image_container import Container

if TYPE_CHECKING:
    from PIL import Image

STRIP = 200_000  # pixels: 0.8 MB, which stay in a processor's cache while they are turned into as many
Strips: TypeAlias = Iterator[tuple["Image.Image", list[str]]]


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Width and height once turned. orientation: 1 to 8 (TIFF 6.0, page 36)."""
    return size if orientation < 5 else size[::-1]


def developed(container: Container, image: "Image.Image", orientation: int) -> Strips:
    """Strips from the top to the bottom, each with the conversions that it took (but for the turn).

    A picture that needs nothing, or isn't larger than a strip, comes as one. Raises PictureError as
    `image_pixels.rgb` does.
    """
    width, height = image.size
    if width * height <= STRIP or _is_fit(container, image, orientation):
        return strips(container, lambda _: image, image.size, orientation, STRIP + width * height)
    return strips(container, image.crop, image.size, orientation)


def strips(
    container: Container,
    crop: Callable[[tuple[int, int, int, int]], "Image.Image"],
    size: tuple[int, int],
    orientation: int,
    most: int = STRIP,
) -> Strips:
    """The same of a picture of that size (width, height), given what makes an image of a box of it.

    most: pixels of a strip.
    """
    width, height = upright_size(size, orientation)
    rows = max(1, most // width)
    for top in range(0, height, rows):
        part = crop(_box(size, orientation, top, min(top + rows, height)))
        strip, words = image_pixels.rgb(container, part)
        yield image_pixels.upright(strip, orientation), words


def of_rows(container: Container, image: "Image.Image", orientation: int, unit: int) -> Strips:
    """As `developed`, always in strips, of which all but the last have a multiple of so many rows."""
    width, _ = upright_size(image.size, orientation)
    rows = unit * max(1, STRIP // width // unit)
    return strips(container, image.crop, image.size, orientation, rows * width)


def scaled(
    container: Container,
    image: "Image.Image",
    orientation: int,
    size: tuple[int, int],
    unit: int,
) -> Strips:
    """As `of_rows`, scaled down to that size (width, height): each strip from the rows that it depends on.

    Which are those that it covers, and as many besides as the filter reaches. Of a strip Pillow
    may scale rows before columns, with its rounding between, so levels may come out up to two off what they
    were if all were scaled at once.
    """
    width, height = upright_size(image.size, orientation)
    step, reach = height / size[1], math.ceil(image_pixels.REACH * max(1.0, height / size[1])) + 1
    rows = unit * max(1, STRIP // math.ceil(width * step) // unit)
    for first in range(0, size[1], rows):
        last = min(first + rows, size[1])
        top, bottom = max(0, int(first * step) - reach), min(height, math.ceil(last * step) + reach)
        part, words = image_pixels.rgb(container, image.crop(_box(image.size, orientation, top, bottom)))
        upright = image_pixels.upright(part, orientation)
        covered = (0, first * step - top, width, min(last * step - top, bottom - top))
        yield image_pixels.scaled(upright, (size[0], last - first), covered), words


def _is_fit(container: Container, image: "Image.Image", orientation: int) -> bool:
    """Whether the pixels need nothing done."""
    return (
        orientation == 1
        and image.mode == "RGB"
        and "transparency" not in image.info
        and not image_colour.is_foreign(container.profile)
        and not image_colour.has_foreign_gamma(container)
    )


def _box(size: tuple[int, int], orientation: int, top: int, bottom: int) -> tuple[int, int, int, int]:
    """Where the upright rows from top to bottom lie in the picture as it came: left, top, right, bottom."""
    width, height = size
    if orientation in (1, 2):
        return 0, top, width, bottom
    if orientation in (3, 4):
        return 0, height - bottom, width, height - top
    if orientation in (5, 6):
        return top, 0, bottom, height
    return width - bottom, 0, width - top, height


def joined(size: tuple[int, int], strips: Iterable["Image.Image"]) -> "Image.Image":
    """The picture of that size (width, height) that the strips make up."""
    from PIL import Image  # noqa: PLC0415 (it is most of what a cold start would cost)

    top, page = 0, None
    for strip in strips:
        if strip.size == size:
            return strip
        page = page or Image.new("RGB", size)
        page.paste(strip, (0, top))
        top += strip.height
    assert page is not None  # noqa: S101 (a picture has a row at least)
    return page


class Digest:
    """What identifies an RGB picture's pixels, whatever file they came in: 32 hexadecimal digits.

    XXH3 of 128 bits over width, height and rows: as fast as memory, where SHA-256 would take a third of what
    decoding does. No protection from a picture that is forged to agree with another.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        """size: width and height of the whole picture."""
        from xxhash import xxh3_128  # noqa: PLC0415 (as above)

        self._size = size
        self._is_first = True
        self._seen = xxh3_128(struct.pack(">2I", *size))

    def add(self, strip: "Image.Image") -> None:
        """Take in the next strip, from the top."""
        if strip.size == self._size:
            # The public way to get packed pixels block by block, without a copy of all: as a PPM.
            strip.save(cast("IO[bytes]", _Written(self._seen.update)), "PPM")
            return
        self.add_packed(strip.tobytes())

    def add_packed(self, pixels: bytes | memoryview) -> None:
        """Take in the next pixels, three bytes each."""
        if self._is_first:
            self._seen.update(b"P6\n%d %d\n255\n" % self._size)  # that PPM's head
            self._is_first = False
        self._seen.update(pixels)

    def hexdigest(self) -> str:
        return self._seen.hexdigest()


class _Written:
    """A file that hands on what is written to it, of which Pillow only calls write()."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self.write = write
