"""A zip's central directory, read as a stream through ranged reads."""

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from truthmill.archive_end import DIRECTORY_SIGNATURE, End, Read, find_end, is_archive_before, joined
from truthmill.archive_entry import (
    APART,
    BEYOND,
    FIELDS,
    OUTSIDE,
    SETTINGS,
    SHARED,
    UNICODE_PATH,
    UNKNOWN,
    Record,
    entry_of,
    is_settings,
    judge,
    judge_packing,
    sizes,
)
from truthmill.errors import ArchiveError
from truthmill.records import Entry, Inspection
from truthmill.rejections import REASONS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK_BYTES = 4 * 1024 * 1024
KEEP_BYTES = 128 * 1024 * 1024
MAX_ENTRIES = 10_000_000
"""More than a run can have; of each 64 bytes are held where they lie in another order than listed."""
_SIGNED, _MAX_SIGNED = b"PK\x05\x05", 6 + 0xFFFF  # a digital signature of the directory (4.3.13)
_LOCAL_BYTES = 30  # of a local header without name and extra field
_SETTINGS_BYTES = (len(SETTINGS), len("./" + SETTINGS))
_SETTINGS_PATH_BYTES = 9 + len(SETTINGS)  # of a Unicode path that names them, with its own head (4.6.9)


def open_directory(
    read: Read, size: int, name: str, *, chunk: int = CHUNK_BYTES, keep: int = KEEP_BYTES
) -> "Directory":
    """The archive's directory; only its end records are read yet.

    size: of the archive, bytes; name: for messages; chunk: bytes that are asked for at once;
    keep: bytes up to which the directory is kept, so that it is read once.
    Raises ArchiveError where there is no directory, or end records contradict each other.
    """
    return Directory(read, size, name, find_end(read, size, name), chunk, keep)


class Directory:
    """All entries of an archive.

    The directory is gone through twice: once for what only all entries together tell (digest, count,
    overlaps), of which 17 bytes an entry are kept, and once for the entries themselves. Up to 128 MiB of it
    (about a million entries) are kept in between; of a longer one a chunk and a record are held, and it is
    read twice.
    """

    def __init__(self, read: Read, size: int, name: str, end: End, chunk: int, keep: int) -> None:
        self._read, self._size, self._name, self._end, self._chunk = read, size, name, end, chunk
        self._keep = end.length <= keep
        self._kept: list[bytes] = []

    @property
    def digest(self) -> str:
        """SHA-256 (hex) over the directory's bytes and the archive's size. Raises ArchiveError."""
        return self._survey.digest

    @property
    def count(self) -> int:
        """Number of entries, whatever becomes of them. Raises ArchiveError."""
        return len(self._survey.offsets)

    @cached_property
    def settings(self) -> Entry | None:
        """The entry truthmill.json at the root, or None. Raises ArchiveError where it can't be trusted."""
        records = self._survey.settings
        if len(records) > 1:
            raise ArchiveError(f"{self._name} has {SETTINGS} more than once; keep the one that counts.")
        for index, record in records:
            entry, place = entry_of(record, self._survey.offsets[index]), self._survey.places[index]
            reason, detail = judge_packing(entry, record, place)
            if reason:
                found = f" ({detail})" if detail else ""
                raise ArchiveError(f"{SETTINGS} in {self._name}{found}: {REASONS[reason]}")
            return entry
        return None

    def entries(self) -> Iterator[Entry | Inspection]:
        """One for each record, in its order: the entry, or why it isn't used. Raises ArchiveError."""
        survey = self._survey
        judged = map(judge, self._records(None), survey.offsets, survey.places)
        return (
            _until_next(judged, self._end.position)
            if survey.stops is None
            else map(_until, judged, survey.stops)
        )

    @cached_property
    def _survey(self) -> "_Survey":
        hasher = hashlib.sha256()
        offsets, ends = array("q"), array("q")
        settings: list[tuple[int, Record]] = []  # the second only to say that there is one
        add_offset, add_end = offsets.append, ends.append
        beyond, shift = self._size + 1, self._end.shift
        reached, in_order = 0, not self._end.wraps
        if self._end.zip64:
            self._check_number(self._end.count)
        for record in islice(self._records(hasher), MAX_ENTRIES + 1):
            fields, buffer, position = record
            _, _, _, _, compressed, size, name, extra, _, _, _, offset = fields
            if UNKNOWN in (compressed, size, offset):
                # 2^64 doesn't fit the arrays.
                compressed, offset = (min(value, beyond) for value in sizes(record)[1:])
            start = offset + shift
            if start < reached:
                in_order = False
            reached = start + _LOCAL_BYTES + name + compressed
            add_offset(start)
            add_end(reached)
            may_be_settings = name in _SETTINGS_BYTES
            if extra >= _SETTINGS_PATH_BYTES:
                path = position + FIELDS.size + name
                may_be_settings |= buffer.find(UNICODE_PATH, path, path + extra) >= 0
            if may_be_settings and len(settings) < 2 and is_settings(entry_of(record, start).name):
                settings.append((len(offsets) - 1, record))
        hasher.update(b"%d" % self._size)
        self._check_number(len(offsets))
        self._check_count(len(offsets))
        lowest = min(offsets, default=0)
        if 0 < lowest < self._end.position and is_archive_before(self._read, lowest):
            raise joined(self._name, "first", lowest)
        if in_order and reached <= self._end.position:
            return _Survey(hasher.hexdigest(), offsets, bytes(len(offsets)), None, settings)  # APART, all
        return _Survey(hasher.hexdigest(), offsets, *_places(offsets, ends, self._end), settings)

    def _check_number(self, count: int) -> None:
        if count > MAX_ENTRIES:
            raise ArchiveError(
                f"{self._name} has {count} entries or more; one archive may have {MAX_ENTRIES}. Pack them "
                'into several archives, and name one "dataset" for all of them.'
            )

    def _check_count(self, found: int) -> None:
        stated = self._end.count
        if found != stated and (self._end.zip64 or found % 0x10000 != stated):
            raise ArchiveError(
                f"{self._name}: its end record says {stated} entries, its directory has {found}. "
                "It is damaged. Upload it again, or pack the pictures again."
            )

    def _records(self, hasher: Any) -> Iterator[Record]:
        """Every record; `hasher` is fed the bytes as they come. Raises ArchiveError."""
        unpack, header = FIELDS.unpack_from, FIELDS.size
        rest = b""
        for chunk in self._chunks():
            if hasher is not None:
                hasher.update(chunk)
            buffer, position = rest + chunk, 0
            last = len(buffer) - header
            while position <= last:
                fields = unpack(buffer, position)
                if fields[0] != DIRECTORY_SIGNATURE:
                    if fields[0] == _SIGNED and len(buffer) - position <= _MAX_SIGNED:
                        break  # the directory's last record
                    raise self._damaged()
                following = position + header + fields[6] + fields[7] + fields[8]
                if following > len(buffer):
                    break
                yield fields, buffer, position
                position = following
            rest = buffer[position:]
        if rest and not (rest[:4] == _SIGNED and len(rest) == 6 + int.from_bytes(rest[4:6], "little")):
            raise self._damaged()

    def _damaged(self) -> ArchiveError:
        return ArchiveError(
            f"{self._name}: a record of its directory ({self._end.length} bytes at {self._end.position}) "
            "doesn't begin or end where it should. Upload it again, or pack the pictures again."
        )

    def _chunks(self) -> Iterator[bytes]:
        position, end = self._end.position, self._end.position + self._end.length
        for chunk in self._kept:
            yield chunk
            position += len(chunk)
        while position < end:
            length = min(self._chunk, end - position)
            chunk = self._read(position, length)
            if len(chunk) != length:
                raise ArchiveError(
                    f"{self._name}: {length} bytes were asked for at byte {position}, {len(chunk)} came. "
                    "It was replaced while it was read. Start again."
                )
            if self._keep:
                self._kept.append(chunk)
            yield chunk
            position += length


@dataclass(frozen=True, slots=True)
class _Survey:
    """What all records together tell: for each its local header's offset, and its place.

    stops: where the next one's begins, or the directory; None where they come in this order.
    """

    digest: str
    offsets: "array[int]"
    places: bytes
    stops: "array[int] | None"
    settings: list[tuple[int, Record]]


def _until_next(judged: Iterator[Entry | Inspection], end: int) -> Iterator[Entry | Inspection]:
    """Of entries in their order, told where they have to end where what follows isn't an entry that is used.

    end: of the last one, where the directory begins.
    """
    held = next(judged, None)
    if held is None:
        return
    for found in judged:
        yield held if isinstance(found, Entry) else _until(held, found.entry.offset)
        held = found
    yield _until(held, end)


def _until(found: Entry | Inspection, stop: int) -> Entry | Inspection:
    return msgspec.structs.replace(found, until=stop) if isinstance(found, Entry) else found


def _places(offsets: "array[int]", ends: "array[int]", end: End) -> tuple[bytes, "array[int]"]:
    """Whether each entry's bytes are its own (APART, SHARED, OUTSIDE, BEYOND), and where the next begins.

    Its bytes are counted without the local extra field, whose length only the local header knows. Entries
    outside don't count against others: what they say about their bytes is a lie in any case. Where offsets
    are written modulo 2^32, they are made whole in `offsets`: that tool writes its entries one after another.
    """
    import numpy as np  # noqa: PLC0415 - its import takes long, and ordinary archives don't need it

    starts, stops = np.frombuffer(offsets, np.int64), np.frombuffer(ends, np.int64)  # not copies
    if end.wraps and len(starts):
        lost = np.concatenate(([0], np.cumsum(np.diff(starts) < 0))) * 2**32
        starts += lost
        stops += lost
    places = np.full(len(starts), APART, np.uint8)
    places[stops > end.position] = BEYOND
    places[starts + _LOCAL_BYTES > end.position] = OUTSIDE
    inside = np.flatnonzero(places == APART)
    inside = inside[np.argsort(starts[inside], kind="stable")]
    places[inside[_sharing(starts[inside], stops[inside])]] = SHARED
    following = array("q", bytes(8 * len(starts)))
    np.frombuffer(following, np.int64)[inside] = np.append(starts[inside][1:], end.position)[: len(inside)]
    return places.tobytes(), following


def _sharing(starts: "NDArray[np.int64]", stops: "NDArray[np.int64]") -> "NDArray[np.bool_]":
    """Which spans share bytes with any other; starts ascending."""
    import numpy as np  # noqa: PLC0415

    shared = np.zeros(len(starts), np.bool_)
    shared[1:] = starts[1:] < np.maximum.accumulate(stops)[:-1]
    shared[:-1] |= stops[:-1] > starts[1:]
    return shared
