"""Format coco, read by pycocotools and by ourselves."""

import contextlib
import io
import json

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from truthmill.boxes import Box
from truthmill.channels import coco
from truthmill.dataset import LabeledPicture
from truthmill.errors import FormatError
from unit.channels.labeled_datasets import BUFFALO, LABELS, PETS, REX, dataset_of, opener, written


def _in_pycocotools(tmp_path, dataset, split):
    (tmp_path / "instances.json").write_bytes(written(coco, dataset)[f"instances_{split}.json"])
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(tmp_path / "instances.json"))


def test_the_document_is_this_text():
    files = written(coco, dataset_of(BUFFALO))
    assert files["instances_validation.json"].decode() == (
        '{"categories":[{"id":1,"name":"cat"},{"id":2,"name":"the \\"big\\" dog"},'
        '{"id":3,"name":"Büffel 🐃"}],\n'
        '"images":[\n'
        '{"id":1,"file_name":"cc22dd33-b.jpg","width":100,"height":50,'
        '"coco_url":"s3://bucket/datasets/pets/images/validation/cc22dd33-b.jpg"}],\n'
        '"annotations":[\n'
        '{"id":1,"image_id":1,"category_id":3,"bbox":[99,49,1,1],"area":1,"iscrowd":0,"segmentation":[]}]}\n'
    )
    assert json.loads(files["instances_train.json"]) == {
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(LABELS)],
        "images": [],
        "annotations": [],
    }


def test_pycocotools_reads_boxes_names_and_negatives(tmp_path):
    read = _in_pycocotools(tmp_path, PETS, "train")
    assert {image["file_name"]: image["id"] for image in read.imgs.values()} == {
        "3f9a2c1b-rex.jpg": 1,
        "aa00bb11-meadow.png": 2,
    }
    assert [(read.cats[a["category_id"]]["name"], a["bbox"], a["area"]) for a in read.imgToAnns[1]] == [
        ('the "big" dog', [10, 20, 30, 40], 1200),
        ("cat", [0, 0, 640, 480], 307_200),
    ]
    assert read.getAnnIds(imgIds=[2]) == []


def test_cocoeval_gives_the_truth_against_itself_a_perfect_score(tmp_path):
    """It doesn't when an annotation has id 0."""
    truth = _in_pycocotools(tmp_path, PETS, "train")
    with contextlib.redirect_stdout(io.StringIO()):
        answers = [
            {"image_id": a["image_id"], "category_id": a["category_id"], "bbox": a["bbox"], "score": 1.0}
            for a in truth.dataset["annotations"]
        ]
        score = COCOeval(truth, truth.loadRes(answers), "bbox")
        score.evaluate()
        score.accumulate()
        score.summarize()
    assert score.stats[0] == pytest.approx(1.0)


def test_category_ids_are_the_same_in_every_split():
    """Also for the classes that a split doesn't have."""
    files = written(coco, dataset_of(REX, BUFFALO))
    categories = [json.loads(text)["categories"] for text in files.values()]
    assert (
        categories[0]
        == categories[1]
        == [
            {"id": 1, "name": "cat"},
            {"id": 2, "name": 'the "big" dog'},
            {"id": 3, "name": "Büffel 🐃"},
        ]
    )


def _read(document, labels=("cat", "dog")):
    files = opener({"instances_train.json": json.dumps(document).encode()})
    return list(coco.read(files, "train", labels))


FOREIGN = {
    "info": {"year": 2026},
    "images": [{"id": 700, "file_name": "b/7.jpg", "width": 20, "height": 10, "license": 3}],
    "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 17, "name": "cat"}],
    "annotations": [{"id": 5, "image_id": 700, "category_id": 17, "bbox": [1.4, 2.6, 3.0, 4.2]}],
}


def test_a_file_of_another_tool_is_read_by_names_and_rounded_edge_by_edge():
    """Right edge 4.4 is 4, bottom edge 6.8 is 7; category 17 is named cat."""
    assert _read(FOREIGN) == [
        LabeledPicture(key="b/7.jpg", split="train", width=20, height=10, boxes=(Box(0, 1, 3, 3, 4),))
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"category_id": 99}, r"annotation 5 has category 99 \(None\)"),
        ({"iscrowd": 1}, "annotation 5 is a crowd region"),
        ({"image_id": 701}, "annotations of image 701, which is not among the images"),
        ({"bbox": [18, 2, 3, 4]}, r"b/7\.jpg: Box\(.*is not inside 20 x 10"),
        ({"bbox": [-1, 2, 3, 4]}, "not a box"),
        ({"bbox": [1, 2, 3]}, r"\$\.annotations\[0\]\.bbox"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(change, message):
    wrong = {**FOREIGN, "annotations": [{**FOREIGN["annotations"][0], **change}]}
    with pytest.raises(FormatError, match=r"^instances_train\.json: .*" + message):
        _read(wrong)


def test_a_label_that_the_dataset_does_not_have_is_an_error():
    with pytest.raises(FormatError, match=r"\('cat'\), which is not one of the dataset's labels \['dog'\]"):
        _read(FOREIGN, labels=("dog",))


def test_a_file_that_is_no_json_is_named():
    with pytest.raises(FormatError, match=r"instances_train\.json: JSON is malformed"):
        list(coco.read(opener({"instances_train.json": b"{]"}), "train", ("cat",)))
