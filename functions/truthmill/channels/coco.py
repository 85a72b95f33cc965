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

from collections.abc import Callable, Iterable, Iterator

import msgspec

from truthmill.box_check import DrawnBox, whole_box
from truthmill.boxes import Box
from truthmill.dataset import LabeledDataset, LabeledPicture
from truthmill.errors import FormatError

FIRST_CATEGORY = 1


class _Image(msgspec.Struct, frozen=True):
    id: int
    file_name: str
    width: int
    height: int
    coco_url: str = ""


class _Annotation(msgspec.Struct, frozen=True):
    id: int
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    area: float = 0.0
    iscrowd: int = 0
    segmentation: object = ()  # polygons; an empty list keeps pycocotools' showAnns going


class _Category(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Document(msgspec.Struct, frozen=True):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation] = []


def write(dataset: LabeledDataset, prefix: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """One document for each split. The pictures are read twice: images come before annotations."""
    del prefix  # nothing in this format refers to where it lies
    for split in dataset.splits:
        yield f"instances_{split}.json", _document(dataset, split)


def read(
    files: Callable[[str], Iterable[bytes]], split: str, labels: tuple[str, ...]
) -> Iterator[LabeledPicture]:
    """Pictures of a split, by way of their categories' names. Holds the document. Raises FormatError."""
    name = f"instances_{split}.json"
    try:
        document = msgspec.json.decode(b"".join(files(name)), type=_Document)
    except msgspec.DecodeError as error:
        raise FormatError(f"{name}: {error}") from error
    try:
        boxes = _boxes_by_image(document, labels)
        for image in document.images:
            yield _picture(image, split, boxes.pop(image.id, []))
    except ValueError as error:
        raise FormatError(f"{name}: {error}") from error
    if boxes:
        raise FormatError(f"{name}: annotations of image {next(iter(boxes))}, which is not among the images.")


def _document(dataset: LabeledDataset, split: str) -> Iterator[bytes]:
    categories = [_Category(FIRST_CATEGORY + class_id, name) for class_id, name in enumerate(dataset.labels)]
    yield b'{"categories":' + msgspec.json.encode(categories)
    yield b',\n"images":['
    yield from _separated(
        _Image(number, picture.file, picture.width, picture.height, f"s3://{dataset.bucket}/{picture.key}")
        for number, picture in enumerate(dataset.pictures(split), start=1)
    )
    yield b'],\n"annotations":['
    boxes = (
        (number, box)
        for number, picture in enumerate(dataset.pictures(split), start=1)
        for box in picture.boxes
    )
    yield from _separated(_annotation(id_, image, box) for id_, (image, box) in enumerate(boxes, start=1))
    yield b"]}\n"


def _annotation(id_: int, image: int, box: Box) -> dict[str, object]:
    return {
        "id": id_,
        "image_id": image,
        "category_id": FIRST_CATEGORY + box.class_id,
        "bbox": [box.left, box.top, box.width, box.height],
        "area": box.area,
        "iscrowd": 0,
        "segmentation": [],
    }


def _separated(items: Iterable[object]) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    separator = b"\n"
    for item in items:
        yield separator + encode(item)
        separator = b",\n"


def _boxes_by_image(document: _Document, labels: tuple[str, ...]) -> dict[int, list[DrawnBox]]:
    names = {category.id: category.name for category in document.categories}
    ids = {label: class_id for class_id, label in enumerate(labels)}
    boxes: dict[int, list[DrawnBox]] = {}
    for annotation in document.annotations:
        label = names.get(annotation.category_id)
        if label not in ids:
            raise ValueError(
                f"annotation {annotation.id} has category {annotation.category_id} ({label!r}), "
                f"which is not one of the dataset's labels {list(labels)}."
            )
        if annotation.iscrowd:
            raise ValueError(
                f"annotation {annotation.id} is a crowd region, which is not a box of one object."
            )
        boxes.setdefault(annotation.image_id, []).append(DrawnBox(ids[label], *annotation.bbox))
    return boxes


def _picture(image: _Image, split: str, drawn: list[DrawnBox]) -> LabeledPicture:
    key = image.coco_url.removeprefix("s3://").partition("/")[2] if image.coco_url.startswith("s3://") else ""
    return LabeledPicture(
        key=key or image.file_name,
        split=split,
        width=image.width,
        height=image.height,
        boxes=tuple(whole_box(box) for box in drawn),
    )
