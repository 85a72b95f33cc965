"""Parquet files in the one shape that the format `parquet` writes; pyarrow doesn't fit into Lambda.

    optional group image { optional binary bytes; optional binary path (UTF8); }
    optional int32 width; optional int32 height;
    optional group objects {
      optional group bbox (LIST) of (LIST) of int32;      rows of [left, top, width, height]
      optional group category (LIST) of int64;
    }

PLAIN encoding, no compression (the pictures are compressed), version 1 data pages, one page a column and row
group. Levels tell what is there: a definition level counts the optional and repeated fields down to the value
that are present, a repetition level the list that goes on (0: a new row).
Source: Apache Parquet's documentation, "File Format", and parquet.thrift in apache/parquet-format.
"""

import itertools
import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from truthmill.channels import thrift_compact as thrift
from truthmill.channels.parquet_columns import BYTES, INT32, INT64, MAGIC
from truthmill.channels.thrift_compact import BINARY, I32, I64, LIST, STRUCT

_OPTIONAL, _REPEATED = 1, 2  # FieldRepetitionType
_UTF8, _LIST = 0, 3  # ConvertedType
_PLAIN, _RLE = 0, 3  # Encoding
_BOX = [0, 2, 2, 2], [1, 2, 2, 2]  # repetition levels of a row's first box, of a further one


class Row(NamedTuple):
    """A picture. boxes: left, top, width, height of each; categories: as many class ids."""

    content: bytes
    path: str
    width: int
    height: int
    boxes: list[tuple[int, int, int, int]]
    categories: list[int]


class Column(NamedTuple):
    """A leaf of the schema: its type, the path to it, and the highest levels that it can have."""

    kind: int
    path: tuple[str, ...]
    definition: int
    repetition: int


COLUMNS = (
    Column(BYTES, ("image", "bytes"), 2, 0),
    Column(BYTES, ("image", "path"), 2, 0),
    Column(INT32, ("width",), 1, 0),
    Column(INT32, ("height",), 1, 0),
    Column(INT32, ("objects", "bbox", "list", "element", "list", "element"), 6, 2),
    Column(INT64, ("objects", "category", "list", "element"), 4, 1),
)


class Writer:
    """Bytes of a file, row group after row group. rows: in it; size: of all that would be in it by now."""

    def __init__(self, metadata: dict[str, str]) -> None:
        """metadata: key-value pairs for the footer."""
        self._metadata = metadata
        self._groups: list[bytes] = []
        self.rows = 0
        self._end = len(MAGIC)
        self._described = len(self.footer())

    @property
    def size(self) -> int:
        return self._end + self._described

    def group(self, rows: list[Row]) -> bytes:
        """A row group's bytes, which the file begins with or goes on with."""
        pieces = [] if self._groups else [MAGIC]
        chunks, before = [], self._end
        for column, levels, values in zip(COLUMNS, _levels(rows), _values(rows), strict=True):
            page = _page(column, levels, values)
            chunks.append(_chunk(column, self._end, len(page), len(levels[1])))
            pieces.append(page)
            self._end += len(page)
        self._groups.append(
            thrift.struct((1, LIST, (STRUCT, chunks)), (2, I64, self._end - before), (3, I64, len(rows)))
        )
        self._described += len(self._groups[-1])
        self.rows += len(rows)
        return b"".join(pieces)

    def footer(self) -> bytes:
        """The file's end."""
        pairs = [thrift.struct((1, BINARY, key), (2, BINARY, value)) for key, value in self._metadata.items()]
        described = thrift.struct(
            (1, I32, 1),
            (2, LIST, (STRUCT, _schema())),
            (3, I64, self.rows),
            (4, LIST, (STRUCT, self._groups)),
            (5, LIST, (STRUCT, pairs)),
            (6, BINARY, "truthmill"),
        )
        begin = b"" if self._groups else MAGIC
        return begin + described + struct.pack("<I", len(described)) + MAGIC


def _schema() -> list[bytes]:
    """The tree, a parent before its children."""

    def group(name: str, children: int, repetition: int = _OPTIONAL, converted: int | None = None) -> bytes:
        more = [] if converted is None else [(6, I32, converted)]
        return thrift.struct((3, I32, repetition), (4, BINARY, name), (5, I32, children), *more)

    def leaf(name: str, kind: int, converted: int | None = None) -> bytes:
        more = [] if converted is None else [(6, I32, converted)]
        return thrift.struct((1, I32, kind), (3, I32, _OPTIONAL), (4, BINARY, name), *more)

    return [
        thrift.struct((4, BINARY, "schema"), (5, I32, 4)),
        group("image", 2),
        leaf("bytes", BYTES),
        leaf("path", BYTES, _UTF8),
        leaf("width", INT32),
        leaf("height", INT32),
        group("objects", 2),
        group("bbox", 1, converted=_LIST),
        group("list", 1, _REPEATED),
        group("element", 1, converted=_LIST),
        group("list", 1, _REPEATED),
        leaf("element", INT32),
        group("category", 1, converted=_LIST),
        group("list", 1, _REPEATED),
        leaf("element", INT64),
    ]


Levels = tuple[list[int], list[int]]  # repetition, definition; one of each a value or an empty list


def _levels(rows: list[Row]) -> Iterator[Levels]:
    for column in COLUMNS[:4]:
        yield [0] * len(rows), [column.definition] * len(rows)
    sides: list[int] = []
    present: list[int] = []
    repeated: list[int] = []
    classes: list[int] = []
    for row in rows:
        boxes = len(row.boxes)
        sides += _BOX[0] + _BOX[1] * (boxes - 1) if boxes else [0]
        present += [6] * (4 * boxes) if boxes else [2]
        repeated += [0] + [1] * (boxes - 1) if boxes else [0]
        classes += [4] * boxes if boxes else [2]
    yield sides, present
    yield repeated, classes


def _values(rows: list[Row]) -> Iterator[bytes]:
    for texts in ([row.content for row in rows], [row.path.encode() for row in rows]):
        yield b"".join(itertools.chain.from_iterable((struct.pack("<I", len(one)), one) for one in texts))
    yield struct.pack(f"<{len(rows)}i", *(row.width for row in rows))
    yield struct.pack(f"<{len(rows)}i", *(row.height for row in rows))
    sides = [side for row in rows for box in row.boxes for side in box]
    yield struct.pack(f"<{len(sides)}i", *sides)
    categories = [category for row in rows for category in row.categories]
    yield struct.pack(f"<{len(categories)}q", *categories)


def _page(column: Column, levels: Levels, values: bytes) -> bytes:
    repetition, definition = levels
    data = (_runs(repetition) if column.repetition else b"") + _runs(definition) + values
    header = thrift.struct(
        (1, I32, 0),
        (2, I32, len(data)),
        (3, I32, len(data)),
        (
            5,
            STRUCT,
            thrift.struct((1, I32, len(definition)), (2, I32, _PLAIN), (3, I32, _RLE), (4, I32, _RLE)),
        ),
    )
    return header + data


def _runs(levels: list[int]) -> bytes:
    """Levels as runs of one value ("RLE/Bit-Packing Hybrid"), with their length before."""
    runs = b"".join(
        thrift.varint(len(list(run)) << 1) + bytes([level]) for level, run in itertools.groupby(levels)
    )
    return struct.pack("<I", len(runs)) + runs


def _chunk(column: Column, offset: int, size: int, values: int) -> bytes:
    described = thrift.struct(
        (1, I32, column.kind),
        (2, LIST, (I32, [_PLAIN, _RLE])),
        (3, LIST, (BINARY, list(column.path))),
        (4, I32, 0),
        (5, I64, values),
        (6, I64, size),
        (7, I64, size),
        (9, I64, offset),
    )
    return thrift.struct((2, I64, offset), (3, STRUCT, described))


def row_groups(rows: Iterable[Row], most_rows: int, most_bytes: int) -> Iterator[list[Row]]:
    """Rows by the group, each within both limits, or a single row."""
    group: list[Row] = []
    size = 0
    for row in rows:
        if group and (len(group) == most_rows or size + len(row.content) > most_bytes):
            yield group
            group, size = [], 0
        group.append(row)
        size += len(row.content)
    if group:
        yield group
