"""`truthmill convert`: files of one format become files of another, without AWS."""

import json
import os
import zipfile
from pathlib import Path

import pytest

from picture_bytes import corners, saved
from truthmill.channels import CHANNELS
from truthmill.errors import FormatError, SourceError
from truthmill_cli.convert import Options, convert, sentences
from truthmill_cli.errors import UsageError

SIZES = {"a.jpg": (64, 48), "A.png": (33, 77), "neg.jpg": (50, 50)}
BOXES = {"a": [(1, 63, 47, 1, 1), (0, 0, 0, 64, 48)], "A-2": [(0, 30, 70, 3, 7)], "neg": []}


def jpeg(width, height):
    return saved(corners(width, height), "JPEG")


def coco(split, root):
    """Two pictures whose stems differ in case only, a negative, a box that sticks out, one outside."""
    annotations = [
        {"id": 1, "image_id": 1, "category_id": 2, "bbox": [63, 47, 1, 1]},
        {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 64, 48]},
        {"id": 3, "image_id": 2, "category_id": 1, "bbox": [30, 70, 10, 10]},
        {"id": 4, "image_id": 2, "category_id": 1, "bbox": [40, 70, 10, 10]},
    ]
    images = [
        {"id": number, "file_name": name, "width": width, "height": height}
        for number, (name, (width, height)) in enumerate(SIZES.items(), start=1)
    ]
    categories = [{"id": 1, "name": "cat"}, {"id": 2, "name": 'the "big", <dog>: =1'}]
    (root / f"instances_{split}.json").write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    folder = root / "images" / split
    folder.mkdir(parents=True)
    for name, (width, height) in SIZES.items():
        (folder / name).write_bytes(jpeg(width, height))


@pytest.fixture
def source(tmp_path):
    root = tmp_path / "source"
    root.mkdir()
    coco("train", root)
    coco("val", root)
    return root


@pytest.mark.parametrize("name", CHANNELS)
def test_coco_becomes_any_format_and_that_yolo_again(name, source, tmp_path):
    report = convert(source, tmp_path / "made", name, Options())
    counts = {key: report[key] for key in ("pictures", "boxes", "negatives", "boxesCut", "boxesDropped")}
    assert counts == {"pictures": 6, "boxes": 6, "negatives": 2, "boxesCut": 2, "boxesDropped": 2}
    convert(tmp_path / "made", tmp_path / "yolo", "yolo", Options())
    read = {
        path.relative_to(tmp_path / "yolo/labels").as_posix(): path.read_text()
        for path in (tmp_path / "yolo/labels").rglob("*.txt")
    }
    if name == "pascal-voc":  # all splits lie in one folder, so the second split's names are taken
        assert len(read) == 6
        return
    for split in ("train", "validation"):
        assert read[f"{split}/neg.txt"] == ""
        assert read[f"{split}/A-2.txt"] == "0 0.954545455 0.954545455 0.090909091 0.090909091\n"
        assert read[f"{split}/a.txt"] == (
            "1 0.992187500 0.989583333 0.015625000 0.020833333\n"
            "0 0.500000000 0.500000000 1.000000000 1.000000000\n"
        )


def test_what_was_cut_or_dropped_is_listed_with_its_reason(source, tmp_path):
    report = convert(source, tmp_path / "made", "yolo", Options())
    lines = [json.loads(line) for line in (tmp_path / "made/findings.jsonl").read_text().splitlines()]
    assert [(line["path"], line["reason"], line["box"], line.get("kept", False)) for line in lines[:2]] == [
        ("images/train/A.png", "cut", [30, 70, 10, 10], True),
        ("images/train/A.png", "outside", [40, 70, 10, 10], False),
    ]
    assert "2 boxes were dropped" in "\n".join(sentences(report))


def test_a_zip_is_read_as_a_folder_is(source, tmp_path):
    with zipfile.ZipFile(tmp_path / "source.zip", "w") as archive:
        for path in source.rglob("*"):
            archive.write(path, path.relative_to(source).as_posix())
    convert(tmp_path / "source.zip", tmp_path / "one", "yolo", Options())
    convert(source, tmp_path / "other", "yolo", Options())

    def files(root):
        return {
            path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
        }

    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_pictures_without_an_answer_are_left_out_and_told_or_taken_for_negatives(source, tmp_path):
    convert(source, tmp_path / "yolo", "yolo", Options())
    (tmp_path / "yolo/labels/train/a.txt").unlink()
    report = convert(tmp_path / "yolo", tmp_path / "out", "coco", Options())
    assert (report["notLabeled"], report["pictures"], report["negatives"]) == (1, 5, 2)
    report = convert(tmp_path / "yolo", tmp_path / "asked", "coco", Options(unlabeled="negative"))
    assert (report["notLabeled"], report["pictures"], report["negatives"]) == (0, 6, 3)


def test_a_manifest_says_where_the_pictures_lie_in_s3(source, tmp_path):
    convert(source, tmp_path / "made", "augmented-manifest", Options(at="s3://bucket/pets"))
    lines = (tmp_path / "made/train.manifest").read_text().splitlines()
    assert json.loads(lines[0])["source-ref"] == "s3://bucket/pets/images/train/a.jpg"


def test_a_size_that_is_not_the_pictures_own_is_found(source, tmp_path):
    (source / "images/train/a.jpg").write_bytes(jpeg(48, 64))
    with pytest.raises(FormatError, match=r"images/train/a\.jpg: .*64 x 48 pixels, the picture has 48 x 64"):
        convert(source, tmp_path / "made", "yolo", Options(verify=True))
    assert not (tmp_path / "made").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_what_cannot_be_done_is_said(source, tmp_path):
    with pytest.raises(UsageError, match="is there already"):
        convert(source, source, "yolo", Options())
    with pytest.raises(UsageError, match="'yolov9' is no format"):
        convert(source, tmp_path / "made", "yolov9", Options())
    with pytest.raises(SourceError, match="nowhere isn't there"):
        convert(tmp_path / "nowhere", tmp_path / "made", "yolo", Options())
    with pytest.raises(FormatError, match="is none of"):
        convert(source / "images", tmp_path / "made", "yolo", Options())
    (source / "images/train/a.jpg").unlink()
    with pytest.raises(FormatError, match=r"a\.jpg: the picture isn't in the source, and the format has"):
        convert(source, tmp_path / "made", "parquet", Options())


MANY = 3_000  # whose files are more than a batch, so that a process of its own makes them


@pytest.fixture
def many(tmp_path):
    """A box in each picture but every seventh."""
    images = [
        {"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 480}
        for number in range(1, MANY + 1)
    ]
    annotations = [
        {"id": number, "image_id": number, "category_id": 1, "bbox": [number % 600, number % 400, 7, 9]}
        for number in range(1, MANY + 1)
        if number % 7
    ]
    document = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "many.json").write_text(json.dumps(document))
    return tmp_path / "many.json"


def test_the_files_of_many_pictures_are_those_of_the_writer_byte_for_byte(many, tmp_path):
    convert(many, tmp_path / "made", "yolo", Options())
    made = {path.name: path.read_text() for path in (tmp_path / "made/labels/train").iterdir()}
    expected = {
        f"{number}.txt": f"0 {(number % 600 + 3.5) / 640:.9f} {(number % 400 + 4.5) / 480:.9f} "
        "0.010937500 0.018750000\n" * bool(number % 7)
        for number in range(1, MANY + 1)
    }
    assert made == expected
    convert(many, tmp_path / "xml", "pascal-voc", Options())
    back = convert(tmp_path / "xml", tmp_path / "back", "coco", Options())
    assert (back["pictures"], back["boxes"], back["negatives"]) == (3_000, 2_572, 428)


def test_a_conversion_that_fails_late_leaves_neither_files_nor_a_process(many, tmp_path):
    convert(many, tmp_path / "xml", "pascal-voc", Options())
    last = tmp_path / "xml/Annotations/999.xml"
    last.write_text(last.read_text().replace(">cat<", ">cow<"))
    before = own_processes()
    with pytest.raises(FormatError, match=r"999\.xml: class 'cow'"):
        convert(tmp_path / "xml", tmp_path / "yolo", "yolo", Options())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.json", "xml"]
    assert own_processes() == before


def own_processes():
    """Processes that this one has started and that haven't ended."""
    listed = Path("/proc/self/task", str(os.getpid()), "children")
    return listed.read_text().split() if listed.exists() else []  # Linux alone has it
