"""Requests to S3 for each picture, from the archive to its place, counted by the server.

python bench/requests_per_picture.py
"""

import io
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from disk_store import DiskStore
from PIL import Image, ImageChops
from report import Report, Table, Target
from stages import Pipeline, write_archive

PICTURES = 2_000
# Name, size in pixels, pictures, how they are saved: some batches, cut by count and by bytes.
SIZES = (
    ("small", (320, 240), PICTURES, {"format": "JPEG", "quality": 85}),
    ("large", (2000, 1500), 400, {"format": "JPEG", "quality": 85}),
    ("of a good camera", (1600, 1212), 400, {"format": "PNG", "compress_level": 0}),  # as large a file
)
EXTENSIONS = {"JPEG": "jpg", "PNG": "png"}
METHODS = ("PUT", "POST", "GET", "HEAD", "LIST", "DELETE")


def mosaics(size_wh: tuple[int, int], count: int, options: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Pictures that have nothing in common: soft patches of colour at random, under grain."""
    grain = Image.effect_noise(size_wh, 30)
    for number in range(count):
        patches = Image.frombytes("RGB", (16, 12), random.Random(number).randbytes(16 * 12 * 3))
        picture = patches.resize(size_wh, Image.Resampling.BICUBIC)
        picture = ImageChops.add(picture, Image.merge("RGB", [grain] * 3), offset=-128)
        out = io.BytesIO()
        picture.save(out, **options)
        yield f"camera/IMG_{number:06d}.{EXTENSIONS[options['format']]}", out.getvalue()


def counted(size_wh: tuple[int, int], count: int, options: dict[str, Any]) -> tuple[float, Counter[str], int]:
    """Mean bytes of a picture, requests by method and kind of key, pictures placed."""
    with tempfile.TemporaryDirectory() as folder, DiskStore(Path(folder, "bucket")) as store:
        size = write_archive(store.folder, mosaics(size_wh, count, options))
        for _ in Pipeline(store, {"onDegenerate": "continue"}).run():
            pass
        placed = sum(1 for path in store.folder.glob("datasets/*/images/*/*") if path.is_file())
        return size / count, store.counted(), placed


def reads(counts: Counter[str], placed: int) -> float:
    """GET and HEAD for each picture that is placed."""
    return sum(number for key, number in counts.items() if key.split()[0] in {"GET", "HEAD"}) / placed


def row(name: str, size: float, counts: Counter[str], placed: int) -> list[str]:
    by_method = {
        method: sum(number for key, number in counts.items() if key.startswith(f"{method} "))
        for method in METHODS
    }
    shares = [f"{by_method[method] / placed:.4f}" for method in ("GET", "HEAD", "LIST")]
    puts = counts["PUT picture"] / placed
    others = (by_method["PUT"] + by_method["POST"] - counts["PUT picture"]) / placed
    return [f"{name}, {size / 1000:,.0f} kB", f"{placed:,}", f"{puts:.4f}", f"{others:.4f}", *shares]


def run(rounds: int = 1) -> Report:
    """rounds: it is a count, the same in each; one is made."""
    del rounds
    found = {name: counted(*how) for name, *how in SIZES}
    size, counts, placed = found["small"]
    most = max(reads(*found[name][1:]) for name in found)
    puts = sum(number for key, number in counts.items() if key.split()[0] in {"PUT", "POST", "LIST"}) / placed
    gets = reads(counts, placed)
    columns = ["pictures", "placed", "PUT, the picture", "PUT and POST, all else", "GET", "HEAD", "LIST"]
    return Report(
        name="requests_per_picture",
        title="Requests to S3 for each picture",
        about=(
            "Prepare, every InspectImages child, SplitDataset and every PlaceImages child, through their "
            "handlers against an S3 server over a folder, which counts (`bench/disk_store.py`). Requests "
            "that Step Functions makes itself (reading the plan, writing the Map's results) are not in it. "
            "All else that is written are a few records a batch. A batch is read as one stream by one GET, "
            "twice in all (to inspect, to place); what is asked for besides is shared by a batch too, so "
            "that pictures of which fewer fit into a batch of 1 GiB cost more. A batch takes 9 GET and HEAD "
            "in all and a run 11 besides, which shows where a run is short: 120 pictures of the last row are "
            "one batch, and 0.17. A GET costs a twelfth of a PUT."
        ),
        rounds=1,
        tables=[
            Table("Requests a picture that is placed:", columns, [row(name, *found[name]) for name in found])
        ],
        targets=[
            Target(
                "requests to S3 for each picture",
                "the floor: 1 PUT, and GETs shared by a batch",
                "1 PUT, ≤ 0.1 GET",
                f"{counts['PUT picture'] / placed:.3f} PUT of the picture, {puts - 1:.4f} PUT, POST and LIST "
                f"besides, {gets:.3f} GET and HEAD ({size / 1000:.0f} kB pictures), at most {most:.3f}",
                counts["PUT picture"] == placed and most <= 0.1,
            )
        ],
        figures={
            "puts_per_picture": puts,
            "gets_per_picture": gets,
            "bytes_per_picture": size,
            "gets_per_large_picture": reads(*found["large"][1:]),
            "bytes_per_large_picture": found["large"][0],
        },
    )


if __name__ == "__main__":
    run(*(int(argument) for argument in sys.argv[1:])).show()
