"""JPEG's container (ITU T.81, annex B): a chain of marker segments."""

import re
import struct
from dataclasses import dataclass, field

from truthmill import image_metadata
from truthmill.errors import PictureError
from truthmill.image_container import METADATA, PICTURE, PROFILE, TRAILER, Container

_END, _SCAN, _JFIF, _EXIF, _ICC, _ADOBE = 0xD9, 0xDA, 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset((0xC4, 0xCC, 0xDB, 0xDC, 0xDD))
_HUFFMAN, _ARITHMETIC = (0xC0, 0xC1, 0xC2), (0xC9, 0xCA)
_PROGRESSIVE = (0xC2, 0xCA)
_UNKNOWN_TO_DECODERS = {0xDE: "a hierarchical JPEG", 0xF7: "JPEG-LS"}  # T.81, B.3.2; T.87, C.1.1
_WITHOUT_BODY = frozenset((0x00, 0x01, 0xFF, *range(0xD0, 0xD9)))  # fill bytes, restarts, strays
_NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_ALL_COEFFICIENTS = (1 << 64) - 1
_MAX_SCANS = 500  # a progressive JPEG has about 10; each costs a pass over the whole picture


@dataclass(slots=True)
class _Segments:
    """What the segments so far have said.

    missing: for each component, a bit for each DCT coefficient that no scan has completed yet.
    """

    found: Container
    profile: dict[int, bytes] = field(default_factory=dict)
    missing: dict[int, int] = field(default_factory=dict)
    progressive: bool = False
    scans: int = 0


def read(data: bytes) -> Container:
    """Which bytes of a JPEG are what. Raises PictureError where the chain breaks or scans are missing."""
    found = Container("jpeg", lossy=True, pieces=[(PICTURE, 0, 2)])
    state = _Segments(found)
    position = 2
    while True:
        start = data.find(b"\xff", position)
        if start < 0 or start + 2 > len(data):
            raise PictureError("truncated", "the JPEG has no end-of-image marker")
        if start > position:
            found.add(METADATA, position, start)
        marker = data[start + 1]
        if marker == _END:
            break
        kind, position = _segment(state, data, start, marker)
        found.add(kind, start, position)
    found.add(PICTURE, start, start + 2)
    if start + 2 < len(data):
        found.add(TRAILER, start + 2, len(data))
    _check(state)
    found.profile = b"".join(state.profile[number] for number in sorted(state.profile))
    return found


def _check(state: _Segments) -> None:
    width, height = state.found.width, state.found.height
    if width and state.scans and not height:  # B.2.5, which libjpeg doesn't know
        raise PictureError("unsupported-format", "a JPEG that says its height behind its first scan (DNL)")
    if not (width and height and state.scans):
        raise PictureError("damaged", f"a JPEG with {state.scans} scans of {width} x {height} pixels")
    if any(state.missing.values()):
        raise PictureError("truncated", f"a JPEG that has only the first {state.scans} of its scans")


def _segment(state: _Segments, data: bytes, start: int, marker: int) -> tuple[str, int]:
    """Take in one segment; answer what kind of bytes it is, and the position behind it."""
    if marker in _WITHOUT_BODY:
        return METADATA, start + (1 if marker == 0xFF else 2)
    length = int.from_bytes(data[start + 2 : start + 4], "big")
    end = start + 2 + length
    if end > len(data) or start + 4 > len(data):
        raise PictureError("truncated", "the JPEG ends within its header")
    if length < 2:
        raise PictureError("damaged", f"a JPEG segment of {length} bytes")
    body = data[start + 4 : end]
    if marker == _SCAN:
        _scan(state, body)
        following = _NEXT_MARKER.search(data, end)
        if following is None:
            raise PictureError("truncated", "the JPEG ends within its pixels")
        return PICTURE, following.start()
    if marker in _FRAMES:
        _frame(state, marker, body)
        return PICTURE, end
    return (PICTURE if marker in _TABLES else _other(state, marker, body)), end


def _frame(state: _Segments, marker: int, body: bytes) -> None:
    found = state.found
    if found.width:
        raise PictureError("damaged", "a JPEG with two frame headers")
    bits, found.height, found.width, channels = struct.unpack_from(">BHHB", body)
    if bits != 8 or marker not in _HUFFMAN + _ARITHMETIC:
        raise PictureError("unsupported-format", f"a JPEG of {bits} bits a sample, frame type FF{marker:02X}")
    found.channels = channels
    found.keeps = channels == 3 and marker in _HUFFMAN
    if marker in _ARITHMETIC:  # no browser shows it
        found.changes = ("huffman",)
    state.missing = dict.fromkeys(body[6::3], _ALL_COEFFICIENTS)
    state.progressive = marker in _PROGRESSIVE


def _scan(state: _Segments, body: bytes) -> None:
    """Note what a scan completes (B.2.3): coefficients first to last, unless their low bits are to follow."""
    state.scans += 1
    if state.scans > _MAX_SCANS:
        raise PictureError("damaged", f"a JPEG of more than {_MAX_SCANS} scans")
    parameters = 1 + 2 * body[0]
    first, last, bits = body[parameters : parameters + 3]
    done = _ALL_COEFFICIENTS
    if state.progressive:
        done = 0 if bits & 15 else (1 << last + 1) - (1 << first)
    for component in body[1:parameters:2]:
        state.missing[component] = state.missing.get(component, 0) & ~done


def _other(state: _Segments, marker: int, body: bytes) -> str:
    found = state.found
    if marker == _JFIF and body.startswith(b"JFIF\x00"):
        return PICTURE if len(body) == 14 else METADATA  # longer: with a thumbnail
    if marker == _ADOBE and body.startswith(b"Adobe"):
        found.adobe = True
        return PICTURE
    if marker == _ICC and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
        state.profile[body[12]] = body[14:]
        return PROFILE
    if marker == _EXIF and body.startswith(b"Exif\x00"):
        found.exif = found.exif or body
    elif marker == _EXIF and body.startswith(image_metadata.XMP_HEAD):
        found.xmp = found.xmp or body
    elif marker in _UNKNOWN_TO_DECODERS:
        raise PictureError("unsupported-format", _UNKNOWN_TO_DECODERS[marker])
    elif marker < _JFIF or 0xF0 <= marker <= 0xFD:
        raise PictureError("damaged", f"a JPEG with the unexpected marker FF{marker:02X}")
    return METADATA
