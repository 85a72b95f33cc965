"""Parquet: what is particular to its pages; files of other writers are read in test_foreign_writers.py."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.channels import CHANNELS, snappy
from truthmill.errors import FormatError
from unit.channels.labeled_datasets import PETS, Sources, written

FILE = written(CHANNELS["parquet"], PETS)["data/train-000000.parquet"]


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x03\x08abc", b"abc"),
        (b"\x00", b""),
        (b"\x0a\x04ab\x01\x02", None),  # says 10 bytes, has 6
        (b"\x0a\x04ab\x11\x02", b"ababababab"),  # one that reaches into itself, by a byte's distance
        (b"\x08\x04ab\x16\x02\x00", b"abababab"),  # by two bytes
        (b"\x08\x04ab\x17\x02\x00\x00\x00", b"abababab"),  # by four
        (b"\x46\xf0\x45" + b"x" * 70, b"x" * 70),  # a length of its own byte
        (b"\x04\x04ab\x01\x09", None),  # refers to what isn't there
        (b"\x05", None),
        (b"\xff", None),
    ],
)
def test_snappy_is_read_as_its_description_has_it(packed, plain):
    if plain is None:
        with pytest.raises(ValueError, match="a page"):
            snappy.decompress(packed)
    else:
        assert snappy.decompress(packed) == plain


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, len(FILE) - 1), st.integers(0, 255)), max_size=4), st.integers(0, 40)
)
def test_a_broken_file_is_named_or_read(changes, cut):
    """Never an error of ours."""
    data = bytearray(FILE)
    for at, value in changes:
        data[at] = value
    with contextlib.suppress(FormatError):
        reading = CHANNELS["parquet"].read(Sources({"train.parquet": bytes(data[: len(data) - cut])}))
        assert all(isinstance(picture.path, str) for picture in reading.pictures)
