"""Boxes follow their picture when it is turned upright and scaled, to the pixel."""

import io

import pytest
from PIL import Image, ImageOps

from builders import picture
from truthmill import images
from truthmill.box_check import DrawnBox
from truthmill.channels.reading import NO_SCORE, DrawnPicture
from truthmill.prelabels import stored_boxes, surest, turned
from truthmill.records import LedgerLine


def oriented(image, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = io.BytesIO()
    image.save(made, "PNG", exif=exif)
    return made.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_goes_where_pillow_turns_its_pixels(orientation):
    raw = Image.new("L", (40, 30))
    raw.paste(255, (3, 5, 3 + 20, 5 + 11))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(oriented(raw, orientation))))
    left, top, right, bottom = upright.getbbox()
    assert turned(DrawnBox(0, 3, 5, 20, 11), (40, 30), orientation) == DrawnBox(
        0, left, top, right - left, bottom - top
    )


def line(**more):
    given = {"sha256": "s", "key": "k", "split": "train", "name": "n", "run": "r", "width": 30, "height": 40}
    return LedgerLine(**(given | more))


def drawn(width=0, height=0):
    return DrawnPicture(
        path="n", split="train", width=width, height=height, boxes=(DrawnBox(0, 2, 4, 20, 10),)
    )


def test_labels_count_the_pixels_of_the_file_as_it_came():
    """Turned clockwise from 40 x 30: left = 30 - (4 + 10), top = 2."""
    assert stored_boxes(drawn(40, 30), line(orientation=6)) == (DrawnBox(0, 16, 2, 10, 20),)
    assert stored_boxes(drawn(), line(orientation=6)) == (DrawnBox(0, 16, 2, 10, 20),)


def test_labels_that_name_the_upright_size_are_left_as_they_are():
    assert stored_boxes(drawn(30, 40), line(orientation=6)) == (DrawnBox(0, 2, 4, 20, 10),)


def test_boxes_are_scaled_with_their_picture():
    found = stored_boxes(drawn(60, 80), line(scaled_from=(60, 80)))
    assert found == (DrawnBox(0, 1, 2, 10, 5),)


def test_labels_for_another_size_are_not_used():
    with pytest.raises(ValueError, match="50 x 50 pixels, the picture has 40 x 30"):
        stored_boxes(drawn(50, 50), line(orientation=6))


def test_inspection_tells_the_orientation():
    image = Image.open(io.BytesIO(picture(1)))
    assert images.inspect(oriented(image, 6), "a.png", images.Limits()).orientation == 6
    assert images.inspect(picture(1), "a.jpg", images.Limits()).orientation == 1


A, B, C = DrawnBox(0, 1, 2, 9, 9), DrawnBox(1, 1, 2, 9, 9), DrawnBox(0, 20, 2, 9, 9)  # A and B in one place


@pytest.mark.parametrize(
    ("least", "boxes"), [(0.0, [B, C]), (0.3, [B, C]), (0.31, [B]), (0.9, [B]), (0.91, [])]
)
def test_of_predictions_in_one_place_the_surest_is_taken_and_the_unsure_are_left_out(least, boxes):
    found = surest(DrawnPicture(path="p", split="train", boxes=(A, C, B), scores=(0.5, 0.3, 0.9)), least)
    assert list(found.boxes) == boxes
    assert list(found.scores) == [score for score in (0.9, 0.3) if score >= least]


def test_boxes_without_a_score_stay_whatever_is_asked():
    given = DrawnPicture(path="p", split="train", boxes=(A, C))
    assert surest(given, 1.0) == given
    mixed = DrawnPicture(path="p", split="train", boxes=(A, C), scores=(NO_SCORE, 0.8))
    assert surest(mixed, 0.5).boxes == (C, A)
    assert surest(mixed, 0.9).boxes == (A,)
