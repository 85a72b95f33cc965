"""Format rekognition: a manifest for each split that Amazon Rekognition Custom Labels imports.

The lines are those of a bounding box job; a confidence of 1 is what the guide's own lines have. `labels.json`
has the class list, `channels.json` what CreateDataset is given for each split and which of Rekognition's
limits the dataset doesn't keep, `<split>-problems.jsonl` the pictures that don't, each with its reason. What
breaks a limit is written all the same: Rekognition passes over single lines, and some limits can be raised.
Sources: Rekognition Custom Labels guide, "Object localization in manifest files", "Validation rules for
manifest files", "Guidelines and quotas".
"""

from collections.abc import Iterator, Mapping

import msgspec

from truthmill.channels.augmented_manifest import label_categories, line_writer
from truthmill.channels.writing import Append, Counts, Event, Shard, Whole
from truthmill.dataset import Heading, LabeledPicture

TYPES = {"train": "TRAIN", "validation": "TEST"}  # a test split of our own has no place there
MAX_LINES = 250_000  # of a manifest; 28,000 in ap-south-1 and eu-west-2
LABELS = range(2, 251)
MAX_BOXES = 50  # a picture
SIDES = range(64, 4097)  # pixels
MAX_ASPECT = 20  # times as long as wide, or the other way round
_encode = msgspec.json.Encoder().encode


def write(shard: Shard) -> Iterator[Event]:
    file = f"{shard.split}.manifest"
    if shard.number == 0:
        yield Append(file, b"")
    line = line_writer(shard.heading, confidence=1)
    for picture in shard.pictures:
        yield Append(file, line(picture))
        for problem in _of_picture(picture):
            yield Append(_problems_of(shard.split), _encode({"key": picture.key, "problem": problem}) + b"\n")


def _problems_of(split: str) -> str:
    return f"{split}-problems.jsonl"


def _of_picture(picture: LabeledPicture) -> Iterator[str]:
    sides = sorted((picture.width, picture.height))
    if len(picture.boxes) > MAX_BOXES:
        yield f"{len(picture.boxes)} boxes; Rekognition takes {MAX_BOXES} a picture."
    if sides[0] not in SIDES or sides[1] not in SIDES:
        yield (
            f"{picture.width} x {picture.height} pixels; Rekognition takes sides of {SIDES[0]} to "
            f"{SIDES[-1]}."
        )
    if sides[1] > MAX_ASPECT * sides[0]:
        yield f"{picture.width} x {picture.height} pixels; Rekognition takes {MAX_ASPECT} to 1 at the most."


def finish(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[Whole]:
    """labels.json and channels.json."""
    yield label_categories(heading)
    datasets = [
        {
            "DatasetType": TYPES[split],
            "DatasetSource": {
                "GroundTruthManifest": {
                    "S3Object": {"Bucket": heading.bucket, "Name": f"{heading.prefix}{split}.manifest"}
                }
            },
        }
        for split in heading.splits
        if split in TYPES and counts[split].pictures
    ]
    document = {"Datasets": datasets, "Problems": list(_of_dataset(heading, counts))}
    yield Whole("channels.json", msgspec.json.format(_encode(document), indent=2) + b"\n")


def _of_dataset(heading: Heading, counts: Mapping[str, Counts]) -> Iterator[str]:
    if len(heading.labels) not in LABELS:
        yield f"{len(heading.labels)} labels; Rekognition takes {LABELS[0]} to {LABELS[-1]}."
    for split, found in counts.items():
        if split not in TYPES and found.pictures:
            yield f"{found.pictures:,} pictures in {split}; Rekognition has no third split."
        if found.pictures > MAX_LINES:
            yield f"{found.pictures:,} pictures in {split}; Rekognition takes {MAX_LINES:,} in a manifest."
        if found.most_boxes > MAX_BOXES:
            yield (
                f"up to {found.most_boxes} boxes a picture in {split}; Rekognition takes {MAX_BOXES}. "
                f"{_problems_of(split)} lists the pictures."
            )
        if found.pictures and (found.smallest_side not in SIDES or found.largest_side not in SIDES):
            yield (
                f"sides of {found.smallest_side} to {found.largest_side} pixels in {split}; Rekognition "
                f"takes {SIDES[0]} to {SIDES[-1]}. {_problems_of(split)} lists the pictures."
            )
        if found.aspect > MAX_ASPECT:
            yield (
                f"a picture in {split} is {found.aspect:.1f} times as long as wide; Rekognition takes "
                f"{MAX_ASPECT}. {_problems_of(split)} lists the pictures."
            )
