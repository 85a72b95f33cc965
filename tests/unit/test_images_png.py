"""PNGs that only some decoders show: what is stored, every one does."""

import struct
import zlib

import pytest

from picture_bytes import chunk, noise, opened, png, saved, with_chunks
from truthmill.errors import PictureError
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()
HEAD = b"\x89PNG\r\n\x1a\n"


def of_stream(*parts: bytes, between: bytes = b"", width: int = 40, height: int = 30) -> bytes:
    """A PNG of three channels whose compressed pixels come in these parts."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = between.join(chunk(b"IDAT", part) for part in parts)
    return HEAD + header + pixels + chunk(b"IEND", b"")


def stream() -> bytes:
    return zlib.compress(b"".join(b"\x00" + noise().tobytes()[120 * row :][:120] for row in range(30)))


@pytest.mark.parametrize(("bits", "row", "key"), [(2, b"\x1b", 2), (4, b"\x01\x23", 2), (1, b"\x20", 1)])
def test_a_transparent_grey_of_few_bits_becomes_white(bits, row, key):
    """The key is in the file's levels: of four pixels 0, 1, 2 and 3 (or 0, 0, 1, 0) the third."""
    data = png(4, 1, bits, 0, b"\x00" + row, chunk(b"tRNS", struct.pack(">H", key)))
    assert inspect(data, "a.png", LIMITS).conversions == ("alpha-over-white",)
    white = [
        opened(stored_bytes(data, "a.png", LIMITS)).getpixel((x, 0)) == (255, 255, 255) for x in range(4)
    ]
    assert white[:3] == [False, False, True]


@pytest.mark.parametrize("cut", [1, 4])
def test_compressed_pixels_without_all_of_their_checksum_are_damaged(cut):
    """Pillow has all pixels by then; libpng, and so OpenCV and browsers, refuse the picture."""
    assert inspect(of_stream(stream()), "a.png", LIMITS)
    with pytest.raises(PictureError) as caught:
        inspect(of_stream(stream()[:-cut]), "a.png", LIMITS)
    assert caught.value.reason == "damaged"


def test_a_wrong_checksum_in_a_chunk_of_its_own_is_found():
    assert inspect(of_stream(stream()[:-4], stream()[-4:]), "a.png", LIMITS)
    with pytest.raises(PictureError) as caught:
        inspect(of_stream(stream()[:-4], b"\x00\x00\x00\x00"), "a.png", LIMITS)
    assert caught.value.reason == "damaged"


def test_compressed_pixels_in_many_chunks_are_one_picture():
    whole = stream()
    data = of_stream(b"", *(whole[at : at + 7] for at in range(0, len(whole), 7)), b"")
    assert stored_bytes(data, "a.png", LIMITS) is data
    assert inspect(data, "a.png", LIMITS).pixels == inspect(saved(noise(), "PNG"), "a.png", LIMITS).pixels


@pytest.mark.parametrize("kind", [b"pHYs", b"gAMA", b"tRNS", b"PLTE", b"iCCP", b"tEXt"])
def test_a_chunk_among_or_behind_the_pixels_leaves(kind):
    """Where it may not stand (5.6) libpng gives up, or passes over it: it says nothing."""
    whole, body = stream(), {b"pHYs": bytes(9), b"gAMA": struct.pack(">I", 100_000)}.get(kind, bytes(6))
    for data, clean in (
        (of_stream(whole[:99], whole[99:], between=chunk(kind, body)), of_stream(whole[:99], whole[99:])),
        (of_stream(whole)[:-12] + chunk(kind, body) + chunk(b"IEND", b""), of_stream(whole)),
    ):
        assert inspect(data, "a.png", LIMITS).conversions == ("metadata-removed",)
        assert stored_bytes(data, "a.png", LIMITS) == clean


def test_two_palettes_are_damage():
    data = with_chunks(saved(noise(), "PNG"), chunk(b"PLTE", bytes(6)), chunk(b"PLTE", bytes(6)))
    with pytest.raises(PictureError) as caught:
        inspect(data, "a.png", LIMITS)
    assert (caught.value.reason, caught.value.detail) == ("damaged", "a PNG with two chunks b'PLTE'")


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_a_png_without_extent_is_damaged(size):
    with pytest.raises(PictureError) as caught:
        inspect(of_stream(stream(), width=size[0], height=size[1]), "a.png", LIMITS)
    assert (caught.value.reason, caught.value.detail) == ("damaged", f"a PNG of {size[0]} x {size[1]} pixels")


@pytest.mark.parametrize(
    "kind", [b"cHRM", b"gAMA", b"sRGB", b"cICP", b"pHYs", b"sBIT", b"bKGD", b"hIST", b"tRNS"]
)
def test_a_chunk_that_is_too_short_to_say_anything_leaves(kind):
    """As libpng passes over it; Pillow takes such a picture for one that ends early."""
    clean = saved(noise(), "PNG")
    data = with_chunks(clean, chunk(kind, b""))
    assert inspect(data, "a.png", LIMITS).conversions == ("metadata-removed",)
    assert stored_bytes(data, "a.png", LIMITS) == clean


def test_a_palette_behind_the_pixels_is_none():
    """An indexed picture needs it before them."""
    data = png(1, 1, 8, 3, b"\x00\x00")
    with pytest.raises(PictureError) as caught:
        inspect(data[:-12] + chunk(b"PLTE", bytes(3)) + data[-12:], "a.png", LIMITS)
    assert caught.value.reason == "damaged"
