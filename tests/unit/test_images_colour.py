"""Three channels of 8 bits in sRGB, whatever the file's samples are."""

import struct

import pytest
from PIL import Image, ImageCms

from picture_bytes import chunk, corners, noise, opened, png, saved, segment, tiff, with_chunks, with_segments
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()


def stored(data: bytes, name: str) -> Image.Image:
    return opened(stored_bytes(data, name, LIMITS))


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def swapped_profile() -> bytes:
    """sRGB with its red and green primaries exchanged, so that a right conversion is easy to see."""
    profile = srgb_profile()
    return profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")


def icc(profile: bytes) -> bytes:
    return segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + profile)


def test_grey_becomes_three_equal_channels():
    grey = corners().convert("L")
    assert inspect(saved(grey, "PNG"), "a.png", LIMITS).conversions == ("rgb",)
    assert stored(saved(grey, "PNG"), "a.png").tobytes() == grey.convert("RGB").tobytes()
    flat = Image.new("L", (16, 16), 90)
    assert inspect(saved(flat, "JPEG"), "a.jpg", LIMITS).conversions == ("rgb",)
    assert stored(saved(flat, "JPEG"), "a.jpg").getpixel((3, 3)) == (90, 90, 90)


@pytest.mark.parametrize("format_", ["PNG", "GIF", "BMP", "TIFF"])
def test_a_palette_is_resolved(format_):
    image = corners().quantize(4)
    data = saved(image, format_)
    name = {"TIFF": "a.tif"}.get(format_, "a." + format_.lower())
    assert "rgb" in inspect(data, name, LIMITS).conversions
    assert stored(data, name).tobytes() == image.convert("RGB").tobytes()


def test_alpha_is_laid_over_white():
    """Half of (200, 0, 100) and half of white; nothing of it; all of it."""
    image = Image.new("RGBA", (3, 1))
    image.putdata([(200, 0, 100, 128), (200, 0, 100, 0), (200, 0, 100, 255)])
    data = saved(image, "PNG")
    assert inspect(data, "a.png", LIMITS).conversions == ("alpha-over-white",)
    shown = stored(data, "a.png")
    assert [shown.getpixel((x, 0)) for x in range(3)] == [(227, 127, 177), (255, 255, 255), (200, 0, 100)]


def test_alpha_that_hides_nothing_is_only_a_fourth_channel():
    data = saved(noise().convert("RGBA"), "PNG")
    assert inspect(data, "a.png", LIMITS).conversions == ("rgb",)
    assert stored(data, "a.png").tobytes() == noise().tobytes()


@pytest.mark.parametrize(
    ("bits", "colour", "row", "key"),
    [
        (8, 2, b"\x0a\x14\x1e\x28\x32\x3c", b"\x00\x0a\x00\x14\x00\x1e"),
        (16, 2, b"\x0a\x00\x14\x00\x1e\x00\x28\x00\x32\x00\x3c\x00", b"\x0a\x00\x14\x00\x1e\x00"),
    ],
)
def test_a_transparent_colour_becomes_white(bits, colour, row, key):
    data = png(2, 1, bits, colour, b"\x00" + row, chunk(b"tRNS", key))
    assert "alpha-over-white" in inspect(data, "a.png", LIMITS).conversions
    assert stored(data, "a.png").tobytes() == b"\xff\xff\xff\x28\x32\x3c"


def test_a_transparent_grey_of_16_bits_becomes_white():
    data = png(2, 1, 16, 0, b"\x00\x10\x01\x10\x02", chunk(b"tRNS", b"\x10\x01"))
    assert stored(data, "a.png").tobytes() == b"\xff\xff\xff\x10\x10\x10"


@pytest.mark.parametrize(
    ("colour", "row", "expected"),
    [
        (0, b"\x00\x00\x80\x00\xff\xff", b"\x00\x00\x00\x80\x80\x80\xff\xff\xff"),
        (2, b"\x00\x00\x12\x34\xff\xff" * 3, b"\x00\x12\xff" * 3),
        (4, b"\x12\x34\xff\xff" * 3, b"\x12" * 9),
        (6, b"\x00\x00\x12\x34\xff\xff\xff\xff" * 3, b"\x00\x12\xff" * 3),
    ],
    ids=["grey", "colour", "grey with alpha", "colour with alpha"],
)
def test_16_bits_of_png_become_8_over_the_whole_range(colour, row, expected):
    data = png(3, 1, 16, colour, b"\x00" + row)
    assert "8-bit" in inspect(data, "a.png", LIMITS).conversions
    assert stored(data, "a.png").tobytes() == expected


def test_16_bits_of_tiff_become_8_over_the_whole_range():
    image = Image.new("I;16", (3, 1))
    for x, value in enumerate((0, 0x8000, 0xFFFF)):
        image.putpixel((x, 0), value)
    data = saved(image, "TIFF")
    assert inspect(data, "a.tif", LIMITS).conversions == ("8-bit", "rgb", "format:tiff->png")
    assert stored(data, "a.tif").tobytes() == b"\x00\x00\x00\x80\x80\x80\xff\xff\xff"


def test_cmyk_without_a_profile():
    """No ink is white, all of the key is black, cyan alone takes the red."""
    image = Image.new("CMYK", (48, 16))
    image.paste((0, 0, 0, 255), (16, 0, 32, 16))
    image.paste((255, 0, 0, 0), (32, 0, 48, 16))
    for data, name in ((saved(image, "JPEG", quality=95), "a.jpg"), (saved(image, "TIFF"), "a.tif")):
        assert "rgb" in inspect(data, name, LIMITS).conversions
        shown = stored(data, name)
        for x, expected in ((8, (255, 255, 255)), (24, (0, 0, 0)), (40, (0, 255, 255))):
            found = shown.getpixel((x, 8))
            assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 4, (name, x, found)


def test_cmyk_without_adobe_s_marker_is_not_inverted():
    image = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    data = saved(image, "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 16 :]
    assert b"Adobe" not in plain
    assert stored(data, "a.jpg").getpixel((8, 8)) == (0, 255, 255)
    assert stored(plain, "a.jpg").getpixel((8, 8)) == (
        0,
        0,
        0,
    )  # the file's samples, taken as they are: 0, 255, 255, 255


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "tiff", "avif"])
def test_a_profile_that_is_not_srgb_is_applied(kind):
    """Pure red of a space with exchanged primaries is sRGB's green."""
    image = Image.new("RGB", (16, 16), (255, 0, 0))
    options = {"jpeg": {"quality": 95}, "webp": {"lossless": True}, "avif": {"quality": 100}}.get(kind, {})
    data = saved(image, kind.upper(), icc_profile=swapped_profile(), **options)
    assert "srgb" in inspect(data, "a", LIMITS).conversions
    found = stored(data, "a")
    assert "icc_profile" not in found.info
    red, green, blue = found.getpixel((8, 8))
    assert green > 245
    assert max(red, blue) < 30


def test_a_profile_that_says_srgb_stays_with_its_bytes():
    for format_, name in (("JPEG", "a.jpg"), ("PNG", "a.png")):
        data = saved(noise(), format_, icc_profile=srgb_profile())
        assert inspect(data, name, LIMITS).conversions == ()
        assert stored_bytes(data, name, LIMITS) is data


def test_a_profile_in_several_segments_is_put_together():
    profile, clean = swapped_profile(), saved(Image.new("RGB", (16, 16), (255, 0, 0)), "JPEG", quality=95)
    parts = [
        segment(0xE2, b"ICC_PROFILE\x00\x02\x02" + profile[200:]),
        segment(0xE2, b"ICC_PROFILE\x00\x01\x02" + profile[:200]),
    ]
    assert "srgb" in inspect(with_segments(clean, *parts), "a.jpg", LIMITS).conversions


UNUSABLE = {"nonsense": b"nonsense", "cut off": srgb_profile()[:300], "zeros": b"\x00" * 200}


@pytest.mark.parametrize("profile", UNUSABLE.values(), ids=UNUSABLE)  # a profile holds the time it was made
def test_an_unusable_profile_is_removed_and_the_pixels_stay(profile):
    clean = saved(noise(), "JPEG")
    data = with_segments(clean, icc(profile))
    assert inspect(data, "a.jpg", LIMITS).conversions == ("profile-removed",)
    assert stored_bytes(data, "a.jpg", LIMITS) == clean
    clean = saved(noise(), "PNG")
    for body in (b"p\x00\x00not deflated", b""):
        data = with_chunks(clean, chunk(b"iCCP", body))
        assert inspect(data, "a.png", LIMITS).conversions == ("profile-removed",)
        assert stored_bytes(data, "a.png", LIMITS) == clean


def test_linear_light_becomes_srgb():
    """Level 55 of linear light is sRGB's 128 (0.2157 to the curve of IEC 61966-2-1 is 0.5020)."""
    data = with_chunks(
        saved(Image.new("RGB", (2, 2), (0, 55, 255)), "PNG"), chunk(b"gAMA", struct.pack(">I", 100_000))
    )
    assert inspect(data, "a.png", LIMITS).conversions == ("srgb",)
    assert stored(data, "a.png").getpixel((0, 0)) == (0, 128, 255)


def test_a_gamma_that_says_srgb_or_is_overruled_changes_nothing():
    clean = saved(noise(), "PNG")
    for chunks in (
        [chunk(b"gAMA", struct.pack(">I", 45_455))],
        [chunk(b"sRGB", b"\x00"), chunk(b"gAMA", struct.pack(">I", 100_000))],
        [chunk(b"gAMA", struct.pack(">I", 100_000)), chunk(b"sRGB", b"\x00")],
    ):
        data = with_chunks(clean, *chunks)
        assert stored_bytes(data, "a.png", LIMITS) is data


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_whose_white_is_zero_is_no_negative(bits):
    """PhotometricInterpretation 0 (TIFF 6.0, page 37), which Pillow passes over from 9 bits on."""
    levels = [0, 100, 255] + [50] * 13
    samples = [255 - level if bits == 8 else 0xFFFF - 257 * level for level in levels]
    content = struct.pack("<16B" if bits == 8 else "<16H", *samples)
    stored = opened(stored_bytes(tiff(content, bits, 1, photometric=0), "a.tif", LIMITS))
    assert list(stored.getchannel("R").tobytes()) == levels
