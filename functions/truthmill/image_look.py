"""A picture's pixels, decoded once: what identifies them, and what the picture's fingerprint is made of.

Imported only where pictures are inspected; it brings in NumPy and both decoders.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PIL.Image import Image

from truthmill import image_packed, image_pixels, image_strips, similarity
from truthmill.image_container import Container


@dataclass(frozen=True, slots=True)
class Look:
    """What the upright sRGB pixels come to, before scaling.

    size: width and height. pixels: their digest. square: see `similarity`. words: conversions that they took.
    """

    size: tuple[int, int]
    pixels: str
    square: bytes
    words: frozenset[str] = frozenset()


def look(
    container: Container,
    data: bytes,
    turn_of: Callable[[Container], int],
    admit: Callable[[tuple[int, int]], None],
    *,
    is_fit: bool,
) -> Look:
    """Decode all pixels.

    turn_of: tells the orientation that decoded pixels have still to be turned by; an AVIF's is known only
    then. admit: as of `image_pixels.decode`; the size that the container says has been asked about.
    is_fit: whether the pixels need nothing done.
    Raises PictureError as `image_pixels` does.
    """
    lacks_bits = False
    if container.format == "jpeg" and container.keeps:
        try:
            return _look_packed(
                container, image_packed.decode(container, data), turn_of(container), is_fit=is_fit
            )
        except image_packed.DoubtError as doubt:
            lacks_bits = doubt.lacks_bits
    image = image_pixels.decode(container, data, admit, lacks_bits=lacks_bits)
    sample, turn = similarity.sampled(image), turn_of(container)
    return _developed(container, sample, turn, image.size, image_strips.developed(container, image, turn))


def _look_packed(container: Container, packed: image_packed.Packed, turn: int, *, is_fit: bool) -> Look:
    if not is_fit:
        strips = image_strips.strips(container, packed.crop, packed.size, turn)
        return _developed(container, packed.sampled(), turn, packed.size, strips)
    digest = image_strips.Digest(packed.size)
    digest.add_packed(packed.pixels.data)
    return Look(packed.size, digest.hexdigest(), similarity.square(packed.sampled()))


def _developed(
    container: Container, sample: Image, turn: int, size: tuple[int, int], strips: image_strips.Strips
) -> Look:
    """size: width and height before the turn."""
    size = image_strips.upright_size(size, turn)
    digest, words = image_strips.Digest(size), set[str]()
    for strip, said in strips:
        digest.add(strip)
        words.update(said)
    square = similarity.square(image_pixels.upright(image_pixels.rgb(container, sample)[0], turn))
    return Look(size, digest.hexdigest(), square, frozenset(words))
