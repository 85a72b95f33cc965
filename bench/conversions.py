"""Conversions as a user runs them: datasets to convert, and what a whole process takes, start-up included."""

import json
import os
import random
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import peers
from report import Table, Target
from rounds import ENVIRONMENT

BOXES = 10  # a picture
CLASSES = 80
SIZE_WH = (1280, 960)
PICTURES = 100_000
TENTH = 10_000
SLOW_S = 12.0  # a peer that takes longer for a tenth isn't the fastest: ten times that is taken
LIMIT_S = 40.0  # for a tenth, after which a peer is stopped
COMMAND = Path(sys.executable).parent / "truthmill"
_LINKS = 50_000  # names of one file; ext4 allows 65,000

# As many files of the same lengths, and nothing else.
_FILES_ALONE = """
import os, sys
source, target = sys.argv[1:]
os.mkdir(target)
content = b"x" * 65536
for folder, _, names in os.walk(source):
    made = target + folder[len(source):]
    os.makedirs(made, exist_ok=True)
    for name in names:
        left = os.stat(f"{folder}/{name}").st_size
        descriptor = os.open(f"{made}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        while left > 0:
            left -= os.write(descriptor, content[:left])
        os.close(descriptor)
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of a process and those that it started: seconds, CPU seconds, peak memory of the largest one, MiB."""

    s: float
    cpu_s: float
    mib: float

    def times(self, factor: float) -> "Measured":
        return Measured(self.s * factor, self.cpu_s * factor, self.mib)

    def cells(self) -> list[str]:
        return [f"{self.s:.1f}", f"{self.cpu_s:.1f}", f"{self.mib:.0f}"]


COLUMNS = ("elapsed s", "CPU s", "peak MiB")


def measured(command: Sequence[str], limit_s: float = float("inf")) -> Measured | None:
    """None where it fails. limit_s: after which it is stopped, and what it took so far is the answer."""
    # With bytecode, as programs have it that were started before.
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=kept | ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    alarm = threading.Timer(min(limit_s, threading.TIMEOUT_MAX), process.kill)
    alarm.start()
    _, status, used = os.wait4(process.pid, 0)
    alarm.cancel()
    took = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode and took < limit_s:
        return None
    return Measured(took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def ours(to: str, source: Path, target: Path, *, with_pictures: bool = False) -> Measured:
    """Raises RuntimeError where it fails."""
    pictures = [] if with_pictures else ["--no-pictures"]
    found = measured([str(COMMAND), "convert", *pictures, "--to", to, str(source), str(target)])
    if found is None:
        raise RuntimeError(f"{source} to {to} failed")
    return found


def files_alone(like: Path, target: Path) -> Measured | None:
    return measured([sys.executable, "-S", "-c", _FILES_ALONE, str(like), str(target)])


def write_coco(root: Path, pictures: int) -> Path:
    """A dataset with `annotations/instances_train.json` and `images/train/`, ten boxes a picture.

    The pictures are small files with many names: only their sizes matter.
    """
    numbers = random.Random(pictures)
    (root / "annotations").mkdir(parents=True)
    width, height = SIZE_WH
    with (root / "annotations" / "instances_train.json").open("w", encoding="utf-8") as file:
        categories = [{"id": number + 1, "name": f"class-{number}"} for number in range(CLASSES)]
        file.write(f'{{"info": {{}}, "licenses": [], "categories": {json.dumps(categories)}, "images": [')
        for number in range(pictures):
            image = {"id": number + 1, "file_name": f"{number:07}.png", "width": width, "height": height}
            file.write((", " if number else "") + json.dumps(image))
        file.write('], "annotations": [')
        for number in range(pictures * BOXES):
            file.write((", " if number else "") + json.dumps(_annotation(number, numbers)))
        file.write("]}")
    _write_pictures(root / "images" / "train", pictures)
    return root


def _annotation(number: int, numbers: random.Random) -> dict[str, object]:
    width, height = numbers.randint(1, 200), numbers.randint(1, 200)
    box = [numbers.randrange(1000), numbers.randrange(700), width, height]
    found = {"id": number + 1, "image_id": number // BOXES + 1, "category_id": numbers.randint(1, CLASSES)}
    return found | {"bbox": box, "area": width * height, "iscrowd": 0, "segmentation": []}


def _write_pictures(folder: Path, pictures: int) -> None:
    folder.mkdir(parents=True)
    content = _png(*SIZE_WH)
    for number in range(pictures):
        path = folder / f"{number:07}.png"
        if number % _LINKS == 0:
            path.write_bytes(content)
            first = path
        else:
            os.link(first, path)


def _png(width: int, height: int) -> bytes:
    """A black picture of one bit a pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Comparison:
    """Conversions by us and by the peers. least: the least factor to the fastest peer, in elapsed and in CPU
    time; most_mib: our own greatest memory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.rows: list[list[str]] = []
        self.least_s = self.least_cpu_s = float("inf")
        self.most_mib = 0.0

    def add(self, source_format: str, to: str, source: Path, tenth: Path) -> None:
        """source, tenth: the dataset that is converted, and one of a tenth of its pictures."""
        named = f"{source_format} to {to}"
        target = self._folder / "made"
        mine = ours(to, source, target)
        self.most_mib = max(self.most_mib, mine.mib)
        floor = files_alone(target, self._folder / "floor")
        self._clear()
        self._row(named, "Truthmill", mine, mine)
        if floor:
            self._row(named, "its files alone", floor, mine)
        found = [self._peer(name, source_format, to, source, tenth, mine) for name in peers.NAMES]
        ran = [one for one in found if one]
        if ran:
            self.least_s = min(self.least_s, min(one.s for one in ran) / mine.s)
            self.least_cpu_s = min(self.least_cpu_s, min(one.cpu_s for one in ran) / mine.cpu_s)

    def _peer(
        self, name: str, source_format: str, to: str, source: Path, tenth: Path, mine: Measured
    ) -> Measured | None:
        target = self._folder / "theirs"
        small = peers.command(name, source_format, to, tenth, target)
        large = peers.command(name, source_format, to, source, target)
        if small is None or large is None:
            return None
        found, shown = measured(small, LIMIT_S), name
        self._clear()
        if found and found.s > SLOW_S:
            stopped = " and more" if found.s >= LIMIT_S else ""
            found, shown = found.times(PICTURES / TENTH), f"{name}, ten times a tenth{stopped}"
        elif found:
            found = measured(large)
            self._clear()
        named = f"{source_format} to {to}"
        if found is None:
            self.rows.append([named, name, "failed", "", "", "", ""])
            return None
        self._row(named, shown, found, mine)
        return found

    def _row(self, named: str, by: str, found: Measured, mine: Measured) -> None:
        factors = (
            ["", ""] if found is mine else [f"{found.s / mine.s:.1f}", f"{found.cpu_s / mine.cpu_s:.1f}"]
        )
        self.rows.append([named, by, *found.cells(), *factors])

    def _clear(self) -> None:
        for name in ("made", "floor", "theirs"):
            subprocess.run(["rm", "-rf", str(self._folder / name)], check=True)

    def table(self, caption: str) -> Table:
        columns = ["conversion", "by", *COLUMNS, "times our elapsed", "times our CPU"]
        return Table(caption, columns, self.rows)

    def target(self, what: str) -> Target:
        return Target(
            f"{what}: times as fast as the fastest peer; peak memory",
            ", ".join(peers.NAMES),
            "≥ 5, ≤ 500 MiB",
            f"{self.least_s:.1f} elapsed, {self.least_cpu_s:.1f} CPU, {self.most_mib:.0f} MiB",
            min(self.least_s, self.least_cpu_s) >= 5 and self.most_mib <= 500,
        )
