"""PNG's container (ISO 15948, 11): a chain of chunks, each with its checksum."""

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from zlib_ng import zlib_ng

from truthmill import image_colour, image_metadata, image_primaries
from truthmill.errors import PictureError
from truthmill.image_container import FRAMES, METADATA, PICTURE, PROFILE, TRAILER, UNUSABLE_PROFILE, Container

_PIXELS = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"))
_COLOUR = frozenset((b"iCCP", b"sRGB", b"gAMA", b"cHRM", b"cICP"))
_HARMLESS = frozenset((b"sBIT", b"bKGD", b"pHYs", b"hIST"))
_BYTES = {
    b"sRGB": range(1, 2),
    b"gAMA": range(4, 5),
    b"cHRM": range(32, 33),
    b"cICP": range(4, 5),
    b"sBIT": range(1, 5),
    b"bKGD": range(1, 7),
    b"pHYs": range(9, 10),
    b"hIST": range(2, 513),
}
"""Of these (11.3): what is longer holds something else besides, and no decoder looks at either kind."""
_KEY_BYTES = {b"\x00": range(2, 3), b"\x02": range(6, 7), b"\x03": range(1, 257)}  # of tRNS, by colour type
_FRAMES = frozenset((b"acTL", b"fcTL", b"fdAT"))
_GAMMAS = range(16, 625_000_001)  # of libpng; browsers pass over any other
_ONCE = frozenset((b"IHDR", b"PLTE"))
_BEFORE_PIXELS = frozenset((b"PLTE", b"tRNS")) | _COLOUR | _HARMLESS  # 5.6, table 7
_COLOUR_AT, _INDEXED = 25, 3  # of the header, which comes first (11.2.2)


def read(data: bytes) -> Container:
    found = Container("png", pieces=[(PICTURE, 0, 8)])
    view, position = memoryview(data), 8
    kind, seen, told = b"", set[bytes](), dict[bytes, bytes]()
    while kind != b"IEND":
        if position + 12 > len(data):
            raise PictureError("truncated", "the PNG has no IEND chunk")
        length = int.from_bytes(view[position : position + 4], "big")
        kind, end = data[position + 4 : position + 8], position + 12 + length
        if end > len(data):
            raise PictureError("truncated", f"the PNG ends within its chunk {kind!r}")
        if zlib_ng.crc32(view[position + 4 : end - 4]) != int.from_bytes(view[end - 4 : end], "big"):
            raise PictureError("damaged", f"the PNG's chunk {kind!r} has a wrong CRC")
        _check_place(kind, seen)
        body = bytes(view[position + 8 : end - 4]) if kind != b"IDAT" else b""
        stays = _chunk(found, kind, body, seen)
        if kind == b"tRNS" and len(body) not in _KEY_BYTES.get(data[_COLOUR_AT : _COLOUR_AT + 1], ()):
            stays = METADATA
        found.add(stays, position, end)
        if stays != METADATA:
            found.keeps &= kind != b"tRNS"
            seen.add(kind)
            told.setdefault(kind, body if kind in _COLOUR else b"")
        position = end
    if b"IDAT" not in seen:
        raise PictureError("damaged", "a PNG without pixels")
    if data[_COLOUR_AT] == _INDEXED and b"PLTE" not in seen:
        raise PictureError("damaged", "a PNG whose colours are of a palette that it doesn't have")
    if position < len(data):
        found.add(TRAILER, position, len(data))
    _settle_colour(found, told)
    return found


def _check_place(kind: bytes, seen: set[bytes]) -> None:
    """Raise PictureError where a chunk can't stand behind those that were seen: no browser would go on."""
    if not seen and kind != b"IHDR":
        raise PictureError(
            "unsupported-format" if kind == b"CgBI" else "damaged", f"a PNG that begins with a chunk {kind!r}"
        )
    if kind in _ONCE and kind in seen:
        raise PictureError("damaged", f"a PNG with two chunks {kind!r}")


def _chunk(found: Container, kind: bytes, body: bytes, seen: set[bytes]) -> str:
    """Take in one chunk; answer what kind of bytes it is."""
    if b"IDAT" in seen and kind in _BEFORE_PIXELS:  # where decoders pass over them, or give up
        return METADATA
    if kind in _PIXELS:
        if kind == b"IHDR":
            _header(found, body)
        return PICTURE
    if kind in _BYTES and len(body) not in _BYTES[kind]:
        return METADATA
    if kind in _FRAMES:
        found.frames = 2
        return FRAMES
    if kind in _COLOUR | _HARMLESS:
        return PROFILE if kind in (b"iCCP", b"cICP") else PICTURE
    if not kind[0] & 0x20:
        raise PictureError("damaged", f"a PNG with the unknown critical chunk {kind!r}")
    _metadata(found, kind, body)
    return METADATA


def _header(found: Container, body: bytes) -> None:
    found.width, found.height, found.bits, colour, *methods = struct.unpack(">IIBBBBB", body)
    if methods[:2] != [0, 0] or methods[2] > 1:  # of compression, filter, interlace (11.2.2)
        raise PictureError("damaged", f"a PNG of the unknown methods {methods}")
    if not (found.width and found.height):
        raise PictureError("damaged", f"a PNG of {found.width} x {found.height} pixels")
    found.keeps = (found.bits, colour) == (8, 2)
    found.channels = 3 if colour & 2 else 1
    if found.bits == 16:
        found.changes = ("8-bit",)


def _settle_colour(found: Container, told: Mapping[bytes, bytes]) -> None:
    """What the samples mean: code points, or a profile, or sRGB, or else gamma and primaries (4.3).

    told: the body of the first chunk of each kind.
    """
    coded = told.get(b"cICP", b"")
    if coded and coded[2] == 0:  # of RGB
        found.profile = image_primaries.of_code_points(coded[0], coded[1], is_full=coded[3] == 1)
        if b"iCCP" in told:
            found.pieces = [(METADATA if kind == PROFILE else kind, a, b) for kind, a, b in found.pieces]
    elif b"iCCP" in told:
        found.profile_name, _, deflated = told[b"iCCP"].partition(b"\x00")
        found.profile = _inflated(deflated[1:]) or UNUSABLE_PROFILE
    elif b"sRGB" not in told:
        gamma = int.from_bytes(told.get(b"gAMA", b"")[:4], "big")
        found.gamma = gamma if gamma in _GAMMAS else 0
        if b"cHRM" in told:
            found.profile = image_primaries.of_coordinates(struct.unpack(">8I", told[b"cHRM"]), found.gamma)
            found.gamma = 0 if found.profile else found.gamma


def _metadata(found: Container, kind: bytes, body: bytes) -> None:
    if kind == b"eXIf":
        found.exif = body
        return
    keyword, _, text = body.partition(b"\x00")
    if keyword == b"XML:com.adobe.xmp":
        found.xmp = _text(kind, text)
    elif keyword.startswith(b"Raw profile type "):
        block = image_metadata.raw_profile(_text(kind, text))
        if block.startswith(image_metadata.XMP_HEAD) or keyword.endswith(b" xmp"):
            found.xmp = found.xmp or block
        elif keyword.endswith((b" exif", b" APP1")):
            found.exif = found.exif or block


def _text(kind: bytes, body: bytes) -> bytes:
    """A text chunk's text, uncompressed (11.3.4). body: behind the keyword."""
    if kind == b"iTXt":
        is_compressed = body[:1] == b"\x01"
        text = body[2:].split(b"\x00", 2)[-1]  # behind its language and the keyword in that
    else:
        is_compressed, text = kind == b"zTXt", body[1:] if kind == b"zTXt" else body
    return _inflated(text) if is_compressed else text


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(stream, image_colour.MAX_PROFILE + 1)
    except zlib.error:
        return b""


# First column, first row, columns apart, rows apart of each pass over an interlaced picture (8.2, Adam7).
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


_ANY_BYTES = b"\xff" * 8


class _Joined(io.RawIOBase):
    """A file of parts that aren't put together, of which there may be 40 MB."""

    def __init__(self, parts: Sequence[memoryview | bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._starts = [0, *accumulate(len(part) for part in parts)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As many bytes as are wanted, or there are."""
        filled = 0
        while filled < len(buffer) and self._at < self._starts[-1]:
            number = bisect_right(self._starts, self._at) - 1
            start = self._at - self._starts[number]
            part = self._parts[number][start : start + len(buffer) - filled]
            buffer[filled : filled + len(part)] = part
            filled, self._at = filled + len(part), self._at + len(part)
        return filled


def in_one(png: bytes) -> "io.RawIOBase":
    """The same picture with all its compressed pixels in one chunk, and some bytes behind them.

    Pillow stops as soon as it has all pixels, so that a stream which lacks its checksum, or has a wrong one
    in a chunk of its own, would pass, and no other decoder would show it. These bytes end what doesn't end
    by itself; of what does they are never looked at. png: one that `read` took.
    """
    view, parts, position, first = memoryview(png), list[memoryview | bytes](), 8, 0
    while (kind := png[position + 4 : position + 8]) != b"IEND":
        end = position + 12 + int.from_bytes(view[position : position + 4], "big")
        if kind == b"IDAT":
            first = first or position
            parts.append(view[position + 8 : end - 4])
        position = end
    length = sum(len(part) for part in parts) + len(_ANY_BYTES)
    head = (view[:first], length.to_bytes(4, "big"), b"IDAT")
    return _Joined([*head, *parts, _ANY_BYTES + bytes(4), view[position : position + 12]])


def is_complete(png: bytes) -> bool:
    """Whether the compressed pixels are as many as the header says. Takes about as long as decoding them.

    png: one that `read` took.
    """
    width, height, bits, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", png, 16)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    missing = sum(
        _pass_bytes(-(-(width - left) // across), -(-(height - top) // down), bits * _CHANNELS[colour])
        for left, top, across, down in passes
    )
    inflate, position = zlib_ng.decompressobj(), 8
    while missing > 0 and png[position + 4 : position + 8] != b"IEND":
        end = position + 12 + int.from_bytes(png[position : position + 4], "big")
        pending = png[position + 8 : end - 4] if png[position + 4 : position + 8] == b"IDAT" else b""
        while pending and missing > 0:
            missing -= len(inflate.decompress(pending, 1 << 20))
            pending = inflate.unconsumed_tail
        position = end
    return missing <= 0


def _pass_bytes(width: int, height: int, pixel_bits: int) -> int:
    """Bytes of so many rows, each with its filter byte."""
    return height * (1 + (width * pixel_bits + 7) // 8) if width > 0 and height > 0 else 0
