"""Boxes come out of their columns as they went in, whatever else is among them."""

import marshal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.box_check import DrawnBox
from truthmill.channels.batches import Columns, drawn_boxes

WHOLE = st.integers(-(1 << 31), (1 << 31) - 1)
ROW = st.tuples(st.integers(0, 300), WHOLE, WHOLE, WHOLE, WHOLE)
LOOSE = st.tuples(st.integers(0, 300), *[st.floats(allow_nan=False) | st.integers()] * 4)
PICTURE = st.tuples(st.booleans(), st.lists(ROW, max_size=4), st.lists(LOOSE, max_size=4))


def as_they_are(numbers, sizes_wh):
    assert len(sizes_wh) == len(numbers[0])
    return numbers


def handed_over(columns):
    packed = marshal.loads(marshal.dumps(columns.packed()))  # noqa: S302 - our own
    return list(drawn_boxes(packed, as_they_are))


def add(columns, rows):
    class_ids, *numbers = zip(*rows, strict=True) if rows else [()] * 5
    columns.add((640, 480), class_ids, numbers)


@given(st.lists(PICTURE, max_size=6))
def test_boxes_and_rows_stay_as_they_are(pictures):
    columns, wanted = Columns("i"), []
    for is_whole, rows, loose in pictures:
        if is_whole:
            add(columns, rows)
        else:
            columns.add_rows((640, 480), loose)
        wanted.append(tuple(DrawnBox(*row) for row in (rows if is_whole else loose)))
    assert handed_over(columns) == wanted


@given(st.lists(st.tuples(st.integers(0, 9), *[st.floats(allow_nan=False)] * 4), max_size=6))
def test_fractions_stay_what_they_are_to_the_last_bit(rows):
    columns = Columns("d")
    add(columns, rows)
    (drawn,) = handed_over(columns)
    assert drawn == tuple(DrawnBox(*row) for row in rows)


@pytest.mark.parametrize(("number", "error"), [(1 << 31, OverflowError), (0.5, TypeError)])
def test_of_what_has_no_room_nothing_is_added(number, error):
    columns = Columns("i")
    with pytest.raises(error):
        add(columns, [(0, 1, 1, 1, number)])
    add(columns, [(0, 1, 2, 3, 4)])
    assert handed_over(columns) == [(DrawnBox(0, 1, 2, 3, 4),)]


def test_a_picture_larger_than_any_has_no_sound_boxes():
    columns = Columns("i")
    columns.add((1 << 70, 480), [0], [[1], [2], [3], [4]])
    (drawn,) = handed_over(columns)
    assert drawn == (DrawnBox(0, 1, 2, 3, 4),)
    assert not drawn.is_sound
