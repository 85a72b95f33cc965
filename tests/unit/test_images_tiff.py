"""TIFF: kinds that its decoders get wrong, or leave half done."""

import io
import struct

import pytest
from PIL import Image

from picture_bytes import noise, opened, saved, tiff
from truthmill.errors import PictureError
from truthmill.images import Limits, inspect, stored_bytes

LIMITS = Limits()


def refused(data: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        inspect(data, "a.tif", LIMITS)
    return caught.value


def text() -> Image.Image:
    """Black and white in bars of many widths."""
    page = Image.new("1", (200, 120), 1)
    for row in range(0, 120, 2):
        for at in range(5, 190, 7 + row % 5):
            page.paste(0, (at, row, at + 1 + row % 6, row + 1 + row % 3))
    return page


def of_planes(samples: int = 3, order: str = "<") -> tuple[bytes, bytes]:
    """A TIFF of 4 x 4 pixels of 16 bits, each channel apart, and the pixels that it shows, in RGB."""
    levels = [[17 * channel + 5 * pixel for pixel in range(16)] for channel in range(samples)]
    planes = [struct.pack(f"{order}16H", *(257 * level for level in plane)) for plane in levels]
    fields = {
        256: (3, [4]), 257: (3, [4]), 258: (3, [16] * samples), 259: (3, [1]), 262: (3, [2]),
        277: (3, [samples]), 278: (3, [4]), 279: (4, [32] * samples), 284: (3, [2]),
    }  # fmt: skip
    count = len(fields) + 1
    outside = 8 + 2 + 12 * count + 4
    content = outside + sum(
        len(values) * (2 if kind == 3 else 4) for kind, values in fields.values() if len(values) > 1
    ) + 4 * samples  # fmt: skip
    fields[273] = (4, [content + 32 * channel for channel in range(samples)])
    table, tail = b"", b""
    for tag, (kind, values) in sorted(fields.items()):
        raw = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'L'}", *values)
        place = raw.ljust(4, b"\x00") if len(raw) <= 4 else struct.pack(f"{order}L", outside + len(tail))
        tail += raw if len(raw) > 4 else b""
        table += struct.pack(f"{order}HHL", tag, kind, len(values)) + place
    mark = b"II" if order == "<" else b"MM"
    head = mark + struct.pack(f"{order}HLH", 42, 8, count)
    shown = bytes(level for pixel in zip(*levels, strict=True) for level in pixel)
    return head + table + bytes(4) + tail + b"".join(planes), shown


@pytest.mark.parametrize("order", ["<", ">"])
def test_planes_of_16_bits_keep_their_pixels(order):
    """Pillow's own reader mixes up the halves of their samples."""
    data, shown = of_planes(order=order)
    assert opened(stored_bytes(data, "a.tif", LIMITS)).tobytes() == shown
    assert inspect(data, "a.tif", LIMITS).conversions == ("8-bit", "format:tiff->png")


@pytest.mark.parametrize("compression", ["group3", "group4"])
def test_fax_codes_that_can_not_be_read_are_damage(compression):
    """libtiff leaves the rest of such rows white, and goes on."""
    data = bytearray(saved(text(), "TIFF", compression=compression))
    assert opened(stored_bytes(bytes(data), "a.tif", LIMITS)).tobytes() == text().convert("RGB").tobytes()
    with Image.open(io.BytesIO(data)) as image:
        at = image.tag_v2[273][0]
    data[at + 300 : at + 340] = b"\x00\x5a" * 20
    assert (refused(bytes(data)).reason, refused(bytes(data)).detail) == (
        "damaged",
        "a TIFF with fax codes that can't be read",
    )


def test_what_the_decoder_says_reaches_no_error_output(capfd):
    data = bytearray(saved(noise(), "TIFF", compression="tiff_lzw"))
    data[20:60] = b"\xff" * 40
    assert refused(bytes(data)).reason == "damaged"
    assert capfd.readouterr().err == ""


def test_compressed_pixels_that_end_early_are_truncated():
    """Its directory comes first, as of files that are written as a stream."""
    content = saved(Image.new("RGB", (4, 4), (9, 8, 7)), "TIFF", compression="tiff_adobe_deflate")
    with Image.open(io.BytesIO(content)) as image:
        (at,), (size,) = image.tag_v2[273], image.tag_v2[279]
    data = tiff(content[at : at + size], compression=8)
    assert opened(stored_bytes(data, "a.tif", LIMITS)).getpixel((0, 0)) == (9, 8, 7)
    assert refused(data[:-4]).reason == "truncated"


def test_a_compression_that_the_library_was_built_without_is_not_called_damaged():
    webp = saved(Image.new("RGB", (4, 4), (9, 8, 7)), "WEBP", lossless=True)
    error = refused(tiff(webp, compression=50001))
    assert error.reason == "unsupported-format"
    assert "export it" in error.detail


def test_a_first_page_that_is_a_small_copy_is_not_taken_for_the_picture():
    """NewSubfileType 1 (TIFF 6.0, page 36): of another page."""
    one = saved(noise(), "TIFF", tiffinfo={254: 1})
    assert inspect(one, "a.tif", LIMITS)
    two = saved(noise(), "TIFF", tiffinfo={254: 1}, save_all=True, append_images=[noise(80, 60)])
    assert refused(two).reason == "unsupported-format"
    assert "small copy" in refused(two).detail


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_big_endian_bigtiff_is_read(orientation):
    """Pillow takes it for none; its offsets and counts have 8 bytes, and so has what fits into a field."""
    pixels = noise(3, 2).tobytes()
    fields = {
        256: (3, ">H", 3), 257: (3, ">H", 2), 259: (3, ">H", 1), 262: (3, ">H", 2), 273: (16, ">Q", 16),
        274: (3, ">H", orientation), 277: (3, ">H", 3), 278: (4, ">L", 2), 279: (16, ">Q", len(pixels)),
    }  # fmt: skip
    entries = {tag: (kind, 1, struct.pack(code, value)) for tag, (kind, code, value) in fields.items()}
    entries[258] = 3, 3, struct.pack(">3H", 8, 8, 8)
    table = b"".join(
        struct.pack(">HHQ", tag, kind, count) + raw.ljust(8, b"\x00")
        for tag, (kind, count, raw) in sorted(entries.items())
    )
    head = b"MM" + struct.pack(">HHHQ", 43, 8, 0, 16 + len(pixels))
    data = head + pixels + struct.pack(">Q", len(entries)) + table + bytes(8)
    shown = noise(3, 2) if orientation == 1 else noise(3, 2).transpose(Image.Transpose.ROTATE_270)
    found = opened(stored_bytes(data, "a.tif", LIMITS))
    assert (found.size, found.tobytes()) == (shown.size, shown.tobytes())
    assert refused(data[:-100]).reason == "truncated"
