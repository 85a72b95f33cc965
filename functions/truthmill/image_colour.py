"""What a picture's samples mean: ICC profiles and PNG's gamma, and how they become sRGB.

The colour engine is imported only where a picture has a profile.
"""

import io
import struct
from functools import lru_cache
from typing import TYPE_CHECKING

from truthmill.image_colour_table import Tables
from truthmill.image_container import UNUSABLE_PROFILE, Container

if TYPE_CHECKING:
    from PIL import Image, ImageCms

    from truthmill.image_colour_table import Levels

_SRGB_GAMMA = 45455  # PNG's gAMA of sRGB, in 1/100000
MAX_PROFILE = 4 << 20  # bytes; printers' profiles have 2 MB
_COLOUR_TAGS = frozenset(
    (
        b"desc",
        b"cprt",
        b"dmnd",
        b"dmdd",
        b"vued",
        b"view",
        b"lumi",
        b"meas",
        b"tech",
        b"gamt",
        b"chad",
        b"chrm",
        b"rig0",
        b"rig2",
    )
) | {b"wtpt", b"bkpt", *(side + kind for side in (b"r", b"g", b"b") for kind in (b"XYZ", b"TRC"))}
_COLOUR_TAGS |= {b"%s%d" % (kind, number) for kind in (b"A2B", b"B2A", b"pre") for number in range(3)}
_UNNAMED = 16  # bytes of a description's head and two letters
_PLAIN_NAMES = (b"icc", b"icm", b"icc profile", b"photoshop icc profile")  # in a PNG's iCCP
_tables = Tables()
_SRGB_LEVELS = 3  # a profile whose colours differ from sRGB by no more than this is sRGB


def has_foreign_gamma(container: Container) -> bool:
    """Whether a PNG without a profile says that its samples follow another curve than sRGB's."""
    return container.gamma > 0 and abs(container.gamma - _SRGB_GAMMA) > 1000


@lru_cache(maxsize=8)
def gamma_table(gamma: int) -> list[int]:
    """The sRGB level of each level of samples that are light to the power of gamma / 100000.

    IEC 61966-2-1 has sRGB's curve, ISO 15948, 11.3.3.2 says what gAMA means.
    """
    table = []
    for level in range(256):
        light = (level / 255) ** (100000 / gamma)
        encoded = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
        table.append(round(255 * encoded))
    return table


def usable(profile: bytes, channels: int) -> bytes:
    """The profile, or what stands for an unusable one where it is for other channels than the picture's.

    channels: of colours, without alpha; 0 where that isn't known. Grey may have a profile for RGB, which
    it becomes.
    """
    space = profile[16:20]
    others = {b"RGB ": (4,), b"GRAY": (0, 3, 4), b"CMYK": (0, 1, 3)}.get(space, ())
    return UNUSABLE_PROFILE if channels in others else profile


def is_broken(profile: bytes) -> bool:
    """Whether an ICC profile is there and can't be used."""
    return len(profile) > MAX_PROFILE or (bool(profile) and _difference_from_srgb(profile) < 0)


def is_foreign(profile: bytes) -> bool:
    """Whether an ICC profile is there, can be used, and says something else than sRGB."""
    return 0 < len(profile) <= MAX_PROFILE and _difference_from_srgb(profile) > _SRGB_LEVELS


@lru_cache(maxsize=16)
def says_more(profile: bytes, name: bytes = b"") -> bool:
    """Whether an ICC profile holds more than colours: of a display it may tell which one, by serial number.

    Those of cameras and editors call themselves sRGB, or have no name to speak of, and have tags of
    ICC.1:2010, 9.2, alone. name: what the file calls it, which may be a person's.
    """
    if not profile:
        return False
    if name and b"srgb" not in name.lower() and name.lower() not in _PLAIN_NAMES:
        return True
    count = int.from_bytes(profile[128:132], "big")
    tags = {}
    for at in range(132, min(132 + 12 * count, len(profile) - 11), 12):
        start, length = struct.unpack_from(">II", profile, at + 4)
        tags[profile[at : at + 4]] = profile[start : start + length]
    described = tags.get(b"desc", b"").replace(b"\x00", b"")
    is_named = b"sRGB" in described or len(described) <= _UNNAMED
    return not (
        tags.keys() <= _COLOUR_TAGS and is_named and int.from_bytes(profile[:4], "big") == len(profile)
    )


@lru_cache(maxsize=16)
def _difference_from_srgb(profile: bytes) -> int:
    """The largest change, in levels of 255, that a profile makes to any of 4,096 colours.

    -1 for an unusable profile, 255 for one of another colour space than RGB.
    """
    from PIL import Image, ImageChops  # noqa: PLC0415 (see the module's docstring)

    try:
        mode = _profile_mode(profile)
        if mode != "RGB":
            _transform(profile, mode)
            return 255
        colours = Image.new("RGB", (64, 64))
        colours.putdata([(17 * (i >> 8), 17 * (i >> 4 & 15), 17 * (i & 15)) for i in range(4096)])
        shown = _transform(profile, mode).apply(colours)
    except Exception:  # noqa: BLE001 (whatever is wrong with it, the pixels are fine without it)
        return -1
    return max(high for _, high in ImageChops.difference(colours, shown).getextrema())  # type: ignore[misc]


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform":
    """From a profile to sRGB, relative colorimetric with black point compensation, as photo editors do it.

    A printer's profile is laid out as a grid, of which the engine's usual one is up to 11 levels off in
    places; its fine one takes 60 ms to be laid out, once for each profile, and no more for a picture.
    """
    from PIL import ImageCms  # noqa: PLC0415 (see the module's docstring)

    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.HIGHRESPRECALC,
    )


def _profile_mode(profile: bytes) -> str:
    """Pillow's mode for the colour space of a profile (ICC.1:2010, 7.2.6). Raises KeyError for any other."""
    return {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}[profile[16:20]]


def from_profile(image: "Image.Image", profile: bytes) -> "Image.Image":
    """In sRGB. profile: one that is `usable` for it, of an image that has no alpha."""
    mode = _profile_mode(profile)
    if mode == image.mode == "RGB":
        return _tables.convert(image, profile, lambda part: _applied(part, profile))
    return _applied(image.convert(mode), profile)


def table(profile: bytes) -> "Levels | None":
    """What becomes of every colour, where that is at hand; see `image_colour_table`."""
    return _tables.kept(profile)


def _applied(image: "Image.Image", profile: bytes) -> "Image.Image":
    shown = _transform(profile, image.mode).apply(image)
    assert shown is not None  # noqa: S101 (only in-place transforms answer None)
    return shown
