"""The demo's drawn zip is what it promises, and its truth is true."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from truthmill import request_reading, similarity
from truthmill.similarity_search import near_duplicates

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))  # a folder of scripts, not a package

import draw  # noqa: E402 - found by the line above
import scene  # noqa: E402 - the same

PICTURES = 16


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return draw.make_demo(tmp_path_factory.mktemp("demo"), seed=3, pictures=PICTURES)


@pytest.fixture(scope="module")
def entries(demo):
    with zipfile.ZipFile(demo.archive) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def truth(demo):
    return json.loads(demo.truth.read_text(encoding="utf-8"))


def _upright(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")


def test_the_same_seed_gives_the_same_bytes_in_another_process(demo, tmp_path):
    """Also by its command line, which says what it wrote."""
    command = [sys.executable, EXAMPLES / "draw.py", tmp_path, "--seed", "3", "--pictures", str(PICTURES)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert said == {
        "archive": str(tmp_path / "lakeside.zip"),
        "truth": str(tmp_path / "truth.json"),
        "images": str(tmp_path / "images"),
        "pictures": PICTURES,
    }
    assert (tmp_path / "lakeside.zip").read_bytes() == demo.archive.read_bytes()
    assert (tmp_path / "truth.json").read_bytes() == demo.truth.read_bytes()


def test_another_seed_gives_other_pictures(entries):
    first = next(draw.draw_pictures(seed=4, count=1))
    assert first.data != entries[first.name]


def test_the_truth_names_every_picture_with_its_upright_size(entries, truth):
    """One line for each picture, the copy included; broken files and junk are no pictures."""
    assert len(truth["images"]) == PICTURES + 1
    for image in truth["images"]:
        assert _upright(entries[image["file_name"]]).size == (image["width"], image["height"])


def test_the_pictures_also_lie_beside_the_zip(demo, entries, truth):
    """So that whoever labels them by the truth can find them by content, where names don't decide."""
    for image in truth["images"]:
        assert (demo.images / image["file_name"]).read_bytes() == entries[image["file_name"]]


def test_boxes_are_inside_and_large_enough_to_be_drawn_by_hand(truth):
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth["images"]}
    assert len(truth["annotations"]) >= 2 * PICTURES
    for annotation in truth["annotations"]:
        left, top, width, height = annotation["bbox"]
        assert min(left, top) >= 0
        assert min(width, height) >= 44
        assert left + width <= sizes[annotation["image_id"]][0]
        assert top + height <= sizes[annotation["image_id"]][1]
        assert annotation["area"] == width * height


def test_every_label_occurs_and_some_pictures_are_empty(truth):
    assert [category["name"] for category in truth["categories"]] == list(draw.LABELS)
    assert {a["category_id"] for a in truth["annotations"]} == {1, 2, 3, 4}
    empty = {image["id"] for image in truth["images"]} - {a["image_id"] for a in truth["annotations"]}
    assert len(empty) == 2


def test_some_subjects_overlap(truth):
    boxes = {}
    for annotation in truth["annotations"]:
        boxes.setdefault(annotation["image_id"], []).append(annotation["bbox"])
    overlapping = [
        image
        for image, found in boxes.items()
        for number, (left, top, width, height) in enumerate(found)
        for x, y, w, h in found[number + 1 :]
        if left < x + w and x < left + width and top < y + h and y < top + height
    ]
    assert overlapping


def test_orientations_3_6_and_8_occur(entries):
    orientations = {
        Image.open(io.BytesIO(data)).getexif().get(0x0112, 1)
        for name, data in entries.items()
        if name.lower().endswith((".jpg", ".jpeg")) and not name.startswith("__MACOSX")
    }
    assert orientations == {1, 3, 6, 8}


def test_one_picture_is_there_twice_and_no_other(entries):
    digests = {}
    for name, data in entries.items():
        if not name.endswith("/"):
            digests.setdefault(hashlib.sha256(data).hexdigest(), []).append(name)
    assert [names for names in digests.values() if len(names) > 1] == [
        ["⛵ regatta.jpg", "backup/copy of regatta.jpg"]
    ]


def test_no_two_pictures_count_as_near_duplicates(entries, truth):
    """Else a split by groups would not be exact. 8 is the widest distance that a request may ask for."""
    names = [image["file_name"] for image in truth["images"] if image["file_name"] != draw.COPY]
    rows = similarity.pack(similarity.fingerprint(_upright(entries[name])) for name in names)
    assert near_duplicates(rows, 8).links.shape == (2, 0)


def test_what_is_no_picture_is_there_too(entries, truth):
    pictures = {image["file_name"] for image in truth["images"]}
    assert set(entries) - pictures == {
        "truthmill.json",
        "Am See/",
        "__MACOSX/",
        "__MACOSX/Am See/._IMG_0004.jpg",
        ".DS_Store",
        "Am See/Thumbs.db",
        "Am See/transfer interrupted.jpg",
        "read me.txt",
    }
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO(entries["Am See/transfer interrupted.jpg"])).load()


def test_names_are_as_awkward_as_promised(truth):
    names = "".join(image["file_name"] for image in truth["images"])
    assert [each for each in " ()+%'\"ü⛵日/," if each not in names] == []
    stems = [image["file_name"].rpartition("/")[2] for image in truth["images"]]
    assert stems.count("IMG_0004.jpg") == 2
    assert {"Am See/morning.jpg", "Am See/morning.png"} <= {image["file_name"] for image in truth["images"]}


def test_the_settings_in_the_zip_are_a_valid_request(entries):
    parsed = request_reading.parse(
        {"source": "s3://bucket/incoming/lakeside.zip"}, json.loads(entries["truthmill.json"]), {}
    )
    assert (parsed.dataset, parsed.labels) == ("lakeside", draw.LABELS)


def test_what_hides_behind_another_or_outside_is_not_in_its_box():
    """A square of 20 whose left 5 columns are outside, and whose right 8 another one hides."""
    square = Image.new("RGBA", (20, 20), (255, 0, 0, 255))
    far = scene.Standing("house", square, left=-5, top=30, depth=1)
    near = scene.Standing("house", square, left=7, top=30, depth=2)
    assert scene._seen([far, near], (100, 60)) == [
        (scene.Found("house", 0, 30, 7, 20), 0.35),
        (scene.Found("house", 7, 30, 20, 20), 1.0),
    ]


def test_too_few_pictures_are_refused(tmp_path):
    with pytest.raises(ValueError, match="15 pictures; the demo needs at least 16"):
        draw.make_demo(tmp_path, pictures=15)


def _changed(land, label, seed):
    """Where a scene with one subject differs from the same land without it, and the subject's box."""
    empty, none = scene.draw_scene(np.random.default_rng(seed), (320, 240), land, "noon", [])
    with_one, found = scene.draw_scene(np.random.default_rng(seed), (320, 240), land, "noon", [label])
    assert (none, len(found)) == ([], 1)
    difference = np.abs(np.asarray(empty, dtype=int) - np.asarray(with_one, dtype=int)).max(axis=2)
    return difference, found[0]


@pytest.mark.parametrize("seed", range(4))
def test_a_balloons_box_is_tight_around_the_pixels_that_it_changed(seed):
    """A balloon leaves no shadow, so all that changed is the balloon."""
    difference, box = _changed("meadow", "balloon", seed)
    rows, columns = np.nonzero(difference > 12)
    assert abs(columns.min() - box.left) <= 1
    assert abs(rows.min() - box.top) <= 1
    assert abs(columns.max() + 1 - box.left - box.width) <= 1
    assert abs(rows.max() + 1 - box.top - box.height) <= 1


@pytest.mark.parametrize(
    ("land", "label"), [("lake", "sailboat"), ("meadow", "house"), ("coast", "lighthouse")]
)
def test_a_box_is_tight_above_where_shadow_and_mirror_image_do_not_reach(land, label):
    difference, box = _changed(land, label, 1)
    rows, columns = np.nonzero(difference[: box.top + box.height * 3 // 4] > 12)
    assert abs(rows.min() - box.top) <= 1
    assert columns.min() >= box.left - 1
    assert columns.max() <= box.left + box.width
