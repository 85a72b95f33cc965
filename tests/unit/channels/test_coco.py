"""Format coco, read by pycocotools and by ourselves."""

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from truthmill.box_check import DrawnBox
from truthmill.channels import CHANNELS, coco, json_document
from truthmill.channels.reading import DrawnPicture
from truthmill.errors import FormatError
from unit.channels.labeled_datasets import BUFFALO, LABELS, PETS, REX, Sources, dataset_of, written


def _in_pycocotools(tmp_path, dataset, split):
    (tmp_path / "instances.json").write_bytes(written(CHANNELS["coco"], dataset)[f"instances_{split}.json"])
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(tmp_path / "instances.json"))


def test_the_document_is_this_text():
    files = written(CHANNELS["coco"], dataset_of(BUFFALO))
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
    files = written(CHANNELS["coco"], dataset_of(REX, BUFFALO))
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


def _read(document, labels=None, names="instances_train.json"):
    reading = coco.read(Sources({names: json.dumps(document).encode()}), labels)
    return reading.labels, list(reading.pictures), reading.notes


FOREIGN = {
    "info": {"year": 2026, "description": '},{ "images": ['},
    "annotations": [
        {
            "id": 5,
            "image_id": 700,
            "category_id": 18,
            "bbox": [1.4, 2.6, 3.0, 4.2],
            "segmentation": {"counts": "}],{", "size": [{"a": 1}, {"b": [1]}]},
        },
        {"id": 0, "image_id": 700, "category_id": 17, "bbox": [0, 0, 20, 10], "iscrowd": 1},
    ],
    "images": [
        {"id": 700, "file_name": "b/7.jpg", "width": 20, "height": 10, "license": 3},
        {"id": 3, "file_name": "b/3.jpg", "width": 20, "height": 10},
    ],
    "categories": [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 17, "name": "cat"}],
}


def test_a_file_of_another_tool_is_read_whatever_its_order_and_its_numbers():
    """Categories in the order of their ids; a picture without boxes is a negative; crowds are told."""
    labels, pictures, notes = _read(FOREIGN)
    assert labels == ("cat", "dog")
    said = {"split": "train", "width": 20, "height": 10, "told_in": "instances_train.json"}
    assert pictures == [
        DrawnPicture(path="b/7.jpg", boxes=(DrawnBox(1, 1.4, 2.6, 3.0, 4.2),), **said),
        DrawnPicture(path="b/3.jpg", **said),
    ]
    assert notes == [
        "instances_train.json: 1 crowd regions left out; none is a box of one object.",
    ]


@pytest.mark.parametrize("name", ["image_size", "source-ref"])
def test_a_class_may_have_the_name_of_another_formats_key(name):
    labels, _, _ = _read({**FOREIGN, "categories": [{"id": 18, "name": "dog"}, {"id": 17, "name": name}]})
    assert labels == (name, "dog")


def test_gaps_in_the_numbers_of_categories_are_told():
    document = {
        **FOREIGN,
        "categories": [{"id": 1, "name": "a"}, {"id": 17, "name": "b"}, {"id": 18, "name": "c"}],
    }
    assert _read(document)[2][0] == (
        "instances_train.json: class numbers have gaps. As indices of the class list, 1 is now 0, "
        "17 is now 1, 18 is now 2."
    )


def test_a_list_that_is_given_decides_the_numbers():
    labels, pictures, _ = _read(FOREIGN, labels=("dog", "cat", "cow"))
    assert labels == ("dog", "cat", "cow")
    assert pictures[0].boxes[0].class_id == 0


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("instances_val2017.json", "validation"),
        ("annotations/instances_test.json", "test"),
        ("valid/_annotations.coco.json", "validation"),
        ("training/labels.json", "train"),
        ("contrail/evaluate.json", "train"),
    ],
)
def test_the_name_of_the_file_or_its_folder_tells_the_split(name, split):
    assert _read(FOREIGN, names=name)[1][0].split == split


@pytest.mark.parametrize("held", [1, 40, 1 << 20])
def test_a_document_is_read_in_pieces_of_any_size(held, monkeypatch):
    monkeypatch.setattr(json_document, "HELD", held)
    test_a_file_of_another_tool_is_read_whatever_its_order_and_its_numbers()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"category_id": 99},
            "an annotation of image 700 has category 99, which is not among the categories",
        ),
        ({"image_id": 701}, "annotations of image 701, which is not among the images"),
        ({"bbox": [1, 2, 3]}, r"the bbox \[1, 2, 3\] of image 700 hasn't four numbers"),
        ({"bbox": "1, 2"}, r"\$\[0\]\.bbox"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(change, message):
    wrong = {**FOREIGN, "annotations": [{**FOREIGN["annotations"][0], **change}]}
    with pytest.raises(FormatError, match=r"^instances_train\.json: .*" + message):
        _read(wrong)


def test_a_label_that_is_not_wanted_is_an_error():
    with pytest.raises(FormatError, match=r"class 'cat' is not one of the labels \['dog'\]"):
        _read(FOREIGN, labels=("dog",))


def test_two_documents_that_number_a_class_differently_are_an_error():
    files = {
        "train.json": json.dumps(FOREIGN).encode(),
        "val.json": json.dumps({**FOREIGN, "categories": [{"id": 17, "name": "cow"}]}).encode(),
    }
    with pytest.raises(FormatError, match=r"val\.json: category 17 is 'cow' here and 'cat' in train\.json"):
        coco.read(Sources(files), None)


@pytest.mark.parametrize("text", [b'{"images": [', b'{"images": [{"id": 1}, {]', b'{"images": [{"id": 1'])
def test_a_file_that_is_cut_off_or_no_json_is_named(text):
    with pytest.raises(FormatError, match=r"instances_train\.json: "):
        coco.read(Sources({"instances_train.json": text}), ("cat",))


def test_lists_that_nobody_wants_are_passed_over_without_being_held(monkeypatch):
    """A reader that holds them takes minutes for the categories at the end of a large document."""
    item = b'{"id":1,"segmentation":[[1,2],[3]]}'
    asked = []

    def chunks():
        yield b'{"licenses":[1,2],"none":[],"images":['
        for number in range(3_000):
            asked.append(number)
            yield item + b"," + item + b","
        yield item + b'],"categories":[{"id":1,"name":"cat"}]}'

    monkeypatch.setattr(json_document, "_SKIPPED", 1_000)  # bytes of a value that may be held
    found = list(json_document.read_lists(chunks(), {"categories": dict}))
    assert found == [("categories", [{"id": 1, "name": "cat"}])]
    assert len(asked) == 3_000


def test_a_document_is_read_no_further_than_its_categories_to_find_them(monkeypatch):
    """They often come first, and a document of a million boxes is read once more for these."""
    monkeypatch.setattr(json_document, "HELD", 32)
    chunks = iter([b'{"categories": [{"id": 1, "name": "cat"}], ', b'"images": [] , ', b'"annotations": []}'])
    found = list(json_document.read_lists(chunks, {"categories": dict}, to_end=False))
    assert found == [("categories", [{"id": 1, "name": "cat"}])]
    assert list(chunks) == [b'"annotations": []}']


IDS = st.lists(st.integers(0, 9) | st.integers(0, 2**62), min_size=1, max_size=4, unique=True)
SIDE = st.integers(-3, 9) | st.integers(60_000, 70_000) | st.integers(2**31, 2**40) | st.floats(-9, 9)


@given(IDS, st.data())
def test_each_image_has_its_boxes_in_their_order_whatever_the_numbers(ids, data):
    """Columns are as narrow as their numbers let them be, and sorted only where they aren't."""
    drawn = st.tuples(st.sampled_from(ids), st.tuples(SIDE, SIDE, SIDE, SIDE))
    found = data.draw(st.lists(drawn, max_size=6))
    document = {
        "images": [{"id": id_, "file_name": f"{id_}.jpg", "width": 9, "height": 9} for id_ in ids],
        "categories": [{"id": 5, "name": "cat"}],
        "annotations": [{"image_id": id_, "category_id": 5, "bbox": sides} for id_, sides in found],
    }
    reading = coco.read(Sources({"train.json": json.dumps(document).encode()}), None)
    read = [[(box.left, box.top, box.width, box.height) for box in one.boxes] for one in reading.pictures]
    assert read == [[sides for image, sides in found if image == id_] for id_ in ids]


def test_a_box_of_a_small_number_finds_its_image_among_seventy_thousand():
    """Its image's place may need more bytes than its number."""
    ids = range(70_000, 0, -1)
    document = {
        "images": [{"id": id_, "file_name": f"{id_}.jpg", "width": 9, "height": 9} for id_ in ids],
        "categories": [{"id": 5, "name": "cat"}],
        "annotations": [{"image_id": 1, "category_id": 5, "bbox": [0, 0, 1, 1]}],
    }
    reading = coco.read(Sources({"train.json": json.dumps(document).encode()}), None)
    assert [one.path for one in reading.pictures if one.boxes] == ["1.jpg"]
