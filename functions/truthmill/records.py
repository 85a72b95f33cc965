"""The lines that a run's objects hold, and how a line is read and written (JSON Lines by msgspec)."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from truthmill.boxes import Box
from truthmill.errors import FormatError

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", kw_only=True):
    """A line: immutable, defaults left out, camelCase in JSON."""


class Entry(Record, frozen=True):
    """Where the bytes of one input lie: in the source archive, or as a loose object.

    name: as in the source, unchanged (with folders); never used as a path.
    offset: of the entry's local header in the archive, bytes; size, compressed: bytes.
    method: 0 stored, 8 deflated. crc: CRC-32 of the unpacked bytes.
    key: of the loose object, where the source is a prefix; then there is no offset.
    stated: the name that the archive's header has, where a Unicode path gives another.
    until: where in the archive it has to end, where the next entry of its batch doesn't tell.
    """

    name: str
    offset: int = -1
    compressed: int = 0
    size: int = 0
    method: int = 0
    crc: int = 0
    key: str = ""
    stated: str = ""
    until: int = 0


def stored_entry(line: "LedgerLine") -> Entry:
    """A picture that the dataset keeps, as an entry to be copied from."""
    return Entry(name=line.name, key=line.key)


class Seen(Record, frozen=True):
    """A line of listing.jsonl: a loose object that a run found, in the order of keys. size: bytes."""

    key: str
    etag: str
    size: int = 0


class Batch(Record, frozen=True):
    """A line of plan.jsonl: what one InspectImages child works on. batch: its number, from 0."""

    batch: int
    entries: tuple[Entry, ...]


class Inspection(Record, frozen=True):
    """What became of one input; a line of inspected/*.jsonl.

    Every input ends as exactly one of these. reason: empty where the picture can be used, else a key of
    `rejections.REASONS`; detail: what was found.
    sha256: of the file's bytes as they came (hex). pixels: digest of the upright, 8-bit RGB pixels (hex).
    fingerprint: perceptual, see `similarity`. width, height, format ("jpeg" or "png"): of the picture as it
    will be stored. conversions: what is done to it on the way; empty where its bytes are kept.
    taken: EXIF capture time "YYYY-MM-DDTHH:MM:SS", or empty. orientation: of the file as it came (EXIF).
    """

    entry: Entry
    reason: str = ""
    detail: str = ""
    sha256: str = ""
    pixels: str = ""
    fingerprint: str = ""
    width: int = 0
    height: int = 0
    format: str = ""
    conversions: tuple[str, ...] = ()
    taken: str = ""
    orientation: int = 1

    @property
    def scaled_from(self) -> tuple[int, int] | None:
        """Width and height of the upright picture before it was scaled; None where it wasn't."""
        words = (word for word in self.conversions if word.startswith("scaled:"))
        before = next(words, "").removeprefix("scaled:").partition("->")[0]
        width, _, height = before.partition("x")
        return (int(width), int(height)) if before else None


class Placement(Record, frozen=True):
    """One kept picture on its way to its key (relative to the bucket)."""

    entry: Entry
    key: str
    conversions: tuple[str, ...] = ()


class PlaceBatch(Record, frozen=True):
    """A line of place.jsonl: what one PlaceImages child works on."""

    batch: int
    pictures: tuple[Placement, ...]


class Unplaced(Record, frozen=True):
    """A line of unplaced/*.jsonl: a picture that was to be placed and couldn't be, so that it isn't kept.

    reason, detail: as in `Inspection`. line: bytes that it takes in its batch's line of place.jsonl.
    """

    entry: Entry
    reason: str
    detail: str = ""
    line: int = 0


class Rejected(Record, frozen=True):
    """A line of rejected.jsonl. of: the name or key of what it is a duplicate of."""

    name: str
    reason: str
    detail: str = ""
    advice: str = ""
    of: str = ""
    distance: int | None = None


class LedgerPart(Record, frozen=True):
    """Whole lines of a segment of the ledger. start: first byte; length: bytes."""

    key: str
    start: int
    length: int


class Before(Record, frozen=True):
    """What of a split comes before a shard."""

    pictures: int = 0
    boxes: int = 0


class ChannelShard(Record, frozen=True):
    """A line of shards.jsonl: labeled pictures that one BuildShards child writes into every channel.

    number: from 0. parts: where they stand in the ledger. splits: of the whole dataset, in their order.
    """

    number: int
    parts: tuple[LedgerPart, ...]
    splits: tuple[str, ...]
    before: dict[str, Before]


class LedgerLine(Record, frozen=True):
    """A picture that the dataset keeps.

    name: as in its source. key: of the stored picture. run: that brought it in.
    boxes: None until labeled; empty where workers found nothing (a real negative).
    group: the split group it belongs to, or empty.
    labels: for how many of the dataset's labels, from the first, workers have looked; 0 until labeled.
    doubts: keys of `box_check.FINDINGS`, and "low-confidence": why somebody should look again.
    orientation: of the file as it came (EXIF); scaled_from: width and height, upright, before it was scaled.
    taken: as in `Inspection`.
    prelabels: boxes that came with the picture, for workers to begin with.
    review: how a review ended, a key of `labeling_rounds.REVIEWS`, or empty; original: the boxes before it.
    """

    sha256: str
    key: str
    split: str
    name: str
    run: str
    pixels: str = ""
    fingerprint: str = ""
    width: int = 0
    height: int = 0
    group: str = ""
    boxes: tuple[Box, ...] | None = None
    labels: int = 0
    doubts: tuple[str, ...] = ()
    orientation: int = 1
    scaled_from: tuple[int, int] | None = None
    taken: str = ""
    prelabels: tuple[Box, ...] | None = None
    review: str = ""
    original: tuple[Box, ...] | None = None


class Copy(Record, frozen=True):
    """A picture that isn't kept because the dataset keeps the same one, from elsewhere; a line of `Copies`.

    pixels: of both. name, taken: its own, by which its group binds the one that is kept.
    """

    pixels: str
    name: str
    taken: str = ""


def name_of(line: LedgerLine) -> Copy:
    """What a picture was called where it came from, for a run that keeps it under another name."""
    return Copy(pixels=line.pixels, name=line.name, taken=line.taken)


class Unlabeled(Record, frozen=True):
    """A line of unlabeled.jsonl: a picture that a run asked about in vain. key: of the stored picture."""

    key: str
    name: str
    reason: str


class Similar(Record, frozen=True):
    """A line of similar.jsonl: two kept pictures that look alike. distance: bits of the fingerprints."""

    key: str
    of: str
    distance: int


_encoder = msgspec.json.Encoder()


def to_lines(records: Iterable[Any]) -> Iterator[bytes]:
    """JSON Lines of records, one `bytes` with its newline each."""
    for record in records:
        yield _encoder.encode(record) + b"\n"


def encoded_size(record: Any) -> int:
    """Bytes of a record as JSON."""
    return len(_encoder.encode(record))


def from_lines(chunks: Iterable[bytes | memoryview], kind: type[T], where: str) -> Iterator[T]:
    """Records of JSON Lines that arrive in chunks of any size; at most a chunk and a line are held.

    where: name of the source for messages. Raises FormatError that names it and the line.
    """
    decode = msgspec.json.Decoder(kind).decode
    for number, line in enumerate(split_lines(chunks), start=1):
        if line.strip():
            try:
                yield decode(line)
            except (msgspec.DecodeError, ValueError) as error:
                raise FormatError(f"{where}, line {number}: {error}") from error


def line_lengths(chunks: Iterable[bytes | memoryview], kind: type[T], where: str) -> Iterator[tuple[T, int]]:
    """As `from_lines`, each record with the bytes of its line, newline included."""
    decode = msgspec.json.Decoder(kind).decode
    for number, line in enumerate(split_lines(chunks), start=1):
        try:
            yield decode(line), len(line) + 1
        except (msgspec.DecodeError, ValueError) as error:
            raise FormatError(f"{where}, line {number}: {error}") from error


def split_lines(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Lines, without their newline, of text that arrives in chunks of any size."""
    begun: list[bytes] = []  # of a line that goes on in the next chunk
    for chunk in chunks:
        first, *lines = bytes(chunk).split(b"\n")
        begun.append(first)
        if lines:
            yield b"".join(begun)
            yield from lines[:-1]
            begun = [lines[-1]]
    if last := b"".join(begun):
        yield last
