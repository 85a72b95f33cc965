"""Format parquet: `data/<split>-<number>.parquet` of at most 256 MB, which Hugging Face's `datasets` loads.

`datasets` decodes the column `image` and shows `objects` as `bbox` (rows of [left, top, width, height] in
pixels) and `category`, whose class names are in the file's own metadata.
Source: "Load", parquet, and "Features" in the documentation of `datasets`.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.parquet_columns import BYTES, File, Leaf
from truthmill.channels.parquet_file import Row, Writer, row_groups
from truthmill.channels.reading import (
    Classes,
    DrawnPicture,
    Files,
    Reading,
    ending_of,
    size_of,
    split_of,
    stem_of,
    whole,
)
from truthmill.channels.samples import checked
from truthmill.channels.writing import MAX_FILE, Append, Close, Event, Shard
from truthmill.errors import FormatError

GROUP_ROWS = 100  # what `datasets` writes for pictures, so that one can be had without reading many
GROUP_BYTES = 32 * 1024 * 1024


def write(shard: Shard) -> Iterator[Event]:
    """Files of a shard have numbers of their own, as those of `webdataset` have."""
    metadata = {"huggingface": _features(shard.heading.labels)}
    writer, number = Writer(metadata), shard.number * 1000
    file = f"data/{shard.split}-{number:06d}.parquet"
    for rows in row_groups(_rows(shard), GROUP_ROWS, GROUP_BYTES):
        if writer.rows and writer.size + sum(len(row.content) for row in rows) > MAX_FILE - GROUP_BYTES // 4:
            yield from _closed(file, writer)
            writer, number = Writer(metadata), number + 1
            file = f"data/{shard.split}-{number:06d}.parquet"
        yield Append(file, writer.group(rows))
    if writer.rows or shard.number == 0:
        yield from _closed(file, writer)


def _closed(file: str, writer: Writer) -> Iterator[Event]:
    yield Append(file, writer.footer())
    yield Close(file)


def _rows(shard: Shard) -> Iterator[Row]:
    for picture in shard.pictures:
        boxes = picture.boxes
        yield Row(
            shard.content(picture),
            picture.file,
            picture.width,
            picture.height,
            [(box.left, box.top, box.width, box.height) for box in boxes],
            [box.class_id for box in boxes],
        )


def _features(labels: tuple[str, ...]) -> str:
    """The columns' meaning, as `datasets` keeps it."""
    whole_number = {"dtype": "int32", "_type": "Value"}
    features = {
        "image": {"_type": "Image"},
        "width": whole_number,
        "height": whole_number,
        "objects": {"bbox": [[whole_number]], "category": [{"names": labels, "_type": "ClassLabel"}]},
    }
    return msgspec.json.encode({"info": {"features": features}}).decode()


def detect(files: Files) -> bool:
    """Whether there is a Parquet file."""
    return bool(_names(files))


def _names(files: Files) -> list[str]:
    return [name for name in files.names if name.endswith(".parquet")]


# What `datasets` and its users call the columns: a struct of lists, or a list of structs.
_BYTES, _PATH = {("image", "bytes"), ("image",), ("bytes",)}, {("image", "path"), ("file_name",), ("path",)}
_BOXES, _CATEGORIES = (
    {"bbox", "bboxes", "boxes"},
    {"category", "categories", "category_id", "label", "labels"},
)


class _Columns(NamedTuple):
    """A file's columns by what they mean; some needn't be there."""

    content: Leaf
    boxes: Leaf
    categories: Leaf
    path: Leaf | None
    width: Leaf | None
    height: Leaf | None

    @property
    def there(self) -> list[Leaf]:
        return [leaf for leaf in self if leaf is not None]


def _columns(file: File) -> _Columns:
    def found(fits: Callable[[Leaf], bool]) -> Leaf | None:
        return next((leaf for leaf in file.leaves if fits(leaf)), None)

    content = found(lambda leaf: leaf.name in _BYTES and leaf.kind == BYTES)
    boxes = found(lambda leaf: leaf.name[-1] in _BOXES and leaf.repetition == 2)
    categories = found(lambda leaf: leaf.name[-1] in _CATEGORIES and leaf.repetition == 1)
    if content is None or boxes is None or categories is None:
        raise ValueError(
            "it has no column of pictures (image.bytes), of boxes (objects.bbox) or of classes "
            f"(objects.category), but {', '.join('.'.join(leaf.name) for leaf in file.leaves)}."
        )
    return _Columns(
        content,
        boxes,
        categories,
        found(lambda leaf: leaf.name in _PATH and leaf.kind == BYTES),
        found(lambda leaf: leaf.name == ("width",) and not leaf.repetition),
        found(lambda leaf: leaf.name == ("height",) and not leaf.repetition),
    )


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every file with pictures, boxes ([left, top, width, height] in pixels) and classes, by their columns'
    names. A row whose boxes are null is not labeled. Holds one file.
    """
    names = _names(files)
    if not names:
        raise FormatError("There is no Parquet file.")
    listed = labels if labels is not None else _labels(whole(files, names[0]), names[0])
    return Reading(listed, _pictures(files, names, Classes(listed)))


def _labels(data: bytes, name: str) -> tuple[str, ...]:
    try:
        metadata = File(data).metadata
    except ValueError as error:
        raise FormatError(f"{name}: {error}") from error
    try:
        features = msgspec.json.decode(metadata["huggingface"])["info"]["features"]
        return tuple(next(_class_labels(features)))
    except (KeyError, TypeError, ValueError, msgspec.DecodeError, StopIteration) as error:
        raise FormatError(f"{name} doesn't name its classes. Say the labels.") from error


def _class_labels(features: Any) -> Iterator[list[str]]:
    """Names of the classes of a column of classes, however deep `datasets` nests it."""
    if isinstance(features, list):
        for each in features:
            yield from _class_labels(each)
    elif isinstance(features, dict):
        if features.get("_type") == "ClassLabel":
            yield features["names"]
        for each in features.values():
            yield from _class_labels(each)


def _pictures(files: Files, names: list[str], classes: Classes) -> Iterator[DrawnPicture]:
    for name in names:
        try:
            file = File(whole(files, name))
            columns = _columns(file)
            for number, values in enumerate(file.rows(columns.there)):
                row = dict(zip(columns.there, values, strict=True))
                called = f"{stem_of(name).rpartition('/')[2]}-{number:06d}"
                yield _picture(row, columns, called, files, classes, split_of(name))
        except (ValueError, TypeError, OverflowError) as error:
            raise FormatError(f"{name}: {error}") from error


def _picture(
    row: dict[Leaf, list[Any] | None],
    columns: _Columns,
    called: str,
    files: Files,
    classes: Classes,
    split: str,
) -> DrawnPicture:
    """called: what a picture without a name is called."""

    def one(leaf: Leaf | None) -> Any:
        found = row[leaf] if leaf is not None else None
        return found[0] if found else None

    content = one(columns.content) or b""
    path = (one(columns.path) or b"").decode() or f"{called}.{ending_of(content)}"
    width, height = one(columns.width), one(columns.height)
    sides, categories = row[columns.boxes], row[columns.categories]
    if not (width and height):
        width, height = size_of(content, path) if content else files.size_wh(path)
    unlabeled = "Its boxes are null." if sides is None or categories is None else ""
    rows = zip(*[iter(sides or ())] * 4, strict=True)
    return DrawnPicture(
        path=path,
        split=split,
        width=width,
        height=height,
        boxes=tuple(
            DrawnBox(_class_id(category, classes), *box)
            for box, category in zip(rows, categories or (), strict=True)
        ),
        unlabeled=unlabeled,
        content=content,
    )


def _class_id(category: Any, classes: Classes) -> int:
    """Of a class's number, or of its name."""
    if isinstance(category, bytes):
        return classes.id_of(category.decode())
    return checked(int(category), len(classes.labels))
