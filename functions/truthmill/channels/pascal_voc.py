"""Format pascal-voc: an XML file for each picture, as the VOC development kit has it.

- `Annotations/<stem>.xml`, `JPEGImages/<file>`, `ImageSets/Main/<train, val or test>.txt` with the stems.
- Pixels count from 1 and `xmax`, `ymax` are the last ones inside: a box of one pixel in the corner is
  1, 1, 1, 1. Files of tools that count from 0 are read one pixel further to the left; the format doesn't say
  which it is.
- The format has no list of classes: `labels.txt` has it, a name a line, in which what doesn't print is
  escaped as in JSON.
Source: "The PASCAL Visual Object Classes Challenge 2012 Development Kit", section 11.
"""

import json
import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.reading import (
    Classes,
    DrawnPicture,
    Files,
    PictureFinder,
    Reading,
    is_picture,
    split_of,
    stem_of,
    whole,
)
from truthmill.channels.writing import Append, Copy, Counts, Event, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError

SETS = {"train": "train", "validation": "val", "test": "test"}
_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
LABELS = "labels.txt"
_FLAG = re.compile(r"\s+-?[01]$")  # in lists of one class: whether a picture has it


def write(shard: Shard) -> Iterator[Event]:
    labels = [_text(label) for label in shard.heading.labels]
    listed = f"ImageSets/Main/{SETS[shard.split]}.txt"
    if shard.number == 0:
        yield Append(listed, b"")
    for picture in shard.pictures:
        yield Copy(picture.key, f"JPEGImages/{picture.file}")
        yield Whole(f"Annotations/{picture.stem}.xml", _document(picture, labels))
        yield Append(listed, f"{picture.stem}\n".encode())


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """labels.txt."""
    del counts
    yield Whole(LABELS, "".join(f"{_line(label)}\n" for label in heading.labels).encode())


def _document(picture: LabeledPicture, labels: list[str]) -> bytes:
    objects = "".join(
        [
            f"  <object>\n    <name>{labels[box.class_id]}</name>\n    <pose>Unspecified</pose>\n"
            "    <truncated>0</truncated>\n    <difficult>0</difficult>\n    <bndbox>\n"
            f"      <xmin>{box.left + 1}</xmin>\n      <ymin>{box.top + 1}</ymin>\n"
            f"      <xmax>{box.left + box.width}</xmax>\n      <ymax>{box.top + box.height}</ymax>\n"
            "    </bndbox>\n  </object>\n"
            for box in picture.boxes
        ]
    )
    return (
        "<annotation>\n  <folder>JPEGImages</folder>\n"
        f"  <filename>{_text(picture.file)}</filename>\n"
        f"  <size>\n    <width>{picture.width}</width>\n    <height>{picture.height}</height>\n"
        "    <depth>3</depth>\n  </size>\n  <segmented>0</segmented>\n"
        f"{objects}</annotation>\n"
    ).encode()


def _text(text: str) -> str:
    """A text in XML. What XML can't hold at all becomes the sign for an unknown character; a reader of XML
    changes a carriage return, unless it is written as a reference (XML 1.0, 2.11).
    """
    return _FORBIDDEN.sub("\ufffd", escape(text, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}))


def _line(label: str) -> str:
    """As in JSON where it would not be one line, or not the same one when it is read."""
    plain = label.isprintable() and label == label.strip() and not label.startswith(('"', "#"))
    return label if plain else _json(label)


def _json(label: str) -> str:
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1]  # a pair beyond U+FFFF
        for character in msgspec.json.encode(label).decode()
    )


def detect(files: Files) -> bool:
    """Whether an XML file is an annotation."""
    names = (name for name in files.names if name.lower().endswith(".xml"))
    return any(b"<annotation" in whole(files, name)[:4096] for _, name in zip(range(5), names, strict=False))


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """A picture for each XML file; pictures without one are not labeled.

    The class list is labels.txt or labelmap.txt. Without it and without `labels` all files are read to tell
    in the error which classes there are, since an order of our own would be anybody's guess.
    """
    names = [name for name in files.names if name.lower().endswith(".xml")]
    listed = labels or _labels(files)
    if listed is None:
        found = dict.fromkeys(name for file in names for name, *_ in _read(files, file)[4])
        raise FormatError(
            "Pascal VOC has no list of classes, and there is no labels.txt. Say the classes in the order of "
            f"their numbers; the files have: {', '.join(found)}."
        )
    notes: list[str] = []
    return Reading(listed, _pictures(files, names, Classes(_as_xml_holds(listed))), notes)


def _as_xml_holds(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_FORBIDDEN.sub("\ufffd", label) for label in labels)


def _labels(files: Files) -> tuple[str, ...] | None:
    for name in sorted(files.names, key=lambda name: name.count("/")):
        base = name.rpartition("/")[2]
        if base == LABELS:
            lines = whole(files, name).decode("utf-8-sig").split("\n")
            return tuple(
                msgspec.json.decode(line, type=str) if line.startswith('"') else line
                for line in (line.rstrip("\r") for line in lines)
                if line
            )
        if base == "labelmap.txt":  # datumaro's and CVAT's: name:color:parts:actions, with a background
            lines = whole(files, name).decode("utf-8-sig").splitlines()
            found = [line.partition(":")[0] for line in lines if line.strip() and not line.startswith("#")]
            return tuple(label for label in found if label != "background")
    return None


def _pictures(files: Files, names: list[str], classes: Classes) -> Iterator[DrawnPicture]:
    splits = _splits(files)
    finder = PictureFinder(files)
    answered: set[str] = set()
    for name in names:
        called, width, height, has_size, objects = _read(files, name)
        try:
            boxes = tuple(DrawnBox(classes.id_of(label), *sides) for label, *sides in objects)
        except ValueError as error:
            raise FormatError(f"{name}: {error}") from error
        stem = stem_of(name).rpartition("/")[2]
        path = _find(finder, called, name)
        answered.add(path)
        if not has_size:
            width, height = files.size_wh(path)
        split = splits.get(stem) or split_of(name)
        yield DrawnPicture(path=path, split=split, width=width, height=height, boxes=boxes)
    for path in files.names:
        if is_picture(path) and path not in answered:
            stem = stem_of(path).rpartition("/")[2]
            split = splits.get(stem) or split_of(path)
            yield DrawnPicture(path=path, split=split, unlabeled="It has no XML file.")


def _find(finder: PictureFinder, called: str, name: str) -> str:
    root = name.rpartition("/")[0].rpartition("/")[0]
    inside = f"{root}/JPEGImages/{called}" if root else f"JPEGImages/{called}"
    return inside if finder.has(inside) else finder.find(called, name)


def _splits(files: Files) -> dict[str, str]:
    """The split of each stem that a list in ImageSets/Main names."""
    found: dict[str, str] = {}
    by_set = {"trainval": "train", **{name: split for split, name in SETS.items()}}
    for set_name, split in by_set.items():
        for name in files.names:
            if name.endswith(f"ImageSets/Main/{set_name}.txt"):
                for line in whole(files, name).decode("utf-8-sig").splitlines():
                    if line.strip():
                        found[_FLAG.sub("", line.strip()).rpartition("/")[2]] = split
    return found


def _read(
    files: Files, name: str
) -> tuple[str, int, int, bool, list[tuple[str, float, float, float, float]]]:
    """File name, width, height, whether it has a size, and the objects as name, left, top, width, height."""
    try:
        root = ET.fromstring(whole(files, name))  # noqa: S314 - expat resolves no external entities
        called = root.findtext("filename") or ""
        size = root.find("size")
        width = int(float(size.findtext("width") or 0)) if size is not None else 0
        height = int(float(size.findtext("height") or 0)) if size is not None else 0
        objects = [_object(element) for element in root.iter("object")]
    except (ET.ParseError, ValueError) as error:
        raise FormatError(f"{name}: {error}") from error
    called = called.replace("\\", "/") or stem_of(name).rpartition("/")[2] + ".jpg"
    return called, width, height, width > 0 and height > 0, objects


def _object(element: ET.Element) -> tuple[str, float, float, float, float]:
    name, box = element.findtext("name"), element.find("bndbox")
    if name is None or box is None:
        raise ValueError("an object has no name or no bndbox.")
    sides = [box.findtext(side) for side in ("xmin", "ymin", "xmax", "ymax")]
    left, top, right, bottom = (float(side or "nan") for side in sides)
    if left != left or top != top or right != right or bottom != bottom:  # noqa: PLR0124 - not a number
        raise ValueError(f"the box of {name!r} lacks a side.")
    return name, left - 1, top - 1, right - left + 1, bottom - top + 1
