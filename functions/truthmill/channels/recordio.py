"""Format recordio: one `.rec` a split with pictures and labels in it, `.idx` and `.lst` beside it, for MXNet.

A record is a magic number, a length, and the payload, padded to 4 bytes; a payload that has the magic number
at a multiple of 4 is written in several parts, the number left out between them (dmlc-core, recordio.h). The
payload is a header (flag: how many numbers the label has; a label that isn't used; id; id2), the label in
single precision, the picture's file (mxnet, recordio.py, IRHeader).

The label is [2, 5, then class, xmin, ymin, xmax, ymax of each box], sides as shares of the picture (mxnet,
ImageDetIter). Single precision holds a share of up to 65,535 pixels so that it rounds back to the very pixel.
MXNet's iterators stop at a picture without a row that has an area, so a negative has one of class -1.
A picture's name and size are in `.lst` and `sizes.jsonl` only: MXNet's record has no place for them.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.imagefolder import class_list, classes_file
from truthmill.channels.reading import BOM, DrawnPicture, Files, Reading, ending_of, size_of, split_of
from truthmill.channels.sagemaker_input import channels_json, hyperparameters, s3_input
from truthmill.channels.samples import checked
from truthmill.channels.writing import Append, Counts, Event, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError
from truthmill.records import split_lines

MAGIC = struct.pack("<I", 0xCED7230A)
_LENGTH = (1 << 29) - 1  # the upper three bits say which part of a record it is
WHOLE, FIRST, MIDDLE, LAST = range(4)
_HEADER = struct.Struct("<IfQQ")
_encode = msgspec.json.Encoder().encode


class _Size(msgspec.Struct, frozen=True):
    file_name: str
    width: int
    height: int


def write(shard: Shard) -> Iterator[Event]:
    """`.idx` counts bytes from the beginning of the shard's records; `merge_index` makes one of several."""
    split = shard.split
    at = 0
    for number, picture in enumerate(shard.pictures, start=shard.first_picture):
        label = label_of(picture)
        record = pack(_HEADER.pack(len(label), 0.0, number, 0), label, shard.content(picture))
        yield Append(f"{split}.rec", record)
        yield Append(f"{split}.idx", b"%d\t%d\n" % (number, at))
        row = "\t".join([str(number), *(f"{value:.9g}" for value in label), picture.file])
        yield Append(f"{split}.lst", row.encode() + b"\n")
        size = _Size(picture.file, picture.width, picture.height)
        yield Append(f"{split}-sizes.jsonl", _encode(size) + b"\n")
        at += len(record)


def merge_index(shards: Iterable[tuple[bytes, int]]) -> Iterator[bytes]:
    """One `.idx` from the shards' own, each with the length of its `.rec`."""
    before = 0
    for lines, length in shards:
        for line in lines.splitlines():
            number, _, at = line.partition(b"\t")
            yield b"%b\t%d\n" % (number, int(at) + before)
        before += length


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """channels.json and classes.json."""
    yield classes_file(heading)
    splits = [split for split in heading.splits if counts[split].pictures]
    inputs = [
        s3_input(split, heading.uri(f"{heading.prefix}{split}.rec"), "application/x-recordio")
        for split in splits
    ]
    yield channels_json(inputs, hyperparameters(heading, counts))


def label_of(picture: LabeledPicture) -> list[float]:
    width, height = picture.width, picture.height
    label = [2.0, 5.0]
    for box in picture.boxes:
        label += (box.class_id, box.left / width, box.top / height, box.right / width, box.bottom / height)
    return label if picture.boxes else [2.0, 5.0, -1.0, 0.0, 0.0, 1.0, 1.0]


def pack(header: bytes, label: list[float], content: bytes) -> bytes:
    """A record, in parts where its payload has the magic number at a multiple of 4 bytes."""
    payload = b"".join((header, struct.pack(f"<{len(label)}f", *label), content))
    parts = []
    start = 0
    at = payload.find(MAGIC)
    while at >= 0:
        if at % 4:
            at = payload.find(MAGIC, at + 1)
            continue
        parts.append(payload[start:at])
        start = at + 4
        at = payload.find(MAGIC, start)
    parts.append(payload[start:])
    kinds = [WHOLE] if len(parts) == 1 else [FIRST, *[MIDDLE] * (len(parts) - 2), LAST]
    packed = []
    for kind, part in zip(kinds, parts, strict=True):
        if len(part) > _LENGTH:
            raise FormatError(f"a record of {len(part)} bytes; RecordIO takes {_LENGTH}.")
        packed += [MAGIC, struct.pack("<I", kind << 29 | len(part)), part, b"\0" * (-len(part) % 4)]
    return b"".join(packed)


def records(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Payloads of a `.rec`. Raises FormatError where it is none, or is cut off."""
    stream = _Stream(chunks, where)
    parts: list[bytes] = []
    while head := stream.take(8, at_end=True):
        if head[:4] != MAGIC:
            raise FormatError(f"{where}: byte {stream.at - 8} doesn't begin a record.")
        said = int.from_bytes(head[4:], "little")
        kind, length = said >> 29, said & _LENGTH
        parts.append(stream.take(length))
        stream.take(-length % 4)
        if kind in (WHOLE, LAST):
            yield MAGIC.join(parts)
            parts = []


class _Stream:
    """Bytes by their number, from chunks of any size. at: how many have been taken."""

    def __init__(self, chunks: Iterable[bytes], where: str) -> None:
        self._chunks, self._where = iter(chunks), where
        self._held = b""
        self.at = 0

    def take(self, size: int, *, at_end: bool = False) -> bytes:
        """at_end: whether there may be no more. Raises FormatError where there are fewer."""
        held = [self._held]
        length = len(self._held)
        while length < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                if at_end and not length:
                    return b""
                raise FormatError(f"{self._where}: cut off after {self.at + length} bytes.")
            held.append(chunk)
            length += len(chunk)
        joined = b"".join(held)
        self._held = joined[size:]
        self.at += size
        return joined[:size]


def detect(files: Files) -> bool:
    """Whether there is a .rec."""
    return any(name.endswith(".rec") for name in files.names)


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every .rec. Names and sizes are those that its -sizes.jsonl has; without it the names are those of its
    .lst, else the records' ids, and the sizes the pictures' own.
    """
    listed = class_list(files, labels, "RecordIO")
    return Reading(listed, _pictures(files, len(listed)))


def _pictures(files: Files, classes: int) -> Iterator[DrawnPicture]:
    for name in files.names:
        if not name.endswith(".rec"):
            continue
        sizes = name.removesuffix(".rec") + "-sizes.jsonl"
        known = split_lines(files.chunks(sizes)) if sizes in files.names else None
        called = {} if known else _called(files, name.removesuffix(".rec") + ".lst")
        for payload in records(files.chunks(name), name):
            label, id_, content = _record(payload, name)
            if known:
                size = _size(next(known, b""), sizes)
            else:
                path = called.get(id_) or f"{id_:09d}.{ending_of(content)}"
                size = _Size(path, *size_of(content, f"{name}, record {id_}"))
            yield DrawnPicture(
                path=size.file_name,
                split=split_of(name),
                width=size.width,
                height=size.height,
                boxes=_boxes(label, size, classes, name),
                content=content,
            )


def _record(payload: bytes, name: str) -> tuple[tuple[float, ...], int, bytes]:
    """Labels, id and picture. Raises FormatError."""
    try:
        count, _, id_, _ = _HEADER.unpack_from(payload)
        label = struct.unpack_from(f"<{count}f", payload, _HEADER.size)
    except struct.error as error:
        raise FormatError(f"{name}: a record is shorter than its header says.") from error
    return label, id_, payload[_HEADER.size + 4 * count :]


def _size(line: bytes, name: str) -> _Size:
    """Raises FormatError."""
    try:
        return msgspec.json.decode(line.removeprefix(BOM), type=_Size)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FormatError(
            f"{name}: it has no file name, width and height for each picture ({error})."
        ) from error


def _called(files: Files, name: str) -> dict[int, str]:
    """File names by the records' ids: the first and the last column of a .lst."""
    if name not in files.names:
        return {}
    rows = (
        line.decode(errors="replace").rstrip("\r").split("\t") for line in split_lines(files.chunks(name))
    )
    return {int(row[0]): row[-1] for row in rows if len(row) > 2 and row[0].isdigit()}


def _boxes(label: tuple[float, ...], size: _Size, classes: int, name: str) -> tuple[DrawnBox, ...]:
    if len(label) < 2 or label[0] < 2 or label[1] < 5:
        raise FormatError(f"{name}: its labels are none of boxes, which begin with a header of two numbers.")
    begin, step = int(label[0]), int(label[1])
    boxes = []
    for at in range(begin, len(label) - 4, step):
        class_id, left, top, right, bottom = label[at : at + 5]
        if class_id < 0:
            continue
        try:
            box = DrawnBox(
                checked(int(class_id), classes),
                left * size.width,
                top * size.height,
                (right - left) * size.width,
                (bottom - top) * size.height,
            )
        except ValueError as error:
            raise FormatError(f"{name}: {error}") from error
        boxes.append(box)
    return tuple(boxes)
