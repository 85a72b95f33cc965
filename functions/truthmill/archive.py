"""The archive's pictures: batches of entries, the ranged reads they take, and each entry unpacked.

The directory itself is read in `archive_directory`. Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from struct import Struct

import msgspec
from zlib_ng import zlib_ng

from truthmill.archive_directory import Directory, open_directory
from truthmill.archive_end import Read
from truthmill.archive_entry import MAX_PICTURE_BYTES, decode_name, stated_name, widened
from truthmill.errors import PictureError
from truthmill.records import Batch, Entry

__all__ = ["Directory", "Read", "batches", "local_length", "open_directory", "spans", "unpack", "unpack_all"]

_LOCAL = Struct("<4s2xHH4xLLLHH")  # 4.3.7
_LOCAL_EXTRA = 256
"""Bytes that a span allows for a local extra field, beyond a second copy of the name; tools need up to 40."""

_GAP_SHARE, _GAP_BYTES = 4, 256 * 1024
"""A span may read a quarter more than is needed, or 256 KiB: another request takes longer than that."""

_SENT = 0x0008  # bit 3 of the flags: sizes and checksum follow the data (4.3.9)
_ENCRYPTED = 0x0001
_PIECE = 64 * 1024
_encode = msgspec.json.Encoder().encode

Stream = Callable[[int, int], Iterable[bytes | memoryview]]
"""(start, length) to the bytes there, in chunks of any size as they arrive; fewer at the archive's end."""


def batches(
    entries: Iterable[Entry], max_bytes: int, max_count: int, max_line_bytes: int = 180_000
) -> Iterator[Batch]:
    """Entries in their order, cut into batches, numbered from 0.

    max_bytes: of the entries unpacked, or packed where that is more; max_count: of entries; max_line_bytes:
    of the batch as a line of JSON, but for where its last entry has to end (a child of a Distributed Map
    takes 256 KiB, its other input included).
    An entry that is over a limit by itself makes a batch of its own.
    """
    number, total, line = 0, 0, 0
    batch: list[Entry] = []
    for entry in entries:
        weight = max(entry.size, entry.compressed)
        length = len(_encode(entry)) + 1  # a comma, or the line's end
        full = len(batch) >= max_count or total + weight > max_bytes or line + length > max_line_bytes
        if batch and full:
            batch[-1] = _until(batch[-1], entry)
            yield Batch(batch=number, entries=tuple(batch))
            number, total, line, batch = number + 1, 0, 0, []
        if not batch:
            line = len(_encode(Batch(batch=number, entries=())))
        batch.append(entry)
        total += weight
        line += length
    if batch:
        yield Batch(batch=number, entries=tuple(batch))


def _until(last: Entry, following: Entry) -> Entry:
    """The last entry of a batch, told where the next one begins."""
    known = last.until or last.offset >= following.offset
    return last if known else msgspec.structs.replace(last, until=following.offset)


def spans(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    """The ranged reads (start, length) that cover the entries with their local headers, ascending.

    Neighbours share a read where the gap is small: however long it gets, it is read as a stream. A read may
    pass the archive's end by a few hundred bytes, and may fall short of an entry with a long extra field
    (`local_length` tells).
    """
    return [(start, length) for start, length, _ in _grouped(entries)]


def _grouped(entries: Iterable[Entry]) -> list[tuple[int, int, list[Entry]]]:
    """Spans, each with its entries by offset."""
    groups: list[tuple[int, int, list[Entry]]] = []
    start, stop, needed = 0, 0, 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        end = entry.offset + _upper_bound(entry)
        own = end - max(entry.offset, stop)
        gaps = end - start - (needed + own)
        if groups and gaps <= max(needed // _GAP_SHARE, _GAP_BYTES):
            stop, needed = max(stop, end), needed + max(own, 0)
            groups[-1] = (start, stop - start, groups[-1][2])
        else:
            start, stop, needed = entry.offset, end, end - entry.offset
            groups.append((start, stop - start, []))
        groups[-1][2].append(entry)
    return groups


def _upper_bound(entry: Entry) -> int:
    """Bytes of the entry with its local header, where its extra field isn't of unusual length."""
    return _LOCAL.size + 2 * len(entry.name.encode()) + _LOCAL_EXTRA + entry.compressed


def unpack_all(
    entries: Iterable[Entry], stream: Stream, limit: int = MAX_PICTURE_BYTES
) -> Iterator[tuple[Entry, bytes | PictureError]]:
    """Each entry with its bytes, or with why it has none; by offset. One packed entry and a chunk are held.

    What `stream` raises goes through: it says nothing about the entry.
    """
    for start, length, members in _grouped(entries):
        window = _Window(start, stream(start, length))
        for entry, following in zip(members, [*members[1:], None], strict=True):
            yield entry, _outcome(entry, following, window, stream, limit)


class _Window:
    """The part of a stream that is being looked at. It only moves forward; what lies before is given up."""

    def __init__(self, start: int, chunks: Iterable[bytes | memoryview]) -> None:
        """start: where in the archive the stream begins, bytes."""
        self._start = start  # of the first piece
        self._pieces: deque[memoryview] = deque()
        self._chunks = iter(chunks)

    def view(self, start: int, length: int) -> memoryview:
        """The bytes there, fewer where the stream ends. start: not before that of an earlier view.

        Of what lies in one chunk it is a view, of what straddles some a copy.
        """
        self._give_up(start)
        there = self._start + sum(map(len, self._pieces))
        while there < start + length and (chunk := next(self._chunks, None)) is not None:
            self._pieces.append(memoryview(chunk))
            there += len(chunk)
            self._give_up(start)
        skipped = start - self._start
        if self._pieces and skipped + length <= len(self._pieces[0]):
            return self._pieces[0][skipped : skipped + length]
        return memoryview(b"".join(self._parts(skipped, length)))

    def _give_up(self, start: int) -> None:
        """Whole pieces before that."""
        while self._pieces and self._start + len(self._pieces[0]) <= start:
            self._start += len(self._pieces.popleft())

    def _parts(self, skipped: int, length: int) -> Iterator[memoryview]:
        """What the pieces have of it."""
        for piece in self._pieces:
            part = piece[max(skipped, 0) : max(skipped + length, 0)]
            skipped -= len(piece)
            yield part


def _outcome(
    entry: Entry, following: Entry | None, window: _Window, stream: Stream, limit: int
) -> bytes | PictureError:
    try:
        return unpack(entry, _whole(entry, following, window, stream), limit)
    except PictureError as error:
        return error.with_traceback(None)  # whose frames would hold the chunks


def _whole(entry: Entry, following: Entry | None, window: _Window, stream: Stream) -> memoryview:
    """The entry's bytes with its local header, read again where the span fell short. Raises PictureError."""
    length = local_length(entry, window.view(entry.offset, _LOCAL.size))
    if following and entry.offset + length > following.offset:
        raise PictureError("overlap", f"its bytes run into {following.name!r}")
    if entry.until and entry.offset + length > entry.until:
        raise PictureError("overlap", f"its bytes run into what begins at byte {entry.until}")
    raw = window.view(entry.offset, length)
    return raw if length <= len(raw) else memoryview(b"".join(stream(entry.offset, length)))


def local_length(entry: Entry, head: bytes | memoryview) -> int:
    """Bytes of the entry with its local header. head: its first 30 bytes at least. Raises PictureError."""
    if bytes(head[:4]) != b"PK\x03\x04" or len(head) < _LOCAL.size:
        raise PictureError("header-mismatch", f"no local header at byte {entry.offset}")
    name, extra = _LOCAL.unpack_from(head)[6:]
    return int(_LOCAL.size + name + extra + entry.compressed)


def unpack(entry: Entry, raw: bytes | memoryview, limit: int = MAX_PICTURE_BYTES) -> bytes:
    """The entry's bytes. raw: the archive's, from the entry's local header on.

    Never holds more than the size that the directory says. limit: bytes that an entry may have, and up to
    which one that has more than the directory says is followed, to tell a wrong number from a bomb.
    Raises PictureError: header-mismatch, damaged-entry, size-mismatch, too-large, bomb.
    """
    whole = local_length(entry, raw)
    _check_header(entry, raw)
    if entry.size > limit:
        raise PictureError("too-large", f"{entry.size} bytes")
    if len(raw) < whole:
        raise PictureError("damaged-entry", f"{len(raw)} of its {whole} bytes are there")
    packed = memoryview(raw)[whole - entry.compressed : whole]
    # Some packers deflate nothing to nothing, where two bytes would say so.
    content = _inflate(entry, packed, limit) if entry.method and (packed or entry.size) else bytes(packed)
    if len(content) != entry.size:
        raise PictureError("size-mismatch", f"{len(content)} bytes, the directory says {entry.size}")
    if zlib_ng.crc32(content) != entry.crc:
        raise PictureError("damaged-entry", "its checksum (CRC-32) is wrong")
    return content


def _check_header(entry: Entry, raw: bytes | memoryview) -> None:
    """What the local header says is what the directory says. Raises PictureError."""
    _, flags, method, crc, compressed, size, name_length, extra_length = _LOCAL.unpack_from(raw)
    name = bytes(raw[_LOCAL.size : _LOCAL.size + name_length])
    extra = bytes(raw[_LOCAL.size + name_length : _LOCAL.size + name_length + extra_length])
    size, compressed = widened((size, compressed), extra)
    said = {"crc": crc, "packed size": compressed, "size": size}
    for what, here, there in (
        ("encryption", flags & _ENCRYPTED, 0),
        ("method", method, entry.method),
        ("name", _local_name(name, extra, flags, entry), entry.name.replace("\\", "/")),
        *zip(said, said.values(), (entry.crc, entry.compressed, entry.size), strict=True),
    ):
        later = flags & _SENT and what in said and here == 0
        if here != there and not later:
            raise PictureError(
                "header-mismatch", f"{what}: {here!r} in its own header, {there!r} in the directory"
            )


def _local_name(raw: bytes, extra: bytes, flags: int, entry: Entry) -> str:
    """The local header's name, with slashes; the entry's where only a Unicode path makes the difference."""
    if stated_name(raw) == (entry.stated or entry.name):
        return entry.name.replace("\\", "/")
    return decode_name(raw, extra, flags).replace("\\", "/")


def _inflate(entry: Entry, packed: memoryview, limit: int) -> bytes:
    """At most one byte more than the entry's size. Raises PictureError."""
    inflater = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
    try:
        content = inflater.decompress(packed, entry.size + 1)
        if len(content) > entry.size:
            raise _too_much(entry, inflater, limit)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub has an instance there
        raise PictureError("damaged-entry", str(error)) from error
    if not inflater.eof:
        raise PictureError("damaged-entry", f"its {entry.compressed} packed bytes end early")
    if inflater.unused_data:
        left = len(inflater.unused_data)
        raise PictureError("size-mismatch", f"its data end {left} bytes before its packed size says")
    return content


def _too_much(entry: Entry, inflater: "zlib_ng._Decompress", limit: int) -> PictureError:
    """Follows the data, which nobody keeps, until they end or pass the limit."""
    total = entry.size + 1
    while not inflater.eof and total <= limit:
        piece = len(inflater.decompress(inflater.unconsumed_tail, _PIECE))
        if not piece:
            break
        total += piece
    if total > limit:
        return PictureError("bomb", f"more than {limit} bytes, the directory says {entry.size}")
    return PictureError("size-mismatch", f"{total} bytes, the directory says {entry.size}")
