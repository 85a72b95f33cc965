"""place.jsonl: which picture goes where, in batches that one PlaceImages child works through."""

from collections.abc import Callable

from adapters.storage import LineSink
from truthmill import layout
from truthmill.images import EXTENSIONS
from truthmill.records import Inspection, PlaceBatch, Placement, encoded_size

BATCH_BYTES = 1024**3  # some ten seconds of reading and writing
BATCH_COUNT = 400
LINE_BYTES = 180_000  # a Distributed Map's child takes 256 KiB, its other input included


def key_mark(key: str) -> int:
    """Equal for keys that a file system would take for the same name."""
    return hash(key.rpartition("/")[2].lower())


def picture_keys(dataset: str, taken: set[int]) -> Callable[[Inspection, str], str]:
    """Gives each kept picture its key; where eight digits of two pictures and their names agree, all digits.

    taken: `key_mark` of each key that belongs to another picture; grows by the keys that are given.
    """

    def key_of(found: Inspection, split: str) -> str:
        extension = EXTENSIONS[found.format]
        key = layout.picture(dataset, split, found.sha256[:8], found.entry.name, extension)
        mark = key_mark(key)
        if mark in taken:
            key = layout.picture(dataset, split, found.sha256, found.entry.name, extension)
        taken.add(mark)
        return key

    return key_of


class PlaceWriter:
    """Writes kept pictures in their order, cut into batches by bytes, count and length of the line."""

    def __init__(self, sink: LineSink) -> None:
        self.sink = sink
        self.batch = 0
        self._start()

    def add(self, found: Inspection, key: str) -> None:
        placement = Placement(entry=found.entry, key=key, conversions=found.conversions)
        self.place(placement, max(found.entry.compressed, found.entry.size))

    def place(self, placement: Placement, size: int) -> None:
        """size: bytes that have to be read for it."""
        line = encoded_size(placement) + 1
        full = (
            len(self.pictures) >= BATCH_COUNT
            or self.bytes + size > BATCH_BYTES
            or self.line + line > LINE_BYTES
        )
        if self.pictures and full:
            self.close()
        self.pictures.append(placement)
        self.bytes += size
        self.line += line

    def close(self) -> None:
        """Write the batch that is open, if any."""
        if self.pictures:
            self.sink.add(PlaceBatch(batch=self.batch, pictures=tuple(self.pictures)))
            self.batch += 1
        self._start()

    def _start(self) -> None:
        self.pictures: list[Placement] = []
        self.bytes, self.line = 0, 100
