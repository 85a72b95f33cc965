"""Format imagefolder: `<split>/metadata.jsonl` beside the pictures, as Hugging Face's `imagefolder` loads it.

A line is a picture: `file_name`, `image_id`, `width`, `height`, and `objects` with `bbox` ([left, top,
width, height] in pixels, as in COCO) and `categories` (class ids), each as long as there are boxes.
`classes.json` has the class list.
Source: "Create an image dataset", "ImageFolder", object detection, in the documentation of `datasets`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.reading import BOM, Classes, DrawnPicture, Files, Reading, json_of, split_of
from truthmill.channels.samples import checked, sample_boxes
from truthmill.channels.writing import Append, Copy, Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError
from truthmill.records import split_lines

CLASSES = "classes.json"
FOLDERS = {"train": "train", "validation": "validation", "test": "test"}
_encode = msgspec.json.Encoder().encode


class _Objects(msgspec.Struct, frozen=True):
    bbox: list[tuple[float, float, float, float]]
    categories: list[int]


class _Line(msgspec.Struct, frozen=True):
    file_name: str
    objects: _Objects
    width: int = 0
    height: int = 0


class _Loose(msgspec.Struct, frozen=True):
    """A line of somebody else's."""

    file_name: str
    objects: Any = None
    width: int = 0
    height: int = 0


_decode, _decode_loose = msgspec.json.Decoder(_Line).decode, msgspec.json.Decoder(_Loose).decode


def write(shard: Shard) -> Iterator[Event]:
    folder = FOLDERS[shard.split]
    file = f"{folder}/metadata.jsonl"
    for number, picture in enumerate(shard.pictures, start=shard.first_picture):
        yield Copy(picture.key, f"{folder}/{picture.file}")
        boxes = picture.boxes
        line = {
            "file_name": picture.file,
            "image_id": number,
            "width": picture.width,
            "height": picture.height,
            "objects": {
                "bbox": [(box.left, box.top, box.width, box.height) for box in boxes],
                "categories": [box.class_id for box in boxes],
            },
        }
        yield Append(file, _encode(line) + b"\n")


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """classes.json."""
    del counts
    yield classes_file(heading)


def classes_file(heading: Heading) -> Whole:
    """The class list as a JSON array; a class id is an index in it."""
    return Whole(CLASSES, msgspec.json.format(_encode(heading.labels), indent=2) + b"\n")


def class_list(files: Files, wanted: tuple[str, ...] | None, what: str) -> tuple[str, ...]:
    """The list in classes.json, or the one that is wanted. Raises FormatError where they disagree."""
    name = next((name for name in files.names if name.rpartition("/")[2] == CLASSES), None)
    if name is None:
        if wanted is None:
            raise FormatError(f"{what} numbers its classes, and there is no {CLASSES}. Say the labels.")
        return wanted
    found = json_of(files, name, tuple[str, ...])
    if wanted is not None and found != wanted:
        raise FormatError(f"{name} has {list(found)}; the labels that were said are {list(wanted)}.")
    return found


def _metadata(files: Files) -> list[str]:
    return [name for name in files.names if name.rpartition("/")[2] == "metadata.jsonl"]


def detect(files: Files) -> bool:
    """Whether there is a metadata.jsonl."""
    return bool(_metadata(files))


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every metadata.jsonl; its folder tells the split. Boxes in any shape that `sample_boxes` knows; a
    line without `objects` is not labeled.
    """
    listed = class_list(files, labels, "imagefolder")
    return Reading(listed, _pictures(files, Classes(listed)))


def _pictures(files: Files, classes: Classes) -> Iterator[DrawnPicture]:
    for name in _metadata(files):
        folder = name.removesuffix("metadata.jsonl")
        for number, text in enumerate(split_lines(files.chunks(name)), start=1):
            if not text.strip():
                continue
            try:
                line, boxes = _read(text.removeprefix(BOM), classes)
            except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
                raise FormatError(f"{name}, line {number}: {error}") from error
            path = folder + line.file_name
            if boxes is None:
                yield DrawnPicture(path=path, split=split_of(name), unlabeled="Its line has no objects.")
                continue
            width, height = (line.width, line.height) if line.width else files.size_wh(path)
            yield DrawnPicture(
                path=path, split=split_of(name), width=width, height=height, boxes=boxes, told_in=name
            )


def _read(text: bytes, classes: Classes) -> tuple[_Line | _Loose, tuple[DrawnBox, ...] | None]:
    """A line and its boxes; None where it has none to tell."""
    try:
        line = _decode(text)
    except msgspec.ValidationError:
        loose = _decode_loose(text)
        if loose.objects is None:
            return loose, None
        return loose, tuple(sample_boxes(loose.objects, classes))
    known = len(classes.labels)
    return line, tuple(
        DrawnBox(checked(class_id, known), *bbox)
        for bbox, class_id in zip(line.objects.bbox, line.objects.categories, strict=True)
    )
