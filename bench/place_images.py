"""Placing pictures: CPU of the function PlaceImages against the same done with boto3's `put_object`.

    python bench/place_images.py [rounds]

Both read the same archive by the same ranged reads from the same server (bench/disk_store.py, in a process
of its own, which keeps connections open as S3 does), unpack it by the same code and put the pictures with
16 requests under way; each round is a process, one after the other. What differs is the client: obstore, or
one boto3 client with get_object and put_object. A second boto3 row is what one writes without Truthmill:
`zipfile` over the archive, a thread pool, `put_object`.
"""

import hashlib
import io
import json
import random
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from disk_store import DiskStore
from report import Report, Table, Target, spread
from rounds import Clock, fresh, peak_mib

ROUNDS = 5
PICTURES = 400  # one child's batch
PICTURE_BYTES = 200_000
BUCKET, KEY = "bench", "incoming/bench.zip"
WANTED = 0.25


def archive(method: int) -> bytes:
    """As cameras' JPEGs lie in a zip: their bytes don't compress, whether they are stored or deflated."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method, compresslevel=6) as target:
        for number in range(PICTURES):
            target.writestr(f"IMG_{number:04d}.jpg", picture(number))
    return out.getvalue()


def picture(number: int) -> bytes:
    return random.Random(number).randbytes(PICTURE_BYTES)


def digits(number: int) -> str:
    """The digest's digits that a key begins with."""
    return hashlib.sha256(picture(number)).hexdigest()[:8]


def s3_client() -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client("s3", config=Config(max_pool_connections=16))


def batch_of(content: bytes) -> list[Any]:
    """The archive's entries, as Prepare plans them."""
    from truthmill.archive import open_directory
    from truthmill.records import Entry

    directory = open_directory(lambda start, length: content[start : start + length], len(content), KEY)
    return [found for found in directory.entries() if isinstance(found, Entry)]


def prepare(bucket: Path, content: bytes) -> None:
    """The archive, the run document and the batch, where the ways look for them; nothing is placed yet."""
    import msgspec

    from truthmill.records import PlaceBatch, Placement, to_lines
    from truthmill.request_reading import parse
    from truthmill.run import Run

    pictures = tuple(
        Placement(entry=entry, key=f"datasets/bench/images/train/{digits(number)}-{entry.name}")
        for number, entry in enumerate(batch_of(content))
    )
    asked = parse({"source": f"s3://{BUCKET}/{KEY}", "dataset": "bench", "labels": ["cat"]}, {}, {})
    run = Run(
        run="bench",
        dataset="bench",
        state="RUNNING",
        trigger="console",
        execution="bench",
        started_at="2026-01-01T00:00:00Z",
        request=msgspec.to_builtins(asked),
    )
    (batch,) = to_lines([PlaceBatch(batch=0, pictures=pictures)])
    shutil.rmtree(bucket / "datasets", ignore_errors=True)
    for key, written in (
        (KEY, content),
        ("batch.json", batch),
        ("datasets/bench/runs/bench/run.json", msgspec.json.encode(run)),
    ):
        (bucket / key).parent.mkdir(parents=True, exist_ok=True)
        (bucket / key).write_bytes(written)


def with_truthmill(reference: Any, batch: Any) -> Callable[[], object]:
    from adapters.storage import storage
    from pipeline.place_images import place_batch

    store = storage(BUCKET)
    return lambda: place_batch(reference, batch, store)


def with_boto3(reference: Any, batch: Any) -> Callable[[], object]:
    """The same function, whose storage speaks through boto3."""
    import msgspec
    from botocore.exceptions import ClientError

    from pipeline import place_images, reading

    class Boto3Storage:
        """What placing needs of a bucket."""

        def __init__(self) -> None:
            self.client = s3_client()

        def read_json(self, key: str, kind: Any) -> tuple[Any, str]:
            found = self.read(key)
            return msgspec.json.decode(found["Body"].read(), type=kind), found["ETag"]

        def read_lines(self, key: str, kind: Any) -> Iterator[Any]:
            lines = self.read(key)["Body"].read().splitlines()
            return (msgspec.json.decode(line, type=kind) for line in lines)

        def read(self, key: str) -> Any:
            try:
                return self.client.get_object(Bucket=BUCKET, Key=key)
            except ClientError as error:
                raise FileNotFoundError(key) from error

        def stream_range(self, key: str, start: int, length: int, etag: str = "") -> Iterator[bytes]:
            span = f"bytes={start}-{start + length - 1}"
            same = {"IfMatch": etag} if etag else {}
            body = self.client.get_object(Bucket=BUCKET, Key=key, Range=span, **same)["Body"]
            yield from body.iter_chunks(1024 * 1024)

        def write(self, key: str, data: bytes, content_type: str) -> None:
            self.client.put_object(Bucket=BUCKET, Key=key, Body=data, ContentType=content_type)

        def write_json(self, key: str, document: Any) -> None:
            self.write(key, msgspec.json.encode(document), "application/json")

    store: Any = Boto3Storage()
    place_images.storage = lambda _bucket: store
    assert reading.read_entries is place_images.read_entries  # noqa: S101 - what is replaced is what is used
    return lambda: place_images.place_batch(reference, batch, store)


def with_a_script(_reference: Any, batch: Any) -> Callable[[], object]:
    """The archive downloaded, `zipfile`, a pool of threads, `put_object`."""
    client = s3_client()

    def work() -> None:
        packed = zipfile.ZipFile(io.BytesIO(client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()))
        with ThreadPoolExecutor(16) as pool:
            under_way = [
                pool.submit(
                    client.put_object,
                    Bucket=BUCKET,
                    Key=picture.key,
                    Body=packed.read(picture.entry.name),
                    ContentType="image/jpeg",
                )
                for picture in batch.pictures
            ]
            for future in under_way:
                future.result()

    return work


WAYS = {
    "boto3, the same way": with_boto3,
    "boto3 and `zipfile`, a script": with_a_script,
    "PlaceImages (obstore)": with_truthmill,
}


def one_round(way: str) -> None:
    """In a process of its own; imports and clients are there before the clock starts."""
    import msgspec

    from adapters.storage import storage
    from pipeline.run import RunReference
    from truthmill.records import PlaceBatch

    batch = msgspec.json.decode(storage(BUCKET).read("batch.json"), type=PlaceBatch)
    work = WAYS[way](RunReference(bucket=BUCKET, dataset="bench", run="bench", execution="bench"), batch)
    before = peak_mib()
    clock = Clock()
    work()
    print(json.dumps(clock.read() | {"mib_before": before}))


def measured(method: int, rounds: int) -> list[dict[str, dict[str, Any]]]:
    """For each round what each way took."""
    content = archive(method)
    found = []
    with tempfile.TemporaryDirectory() as folder, DiskStore(Path(folder, BUCKET)) as store:
        for _ in range(rounds):
            took = {}
            for way in WAYS:
                prepare(store.folder, content)
                took[way] = fresh(__file__, way, environment=store.environment)
            found.append(took)
    return found


def run(rounds: int = ROUNDS) -> Report:
    """Both ways of packing."""
    tables, ratios = [], {}
    for packing, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        found = measured(method, rounds)
        rows = []
        for way in WAYS:
            cpu_ms = [took[way]["cpu_s"] * 1000 / PICTURES for took in found]
            of = [took[way]["cpu_s"] / took["boto3, the same way"]["cpu_s"] for took in found]
            of_script = [
                took[way]["cpu_s"] / took["boto3 and `zipfile`, a script"]["cpu_s"] for took in found
            ]
            wall = median(took[way]["s"] * 1000 / PICTURES for took in found)
            ratios[way, packing] = of
            rows.append([way, spread(cpu_ms), spread(of), spread(of_script), f"{wall:.1f}"])
        columns = ["way", "CPU a picture, ms", "of boto3's", "of the script's", "elapsed a picture, ms"]
        tables.append(Table(f"Entries {packing}, {PICTURE_BYTES // 1000} kB each:", columns, rows))
        if packing == "deflated":
            cpu_s = median(took["PlaceImages (obstore)"]["cpu_s"] for took in found) / PICTURES
    ours = ratios["PlaceImages (obstore)", "deflated"]
    stored = ratios["PlaceImages (obstore)", "stored"]
    return Report(
        name="place_images",
        title="Placing a picture",
        about=(
            f"{PICTURES} pictures of {PICTURE_BYTES // 1000} kB, CPU seconds of the whole client process "
            "(all threads, imports left out), read from and written to `bench/disk_store.py` in a process "
            "of its own; ratios round by round. What differs is the client; archive, ranged reads, "
            "unpacking and 16 requests under way are the same, but for the script. It is plain HTTP, over "
            "which boto3 signs a SHA-256 of every body (over TLS it doesn't, and CPU for TLS comes on top "
            "of both); ours signs none."
        ),
        rounds=rounds,
        tables=tables,
        targets=[
            Target(
                "place a picture, CPU seconds",
                "the same with boto3 `put_object`",
                f"{WANTED} of it",
                f"{spread(ours)} deflated, {spread(stored)} stored",
                median(ours) <= WANTED and median(stored) <= WANTED,
            )
        ],
        figures={"cpu_s_per_picture": cpu_s, "of_boto3": median(ours)},
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--round"]:
        one_round(sys.argv[2])
    else:
        run(*(int(argument) for argument in sys.argv[1:])).show()
