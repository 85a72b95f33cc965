"""YOLO: what is particular to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.channels import yolo
from truthmill.channels.batches import Columns, drawn_boxes

IDS = {0: 0, 1: 1, 7: 2}
NUMBER = st.sampled_from(["0", "1", "7", "0.5", "0.123456789", "1.0", "-0.1", "1e-3", ".5", "5.", "nan"])
LINE = st.lists(NUMBER, min_size=4, max_size=8).map(" ".join)
CONTENT = st.lists(LINE, max_size=4).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines))
)


@given(st.lists(LINE, max_size=4), st.sampled_from(["\n", "\r\n"]))
def test_a_plain_file_is_read_as_line_by_line(lines, end):
    """The quick way says the same as the careful one, or nothing."""
    data = end.join(lines).encode()
    quick = yolo._plain_columns(data, IDS)
    if quick is not None:
        columns = Columns("d")
        columns.add((640, 480), *quick)
        (drawn,) = drawn_boxes(columns.packed(), yolo._sides)
        rows = [(box.class_id, box.left, box.top, box.width, box.height) for box in drawn]
        assert (rows, (), 0) == yolo._boxes("a.txt", data, IDS, (640, 480), None)


@pytest.mark.parametrize("content", [b"", b"0 0.5 0.5 0.1 0.1", b"0 0.5 0.5 0.1 0.1\r\n7 1 1 1 1\r\n"])
def test_lines_of_five_plain_numbers_are_a_plain_file(content):
    lines = len(content.splitlines())
    class_ids, numbers = yolo._plain_columns(content, IDS)
    assert [len(column) for column in (class_ids, *numbers)] == [lines] * 5


@pytest.mark.parametrize(
    "content",
    [
        b"0 0.5 0.5 0.1\n0 0 0.5 0.5 0.1 0.1\n",
        b"0 0.5 0.5 0.1 0.1 0.9\n",
        b"0  0.5 0.5 0.1 0.1\n",
        b"5 0.5 0.5 0.1 0.1\n",
        b"0 0.5 0.5 0.1 0.1\n\n",
    ],
)
def test_lines_of_anything_else_are_looked_at_one_by_one(content):
    """Four numbers and six make ten, which aren't two boxes; class 5 is to be named with its line."""
    assert yolo._plain_columns(content, IDS) is None
