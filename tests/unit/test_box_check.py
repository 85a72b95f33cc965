"""What becomes of boxes as they were drawn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill import box_check
from truthmill.box_check import FINDINGS, DrawnBox, Finding, as_drawn, check_boxes, whole_box
from truthmill.boxes import Box


def test_a_box_inside_is_kept_as_it_is():
    checked = check_boxes([DrawnBox(3, 0, 0, 100, 50)], 100, 50)
    assert checked.kept == (Box(3, 0, 0, 100, 50),)
    assert checked.findings == ()


@pytest.mark.parametrize(
    ("drawn", "cut"),
    [
        (DrawnBox(0, -5, 10, 20, 20), Box(0, 0, 10, 15, 20)),
        (DrawnBox(0, 10, -5, 20, 20), Box(0, 10, 0, 20, 15)),
        (DrawnBox(0, 90, 10, 20, 20), Box(0, 90, 10, 10, 20)),
        (DrawnBox(0, 10, 40, 20, 20), Box(0, 10, 40, 20, 10)),
    ],
)
def test_what_sticks_out_is_cut_and_said(drawn, cut):
    checked = check_boxes([drawn], 100, 50)
    assert checked.kept == (cut,)
    assert checked.findings == (Finding(drawn, "cut", kept=True),)


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        (DrawnBox(0, 101, 0, 5, 5), "outside"),
        (DrawnBox(0, 0, -9, 5, 5), "outside"),
        (DrawnBox(0, 10, 10, 0, 5), "too-small"),
        (DrawnBox(0, 10, 10, 5, 3), "too-small"),
        (DrawnBox(0, 98, 10, 20, 20), "too-small"),
    ],
)
def test_what_is_outside_or_too_small_once_cut_is_dropped_and_said(drawn, reason):
    checked = check_boxes([drawn], 100, 50, minimal_side=4)
    assert checked.kept == ()
    assert checked.findings == (Finding(drawn, reason, kept=False),)


def test_the_minimal_size_itself_is_kept():
    assert check_boxes([DrawnBox(0, 0, 0, 4, 4)], 100, 50, minimal_side=4).findings == ()


def test_an_exact_double_is_dropped_and_an_almost_double_kept():
    box, near = DrawnBox(0, 1, 2, 3, 4), DrawnBox(0, 1, 2, 3, 5)
    checked = check_boxes([box, near, box], 100, 50)
    assert checked.kept == (Box(0, 1, 2, 3, 4), Box(0, 1, 2, 3, 5))
    assert checked.findings == (Finding(box, "double", kept=False),)


def test_two_that_are_the_same_once_cut_are_doubles():
    far, near = DrawnBox(0, -9, 0, 19, 5), DrawnBox(0, 0, 0, 10, 5)
    checked = check_boxes([near, far], 100, 50)
    assert checked.kept == (Box(0, 0, 0, 10, 5),)
    assert checked.findings == (Finding(far, "double", kept=False),)


def test_one_rectangle_with_two_labels_is_kept_twice_and_doubtful():
    cat, dog = DrawnBox(0, 1, 2, 3, 4), DrawnBox(1, 1, 2, 3, 4)
    checked = check_boxes([cat, dog, cat], 100, 50)
    assert checked.kept == (Box(0, 1, 2, 3, 4), Box(1, 1, 2, 3, 4))
    assert checked.findings == (Finding(dog, "two-labels", kept=True), Finding(cat, "double", kept=False))


def test_fractions_are_rounded_edge_by_edge():
    """Left 1.4 → 1, top 2.6 → 3, right 4.4 → 4, bottom 6.8 → 7: a right edge never moves by a whole pixel."""
    assert whole_box(DrawnBox(0, 1.4, 2.6, 3.0, 4.2)) == Box(0, 1, 3, 3, 4)


SIDE = st.integers(-50, 150)


@given(st.lists(st.builds(DrawnBox, st.integers(0, 2), SIDE, SIDE, SIDE, SIDE), max_size=8))
def test_every_box_is_kept_or_named_and_what_is_kept_fits(boxes):
    checked = check_boxes(boxes, 100, 50)
    dropped = [finding for finding in checked.findings if not finding.kept]
    assert len(checked.kept) + len(dropped) == len(boxes)
    assert all(box.fits(100, 50) for box in checked.kept)
    assert len(set(checked.kept)) == len(checked.kept)
    assert {finding.reason for finding in checked.findings} <= set(FINDINGS)


EDGE = st.integers(-2, 102) | st.floats(-2, 102)


@given(
    st.lists(st.builds(DrawnBox, st.integers(0, 2), EDGE, EDGE, EDGE, EDGE), max_size=4)
    | st.lists(st.builds(Box, st.integers(0, 2), *[st.integers(1, 60)] * 4), max_size=4)
)
def test_boxes_that_are_sound_are_what_looking_closer_finds(boxes):
    """Most pictures' boxes take a quick way; it must never say anything else."""
    closer = box_check._checked([as_drawn(box) for box in boxes], 100, 50, 2)
    assert check_boxes(boxes, 100, 50, 2) == closer


def test_a_box_that_was_found_whole_is_cut_at_the_edge_all_the_same():
    checked = check_boxes([Box(0, 90, 10, 20, 20)], 100, 50)
    assert checked.kept == (Box(0, 90, 10, 10, 20),)
    assert checked.findings == (Finding(DrawnBox(0, 90, 10, 20, 20), "cut", kept=True),)
