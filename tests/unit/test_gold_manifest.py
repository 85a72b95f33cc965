"""Gold manifests: what is read of them, and what is said of those that can't be used."""

import json

import pytest

from truthmill.boxes import Box
from truthmill.errors import FormatError
from truthmill.gold_manifest import read_gold

LABELS = ("cat", "dog")


def line(uri="s3://b/a.png", label="dog", boxes=((1, 2, 3, 4),)):
    names = ("left", "top", "width", "height")
    drawn = [{"class_id": 0, **dict(zip(names, box, strict=True))} for box in boxes]
    size = {"width": 200, "height": 100, "depth": 3}
    metadata = {
        "class-map": {"0": label},
        "type": "groundtruth/object-detection",
        "objects": [{"confidence": 0.9}] * len(boxes),
    }
    given = {"source-ref": uri, "x": {"image_size": [size], "annotations": drawn}, "x-metadata": metadata}
    return json.dumps(given).encode()


def test_boxes_have_the_jobs_numbers_and_what_is_not_labeled_is_passed_over():
    unlabeled = b'{"source-ref": "s3://b/b.png", "x-metadata": {"failure-reason": "Expired"}}'
    found = list(read_gold([line(), b"\n", unlabeled, line("s3://b/c.png", boxes=())], LABELS, "gold"))
    assert found == [("s3://b/a.png", (Box(1, 1, 2, 3, 4),), (200, 100)), ("s3://b/c.png", (), (200, 100))]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (b"no json", "gold, line 2: isn't a JSON object"),
        (b"[1]", "gold, line 2: isn't a JSON object"),
        (b'{"source-ref": "s3://b/a.png"}', "gold, line 2: has no label attribute with its -metadata"),
        (line(label="cow"), "gold, line 2.*'cow'"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(wrong, says):
    with pytest.raises(FormatError, match=says):
        list(read_gold([line(), wrong], LABELS, "gold"))
