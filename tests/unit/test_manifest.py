"""Ground Truth's manifests as they are documented, and as they are in the wild."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truthmill.box_check import DrawnBox
from truthmill.errors import ManifestError
from truthmill.manifest import Labeled, NotLabeled, input_line, read_output

SIZE = [{"width": 500, "height": 400, "depth": 3}]
DOG = {"class_id": 0, "left": 111, "top": 134, "width": 61, "height": 128}
DOCUMENTED = {
    "source-ref": "s3://bucket/a.png",
    "split": "train",
    "bounding-box": {"image_size": SIZE, "annotations": [DOG]},
    "bounding-box-metadata": {
        "objects": [{"confidence": 0.8}],
        "class-map": {"0": "dog"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
        "creation-date": "2018-10-18T22:18:13.527256",
        "job-name": "labeling-job/identify-dogs",
    },
}


def _line(answer=None, **metadata):
    line = json.loads(json.dumps(DOCUMENTED))
    if answer is not None:
        line["bounding-box"] = answer
    line["bounding-box-metadata"].update(metadata)
    return line


def _read(*lines, labels=("cat", "dog"), attribute="bounding-box"):
    raw = [json.dumps(line).encode() for line in lines]
    return list(read_output(raw, labels, attribute, "out.manifest"))


def test_a_class_id_is_resolved_by_its_name_in_the_lines_own_map():
    """The line's class 0 is "dog", which is 1 in the dataset's list."""
    assert _read(DOCUMENTED) == [
        Labeled(
            source="s3://bucket/a.png",
            width=500,
            height=400,
            boxes=(DrawnBox(1, 111, 134, 61, 128),),
            confidences=(0.8,),
            passed={"split": "train"},
        )
    ]


def test_maps_may_disagree_from_line_to_line():
    one, two = _read(DOCUMENTED, _line(**{"class-map": {"0": "cat"}}))
    assert (one.boxes[0].class_id, two.boxes[0].class_id) == (1, 0)


@pytest.mark.parametrize("spelling", ["groundtruth/object-detection", "groundtruth/object_detection"])
@pytest.mark.parametrize("job", ["labeling-job/identify-dogs", "identify-dogs"])
def test_both_spellings_of_type_and_of_the_jobs_name_are_read(spelling, job):
    assert _read(_line(type=spelling, **{"job-name": job})) == _read(DOCUMENTED)


def test_another_type_is_not_read_as_boxes():
    with pytest.raises(ManifestError, match=r"^out\.manifest, line 1: .*'groundtruth/image-classification'"):
        _read(_line(type="groundtruth/image-classification"))


def test_no_box_is_a_negative():
    (line,) = _read(_line({"image_size": SIZE, "annotations": []}, objects=[], **{"class-map": {}}))
    assert isinstance(line, Labeled)
    assert line.boxes == ()


def test_a_line_without_the_attribute_is_not_labeled():
    assert _read({"source-ref": "s3://bucket/a.png", "split": "train"}) == [
        NotLabeled(
            source="s3://bucket/a.png", reason="no attribute 'bounding-box'", passed={"split": "train"}
        )
    ]


@pytest.mark.parametrize("answer", [{}, None, {"image_size": SIZE, "annotations": []}])
def test_a_failed_line_is_not_labeled_whatever_stands_in_its_attribute(answer):
    line = {
        "source-ref": "s3://bucket/a.png",
        "bounding-box": answer,
        "bounding-box-metadata": {"failure-reason": "ClientError: decline", "retry-count": 1},
    }
    assert _read(line) == [NotLabeled(source="s3://bucket/a.png", reason="ClientError: decline")]


def test_of_chained_jobs_the_attribute_asked_for_is_read_and_the_other_is_passed():
    adjusted = {"image_size": SIZE, "annotations": [{**DOG, "left": 112}]}
    chained = {
        **DOCUMENTED,
        "adjusted": adjusted,
        "adjusted-metadata": {**DOCUMENTED["bounding-box-metadata"], "adjustment-status": "adjusted"},
    }
    (line,) = _read(chained, attribute="adjusted")
    assert line.boxes[0].left == 112
    assert line.passed["bounding-box"] == DOCUMENTED["bounding-box"]
    assert _read(chained)[0].boxes[0].left == 111


def test_without_a_map_the_number_counts():
    line = _line(**{"class-map": {}})
    assert _read(line)[0].boxes[0].class_id == 0
    assert _read(line, labels=("dog",))[0].boxes[0].class_id == 0


@pytest.mark.parametrize("number", [2, -1])
def test_a_number_that_nothing_names_is_an_error(number):
    line = _line({"image_size": SIZE, "annotations": [{**DOG, "class_id": number}]})
    with pytest.raises(ManifestError, match=rf"Class {number} has no name"):
        _read(line, labels=("dog", "cat"))


def test_a_number_missing_from_a_map_that_disagrees_with_the_list_is_not_trusted():
    """The map says 0 is "dog" where the list says 1: then nobody knows what 1 is."""
    line = _line({"image_size": SIZE, "annotations": [{**DOG, "class_id": 1}]})
    with pytest.raises(ManifestError, match="Class 1 has no name"):
        _read(line, labels=("cat", "dog"))
    assert _read(line, labels=("dog", "cat"))[0].boxes[0].class_id == 1


def test_a_label_that_the_dataset_does_not_have_is_named():
    with pytest.raises(ManifestError, match=r"line 1: Label 'dog' is not one of the dataset's: \['cat'\]"):
        _read(DOCUMENTED, labels=("cat",))


def test_unused_names_in_a_map_do_no_harm():
    line = _line(**{"class-map": {"0": "dog", "7": "unicorn"}})
    assert _read(line)[0].boxes[0].class_id == 1


def test_boxes_come_as_drawn_even_where_they_stick_out():
    line = _line({"image_size": SIZE, "annotations": [{**DOG, "left": -3, "width": 9.5}]})
    assert _read(line)[0].boxes == (DrawnBox(1, -3, 134, 9.5, 128),)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"bounding-box": {}}, '"source-ref" is None'),
        ({"source-ref": "a.png"}, "\"source-ref\" is 'a.png'"),
        (_line({"image_size": [], "annotations": []}), '"image_size" is'),
        (_line({"image_size": [{"width": 0, "height": 4}], "annotations": []}), '"image_size" is'),
        (_line({"image_size": SIZE}), "missing required field `annotations`"),
        (_line({"image_size": SIZE, "annotations": [{"class_id": 0}]}), "missing required field `left`"),
        ([1], "Expected `object`, got `array`"),
    ],
)
def test_a_broken_line_is_an_error_with_file_and_line(line, message):
    with pytest.raises(ManifestError, match=r"^out\.manifest, line 2: .*" + message):
        _read(DOCUMENTED, line)


def test_half_a_line_is_an_error_with_file_and_line():
    with pytest.raises(ManifestError, match=r"^out\.manifest, line 1: .*truncated"):
        list(read_output([b'{"source-ref": "s3://b'], ("dog",), "bounding-box", "out.manifest"))


def test_a_byte_order_mark_blank_lines_and_carriage_returns_are_nothing():
    raw = json.dumps(DOCUMENTED).encode()
    lines = [b"\xef\xbb\xbf" + raw + b"\r", b"", b" \r", raw]
    assert list(read_output(lines, ("cat", "dog"), "bounding-box", "w")) == _read(DOCUMENTED) * 2


def test_an_input_line_is_this_text():
    assert input_line("bucket", "datasets/p/images/train/1-a b+%25'\"é🐕.jpg", "train").decode() == (
        '{"source-ref":"s3://bucket/datasets/p/images/train/1-a b+%25\'\\"é🐕.jpg","split":"train"}\n'
    )


def test_an_input_line_carries_further_attributes():
    assert input_line("b", "k.jpg", "train", {"earlier": [1]}) == (
        b'{"source-ref":"s3://b/k.jpg","split":"train","earlier":[1]}\n'
    )


@pytest.mark.parametrize(
    ("bucket", "key", "more", "message"),
    [
        ("", "k.jpg", {}, "a bucket and a key"),
        ("b", "", {}, "a bucket and a key"),
        ("b", "ä" * 513, {}, "a key of 1 to 1024 bytes"),
        ("b", "k.jpg", {"$x": 1}, r"attribute '\$x' begins with \$"),
        ("b", "k.jpg", {"x": "a" * 19_999}, "'x' has 20001 characters; 20000 fit"),
        (
            "b",
            "k.jpg",
            {str(n): "a" * 19_000 for n in range(6)},
            "the line has 114087 characters; 100000 fit",
        ),
    ],
)
def test_what_ground_truth_would_refuse_is_refused_here(bucket, key, more, message):
    with pytest.raises(ManifestError, match=message):
        input_line(bucket, key, "train", more)


def test_the_limits_themselves_are_allowed():
    """Characters are counted, not bytes."""
    assert input_line("b", "ä" * 512, "train", {"x": "ä" * 19_998}).endswith('ä"}\n'.encode())


TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)


@given(key=TEXT, split=TEXT, label=TEXT)
def test_a_line_comes_back_through_a_job_as_it_was(key, split, label):
    """A job adds its attribute and passes the rest through."""
    line = json.loads(input_line("bucket", key, split))
    line["boxes"] = {"image_size": SIZE, "annotations": [DOG]}
    line["boxes-metadata"] = {"class-map": {"0": label}, "type": "groundtruth/object-detection"}
    (read,) = _read(line, labels=(f"not {label}", label), attribute="boxes")
    assert read.source == f"s3://bucket/{key}"
    assert read.passed == {"split": split}
    assert read.boxes == (DrawnBox(1, 111, 134, 61, 128),)
