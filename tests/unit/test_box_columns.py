"""A picture's boxes among others' in columns are what a tuple of them would be."""

import numpy as np
import pytest

from truthmill.box_columns import BoxColumns, Span
from truthmill.boxes import Box
from truthmill.channels.sound_boxes import drawn_spans
from truthmill.dataset import LabeledPicture

FIRST, SECOND = Box(1, 2, 3, 4, 5), Box(0, 1, 1, 1, 1)


def spans():
    sides = tuple(np.array(each) for each in zip((2, 3, 4, 5), (1, 1, 1, 1), strict=True))
    columns = BoxColumns(np.array([1, 0]), sides, [1, 0, 1], np.array([(10, 10)] * 3))
    return [Span(columns, number) for number in range(3)]


def test_a_span_is_equal_to_a_tuple():
    assert spans() == [(FIRST,), (), (SECOND,)]
    assert [len(span) for span in spans()] == [1, 0, 1]
    assert spans()[0][0] == FIRST
    assert spans()[0][:1] == (FIRST,)
    assert {spans()[0], (FIRST,)} == {(FIRST,)}
    assert spans()[0] != spans()[2]


def test_a_picture_takes_a_span_and_looks_at_its_boxes_where_the_size_is_another():
    span = spans()[0]
    assert LabeledPicture(key="a", split="train", width=10, height=10, boxes=span).boxes == (FIRST,)
    assert LabeledPicture(key="a", split="train", width=6, height=8, boxes=span).boxes == (FIRST,)
    with pytest.raises(ValueError, match=r"a: Box.* is not inside 5 x 8 pixels"):
        LabeledPicture(key="a", split="train", width=5, height=8, boxes=span)


def test_what_is_made_of_all_is_made_once():
    calls = []

    def numbers(columns):
        calls.append(columns)
        return columns.counts

    first, _, third = spans()
    assert first.columns.made(numbers) is third.columns.made(numbers)
    assert len(calls) == 1


def test_of_pictures_that_are_not_sound_there_are_boxes_as_they_came_only():
    """Fractions are rounded edge by edge; numbers without end are nowhere."""
    left = np.array([0.4, 2.5, np.nan, np.inf, 1e300])
    sides = left, np.array([0.5] * 5), np.array([1.2, 1.2, 1.2, -np.inf, 1e300]), np.array([1.0] * 5)
    found = list(drawn_spans(np.zeros(5, np.int64), sides, np.array([1] * 5), np.array([(9, 9)] * 5)))
    assert [span.is_sound for span in found] == [True, True, False, False, False]
    assert [tuple(span.whole) for span in found] == [(Box(0, 0, 0, 2, 2),), (Box(0, 2, 0, 2, 2),), (), (), ()]
    assert [span[0].width for span in found] == [1.2, 1.2, 1.2, -np.inf, 1e300]
