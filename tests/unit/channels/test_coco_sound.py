"""What COCO's reader takes for sound is what the check of each box has nothing to say of."""

import json

from hypothesis import given
from hypothesis import strategies as st

from truthmill.box_check import CheckedBoxes, check_boxes
from truthmill.channels import coco
from unit.channels.labeled_datasets import Sources

SIDE = st.integers(-1, 12)
LARGE = st.sampled_from([0, 1, 40_000, 65_535, 65_536, 1 << 20])
BBOX = st.tuples(SIDE, SIDE, SIDE, SIDE) | st.tuples(LARGE, LARGE, LARGE, LARGE)
INSIDE = st.tuples(*[st.integers(0, 4)] * 2, *[st.integers(1, 4)] * 2)
BOX = st.tuples(st.integers(1, 2), INSIDE | BBOX | st.just((0.5, 1, 2, 2)))
PICTURES = st.lists(st.tuples(st.sampled_from([0, 8, 10, 1 << 20]), st.lists(BOX, max_size=6)), max_size=6)


def read(pictures):
    document = {
        "images": [
            {"id": number, "file_name": f"{number}.png", "width": side, "height": side}
            for number, (side, _) in enumerate(pictures)
        ],
        "annotations": [
            {"image_id": number, "category_id": category, "bbox": bbox}
            for number, (_, boxes) in enumerate(pictures)
            for category, bbox in boxes
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    return list(coco.read(Sources({"a.json": json.dumps(document).encode()})).pictures)


@given(PICTURES)
def test_of_sound_boxes_the_check_has_nothing_to_say(pictures):
    for drawn in read(pictures):
        if drawn.sound:
            checked = check_boxes(tuple(drawn.boxes), drawn.width, drawn.height)
            assert checked == CheckedBoxes(tuple(drawn.boxes.whole), ())


@given(st.lists(st.lists(st.tuples(st.just(1), INSIDE), unique=True, max_size=6), min_size=1, max_size=6))
def test_whole_boxes_inside_and_apart_are_sound(boxes):
    assert all(drawn.sound for drawn in read([(8, each) for each in boxes]))


@given(st.lists(st.tuples(*[st.floats(0, 4)] * 2, *[st.floats(1, 4)] * 2), unique=True, max_size=6))
def test_fractions_are_kept_for_whoever_asks(sides):
    """Labels that come with pictures are turned and scaled with them before they are rounded."""
    (drawn,) = read([(8, [(1, each) for each in sides])])
    assert [(box.left, box.top, box.width, box.height) for box in drawn.boxes] == sides


def test_what_is_not_is_looked_at_by_the_check():
    """Double, the same rectangle with two labels, over the edge, a picture of unknown size; two pictures may
    have the same box.
    """
    box, other = (1, (0, 0, 4, 4)), (2, (0, 0, 4, 4))
    several = [(8, [box, box]), (8, [box, other]), (8, [(1, (5, 0, 4, 4))]), (0, [box]), (8, [box]), (0, [])]
    assert [drawn.sound for drawn in read(several)] == [False, False, False, False, True, True]
