"""JPEG's container (ITU T.81, annex B): a chain of marker segments."""

import re
import struct

from truthmill.errors import PictureError
from truthmill.image_container import METADATA, PICTURE, PROFILE, TRAILER, Container

_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLE_MARKERS = frozenset((0xC4, 0xCC, 0xDB, 0xDC, 0xDD))
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_MAX_SCANS = 500  # a progressive JPEG has about 10; each costs a pass over the whole picture


def read(data: bytes) -> Container:
    found = Container("jpeg", lossy=True, pieces=[(PICTURE, 0, 2)])
    profile: dict[int, bytes] = {}
    position, scans = 2, 0
    while True:
        start = data.find(b"\xff", position)
        if start < 0 or start + 2 > len(data):
            raise PictureError("truncated", "the JPEG has no end-of-image marker")
        if start > position:
            found.pieces.append((METADATA, position, start))
        marker = data[start + 1]
        if marker == 0xD9:
            found.pieces.append((PICTURE, start, start + 2))
            break
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:  # fill bytes and strays
            position = start + (1 if marker == 0xFF else 2)
            found.pieces.append((METADATA, start, position))
            continue
        position = start + 2 + _segment_bytes(data, start)
        kind = _jpeg_segment(found, profile, marker, data[start + 4 : position])
        if marker == 0xDA:
            scans += 1
            following = _NEXT_MARKER.search(data, position)
            if following is None:
                raise PictureError("truncated", "the JPEG ends within its pixels")
            position = following.start()
        found.pieces.append((kind, start, position))
    if not scans or not found.width or not found.height or scans > _MAX_SCANS:
        raise PictureError("damaged", f"a JPEG with {scans} scans of {found.width} x {found.height} pixels")
    if start + 2 < len(data):
        found.pieces.append((TRAILER, start + 2, len(data)))
    found.profile = b"".join(profile[number] for number in sorted(profile))
    return found


def _segment_bytes(data: bytes, start: int) -> int:
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    if start + 2 + length > len(data) or start + 4 > len(data):
        raise PictureError("truncated", "the JPEG ends within its header")
    if length < 2:
        raise PictureError("damaged", f"a JPEG segment of {length} bytes")
    return length


def _jpeg_segment(found: Container, profile: dict[int, bytes], marker: int, body: bytes) -> str:
    """Take in one segment; answer what kind of bytes it is."""
    if marker in _FRAME_MARKERS:
        _jpeg_frame(found, marker, body)
        return PICTURE
    if marker in _TABLE_MARKERS or marker == 0xDA:
        return PICTURE
    if marker == 0xE0 and body.startswith(b"JFIF\x00"):
        return PICTURE if len(body) == 14 else METADATA  # longer: with a thumbnail
    if marker == 0xEE and body.startswith(b"Adobe"):
        found.adobe = True
        return PICTURE
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
        profile[body[12]] = body[14:]
        return PROFILE
    if marker == 0xE1 and body.startswith(b"Exif\x00"):
        found.exif = found.exif or body
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
        found.xmp = found.xmp or body
    elif marker < 0xE0 or 0xF0 <= marker <= 0xFD:
        raise PictureError("damaged", f"a JPEG with the unexpected marker FF{marker:02X}")
    return METADATA


def _jpeg_frame(found: Container, marker: int, body: bytes) -> None:
    if found.width:
        raise PictureError("damaged", "a JPEG with two frame headers")
    bits, found.height, found.width, channels = struct.unpack_from(">BHHB", body)
    if bits != 8 or marker not in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA):
        raise PictureError("unsupported-format", f"a JPEG of {bits} bits a sample, frame type FF{marker:02X}")
    found.keeps = channels == 3 and marker < 0xC3
    if marker > 0xC3:  # arithmetic coding: no browser shows it
        found.changes = ("huffman",)
