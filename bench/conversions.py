"""Conversions as a user runs them: datasets to convert, and what a whole process takes, start-up included."""

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Sequence
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
LIMIT_S = 5.0  # for a tenth, after which a peer is stopped
WHOLE_LIMIT_S = 90.0  # for all pictures
COMMAND = Path(sys.executable).parent / "truthmill"
_ROOM = 8 << 30  # bytes, of which the largest dataset of all takes half
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
    stopped: bool = False

    def times(self, factor: float) -> "Measured":
        return Measured(self.s * factor, self.cpu_s * factor, self.mib, self.stopped)

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
    cpu_s = used.ru_utime + used.ru_stime
    return Measured(took, cpu_s, used.ru_maxrss / 1024, stopped=bool(process.returncode))


def ours(to: str, source: Path, target: Path, *, with_pictures: bool = False) -> Measured:
    """Raises RuntimeError where it fails."""
    pictures = [] if with_pictures else ["--no-pictures"]
    found = measured([str(COMMAND), "convert", *pictures, "--to", to, str(source), str(target)])
    if found is None:
        raise RuntimeError(f"{source} to {to} failed")
    return found


def in_memory() -> str | None:
    """A folder on a file system in memory; None where there is none with room, which is the disk then."""
    there = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    return str(there) if there.is_dir() and shutil.disk_usage(there).free > _ROOM else None


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
        file.writelines(_annotation(number, numbers.random) for number in range(pictures * BOXES))
        file.write("]}")
    _write_pictures(root / "images" / "train", pictures)
    return root


def _annotation(number: int, share: Callable[[], float]) -> str:
    """As `json.dumps` has it, in a fifth of its time."""
    width, height = 1 + int(200 * share()), 1 + int(200 * share())
    return (
        f'{", " if number else ""}{{"id": {number + 1}, "image_id": {number // BOXES + 1}, '
        f'"category_id": {1 + int(CLASSES * share())}, '
        f'"bbox": [{int(1000 * share())}, {int(700 * share())}, {width}, {height}], '
        f'"area": {width * height}, "iscrowd": 0, "segmentation": []}}'
    )


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
            self._row(named, "the same files by a bare loop", floor, mine)
        fastest_s = fastest_cpu_s = float("inf")
        for name in peers.NAMES:
            if found := self._peer(name, source_format, to, source, tenth, mine, fastest_s):
                fastest_s, fastest_cpu_s = min(fastest_s, found.s), min(fastest_cpu_s, found.cpu_s)
        self.least_s = min(self.least_s, fastest_s / mine.s)
        self.least_cpu_s = min(self.least_cpu_s, fastest_cpu_s / mine.cpu_s)

    def _peer(
        self,
        name: str,
        source_format: str,
        to: str,
        source: Path,
        tenth: Path,
        mine: Measured,
        fastest_s: float,
    ) -> Measured | None:
        """fastest_s: of the peers so far; one whose tenth takes a tenth of that isn't run on all pictures."""
        target = self._folder / "theirs"
        small = peers.command(name, source_format, to, tenth, target)
        large = peers.command(name, source_format, to, source, target)
        if small is None or large is None:
            return None
        named = f"{source_format} to {to}"
        found = self._within(small, LIMIT_S)
        if found is None:
            self.rows.append([named, name, "failed", "", "", "", ""])
            return None
        shown = f"{name}, ten times a tenth"
        scaled = found.times(PICTURES / TENTH)
        if found.stopped:
            shown = f"{name}, a tenth not done in {LIMIT_S:.0f} s; ten times that"
        elif scaled.s < fastest_s and (whole := self._within(large, WHOLE_LIMIT_S)):
            scaled = whole
            shown = f"{name}, not done in {WHOLE_LIMIT_S:.0f} s" if whole.stopped else name
        self._row(named, shown, scaled, mine)
        return scaled

    def _within(self, command: Sequence[str], limit_s: float) -> Measured | None:
        found = measured(command, limit_s)
        self._clear()
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
            f"{what}: times as fast as the fastest peer, elapsed; peak memory",
            ", ".join(peers.NAMES),
            "≥ 5, ≤ 500 MiB",
            f"{self.least_s:.1f} ({self.least_cpu_s:.1f} in CPU), {self.most_mib:.0f} MiB",
            self.least_s >= 5 and self.most_mib <= 500,
        )
