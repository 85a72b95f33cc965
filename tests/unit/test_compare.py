"""Each way in which a pulled folder can be wrong fails the check that is named for it, and no other."""

import hashlib
import json
import zipfile

import pytest

from truthmill.boxes import Box
from truthmill_cli.compare import compare, match
from truthmill_cli.errors import FailedError, UsageError

CAT, DOG = [10, 20, 100, 50], [200, 100, 40, 80]
# Name within the archive, bytes, split, boxes as (label, COCO box).
PICTURES = {
    "a/x.jpg": (b"first", "train", [("cat", CAT), ("dog", DOG)]),
    "b/x.jpg": (b"second", "train", []),
    "c ü.png": (b"third", "train", [("dog", DOG)]),
    "d.jpg": (b"fourth", "train", [("cat", CAT)]),
    "e.jpg": (b"fifth", "validation", [("cat", CAT)]),
}
FILES = {
    name: f"{hashlib.sha256(data).hexdigest()[:8]}-{name.rpartition('/')[2]}"
    for name, (data, _, _) in PICTURES.items()
}
REJECTED = [
    {"name": "a/", "reason": "ignored"},
    {"name": "note.txt", "reason": "not-a-picture"},
    {"name": "copy.jpg", "reason": "duplicate", "of": f"datasets/p/images/train/{FILES['a/x.jpg']}"},
]
NAMES = {1: "cat", 2: "dog"}


class Folder:
    """A pulled folder, an archive and a truth; tests change one thing before it is compared."""

    def __init__(self, path):
        self.path = path
        self.entries = {name: data for name, (data, _, _) in PICTURES.items()}
        self.entries |= {"a/": b"", "note.txt": b"note", "copy.jpg": b"first"}
        self.truth = self.document([*PICTURES, "copy.jpg"], name=str)
        self.coco = {split: self.document(self.of(split), FILES.get) for split in ("train", "validation")}
        self.manifest = {
            split: [self.line(name) for name in self.of(split)] for split in ("train", "validation")
        }
        self.images = {(split, FILES[name]): data for name, (data, split, _) in PICTURES.items()}
        self.rejected = [dict(line) for line in REJECTED]
        self.run = {
            "request": {"split": {"validation": 0.2}},
            "counts": {
                "inputs": 8,
                "train": 4,
                "validation": 1,
                "duplicates": 1,
                "rejected": 1,
                "ignored": 1,
            },
        }

    def of(self, split):
        return [name for name, (_, side, _) in PICTURES.items() if side == split]

    def document(self, pictures, name):
        annotations = []
        for image, picture in enumerate(pictures, start=1):
            for label, box in PICTURES.get(picture, PICTURES["a/x.jpg"])[2]:
                category = 1 if label == "cat" else 2
                annotations.append({"image_id": image, "category_id": category, "bbox": list(box)})
        return {
            "images": [
                {"id": image, "file_name": name(picture), "width": 640, "height": 480}
                for image, picture in enumerate(pictures, start=1)
            ],
            "categories": [{"id": number, "name": label} for number, label in NAMES.items()],
            "annotations": annotations,
        }

    def line(self, picture):
        boxes = PICTURES[picture][2]
        sides = ("left", "top", "width", "height")
        return {
            "source-ref": f"s3://bucket/datasets/p/images/x/{FILES[picture]}",
            "bounding-box": {
                "image_size": [{"width": 640, "height": 480, "depth": 3}],
                "annotations": [
                    {"class_id": number, **dict(zip(sides, box, strict=True))}
                    for number, (_, box) in enumerate(boxes)
                ],
            },
            "bounding-box-metadata": {
                "class-map": {str(number): label for number, (label, _) in enumerate(boxes)}
            },
        }

    def compared(self):
        self.write()
        return compare(self.path / "out", self.path / "truth.json", self.path / "a.zip")

    def write(self):
        out = self.path / "out"
        for split in ("train", "validation"):
            for folder in (f"images/{split}", "channels/coco", "channels/augmented-manifest"):
                (out / folder).mkdir(parents=True, exist_ok=True)
            (out / f"channels/coco/instances_{split}.json").write_text(json.dumps(self.coco[split]))
            lines = "".join(json.dumps(line) + "\n" for line in self.manifest[split])
            (out / f"channels/augmented-manifest/{split}.manifest").write_text(lines)
        for (split, name), data in self.images.items():
            (out / "images" / split / name).write_bytes(data)
        (out / "rejected.jsonl").write_text("".join(json.dumps(line) + "\n" for line in self.rejected))
        (out / "run.json").write_text(json.dumps(self.run))
        (self.path / "truth.json").write_text(json.dumps(self.truth))
        with zipfile.ZipFile(self.path / "a.zip", "w") as archive:
            for name, data in self.entries.items():
                archive.writestr(name, data)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def _failed(comparison):
    assert comparison.holds == all(check.ok for check in comparison.checks)
    return {check.name for check in comparison.checks if not check.ok}


INPUTS, COUNTS, TRUTH = "inputs accounted for once", "run.json's counts add up", "pictures of the truth"
SIDES, SHARE, LISTED = "pictures in two splits", "validation pictures", "pictures in both channels"
SIZES, BOXES, LEFT_OVER = "upright sizes", "boxes with IoU of 0.9 or more", "boxes left over"
LEAST, AGREE = "lowest IoU", "pictures on which both channels agree"


def test_a_folder_that_is_right_holds(folder):
    comparison = folder.compared()
    assert comparison.holds
    assert [(check.name, check.found, check.wanted) for check in comparison.checks] == [
        (INPUTS, "8", "8"),
        (COUNTS, "8", "8"),
        (TRUTH, "6", "6"),
        (SIDES, "0", "0"),
        (SHARE, "1 of 5", "20%"),
        (LISTED, "5", "5"),
        (SIZES, "5", "5"),
        (BOXES, "5", "5"),
        (LEFT_OVER, "0", "0"),
        (LEAST, "1.000", "0.900 or more"),
        (AGREE, "5", "5"),
    ]


def test_an_input_that_is_nowhere_is_named(folder):
    folder.entries["lost.jpg"] = b"sixth"
    comparison = folder.compared()
    assert _failed(comparison) == {INPUTS, COUNTS}
    assert comparison.checks[0].examples == ("'lost.jpg' is 1 times in the archive, 0 times accounted for",)


def test_an_input_in_two_places_is_named(folder):
    folder.rejected.append({"name": "note.txt", "reason": "not-a-picture"})
    assert INPUTS in _failed(folder.compared())


def test_a_rejection_of_something_that_was_never_there_is_named(folder):
    folder.rejected.append({"name": "ghost.jpg", "reason": "not-a-picture"})
    assert INPUTS in _failed(folder.compared())


def test_a_stored_picture_of_no_input_is_named(folder):
    folder.images["train", "00000000-z.jpg"] = b"from elsewhere"
    comparison = folder.compared()
    assert comparison.checks[0].examples == ("images/train/00000000-z.jpg is none of the archive",)
    assert not comparison.holds


@pytest.mark.parametrize("part", ["inputs", "train", "validation", "duplicates", "rejected", "ignored"])
def test_a_count_that_is_off_fails(folder, part):
    folder.run["counts"][part] += 1
    assert _failed(folder.compared()) == {COUNTS}


def test_counts_that_only_add_up_in_sum_fail(folder):
    folder.run["counts"] |= {"rejected": 0, "ignored": 2}
    comparison = folder.compared()
    assert _failed(comparison) == {COUNTS}
    assert comparison.checks[1].found == comparison.checks[1].wanted == "8"


def test_a_picture_of_the_truth_that_was_rejected_fails(folder):
    """Though it is accounted for."""
    del folder.images["train", FILES["d.jpg"]]
    folder.rejected.append({"name": "d.jpg", "reason": "damaged"})
    folder.coco["train"]["images"].pop()
    folder.coco["train"]["annotations"].pop()
    folder.manifest["train"].pop()
    folder.run["counts"] |= {"train": 3, "rejected": 2}
    assert _failed(folder.compared()) == {TRUTH}


def test_a_duplicate_of_a_picture_that_shows_something_else_fails(folder):
    folder.rejected[2]["of"] = f"datasets/p/images/train/{FILES['d.jpg']}"
    comparison = folder.compared()
    assert _failed(comparison) == {TRUTH}
    assert comparison.checks[2].examples == ("'copy.jpg' is neither kept nor a duplicate",)


def test_a_kept_picture_that_the_truth_does_not_have_fails(folder):
    folder.truth["images"] = [image for image in folder.truth["images"] if image["file_name"] != "b/x.jpg"]
    assert _failed(folder.compared()) == {TRUTH}


def test_a_picture_in_both_splits_is_found_by_its_bytes(folder):
    """Under another name, of another input."""
    folder.images["validation", FILES["e.jpg"]] = b"fourth"
    comparison = folder.compared()
    assert _failed(comparison) == {SIDES}
    assert comparison.checks[3].examples == (hashlib.sha256(b"fourth").hexdigest(),)


def test_a_picture_in_both_splits_is_found_by_its_name(folder):
    folder.images["validation", FILES["d.jpg"]] = b"fourth, written otherwise"
    assert SIDES in _failed(folder.compared())


def test_a_split_that_is_off_by_a_picture_fails(folder):
    folder.run["request"]["split"]["validation"] = 0.4
    assert _failed(folder.compared()) == {SHARE}


@pytest.mark.parametrize("channel", ["coco", "manifest"])
def test_a_negative_missing_from_one_channel_fails(folder, channel):
    if channel == "coco":
        folder.coco["train"]["images"].pop(1)
    else:
        folder.manifest["train"].pop(1)
    assert _failed(folder.compared()) == {LISTED}


def test_a_picture_listed_twice_in_a_channel_fails(folder):
    folder.manifest["train"].append(folder.manifest["train"][0])
    comparison = folder.compared()
    assert _failed(comparison) == {LISTED}
    assert comparison.checks[5].examples == (f"train.manifest lists {FILES['a/x.jpg']} twice",)


def test_boxes_of_an_image_that_is_not_listed_fail(folder):
    folder.coco["train"]["annotations"].append({"image_id": 99, "category_id": 1, "bbox": CAT})
    assert _failed(folder.compared()) == {LISTED}


def test_sides_that_are_exchanged_fail(folder):
    """A rotated photograph that was not put upright."""
    for size in (
        folder.coco["train"]["images"][0],
        folder.manifest["train"][0]["bounding-box"]["image_size"][0],
    ):
        size["width"], size["height"] = 480, 640
    assert _failed(folder.compared()) == {SIZES}


def _both(folder, change):
    """Change the first box of the first picture in both channels."""
    change(folder.coco["train"]["annotations"][0]["bbox"])
    line = folder.manifest["train"][0]["bounding-box"]["annotations"][0]
    sides = [line[side] for side in ("left", "top", "width", "height")]
    change(sides)
    line |= dict(zip(("left", "top", "width", "height"), sides, strict=True))


def test_a_box_that_is_off_fails(folder):
    """Of 100 x 50, moved by 6 columns: 94 x 50 shared of 106 x 50, which is 0.887."""

    def move(box):
        box[0] += 6

    _both(folder, move)
    comparison = folder.compared()
    assert _failed(comparison) == {BOXES, LEFT_OVER, LEAST}
    assert comparison.checks[9].found == "0.887"
    assert comparison.checks[7].examples == ("'a/x.jpg': 1 of 2 boxes match",)


def test_a_box_that_is_nearly_right_holds(folder):
    """Moved by 5 columns: 95 of 105, which is 0.905."""

    def move(box):
        box[0] += 5

    _both(folder, move)
    assert folder.compared().holds


def test_a_wrong_label_fails(folder):
    folder.coco["train"]["annotations"][0]["category_id"] = 2
    folder.manifest["train"][0]["bounding-box-metadata"]["class-map"]["0"] = "dog"
    assert _failed(folder.compared()) == {BOXES, LEFT_OVER}


def test_a_missing_box_fails(folder):
    folder.coco["train"]["annotations"].pop(0)
    folder.manifest["train"][0]["bounding-box"]["annotations"].pop(0)
    assert _failed(folder.compared()) == {BOXES}


def test_a_box_on_a_negative_fails(folder):
    folder.coco["train"]["annotations"].append({"image_id": 2, "category_id": 1, "bbox": CAT})
    folder.manifest["train"][1]["bounding-box"]["annotations"].append(
        {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}
    )
    folder.manifest["train"][1]["bounding-box-metadata"]["class-map"] = {"0": "cat"}
    comparison = folder.compared()
    assert _failed(comparison) == {LEFT_OVER}
    assert comparison.checks[8].examples == ("'b/x.jpg': 1 boxes match nothing",)


def test_a_second_box_on_one_object_fails(folder):
    """A box of the truth is matched once."""
    folder.coco["train"]["annotations"].append({"image_id": 1, "category_id": 1, "bbox": CAT})
    folder.manifest["train"][0]["bounding-box"]["annotations"].append(
        {"class_id": 0, "left": 10, "top": 20, "width": 100, "height": 50}
    )
    assert _failed(folder.compared()) == {LEFT_OVER}


def test_channels_that_differ_by_a_pixel_fail(folder):
    folder.manifest["train"][0]["bounding-box"]["annotations"][0]["left"] += 1
    comparison = folder.compared()
    assert _failed(comparison) == {AGREE}
    assert comparison.checks[10].examples == (f"train/{FILES['a/x.jpg']}",)


def test_a_channel_that_was_not_pulled_fails(folder):
    folder.write()
    (folder.path / "out/channels/coco/instances_validation.json").unlink()
    comparison = compare(folder.path / "out", folder.path / "truth.json", folder.path / "a.zip")
    assert {LISTED, BOXES} <= _failed(comparison)


def test_a_folder_that_was_never_pulled_is_a_usage_error(folder):
    folder.write()
    with pytest.raises(UsageError, match=r"has no run\.json"):
        compare(folder.path, folder.path / "truth.json", folder.path / "a.zip")


def test_a_missing_truth_is_a_usage_error(folder):
    folder.write()
    with pytest.raises(UsageError, match="isn't there"):
        compare(folder.path / "out", folder.path / "none.json", folder.path / "a.zip")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("run.json", "{"),
        ("rejected.jsonl", "{\n"),
        ("channels/coco/instances_train.json", '{"images": []}'),
        ("channels/augmented-manifest/train.manifest", '{"source-ref": "s3://b/k"}\n'),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder, file, text):
    folder.write()
    (folder.path / "out" / file).write_text(text)
    with pytest.raises(FailedError, match=file.rpartition("/")[2]):
        compare(folder.path / "out", folder.path / "truth.json", folder.path / "a.zip")


def test_boxes_are_matched_best_first():
    """The first found overlaps both, and better the second: so the second found is left with the first."""
    found = [Box(0, 2, 0, 10, 10), Box(0, 0, 0, 8, 10)]
    wanted = [Box(0, 0, 0, 10, 10), Box(0, 2, 0, 10, 10)]
    assert match(found, wanted) == [1.0, 0.8]


def test_boxes_of_other_labels_or_apart_are_no_match():
    assert match([Box(0, 0, 0, 5, 5)], [Box(1, 0, 0, 5, 5), Box(0, 50, 0, 5, 5)]) == []
