"""`truthmill convert` from what other tools write; each layout as the tool named in the test leaves it."""

import json

import pytest

from adapters.channel_folder import open_source
from foreign_sources import HALF, coco, gt, manifest, picture, read, splits, text, voc, yolo
from truthmill.channels import detect
from truthmill.errors import FormatError
from truthmill_cli.convert import Options, convert


def test_yolo_as_roboflow_exports_it(tmp_path):
    """Paths one level off, CRLF, a nested mapping that nobody asked for."""
    yaml = (
        "train: ../train/images\r\nval: ../valid/images\r\ntest: ../test/images\r\n\r\nnc: 2\r\n"
        "names: ['no', 'yes']\r\n\r\nroboflow:\r\n  workspace: w\r\n  version: 1\r\n  license: CC BY 4.0\r\n"
    )
    yolo(tmp_path, yaml, "train/images/a.jpg", "valid/images/b.jpg", "test/images/c.jpg")
    text(tmp_path / "train/labels/a.txt", b"\xef\xbb\xbf0 0.5 0.5 0.5 0.5\r\n\r\n1 0.5 0.5 1 1 0.93\r\n")
    labels, pictures, _ = read(tmp_path)
    assert labels == ("no", "yes")
    assert pictures == {
        "train/images/a.jpg": ("train", [(0, 10, 5, 20, 10), (1, 0, 0, 40, 20)]),
        "valid/images/b.jpg": ("validation", [(0, 10, 5, 20, 10)]),
        "test/images/c.jpg": ("test", [(0, 10, 5, 20, 10)]),
    }


ULTRALYTICS = """\
# Ultralytics YAML
path: ../datasets/things # dataset root dir
train: images/first # train images
val: # val images
  - images/second
test: # optional

names:
  0: cat
  1: "do: g" # a comment
  2: 'it''s'

kinds: [{a: 1}]
download: |
  from pathlib import Path
  names: ["never", "read"]

  dir = Path(yaml["path"])
"""


def test_the_folders_that_data_yaml_names_are_the_splits_whatever_they_are_called(tmp_path):
    """Also where it has a program in it, as those that Ultralytics ships."""
    yolo(tmp_path, ULTRALYTICS, "images/first/test_drive.jpg", "images/second/train-1.jpg", "images/x.jpg")
    labels, _, _ = read(tmp_path)
    assert labels == ("cat", "do: g", "it's")
    assert splits(tmp_path) == {
        "images/first/test_drive.jpg": "train",
        "images/second/train-1.jpg": "validation",
        "images/x.jpg": "train",
    }


def test_the_lists_that_data_yaml_names_are_the_splits(tmp_path):
    yaml = "path: /data/things\ntrain: lists/train.txt\nval: lists/val.txt\nnames: [cat]\n"
    yolo(tmp_path, yaml, "images/a.jpg", "images/b.jpg", "images/c.jpg")
    text(tmp_path / "lists/train.txt", "./images/a.jpg\n")
    text(tmp_path / "lists/val.txt", "/data/things/images/b.jpg\r\n../images/c.jpg\r\n")
    assert splits(tmp_path) == {
        "images/a.jpg": "train",
        "images/b.jpg": "validation",
        "images/c.jpg": "validation",
    }


def test_one_folder_for_two_splits_leaves_the_folders_names_to_decide(tmp_path):
    yaml = "train: images/validation\nval: images/validation\nnames: [cat]\n"
    yolo(tmp_path, yaml, "images/validation/a.jpg")
    assert splits(tmp_path) == {"images/validation/a.jpg": "validation"}


def test_a_pictures_own_name_tells_of_no_split(tmp_path):
    yolo(tmp_path, "names: [cat]\n", "train/images/test.jpg", "val/images/train.jpg", "images/val.jpg")
    assert splits(tmp_path) == {
        "images/val.jpg": "train",
        "train/images/test.jpg": "train",
        "val/images/train.jpg": "validation",
    }


def test_a_pose_is_its_box(tmp_path):
    """Two numbers a point: with the box as many as a polygon may have."""
    yolo(tmp_path, "kpt_shape: [2, 2]\nnames: [cat]\n", "images/a.jpg")
    text(tmp_path / "labels/a.txt", f"{HALF} 0.1 0.1 0.9 0.9")
    assert read(tmp_path)[1]["images/a.jpg"][1] == [(0, 10, 5, 20, 10)]


def test_an_empty_line_in_a_list_of_names_moves_no_number(tmp_path):
    picture(tmp_path / "a.jpg")
    text(tmp_path / "a.txt", HALF.replace("0", "2", 1))
    text(tmp_path / "classes.txt", "cat\n\ndog\n")
    labels, pictures, notes = read(tmp_path)
    assert labels == ("cat", "dog")
    assert pictures["a.jpg"][1] == [(1, 10, 5, 20, 10)]
    assert "2 is now 1" in notes[0]


@pytest.mark.parametrize("number", ["nan", "inf", "-1e400"])
def test_what_is_no_number_is_dropped_and_told(number, tmp_path):
    yolo(tmp_path / "source", "names: [cat]\n", "images/a.jpg")
    text(tmp_path / "source/labels/a.txt", f"{HALF}\n0 {number} 0.5 0.5 0.5\n")
    report = convert(tmp_path / "source", tmp_path / "made", "coco", Options())
    assert (report["boxes"], report["boxesDropped"]) == (1, 1)
    assert json.loads((tmp_path / "made/findings.jsonl").read_text())["reason"] == "not-a-number"


def test_yaml_that_is_not_read_is_named(tmp_path):
    yolo(tmp_path, "names: &anchor [cat]\n", "images/a.jpg")
    with pytest.raises(FormatError, match=r"data\.yaml: line 1: this kind of YAML isn't read here"):
        read(tmp_path)


def test_voc_of_labelimg_beside_its_pictures(tmp_path):
    """A name without its ending, another ending, no name, no size: the picture of the XML file's own name."""
    for name in ("a", "b", "c"):
        picture(tmp_path / f"{name}.jpeg")
    voc(tmp_path / "a.xml", ("cat", 1, 1, 40, 20), filename="a")
    voc(tmp_path / "b.xml", filename="b.png", size=None)
    voc(tmp_path / "c.xml", ("cat", 40, 20, 40, 20), size=(0, 0))
    assert read(tmp_path, ("cat",))[1] == {
        "a.jpeg": ("train", [(0, 0, 0, 40, 20)]),
        "b.jpeg": ("train", []),
        "c.jpeg": ("train", [(0, 39, 19, 1, 1)]),
    }


def test_voc_of_tools_that_count_from_0_is_read_so_when_asked(tmp_path):
    """CVAT writes floats. Unasked, a box at the very edge tells that something is off."""
    source = tmp_path / "source"
    picture(source / "images/a.jpg")
    voc(source / "Annotations/a.xml", ("cat", "0.0", "0.0", "40.0", "20.0"), filename="a.jpg")
    text(source / "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:1,2,3::\n")
    report = convert(source, tmp_path / "asked", "coco", Options(pixels_from=0))
    assert report["boxesCut"] == 0
    assert "pixel" not in "".join(report["notes"])
    document = json.loads((tmp_path / "asked/instances_train.json").read_text())
    assert [each["bbox"] for each in document["annotations"]] == [[0, 0, 40, 20]]
    notes = read(source)[2]
    assert len(notes) == 1
    assert notes[0].startswith("1 boxes begin before pixel 1")
    assert notes[0].endswith("Read them with --pixels-from 0.")


def test_what_pixels_count_from_is_open_in_pascal_voc_only(tmp_path):
    yolo(tmp_path, "names: [cat]\n", "images/a.jpg")
    with pytest.raises(FormatError, match="open in pascal-voc only; the source is yolo"):
        convert(tmp_path, tmp_path / "made", "coco", Options(pixels_from=0))


def test_voc_lists_tell_the_split_of_names_that_end_like_a_flag_or_are_quoted(tmp_path):
    for name in ("cat 1", "cat 0", "dog", "test"):
        picture(tmp_path / f"JPEGImages/{name}.jpg")
        voc(tmp_path / f"Annotations/{name}.xml", filename=f"{name}.jpg")
    text(tmp_path / "ImageSets/Main/val.txt", 'cat 1\n"cat 0"\n')
    text(tmp_path / "ImageSets/Main/test.txt", "dog -1\n")
    text(tmp_path / "labels.txt", "cat\n")
    assert splits(tmp_path) == {
        "JPEGImages/cat 1.jpg": "validation",
        "JPEGImages/cat 0.jpg": "validation",
        "JPEGImages/dog.jpg": "test",
        "JPEGImages/test.jpg": "train",
    }


def test_coco_whose_ids_and_sizes_are_texts(tmp_path):
    """Also an id that is a text in one list and a number in the other, and numbers that no column holds."""
    images = [
        {"id": "1", "file_name": "a.jpg", "width": "40", "height": 20.0},
        {"id": "x-7", "file_name": "b.jpg", "width": 40, "height": None},
        {"id": 2**70, "file_name": "c.jpg", "width": 40, "height": 20},
    ]
    annotations = [
        {"image_id": 1, "category_id": "1", "bbox": ["1.5", 2, 3, 4], "iscrowd": False},
        {"image_id": "x-7", "category_id": 0, "bbox": [0, 0, 1, 1], "iscrowd": None},
        {"image_id": 2**70, "category_id": "0", "bbox": [0, 0, 2, 2]},
    ]
    coco(tmp_path / "labels.json", annotations, images, [{"id": "0", "name": "cat"}, {"id": 1, "name": 7}])
    picture(tmp_path / "b.jpg", 40, 20)
    labels, pictures, notes = read(tmp_path)
    assert (labels, notes) == (("cat", "7"), [])
    assert pictures == {
        "a.jpg": ("train", [(1, 1.5, 2, 3, 4)]),
        "b.jpg": ("train", [(0, 0, 0, 1, 1)]),
        "c.jpg": ("train", [(0, 0, 0, 2, 2)]),
    }


def test_coco_categories_whose_ids_are_words_keep_their_order(tmp_path):
    categories = [{"id": "zz", "name": "zebra"}, {"id": "aa", "name": "ape"}]
    coco(
        tmp_path / "labels.json",
        [{"image_id": 1, "category_id": "aa", "bbox": [0, 0, 1, 1]}],
        None,
        categories,
    )
    labels, pictures, notes = read(tmp_path)
    assert (labels, pictures["a.jpg"][1], notes) == (("zebra", "ape"), [(1, 0, 0, 1, 1)], [])


def test_coco_outlines_without_a_bbox_become_the_boxes_around_them(tmp_path):
    """Two parts of one thing; beside it a region of a crowd, in run lengths."""
    outline = [[5, 6, 9, 6, 9, 12], [1, 8, 3, 8, 3, 9]]
    rle = {"counts": [3, 4, 5], "size": [20, 40]}
    annotations = [
        {"image_id": 1, "category_id": 0, "segmentation": outline},
        {"image_id": 1, "category_id": 0, "bbox": [], "segmentation": rle, "iscrowd": 1},
    ]
    coco(tmp_path / "labels.json", annotations)
    assert read(tmp_path)[1] == {"a.jpg": ("train", [(0, 1, 6, 8, 6)])}
    coco(tmp_path / "labels.json", [{"image_id": 1, "category_id": 0, "segmentation": rle}])
    assert read(tmp_path)[1] == {"a.jpg": ("train", [(0, 0, 3, 1, 4)])}
    short = {"image_id": 1, "category_id": 0, "segmentation": {"counts": "1X", "size": [20, 40]}}
    coco(tmp_path / "labels.json", [short])
    with pytest.raises(FormatError, match=r"labels\.json: .* image 1 has no bbox, and its run lengths can't"):
        read(tmp_path)
    coco(tmp_path / "labels.json", [{"image_id": 1, "category_id": 0, "segmentation": []}])
    with pytest.raises(FormatError, match=r"labels\.json: an annotation of image 1 has neither a bbox nor"):
        read(tmp_path)


def test_coco_of_pictures_to_be_labeled_has_no_negatives(tmp_path):
    """As image_info_test2017.json: no list of annotations at all."""
    coco(tmp_path / "image_info_test.json", None)
    assert read(tmp_path)[1] == {"a.jpg": ("test", "Its document has no annotations.")}
    coco(tmp_path / "image_info_test.json", [])
    assert read(tmp_path)[1] == {"a.jpg": ("test", [])}


def test_a_picture_of_a_crowd_is_no_negative(tmp_path):
    coco(tmp_path / "labels.json", [{"image_id": 1, "category_id": 0, "bbox": [0, 0, 9, 9], "iscrowd": 1}])
    assert read(tmp_path)[1] == {"a.jpg": ("train", "It has crowd regions only.")}


def test_a_list_of_categories_alone_is_no_coco(tmp_path):
    """notes.json, which Label Studio puts beside YOLO's files."""
    yolo(tmp_path, "names: [cat]\n", "images/a.jpg")
    text(tmp_path / "notes.json", '{"categories": [{"id": 0, "name": "cat"}], "info": {"year": 2026}}')
    assert detect(open_source(tmp_path)) == "yolo"


def test_a_jobs_folder_is_read_by_its_output_alone(tmp_path):
    """As `aws s3 sync` brings it: with the manifests of each batch, and what workers answered."""
    manifest(
        tmp_path / "job/manifests/output/output.manifest", gt(0, "a.jpg", {"0": "cat"}), gt(1, "b.jpg", {})
    )
    manifest(tmp_path / "job/manifests/intermediate/1/annotations.manifest", gt(0, "a.jpg", {"0": "cat"}))
    answer = {"answers": [{"workerId": "w", "answerContent": {"boundingBox": {"boundingBoxes": []}}}]}
    text(tmp_path / "job/annotations/worker-response/iteration-1/0/x.json", json.dumps(answer))
    text(tmp_path / "job/annotation-tool/data.json", '{"document-version":"2018-11-28","labels":[]}')
    assert read(tmp_path)[1] == {
        "pictures/a.jpg": ("train", [(0, 0, 2, 3, 4)]),
        "pictures/b.jpg": ("train", []),
    }


def test_classes_of_other_kinds_of_labels_are_none_of_ours(tmp_path):
    """A line may carry labels of the whole picture and its segments too, each with its own classes."""
    more = {
        "kind": [1],
        "kind-metadata": {
            "job-name": "labeling-job/kind",
            "class-map": {"0": "indoors", "1": "outdoors"},
            "human-annotated": "yes",
            "creation-date": "2026-03-01T00:00:00",
            "confidence-map": {"1": 0.8},
            "type": "groundtruth/image-classification-multilabel",
        },
        "mask-ref": "s3://bucket/m.png",
        "mask-ref-metadata": {
            "internal-color-map": {"0": {"class-name": "BACKGROUND", "hex-color": "#ffffff"}},
            "type": "groundtruth/semantic-segmentation",
            "creation-date": "2026-03-01T00:00:00",
        },
        "checked": 1,
        "checked-metadata": {"class-name": "right", "type": "groundtruth/label-verification"},
        "cloud-metadata": {"objects": {"frames": 3}, "type": "groundtruth/point-cloud-object-detection"},
    }
    manifest(tmp_path / "output.manifest", gt(0, "a.jpg", {"0": "cat"}, **more))
    labels, pictures, _ = read(tmp_path)
    assert (labels, pictures) == (("cat",), {"pictures/a.jpg": ("train", [(0, 0, 2, 3, 4)])})


def test_manifests_of_jobs_that_number_their_classes_otherwise_become_one_dataset(tmp_path):
    """Chained jobs too, a failed line, and both spellings of the type."""
    chained = gt(1, "b.jpg", {"0": "cat"}) | gt(0, "b.jpg", {"1": "dog"}, "adjusted", "2026-02-01T00:00:00")
    failed = gt(0, "c.jpg", {})
    failed["job-metadata"]["failure-reason"] = "ClientError: The image is broken."
    manifest(tmp_path / "one.manifest", gt(0, "a.jpg", {"0": "cat", "1": "dog"}), chained, failed)
    manifest(tmp_path / "two.manifest", gt(1, "d.jpg", {"0": "dog"}, "other-job"))
    assert read(tmp_path, ("cat", "dog"))[1] == {
        "pictures/a.jpg": ("train", [(0, 0, 2, 3, 4), (1, 1, 2, 3, 4)]),
        "pictures/b.jpg": ("train", [(1, 1, 2, 3, 4)]),
        "pictures/c.jpg": ("train", "ClientError: The image is broken."),
        "pictures/d.jpg": ("train", [(1, 0, 2, 3, 4)]),
    }


def test_voc_lists_tell_the_split_where_trainval_is_there_too(tmp_path):
    """As in the development kit: trainval names the pictures of both."""
    for name in ("a", "b", "c"):
        picture(tmp_path / f"JPEGImages/{name}.jpg")
        voc(tmp_path / f"Annotations/{name}.xml", filename=f"{name}.jpg")
    for name, content in (("trainval", "a\nb\nc\n"), ("train", "a\n"), ("val", "b\n")):
        text(tmp_path / f"ImageSets/Main/{name}.txt", content)
    text(tmp_path / "ImageSets/Main/cat_train.txt", "a  1\nb -1\n")
    text(tmp_path / "labels.txt", "cat\n")
    assert splits(tmp_path) == {
        "JPEGImages/a.jpg": "train",
        "JPEGImages/b.jpg": "validation",
        "JPEGImages/c.jpg": "train",
    }


@pytest.mark.parametrize("base", [0, 4])
def test_voc_pictures_of_one_name_in_two_folders_stay_apart(base, tmp_path):
    """As CVAT lays out tasks with folders. What is enough may be the last part alone."""
    for name in ("one/0001", "two/0001", "two/0002"):
        picture(tmp_path / f"JPEGImages/{name}.jpg", 40, 20 + int(name[-1]))
        voc(tmp_path / f"Annotations/{name}.xml", filename=f"{name[base:]}.jpg", size=None)
    text(tmp_path / "ImageSets/Main/train.txt", "one/0001\n")
    text(tmp_path / "ImageSets/Main/val.txt", "two/0001\n0002\n")
    text(tmp_path / "labels.txt", "cat\n")
    assert splits(tmp_path) == {
        "JPEGImages/one/0001.jpg": "train",
        "JPEGImages/two/0001.jpg": "validation",
        "JPEGImages/two/0002.jpg": "validation",
    }


def test_imagefolder_as_people_write_it(tmp_path):
    """Other keys, a list of structs, names of classes, a picture that nobody labeled."""
    box = [1, 2, 3, 4]
    lines = [
        {"file_name": "a.jpg", "objects": {"bbox": [box], "category": [1]}},
        {"file_name": "b.jpg", "objects": [{"bbox": box, "label": "cat"}]},
        {"file_name": "c.jpg", "objects": {"bbox": [], "categories": []}},
        {"file_name": "d.jpg", "objects": None},
        {"file_name": "e.jpg"},
    ]
    for line in lines:
        picture(tmp_path / "validation" / line["file_name"])
    manifest(tmp_path / "validation/metadata.jsonl", *lines)
    assert read(tmp_path, ("cat", "dog"))[1] == {
        "validation/a.jpg": ("validation", [(1, 1, 2, 3, 4)]),
        "validation/b.jpg": ("validation", [(0, 1, 2, 3, 4)]),
        "validation/c.jpg": ("validation", []),
        "validation/d.jpg": ("validation", "Its line has no objects."),
        "validation/e.jpg": ("validation", "Its line has no objects."),
    }


@pytest.mark.parametrize("objects", [7, [7], {"bbox": [[1, 2]]}, [{"bbox": [1, 2, 3, None], "label": "cat"}]])
def test_imagefolder_that_is_none_is_named(objects, tmp_path):
    picture(tmp_path / "train/a.jpg")
    manifest(tmp_path / "train/metadata.jsonl", {"file_name": "a.jpg", "objects": objects})
    with pytest.raises(FormatError, match=r"train/metadata\.jsonl, line 1: "):
        read(tmp_path, ("cat",))
