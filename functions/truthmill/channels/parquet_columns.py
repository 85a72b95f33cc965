"""Columns of any Parquet file, as far as its common writers go: pyarrow, pandas, `datasets`, DuckDB, Polars.

Pages of version 1 and 2; values PLAIN, by a dictionary or as differences. Levels tell what is there: a
definition level counts the optional and repeated fields down to the value that are present, a repetition
level the list that goes on (0: a new row).
Source: Apache Parquet's documentation, "File Format", and parquet.thrift and Encodings.md in
apache/parquet-format.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from truthmill.channels import parquet_delta
from truthmill.channels import thrift_compact as thrift
from truthmill.channels.parquet_codecs import unpacked

MAGIC = b"PAR1"
INT32, INT64, FLOAT, DOUBLE, BYTES = 1, 2, 4, 5, 6  # Type
_CODES = {INT32: "i", INT64: "q", FLOAT: "f", DOUBLE: "d"}
_BITS = {INT32: 32, INT64: 64}
_PLAIN, _PLAIN_DICTIONARY, _RLE_DICTIONARY = 0, 2, 8  # Encoding
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # PageType
_LEVELS = frozenset({"list", "element", "item", "array", "bag"})  # names that a list's inner groups have


# What a thrift struct, or a page, that is something else than it should be comes to.
_BROKEN = (
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    UnicodeDecodeError,
    struct.error,
    zlib.error,
)
_MOST = 1 << 26  # values of a page


class Leaf(NamedTuple):
    """A column. name: its path without the groups that make a list; definition, repetition: highest levels.

    empty: the definition level of a row whose list is there and has nothing in it.
    """

    kind: int
    path: tuple[str, ...]
    name: tuple[str, ...]
    definition: int
    repetition: int
    empty: int


class File:
    """A file's footer. Raises ValueError where it is none."""

    def __init__(self, data: bytes) -> None:
        if len(data) < 12 or data[:4] != MAGIC or data[-4:] != MAGIC:
            raise ValueError("this is no whole Parquet file.")
        length = int.from_bytes(data[-8:-4], "little")
        try:
            footer = thrift.Reader(data, len(data) - 8 - length).struct()
            self.metadata = {pair[1].decode(): pair.get(2, b"").decode() for pair in footer.get(5, [])}
            self.leaves = list(_leaves(footer[2]))
            self._groups = footer[4]
        except _BROKEN as error:
            raise ValueError(f"its footer can't be read ({type(error).__name__} {error}).") from error
        self._data = data

    def rows(self, leaves: Sequence[Leaf]) -> Iterator[tuple[list[Any] | None, ...]]:
        """Of each row the values of these columns, in a list each; None for a list that isn't there.

        Raises ValueError where the file is broken.
        """
        try:
            for group in self._groups:
                chunks = {tuple(part.decode() for part in chunk[3][3]): chunk[3] for chunk in group[1]}
                yield from zip(*(_rows(self._data, leaf, chunks[leaf.path]) for leaf in leaves), strict=True)
        except _BROKEN as error:
            raise ValueError(f"a page can't be read ({type(error).__name__} {error}).") from error


def _leaves(elements: list[dict[int, Any]]) -> Iterator[Leaf]:
    """The schema's tree, a parent before its children."""
    at = 0

    def below(path: tuple[str, ...], definition: int, repetition: int, empty: int) -> Iterator[Leaf]:
        nonlocal at
        element = elements[at]
        at += 1
        kept = element.get(3, 0)  # 0 required, 1 optional, 2 repeated; the root has none
        if kept == 2 and not repetition:
            empty = definition
        definition, repetition = definition + (kept > 0), repetition + (kept == 2)
        if 5 not in element:
            name = tuple(part for part in path if part not in _LEVELS)
            yield Leaf(element[1], path, name, definition, repetition, empty)
        for _ in range(element.get(5, 0)):
            yield from below((*path, elements[at][4].decode()), definition, repetition, empty)

    return below((), 0, 0, 0)


def _rows(data: bytes, leaf: Leaf, chunk: dict[int, Any]) -> Iterator[list[Any] | None]:
    row: list[Any] | None = None
    begun = False
    for repetition, definition, values in _pages(data, leaf, chunk):
        following = iter(values)
        for repeated, defined in zip(repetition, definition, strict=True):
            if not repeated:
                if begun:
                    yield row
                begun, row = True, None if leaf.repetition and defined < leaf.empty else []
            if defined == leaf.definition and row is not None:
                row.append(next(following))
    if begun:
        yield row


_Page = tuple[Sequence[int], Sequence[int], Sequence[Any]]  # repetition levels, definition levels, values


def _pages(data: bytes, leaf: Leaf, chunk: dict[int, Any]) -> Iterator[_Page]:
    if chunk[1] not in _CODES and chunk[1] != BYTES:
        raise ValueError(f"column {'.'.join(leaf.path)} has values of a kind that isn't read here.")
    reader = thrift.Reader(data, min(chunk[9], chunk.get(11) or chunk[9]))
    left, dictionary = chunk[5], None
    while left > 0:
        header = reader.struct()
        if header[3] < 0:
            raise ValueError("a page says that it is shorter than nothing.")
        body = data[reader.at : reader.at + header[3]]
        reader.at += header[3]
        if header[1] == _DICTIONARY:
            dictionary = _plain(unpacked(body, chunk[4]), leaf.kind, header[7][1])
        elif header[1] in (_DATA, _DATA_2):
            page, about = (_page_1, header[5]) if header[1] == _DATA else (_page_2, header[8])
            if not 0 <= about[1] <= min(left, _MOST):
                raise ValueError(f"a page says that it has {about[1]} values.")
            yield page(body, about, leaf, chunk[4], dictionary)
            left -= about[1]


def _page_1(body: bytes, about: dict[int, Any], leaf: Leaf, codec: int, known: Sequence[Any] | None) -> _Page:
    count, encoding = about[1], about[2]
    body, at = unpacked(body, codec), 0
    levels = []
    for most in (leaf.repetition, leaf.definition):
        if not most:
            levels.append([0] * count)
            continue
        length = int.from_bytes(body[at : at + 4], "little")
        levels.append(_hybrid(body[at + 4 : at + 4 + length], most.bit_length(), count))
        at += 4 + length
    return levels[0], levels[1], _values(body[at:], leaf, encoding, levels[1], known)


def _page_2(body: bytes, about: dict[int, Any], leaf: Leaf, codec: int, known: Sequence[Any] | None) -> _Page:
    first, second = about[6], about[6] + about[5]  # repetition levels first, and never compressed
    repetition = _hybrid(body[:first], leaf.repetition.bit_length(), about[1])
    definition = _hybrid(body[first:second], leaf.definition.bit_length(), about[1])
    values = unpacked(body[second:], codec if about.get(7, True) else 0)
    return repetition, definition, _values(values, leaf, about[4], definition, known)


def _values(
    body: bytes, leaf: Leaf, encoding: int, definition: Sequence[int], known: Sequence[Any] | None
) -> Sequence[Any]:
    count = sum(level == leaf.definition for level in definition)
    if encoding == _PLAIN:
        return _plain(body, leaf.kind, count)
    if encoding in (_PLAIN_DICTIONARY, _RLE_DICTIONARY) and known is not None:
        return [known[number] for number in _hybrid(body[1:], body[0], count)] if count else []
    if encoding == parquet_delta.SPLIT and leaf.kind != BYTES:
        return _plain(parquet_delta.joined(body, struct.calcsize(_CODES[leaf.kind])), leaf.kind, count)
    found = parquet_delta.read(body, encoding, _BITS.get(leaf.kind)) if count else []
    if found is None:
        raise ValueError(f"column {'.'.join(leaf.path)} has encoding {encoding}, which isn't read here.")
    if len(found) < count:
        raise ValueError(f"a page has {len(found)} values and says that it has {count}.")
    return found


def _plain(body: bytes, kind: int, count: int) -> Sequence[Any]:
    if kind != BYTES:
        return struct.unpack_from(f"<{count}{_CODES[kind]}", body)
    found, at = [], 0
    for _ in range(count):
        length = int.from_bytes(body[at : at + 4], "little")
        found.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def _hybrid(data: bytes, width: int, count: int) -> list[int]:
    """Runs of one number, and groups of eight packed ones ("RLE/Bit-Packing Hybrid"); no bits are zeros."""
    if not width:
        return [0] * count
    reader, found = thrift.Reader(data), list[int]()
    wide, mask = (width + 7) // 8, (1 << width) - 1
    while len(found) < count:
        header = reader.varint()
        if header & 1:
            size = (header >> 1) * width
            packed = int.from_bytes(data[reader.at : reader.at + size], "little")
            found += [packed >> at & mask for at in range(0, 8 * size, width)]
            reader.at += size
        else:
            length = min(header >> 1, count - len(found))
            found += [int.from_bytes(data[reader.at : reader.at + wide], "little")] * length
            reader.at += wide
    return found[:count]
