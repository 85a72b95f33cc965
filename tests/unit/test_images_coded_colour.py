"""What colours mean where a file says it in numbers, or says it of other channels than it has."""

import hashlib
import io
import itertools
import math
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from picture_bytes import chunk, noise, opened, png, saved, segment, with_chunks, with_segments
from truthmill import image_primaries
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()
P3, ADOBE = (
    (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000),
    (31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000),
)
SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def stored(data: bytes, name: str = "a.png") -> Image.Image:
    return opened(stored_bytes(data, name, LIMITS))


def flat(*colour: int) -> bytes:
    return saved(Image.new("RGB", (16, 16), colour), "PNG")


def cicp(primaries: int, transfer: int, *, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def chrm(numbers: tuple[int, ...]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *numbers))


def gama(gamma: int) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", gamma))


def iccp(profile: bytes, name: bytes = b"icc") -> bytes:
    return chunk(b"iCCP", name + b"\x00\x00" + zlib.compress(profile))


def grey_profile() -> bytes:
    """Grey whose levels are light itself: ICC.1:2010, 8.3.2."""
    bodies = {
        b"wtpt": struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061),
        b"kTRC": struct.pack(">4sIIHH", b"curv", 0, 1, 0x100, 0),
    }
    at, directory = 128 + 4 + 12 * len(bodies), b""
    for tag, body in bodies.items():
        directory += struct.pack(">4sII", tag, at, len(body))
        at += len(body)
    head = struct.pack(">I4xI4s4s4s12x4s", at, 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\x00") + struct.pack(">I", len(bodies)) + directory + b"".join(bodies.values())


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def near(found: tuple[int, ...], expected: tuple[int, ...], by: int = 1) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("chunks", "colour", "expected"),
    [
        # Light (0.5776, 0.1274, 0.1274), by rows 1.2249, -0.2249; -0.042, 1.042; -0.0196, -0.0786, 1.0983.
        ([cicp(12, 13)], (200, 100, 100), (215, 93, 97)),
        ([chrm(P3)], (200, 100, 100), (215, 93, 97)),
        ([chrm(P3), gama(45_455)], (255, 255, 255), (255, 255, 255)),
        # 0.4687 of red alone, times 1.3984: 0.6554, which is level 211.
        ([chrm(ADOBE), gama(45_455)], (181, 0, 0), (211, 0, 0)),
        ([cicp(1, 8)], (0, 55, 255), (0, 128, 255)),
        ([cicp(1, 13, full=0)], (16, 126, 235), (0, 128, 255)),
        # 0.5807 of PQ are 203 nits, paper white: light 1, dimmed to (1 + 1 / 24.27) / 2 = 0.5206, level 191.
        ([cicp(1, 16)], (148, 148, 148), (191, 191, 191)),
        # 0.75 of HLG are 203 nits, too.
        ([cicp(1, 18)], (191, 191, 191), (191, 191, 191)),
        ([cicp(9, 16)], (0, 0, 0), (0, 0, 0)),
    ],
    ids=["P3", "P3 by cHRM", "white of P3", "Adobe's", "linear", "narrow", "PQ", "HLG", "black"],
)
def test_numbers_that_say_other_colours_are_applied(chunks, colour, expected):
    data = with_chunks(flat(*colour), *chunks)
    assert inspect(data, "a.png", LIMITS).conversions == ("srgb",)
    assert near(stored(data).getpixel((8, 8)), expected)


@pytest.mark.parametrize(
    "chunks",
    [
        [cicp(1, 13)],
        [cicp(1, 1)],
        [cicp(2, 2)],
        [cicp(12, 13, matrix=1)],
        [chrm(SRGB), gama(45_455)],
        [chrm((0,) * 8), gama(45_455)],
        [chrm(P3), chunk(b"sRGB", b"\x00")],
        [gama(1)],
        [gama(0xFFFFFFFF)],
    ],
    ids=["sRGB", "BT.709", "untold", "no RGB", "sRGB's", "nonsense", "overruled", "dark", "light"],
)
def test_numbers_that_say_srgb_or_nothing_change_no_byte(chunks):
    """Gammas that libpng passes over, so do browsers; sRGB overrules primaries."""
    data = with_chunks(saved(noise(), "PNG"), *chunks)
    assert stored_bytes(data, "a.png", LIMITS) is data
    assert inspect(data, "a.png", LIMITS).conversions == ()


def test_code_points_overrule_a_profile_which_leaves():
    data = with_chunks(flat(200, 100, 100), iccp(srgb_profile()), cicp(12, 13))
    assert inspect(data, "a.png", LIMITS).conversions == ("srgb", "metadata-removed")
    assert near(stored(data).getpixel((8, 8)), (215, 93, 97))
    plain = with_chunks(flat(200, 100, 100), iccp(image_primaries.of_code_points(12, 13)), cicp(1, 13))
    assert inspect(plain, "a.png", LIMITS).conversions == ("metadata-removed",)
    assert stored_bytes(plain, "a.png", LIMITS) == flat(200, 100, 100)


def test_the_colour_engine_takes_the_profiles_that_are_made():
    for primaries in (1, 4, 5, 6, 7, 8, 9, 11, 12, 22):
        profile = image_primaries.of_code_points(primaries, 8)
        said = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        assert said.xcolor_space == "RGB "
        assert len(profile) == int.from_bytes(profile[:4], "big")


def with_nclx(avif: bytes, primaries: int, transfer: int) -> bytes:
    at = avif.index(b"colrnclx") + 8
    return avif[:at] + struct.pack(">HH", primaries, transfer) + avif[at + 4 :]


def test_code_points_of_an_avif_are_applied():
    plain = saved(Image.new("RGB", (16, 16), (200, 100, 100)), "AVIF", quality=100, subsampling="4:4:4")
    assert inspect(plain, "a.avif", LIMITS).conversions == ("format:avif->jpeg",)
    data = with_nclx(plain, 12, 13)
    assert inspect(data, "a.avif", LIMITS).conversions == ("srgb", "format:avif->jpeg")
    assert near(stored(data, "a.avif").getpixel((8, 8)), (215, 93, 97), by=3)


def test_a_profile_of_an_avif_overrules_its_code_points():
    data = saved(Image.new("RGB", (16, 16), (200, 100, 100)), "AVIF", quality=100, icc_profile=srgb_profile())
    if b"colrnclx" in data:
        data = with_nclx(data, 12, 13)
    assert inspect(data, "a.avif", LIMITS).conversions == ("format:avif->jpeg",)


def test_a_profile_for_other_channels_is_unusable():
    """It says nothing about these pixels; to code them anew would only cost."""
    clean = saved(noise(), "JPEG")
    data = with_segments(clean, segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + grey_profile()))
    assert inspect(data, "a.jpg", LIMITS).conversions == ("profile-removed",)
    assert stored_bytes(data, "a.jpg", LIMITS) == clean
    clean = saved(noise(), "PNG")
    data = with_chunks(clean, iccp(grey_profile()))
    assert inspect(data, "a.png", LIMITS).conversions == ("profile-removed",)
    assert stored_bytes(data, "a.png", LIMITS) == clean
    data = saved(noise(), "WEBP", lossless=True, icc_profile=grey_profile())
    assert inspect(data, "a.webp", LIMITS).conversions == ("profile-removed", "format:webp->png")
    assert stored(data, "a.webp").tobytes() == noise().tobytes()


def test_a_profile_for_grey_is_applied_to_grey():
    """Level 55 of light itself is sRGB's 128; so beside alpha."""
    for colour, row, word, level in (
        (0, b"\x37", "rgb", 128),
        (4, b"\x37\xff", "rgb", 128),
        (4, b"\x37\x80", "alpha-over-white", 191),
    ):
        data = with_chunks(png(1, 1, 8, colour, b"\x00" + row), iccp(grey_profile()))
        assert set(inspect(data, "a.png", LIMITS).conversions) >= {word, "srgb"}
        assert near(stored(data).getpixel((0, 0)), (level,) * 3)


def test_transparent_parts_are_blended_as_srgb():
    """Half of black over white is 127, as browsers show it, and no half of light, which would be 188."""
    data = with_chunks(png(1, 1, 8, 6, b"\x00\x00\x00\x00\x80"), gama(100_000))
    assert near(stored(data).getpixel((0, 0)), (127, 127, 127))


def test_the_name_of_a_profile_may_tell_of_a_person():
    clean = saved(noise(), "PNG")
    for name, kept in ((b"ICC profile", True), (b"sRGB IEC61966-2.1", True), (b"Jo's display", False)):
        data = with_chunks(clean, iccp(srgb_profile(), name))
        assert (stored_bytes(data, "a.png", LIMITS) is data) == kept
        assert inspect(data, "a.png", LIMITS).conversions == (() if kept else ("metadata-removed",))


def ink_profile() -> bytes:
    """A printer's (ICC.1:2010, 10.8): L*, a* and b* of each ink on each other, in between linear."""
    inks, grid = ((55, -35, -45), (48, 75, -5), (8, -5, 90), (75, 0, 0)), b""
    for used in itertools.product((0, 1), repeat=4):
        on = [ink for ink, is_used in zip(inks, used, strict=True) if is_used]
        light = 255 * math.prod(1 - ink[0] / 110 for ink in on)
        tint = 0.1 if used[3] else 1.0
        a, b = (min(max(128 + round(tint * sum(ink[axis] for ink in on)), 0), 255) for axis in (1, 2))
        grid += bytes((round(light), a, b))
    ramp, identity = bytes(range(256)), struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = struct.pack(">4s4x4B", b"mft1", 4, 3, 2, 0) + identity + 4 * ramp + grid + 3 * ramp
    white = struct.pack(">4s4x3i", b"XYZ ", 63190, 65536, 54061)
    at = 128 + 4 + 24
    directory = struct.pack(">I4sII4sII", 2, b"A2B0", at, len(table), b"wtpt", at + len(table), len(white))
    head = struct.pack(
        ">I4xI4s4s4s12x4s", at + len(table + white), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp"
    )
    return (head + bytes(28) + white[8:]).ljust(128, b"\x00") + directory + table + white


def test_inks_are_brought_to_srgb_within_some_levels_of_an_exact_engine():
    """The engine itself is exact where it lays out no grid, which takes seven times as long."""
    levels = hashlib.shake_256(b"inks").digest(16_000)
    inks = Image.frombytes("CMYK", (500, 8), levels)
    data = saved(inks, "TIFF", icc_profile=ink_profile())
    assert "srgb" in inspect(data, "a.tif", LIMITS).conversions
    exact = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(ink_profile())),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOOPTIMIZE,
    ).apply(inks)
    pairs = zip(stored(data, "a.tif").tobytes(), exact.tobytes(), strict=True)
    assert max(abs(a - b) for a, b in pairs) <= 8
