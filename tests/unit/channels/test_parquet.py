"""Parquet: what is particular to its pages; files of other writers are read in test_foreign_writers.py."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truthmill.channels import CHANNELS, lz4, parquet_columns, parquet_delta, snappy
from truthmill.channels.parquet_codecs import unpacked
from truthmill.channels.parquet_columns import INT32, Leaf
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


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x30abc", b"abc"),
        (b"\x00", b""),
        (b"\x20ab\x02\x00\x10c", b"ababab" + b"c"),  # four bytes at least, from two back
        (b"\x1fa\x01\x00\x02\x10b", b"a" * 22 + b"b"),  # 15 + 2 + 4 times what lies one back
        (b"\xf0\x37" + b"x" * 70, b"x" * 70),
        (b"\xf0\xff\x00" + b"x" * 270, b"x" * 270),  # 15 + 255 + 0
        (b"\x20ab\x09\x00\x10c", None),  # refers to what isn't there
        (b"\x20ab\x00\x00\x10c", None),
        (b"\x30ab", None),
        (b"\xf0\xff", None),
        (b"", None),
    ],
)
def test_lz4_is_read_as_its_description_has_it(packed, plain):
    if plain is None:
        with pytest.raises((ValueError, IndexError)):
            lz4.decompress(packed)
    else:
        assert lz4.decompress(packed) == plain


@pytest.mark.parametrize(
    ("packed", "numbers"),
    [
        # Encodings.md, example 1: blocks of 128 by 4, five numbers, 1 the first, all differences 1.
        (b"\x80\x01\x04\x05\x02\x02\x00\x00\x00\x00", [1, 2, 3, 4, 5]),
        # Example 2: 7, 5, 3, 1, 2, 3, 4, 5: least difference -2, then 0 0 0 3 3 3 3 in two bits each.
        (
            b"\x80\x01\x04\x08\x0e\x03\x02\x00\x00\x00" + (0b11111111_000000).to_bytes(8, "little"),
            [7, 5, 3, 1, 2, 3, 4, 5],
        ),
        (b"\x80\x01\x04\x00\x00", []),
        (b"\x80\x01\x04\x01\x0d", [-7]),
        # Beyond the largest number of 32 bits the smallest follows.
        (b"\x80\x01\x04\x02\xfe\xff\xff\xff\x0f\x02\x00\x00\x00\x00", [2**31 - 1, -(2**31)]),
    ],
)
def test_differences_are_read_as_their_description_has_it(packed, numbers):
    assert parquet_delta.integers(packed + b"rest", 32) == (numbers, len(packed))


@pytest.mark.parametrize(
    "packed", [b"\x80\x01\x00\x05\x02", b"\x81\x01\x04\x05\x02", b"\x80\x01\x04\xff\xff\xff\xff\x7f\x02"]
)
def test_blocks_that_there_can_not_be_are_told(packed):
    with pytest.raises(ValueError, match="a page has"):
        parquet_delta.integers(packed, 32)


def test_a_page_with_fewer_differences_than_values_is_told():
    leaf = Leaf(INT32, ("width",), ("width",), definition=1, repetition=0, empty=0)
    with pytest.raises(ValueError, match="a page has 1 values and says that it has 2"):
        parquet_columns._values(b"\x80\x01\x04\x01\x0d", leaf, parquet_delta.BINARY_PACKED, [1, 1, 0], None)


@pytest.mark.parametrize(("codec", "name"), [(3, "lzo"), (5, "lz4"), (9, "9"), (-1, "-1")])
def test_a_compression_that_is_not_read_is_named(codec, name):
    with pytest.raises(ValueError, match=f"compressed with {name}, which isn't read here"):
        unpacked(b"", codec)


@pytest.mark.parametrize(("codec", "name"), [(4, "brotli"), (6, "zstd")])
def test_a_page_that_a_library_refuses_is_told(codec, name):
    with pytest.raises(ValueError, match=f"a page isn't {name}"):
        unpacked(b"nonsense", codec)


@settings(max_examples=300)
@given(st.binary(max_size=60), st.sampled_from([5, 6, 7, 9]), st.sampled_from([None, 32, 64]))
def test_broken_differences_are_an_error_of_the_file(data, encoding, bits):
    with contextlib.suppress(ValueError, IndexError):
        parquet_delta.read(data, encoding, bits)


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
