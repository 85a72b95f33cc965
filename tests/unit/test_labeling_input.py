"""What a job is given in S3: label category files and lines of manifests."""

import json

import pytest

from truthmill.errors import ManifestError
from truthmill.labeling_input import NewObject, read_input_line, read_label_categories
from truthmill.labeling_kinds import Kinds

DRAWN = Kinds("BoundingBox", "BoundingBox")
ADJUSTED = Kinds("AdjustmentBoundingBox", "AdjustmentBoundingBox")
OWN = Kinds("custom", "custom")


def labels(*names):
    return json.dumps(
        {"document-version": "2018-11-28", "labels": [{"label": name} for name in names]}
    ).encode()


def test_labels_keep_the_files_order():
    assert read_label_categories(labels("dog", "cat", "Ärger"), "f") == ["dog", "cat", "Ärger"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"[]", "label category file"),
        (b"{", "label category file"),
        (b'{"labels": ["cat"]}', "label category file"),
        (labels(), "0 labels"),
        (labels(*map(str, range(51))), "51 labels"),
        (labels("cat", "dog", "cat"), "'cat' is there twice"),
        (labels("x" * 257), "1 to 256"),
        (labels(""), "1 to 256"),
        (b'{"labels": [{"label": 7}]}', "1 to 256"),
    ],
)
def test_a_label_category_file_that_is_wrong_says_how(document, says):
    with pytest.raises(ManifestError, match=says) as caught:
        read_label_categories(document, "s3://bucket/labels.json")
    assert str(caught.value).startswith("s3://bucket/labels.json: ")


def test_a_line_keeps_its_text():
    line = '{"split": 1.50, "source-ref": "s3://bucket/a b.JPG", "x": [1e3]}'
    found = read_input_line(f"  {line}\r".encode(), "box", DRAWN, (), "f")
    assert found == NewObject(line=line, uri="s3://bucket/a b.JPG")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"not json", "isn't a JSON object"),
        (b'["s3://bucket/a.jpg"]', "isn't a JSON object"),
        (b"\xff{}", "isn't a JSON object"),
        (b"{}", '"source-ref" is None'),
        (b'{"source-ref": "https://x/a.jpg"}', "s3://bucket/key"),
        (b'{"source-ref": "s3://bucket/a.gif"}', ".jpg, .jpeg, .png"),
        (b'{"source-ref": "s3://b/a.jpg", "$x": 1}', r"begins with \$"),
        (b'{"source-ref": "s3://b/a.jpg", "box": 1}', "'box' that this job is to add"),
        (b'{"source-ref": "s3://b/a.jpg", "box-metadata": 1}', "'box' that this job is to add"),
        (b'{"source-ref": "s3://b/a.jpg", "x": "' + b"y" * 20_000 + b'"}', "more than 20000"),
        (b'{"source-ref": "s3://b/a.jpg", "x": "' + b"y" * 100_000 + b'"}', "at most 100000"),
    ],
)
def test_a_line_that_is_wrong_says_how_and_where(line, says):
    with pytest.raises(ManifestError, match=says) as caught:
        read_input_line(line, "box", DRAWN, (), "s3://bucket/m, line 3")
    assert str(caught.value).startswith("s3://bucket/m, line 3: ")


def with_boxes(label="cat"):
    metadata = {"type": "groundtruth/object-detection", "class-map": {"0": label}}
    box = {"class_id": 0, "left": 1, "top": 2, "width": 3, "height": 4}
    line = {"source-ref": "s3://b/a.jpg", "box": {"annotations": [box]}, "box-metadata": metadata}
    return json.dumps(line).encode()


def test_boxes_to_adjust_have_labels_of_the_job():
    read_input_line(with_boxes(), "adjusted", ADJUSTED, ("dog", "cat"), "f")
    read_input_line(b'{"source-ref": "s3://b/a.jpg"}', "adjusted", ADJUSTED, ("dog",), "f")
    with pytest.raises(ManifestError, match="'box' has boxes of 'cat'"):
        read_input_line(with_boxes(), "adjusted", ADJUSTED, ("dog",), "f")


def test_a_job_of_own_functions_takes_any_object():
    assert read_input_line(b'{"source": "a text"}', "x", OWN, (), "f").uri == ""
    assert read_input_line(b'{"source-ref": "s3://b/a.wav"}', "x", OWN, (), "f").uri == "s3://b/a.wav"
    with pytest.raises(ManifestError, match="source-ref"):
        read_input_line(b'{"source": "a text"}', "x", DRAWN, (), "f")
