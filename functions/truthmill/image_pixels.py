"""A picture's pixels: brought to upright 8-bit sRGB in three channels, scaled, encoded.

Pillow and the colour engine are imported when first needed; they are most of what a cold start would cost.
"""

import io
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from truthmill import image_colour, jpeg_strips
from truthmill.errors import PictureError
from truthmill.image_container import UNDEFINED_WHITE, Container

if TYPE_CHECKING:
    from PIL import Image

REACH = 3  # pixels of the smaller of both sizes that the resampling filter reaches to each side
JPEG_LONGEST_SIDE = 65500  # libjpeg's own limit
_JPEG_QUALITIES = (95, 90, 80, 60, 40, 20)
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
_ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")


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

    16 bits become 8 by their high byte; alpha is laid over white, as every viewer shows it on a page.
    Raises PictureError for samples without a defined range.
    """
    words: list[str] = []
    image, alpha = _eight_bits(container, image), None
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        image, alpha = _without_alpha(container, image)
        words.append("alpha-over-white" if alpha else "rgb")
    elif image.mode != "RGB":
        words.append("rgb")
    if container.format == "jpeg" and image.mode == "CMYK" and not container.adobe:
        from PIL import ImageChops  # noqa: PLC0415 (see the module's docstring)

        image = ImageChops.invert(image)  # Pillow takes every CMYK JPEG for Adobe's, which are inverted
    if image_colour.is_foreign(container.profile):
        image = image_colour.from_profile(image, container.profile)
        words.append("srgb")
    elif image.mode != "RGB":
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
