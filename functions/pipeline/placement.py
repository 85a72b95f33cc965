"""place.jsonl: which picture goes where, in batches that one PlaceImages child works through."""

from collections.abc import Callable

from adapters.storage import LineSink
from truthmill import layout
from truthmill.images import EXTENSIONS
from truthmill.records import Entry, Inspection, PlaceBatch, Placement, Unplaced, encoded_size

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
        self.place(placement, _bytes_of(found.entry))

    def place(self, placement: Placement, size: int) -> None:
        """size: bytes that have to be read for it."""
        self._make_room(size, line_of(placement))
        self.pictures.append(placement)

    def leave_out(self, unplaced: Unplaced) -> None:
        """Keep the room of a picture that couldn't be placed.

        So the batches are those of before but for it, and what is in place isn't put there again.
        """
        self._make_room(_bytes_of(unplaced.entry), unplaced.line)

    def close(self) -> None:
        """Write the batch that is open, if any; one of which everything was left out has only its number."""
        if self.pictures:
            self.sink.add(PlaceBatch(batch=self.batch, pictures=tuple(self.pictures)))
        if self.count:
            self.batch += 1
        self._start()

    def _make_room(self, size: int, line: int) -> None:
        full = self.count >= BATCH_COUNT or self.bytes + size > BATCH_BYTES or self.line + line > LINE_BYTES
        if self.count and full:
            self.close()
        self.count += 1
        self.bytes += size
        self.line += line

    def _start(self) -> None:
        self.pictures: list[Placement] = []
        self.count, self.bytes, self.line = 0, 0, 100


def line_of(placement: Placement) -> int:
    """Bytes that it takes in its batch's line."""
    return encoded_size(placement) + 1


def _bytes_of(entry: Entry) -> int:
    """That have to be read for it."""
    return max(entry.compressed, entry.size)
