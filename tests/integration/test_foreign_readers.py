"""Every format read by a library that isn't ours, on a dataset with what tools commonly get wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import documented_readers
from adapters.channel_store import write_channel
from adapters.storage import Storage, memory
from picture_bytes import corners, saved
from truthmill.boxes import Box
from truthmill.channels import CHANNELS
from truthmill.dataset import Heading, LabeledPicture

ROOT = Path(__file__).parents[2]
LABELS = (
    "zebra",  # before the others: nothing is sorted
    "the \"big\", <dog> & 'co': #1",
    "Büffel 🐃",
    "=cmd|' /C calc'!A0",
    # What YAML takes for something else than a text, or for its own signs.
    *("yes", "no", "on", "null", "~", "1e3", "0x10", "1_000", "2026-01-01", "12:30", ".inf", "true", "0"),
    *(
        "- item",
        "? key",
        "a: b",
        ": x",
        "#c",
        "a #b",
        "{x}",
        "[x]",
        "&a",
        "*a",
        "!t",
        "|",
        ">",
        "%",
        "@",
        "`",
    ),
    *("'", '"', "\\n", "---", "..."),
    # What another markup, a shell, a path or a format's own list takes for a sign.
    *(
        "]]>",
        "&amp;",
        "<script>alert(1)</script>",
        "$(id)",
        "%s{0}",
        "../x",
        "a/b",
        "a,b",
        "a|b",
        "background",
    ),
    # Told apart by nothing but case, spaces, or how an accent is written.
    *("cat", "Cat", "cat ", " cat", "c\u00a0at", "e\u0301", "\u00e9", "\u202eabc", "a\u200db", "\ufeffa"),
    *(f"class {number}" for number in range(58, 300)),
)
PICTURES = {
    ("train", "0a-rex.jpg"): (64, 48, [(1, 10, 20, 30, 9), (0, 0, 0, 64, 48), (299, 63, 47, 1, 1)]),
    ("train", "0b-rex.jpg"): (1, 999, [(2, 0, 998, 1, 1)]),
    ("train", "0c-Rex.png"): (333, 7, []),
    ("validation", "0d-rex.a.b.jpg"): (50, 50, [(3, 0, 49, 50, 1), (3, 0, 0, 1, 50)]),
    ("validation", "0e-meadow.png"): (40, 30, []),
    ("train", "0f-crowd.jpg"): (
        300,
        200,
        [(n % 300, n % 290, n * 7 % 190, 1 + n % 9, 10) for n in range(1000)],
    ),
    ("validation", "0g-dot.png"): (1, 1, [(5, 0, 0, 1, 1)]),
    ("validation", "0h-line.jpg"): (10_000, 1, [(6, 9_999, 0, 1, 1), (7, 1_234, 0, 3, 1)]),
}


def labeled(split):
    return [
        LabeledPicture(
            key=f"datasets/d/images/{split}/{name}",
            split=split,
            width=width,
            height=height,
            boxes=tuple(Box(*box) for box in boxes),
        )
        for (side, name), (width, height, boxes) in PICTURES.items()
        if side == split
    ]


@pytest.fixture(scope="module")
def channels(tmp_path_factory):
    """A folder with every format."""
    store, folder = memory(), tmp_path_factory.mktemp("channels")
    for (split, name), (width, height, _) in PICTURES.items():
        kind = "PNG" if name.endswith(".png") else "JPEG"
        store.write(f"datasets/d/images/{split}/{name}", saved(corners(width, height), kind))
    for name, channel in CHANNELS.items():
        heading = Heading(LABELS, bucket=store.bucket, prefix=f"channels/{name}/")
        write_channel(store, channel, heading, labeled, f"pieces/{name}/")
    _download(store, folder)
    for split, name in PICTURES:  # COCO refers to the pictures
        path = folder / "channels/coco/images" / split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(f"datasets/d/images/{split}/{name}"))
    return folder / "channels"


def _download(store: Storage, folder: Path):
    for found in store.list("channels/"):
        path = folder / found.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.read(found.key))


def _read(environment, channels, *libraries):
    python = ROOT / ".tools" / environment / "bin/python"
    if not python.exists():
        missing = f"{python} isn't there; `make test` installs it."
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    script = ROOT / "tests/foreign_readers.py"
    done = subprocess.run([python, script, channels, *libraries], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def read(channels):
    """What the other libraries make of it, by format and library, split and file name."""
    return _read("readers", channels, "supervision", "datasets", "webdataset", "datumaro")


@pytest.mark.parametrize(
    "name",
    [
        "yolo by supervision",
        "yolo by datumaro",
        "coco by datumaro",
        "pascal-voc by supervision",
        "parquet by datasets",
        "imagefolder by datasets",
        "webdataset by webdataset",
    ],
)
def test_another_library_reads_every_box_to_the_pixel_and_every_negative(name, read):
    compare(read[name])


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="MXNet wants a NumPy that this Python hasn't")
def test_mxnet_reads_every_box_to_the_pixel_and_every_negative(channels):
    compare(_read("mxnet", channels, "mxnet")["recordio by mxnet"])


@pytest.mark.parametrize("name", documented_readers.READERS)
def test_a_reader_of_the_documented_format_reads_every_box_and_every_negative(name, channels):
    read = documented_readers.READERS[name]
    compare({split: read(channels / name, split) for split in ("train", "validation")})


def compare(read):
    """Every picture with its size; every box, whichever its place among the boxes."""
    for (split, file), (width, height, boxes) in PICTURES.items():
        found_width, found_height, found = read[split][file]
        assert (found_width, found_height) == (width, height), file
        rounded = sorted((label, *map(round, sides)) for label, *sides in found)
        assert rounded == sorted((LABELS[class_id], *sides) for class_id, *sides in boxes), file
        # Shares and single precision are no further off than a thousandth of a pixel.
        assert all(abs(side - round(side)) < 1e-3 for _, *sides in found for side in sides)
    assert sum(map(len, read.values())) == len(PICTURES)
