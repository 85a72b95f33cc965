"""Format pascal-voc: an XML file for each picture, as the VOC development kit has it.

- `Annotations/<stem>.xml`, `JPEGImages/<file>`, `ImageSets/Main/<train, val or test>.txt` with the stems.
- Pixels count from 1 and `xmax`, `ymax` are the last ones inside: a box of one pixel in the corner is
  1, 1, 1, 1. Many tools write distances from the picture's corner instead: that box is 0, 0, 1, 1 there.
  The format doesn't say which it is; `read` is told.
- The format has no list of classes: `labels.txt` has it, a name a line, in which what doesn't print is
  escaped as in JSON.
Source: "The PASCAL Visual Object Classes Challenge 2012 Development Kit", section 11.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import msgspec

from truthmill.box_columns import Column, Sides
from truthmill.channels.batches import Columns, Packed, batches_of, drawn_boxes, pictures_of
from truthmill.channels.pascal_voc_plain import NONE, Annotation, Objects, read_plain
from truthmill.channels.reading import (
    Classes,
    DrawnPicture,
    Files,
    PictureFinder,
    Reading,
    is_picture,
    split_of,
    stem_of,
    text_of,
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


def read(files: Files, labels: tuple[str, ...] | None = None, *, first: int = 1) -> Reading:
    """A picture for each XML file; pictures without one are not labeled.

    first: what pixels count from. 1: as in the development kit; 0: corners are distances, as CVAT, LabelImg
    and Roboflow write them.
    The class list is labels.txt or labelmap.txt. Without it and without `labels` all files are read to tell
    in the error which classes there are, since an order of our own would be anybody's guess.
    """
    names = [name for name in files.names if name.lower().endswith(".xml")]
    listed = labels or _labels(files)
    if listed is None and not names:
        raise FormatError("There is no XML file.")
    if listed is None:
        found = dict.fromkeys(name for file in names for name in _read(files, file).objects[0])
        raise FormatError(
            "Pascal VOC has no list of classes, and there is no labels.txt. Say the classes in the order of "
            f"their numbers; the files have: {', '.join(found)}."
        )
    notes: list[str] = []
    documents = _Documents(files, names, Classes(_as_xml_holds(listed)), first)
    return Reading(listed, _pictures(files, documents, notes), notes)


def _as_xml_holds(labels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_FORBIDDEN.sub("\ufffd", label) for label in labels)


def _labels(files: Files) -> tuple[str, ...] | None:
    for name in sorted(files.names, key=lambda name: name.count("/")):
        base = name.rpartition("/")[2]
        if base == LABELS:
            lines = text_of(files, name).split("\n")
            return tuple(
                msgspec.json.decode(line, type=str) if line.startswith('"') else line
                for line in (line.rstrip("\r") for line in lines)
                if line
            )
        if base == "labelmap.txt":  # datumaro's and CVAT's: name:color:parts:actions, with a background
            lines = text_of(files, name).splitlines()
            found = [line.partition(":")[0] for line in lines if line.strip() and not line.startswith("#")]
            return tuple(label for label in found if label != "background")
    return None


class _Documents(NamedTuple):
    """The XML files of a source, read in batches."""

    files: Files
    names: list[str]
    classes: Classes
    first: int

    def batch(self, number: int) -> tuple[list[str], Packed, str]:
        """What each file calls its picture, the boxes' columns, and what is wrong with the file after these,
        if it is.
        """
        columns, said, problem = Columns("i"), [], ""
        for name in self.of_batch(number):
            try:
                called, width, height, objects = _read(self.files, name)
                self._add(name, (width, height), objects, columns)
                said.append(called)
            except FormatError as error:
                problem = str(error)
                break
        return said, columns.packed(), problem

    def of_batch(self, number: int) -> list[str]:
        return self.names[pictures_of(number)]

    def _add(self, name: str, size_wh: tuple[int, int], objects: Objects, columns: Columns) -> None:
        """Raises FormatError for a class that isn't in the list."""
        labels, *sides = objects
        try:
            class_ids = self.classes.ids_of(labels)
        except ValueError as error:
            raise FormatError(f"{name}: {error}") from error
        try:
            columns.add(size_wh, class_ids, sides)
        except (OverflowError, TypeError):  # fractions, for one
            first = self.first
            columns.add_rows(
                size_wh,
                [
                    (class_id, xmin - first, ymin - first, xmax - (xmin - first), ymax - (ymin - first))
                    for class_id, xmin, ymin, xmax, ymax in zip(class_ids, *sides, strict=True)
                ],
            )

    def sides(self, numbers: Sides, sizes_wh: Column) -> Sides:
        """Of xmin, ymin, xmax, ymax."""
        del sizes_wh
        xmin, ymin, xmax, ymax = numbers
        left, top = xmin - self.first, ymin - self.first
        return left, top, xmax - left, ymax - top


def _pictures(files: Files, documents: _Documents, notes: list[str]) -> Iterator[DrawnPicture]:
    batches = files.in_order(batches_of(len(documents.names)), documents.batch)  # which has begun meanwhile
    splits = _splits(files)
    finder = PictureFinder(files)
    answered: set[str] = set()
    before_first = 0
    for number, (said, columns, problem) in enumerate(batches):
        several = drawn_boxes(columns, documents.sides)
        for name, called, boxes, (width, height) in zip(
            documents.of_batch(number), said, several, columns[3], strict=False
        ):
            stem = stem_of(name)
            path = _find(finder, called, name, stem)
            answered.add(path)
            size = (width, height) if width > 0 and height > 0 else files.size_wh(path)
            split = _split(stem, splits)
            picture = DrawnPicture(
                path=path, split=split, width=size[0], height=size[1], boxes=boxes, told_in=name
            )
            if documents.first and not picture.sound:
                before_first += sum(box.left < 0 or box.top < 0 for box in boxes)
            yield picture
        if problem:
            raise FormatError(problem)
    for path in () if finder.are_among(answered) else files.names:
        if is_picture(path) and path not in answered:
            split = _split(stem_of(path), splits)
            yield DrawnPicture(path=path, split=split, unlabeled="It has no XML file.")
    if before_first:
        notes.append(
            f"{before_first} boxes begin before pixel 1: these files seem to count from 0, so all of their "
            "boxes were read a pixel too far to the left. Read them with --pixels-from 0."
        )


def _split(stem: str, splits: dict[str, str]) -> str:
    end, more = stem, "/"
    while more:
        if split := splits.get(end):
            return split
        _, more, end = end.partition("/")
    return split_of(stem.rpartition("/")[0])


def _find(finder: PictureFinder, called: str, name: str, stem: str) -> str:
    """The picture that an XML file is about: as it says, else the one of its own name.

    stem: of the name, the path without the ending.
    """
    folder, _, base = stem.rpartition("/")
    pictures, below = _pictures_of(folder)
    if finder.has(path := pictures + called):
        return path
    if finder.has(path := f"{pictures}{below}{called.rpartition('/')[2]}"):
        return path
    path = finder.find(called, name)
    return path if finder.has(path) else finder.of_stem(stem_of(called), base) or path


@lru_cache(maxsize=64)
def _pictures_of(folder: str) -> tuple[str, str]:
    """Where the pictures of a folder of XML files lie, and below which folder there."""
    if "Annotations" in folder.split("/"):
        root, _, below = f"/{folder}/".rpartition("/Annotations/")
    else:
        root, below = f"/{folder}".rpartition("/")[0], ""
    return f"{root}/JPEGImages/".lstrip("/"), below


def _splits(files: Files) -> dict[str, str]:
    """The split of each picture that a list in ImageSets/Main names: by the path below Annotations that is
    there, and by its last part where the lists agree on it ("" where they don't).
    """
    found: dict[str, str] = {}
    bases: dict[str, str] = {}
    lists = [name for name in files.names if name.endswith(".txt") and "ImageSets/Main/" in name]
    # trainval last: it only says something of what neither of the others names.
    by_set = {**{name: split for split, name in SETS.items()}, "trainval": "train"}
    for set_name, split in by_set.items():
        for name in lists:
            if name.endswith(f"ImageSets/Main/{set_name}.txt"):
                for line in text_of(files, name).splitlines():
                    stem = line.strip()
                    # Where a picture's own name ends like a flag, the whole line is its name.
                    names = {stem, _FLAG.sub("", stem)} if stem.endswith(("0", "1")) else {stem}
                    for each in names - {""}:
                        said = found.setdefault(each.strip('"'), split)
                        base = each.strip('"').rpartition("/")[2]
                        bases[base] = said if bases.get(base, said) == said else ""
    return {**bases, **found}


def _read(files: Files, name: str) -> Annotation:
    """Raises FormatError."""
    content = whole(files, name)
    try:
        found = read_plain(content) or _parsed(content)
    except (ET.ParseError, ValueError, OverflowError) as error:
        raise FormatError(f"{name}: {error}") from error
    called = found.called.replace("\\", "/") or stem_of(name).rpartition("/")[2] + ".jpg"
    return found if called == found.called else found._replace(called=called)


def _parsed(content: bytes) -> Annotation:
    """Raises ValueError, or what the parser does."""
    root = ET.fromstring(content)  # noqa: S314 - expat resolves no external entities
    size = root.find("size")
    width = int(float(size.findtext("width") or 0)) if size is not None else 0
    height = int(float(size.findtext("height") or 0)) if size is not None else 0
    rows = [_object(element) for element in root.iter("object")]
    objects: Objects = tuple(zip(*rows, strict=True)) if rows else NONE  # type: ignore[assignment]
    return Annotation(root.findtext("filename") or "", width, height, objects)


def _object(element: ET.Element) -> tuple[str, float, float, float, float]:
    name, box = element.findtext("name"), element.find("bndbox")
    if name is None or box is None:
        raise ValueError("an object has no name or no bndbox.")
    sides = [box.findtext(side) for side in ("xmin", "ymin", "xmax", "ymax")]
    left, top, right, bottom = (float(side or "nan") for side in sides)
    if left != left or top != top or right != right or bottom != bottom:  # noqa: PLR0124 - not a number
        raise ValueError(f"the box of {name!r} lacks a side.")
    return name, left, top, right, bottom
