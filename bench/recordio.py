"""RecordIO, which has the pictures in it: beside mxnet's own tool, and what moving the same bytes takes.

python bench recordio
"""

import json
import random
import shutil
import struct
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import obstore
from conversions import COLUMNS, COMMAND, Measured, in_memory, measured
from disk_store import DiskStore
from report import Report, Table, Target, spread
from rounds import Clock, fresh

BUCKET = "bench"

PICTURES = 2_000
SIZE = 200_000  # bytes of a picture
BOXES, CLASSES = 10, 20
SIZE_WH = (1280, 960)
ROUNDS = 5
MXNET = Path(__file__).parent.parent / ".tools" / "mxnet" / "bin" / "python"
MAGIC = 0xCED7230A  # before each record
WANTED = 1.25  # of the time that the bytes take alone

# As its documentation packs lists of boxes, pictures as they are; it then uses nothing of OpenCV.
_IM2REC = """
import pathlib, runpy, sys, types
import mxnet
sys.modules["cv2"] = types.SimpleNamespace(IMREAD_COLOR=1)
tool = pathlib.Path(mxnet.__file__).parent / "tools" / "im2rec.py"
sys.argv = [str(tool), sys.argv[2] + "/train.lst", sys.argv[1], "--pass-through", "--pack-label"]
runpy.run_path(str(tool), run_name="__main__")
"""
_PLAIN = """
import struct, sys
source, target = sys.argv[1:]
record, index = open(f"{target}/train.rec", "wb"), open(f"{target}/train.idx", "w")
for line in open(f"{target}/train.lst"):
    number, *label, file = line.rstrip("\\n").split("\\t")
    numbers = [float(one) for one in label]
    with open(f"{source}/{file}", "rb") as picture:
        content = picture.read()
    payload = struct.pack("<IfQQ", len(numbers), 0.0, int(number), 0)
    payload += struct.pack(f"<{len(numbers)}f", *numbers) + content
    index.write(f"{number}\\t{record.tell()}\\n")
    record.write(struct.pack("<II", 0xCED7230A, len(payload)) + payload + b"\\0" * (-len(payload) % 4))
"""
_BYTES_ALONE = """
import os, sys
source, target = sys.argv[1:]
with open(f"{target}/all", "wb", buffering=0) as joined:
    for name in sorted(os.listdir(source)):
        with open(f"{source}/{name}", "rb", buffering=0) as picture:
            joined.write(picture.read())
"""
"""Scripts that find the pictures' folder, and the one of `train.lst`, where `train.rec` shall lie."""


def file(number: int) -> str:
    return f"{number:06}.jpg"


def drawn() -> Iterator[list[tuple[int, int, int, int, int]]]:
    """Of each picture: class, left, top, width and height of each box."""
    numbers = random.Random(0)
    for _ in range(PICTURES):
        yield [
            (
                numbers.randrange(CLASSES),
                numbers.randrange(900),
                numbers.randrange(700),
                numbers.randint(1, 300),
                numbers.randint(1, 200),
            )
            for _ in range(BOXES)
        ]


def label_of(rows: list[tuple[int, int, int, int, int]]) -> list[float]:
    """As RecordIO has it."""
    (width, height), label = SIZE_WH, [2.0, 5.0]
    for class_id, left, top, across, down in rows:
        label += [class_id, left / width, top / height, (left + across) / width, (top + down) / height]
    return label


def listed() -> str:
    """The content of `train.lst`."""
    lines = (
        "\t".join([str(number), *(f"{value:.9g}" for value in label_of(rows)), file(number)])
        for number, rows in enumerate(drawn())
    )
    return "".join(f"{line}\n" for line in lines)


def write_source(root: Path) -> Path:
    """A COCO dataset."""
    (root / "images" / "train").mkdir(parents=True)
    images, annotations = [], []
    for number, rows in enumerate(drawn(), start=0):
        content = b"\xff\xd8\xff\xe0" + random.Random(number).randbytes(SIZE - 4)
        (root / "images" / "train" / file(number)).write_bytes(content)
        width, height = SIZE_WH
        images.append({"id": number + 1, "file_name": file(number), "width": width, "height": height})
        annotations += [
            {"id": 0, "image_id": number + 1, "category_id": class_id + 1, "bbox": bbox}
            for class_id, *bbox in rows
        ]
    categories = [{"id": number + 1, "name": f"class {number}"} for number in range(CLASSES)]
    document = {"images": images, "annotations": annotations, "categories": categories}
    (root / "annotations").mkdir()
    (root / "annotations" / "instances_train.json").write_text(json.dumps(document), encoding="utf-8")
    return root


class Rounds:
    """What each way took, round by round; ours is the first."""

    def __init__(self, ways: Sequence[str]) -> None:
        self.found: dict[str, list[Measured]] = {way: [] for way in ways}

    def ratios(self, way: str) -> list[float]:
        """Our elapsed time, of that way's."""
        ours, *_ = self.found.values()
        return [mine.s / theirs.s for mine, theirs in zip(ours, self.found[way], strict=True)]

    def table(self, caption: str) -> Table:
        rows = []
        for way, found in self.found.items():
            ours = "" if way == next(iter(self.found)) else spread(self.ratios(way))
            mib = f"{max(each.mib for each in found):.0f}"
            rows.append(
                [way, spread(each.s for each in found), spread(each.cpu_s for each in found), mib, ours]
            )
        return Table(caption, ["by", *COLUMNS, "our elapsed time, of it"], rows)


def of_files(folder: Path, source: Path, listed: str) -> Rounds:
    pictures, target = source / "images" / "train", folder / "made"
    ways = {
        "Truthmill": [str(COMMAND), "convert", "--to", "recordio", str(source), str(target)],
        "mxnet's im2rec": [str(MXNET), "-c", _IM2REC, str(pictures), str(target)],
        "a plain-Python writer": [sys.executable, "-S", "-c", _PLAIN, str(pictures), str(target)],
        "the same bytes alone": [sys.executable, "-S", "-c", _BYTES_ALONE, str(pictures), str(target)],
    }
    rounds = Rounds(list(ways))
    for _ in range(ROUNDS):
        sizes = set()
        for way, command in ways.items():
            if way != "Truthmill":
                target.mkdir()
                (target / "train.lst").write_text(listed)
            took = measured(command)
            if took is None:
                raise RuntimeError(f"{way} failed")
            rounds.found[way].append(took)
            sizes.update(path.stat().st_size for path in target.glob("*.rec"))
            shutil.rmtree(target)
        if len(sizes) != 1:
            raise RuntimeError(f"the ways disagree on the size of train.rec: {sizes}")
    return rounds


def in_bucket(folder: Path, source: Path) -> Rounds:
    rounds = Rounds(list(WAYS))
    with DiskStore(folder / BUCKET) as store:
        (store.folder / "images").symlink_to(source / "images")
        for _ in range(ROUNDS):
            for way in WAYS:
                took = fresh(__file__, way, environment=store.environment)
                rounds.found[way].append(Measured(**took))
                shutil.rmtree(store.folder / "channels")
    return rounds


def with_truthmill() -> Callable[[], object]:
    from adapters.channel_store import write_channel
    from adapters.storage import storage
    from truthmill.boxes import Box
    from truthmill.channels import CHANNELS
    from truthmill.dataset import Heading, LabeledPicture

    store, (width, height) = storage(BUCKET), SIZE_WH
    heading = Heading(tuple(map(str, range(CLASSES))), ("train",), BUCKET, "channels/recordio/")
    pictures = [
        LabeledPicture(
            key=f"images/train/{file(number)}",
            split="train",
            width=width,
            height=height,
            boxes=tuple(Box(*row) for row in rows),
        )
        for number, rows in enumerate(drawn())
    ]
    return lambda: write_channel(store, CHANNELS["recordio"], heading, lambda _: pictures, "channels/parts/")


def with_boto3() -> Callable[[], object]:
    """Pictures one after the other into a file, which is then uploaded in parts by ten threads."""
    import boto3

    client = boto3.client("s3")
    labels = [label_of(rows) for rows in drawn()]

    def work() -> None:
        with tempfile.TemporaryDirectory(dir=in_memory()) as name:
            made = Path(name, "train.rec")
            with made.open("wb") as record:
                for number, label in enumerate(labels):
                    found = client.get_object(Bucket=BUCKET, Key=f"images/train/{file(number)}")
                    header = struct.pack("<IfQQ", len(label), 0.0, number, 0)
                    payload = header + struct.pack(f"<{len(label)}f", *label) + found["Body"].read()
                    record.write(struct.pack("<II", MAGIC, len(payload)) + payload)
                    record.write(b"\0" * (-len(payload) % 4))
            client.upload_file(str(made), BUCKET, "channels/train.rec")

    return work


def with_bytes_alone() -> Callable[[], object]:
    """As many reads ahead, and the same upload."""
    from adapters.channel_store import AHEAD
    from adapters.storage import PART, storage

    store = storage(BUCKET)

    def work() -> None:
        keys = [f"images/train/{file(number)}" for number in range(PICTURES)]
        upload = obstore.open_writer(store.store, "channels/all", buffer_size=PART, max_concurrency=4)
        with ThreadPoolExecutor(AHEAD) as pool:
            waiting = deque(pool.submit(store.read, key) for key in keys[:AHEAD])
            for key in [*keys[AHEAD:], *[""] * AHEAD]:
                upload.write(waiting.popleft().result())
                if key:
                    waiting.append(pool.submit(store.read, key))
        upload.close()

    return work


WAYS = {"Truthmill": with_truthmill, "boto3": with_boto3, "the same bytes alone": with_bytes_alone}


def one_round(way: str) -> None:
    """In a process of its own; imports and clients are there before the clock starts."""
    work = WAYS[way]()
    clock = Clock()
    work()
    print(json.dumps(clock.read()))


def run() -> Report:
    with tempfile.TemporaryDirectory(dir=in_memory()) as name:
        folder = Path(name)
        source = write_source(folder / "coco")
        files = of_files(folder, source, listed())
        bucket = in_bucket(folder, source)
    tool = files.ratios("mxnet's im2rec")
    alone = bucket.ratios("the same bytes alone")
    return Report(
        "recordio",
        "RecordIO",
        f"{PICTURES:,} pictures of {SIZE:,} random bytes, {BOXES} boxes each, into one `train.rec`. From "
        "files to a folder in memory: `truthmill convert`, mxnet's `im2rec.py` with --pass-through and "
        "--pack-label (an empty module stands in for OpenCV, of which it then uses nothing), a plain-Python "
        "writer, and a loop that reads the pictures and writes their bytes; each a process of its own with "
        "all that it imports. The two writers get their list ready-made, ours reads a COCO document. In a "
        "bucket: the writer that BuildChannels runs; boto3 with the plain writer, by way of a file; and the "
        "same reads and the same upload without a format, by our store's client. The store is "
        "bench/disk_store.py on the same machine, in a process of its own, whose Python is what all of them "
        "wait for; imports are left out.",
        ROUNDS,
        [files.table("From files to files."), bucket.table("From a bucket into the same bucket.")],
        [
            Target(
                "RecordIO from files: elapsed",
                "mxnet's im2rec",
                "≤ 1 of it",
                spread(tool),
                median(tool) <= 1,
            ),
            Target(
                "RecordIO in a bucket: elapsed",
                "reading and uploading the same bytes",
                "≤ 1.25 of it",
                spread(alone),
                median(alone) <= WANTED,
            ),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(sys.argv[2])
    else:
        run().show()
