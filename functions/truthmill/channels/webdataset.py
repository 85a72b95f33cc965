"""Format webdataset: tar files of at most 256 MB, which the webdataset library streams.

A sample is two members of one key: the picture, `<key>.jpg`, and `<key>.json` with `file_name`, `width`,
`height`, `bbox` (rows of [left, top, width, height] in pixels), `categories` (class ids) and `labels` (their
names). The key is the picture's number in its split, for a dot within a file's name would end the key.
`classes.json` has the class list. Members are POSIX ustar, without a time or an owner, so that the same
pictures are the same bytes.
Sources: webdataset's documentation, "The WebDataset Format"; POSIX.1-1988 ustar.
"""

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, cast

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.imagefolder import checked, class_list, classes_file
from truthmill.channels.reading import DrawnPicture, Files, Reading, split_of
from truthmill.channels.writing import MAX_FILE, Append, Close, Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError

_END = b"\0" * 1024
_encode = msgspec.json.Encoder().encode


class _Sample(msgspec.Struct, frozen=True):
    file_name: str
    width: int
    height: int
    bbox: list[tuple[float, float, float, float]]
    categories: list[int]


def write(shard: Shard) -> Iterator[Event]:
    """Files of a shard have numbers of their own: train-000000.tar, train-000001.tar; of shard 3, 003000."""
    labels = shard.heading.labels
    file, number, size = "", shard.number * 1000, 0
    for index, picture in enumerate(shard.pictures, start=shard.first_picture):
        boxes = picture.boxes
        sample = {
            "file_name": picture.file,
            "width": picture.width,
            "height": picture.height,
            "bbox": [(box.left, box.top, box.width, box.height) for box in boxes],
            "categories": [box.class_id for box in boxes],
            "labels": [labels[box.class_id] for box in boxes],
        }
        ending = picture.file.rpartition(".")[2].lower()
        data = _member(f"{index:09d}.{ending}", shard.content(picture))
        data += _member(f"{index:09d}.json", _encode(sample))
        if file and size + len(data) + len(_END) > MAX_FILE:
            yield from _closed(file)
            file, number = "", number + 1
        if not file:
            file, size = f"{shard.split}-{number:06d}.tar", 0
        size += len(data)
        yield Append(file, data)
    if file:
        yield from _closed(file)


def _closed(file: str) -> Iterator[Event]:
    yield Append(file, _END)
    yield Close(file)


def _member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + b"\0" * (-len(content) % 512)


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """classes.json."""
    del counts
    yield classes_file(heading)


def detect(files: Files) -> bool:
    """Whether there is a tar file."""
    return any(name.endswith(".tar") for name in files.names)


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every tar file that was written here; the pictures stay in it."""
    listed = class_list(files, labels, "webdataset")
    return Reading(listed, _pictures(files, len(listed)))


def _pictures(files: Files, classes: int) -> Iterator[DrawnPicture]:
    decode = msgspec.json.Decoder(_Sample).decode
    for name in files.names:
        if not name.endswith(".tar"):
            continue
        try:
            stream = cast("IO[bytes]", _Stream(files.chunks(name)))
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                content = b""
                for member in archive:
                    opened = archive.extractfile(member)
                    data = opened.read() if opened else b""
                    if member.name.endswith(".json"):
                        yield _picture(decode(data), content, name, classes)
                    else:
                        content = data
        except (tarfile.TarError, msgspec.DecodeError, ValueError) as error:
            raise FormatError(f"{name}: {error}") from error


def _picture(sample: _Sample, content: bytes, name: str, classes: int) -> DrawnPicture:
    return DrawnPicture(
        path=sample.file_name,
        split=split_of(name.rpartition("/")[2]),
        width=sample.width,
        height=sample.height,
        content=content,
        boxes=tuple(
            DrawnBox(checked(class_id, classes), *bbox)
            for bbox, class_id in zip(sample.bbox, sample.categories, strict=True)
        ),
    )


class _Stream:
    """Chunks as a file that is read forward."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._held = b""

    def read(self, size: int) -> bytes:
        held = [self._held]
        length = len(self._held)
        while length < size and (chunk := next(self._chunks, None)) is not None:
            held.append(chunk)
            length += len(chunk)
        joined = b"".join(held)
        self._held = joined[size:]
        return joined[:size]
