"""`truthmill pull`: lays a dataset out on this machine, so that a trainer can read it at once."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.library import read_ledger
from adapters.listing import Stored
from adapters.storage import Storage
from truthmill import layout
from truthmill.layout import RunLayout
from truthmill.ledger import Ledger
from truthmill_cli import console, runs
from truthmill_cli.errors import FailedError, UsageError

PARALLEL = 16
PENDING = 256  # downloads waiting for a thread; bounds memory, whatever the dataset's size


@dataclass(frozen=True, slots=True)
class Copy:
    """Objects, joined in their order, and the file they make, relative to the target.

    found: what a listing says of the one object, if there is one. settled: a file of that name is the very
    one, since names of pictures follow from their content and are given when all of it has come.
    """

    keys: tuple[str, ...]
    path: str
    found: Stored | None = None
    settled: bool = False


def pull(storage: Storage, dataset: str, run: str, target: Path) -> dict[str, Any]:
    """Download what is not there yet; what `--json` prints. run: empty for the newest complete one.

    A download that was cut short leaves nothing under its own name, so pulling again goes on where it ended.
    Raises UsageError where there is no such dataset or run.
    """
    at, _ = complete_run(storage, dataset, run)
    counts = {"downloaded": 0, "present": 0, "bytes": 0}
    with progress_bar() as bar, ThreadPoolExecutor(PARALLEL) as pool:
        task = bar.add_task(f"Pulling {dataset}", total=None)
        for copy, size in finished(pool, storage, copies(storage, at), target):
            counts["present" if size is None else "downloaded"] += 1
            counts["bytes"] += size or 0
            bar.update(task, advance=1, description=f"Pulling {Path(copy.path).parts[0]}")
    return {"dataset": dataset, "run": at.run, "to": str(target), **counts}


def complete_run(storage: Storage, dataset: str, run: str) -> tuple[RunLayout, runs.Document]:
    """A run and its run.json. run: empty for the newest complete one.

    Raises UsageError where there is none, FailedError where it isn't complete.
    """
    at = RunLayout(dataset, run or newest(storage, dataset))
    document = runs.read(storage, at.run_json)
    if document is None:
        raise UsageError(f"Dataset {dataset!r} has no run {at.run!r}. `truthmill status` lists them.")
    if document["state"] != "SUCCEEDED":
        raise FailedError(f"Run {at.run} of {dataset!r} is {document['state']}; it has no complete channels.")
    return at, document


def newest(storage: Storage, dataset: str) -> str:
    """The newest complete run of a dataset. Raises UsageError where there is none."""
    latest = runs.read(storage, layout.latest(dataset))
    if latest is None:
        raise UsageError(f"Dataset {dataset!r} has no complete run. `truthmill status` lists what there is.")
    return str(latest["run"])


def copies(storage: Storage, at: RunLayout) -> Iterator[Copy]:
    """Every object of a dataset that a trainer needs, with its place."""
    yield Copy((at.run_json,), "run.json")
    yield Copy((at.rejected,), "rejected.jsonl")
    yield Copy((at.report,), "report.html")
    ledger = read_ledger(storage, at)
    yield Copy(tuple(segment.key for segment in ledger.segments), "ledger.jsonl")
    kept = _Kept(storage, ledger)
    manifests, images = at.prefix + "manifests/", layout.dataset_prefix(at.dataset) + "images/"
    for prefix, folder in ((manifests, "manifests/"), (at.channels, "channels/"), (images, "images/")):
        for found in storage.list(prefix):
            if prefix != images or found.key in kept:
                yield Copy((found.key,), folder + found.key.removeprefix(prefix), found)


class _Kept:
    """The pictures of a run's ledger: others lie there for earlier runs. About 60 bytes a picture."""

    def __init__(self, storage: Storage, ledger: Ledger) -> None:
        self._marks = {
            hash(line.key) for segment in ledger.segments for line in storage.read_lines(segment.key, _Line)
        }

    def __contains__(self, key: str) -> bool:
        return hash(key) in self._marks


class _Line(msgspec.Struct):
    """What is read of a ledger's line."""

    key: str


def finished(
    pool: ThreadPoolExecutor, storage: Storage, wanted: Iterator[Copy], target: Path
) -> Iterator[tuple[Copy, int | None]]:
    """Each copy once it is there, with the bytes that were downloaded; None where it was there before."""
    under_way: dict[Future[int | None], Copy] = {}
    try:
        for copy in wanted:
            under_way[pool.submit(fetch, storage, copy, target)] = copy
            while len(under_way) >= PENDING:
                yield from _reap(under_way)
        while under_way:
            yield from _reap(under_way)
    finally:
        for future in under_way:
            future.cancel()


def _reap(under_way: dict["Future[int | None]", Copy]) -> Iterator[tuple[Copy, int | None]]:
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        yield under_way.pop(future), future.result()


def fetch(storage: Storage, copy: Copy, target: Path) -> int | None:
    """Download one object; bytes that came, or None where a file of its size and time is there already.

    The time matters: another run's channel may have the same name and the same size.
    """
    path = place(target, copy.path)
    if (copy.settled and path.is_file()) or (copy.found and _is_there(path, copy.found)):
        return None
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    size = 0
    try:
        with partial.open("wb") as file:
            for chunk in itertools.chain.from_iterable(map(storage.stream, copy.keys)):
                size += file.write(chunk)
        if copy.found:
            os.utime(partial, (copy.found.modified.timestamp(),) * 2)
        os.replace(partial, path)  # noqa: PTH105 -- the same in fewer steps, once for each picture
    except FileNotFoundError as error:
        raise FailedError(
            f"What {copy.path} is made of isn't in {storage.bucket}, though its run says it is complete."
        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()
    return size


def _is_there(path: Path, found: Stored) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return there.st_size == found.size and int(there.st_mtime) == int(found.modified.timestamp())


def place(target: Path, path: str) -> Path:
    """Where an object's file goes. Raises FailedError where its name would lead out of the target."""
    placed = target / path
    if ".." in Path(path).parts or not placed.is_relative_to(target):
        raise FailedError(f"The bucket has an object named {path!r}, which would lie outside {target}.")
    return placed


def progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console.progress, transient=True)


def document(target: Path) -> Any:
    """run.json as it was pulled."""
    return msgspec.json.decode((target / "run.json").read_bytes())
