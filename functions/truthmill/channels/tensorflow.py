"""Format tensorflow: the prefix that SageMaker's Object Detection - TensorFlow trains on, one a split.

`<split>/images/` and `<split>/annotations.json` with `images` and `annotations`; `bbox` is [xmin, ymin, xmax,
ymax] in pixels, `category_id` the class id. `channels.json` has the InputDataConfig, `classes.json` the class
list, which the format itself has no place for.
Source: SageMaker developer guide, "Input and output interface for the Object Detection - TensorFlow
algorithm".
"""

from collections.abc import Iterator, Mapping

import msgspec

from truthmill.box_check import DrawnBox
from truthmill.channels.imagefolder import class_list, classes_file
from truthmill.channels.json_document import read_lists
from truthmill.channels.reading import DrawnPicture, Files, Reading, head, split_of
from truthmill.channels.sagemaker_input import channels_json, s3_input
from truthmill.channels.samples import checked
from truthmill.channels.writing import Append, Copy, Counts, Event, Shard, Whole
from truthmill.dataset import Heading
from truthmill.errors import FormatError

CHANNEL = {"train": "training", "validation": "validation", "test": "test"}
IMAGES, ANNOTATIONS, END = range(3)  # sections of the file
_encode = msgspec.json.Encoder().encode


class _Image(msgspec.Struct, frozen=True, gc=False):
    id: int
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct, frozen=True, gc=False):
    image_id: int
    bbox: tuple[float, float, float, float]
    category_id: int


def write(shard: Shard) -> Iterator[Event]:
    file = f"{shard.split}/annotations.json"
    if shard.number == 0:
        yield Append(file, b'{"images":[', IMAGES)
        yield Append(file, b'],\n"annotations":[', ANNOTATIONS)
        yield Append(file, b"]}\n", END)
    before = shard.first_box
    for number, picture in enumerate(shard.pictures, start=shard.first_picture + 1):
        yield Copy(picture.key, f"{shard.split}/images/{picture.file}")
        image = b'{"file_name":%b,"height":%d,"width":%d,"id":%d}' % (
            _encode(picture.file),
            picture.height,
            picture.width,
            number,
        )
        yield Append(file, (b"\n" if number == 1 else b",\n") + image, IMAGES)
        if picture.boxes:
            lines = [
                b'{"image_id":%d,"bbox":[%d,%d,%d,%d],"category_id":%d}'
                % (number, box.left, box.top, box.right, box.bottom, box.class_id)
                for box in picture.boxes
            ]
            yield Append(file, (b",\n" if before else b"\n") + b",\n".join(lines), ANNOTATIONS)
            before += len(lines)


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """channels.json and classes.json."""
    yield classes_file(heading)
    inputs = [
        s3_input(CHANNEL[split], heading.uri(f"{heading.prefix}{split}/"), "application/x-image")
        for split in heading.splits
        if counts[split].pictures
    ]
    yield channels_json(inputs, {})


def _documents(files: Files) -> list[str]:
    return [name for name in files.names if name.rpartition("/")[2] == "annotations.json"]


def detect(files: Files) -> bool:
    """Whether an annotations.json has no categories, and so can't be COCO."""
    return any(
        b'"images"' in head(files, name) and not _has_categories(files, name) for name in _documents(files)
    )


def _has_categories(files: Files, name: str) -> bool:
    try:
        return any(batch for _, batch in read_lists(files.chunks(name), {"categories": dict}))
    except (ValueError, RecursionError):
        return False


def read(files: Files, labels: tuple[str, ...] | None = None) -> Reading:
    """Every annotations.json; its folder tells the split. Holds one document's boxes."""
    listed = class_list(files, labels, "tensorflow")
    return Reading(listed, _pictures(files, len(listed)))


def _pictures(files: Files, classes: int) -> Iterator[DrawnPicture]:
    for name in _documents(files):
        images: list[_Image] = []
        boxes: dict[int, list[DrawnBox]] = {}
        try:
            kinds = {"images": _Image, "annotations": _Annotation}
            for key, batch in read_lists(files.chunks(name), kinds):
                if key == "images":
                    images += batch
                    continue
                for one in batch:
                    left, top, right, bottom = one.bbox
                    box = DrawnBox(checked(one.category_id, classes), left, top, right - left, bottom - top)
                    boxes.setdefault(one.image_id, []).append(box)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise FormatError(f"{name}: {error}") from error
        folder = name.removesuffix("annotations.json")
        for image in images:
            yield DrawnPicture(
                path=f"{folder}images/{image.file_name}",
                split=split_of(folder),
                width=image.width,
                height=image.height,
                boxes=tuple(boxes.pop(image.id, ())),
                told_in=name,
            )
        if boxes:
            raise FormatError(
                f"{name}: annotations of image {next(iter(boxes))}, which is not among the images."
            )
