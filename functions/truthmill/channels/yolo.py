"""Format yolo: what Ultralytics trains on, `images/<split>/`, `labels/<split>/` and `data.yaml`.

- Each picture has `labels/<split>/<same stem>.txt` with a line `class cx cy w h` for each box: the centre and
  the sides as shares of the picture's width and height. 9 decimals: at 30,000 pixels an edge is less than
  a ten-thousandth of a pixel off, and rounding gives back the very pixel.
- A negative has an empty file; a picture without a file is not labeled.
- Labels are found by replacing the last /images/ of a picture's path by /labels/.
- data.yaml has no `path`: Ultralytics then takes the folder that the file lies in, so that it can be moved.
Source: "Object Detection Datasets Overview" at docs.ultralytics.com.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from math import isnan
from typing import NamedTuple, TypeAlias

from truthmill.box_columns import BoxColumns, Column, Sides, Span
from truthmill.channels import yolo_sides
from truthmill.channels.batches import Columns, Packed, Row, batches_of, drawn_boxes, pictures_of
from truthmill.channels.reading import (
    BOM,
    NO_SCORE,
    DrawnPicture,
    Files,
    Reading,
    by_number,
    is_picture,
    stem_of,
    text_of,
    whole,
)
from truthmill.channels.writing import Copy, Counts, Event, Shard, Whole
from truthmill.channels.yaml_text import Node, YamlError, quoted, read_yaml
from truthmill.dataset import Heading, LabeledPicture
from truthmill.errors import FormatError

_Said: TypeAlias = tuple[tuple[float, ...], int]
"""Scores of a picture's boxes, and how many of them are polygons."""
NAMES = {"train": "train", "validation": "val", "test": "test"}  # data.yaml's keys
_YAML, _CLASSES, _NAMES = (".yaml", ".yml"), "classes.txt", ".names"
_PLAIN = re.compile(rb"(?:[0-9]+(?: [0-9]+(?:\.[0-9]+)?){4}(?:\r?\n|\Z))*+").fullmatch
_LIKELY = (*_YAML, _CLASSES, _NAMES)
_READ = frozenset({"names", "path", "train", "val", "valid", "test", "kpt_shape"})  # keys of data.yaml


def write(shard: Shard) -> Iterator[Event]:
    images, labels = f"images/{shard.split}/", f"labels/{shard.split}/"
    for picture in shard.pictures:
        file = picture.file
        yield Copy(picture.key, images + file)
        yield Whole(f"{labels}{stem_of(file)}.txt", _lines(picture))


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """data.yaml; Ultralytics wants both `train` and `val`, so one that has no pictures is the other."""
    there = [split for split in heading.splits if counts[split].pictures] or ["train"]
    shown = {NAMES[split]: f"images/{split}" for split in there}
    shown = {
        "train": shown.get("train", f"images/{there[0]}"),
        "val": shown.get("val", f"images/{there[0]}"),
        **shown,
    }
    lines = [f"{name}: {folder}\n" for name, folder in shown.items()]
    lines += [f"nc: {len(heading.labels)}\nnames:\n"]
    lines += [f"  {class_id}: {quoted(label)}\n" for class_id, label in enumerate(heading.labels)]
    yield Whole("data.yaml", "".join(lines).encode())


def _lines(picture: LabeledPicture) -> bytes:
    boxes = picture.boxes
    if isinstance(boxes, Span):
        return boxes.columns.made(_lines_of_all)[boxes.number]
    across, down, wide, high = _texts(picture.width, picture.height)
    pieces: list[str] = []
    for box in boxes:
        width, height = box.width, box.height
        pieces += (
            _CLASS_IDS[box.class_id],
            across[2 * box.left + width],
            down[2 * box.top + height],
            wide[width],
            high[height],
        )
    return "".join(pieces).encode()


def _lines_of_all(columns: BoxColumns) -> list[bytes]:
    from truthmill.channels.yolo_lines import lines  # noqa: PLC0415 - NumPy is there with such boxes only

    return lines(columns)


class _Shares(dict[int, str]):
    """From a number to the text of its share of a whole, a space before it.

    Pictures of a dataset have few sizes, and to look a text up takes a third of what writing it does.
    """

    def __init__(self, whole: int, end: str = "") -> None:
        """end: of each text."""
        super().__init__()
        self._whole, self._end = whole, end

    def __missing__(self, part: int) -> str:
        text = self[part] = f" {part / self._whole:.9f}{self._end}"
        return text


class _ClassIds(dict[int, str]):
    def __missing__(self, class_id: int) -> str:
        text = self[class_id] = str(class_id)
        return text


_CLASS_IDS = _ClassIds()


@lru_cache(maxsize=32)
def _texts(width: int, height: int) -> tuple[_Shares, _Shares, _Shares, _Shares]:
    """Of a box in a picture of that size: its centre in half pixels, then its sides in pixels."""
    return _Shares(2 * width), _Shares(2 * height), _Shares(width), _Shares(height, "\n")


def detect(files: Files) -> bool:
    """Whether there is a data.yaml or a list of class names beside pictures' text files."""
    return _class_file(files) is not None


def _class_file(files: Files) -> str | None:
    """The file with the class names: a YAML with `names`, classes.txt or *.names."""
    likely = [name for name in files.names if name.lower().endswith(_LIKELY)]
    shallow = sorted(likely, key=lambda name: name.count("/"))
    for name in shallow:
        if name.lower().endswith(_YAML) and re.search(rb"(?m)^names\s*:", whole(files, name)):
            return name
    for name in shallow:
        base = name.rpartition("/")[2].lower()
        if base == _CLASSES or base.endswith(_NAMES):
            return name
    return None


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Pictures with their text files. Holds the names of all files.

    A line with a sixth number has a model's confidence; a polygon becomes the box around it; where
    data.yaml has a `kpt_shape`, what follows the box is a pose, left out too. data.yaml tells the splits,
    else the folders' names. Sizes are the pictures' own, so the pictures must be there.
    """
    where = _class_file(files)
    document: dict[str, Node] = {}
    if where is None:
        if labels is None:
            raise FormatError(
                "There is no list of class names: neither a data.yaml with names, nor classes.txt. "
                "Add one, or say the labels."
            )
        names = dict(enumerate(labels))
    else:
        document = _document(files, where)
        names = _names(document, where)
    notes: list[str] = []
    listed, ids = by_number(names, labels, where or "labels", notes)
    return Reading(listed, _pictures(files, ids, where or "", document, notes), notes)


def _document(files: Files, where: str) -> dict[str, Node]:
    """What is used of the data.yaml; a list of names is one with names only."""
    text = text_of(files, where)
    if not where.lower().endswith((".yaml", ".yml")):
        # A name's number is its line's, also where one is empty.
        lines = enumerate(line.strip() for line in text.splitlines())
        return {"names": {str(number): line for number, line in lines if line}}
    try:
        return read_yaml(text, _READ)
    except YamlError as error:
        raise FormatError(f"{where}: {error}") from error


def _names(document: dict[str, Node], where: str) -> dict[int, str]:
    names = document.get("names")
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict) and all(str(number).isdigit() for number in names):
        return {int(number): str(name) for number, name in names.items()}
    raise FormatError(f'{where}: "names" is neither a list of class names nor a name for each number.')


class _Texts(NamedTuple):
    """The pictures of a source with their text files, read in batches.

    paths: of the pictures; texts: of each its text file. names: of the classes' numbers. numbers: to look at
    of each line; None: all.
    """

    files: Files
    paths: list[str]
    texts: list[str | None]
    ids: dict[int, int]
    numbers: int | None

    def batch(self, number: int) -> tuple[list[_Said | None], Packed, str]:
        """What each picture's text says, None of one without, the boxes' columns, and what is wrong with the
        picture after these, if it is.
        """
        columns = Columns("d")
        said: list[_Said | None] = []
        problem = ""
        some = pictures_of(number)
        for path, text in zip(self.paths[some], self.texts[some], strict=True):
            try:
                said.append(self._read(path, text, columns))
            except FormatError as error:
                problem = str(error)
                break
        return said, columns.packed(), problem

    def _read(self, path: str, text: str | None, columns: Columns) -> _Said | None:
        if text is None:
            columns.add_rows((0, 0), [])
            return None
        size_wh = self.files.size_wh(path)
        content = whole(self.files, text).removeprefix(BOM)
        if found := _plain_columns(content, self.ids):
            columns.add(size_wh, *found)
            return (), 0
        boxes, scores, polygons = _boxes(text, content, self.ids, size_wh, self.numbers)
        columns.add_rows(size_wh, boxes)
        return scores, polygons


def _sides(numbers: Sides, sizes_wh: Column) -> Sides:
    """From shares, of the centre and the sides, to pixels."""
    across, down, wide, high = numbers
    width, height = sizes_wh.T
    return (across - wide / 2) * width, (down - high / 2) * height, wide * width, high * height


def _pictures(
    files: Files, ids: dict[int, int], where: str, document: dict[str, Node], notes: list[str]
) -> Iterator[DrawnPicture]:
    sides = yolo_sides.Sides(files, where, document)
    there = {name for name in files.names if name.lower().endswith(".txt") and name != where}
    paths = list(filter(is_picture, files.names))
    texts = [next((name for name in _text_names(path) if name in there), None) for path in paths]
    batches = _Texts(files, paths, texts, ids, 5 if "kpt_shape" in document else None)
    polygons = 0
    for number, (said, columns, problem) in enumerate(files.in_order(batches_of(len(paths)), batches.batch)):
        several = drawn_boxes(columns, _sides)
        for path, one, boxes, (width, height) in zip(
            paths[pictures_of(number)], said, several, columns[3], strict=False
        ):
            split = sides.of(path)
            if one is None:
                yield DrawnPicture(path=path, split=split, unlabeled="It has no text file.")
                continue
            scores, found = one
            polygons += found
            yield DrawnPicture(
                path=path,
                split=split,
                width=width,
                height=height,
                boxes=boxes,
                scores=scores,
            )
        if problem:
            raise FormatError(problem)
    if polygons:
        notes.append(f"{polygons} polygons became the boxes around them.")
    lost = sorted(name for name in there.difference(texts) if "/labels/" in f"/{name}")
    if lost:
        notes.append(f"{len(lost)} text files of labels have no picture, {lost[0]} the first of them.")


def _plain_columns(content: bytes, ids: dict[int, int]) -> tuple[list[int], list[list[float]]] | None:
    """Class ids, and the four numbers of each box, of a file that holds nothing but lines of five plain
    numbers; None of another, or of a strange class.

    Nearly all files are like that, and the numbers of one all at once take half of the time.
    """
    if not _PLAIN(content):
        return None
    numbers = list(map(float, content.split()))
    try:
        # 1.0 is the same key as 1
        class_ids = [ids[number] for number in numbers[::5]]  # type: ignore[index]
    except KeyError:
        return None
    return class_ids, [numbers[place::5] for place in range(1, 5)]


def _boxes(
    text: str, content: bytes, ids: dict[int, int], size_wh: tuple[int, int], numbers: int | None
) -> tuple[list[Row], tuple[float, ...], int]:
    """Line by line, their scores if any, and how many were polygons. numbers: to look at of each; None: all.

    Raises FormatError for a line that is neither a box nor a polygon.
    """
    boxes, scores, polygons = [], [], 0
    for number, line in enumerate(content.splitlines(), start=1):
        fields = line.split()[:numbers]
        if fields:
            try:
                boxes.append(_box(fields, ids, *size_wh))
                scores.append(float(fields[5]) if len(fields) == 6 else NO_SCORE)
            except (ValueError, KeyError, OverflowError) as error:
                raise FormatError(f"{text}, line {number}: {_problem(error, line)}") from error
            polygons += len(fields) > 6
    return boxes, () if all(map(isnan, scores)) else tuple(scores), polygons


def _text_names(path: str) -> Iterator[str]:
    stem = stem_of(path)
    head, found, tail = f"/{stem}".rpartition("/images/")
    if found:
        yield f"{head}/labels/{tail}.txt".removeprefix("/")
    yield f"{stem}.txt"
    yield f"labels/{stem}.txt"


def _box(fields: list[bytes], ids: dict[int, int], width: int, height: int) -> Row:
    class_id = ids[int(float(fields[0]))]
    numbers = [float(field) for field in fields[1:]]
    if len(numbers) in (4, 5):
        across, down, wide, high = numbers[:4]
        return (
            class_id,
            (across - wide / 2) * width,
            (down - high / 2) * height,
            wide * width,
            high * height,
        )
    if len(numbers) < 6 or len(numbers) % 2:
        raise ValueError("")
    left, top = min(numbers[::2]), min(numbers[1::2])
    right, bottom = max(numbers[::2]), max(numbers[1::2])
    return (class_id, left * width, top * height, (right - left) * width, (bottom - top) * height)


def _problem(error: Exception, line: bytes) -> str:
    text = line.decode(errors="replace")
    if isinstance(error, KeyError):
        return f"class {error} of {text!r} is not in the list of class names."
    return f"{text!r} isn't `class cx cy w h`."
