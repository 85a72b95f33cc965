"""Boxes come out of their columns as they went in, whatever else is among them."""

from hypothesis import given
from hypothesis import strategies as st

from truthmill.box_check import DrawnBox
from truthmill.boxes import Box
from truthmill.channels.batches import Columns, drawn_boxes

WHOLE = st.integers(0, 1 << 40)  # more than a column has room for
ROW = st.tuples(st.integers(0, 300), WHOLE, WHOLE, WHOLE.map(lambda side: side + 1), st.just(1))
LOOSE = st.tuples(st.integers(0, 300), *[st.floats(allow_nan=False) | st.integers()] * 4)
PICTURE = st.tuples(st.booleans(), st.lists(ROW, max_size=4), st.lists(LOOSE, max_size=4))


@given(st.lists(PICTURE, max_size=6))
def test_whole_ones_become_boxes_and_rows_stay_as_they_are(pictures):
    columns, found, wanted = Columns("i"), [], []
    for is_whole, rows, loose in pictures:
        if is_whole:
            columns.add(*(zip(*rows, strict=True) if rows else [()] * 5))
            found.append(len(rows))
            wanted.append(tuple(Box(*row) for row in rows))
        else:
            found.append(loose)
            wanted.append(tuple(DrawnBox(*row) for row in loose))
    assert list(drawn_boxes("i", columns.packed(), found)) == wanted


@given(st.lists(st.tuples(st.integers(0, 9), *[st.floats(allow_nan=False)] * 4), max_size=6))
def test_fractions_stay_what_they_are_to_the_last_bit(rows):
    columns = Columns("d")
    columns.add(*(zip(*rows, strict=True) if rows else [()] * 5))
    (drawn,) = drawn_boxes("d", columns.packed(), [len(rows)])
    assert drawn == tuple(DrawnBox(*row) for row in rows)
