"""Why a picture is not used: each reason by itself, and no way for broken bytes to cause anything else."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from picture_bytes import (
    SUFFIX,
    bmp,
    chunk,
    corners,
    exif,
    noise,
    png,
    saved,
    segment,
    tiff,
    with_chunks,
    with_segments,
)
from truthmill.errors import PictureError
from truthmill.image_png import is_complete
from truthmill.images import Limits, inspect, stored_bytes
from truthmill.rejections import REASONS

LIMITS = Limits()
JPEG, PNG = saved(noise(), "JPEG"), saved(noise(), "PNG")
EVERY_FORMAT = {
    format_: saved(corners(), format_, **({"compression": "tiff_lzw"} if format_ == "TIFF" else {}))
    for format_ in ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
}


def reason(data: bytes, name: str, limits: Limits = LIMITS) -> str:
    with pytest.raises(PictureError) as caught:
        inspect(data, name, limits)
    assert caught.value.reason in REASONS
    return caught.value.reason


def named(format_: str) -> str:
    return "a." + SUFFIX.get(format_, format_.lower())


def test_an_empty_file():
    assert reason(b"", "a.jpg") == "empty"


def test_a_file_above_the_byte_limit():
    assert reason(JPEG, "a.jpg", Limits(max_bytes=len(JPEG) - 1)) == "too-large"
    assert inspect(JPEG, "a.jpg", Limits(max_bytes=len(JPEG)))


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\x00" * 100,
        b"%PDF-1.7",
        b"RIFF\x10\x00\x00\x00WAVEfmt ",
        b"BMW drove past",
        b"\xff\xd8",
    ],
)
@pytest.mark.parametrize("name", ["notes.txt", "a.jpg"])
def test_what_is_no_picture(data, name):
    assert reason(data, name) == "not-a-picture"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"8BPS\x00\x01" + bytes(20), "a.psd"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "a.svg"),
        (b"\xff\x0a" + bytes(20), "a.jxl"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(20), "a.jxl"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n" + bytes(20), "a.jp2"),
        (saved(noise(), "TIFF"), "DSC_0001.NEF"),
        (saved(noise(), "TIFF", tiffinfo={0xC612: b"\x01\x04\x00\x00"}), "a.tif"),
        (b"FUJIFILMCCD-RAW " + bytes(20), "a.raf"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01crx isom", "a.cr3"),
        (saved(Image.new("F", (4, 4)), "TIFF"), "a.tif"),
        (saved(Image.new("I", (4, 4)), "TIFF"), "a.tif"),
        (b"P6\n1 1\n255\n\x00\x00\x00", "a.ppm"),
        (b"P7\nWIDTH 1\n", "a.pam"),
        (saved(noise(), "ICO"), "a.ico"),
        (b"\x00\x00\x02\x00\x01\x00" + bytes(20), "a.cur"),
        (b"gimp xcf v011\x00" + bytes(20), "a.xcf"),
        (b"SIMPLE  =                    T", "a.fits"),
    ],
)
def test_picture_formats_that_are_not_taken(data, name):
    assert reason(data, name) == "unsupported-format"


@pytest.mark.parametrize("magic", [b"PK\x03\x04", b"PK\x05\x06", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c"])
def test_an_archive_that_no_name_tells_is_told_by_its_bytes(magic):
    """A document or a program may be a zip as well, and holds no pictures that were meant."""
    assert reason(magic + bytes(40), "holidays") == "nested-archive"
    assert reason(magic + bytes(40), "holidays.jpg") == "nested-archive"
    assert reason(magic + bytes(40), "report.docx") == "not-a-picture"


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_heic_is_rejected_with_advice(brand):
    data = b"\x00\x00\x00\x18ftyp" + brand + b"\x00\x00\x00\x00mif1heic" + bytes(40)
    with pytest.raises(PictureError, match="Most Compatible") as caught:
        inspect(data, "IMG_0001.HEIC", LIMITS)
    assert caught.value.reason == "unsupported-format"


@pytest.mark.parametrize("format_", EVERY_FORMAT)
def test_an_extension_of_another_format(format_):
    for other in EVERY_FORMAT:
        if other != format_:
            assert reason(EVERY_FORMAT[format_], named(other).upper()) == "wrong-extension"
    assert reason(EVERY_FORMAT[format_], "a.heic") == "wrong-extension"


@pytest.mark.parametrize("extension", ["jpg", "jpeg", "jpe", "jfif", "JPG", "JpEg"])
def test_the_extensions_of_jpeg_are_one(extension):
    assert inspect(JPEG, "a." + extension, LIMITS).format == "jpeg"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_picture_that_ends_early(format_, share):
    data = saved(noise(200, 150), format_)
    assert reason(data[: int(len(data) * share)], named(format_)) == "truncated"


def test_an_avif_that_ends_within_a_box_is_truncated():
    avif = EVERY_FORMAT["AVIF"]
    assert reason(avif[: len(avif) // 2], "a.avif") == "truncated"
    assert reason(avif[:-1], "a.avif") == "truncated"
    assert inspect(avif + b"xxxxxxxxxxxxxxxx", "a.avif", LIMITS)


def test_a_jpeg_without_its_end_marker():
    assert reason(JPEG[:-2], "a.jpg") == "truncated"


def test_a_jpeg_whose_rest_is_zeros():
    """What a broken download leaves behind."""
    half = len(JPEG) // 2
    assert reason(JPEG[:half] + bytes(len(JPEG) - half), "a.jpg") == "truncated"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_was_cut_and_closed_again(mode, share):
    """An end marker behind half of the pixels; decoders fill up with grey."""
    data = saved(noise(200, 150).convert(mode), "JPEG")
    assert reason(data[: int(len(data) * share)] + b"\xff\xd9", "a.jpg") == "truncated"


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_progressive_jpeg_that_lacks_scans(share):
    data = saved(noise(200, 150), "JPEG", progressive=True)
    assert reason(data[: int(len(data) * share)] + b"\xff\xd9", "a.jpg") == "truncated"


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_that_ends_in_grey_is_none_of_those(options):
    data = saved(Image.new("RGB", (100, 80), (128, 128, 128)), "JPEG", **options)
    assert stored_bytes(data, "a.jpg", LIMITS) is data
    assert inspect(data, "a.jpg", LIMITS).conversions == ()


def test_a_png_without_its_end_chunk():
    assert reason(PNG[:-12], "a.png") == "truncated"


@pytest.mark.parametrize("rows", [b"\x00" * 13, (b"\x00" + b"\x09" * 12) * 3, (b"\x00" + b"\x09" * 12) * 4])
def test_a_png_whose_pixels_stop_early_though_every_chunk_is_right(rows):
    assert reason(png(4, 5, 8, 2, rows), "a.png") == "truncated"


@pytest.mark.parametrize(
    ("bits", "colour", "row"), [(8, 2, 13), (1, 0, 2), (8, 3, 5), (16, 6, 33), (8, 4, 9)]
)
def test_a_black_png_lacks_nothing(bits, colour, row):
    palette = chunk(b"PLTE", b"\x00\x00\x00") if colour == 3 else b""
    assert inspect(png(4, 5, bits, colour, bytes(row * 5), palette), "a.png", LIMITS).format == "png"


@pytest.mark.parametrize(
    ("size", "needed"), [((1, 1), 4), ((5, 3), 4 + 4 + 4 + 10 + 2 * 7 + 16), ((8, 8), 207)]
)
def test_a_black_interlaced_png_lacks_nothing_unless_it_does(size, needed):
    """Bytes of the passes, by hand: 8 x 8 has 1, 1, 2, 4, 8, 16, 32 pixels in 1, 1, 1, 2, 2, 4, 4 rows."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 1))
    for rows, complete in ((needed, True), (needed - 1, False)):
        pixels = chunk(b"IDAT", zlib.compress(bytes(rows)))
        data = b"\x89PNG\r\n\x1a\n" + header + pixels + chunk(b"IEND", b"")
        assert is_complete(data) == complete
        if complete:
            assert inspect(data, "a.png", LIMITS).conversions == ()


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"IEND"])
def test_a_png_with_a_wrong_checksum(kind):
    at = PNG.index(kind)
    length = struct.unpack(">I", PNG[at - 4 : at])[0]
    end = at + 4 + length
    broken = PNG[:end] + bytes((PNG[end] ^ 1,)) + PNG[end + 1 :]
    assert reason(broken, "a.png") == "damaged"


@pytest.mark.parametrize(
    "data",
    [
        with_segments(JPEG, segment(0xC0, b"\x08\x00\x10\x00\x10\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01")),
        JPEG[:2] + b"\xff\xd9",
        with_segments(JPEG, b"\xff\xfe\x00\x01"),
        with_segments(JPEG, b"\xff\x02\x00\x04ab"),
    ],
    ids=["two frame headers", "no scan", "segment too short", "reserved marker"],
)
def test_a_jpeg_that_contradicts_itself(data):
    assert reason(data, "a.jpg") == "damaged"


def test_a_png_that_contradicts_itself():
    header = PNG[8:33]
    assert reason(with_chunks(PNG, header), "a.png") == "damaged"
    assert reason(PNG[:8] + chunk(b"tEXt", b"a\x00b") + PNG[8:], "a.png") == "damaged"
    assert reason(PNG[:33] + chunk(b"IEND", b""), "a.png") == "damaged"
    assert reason(with_chunks(PNG, chunk(b"ABCD", b"")), "a.png") == "damaged"


def test_a_png_of_a_palette_that_it_lacks():
    assert reason(png(4, 2, 8, 3, b"\0\0\0\0\0" * 2), "a.png") == "damaged"


@pytest.mark.parametrize("depth", [3, 7])
def test_what_a_decoder_doesn_t_know_is_said_the_same_each_time(depth):
    """Pillow names the object in memory, which is another one each time."""
    with pytest.raises(PictureError) as caught:
        inspect(png(4, 2, depth, 0, b"\0\0\0\0\0" * 2), "a.png", LIMITS)
    assert caught.value.detail == "PNG: no header that the decoder knows"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (tiff(bits=12), "a.tif"),
        (tiff(bits=32, sample_format=3), "a.tif"),
        (tiff(compression=34712), "a.tif"),
        (tiff(samples=1, photometric=32803), "a.tif"),
        (tiff(samples=1, sample_format=2), "a.tif"),
        (bmp(0, 5), "a.bmp"),
        (bmp(2, 0), "a.bmp"),
        (bmp(32, 3, struct.pack("<3L", 0x3FF00000, 0xFFC00, 0x3FF)), "a.bmp"),
    ],
    ids=["12 bits", "floats", "JPEG 2000", "a sensor's", "signed", "PNG within", "2 bits", "10 bits each"],
)
def test_a_variety_that_the_decoder_does_not_know_is_not_called_damaged(data, name):
    """To copy it again would help nobody; to export it otherwise does."""
    with pytest.raises(PictureError, match="export it") as caught:
        inspect(data, name, LIMITS)
    assert caught.value.reason == "unsupported-format"


@pytest.mark.parametrize(
    ("data", "name"), [(tiff(compression=9999), "a.tif"), (tiff(bits=99), "a.tif"), (bmp(8, 99), "a.bmp")]
)
def test_a_variety_that_does_not_exist_is_damage(data, name):
    assert reason(data, name) == "damaged"


def test_apple_s_own_png_is_another_format():
    assert reason(PNG[:8] + chunk(b"CgBI", b"\x50\x00\x20\x02") + PNG[8:], "a.png") == "unsupported-format"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (png(20_000, 20_000, 8, 2, b""), "a.png"),
        (png(2**31 - 1, 2**31 - 1, 1, 0, b""), "a.png"),
        (JPEG.replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 65_000, 65_000), 1), "a.jpg"),
        (b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + EVERY_FORMAT["GIF"][10:], "a.gif"),
        (b"GIF89a" + b"\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x00;", "a.gif"),
        (b"BM" + bytes(12) + struct.pack("<IiiHH", 40, 30_000, -30_000, 1, 24) + bytes(24), "a.bmp"),
        (b"RIFF\x20\x00\x00\x00WEBPVP8X\x0a" + bytes(7) + b"\xff\xff\x00\xff\xff\x00" + bytes(20), "a.webp"),
        (saved(corners(), "TIFF", tiffinfo={}).replace(
            struct.pack("<HHII", 256, 4, 1, 48), struct.pack("<HHII", 256, 4, 1, 48_000_000)), "a.tif"),
    ],
    ids=["png", "png of 4 quintillion", "jpeg", "gif screen", "gif frame", "bmp", "webp", "tiff"],
)  # fmt: skip
def test_more_pixels_than_allowed_by_the_header_alone(data, name):
    """None of these has the pixels it announces: the answer comes before they are asked for."""
    assert reason(data, name) == "too-many-pixels"


def test_a_webp_may_have_half_of_the_pixels_that_a_jpeg_may_have():
    """libwebp takes 16 bytes a pixel, as Pillow uses it: of 100 million all of a function's memory."""
    width, height = 10_000, 5_001
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    data = b"RIFF\x20\x00\x00\x00WEBPVP8X\x0a" + bytes(7) + sides + bytes(20)
    with pytest.raises(
        PictureError, match=r"at most 50000000 in all as WEBP \(as JPEG or PNG 100000000\)"
    ) as caught:
        inspect(data, "a.webp", LIMITS)
    assert caught.value.reason == "too-many-pixels"


def test_a_small_tiff_in_an_immense_tile():
    """All of a tile is unpacked, however little of it is shown: this one would take 2 GB."""
    content = zlib.compress(bytes(1_000_000))
    data = tiff(content, compression=8, tile=26_000)
    assert reason(data, "a.tif") == "too-many-pixels"
    assert inspect(tiff(bytes(16 * 16 * 3), tile=16), "a.tif", LIMITS).width == 4


def test_an_avif_with_more_pixels_than_allowed():
    assert reason(EVERY_FORMAT["AVIF"], "a.avif", Limits(max_pixels=48 * 32 - 1)) == "too-many-pixels"


@pytest.mark.parametrize("format_", EVERY_FORMAT)
def test_the_pixel_limit_is_exact(format_):
    assert inspect(EVERY_FORMAT[format_], named(format_), Limits(max_pixels=48 * 32))
    assert reason(EVERY_FORMAT[format_], named(format_), Limits(max_pixels=48 * 32 - 1)) == "too-many-pixels"


@pytest.mark.parametrize("format_", EVERY_FORMAT)
def test_the_smallest_side_is_exact(format_):
    assert inspect(EVERY_FORMAT[format_], named(format_), Limits(smallest_side=32))
    assert reason(EVERY_FORMAT[format_], named(format_), Limits(smallest_side=33)) == "too-small"


def test_text_that_would_unpack_to_gigabytes_is_never_unpacked():
    bomb = zlib.compress(bytes(50_000_000), 9)
    data = with_chunks(
        PNG, chunk(b"zTXt", b"Raw profile type exif\x00\x00" + bomb), chunk(b"iCCP", b"p\x00\x00" + bomb)
    )
    assert stored_bytes(data, "a.png", LIMITS) == PNG


def test_pillow_s_warnings_stay_inside():
    """It warns of a TIFF tag that is larger than the file; here a warning would be an error."""
    data = bytearray(EVERY_FORMAT["TIFF"])
    at = data.index(struct.pack("<HH", 258, 3))
    data[at + 8 : at + 12] = b"\xff\xff\xff\x7f"
    assert reason(bytes(data), "a.tif") == "damaged"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (JPEG[:2] + b"\xff" * 300_000 + JPEG[2:], "a.jpg"),
        (JPEG[:2] + b"\xff\xd0" * 300_000 + JPEG[2:], "a.jpg"),
        (with_chunks(PNG, chunk(b"teXt", b"") * 300_000), "a.png"),
        (b"RIFF\xff\xff\x0f\x00WEBPVP8X\x0a" + bytes(17) + b"EXIF\0\0\0\0" * 200_000, "a.webp"),
        (b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 273, 4, 1_500_000, 0) + bytes(6_000_000), "a.tif"),
    ],
    ids=["fill bytes", "restart markers", "chunks", "riff chunks", "strips"],
)  # fmt: skip
def test_a_file_of_countless_parts_is_given_up(data, name):
    assert reason(data, name) == "damaged"


def outcome(data: bytes, name: str) -> None:
    """Inspection and storing agree, and nothing but a PictureError ever comes out."""
    limits = Limits(max_pixels=1_000_000)
    try:
        picture = inspect(data, name, limits)
    except PictureError as error:
        assert error.reason in REASONS  # noqa: PT017 (every other exception is the failure)
        return
    with Image.open(io.BytesIO(stored_bytes(data, name, limits))) as image:
        assert image.size == (picture.width, picture.height)


SEEDS = {
    **EVERY_FORMAT,
    "PNG with text": with_chunks(
        saved(corners(), "PNG"), chunk(b"eXIf", exif(6)), chunk(b"tRNS", b"\x00" * 6)
    ),
    "grey": saved(corners().convert("L"), "JPEG"),
    "palette": saved(corners().quantize(4), "PNG"),
    "progressive": saved(corners(), "JPEG", progressive=True, exif=b"Exif\x00\x00" + exif(6)),
    "lossless": saved(corners(), "WEBP", lossless=True, exif=exif(6)),
    "raw": saved(corners(), "TIFF", tiffinfo={0x0112: 6}),
    "tiff jpeg": saved(corners(), "TIFF", compression="jpeg"),
}


@settings(max_examples=150, deadline=None)
@given(st.data())
@pytest.mark.parametrize("seed", SEEDS)
def test_mutated_bytes_raise_nothing_but_picture_errors(seed, data):
    mutated = bytearray(SEEDS[seed])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([None, None, len(mutated) // 2, len(mutated) - 5]))
    outcome(bytes(mutated[:cut]), "a")


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([seed[:12] for seed in EVERY_FORMAT.values()] + [b"MM\x00+\x00\x08\x00\x00"]),
    st.binary(max_size=200),
)
def test_any_bytes_behind_a_magic_number_raise_nothing_but_picture_errors(magic, data):
    outcome(magic + data, "a")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda jpeg, at: jpeg[:at] + b"\xff\xf7" + jpeg[at + 2 :], "JPEG-LS"),
        (lambda jpeg, at: jpeg[:at] + b"\xff\xde" + jpeg[at + 2 : at + 19] + jpeg[at:], "hierarchical"),
        (lambda jpeg, at: jpeg[: at + 5] + b"\x00\x00" + jpeg[at + 7 :], "DNL"),
    ],
)
def test_a_jpeg_that_no_decoder_here_knows_is_not_called_damaged(change, said):
    """As scanners and clinics write them; the file is fine."""
    data = change(JPEG, JPEG.index(b"\xff\xc0"))
    with pytest.raises(PictureError, match=said) as caught:
        inspect(data, "a.jpg", LIMITS)
    assert caught.value.reason == "unsupported-format"


@pytest.mark.parametrize("methods", [b"\x01\x00\x00", b"\x00\x01\x00", b"\x00\x00\x02"])
def test_a_png_of_methods_that_no_browser_knows(methods):
    """Pillow decodes it, and its very bytes would be what workers are shown."""
    header = PNG[16:26] + methods
    assert reason(PNG[:8] + chunk(b"IHDR", header) + PNG[33:], "a.png") == "damaged"


def test_an_empty_bmp_is_damage():
    data = bytearray(saved(noise(), "BMP"))
    data[18:22] = bytes(4)
    assert reason(bytes(data), "a.bmp") == "damaged"
