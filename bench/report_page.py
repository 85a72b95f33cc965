"""The report of datasets up to a million pictures: time, peak memory and size of the page.

Ledger and labeling output lie on the disk, as a run leaves them; every picture that the page asks for is the
same photograph of 12 megapixels, fetched and shrunk anew each time.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from report import Report, Table, Target
from rounds import Clock, fresh

COUNTS = (1_000, 10_000, 100_000, 1_000_000)
BOXES = 5  # a picture
JOB = 100_000  # pictures
LABELS = tuple(f"class {number}" for number in range(20))
DATASET, RUN = "bench", "0123456789ab"
WANTED_MIB, WANTED_BYTES = 512, 2_000_000


def boxes(number: int) -> list[dict[str, int]]:
    """Of a picture of 4000 x 3000: everywhere, of all sizes, some at the edge."""
    found = []
    for each in range(BOXES):
        mixed = (number * 2654435761 + each * 40503) % 2**32
        width, height = 3 + mixed % 997, 3 + (mixed >> 7) % 797
        left, top = (mixed >> 3) % (4000 - width), (mixed >> 11) % (3000 - height)
        found.append(
            {
                "class_id": (mixed >> 5) % len(LABELS),
                "left": left,
                "top": top,
                "width": width,
                "height": height,
            }
        )
    return found


def key(number: int) -> str:
    return f"datasets/{DATASET}/images/{side(number)}/{number:08x}-photo.jpg"


def side(number: int) -> str:
    return "validation" if number % 5 == 0 else "train"


def ledger_line(number: int) -> dict[str, Any]:
    return {
        "sha256": f"{number:064x}",
        "key": key(number),
        "split": side(number),
        "name": f"camera/IMG_{number:07d}.jpg",
        "run": RUN,
        "pixels": f"{number:064x}",
        "fingerprint": f"{number:0600x}",
        "width": 4000,
        "height": 3000,
        "boxes": boxes(number),
    }


def output_line(number: int) -> dict[str, Any]:
    found = boxes(number)
    return {
        "source-ref": f"s3://bench/{key(number)}",
        "split": side(number),
        "bounding-box": {
            "image_size": [{"width": 4000, "height": 3000, "depth": 3}],
            "annotations": found,
        },
        "bounding-box-metadata": {
            "objects": [{"confidence": 1 if (number + at) % 9 else 0.6667} for at in range(len(found))],
            "class-map": {str(box["class_id"]): LABELS[box["class_id"]] for box in found},
            "type": "groundtruth/object-detection",
        },
    }


def jobs(count: int) -> list[dict[str, Any]]:
    return [
        {"name": f"job-{at}", "number": at, "objects": min(JOB, count - at * JOB)}
        for at in range(-(-count // JOB))
    ]


def write_run(folder: Path, count: int) -> None:
    """What a run of so many pictures has left."""
    at = folder / f"datasets/{DATASET}/runs/{RUN}"
    run = {
        "run": RUN,
        "dataset": DATASET,
        "state": "RUNNING",
        "trigger": "s3",
        "execution": "arn:aws:states:us-east-1:111122223333:execution:dataset:bench",
        "startedAt": "2026-01-01T00:00:00Z",
        "request": {"labels": LABELS, "channels": ["coco"], "source": "s3://bench/incoming/bench.zip"},
        "counts": {"inputs": count, "train": count - count // 5, "validation": count // 5, "labeled": count},
        "split": {"wanted": {"validation": 0.2}, "straddlingGroups": 0},
        "jobs": jobs(count),
    }
    segment = {"run": RUN, "key": f"datasets/{DATASET}/ledger/{RUN}-labeled.jsonl", "pictures": count}
    _write(at / "run.json", [run])
    _write(folder / f"datasets/{DATASET}/ledger.json", [{"labels": LABELS, "segments": [segment]}])
    _write(folder / segment["key"], map(ledger_line, range(count)))
    for job in jobs(count):
        first = job["number"] * JOB
        lines = map(output_line, range(first, first + job["objects"]))
        _write(at / f"labeling/{job['name']}/manifests/output/output.manifest", lines)


def _write(path: Path, documents: Any) -> None:
    import msgspec

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(msgspec.json.encode(document) + b"\n" for document in documents)


def photograph(folder: Path) -> None:
    """A JPEG of 12 megapixels."""
    import numpy as np
    from PIL import Image

    grain = np.random.default_rng(7).normal(128, 14, (3000, 4000, 3)).clip(0, 255).astype(np.uint8)
    Image.fromarray(grain).save(folder / "photo.jpg", "JPEG", quality=90)


def one_round(folder: str) -> None:
    """In a process of its own: the state, on files."""
    import obstore
    from obstore.store import LocalStore

    from adapters.storage import Storage
    from pipeline.run import RunReference
    from pipeline.write_report import write_report

    class Files(Storage):
        """A bucket in a folder, whose every picture is the photograph."""

        def read(self, key: str) -> bytes:
            return super().read("photo.jpg" if "/images/" in key else key)

        def write(self, key: str, data: Any, content_type: str = "") -> None:
            del content_type  # files have none
            obstore.put(self.store, key, data)

    reference = RunReference("bench", DATASET, RUN, "arn")
    clock = Clock()
    answer = write_report(reference, Files(LocalStore(folder), "bench"))
    print(json.dumps(clock.read() | {"bytes": answer["bytes"]}))


def measured(counts: tuple[int, ...]) -> Iterator[tuple[int, dict[str, Any]]]:
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            photograph(Path(folder))
            write_run(Path(folder), count)
            yield count, fresh(__file__, folder)


def run(counts: tuple[int, ...] = COUNTS) -> Report:
    found = list(measured(counts))
    rows = [
        [
            f"{count:,}",
            f"{each['s']:.1f}",
            f"{each['cpu_s']:.1f}",
            f"{each['mib']:.0f}",
            f"{each['bytes'] / 1e6:.2f}",
        ]
        for count, each in found
    ]
    most, largest = (max(each[name] for _, each in found) for name in ("mib", "bytes"))
    return Report(
        name="report_page",
        title="The report, up to a million pictures",
        about=(
            f"The state WriteReport on a ledger and output manifests of files on the disk, {BOXES} boxes a "
            f"picture, {len(LABELS)} classes; the pictures on the page are a photograph of 12 megapixels "
            "each time. Single answers of workers are not there (at most 300 are read, whatever the dataset)."
        ),
        rounds=1,
        tables=[Table("By pictures:", ["pictures", "s", "CPU s", "peak MiB", "page, MB"], rows)],
        targets=[
            Target(
                "the report of a million pictures, memory",
                "",
                f"≤ {WANTED_MIB} MiB",
                f"{most:.0f} MiB",
                most <= WANTED_MIB,
            ),
            Target(
                "the report's size, however large the dataset",
                "",
                "≤ 2 MB",
                f"{largest / 1e6:.2f} MB",
                largest <= WANTED_BYTES,
            ),
        ],
        figures={f"s_{count}": each["s"] for count, each in found},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(sys.argv[2])
    else:
        run(tuple(map(int, sys.argv[1:])) or COUNTS).show()
