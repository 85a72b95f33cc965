"""Format coco: `instances_<split>.json`, as pycocotools and torchvision's CocoDetection read it.

- `bbox` is [left, top, width, height] in whole pixels of the stored, upright picture.
- A category's id is its class id + 1, in every split and run: detection models of torchvision keep 0 for the
  background, and COCO's own ids begin at 1. Categories are the dataset's whole label list, in its order.
- Ids of images and annotations count from 1 within a file: COCOeval takes an annotation with id 0 for a miss.
- `file_name` is the bare name below images/<split>/, which is the image root to give a reader; `coco_url` is
  the picture's S3 URI.
- A picture without boxes is an image without annotations: a negative.
Source: "Data format" at cocodataset.org.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from truthmill.boxes import Box
from truthmill.channels import coco_loose as loose
from truthmill.channels.json_document import read_lists
from truthmill.channels.reading import (
    DrawnPicture,
    Files,
    PictureFinder,
    Reading,
    by_number,
    head,
    split_of,
)
from truthmill.channels.writing import Append, Event, Shard
from truthmill.dataset import LabeledPicture
from truthmill.errors import FormatError

if TYPE_CHECKING:
    from truthmill.channels.coco_columns import Boxes, Images

FIRST_CATEGORY = 1
IMAGES, ANNOTATIONS, END = range(3)  # sections of the file
_AT_ONCE = 4096  # images whose boxes are made at a time
_TOP: dict[str, Any] = {"images": msgspec.Raw, "categories": msgspec.Raw}
# Keys of a manifest, of SageMaker's image format; a class may have such a name.
_OTHERS = (re.compile(rb'"source-ref"\s*:'), re.compile(rb'"image_size"\s*:'))
_PREDICTION = re.compile(rb'\s*\[\s*\{[^{}]*"(image_id|category_id|bbox)"\s*:')
_encode, _encode_lines = msgspec.json.Encoder().encode, msgspec.json.Encoder().encode_lines


class _Image(msgspec.Struct, frozen=True, gc=False):
    id: int
    file_name: str
    width: int = 0
    height: int = 0


class _Annotation(msgspec.Struct, frozen=True, gc=False):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0
    score: float | None = None  # of a model's prediction


class _Written(msgspec.Struct, frozen=True, gc=False):
    """An annotation as we write it."""

    id: int
    image_id: int
    category_id: int
    bbox: tuple[int, int, int, int]
    area: int
    iscrowd: int = 0
    segmentation: tuple[()] = ()


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Ids(NamedTuple):
    """indices: of the class list, by a category's number; numbers: of ids that may be texts."""

    indices: dict[int, int]
    numbers: loose.Numbers


def write(shard: Shard) -> Iterator[Event]:
    """One document for each split."""
    file = f"instances_{shard.split}.json"
    if shard.number == 0:
        yield from _frame(file, shard.heading.labels)
    annotation = shard.first_box
    for number, picture in enumerate(shard.pictures, start=shard.first_picture + 1):
        first = b"\n" if number == 1 else b",\n"
        yield Append(file, first + _image(number, picture, shard.heading.bucket), IMAGES)
        if picture.boxes:
            first = b",\n" if annotation else b"\n"
            yield Append(file, first + _annotations(annotation + 1, number, picture.boxes), ANNOTATIONS)
            annotation += len(picture.boxes)


def _frame(file: str, labels: tuple[str, ...]) -> Iterator[Event]:
    categories = [_Category(FIRST_CATEGORY + class_id, name) for class_id, name in enumerate(labels)]
    yield Append(file, b'{"categories":' + _encode(categories) + b',\n"images":[', IMAGES)
    yield Append(file, b'],\n"annotations":[', ANNOTATIONS)
    yield Append(file, b"]}\n", END)


def _image(number: int, picture: LabeledPicture, bucket: str) -> bytes:
    line = b'{"id":%d,"file_name":%b,"width":%d,"height":%d' % (
        number,
        _encode(picture.file),
        picture.width,
        picture.height,
    )
    return line + (b',"coco_url":%b}' % _encode(f"s3://{bucket}/{picture.key}") if bucket else b"}")


def _annotations(first: int, image: int, boxes: Iterable[Box]) -> bytes:
    """One a line. first: id of the first one. image: the image's."""
    lines = _encode_lines(
        [
            _Written(
                id_,
                image,
                FIRST_CATEGORY + box.class_id,
                (box.left, box.top, box.width, box.height),
                box.width * box.height,
            )
            for id_, box in enumerate(boxes, start=first)
        ]
    )
    return lines[:-1].replace(b"\n", b",\n")  # numbers only, so that no text has a line break


def documents(files: Files) -> list[str]:
    """The files of labels: JSON files, of which `read` tells whether they are COCO."""
    return [name for name in files.names if name.lower().endswith(".json")]


def detect(files: Files) -> bool:
    """Whether a JSON file begins like a COCO document."""
    return any(_begins_like_one(files, name) for name in documents(files)[:20])


def _begins_like_one(files: Files, name: str) -> bool:
    begin = head(files, name).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not begin.startswith(b"{") or any(key.search(begin) for key in _OTHERS):
        return False
    if all(key in begin for key in (b'"images"', b'"categories"')):
        return True
    if not any(key in begin for key in (b'"images"', b'"annotations"', b'"categories"')):
        return False
    found = set()
    try:
        for key, _ in read_lists(files.chunks(name), _TOP):
            found.add(key)
            if found == set(_TOP):
                break
    except (ValueError, msgspec.DecodeError, RecursionError):
        return True  # cut off: reading says where
    return found == set(_TOP)


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every COCO document of the source; its name or folder tells the split.

    Lists of predictions, as pycocotools takes and models' evaluation writes them, stand in the place of the
    annotations of the one document whose images they are of.

    The class list is the categories of all documents, which must agree. A category without an index of its
    own number is told in the notes. Pictures of a document without annotations, and those with crowd regions
    only, are not labeled. Holds one document's boxes, some 20 bytes each, and its file names.
    """
    names = [name for name in documents(files) if _begins_like_one(files, name)]
    if not names:
        raise FormatError(
            'There is no COCO document: a JSON object with "images", "annotations", "categories".'
        )
    predictions = [name for name in documents(files) if _PREDICTION.match(head(files, name))]
    if predictions and len(names) > 1:
        raise FormatError(
            f"{predictions[0]} is a list of predictions, and there are {len(names)} COCO documents whose "
            f"images they could be of: {', '.join(names[:3])}. Leave one."
        )
    notes: list[str] = []
    numbers = loose.Numbers()
    categories = _categories(files, names, numbers)
    listed, ids = by_number(categories, labels, names[0], notes)
    finder = PictureFinder(files)

    def pictures() -> Iterator[DrawnPicture]:
        for name in names:
            yield from _pictures(files, name, predictions, _Ids(ids, numbers), finder, notes)

    return Reading(listed, pictures(), notes)


def _categories(files: Files, names: list[str], numbers: loose.Numbers) -> dict[int, str]:
    """Names by id, over all documents. Raises FormatError where two documents disagree."""
    found: dict[int, str] = {}
    for name in names:
        with _told(name):
            for _, batch in read_lists(files.chunks(name), {"categories": loose.Category}, to_end=False):
                for category in batch:
                    number, label = numbers.of(category.id), str(category.name)
                    if found.setdefault(number, label) != label:
                        raise ValueError(
                            f"category {category.id} is {label!r} here and {found[number]!r} in {names[0]}."
                        )
    return found


class _told:  # noqa: N801 - reads as a function
    """Names the document in what goes wrong within it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OverflowError):
            raise FormatError(f"{self._name}: a side or an id is larger than any can be.") from error
        if isinstance(error, ValueError | msgspec.DecodeError | RecursionError):
            raise FormatError(f"{self._name}: {error}") from error


def _pictures(
    files: Files, name: str, predictions: list[str], ids: _Ids, finder: PictureFinder, notes: list[str]
) -> Iterator[DrawnPicture]:
    with _told(name):
        images, boxes, crowds = _columns(files, name, predictions, ids)
        is_answered = boxes.seen
        of_images = boxes.of_images(images.ids)
    if crowds:
        notes.append(f"{name}: {len(crowds)} crowd regions left out; none is a box of one object.")
    only_crowds, split = set(crowds), split_of(name)
    for start in range(0, len(images.ids), _AT_ONCE):
        stop = min(start + _AT_ONCE, len(images.ids))
        several = zip(
            of_images.of(start, stop, images.widths, images.heights),
            of_images.scores(start, stop),
            strict=True,
        )
        for index, (drawn, scores) in enumerate(several, start=start):
            unlabeled = ""
            if not is_answered:
                unlabeled = "Its document has no annotations."
            elif not drawn and images.ids[index] in only_crowds:
                unlabeled = "It has crowd regions only."
            yield DrawnPicture(
                path=finder.find(images.names[index], name, split),
                split=split,
                width=images.widths[index],
                height=images.heights[index],
                boxes=drawn,
                scores=scores,
                unlabeled=unlabeled,
                told_in=name,
            )


def _columns(files: Files, name: str, predictions: list[str], ids: _Ids) -> "tuple[Images, Boxes, list[int]]":
    """The images and the boxes, and the image of each crowd region."""
    from truthmill.channels.coco_columns import packed  # noqa: PLC0415 - writing needs no NumPy

    kinds: dict[str, Any] = {"images": _Image, "annotations": _Annotation}
    try:
        return _collect(_items(files, name, predictions, kinds, packed), ids.indices)
    except (msgspec.ValidationError, OverflowError):
        kinds = {"images": loose.Image, "annotations": loose.Annotation}
        lists = _strict(_items(files, name, predictions, kinds), ids.numbers)
        return _collect(
            ((key, packed(batch) if key == "annotations" else batch) for key, batch in lists), ids.indices
        )


def _items(
    files: Files,
    name: str,
    predictions: list[str],
    kinds: dict[str, Any],
    packed: Callable[[list[_Annotation]], Any] | None = None,
) -> Iterator[tuple[str, Any]]:
    """Of the document; of lists of predictions instead of its own annotations, where there are any.

    packed: what becomes of annotations.
    """
    packing = {"annotations": packed} if packed else {}
    if not predictions:
        yield from read_lists(files.chunks(name), kinds, packing=packing, parts=files.parts(name))
        return
    yield from read_lists(files.chunks(name), {"images": kinds["images"]})
    for each in predictions:
        whole = chain((b'{"annotations":',), files.chunks(each), (b"}",))
        yield from read_lists(whole, {"annotations": kinds["annotations"]}, packing=packing)


def _strict(
    lists: Iterable[tuple[str, list[Any]]], numbers: loose.Numbers
) -> Iterator[tuple[str, list[Any]]]:
    """Items of loose types as those of strict ones."""
    for key, batch in lists:
        if key == "images":
            side = loose.whole_side
            yield (
                key,
                [
                    _Image(numbers.of(one.id), one.file_name, side(one.width), side(one.height))
                    for one in batch
                ],
            )
        else:
            yield (
                key,
                [
                    _Annotation(
                        numbers.of(one.image_id),
                        numbers.of(one.category_id),
                        (0, 0, 0, 0) if one.is_crowd else one.sides,
                        one.is_crowd,
                        None if one.score is None else float(one.score),
                    )
                    for one in batch
                ],
            )


def _collect(lists: Iterable[tuple[str, Any]], indices: dict[int, int]) -> "tuple[Images, Boxes, list[int]]":
    from truthmill.channels.coco_columns import Boxes, Images  # noqa: PLC0415 - writing needs no NumPy

    images, boxes, crowds = Images(), Boxes(indices), array("q")
    for key, batch in lists:
        if key == "images":
            images.ids.extend([image.id for image in batch])
            images.widths.extend([image.width for image in batch])
            images.heights.extend([image.height for image in batch])
            images.names.extend([image.file_name for image in batch])
            continue
        of_crowds, columns = batch
        crowds.extend(of_crowds)
        boxes.add(columns)
    return images, boxes, crowds.tolist()
