"""What a picture's EXIF and XMP say about its orientation and capture time; nothing else in them is of use.

Read without Pillow, because metadata is the part of a file that is most often broken, and none of it shall
stop a picture whose pixels are fine: whatever can't be read counts as not there.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

ORIENTATION = 0x0112
_EXIF_DIRECTORY = 0x8769
_ORIGINAL, _DIGITIZED = 0x9003, 0x9004
_CAPTURED = re.compile(rb"(\d{4}:\d\d:\d\d) (\d\d:\d\d:\d\d)")
_XMP_ORIENTATION = re.compile(rb"tiff:Orientation\s*(?:=\s*[\"']|>)\s*([1-8])\s*[\"'<]")
# Bytes of one value of each TIFF field type (TIFF 6.0, page 15; BigTIFF adds 16 to 18).
_TYPE_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_WIDE_TYPES = (16, 18)  # of 8 bytes, of BigTIFF alone: LONG8 and IFD8
_INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\x00"  # in front of a packet in JPEG's APP1
_MAX_FIELDS = 4096
_MAX_PROFILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a TIFF directory. kind: its TIFF type; raw: its bytes, in the file's byte order."""

    kind: int
    raw: memoryview
    order: str

    @property
    def values(self) -> int:
        """How many numbers it holds; 0 for text and bytes."""
        size = _TYPE_BYTES[self.kind]
        return 0 if size == 1 else len(self.raw) // size

    def integer(self, default: int) -> int:
        """Its first value, or the default where it has no unsigned integers."""
        code = _INTEGERS.get(self.kind)
        return int(struct.unpack_from(self.order + code, self.raw)[0]) if code else default


@dataclass(frozen=True, slots=True)
class Directory:
    """A TIFF image file directory. following: position of the next one, 0 where there is none."""

    fields: Mapping[int, Field]
    following: int

    def integer(self, tag: int, default: int) -> int:
        """First value of a field, or the default where it is missing or no integer."""
        field = self.fields.get(tag)
        return field.integer(default) if field else default


def first_directory(tiff: bytes) -> Directory:
    """The first directory of a TIFF file or EXIF block (classic or BigTIFF).

    Raises struct.error or ValueError where there is none.
    """
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        raise ValueError("neither II nor MM")
    (version,) = struct.unpack_from(f"{order}H", tiff, 2)
    big = version == 43
    (position,) = struct.unpack_from(f"{order}{'Q' if big else 'I'}", tiff, 8 if big else 4)
    return read_directory(tiff, position, order, big=big)


def read_directory(tiff: bytes, position: int, order: str, *, big: bool = False) -> Directory:
    """The directory at a position; fields whose values lie outside of the file are left out.

    Raises struct.error where the directory itself does.
    """
    count_code, entry_code, next_code = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    entry, inline = struct.Struct(order + entry_code), 8 if big else 4
    position = min(position, len(tiff))  # struct takes no offset above a C ssize_t
    (count,) = struct.unpack_from(order + count_code, tiff, position)
    position += struct.calcsize(count_code)
    fields: dict[int, Field] = {}
    view = memoryview(tiff)
    for _ in range(min(count, _MAX_FIELDS)):
        tag, kind, values, value = entry.unpack_from(tiff, position)
        position += entry.size
        size = values * _TYPE_BYTES.get(kind, 0)
        raw = memoryview(value)[:size]
        if size > inline:
            (offset,) = struct.unpack(order + next_code, value)
            raw = view[offset : offset + size]
        if 0 < size == len(raw):
            fields.setdefault(tag, Field(kind, raw, order))
    following = 0
    if position + struct.calcsize(next_code) <= len(tiff):
        (following,) = struct.unpack_from(order + next_code, tiff, position)
    return Directory(fields, following)


def as_classic(tiff: bytes) -> bytes:
    """A big-endian BigTIFF's first picture as a TIFF that Pillow reads, which takes no such BigTIFF for one.

    The pixels stay where they are; a directory of the older form is put behind them. Raises struct.error
    where it points further than that form can.
    """
    fields, at = first_directory(tiff).fields, len(tiff) + len(tiff) % 2
    behind = at + 2 + 12 * len(fields) + 4
    table, outside = struct.pack(">H", len(fields)), b""
    for tag, field in sorted(fields.items()):
        kind, raw = field.kind, bytes(field.raw)
        if kind in _WIDE_TYPES:
            kind, values = 4, struct.unpack(f">{len(raw) // 8}Q", raw)
            raw = struct.pack(f">{len(values)}I", *values)
        place = raw.ljust(4, b"\x00") if len(raw) <= 4 else struct.pack(">I", behind + len(outside))
        outside += raw + bytes(len(raw) % 2) if len(raw) > 4 else b""
        table += struct.pack(">HHI", tag, kind, len(raw) // _TYPE_BYTES[kind]) + place
    return b"MM\x00*" + struct.pack(">I", at) + tiff[8:].ljust(at - 8, b"\x00") + table + bytes(4) + outside


def orientation(exif: bytes, xmp: bytes) -> int:
    """How the pixels lie, 1 to 8 (TIFF 6.0, page 36), 1 being upright: by EXIF, else by XMP.

    exif: a whole TIFF, or an EXIF block with or without JPEG's identifier. xmp: the packet.
    """
    value = _exif_directory(exif).integer(ORIENTATION, 0)
    if 1 <= value <= 8:
        return value
    found = _XMP_ORIENTATION.search(xmp)
    return int(found[1]) if found else 1


def captured(exif: bytes) -> str:
    """When it was taken, by the camera's clock: "YYYY-MM-DDTHH:MM:SS", or empty.

    EXIF 2.32, 4.6.5: DateTimeOriginal, else DateTimeDigitized. DateTime is left aside; editors change it.
    """
    tiff = _tiff(exif)
    pointer = _exif_directory(exif).integer(_EXIF_DIRECTORY, 0)
    if not pointer:
        return ""
    order, is_big = ("<", tiff[2:3] == b"+") if tiff[:2] == b"II" else (">", tiff[3:4] == b"+")
    try:
        details = read_directory(tiff, pointer, order, big=is_big)
    except struct.error:
        return ""
    for tag in (_ORIGINAL, _DIGITIZED):
        found = _CAPTURED.match(details.fields[tag].raw) if tag in details.fields else None
        if found:
            date, time = (found[group].decode() for group in (1, 2))
            try:
                return datetime.fromisoformat(f"{date.replace(':', '-')}T{time}").isoformat()
            except ValueError:
                continue
    return ""


def raw_profile(text: bytes) -> bytes:
    """A block as ImageMagick puts it into a PNG's text: lines of name, length and digits."""
    lines = text[:_MAX_PROFILE].split(b"\n")
    try:
        return bytes.fromhex(b"".join(lines[3:]).decode("ascii"))
    except ValueError:
        return b""


def _tiff(exif: bytes) -> bytes:
    """An EXIF block without the identifier that JPEG puts in front of it."""
    while exif.startswith(b"Exif\x00"):
        exif = exif[6:]
    return exif


def _exif_directory(exif: bytes) -> Directory:
    try:
        return first_directory(_tiff(exif))
    except (struct.error, ValueError):
        return Directory({}, 0)
