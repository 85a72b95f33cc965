"""Format augmented-manifest: what SageMaker's built-in Object Detection reads in Pipe mode.

`<split>.manifest` holds Ground Truth's own output lines; `channels.json` the InputDataConfig and the
HyperParameters, each under the name it has in CreateTrainingJob.
Sources: SageMaker developer guide, "Augmented manifest files for training jobs", "Object Detection
Algorithm" and "Object Detection Hyperparameters".
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from truthmill.box_check import whole_box
from truthmill.dataset import LabeledDataset, LabeledPicture
from truthmill.errors import ManifestError
from truthmill.manifest import BOX_TYPES, Labeled, read_output
from truthmill.records import split_lines

ATTRIBUTE = "bounding-box"
# "Object Detection Hyperparameters": default of mini_batch_size, default of label_width.
DEFAULT_BATCH = 32
DEFAULT_LABEL_WIDTH = 350


def write(dataset: LabeledDataset, prefix: str) -> Iterator[tuple[str, Iterator[bytes]]]:
    """A manifest for each split, then channels.json, for which every picture is read once more.

    prefix: key prefix of the files; the channels' S3 URIs are made with it.
    """
    for split in dataset.splits:
        yield f"{split}.manifest", _lines(dataset, split)
    yield "channels.json", _channels_json(dataset, prefix)


def read(
    files: Callable[[str], Iterable[bytes]], split: str, labels: tuple[str, ...]
) -> Iterator[LabeledPicture]:
    """Pictures of a split.

    Raises ManifestError, also for a line without an answer (not labeled is not negative) and for a box that
    isn't inside its picture.
    """
    name = f"{split}.manifest"
    for number, line in enumerate(read_output(split_lines(files(name)), labels, ATTRIBUTE, name), start=1):
        if not isinstance(line, Labeled):
            raise ManifestError(f"{name}, picture {number}", f"{line.source} is not labeled: {line.reason}.")
        try:
            yield LabeledPicture(
                key=line.source.removeprefix("s3://").partition("/")[2],
                split=split,
                width=line.width,
                height=line.height,
                boxes=tuple(whole_box(box) for box in line.boxes),
            )
        except ValueError as error:
            raise ManifestError(f"{name}, picture {number}", str(error)) from error


def _lines(dataset: LabeledDataset, split: str) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for picture in dataset.pictures(split):
        yield encode(_line(dataset, picture)) + b"\n"


def _line(dataset: LabeledDataset, picture: LabeledPicture) -> dict[str, Any]:
    present = sorted({box.class_id for box in picture.boxes})
    return {
        "source-ref": f"s3://{dataset.bucket}/{picture.key}",
        ATTRIBUTE: {
            "image_size": [{"width": picture.width, "height": picture.height, "depth": 3}],
            "annotations": picture.boxes,
        },
        f"{ATTRIBUTE}-metadata": {
            # Confidence compares within one labeling job only; a dataset may come from several.
            "objects": [{"confidence": 0}] * len(picture.boxes),
            "class-map": {str(class_id): dataset.labels[class_id] for class_id in present},
            "type": BOX_TYPES[0],
            "human-annotated": "yes",
            "creation-date": dataset.created,
            "job-name": f"labeling-job/{dataset.job}",
        },
    }


def _channels_json(dataset: LabeledDataset, prefix: str) -> Iterator[bytes]:
    counts = {split: _pictures_and_most_boxes(dataset, split) for split in dataset.splits}
    # SageMaker refuses a channel whose manifest is empty, so a split without pictures is no channel.
    splits = [split for split in dataset.splits if counts[split][0]]
    document = {
        "InputDataConfig": [
            _input(split, f"s3://{dataset.bucket}/{prefix}{split}.manifest") for split in splits
        ],
        "HyperParameters": hyperparameters(
            len(dataset.labels), counts.get("train", (0, 0))[0], max(most for _, most in counts.values())
        ),
    }
    yield msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _pictures_and_most_boxes(dataset: LabeledDataset, split: str) -> tuple[int, int]:
    pictures = most = 0
    for picture in dataset.pictures(split):
        pictures += 1
        most = max(most, len(picture.boxes))
    return pictures, most


def _input(split: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": split,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "AugmentedManifestFile",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
                "AttributeNames": ["source-ref", ATTRIBUTE],
            }
        },
        "ContentType": "application/x-recordio",
        "RecordWrapperType": "RecordIO",
        "CompressionType": "None",
        "InputMode": "Pipe",
    }


def hyperparameters(classes: int, training_pictures: int, most_boxes: int) -> dict[str, str]:
    """What Object Detection needs to read the channel.

    most_boxes: in the most crowded picture of all splits. A box takes 5 numbers of the label, its header 2;
    the guide advises a little more, and adds 10 in its own example.
    """
    return {
        "num_classes": str(classes),
        "num_training_samples": str(training_pictures),
        "mini_batch_size": str(max(1, min(DEFAULT_BATCH, training_pictures))),
        "label_width": str(max(DEFAULT_LABEL_WIDTH, 5 * most_boxes + 10)),
    }
