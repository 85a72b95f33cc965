"""Where a zip's central directory lies: the end records, found from the archive's last bytes.

Section numbers are those of PKWARE's APPNOTE.TXT 6.3.10, the format's specification.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct

from truthmill.errors import ArchiveError

Read = Callable[[int, int], bytes]
"""Reads `length` bytes at `start`; fewer only where the file ends before."""

DIRECTORY_SIGNATURE = b"PK\x01\x02"
_LOCAL_SIGNATURE = b"PK\x03\x04"
_END = Struct("<4sHHHHLLH")  # 4.3.16
_END64 = Struct("<4sQ4xLLQQQQ")  # 4.3.14
_LOCATOR64 = Struct("<4sLQL")  # 4.3.15
_MAX_COMMENT = 0xFFFF
_ELSEWHERE = 0xFFFF  # in place of a number that a zip64 end record has (4.4.1.4)
_MAX_CANDIDATES = 16  # each may cost a read; an honest archive has one
_TAR_MAGIC_AT = 257  # POSIX, ustar interchange format
# Not `zip -s 0`: of parts of 64 KiB or 1 MiB Info-ZIP's zip 3.0 loses bytes.
_JOIN = "Unpack it where all of its parts lie (`7z x` does), and pack the pictures into one zip."
_OTHER_FORMATS = {
    b"PK\x07\x08": "the first part of a split archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip file",
    b"\xfd7zX": "an xz file",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}


@dataclass(frozen=True, slots=True)
class End:
    """What the end records say, checked against each other and the archive's size.

    position, length: of the central directory, bytes from the archive's first. shift: what offsets of the
    directory lack to be positions (the length of data prepended). count: of entries.
    zip64: whether count is exact; without it some tools (macOS Archive Utility) write it modulo 65,536.
    wraps: whether offsets are written modulo 2^32, as that tool does beyond 4 GiB.
    """

    position: int
    length: int
    shift: int
    count: int
    zip64: bool
    wraps: bool


def find_end(read: Read, size: int, name: str) -> End:
    """The archive's end records. size: of the archive, bytes; name: for messages.

    A record whose comment fills the file to its last byte is believed first. Where two of them fit, one hides
    in the other's comment and readers would see different archives: refused. Where there is none, bytes after
    the comment are tolerated, but not together with bytes before the archive: in an archive that was cut off,
    that would take a zip within it for the whole. Raises ArchiveError.
    """
    reader = _Tail(read, size, name)
    exact = [at for at in reader.candidates() if reader.ends_archive(at)]
    fitting, error = _attempt(reader, exact[: _MAX_CANDIDATES + 1])
    if len(fitting) > 1 or len(exact) > _MAX_CANDIDATES:
        raise ArchiveError(
            f"{name} has more than one end record that fits, one within the comment of another: readers "
            "would see different archives. Pack it again without a comment."
        )
    if not exact:
        loose = sorted(reader.candidates(), reverse=True)[:_MAX_CANDIDATES]
        fitting, error = _attempt(reader, loose, enough=1)
        fitting = [end for end in fitting if not end.shift and not end.wraps]
    if fitting:
        reader.check_alone(fitting[0])
        return fitting[0]
    raise error or ArchiveError(_no_end(read, size, name))


def is_archive_before(read: Read, size: int) -> bool:
    """Whether the first `size` bytes are an archive, as where another was added and its offsets made right.

    An archive that was an entry, and was deleted from the directory only, counts offsets from its own start.
    """
    if read(0, len(_LOCAL_SIGNATURE)) != _LOCAL_SIGNATURE:
        return False
    reader = _Tail(read, size, "")
    last = sorted(reader.candidates(), reverse=True)[:_MAX_CANDIDATES]
    return any(not end.shift for end in _attempt(reader, last, enough=len(last))[0])


def _attempt(
    reader: "_Tail", candidates: list[int], enough: int = 2
) -> tuple[list[End], ArchiveError | None]:
    """The ends that fit, and the first candidate's error."""
    fitting: list[End] = []
    first: ArchiveError | None = None
    for at in candidates:
        try:
            fitting.append(reader.end(at))
        except ArchiveError as error:
            first = first or error
        if len(fitting) == enough:
            break
    return fitting, first


def joined(name: str, which: str, lost: int) -> ArchiveError:
    """Of two archives in one file one would be passed over. lost: its bytes."""
    return ArchiveError(
        f"{name} is two archives joined into one file: of the {which}, {lost} bytes, no entry would be seen. "
        "Upload each by itself, or pack all the pictures into one zip."
    )


def _no_end(read: Read, size: int, name: str) -> str:
    if not size:
        return f"{name} is empty (0 bytes). Upload it again."
    first = read(0, min(size, 4))
    for signature, what in _OTHER_FORMATS.items():
        if first.startswith(signature):
            advice = _JOIN if signature == b"PK\x07\x08" else "Pack the pictures into one ordinary zip."
            return f"{name} is {what}, not a whole zip. {advice}"
    if read(0, min(size, _TAR_MAGIC_AT + 5))[_TAR_MAGIC_AT:] == b"ustar":
        return f"{name} is a tar archive, not a zip. Pack the pictures into one ordinary zip."
    if first[:1] == b"<":
        return (
            f"{name} is a page or another text, not a zip: a download that failed looks so. Fetch it again."
        )
    if first[:2] == b"PK":
        return (
            f"{name} has no directory at its end ({size} bytes): it was cut off, is one of several parts, or "
            "more than 64 KiB of something else were put behind it. Upload it again, or pack it again."
        )
    return f"{name} is not a zip: no end record in its last bytes. Pack the pictures into an ordinary zip."


class _Tail:
    """The archive's last bytes, and reads before them."""

    def __init__(self, read: Read, size: int, name: str) -> None:
        self._read, self._size, self._name = read, size, name
        length = min(size, _END.size + _MAX_COMMENT + _LOCATOR64.size)
        self._start = size - length
        self._bytes = read(self._start, length) if length else b""

    def at(self, position: int, length: int) -> bytes:
        if position >= self._start:
            return self._bytes[position - self._start : position - self._start + length]
        return self._read(position, length)

    def candidates(self) -> Iterator[int]:
        """Positions of whole end records, or what looks like them."""
        at = self._bytes.find(b"PK\x05\x06")
        while 0 <= at <= len(self._bytes) - _END.size:
            yield self._start + at
            at = self._bytes.find(b"PK\x05\x06", at + 1)

    def ends_archive(self, position: int) -> bool:
        comment = _END.unpack(self.at(position, _END.size))[7]
        return bool(position + _END.size + comment == self._size)

    def check_alone(self, end: End) -> None:
        """Raises ArchiveError where an archive lies before or behind: nobody would miss its pictures."""
        rest = self._bytes[max(0, end.position + end.length - self._start) :]
        before = end.shift and self.at(0, len(_LOCAL_SIGNATURE)) == _LOCAL_SIGNATURE
        if before or _LOCAL_SIGNATURE in rest:
            lost = end.shift if before else len(rest) - rest.find(_LOCAL_SIGNATURE)
            raise joined(self._name, "first" if before else "second", lost)

    def end(self, position: int) -> End:
        """The end that the record at `position` describes. Raises ArchiveError."""
        _, disk, first_disk, count_here, count, length, offset, _ = _END.unpack(self.at(position, _END.size))
        stated = (disk, first_disk, count_here, count, length, offset)
        end, values = self._end64(position, stated)
        disk, _, count_here, count, length, offset = values  # where the directory begins, only parts need
        zip64 = values is not stated
        if disk == _ELSEWHERE and not zip64:
            raise ArchiveError(
                f"{self._name}: its end record leaves its numbers to a zip64 end record, and there is none. "
                "It is damaged. Upload it again, or pack the pictures again."
            )
        if disk:
            raise ArchiveError(f"{self._name} is part {disk + 1} of a split archive. {_JOIN}")
        if count_here != count:
            raise ArchiveError(
                f"{self._name}: its end record says that this file has {count_here} of {count} entries, and "
                "that it is the first and only part, which would have all of them. It is damaged. Upload it "
                "again, or pack the pictures again."
            )
        return self._checked(end, length, offset, count, zip64)

    def _checked(self, end: int, length: int, offset: int, count: int, zip64: bool) -> End:
        directory = end - length
        if offset == 0xFFFFFFFF and not zip64:
            offset = directory  # Info-ZIP's `zip -fz -` forgets the zip64 record; the local headers will tell
        shift = directory - offset
        if directory < 0 or shift < 0:
            raise ArchiveError(
                f"{self._name}: its directory of {length} bytes should begin at byte {offset}, and end where "
                f"the end record begins, at byte {end}. Bytes are missing. Upload it again, or pack it again."
            )
        found = self.at(directory, len(DIRECTORY_SIGNATURE))
        if found != DIRECTORY_SIGNATURE and (length or count or shift):
            if shift and length and self.at(offset, len(DIRECTORY_SIGNATURE)) == DIRECTORY_SIGNATURE:
                raise ArchiveError(
                    f"{self._name}: its directory lies at byte {offset}, with {shift} bytes between it and "
                    f"the end record at byte {end}, where nothing should be: readers would see different "
                    "archives. Pack the pictures again."
                )
            raise ArchiveError(
                f"{self._name}: no directory of {length} bytes before the end record at byte {end}. "
                "It is damaged or encrypted. Pack the pictures again, without a password."
            )
        wraps = not zip64 and shift > 0 and shift % 2**32 == 0
        return End(directory, length, 0 if wraps else shift, count, zip64, wraps)

    def _end64(self, position: int, stated: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
        """Where the directory ends, and the zip64 record's values in place of the stated ones (4.4.1.4)."""
        located = self._located64(position)
        if located is None:
            return position, stated
        record, disks = located
        _, _, *values = _END64.unpack(self.at(record, _END64.size))
        limits = (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        for short, whole, limit in zip(stated, values, limits, strict=True):
            if short not in (limit, whole):
                raise ArchiveError(
                    f"{self._name}: its end record says {short} where its zip64 end record says {whole}: "
                    "readers would see different archives. Pack the pictures again."
                )
        if disks > 1:  # some tools write 0 for "one"
            values[0] = values[0] or disks - 1
        return record, tuple(values)

    def _located64(self, position: int) -> tuple[int, int] | None:
        """Position of the zip64 end record, and the number of disks; None where there is no locator.

        The record ends where the locator begins. Data prepended moves both, so that the locator's offset
        may be too small: then a record of the usual length is looked for right before it.
        """
        locator = position - _LOCATOR64.size
        found = self.at(locator, _LOCATOR64.size) if locator >= 0 else b""
        if found[:4] != b"PK\x06\x07":
            return None
        _, _, offset, disks = _LOCATOR64.unpack(found)
        for record in (offset, locator - _END64.size):
            if 0 <= record <= locator - _END64.size:
                signature, length = _END64.unpack(self.at(record, _END64.size))[:2]
                if signature == b"PK\x06\x06" and record + 12 + length == locator:
                    return record, disks
        if disks > 1:
            raise ArchiveError(f"{self._name} is one of {disks} parts of a split archive. {_JOIN}")
        raise ArchiveError(
            f"{self._name}: its zip64 locator names byte {offset}, where no zip64 end record lies. "
            "It is damaged. Upload it again, or pack the pictures again."
        )
