"""`truthmill pull --format`: a folder in one training format, whether or not the run built it.

The labels are written here, from the run's ledger by the format's own module, and the pictures are downloaded
to where that module wants them. A format with pictures in its files is downloaded as it lies in the bucket
where the run built it; else the pictures come first and are packed here.
"""

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from adapters.channel_folder import CHUNK, Folder, FolderWriter
from adapters.library import read_ledger
from adapters.storage import Storage
from truthmill.channels import CHANNELS
from truthmill.channels.writing import Copy as Placed
from truthmill.channels.writing import Counts, Shard
from truthmill.dataset import LabeledPicture, labeled_picture
from truthmill.layout import RunLayout
from truthmill.records import LedgerLine, from_lines
from truthmill.run import Run
from truthmill_cli.errors import FailedError, UsageError
from truthmill_cli.format_folder import STATE, FormatFolder, Holds
from truthmill_cli.pull import PARALLEL, Copy, complete_run, fetch, finished, progress_bar

LEDGER = f"{STATE}/ledger.jsonl"


def pull_format(storage: Storage, dataset: str, run: str, target: Path, name: str) -> dict[str, Any]:
    """Make `target` a folder in the format `name`; what `--json` prints. run: empty for the newest one.

    Pulling again goes on where the last time ended, and downloads no picture twice; of another run, what only
    the earlier one had is removed.
    Raises UsageError where there is no such format, dataset or run, or the folder has something else in it;
    FailedError where the run isn't complete, or has no labeled picture.
    """
    if name not in CHANNELS:
        raise UsageError(f"--format {name!r} is no format. Choose from {', '.join(CHANNELS)}.")
    at, document = complete_run(storage, dataset, run)
    folder = FormatFolder(target, Holds(dataset, at.run, name))
    counts = {"downloaded": 0, "present": 0, "bytes": 0}
    report = {"dataset": dataset, "run": at.run, "format": name, "to": str(target)}
    if CHANNELS[name].pictures == "embeds" and folder.is_complete:
        return {**report, **counts, "present": folder.files, "notes": []}
    with folder, progress_bar() as bar, ThreadPoolExecutor(PARALLEL) as pool:
        task = bar.add_task(f"Pulling {dataset} as {name}", total=None)
        with FolderWriter(folder.made, Folder(folder.made), with_pictures=False) as writer:
            pulling = _Pulling(storage, at, _run(document, at), name, folder, writer)
            for _, size in finished(pool, storage, pulling.copies(), target):
                counts["present" if size is None else "downloaded"] += 1
                counts["bytes"] += size or 0
                bar.update(task, advance=1)
            pulling.finish()
        folder.move_made()
    return {**report, **counts, "notes": pulling.notes}


def _run(document: dict[str, Any], at: RunLayout) -> Run:
    try:
        return msgspec.convert(document, Run)
    except msgspec.ValidationError as error:
        raise FailedError(
            f"{at.run_json} was written by another version of Truthmill: {error}. Pull without --format."
        ) from error


class _Pulling:
    """From a run's ledger to a folder of its format."""

    def __init__(
        self,
        storage: Storage,
        at: RunLayout,
        run: Run,
        name: str,
        folder: FormatFolder,
        writer: FolderWriter,
    ) -> None:
        self._storage, self._at, self._run, self._name = storage, at, run, name
        self._folder, self._writer, self._channel = folder, writer, CHANNELS[name]
        self._labels = run.asked.labels
        self._counts: dict[str, Counts] = {}
        self.notes: list[str] = []
        self._built = name in run.channels

    @property
    def _lies_packed(self) -> bool:
        """Whether the bucket has the files that are wanted, pictures and all."""
        return self._built and self._channel.pictures == "embeds"

    def copies(self) -> Iterator[Copy]:
        """What has to be downloaded; where the format places the pictures, labels are written on the way."""
        if self._lies_packed:
            yield from self._packed()
            return
        segments = read_ledger(self._storage, self._at).segments
        fetch(self._storage, Copy(tuple(segment.key for segment in segments), LEDGER), self._folder.target)
        self._count()
        for split in self._heading.splits:
            if self._channel.pictures == "copies":
                yield from self._written(split)
                continue
            for picture in self._pictures(split):
                yield self._copy(picture.key, self._place(picture))

    def _packed(self) -> Iterator[Copy]:
        prefix = self._at.channel(self._name)
        for found in self._storage.list(prefix):
            name = found.key.removeprefix(prefix)
            self._folder.expect(name)
            yield Copy((found.key,), name, found)

    def _count(self) -> None:
        """The splits there are, since a format's files name them. Raises FailedError where there are none."""
        pictures = Counter(picture.split for picture in self._pictures())
        if not pictures:
            raise FailedError(f"Run {self._at.run} of {self._at.dataset!r} has no labeled picture.")
        splits = self._run.channel_splits(pictures)
        self._heading = self._run.heading(self._storage.bucket, self._at.channel(self._name), splits)

    def _pictures(self, split: str = "") -> Iterator[LabeledPicture]:
        """Of a split or of all, in the ledger's order."""
        with (self._folder.target / LEDGER).open("rb") as file:
            for line in from_lines(iter(partial(file.read, CHUNK), b""), LedgerLine, self._at.ledger):
                if split in {"", line.split} and (picture := labeled_picture(line, self._labels)):
                    yield picture

    def _written(self, split: str) -> Iterator[Copy]:
        """Write a split's files; the pictures that go with them."""
        counts = self._counts[split] = Counts()
        shard = Shard(self._heading, split, counts.of(self._pictures(split)), content=self._content)
        for event in self._channel.write(shard):
            if isinstance(event, Placed):
                yield self._copy(event.key, event.file)
            else:
                self._writer.write((event,))

    def _copy(self, key: str, name: str) -> Copy:
        if not name.startswith(f"{STATE}/"):
            self._folder.expect(name)
        return Copy((key,), name, settled=True)

    def _place(self, picture: LabeledPicture) -> str:
        """Where a picture lies that the format refers to, or takes into its files."""
        root = "images" if self._channel.pictures == "refers" else f"{STATE}/pictures"
        return f"{root}/{picture.split}/{picture.file}"

    def _content(self, picture: LabeledPicture) -> bytes:
        return (self._folder.target / self._place(picture)).read_bytes()

    def finish(self) -> None:
        """Write what is left, once the pictures are there."""
        if self._lies_packed:
            return
        if self._channel.pictures != "copies":
            for split in self._heading.splits:
                deque(self._written(split), maxlen=0)
        last = list(self._channel.finish(self._heading, self._counts))
        self._writer.write(last)
        if not self._built and any(whole.file == "channels.json" for whole in last):
            self.notes.append(
                f"channels.json names {self._storage.uri(self._heading.prefix)} where this format isn't: put "
                "the folder there, or let a run build it, "
                f"truthmill resplit {self._at.dataset} --channels {self._name}"
            )
