"""What other libraries write is read to the pixel, negatives included; each by the library itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.channel_folder import open_source
from picture_bytes import corners, saved
from truthmill.box_check import check_boxes
from truthmill.channels import detect, reader
from truthmill.errors import FormatError

ROOT = Path(__file__).parents[2]
LABELS = ("zebra", "dog", "Büffel 🐃")
PICTURES = {  # sizes are unique: a picture is known by its own, whatever it is called
    ("train", "rex.jpg"): (64, 48, [(1, 10, 20, 30, 9), (0, 0, 0, 64, 48), (2, 63, 47, 1, 1)]),
    ("train", "thin.jpg"): (1, 99, [(2, 0, 98, 1, 1)]),
    ("train", "neg.png"): (33, 7, []),
    ("validation", "v.a.jpg"): (50, 51, [(0, 0, 49, 50, 1), (1, 0, 0, 1, 51)]),
    ("validation", "neg2.png"): (40, 30, []),
}
WRITERS = {
    "datasets_parquet": "parquet",
    "pyarrow_parquet": "parquet",
    "pyarrow_pages_2": "parquet",
    "pyarrow_small_pages": "parquet",
    "pyarrow_zstd": "parquet",
    "pyarrow_brotli": "parquet",
    "pyarrow_lz4": "parquet",
    "pyarrow_deltas": "parquet",
    "webdataset_tar": "webdataset",
    "supervision_yolo": "yolo",
    "supervision_coco": "coco",
    "supervision_voc": "pascal-voc",
    "datumaro_coco": "coco",
    "datumaro_voc": "pascal-voc",
    "datumaro_yolo": "yolo",
    "datumaro_darknet": "yolo",
}


def write(folder, environment, *names):
    python = ROOT / ".tools" / environment / "bin/python"
    if not python.exists():
        missing = f"{python} isn't there; `make test` installs it."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    told = {"labels": LABELS, "pictures": []}
    for (split, file), (width, height, boxes) in PICTURES.items():
        path = folder / file
        path.write_bytes(saved(corners(width, height), "PNG" if file.endswith("png") else "JPEG"))
        sides = {"split": split, "file": file, "path": str(path), "width": width, "height": height}
        told["pictures"].append(sides | {"boxes": boxes})
    done = subprocess.run(
        [python, ROOT / "tests/foreign_writers.py", folder, *names],
        input=json.dumps(told).encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    write(folder, "readers", *WRITERS)
    return folder


def read(root, labels=None, first_pixel=None):
    """The format, the class list, the pictures by their size, and which aren't labeled."""
    files = open_source(root)
    name = detect(files)
    reading = reader(name, first_pixel)(files, labels)
    pictures, unlabeled = {}, set()
    for drawn in reading.pictures:
        if drawn.unlabeled:
            unlabeled.add(drawn.path.rpartition("/")[2])
            continue
        checked = check_boxes(drawn.boxes, drawn.width, drawn.height)
        assert checked.findings == ()
        assert (drawn.width, drawn.height) not in pictures
        boxes = sorted((box.class_id, box.left, box.top, box.width, box.height) for box in checked.kept)
        pictures[drawn.width, drawn.height] = (drawn.split, boxes)
    return name, reading.labels, pictures, unlabeled


def truth(*without):
    return {
        (width, height): (split, sorted(boxes))
        for (split, file), (width, height, boxes) in PICTURES.items()
        if file not in without
    }


@pytest.mark.parametrize("writer", WRITERS)
def test_what_another_library_writes_is_read_to_the_pixel(writer, written):
    """datumaro's Pascal VOC counts from 0 and has no file for a negative, which then isn't labeled."""
    zero = writer == "datumaro_voc"
    labels = LABELS if writer.startswith("pyarrow") else None  # those files name their boxes' classes only
    negatives = {"neg.png", "neg2.png"} if zero else set()
    nulls = {"unlabeled-train.jpg", "unlabeled-validation.jpg"} if labels else set()
    found = read(written / writer, labels, 0 if zero else None)
    assert found == (WRITERS[writer], LABELS, truth(*negatives), negatives | nulls)


def test_a_library_that_is_missing_is_named(written, monkeypatch):
    """As in Lambda, whose package has no room for it."""
    for module in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        FormatError, match=r"compressed with zstd\. Install the package backports\.zstd to read"
    ):
        read(written / "pyarrow_zstd", LABELS)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="MXNet wants a NumPy that this Python hasn't")
def test_records_of_mxnet_itself_are_read_to_the_pixel(tmp_path):
    """Without names and sizes beside them; labels with a longer header and longer rows."""
    write(tmp_path, "mxnet", "mxnet_recordio")
    assert read(tmp_path / "mxnet_recordio") == ("recordio", LABELS, truth(), set())
