"""Parquet's delta encodings and split bytes, to read only: DuckDB's version 2, and pyarrow's when asked.

Source: Encodings.md in apache/parquet-format.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from truthmill.channels import thrift_compact as thrift

BINARY_PACKED, LENGTHS, PREFIXES, SPLIT = 5, 6, 7, 9  # Encoding
_MOST = 1 << 26  # values of a page


def integers(data: bytes, bits: int) -> tuple[list[int], int]:
    """DELTA_BINARY_PACKED, and where it ends; bits: of a value, whose sums wrap around."""
    reader = thrift.Reader(data)
    block, parts, count = reader.varint(), reader.varint(), reader.varint()
    if not 0 < parts <= block or block % (32 * parts) or count > _MOST:
        raise ValueError(f"a page has {count} numbers in blocks of {block} by {parts}.")
    deltas = [reader.signed()]
    while len(deltas) < count:
        least = reader.signed()
        widths = data[reader.at : reader.at + parts]
        reader.at += parts
        for width in widths:
            if len(deltas) >= count:
                break  # parts that would hold nothing aren't there
            deltas += [least + each for each in _packed(reader, width, block // parts)]
    wrapped, half = 1 << bits, 1 << bits - 1
    return [(value + half) % wrapped - half for value in accumulate(deltas[:count])], reader.at


def _packed(reader: thrift.Reader, width: int, count: int) -> list[int]:
    """Numbers of so many bits, the lowest first."""
    size, mask = count * width // 8, (1 << width) - 1
    packed = reader.data[reader.at : reader.at + size]
    if len(packed) < size:
        raise IndexError("a page is cut off")
    reader.at += size
    whole = int.from_bytes(packed, "little")
    return [whole >> at & mask for at in range(0, count * width, width)] if width else [0] * count


def texts(data: bytes) -> list[bytes]:
    """DELTA_LENGTH_BYTE_ARRAY: all lengths, then all bytes."""
    lengths, at = integers(data, 32)
    found = []
    for length in lengths:
        if length < 0 or at + length > len(data):
            raise IndexError("a page is cut off")
        found.append(data[at : at + length])
        at += length
    return found


def with_prefixes(data: bytes) -> list[bytes]:
    """DELTA_BYTE_ARRAY: how many bytes are those of the text before, then what follows them."""
    prefixes, at = integers(data, 32)
    found: list[bytes] = []
    before = b""
    for prefix, rest in zip(prefixes, texts(data[at:]), strict=True):
        before = before[:prefix] + rest
        found.append(before)
    return found


def joined(data: bytes, size: int) -> bytes:
    """BYTE_STREAM_SPLIT: the first bytes of all values, then the second ones; size: of a value."""
    count = len(data) // size
    return bytes(data[part * count + number] for number in range(count) for part in range(size))


def read(data: bytes, encoding: int, bits: int | None) -> Sequence[Any] | None:
    """A page's values; bits: of a number, None of bytes. None where it isn't one of these encodings."""
    if encoding == BINARY_PACKED and bits:
        return integers(data, bits)[0]
    if encoding == LENGTHS and bits is None:
        return texts(data)
    if encoding == PREFIXES and bits is None:
        return with_prefixes(data)
    return None
