"""Boxes around COCO's run lengths, against pycocotools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as pycocotools

from truthmill.channels.coco_run_lengths import box_around


@st.composite
def masks(draw):
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    filled = draw(st.lists(st.integers(0, height * width - 1), max_size=60))
    pixels = np.zeros(height * width, np.uint8)
    pixels[filled] = 1
    return np.asfortranarray(pixels.reshape((height, width), order="F"))


@given(masks())
def test_the_box_is_pycocotools_own_from_either_form(mask):
    packed = pycocotools.encode(mask)
    wanted = tuple(int(side) for side in pycocotools.toBbox(packed))
    as_text = {"size": packed["size"], "counts": packed["counts"].decode()}
    runs = np.flatnonzero(np.diff(mask.ravel("F"), prepend=0, append=2))
    as_numbers = {"size": list(mask.shape), "counts": np.diff(runs, prepend=0).tolist()}
    if mask.ravel("F")[-1] == 1:
        assert sum(as_numbers["counts"]) == mask.size
    assert box_around(as_text) == wanted
    assert box_around(as_numbers) == wanted


def test_a_mask_of_megapixels():
    mask = np.zeros((3_000, 4_000), np.uint8, order="F")
    mask[7:2_990, 12:3_900] = 1
    packed = pycocotools.encode(mask)
    assert box_around({"size": packed["size"], "counts": packed["counts"].decode()}) == (12, 7, 3_888, 2_983)


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ({"counts": [1, 2]}, "can't be read"),
        ({"size": [4, 4]}, "can't be read"),
        ({"size": [4], "counts": []}, "can't be read"),
        ({"size": [4, 4], "counts": "1X\x7f"}, "no character of theirs"),
        ({"size": [4, 4], "counts": "1X"}, "ends within a number"),
        ({"size": [4, 4], "counts": [3, None]}, "can't be read"),
        ({"size": [4, 4], "counts": [3, -2]}, "don't fit into 4 x 4 pixels"),
        ({"size": [4, 4], "counts": [3, 14]}, "don't fit into 4 x 4 pixels"),
    ],
)
def test_what_can_not_be_read_is_said(region, said):
    with pytest.raises(ValueError, match=said):
        box_around(region)
