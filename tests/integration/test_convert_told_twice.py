"""`truthmill convert`: a picture that two records of the labels tell of is one picture."""

import json

import pytest

from foreign_sources import picture, voc
from truthmill import told_twice
from truthmill.channels.reading import DrawnPicture
from truthmill.errors import FormatError
from truthmill_cli.convert import Options, convert

BOX, OTHER = [10, 5, 20, 10], [0, 0, 5, 5]


def document(path, *pictures):
    """pictures: each its file name and a list of boxes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [
        {"id": number, "file_name": name, "width": 40, "height": 20}
        for number, (name, _) in enumerate(pictures, start=1)
    ]
    annotations = [
        {"id": 10 * number + nth, "image_id": number, "category_id": 1, "bbox": bbox}
        for number, (_, boxes) in enumerate(pictures, start=1)
        for nth, bbox in enumerate(boxes)
    ]
    categories = [{"id": 1, "name": "cat"}]
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))


@pytest.fixture
def source(tmp_path):
    for name in ("a", "b"):
        picture(tmp_path / f"source/images/{name}.png")
    return tmp_path / "source"


def test_what_two_documents_say_alike_is_taken_once_and_told(source, tmp_path):
    """In whatever order the boxes are; what is told of them comes once, too."""
    document(source / "labels/one.json", ("a.png", [BOX, OTHER, [30, 5, 20, 10]]), ("b.png", []))
    document(source / "labels/two.json", ("a.png", [[30, 5, 20, 10], OTHER, BOX]))
    report = convert(source, tmp_path / "made", "yolo", Options())
    assert (report["pictures"], report["boxes"], report["boxesCut"], report["renamed"]) == (2, 3, 1, 0)
    (told,) = report["notes"]
    assert told == (
        "1 records of labels say of a picture what another one has said: each picture was taken once, "
        "images/a.png the first of them."
    )
    assert sorted(path.name for path in (tmp_path / "made/labels/train").iterdir()) == ["a.txt", "b.txt"]
    assert len((tmp_path / "made/findings.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("there", "boxes", "said"),
    [
        ("labels/two.json", [OTHER], "labels/two.json has it in train with 1 boxes"),
        ("labels/two.json", [], "labels/two.json has it in train with 0 boxes"),
        ("labels/val.json", [BOX], "labels/val.json has it in validation with 1 boxes"),
    ],
)
def test_where_two_documents_differ_both_are_named(there, boxes, said, source, tmp_path):
    document(source / "labels/one.json", ("b.png", []), ("a.png", [BOX]))
    document(source / there, ("a.png", boxes))
    with pytest.raises(FormatError) as failed:
        convert(source, tmp_path / "made", "coco", Options())
    assert str(failed.value) == (
        "images/a.png: two records of labels tell of it and differ: labels/one.json has it in train with 1 "
        f"boxes, {said}. Leave one."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_one_document_that_names_a_picture_twice_is_no_other_case(source, tmp_path):
    document(source / "one.json", ("a.png", [BOX]), ("a.png", [OTHER]))
    with pytest.raises(FormatError, match=r"images/a\.png: two records .* one\.json has .*, one\.json has"):
        convert(source, tmp_path / "made", "yolo", Options())


def test_without_the_pictures_the_same_name_in_two_documents_is_two_pictures(tmp_path):
    """Each split has a 0001.png of its own; within one document a name is one picture."""
    document(tmp_path / "source/train.json", ("0001.png", [BOX]))
    document(tmp_path / "source/val.json", ("0001.png", [OTHER]))
    report = convert(tmp_path / "source", tmp_path / "made", "yolo", Options())
    assert (report["pictures"], report["boxes"]) == (2, 2)
    document(tmp_path / "source/val.json", ("0001.png", [OTHER]), ("0001.png", [BOX]))
    with pytest.raises(FormatError, match=r"0001\.png: two records of labels"):
        convert(tmp_path / "source", tmp_path / "other", "yolo", Options())


def test_two_xml_files_of_one_picture_are_named(tmp_path):
    picture(tmp_path / "source/JPEGImages/a.jpg")
    for name, xmax in (("a", "9"), ("copy", "8")):
        path = tmp_path / f"source/Annotations/{name}.xml"
        voc(path, ("cat", "1", "1", xmax, "9"), filename="a.jpg")
    (tmp_path / "source/labels.txt").write_text("cat\n")
    with pytest.raises(
        FormatError, match=r"JPEGImages/a\.jpg: .* Annotations/a\.xml .* Annotations/copy\.xml"
    ):
        convert(tmp_path / "source", tmp_path / "made", "yolo", Options())


@pytest.mark.parametrize("few", [0, 1 << 40])
def test_marks_are_told_of_twice_however_many_there_are(few, monkeypatch):
    monkeypatch.setattr(told_twice, "_FEW", few)
    records = told_twice.Records(["a.png"])
    for path in ("a", "b", "a", "c", "b", "a"):
        assert records.is_new(DrawnPicture(path=path, split="train"), (4, 4), ())
    assert records.twice() == {hash("a"), hash("b")}
    assert told_twice.Records([]).twice() == frozenset()
