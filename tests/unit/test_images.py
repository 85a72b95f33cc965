"""What is stored for a picture: its very bytes where it is fit, else the least that has to change."""

import hashlib
import struct

import pytest
from PIL import Image, ImageChops, ImageCms

from picture_bytes import (
    SUFFIX,
    chunk,
    corners,
    exif,
    exif_segment,
    noise,
    opened,
    png,
    saved,
    segment,
    with_chunks,
    with_segments,
    xmp,
)
from truthmill.images import CONVERSIONS, EXTENSIONS, Limits, inspect, stored_bytes

LIMITS = Limits()
EVERY_FORMAT = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")


def name(format_: str) -> str:
    return "holiday/picture." + SUFFIX.get(format_, format_.lower())


def largest_difference(a: Image.Image, b: Image.Image) -> int:
    return max(high for _, high in ImageChops.difference(a, b).getextrema())


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_needs_nothing_keeps_its_very_bytes(progressive):
    data = saved(noise(), "JPEG", progressive=progressive)
    picture = inspect(data, "a.JPG", LIMITS)
    assert picture.conversions == ()
    assert (picture.width, picture.height, picture.format) == (40, 30, "jpeg")
    assert picture.sha256 == hashlib.sha256(data).hexdigest()
    assert stored_bytes(data, "a.JPG", LIMITS) is data


def test_a_png_that_needs_nothing_keeps_its_very_bytes():
    data = with_chunks(saved(noise(), "PNG"), chunk(b"pHYs", b"\x00\x00\x0b\x13\x00\x00\x0b\x13\x01"))
    assert inspect(data, "a.png", LIMITS).conversions == ()
    assert stored_bytes(data, "a.png", LIMITS) is data


@pytest.mark.parametrize(
    "personal",
    [
        exif_segment(exif(taken="2024:05:06 07:08:09", serial=b"SN-12345")),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp(1)),
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x04name"),
        segment(0xE2, b"MPF\x00II*\x00"),
        segment(0xE5, b"maker's own"),
        segment(0xFE, b"taken by Jo"),
    ],
    ids=["exif", "xmp", "iptc", "multi-picture", "maker", "comment"],
)
def test_metadata_leaves_a_jpeg_and_nothing_else_does(personal):
    """The file without the segment comes back byte for byte: no pixel is coded again."""
    clean = saved(noise(), "JPEG")
    data = with_segments(clean, personal)
    assert inspect(data, "a.jpg", LIMITS).conversions == ("metadata-removed",)
    assert stored_bytes(data, "a.jpg", LIMITS) == clean


@pytest.mark.parametrize(
    "personal",
    [
        chunk(b"tEXt", b"Author\x00Jo"),
        chunk(b"zTXt", b"Comment\x00\x00x"),
        chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + xmp(1)),
        chunk(b"eXIf", exif(orientation=1, serial=b"SN-12345")),
        chunk(b"tIME", b"\x07\xe8\x01\x01\x00\x00\x00"),
        chunk(b"prVt", b"anything private"),
    ],
    ids=["text", "compressed-text", "xmp", "exif", "time", "private"],
)
def test_metadata_leaves_a_png_and_nothing_else_does(personal):
    clean = saved(noise(), "PNG")
    data = with_chunks(clean, personal)
    assert inspect(data, "a.png", LIMITS).conversions == ("metadata-removed",)
    assert stored_bytes(data, "a.png", LIMITS) == clean


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"pHYs", bytes(9)),
        (b"sBIT", b"\x08\x08\x08"),
        (b"bKGD", bytes(6)),
        (b"gAMA", bytes(4)),
        (b"sRGB", b"\0"),
    ],
)
def test_a_chunk_that_holds_more_than_it_may_leaves_a_png(kind, body):
    """No decoder looks at what is too long, so that anything could stay there."""
    clean = saved(noise(), "PNG")
    stored = stored_bytes(with_chunks(clean, chunk(kind, body + b"SN-12345")), "a.png", LIMITS)
    assert stored == clean
    kept = with_chunks(clean, chunk(kind, body))
    assert stored_bytes(kept, "a.png", LIMITS) == kept or kind == b"gAMA"  # of 0, which means nothing


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    "more",
    [
        {b"mmod": b"mmod\0\0\0\0SN-12345"},
        {b"meta": b"dict\0\0\0\0SN-12345"},
        {b"desc": b"desc\0\0\0\0\0\0\0\x12DELL U24 SN-12345\0"},
    ],
    ids=["make-and-model", "dictionary", "name"],
)
def test_a_profile_that_tells_of_a_display_leaves_the_picture(format_, more):
    """Screenshots have the profile of their display, which may hold its serial number."""
    profile = profile_with(more)
    data = saved(noise(), format_, icc_profile=profile)
    assert inspect(data, name(format_), LIMITS).conversions == ("metadata-removed",)
    stored = stored_bytes(data, name(format_), LIMITS)
    assert stored == saved(noise(), format_)


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_a_profile_that_only_says_srgb_stays(format_):
    data = saved(noise(), format_, icc_profile=profile_with({}))
    assert stored_bytes(data, name(format_), LIMITS) is data


def profile_with(tags: dict[bytes, bytes]) -> bytes:
    """The colour engine's sRGB with these tags besides, or instead (ICC.1:2010, 7.3)."""
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    entries = [struct.unpack_from(">4sII", whole, 132 + 12 * number) for number in range(whole[131])]
    bodies = {tag: whole[start : start + length] for tag, start, length in entries} | tags
    table, data = b"", b""
    for tag, body in bodies.items():
        table += struct.pack(">4sII", tag, 132 + 12 * len(bodies) + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    made = whole[4:128] + struct.pack(">I", len(bodies)) + table + data
    return struct.pack(">I", 4 + len(made)) + made


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_bytes_behind_the_end_are_cut_off(format_):
    """Phones put videos and second pictures there, with metadata of their own."""
    clean = saved(noise(), format_)
    data = clean + saved(corners(), "JPEG", exif=Image.Exif())
    assert inspect(data, name(format_), LIMITS).conversions == ("trailer-removed",)
    assert stored_bytes(data, name(format_), LIMITS) == clean


def test_markers_that_jpeg_needs_stay():
    """Without Adobe's marker, these three channels would be taken for YCbCr."""
    data = saved(noise(), "JPEG", keep_rgb=True, quality=100)
    assert b"Adobe" in data[:64]
    assert stored_bytes(data, "a.jpg", LIMITS) is data
    marked = with_segments(data, segment(0xFE, b"Jo"))
    assert stored_bytes(marked, "a.jpg", LIMITS) == data


@pytest.mark.parametrize("format_", EVERY_FORMAT)
def test_what_is_promised_is_what_is_stored(format_):
    """Size and format as any reader sees them, three channels, no metadata, and nothing left to do."""
    data = saved(noise(), format_)
    picture = inspect(data, name(format_), LIMITS)
    stored = stored_bytes(data, name(format_), LIMITS)
    image = opened(stored)
    assert (image.width, image.height, image.format.lower()) == (
        picture.width,
        picture.height,
        picture.format,
    )
    assert image.mode == "RGB"
    assert not image.getexif()
    assert stored == stored_bytes(data, name(format_), LIMITS)
    assert stored_bytes(stored, "a" + EXTENSIONS[picture.format], LIMITS) is stored
    assert inspect(stored, "a" + EXTENSIONS[picture.format], LIMITS).conversions == ()
    assert {word.partition(":")[0] for word in picture.conversions} <= set(CONVERSIONS)


@pytest.mark.parametrize(
    ("format_", "options", "conversion"),
    [
        ("BMP", {}, "format:bmp->png"),
        ("TIFF", {}, "format:tiff->png"),
        ("TIFF", {"compression": "tiff_lzw"}, "format:tiff->png"),
        ("TIFF", {"compression": "tiff_adobe_deflate", "tiffinfo": {317: 2}}, "format:tiff->png"),
        ("WEBP", {"lossless": True}, "format:webp->png"),
    ],
)
def test_lossless_formats_become_png_with_the_same_pixels(format_, options, conversion):
    data = saved(noise(), format_, **options)
    assert inspect(data, name(format_), LIMITS).conversions == (conversion,)
    assert opened(stored_bytes(data, name(format_), LIMITS)).tobytes() == noise().tobytes()


@pytest.mark.parametrize(
    ("format_", "options", "conversion"),
    [
        ("WEBP", {"quality": 90}, "format:webp->jpeg"),
        ("AVIF", {"quality": 90}, "format:avif->jpeg"),
        ("TIFF", {"compression": "jpeg", "quality": 90}, "format:tiff->jpeg"),
    ],
)
def test_lossy_formats_become_jpeg_that_looks_the_same(format_, options, conversion):
    data = saved(corners(), format_, **options)
    assert inspect(data, name(format_), LIMITS).conversions == (conversion,)
    stored = opened(stored_bytes(data, name(format_), LIMITS))
    assert largest_difference(stored, opened(data).convert("RGB")) <= 24


def test_a_lossless_picture_too_large_for_a_png_within_the_limit_becomes_jpeg():
    """100 x 100 x 3 bytes can't be promised to fit into 20,000."""
    limits = Limits(max_bytes=20_000)
    data = saved(corners(100, 100), "TIFF", compression="tiff_lzw")
    assert inspect(data, "a.tif", limits).format == "jpeg"
    assert len(stored_bytes(data, "a.tif", limits)) <= 20_000


def test_a_jpeg_that_grows_when_coded_again_still_fits_the_limit():
    source = with_segments(saved(noise(160, 120), "JPEG", quality=30), exif_segment(exif(orientation=6)))
    limits = Limits(max_bytes=len(source))
    stored = stored_bytes(source, "a.jpg", limits)
    assert len(stored) <= len(source)
    assert opened(stored).size == (120, 160)


def test_of_an_animation_the_first_frame_is_kept():
    frames = [corners(), noise(48, 32), corners().rotate(180)]
    for format_, options in (("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})):
        data = saved(frames[0], format_, save_all=True, append_images=frames[1:], **options)
        assert "first-frame" in inspect(data, name(format_), LIMITS).conversions, format_
        stored = opened(stored_bytes(data, name(format_), LIMITS))
        assert largest_difference(stored, frames[0]) == 0, format_
        assert getattr(stored, "n_frames", 1) == 1, format_


def test_of_an_avif_sequence_the_first_picture_is_kept():
    first, second = noise(seed=1), noise(seed=2)
    data = saved(first, "AVIF", quality=95, save_all=True, append_images=[second])
    assert "first-frame" in inspect(data, "a.avif", LIMITS).conversions
    assert "first-frame" not in inspect(saved(first, "AVIF"), "a.avif", LIMITS).conversions


def test_of_an_animated_png_the_pixels_stay_byte_for_byte():
    still = saved(corners(), "PNG")
    data = saved(corners(), "PNG", save_all=True, append_images=[noise(48, 32)])
    assert inspect(data, "a.png", LIMITS).conversions == ("first-frame",)
    assert stored_bytes(data, "a.png", LIMITS) == still


def test_a_picture_is_scaled_down_to_the_largest_side():
    limits = Limits(largest_side=100)
    picture = inspect(saved(corners(400, 300), "PNG"), "a.png", limits)
    assert (picture.width, picture.height) == (100, 75)
    assert picture.conversions == ("scaled:400x300->100x75",)
    stored = opened(stored_bytes(saved(corners(400, 300), "PNG"), "a.png", limits))
    assert stored.size == (100, 75)
    assert stored.getpixel((5, 5)) == (230, 20, 20)
    assert stored.getpixel((95, 70)) == (230, 220, 20)


def test_a_sliver_keeps_at_least_one_pixel():
    limits = Limits(largest_side=100)
    data = saved(corners(4000, 8), "PNG")
    assert inspect(data, "a.png", limits).height == 1
    assert opened(stored_bytes(data, "a.png", limits)).size == (100, 1)


def test_a_picture_within_the_largest_side_is_left_alone():
    data = saved(corners(100, 75), "JPEG")
    assert stored_bytes(data, "a.jpg", Limits(largest_side=100)) is data


def test_scaling_changes_neither_the_digest_nor_the_orientation():
    data = with_segments(saved(corners(300, 200), "JPEG"), exif_segment(exif(orientation=6)))
    limits = Limits(largest_side=90)
    scaled, whole = inspect(data, "a.jpg", limits), inspect(data, "a.jpg", LIMITS)
    assert scaled.pixels == whole.pixels
    assert (scaled.width, scaled.height) == (60, 90)
    assert opened(stored_bytes(data, "a.jpg", limits)).size == (60, 90)


def test_the_same_pixels_have_one_digest_whatever_the_file():
    image = noise()
    files = {
        "a.png": saved(image, "PNG"),
        "b.png": saved(image, "PNG", compress_level=0),
        "c.bmp": saved(image, "BMP"),
        "d.tif": saved(image, "TIFF", compression="tiff_lzw"),
        "e.webp": saved(image, "WEBP", lossless=True, exact=True),
        "f.png": saved(image.convert("RGBA"), "PNG"),
    }
    assert len({inspect(data, name, LIMITS).pixels for name, data in files.items()}) == 1


def test_a_jpeg_and_its_progressive_twin_have_one_digest():
    files = [saved(corners(), "JPEG", progressive=progressive) for progressive in (False, True)]
    assert files[0] != files[1]
    assert len({inspect(data, "a.jpg", LIMITS).pixels for data in files}) == 1


@pytest.mark.parametrize("channel", [0, 1, 2])
@pytest.mark.parametrize("place", [(0, 0), (39, 29), (17, 11)])
def test_one_level_of_one_pixel_changes_the_digest(place, channel):
    other = noise()
    pixel = list(other.getpixel(place))
    pixel[channel] ^= 1
    other.putpixel(place, tuple(pixel))
    assert (
        inspect(saved(other, "PNG"), "a.png", LIMITS).pixels
        != inspect(saved(noise(), "PNG"), "a.png", LIMITS).pixels
    )


def test_the_digest_knows_width_from_height():
    flat = [Image.new("RGB", size, (120, 80, 80)) for size in ((20, 30), (30, 20), (10, 60))]
    assert len({inspect(saved(image, "PNG"), "a.png", LIMITS).pixels for image in flat}) == 3


def test_wide_pictures_have_a_digest_too():
    """One row is longer than the blocks that pixels come in."""
    a, b = corners(30_000, 3), corners(30_000, 3)
    b.putpixel((29_999, 2), (0, 0, 0))
    digests = {inspect(saved(image, "PNG"), "a.png", LIMITS).pixels for image in (a, b)}
    assert len(digests) == 2


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_capture_time_is_read(order):
    block = exif(orientation=1, taken="2024:05:06 07:08:09", order=order)
    assert inspect(with_segments(saved(noise(), "JPEG"), exif_segment(block)), "a.jpg", LIMITS).taken == (
        "2024-05-06T07:08:09"
    )
    assert inspect(with_chunks(saved(noise(), "PNG"), chunk(b"eXIf", block)), "a.png", LIMITS).taken == (
        "2024-05-06T07:08:09"
    )


@pytest.mark.parametrize(
    ("format_", "options"),
    [
        ("WEBP", {"exif": exif(taken="2024:05:06 07:08:09")}),
        ("AVIF", {"exif": exif(taken="2024:05:06 07:08:09")}),
        ("TIFF", {"tiffinfo": {0x8769: {0x9003: "2024:05:06 07:08:09"}}}),
    ],
)
def test_the_capture_time_is_read_from_other_formats(format_, options):
    data = saved(noise(), format_, **options)
    picture = inspect(data, name(format_), LIMITS)
    assert picture.taken == "2024-05-06T07:08:09"
    assert "metadata-removed" in picture.conversions


def test_the_capture_time_is_read_from_a_bigtiff():
    """Whose directories all have the wide form, that of the EXIF block too."""
    pixels, wide = noise(), struct.Struct("<HHQQ")
    fields = {
        256: 40,
        257: 30,
        258: 8 | 8 << 16 | 8 << 32,
        259: 1,
        262: 2,
        273: 0,
        277: 3,
        278: 30,
        279: 3600,
    }
    after = 16 + 8 + 20 * (len(fields) + 1) + 8
    fields |= {273: after, 34665: after + 3600}
    table = b"".join(wide.pack(tag, 3 if tag == 258 else 4, 3 if tag == 258 else 1, value)
                     for tag, value in sorted(fields.items()))  # fmt: skip
    taken = after + 3600 + 8 + 20 + 8
    details = struct.pack("<Q", 1) + wide.pack(0x9003, 2, 20, taken) + bytes(8) + b"2024:05:06 07:08:09\0"
    head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, len(fields))
    data = head + table + bytes(8) + pixels.tobytes() + details
    assert inspect(data, "a.tif", LIMITS).taken == "2024-05-06T07:08:09"
    assert opened(stored_bytes(data, "a.tif", LIMITS)).tobytes() == pixels.tobytes()


@pytest.mark.parametrize("taken", ["0000:00:00 00:00:00", "2024:13:01 00:00:00", "    :  :     :  :  ", "x"])
def test_a_capture_time_that_is_none_is_left_out(taken):
    data = with_segments(saved(noise(), "JPEG"), exif_segment(exif(taken=taken)))
    assert inspect(data, "a.jpg", LIMITS).taken == ""


def test_a_thumbnail_in_a_jfif_header_is_metadata():
    """It may show what was cut off the picture."""
    clean = saved(noise(), "JPEG")
    thumbnail = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x01\x01\xff\x00\x00")
    data = clean[:2] + thumbnail + clean[20:]
    assert inspect(data, "a.jpg", LIMITS).conversions == ("metadata-removed",)
    assert thumbnail not in stored_bytes(data, "a.jpg", LIMITS)


def test_names_without_a_pictures_extension_are_fine():
    data = saved(noise(), "JPEG")
    for given in ("IMG_0001", "scan.2024-01-02", "a.dat", "folder.png/a", "a."):
        assert inspect(data, given, LIMITS).format == "jpeg"


def test_a_one_bit_png_becomes_three_channels():
    """Two pixels, white and black."""
    data = png(2, 1, 1, 0, b"\x00\x80")
    assert inspect(data, "a.png", LIMITS).conversions == ("rgb",)
    assert opened(stored_bytes(data, "a.png", LIMITS)).tobytes() == b"\xff\xff\xff\x00\x00\x00"
