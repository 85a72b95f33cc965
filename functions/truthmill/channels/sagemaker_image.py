"""Format sagemaker-image: an annotation file for each picture, for Object Detection in File mode.

Channels `train`, `validation` with the pictures and `train_annotation`, `validation_annotation` with one JSON
a picture, of the same stem; `channels.json` has the InputDataConfig and the HyperParameters. Every annotation
file lists all classes, and `classes.json` has the list.
Source: SageMaker developer guide, "Object Detection Algorithm", "Training with the Image Format".
"""

from collections.abc import Iterator, Mapping

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.imagefolder import CLASSES, class_list, classes_file
from truthmill.channels.reading import (
    Classes,
    DrawnPicture,
    Files,
    Reading,
    is_picture,
    json_of,
    split_of,
    stem_of,
)
from truthmill.channels.sagemaker_input import channels_json, hyperparameters, s3_input
from truthmill.channels.writing import Copy, Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError

_encode = msgspec.json.Encoder().encode
_FOLDER = "_annotation/"
_TYPES = {"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}


class _Size(msgspec.Struct, frozen=True):
    width: int
    height: int


class _Category(msgspec.Struct, frozen=True):
    class_id: int
    name: str


class _Document(msgspec.Struct, frozen=True):
    file: str
    image_size: tuple[_Size]
    annotations: list[DrawnBox]
    categories: list[_Category] = []


def write(shard: Shard) -> Iterator[Event]:
    split = shard.split
    categories = [_Category(class_id, label) for class_id, label in enumerate(shard.heading.labels)]
    listed = b',"categories":%b}\n' % _encode(categories)
    for picture in shard.pictures:
        yield Copy(picture.key, f"{split}/{picture.file}")
        document = b'{"file":%b,"image_size":[{"width":%d,"height":%d,"depth":3}],"annotations":%b' % (
            _encode(picture.file),
            picture.width,
            picture.height,
            _encode(picture.boxes),
        )
        yield Whole(f"{split}{_FOLDER}{picture.stem}.json", document + listed)


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """channels.json and classes.json."""
    yield classes_file(heading)
    inputs = []
    for split in heading.splits:
        if counts[split].pictures:
            kinds = {_TYPES.get(ending, "application/x-image") for ending in counts[split].endings}
            kind = kinds.pop() if len(kinds) == 1 else "application/x-image"
            inputs += [
                s3_input(name, heading.uri(f"{heading.prefix}{name}/"), kind)
                for name in (split, f"{split}_annotation")
            ]
    yield channels_json(inputs, hyperparameters(heading, counts))


def _documents(files: Files) -> list[str]:
    return [name for name in files.names if _FOLDER in name and name.endswith(".json")]


def detect(files: Files) -> bool:
    """Whether there is a folder of annotation files."""
    return bool(_documents(files))


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every annotation file; pictures without one are not labeled.

    The class list is classes.json, else the first file's categories; all files must agree, by name.
    """
    names = _documents(files)
    listed = labels or (class_list(files, None, "") if CLASSES in files.names else _labels(files, names))
    return Reading(listed, _pictures(files, names, Classes(listed)))


def _labels(files: Files, names: list[str]) -> tuple[str, ...]:
    if not names:
        raise FormatError("There is no folder such as train_annotation/ with a JSON file for each picture.")
    categories = sorted(
        json_of(files, names[0], _Document).categories, key=lambda category: category.class_id
    )
    if [category.class_id for category in categories] != list(range(len(categories))):
        raise FormatError(f"{names[0]}: the categories leave numbers out. Say the labels in their order.")
    return tuple(category.name for category in categories)


def _pictures(files: Files, names: list[str], classes: Classes) -> Iterator[DrawnPicture]:
    for name in names:
        document = json_of(files, name, _Document)
        split = name.partition(_FOLDER)[0]
        try:
            ids = {category.class_id: classes.id_of(category.name) for category in document.categories}
            boxes = tuple(
                msgspec.structs.replace(box, class_id=ids[box.class_id]) for box in document.annotations
            )
        except (ValueError, KeyError) as error:
            raise FormatError(f"{name}: {error}") from error
        size = document.image_size[0]
        yield DrawnPicture(
            path=f"{split}/{document.file}",
            split=split_of(split),
            width=size.width,
            height=size.height,
            boxes=boxes,
            told_in=name,
        )
    there = set(names)
    for path in files.names:
        split, _, rest = path.partition("/")
        if is_picture(path) and f"{split}{_FOLDER}{stem_of(rest)}.json" not in there:
            yield DrawnPicture(path=path, split=split_of(split), unlabeled="It has no annotation file.")
