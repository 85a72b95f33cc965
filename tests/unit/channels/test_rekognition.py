"""What Rekognition's limits are, and that a dataset that doesn't keep them is told so by name."""

import json

import pytest
from channels.labeled_datasets import dataset_of, written

from truthmill.boxes import Box
from truthmill.channels import CHANNELS
from truthmill.dataset import LabeledPicture

LABELS = ("cat", "dog")


def picture(width=640, height=480, boxes=1, split="train", name="a"):
    return LabeledPicture(
        key=f"datasets/d/images/{split}/{name}.jpg",
        split=split,
        width=width,
        height=height,
        boxes=tuple(Box(0, number, 0, 1, 1) for number in range(boxes)),
    )


def files(*pictures, labels=LABELS, splits=("train", "validation")):
    found = written(CHANNELS["rekognition"], dataset_of(*pictures, labels=labels, splits=splits))
    listed = [json.loads(line) for line in found.get("train-problems.jsonl", b"").splitlines()]
    return json.loads(found["channels.json"]), listed


def test_channels_json_has_what_create_dataset_is_given():
    channels, _ = files(picture(), picture(split="validation", name="b"))
    assert channels == {
        "Datasets": [
            {
                "DatasetType": kind,
                "DatasetSource": {
                    "GroundTruthManifest": {
                        "S3Object": {
                            "Bucket": "bucket",
                            "Name": f"datasets/pets/channels/r1/x/{split}.manifest",
                        }
                    }
                },
            }
            for kind, split in (("TRAIN", "train"), ("TEST", "validation"))
        ],
        "Problems": [],
    }


@pytest.mark.parametrize(
    ("size", "boxes", "problem"),
    [
        ((640, 480), 51, "51 boxes"),
        ((63, 640), 1, "63 x 640 pixels"),
        ((640, 4097), 1, "640 x 4097 pixels"),
        ((64, 1281), 1, "20 to 1"),
    ],
)
def test_a_picture_beyond_a_limit_is_listed_and_told(size, boxes, problem):
    channels, listed = files(picture(), picture(*size, boxes=boxes, name="b"))
    assert [line["key"] for line in listed] == ["datasets/d/images/train/b.jpg"]
    assert problem in listed[0]["problem"]
    assert len(channels["Problems"]) == 1


@pytest.mark.parametrize(
    ("size", "boxes"), [((640, 480), 50), ((64, 64), 1), ((4096, 4096), 0), ((64, 1280), 1)]
)
def test_a_picture_at_a_limit_is_fine(size, boxes):
    assert files(picture(*size, boxes=boxes)) == (files(picture())[0], [])


@pytest.mark.parametrize(("labels", "kept"), [(1, False), (2, True), (250, True), (251, False)])
def test_labels_are_2_to_250(labels, kept):
    channels, _ = files(picture(), labels=tuple(f"class {number}" for number in range(labels)))
    assert channels["Problems"] == ([] if kept else [f"{labels} labels; Rekognition takes 2 to 250."])


def test_a_manifest_has_at_most_250000_lines(monkeypatch):
    monkeypatch.setattr("truthmill.channels.rekognition.MAX_LINES", 2)
    pictures = [picture(name=str(number)) for number in range(3)]
    assert files(*pictures[:2])[0]["Problems"] == []
    assert files(*pictures)[0]["Problems"] == ["3 pictures in train; Rekognition takes 2 in a manifest."]


def test_a_third_split_has_no_place():
    channels, _ = files(picture(), picture(split="test", name="t"), splits=("train", "test"))
    assert [each["DatasetType"] for each in channels["Datasets"]] == ["TRAIN"]
    assert channels["Problems"] == ["1 pictures in test; Rekognition has no third split."]
