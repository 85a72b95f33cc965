"""A picture's pixels, decoded once: what identifies them, and what the picture's fingerprint is made of.

Imported only where pictures are inspected; it brings in NumPy and both decoders.
"""

from collections.abc import Callable
from dataclasses import dataclass

from PIL.Image import Image

from truthmill import image_colour, image_decoding, image_packed, image_pixels, image_strips, similarity
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
) -> Look:
    """Decode all pixels.

    turn_of: tells the orientation that decoded pixels have still to be turned by; an AVIF's is known only
    then. admit: as of `image_decoding.decode`; the size that the container says has been asked about.
    Raises PictureError as `image_pixels` does.
    """
    lacks_bits = False
    if container.format == "jpeg" and container.keeps:
        try:
            return _look_packed(container, image_packed.decode(container, data), turn_of(container))
        except image_packed.DoubtError as doubt:
            lacks_bits = doubt.lacks_bits
    image = image_decoding.decode(container, data, admit, lacks_bits=lacks_bits)
    turn = turn_of(container)
    strips = image_strips.developed(container, image, turn)
    return _developed(container, lambda: similarity.sampled(image), turn, image.size, strips)


def _look_packed(container: Container, packed: image_packed.Packed, turn: int) -> Look:
    is_foreign = image_colour.is_foreign(container.profile)
    table = image_colour.table(container.profile) if is_foreign else None
    if is_foreign and table is None:
        strips = image_strips.strips(container, packed.crop, packed.size, turn)
        return _developed(container, lambda: packed.sampled().convert("RGB"), turn, packed.size, strips)
    size = image_strips.upright_size(packed.size, turn)
    digest = image_strips.Digest(size)
    if turn == 1 and table is None:
        digest.add_packed(packed.pixels.data)
        sample = packed.sampled()
    else:
        sample = packed.turned(turn, digest.add_packed, table)
    words = frozenset(("srgb",) if is_foreign else ())
    return Look(size, digest.hexdigest(), similarity.square(sample), words)


def _developed(
    container: Container,
    sampled: Callable[[], Image],
    turn: int,
    size: tuple[int, int],
    strips: image_strips.Strips,
) -> Look:
    """sampled: as `similarity.sampled` makes it. size: width and height before the turn."""
    size = image_strips.upright_size(size, turn)
    digest, words, sample = image_strips.Digest(size), set[str](), None
    for strip, said in strips:
        digest.add(strip)
        words.update(said)
        if strip.size == size == similarity.sample_size(size):  # all of it is looked at anyway
            sample = strip
    if sample is None:
        sample = image_pixels.upright(image_pixels.rgb(container, sampled())[0], turn)
    return Look(size, digest.hexdigest(), similarity.square(sample), frozenset(words))
