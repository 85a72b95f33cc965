"""The size of a stored picture from its first bytes, against Pillow's writer."""

import io

import pytest
from PIL import Image

from picture_bytes import exif, exif_segment, with_segments
from truthmill.channels.reading import size_of
from truthmill.picture_size import MoreNeededError, picture_size, shown_size


def saved(size_wh, kind, **options):
    out = io.BytesIO()
    Image.new("RGB", size_wh, (200, 30, 90)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "picture",
    [
        saved((123, 45), "PNG"),
        saved((123, 45), "JPEG"),
        saved((123, 45), "JPEG", progressive=True),
        saved((123, 45), "JPEG", exif=b"Exif\0\0" + bytes(60_000), icc_profile=bytes(100_000)),
    ],
)
def test_width_and_height_are_read_in_that_order(picture):
    assert picture_size(picture) == (123, 45)


def test_a_head_that_ends_early_says_how_much_is_needed():
    picture = saved((123, 45), "JPEG", exif=b"Exif\0\0" + bytes(60_000))
    with pytest.raises(MoreNeededError) as caught:
        picture_size(picture[:100])
    assert 60_000 < caught.value.bytes_needed < len(picture)


@pytest.mark.parametrize("length", range(2, 30))
def test_however_short_the_head_asking_again_comes_to_the_size(length):
    picture = saved((300, 7), "JPEG")
    size, asked = None, [length]
    while size is None:
        try:
            size = picture_size(picture[: asked[-1]])
        except MoreNeededError as error:
            asked.append(error.bytes_needed)
    assert size == (300, 7)
    assert asked == sorted(set(asked))


def test_another_format_has_no_size_here():
    assert picture_size(saved((10, 10), "GIF")) is None


def test_a_jpeg_without_a_marker_where_one_must_be_has_no_size():
    assert picture_size(b"\xff\xd8\x00\x00\x00\x00\x00\x00") is None


@pytest.mark.parametrize(
    ("orientation", "shown"), [(1, (30, 20)), (4, (30, 20)), (5, (20, 30)), (8, (20, 30)), (99, (30, 20))]
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_jpegs_shown_size_is_the_upright_pictures(orientation, order, shown):
    picture = saved(
        (30, 20), "JPEG", exif=b"Exif\0\0" + exif(orientation, taken="2026:01:01 00:00:00", order=order)
    )
    assert (shown_size(picture), picture_size(picture)) == (shown, (30, 20))


def test_a_broken_exif_block_turns_nothing():
    assert shown_size(saved((30, 20), "JPEG", exif=b"Exif\0\0MM\0*")) == (30, 20)
    assert shown_size(saved((30, 20), "PNG")) == (30, 20)


def test_an_orientation_that_lies_far_back_is_asked_for():
    block = bytearray(exif(6))
    block[4:8] = (5_000).to_bytes(4, "little")  # where the directory is
    picture = with_segments(
        saved((30, 20), "JPEG"), exif_segment(bytes(block[:8]) + bytes(4_992) + bytes(block[8:]))
    )
    with pytest.raises(MoreNeededError):
        shown_size(picture[:4096])
    assert shown_size(picture) == (20, 30)


def test_a_picture_inside_a_file_of_labels_has_the_size_that_it_is_shown_with():
    """As the same picture beside its labels has, whichever its kind."""
    block = exif(6)
    assert size_of(saved((40, 20), "WEBP", exif=block), "a.webp") == (20, 40)
    assert size_of(saved((40, 20), "JPEG", exif=b"Exif\0\0" + block), "a.jpg") == (20, 40)
