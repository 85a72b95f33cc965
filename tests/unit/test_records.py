import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.boxes import Box
from truthmill.errors import FormatError
from truthmill.records import LedgerLine, Rejected, from_lines, split_lines, to_lines


def chunked(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_lines_come_back_however_they_are_cut(size):
    records = [Rejected(name="ä😀\n.jpg", reason="damaged"), Rejected(name="", reason="known", distance=0)]
    data = b"".join(to_lines(records))
    assert list(from_lines(chunked(data, size), Rejected, "x")) == records


def test_defaults_are_left_out_and_names_are_camel_case():
    line = LedgerLine(sha256="00", key="k", split="train", name="n", run="r", boxes=(Box(0, 1, 2, 3, 4),))
    assert b"".join(to_lines([line])) == (
        b'{"sha256":"00","key":"k","split":"train","name":"n","run":"r",'
        b'"boxes":[{"class_id":0,"left":1,"top":2,"width":3,"height":4}]}\n'
    )


def test_no_boxes_is_not_the_same_as_not_labeled():
    """A negative has an empty list; a picture without an answer has none."""
    negative = LedgerLine(sha256="0", key="k", split="train", name="n", run="r", boxes=())
    (again,) = from_lines(to_lines([negative]), LedgerLine, "x")
    assert again.boxes == ()


def test_a_damaged_line_is_named_with_its_number():
    with pytest.raises(FormatError, match=r"s3://b/x\.jsonl, line 2: "):
        list(from_lines([b'{"name":"a","reason":"b"}\n{"name":'], Rejected, "s3://b/x.jsonl"))


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b""))), st.integers(1, 20))
def test_splitting_is_joining_backwards(lines, size):
    data = b"".join(line + b"\n" for line in lines)
    assert list(split_lines(chunked(data, size))) == lines
