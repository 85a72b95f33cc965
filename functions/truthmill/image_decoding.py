"""A picture's pixels, decoded by Pillow: all of them or none, and each format by its own rules.

Pillow is imported when first needed; it is most of what a cold start would cost.
"""

import io
import threading
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from truthmill import image_colour, image_metadata, image_png, image_webp, tiff_decoder
from truthmill.errors import PictureError
from truthmill.image_container import Container

if TYPE_CHECKING:
    from PIL import Image

_ANY_BITS = bytes(range(254, 0, -1)) * 2  # ones first: the decoder takes zeros for those that are missing
_TOO_FEW = "the {} has too few pixels"
_ROWS = 64  # of a whole picture at a time
# Python's warning filters, and what TIFF's decoder is told, belong to all threads at once.
_one_at_a_time = threading.Lock()


def decode(
    container: Container,
    data: bytes,
    admit: Callable[[tuple[int, int]], None],
    *,
    lacks_bits: bool = False,
) -> "Image.Image":
    """Decode all pixels of the first picture.

    admit: raises PictureError for a size, in pixels, that must not be decoded; asked before memory is taken.
    lacks_bits: whether another decoder missed some of a JPEG, which Pillow's passes over.
    Raises PictureError truncated or damaged for whatever goes wrong in the decoder.
    """
    try:
        image = _decode(container, data, admit)
        if container.format != "jpeg" or not (lacks_bits or _ends_in_grey(image)):
            return image
        before = _digest(image)
        del image  # two of them might be more than there is memory for
        return _decode_with_more(container, data, admit, before)
    except PictureError:
        raise
    except Exception as error:  # a decoder's way to fail on broken bytes can be any
        if container.variety and _is_unknown(error):
            said = f"{container.variety}; export it as PNG or JPEG"
            raise PictureError("unsupported-format", said) from error
        said = f"{container.format.upper()}: {_said(error)}"
        cut = isinstance(error, EOFError) or "truncat" in said.lower() or "end of file" in said.lower()
        raise PictureError("truncated" if cut else "damaged", said[:200]) from error


def _is_unknown(error: Exception) -> bool:
    """Whether the decoder doesn't know this variety of the format, rather than finding it broken."""
    from PIL import UnidentifiedImageError  # noqa: PLC0415 (see the module's docstring)

    return isinstance(error, UnidentifiedImageError) or str(error).startswith("Unsupported")


def _said(error: Exception) -> str:
    """What a decoder says, the same each time: Pillow would name the object in memory that it didn't know."""
    from PIL import UnidentifiedImageError  # noqa: PLC0415 (see the module's docstring)

    unknown = isinstance(error, UnidentifiedImageError)
    return "no header that the decoder knows" if unknown else str(error) or type(error).__name__


def _decode(container: Container, data: bytes, admit: Callable[[tuple[int, int]], None]) -> "Image.Image":
    from PIL import Image  # noqa: PLC0415 (see the module's docstring)

    if container.format == "webp" and container.width * container.height >= image_webp.LARGE:
        admit((container.width, container.height))
        image = image_webp.decoded(container, data)
        if image is not None:
            return image
    Image.MAX_IMAGE_PIXELS = None  # admit() holds the limit
    with ExitStack() as stack:
        said = _alone(container, stack)
        file = _FILES.get(container.format, io.BytesIO)(data)
        image = stack.enter_context(Image.open(file, formats=[container.format.upper()]))
        header = (container.width, container.height)
        if all(header) and image.size not in (header, header[::-1]):
            raise PictureError(
                "damaged", f"the header says {header[0]} x {header[1]}, the decoder {image.size}"
            )
        admit(image.size)
        if container.format == "tiff":  # which Pillow turns itself, by its own reading of what the file says
            image.getexif()[image_metadata.ORIENTATION] = image_metadata.orientation(
                container.exif, container.xmp
            )
            _load_tiff(container, image, said)
        image.load()
        if container.format == "png" and not _is_complete_png(image, data):
            raise PictureError("truncated", _TOO_FEW.format("PNG"))
        if container.format == "avif":
            # Its orientation is what the file's rotation and mirror properties come to; they overrule XMP.
            container.exif, container.orientation = image.info.get("exif", b""), 0
            if profile := image.info.get("icc_profile", b""):  # else what its code points say
                container.profile = image_colour.usable(profile, container.channels)
            container.frames = getattr(image, "n_frames", 1)
            if {"exif", "xmp"} & image.info.keys():
                container.changes = ("metadata-removed",)
        return _unpainted(image, container.painted) if container.painted else image


def _tiff_file(tiff: bytes) -> io.BytesIO:
    return io.BytesIO(image_metadata.as_classic(tiff) if tiff.startswith(b"MM\x00+") else tiff)


_FILES: dict[str, Callable[[bytes], Any]] = {"png": image_png.in_one, "tiff": _tiff_file}


def _unpainted(image: "Image.Image", painted: tuple[int, int, int, int]) -> "Image.Image":
    """With nothing where a GIF's first frame paints nothing, as browsers show it; Pillow takes some colour.

    painted: left, top, right, bottom. Some rows at a time, for the whole would be held twice.
    """
    from PIL import Image  # noqa: PLC0415 (see the module's docstring)

    left, top, right, bottom = painted
    page = Image.new("RGBA", image.size)
    for row in range(top, bottom, _ROWS):
        box = (left, row, right, min(row + _ROWS, bottom))
        page.paste(image.crop(box).convert("RGBA"), box)
    return page


def _decode_with_more(
    container: Container, data: bytes, admit: Callable[[tuple[int, int]], None], before: bytes
) -> "Image.Image":
    """Decode a JPEG once more, with bits behind those that it has.

    More bits than needed are never looked at. Where some were missing, these change the last pixels, and so
    their digest before.
    """
    image = _decode(container, data[:-2] + _ANY_BITS + data[-2:], admit)
    if _digest(image) != before:
        raise PictureError("truncated", _TOO_FEW.format("JPEG"))
    return image


def _alone(container: Container, stack: ExitStack) -> list[str]:
    """Keep Pillow quiet about broken tags in the two formats whose metadata it has to read itself.

    stack: what ends it. Answers with a list of what TIFF's decoder will have said.
    """
    if container.format not in ("tiff", "avif"):
        return []
    stack.enter_context(_one_at_a_time)
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    if container.format == "avif":
        return []
    stack.enter_context(tiff_decoder.by_library(wanted=container.is_planar and container.bits > 8))
    return stack.enter_context(tiff_decoder.listening())


def _load_tiff(container: Container, image: "Image.Image", said: list[str]) -> None:
    """Decode it. said: by the decoder, which knows more than Pillow tells."""
    try:
        image.load()
    except OSError as error:
        if any("not configured" in text for text in said):
            raise OSError("Unsupported compression") from error
        if any("Read error" in text for text in said):
            raise OSError("image file is truncated") from error
        raise
    if container.is_fax and said:
        raise PictureError("damaged", "a TIFF with fax codes that can't be read")


def _is_complete_png(image: "Image.Image", data: bytes) -> bool:
    """Whether the file had all the pixels; the decoder passes over the lack of some, and leaves zeros there.

    Only a picture that ends so is worth a second look.
    """
    lines = [image.crop((0, row, image.width, row + 1)) for row in range(image.height)[-2:]]
    return all(any(line.tobytes()) for line in lines) or image_png.is_complete(data)


def _ends_in_grey(image: "Image.Image") -> bool:
    """Whether the last pixels are mid grey, as JPEG's decoder leaves those that the file doesn't have."""
    width, height = image.size
    levels = image.crop((max(width - 4, 0), max(height - 4, 0), width, height)).tobytes()
    return min(levels) >= 126 and max(levels) <= 129


def _digest(image: "Image.Image") -> bytes:
    """Of all pixels, taken a few rows at a time."""
    from xxhash import xxh3_128  # noqa: PLC0415 (see the module's docstring)

    seen = xxh3_128()
    for top in range(0, image.height, _ROWS):
        seen.update(image.crop((0, top, image.width, min(top + _ROWS, image.height))).tobytes())
    return seen.digest()
