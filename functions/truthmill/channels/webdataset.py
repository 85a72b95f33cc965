"""Format webdataset: tar files of at most 256 MB, which the webdataset library streams.

A sample is two members of one key: the picture, `<key>.jpg`, and `<key>.json` with `file_name`, `width`,
`height`, `bbox` (rows of [left, top, width, height] in pixels), `categories` (class ids) and `labels` (their
names). The key is the picture's number in its split, for a dot within a file's name would end the key.
`classes.json` has the class list. Members are POSIX ustar, without a time or an owner, so that the same
pictures are the same bytes.
Sources: webdataset's documentation, "The WebDataset Format"; POSIX.1-1988 ustar.
"""

import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, cast

import msgspec

from truthmill.channels.imagefolder import class_list, classes_file
from truthmill.channels.reading import Classes, DrawnPicture, Files, Reading, is_picture, size_of, split_of
from truthmill.channels.samples import sample_boxes
from truthmill.channels.writing import MAX_FILE, Append, Close, Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError

_END = b"\0" * 1024
_encode = msgspec.json.Encoder().encode


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
    return bool(_tars(files))


def _tars(files: Files) -> list[str]:
    return [name for name in files.names if name.lower().endswith((".tar", ".tar.gz", ".tgz"))]


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every tar file; the pictures stay in it. A sample is the members of one key in any order, its boxes in
    its `.json` in any of the shapes that `sample_boxes` knows; one without it is not labeled.
    """
    listed = class_list(files, labels, "webdataset")
    return Reading(listed, _pictures(files, Classes(listed)))


def _pictures(files: Files, classes: Classes) -> Iterator[DrawnPicture]:
    for name in _tars(files):
        try:
            for key, members in _samples(files, name):
                picture = _picture(key, members, split_of(name), classes)
                if picture is not None:
                    yield picture
        except (
            tarfile.TarError,
            zlib.error,
            msgspec.DecodeError,
            ValueError,
            TypeError,
            RecursionError,
        ) as error:
            raise FormatError(f"{name}: {error}") from error


def _samples(files: Files, name: str) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Each key with its members by their endings: a name's first dot ends it ("The WebDataset Format")."""
    stream = cast("IO[bytes]", _Stream(files.chunks(name)))
    with tarfile.open(fileobj=stream, mode="r|*") as archive:
        begun, members = "", dict[str, bytes]()
        for member in archive:
            opened = archive.extractfile(member)
            if opened is None:
                continue
            folder, slash, base = member.name.rpartition("/")
            stem, _, ending = base.partition(".")
            key = folder + slash + stem
            if key != begun and members:
                yield begun, members
                members = {}
            begun = key
            members[ending.lower()] = opened.read()
        if members:
            yield begun, members


def _picture(key: str, members: dict[str, bytes], split: str, classes: Classes) -> DrawnPicture | None:
    """None for a sample without a picture."""
    ending = next((ending for ending in members if is_picture(f"x.{ending}")), None)
    if ending is None:
        return None
    content, path, told = members[ending], f"{key}.{ending}", members.get("json")
    if told is None:
        return DrawnPicture(path=path, split=split, unlabeled="It has no JSON.", content=content)
    sample = msgspec.json.decode(told)
    about = sample if isinstance(sample, dict) else {}
    path = str(about.get("file_name") or path)
    width, height = about.get("width"), about.get("height")
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        width, height = size_of(content, path)
    return DrawnPicture(
        path=path,
        split=split,
        width=width,
        height=height,
        content=content,
        boxes=tuple(sample_boxes(sample, classes)),
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
