"""Lines of many pictures at once are the bytes that are written box by box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.box_columns import BoxColumns, Span
from truthmill.boxes import Box
from truthmill.channels import yolo
from truthmill.dataset import LabeledPicture

SIDES = st.sampled_from([1, 2, 3, 7, 427, 1024, 10_240, 65_535]) | st.integers(1, 65_535)


@st.composite
def pictures(draw):
    width, height = draw(SIDES), draw(SIDES)
    boxes = []
    for _ in range(draw(st.integers(0, 4))):
        left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        across, down = draw(st.integers(1, width - left)), draw(st.integers(1, height - top))
        boxes.append(Box(draw(st.sampled_from([0, 9, 10, 1234, 99_999])), left, top, across, down))
    return width, height, tuple(boxes)


def in_columns(several):
    rows = [
        (box.class_id, box.left, box.top, box.width, box.height) for _, _, boxes in several for box in boxes
    ]
    class_ids, *sides = np.array(rows, np.int64).reshape(-1, 5).T
    sizes_wh = np.array([(width, height) for width, height, _ in several], np.int64).reshape(-1, 2)
    return BoxColumns(class_ids, tuple(sides), [len(boxes) for *_, boxes in several], sizes_wh)


def lines(width, height, boxes):
    return yolo._lines(LabeledPicture(key="a.png", split="train", width=width, height=height, boxes=boxes))


@given(st.lists(pictures(), max_size=5))
def test_they_are_the_same_bytes(several):
    columns = in_columns(several)
    for number, (width, height, boxes) in enumerate(several):
        assert lines(width, height, Span(columns, number)) == lines(width, height, boxes)


@pytest.mark.parametrize("side", [1024, 2048, 10_240, 20_480, 32_768, 40_960])
def test_what_lies_half_way_between_two_texts_is_rounded_as_python_does(side):
    """Of these sides an eighth of all shares or more are there."""
    boxes = tuple(Box(0, 0, 0, number, 1) for number in range(1, side + 1))
    columns = in_columns([(side, 1, boxes)])
    assert lines(side, 1, Span(columns, 0)) == lines(side, 1, boxes)
