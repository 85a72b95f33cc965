"""All 8 orientations, wherever a file may say them."""

import zlib

import pytest
from PIL import Image

from picture_bytes import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    chunk,
    corners,
    exif,
    exif_segment,
    laid,
    noise,
    opened,
    saved,
    segment,
    with_chunks,
    with_segments,
    xmp,
)
from truthmill.image_metadata import orientation
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()
ALL_8 = range(1, 9)


def check(data: bytes, name: str, upright: Image.Image, tag: int) -> None:
    """Pixel for pixel upright, no tag left, and said so."""
    picture = inspect(data, name, LIMITS)
    assert (picture.width, picture.height) == upright.size
    assert ("upright" in picture.conversions) == (tag != 1)
    stored = opened(stored_bytes(data, name, LIMITS))
    assert stored.tobytes() == upright.tobytes()
    assert stored.getexif().get(0x0112) is None


@pytest.mark.parametrize("tag", ALL_8)
def test_png_by_exif(tag):
    data = with_chunks(saved(laid(noise(), tag), "PNG"), chunk(b"eXIf", exif(tag)))
    check(data, "a.png", noise(), tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_png_by_exif_behind_the_pixels(tag):
    data = saved(laid(noise(), tag), "PNG")
    check(data[:-12] + chunk(b"eXIf", exif(tag, order=">")) + data[-12:], "a.png", noise(), tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_png_by_xmp(tag):
    text = chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp(tag))
    check(with_chunks(saved(laid(noise(), tag), "PNG"), text), "a.png", noise(), tag)


def test_png_by_exif_in_text_as_imagemagick_writes_it():
    block = b"Exif\x00\x00" + exif(6)
    digits = b"\nexif\n%8d\n%s\n" % (len(block), block.hex().encode())
    text = chunk(b"zTXt", b"Raw profile type exif\x00\x00" + zlib.compress(digits))
    check(with_chunks(saved(laid(noise(), 6), "PNG"), text), "a.png", noise(), 6)


@pytest.mark.parametrize("tag", ALL_8)
def test_webp_by_exif(tag):
    check(saved(laid(noise(), tag), "WEBP", lossless=True, exif=exif(tag)), "a.webp", noise(), tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_webp_by_xmp(tag):
    check(saved(laid(noise(), tag), "WEBP", lossless=True, xmp=xmp(tag)), "a.webp", noise(), tag)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("tag", ALL_8)
def test_tiff_by_its_own_tag(tag, compression):
    data = saved(laid(noise(), tag), "TIFF", compression=compression, tiffinfo={0x0112: tag})
    check(data, "a.tif", noise(), tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_tiff_by_xmp(tag):
    check(saved(laid(noise(), tag), "TIFF", tiffinfo={700: xmp(tag)}), "a.tif", noise(), tag)


def check_corners(data: bytes, name: str, tag: int) -> None:
    """Lossy formats: the four corners have their colours, give or take the loss."""
    picture = inspect(data, name, LIMITS)
    assert (picture.width, picture.height) == (48, 32)
    assert ("upright" in picture.conversions) == (tag != 1)
    stored = opened(stored_bytes(data, name, LIMITS))
    for place, colour in (((4, 4), RED), ((43, 4), GREEN), ((4, 27), BLUE), ((43, 27), YELLOW)):
        found = stored.getpixel(place)
        assert max(abs(a - b) for a, b in zip(found, colour, strict=True)) <= 12, (place, found, colour)
    assert stored.getexif().get(0x0112) is None


@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("tag", ALL_8)
def test_jpeg_by_exif(tag, sampling):
    data = saved(laid(corners(), tag), "JPEG", quality=95, subsampling=sampling)
    check_corners(with_segments(data, exif_segment(exif(tag))), "a.jpg", tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_jpeg_by_xmp(tag):
    data = saved(laid(corners(), tag), "JPEG", quality=95)
    packet = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp(tag))
    check_corners(with_segments(data, packet), "a.jpg", tag)


@pytest.mark.parametrize("tag", ALL_8)
def test_avif(tag):
    check_corners(saved(laid(corners(), tag), "AVIF", quality=90, exif=exif(tag)), "a.avif", tag)


def test_the_subsampling_of_a_turned_jpeg_is_kept_where_it_can_be():
    """4:2:2 lying on its side can't be written; it becomes 4:4:4 rather than losing colour."""
    for source, tag, expected in (
        ("4:2:0", 6, (2, 2)),
        ("4:4:4", 6, (1, 1)),
        ("4:2:2", 3, (2, 1)),
        ("4:2:2", 6, (1, 1)),
    ):
        data = with_segments(saved(noise(), "JPEG", subsampling=source), exif_segment(exif(tag)))
        assert opened(stored_bytes(data, "a.jpg", LIMITS)).layer[0][1:3] == expected, (source, tag)


def test_exif_is_believed_before_xmp():
    data = with_segments(
        saved(laid(corners(), 6), "JPEG", quality=95),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp(3)),
        exif_segment(exif(6)),
    )
    check_corners(data, "a.jpg", 6)


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\x00",
        b"II*\x00\xff\xff\xff\xff",
        b"XX*\x00\x08\x00\x00\x00",
        exif(6)[:12],
        exif(0),
        exif(9),
        exif(6).replace(b"\x12\x01\x03\x00", b"\x12\x01\x02\x00"),
    ],
)
def test_an_orientation_that_can_not_be_read_is_none(block):
    assert orientation(block, b"") == 1
    assert orientation(block, b"<tiff:Orientation>8</tiff:Orientation>") == 8


def test_broken_exif_does_not_cost_a_picture():
    clean = saved(noise(), "JPEG")
    data = with_segments(clean, segment(0xE1, b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff\x01"))
    assert stored_bytes(data, "a.jpg", LIMITS) == clean


def raw_profile(name: bytes, block: bytes) -> bytes:
    """As ImageMagick writes it: a line of name, one of length, digits."""
    return b"\n" + name + b"\n%8d\n" % len(block) + block.hex().encode() + b"\n"


HEAD = b"http://ns.adobe.com/xap/1.0/\x00"
XMP_KEY, NO_LANGUAGE = b"XML:com.adobe.xmp\x00", b"\x00\x00"


@pytest.mark.parametrize(
    "told",
    [
        # ImageMagick compresses a text from 128 characters on; a block of one tag has fewer.
        lambda tag: chunk(b"tEXt", b"Raw profile type exif\x00" + raw_profile(b"exif", exif(tag))),
        lambda tag: chunk(
            b"iTXt", b"Raw profile type exif\x00\x00\x00" + NO_LANGUAGE + raw_profile(b"exif", exif(tag))
        ),
        lambda tag: chunk(
            b"zTXt", b"Raw profile type xmp\x00\x00" + zlib.compress(raw_profile(b"xmp", xmp(tag)))
        ),
        lambda tag: chunk(
            b"zTXt", b"Raw profile type APP1\x00\x00" + zlib.compress(raw_profile(b"APP1", HEAD + xmp(tag)))
        ),
        lambda tag: chunk(b"iTXt", XMP_KEY + b"\x01\x00" + NO_LANGUAGE + zlib.compress(xmp(tag))),
        lambda tag: chunk(b"iTXt", XMP_KEY + b"\x00\x00en\x00XMP\x00" + xmp(tag)),
    ],
    ids=["raw-text", "raw-international", "raw-xmp", "raw-app1-xmp", "compressed-xmp", "xmp-in-a-language"],
)
@pytest.mark.parametrize("tag", [1, 6, 8])
def test_png_by_whatever_text_says_it(tag, told):
    check(with_chunks(saved(laid(noise(), tag), "PNG"), told(tag)), "a.png", noise(), tag)


@pytest.mark.parametrize("tag", [1, 3, 6])
@pytest.mark.parametrize(
    "packet",
    [
        b"<x tiff:Orientation='%d'/>",
        b'<x tiff:Orientation = "%d"/>',
        b"<tiff:Orientation>\n%d\n</tiff:Orientation>",
    ],
    ids=["single-quotes", "spaces", "element"],
)
def test_tiff_is_turned_as_is_said_whatever_form_its_xmp_has(packet, tag):
    """Pillow reads fewer forms than there are; what is written down as turned must be turned."""
    data = saved(laid(noise(), tag), "TIFF", tiffinfo={700: packet % tag})
    check(data, "a.tif", noise(), tag)


def test_tiff_by_xmp_where_its_own_tag_is_out_of_range():
    data = saved(laid(noise(), 6), "TIFF", tiffinfo={700: xmp(6), 274: 9})
    check(data, "a.tif", noise(), 6)


def test_webp_by_no_chunk_behind_its_end():
    webp = saved(noise(), "WEBP", lossless=True)
    block = exif(6)
    check(webp + b"EXIF" + len(block).to_bytes(4, "little") + block, "a.webp", noise(), 1)
