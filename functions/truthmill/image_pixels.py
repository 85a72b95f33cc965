"""A picture's pixels: decoded, brought to upright 8-bit sRGB in three channels, encoded.

Pillow and the colour engine are imported when first needed; they are most of what a cold start would cost.
"""

import io
import threading
import warnings
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from truthmill import image_colour, image_metadata, image_png, image_webp, jpeg_strips, tiff_decoder
from truthmill.errors import PictureError
from truthmill.image_container import UNDEFINED_WHITE, Container

if TYPE_CHECKING:
    from PIL import Image

REACH = 3  # pixels of the smaller of both sizes that the resampling filter reaches to each side
JPEG_LONGEST_SIDE = 65500  # libjpeg's own limit
_JPEG_QUALITIES = (95, 90, 80, 60, 40, 20)
_ANY_BITS = bytes(range(254, 0, -1)) * 2  # ones first: the decoder takes zeros for those that are missing
_TOO_FEW = "the {} has too few pixels"
_ROWS = 64  # of a whole picture at a time
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_COLOURS = ("RGB", "RGBX")
_ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
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
        file = io.BytesIO(_PREPARED.get(container.format, bytes)(data))
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


def _tiff_for_pillow(tiff: bytes) -> bytes:
    return image_metadata.as_classic(tiff) if tiff.startswith(b"MM\x00+") else tiff


_PREPARED = {"png": image_png.in_one, "tiff": _tiff_for_pillow}


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
        raise OSError(
            f"truncated: {error}" if any("Read error" in text for text in said) else error
        ) from error
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


def upright(image: "Image.Image", orientation: int) -> "Image.Image":
    """Turn and mirror so that the first row is on top. orientation: 1 to 8 (TIFF 6.0, page 36)."""
    from PIL.Image import Transpose  # noqa: PLC0415 (see the module's docstring)

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def rgb(container: Container, image: "Image.Image") -> tuple["Image.Image", list[str]]:
    """The same picture in 8-bit sRGB, and the conversions that this took.

    16 bits become 8 by their high byte; alpha is laid over white, as every viewer shows it on a page. RGBX
    stays where nothing is to be converted.
    Raises PictureError for samples without a defined range.
    """
    words: list[str] = []
    image, alpha = _eight_bits(container, image), None
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        image, alpha = _without_alpha(container, image)
        words.append("alpha-over-white" if alpha else "rgb")
    elif image.mode not in _COLOURS:
        words.append("rgb")
    if container.format == "jpeg" and image.mode == "CMYK" and not container.adobe:
        from PIL import ImageChops  # noqa: PLC0415 (see the module's docstring)

        image = ImageChops.invert(image)  # Pillow takes every CMYK JPEG for Adobe's, which are inverted
    if image_colour.is_foreign(container.profile):
        image = image_colour.from_profile(image, container.profile)
        words.append("srgb")
    elif image.mode not in _COLOURS:
        image = image.convert("RGB")
    if image_colour.has_foreign_gamma(container):
        image = image.point(image_colour.gamma_table(container.gamma) * 3)
        words.append("srgb")
    return _over_white(image, alpha) if alpha else image, words


def _eight_bits(container: Container, image: "Image.Image") -> "Image.Image":
    if image.mode in ("I", "F"):
        raise PictureError("unsupported-format", UNDEFINED_WHITE)
    if image.mode not in _DEEP_MODES:
        return image
    shift = max(container.bits, 9) - 8
    levels = [min(value >> shift, 255) for value in range(65536)]
    if container.is_inverted:  # Pillow sees to that up to 8 bits
        levels = [255 - level for level in levels]
    grey = image.convert("I").point(levels, "L")
    key = image.info.get("transparency")
    if isinstance(key, int):
        grey.putalpha(image.convert("I").point([0 if value == key else 255 for value in range(65536)], "L"))
    return grey


def _without_alpha(container: Container, image: "Image.Image") -> tuple["Image.Image", "Image.Image | None"]:
    """Its colours, and how opaque each pixel is; None where all are."""
    key = image.info.get("transparency")
    if container.bits == 16 and isinstance(key, tuple):
        image.info["transparency"] = tuple(value >> 8 for value in key)
    if container.bits < 8 and isinstance(key, int) and image.mode == "L":  # of samples as the file has them
        image.info["transparency"] = key * 255 // (2**container.bits - 1)
    image = image.convert("RGBA" if image.mode in ("P", "PA", "RGB", "RGBA", "RGBa") else "LA")
    alpha = image.getchannel("A")
    colours = image.convert("RGB") if image.mode == "RGBA" else image.getchannel("L")
    return colours, alpha if alpha.getextrema() != (255, 255) else None


def _over_white(image: "Image.Image", alpha: "Image.Image") -> "Image.Image":
    """Blended as sRGB, as browsers do it."""
    from PIL import Image  # noqa: PLC0415 (see the module's docstring)

    page = Image.new("RGB", image.size, (255, 255, 255))
    page.paste(image, mask=alpha)
    return page


def scaled(
    image: "Image.Image", size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> "Image.Image":
    """Resampled to a size in pixels. box: left, top, right, bottom of the part that is wanted, else all."""
    from PIL.Image import Resampling  # noqa: PLC0415 (see the module's docstring)

    return image.resize(size, Resampling.LANCZOS, box)


def encode_png(image: "Image.Image") -> bytes:
    """A PNG of the pixels and nothing else."""
    out = io.BytesIO()
    _bare(image).save(out, "PNG")
    return out.getvalue()


def encode_jpeg(image: "Image.Image", subsampling: int, max_bytes: int) -> bytes:
    """A baseline JPEG of quality 95, or the highest of some lower ones that fits into max_bytes.

    subsampling: 0 for 4:4:4, 1 for 4:2:2, 2 for 4:2:0. Raises PictureError too-large where none fits.
    """
    bare = _bare(image)
    for quality in _JPEG_QUALITIES:
        out = io.BytesIO()
        bare.save(out, "JPEG", quality=quality, subsampling=subsampling)
        if out.tell() <= max_bytes:
            return out.getvalue()
    raise _too_large(max_bytes)


def encode_jpeg_of_strips(
    strips: Callable[[], Iterable[tuple["Image.Image", list[str]]]],
    height: int,
    subsampling: int,
    max_bytes: int,
) -> bytes:
    """The same of what strips make up, which are asked for once for each quality; see `jpeg_strips`."""
    for quality in _JPEG_QUALITIES:
        pixels = (strip for strip, _ in strips())
        made = jpeg_strips.encoded(pixels, height, quality, subsampling, max_bytes)
        if made is not None:
            return made
    raise _too_large(max_bytes)


def _too_large(max_bytes: int) -> PictureError:
    quality = _JPEG_QUALITIES[-1]
    return PictureError("too-large", f"more than {max_bytes} bytes as a JPEG of quality {quality}")


def subsampling(image: "Image.Image", *, turned: bool) -> int:
    """How a decoded JPEG's colours were subsampled, in Pillow's numbers; 0 (not at all) for anything else.

    turned: by a quarter; 4:2:2 on its side is a kind that can't be written.
    """
    from PIL.JpegImagePlugin import get_sampling  # noqa: PLC0415 (see the module's docstring)

    if image.mode == "L":
        return 2  # grey has no colours to lose
    sampling = max(get_sampling(image), 0)
    return 0 if sampling == 1 and turned else sampling


def _bare(image: "Image.Image") -> "Image.Image":
    """The picture without what Pillow would write into the file beside the pixels."""
    image.info = {}
    return image
