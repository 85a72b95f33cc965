"""Pictures: verified by decoding all of them, and made fit for labeling and training.

What is stored is upright, three channels of 8 bits, sRGB, JPEG or PNG, and holds nothing but the pixels (and
an ICC profile where it says sRGB and nothing else). Whatever can keep its pixel data does: a JPEG or PNG that
is fit keeps its very bytes, and one that only has metadata too much loses just that. For the rest:

- Lossless sources (PNG, BMP, GIF, TIFF, lossless WebP) become PNG, unless the PNG could pass the labeling
  service's size limit; then JPEG.
- Lossy sources (JPEG, AVIF, lossy WebP, JPEG within TIFF) become JPEG of quality 95: PNG would keep their
  artefacts exactly, at many times the size.
- Alpha is laid over white. Of several frames the first is kept.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from truthmill import (
    image_colour,
    image_containers,
    image_decoding,
    image_metadata,
    image_pixels,
    image_strips,
    jpeg_strips,
)
from truthmill.errors import PictureError
from truthmill.image_container import FRAMES, METADATA, PROFILE, TRAILER, Container

if TYPE_CHECKING:
    from PIL import Image

EXTENSIONS = {"jpeg": ".jpg", "png": ".png"}
_PNG_OVERHEAD = 1.01  # chunk headers, a filter byte a row, deflate's stored blocks
_PNG_SMALLEST = 1024
_LARGE = 20_000_000  # pixels, from which what is stored is made in strips: a second copy would be 76 MiB
_MOST_PIXELS = {"webp": 50_000_000, "avif": 50_000_000}  # whose decoders take up to 16 bytes for each


@dataclass(frozen=True, slots=True)
class Limits:
    """What the request and the labeling service take.

    max_pixels, max_bytes: of a picture's source; above, it is rejected. What is stored stays within them. A
    WebP or AVIF may have half of 100 million pixels, because of the memory that their decoders take.
    smallest_side: pixels; pictures with a shorter side are rejected. 0: no limit.
    largest_side: pixels; pictures with a longer side are scaled down, aspect kept. 0: no limit.
    """

    max_pixels: int = 100_000_000
    max_bytes: int = 40_000_000
    smallest_side: int = 0
    largest_side: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """What inspection found.

    sha256: of the source's bytes. pixels: digest of the upright sRGB pixels before scaling. square: what its
    fingerprint is made of, see `similarity`. width, height (pixels), format ("jpeg" or "png"): of the picture
    as it will be stored. conversions: what is done to it on the way there, empty where its bytes are kept;
    see `CONVERSIONS`. taken: EXIF capture time "YYYY-MM-DDTHH:MM:SS", or empty. orientation: as it came, 1
    to 8.
    """

    sha256: str
    pixels: str
    square: bytes
    width: int
    height: int
    format: str
    conversions: tuple[str, ...]
    taken: str
    orientation: int = 1


# Words of Picture.conversions. Two carry details: "format:webp->png", "scaled:4000x3000->1000x750".
CONVERSIONS = {
    "first-frame": "Only the first of several frames or pages is kept.",
    "upright": "Turned or mirrored as its orientation tag says.",
    "8-bit": "More than 8 bits a sample were brought to 8.",
    "rgb": "Grey, palette or CMYK became three channels.",
    "alpha-over-white": "Transparent parts were laid over white.",
    "srgb": "Colours were converted to sRGB from what its profile (or gamma) says.",
    "huffman": "Coded again, because browsers don't show arithmetic coding.",
    "profile-removed": "An unusable ICC profile was taken out.",
    "metadata-removed": "EXIF, XMP, IPTC, comments and the like, or a display's profile, were taken out.",
    "trailer-removed": "Bytes behind the end of the picture were cut off.",
    "scaled": "Scaled down to the request's largest side.",
    "format": "Converted to another format.",
}


def inspect(data: bytes, name: str, limits: Limits) -> Picture:
    """Verify one picture by decoding all of it, and tell what will be stored.

    name: as in the source; only its extension matters.
    Raises PictureError with a key of `rejections.REASONS` where it can't be used.
    """
    from truthmill.image_look import look  # noqa: PLC0415 (placing pictures never needs it)

    container = _open(data, name, limits)
    found = look(
        container,
        _cleaned(container, data),
        _turn,
        lambda size: _admit(container.format, size, limits),
    )
    size = found.size
    stored_size = _stored_size(size, limits)
    stored_as = _stored_format(container, stored_size, limits)
    return Picture(
        sha256=hashlib.sha256(data).hexdigest(),
        pixels=found.pixels,
        square=found.square,
        width=stored_size[0],
        height=stored_size[1],
        format=stored_as,
        conversions=_conversions(container, found.words, (size, stored_size), stored_as),
        taken=image_metadata.captured(container.exif),
        orientation=_orientation(container),
    )


def stored_bytes(data: bytes, name: str, limits: Limits) -> bytes:
    """The bytes to store for a picture that `inspect` took: the very same object where nothing needs doing.

    Deterministic, and idempotent on its own output. Raises PictureError as `inspect` does.
    """
    container = _open(data, name, limits)
    if _keeps_pixel_data(container, limits):
        return _cleaned(container, data)
    decoded, turn = _decode(container, data, limits), _turn(container)
    sampling = image_pixels.subsampling(decoded, turned=_orientation(container) > 4)
    upright_size = image_strips.upright_size(decoded.size, turn)
    size = _stored_size(upright_size, limits)
    stored_as = _stored_format(container, size, limits)
    if decoded.width * decoded.height >= _LARGE:
        strips_anew = _strips_anew(container, decoded, turn, size)
        if stored_as == "jpeg":
            return image_pixels.encode_jpeg_of_strips(strips_anew, size[1], sampling, limits.max_bytes)
        return image_pixels.encode_png(image_strips.joined(size, (strip for strip, _ in strips_anew())))
    strips = image_strips.developed(container, decoded, turn)
    image = image_strips.joined(upright_size, (strip for strip, _ in strips))
    if size != image.size:
        image = image_pixels.scaled(image, size)
    if stored_as == "png":
        return image_pixels.encode_png(image)
    return image_pixels.encode_jpeg(image, sampling, limits.max_bytes)


def _strips_anew(
    container: Container, image: "Image.Image", turn: int, size: tuple[int, int]
) -> Callable[[], image_strips.Strips]:
    """What makes strips of the picture as it is stored, scaled to that size (width, height), each time."""
    if size == image_strips.upright_size(image.size, turn):
        return lambda: image_strips.of_rows(container, image, turn, jpeg_strips.UNIT)
    return lambda: image_strips.scaled(container, image, turn, size, jpeg_strips.UNIT)


def _open(data: bytes, name: str, limits: Limits) -> Container:
    if len(data) > limits.max_bytes:
        raise PictureError("too-large", f"{len(data)} bytes, at most {limits.max_bytes}")
    container = image_containers.read(data, name)
    if container.width and container.height:
        _admit(container.format, (container.width, container.height), limits)
    return container


def _admit(format_: str, size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise PictureError(
            "too-many-pixels", f"{width} x {height} pixels, at most {limits.max_pixels} in all"
        )
    most = _MOST_PIXELS.get(format_, limits.max_pixels)
    if width * height > most:
        raise PictureError(
            "too-many-pixels",
            f"{width} x {height} pixels, at most {most} in all as {format_.upper()} (as JPEG or PNG "
            f"{limits.max_pixels})",
        )
    if min(size) < limits.smallest_side:
        raise PictureError(
            "too-small", f"{width} x {height} pixels, each side at least {limits.smallest_side}"
        )


def _decode(container: Container, data: bytes, limits: Limits) -> "Image.Image":
    """Decode what will be stored where that keeps its pixel data, so that those very bytes are verified."""
    return image_decoding.decode(
        container, _cleaned(container, data), lambda size: _admit(container.format, size, limits)
    )


def _cleaned(container: Container, data: bytes) -> bytes:
    """The file less what must not be stored; a profile stays where it says sRGB."""
    dropped = [METADATA, FRAMES, TRAILER]
    profile = container.profile
    if image_colour.is_broken(profile) or image_colour.is_foreign(profile) or _tells(container):
        dropped.append(PROFILE)
    return container.without(data, *dropped)


def _tells(container: Container) -> bool:
    """Whether its profile tells of more than colours."""
    return image_colour.says_more(container.profile, container.profile_name)


def _orientation(container: Container) -> int:
    if not container.orientation:
        container.orientation = image_metadata.orientation(container.exif, container.xmp)
    return container.orientation


def _turn(container: Container) -> int:
    """The orientation that the decoded pixels have still to be turned by; those of a TIFF Pillow turns."""
    return 1 if container.format == "tiff" else _orientation(container)


def _keeps_pixel_data(container: Container, limits: Limits) -> bool:
    size = (container.width, container.height)
    return _needs_nothing(container) and _stored_size(size, limits) == size


def _needs_nothing(container: Container) -> bool:
    """Whether the pixels are fit to be stored as they are, but for their number."""
    return (
        container.keeps
        and _orientation(container) == 1
        and not image_colour.is_foreign(container.profile)
        and not image_colour.has_foreign_gamma(container)
    )


def _stored_size(size: tuple[int, int], limits: Limits) -> tuple[int, int]:
    longest = max(size)
    if not limits.largest_side or longest <= limits.largest_side:
        return size
    width, height = (max(1, round(side * limits.largest_side / longest)) for side in size)
    return width, height


def _stored_format(container: Container, size: tuple[int, int], limits: Limits) -> str:
    """Either of EXTENSIONS. size: pixels as stored."""
    if _keeps_pixel_data(container, limits):
        return container.format
    width, height = size
    too_long = max(size) > image_pixels.JPEG_LONGEST_SIDE
    fits = (3 * width + 1) * height * _PNG_OVERHEAD + _PNG_SMALLEST <= limits.max_bytes
    if too_long and not fits:
        raise PictureError(
            "too-many-pixels",
            f"{width} x {height}: too large for a PNG, and a JPEG's side has at most 65500 pixels",
        )
    return "png" if too_long or (fits and not container.lossy) else "jpeg"


def _conversions(
    container: Container,
    words: frozenset[str],
    sizes: tuple[tuple[int, int], tuple[int, int]],
    stored_as: str,
) -> tuple[str, ...]:
    """Every conversion, in the order of CONVERSIONS. words: those that the pixels of any strip took."""
    done = {*words, *container.changes}
    if "alpha-over-white" in done:
        done.discard("rgb")  # which strips say that are opaque
    if _orientation(container) != 1:
        done.add("upright")
    if container.frames > 1:
        done.add("first-frame")
    if image_colour.is_broken(container.profile):
        done.add("profile-removed")
    tells = container.has(PROFILE) and _tells(container) and not image_colour.is_broken(container.profile)
    if container.has(METADATA) or tells:
        done.add("metadata-removed")
    if container.has(TRAILER):
        done.add("trailer-removed")
    listed = [word for word in CONVERSIONS if word in done]
    before, after = sizes
    if before != after:
        listed.append(f"scaled:{before[0]}x{before[1]}->{after[0]}x{after[1]}")
    if stored_as != container.format:
        listed.append(f"format:{container.format}->{stored_as}")
    return tuple(listed)
