"""The library: a dataset's labeled pictures in Python, from S3 or from a folder that `truthmill pull` made.

    from truthmill import Dataset

    pets = Dataset.open("s3://bucket/datasets/pets")
    for picture in pets.split("train"):
        ...

Nothing is read before it is asked for, and nothing is held: a pass reads the ledger's lines as a stream.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import msgspec
from obstore.store import LocalStore

from adapters.storage import Storage, storage
from truthmill import layout
from truthmill.boxes import Box
from truthmill.dataset import labeled_picture
from truthmill.errors import SourceError
from truthmill.layout import SPLITS, RunLayout
from truthmill.ledger import Ledger, Segment
from truthmill.records import LedgerLine
from truthmill.s3_uri import s3_location

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class DrawnLabel:
    """One box with its class's name. box: whole pixels of the stored, upright picture."""

    label: str
    box: Box

    @property
    def xyxy(self) -> tuple[int, int, int, int]:
        """Left, top, first column to the right, first row below: pixels, as torchvision takes them."""
        return self.box.left, self.box.top, self.box.right, self.box.bottom


@dataclass(frozen=True, slots=True)
class Picture:
    """A labeled picture; without boxes it is a real negative, never one that nobody looked at.

    key: of the stored picture, relative to the bucket or the folder. split: "train", "validation" or "test".
    width, height: pixels. name: as in the source that it came from. sha256: of the file as it came (hex).
    """

    key: str
    split: str
    width: int
    height: int
    boxes: tuple[DrawnLabel, ...]
    name: str
    sha256: str
    _store: Storage

    @property
    def uri(self) -> str:
        return self._store.uri(self.key)

    def read(self) -> bytes:
        """The stored file, a JPEG or PNG."""
        return self._store.read(self.key)

    def image(self) -> "Image":
        """The picture decoded by Pillow: upright, three channels of 8 bits."""
        from PIL import Image

        with Image.open(io.BytesIO(self.read())) as opened:
            opened.load()
            return opened.convert("RGB")


class Dataset:
    """A dataset as its newest complete run left it, or another run. Make one with `open`.

    labels: the class list; a box's `class_id` is an index in it. run: the run's name.
    """

    def __init__(self, store: Storage, ledger: Ledger, labels: tuple[str, ...], name: str, run: str) -> None:
        self.labels, self.name, self.run = labels, name, run
        self._store, self._ledger = store, ledger

    @classmethod
    def open(cls, where: str | Path, run: str = "") -> Self:
        """where: "s3://bucket/datasets/name", or a folder made by `truthmill pull`. run: empty: the newest.

        Credentials, region and endpoint come from the environment, as for any tool of AWS's.
        Raises SourceError where there is no such dataset, or no such complete run.
        """
        place = str(where)
        return cls._in_bucket(place, run) if place.startswith("s3://") else cls._in_folder(Path(place), run)

    @classmethod
    def _in_bucket(cls, uri: str, run: str) -> Self:
        bucket, key = s3_location(uri)
        parts = key.strip("/").split("/")
        if len(parts) != 2 or parts[0] != "datasets" or not bucket:
            raise SourceError(f'{uri} isn\'t a dataset. Name one as "s3://bucket/datasets/name".')
        store, name = storage(bucket), parts[1]
        try:
            chosen = run or store.read_json(layout.latest(name), _Latest)[0].run
            at = RunLayout(name, chosen)
            document = store.read_json(at.run_json, _Run)[0]
            ledger = read_ledger(store, at)
        except FileNotFoundError:
            raise SourceError(
                f"{uri} has no complete run{' named ' + repr(run) if run else ''}. `truthmill status` lists "
                "the runs there are."
            ) from None
        return cls(store, ledger, document.request.labels or ledger.labels, name, chosen)

    @classmethod
    def _in_folder(cls, folder: Path, run: str) -> Self:
        """What `truthmill pull` lays out: one run, its ledger in one file."""
        try:
            document = msgspec.json.decode((folder / "run.json").read_bytes(), type=_Run)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            raise SourceError(
                f"{folder} has no run.json, so it wasn't made by `truthmill pull DATASET --to {folder}`."
            ) from None
        if run not in {"", document.run}:
            raise SourceError(f"{folder} holds run {document.run!r}, not {run!r}. Pull that one.")
        segment = Segment(run=document.run, key="ledger.jsonl", pictures=0)
        labels = document.request.labels
        return cls(
            _Folder(folder.resolve()), Ledger(labels, (segment,)), labels, document.dataset, document.run
        )

    @property
    def splits(self) -> tuple[str, ...]:
        """Those that have a labeled picture."""
        return tuple(name for name in SPLITS if next(self.split(name), None) is not None)

    def __iter__(self) -> Iterator[Picture]:
        """All labeled pictures, in the order in which they came."""
        return self._pictures("")

    def split(self, name: str) -> Iterator[Picture]:
        """Pictures of one split. Raises ValueError for a name that isn't one."""
        if name not in SPLITS:
            raise ValueError(f"{name!r} is no split; there are {', '.join(SPLITS)}.")
        return self._pictures(name)

    def _pictures(self, split: str) -> Iterator[Picture]:
        for segment in self._ledger.segments:
            for line in self._store.read_lines(segment.key, LedgerLine):
                if split in {"", line.split} and (found := labeled_picture(line, self.labels)):
                    drawn = tuple(DrawnLabel(self.labels[box.class_id], box) for box in found.boxes)
                    yield Picture(
                        key=found.key,
                        split=found.split,
                        width=found.width,
                        height=found.height,
                        boxes=drawn,
                        name=found.name,
                        sha256=found.sha256,
                        _store=self._store,
                    )


class _Latest(msgspec.Struct):
    run: str


class _Asked(msgspec.Struct):
    labels: tuple[str, ...] = ()


class _Run(msgspec.Struct):
    """What the library needs of run.json, whichever version wrote it."""

    run: str
    dataset: str
    request: _Asked


class _Folder(Storage):
    """A pulled folder, in which a picture lies below images/ as it does below the dataset's prefix."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalStore(folder), folder.name)
        self.folder = folder

    def uri(self, key: str) -> str:
        return (self.folder / _below_images(key)).as_uri()

    def read(self, key: str, limit: int = 0) -> bytes:
        return super().read(_below_images(key), limit)


def _below_images(key: str) -> str:
    _, images, rest = key.rpartition("/images/")
    return f"images/{rest}" if images else key


def read_ledger(store: Storage, at: RunLayout) -> Ledger:
    """The ledger that a run's channels were built from."""
    try:
        return store.read_json(at.ledger, Ledger)[0]
    except FileNotFoundError:  # of a run that was made before ledgers were kept with it
        return store.read_json(layout.ledger(at.dataset), Ledger)[0]
