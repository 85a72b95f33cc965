"""The directory of a large zip over HTTP ranges: Truthmill against `zipfile` over the same ranged reader.

    python bench/archive_directory.py [rounds] [entries]

Both read the same archive from the same local HTTP server, each round in a process of its own, one after the
other. Time is from the first request to the last entry, imports, digest and overlaps included;
memory is the process's peak of resident memory (ru_maxrss).
"""

import http.client
import http.server
import io
import json
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from struct import pack
from typing import Any

from report import Report, Table, Target, spread
from rounds import Clock, fresh

PICTURE = b"\xff\xd8\xff\xd9"
CRC = 0x6C3D6F1B


def write_archive(path: Path, count: int) -> None:
    """An archive as Info-ZIP writes it (times and owners in extra fields), zip64 where it must be."""
    local_extra = b"UT\x09\x00\x03" + bytes(8) + b"ux\x0b\x00" + bytes(11)
    central_extra = b"UT\x05\x00\x01" + bytes(4) + b"ux\x0b\x00" + bytes(11)
    sizes = (CRC, len(PICTURE), len(PICTURE))
    with path.open("wb") as target, tempfile.TemporaryFile() as directory:
        for number in range(count):
            name = b"frames/camera-%02d/2024-06-01/IMG_%08d.jpg" % (number % 16, number)
            at = target.tell()
            target.write(
                pack("<4sHHHHHLLLHH", b"PK\x03\x04", 20, 0, 0, 0, 33, *sizes, len(name), len(local_extra))
            )
            target.write(name + local_extra + PICTURE)
            lengths = (len(name), len(central_extra), 0, 0, 0, 0x81A4 << 16, at)
            directory.write(
                pack("<4sHHHHHHLLLHHHHHLL", b"PK\x01\x02", 798, 20, 0, 0, 0, 33, *sizes, *lengths)
            )
            directory.write(name + central_extra)
        start, length = target.tell(), directory.tell()
        directory.seek(0)
        while chunk := directory.read(1 << 20):
            target.write(chunk)
        target.write(pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, length, start))
        target.write(pack("<4sLQL", b"PK\x06\x07", 0, start + length, 1))
        target.write(pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))


class Ranges(http.server.BaseHTTPRequestHandler):
    """Answers GET with a Range, as a store does."""

    protocol_version = "HTTP/1.1"
    path_served: Path

    def do_GET(self) -> None:
        first, last = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
        with self.path_served.open("rb") as source:
            source.seek(first)
            body = source.read(last - first + 1)
        self.send_response(206)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a line for each request would be part of the measure."""


def ranged_reader(port: int) -> Callable[[int, int], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def read(start: int, length: int) -> bytes:
        connection.request("GET", "/", headers={"Range": f"bytes={start}-{start + length - 1}"})
        return connection.getresponse().read()

    return read


class Seekable(io.RawIOBase):
    """What zipfile wants: a file. Each read is one ranged request."""

    def __init__(self, read: Callable[[int, int], bytes], size: int) -> None:
        self._ranged, self._size, self._at = read, size, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def read(self, length: int = -1) -> bytes:
        length = min(length if length >= 0 else self._size, self._size - self._at)
        content = self._ranged(self._at, length) if length else b""
        self._at += len(content)
        return content


def with_zipfile(read: Callable[[int, int], bytes], size: int) -> int:
    return len(zipfile.ZipFile(Seekable(read, size)).infolist())  # type: ignore[arg-type]


def with_truthmill(read: Callable[[int, int], bytes], size: int) -> int:
    from truthmill.archive import open_directory

    directory = open_directory(read, size, "bench.zip")
    _ = directory.digest
    return sum(1 for _ in directory.entries())


def with_truthmill_and_batches(read: Callable[[int, int], bytes], size: int) -> int:
    from truthmill.archive import batches, open_directory
    from truthmill.records import Entry

    directory = open_directory(read, size, "bench.zip")
    _ = directory.digest
    usable = (found for found in directory.entries() if isinstance(found, Entry))
    return sum(len(batch.entries) for batch in batches(usable, 64_000_000, 500))


READERS = {
    "zipfile": with_zipfile,
    "truthmill": with_truthmill,
    "truthmill, with batches": with_truthmill_and_batches,
}


def measured(reader: str, port: int, size: int) -> dict[str, float]:
    """One round, in this process: seconds, MiB."""
    read = ranged_reader(port)
    read(0, 1)
    clock = Clock()
    count = READERS[reader](read, size)
    return clock.read() | {"count": count}


def _ratios(results: list[dict[str, Any]], name: str, figure: str) -> list[float]:
    return [result[name][figure] / result["zipfile"][figure] for result in results]


def run(rounds: int = 3, count: int = 1_000_000) -> Report:
    """Rounds of every reader on one archive."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.zip")
        write_archive(path, count)
        size = path.stat().st_size
        Ranges.path_served = path
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            port = server.server_address[1]
            results = [{name: fresh(__file__, name, port, size) for name in READERS} for _ in range(rounds)]
            server.shutdown()
    if any(result[name]["count"] != count for result in results for name in READERS):
        raise SystemExit("a reader did not find all entries")
    ratios = {name: _ratios(results, name, "s") for name in READERS}
    cpu = {name: _ratios(results, name, "cpu_s") for name in READERS}
    memory = {name: median(result[name]["mib"] for result in results) for name in READERS}
    rows = [
        [
            name,
            spread(result[name]["s"] for result in results),
            spread(ratios[name]),
            spread(result[name]["cpu_s"] for result in results),
            spread(cpu[name]),
            f"{memory[name]:.0f}",
            f"{memory[name] / memory['zipfile']:.2f}",
        ]
        for name in READERS
    ]
    ours = "truthmill"
    return Report(
        name="archive_directory",
        title="The directory of a large zip over HTTP ranges",
        about=(
            f"{count:,} entries, {size / 1e6:.0f} MB, over one local HTTP server; each round a process for "
            "each reader, one after the other. Time from the first request to the last entry, imports, "
            "digest and overlaps included, and CPU of the reading process; memory is its peak. `zipfile` "
            "reads through the same ranged reader."
        ),
        rounds=rounds,
        tables=[
            Table(
                "Ratios are to zipfile's, round by round:",
                [
                    "reader",
                    "time, s",
                    "of zipfile's",
                    "CPU, s",
                    "of zipfile's",
                    "peak memory, MiB",
                    "of zipfile's",
                ],
                rows,
            )
        ],
        targets=[
            Target(
                f"directory of a zip with {count:,} entries over HTTP ranges: time; peak memory",
                "`zipfile` over the same ranged reader",
                "½ the time; ≤ 512 MiB",
                f"{spread(ratios[ours])} of the time, {spread(cpu[ours])} of the CPU; {memory[ours]:.0f} MiB "
                f"(zipfile {memory['zipfile']:.0f} MiB)",
                median(cpu[ours]) <= 0.5 and memory[ours] <= 512,
            )
        ],
        figures={"s": median(result[ours]["s"] for result in results), "mib": memory[ours]},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        print(json.dumps(measured(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        run(*(int(argument) for argument in sys.argv[1:])).show()
